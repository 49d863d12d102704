"""What zeep makes of an answer, as what payloads hold."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_NAMES = re.compile(r"\w+(?:\.\w+)*")


def plain(said: Any) -> Any:
    """The answer with exact numbers, ISO texts and base64; XML of no known type as names and texts.

    Raises:
        ValueError: a value has no such form; it is not told.
    """
    from zeep.helpers import serialize_object

    return _plain(serialize_object(getattr(said, "root", said), dict))


def is_empty(json: Any, path: str) -> bool:
    """Whether the answer has nothing where its type has the records: absent, which is how XML writes an empty list.

    >>> is_empty({"customers": None}, "customers.customer"), is_empty({"customers": None}, "customer")
    (True, False)
    """
    if path == "@":
        return json is None
    if not _NAMES.fullmatch(path):
        return False
    for name in path.split("."):
        if json is None:
            return True
        if not isinstance(json, dict) or name not in json:
            return False
        json = json[name]
    return json is None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | Decimal):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        exact = Decimal(repr(value))
        return exact if exact.is_finite() else str(exact)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if hasattr(value, "itertext") and hasattr(value, "tag"):
        return _of_element(value)
    if isinstance(value, timedelta) or hasattr(value, "tdelta"):
        from isodate import duration_isoformat

        return duration_isoformat(value)
    raise ValueError(f"a value of type {type(value).__name__}, which no record can hold")


def _of_element(element: Any) -> Any:
    """An element without a type: its text, or its children by name, each a list where the name is repeated."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        return element.text
    found: dict[str, list[Any]] = {}
    for child in children:
        found.setdefault(child.tag.rpartition("}")[2], []).append(_of_element(child))
    return {name: each[0] if len(each) == 1 else each for name, each in found.items()}
