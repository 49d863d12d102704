"""Whether the register of erasures beside the log holds what its events commit to, in the state that they tell of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, LargeBinary, cast, select

from hub.audit.database import erasure_table, leaf_table
from hub.audit.events import Action
from hub.errors import AuditIntegrityError


class State(StrEnum):
    """How far an entry of the register is."""

    OPEN = "open"
    """Not carried out, or not wholly: the next start goes on."""
    VERIFIED = "verified"
    """Nothing is left but, perhaps, bytes that no query finds, in files that were not scrubbed."""
    SCRUBBED = "scrubbed"
    """Nothing is left in the files either."""
    RELEASE = "release"
    """No erasure: suppressions that were taken back."""


REGISTERED = (Action.ERASED, Action.SUPPRESSION_RELEASED)
"""Events that have an entry in the register."""


def content_hash(content: bytes) -> str:
    """What an event names an entry of the register by."""
    return hashlib.sha256(content).hexdigest()


def state_after(reason_code: str | None) -> State:
    """The state of an erasure, by the reason of the last event `erase_verified` about it."""
    return {State.VERIFIED: State.VERIFIED, State.SCRUBBED: State.SCRUBBED}.get(reason_code, State.OPEN)  # type: ignore[call-overload,no-any-return]


def check_register(connection: Connection, size: int) -> None:
    """Check the register against a log of `size` events, whose leaves are known to be those that were hashed.

    Raises:
        AuditIntegrityError: an entry was altered, dropped or put in; the first event that it belongs to is named.
    """
    columns = erasure_table.c
    kept = {
        row.event_id: row
        for row in connection.execute(
            select(columns.event_id, cast(columns.content, LargeBinary).label("content"), columns.state)
        )
    }
    expected = _expected_states(connection, size)
    for seq, fields in _leaves(connection, size, *REGISTERED):
        if (named := fields.get("registered")) is None:
            continue
        row = kept.pop(fields["id"], None)
        if row is None:
            raise AuditIntegrityError(seq, "its entry in the register of erasures is missing")
        if content_hash(bytes(row.content)) != named:
            raise AuditIntegrityError(
                seq, "its entry in the register of erasures is not the one that it names"
            )
        is_release = fields["action"] == Action.SUPPRESSION_RELEASED
        state = State.RELEASE if is_release else expected.get(fields["id"], State.OPEN)
        if row.state != state:
            raise AuditIntegrityError(seq, "the state of the erasure is not the one that events tell")
    if kept:
        raise AuditIntegrityError(None, "the register of erasures has an entry that no event names")


def _expected_states(connection: Connection, size: int) -> dict[str, State]:
    leaves = (fields for _, fields in _leaves(connection, size, Action.ERASE_VERIFIED) if "about" in fields)
    return {fields["about"]: state_after(fields.get("reason_code")) for fields in leaves}


def _leaves(connection: Connection, size: int, *actions: Action) -> Iterator[tuple[int, Mapping[str, Any]]]:
    table = leaf_table.c
    names = [action.value for action in actions]
    query = select(table.seq, cast(table.bytes, LargeBinary)).where(table.action.in_(names), table.seq < size)
    for seq, data in connection.execute(query.order_by(table.seq)):
        yield seq, orjson.loads(bytes(data))
