"""Values that an API writes in a form of its own because JSON has no type for them, as what payloads hold.

Tryton's JSON-RPC writes `{"__class__": "Decimal", "decimal": "1.50"}`, and dates, times, spans and bytes alike
(trytond's `protocols/jsonrpc.py`). Its times are UTC, without saying so.

OData 2 writes times as `"/Date(1772352002123+0000)/"`, without an offset where they are in no zone, what was not asked
for as `{"__deferred": ...}`, and what every entity is as `__metadata` (OData JSON format 2.0, 4 and 6).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Typing = Literal["tryton", "odata2"]
"""Whose form it is."""

_KIND = "__class__"
_TIME = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(value: Any, typing: Typing) -> Any:
    """The reply with each value in the form that payloads have: exact numbers, ISO texts, base64.

    Raises:
        ValueError: a value is none of its kind, or of an unknown one; it is not told.
    """
    return _of_tryton(value) if typing == "tryton" else _of_odata(value)


def _of_odata(value: Any) -> Any:
    """As `plain`.

    >>> _of_odata({"__metadata": {}, "at": "/Date(1772352002123+0060)/", "on": "/Date(0)/", "more": {"__deferred": {}}})
    {'at': '2026-03-01T09:00:02.123000+01:00', 'on': '1970-01-01T00:00:00', 'more': None}
    """
    if isinstance(value, list):
        return [_of_odata(each) for each in value]
    if isinstance(value, dict):
        if "__deferred" in value:
            return None
        return {name: _of_odata(each) for name, each in value.items() if name != "__metadata"}
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return value if found is None else _told(int(found[1]), found[2])


def _told(milliseconds: int, offset: str | None) -> str:
    """The time as ISO 8601; the offset is minutes, and the milliseconds are UTC all the same."""
    try:
        at = _EPOCH + timedelta(milliseconds=milliseconds)
        if offset is None:
            return at.replace(tzinfo=None).isoformat()
        return at.astimezone(timezone(timedelta(minutes=int(offset)))).isoformat()
    except (OverflowError, ValueError):
        raise ValueError("a value that is no time") from None


def _of_tryton(value: Any) -> Any:
    """As `plain`.

    >>> _of_tryton({"total": {"__class__": "Decimal", "decimal": "1.50"}, "on": {"__class__": "date", "year": 2026,
    ...     "month": 1, "day": 2}})
    {'total': Decimal('1.50'), 'on': '2026-01-02'}
    """
    if isinstance(value, list):
        return [_of_tryton(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_KIND)
    if kind is None:
        return {name: _of_tryton(each) for name, each in value.items()}
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
