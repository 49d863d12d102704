"""Whether the log is the one of every checkpoint that was ever published, in the database and outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, select

from hub.audit.checkpoints import Checkpoint, Trust, parse_text
from hub.audit.database import checkpoint_table, read_tile
from hub.audit.merkle import TreeHead, tree_root
from hub.audit.notes import Note
from hub.audit.outside import Published
from hub.audit.tiles import TileId, TileReader
from hub.errors import AuditError, AuditIntegrityError

_TILES_KEPT = 16
"""Checkpoints are checked in the order of their sizes, so that the next one needs mostly the same tiles."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What the log's checkpoints are checked by: whose signatures count, and what was published outside.

    It is read before the log is: what is published meanwhile is in the log, and not here.
    """

    trust: Trust
    history: Sequence[Published]
    cosigned: Sequence[Published]
    latest: Sequence[Published]


def check_checkpoints(connection: Connection, head: TreeHead, attestation: Attestation | None) -> int:
    """The number of checkpoints in the database; all fit the log, whose tiles are checked already.

    Without an attestation nobody's signatures are checked, nor anything outside of the database.

    Raises:
        AuditIntegrityError: the first that does not fit, by its size; with the first event that it does not vouch for.
    """
    checking = _Checking(connection, head, attestation.trust if attestation else None)
    stored: dict[int, Note] = {}
    columns = checkpoint_table.c
    for size, note in connection.execute(select(columns.size, columns.note).order_by(columns.size)):
        where = f"the checkpoint of {size} events"
        if checking.check(where, note) != size:
            raise AuditIntegrityError(None, f"{where} states another size")
        stored[size] = Note.parse(note)
    if attestation is not None:
        _check_outside(checking, attestation, stored)
    return len(stored)


def _check_outside(checking: _Checking, attestation: Attestation, stored: dict[int, Note]) -> None:
    """All that was published is in the database; and all that is there was, but for the newest.

    That one may be on its way, or left behind by a crash.
    """
    missing = dict(stored)
    for published in attestation.history:
        size = checking.check(published.where, published.note)
        _check_kept(published, size, stored)
        missing.pop(size, None)
    for published in (*attestation.cosigned, *attestation.latest):
        _check_kept(published, checking.check(published.where, published.note), stored)
    missing.pop(max(stored, default=0), None)
    if missing:
        raise AuditIntegrityError(
            None, f"the checkpoint of {min(missing)} events is missing from the history outside"
        )


def _check_kept(published: Published, size: int, stored: dict[int, Note]) -> None:
    if size not in stored:
        raise AuditIntegrityError(
            None, f"the checkpoint of {size} events ({published.where}) is missing from the database"
        )
    if not set(Note.parse(published.note).signatures) <= set(stored[size].signatures):
        raise AuditIntegrityError(
            None, f"the checkpoint of {size} events lacks a signature that it has in {published.where}"
        )


class _Checking:
    """Checks notes against the tree, and remembers how far the log is vouched for."""

    def __init__(self, connection: Connection, head: TreeHead, trust: Trust | None) -> None:
        self._head, self._trust = head, trust
        self._vouched = 0
        self._roots: dict[int, bytes] = {}

        @lru_cache(_TILES_KEPT)
        def load(tile_id: TileId) -> bytes:
            return read_tile(connection, tile_id)

        self._load = load

    def check(self, where: str, note: str) -> int:
        """The size that the note states.

        Raises:
            AuditIntegrityError: its signatures are not as they must be, or the log is not the one that it states.
        """
        try:
            head = self._checkpoint_head(note)
        except AuditError as error:
            raise AuditIntegrityError(None, f"{where}: {error}") from None
        if head.size > self._head.size:
            message = f"from here on nothing is vouched for: the log has {self._head.size} events, {where} {head.size}"
            raise AuditIntegrityError(min(self._vouched, self._head.size), message)
        if self._root(head.size) != head.root:
            raise AuditIntegrityError(
                min(self._vouched, max(head.size - 1, 0)),
                f"from here on, up to {head.size} events, the log is not the one of {where}",
            )
        self._vouched = max(self._vouched, head.size)
        return head.size

    def _checkpoint_head(self, note: str) -> TreeHead:
        if self._trust is None:
            return parse_text(Note.parse(note).text)[1]
        return self._trust.checkpoint(note).head

    def _root(self, size: int) -> bytes:
        if size not in self._roots:
            self._roots[size] = tree_root(TileReader(self._load), size)
        return self._roots[size]


def newest_checkpoints(connection: Connection, trust: Trust, limit: int = 1) -> list[Checkpoint]:
    """The newest checkpoints in the database, the newest first.

    Raises:
        AuditError: one does not verify.
    """
    columns = checkpoint_table.c
    query = select(columns.note).order_by(columns.size.desc()).limit(limit)
    return [trust.checkpoint(note) for note in connection.execute(query).scalars()]


def signed_since(connection: Connection, size: int) -> Sequence[str]:
    """The notes of all checkpoints in the database of more events, in order."""
    columns = checkpoint_table.c
    query = select(columns.note).where(columns.size > size).order_by(columns.size)
    return connection.execute(query).scalars().all()
