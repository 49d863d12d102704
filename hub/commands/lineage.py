"""From a change of a customer to the source records that brought it, and on to W3C PROV.

A change names the run in which it happened. The records behind it are those versions of what belongs to the customer
that landed in that run. A change without any came of what was held before, or of a record that is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Select, column, select, table

from hub.audit import Action, AuditEvent, RecordedEvent
from hub.ontology import CUSTOMER, EntityType, Ontology
from hub.store import fixed

SYSTEM = "system"
"""The actor of what nobody asked for: a sync."""

_ENDS = (Action.ERASED, Action.KEY_DESTROYED)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A version of a source's record."""

    id: int
    """As `recordId` of facts and entities names it."""
    source: str
    stream: str
    run_id: int
    observed_at: str
    """Empty where none is stated."""
    landed_at: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a customer, with the records that brought it."""

    recorded: RecordedEvent
    records: tuple[SourceRecord, ...]


def with_records(
    connection: Connection, ontology: Ontology, customer: str, events: Sequence[RecordedEvent]
) -> list[Change]:
    """The changes of the customer with this current id."""
    runs: dict[str, set[int]] = defaultdict(set)
    for each in events:
        for type_ in _types(ontology, each.event):
            runs[type_.name] |= _run(each.event)
    found: dict[tuple[str, int], list[SourceRecord]] = defaultdict(list)
    for name, numbers in runs.items():
        if numbers:
            rows = connection.execute(_landed(ontology.type(name), customer, numbers))
            for record in (SourceRecord(*row) for row in rows):
                found[name, record.run_id].append(record)
    return [Change(each, tuple(_of(ontology, each.event, found))) for each in events]


def _of(
    ontology: Ontology, event: AuditEvent, found: dict[tuple[str, int], list[SourceRecord]]
) -> Iterator[SourceRecord]:
    for type_ in _types(ontology, event):
        for run_id in _run(event):
            for record in found.get((type_.name, run_id), ()):
                if event.stream in (None, record.stream):
                    yield record


def _types(ontology: Ontology, event: AuditEvent) -> list[EntityType]:
    """The types whose records may have brought the change."""
    named = [
        ontology.type(name) for name in event.entity_types if name != CUSTOMER and name in ontology.types
    ]
    return [type_ for type_ in named if type_.customer] or list(ontology.parties)


def _run(event: AuditEvent) -> set[int]:
    return {int(event.run_id)} if event.run_id is not None and event.run_id.isdecimal() else set()


def _landed(type_: EntityType, customer: str, runs: Iterable[int]) -> Select[Any]:
    """The versions of the customer's records of this type that landed in these runs."""
    key = "id" if type_.is_party else "party_id"
    rows = table(type_.table, column(key), column("head_id"))
    record, head, member = fixed.record.c, fixed.record_head.c, fixed.membership.c
    return (
        select(record.id, head.source, head.stream, record.run_id, record.observed_at, record.landed_at)
        .select_from(fixed.membership)
        .join(rows, rows.c[key] == member.party_id)
        .join(fixed.record, record.head_id == rows.c.head_id)
        .join(fixed.record_head, head.id == record.head_id)
        .where(member.customer_id == customer, record.run_id.in_(sorted(runs)))
        .order_by(record.id)
    )


# W3C PROV


def prov(customer: str, changes: Iterable[Change]) -> dict[str, Any]:
    """The changes of a customer as PROV-JSON: each an activity, which used source records and made a state."""
    document = _Document()
    for change in changes:
        document.add(customer, change)
    return document.parts


class _Document:
    """A PROV document in the making; a state of the customer is named by the number of the event that made it."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {
            "prefix": {"hub": "urn:hub:", "xsd": "http://www.w3.org/2001/XMLSchema#"}
        }
        self._state: str | None = None

    def add(self, customer: str, change: Change) -> None:
        """Add what happened next."""
        event = change.recorded.event
        activity, at = _name("event", event.id), _time(event.at)
        self._put("activity", activity, {"prov:startTime": at, "prov:endTime": at, **_told(change.recorded)})
        agent = _name("agent", event.actor)
        kind = "prov:SoftwareAgent" if event.actor == SYSTEM else "prov:Person"
        self._put("agent", agent, {"prov:type": {"$": kind, "type": "prov:QUALIFIED_NAME"}})
        self._relate("wasAssociatedWith", {"prov:activity": activity, "prov:agent": agent})
        if event.action in _ENDS:
            if self._state is not None:
                self._relate(
                    "wasInvalidatedBy",
                    {"prov:entity": self._state, "prov:activity": activity, "prov:time": at},
                )
            return
        state = _name("customer", f"{customer}/{change.recorded.seq}")
        self._put("entity", state, {"hub:customer": customer})
        self._relate("wasGeneratedBy", {"prov:entity": state, "prov:activity": activity, "prov:time": at})
        for record in change.records:
            self._derive(state, activity, record)
        if self._state is not None:
            revision = {"$": "prov:Revision", "type": "prov:QUALIFIED_NAME"}
            self._relate(
                "wasDerivedFrom",
                {"prov:generatedEntity": state, "prov:usedEntity": self._state, "prov:type": revision},
            )
        self._state = state

    def _derive(self, state: str, activity: str, record: SourceRecord) -> None:
        name = _name("record", str(record.id))
        told = {"hub:source": record.source, "hub:stream": record.stream, "hub:run": record.run_id}
        self._put("entity", name, {**told, "hub:landedAt": record.landed_at})
        self._relate("used", {"prov:activity": activity, "prov:entity": name})
        self._relate(
            "wasDerivedFrom",
            {"prov:generatedEntity": state, "prov:usedEntity": name, "prov:activity": activity},
        )

    def _put(self, part: str, name: str, attributes: dict[str, Any]) -> None:
        self.parts.setdefault(part, {})[name] = attributes

    def _relate(self, relation: str, attributes: dict[str, Any]) -> None:
        known = self.parts.setdefault(relation, {})
        known[f"_:{relation}{len(known) + 1}"] = attributes


def _name(kind: str, local: str) -> str:
    return f"hub:{kind}/{quote(local, safe='/')}"


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _told(recorded: RecordedEvent) -> dict[str, Any]:
    event = recorded.event
    told = {
        "hub:number": recorded.seq,
        "hub:action": event.action.value,
        "hub:reason": event.reason_code,
        "hub:purpose": event.purpose,
        "hub:source": event.source,
        "hub:stream": event.stream,
        "hub:run": event.run_id,
    }
    return {name: value for name, value in told.items() if value is not None}
