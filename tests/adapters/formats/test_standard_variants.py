"""Events and calendars as programs in the wild write them, beside what the standards' own examples show."""

from __future__ import annotations

import io
import json
import time

import pytest
from pydantic import TypeAdapter

from hub.adapters.formats import FormatChoice
from hub.adapters.records import FileFormatError, RawRecord

ADAPTER = TypeAdapter(FormatChoice)
EVENT = {
    "type": "ObjectEvent",
    "action": "ADD",
    "eventTime": "2026-01-01T00:00:00.123456789Z",
    "eventTimeZoneOffset": "+00:00",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"],
}


def read(kind, data, **options):
    records = ADAPTER.validate_python({"type": kind, **options}).read(io.BytesIO(data), "f")
    return [record.payload if isinstance(record, RawRecord) else record.reason for record in records]


def captured(body):
    return json.dumps({"@context": ["https://example.com/own.jsonld"], "epcisBody": body}).encode()


@pytest.mark.parametrize(
    "data",
    [
        captured({"eventList": EVENT}),
        captured({"event": EVENT}),
        captured({"queryResults": {"resultsBody": {"eventList": EVENT}}}),
        b"\xef\xbb\xbf" + captured({"eventList": [EVENT]}),
    ],
    ids=["without brackets", "one event", "one result", "marked as UTF-8"],
)
def test_an_event_is_found_however_one_is_written(data):
    assert read("epcis", data) == [EVENT]


def test_extensions_and_lists_of_one_stay_as_they_stand():
    own = {**EVENT, "ex:field": {"ex:n": 1}, "epcList": "urn:epc:id:sgtin:0614141.107346.2018"}
    assert read("epcis", captured({"eventList": [own, EVENT]})) == [own, EVENT]


def test_epcis_in_xml_is_refused_with_what_would_read_it():
    data = b'<?xml version="1.0"?><e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"/>'
    with pytest.raises(FileFormatError, match=r"XML, as EPCIS 1[.]2 has it.*type: xml"):
        read("epcis", data)


OUTLOOK = """\
BEGIN:VTIMEZONE
TZID:Our Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(zone, *starts):
    events = "".join(f"BEGIN:VEVENT\nUID:1@example.com\n{each}\nEND:VEVENT\n" for each in starts)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{zone}{events}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def starts(records):
    return [
        each if isinstance(each, str) else (each["dtstart"], each.get("dtstart_zone")) for each in records
    ]


def test_a_zone_that_a_calendar_describes_by_rules_is_known():
    """As Outlook writes its zones, from 1601 on."""
    found = read(
        "icalendar",
        calendar(OUTLOOK, "DTSTART;TZID=Our Time:20260701T090000", 'DTSTART;TZID="Our Time":20260101T090000'),
    )
    assert starts(found) == [
        ("2026-07-01T09:00:00+02:00", "Our Time"),
        ("2026-01-01T09:00:00+01:00", "Our Time"),
    ]


def test_a_zone_below_its_maker_s_name_is_that_zone():
    name = "/freeassociation.sourceforge.net/America/Argentina/Salta"
    found = read("icalendar", calendar("", f"DTSTART;TZID={name}:20260701T090000"))
    assert starts(found) == [("2026-07-01T09:00:00-03:00", "America/Argentina/Salta")]


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYSECOND=1,2,3", "FREQ=DAILY;BYMONTH=3", "nonsense"]
)
def test_rules_that_are_no_zone_s_are_not_followed(rule):
    """Counting them from 1601 on would take for ever: the event is set aside instead."""
    zone = OUTLOOK.replace("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", rule)
    began = time.monotonic()
    [reason] = read("icalendar", calendar(zone, "DTSTART;TZID=Our Time:20260701T090000"))
    assert "the zone 'Our Time' is not known" in reason
    assert time.monotonic() - began < 2
