"""COBOL data files: records as a copybook describes them, as mainframes and their successors write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, Self

from pydantic import Field, field_validator, model_validator

from hub.adapters.formats.cobol.codepage import code_page
from hub.adapters.formats.cobol.copybook import Item
from hub.adapters.formats.cobol.floats import Floats
from hub.adapters.formats.cobol.framing import FixedRecords, Framing, LengthFieldRecords, Records, Source
from hub.adapters.formats.cobol.layout import TEXT, Layout, layout_of, measured
from hub.adapters.formats.cobol.reading import BadValueError, RawBytes, Reader, Shape, State
from hub.adapters.formats.cobol.rows import Cut, Kinds, Rows
from hub.adapters.formats.cobol.segments import CobolSegments, Ids, Trees
from hub.adapters.formats.cobol.source import Columns, CopybookError, Token, as_text, tokens
from hub.adapters.formats.cobol.values import Reading, Trim
from hub.adapters.formats.text import known_encoding
from hub.adapters.records import FileFormatError, FormatConfig, Record, SettingError
from hub.errors import ConfigurationError
from hub.yamlfile import Fault, nearest

__all__ = ["CobolFormat", "CobolSegments", "Records"]

_SUFFIXES = ("", ".cpy", ".cob", ".cbl", ".CPY", ".COB", ".CBL")


class CobolFormat(FormatConfig):
    """Records of a COBOL program, by its copybook: numbers exact, every byte of the file accounted for."""

    type: Literal["cobol"] = Field(description="Names this format.")
    copybook: str | None = Field(
        default=None,
        min_length=1,
        description="File of the copybook, relative to the YAML's folder; what it copies is looked for beside it.",
    )
    text: str | None = Field(default=None, min_length=1, description="The copybook itself instead of a file.")
    columns: Columns | None = Field(
        default=None,
        description="Form of the copybook: `fixed` leaves out columns 1 to 6 and 73 on, `free` has no columns; "
        "a file is `fixed` and a text in the YAML `free` unless given.",
    )
    records: Records = Field(
        default=FixedRecords(type="fixed"),
        description="How records are told apart; of one length by default.",
    )
    encoding: str = Field(
        default="cp037",
        description="Python's or the ebcdic package's name, such as cp037, cp500, cp1141, or cp1252 off the mainframe.",
    )
    characters: str | None = Field(
        default=None,
        min_length=256,
        max_length=256,
        description="The 256 characters that the bytes 00 to FF stand for, for a code page that has no name here.",
    )
    double_byte: str = Field(default="utf-16-be", description="Encoding of PIC N and PIC G fields.")
    file_header: int = Field(default=0, ge=0, description="Bytes before the first record to pass over.")
    file_trailer: int = Field(
        default=0, ge=0, le=1 << 20, description="Bytes after the last record to pass over."
    )
    record_header: int = Field(
        default=0, ge=0, description="Bytes of each record before what the copybook describes."
    )
    record_trailer: int = Field(default=0, ge=0, description="Bytes of each record after it.")
    longer_records: Literal["refuse", "cut"] = Field(
        default="refuse",
        description="What to do with a record that has more bytes than the copybook describes: set it aside, or pass "
        "over what is more.",
    )
    min_length: int = Field(default=0, ge=0, description="Records with fewer bytes are passed over.")
    tables: Literal["full", "cut"] = Field(
        default="full",
        description="Whether a table that depends on a counter takes its full length in the record, or only what the "
        "counter says, so that what follows moves up.",
    )
    floats: Floats = Field(
        default="ibm", description="Form of COMP-1 and COMP-2: IBM's hexadecimal or IEEE's."
    )
    comp_5: Literal["big", "little"] | None = Field(
        default=None,
        description="Byte order of COMP-5; in EBCDIC files `big`, in others `little` unless given.",
    )
    full_binary: bool = Field(
        default=False,
        description="Whether unsigned COMP fields use their first bit for digits, as programs compiled with TRUNC(BIN) "
        "do; otherwise bytes that have it set cannot be the field's.",
    )
    comma_point: bool = Field(default=False, description="Whether the program says DECIMAL-POINT IS COMMA.")
    trim: Trim = Field(default="both", description="Where blanks are cut off from texts.")
    nulls: bool = Field(
        default=True,
        description="Whether a field of nothing but 00 bytes, and a number of nothing but blanks, is None; otherwise "
        "the text is empty, an amount with decimals 0, and a whole number cannot be read.",
    )
    bad_values: Literal["refuse", "empty"] = Field(
        default="refuse",
        description="A record with bytes that their field cannot mean goes to quarantine; `empty` keeps it with None "
        "there, and with U+FFFD in texts.",
    )
    keep_root: bool = Field(
        default=False, description="Whether a single 01 level stays as a level of the payload."
    )
    keep_fillers: bool = Field(
        default=False, description="Whether fields named FILLER are read, as `FILLER_P1` and on."
    )
    text_of: frozenset[str] = Field(
        default=frozenset(), description="Groups that are also given as one text, under their name and `_NT`."
    )
    raw_bytes: RawBytes = Field(
        default="none",
        description="Adds each field's bytes under its name and `_debug`, for finding out why a layout does not fit.",
    )
    number_field: str | None = Field(
        default=None, min_length=1, description="Field to add with the record's number in the file, from 0."
    )
    bytes_field: str | None = Field(
        default=None, min_length=1, description="Field to add with the record's length."
    )
    segments: CobolSegments | None = Field(
        default=None, description="Kinds of records in one file; one kind by default."
    )

    _known = field_validator("encoding", "double_byte")(known_encoding)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.copybook is None) == (self.text is None):
            raise ValueError("give one of `copybook` and `text`")
        if self.records.type == "counters" and self.tables != "cut":
            raise ValueError("records by `counters` need `tables: cut`")
        return self

    def prepared(self, folder: Path) -> Self:
        """The format with the copybook's text instead of its file, every name in it checked."""
        if self.copybook is None:
            file, words = TEXT, self._words(self.text or "", TEXT, folder)
        else:
            path = folder / self.copybook
            file, words = str(path), self._words(_text_of(path, ("copybook",)), str(path), path.parent)
        try:
            layout = measured(words, file, comma_point=self.comma_point)
        except CopybookError as error:
            raise self._told(error, hint=self._hint(file, folder)) from None
        self._check_names(layout)
        return self.model_copy(update={"copybook": None, "text": as_text(words), "columns": "free"})

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The records of `stream`, at `name#number@byte`; one with bytes that cannot be is a bad record.

        Raises:
            FileFormatError: the copybook cannot be read, or the file is damaged so that no record is found in the rest.
        """
        try:
            layout = layout_of(self.text or "", self.columns or "free", comma_point=self.comma_point)
            self._check_names(layout)
        except ValueError as error:
            raise FileFormatError(str(error)) from None
        page = code_page(self.encoding, self.characters)
        reader = Reader(layout, self._how(), self._shape())
        source = Source(stream, self.file_header, self.file_trailer)
        rows = Rows(name, reader, self._cut(layout), self._kinds(layout, reader), page.decode_anyhow)
        return rows.read(self.records.frames(source, self._framing(layout, reader)), source)

    def _words(self, text: str, file: str, folder: Path) -> list[Token]:
        def member(name: str) -> tuple[str, str] | None:
            found = next(
                (
                    folder / f"{name}{suffix}"
                    for suffix in _SUFFIXES
                    if (folder / f"{name}{suffix}").is_file()
                ),
                None,
            )
            return None if found is None else (_text_of(found, ("copybook",)), str(found))

        try:
            return tokens(text, file, self.columns or ("free" if file == TEXT else "fixed"), member)
        except CopybookError as error:
            raise self._told(error) from None

    def _hint(self, file: str, folder: Path) -> str:
        """What would help, where a copybook is written freely and was read by columns."""
        if self.columns is not None or file == TEXT:
            return ""
        try:
            self.model_copy(update={"columns": "free"}).prepared(folder)
        except (ValueError, ConfigurationError):
            return ""
        return "; written freely, without columns, it can be read: `columns: free`"

    def _told(self, error: CopybookError, hint: str = "") -> Exception:
        at = error.at
        if at.file == TEXT:
            return SettingError(("text",), f"line {at.line} column {at.column}: {error.message}")
        return ConfigurationError([Fault(at.file, at.line, at.column, "", error.message + hint)])

    def _check_names(self, layout: Layout) -> None:
        def known(name: str, *place: str) -> Item:
            found = layout.find(name)
            if found is None:
                raise SettingError(
                    place, f"the copybook has no {name!r}", nearest=nearest(name, layout.names())
                )
            return found

        for name in sorted(self.text_of):
            known(name, "text_of")
        if isinstance(self.records, LengthFieldRecords):
            _plain_field(known(self.records.field, "records", "field"), ("records", "field"))
        if self.segments is None:
            return
        _plain_field(known(self.segments.field, "segments", "field"), ("segments", "field"))
        top = {id(child) for root in layout.roots for child in (root, *root.children)}
        for name in self.segments.groups:
            group = known(name, "segments", "groups", name)
            if self.segments.children and (id(group) not in top or not group.children):
                raise SettingError(("segments", "groups", name), "is no group directly below the record")

    def _how(self) -> Reading:
        page = code_page(self.encoding, self.characters)
        little = self.comp_5 == "little" or (self.comp_5 is None and not page.ebcdic)
        return Reading(
            page,
            self.trim,
            self.nulls,
            self.floats,
            little,
            self.double_byte,
            self.comma_point,
            self.full_binary,
        )

    def _shape(self, *, lenient: bool = False) -> Shape:
        groups = self.segments.groups if self.segments is not None else {}
        return Shape(
            self.keep_root,
            self.keep_fillers,
            self.tables == "cut",
            lenient or self.bad_values == "empty",
            self.raw_bytes,
            frozenset(name.upper() for name in self.text_of),
            {name.upper(): frozenset(kinds) for name, kinds in groups.items()},
        )

    def _cut(self, layout: Layout) -> Cut:
        return Cut(
            self.record_header,
            self.record_trailer,
            self.min_length,
            layout.size if self.longer_records == "refuse" else None,
            self.number_field,
            self.bytes_field,
        )

    def _kinds(self, layout: Layout, reader: Reader) -> Kinds | None:
        config = self.segments
        item = layout.find(config.field) if config is not None else None
        if config is None or item is None:
            return None
        keys = {name: found.key for name in config.groups if (found := layout.find(name)) is not None}
        return Kinds(
            reader.field(item),
            None if config.only is None else frozenset(config.only),
            Ids(config) if config.levels else None,
            Trees(config, keys) if config.children else None,
        )

    def _framing(self, layout: Layout, reader: Reader) -> Framing:
        around = self.record_header + self.record_trailer
        measuring = Reader(layout, self._how(), self._shape(lenient=True))

        def measure(data: bytes) -> int:
            state = State()
            try:
                measuring.payload(data[self.record_header :], state)
            except BadValueError as error:
                raise ValueError(f"{error.name}: {error.reason}") from None
            return layout.size + around - state.shrunk

        if not isinstance(self.records, LengthFieldRecords):
            return Framing(layout.size + around, self.encoding, measure=measure)
        item = layout.find(self.records.field)
        assert item is not None  # noqa: S101  (its name was checked)
        length = reader.field(item)

        def length_of(head: bytes) -> int:
            value = length(head[self.record_header :])
            if not isinstance(value, int):
                raise ValueError("not a whole number")
            return value

        return Framing(
            layout.size + around, self.encoding, length_of, self.record_header + item.offset + item.size
        )


def _plain_field(item: Item, place: tuple[str, ...]) -> None:
    if item.children or item.is_table:
        raise SettingError(place, "is no single field of the copybook")


def _text_of(path: Path, place: tuple[str, ...]) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingError(place, f"{path} cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Comments in a programmer's language; what declares fields is ASCII in every one of them.
        return data.decode("latin-1")
