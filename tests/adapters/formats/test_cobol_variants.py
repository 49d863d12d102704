"""Copybooks as they lie about in companies: each is read as its compiler reads it, or refused where it stands."""

from __future__ import annotations

import io
from decimal import Decimal
from textwrap import indent

import pytest
from pydantic import TypeAdapter

from hub.adapters.formats import FormatChoice
from hub.adapters.records import RawRecord
from hub.errors import ConfigurationError

ADAPTER = TypeAdapter(FormatChoice)
AREA_A = " " * 7


def read(folder, book, data, **options):
    (folder / "book.cpy").write_text(book)
    given = {"type": "cobol", "copybook": "book.cpy", "encoding": "ascii", "records": {"type": "fixed"}}
    made = ADAPTER.validate_python({**given, **options}).prepared(folder)
    return [
        record.payload if isinstance(record, RawRecord) else record.reason
        for record in made.read(io.BytesIO(data), "f")
    ]


VARIANTS = {
    "numbers in columns 1 to 6, names in 73 to 80": (
        "000100 01  REC.".ljust(72) + "CUSTREC1\n" + "000200     05  A  PIC X(3).".ljust(72) + "05 B PIC\n",
        b"abc",
        {"A": "abc"},
    ),
    "members without a 01, to be copied below one": (
        indent("05 A PIC X.\n05 B REDEFINES A PIC 9.\n05 T OCCURS 2 PIC 9.\n", AREA_A),
        b"123",
        {"A": "1", "B": 1, "T": [2, 3]},
    ),
    "headings of a file section": (
        indent("FILE SECTION.\nFD  CUST-FILE\n    RECORDING MODE IS F.\n01 REC.\n   05 A PIC X.\n", AREA_A),
        b"a",
        {"A": "a"},
    ),
    "a 77 beside the record": (
        indent(
            "77 SWITCH PIC 9.\n01 REC.\n   05 A PIC X.\n   66 AA RENAMES A.\n77 COUNT-1 PIC 9(4).\n", AREA_A
        ),
        b"a",
        {"A": "a"},
    ),
    "a counter that is qualified": (
        indent(
            "01 REC.\n   05 H1.\n      10 N PIC 9.\n   05 H2.\n      10 N PIC 9.\n"
            "   05 T PIC X OCCURS 0 TO 2 TIMES\n      DEPENDING ON N OF H1 IN REC INDEXED BY I.\n",
            AREA_A,
        ),
        b"12a ",
        {"H1": {"N": 1}, "H2": {"N": 2}, "T": ["a"]},
    ),
    "signs and usages at a group": (
        indent(
            "01 REC SIGN LEADING SEPARATE.\n   05 A PIC S9(2).\n   05 G COMPUTATIONAL-3.\n"
            "      10 B PIC S9(3)V99.\n      10 C PIC X USAGE DISPLAY.\n",
            AREA_A,
        ),
        b"-12\x12\x34\x5dc",
        {"A": -12, "G": {"B": Decimal("-123.45"), "C": "c"}},
    ),
    "values over lines": (
        """\
       01 REC.
           05 A PIC X(3) VALUE 'ABC
      -    'DEF'.
              88 LOW VALUES ARE 'A' THRU 'C',
                 'X'.
           05 B PIC 9 VALUE 1.
""",
        b"abc1",
        {"A": "abc", "B": 1},
    ),
    "scaled by P on both sides": (
        indent("01 REC.\n   05 A PIC 9(3)PPP.\n   05 B PIC VPP99.\n", AREA_A),
        b"12312",
        {"A": 123000, "B": Decimal("0.0012")},
    ),
    "a format of dates": (
        indent("01 REC.\n   05 A PIC 9(6) DATE FORMAT YYXXXX.\n", AREA_A),
        b"260101",
        {"A": 260101},
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_copybooks_in_the_wild_are_read(tmp_path, name):
    book, data, expected = VARIANTS[name]
    assert read(tmp_path, book, data) == [expected]


def test_parts_of_names_are_replaced_over_lines(tmp_path):
    (tmp_path / "inner.cpy").write_text(indent("05 :TAG:-A PIC X(2).\n05 OLD-B PIC X.\n", AREA_A))
    book = indent(
        "01 REC.\n   COPY 'inner.cpy' REPLACING ==:TAG:== BY ==CUST==,\n"
        "      LEADING ==OLD== BY ==NEW==\n      ==X(2)== BY ==X(3)==.\n",
        AREA_A,
    )
    assert read(tmp_path, book, b"abcd") == [{"CUST_A": "abc", "NEW_B": "d"}]


@pytest.mark.parametrize("page", ["cp037", "cp500", "cp1047", "cp273", "cp1140"])
def test_code_pages_of_ebcdic_have_letters_and_punched_signs(tmp_path, page):
    """`[` stands elsewhere in each; the last byte of a number is its digit and sign in all of them."""
    book = indent("01 REC.\n   05 A PIC X(3).\n   05 N PIC S9(3).\n", AREA_A)
    text = {
        "cp037": b"\xc1\xba\x43",
        "cp500": b"\xc1\x4a\x43",
        "cp1047": b"\xc1\xad\x43",
        "cp273": b"\xc1\x63\xc0",
    }
    data = text.get(page, text["cp037"]) + b"\xf1\xf2\xd3"
    assert read(tmp_path, book, data, encoding=page) == [{"A": "A[ä", "N": -123}]


@pytest.mark.parametrize(
    ("book", "where", "why"),
    [
        ("01 REC.\n  05 A PIC X.\n", 2, "columns: free"),
        (indent("05 B PIC X.\n01 REC.\n   05 A PIC X.\n", AREA_A), 1, "level 5 stands below no 01"),
        (indent("01 REC.\n   05 A PIC X(2).05 B PIC X.\n", AREA_A), 2, "is no picture"),
        (indent("01 REC.\n   05 T PIC X OCCURS 1 TO 2 DEPENDING ON N OF H.\n", AREA_A), 2, "no field N"),
    ],
)
def test_what_no_compiler_reads_is_refused_where_it_stands(tmp_path, book, where, why):
    with pytest.raises(ConfigurationError, match=why) as caught:
        read(tmp_path, book, b"ab")
    assert f"book.cpy:{where}:" in str(caught.value)
