"""Fixed-width records, as mainframes and old terminals write them, in any single-byte code page or UTF-8.

Positions count characters from 1. For `{name: amount, start: 21, length: 9, type: decimal, scale: 2,
sign: overpunch}` the nine characters `00001250{` say 125.00: two digits after an implied point, and the last one
carries the sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, BinaryIO, Literal, Self

from pydantic import Field, field_validator, model_validator

from hub.adapters.formats.lines import MAX_LINE_BYTES, clipped, ended_records
from hub.adapters.formats.text import is_ebcdic, known_encoding
from hub.adapters.records import BadRecord, ConfigModel, FormatConfig, RawRecord, Record

_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?([+-]?)")
_CACHED_DATES = 4096
"""Dates repeat within a file; parsing one takes ten times as long as looking it up."""


class FixedField(ConfigModel):
    """One field of a fixed-width record. Blanks in any type are None."""

    name: str = Field(min_length=1, description="Name of the value in the record.")
    start: int = Field(ge=1, description="Position of the first character, counted from 1 as layouts do.")
    length: int = Field(ge=1, description="Characters of the field.")
    type: Literal["text", "integer", "decimal", "date"] = Field(
        default="text", description="What the characters say; text loses the blanks at its end."
    )
    scale: int = Field(default=0, ge=0, le=18, description="Digits after the implied point of a decimal.")
    sign: Literal["leading", "overpunch"] = Field(
        default="leading",
        description="Where a number's sign is: a + or - beside the digits, or punched over the last digit.",
    )
    format: str = Field(default="%Y%m%d", description="strptime format of a date; all zeros mean no date.")
    pivot: int | None = Field(
        default=None,
        ge=0,
        le=99,
        description="Highest two-digit year that is 20xx; needed with %y: no rule fits births and orders.",
    )

    @model_validator(mode="after")
    def _century_is_known(self) -> Self:
        if self.type == "date" and "%y" in self.format and self.pivot is None:
            raise ValueError("a date with a two-digit year (%y) needs pivot")
        return self


class FixedSelect(ConfigModel):
    """Which records of a file with several kinds belong to the stream; the others are other streams' to read."""

    start: int = Field(ge=1, description="Position of the first character compared.")
    value: str = Field(min_length=1, description="What must stand there, such as a record type `C`.")


class FixedFormat(FormatConfig):
    """Fixed-width records, of one length in bytes or ended by newlines."""

    type: Literal["fixed"] = Field(description="Names this format.")
    fields: tuple[FixedField, ...] = Field(
        min_length=1, description="The fields that are read; gaps are passed over."
    )
    encoding: str = Field(
        default="utf-8",
        description="Python's or the ebcdic package's name, such as cp037, cp500, cp1140 or cp1141.",
    )
    record_length: int | None = Field(
        default=None,
        ge=1,
        le=MAX_LINE_BYTES,
        description="Bytes of each record; without it, records end with a newline (EBCDIC: also NEL).",
    )
    select: FixedSelect | None = Field(
        default=None, description="Read only records with this mark; default: all."
    )
    skip: int = Field(default=0, ge=0, description="Header records to pass over.")

    _known = field_validator("encoding")(known_encoding)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("fields names one field twice")
        if self.record_length is None:
            return self
        if len("\N{LATIN SMALL LETTER E WITH ACUTE}".encode(self.encoding, "ignore")) > 1:
            raise ValueError("record_length needs an encoding of one byte a character")
        beyond = [field.name for field in self.fields if field.start + field.length - 1 > self.record_length]
        if beyond:
            raise ValueError(f"fields beyond record_length: {', '.join(beyond)}")
        return self

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The records of `stream`, at `name:number`; one that is short or does not parse is a bad record."""
        parse = _parser(self)
        chunks = self._lines(stream) if self.record_length is None else _cut(stream, self.record_length)
        for number, raw in enumerate(chunks, 1):
            if number <= self.skip or not raw:
                continue
            record = parse(raw, f"{name}:{number}")
            if record is not None:
                yield record

    def _lines(self, stream: BinaryIO) -> Iterator[bytes]:
        return (raw for _, raw in ended_records(stream.read, self.encoding))


def _cut(stream: BinaryIO, length: int) -> Iterator[bytes]:
    while raw := stream.read(length):
        while len(raw) < length and (more := stream.read(length - len(raw))):
            raw += more
        yield raw


def _parser(config: FixedFormat) -> Callable[[bytes, str], Record | None]:
    """A function from a record's bytes and position to the record, or None where it is not selected."""
    readers = [
        (field.name, slice(field.start - 1, field.start - 1 + field.length), _reader(field, config.encoding))
        for field in config.fields
    ]
    needed = config.record_length or max(field.start for field in config.fields)
    encoding, select = config.encoding, config.select

    def parse(raw: bytes, position: str) -> Record | None:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            return BadRecord(clipped(raw, encoding), position, "bytes that are not in the file's encoding")
        if select is not None and not text.startswith(select.value, select.start - 1):
            return None
        if len(text) < needed or len(text) > MAX_LINE_BYTES:
            return BadRecord(clipped(text), position, f"{len(text)} characters where the layout has {needed}")
        payload: dict[str, Any] = {}
        for name, part, read in readers:
            try:
                payload[name] = read(text[part])
            except ValueError as error:
                return BadRecord(clipped(text), position, f"{name}: {error}")
        return RawRecord(payload, position)

    return parse


def _reader(field: FixedField, encoding: str) -> Callable[[str], Any]:
    if field.type == "text":
        return _text
    if field.type == "date":
        return _dates(field.format, field.pivot)
    signs = _overpunches(encoding) if field.sign == "overpunch" else {}
    return _numbers(field.type, field.scale, signs)


def _text(text: str) -> str | None:
    return text.rstrip(" \0") or None


def _numbers(kind: str, scale: int, overpunches: dict[str, tuple[str, str]]) -> Callable[[str], Any]:
    def read(text: str) -> int | Decimal | None:
        digits = text.strip(" \0")
        if not digits:
            return None
        sign = ""
        if digits[-1] in overpunches:
            sign, last = overpunches[digits[-1]]
            digits = digits[:-1] + last
        found = _NUMBER.fullmatch(digits)
        if found is None or (found[1] and (found[4] or sign)) or (found[3] and kind == "integer"):
            raise ValueError(f"not {'an integer' if kind == 'integer' else 'a decimal'}")
        negative = "-" in (found[1], found[4], sign)
        if kind == "integer":
            return -int(found[2]) if negative else int(found[2])
        # A point that is written counts, whatever the layout implies.
        number = Decimal(f"{found[2]}.{found[3]}") if found[3] else Decimal(f"{found[2]}E-{scale}")
        return number.copy_negate() if negative else number

    return read


def _dates(pattern: str, pivot: int | None) -> Callable[[str], str | None]:
    @lru_cache(maxsize=_CACHED_DATES)
    def read(text: str) -> str | None:
        given = text.strip(" \0")
        if not given.strip("0"):
            return None
        try:
            day = datetime.strptime(given, pattern).date()
        except ValueError:
            raise ValueError(f"not a date as {pattern}") from None
        return _in_century(day, pivot).isoformat()

    return read


def _in_century(day: date, pivot: int | None) -> date:
    if pivot is None:
        return day
    year = day.year % 100
    return day.replace(year=2000 + year if year <= pivot else 1900 + year)


def _overpunches(encoding: str) -> dict[str, tuple[str, str]]:
    """Last characters that carry a sign, with sign and digit: EBCDIC zones C and D, or `{A-I` and `}J-R`."""
    positive, negative = "{ABCDEFGHI", "}JKLMNOPQR"
    if is_ebcdic(encoding):
        positive = bytes(range(0xC0, 0xCA)).decode(encoding)
        negative = bytes(range(0xD0, 0xDA)).decode(encoding)
    signs = {character: ("+", str(digit)) for digit, character in enumerate(positive)}
    return signs | {character: ("-", str(digit)) for digit, character in enumerate(negative)}
