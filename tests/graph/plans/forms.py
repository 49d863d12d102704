"""Values as the answer of a plan shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from hub.values import Instant, Money


def amount_text(number: Decimal, least: int) -> str:
    """A decimal as the answer shows it."""
    whole, _, digits = f"{abs(number):f}".partition(".")
    digits = digits.rstrip("0").ljust(least, "0")
    return ("-" if number < 0 else "") + whole + (f".{digits}" if digits else "")


def instant_text(at: datetime) -> str:
    """An instant as the answer shows it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"


def iso(text: str | None) -> str | None:
    """A stored instant's text as the answer shows it."""
    return None if text is None else instant_text(datetime.fromisoformat(text))


def scalar(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, Instant):
        return instant_text(value.at)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Money):
        return amount_text(value.amount, 2)
    return amount_text(value, 0) if isinstance(value, Decimal) else value


def text(value: Any) -> str | None:
    """A value as text for people."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return orjson.dumps(list(value)).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{scalar(value)} {value.currency}" if isinstance(value, Money) else str(scalar(value))
