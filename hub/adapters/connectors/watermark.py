"""Watermarks: the value up to which a stream was read, kept exactly between runs.

A watermark comes back from JSON as the type it was, for a database compares by type. Only those that say a time
(a datetime, a date, an ISO text) can be moved back by seconds or be in the future; others (a counter, a row version)
are opaque.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:(?P<sep>[T ])\d\d:\d\d(?P<seconds>:\d\d(?:\.(?P<fraction>\d{1,9}))?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)
_TYPES: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "text": (str, str, str),
    "integer": (int, str, int),
    "float": (float, repr, float),
    "decimal": (Decimal, str, Decimal),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "uuid": (UUID, str, UUID),
}


def to_json(value: Any) -> list[str]:
    """`value` as its type's name and a text that `from_json` reads back exactly.

    Raises:
        ValueError: values of this type have no order that a cursor could follow.
    """
    for name, (kind, write, _) in _TYPES.items():
        if type(value) is kind:
            return [name, write(value)]
    raise ValueError(f"a value of type {type(value).__name__} cannot be a watermark")


def from_json(made: list[str]) -> Any:
    """The value that `to_json` wrote."""
    name, text = made
    return _TYPES[name][2](text)


def instant(value: Any) -> datetime | None:
    """The UTC time that `value` says, None when it says none; without a zone it is taken as UTC."""
    if isinstance(value, str):
        value = _datetime(value) if _ISO.fullmatch(value) else None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def moved_back(value: Any, seconds: int) -> Any:
    """`value`, at least `seconds` earlier and written the same way; unchanged when it says no time."""
    try:
        if isinstance(value, datetime):
            return value - timedelta(seconds=seconds)
        if isinstance(value, date):
            return value - timedelta(days=-(-seconds // 86_400))
        found = _ISO.fullmatch(value) if isinstance(value, str) else None
        return value if found is None else _restyled(moved_back(_parsed(found), seconds), found)
    except (OverflowError, ValueError):
        return value


def _datetime(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _parsed(found: re.Match[str]) -> date:
    return datetime.fromisoformat(found[0]) if found["sep"] else date.fromisoformat(found[0])


def _restyled(moved: date, found: re.Match[str]) -> str:
    if not isinstance(moved, datetime):
        return moved.isoformat()
    whole = moved.replace(tzinfo=None).isoformat(sep=found["sep"], timespec="microseconds")
    digits = len(found["fraction"] or "")
    # Cut, never rounded: the result may be earlier than asked, not later.
    cut = whole[: 20 + digits] if digits else whole[:19] if found["seconds"] else whole[:16]
    return cut + (found["zone"] or "")
