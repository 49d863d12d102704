"""When a number may be called: from 8 to 21 o'clock where it is called (47 CFR 64.1200(c)(1), 16 CFR 310.4(c)).

A mobile number or one without an area says of a whole country, or of a continent, where it may be; then it has to be
between those hours in every zone of it, or it is not called:

    >>> waits_until(["+12025550123"], datetime(2026, 11, 23, 12, 30, tzinfo=UTC))   # 07:30 in Washington
    datetime.datetime(2026, 11, 23, 13, 0, tzinfo=datetime.timezone.utc)

These hours are kept everywhere: a country that grants more is none in which more is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

FIRST: Final = time(8)
LAST: Final = time(21)
"""Local times: from the first on, and before the last."""
_AHEAD: Final = timedelta(days=3)
"""Within it there is an hour that suits any zones that leave one at all."""
_STEP: Final = timedelta(minutes=15)
"""Zones differ by quarters of an hour."""


def zones_of(numbers: Collection[str], country: str | None = None) -> frozenset[str]:
    """Every zone in which one of the numbers, in E.164, may be; none where the plan of numbers does not tell.

    The zones of the `country` in which the holder lives are among them where a number is of another one.
    """
    found = {zone for number in numbers for zone in _zones(number)}
    if country and any(region_of(number) != country for number in numbers):
        found |= _of_country().get(country, set())
    return frozenset(found)


def region_of(number: str) -> str | None:
    """The country of a number in E.164; None where several share its code and the rest does not tell."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(number.partition(";")[0]))


def waits_until(numbers: Collection[str], now: datetime, country: str | None = None) -> datetime | None:
    """When next all of the numbers may be called, in UTC; None where they may be now.

    Where no hour of the day suits all zones it is the time at which they are looked at again, three days on.
    """
    zones = [ZoneInfo(zone) for zone in sorted(zones_of(numbers, country))]
    if not zones:
        # Nobody knows where it is: then it would have to suit the whole world, which no hour does.
        return now + _AHEAD
    return None if _suits(zones, now) else next(_suiting(zones, now), now + _AHEAD)


def _suiting(zones: Collection[ZoneInfo], now: datetime) -> Iterator[datetime]:
    at = now.astimezone(UTC).replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    end = at + _AHEAD
    while (at := at + _STEP) < end:
        if _suits(zones, at):
            yield at


def _suits(zones: Collection[ZoneInfo], at: datetime) -> bool:
    return all(FIRST <= at.astimezone(zone).time() < LAST for zone in zones)


@lru_cache(maxsize=4096)
def _zones(number: str) -> frozenset[str]:
    parsed = phonenumbers.parse(number.partition(";")[0])
    found = frozenset(filter(_is_known, time_zones_for_number(parsed)))
    # Of a number that the plan does not know yet, that of its country is told all the same.
    return found or frozenset(filter(_is_known, TIMEZONE_DATA.get(str(parsed.country_code), ())))


@cache
def _of_country() -> dict[str, set[str]]:
    """Zones by country, as the time zone database lists them."""
    found: dict[str, set[str]] = {}
    for line in resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text().splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found.setdefault(country, set()).add(zone)
    return found


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
