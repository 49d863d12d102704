"""Appends leaves to the log's tables: the hot path of every answer, so by the driver itself and from memory.

Between two appends the tiles that will grow and the right edge of the tree are remembered. They are used only if the
head, read under its lock, is the one that this process wrote last: after a write of another process, or one that was
rolled back, they are read anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.audit.database import (
    Statements,
    head_table,
    leaf_customer_table,
    leaf_table,
    payload_table,
    tile_table,
)
from hub.audit.events import AuditEvent, microseconds
from hub.audit.merkle import HASH_BYTES, RightEdge, TreeHead, leaf_hash
from hub.audit.tiles import TILE_WIDTH, TileId, TileReader, grow, partial_tiles
from hub.audit.verification import COPIED
from hub.errors import AuditError, AuditIntegrityError


@dataclass(frozen=True, slots=True)
class Leaf:
    """An event that fits a leaf, with its canonical bytes."""

    event: AuditEvent
    data: bytes


@dataclass(frozen=True, slots=True)
class _Tip:
    head: TreeHead
    edge: RightEdge
    tiles: dict[TileId, bytearray]
    """The partial tiles."""


class Appender:
    """Adds leaves behind the last one, inside transactions that hold the head's lock."""

    def __init__(self) -> None:
        self._tip: _Tip | None = None

    def extend(self, statements: Statements, leaves: Sequence[Leaf]) -> range:
        """The numbers of the leaves.

        Raises:
            AuditError: an event is in the log already; the transaction is to be rolled back.
            AuditIntegrityError: the tables do not fit together; nothing may be appended.
        """
        head = statements.head()
        added = range(head.size, head.size + len(leaves))
        if not leaves:
            return added
        tip, self._tip = self._tip, None
        if tip is None or tip.head != head:
            tip = _read_tip(statements, head)
        _insert(statements, added, leaves)
        self._tip = _grown(statements, tip, [leaf_hash(leaf.data) for leaf in leaves])
        return added


def _grown(statements: Statements, tip: _Tip, hashes: Sequence[bytes]) -> _Tip:
    """The tip with these leaves, its tiles and head written."""
    tiles, edge = tip.tiles, tip.edge
    partial = frozenset(tiles)
    for each in sorted(grow(tiles, tip.head.size, hashes)):
        statements.many(_TILE if each in partial else _NEW_TILE, [(bytes(tiles[each]), *each)])
    for value in hashes:
        edge.add(value)
    head = TreeHead(edge.size, edge.root())
    statements.many(_HEAD, [(head.size, head.root)])
    growing = {each: tile for each, tile in tiles.items() if len(tile) < TILE_WIDTH * HASH_BYTES}
    return _Tip(head, edge, growing)


_COLUMNS = ("seq", "event_id", "bytes", "at_us", *COPIED)
_LEAVES = f"INSERT INTO {leaf_table.name} ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_CUSTOMERS = f"INSERT INTO {leaf_customer_table.name} (customer, seq) VALUES (?, ?)"
_PAYLOADS = f"INSERT INTO {payload_table.name} (seq, position, key_id, sealed) VALUES (?, ?, ?, ?)"
_NEW_TILE = f"INSERT INTO {tile_table.name} (hashes, level, position) VALUES (?, ?, ?)"
_TILE = f"UPDATE {tile_table.name} SET hashes = ? WHERE level = ? AND position = ?"
_HEAD = f"UPDATE {head_table.name} SET size = ?, root = ? WHERE id = 1"


def _read_tip(statements: Statements, head: TreeHead) -> _Tip:
    tiles = {each: _partial_tile(statements, each, width) for each, width in partial_tiles(head.size)}
    reader = TileReader(lambda each: bytes(tiles.get(each) or statements.tile(each)))
    return _Tip(head, RightEdge.read(reader, head.size), tiles)


def _partial_tile(statements: Statements, tile_id: TileId, width: int) -> bytearray:
    hashes = bytearray(statements.tile(tile_id))
    if len(hashes) != width * HASH_BYTES:
        where = f"tile {tile_id.level}/{tile_id.position}"
        raise AuditIntegrityError(tile_id.first_leaf, f"{where} has not {width} hashes")
    return hashes


def _insert(statements: Statements, added: range, leaves: Sequence[Leaf]) -> None:
    numbered = list(zip(added, leaves, strict=True))
    try:
        statements.many(_LEAVES, [_row(seq, leaf) for seq, leaf in numbered])
    except statements.integrity_error as error:
        raise AuditError("an event with the same id is already in the log") from error
    statements.many(_CUSTOMERS, [(name, seq) for seq, leaf in numbered for name in leaf.event.customers])
    sealed = [(seq, *each) for seq, leaf in numbered for each in _sealed(leaf.event)]
    statements.many(_PAYLOADS, sealed)


def _sealed(event: AuditEvent) -> Iterable[tuple[int, str, bytes]]:
    return zip(range(len(event.sealed)), event.keys, event.sealed, strict=True) if event.sealed else ()


def _row(seq: int, leaf: Leaf) -> tuple[Any, ...]:
    event = leaf.event
    return (
        seq,
        event.id,
        leaf.data,
        microseconds(event.at),
        event.action.value,
        event.actor,
        event.outcome.value,
        event.purpose,
        event.source,
        event.run_id,
    )
