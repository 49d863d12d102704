"""vCards and calendars of every version: values, parameters, encodings, zones, and lines that cannot be read."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hub.adapters import payload
from hub.adapters.formats import FormatChoice, contentlines
from hub.adapters.records import BadRecord, RawRecord

ADAPTER = TypeAdapter(FormatChoice)


def read(kind: str, text: str | bytes, **options: object) -> list:
    data = text.encode() if isinstance(text, str) else text
    return list(ADAPTER.validate_python({"type": kind, **options}).read(io.BytesIO(data), "f"))


def good(records: Iterable) -> list[dict]:
    return [record.payload for record in records if isinstance(record, RawRecord)]


def bad(records: Iterable) -> list[tuple[str, str]]:
    return [(record.position, record.reason) for record in records if isinstance(record, BadRecord)]


def card(*lines: str, version: str = "4.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


CARDS = [
    ("4.0", "FN:Zoë Lee", {"fn": "Zoë Lee"}),
    ("4.0", "FN:Lee\\, Zoë\\; Dr.\\nx", {"fn": "Lee, Zoë; Dr.\nx"}),
    (
        "4.0",
        "N:Lee;Zoë;Anne,Mia;Dr.;",
        {"n": {"family": "Lee", "given": "Zoë", "additional": "Anne,Mia", "prefix": "Dr.", "suffix": None}},
    ),
    (
        "4.0",
        'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+44-20-7946-0018',
        {"tel": [{"value": "+44-20-7946-0018", "type": ["voice", "home"], "pref": "1"}]},
    ),
    ("3.0", "EMAIL;TYPE=PREF,WORK:z@example.com", {"email": [{"value": "z@example.com", "type": ["pref", "work"]}]}),
    ("2.1", "TEL;HOME;VOICE:020 7946 0018", {"tel": [{"value": "020 7946 0018", "type": ["home", "voice"]}]}),
    ("2.1", "FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller", {"fn": "Müller"}),
    ("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:Line one=0D=0A=\r\nLine two", {"note": "Line one\r\nLine two"}),
    (
        "3.0",
        "item1.ADR;TYPE=home:;;12 Quay St;London;;N1 9GU;UK",
        {
            "adr": [
                {
                    "pobox": None, "extended": None, "street": "12 Quay St", "locality": "London", "region": None,
                    "code": "N1 9GU", "country": "UK", "type": ["home"],
                }
            ]
        },
    ),
    ("4.0", "BDAY:19840512", {"bday": "1984-05-12"}),
    ("4.0", "BDAY:--0512", {"bday": "--0512"}),
    ("4.0", "REV:20260102T091500Z", {"rev": "2026-01-02T09:15:00Z"}),
    ("4.0", "ORG:Harbour & Pine;Sales", {"org": [{"value": "Harbour & Pine", "units": ["Sales"], "type": []}]}),
    ("4.0", "CATEGORIES:a,b\\,c", {"categories": ["a", "b,c"]}),
    ("3.0", "PHOTO;ENCODING=b;TYPE=JPEG:AAEC", {"photo": [{"bytes": 3, "type": ["jpeg"]}]}),
    ("4.0", "PHOTO:data:image/png;base64,AAEC", {"photo": [{"bytes": 3, "type": []}]}),
    ("4.0", "FN:A\r\nFN;PREF=1:B\r\nFN:C", {"fn": "B", "fn_more": ["A", "C"]}),
    ("4.0", "FN:A long\r\n  line", {"fn": "A long line"}),
    ("4.0", "X-ABLABEL;X-A=b^nc:v", {"x_ablabel": [{"value": "v", "type": [], "x_a": "b\nc"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("version", "lines", "expected"), CARDS)
def test_a_card_says_what_its_lines_say(version: str, lines: str, expected: dict) -> None:
    records = read("vcard", card(lines, version=version))
    assert bad(records) == []
    assert good(records) == [{"version": version, **expected}]
    payload.dump(good(records)[0])


BAD_CARDS = [
    ("FN\r\nTEL:1", "line 3: a property without a value"),
    (":x", "line 3: no name of a property"),
    ("FN;CHARSET=utf-99:x", "line 3: a character set that is not known"),
    ("FN;CHARSET=ascii:ë", "line 3: bytes that are not in its character set"),
    ("END:VEVENT", "VCARD ends as another component"),
]


@pytest.mark.parametrize(("lines", "reason"), BAD_CARDS)
def test_a_card_that_cannot_be_read_is_set_aside_and_the_next_is_read(lines: str, reason: str) -> None:
    records = read("vcard", card(lines) + card("FN:Next"))
    assert ("f:1", reason) in bad(records)
    assert [one["fn"] for one in good(records)] == ["Next"]


def test_cards_without_end_strange_lines_and_unknown_versions_are_told() -> None:
    text = "BEGIN:VCARD\nVERSION:4.0\nFN:One\n" + "stray\n".join([card("FN:Two"), card("FN:3", version="9")])
    records = read("vcard", text + "BEGIN:VCARD\nVERSION:4.0\n")
    assert [one["fn"] for one in good(records)] == ["Two"]
    assert [reason for _, reason in bad(records)] == [
        "VCARD has no end",
        "a line outside of every card",
        "not a version that is known (2.1, 3.0, 4.0)",
        "VCARD has no end",
    ]
    assert "FN:One" in records[0].raw


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "METHOD:PUBLISH", *lines, "END:VCALENDAR", ""])


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])


EVENTS = [
    ("DTSTART:20260102T091500Z", {"dtstart": "2026-01-02T09:15:00+00:00"}),
    (
        "DTSTART;TZID=Europe/London:20260702T091500",
        {"dtstart": "2026-07-02T09:15:00+01:00", "dtstart_zone": "Europe/London"},
    ),
    (
        "DTSTART;TZID=GMT Standard Time:20260702T091500",
        {"dtstart": "2026-07-02T09:15:00+01:00", "dtstart_zone": "Europe/London"},
    ),
    ("DTSTART;TZID=Fixed:20260702T091500", {"dtstart": "2026-07-02T09:15:00+05:30", "dtstart_zone": "Fixed"}),
    (
        "DTSTART;TZID=Located:20260702T091500",
        {"dtstart": "2026-07-02T09:15:00+02:00", "dtstart_zone": "Europe/Vienna"},
    ),
    ("DTSTART;VALUE=DATE:20260102", {"dtstart": "2026-01-02"}),
    ("DTSTART:20260102T091500", {"dtstart": "2026-01-02T09:15:00"}),
    ("DTSTAMP:20161231T235960Z", {"dtstamp": "2016-12-31T23:59:59+00:00"}),
    ("EXDATE:20260102T091500Z,20260103", {"exdate": ["2026-01-02T09:15:00+00:00", "2026-01-03"]}),
    ("RRULE:FREQ=WEEKLY;COUNT=3", {"rrule": ["FREQ=WEEKLY;COUNT=3"]}),
    ("SUMMARY:Call\\, then visit", {"summary": "Call, then visit"}),
    ("CATEGORIES:a,b", {"categories": ["a", "b"]}),
    (
        'ATTENDEE;CN="Lee, Zoë";PARTSTAT=ACCEPTED:MAILTO:zoe@example.com',
        {
            "attendee": [
                {"address": "zoe@example.com", "name": "Lee, Zoë", "role": None, "partstat": "ACCEPTED", "cutype": None}
            ]
        },
    ),
    ("ATTACH;ENCODING=BASE64;FMTTYPE=text/plain:AAEC", {"attach": [{"bytes": 3, "type": "text/plain"}]}),
    ("BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM", {"valarm": [{"trigger": "-PT15M"}]}),
]  # fmt: skip

ZONES = """BEGIN:VTIMEZONE
TZID:Fixed
BEGIN:STANDARD
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
END:STANDARD
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:Located
X-LIC-LOCATION:Europe/Vienna
END:VTIMEZONE"""


@pytest.mark.parametrize(("lines", "expected"), EVENTS)
def test_an_event_says_what_its_lines_say(lines: str, expected: dict) -> None:
    records = read(
        "icalendar", calendar(ZONES, event("UID:1", lines)), zones={"GMT Standard Time": "Europe/London"}
    )
    assert bad(records) == []
    assert good(records) == [{"component": "VEVENT", "method": "PUBLISH", "uid": "1", **expected}]
    payload.dump(good(records)[0])


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("DTSTART:soon", "DTSTART: not a date or time"),
        ("DTSTART:20260231T000000Z", "DTSTART: not a date or time"),
        (
            "DTSTART;TZID=Nowhere:20260102T091500",
            "DTSTART: the zone 'Nowhere' is not known; give it in `zones`",
        ),
        ("DTSTART;TZID=Europe/London:00000101T000000", "DTSTART: not a date or time"),
        ("no line", "line 5: a property without a value"),
    ],
)
def test_an_event_that_cannot_be_read_is_set_aside(lines: str, reason: str) -> None:
    records = read("icalendar", calendar(event("UID:1", lines), event("UID:2")))
    assert bad(records) == [("f:3", reason)]
    assert [one["uid"] for one in good(records)] == ["2"]


def test_only_the_kinds_asked_for_are_records() -> None:
    text = calendar("BEGIN:VTODO\nUID:t\nEND:VTODO", event("UID:e"))
    assert [one["uid"] for one in good(read("icalendar", text))] == ["e"]
    assert [one["uid"] for one in good(read("icalendar", text, kinds=["VTODO"]))] == ["t"]


def test_what_stands_outside_and_calendars_without_end_are_told() -> None:
    text = "stray\n" + calendar(event("UID:1")) + "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:2\n"
    records = read("icalendar", text)
    assert [one["uid"] for one in good(records)] == ["1"]
    assert [reason for _, reason in bad(records)] == [
        "a line outside of every calendar",
        "VEVENT has no end",
        "VCALENDAR has no end",
    ]


def test_zones_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValidationError, match="no IANA zones: Mars"):
        ADAPTER.validate_python({"type": "icalendar", "zones": {"X": "Mars"}})


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), max_size=8),
    st.integers(5, 75),
)
def test_texts_come_back_however_their_lines_are_folded(texts: list[str], width: int) -> None:
    def folded(line: str) -> str:
        return "\r\n ".join(line[at : at + width] for at in range(0, len(line), width))

    escapes = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;"})
    written = "".join(card(folded(f"FN:{text.translate(escapes)}")) for text in texts)
    assert [one["fn"] for one in good(read("vcard", written))] == texts


@given(st.binary(max_size=300))
def test_no_bytes_make_content_lines_fail_in_an_unknown_way(data: bytes) -> None:
    records = read("vcard", b"BEGIN:VCARD\nVERSION:4.0\n" + data) + read(
        "icalendar", b"BEGIN:VCALENDAR\n" + data
    )
    assert records
    for found in good(records):
        payload.dump(found)


def test_a_component_without_end_is_bounded_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contentlines, "MAX_LINE_BYTES", 200)
    monkeypatch.setattr(contentlines, "MAX_PROPERTIES", 5)
    long = card("FN:x", *(f"NOTE:{'n' * 50}" for _ in range(9))) + card(*("X-A:1" for _ in range(9)))
    records = read("vcard", long + card("FN:Next"))
    assert [reason for _, reason in bad(records)] == ["larger than a component can be"] * 2
    assert len(records[0].raw) <= 220
    assert [one["fn"] for one in good(records)] == ["Next"]
