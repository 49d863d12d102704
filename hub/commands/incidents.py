"""The register of personal data breaches (GDPR Art. 33(5)) as the store keeps it: facts, effects, what was done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, func, insert, select

from hub.audit.events import new_event_id
from hub.store import fixed, iso_utc, utc_now

NOTIFY_WITHIN: Final = timedelta(hours=72)
"""Of becoming aware: GDPR Art. 33(1). A later notification tells the reasons for its delay."""

StepKind = Literal[
    "authority_notified", "authority_not_needed", "people_told", "people_not_needed", "measure", "closed"
]
_OF_AUTHORITY = ("authority_notified", "authority_not_needed")
_OF_PEOPLE = ("people_told", "people_not_needed")


@dataclass(frozen=True, slots=True)
class Step:
    """What was done about an incident."""

    kind: str
    at: str
    noted_at: str
    noted_by: str = field(repr=False)
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Incident:
    """An entry of the register."""

    id: str
    opened_at: str
    opened_by: str = field(repr=False)
    aware_at: str
    nature: str = field(repr=False)
    consequences: str = field(repr=False)
    measures: str = field(repr=False)
    owner: str
    scope: Mapping[str, Any] = field(repr=False)
    """Where, whose account and when, as it was asked."""
    found: Mapping[str, Any]
    """Counts of what it is about."""
    people: int
    steps: tuple[Step, ...]

    @property
    def due_at(self) -> datetime:
        """By when the authority is to be notified."""
        return datetime.fromisoformat(self.aware_at) + NOTIFY_WITHIN

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is to be done."""
        return self.step("closed") is not None

    @property
    def is_overdue(self) -> bool:
        """Whether the authority should have been notified, and it is not said why not."""
        return self.step(*_OF_AUTHORITY) is None and datetime.now(UTC) > self.due_at

    @property
    def is_late(self) -> bool:
        """Whether it was notified after its time."""
        step = self.step("authority_notified")
        return step is not None and datetime.fromisoformat(step.at) > self.due_at

    @property
    def lacks(self) -> tuple[str, ...]:
        """What has to be decided before it can be closed."""
        kinds = {"authority": _OF_AUTHORITY, "people": _OF_PEOPLE}
        return tuple(name for name, some in kinds.items() if self.step(*some) is None)

    def step(self, *kinds: str) -> Step | None:
        """The last step of one of these kinds."""
        return next((step for step in reversed(self.steps) if step.kind in kinds), None)


def keep_incident(connection: Connection, row: Mapping[str, Any], customers: Sequence[str]) -> str:
    """The id of a new entry about these customers; `scope` and `found` of the row are JSON."""
    id_ = new_event_id()
    said = {**row, "scope": json.dumps(row["scope"]), "found": json.dumps(row["found"])}
    connection.execute(insert(fixed.incident).values(id=id_, opened_at=utc_now(), **said))
    affected = [{"incident_id": id_, "customer_id": customer} for customer in customers]
    if affected:
        connection.execute(insert(fixed.incident_customer), affected)
    return id_


def keep_step(
    connection: Connection, incident: Incident, kind: StepKind, at: datetime, by: str, note: str
) -> None:
    """Note what was done, after what was noted before."""
    row = {"incident_id": incident.id, "place": len(incident.steps), "kind": kind, "at": iso_utc(at)}
    values = {**row, "noted_at": utc_now(), "noted_by": by, "note": note}
    connection.execute(insert(fixed.incident_step).values(**values))


def find_incident(connection: Connection, id_: str) -> Incident | None:
    """The entry with the id."""
    known = "" if "\0" in id_ else id_
    row = connection.execute(select(fixed.incident).where(fixed.incident.c.id == known)).first()
    return None if row is None else _incident(connection, row)


def list_incidents(connection: Connection, *, first: int, after: str) -> list[Incident]:
    """Up to `first` entries after the one with the id `after`, the oldest first."""
    table = fixed.incident
    query = select(table).where(table.c.id > after).order_by(table.c.id).limit(first)
    return [_incident(connection, row) for row in connection.execute(query).all()]


def customers_of_incident(connection: Connection, id_: str) -> list[str]:
    """Whom an incident affects, in the order of ids."""
    table = fixed.incident_customer.c
    query = select(table.customer_id).where(table.incident_id == id_).order_by(table.customer_id)
    return list(connection.execute(query).scalars())


def _incident(connection: Connection, row: Row[Any]) -> Incident:
    affected, step = fixed.incident_customer.c, fixed.incident_step.c
    people = select(func.count()).where(affected.incident_id == row.id)
    columns = (step.kind, step.at, step.noted_at, step.noted_by, step.note)
    done = connection.execute(select(*columns).where(step.incident_id == row.id).order_by(step.place)).all()
    given = row._asdict()
    given |= {name: json.loads(given[name]) for name in ("scope", "found")}
    steps = tuple(Step(*each) for each in done)
    return Incident(**given, people=int(connection.execute(people).scalar_one()), steps=steps)
