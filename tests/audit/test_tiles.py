"""Tiles: the same tree however it grew, in the form of C2SP tlog-tiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.merkle import (
    consistency_holds,
    consistency_path,
    inclusion_holds,
    inclusion_path,
    leaf_hash,
    node_hash,
    tree_root,
)
from hub.audit.tiles import TILE_WIDTH, TileId, TileReader, grow, partial_tiles, tile_widths
from hub.errors import AuditIntegrityError

MANY = [leaf_hash(number.to_bytes(4)) for number in range(70_000)]


@pytest.fixture(scope="module")
def many_tiles() -> dict[TileId, bytearray]:
    tiles: dict[TileId, bytearray] = {}
    grow(tiles, 0, MANY)
    return tiles


def test_70_000_leaves_make_the_tiles_of_the_specification(many_tiles: dict[TileId, bytearray]) -> None:
    widths = {tile_id: len(tile) // 32 for tile_id, tile in many_tiles.items()}
    assert widths == dict(tile_widths(70_000))
    assert [
        sum(1 for (level, _), width in widths.items() if (level, width) == (at, TILE_WIDTH)) for at in (0, 1)
    ] == [
        273,
        1,
    ]
    assert dict(partial_tiles(70_000)) == {TileId(0, 273): 112, TileId(1, 1): 17, TileId(2, 0): 1}


@pytest.mark.parametrize("size", [255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000])
def test_roots_and_proofs_hold_across_tiles(many_tiles: dict[TileId, bytearray], size: int) -> None:
    read = TileReader(lambda tile_id: bytes(many_tiles[tile_id]))
    stack: list[tuple[int, bytes]] = []
    for leaf in MANY[:size]:
        height, value = 0, leaf
        while stack and stack[-1][0] == height:
            value, height = node_hash(stack.pop()[1], value), height + 1
        stack.append((height, value))
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    assert tree_root(read, size) == root
    for index in (0, 1, 254, size // 2, size - 1):
        assert inclusion_holds(MANY[index], index, size, inclusion_path(read, index, size), root)
    for old_size in (1, 2, 128, 255, size // 2, size - 1, size):
        proof = consistency_path(read, old_size, size)
        assert consistency_holds(old_size, size, tree_root(read, old_size), root, proof)


@given(st.lists(st.integers(1, 300), max_size=12))
def test_any_batching_grows_the_same_tiles(batches: list[int]) -> None:
    grown: dict[TileId, bytearray] = {}
    size = 0
    for batch in batches:
        right_edge = {tile_id: bytearray(grown[tile_id]) for tile_id, _ in partial_tiles(size)}
        changed = grow(right_edge, size, MANY[size : size + batch])
        grown.update({tile_id: right_edge[tile_id] for tile_id in changed})
        size += batch
    at_once: dict[TileId, bytearray] = {}
    grow(at_once, 0, MANY[:size])
    assert grown == at_once


def test_a_reader_refuses_a_tile_that_is_too_short() -> None:
    with pytest.raises(AuditIntegrityError, match="tile 0/1 is too short"):
        TileReader(lambda _tile_id: bytes(31))(0, TILE_WIDTH)
