"""Interchanges as partners send them: odd signs, wrapped lines, several in a file; and texts that look like heads."""

from __future__ import annotations

import pytest

from tests.adapters.formats.test_edi import good, read, reasons

UNB = "UNB+UNOC:3+S:14+R:14+260101:1200+1'"


def message(body, control="1"):
    segments = body.count("\n") + 4
    lines = body.replace("\n", "'")
    return f"UNH+{control}+ORDERS:D:96A:UN'BGM+220+PO-{control}+9'{lines}'UNT+{segments}+{control}'"


def edifact(body, unb=UNB):
    return f"{unb}{message(body)}UNZ+1+1'"


def x12(element="*", component=":", end="~", line="", version="00401", repetition="U", control="000000001"):
    head = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "S".ljust(15), "ZZ", "R".ljust(15), "260101", "1200"]
    segments = [
        [*head, repetition, version, control, "0", "P", component],
        ["GS", "PO", "S", "R", "20260101", "1200", "7", "X", f"{version[1:]}0"],
        ["ST", "850", "0001"],
        ["BEG", "00", "SA", f"PO-{control[-1]}", "", "20260101"],
        ["PO1", "1", "10", "EA", "9.95", "", "VP", "KT-1"],
        ["SE", "4", "0001"],
        ["GE", "1", "7"],
        ["IEA", "1", control],
    ]
    return "".join(element.join(each) + end + line for each in segments)


def orders(records):
    return [
        each.get("BEG", each.get("BGM"))[0].get("BEG03") or each["BGM"][0]["BGM02"] for each in good(records)
    ]


@pytest.mark.parametrize(
    "signs",
    [
        {"line": "\n"},
        {"line": "\r\n"},
        {"line": "  "},
        {"end": "\n"},
        {"end": "\r\n"},
        {"element": "|", "component": ">", "end": "\x1c"},
        {"element": "\x1d", "component": "\x1f", "end": "\x1e"},
        {"version": "00501", "repetition": "^"},
    ],
    ids=repr,
)
def test_any_signs_end_and_part_the_segments_of_x12(signs):
    records = read(x12(**signs).encode("latin-1"))
    assert (orders(records), reasons(records)) == (["PO-1"], [])


def test_several_interchanges_of_any_kind_stand_in_one_file():
    parts = [x12(), "\r\n\r\n", x12("|", "^", "'", control="000000002"), edifact("DTM+137"), "\x1a"]
    records = read(b"\xef\xbb\xbf\n" + "".join(parts).encode())
    assert (orders(records), reasons(records)) == (["PO-1", "PO-2", "PO-1"], []), "a mark of UTF-8 is no data"


def test_what_a_una_says_holds_for_its_own_interchange_alone():
    odd = edifact("FTX+AAI+++a").replace(":", "|").replace("+", "*").replace("'", "~")
    records = read(f"UNA|*,# ~{odd}\n{edifact('FTX+AAI+++b')}".encode())
    assert reasons(records) == []
    assert [each["FTX"][0]["FTX04"] for each in good(records)] == ["a", "b"]


@pytest.mark.parametrize("text", ["LUNA BAR Y", "UNA 123 4", "TUNA:COD F"])
def test_a_text_that_looks_like_a_una_is_a_text(text):
    records = read(edifact(f"NAD+BY+++{text.replace(':', '?:')}").encode())
    assert reasons(records) == []
    assert [each["NAD"][0]["NAD04"] for each in good(records)] == [text]


@pytest.mark.parametrize(
    ("advice", "syntax", "expected"),
    [
        ("", "UNOC:3", {"FTX04": "2*3"}),
        ("UNA:+.? '", "UNOC:3", {"FTX04": "2*3"}),
        ("", "UNOC:4", {"FTX04": "2", "FTX04_more": [{"1": "3"}]}),
        ("UNA:+.?*'", "UNOC:4", {"FTX04": "2", "FTX04_more": [{"1": "3"}]}),
        ("UNA:+.?^'", "UNOC:4", {"FTX04": "2*3"}),
    ],
)
def test_elements_are_repeated_from_version_4_of_the_syntax_on(advice, syntax, expected):
    """ISO 9735-1: before it a `*` is a sign as any other, and the sign between repetitions is reserved."""
    records = read((advice + edifact("FTX+AAI+++2*3", UNB.replace("UNOC:3", syntax))).encode())
    assert reasons(records) == []
    [each] = good(records)
    assert {key: each["FTX"][0][key] for key in each["FTX"][0] if key > "FTX04" or key == "FTX04"} == expected


def test_releases_at_ends_and_groups_by_ung():
    body = "FTX+AAI+++it?'s 3?:4?+5??\nFTX+AAI+++a??"
    group = f"UNG+ORDERS+S+R+260101:1200+7+UN+D:96A'{message(body)}{message('DTM+137', '2')}UNE+2+7'"
    records = read(f"{UNB}{group}UNZ+1+1'".encode())
    assert reasons(records) == []
    assert [each["FTX04"] for each in good(records)[0]["FTX"]] == ["it's 3:4+5?", "a?"]
    assert [each["group"]["control"] for each in good(records)] == ["7", "7"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (edifact("DTM+137").encode("cp500"), "no interchange"),
        (b"STX=ANA:1+S+R+260101:120000+1'MHD=1+ORDHDR:9'MTR=2'END=1'", "no interchange"),
        (edifact("NAD+BY+++M\xfcller", UNB.replace("UNOC", "UNOA")).encode("latin-1"), "segment 4 (NAD)"),
        (f"{UNB}{message('DTM+137')}".encode(), "has no UNZ"),
        (x12().replace("BEG", "beg").encode(), "segment 3 (ST)"),
    ],
    ids=["ebcdic", "tradacoms", "letters outside of UNOA", "cut off", "small letters"],
)
def test_what_is_none_is_set_aside_with_its_reason(data, why):
    records = read(data)
    assert good(records) == []
    assert why in reasons(records)[0]
