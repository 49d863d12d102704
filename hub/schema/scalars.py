"""Scalars: exact values as GraphQL carries them. They are spelled by the database, so output is handed on as it is."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from hub.graph.plans import RowId
from hub.values import is_partial_date

Decimal = NewType("Decimal", str)
Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
Long = NewType("Long", int)
Representation = NewType("Representation", object)

_INT64 = 2**63
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""What Python takes besides, such as `1_000` or digits of other scripts, is more often a slip than meant."""


def _as_it_is(value: Any) -> Any:
    return value


def _decimal(value: Any) -> str:
    """A decimal as text; JSON's and GraphQL's integers are taken, floats are not: they are not exact."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return value
    raise ValueError('a Decimal is a text like "12.50", or a whole number')


def _date(value: Any) -> str:
    if isinstance(value, str) and is_partial_date(value):
        return value
    raise ValueError("a Date is YYYY, YYYY-MM or YYYY-MM-DD")


def _date_time(value: Any) -> str:
    try:
        if isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None:
            return value
    except ValueError:
        pass
    raise ValueError("a DateTime is an instant with its zone, like 2026-01-02T03:04:05Z")


def _long(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64:
        return value
    raise ValueError("a Long is a whole number of 64 bits")


def _representation(value: Any) -> RowId:
    """The row that a representation stands for; what else a gateway knows of it does not matter."""
    if isinstance(value, dict):
        type_, id_ = value.get("__typename"), value.get("id")
        if isinstance(type_, str) and isinstance(id_, str | int) and not isinstance(id_, bool):
            return RowId(type_, str(id_))
    raise ValueError("a representation has `__typename`, a text, and the key `id`, a text")


SCALARS: dict[str, Any] = {
    "Decimal": Decimal,
    "Date": Date,
    "DateTime": DateTime,
    "Long": Long,
    "_Any": Representation,
}
"""The scalars by their GraphQL names."""

SCALAR_MAP: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as text, like `"12.50"`.',
        serialize=_as_it_is,
        parse_value=_decimal,
    ),
    Date: strawberry.scalar(
        name="Date",
        description="A date as `YYYY-MM-DD`, `YYYY-MM` or `YYYY`, as far as it is known. A masked one may be a band.",
        serialize=_as_it_is,
        parse_value=_date,
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC, like `2026-01-02T03:04:05Z`.",
        serialize=_as_it_is,
        parse_value=_date_time,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A whole number of 64 bits, which `Int` with its 32 cannot hold.",
        serialize=_as_it_is,
        parse_value=_long,
    ),
    Representation: strawberry.scalar(
        name="_Any",
        description='What a gateway knows of an object: `{"__typename": "Customer", "id": "..."}`.',
        serialize=_as_it_is,
        parse_value=_representation,
    ),
}
