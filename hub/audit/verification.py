"""Verification of the log: every leaf, its copies, links and payloads, every tile and the head against each other.

What it proves: nothing in the database was changed, dropped, put in or put in another order since it was
written, unless all of it was rewritten together. That shows only against checkpoints: those in the database, which
nobody can sign anew without the key, those that were published outside of it, and the one that an auditor brings
along (`from_checkpoint`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, LargeBinary, cast, func, or_, select

from hub.audit.attestation import Attestation, check_checkpoints
from hub.audit.database import (
    leaf_customer_table,
    leaf_table,
    payload_table,
    read_head,
    read_tile,
    tile_table,
)
from hub.audit.events import microseconds
from hub.audit.kept_erasures import check_register
from hub.audit.kept_payloads import KeptPayloads, check_payloads
from hub.audit.merkle import EMPTY_ROOT, HASH_BYTES, TreeHead, leaf_hash, perfect_root, tree_root
from hub.audit.tiles import TILE_LEVELS, TILE_WIDTH, TileId, TileReader, split_hashes, tile_widths
from hub.errors import AuditIntegrityError

_CHUNK = 16 * TILE_WIDTH
"""Leaves read at a time: whole tiles, and few enough to hold in memory at 64 KiB each."""

COPIED = ("action", "actor", "outcome", "purpose", "source", "run_id")
"""Fields of the leaf that have a column of the same name."""


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What a verification found: `fault` is the first one, None when all holds."""

    head: TreeHead
    start: int
    """The leaf that checking began with; those before it rest on the checkpoint."""
    fault: AuditIntegrityError | None = None
    checkpoints: int = 0
    """Checkpoints in the database; each was checked, unless there is a fault."""

    @property
    def ok(self) -> bool:
        """Whether all holds."""
        return self.fault is None

    @property
    def first_bad(self) -> int | None:
        """The first event that cannot be vouched for; None when all holds or the fault lies in no one event."""
        return self.fault.index if self.fault is not None else None

    def require(self) -> None:
        """Nothing, if all holds.

        Raises:
            AuditIntegrityError: the log was altered; stop and investigate.
        """
        if self.fault is not None:
            raise self.fault


def verify_log(
    connection: Connection,
    from_checkpoint: TreeHead | None = None,
    attestation: Attestation | None = None,
) -> VerificationReport:
    """The report over all leaves, or over those since a checkpoint and the tree's agreement with it; and checkpoints.

    What `attestation` is for: see `check_checkpoints`.
    """
    head, start, checkpoints = TreeHead(0, EMPTY_ROOT), 0, 0
    try:
        head = read_head(connection)
        if from_checkpoint is not None:
            _check_checkpoint(connection, head, from_checkpoint)
            start = from_checkpoint.size // TILE_WIDTH * TILE_WIDTH
        _check_tree(connection, head, start)
        check_register(connection, head.size)
        checkpoints = check_checkpoints(connection, head, attestation)
    except AuditIntegrityError as error:
        return VerificationReport(head, start, error)
    except (TypeError, ValueError):  # SQLite takes a text for a number or for bytes
        return VerificationReport(head, start, AuditIntegrityError(None, "a value is of the wrong type"))
    return VerificationReport(head, start, checkpoints=checkpoints)


def _check_checkpoint(connection: Connection, head: TreeHead, checkpoint: TreeHead) -> None:
    if head.size < checkpoint.size:
        raise AuditIntegrityError(head.size, f"the log ends here, a checkpoint says {checkpoint.size} events")
    reader = TileReader(lambda tile_id: read_tile(connection, tile_id))
    if tree_root(reader, checkpoint.size) != checkpoint.root:
        _check_tree(connection, head, 0)  # names the event, unless the tree was rewritten along with it
        raise AuditIntegrityError(None, f"rewritten before the checkpoint of {checkpoint.size} events")


def _check_tree(connection: Connection, head: TreeHead, start: int) -> None:
    scan = _Scan(connection, head.size)
    for at in range(start, head.size, _CHUNK):
        scan.check_leaves(at, min(at + _CHUNK, head.size))
    _check_nothing_beyond(connection, head.size)
    reader = TileReader(lambda tile_id: read_tile(connection, tile_id))
    if tree_root(reader, head.size) != head.root:
        raise AuditIntegrityError(None, "the head's root is not that of the tree")


class _Scan:
    """Goes over the leaves in order, and checks each tile against the one above as soon as it is whole."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection, self._size = connection, size
        self._payloads = KeptPayloads(connection, size)
        self._upper: dict[int, tuple[TileId, list[bytes]]] = {}

    def check_leaves(self, start: int, end: int) -> None:
        """`start` is the first leaf of a tile, `end` a tile's end or the log's."""
        leaves = iter(self._leaves(start, end))
        customers = self._customers(start, end)
        payloads = self._payloads.between(start, end)
        for tile_start in range(start, end, TILE_WIDTH):
            tile_id = TileId(0, tile_start // TILE_WIDTH)
            hashes = self._tile(tile_id)
            for seq, expected in enumerate(hashes, tile_start):
                fields = _check_leaf(seq, next(leaves, None), expected, customers.get(seq, ()))
                check_payloads(seq, fields, payloads.get(seq), self._payloads.destroyed)
            self._check_above(tile_id, hashes)

    def _check_above(self, tile_id: TileId, hashes: Sequence[bytes]) -> None:
        if len(hashes) < TILE_WIDTH:
            return
        above = TileId(tile_id.level + 1, tile_id.position // TILE_WIDTH)
        if self._upper.get(above.level, (None,))[0] != above:
            self._upper[above.level] = (above, self._tile(above))
        entries, at = self._upper[above.level][1], tile_id.position % TILE_WIDTH
        if entries[at] != perfect_root(hashes):
            where = f"tile {tile_id.level}/{tile_id.position}"
            raise AuditIntegrityError(
                tile_id.first_leaf, f"{where} is not the one that the tree was built on"
            )
        if at == TILE_WIDTH - 1:
            self._check_above(above, entries)

    def _tile(self, tile_id: TileId) -> list[bytes]:
        """The hashes of a tile, as many as a tree of this size has there."""
        hashes = split_hashes(read_tile(self._connection, tile_id))
        entries = self._size >> TILE_LEVELS * tile_id.level
        width = min(TILE_WIDTH, entries - tile_id.position * TILE_WIDTH)
        if len(hashes) != width or len(hashes[-1]) != HASH_BYTES:
            entry = tile_id.position * TILE_WIDTH + min(len(hashes), width)
            first_leaf = min(entry << TILE_LEVELS * tile_id.level, self._size)
            where = f"tile {tile_id.level}/{tile_id.position}"
            raise AuditIntegrityError(first_leaf, f"{where} has not {width} hashes")
        return hashes

    def _leaves(self, start: int, end: int) -> Sequence[Sequence[Any]]:
        table = leaf_table.c
        data = cast(table.bytes, LargeBinary)  # even if it was made a text
        columns = (table.seq, data, table.event_id, table.at_us, *(table[name] for name in COPIED))
        query = select(*columns).where(table.seq >= start, table.seq < end).order_by(table.seq)
        return self._connection.execute(query).all()

    def _customers(self, start: int, end: int) -> dict[int, set[str]]:
        table = leaf_customer_table.c
        linked: defaultdict[int, set[str]] = defaultdict(set)
        query = select(table.seq, table.customer).where(table.seq >= start, table.seq < end)
        for seq, customer in self._connection.execute(query):
            linked[seq].add(customer)
        return linked


def _check_leaf(
    seq: int, row: Sequence[Any] | None, expected: bytes, customers: Iterable[str]
) -> Mapping[str, Any]:
    """The fields of the leaf, which is the one that was hashed and agrees with its copies."""
    if row is None or row[0] != seq:
        raise AuditIntegrityError(seq, "the event is missing")
    _, data, event_id, at_us, *copies = row
    if leaf_hash(data) != expected:
        raise AuditIntegrityError(seq, "the event is not the one that was hashed into the tree")
    fields: Mapping[str, Any] = orjson.loads(data)
    if [event_id, *copies] != [fields["id"], *(fields.get(name) for name in COPIED)]:
        raise AuditIntegrityError(seq, "a column differs from the event")
    if at_us != microseconds(datetime.fromisoformat(fields["at"])):
        raise AuditIntegrityError(seq, "the column of the time differs from the event")
    if set(customers) != set(fields.get("customers", ())):
        raise AuditIntegrityError(seq, "the linked customers differ from the event")
    return fields


def _check_nothing_beyond(connection: Connection, size: int) -> None:
    tables = (
        (leaf_table, "an event"),
        (leaf_customer_table, "a link to a customer"),
        (payload_table, "a payload"),
    )
    for table, what in tables:
        outside = or_(table.c.seq < 0, table.c.seq >= size)
        seq = connection.execute(select(func.min(table.c.seq)).where(outside)).scalar()
        if seq is not None:
            raise AuditIntegrityError(max(seq, 0), f"{what} stands outside the tree")
    expected = sum(1 for _ in tile_widths(size))
    if connection.execute(select(func.count()).select_from(tile_table)).scalar_one() != expected:
        raise AuditIntegrityError(None, "there are tiles outside the tree")
