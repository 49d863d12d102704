"""Values of database drivers as payload values, exactly."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from math import isfinite
from typing import Any
from uuid import UUID


def exact(value: Any) -> Any:
    """`value` as a payload value: floats as their shortest decimal, times as ISO text, bytes as base64.

    Raises:
        ValueError: a value of this type, or this number, has no exact form; the message does not show it.
    """
    if type(value) in _PLAIN:
        return value
    convert = _BY_TYPE.get(type(value)) or next(
        (made for kind, made in _BY_TYPE.items() if isinstance(value, kind)), None
    )
    if convert is None:
        raise ValueError(f"a value of type {type(value).__name__} has no exact form; cast it in a query")
    return convert(value)


def _decimal(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("NaN and Infinity are not numbers that can be kept")
    return value


def _float(value: float) -> Decimal:
    return Decimal(repr(value)) if isfinite(value) else _decimal(Decimal(value))


def _duration(value: timedelta) -> str:
    """An ISO 8601 duration in seconds, such as PT90.5S."""
    micros = value // timedelta(microseconds=1)
    whole, rest = divmod(abs(micros), 1_000_000)
    fraction = f".{rest:06}".rstrip("0") if rest else ""
    return f"{'-' if micros < 0 else ''}PT{whole}{fraction}S"


def _base64(value: bytes | bytearray | memoryview) -> str:
    return b64encode(value).decode("ascii")


_PLAIN = {str, int, bool, type(None)}

_BY_TYPE: dict[type, Callable[[Any], Any]] = {
    Decimal: _decimal,
    float: _float,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _duration,
    bytes: _base64,
    bytearray: _base64,
    memoryview: _base64,
    UUID: str,
    list: lambda value: [exact(item) for item in value],
    tuple: lambda value: [exact(item) for item in value],
    set: lambda value: sorted(exact(item) for item in value),
    dict: lambda value: {str(key): exact(item) for key, item in value.items()},
    Enum: lambda value: exact(value.value),
    **dict.fromkeys((IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network), str),
}
