"""Receipts (C2SP `tlog-proof@v1`): one file that proves to anybody, without the hub, that an event is in the log."""

from __future__ import annotations

import base64
from collections.abc import Sequence

HEADER = "c2sp.org/tlog-proof@v1"


def receipt(entry: bytes, index: int, path: Sequence[bytes], note: str) -> str:
    """The file: the event's bytes as `extra`, its number, its inclusion proof, and the checkpoint that this ends in."""
    hashes = "".join(f"{_base64(value)}\n" for value in path)
    return f"{HEADER}\nextra {_base64(entry)}\nindex {index}\n{hashes}\n{note}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
