"""COBOL files as a whole: copybooks, how records are told apart, kinds of records, damage; no byte is lost silently."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters.formats.cobol.source import as_text, tokens
from hub.adapters.records import SettingError
from hub.errors import ConfigurationError
from tests.adapters.formats.cobol_world import (
    ADAPTER,
    bad,
    book,
    good,
    packed,
    rdw,
    read,
    read_until_lost,
    zoned,
)

SHORT = book("01 R.", "   05 A PIC X(2).", "   05 N PIC 9(2).")


def ebcdic(text: str) -> bytes:
    return text.encode("cp037")


# copybooks

TEXTS = [
    ("       01 R.\n      * a comment\n" + "000100     05 A PIC X.".ljust(72) + "NOTE0001\n", "C"),
    (
        "       01 R.\n      /\n           05 A PIC X. *> said beside\n           88 IS-C VALUE 'C' 'D' THRU 'F'.\n",
        "C",
    ),
    ("       01 R.\n           05 A\n              PIC\n              X.\n       66 B RENAMES A.\n", "C"),
    ("       01 R.\n           05 LONG-NA\n      -    ME PIC X VALUE 'a.\n      -    'b'.\n", "C"),
    ("       >>SOURCE FORMAT IS FREE\n01 R.\n05 A PIC X.\n", "C"),
    ("\t01\tR.\n\t\t05\tA\tPIC X.\n", "C"),
    ("       EJECT\n       01 R.\n       SKIP2\n           05 A PIC IS X VALUE IS SPACES GLOBAL.\n", "C"),
]


@pytest.mark.parametrize(("text", "value"), TEXTS)
def test_a_copybook_is_read_however_it_is_laid_out(text: str, value: str) -> None:
    assert [list(payload.values()) for payload in good(read(text, ebcdic(value)))] == [[value]]


def test_names_lose_their_hyphens_and_fillers_are_left_out_unless_asked_for() -> None:
    text = book("01 R.", " 05 FIRST-NAME PIC X.", " 05 FILLER PIC X.", " 05 FILLER.", "  10 B PIC X.")
    assert good(read(text, ebcdic("ABC"))) == [{"FIRST_NAME": "A", "FILLER_1": {"B": "C"}}]
    [kept] = good(read(text, ebcdic("ABC"), keep_fillers=True, keep_root=True))
    assert kept == {"R": {"FIRST_NAME": "A", "FILLER_P1": "B", "FILLER_1": {"B": "C"}}}


def test_usage_and_sign_of_a_group_hold_for_its_fields() -> None:
    text = book(
        "01 R.", " 05 G COMP-3.", "  10 N PIC S9(3).", " 05 H SIGN LEADING SEPARATE.", "  10 M PIC S9."
    )
    assert good(read(text, packed(-123, 3, signed=True) + ebcdic("-7"))) == [
        {"G": {"N": -123}, "H": {"M": -7}}
    ]


def test_sync_leaves_slack_bytes_before_binaries_and_between_occurrences() -> None:
    fields = ["  10 A PIC X.", "  10 N PIC S9(9) COMP SYNC.", "  10 B PIC X."]
    item = ebcdic("A") + bytes(3) + (7).to_bytes(4, "big") + ebcdic("B") + bytes(3)
    text = book("01 R.", " 05 T OCCURS 2.", *fields)
    assert good(read(text, item * 2)) == [{"T": [{"A": "A", "N": 7, "B": "B"}] * 2}]


def test_several_01_levels_are_readings_of_one_record() -> None:
    text = book("01 A.", " 05 X PIC X(2).", "01 B.", " 05 N PIC 9(2).")
    assert good(read(text, ebcdic("12AB"))) == [
        {"A": {"X": "12"}, "B": {"N": 12}},
        {"A": {"X": "AB"}, "B": {"N": None}},
    ]


def test_what_redefines_is_read_as_far_as_it_can_be() -> None:
    text = book("01 R.", " 05 A PIC X(2).", " 05 B REDEFINES A PIC 9(2).", " 05 C PIC 9.")
    assert good(read(text, ebcdic("xy1"))) == [{"A": "xy", "B": None, "C": 1}]
    assert bad(read(text, ebcdic("12x"))) == [("f#1@0", "C at byte 2 of the record: not a number")]


def test_a_text_of_a_group_and_raw_bytes_are_given_on_request() -> None:
    text = book("01 R.", " 05 G.", "  10 A PIC X.", "  10 B PIC 9.")
    [found] = good(read(text, ebcdic("A1"), text_of=["g"], raw_bytes="hex"))
    assert found == {"G": {"A": "A", "A_debug": "C1", "B": 1, "B_debug": "F1"}, "G_NT": "A1"}


def test_copy_finds_its_members_beside_the_copybook_and_replaces_words(tmp_path: Path) -> None:
    (tmp_path / "MAIN.cpy").write_text(
        book(
            "01 R.",
            " COPY PART REPLACING ==:TAG:== BY ==CUST==",
            "   LEADING ==OLD== BY ==NEW== NAME BY TITLE.",
        )
    )
    (tmp_path / "PART.cpy").write_text(book(" 05 :TAG:-NO PIC X.", " 05 OLD-B PIC X.", " 05 NAME PIC X."))
    config = ADAPTER.validate_python({"type": "cobol", "copybook": "MAIN.cpy"}).prepared(tmp_path)
    (tmp_path / "MAIN.cpy").unlink()
    rows = [record.payload for record in config.read(io.BytesIO(ebcdic("123")), "f")]
    assert rows == [{"CUST_NO": "1", "NEW_B": "2", "TITLE": "3"}]


FAULTS = [
    ("01 R.\n 05 A PIC 9(3.", "'9(3' is no picture", 2),
    ("01 R.\n 05 A PIC 9X9S.", "symbols that do not go together", 2),
    ("01 R.\n 05 A PIC X PIC.", "nothing follows PIC", 2),
    ("01 R.\n 05 A.", "A has neither a picture nor fields below it", 2),
    ("01 R.\n 05 A PIC X.\n  10 B PIC X.", "cannot have fields below it", 3),
    ("01 R.\n 05 A PIC X.\n 05 A PIC X.", "A stands twice in one group", 3),
    ("01 R.\n 05 A PIC X.\n 05 B REDEFINES C PIC X.", "C does not stand before it in the same group", 3),
    ("01 R.\n 05 T OCCURS 2 DEPENDING ON N PIC X.", "no field N stands before this table", 2),
    ("01 R.\n 05 T OCCURS 3 TO 2 PIC X.", "a table cannot have 3 to 2 occurrences", 2),
    ("01 R.\n 05 A PIC X COMP-3.", "only a picture of digits goes with this usage", 2),
    ("01 R.\n 05 A PIC X(99999999).", "longer than a field can be", 2),
    ("01 R.\n 05 T OCCURS 999999.\n  10 A PIC X(999999).", "longer than a record can be", 2),
    ("01 R.\n 05 A PICT X.", "'PICT' begins no clause", 2),
    ("01 R.\n 05 A PIC X VALUE 'a.", "a literal is not closed", 2),
    ("01 R.\n 05 A PIC X", "does not end with a period", 2),
    ("MOVE A TO B.", "stands where a level number is expected", 1),
    ("50 A PIC X.", "there is no level 50", 1),
    ("01 R.\n COPY NOWHERE.", "there is no copybook 'NOWHERE' beside this one", 2),
    ("*> nothing", "the copybook has no entries", 1),
]


@pytest.mark.parametrize(("text", "message", "line"), FAULTS)
def test_a_fault_of_a_copybook_is_told_with_file_line_and_column(
    text: str, message: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / "book.cpy").write_text(text + "\n")
    config = ADAPTER.validate_python({"type": "cobol", "copybook": "book.cpy", "columns": "free"})
    with pytest.raises(ConfigurationError) as found:
        config.prepared(tmp_path)
    [fault] = found.value.faults
    assert message in fault.message
    assert (fault.file, fault.line) == (str(tmp_path / "book.cpy"), line)
    inline = ADAPTER.validate_python({"type": "cobol", "text": text + "\n", "columns": "free"})
    with pytest.raises(SettingError, match=f"line {line} column"):
        inline.prepared(tmp_path)


def test_a_copybook_that_copies_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.cpy").write_text("COPY a.\n")
    with pytest.raises(ConfigurationError, match="without end"):
        ADAPTER.validate_python({"type": "cobol", "copybook": "a.cpy", "columns": "free"}).prepared(tmp_path)


NAMES = [
    ({"text_of": ["KNID"]}, ("text_of",), "KIND"),
    ({"records": {"type": "length_field", "field": "AMONT"}}, ("records", "field"), "AMOUNT"),
    ({"records": {"type": "length_field", "field": "R"}}, ("records", "field"), None),
    ({"segments": {"field": "KINDS"}}, ("segments", "field"), "KIND"),
    ({"segments": {"field": "KIND", "groups": {"KIDN": ["A"]}}}, ("segments", "groups", "KIDN"), "KIND"),
]


@pytest.mark.parametrize(("options", "place", "nearest"), NAMES)
def test_a_name_that_the_copybook_lacks_is_told_with_its_place(
    options: dict, place: tuple[str, ...], nearest: str | None, tmp_path: Path
) -> None:
    text = book("01 R.", " 05 KIND PIC X.", " 05 AMOUNT PIC 9.")
    with pytest.raises(SettingError) as found:
        ADAPTER.validate_python({"type": "cobol", "text": text, **options}).prepared(tmp_path)
    assert (found.value.place, found.value.nearest) == (place, nearest)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"text": SHORT, "copybook": "a.cpy"},
        {"text": SHORT, "encoding": "cp9999"},
        {"text": SHORT, "characters": "too few"},
        {"text": SHORT, "records": {"type": "counters"}},
        {"text": SHORT, "records": {"type": "vsam"}},
        {"text": SHORT, "segments": {"field": "A", "children": {"G": ["H"]}}},
        {"text": SHORT, "segments": {"field": "A", "groups": {"G": ["1"], "H": ["1"]}}},
        {"text": SHORT, "segments": {"field": "A", "groups": {"G": ["1"]}, "children": {"G": ["G"]}}},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({"type": "cobol", **options})


words = st.sampled_from(
    ["01", "05", "A", "PIC", "X(3)", ".", "OCCURS", "9", "VALUE", "'a b'", '"its"', "COMP-3"]
)


@given(st.lists(words, max_size=30))
def test_the_text_of_a_copybooks_words_has_the_same_words(given_words: list[str]) -> None:
    first = tokens(" ".join(given_words) + " .", "f", "free", lambda _: None)
    again = tokens(as_text(first), "f", "free", lambda _: None)
    plain = [token.text for token in first]
    kept = [text for n, text in enumerate(plain) if text != "." or (n and plain[n - 1] != ".")]
    assert [token.text for token in again] == (kept if kept != ["."] else [])


# records


def test_fixed_records_pass_over_what_stands_around_them() -> None:
    data = b"HEAD" + b"".join(b"h" + ebcdic(f"A{n}0{n}") + b"tt" for n in range(3)) + b"TRAILER"
    records = read(
        SHORT,
        data,
        file_header=4,
        file_trailer=7,
        record_header=1,
        record_trailer=2,
        number_field="No",
        bytes_field="Len",
    )
    assert good(records) == [{"No": n, "Len": 7, "A": f"A{n}", "N": n} for n in range(3)]
    assert [record.position for record in records] == ["f#1@4", "f#2@11", "f#3@18"]


def test_bytes_beyond_the_copybook_are_not_passed_over_unless_the_yaml_says_so() -> None:
    data = rdw(ebcdic("AA01more")) + rdw(ebcdic("BB02"))
    records = read(SHORT, data, records={"type": "rdw"})
    assert bad(records) == [("f#1@0", "8 bytes where the copybook describes 4")]
    assert good(records) == [{"A": "BB", "N": 2}]
    assert len(good(read(SHORT, data, records={"type": "rdw"}, longer_records="cut"))) == 2
    assert len(good(read(SHORT, rdw(ebcdic("AA01more")), records={"type": "rdw"}, record_trailer=4))) == 1


def test_a_fixed_file_that_ends_inside_a_record_says_so() -> None:
    records = read(SHORT, ebcdic("AA01BB"))
    assert good(records) == [{"A": "AA", "N": 1}]
    assert bad(records) == [("f#2@4", "the file ends after 2 of the record's 4 bytes")]
    assert [record.raw for record in records[1:]] == ["BB"]


def test_records_in_lines_may_leave_out_blanks_at_their_end() -> None:
    data = b"AA01\r\nB\n\nCC02 too long\nDD03"
    records = read(SHORT, data, encoding="cp1252", records={"type": "lines"})
    assert good(records) == [{"A": "AA", "N": 1}, {"A": "B", "N": None}, {"A": "DD", "N": 3}]
    assert bad(records) == [("f#3@9", "the line has 13 bytes where the copybook has 4")]
    nel = read(SHORT, ebcdic("AA01") + b"\x15" + ebcdic("BB02"), records={"type": "lines"})
    assert good(nel) == [{"A": "AA", "N": 1}, {"A": "BB", "N": 2}]


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("inside", [True, False])
def test_descriptor_words_are_read_in_either_order_with_or_without_themselves(
    order: str, inside: bool
) -> None:
    code = ">" if order == "big" else "<"
    data = b"".join(rdw(ebcdic(text), order=code, inside=inside) for text in ("AA01", "BB02", "C"))
    records = read(SHORT, data, records={"type": "rdw", "endian": order, "includes_header": inside})
    assert good(records) == [{"A": "AA", "N": 1}, {"A": "BB", "N": 2}, {"A": "C", "N": None}]


def test_blocks_hold_records_and_damage_in_one_does_not_spoil_the_next() -> None:
    def block(content: bytes) -> bytes:
        return struct.pack(">HH", len(content) + 4, 0) + content

    broken = rdw(ebcdic("BB02")) + struct.pack(">HH", 900, 0) + b"rest"
    data = block(rdw(ebcdic("AA01"))) + block(broken) + block(rdw(ebcdic("CC03")))
    records = read(SHORT, data, records={"type": "rdw", "blocks": True})
    assert good(records) == [{"A": "AA", "N": 1}, {"A": "BB", "N": 2}, {"A": "CC", "N": 3}]
    [(position, reason)] = bad(records)
    assert position == f"f#3@{12 + 4 + 8}"
    assert "says 896 bytes, and 4 are left; the 8 bytes to the block's end are not read" in reason


def segment(mark: int, text: str) -> bytes:
    return struct.pack(">HBB", len(text) + 4, mark, 0) + ebcdic(text)


def test_spanned_records_are_joined_and_what_lacks_a_part_is_told() -> None:
    how = {"type": "rdw", "spanned": True}
    data = segment(1, "A") + segment(3, "A0") + segment(2, "1") + segment(0, "BB02")
    assert good(read(SHORT, data, records=how)) == [{"A": "AA", "N": 1}, {"A": "BB", "N": 2}]
    broken = segment(2, "zz") + segment(1, "A") + segment(0, "BB02") + segment(1, "C")
    records = read(SHORT, broken, records=how)
    assert good(records) == [{"A": "BB", "N": 2}]
    assert bad(records) == [
        ("f#1@0", "a segment of a spanned record whose beginning is missing"),
        ("f#2@6", "a spanned record whose end is missing"),
        ("f#4@19", "a spanned record whose end is missing"),
    ]


def test_segments_of_spanned_records_do_not_pass_for_records() -> None:
    records, error = read_until_lost(SHORT, segment(1, "AA01"), records={"type": "rdw"})
    assert good(records) == []
    assert "marks a segment of a spanned record" in bad(records)[0][1]
    assert error is not None


LOST = [
    ({"type": "rdw"}, rdw(ebcdic("AA01")) + b"\x00\x00\x00\x00junk", 8, "its descriptor word says"),
    ({"type": "rdw"}, rdw(ebcdic("AA01")) + b"\x00\xff\x00\x00junk", 8, "says 251 bytes, and 4 are left"),
    ({"type": "rdw"}, rdw(ebcdic("AA01")) + b"\x00", 8, "its descriptor word says"),
    (
        {"type": "rdw", "blocks": True},
        b"\x00\x0c\x00\x00" + rdw(ebcdic("AA01")) + b"\x7f\xff\x00\x00",
        12,
        "block's",
    ),
    (
        {"type": "header", "length": 2, "size_at": 0},
        b"\x00\x04" + ebcdic("AA01") + b"\x00\x09x",
        6,
        "says 9 bytes",
    ),
    (
        {"type": "header", "length": 2, "size_at": 0},
        b"\x00\x04" + ebcdic("AA01") + b"\x00",
        6,
        "inside a header",
    ),
]


@pytest.mark.parametrize(("how", "data", "at", "reason"), LOST)
def test_damage_beyond_which_no_record_is_found_fails_the_run_and_counts_what_is_lost(
    how: dict, data: bytes, at: int, reason: str
) -> None:
    records, error = read_until_lost(SHORT, data, records=how)
    assert good(records) == [{"A": "AA", "N": 1}]
    [(position, said)] = bad(records)
    assert position == f"f#2@{at}"
    assert reason in said
    assert error is not None
    assert f"the {len(data) - at} bytes from byte {at} to the file's end" in error


def test_a_length_field_of_the_copybook_tells_records_apart() -> None:
    text = book("01 R.", " 05 L PIC 9(4) COMP.", " 05 A PIC X(9).")
    data = b"\x00\x03" + ebcdic("A") + b"\x00\x04" + ebcdic("BB")
    how = {"type": "length_field", "field": "l"}
    assert good(read(text, data, records=how)) == [{"L": 3, "A": "A"}, {"L": 4, "A": "BB"}]
    records, error = read_until_lost(text, data + b"\x00\x01rest", records=how)
    assert len(good(records)) == 2
    assert "fewer than stand before it" in bad(records)[0][1]
    assert error is not None


TABLE = book("01 R.", " 05 N PIC 9.", " 05 T OCCURS 0 TO 3 DEPENDING ON N PIC X(2).", " 05 Z PIC X.")


def test_tables_take_their_full_length_or_what_their_counter_says() -> None:
    assert good(read(TABLE, ebcdic("1aa    Z"))) == [{"N": 1, "T": ["aa"], "Z": "Z"}]
    data = ebcdic("1aaZ0Z3aabbccZ")
    rows = good(read(TABLE, data, tables="cut", records={"type": "counters"}))
    assert [row["T"] for row in rows] == [["aa"], [], ["aa", "bb", "cc"]]
    assert {row["Z"] for row in rows} == {"Z"}


def test_a_counter_out_of_its_table_is_no_length() -> None:
    assert bad(read(TABLE, ebcdic("7aabbccZ"))) == [
        ("f#1@0", "T at byte 1 of the record: its counter N is not from 0 to 3")
    ]
    records, error = read_until_lost(TABLE, ebcdic("0Z9aaaaaaaa"), tables="cut", records={"type": "counters"})
    assert len(good(records)) == 1
    assert error is not None


def test_a_record_that_ends_before_its_table_is_bad() -> None:
    [(_, reason)] = bad(read(TABLE, rdw(ebcdic("3aabb")), records={"type": "rdw"}))
    assert reason == "T at byte 1 of the record: the record ends before its table does"


# kinds of records

ORDERS = book(
    "01 R.",
    " 05 KIND PIC X.",
    " 05 HEAD.",
    "  10 NO PIC 9(2).",
    " 05 LINE-ITEM REDEFINES HEAD.",
    "  10 ART PIC X(2).",
    " 05 NOTE REDEFINES HEAD.",
    "  10 TXT PIC X(2).",
)
SEGMENTS = {"field": "KIND", "groups": {"HEAD": ["H"], "LINE-ITEM": ["L"], "NOTE": ["N"]}}


def test_only_the_group_of_a_records_kind_is_read() -> None:
    rows = good(read(ORDERS, ebcdic("H01Lab"), segments=SEGMENTS))
    assert rows == [
        {"KIND": "H", "HEAD": {"NO": 1}, "LINE_ITEM": None, "NOTE": None},
        {"KIND": "L", "HEAD": None, "LINE_ITEM": {"ART": "ab"}, "NOTE": None},
    ]
    assert bad(read(ORDERS, ebcdic("Hxx"), segments=SEGMENTS)) == [
        ("f#1@0", "NO at byte 1 of the record: not a number")
    ]
    assert len(good(read(ORDERS, ebcdic("H01Lab"), segments={**SEGMENTS, "only": ["L"]}))) == 1


TREE = {**SEGMENTS, "children": {"HEAD": ["LINE-ITEM"], "LINE-ITEM": ["NOTE"]}}


def test_records_that_follow_a_root_become_lists_in_it() -> None:
    records = read(ORDERS, ebcdic("H01LabNn1LcdH02Xzz"), segments=TREE)
    assert good(records) == [
        {
            "KIND": "H",
            "HEAD": {
                "NO": 1,
                "LINE_ITEM": [{"ART": "ab", "NOTE": [{"TXT": "n1"}]}, {"ART": "cd", "NOTE": []}],
            },
        },
        {"KIND": "H", "HEAD": {"NO": 2, "LINE_ITEM": []}},
        {"KIND": "X", "HEAD": None, "LINE_ITEM": None, "NOTE": None},
    ]


def test_what_follows_a_bad_root_is_not_taken_for_the_one_befores() -> None:
    records = read(ORDERS, ebcdic("LzzH01Hxx" + "LabH03Lcd"), segments=TREE)
    assert [(row["HEAD"]["NO"], len(row["HEAD"]["LINE_ITEM"])) for row in good(records)] == [(1, 0), (3, 1)]
    lost = "no good record of HEAD, which it belongs to, stands before it"
    assert [(position, lost in reason) for position, reason in bad(records)] == [
        ("f#1@0", True),
        ("f#3@6", False),
        ("f#4@9", True),
    ]


def test_what_follows_a_bad_child_is_not_taken_for_the_one_befores() -> None:
    text = book(
        "01 R.", " 05 KIND PIC X.", " 05 HEAD PIC X(2).", " 05 H REDEFINES HEAD.", "  10 NO PIC 9(2).",
        " 05 L REDEFINES HEAD.", "  10 QTY PIC 9(2).", " 05 N REDEFINES HEAD.", "  10 TXT PIC X(2).",
    )  # fmt: skip
    kinds = {
        "field": "KIND",
        "groups": {"H": ["H"], "L": ["L"], "N": ["N"]},
        "children": {"H": ["L"], "L": ["N"]},
    }
    records = read(text, ebcdic("H01L01LxxNn1"), segments=kinds)
    assert [row["H"] for row in good(records)] == [{"NO": 1, "L": [{"QTY": 1, "N": []}]}]
    assert [position for position, _ in bad(records)] == ["f#3@6", "f#4@9"]


def test_ids_lead_from_a_record_to_its_root() -> None:
    levels = {"field": "KIND", "levels": [["H"], ["L"], ["N"]], "prefix": "A"}
    rows = good(read(ORDERS, ebcdic("L--H01LabNn1LcdH02Lef"), segments=levels, bad_values="empty"))
    ids = [[row.get(f"Seg_Id{n}") for n in range(3)] for row in rows]
    assert ids == [
        [None, None, None],
        ["A_1", None, None],
        ["A_1", "A_1_L1_1", None],
        ["A_1", None, "A_1_L2_1"],
        ["A_1", "A_1_L1_2", None],
        ["A_5", None, None],
        ["A_5", "A_5_L1_1", None],
    ]


# hostile files

customers = st.lists(
    st.tuples(
        st.text("ABC xyz", max_size=12),
        st.integers(-9999999, 9999999),
        st.lists(st.integers(0, 99), max_size=4),
    ),
    min_size=1,
    max_size=12,
)
CUSTOMER = book(
    "01 R.",
    " 05 NAME PIC X(12).",
    " 05 BALANCE PIC S9(7) COMP-3.",
    " 05 HOW-MANY PIC 9(2).",
    " 05 AGES OCCURS 0 TO 4 DEPENDING ON HOW-MANY PIC 9(2) COMP-6.",
)


def encoded(name: str, balance: int, ages: list[int]) -> bytes:
    table = b"".join(bytes.fromhex(f"{age:02}") for age in ages)
    return (
        ebcdic(name.ljust(12)) + packed(balance, 7, signed=True) + zoned(len(ages), 2, signed=False) + table
    )


@given(customers)
def test_what_was_written_is_read_whatever_tells_records_apart(written: list) -> None:
    wanted = [
        {"NAME": name.strip(), "BALANCE": balance, "HOW_MANY": len(ages), "AGES": ages}
        for name, balance, ages in written
    ]
    parts = [encoded(*one) for one in written]
    words = b"".join(map(rdw, parts))
    assert good(read(CUSTOMER, words, records={"type": "rdw"})) == wanted
    assert good(read(CUSTOMER, b"".join(parts), tables="cut", records={"type": "counters"})) == wanted
    fixed = b"".join(part.ljust(22, b"\0") for part in parts)
    assert good(read(CUSTOMER, fixed)) == wanted


@given(customers, st.data())
def test_a_cut_or_changed_file_loses_no_record_silently(written: list, data: st.DataObject) -> None:
    parts = [rdw(encoded(*one)) for one in written]
    whole = b"".join(parts)
    cut = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole[: data.draw(st.sampled_from([cut, len(whole)]))])
    if changed and data.draw(st.booleans()):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    records, error = read_until_lost(CUSTOMER, bytes(changed), records={"type": "rdw"})
    # Either every byte of the file stands in a record that was given, good or bad, or the run fails.
    starts = [int(record.position.rpartition("@")[2]) for record in records]
    assert starts == sorted(set(starts))
    if error is None:
        ends = [*starts[1:], len(changed)] if starts else []
        sizes = [int.from_bytes(changed[start : start + 2], "big") for start in starts]
        assert [end - start for start, end in zip(starts, ends, strict=True)] == sizes
    else:
        assert bad(records)


@given(st.binary(max_size=300), st.sampled_from(["fixed", "rdw", "lines"]))
def test_no_bytes_make_the_decoder_fail_in_an_unknown_way(data: bytes, how: str) -> None:
    records, error = read_until_lost(CUSTOMER, data, records={"type": how})
    assert bool(records) == bool(data.strip(b"\x15\x25\x0d" if how == "lines" else b"")) or error


def test_memory_does_not_grow_with_the_file() -> None:
    record = encoded("Somebody", 1234, [1, 2])
    data = io.BytesIO(rdw(record) * 60_000)
    config = ADAPTER.validate_python(
        {"type": "cobol", "text": CUSTOMER, "columns": "fixed", "records": {"type": "rdw"}}
    )
    records = config.read(data, "f")
    next(records)
    tracemalloc.start()
    count = sum(1 for _ in records)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 59_999
    assert peak < 1_500_000


def test_a_reason_shows_no_value() -> None:
    records = read(SHORT, ebcdic("AnAn"))
    assert records[0].raw == "AnAn"
    assert "An" not in records[0].reason + repr(records[0])
