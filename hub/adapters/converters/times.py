"""Converters of dates and instants.

Formats are those of Python's `strptime`: `%d.%m.%Y`, `%Y%m%d`, `%d %b %Y %H:%M` (month names in English). A format
without day or month gives a partial date.

A local time that happens twice, when clocks go back, is taken for the first; one that never happens, when clocks go
forward, is moved forward by the hour that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from hub.adapters.converters.base import Context, Converter, Step, Words, sane, text_of
from hub.values import Instant
from hub.yamlfile import nearest

FIRST_YEAR, LAST_YEAR = 1000, 9999
"""Years that have four digits: text order is time order only among these."""


def zone_name(name: str) -> str:
    """`name` when it is an IANA time zone.

    Raises:
        ValueError: it is none; the message has the nearest one.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, sorted(available_timezones()))
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"{name!r} is no IANA time zone{hint}") from None
    return name


Zone = Annotated[str, AfterValidator(zone_name)]

_CODES = frozenset("aAwdbBmyYHIpMSfzZjUWcxXGuV%")
_EPOCHS = {"epoch_seconds": 1_000_000, "epoch_millis": 1000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _strptime_format(text: str) -> str:
    unknown = [code for code in re.findall(r"%(.?)", text) if code not in _CODES or not code]
    if unknown:
        raise ValueError(f"has %{unknown[0]}, which is no code of strptime")
    if not re.search(r"%[YyGcx]", text):
        raise ValueError("has no year (%Y or %y)")
    return text


def _instant_format(text: str) -> str:
    return text if text in _EPOCHS else _strptime_format(text)


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


_FORMAT_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}


class _Written(Converter):
    shorthand: ClassVar[str | None] = "format"
    pivot: int | None = Field(
        default=None,
        ge=0,
        le=99,
        description="Two-digit years (%y) up to this one are 20xx, later ones 19xx; 68 unless given.",
    )
    null_words: Words = Field(default=(), description="Texts that mean no date, such as `00000000`.")

    def _parsed(self, text: str, formats: tuple[str, ...], context: Context) -> tuple[datetime, str]:
        for form in formats:
            try:
                found = datetime.strptime(text, form)
            except ValueError:
                continue
            return self._in_century(found, form), form
        raise context.refusal("bad_value", f"does not fit the format {' or '.join(formats)}")

    def _in_century(self, found: datetime, form: str) -> datetime:
        if self.pivot is None or "%y" not in form:
            return found
        short = found.year % 100
        return found.replace(year=(2000 if short <= self.pivot else 1900) + short)


class DateText(_Written):
    """A date from the source's notation, as `YYYY-MM-DD`, or as much of it as the format has."""

    name: ClassVar[str] = "date"
    format: Annotated[
        tuple[Annotated[str, AfterValidator(_strptime_format)], ...],
        BeforeValidator(_as_tuple),
        WithJsonSchema(_FORMAT_SCHEMA),
    ] = Field(description="One strptime format, or several of which the first that fits is taken.")

    def step(self, context: Context) -> Step:
        """Parses the text; what was parsed once is remembered, since dates repeat."""
        shapes = {form: _shape(form) for form in self.format}

        @lru_cache(maxsize=16_384)
        def parse(text: str) -> str | None:
            if text in self.null_words:
                return None
            found, form = self._parsed(text, self.format, context)
            return found.date().isoformat()[: shapes[form]]

        return lambda value: parse(text_of(value, context))


def _shape(form: str) -> int:
    """How many signs of `YYYY-MM-DD` the format knows."""
    codes = set(re.findall(r"%(.)", form))
    if codes & set("djcxUWV"):
        return 10
    return 7 if codes & set("mbB") else 4


class InstantText(_Written):
    """A point in time from the source's notation; without an offset of its own it is in the configured zone."""

    name: ClassVar[str] = "instant"
    format: Annotated[
        tuple[Annotated[str, AfterValidator(_instant_format)], ...],
        BeforeValidator(_as_tuple),
        WithJsonSchema(_FORMAT_SCHEMA),
    ] = Field(
        default=(),
        description="One strptime format, or several of which the first that fits is taken; `epoch_seconds` and "
        "`epoch_millis` count from 1970. ISO 8601 unless given.",
    )
    zone: Zone | None = Field(
        default=None, description="IANA zone of naive times; the source's own unless given."
    )

    @model_validator(mode="after")
    def _one_epoch(self) -> InstantText:
        if len(self.format) > 1 and set(self.format) & set(_EPOCHS):
            raise ValueError("an epoch format cannot stand beside others: any number fits it")
        return self

    def step(self, context: Context) -> Step:
        """Parses the text or counts from the epoch."""
        zone = self.zone or context.zone
        iso = iso_instant(context, zone)
        parse = self._parser(context, zone, iso)
        nulls = frozenset(self.null_words)
        if not nulls:
            return parse
        return lambda value: None if text_of(value, context) in nulls else parse(value)

    def _parser(self, context: Context, zone: str, iso: Step) -> Step:
        if not self.format:
            return iso
        if self.format[0] in _EPOCHS:
            micros = _EPOCHS[self.format[0]]
            return lambda value: _since_epoch(value, micros, context)
        formats, place = self.format, ZoneInfo(zone)

        def parse(value: Any) -> Instant:
            found, _ = self._parsed(text_of(value, context), formats, context)
            return placed(found, place, zone, context)

        return parse


def _since_epoch(value: Any, micros: int, context: Context) -> Instant:
    try:
        number = sane(Decimal(text_of(value, context)), context)
        return Instant(_EPOCH + timedelta(microseconds=int(number * micros)), "UTC")
    except (ArithmeticError, ValueError):
        raise context.refusal(
            "bad_value", "is no count since 1970, or lies outside of the calendar"
        ) from None


def placed(found: datetime, zone: ZoneInfo, name: str, context: Context) -> Instant:
    """The instant of `found`, taken as local time of `zone` when it has no offset of its own."""
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise context.refusal("bad_value", f"the year is before {FIRST_YEAR}")
    try:
        if found.tzinfo is None:
            return Instant(found.replace(tzinfo=zone), name)
        return Instant(found, _offset_name(found))
    except (OverflowError, ValueError):
        raise context.refusal("bad_value", "lies outside of the calendar") from None


def _offset_name(found: datetime) -> str:
    offset = found.utcoffset()
    return found.strftime("%z")[:3] + ":" + found.strftime("%z")[3:] if offset else "UTC"


_NO_ISO_TIME = "is no ISO 8601 time; name its format with the converter `instant`"


def iso_instant(context: Context, zone: str) -> Callable[[Any], Any]:
    """A function from ISO 8601 text to an Instant; a date alone is its midnight, digits past microseconds drop."""
    place = ZoneInfo(zone)

    def parse(value: Any) -> Instant:
        if type(value) is Instant:
            return value
        if type(value) is not str:
            raise context.refusal("bad_value", _NO_ISO_TIME)
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            raise context.refusal("bad_value", _NO_ISO_TIME) from None
        return placed(found, place, zone, context)

    return parse
