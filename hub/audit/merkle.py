"""RFC 6962 Merkle trees: hashes, roots, proofs and their verification, as pure functions.

The hash of a leaf is SHA-256(0x00 || entry), of a node SHA-256(0x01 || left || right); a tree of n leaves
splits at the largest power of two below n (RFC 6962 section 2.1, the same as RFC 9162 section 2.1).

A *perfect subtree* (level, index) covers the 2**level leaves from index * 2**level on. Its hash never
changes once its leaves are there, so roots and proofs of every size are folded from a few of them:
five leaves are the perfect subtrees (2, 0) and (0, 4), and their root is node_hash of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

SubtreeReader = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree (level, index)."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The size of a log and its root at that size: what a checkpoint signs."""

    size: int
    root: bytes


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root above neighbouring subtrees of one level; their number is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def tree_root(read: SubtreeReader, size: int) -> bytes:
    """The root of the tree over the first `size` leaves."""
    return _range_root(read, 0, size) if size else EMPTY_ROOT


class RightEdge:
    """The perfect subtrees that a tree of some size falls into: all that is needed to add leaves and know the root.

    A tree of 13 leaves has three of them, over 8, 4 and 1 leaves. A leaf that is added joins those of its size, as a
    bit that is added to a binary number carries: two hashes on average.
    """

    def __init__(self, size: int, hashes: Sequence[bytes]) -> None:
        self.size = size
        self._hashes = list(hashes)
        """The largest first."""

    @classmethod
    def read(cls, read: SubtreeReader, size: int) -> RightEdge:
        """The right edge of the tree over the first `size` leaves."""
        hashes, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                hashes.append(read(level, start >> level))
                start += 1 << level
        return cls(size, hashes)

    def add(self, leaf: bytes) -> None:
        """Add the hash of one more leaf."""
        carry = self.size
        while carry & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            carry >>= 1
        self._hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_path(read: SubtreeReader, index: int, size: int) -> tuple[bytes, ...]:
    """The proof that leaf `index` is in the tree of `size` leaves, its sibling first.

    Raises:
        ValueError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(read, middle, end))
            end = middle
        else:
            path.append(_range_root(read, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(read: SubtreeReader, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """The proof that the tree of `old_size` leaves begins the one of `new_size`; () for equal sizes.

    Raises:
        ValueError: the old tree is empty, of which nothing can be proved, or larger than the new one.
    """
    if not 0 < old_size <= new_size:
        raise ValueError(f"no consistency proof from size {old_size} to size {new_size}")
    start, end, path = 0, new_size, []
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_range_root(read, middle, end))
            end = middle
        else:
            path.append(_range_root(read, start, middle))
            start = middle
    if start:  # else the old tree is the subtree itself, whose root the verifier already holds
        path.append(_range_root(read, start, end))
    return tuple(reversed(path))


def inclusion_holds(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash stands at `index` in the tree of that size and root.

    RFC 9162 section 2.1.3.2. Malformed input is False, never an exception.
    """
    if not 0 <= index < size or not _are_hashes((leaf, root, *proof)):
        return False
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == root


def consistency_holds(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the old tree is a beginning of the new one.

    RFC 9162 section 2.1.4.2. False from an empty tree, of which nothing can be proved, and for malformed
    input.
    """
    if 0 < old_size == new_size:
        return not proof and old_root == new_root
    if not 0 < old_size < new_size or not _are_hashes((old_root, new_root, *proof)):
        return False
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    return bool(path) and _fold_consistency(old_size, new_size, path) == (old_root, new_root)


def _fold_consistency(old_size: int, new_size: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees as the path gives them, None when it is too long or too short."""
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return (old, new) if last == 0 else None


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(read: SubtreeReader, start: int, end: int) -> bytes:
    """The root over the leaves from `start` to before `end`, a range that the splits of a tree produce."""
    *before, root = (read(level, index) for level, index in _perfect_subtrees(start, end))
    for left in reversed(before):
        root = node_hash(left, root)
    return root


def _perfect_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest perfect subtrees that make up a range, from left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level
