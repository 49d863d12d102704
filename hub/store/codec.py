"""How a property's exact value becomes column values, and back, on either database.

| type            | SQLite                                   | PostgreSQL        |
|-----------------|------------------------------------------|-------------------|
| decimal, money  | INTEGER, scaled by 10**scale             | NUMERIC(38, scale)|
| instant         | TEXT `2026-01-02T03:04:05.000000Z`       | TIMESTAMPTZ       |
| boolean         | INTEGER 0 or 1                           | BOOLEAN           |
| many            | TEXT, a JSON array                       | JSONB             |
| all others      | TEXT, INTEGER                            | TEXT, BIGINT      |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from hub.ontology import Property, PropertyType
from hub.values import Instant, Money

DialectName = Literal["sqlite", "postgresql"]
Encoder = Callable[[Any], tuple[Any, ...]]

MONEY_SCALE = 4
"""Digits after the point that an amount may have: ISO 4217 goes to four (CLF, UYW)."""

_INT64 = 2**63 - 1


def scale_of(prop: Property) -> int:
    """Digits after the point that the property keeps; 0 for what is no decimal."""
    if prop.type is PropertyType.MONEY:
        return MONEY_SCALE
    return prop.scale if prop.type is PropertyType.DECIMAL else 0


def iso_utc(at: datetime) -> str:
    """The instant as fixed-width text, so that text order is time order."""
    # Not by strftime, which writes the year 999 with three digits.
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def scaled(value: Decimal, scale: int) -> int:
    """`value` times 10**scale, exactly.

    Raises:
        ValueError: the value has more digits after the point, or does not fit 64 bits.
    """
    shifted = value.scaleb(scale)
    whole = int(shifted)
    if whole != shifted:
        raise ValueError(f"has more than {scale} digits after the point")
    if abs(whole) > _INT64:
        raise ValueError("is too large")
    return whole


def unscaled(value: int, scale: int) -> Decimal:
    """The decimal that `scaled` made `value` from."""
    return Decimal(value).scaleb(-scale)


def encoder(prop: Property, dialect: DialectName) -> Encoder:
    """A function from a value (never None) to the values of `prop.columns`, in their order."""
    one = _one_encoder(prop, dialect)
    if prop.many:
        return lambda values: (json.dumps([_plain(value) for value in values], ensure_ascii=False),)
    return one


def _one_encoder(prop: Property, dialect: DialectName) -> Encoder:
    scale = scale_of(prop)
    lite = dialect == "sqlite"
    if prop.type is PropertyType.MONEY:
        return lambda money: (scaled(money.amount, scale) if lite else money.amount, money.currency)
    if prop.type is PropertyType.DECIMAL:
        return lambda value: (scaled(value, scale) if lite else value,)
    if prop.type is PropertyType.INSTANT:
        return lambda instant: (iso_utc(instant.at) if lite else instant.at, instant.zone)
    if prop.type is PropertyType.BOOLEAN:
        return lambda value: (int(value) if lite else bool(value),)
    return lambda value: (value,)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def decode(prop: Property, values: tuple[Any, ...], dialect: DialectName) -> Any:
    """The value that the columns hold, None when the first is null."""
    head = values[0]
    if head is None:
        return None
    if prop.many:
        return tuple(json.loads(head) if isinstance(head, str) else head)
    lite = dialect == "sqlite"
    if prop.type is PropertyType.MONEY:
        return Money(unscaled(head, MONEY_SCALE) if lite else head, values[1])
    if prop.type is PropertyType.DECIMAL:
        return unscaled(head, prop.scale) if lite else head
    if prop.type is PropertyType.INSTANT:
        return Instant(datetime.fromisoformat(head) if lite else head, values[1])
    return bool(head) if prop.type is PropertyType.BOOLEAN else head
