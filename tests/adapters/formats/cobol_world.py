"""Writes COBOL records as a program would, for tests to read back."""

from __future__ import annotations

import io
import struct
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from hub.adapters.formats import FormatChoice
from hub.adapters.records import BadRecord, FileFormatError, RawRecord, Record

ADAPTER = TypeAdapter(FormatChoice)


def book(*lines: str) -> str:
    """A copybook in fixed columns."""
    return "".join(f"{'':7}{line}\n" for line in lines)


def read(text: str, data: bytes, **options: Any) -> list[Record]:
    config = ADAPTER.validate_python({"type": "cobol", "text": text, "columns": "fixed", **options})
    return list(config.read(io.BytesIO(data), "f"))


def read_until_lost(text: str, data: bytes, **options: Any) -> tuple[list[Record], str | None]:
    """What is read, and what the error says that ends the file early."""
    config = ADAPTER.validate_python({"type": "cobol", "text": text, "columns": "fixed", **options})
    records: list[Record] = []
    try:
        for record in config.read(io.BytesIO(data), "f"):
            records.append(record)
    except FileFormatError as error:
        return records, str(error)
    return records, None


def good(records: list[Record]) -> list[dict]:
    return [record.payload for record in records if isinstance(record, RawRecord)]


def bad(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.position, record.reason) for record in records if isinstance(record, BadRecord)]


def zoned(number: int, digits: int, *, signed: bool, ebcdic: bool = True) -> bytes:
    text = str(abs(number)).rjust(digits, "0")
    data = bytearray(text.encode("cp037" if ebcdic else "ascii"))
    if signed and ebcdic:
        data[-1] = (0xD0 if number < 0 else 0xC0) + int(text[-1])
    elif signed:
        data[-1] = ord(("}JKLMNOPQR" if number < 0 else "{ABCDEFGHI")[int(text[-1])])
    return bytes(data)


def packed(number: int, digits: int, *, signed: bool) -> bytes:
    sign = ("d" if number < 0 else "c") if signed else "f"
    text = str(abs(number)).rjust(digits, "0") + sign
    return bytes.fromhex(text.rjust(len(text) + len(text) % 2, "0"))


def binary(number: int, size: int, *, signed: bool, order: str = "big") -> bytes:
    return number.to_bytes(size, order, signed=signed)  # type: ignore[arg-type]


def ibm_float(number: Decimal, size: int) -> bytes:
    """A hexadecimal float, its fraction rounded to nearest."""
    bits = (size - 1) * 8
    if not number:
        return bytes(size)
    exponent, rest = 64, abs(number)
    while rest >= 1:
        rest, exponent = rest / 16, exponent + 1
    while rest < Decimal(1) / 16:
        rest, exponent = rest * 16, exponent - 1
    fraction = int((rest * 2**bits).to_integral_value())
    if fraction >> bits:
        fraction, exponent = fraction >> 4, exponent + 1
    return bytes([exponent | (0x80 if number < 0 else 0)]) + fraction.to_bytes(size - 1, "big")


def rdw(data: bytes, *, order: str = ">", inside: bool = True) -> bytes:
    size = len(data) + (4 if inside else 0)
    return struct.pack(f"{order}HH", size, 0) + data
