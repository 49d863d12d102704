"""iCalendar (RFC 5545): one record an event, task, journal entry or time of being busy.

Times are ISO: of a zone with its offset, and the zone's name beside it (`dtstart`, `dtstart_zone`); floating ones
without. People are `{"address", "name", "role", "partstat"}`. A rule of recurrence is kept as it is written, and its
exceptions are records of their own with the same `uid` and a `recurrence_id`: nothing is multiplied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from io import StringIO
from typing import Any, BinaryIO, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.tz import tzical
from pydantic import Field, field_validator

from hub.adapters.formats.contentlines import Component, Property, Stray, components, split, unescaped
from hub.adapters.formats.lines import clipped
from hub.adapters.records import BadRecord, FormatConfig, Payload, RawRecord, Record

Kind = Literal["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"]

_CONTAINER = "VCALENDAR"
_TIMES = {"DTSTART", "DTEND", "DUE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED", "RECURRENCE-ID"}
_TIME_LISTS = {"EXDATE", "RDATE"}
_PEOPLE = {"ATTENDEE", "ORGANIZER"}
_TEXT_LISTS = {"CATEGORIES", "RESOURCES"}
_OFTEN = {"ATTENDEE", "ATTACH", "COMMENT", "CONTACT", "RELATED-TO", "REQUEST-STATUS", "RRULE", "FREEBUSY"}
_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z)?)?")
_RULED = {"DTSTART", "RRULE", "TZOFFSETFROM", "TZOFFSETTO"}
_RULE = re.compile(r"(?=.*\bFREQ=YEARLY\b)(?!.*\b(?:BYHOUR|BYMINUTE|BYSECOND)=)[A-Z0-9=;,+-]{1,200}")
"""When a zone's clocks change: once a year. What comes oftener would take long to count from a year like 1601 on."""
_MAX_OBSERVANCES = 50
_OFFSET = re.compile(r"([+-])([0-9]{2})([0-9]{2})([0-9]{2})?")


class IcalendarFormat(FormatConfig):
    """Calendars, as calendar programs publish and send them."""

    type: Literal["icalendar"] = Field(description="Names this format.")
    kinds: tuple[Kind, ...] = Field(
        default=("VEVENT",),
        min_length=1,
        description="Which components are records; the others are passed over.",
    )
    zones: dict[str, str] = Field(
        default={},
        description="IANA zone for names of zones that programs made up, such as `GMT Standard Time: Europe/London`.",
    )

    @field_validator("zones")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(zone for zone in value.values() if _zone(zone) is None)
        if unknown:
            raise ValueError(f"no IANA zones: {', '.join(unknown)}")
        return value

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The components, at `name:line` of their BEGIN; one with a line that cannot be read is a bad record."""
        calendar: Component | None = None
        zones: dict[str, tzinfo | None] = {written: _zone(zone) for written, zone in self.zones.items()}
        for found in components(stream, frozenset({_CONTAINER})):
            position = f"{name}:{found.line}"
            if isinstance(found, Stray):
                yield BadRecord(clipped(found.raw), position, "a line outside of every calendar")
            elif found.name == _CONTAINER:
                calendar = found
                if found.fault:
                    yield BadRecord(found.shown(), position, found.fault)
            elif found.fault:
                yield BadRecord(found.shown(), position, found.fault)
            elif found.name == "VTIMEZONE":
                zones |= _own_zone(found)
            elif found.name in self.kinds:
                yield _record(found, calendar, zones, position)


def _record(
    component: Component, calendar: Component | None, zones: Mapping[str, tzinfo | None], position: str
) -> Record:
    try:
        payload = _payload(component, zones)
    except ValueError as error:
        return BadRecord(component.shown(), position, str(error))
    method = (
        next((one.value for one in calendar.properties if one.name == "METHOD"), None) if calendar else None
    )
    return RawRecord({"component": component.name, "method": method, **payload}, position)


def _payload(component: Component, zones: Mapping[str, tzinfo | None]) -> Payload:
    made: Payload = {}
    for one in component.properties:
        key = one.name.lower().replace("-", "_")
        if one.name in _TIMES:
            made[key], zone = _time(one, one.value, zones)
            if zone is not None:
                made[f"{key}_zone"] = zone
        elif one.name in _TIME_LISTS:
            made.setdefault(key, []).extend(_time(one, part, zones)[0] for part in one.value.split(","))
        elif one.name in _TEXT_LISTS:
            made.setdefault(key, []).extend(part for part in split(one.value, ",") if part)
        else:
            _add(made, key, one)
    for child in component.components:
        made.setdefault(child.name.lower(), []).append(_payload(child, zones))
    return made


def _add(made: Payload, key: str, one: Property) -> None:
    value = _person(one) if one.name in _PEOPLE else _value(one)
    if one.name in _OFTEN or one.name.startswith("X-"):
        made.setdefault(key, []).append(value)
    elif key in made:
        made.setdefault(f"{key}_more", []).append(value)
    else:
        made[key] = value


def _value(one: Property) -> Any:
    if one.parameters.get("ENCODING") == ["BASE64"]:
        return {"bytes": len(one.value) * 3 // 4, "type": ",".join(one.parameters.get("FMTTYPE", [])) or None}
    return unescaped(one.value).strip() or None


def _person(one: Property) -> Payload:
    def parameter(name: str) -> str | None:
        return ",".join(one.parameters.get(name, [])) or None

    address = re.sub(r"^mailto:", "", one.value.strip(), flags=re.IGNORECASE)
    made = {name.lower(): parameter(name) for name in ("ROLE", "PARTSTAT", "CUTYPE")}
    return {"address": address or None, "name": parameter("CN"), **made}


def _time(one: Property, value: str, zones: Mapping[str, tzinfo | None]) -> tuple[str, str | None]:
    """The time in ISO's form, and the name of its zone where it has one."""
    found = _TIME.fullmatch(value.strip())
    if found is None:
        if one.name == "RDATE" and one.parameters.get("VALUE") == ["PERIOD"]:
            return value, None
        raise ValueError(f"{one.name}: not a date or time")
    numbers = [int(part) for part in found.groups()[:6] if part]
    try:
        # A leap second is the last one of its minute to everybody else.
        when = datetime(*numbers[:5], *([min(numbers[5], 59)] if len(numbers) == 6 else []))  # type: ignore[arg-type]
    except ValueError:
        raise ValueError(f"{one.name}: not a date or time") from None
    if len(numbers) == 3:
        return when.date().isoformat(), None
    if found[7]:
        return f"{when.isoformat()}+00:00", None
    written = next(iter(one.parameters.get("TZID", [])), None)
    if written is None:
        return when.isoformat(), None
    zone = zones.get(written) or _zone(written)
    if zone is None:
        raise ValueError(f"{one.name}: the zone {written!r} is not known; give it in `zones`")
    return when.replace(tzinfo=zone).isoformat(), str(zone) if isinstance(zone, ZoneInfo) else written


def _zone(name: str) -> ZoneInfo | None:
    names = [name.strip().lstrip("/")]
    if name.strip().startswith("/"):
        # Before the zone's name stands who has made the list: `/freeassociation.sourceforge.net/Europe/London`.
        parts = names[0].split("/")
        names += ["/".join(parts[-count:]) for count in (3, 2)]
    for each in names:
        try:
            return ZoneInfo(each)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return None


def _own_zone(component: Component) -> dict[str, tzinfo | None]:
    """A zone that the calendar describes: by its IANA name, its offset where that never changes, or its rules."""
    names = [one.value.strip() for one in component.properties if one.name == "TZID"]
    location = [one.value.strip() for one in component.properties if one.name == "X-LIC-LOCATION"]
    known: tzinfo | None = next((zone for zone in map(_zone, location) if zone is not None), None)
    offsets = {
        one.value.strip()
        for child in component.components
        for one in child.properties
        if one.name in ("TZOFFSETTO", "TZOFFSETFROM")
    }
    if known is None and len(offsets) == 1 and (found := _OFFSET.fullmatch(offsets.pop())):
        hours, minutes = int(found[2]), int(found[3])
        length = timedelta(hours=hours, minutes=minutes)
        return dict.fromkeys(names, timezone(-length if found[1] == "-" else length))
    if known is None and not any(map(_zone, names)):
        known = _ruled(component)
    return dict.fromkeys(names, known) if known is not None else {}


def _ruled(component: Component) -> tzinfo | None:
    """The zone by when its clocks change, as Outlook writes it; None for other rules than yearly ones."""
    lines = ["BEGIN:VTIMEZONE", "TZID:own"]
    for child in component.components[:_MAX_OBSERVANCES]:
        told = {one.name: one.value.strip() for one in child.properties if one.name in _RULED}
        if "RRULE" in told and not _RULE.fullmatch(told["RRULE"].upper()):
            return None
        lines += [
            f"BEGIN:{child.name}",
            *(f"{name}:{value}" for name, value in told.items()),
            f"END:{child.name}",
        ]
    try:
        made: tzinfo | None = tzical(StringIO("\n".join([*lines, "END:VTIMEZONE", ""]))).get("own")
    except (ValueError, TypeError, IndexError):
        return None
    return made
