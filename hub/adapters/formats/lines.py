"""Lines of a byte stream in bounded memory: what the line-based formats share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from hub.adapters.formats.text import is_ebcdic

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is no record but a damaged file; 16 MiB leave room for documents carried inside a record."""

RAW_CHARACTERS = 65_536
"""How much of an unreadable record is kept for quarantine: enough to find and correct it at the source."""


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Each line with its 1-based number, without its line end, and whether it is complete.

    A line over `MAX_LINE_BYTES` comes as its beginning, marked incomplete; the rest of it is passed over.
    """
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        complete = line.endswith(b"\n") or len(line) < MAX_LINE_BYTES
        if not complete:
            _pass_over_line(stream)
        yield number, line.rstrip(b"\r\n"), complete


def ended_records(read: Callable[[int], bytes], encoding: str) -> Iterator[tuple[int, bytes]]:
    """Records ended by the code page's newline (in EBCDIC also by NEL), each with the place of its first byte.

    An unending one comes in pieces, each too long to be right.
    """
    ends = {"\n".encode(encoding), b"\x15" if is_ebcdic(encoding) else b"\n"}
    pattern = re.compile(b"|".join(re.escape(end) for end in sorted(ends)))
    carriage_return = "\r".encode(encoding)
    offset, rest = 0, b""
    while chunk := read(65_536):
        data, start = rest + chunk, 0
        for end in pattern.finditer(data):
            yield offset + start, data[start : end.start()].removesuffix(carriage_return)
            start = end.end()
        offset, rest = offset + start, data[start:]
        if len(rest) > MAX_LINE_BYTES:
            yield offset, rest
            offset, rest = offset + len(rest), b""
    if rest:
        yield offset, rest.removesuffix(carriage_return)


def clipped(raw: bytes | str, encoding: str = "utf-8") -> str:
    """`raw` as text for quarantine: undecodable bytes as hex escapes, cut after `RAW_CHARACTERS`."""
    if isinstance(raw, str):
        return raw[:RAW_CHARACTERS].encode("utf-8", "backslashreplace").decode("utf-8")
    return raw[:RAW_CHARACTERS].decode(encoding, "backslashreplace")


def _pass_over_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass
