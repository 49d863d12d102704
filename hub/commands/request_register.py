"""The register of privacy requests: what stands in the store of each, in the caller's transaction.

Who may change it, in which order, and what is told of that, says `hub.privacy.requests`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.store import fixed

INFORM = "inform"
"""The step of a lifting at which the person is told that their restriction ends (GDPR Art. 18(3))."""
_LIFTING = "lifting"


@dataclass(frozen=True, slots=True)
class KeptStep:
    """What is to be done at one place."""

    number: int
    place: str
    place_kind: str
    action: str
    way: str
    owner: str
    state: str = "open"
    proof: str | None = None
    done_by: str | None = None
    done_at: str | None = None


@dataclass(frozen=True, slots=True)
class KeptPause:
    """A time at which the clock stood."""

    reason: str
    since: str
    until: str | None


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A privacy request as it is kept."""

    id: str
    kind: str
    law: str
    state: str
    channel: str
    received_at: str
    opened_by: str
    customer_id: str | None
    is_agent: bool
    contact: str | None = field(repr=False)
    """Where the answer goes; None once it is closed."""
    details: Mapping[str, Any] = field(repr=False)
    """What exactly is asked for; empty once it is closed."""
    method: str | None
    verified_by: str | None
    verified_at: str | None
    agent_checked: bool
    extended_at: str | None
    fee: str | None
    erasure_id: str | None
    outcome: str | None
    closed_at: str | None
    closed_by: str | None
    pauses: tuple[KeptPause, ...] = ()
    steps: tuple[KeptStep, ...] = ()

    @classmethod
    def of(cls, row: Row[Any], pauses: Sequence[KeptPause], steps: Sequence[KeptStep]) -> Self:
        """The row of the table with its pauses and steps."""
        values = dict(row._mapping)
        details = json.loads(values.pop("details") or "{}")
        return cls(**values, details=details, pauses=tuple(pauses), steps=tuple(steps))


@dataclass(frozen=True, slots=True)
class KeptItem:
    """Something of an erased person that a law has kept."""

    rule: str
    purpose: str
    type: str
    until: str
    content: Mapping[str, Any] = field(repr=False)


def add_request(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write a new request; `details` is JSON."""
    connection.execute(insert(fixed.privacy_request).values(**values))


def find_requests(
    connection: Connection, *, ids: Collection[str] | None = None, states: Collection[str] | None = None
) -> list[KeptRequest]:
    """The requests with these ids, or in these states, or all; the oldest first."""
    table = fixed.privacy_request
    query = select(table).order_by(table.c.received_at, table.c.id)
    if ids is not None:
        query = query.where(table.c.id.in_(sorted(ids)))
    if states is not None:
        query = query.where(table.c.state.in_(sorted(states)))
    rows = connection.execute(query).all()
    return [KeptRequest.of(row, _pauses(connection, row.id), _steps(connection, row.id)) for row in rows]


def was_informed(connection: Connection, customers: Collection[str]) -> bool:
    """Whether one of these ids' customer was told that their restriction ends, by a lifting that goes on."""
    request, step = fixed.privacy_request, fixed.privacy_step
    query = (
        select(step.c.number)
        .join_from(request, step, request.c.id == step.c.request_id)
        .where(
            request.c.kind == _LIFTING,
            request.c.state == "running",
            request.c.customer_id.in_(sorted(customers)),
        )
        .where(step.c.action == INFORM, step.c.state == "done")
    )
    return connection.execute(query).first() is not None


def change_request(connection: Connection, id_: str, **values: Any) -> None:
    """Set columns of a request."""
    table = fixed.privacy_request
    connection.execute(update(table).where(table.c.id == id_).values(**values))


def set_steps(connection: Connection, id_: str, steps: Sequence[KeptStep]) -> None:
    """Make these the request's steps."""
    table = fixed.privacy_step
    connection.execute(delete(table).where(table.c.request_id == id_))
    columns = KeptStep.__dataclass_fields__
    rows = [{"request_id": id_, **{name: getattr(step, name) for name in columns}} for step in steps]
    if rows:
        connection.execute(insert(table), rows)


def change_step(connection: Connection, id_: str, number: int, **values: Any) -> None:
    """Set columns of a step."""
    table = fixed.privacy_step
    here = (table.c.request_id == id_, table.c.number == number)
    connection.execute(update(table).where(*here).values(**values))


def begin_pause(connection: Connection, id_: str, reason: str, since: str) -> None:
    """Let the clock stand from now on."""
    connection.execute(insert(fixed.privacy_pause).values(request_id=id_, reason=reason, since=since))


def end_pauses(connection: Connection, id_: str, until: str) -> None:
    """Let the clock go on."""
    table = fixed.privacy_pause
    standing = (table.c.request_id == id_, table.c.until.is_(None))
    connection.execute(update(table).where(*standing).values(until=until))


def keep_items(connection: Connection, id_: str, items: Sequence[KeptItem]) -> None:
    """Make these what is kept of the person whom the request is about."""
    table = fixed.privacy_retained
    connection.execute(delete(table).where(table.c.request_id == id_))
    rows = [
        {
            "request_id": id_,
            "rule": each.rule,
            "purpose": each.purpose,
            "type": each.type,
            "content": json.dumps(dict(each.content), sort_keys=True),
            "until": each.until,
        }
        for each in items
    ]
    if rows:
        connection.execute(insert(table), rows)


def kept_items(connection: Connection, id_: str) -> list[KeptItem]:
    """What is kept of the person whom the request was about."""
    table = fixed.privacy_retained
    rows = connection.execute(select(table).where(table.c.request_id == id_).order_by(table.c.id))
    return [KeptItem(row.rule, row.purpose, row.type, row.until, json.loads(row.content)) for row in rows]


def drop_expired_items(connection: Connection, today: str) -> int:
    """Delete what no law has kept any more; how much that is."""
    table = fixed.privacy_retained
    return connection.execute(delete(table).where(table.c.until < today)).rowcount


def drop_requests(connection: Connection, closed_before: str) -> list[str]:
    """Delete the requests that were closed before this and of which nothing is kept; their ids."""
    table, kept = fixed.privacy_request, fixed.privacy_retained
    old = select(table.c.id).where(
        table.c.closed_at < closed_before, table.c.id.not_in(select(kept.c.request_id))
    )
    ids = list(connection.execute(old.order_by(table.c.id)).scalars())
    for other in (fixed.privacy_step, fixed.privacy_pause, fixed.rectified):
        connection.execute(delete(other).where(other.c.request_id.in_(ids)))
    connection.execute(delete(table).where(table.c.id.in_(ids)))
    return ids


def _pauses(connection: Connection, id_: str) -> list[KeptPause]:
    table = fixed.privacy_pause
    rows = connection.execute(select(table).where(table.c.request_id == id_).order_by(table.c.id))
    return [KeptPause(row.reason, row.since, row.until) for row in rows]


def _steps(connection: Connection, id_: str) -> list[KeptStep]:
    table = fixed.privacy_step
    rows = connection.execute(select(table).where(table.c.request_id == id_).order_by(table.c.number))
    names = KeptStep.__dataclass_fields__
    return [KeptStep(**{name: row._mapping[name] for name in names}) for row in rows]
