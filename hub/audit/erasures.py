"""Erasures: whom the hub forgot, in the words that outlive them, and the register that keeps these.

The register lies in the audit database. What it holds of an erasure is on disk together with the event that tells of
it, before anything else is touched: so whoever is killed goes on, and a store out of an older backup is erased again.
The event commits to the entry by its hash, so `verify` finds one that was altered, dropped or put in.

A *release* takes suppressions back; it stands in the register so that erasing again does not bring them back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from hub.audit.database import erasure_table
from hub.audit.events import AuditEvent
from hub.audit.kept_erasures import State, content_hash, state_after
from hub.audit.log import AuditLog
from hub.errors import AuditError


@dataclass(frozen=True, slots=True)
class Erasure:
    """What has to be known of an erasure to do it again on an older backup, and to keep the customer from coming back.

    It holds no personal value: ids are keyed hashes already, and `hashes` are made of keys and identifiers by a key.
    """

    id: str
    """That of the event that tells of it."""
    at: datetime
    customers: tuple[str, ...]
    """The customer's id, and those that led to it."""
    parties: tuple[str, ...]
    hashes: tuple[str, ...]
    """What is suppressed from now on; see `hub.adapters.suppression`."""


@dataclass(frozen=True, slots=True)
class Registered:
    """An erasure in the register."""

    erasure: Erasure
    state: State


class ErasureRegister:
    """The erasures and releases of one log. Several threads and processes may use it at once.

    Raises:
        AuditError: from every method, when the database cannot be written or read.
    """

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def register(self, event: AuditEvent, erasure: Erasure) -> int:
        """The number of the event, which is on disk together with the erasure that it tells of."""
        return self._register(event, _content(erasure), State.OPEN)

    def release(self, event: AuditEvent, hashes: Collection[str]) -> int:
        """The number of the event that these are suppressed no more, on disk together with them."""
        return self._register(event, _released(event, hashes), State.RELEASE)

    def _register(self, event: AuditEvent, content: bytes, state: State) -> int:
        if event.registered != content_hash(content):
            raise AuditError(f"event {event.id} does not name what is registered with it")
        row = (event.id, content, state.value)
        return self._log.append_with([event], lambda statements: statements.many(_INSERT, [row])).start

    def settle(self, event: AuditEvent) -> int:
        """The number of the event `erase_verified`, on disk together with the state of the erasure that it is about."""
        row = (state_after(event.reason_code).value, event.about)
        return self._log.append_with([event], lambda statements: statements.many(_SETTLE, [row])).start

    def naming(self, event: AuditEvent, erasure: Erasure) -> AuditEvent:
        """The event, committing to what is to be registered; its payloads are sealed after that."""
        return replace(event, registered=content_hash(_content(erasure)))

    def releasing(self, event: AuditEvent, hashes: Collection[str]) -> AuditEvent:
        """The event of a release, the like."""
        return replace(event, registered=content_hash(_released(event, hashes)))

    def states(self) -> dict[str, State]:
        """The state of every erasure by its id, in the order of time."""
        table = erasure_table.c
        query = select(table.event_id, table.state).where(table.state != State.RELEASE.value)
        with self._log.database.reading() as connection:
            rows = connection.execute(query.order_by(table.event_id))
            return {event_id: State(state) for event_id, state in rows}

    def find(self, ids: Sequence[str]) -> list[Registered]:
        """The erasures of these ids, as far as there are such, in the order of time."""
        table = erasure_table.c
        wanted = table.event_id.in_(list(ids)) & (table.state != State.RELEASE.value)
        with self._log.database.reading() as connection:
            rows = connection.execute(select(erasure_table).where(wanted).order_by(table.event_id)).all()
        return [_registered(row) for row in rows]

    def releases(self) -> dict[str, Sequence[str]]:
        """The hashes of every release, by the id of its event, in the order of time."""
        table = erasure_table.c
        query = select(erasure_table).where(table.state == State.RELEASE.value).order_by(table.event_id)
        with self._log.database.reading() as connection:
            return {row.event_id: _loaded(row)["hashes"] for row in connection.execute(query)}


_INSERT = f"INSERT INTO {erasure_table.name} (event_id, content, state) VALUES (?, ?, ?)"
_SETTLE = f"UPDATE {erasure_table.name} SET state = ? WHERE event_id = ?"


def _content(erasure: Erasure) -> bytes:
    said = {name: list(getattr(erasure, name)) for name in ("customers", "parties", "hashes")}
    return orjson.dumps({"at": erasure.at.isoformat(), **said}, option=orjson.OPT_SORT_KEYS)


def _released(event: AuditEvent, hashes: Collection[str]) -> bytes:
    said = {"at": event.at.isoformat(), "hashes": sorted(hashes)}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _loaded(row: Any) -> Mapping[str, Any]:
    try:
        loaded: Mapping[str, Any] = orjson.loads(bytes(row.content))
    except orjson.JSONDecodeError:
        raise AuditError(
            f"entry {row.event_id} of the register of erasures was altered; verify the log"
        ) from None
    return loaded


def _registered(row: Any) -> Registered:
    said = _loaded(row)
    erasure = Erasure(
        row.event_id,
        datetime.fromisoformat(said["at"]),
        tuple(said["customers"]),
        tuple(said["parties"]),
        tuple(said["hashes"]),
    )
    return Registered(erasure, State(row.state))
