"""Values that an API writes as objects because JSON has no type for them, as what payloads hold.

Tryton's JSON-RPC writes `{"__class__": "Decimal", "decimal": "1.50"}`, and dates, times, spans and bytes alike
(trytond's `protocols/jsonrpc.py`). Its times are UTC, without saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

_KIND = "__class__"


def plain(value: Any) -> Any:
    """The reply with each typed object in the form that payloads have: exact numbers, ISO texts, base64.

    Raises:
        ValueError: an object is of an unknown class, or is none of its class; its value is not told.

    >>> plain({"total": {"__class__": "Decimal", "decimal": "1.50"}, "on": {"__class__": "date", "year": 2026,
    ...     "month": 1, "day": 2}})
    {'total': Decimal('1.50'), 'on': '2026-01-02'}
    """
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_KIND)
    if kind is None:
        return {name: plain(each) for name, each in value.items()}
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise ValueError(f"a value of the unknown class {kind!r}; known are {', '.join(_READERS)}")
    try:
        return read({name: each for name, each in value.items() if name != _KIND})
    except (KeyError, TypeError, ValueError, InvalidOperation):
        raise ValueError(f"a value that is no {kind}") from None


def _moment(parts: Mapping[str, Any]) -> str:
    return f"{datetime(**parts).isoformat()}Z"


def _seconds(parts: Mapping[str, Any]) -> Decimal:
    return Decimal(str(parts["seconds"]))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "Decimal": lambda parts: Decimal(parts["decimal"]),
    "date": lambda parts: date(**parts).isoformat(),
    "datetime": _moment,
    "time": lambda parts: time(**parts).isoformat(),
    "timedelta": _seconds,
    "bytes": lambda parts: str(parts["base64"]),
}
