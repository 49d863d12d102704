"""Answers to interchanges: the codes of each fault, counts that agree, and other readers that understand them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydifact.segmentcollection import Interchange

from hub.adapters.formats import FormatChoice
from hub.adapters.formats.edi.answers import Stamp, answer_of, numbers_of
from hub.adapters.formats.edi.judging import judge
from hub.adapters.records import RawRecord
from tests.adapters.formats.test_edi import order, x12

FORMAT = TypeAdapter(FormatChoice).validate_python({"type": "edi"})
STAMP = Stamp(7, datetime(2026, 1, 2, 9, 15, tzinfo=UTC))


def answers(data: bytes, resent: str = "first", functional: str = "997") -> list[bytes | None]:
    verdicts = judge(FORMAT, io.BytesIO(data))
    return [answer_of(verdict, STAMP, resent, functional) for verdict in verdicts]


def only(data: bytes, **how: str) -> str:
    [found] = answers(data, **how)
    assert found is not None
    sets = list(FORMAT.read(io.BytesIO(found), "answer"))
    assert all(isinstance(one, RawRecord) for one in sets), sets
    return found.decode("latin-1")


def body(data: bytes, **how: str) -> str:
    """The answer's segments between its envelopes, or all but its ISA and IEA."""
    text = only(data, **how)
    begin, end = ("~ST*997*0001~", "~SE*") if "~ST*" in text else ("*>~", "~IEA*")
    return text[text.index(begin) + len(begin) : text.index(end)]


ONE = order("1")
X12_CASES = [
    (x12(ONE), "AK1*PO*7~AK2*850*1~AK5*A~AK9*A*1*1*1"),
    (x12(ONE, order("2").replace("SE*3", "SE*9")), "AK1*PO*7~AK2*850*1~AK5*A~AK2*850*2~AK5*R*4~AK9*P*2*2*1"),
    (x12(ONE.replace("SE*3*1", "SE*3*2")), "AK1*PO*7~AK2*850*1~AK5*R*3~AK9*R*1*1*0"),
    (x12(ONE.replace("SE*3*1~", "")), "AK1*PO*7~AK2*850*1~AK5*R*2~AK9*R*1*1*0"),
    (x12(ONE.replace("20260102", "20261302")), "AK1*PO*7~AK2*850*1~AK3*BEG*2**8~AK4*5**8~AK5*R*5~AK9*R*1*1*0"),
    (x12(order("1", "PO1*1*x*EA*y")),
     "AK1*PO*7~AK2*850*1~AK3*PO1*3**8~AK4*2**6~AK4*4**6~AK5*R*5~AK9*R*1*1*0"),
    (x12(ONE.replace("BEG*", "REF*")), "AK1*PO*7~AK2*850*1~AK3*BEG*3**3~AK5*R*5~AK9*R*1*1*0"),
    (x12(ONE).replace("GE*1", "GE*2"), "AK1*PO*7~AK9*R*2*1*0*5"),
    (x12(ONE).replace("GE*1*7", "GE*1*8"), "AK1*PO*7~AK9*R*1*1*0*4"),
    (x12(ONE).replace("GE*1*7~", ""), "AK1*PO*7~AK9*R*1*1*0*3"),
    (x12(ONE, groups=2), "TA1*000000001*260102*0915*R*021"),
    (x12(ONE).replace("IEA*1*000000001", "IEA*1*000000002"), "TA1*000000001*260102*0915*R*001"),
    (x12(ONE, end=False), "TA1*000000001*260102*0915*R*023"),
    (x12("N1*ST*Ann~" + ONE), "TA1*000000001*260102*0915*R*024"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), X12_CASES)
def test_x12_is_answered_by_the_codes_of_its_fault(text: str, told: str) -> None:
    assert body(text.encode()) == told


def test_a_group_without_a_moment_is_refused_and_the_interchange_noted() -> None:
    text = only(x12(ONE).replace("*20260102*0915*7", "*BAD*0915*7").encode())
    assert "~TA1*000000001*260102*0915*E*024~GS*FA*B*A*" in text
    assert "~AK9*R*1*1*0~" in text


def test_a_ta1_is_sent_where_isa14_asks_for_it_and_the_ids_are_turned() -> None:
    text = only(x12(ONE).replace("*0*T*", "*1*T*").encode())
    assert "~TA1*000000001*260102*0915*A*000~GS*" in text
    assert "*ZZ*RECEIVER       *ZZ*SENDER         *260102*0915*U*00401*000000007*0*T*>~" in text


@pytest.mark.parametrize(("resent", "status"), [("again", "R"), ("changed", "E")])
def test_a_control_number_that_came_before_is_told(resent: str, status: str) -> None:
    text = only(x12(ONE).encode(), resent=resent)
    assert f"~TA1*000000001*260102*0915*{status}*025~" in text
    assert ("AK9" in text) == (resent == "changed")


def test_a_999_is_for_release_005010_and_later() -> None:
    new = x12(order("1", "PO1*1*x")).replace("X*004010", "X*005010")
    text = only(new.encode(), functional="999")
    assert (
        "~ST*999*0001*005010X231~AK1*PO*7*005010~AK2*850*1~IK3*PO1*3**8~IK4*2**6~IK5*R*5~AK9*R*1*1*0~" in text
    )
    assert "~ST*997*0001~" in only(x12(ONE).encode(), functional="999")


def edifact(*messages: str, head: str = "+1", groups: str = "", end: str | None = None) -> bytes:
    tail = f"UNZ+{len(messages)}+1'" if end is None else end
    return f"UNB+UNOA:3+SENDER:14+RECEIVER:14+260102:0915{head}'{''.join(messages)}{tail}".encode()


def message(control: str, *more: str, count: int = 0) -> str:
    segments = [f"UNH+{control}+ORDERS:D:96A:UN", "BGM+220+1", *more]
    return "".join(f"{one}'" for one in [*segments, f"UNT+{count or len(segments) + 1}+{control}"])


TURNED = "UCI+1+SENDER:14+RECEIVER:14"
EDIFACT_CASES = [
    (edifact(message("a")), f"{TURNED}+7'UCM+a+ORDERS:D:96A:UN+7"),
    (edifact(message("a"), message("b", count=9)),
     f"{TURNED}+7'UCM+a+ORDERS:D:96A:UN+7'UCM+b+ORDERS:D:96A:UN+4+29+UNT+2"),
    (edifact(message("a", "QTY+21:x")), f"{TURNED}+7'UCM+a+ORDERS:D:96A:UN+4'UCS+3'UCD+37+2:2"),
    (edifact(message("a", "DTM+137:20261301:102")), f"{TURNED}+7'UCM+a+ORDERS:D:96A:UN+4'UCS+3'UCD+12+2:2"),
    (edifact(message("a", "UNS+S", "UNS+S")), f"{TURNED}+7'UCM+a+ORDERS:D:96A:UN+4'UCS+4+35"),
    (edifact(message("a"), end="UNZ+2+1'"), f"{TURNED}+4+29+UNZ+2"),
    (edifact(message("a"), end="UNZ+1+2'"), f"{TURNED}+4+28+UNZ+3"),
    (edifact(message("a"), end=""), f"{TURNED}+4+13+UNZ"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "told"), EDIFACT_CASES)
def test_edifact_is_answered_by_the_codes_of_its_fault(data: bytes, told: str) -> None:
    text = only(data)
    assert text.startswith("UNB+UNOA:3+RECEIVER:14+SENDER:14+260102:0915+7'UNH+1+CONTRL:D:3:UN'")
    assert text[text.index("UCI") : text.index("'UNT")] == told


def test_a_receipt_alone_is_told_where_only_that_is_asked_for() -> None:
    assert f"{TURNED}+8'UNT+3+1'" in only(edifact(message("a"), head="+1++++2"))
    assert f"{TURNED}+7'UCM" in only(edifact(message("a", count=9), head="+1++++2"))


@pytest.mark.parametrize(("resent", "told"), [("again", "+4+26'UNT"), ("changed", "+7+26'UCM")])
def test_an_edifact_reference_that_came_before_is_told(resent: str, told: str) -> None:
    assert f"{TURNED}{told}" in only(edifact(message("a")), resent=resent)


def test_groups_of_edifact_are_told_of_with_their_messages() -> None:
    ung = "UNG+ORDERS+S+R+260102:0915+5+UN+D:96A'"
    text = only(edifact(f"{ung}{message('a')}UNE+1+5'"))
    assert f"{TURNED}+7'UCF+5+S+R+7'UCM+a+ORDERS:D:96A:UN+7'" in text
    assert f"{TURNED}+7'UCF+5+S+R+4+29+UNE+2'UNT" in only(edifact(f"{ung}{message('a')}UNE+2+5'"))


@pytest.mark.parametrize(
    "data",
    [
        x12("ST*997*1~AK1*PO*7~AK9*A*1*1*1~SE*4*1~").replace("GS*PO", "GS*FA").encode(),
        x12("ST*997*1~AK1*PO*7~AK9*A*1*1*1~SE*9*1~").replace("GS*PO", "GS*FA").encode(),
        b"UNB+UNOA:3+A+B+260102:0915+1'UNH+1+CONTRL:D:3:UN'UCI+1+B+A+7'UNT+9+1'UNZ+1+1'",
    ],
)
def test_an_acknowledgement_is_never_answered(data: bytes) -> None:
    assert answers(data) == [None]
    for resent in ("again", "changed"):
        assert answers(data, resent=resent) == [None]


def test_answers_themselves_are_never_answered() -> None:
    for data in (x12(ONE), x12(ONE, groups=2), edifact(message("a")).decode()):
        assert answers(only(data.encode()).encode("latin-1")) == [None]


EXPECTED = {
    "x12/000_bad_binary_length.edi": "AK3*BIN*2**8~AK4*1**6~AK5*R*5~AK9*R*1*1*0~",
    "edifact/orders_d96a_comma_decimal.edi": "UCI+807+12345678:8+WBDZDD:ZZ+4+13+UNZ'",
    "edifact/orders_d96a_short.edi": "UCI+1+Senderkennung+Empfaengerkennung+4+28+UNZ+3'",
    "edifact/invoic_d97b.edi": "UCS+6'UCD+21+5'",
    "edifact/invoic_d97b_bad.edi": "UCS+5'UCD+39+2'UCS+10'UCD+37+2:2'UCS+13'UCD+37+2:2'UCS+21+35'",
    "edifact/invoic_d93a_una.edi": "UCS+6'UCD+21+7'",
    "edifact/aperak_d96a.edi": "UCM+1+APERAK:D:96A:UN+4+29+UNT+2'",
    "x12/855_two_sets.edi": "AK9*A*2*2*2~",
    "x12/810_850_two_groups.edi": "GE*1*8~IEA*2*000000007~",
    "edifact/orders_d03b.edi": "UCM+SSDD1+ORDERS:D:03B:UN:EAN008+7'",
}  # fmt: skip


def test_known_files_are_answered_as_they_should_be(shared: Path) -> None:
    folder = shared / "data" / "formats" / "edi"
    for path in sorted(folder.glob("*/*.edi")):
        name = f"{path.parent.name}/{path.name}"
        if path.name.startswith(("997", "999")):
            assert answers(path.read_bytes()) == [None], name
        else:
            assert EXPECTED.get(name, "") in only(path.read_bytes()), name


# It knows no directory of the syntax's own segments, and says so.
@pytest.mark.filterwarnings("ignore:segments.xml not found")
def test_another_library_reads_the_answer_to_edifact() -> None:
    text = only(edifact(message("a?+b"), message("b", count=9)))
    read = Interchange.from_str(text)
    [contrl] = read.get_messages()
    assert (contrl.type, read.sender, read.recipient) == ("CONTRL", ["RECEIVER", "14"], ["SENDER", "14"])
    assert [one.elements[0] for one in contrl.segments if one.tag == "UCM"] == ["a+b", "b"]


faulty = st.lists(st.lists(st.booleans(), max_size=5), min_size=1, max_size=3)


@given(faulty)
def test_counts_of_the_answer_are_those_of_the_interchange(groups: list[list[bool]]) -> None:
    text = x12().split("GS*")[0]
    for number, sets in enumerate(groups, 1):
        whole = (
            order(str(at)) if good else order(str(at)).replace("SE*3", "SE*4") for at, good in enumerate(sets)
        )
        text += f"GS*PO*A*B*20260102*0915*{number}*X*004010~{''.join(whole)}GE*{len(sets)}*{number}~"
    text += f"IEA*{len(groups)}*000000001~"
    [verdict] = judge(FORMAT, io.BytesIO(text.encode()))
    assert numbers_of(verdict) == len(groups)
    found = [one.payload for one in FORMAT.read(io.BytesIO(only(text.encode()).encode()), "f")]
    assert [one["AK1"][0]["AK102"] for one in found] == [str(at) for at in range(1, len(groups) + 1)]
    for one, sets in zip(found, groups, strict=True):
        ak9, told = one["AK9"][0], one.get("AK2", [])
        assert [int(ak9[f"AK90{at}"]) for at in (2, 3, 4)] == [len(sets), len(sets), sum(sets)]
        assert [each["AK5"][0]["AK501"] for each in told] == ["A" if good else "R" for good in sets]
        assert ak9["AK901"] == ("A" if all(sets) else "P" if any(sets) else "R")
