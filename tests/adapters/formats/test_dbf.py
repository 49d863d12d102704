"""dBase and FoxPro tables: known files decoded by hand, every type of field, memos, damage."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hub.adapters import payload
from hub.adapters.connectors import connectors
from hub.adapters.formats import FormatChoice
from hub.adapters.records import BadRecord, FileFormatError, RawRecord, StreamRead

ADAPTER = TypeAdapter(FormatChoice)
FILES = connectors()["files"]


def read_folder(folder: Path, glob: str, context, **options: object) -> list:
    """The records of tables in a folder, through the connector that finds their memo files."""
    config = FILES.model_validate({"type": "files", "root": str(folder)})
    read = FILES.read_model.model_validate({"glob": glob, "format": {"type": "dbf", **options}})
    return [
        r
        for batch in config.connect(context).batches(StreamRead("t", read), None, 100)
        for r in batch.records
    ]


def good(records: Iterable) -> list[dict]:
    return [record.payload for record in records if isinstance(record, RawRecord)]


def bad(records: Iterable) -> list[tuple[str, str]]:
    return [(record.position, record.reason) for record in records if isinstance(record, BadRecord)]


@pytest.mark.parametrize("name", ["people.dbf", "invalid_value.dbf", "memotest.dbf", "no_memofile.dbf"])
def test_known_tables_are_read_as_they_were_decoded_by_hand(name: str, shared: Path, context) -> None:
    folder = shared / "data" / "formats" / "dbf"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))[name]["records"]
    records = read_folder(folder, name, context, deleted_field="gone", missing_memo="block")
    sound = [row for row in expected if "undecodable" not in json.dumps(row)]
    assert good(records) == [{**row["values"], "gone": row["deleted"]} for row in sound]
    assert len(records) == len(expected)
    wrong = (
        [(f"{name}#1", "BIRTHDATE at byte 17 of the row: not a date")] if len(sound) < len(expected) else []
    )
    assert bad(records) == wrong


def test_deleted_rows_are_left_out_unless_asked_for(shared: Path, context) -> None:
    rows = good(read_folder(shared / "data" / "formats" / "dbf", "people.dbf", context))
    assert [row["NAME"] for row in rows] == ["Alice", "Bob"]


def table(
    fields: list[tuple[str, str, int, int]],
    rows: list[bytes],
    *,
    version: int = 0x03,
    driver: int = 0,
    flags: int = 0,
) -> bytes:
    """A table as dBase writes it; each row begins with its mark of deletion."""
    described = b"".join(
        struct.pack("<11sc4xBBB13x", name.encode(), kind.encode(), size & 0xFF, scale, flags)
        for name, kind, size, scale in fields
    )
    length = 32 + len(described) + 1
    width = 1 + sum(size for _, _, size, _ in fields)
    head = struct.pack("<B3BIHH17xBxx", version, 126, 1, 2, len(rows), length, width, driver)
    return head + described + b"\r" + b"".join(rows) + b"\x1a"


def read(data: bytes, **options: object) -> list:
    return list(ADAPTER.validate_python({"type": "dbf", **options}).read(io.BytesIO(data), "f"))


FIELDS = [
    ("C", b"Zo\x89 ", "Zoë", 0x02),
    ("N", b" 12", 12, 0),
    ("N", b"-1.50", Decimal("-1.50"), 0),
    ("N", b"1,5", Decimal("1.5"), 0),
    ("N", b"   ", None, 0),
    ("F", b"1.5E+10", Decimal("1.5E+10"), 0),
    ("D", b"20240229", "2024-02-29", 0),
    ("D", b"        ", None, 0),
    ("D", b"00000000", None, 0),
    ("L", b"T", True, 0),
    ("L", b"n", False, 0),
    ("L", b"?", None, 0),
    ("I", struct.pack("<i", -7), -7, 0),
    ("Y", struct.pack("<q", -12345), Decimal("-1.2345"), 0),
    ("T", struct.pack("<iI", 2_460_370, 45_296_500), "2024-02-29T12:34:56.500000", 0),
    ("T", bytes(8), None, 0),
    ("O", struct.pack("<d", 0.1), Decimal("0.1"), 0),
]


@pytest.mark.parametrize(("kind", "data", "expected", "driver"), FIELDS)
def test_every_type_of_field_is_read_exactly(kind: str, data: bytes, expected: object, driver: int) -> None:
    records = read(table([("V", kind, len(data), 0)], [b" " + data], driver=driver))
    assert bad(records) == []
    assert good(records) == [{"V": expected}]
    assert payload.load(payload.dump(good(records)[0])) == {"V": expected}


NOT_FIELDS = [
    ("C", b"\xff", "bytes that are not in the code page ascii; give `encoding`"),
    ("N", b"***", "a number that did not fit its field, so that it was lost when written"),
    ("N", b"1-2", "not a number"),
    ("D", b"20230229", "not a date"),
    ("L", b"x", "neither true nor false"),
    ("T", struct.pack("<iI", 2_460_370, 90_000_000), "not a time"),
    ("T", struct.pack("<iI", -5, 0), "not a time"),
    ("O", struct.pack("<d", float("inf")), "not a finite number"),
    ("M", b"9" * 60, "not a number of a memo's block"),
    ("M", b"1x        ", "not a number of a memo's block"),
]


@pytest.mark.parametrize(("kind", "data", "reason"), NOT_FIELDS)
def test_a_value_that_cannot_be_makes_a_bad_row_and_the_next_is_read(
    kind: str, data: bytes, reason: str
) -> None:
    blank = b" " + bytes(len(data)) if kind in "TO" else b"  ".ljust(len(data) + 1)
    records = read(table([("V", kind, len(data), 0)], [b" " + data, blank]), missing_memo="block")
    assert bad(records) == [("f#1", f"V at byte 1 of the row: {reason}")]
    assert len(good(records)) == 1


def test_null_flags_of_foxpro_say_what_is_null_and_how_long_a_text_is() -> None:
    fields = [("A", "C", 2, 0), ("B", "V", 5, 0), ("_NullFlags", "0", 1, 0)]
    # Bits in the order of the fields: A null, then B's length and B null; here all fields may be null.
    rows = [b" abxyz \x03" + bytes([flags]) for flags in (0b000, 0b001, 0b010, 0b100)]
    assert good(read(table(fields, rows, version=0x30, flags=0x02))) == [
        {"A": "ab", "B": "xyz \x03"},
        {"A": None, "B": "xyz \x03"},
        {"A": "ab", "B": "xyz"},
        {"A": "ab", "B": None},
    ]


@pytest.mark.parametrize(
    ("version", "suffix", "memo"),
    [
        (0x83, "DBT", bytes(512) + b"A memo\x1a\x1a"),
        (
            0x8B,
            "dbt",
            bytes(20) + b"\x40\0" + bytes(42) + b"\xff\xff\x08\0" + struct.pack("<I", 14) + b"A memo",
        ),
        (0xF5, "FPT", bytes(6) + b"\0\x40" + bytes(56) + struct.pack(">II", 1, 6) + b"A memo"),
    ],
)
def test_memos_of_every_kind_of_file_are_read(
    version: int, suffix: str, memo: bytes, tmp_path: Path, context
) -> None:
    (tmp_path / f"notes.{suffix}").write_bytes(memo)
    rows = [b"          1".rjust(11), b" ".ljust(11), b" " + b"9".rjust(10)]
    (tmp_path / "notes.dbf").write_bytes(table([("V", "M", 10, 0)], rows, version=version))
    records = read_folder(tmp_path, "*.dbf", context)
    assert good(records) == [{"V": "A memo"}, {"V": None}]
    [(position, reason)] = bad(records)
    assert position == "notes.dbf#3"
    assert "memo" in reason


@pytest.mark.parametrize("changed_by", ["stat", "content"])
def test_a_table_is_read_again_when_its_memo_file_alone_changes(
    changed_by: str, tmp_path: Path, context
) -> None:
    (tmp_path / "notes.DBT").write_bytes(bytes(512) + b"A memo\x1a\x1a")
    (tmp_path / "notes.dbf").write_bytes(table([("V", "M", 10, 0)], [b"          1".rjust(11)], version=0x83))
    config = FILES.model_validate({"type": "files", "root": str(tmp_path)})
    given = {"glob": "*.dbf", "format": {"type": "dbf"}, "changed_by": changed_by}
    stream = StreamRead("t", FILES.read_model.model_validate(given))

    def read_on(cursor: dict | None) -> tuple[list[dict], dict | None]:
        batches = list(config.connect(context).batches(stream, cursor, 100))
        return good(r for batch in batches for r in batch.records), batches[-1].cursor if batches else cursor

    rows, cursor = read_on(None)
    assert rows == [{"V": "A memo"}]
    assert read_on(cursor) == ([], cursor)
    (tmp_path / "notes.DBT").write_bytes(bytes(512) + b"Another memo\x1a\x1a")
    rows, cursor = read_on(cursor)
    assert rows == [{"V": "Another memo"}]
    assert read_on(cursor) == ([], cursor)


def test_a_table_without_its_memo_file_is_refused() -> None:
    with pytest.raises(FileFormatError, match="memo file does not lie beside it"):
        read(table([("V", "M", 10, 0)], [b" ".ljust(11)], version=0x83))


DAMAGED = [
    (b"", "not a table"),
    (b"no table at all, but long enough to be one", "not a table"),
    (table([("V", "C", 3, 0)], [b" abc"])[:40], "header is damaged"),
    (table([("V", "C", 3, 0), ("V", "C", 1, 0)], []), "header is damaged"),
    (table([("V", "C", 3, 0)], [b" abc"]) + b"more", "more bytes follow than the 1 rows"),
    (table([("V", "?", 3, 0)], []), "fields of the type '[?]' and 3 bytes are not known"),
]


@pytest.mark.parametrize(("data", "message"), DAMAGED)
def test_a_damaged_table_says_so(data: bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        read(data)


def test_an_encoding_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({"type": "dbf", "encoding": "cp0"})


@given(
    st.lists(st.tuples(st.text("abcäöü ", max_size=8), st.integers(-99999, 999999)), max_size=20), st.data()
)
def test_rows_come_back_as_written_and_a_cut_table_never_passes_for_a_whole_one(
    written: list[tuple[str, int]], data: st.DataObject
) -> None:
    rows = [b" " + text.encode("cp850").ljust(8) + str(number).rjust(6).encode() for text, number in written]
    whole = table([("T", "C", 8, 0), ("N", "N", 6, 0)], rows, driver=0x02)
    assert good(read(whole)) == [{"T": text.rstrip(" "), "N": number} for text, number in written]
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    if written:
        with pytest.raises(FileFormatError):
            read(cut)
