"""Which rows a read plan is asked for: operands and filters, as hashable values.

An *operand* is a literal or a `Var` whose value is given when the plan runs, so that one compiled plan serves many
requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Var:
    """A value that is given when the plan runs."""

    name: str


@dataclass(frozen=True, slots=True)
class RowId:
    """A row by its type and its id."""

    type: str
    id: str = field(repr=False)


Literal = str | int | bool | Decimal | datetime | RowId | tuple["Literal", ...] | None
Operand = Var | Literal


# filters


class Op(StrEnum):
    """How a property is compared.

    `contains` and `startsWith` ignore the case of ASCII letters and of no others, alike in both databases. A comparison
    with a missing value is false; only `ne` and `isNull` hold for one. Of a property with many values, one that fits is
    enough.
    """

    EQ = "eq"
    NE = "ne"
    IN = "in"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    BETWEEN = "between"
    IS_NULL = "isNull"
    STARTS_WITH = "startsWith"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True)
class Compare:
    """A property against a value: money by its amount unless `part` is `currency`.

    `id` may be compared in every type, `source` in those of entities, `kind` in the customer's. `between` takes two
    values, `in` a list, `isNull` a boolean.
    """

    property: str
    op: Op
    operand: Operand = field(repr=False)
    part: str | None = None


@dataclass(frozen=True, slots=True)
class And:
    """All of the filters; true when there are none."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the filters; false when there are none."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The rows that the filter leaves out."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class ToOne:
    """Along a reference; `type` is needed where the reference may lead to several types."""

    property: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """To the rows of `type` that refer here by the property `by`; from a customer and without `by`, to its own."""

    type: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Some:
    """Whether the way leads to at least one row that passes the filter (any row when there is none)."""

    way: ToOne | Rows
    where: Filter | None = None


Filter = And | Or | Not | Compare | Some
