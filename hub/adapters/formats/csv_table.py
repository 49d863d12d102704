"""Delimited text (CSV, TSV): one record a row, by RFC 4180 with a choice of delimiter, quote and encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, Self

from pydantic import Field, field_validator, model_validator

from hub.adapters.formats.lines import RAW_CHARACTERS, clipped
from hub.adapters.formats.text import known_encoding
from hub.adapters.records import BadRecord, FileFormatError, FormatConfig, RawRecord, Record

_MAX_LINE = 4 * 1024 * 1024


class CsvFormat(FormatConfig):
    """Rows of text with a delimiter. Every value stays text; an empty cell is an empty text."""

    type: Literal["csv", "tsv"] = Field(
        description="Names this format; `tsv` has the tab as its usual delimiter."
    )
    delimiter: str = Field(
        default="",
        max_length=1,
        description="One character between cells; the comma for csv, the tab for tsv.",
    )
    quote: str = Field(
        default='"',
        max_length=1,
        description="Character around cells that hold delimiters; empty: no quoting.",
    )
    escape: str = Field(
        default="",
        max_length=1,
        description="Character before a quote inside a cell; empty: quotes are doubled.",
    )
    encoding: str = Field(
        default="utf-8-sig",
        description="Python's name of the encoding; the default is UTF-8 with or without BOM.",
    )
    header: bool = Field(
        default=True, description="Whether the first row (after `skip`) holds the column names."
    )
    columns: tuple[str, ...] | None = Field(
        default=None,
        description="Column names in order; needed without a header row, instead of it with one.",
    )
    skip: int = Field(
        default=0, ge=0, description="Lines before the header, or the first record, to pass over."
    )
    comment: str = Field(
        default="",
        description="Lines that begin so are passed over; empty: none, because any line may be data.",
    )

    _known = field_validator("encoding")(known_encoding)

    @model_validator(mode="after")
    def _has_names(self) -> Self:
        if not self.header and not self.columns:
            raise ValueError("a file without a header needs columns")
        if self.columns and len(set(self.columns)) != len(self.columns):
            raise ValueError("columns names one column twice")
        return self

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The rows of `stream`, at `name:line` of the line where the row begins.

        Raises:
            FileFormatError: the header is missing, or names one column twice.
        """
        lines = _Lines(stream, self)
        try:
            rows = csv.reader(lines, strict=True, **self._dialect())
            columns = self._columns(rows, lines)
            if columns is not None:
                yield from _records(rows, lines, columns, name)
        finally:
            lines.release()

    def _dialect(self) -> dict[str, Any]:
        return {
            "delimiter": self.delimiter or ("\t" if self.type == "tsv" else ","),
            "quotechar": self.quote or None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "escapechar": self.escape or None,
            "doublequote": not self.escape,
        }

    def _columns(self, rows: Iterator[list[str]], lines: _Lines) -> list[str] | None:
        """The column names, or None for an empty file."""
        if not self.header:
            return list(self.columns or ())
        try:
            named = next((row for row in rows if row), None)
        except (csv.Error, UnicodeDecodeError, _LineTooLongError) as error:
            raise FileFormatError(
                f"the header (line {lines.start}) cannot be read: {_reason(error)}"
            ) from None
        if named is None:
            return None
        columns = list(self.columns) if self.columns else [column.strip() for column in named]
        return _checked(columns, len(named), lines.start)


class _Lines:
    """Decoded lines for `csv.reader`, remembering where the row being read began and its text."""

    def __init__(self, stream: BinaryIO, config: CsvFormat) -> None:
        # newline="" keeps line ends inside quoted cells as they are; surrogates mark bytes that do not decode.
        self._text = io.TextIOWrapper(stream, config.encoding, "surrogateescape", newline="")
        self._skip, self._comment = config.skip, config.comment
        self.number, self.start = 0, 1
        self.raw: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        while self.number <= self._skip or (
            self._comment and not self.raw and line.startswith(self._comment)
        ):
            line = self._next()
        if not self.raw:
            self.start = self.number
        self.raw.append(line)
        return line

    def begin_row(self) -> None:
        """Forget the row that was read."""
        self.raw.clear()

    def release(self) -> None:
        """Let go of the stream, which is the caller's; a collected TextIOWrapper would close it."""
        self._text.detach()

    def _next(self) -> str:
        line = self._text.readline(_MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == _MAX_LINE and not line.endswith(("\n", "\r")):
            self.start = self.number
            self.raw.append(line[:RAW_CHARACTERS])
            while (rest := self._text.readline(_MAX_LINE)) and not rest.endswith(("\n", "\r")):
                pass
            raise _LineTooLongError
        return line


class _LineTooLongError(Exception):
    """Inside this module: a line without end."""


def _records(rows: Iterator[list[str]], lines: _Lines, columns: list[str], name: str) -> Iterator[Record]:
    width = len(columns)
    while True:
        lines.begin_row()
        try:
            row = next(rows)
        except StopIteration:
            return
        except (csv.Error, _LineTooLongError) as error:
            yield BadRecord(clipped("".join(lines.raw)), f"{name}:{lines.start}", _reason(error))
            continue
        except UnicodeDecodeError as error:
            yield BadRecord(
                "", f"{name}:{lines.number + 1}", f"{_reason(error)}; the rest of the file is not read"
            )
            return
        if not row:
            continue
        if len(row) != width:
            reason = f"{len(row)} columns where the header has {width}"
        elif _undecoded(lines.raw):
            reason = "bytes that are not in the file's encoding"
        else:
            yield RawRecord(dict(zip(columns, row, strict=True)), f"{name}:{lines.start}")
            continue
        yield BadRecord(clipped("".join(lines.raw)), f"{name}:{lines.start}", reason)


def _undecoded(lines: list[str]) -> bool:
    for line in lines:
        if not line.isascii():
            try:
                line.encode()
            except UnicodeEncodeError:
                return True
    return False


def _checked(columns: list[str], width: int, line: int) -> list[str]:
    if len(columns) != width:
        raise FileFormatError(
            f"{len(columns)} columns are configured, but the header (line {line}) has {width}"
        )
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise FileFormatError(f"the header (line {line}) names twice: {', '.join(twice)}; give columns")
    return [column or f"column_{index}" for index, column in enumerate(columns, 1)]


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "bytes that are not in the file's encoding"
    if isinstance(error, _LineTooLongError):
        return "the line is longer than a record can be"
    return str(error)
