"""Memo files of dBase and FoxPro tables: texts that a record only names by the number of a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

MAX_MEMO_BYTES = 16 * 1024 * 1024
"""A longer memo is no text but a wrong block number."""

_DBASE3_BLOCK = 512
_DBASE4_MARK = b"\xff\xff\x08\x00"
_PICTURE, _TEXT, _OBJECT = 0, 1, 2

Memo = Callable[[int], bytes]
"""The bytes of the memo that begins at this block; ValueError where none does."""


MAX_BLOCK = 1 << 32
"""Memo files are smaller than their blocks' numbers could say."""


def fpt_memo(stream: BinaryIO) -> Memo:
    """Memos of FoxPro: big-endian, the block size in the header, each with its kind and length."""
    size = int.from_bytes(_at(stream, 0, 8)[6:8], "big") or 1

    def read(block: int) -> bytes:
        head = _at(stream, block * size, 8)
        kind, length = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        if kind not in (_PICTURE, _TEXT, _OBJECT):
            raise ValueError("its memo's block holds no memo")
        return _at(stream, block * size + 8, _sane(length))

    return read


def dbt_memo(stream: BinaryIO, version: int) -> Memo:
    """Memos of dBase: in version III ended by 1A hex, in version IV with their length."""
    header = _at(stream, 0, 22)
    size = int.from_bytes(header[20:22], "little") or _DBASE3_BLOCK
    return _dbase3(stream) if version == 0x83 else _dbase4(stream, size)


def _dbase3(stream: BinaryIO) -> Memo:
    def read(block: int) -> bytes:
        stream.seek(block * _DBASE3_BLOCK)
        data = b""
        while len(data) <= MAX_MEMO_BYTES and (part := stream.read(_DBASE3_BLOCK)):
            data += part
            if (end := data.find(b"\x1a")) >= 0:
                return data[:end]
        raise ValueError("its memo has no end")

    return read


def _dbase4(stream: BinaryIO, size: int) -> Memo:
    def read(block: int) -> bytes:
        head = _at(stream, block * size, 8)
        if head[:4] != _DBASE4_MARK:
            raise ValueError("its memo's block holds no memo")
        return _at(stream, block * size + 8, _sane(int.from_bytes(head[4:], "little") - 8))

    return read


def _sane(length: int) -> int:
    if not 0 <= length <= MAX_MEMO_BYTES:
        raise ValueError("its memo has a length that no memo has")
    return length


def _at(stream: BinaryIO, place: int, size: int) -> bytes:
    stream.seek(place)
    data = stream.read(size)
    while 0 < len(data) < size and (more := stream.read(size - len(data))):
        data += more
    if len(data) < size:
        raise ValueError("the memo file ends before its memo does")
    return data
