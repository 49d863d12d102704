"""Whether an index and the store agree: both are summed up in buckets, and only buckets that differ are looked at.

A bucket holds how many documents there are and the exclusive or of a hash of each key with its stamp, so that a million
documents are compared in the memory of a few hundred numbers.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Collection, Iterable

BUCKETS = 256

Stamps = Iterable[tuple[str, int]]
"""Key and stamp of each document."""


def differing(stored: Callable[[], Stamps], indexed: Callable[[], Stamps]) -> set[str]:
    """The keys of documents that one side lacks or has in another state; each side is asked once or twice."""
    ours, theirs = _sums(stored()), _sums(indexed())
    suspect = {bucket for bucket in range(BUCKETS) if ours[bucket] != theirs[bucket]}
    if not suspect:
        return set()
    held, found = _within(stored(), suspect), _within(indexed(), suspect)
    return {key for key, _ in held ^ found}


def _sums(stamps: Stamps) -> list[tuple[int, int]]:
    sums = [(0, 0)] * BUCKETS
    for key, stamp in stamps:
        bucket = _bucket(key)
        count, summed = sums[bucket]
        sums[bucket] = (count + 1, summed ^ _mixed(key, stamp))
    return sums


def _within(stamps: Stamps, buckets: Collection[int]) -> set[tuple[str, int]]:
    return {(key, stamp) for key, stamp in stamps if _bucket(key) in buckets}


def _bucket(key: str) -> int:
    return zlib.crc32(key.encode()) % BUCKETS


def _mixed(key: str, stamp: int) -> int:
    """Stamps alone would not tell two documents that changed their states with each other."""
    return int.from_bytes(hashlib.blake2b(f"{key} {stamp}".encode(), digest_size=8).digest())
