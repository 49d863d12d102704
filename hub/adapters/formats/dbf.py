"""dBase and FoxPro tables (DBF), with their memo files; dates as ISO text, numbers exact."""

from __future__ import annotations

import re
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from pydantic import Field, field_validator

from hub.adapters.formats.dbf_memo import MAX_BLOCK, Memo, dbt_memo, fpt_memo
from hub.adapters.formats.lines import clipped
from hub.adapters.formats.text import known_encoding
from hub.adapters.records import BadRecord, Beside, FileFormatError, FormatConfig, RawRecord, Record

FOXPRO = frozenset({0x30, 0x31, 0x32})
"""Versions of Visual FoxPro, whose B is a number, whose memo numbers are binary, and whose values may be null."""

VERSIONS = frozenset({0x03, 0x04, 0x43, 0x63, 0x7B, 0x83, 0x8B, 0x8E, 0xCB, 0xF5, 0xFB, *FOXPRO})
"""First bytes of the tables that are read: dBase III to V, FoxBASE+ and FoxPro."""

CODE_PAGES = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x04: "mac_roman", 0x08: "cp865", 0x09: "cp437", 0x0A: "cp850",
    0x0B: "cp437", 0x0D: "cp437", 0x0E: "cp850", 0x0F: "cp437", 0x10: "cp850", 0x11: "cp437", 0x12: "cp850",
    0x13: "cp932", 0x14: "cp850", 0x15: "cp437", 0x16: "cp850", 0x17: "cp865", 0x18: "cp437", 0x19: "cp437",
    0x1A: "cp850", 0x1B: "cp437", 0x1C: "cp863", 0x1D: "cp850", 0x1F: "cp852", 0x22: "cp852", 0x23: "cp852",
    0x24: "cp860", 0x25: "cp850", 0x26: "cp866", 0x37: "cp850", 0x40: "cp852", 0x4D: "cp936", 0x4E: "cp949",
    0x4F: "cp950", 0x50: "cp874", 0x57: "cp1252", 0x58: "cp1252", 0x59: "cp1252", 0x64: "cp852", 0x65: "cp866",
    0x66: "cp865", 0x67: "cp861", 0x6A: "cp737", 0x6B: "cp857", 0x78: "cp950", 0x79: "cp949", 0x7A: "cp936",
    0x7B: "cp932", 0x7C: "cp874", 0x7D: "cp1255", 0x7E: "cp1256", 0x96: "mac_cyrillic", 0x97: "mac_latin2",
    0x98: "mac_greek", 0xC8: "cp1250", 0xC9: "cp1251", 0xCA: "cp1254", 0xCB: "cp1253", 0xCC: "cp1257",
}  # fmt: skip
"""Code pages by the language driver byte of the header."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_NULL_FLAGS = "0"
_LONGEST_HEADER = 1 << 20
Convert = Callable[[bytes], Any]


class DbfFormat(FormatConfig):
    """Tables of dBase III to V, FoxBASE+ and FoxPro. Rows marked as deleted are left out unless asked for."""

    companions = (".dbt", ".dct", ".fpt")

    type: Literal["dbf"] = Field(description="Names this format.")
    encoding: str | None = Field(
        default=None,
        description="Python's name of the code page; by default what the table declares, or ASCII if nothing.",
    )
    deleted_field: str | None = Field(
        default=None,
        min_length=1,
        description="Field to add that is true for rows marked as deleted, which are then read too.",
    )
    missing_memo: Literal["refuse", "block"] = Field(
        default="refuse",
        description="What to do without the memo file (.dbt, .fpt): refuse the table, or give a memo as "
        "`{memo_block: 7}`.",
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return value and known_encoding(value)

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The rows of a table that has no memo file, at `name#row`."""
        return self.read_file(stream, name, lambda _suffixes: None)

    def read_file(self, stream: BinaryIO, name: str, beside: Beside) -> Iterator[Record]:
        """The rows of the table, at `name#row`, with their memos; one with a value that cannot be is a bad record.

        Raises:
            FileFormatError: this is no such table, its memo file is missing, or it has not the rows that it counts.
        """
        table = _header(stream)
        memo = self._memo(table, beside)
        encoding = self.encoding or CODE_PAGES.get(table.driver, "ascii")
        columns = _columns(table, encoding, memo)
        flags = next((column for column in columns if column.kind == _NULL_FLAGS), None)
        columns = [column for column in columns if column is not flags]
        for number in range(1, table.rows + 1):
            raw = stream.read(table.size)
            position = f"{name}#{number}"
            if len(raw) < table.size:
                yield BadRecord(clipped(raw, encoding), position, "the file ends inside this row")
                missing = table.rows - number + 1
                raise FileFormatError(f"the table counts {table.rows} rows, and {missing} are missing")
            deleted = raw[:1] == b"*"
            if not deleted or self.deleted_field is not None:
                bits = 0 if flags is None else int.from_bytes(raw[flags.start : flags.end], "little")
                yield self._row(raw, position, columns, bits, encoding, deleted)
        if stream.read(_LONGEST_HEADER).strip(b"\x1a\0 "):
            raise FileFormatError(f"more bytes follow than the {table.rows} rows that the table counts")

    def _row(
        self, raw: bytes, position: str, columns: Sequence[_Column], flags: int, encoding: str, deleted: bool
    ) -> Record:
        values: dict[str, Any] = {}
        for column in columns:
            part = raw[column.start : column.end]
            if column.length_flag is not None and flags >> column.length_flag & 1:
                part = part[: part[-1]]
            try:
                is_null = column.null_flag is not None and flags >> column.null_flag & 1
                values[column.name] = None if is_null else column.convert(part)
            except ValueError as error:
                reason = f"{column.name} at byte {column.start} of the row: {error}"
                return BadRecord(clipped(raw, encoding), position, reason)
        if self.deleted_field is not None:
            values[self.deleted_field] = deleted
        return RawRecord(values, position)

    def _memo(self, table: _Table, beside: Beside) -> Memo | None:
        foxpro = table.version in (*FOXPRO, 0xF5)
        if not any(_is_memo(kind, table.version) for _, kind, _, _ in table.fields):
            return None
        stream = beside((".fpt", ".dct") if foxpro else (".dbt",))
        try:
            if stream is not None:
                return fpt_memo(stream) if foxpro else dbt_memo(stream, table.version)
        except ValueError as error:
            raise FileFormatError(str(error)) from None
        if self.missing_memo == "refuse":
            raise FileFormatError("its memo file does not lie beside it")
        return None


@dataclass(frozen=True, slots=True)
class _Table:
    version: int
    rows: int
    size: int
    driver: int
    fields: tuple[tuple[str, str, int, int], ...]
    """Name, type, length and flags."""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    start: int
    end: int
    convert: Convert
    null_flag: int | None
    length_flag: int | None


def _header(stream: BinaryIO) -> _Table:
    head = stream.read(32)
    if len(head) < 32 or head[0] not in VERSIONS:
        raise FileFormatError("not a table of dBase III to V, FoxBASE+ or FoxPro")
    rows, length, size = struct.unpack("<IHH", head[4:12])
    rest = stream.read(max(0, length - 32))
    fields = []
    for at in range(0, len(rest), 32):
        if rest[at] == 0x0D:
            break
        fields.append(_field(rest[at : at + 32]))
    names = [name for name, *_ in fields]
    widths = [width for _, _, width, _ in fields]
    if not fields or 0 in widths or len(rest) < length - 32 or len(set(names)) != len(names):
        raise FileFormatError("the table's header is damaged")
    if sum(widths) + 1 != size:
        raise FileFormatError("the table's fields do not add up to the length of its rows")
    return _Table(head[0], rows, size, head[29], tuple(fields))


def _field(raw: bytes) -> tuple[str, str, int, int]:
    if len(raw) < 32:
        raise FileFormatError("the table's header is damaged")
    name, kind = raw[:11].partition(b"\0")[0].decode("latin-1").strip(), chr(raw[11])
    # Of a text the decimals are the higher byte of its length.
    width = raw[16] + (raw[17] << 8 if kind == "C" else 0)
    return name, kind, width, raw[18]


def _columns(table: _Table, encoding: str, memo: Memo | None) -> list[_Column]:
    made, start, flag = [], 1, 0
    for name, kind, width, flags in table.fields:
        null_flag = length_flag = None
        if table.version in FOXPRO:
            if kind in "VQ":
                length_flag, flag = flag, flag + 1
            if flags & 0x02:
                null_flag, flag = flag, flag + 1
        convert = _converter(table.version, kind, width, bool(flags & 0x04), encoding, memo)
        made.append(_Column(name, kind, start, start + width, convert, null_flag, length_flag))
        start += width
    return made


def _is_memo(kind: str, version: int) -> bool:
    return kind in "MGPW" or (kind == "B" and version not in FOXPRO)


def _converter(
    version: int, kind: str, width: int, binary: bool, encoding: str, memo: Memo | None
) -> Convert:
    if _is_memo(kind, version):
        return _memos(memo, width, None if kind != "M" or binary else encoding)
    if kind in "CV":
        return _base64 if binary else _texts(encoding)
    if kind == "Q":
        return _base64
    known = {"N": _number, "F": _number, "D": _date, "L": _logical, _NULL_FLAGS: _base64}
    sized = {
        ("I", 4): _integer, ("+", 4): _integer, ("Y", 8): _currency, ("B", 8): _double, ("O", 8): _double,
        ("T", 8): _moment, ("@", 8): _moment,
    }  # fmt: skip
    found = known.get(kind) or sized.get((kind, width))
    if found is None:
        raise FileFormatError(f"fields of the type {kind!r} and {width} bytes are not known")
    return found


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _texts(encoding: str) -> Convert:
    def convert(data: bytes) -> str:
        try:
            return data.rstrip(b" \0").decode(encoding)
        except UnicodeDecodeError:
            raise ValueError(f"bytes that are not in the code page {encoding}; give `encoding`") from None

    return convert


def _memos(memo: Memo | None, width: int, encoding: str | None) -> Convert:
    text = _texts(encoding) if encoding is not None else _base64

    def convert(data: bytes) -> Any:
        block = int.from_bytes(data, "little") if width == 4 else _block(data)
        if not block:
            return None
        return {"memo_block": block} if memo is None else text(memo(block))

    return convert


def _block(data: bytes) -> int:
    digits = data.strip(b" \0")
    if digits and (not digits.isdigit() or int(digits) > MAX_BLOCK):
        raise ValueError("not a number of a memo's block")
    return int(digits or b"0")


def _number(data: bytes) -> int | Decimal | None:
    text = data.strip(b" \0").decode("latin-1").replace(",", ".")
    if not text:
        return None
    if not text.strip("*"):
        raise ValueError("a number that did not fit its field, so that it was lost when written")
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return int(text) if text.lstrip("+-").isdigit() else Decimal(text)


def _date(data: bytes) -> str | None:
    text = data.strip(b" \0").decode("latin-1")
    if not text.strip("0"):
        return None
    if len(text) != 8 or not text.isdigit():
        raise ValueError("not a date")
    try:
        # Thrice as fast as strptime, which matters where every row has dates.
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
    except ValueError:
        raise ValueError("not a date") from None


def _logical(data: bytes) -> bool | None:
    if data in b"YyTt":
        return True
    if data in b"NnFf":
        return False
    if data in (b"?", b" ", b"\0"):
        return None
    raise ValueError("neither true nor false")


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _currency(data: bytes) -> Decimal:
    return Decimal(f"{int.from_bytes(data, 'little', signed=True)}E-4")


def _double(data: bytes) -> Decimal:
    value: float = struct.unpack("<d", data)[0]
    number = Decimal(repr(value))
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


def _moment(data: bytes) -> str | None:
    """Days of the Julian calendar's count, and milliseconds of the day."""
    days, milliseconds = struct.unpack("<iI", data)
    if not days:
        return None
    try:
        day = date.fromordinal(days - 1_721_425)
    except (ValueError, OverflowError):
        raise ValueError("not a time") from None
    if milliseconds >= 86_400_000:
        raise ValueError("not a time")
    made = datetime.combine(day, datetime.min.time()) + timedelta(milliseconds=milliseconds)
    return made.isoformat()
