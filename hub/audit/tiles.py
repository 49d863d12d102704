"""Storage of a Merkle tree as C2SP tiles, so that it grows and proves without reading its leaves.

A tile (level, position) holds up to 256 hashes side by side: at level 0 those of leaves, at level 1 the
roots of whole level 0 tiles, and so on (C2SP tlog-tiles v0.1.0). Only the last tile of a level is partial,
and hashes are only ever added to it. A log of 70,000 leaves has 273 whole tiles and one of 112 at level 0,
one whole and one of 17 at level 1, and one of 1 at level 2. Growing by a leaf touches a tile a level, a
proof reads a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from hub.audit.merkle import HASH_BYTES, perfect_root
from hub.errors import AuditIntegrityError

TILE_LEVELS = 8
TILE_WIDTH = 1 << TILE_LEVELS


class TileId(NamedTuple):
    """The place of a tile in the tree."""

    level: int
    position: int

    @property
    def first_leaf(self) -> int:
        """The number of the leftmost leaf below the tile."""
        return self.position << TILE_LEVELS * (self.level + 1)


def tile_widths(size: int) -> Iterator[tuple[TileId, int]]:
    """Every tile of a tree of `size` leaves with the number of its hashes, from the lowest level up."""
    level = 0
    while entries := size >> (TILE_LEVELS * level):
        for position in range((entries - 1) // TILE_WIDTH + 1):
            yield TileId(level, position), min(TILE_WIDTH, entries - position * TILE_WIDTH)
        level += 1


def partial_tiles(size: int) -> Iterator[tuple[TileId, int]]:
    """The tiles that further leaves will be added to, with the number of hashes in each."""
    level = 0
    while entries := size >> (TILE_LEVELS * level):
        if width := entries % TILE_WIDTH:
            yield TileId(level, entries // TILE_WIDTH), width
        level += 1


def grow(tiles: dict[TileId, bytearray], size: int, leaf_hashes: Sequence[bytes]) -> set[TileId]:
    """Adds leaves to a tree of `size`; the ids of the tiles that changed or are new.

    `tiles` holds at least `partial_tiles(size)` and is changed in place.
    """
    changed: set[TileId] = set()
    level, added = 0, list(leaf_hashes)
    while added:
        entry, above = size >> (TILE_LEVELS * level), []
        for value in added:
            tile_id = TileId(level, entry // TILE_WIDTH)
            tile = tiles.setdefault(tile_id, bytearray())
            tile += value
            changed.add(tile_id)
            entry += 1
            if entry % TILE_WIDTH == 0:
                above.append(perfect_root(split_hashes(tile)))
        level, added = level + 1, above
    return changed


def split_hashes(tile: bytes | bytearray) -> list[bytes]:
    """The hashes of a tile, in order."""
    return [bytes(tile[at : at + HASH_BYTES]) for at in range(0, len(tile), HASH_BYTES)]


class TileReader:
    """Gives the hashes of perfect subtrees out of tiles, each tile loaded once: a `merkle.SubtreeReader`.

    Raises:
        AuditIntegrityError: a tile lacks hashes that the tree must have; the log was altered.
    """

    def __init__(self, load: Callable[[TileId], bytes]) -> None:
        self._load = load
        self._loaded: dict[TileId, bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of the perfect subtree (level, index)."""
        tile_level, height = divmod(level, TILE_LEVELS)
        position, offset = divmod(index << height, TILE_WIDTH)
        tile = self._tile(TileId(tile_level, position))
        hashes = split_hashes(tile[offset * HASH_BYTES : (offset + (1 << height)) * HASH_BYTES])
        if len(hashes) != 1 << height or len(hashes[-1]) != HASH_BYTES:
            raise AuditIntegrityError(index << level, f"tile {tile_level}/{position} is too short")
        return perfect_root(hashes)

    def _tile(self, tile_id: TileId) -> bytes:
        if tile_id not in self._loaded:
            self._loaded[tile_id] = self._load(tile_id)
        return self._loaded[tile_id]
