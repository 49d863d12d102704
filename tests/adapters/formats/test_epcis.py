"""EPCIS events: every published example, events that lack what they must have, broken documents."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.adapters import payload
from hub.adapters.formats import FormatChoice
from hub.adapters.records import BadRecord, FileFormatError, RawRecord

ADAPTER = TypeAdapter(FormatChoice)

EVENT = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-02T09:15:00.000+01:00",
    "eventTimeZoneOffset": "+01:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"],
}


def read(data: bytes) -> list:
    return list(ADAPTER.validate_python({"type": "epcis"}).read(io.BytesIO(data), "f"))


def document(*events: object) -> bytes:
    return json.dumps({"type": "EPCISDocument", "epcisBody": {"eventList": list(events)}}).encode()


def test_every_published_example_gives_its_events(shared: Path) -> None:
    types: Counter[str] = Counter()
    for path in sorted((shared / "data" / "formats" / "epcis" / "examples").rglob("*.jsonld")):
        records = read(path.read_bytes())
        assert all(isinstance(record, RawRecord) for record in records), path
        body = payload.load(path.read_bytes())["epcisBody"]
        listed = body.get("eventList") or body["queryResults"]["resultsBody"]["eventList"]
        assert [record.payload for record in records] == listed
        types.update(record.payload["type"] for record in records)
    assert types == {
        "AggregationEvent": 4,
        "AssociationEvent": 10,
        "ObjectEvent": 32,
        "TransactionEvent": 4,
        "TransformationEvent": 6,
    }


FAULTY = [
    ({**EVENT, "type": "Event"}, "type: not one of"),
    ({**EVENT, "eventTime": "2026-01-02T09:15:00"}, "eventTime: not a time with an offset"),
    ({**EVENT, "eventTime": None}, "eventTime: not a time with an offset"),
    ({**EVENT, "eventTimeZoneOffset": "1"}, "eventTimeZoneOffset: not an offset"),
    ({**EVENT, "action": "observe"}, "action: not one of ADD, DELETE, OBSERVE"),
    ([EVENT], "not an event"),
    ("ObjectEvent", "not an event"),
]


@pytest.mark.parametrize(("event", "reason"), FAULTY)
def test_an_event_that_lacks_what_it_must_have_is_set_aside(event: object, reason: str) -> None:
    first, wrong, last = read(document(EVENT, event, {**EVENT, "type": "ex:OwnEvent"}))
    assert isinstance(first, RawRecord)
    assert isinstance(last, RawRecord)
    assert isinstance(wrong, BadRecord)
    assert (wrong.position, reason in wrong.reason) == ("f#2", True)


def test_events_may_stand_in_a_bare_list_and_a_list_may_be_empty() -> None:
    assert [record.payload for record in read(json.dumps([EVENT]).encode())] == [EVENT]
    assert read(document()) == []


def test_events_before_a_break_are_given() -> None:
    first, second, broken = read(
        b"[" + json.dumps(EVENT).encode() + b"," + json.dumps(EVENT).encode() + b", oops]"
    )
    assert isinstance(first, RawRecord)
    assert isinstance(second, RawRecord)
    assert isinstance(broken, BadRecord)


def test_a_document_without_events_says_so() -> None:
    with pytest.raises(FileFormatError, match="no list of events"):
        read(b'{"epcisBody": {"events": []}}')


@given(st.data())
def test_a_document_that_is_cut_off_never_passes_for_a_whole_one(data: st.DataObject) -> None:
    whole = document(EVENT, EVENT)
    cut = data.draw(st.integers(0, len(whole) - 1))
    records = read(whole[:cut])
    assert len(records) == whole[:cut].count(b'2018"]}') + 1
    assert isinstance(records[-1], BadRecord)
    assert "not JSON from here" in records[-1].reason
