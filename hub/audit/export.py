"""The log as files that others' tools read: tiles (C2SP tlog-tiles v0.1.0), and events as JSON lines.

DIR/checkpoint                        the checkpoint that all of it belongs to, written last
DIR/tile/0/x001/234, 235.p/17         256 hashes of level 0, or the 17 there are
DIR/tile/entries/x001/234, 235.p/17   their events, each behind its length as a big-endian unsigned 16-bit number
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from hub.audit.checkpoints import Checkpoint
from hub.audit.database import read_tile
from hub.audit.log import AuditLog
from hub.audit.merkle import HASH_BYTES
from hub.audit.tiles import TILE_WIDTH, TileId, tile_widths
from hub.errors import AuditError


def tile_path(level: int | str, position: int, width: int) -> Path:
    """Where a tile of so many hashes stands below the folder; `level` is `entries` for a bundle of events.

    >>> str(tile_path(0, 1234067, 256)), str(tile_path("entries", 7, 3))
    ('tile/0/x001/x234/067', 'tile/entries/007.p/3')
    """
    digits = f"{position % 1000:03}"
    while position := position // 1000:
        digits = f"x{position % 1000:03}/{digits}"
    return Path("tile", str(level), digits if width == TILE_WIDTH else f"{digits}.p/{width}")


def event_lines(log: AuditLog, start: int, end: int) -> Iterator[bytes]:
    """A line for each event: its number, and the very bytes that its leaf hashes.

    Raises:
        AuditIntegrityError: an event is missing.
    """
    for seq, entry in log.entries(start, end):
        yield b'{"seq":%d,"event":%b}\n' % (seq, entry)


def export_tiles(log: AuditLog, checkpoint: Checkpoint, folder: Path) -> None:
    """Writes all that belongs to the checkpoint; whole tiles of an earlier export stay as they are.

    Raises:
        AuditError: a file cannot be written; what was written is not to be used.
        AuditIntegrityError: a tile or an event is missing.
    """
    try:
        for tile_id, width in tile_widths(checkpoint.head.size):
            path = folder / tile_path(tile_id.level, tile_id.position, width)
            if not path.exists():
                _write(path, _hashes(log, tile_id, width))
            if tile_id.level == 0:
                _write_bundle(log, tile_id, width, folder)
        _write(folder / "checkpoint", checkpoint.note.encode())
    except OSError as error:
        raise AuditError(f"{folder} cannot be written: {error.strerror}") from error


def _hashes(log: AuditLog, tile_id: TileId, width: int) -> bytes:
    with log.database.reading() as connection:
        return read_tile(connection, tile_id)[: width * HASH_BYTES]


def _write_bundle(log: AuditLog, tile_id: TileId, width: int, folder: Path) -> None:
    path = folder / tile_path("entries", tile_id.position, width)
    if not path.exists():
        entries = log.entries(tile_id.first_leaf, tile_id.first_leaf + width)
        _write(path, b"".join(struct.pack(">H", len(entry)) + entry for _, entry in entries))


def _write(path: Path, data: bytes) -> None:
    """The file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(data)
    draft.replace(path)
