"""X12 and EDIFACT: known interchanges to the counted segment, malformed ones set aside for the right reason."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from hub.adapters import payload
from hub.adapters.formats import FormatChoice
from hub.adapters.formats.edi.tokens import Junk, Scanner, Segment
from hub.adapters.records import BadRecord, FileFormatError, RawRecord

ADAPTER = TypeAdapter(FormatChoice)


def read(data: bytes, **options: object) -> list:
    return list(ADAPTER.validate_python({"type": "edi", **options}).read(io.BytesIO(data), "f"))


def good(records: Iterable) -> list[dict]:
    return [record.payload for record in records if isinstance(record, RawRecord)]


def reasons(records: Iterable) -> list[str]:
    return [record.reason for record in records if isinstance(record, BadRecord)]


def known_files(folder: Path) -> list[dict]:
    return YAML(typ="safe").load((folder / "files.yaml").read_text(encoding="utf-8"))["files"]


def test_every_known_file_has_its_counted_segments_and_sets(shared: Path) -> None:
    folder = shared / "data" / "formats" / "edi"
    for known in known_files(folder):
        data = (folder / known["file"]).read_bytes()
        segments = list(Scanner(io.BytesIO(data)).segments())
        assert not any(isinstance(segment, Junk) for segment in segments), known["file"]
        tags = [segment.tag for segment in segments]
        counted = {
            "segments": len(segments),
            "interchanges": tags.count("ISA") + tags.count("UNB"),
            "groups": tags.count("GS") + tags.count("UNG"),
            "transaction_sets": tags.count("ST") + tags.count("UNH"),
        }
        assert counted == known["counts"], known["file"]
        signs, first = known["delimiters"], segments[0]
        assert isinstance(first, Segment)
        found = (first.signs.element, first.signs.component, first.signs.terminator)
        wanted = (signs["element"], signs["component"], signs["segment"].strip(" ") or "\n")
        assert found == tuple(sign.encode()[:1] for sign in wanted), known["file"]
        records = read(data)
        assert len(records) == known["counts"]["transaction_sets"]
        types = [one["type"] for one in good(records)]
        assert types == known["transaction_sets"][: len(types)]
        if "wrong" not in known:
            assert reasons(records) == [], known["file"]
            assert {one["version"] for one in good(records)} == set(known["versions"])
        for one in good(records):
            payload.dump(one)


WRONG = {
    "x12/997_empty.edi": ["the set has no AK1 and no AK9"],
    "x12/997_repeats_and_components.edi": ["AK302): components or repetitions", "AK404): components or repetitions"],
    "x12/997_bad_elements.edi": ["(AK101): more than 2 characters", "(AK402): not a number"],
    "x12/997_bad_envelope.edi": ["segment 2 (GS): GS04 and GS05", "segment 7 (GE): its reference is not that of"],
    "x12/000_bad_binary_length.edi": ["segment 4 (BIN01): not a number of bytes"],
    "edifact/orders_d96a_comma_decimal.edi": ["segment 1 (UNB) has no UNZ: the interchange is cut off"],
    "edifact/orders_d96a_short.edi": ["segment 11 (UNZ): its reference is not that of segment 1 (UNB)"],
    "edifact/invoic_d97b.edi": ["segment 7 (NAD): bytes outside of ascii"],
    "edifact/invoic_d97b_bad.edi": [
        "segment 6 (NAD01): more than 3 characters", "segment 11 (QTY01_2): not a number",
        "segment 14 (PRI01_2): not a number", "segment 22 (UNS): stands twice",
    ],
    "edifact/invoic_d93a_una.edi": ["segment 7 (NAD): bytes outside of ascii"],
    "edifact/aperak_d96a.edi": ["segment 8 (UNT): counts 8 segments where 7 are"],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_malformed_interchange_is_set_aside_for_the_right_reason(name: str, shared: Path) -> None:
    records = read((shared / "data" / "formats" / "edi" / name).read_bytes())
    assert good(records) == []
    for reason in WRONG[name]:
        assert all(reason in told for told in reasons(records)), reasons(records)


def test_every_file_that_is_told_to_be_wrong_is_refused(shared: Path) -> None:
    known = known_files(shared / "data" / "formats" / "edi")
    assert {file["file"] for file in known if "wrong" in file} == set(WRONG)


def test_an_encoding_that_is_given_overrides_the_declared_one(shared: Path) -> None:
    folder = shared / "data" / "formats" / "edi" / "edifact"
    [found] = good(read((folder / "invoic_d97b.edi").read_bytes(), encoding="utf-8"))
    assert found["NAD"][1]["NAD04"] == "BÜTTNER WIDGET COMPANY"
    told = reasons(read((folder / "invoic_d93a_una.edi").read_bytes(), encoding="utf-8"))
    assert told == ["segment 6 (DTM01_2): not a date of its format"]


def test_all_files_in_one_load_as_each_alone(shared: Path) -> None:
    folder = shared / "data" / "formats" / "edi"
    parts = [(folder / known["file"]).read_bytes() for known in known_files(folder)]
    alone = [record for part in parts for record in read(part)]
    together = read(b"\n".join(parts))
    assert good(together) == good(alone)
    assert len(reasons(together)) == len(reasons(alone))


def x12(*sets: str, groups: int = 1, control: str = "000000001", end: bool = True) -> str:
    isa = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260102*0915*U*00401*"
    body = "".join(sets)
    tail = f"GE*{len(sets)}*7~IEA*{groups}*{control}~" if end else ""
    return f"{isa}{control}*0*T*>~GS*PO*A*B*20260102*0915*7*X*004010~{body}{tail}"


def order(number: str, *lines: str) -> str:
    segments = [f"ST*850*{number}", f"BEG*00*SA*PO-{number}**20260102", *lines]
    return "~".join([*segments, f"SE*{len(segments) + 1}*{number}", ""])


def test_lines_and_parties_hold_what_belongs_to_them() -> None:
    lines = [
        "N1*ST*Ann",
        "N4*London",
        "ITD*01",
        "PO1*1*2*EA*9.50",
        "PID*F****Lamp",
        "N1*ST*Ben",
        "QTY*1",
        "CTT*1",
    ]
    [found] = good(read(x12(order("1", *lines)).encode()))
    assert found["N1"] == [{"N101": "ST", "N102": "Ann", "N4": [{"N401": "London"}]}]
    assert found["ITD"] == [{"ITD01": "01"}]
    assert found["PO1"] == [
        {
            "PO101": "1", "PO102": "2", "PO103": "EA", "PO104": "9.50", "PID": [{"PID01": "F", "PID05": "Lamp"}],
            "N1": [{"N101": "ST", "N102": "Ben"}], "QTY": [{"QTY01": "1"}],
        }
    ]  # fmt: skip
    assert found["CTT"] == [{"CTT01": "1"}]
    assert found["interchange"] == {
        "sender": "SENDER", "receiver": "RECEIVER", "time": "2601020915", "control": "000000001", "is_test": True
    }  # fmt: skip


def test_only_the_types_asked_for_are_records() -> None:
    text = x12(order("1"), "ST*855*2~BAK*00*AC*X*20260102~SE*3*2~")
    assert [one["type"] for one in good(read(text.encode(), only=["855"]))] == ["855"]


def test_binary_data_is_taken_by_its_length_terminators_and_all() -> None:
    text = x12("ST*841*1~BIN*7*a~b*c\r\n~SE*3*1~")
    [found] = good(read(text.encode()))
    assert found["BIN"] == [{"BIN01": "7", "BIN02": "a~b*c\r\n"}]


def test_a_release_character_keeps_delimiters_in_values() -> None:
    text = "UNB+UNOC:3+A+B+260102:0915+1'UNH+1+ORDERS:D:96A:UN'BGM+220+A?+B?'C??'UNT+3+1'UNZ+1+1'"
    assert good(read(text.encode()))[0]["BGM"] == [{"BGM01": "220", "BGM02": "A+B'C?"}]


GOOD = x12(order("9"), control="000000009")
MIXED = [
    (x12(order("1"), end=False), "has no GE"),
    (x12(order("1"))[:-33], "segment"),
    ("UNA*:.? 'UNB+UNOA:1+A+B+260102:0915+1'", "are no interchange"),
    (x12(order("1").replace("SE*3", "SE*4")), "counts 4 segments where 3 are"),
    (x12(order("1").replace("SE*3*1", "SE*3*2")), "its reference is not that of"),
    (x12(order("1"), groups=2), "counts 2 groups where 1 are"),
    (x12(order("1").replace("SE*3*1~", "")), "has no SE"),
    (x12(order("1").replace("SE*3", "SE*²")), "counts no number of segments where 3 are"),
    (x12(order("1").replace("SE*3", f"SE*{'9' * 5000}")), "counts no number of segments where 3 are"),
    (x12("Anna Lee~" + order("1")), "segment 3 (?) stands outside"),
    (x12(order("1")) + "lost text", "bytes from byte"),
    (x12("N1*ST*Ann~" + order("1")), "stands outside of every set"),
    (x12(order("1").replace("20260102", "20261302")), "(BEG05): not a date"),
    ("UNB+UNOA:1+A+B+260102:0915+1'", "segment 1 (UNB) has no UNZ"),
]


@pytest.mark.parametrize(("text", "reason"), MIXED)
def test_a_good_interchange_after_a_malformed_one_still_loads(text: str, reason: str) -> None:
    records = read(f"{text}\n{GOOD}".encode())
    assert any(reason in told for told in reasons(records)), reasons(records)
    assert "9" in [one["control"] for one in good(records)]


def test_a_file_that_can_be_read_only_once_is_refused() -> None:
    class Once(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(FileFormatError, match="read twice"):
        list(ADAPTER.validate_python({"type": "edi"}).read(Once(b""), "f"))


texts = st.text(st.characters(codec="latin-1", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(st.lists(st.lists(texts, max_size=4), min_size=1, max_size=5))
def test_values_come_back_from_edifact_as_they_were_written(messages: list[list[str]]) -> None:
    def released(text: str) -> str:
        return "".join(f"?{sign}" if sign in "+:'?*" else sign for sign in text)

    written = "UNB+UNOC:3+A+B+260102:0915+1'"
    for number, values in enumerate(messages):
        body = "".join(f"FTX+AAI+++{released(value)}:x'" for value in values)
        written += f"UNH+{number}+ORDERS:D:96A:UN'BGM+220+1'{body}UNT+{len(values) + 3}+{number}'"
    records = read(f"{written}UNZ+{len(messages)}+1'".encode("latin-1"))
    assert reasons(records) == []
    assert [[ftx["FTX04"] for ftx in one.get("FTX", [])] for one in good(records)] == messages


@given(st.data())
def test_a_cut_or_changed_interchange_loses_no_set_silently(data: st.DataObject) -> None:
    whole = x12(order("1", "N1*ST*Ann"), order("2")).encode()
    changed = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 2))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    records = read(bytes(changed))
    if len(changed) < len(whole) - 1 and changed.strip(b"\r\n\t \0\x1a"):
        assert reasons(records)
    for one in good(records):
        payload.dump(one)


@given(st.binary(max_size=200), st.sampled_from([b"", b"UNA:+.? '", b"UNB+UNOA:1+", GOOD[:110].encode()]))
def test_no_bytes_make_edi_fail_in_an_unknown_way(data: bytes, head: bytes) -> None:
    records = read(head + data)
    left = (head + data).removeprefix(b"UNA:+.? '")
    assert bool(records) == bool(left.strip(b"\r\n\t \0\x1a"))
    for one in good(records):
        payload.dump(one)
