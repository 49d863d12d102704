"""Every usage and picture: bytes a compiler writes give the value exactly, bytes it never writes are refused."""

from __future__ import annotations

import struct
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters import payload
from tests.adapters.formats.cobol_world import bad, binary, book, good, ibm_float, packed, read, zoned

D = Decimal

VALUES = [
    ("PIC X(5)", "c1c2c34040", "ABC"),
    ("PIC X(3)", "000000", None),
    ("PIC X(3)", "404040", ""),
    ("PIC A(3) JUSTIFIED RIGHT", "4040c1", "A"),
    ("PIC 9(3)", "f1f2f3", 123),
    ("PIC 9(3)", "404040", None),
    ("PIC 9(3)", "4040f7", 7),
    ("PIC S9(3)", "f1f2c3", 123),
    ("PIC S9(3)", "f1f2d3", -123),
    ("PIC S9(3)", "f1f2f3", 123),
    ("PIC S9(3)", "f1f2b3", -123),
    ("PIC S9(3) SIGN LEADING", "d1f2f3", -123),
    ("PIC S9(3) SIGN IS TRAILING SEPARATE CHARACTER", "f1f2f360", -123),
    ("PIC S9(3) SIGN LEADING SEPARATE", "4ef1f2f3", 123),
    ("PIC S9(3)V99", "f1f2f3f4d5", D("-123.45")),
    ("PIC SV9(3)", "f1f2d3", D("-0.123")),
    ("PIC SP(2)9(3)", "f1f2d3", D("-0.00123")),
    ("PIC S9(3)P(2)", "f1f2d3", -12300),
    ("PIC S9(3)P(2)V", "f1f2d3", -12300),
    ("PIC VPP9", "f7", D("0.007")),
    ("PIC 9(3) BLANK WHEN ZERO", "404040", 0),
    ("PIC S9(5) COMP-3", "12345d", -12345),
    ("PIC S9(5) PACKED-DECIMAL", "12345c", 12345),
    ("PIC 9(5) COMPUTATIONAL-3", "12345f", 12345),
    ("PIC S9(3)V99 COMP-3", "00012b", D("-0.12")),
    ("PIC 9(4) COMP-6", "1234", 1234),
    ("PIC S9(4) COMP", "ff85", -123),
    ("PIC S9(9) BINARY", "ffffff85", -123),
    ("PIC S9(10)V99 COMP-4", "ffffffffffffff85", D("-1.23")),
    ("PIC 9(4) COMP-5", "ffff", 65535),
    ("PIC S9(4) COMP-9", "85ff", -123),
    ("PIC 9(4) COMP-X", "ffff", 65535),
    ("PIC X(3) COMP-X", "010000", 65536),
    ("BINARY-SHORT", "ff85", -123),
    ("BINARY-LONG UNSIGNED", "ffffffff", 4294967295),
    ("INDEX", "00000007", 7),
    ("USAGE IS COMP-1", "41100000", 1),
    ("COMP-1", "c276a000", D("-118.625")),
    ("COMP-1", "00000000", 0),
    ("COMP-2", "401999999999999a", D("0.1")),
    ("PIC N(2)", "00410042", "AB"),
    ("PIC G(2) DISPLAY-1", "00410042", "AB"),
    ("PIC Z,ZZ9.99-", "f16bf2f3f44bf5f660", D("-1234.56")),
    ("PIC $$,$$9.99CR", "40405bf1f2f34bf5f6c3d9", D("-123.56")),
    ("PIC $$,$$9.99CR", "40405bf1f2f34bf5f64040", D("123.56")),
    ("PIC ZZ9.99BCR", "40f1f24bf5f640c3d9", D("-12.56")),
    ("PIC **9.99", "5c5cf14bf5f0", D("1.50")),
    ("PIC +9(3)", "60f1f2f3", -123),
    ("PIC Z(3)", "404040", None),
    ("PIC Z(3)VZZ-", "40f1f2f3f460", D("-12.34")),
    ("PIC 99/99/9999", "f0f161f0f261f2f0f2f6", "01/02/2026"),
    ("PIC +9.99E+99", "4ef14bf2f3c54ef0f2", D("123")),
]


@pytest.mark.parametrize(("clauses", "data", "expected"), VALUES)
def test_a_field_says_what_its_picture_and_usage_make_of_it(
    clauses: str, data: str, expected: object
) -> None:
    records = read(book(f"01 V {clauses}."), bytes.fromhex(data))
    assert bad(records) == []
    assert good(records) == [{"V": expected}]
    assert payload.load(payload.dump(good(records)[0])) == {"V": expected}


ASCII = [
    ("PIC S9(3)", b"12L", -123),
    ("PIC S9(3)", b"12C", 123),
    ("PIC S9(3)", b"12s", -123),
    ("PIC S9(3)", b"12{", 120),
    ("PIC S9(3) SIGN LEADING", b"q23", -123),
    ("PIC X(4)", b"A\x01B ", "AB"),
    ("PIC S9(4) COMP-5", b"\x85\xff", -123),
    ("PIC S9(4) COMP", b"\xff\x85", -123),
]


@pytest.mark.parametrize(("clauses", "data", "expected"), ASCII)
def test_files_from_off_the_mainframe_are_read_in_their_own_way(
    clauses: str, data: bytes, expected: object
) -> None:
    assert good(read(book(f"01 V {clauses}."), data, encoding="cp1252")) == [{"V": expected}]


NOT_VALUES = [
    ("PIC 9(3)", "f1c1f3", "not a number"),
    ("PIC 9(3)", "f1f2d3", "not a number"),
    ("PIC 9(3)", "60f1f2", "a sign where the picture has none"),
    ("PIC S9(3)", "f1d2d3", "not a number"),
    ("PIC S9(5) COMP-3", "123456", "not a packed decimal"),
    ("PIC S9(5) COMP-3", "1a345c", "not a packed decimal"),
    ("PIC S9(5) COMP-3", "404040", "not a packed decimal"),
    ("PIC 9(4) COMP-6", "123f", "not a packed decimal without sign"),
    ("PIC 9(4) COMP", "ff85", "more than its picture can hold"),
    ("PIC ZZ9", "c1f1f2", "not a number as its picture prints it"),
    ("PIC ZZ9-", "f1f2f3f4", None),
    ("PIC +9.99E+99", "c1c1c1c1c1c1c1c1c1", "not a number with an exponent"),
    ("PIC N(2)", "d800d800", "bytes that are not in the file's encoding"),
]


@pytest.mark.parametrize(("clauses", "data", "reason"), NOT_VALUES)
def test_bytes_that_a_field_cannot_mean_make_a_bad_record(
    clauses: str, data: str, reason: str | None
) -> None:
    raw = bytes.fromhex(data)
    text = book("01 R.", "  05 A PIC X.", f"  05 V {clauses}.")
    records = read(text, b"\xc1" + raw)
    if reason is None:
        assert bad(records) == []
        return
    assert bad(records) == [("f#1@0", f"V at byte 1 of the record: {reason}")]
    assert good(read(text, b"\xc1" + raw, bad_values="empty"))[0]["A"] == "A"


def test_full_binaries_use_their_first_bit() -> None:
    assert good(read(book("01 V PIC 9(4) COMP."), b"\xff\xff", full_binary=True)) == [{"V": 65535}]


def test_with_a_decimal_comma_pictures_change_sides() -> None:
    text = book("01 V PIC Z.ZZ9,99.")
    assert good(read(text, "1.234,56".encode("cp037"), comma_point=True)) == [{"V": D("1234.56")}]


def test_without_nulls_a_blank_text_is_empty_and_a_blank_number_is_not_read() -> None:
    text = book("01 R.", " 05 A PIC X.", " 05 N PIC 9.")
    assert good(read(text, b"\x00\xf1", nulls=False)) == [{"A": "", "N": 1}]
    assert bad(read(text, b"\x00\x40", nulls=False)) == [
        ("f#1@0", "N at byte 1 of the record: blank where a number is")
    ]


def test_the_code_pages_of_the_cases_agree_with_those_that_have_names(shared) -> None:
    pages = payload.load((shared / "data/formats/cobol/code_pages.json").read_text(encoding="utf-8"))
    # One table has the macron where the code page's own has the overline.
    same = {("\u203e", "\u00af")}
    for name in ("cp037", "cp273", "cp500", "cp1140", "cp1141", "cp1148"):
        ours = "".join(
            good(read(book("01 V PIC X."), bytes([byte]), encoding=name, trim="none", nulls=False))[0]["V"]
            for byte in range(0x41, 0xFF)
        )
        known = [
            (a, b) for a, b in zip(ours, pages[name][0x41:0xFF], strict=True) if b.isprintable() and b != " "
        ]
        assert len(known) > 150
        assert [(a, b) for a, b in known if a != b and (a, b) not in same] == []


numbers = st.integers(1, 18).flatmap(
    lambda digits: st.tuples(st.just(digits), st.integers(-(10**digits) + 1, 10**digits - 1))
)


@given(
    numbers,
    st.integers(0, 9),
    st.sampled_from(["zoned", "ascii", "packed", "binary", "comp5"]),
    st.booleans(),
)
def test_numbers_come_back_as_they_were_written(
    number: tuple[int, int], scale: int, usage: str, signed: bool
) -> None:
    digits, value = number
    value, scale = value if signed else abs(value), min(scale, digits)
    size = 2 if digits <= 4 else 4 if digits <= 9 else 8
    data = {
        "zoned": zoned(value, digits, signed=signed),
        "ascii": zoned(value, digits, signed=signed, ebcdic=False),
        "packed": packed(value, digits, signed=signed),
        "binary": binary(value, size, signed=signed),
        "comp5": binary(value, size, signed=signed, order="little"),
    }[usage]
    clause = {"packed": " COMP-3", "binary": " COMP", "comp5": " COMP-5"}.get(usage, "")
    whole, fraction = digits - scale, scale
    picture = "S" * signed + f"9({whole})" * bool(whole) + f"V9({fraction})" * bool(fraction)
    options = {"encoding": "cp1252"} if usage == "ascii" else {"comp_5": "little"}
    [found] = good(read(book(f"01 V PIC {picture}{clause}."), data, **options))
    with localcontext(prec=40):
        assert found["V"] == D(value).scaleb(-scale)
    assert isinstance(found["V"], Decimal if scale else int)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(["ieee", "ieee_little"]))
def test_single_floats_are_the_shortest_decimal_that_makes_the_same_bytes(value: float, kind: str) -> None:
    code = "<f" if kind == "ieee_little" else ">f"
    [found] = good(read(book("01 V COMP-1."), struct.pack(code, value), floats=kind))
    assert struct.pack(code, float(found["V"])) == struct.pack(code, value) or value == 0
    assert len(found["V"].as_tuple().digits) <= 9 or found["V"] == found["V"].to_integral_value()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_double_floats_are_the_shortest_decimal_too(value: float) -> None:
    [found] = good(read(book("01 V COMP-2."), struct.pack(">d", value), floats="ieee"))
    assert found["V"] == D(repr(value))


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=3), st.sampled_from([4, 8]))
def test_ibm_floats_come_back_as_far_as_their_bits_reach(value: Decimal, size: int) -> None:
    [found] = good(read(book(f"01 V COMP-{size // 4}."), ibm_float(value, size)))
    assert ibm_float(found["V"], size) == ibm_float(value, size)
    if size == 8:
        assert found["V"] == value


@pytest.mark.parametrize("data", [struct.pack(">f", float("nan")), struct.pack(">f", float("inf"))])
def test_floats_that_are_no_numbers_are_refused(data: bytes) -> None:
    assert bad(read(book("01 V COMP-1."), data, floats="ieee")) == [
        ("f#1@0", "V at byte 0 of the record: not a finite number")
    ]
