"""Values of properties, and others in their place: any other, or one that a mask shows alike."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.access import Mask
from hub.ontology import Property, PropertyType
from hub.store import scale_of
from hub.values import Instant, Money

_UPPER, _LOWER = "BCDFGHJKLMNPQRSTVWXZ", "bcdfghjklmnpqrstvwxz"
_ZONES = ("Europe/London", "Europe/Paris", "America/New_York")
COMMON = "harbour"
"""A word in all texts that are searched by words: whoever asks for it finds much, in an order that must not tell."""
_LANGUAGES, _COUNTRIES = ("en", "de", "fr", "cy"), ("GB", "DE", "FR", "IE")


def canary(draw: random.Random, length: int = 8) -> str:
    """Letters of alternating case, which occur nowhere but where the value is told."""
    return "".join(draw.choice(_LOWER if at % 2 else _UPPER) for at in range(length))


def small_canary(draw: random.Random, length: int = 9) -> str:
    """The like for what is stored in small letters; ids of rows have no 0, 1, 8 or 9, hashes no such letters."""
    return "".join(draw.choice("0189" if at % 3 == 2 else "ghjkmnpqrtvwxz") for at in range(length))


def fresh(prop: Property, draw: random.Random) -> Any:
    """A value of the property's type; references are not made here."""
    if prop.many:
        return tuple(canary(draw) for _ in range(2))
    return _fresh(prop, draw)


def _fresh(prop: Property, draw: random.Random) -> Any:
    number = draw.randrange
    match prop.type:
        case PropertyType.MONEY:
            return Money(Decimal(number(100, 900_000)).scaleb(-2), draw.choice(["GBP", "EUR", "USD"]))
        case PropertyType.DECIMAL:
            return Decimal(number(1, 9_000)).scaleb(-min(prop.scale, 2))
        case PropertyType.INTEGER:
            return number(1, 20_000)
        case PropertyType.BOOLEAN:
            return draw.random() < 0.5
        case PropertyType.DATE:
            return str(date(1950, 1, 1) + timedelta(days=number(27_000)))
        case PropertyType.INSTANT:
            at = datetime(2020, 1, 2, tzinfo=UTC) + timedelta(seconds=number(180_000_000))
            return Instant(at, draw.choice(_ZONES))
        case PropertyType.ENUM:
            return draw.choice(prop.values)
        case PropertyType.LANGUAGE:
            return draw.choice(_LANGUAGES)
        case PropertyType.COUNTRY:
            return draw.choice(_COUNTRIES)
        case PropertyType.PHONE:
            return f"+44117496{number(1000):04d}"
        case PropertyType.EMAIL:
            return f"{small_canary(draw)}@{small_canary(draw)}.example.com"
        case PropertyType.URL:
            return f"https://example.com/{canary(draw)}"
    if prop.search in ("code", "facet", None):
        return f"{canary(draw)}{number(10, 100)}"
    return f"{canary(draw)} {COMMON} {canary(draw)}"


def other(prop: Property, value: Any, draw: random.Random) -> Any:
    """A value that is not this one, or none; for what is denied."""
    if value is not None and draw.random() < 0.15:
        return None
    return next((found for found in (fresh(prop, draw) for _ in range(20)) if found != value), value)


_ODD_TEXTS = (
    "",
    " ",
    "\x01cus_2\x02",
    "'; --",
    '"}],"errors":[{"',
    "%s %(a)s",
    "\\u0000",
    "\U0001f600\u202e\u2028",
    "</mark><script>",
    "9" * 4_000,
    f"{COMMON} " * 300,
)
_ODD_NUMBERS = (2**63 - 1, -(2**63) + 1, 0)


def breaking(prop: Property, value: Any, draw: random.Random) -> Any:
    """A value that is not this one, such as errors are made of; what is compared by its normal form stays ordinary."""
    if prop.identifier or prop.type in (PropertyType.PHONE, PropertyType.EMAIL, PropertyType.ENUM):
        return other(prop, value, draw)
    if prop.many:
        return (draw.choice(_ODD_TEXTS), draw.choice(_ODD_TEXTS))
    match prop.type:
        case PropertyType.MONEY:
            return Money(
                Decimal(draw.choice(_ODD_NUMBERS)).scaleb(-scale_of(prop)), draw.choice(["XXX", "GBP"])
            )
        case PropertyType.DECIMAL:
            return Decimal(draw.choice(_ODD_NUMBERS)).scaleb(-scale_of(prop))
        case PropertyType.INTEGER:
            return draw.choice(_ODD_NUMBERS)
        case PropertyType.DATE:
            return draw.choice(["0001", "9999-12", "9999-12-31", "0001-01-01"])
        case PropertyType.INSTANT:
            at = draw.choice([datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)])
            return Instant(at, draw.choice(["", "Mars/Olympus"]))
        case PropertyType.BOOLEAN:
            return not value
        case PropertyType.LANGUAGE | PropertyType.COUNTRY:
            return other(prop, value, draw)
    return draw.choice(_ODD_TEXTS)


def masked_alike(prop: Property, value: Any, mask: Mask, draw: random.Random) -> Any:
    """A value that is not this one, of which the mask shows the same; this one where there is no other."""
    if value is None:
        return None
    shown = [mask.python(value, today=day) for day in _days()]
    alike = (
        found
        for found in _near(prop, value, draw)
        if found != value and [mask.python(found, today=day) for day in _days()] == shown
    )
    return next(alike, value)


def _days() -> tuple[date, date]:
    """Today and tomorrow, should the day end while the tests run."""
    today = datetime.now(UTC).date()
    return today, today + timedelta(days=1)


def _near(prop: Property, value: Any, draw: random.Random) -> Iterator[Any]:
    if isinstance(value, Money):
        for cents in (1, 7, 13, -3):
            yield replace(value, amount=value.amount + Decimal(cents).scaleb(-2))
    elif isinstance(value, Decimal):
        yield from (value + Decimal(step).scaleb(-min(prop.scale, 2)) for step in (1, -1))
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, Instant):
        yield from (replace(value, at=value.at + timedelta(days=days)) for days in (40, -40))
    elif prop.type is PropertyType.DATE:
        born = date.fromisoformat(value)
        yield from (str(born + timedelta(days=days)) for days in (40, -40, 3, -3))
    elif prop.type is PropertyType.PHONE:
        yield from (f"+44117496{draw.randrange(10):02d}{value[-2:]}" for _ in range(20))
    elif prop.type is PropertyType.EMAIL:
        name, _, domain = value.partition("@")
        yield f"{name[0]}{small_canary(draw)}@{domain[0]}{small_canary(draw)}.example.com"
    else:
        yield f"{value[0]}{canary(draw)}"
        yield f"{canary(draw)}{value[-4:]}"
        yield f"{value[0]}{canary(draw)}{value[-4:]}"
