"""Whether the sealed payloads beside the log are those that its events name.

A payload may be gone where an event tells that its key was destroyed, and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, LargeBinary, cast, select

from hub.audit.database import leaf_table, payload_table
from hub.audit.events import Action, payload_hash
from hub.errors import AuditIntegrityError

Kept = Mapping[int, tuple[str, bytes]]
"""The payloads of an event that are there: the id of its key and what is sealed, by position."""


class KeptPayloads:
    """The payloads of a log of `size` events, in one state of its database."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection = connection
        self.destroyed = destroyed_keys(connection, size)
        """Ids of the data keys that events tell the destruction of."""

    def between(self, start: int, end: int) -> dict[int, dict[int, tuple[str, bytes]]]:
        """What is there of these events."""
        table = payload_table.c
        sealed = cast(table.sealed, LargeBinary)  # even if it was made a text
        query = select(table.seq, table.position, table.key_id, sealed)
        found: dict[int, dict[int, tuple[str, bytes]]] = defaultdict(dict)
        for seq, position, key_id, cell in self._connection.execute(
            query.where(table.seq >= start, table.seq < end)
        ):
            found[seq][position] = (key_id, bytes(cell))
        return found


def destroyed_keys(connection: Connection, size: int) -> frozenset[str]:
    """The ids of the data keys whose destruction an event tells."""
    table = leaf_table.c
    data = cast(table.bytes, LargeBinary)
    query = select(data).where(table.action == Action.KEY_DESTROYED.value, table.seq < size)
    leaves = connection.execute(query).scalars()
    return frozenset(key_id for leaf in leaves for key_id in _named(leaf, "keys"))


def _named(leaf: bytes, field: str) -> tuple[str, ...]:
    """What a leaf lists; nothing where it is no leaf any more, which is told when its turn comes."""
    try:
        return tuple(orjson.loads(leaf).get(field, ()))
    except (orjson.JSONDecodeError, AttributeError):
        return ()


def check_payloads(
    seq: int, fields: Mapping[str, Any], kept: Kept | None, destroyed: Collection[str]
) -> None:
    """Check the payloads of one event, whose leaf is known to be the one that was hashed.

    Raises:
        AuditIntegrityError: one was changed, dropped without its key's destruction, or put in.
    """
    named = fields.get("payloads", ())
    if not named and not kept:
        return
    left = dict(kept or {})
    for position, (digest, key_id) in enumerate(zip(named, fields.get("keys", ()), strict=False)):
        found = left.pop(position, None)
        if found is None:
            if key_id not in destroyed:
                raise AuditIntegrityError(
                    seq, f"payload {position} is missing, and its key was not destroyed"
                )
        elif found[0] != key_id or payload_hash(found[1]) != digest:
            raise AuditIntegrityError(seq, f"payload {position} is not the one that the event names")
    if left:
        raise AuditIntegrityError(seq, "a payload was put in that the event does not name")
