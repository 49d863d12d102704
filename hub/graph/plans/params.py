"""Values on their way into a plan: checked, brought into the store's form, bound; never part of the SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.errors import LimitError, QueryError
from hub.graph.plans.sql import ParamKind
from hub.graph.plans.where import Literal, Operand, RowId, Var
from hub.ontology import Property, PropertyType
from hub.store import DialectName, iso_utc, scale_of, scaled
from hub.values import is_partial_date

Convert = Callable[[Any], tuple[Any, ...]]

_INT64 = 2**63
_KINDS: dict[PropertyType, ParamKind] = {
    PropertyType.INTEGER: "bigint",
    PropertyType.DECIMAL: "numeric",
    PropertyType.MONEY: "numeric",
    PropertyType.BOOLEAN: "boolean",
    PropertyType.INSTANT: "timestamptz",
}
MAX_LIST = 1000
"""Values that one `in` takes."""
_MAX_DIGITS = 40
"""Digits of a number, written out: more than any column holds, few enough to handle."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Parameters that are filled from one operand."""

    names: tuple[str, ...]
    source: Var | None
    """Where the value comes from; None when `fixed` holds it."""
    convert: Convert = field(repr=False)
    fixed: tuple[Any, ...] = field(default=(), repr=False)

    def values(self, variables: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of `names`."""
        return self.fixed if self.source is None else self.convert(variables.get(self.source.name))


class Params:
    """The parameters of one plan, as the compiler meets them."""

    def __init__(self) -> None:
        self.bindings: list[Binding] = []
        self._count = 0

    def add(self, operand: Operand, convert: Callable[[Any], Any]) -> str:
        """The name of a new parameter that holds the operand, converted."""
        return self.add_all(operand, lambda value: (convert(value),), 1)[0]

    def add_all(self, operand: Operand, convert: Convert, count: int) -> tuple[str, ...]:
        """The names of `count` new parameters, all of them filled from one operand."""
        names = tuple(f"p{self._count + index}" for index in range(count))
        self._count += count
        if isinstance(operand, Var):
            self.bindings.append(Binding(names, operand, convert))
        else:
            self.bindings.append(Binding(names, None, convert, convert(operand)))
        return names


def kind_of(prop: Property) -> ParamKind:
    """The SQL type of the property's main column."""
    return "text" if prop.many else _KINDS.get(prop.type, "text")


def text_value(value: Any, label: str) -> str:
    """The value as a text that both databases take.

    Raises:
        QueryError: it is no text, or holds what no database text may.
    """
    if not isinstance(value, str):
        raise QueryError(f"{label} takes a text")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise QueryError(f"{label} holds a character that no text may have")
    return value


def list_value(value: Any, label: str) -> Sequence[Any]:
    """The value as a list of bounded length.

    Raises:
        QueryError: it is no list.
        LimitError: it is too long.
    """
    if not isinstance(value, list | tuple):
        raise QueryError(f"{label} takes a list")
    if len(value) > MAX_LIST:
        raise LimitError(f"{label} lists {len(value)} values; the limit max_list is {MAX_LIST}")
    return value


def packed(values: Sequence[Any], dialect: DialectName) -> Any:
    """A list as one parameter of `Sql.in_list`."""
    return json.dumps(list(values)) if dialect == "sqlite" else list(values)


def stored(prop: Property, value: Any, dialect: DialectName) -> Any:
    """A value as the main column of the property holds it.

    Raises:
        QueryError: the value does not fit the property; the message does not repeat it.
    """
    label = prop.name
    if prop.type is PropertyType.BOOLEAN:
        if not isinstance(value, bool):
            raise QueryError(f"{label} takes true or false")
        return int(value) if dialect == "sqlite" else value
    if prop.type is PropertyType.INTEGER:
        return _integer(value, label)
    if prop.type in (PropertyType.DECIMAL, PropertyType.MONEY):
        return _decimal(prop, value, dialect)
    if prop.type is PropertyType.INSTANT:
        at = _instant(value, label)
        return iso_utc(at) if dialect == "sqlite" else at
    text = text_value(value, label)
    if prop.type is PropertyType.DATE and not is_partial_date(text):
        raise QueryError(f"{label} takes YYYY, YYYY-MM or YYYY-MM-DD")
    return text


def _integer(value: Any, label: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
        raise QueryError(f"{label} takes a whole number of 64 bits")
    return value


def _decimal(prop: Property, value: Any, dialect: DialectName) -> Any:
    number = _finite(value, prop.name)
    try:
        whole = scaled(number, scale_of(prop))
    except (ValueError, InvalidOperation) as error:
        raise QueryError(
            f"{prop.name} takes a number with {scale_of(prop)} digits after the point at most"
        ) from error
    return whole if dialect == "sqlite" else number


def _finite(value: Any, label: str) -> Decimal:
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise QueryError(f"{label} takes a decimal number")
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError) as error:
        raise QueryError(f"{label} takes a decimal number") from error
    if (
        not number.is_finite()
        or abs(number.adjusted()) > _MAX_DIGITS
        or len(number.as_tuple().digits) > _MAX_DIGITS
    ):
        raise QueryError(f"{label} takes a decimal number of ordinary size")
    return number


def _instant(value: Any, label: str) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise QueryError(f"{label} takes an instant like 2026-01-02T03:04:05Z") from error
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise QueryError(f"{label} takes an instant with its zone, like 2026-01-02T03:04:05Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise QueryError(f"{label} takes an instant between the years 1 and 9999") from error


def count_of(operand: Operand, variables: Mapping[str, Any], most: int) -> int:
    """How many rows an operand asks for or lists, for the cost; `most` while its variable has no value."""
    value: Literal = variables.get(operand.name, most) if isinstance(operand, Var) else operand
    if isinstance(value, tuple):
        return len(value)
    # A negative one is refused when its plan is bound, which may be after others of the same request have run.
    return max(value, 0) if isinstance(value, int) else most


def packed_rows(value: Any, most: int) -> str:
    """A list of rows that are named, as one parameter of `Sql.named`.

    Raises:
        QueryError: it is none, or an id holds what no database text may.
        LimitError: it names more than `most`.
    """
    if not isinstance(value, tuple) or not all(isinstance(each, RowId) for each in value):
        raise QueryError("rows are named by type and id")
    if len(value) > most:
        raise LimitError(f"{len(value)} rows are asked for by id; the limit max_page is {most}")
    return json.dumps([(each.type, text_value(each.id, "id")) for each in value])


def page_size(value: Any, label: str, most: int) -> int:
    """The value of a `first`.

    Raises:
        QueryError: it is no whole number from 0 on.
        LimitError: it is more than `most`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise QueryError(f"{label}: `first` takes a whole number from 0 on")
    if value > most:
        raise LimitError(f"{label}: `first` asks for {value} rows; the limit max_page is {most}")
    return value
