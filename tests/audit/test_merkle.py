"""Merkle trees against published vectors and against RFC 6962's own recursive definitions."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.merkle import (
    EMPTY_ROOT,
    RightEdge,
    SubtreeReader,
    consistency_holds,
    consistency_path,
    inclusion_holds,
    inclusion_path,
    leaf_hash,
    node_hash,
    tree_root,
)
from hub.audit.tiles import TileId, TileReader, grow

SIZES = range(1, 65)


def recursive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY_ROOT
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


def reader_of(leaves: Sequence[bytes]) -> SubtreeReader:
    tiles: dict[TileId, bytearray] = {}
    grow(tiles, 0, leaves)
    return TileReader(lambda tile_id: bytes(tiles[tile_id]))


LEAVES = [leaf_hash(bytes([number])) for number in range(130)]
READ = reader_of(LEAVES)
ROOTS = [recursive_root(LEAVES[:size]) for size in range(65)]


def vectors(shared: Path, kind: str) -> list[tuple[str, dict[str, Any]]]:
    files = sorted((shared / "data/audit/merkle" / kind).rglob("*.json"))
    return [(str(file), json.loads(file.read_text("utf-8"))) for file in files]


def unpacked(texts: Sequence[str] | None) -> list[bytes]:
    return [b64decode(text or "") for text in texts or ()]


def test_inclusion_vectors_hold_or_fail_as_published(shared: Path) -> None:
    cases = vectors(shared, "inclusion")
    for name, case in cases:
        leaf, root = unpacked([case["leafHash"], case["root"]])
        holds = inclusion_holds(leaf, case["leafIdx"], case["treeSize"], unpacked(case["proof"]), root)
        assert holds is not case["wantErr"], name
    assert len(cases) == 98


def test_consistency_vectors_hold_or_fail_as_published(shared: Path) -> None:
    cases = vectors(shared, "consistency")
    for name, case in cases:
        old_root, new_root = unpacked([case["root1"], case["root2"]])
        holds = consistency_holds(case["size1"], case["size2"], old_root, new_root, unpacked(case["proof"]))
        assert holds is not case["wantErr"], name
    assert len(cases) == 98


def test_known_answers_of_rfc_6962(shared: Path) -> None:
    known = json.loads((shared / "data/audit/rfc6962_kat.json").read_text("utf-8"))
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in known["leaves_hex"]]
    read = reader_of(leaves)
    assert [tree_root(read, size).hex() for size in range(len(leaves) + 1)] == known["roots_hex_by_size"]
    assert leaf_hash(b"L123456").hex() == known["leaf_L123456"]
    assert node_hash(b"N123", b"N456").hex() == known["node_N123_N456"]


def subtrees(limit: int) -> list[tuple[int, int]]:
    """All ranges that draft-ietf-plants-merkle-tree-certs-06 calls subtrees, empty ones included."""
    return [
        (start, end)
        for end in range(limit + 1)
        for start in range(end + 1)
        if start == end or start % (1 << (end - start - 1).bit_length()) == 0
    ]


def test_accumulated_subtree_vectors_of_merkle_tree_certificates(shared: Path) -> None:
    known = json.loads((shared / "data/audit/rfc6962_kat.json").read_text("utf-8"))
    hashes, proofs = sha256(), sha256()
    for start, end in subtrees(130):
        read = reader_of(LEAVES[start:end])
        hashes.update(f"[{start}, {end}) {tree_root(read, end - start).hex()}\n".encode())
        for index in range(start, end):
            path = inclusion_path(read, index - start, end - start)
            proofs.update(
                "".join([f"{index} [{start}, {end})", *(f" {h.hex()}" for h in path), "\n"]).encode()
            )
    assert hashes.hexdigest() == known["subtree_draft_accumulated"]["hash"]
    assert proofs.hexdigest() == known["subtree_draft_accumulated"]["inclusion"]


@pytest.mark.parametrize("size", SIZES)
def test_root_is_that_of_the_recursive_definition(size: int) -> None:
    assert tree_root(READ, size) == ROOTS[size]


@pytest.mark.parametrize("start", range(65))
def test_a_tree_grown_from_any_right_edge_has_the_same_root(start: int) -> None:
    edge = RightEdge.read(READ, start)
    for size in range(start, 65):
        assert (edge.size, edge.root()) == (size, ROOTS[size])
        edge.add(LEAVES[size])


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_has_an_inclusion_proof_in_every_size(size: int) -> None:
    for index in range(size):
        proof = inclusion_path(READ, index, size)
        assert inclusion_holds(LEAVES[index], index, size, proof, ROOTS[size])
        assert not inclusion_holds(LEAVES[index], index + 1, size, proof, ROOTS[size])
        assert not inclusion_holds(LEAVES[index + 1], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("new_size", SIZES)
def test_every_size_is_consistent_with_every_later_one(new_size: int) -> None:
    for old_size in range(1, new_size + 1):
        proof = consistency_path(READ, old_size, new_size)
        assert consistency_holds(old_size, new_size, ROOTS[old_size], ROOTS[new_size], proof)
        if old_size < new_size:
            assert not consistency_holds(old_size, new_size, ROOTS[old_size - 1], ROOTS[new_size], proof)
            assert not consistency_holds(old_size, new_size, ROOTS[old_size], ROOTS[old_size], proof)


@given(st.data())
def test_a_proof_with_any_bit_changed_or_any_hash_more_or_less_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 64))
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_path(READ, index, size))
    at = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(proof[at]) ^ 1 << bit).to_bytes(32)
    for wrong in ([*proof[:at], flipped, *proof[at + 1 :]], proof[:-1], [*proof, proof[at]], proof[1:]):
        assert not inclusion_holds(LEAVES[index], index, size, wrong, ROOTS[size])


@pytest.mark.parametrize(
    "ask",
    [
        lambda: inclusion_path(READ, 5, 5),
        lambda: inclusion_path(READ, -1, 5),
        lambda: consistency_path(READ, 0, 5),
        lambda: consistency_path(READ, 6, 5),
    ],
)
def test_a_proof_that_cannot_be_is_refused(ask: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="no "):
        ask()
