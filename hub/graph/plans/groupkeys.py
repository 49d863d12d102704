"""Keys of groups: the values that rows are grouped by, their own or those of rows that references lead to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.errors import AccessDeniedError, LimitError, QueryError
from hub.graph.plans.build import Build, key_of, unique
from hub.graph.plans.reach import table
from hub.graph.plans.selection import Constant, KeyAlong, KeyField, KeyValue, Unit
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.sql import Member, Sql
from hub.graph.plans.values import known_value, ordered, scalar_member
from hub.graph.plans.ways import keeps_customer_along, reference_of
from hub.ontology import CUSTOMER, PARTY, Property, PropertyType

MAX_KEYS = 8
"""Values that one group may be made by."""
MAX_LINKS = 8
"""References that they may lead along, all in all."""

_WIDTHS = {Unit.YEAR: 4, Unit.MONTH: 7, Unit.DAY: 10}
_CALENDAR = (PropertyType.DATE, PropertyType.INSTANT)
_UNGROUPED = (PropertyType.DECIMAL, PropertyType.REFERENCE)
_USE = "grouped by"


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """One value of the key, as a column of the groups."""

    column: str
    sql: str
    """The value as an expression on the rows."""
    order: str
    """What sorts by it, on the column."""


class Keys:
    """What the groups of one list are made by, as the compiler meets it."""

    def __init__(self, build: Build, rows: Scope) -> None:
        self._build, self._rows = build, rows
        self._columns: dict[str, KeyColumn] = {}
        self._links: dict[tuple[str, str | None], tuple[str, Scope]] = {}

    @property
    def columns(self) -> tuple[KeyColumn, ...]:
        """The values, in the order in which they were asked for."""
        return tuple(self._columns.values())

    @property
    def joins(self) -> tuple[str, ...]:
        """What brings the rows that references lead to: at most one for each row, so none is counted twice."""
        return tuple(join for join, _ in self._links.values())

    @property
    def reached(self) -> tuple[Scope, ...]:
        """The rows that references lead to."""
        return tuple(row for (_, name), (_, row) in self._links.items() if name or row.shape is not _MEMBER)

    def member(self, row: Scope, fields: Sequence[KeyField]) -> Member:
        """The key of a group, whose row has a column for each value.

        Raises:
            QueryError: rows cannot be grouped so.
            AccessDeniedError: the caller may not see whole what they would be grouped by.
            LimitError: there are too many values or references.
        """
        return self._object(self._rows, row, fields)

    def _object(self, of: Scope, row: Scope, fields: Sequence[KeyField]) -> Member:
        unique(fields)
        return self._build.sql.obj([(key_of(item), self._field(of, row, item)) for item in fields])

    def _field(self, of: Scope, row: Scope, item: KeyField) -> Member:
        if isinstance(item, Constant):
            return self._build.sql.constant(item.value)
        if isinstance(item, KeyAlong):
            return self._object(self._along(of, item), row, item.fields)
        fact = _row_fact(of, item)
        if fact is not None:
            self._build.guard.read_type(of.shape.name)
            return self._build.sql.text(row.column(self._column(of.column(fact), None)))
        return self._value(of, row, item)

    # values

    def _value(self, of: Scope, row: Scope, item: KeyValue) -> Member:
        sql, prop = self._build.sql, of.shape.property(item.name)
        _check(of.shape, prop, item)
        self._build.guard.require(of, prop, _USE)
        if item.parts is not None:
            currency = row.column(self._column(of.column(prop.columns[1]), None))
            return self._build.parts(item.parts, {"currency": lambda: sql.text(currency)}, prop.name)
        column = of.column(prop.column)
        if item.unit is not None:
            return sql.text(row.column(self._column(_stretch(sql, prop, column, item.unit), None)))
        if prop.type is PropertyType.ENUM:
            return sql.text(row.column(self._column(known_value(sql, prop, column), prop)))
        return scalar_member(sql, prop, row.column(self._column(column, prop)))

    def _column(self, expression: str, prop: Property | None) -> str:
        known = self._columns.get(expression)
        if known is None:
            if len(self._columns) == MAX_KEYS:
                raise LimitError(f"rows are grouped by {MAX_KEYS} values at most")
            column = f"k{len(self._columns)}"
            quoted = f'"{column}"'
            order = self._build.sql.binary(quoted) if prop is None else ordered(self._build.sql, prop, quoted)
            known = self._columns[expression] = KeyColumn(column, expression, order)
        return known.column

    # links

    def _along(self, of: Scope, along: KeyAlong) -> Scope:
        if along.property is None:
            return self._customer(of)
        reference = reference_of(of.shape, along.property)
        self._build.guard.require(of, reference, _USE)
        names = [type_.name for type_ in self._build.ontology.range_types(reference.range or "")]
        for name in names:
            self._see(name)
        shape = _MEMBER if reference.range == PARTY else self._build.shape(names[0])
        column = of.column(reference.column)
        targets = self._build.ontology.range_types(reference.range or "")
        covered = all(keeps_customer_along(of.shape, reference, target) for target in targets)
        return self._link(
            of, along.property, shape, covered, lambda row: f"{row.column(_id_of(row))} = {column}"
        )

    def _customer(self, of: Scope) -> Scope:
        entity = of.shape.entity
        if of.shape is not _MEMBER:
            if entity is None or not entity.has_customer:
                raise QueryError(f"{of.shape.name} has no customer to group by")
            if not self._build.guard.belongs_in(entity, of.proven):
                raise AccessDeniedError(
                    f"which {entity.name} belongs to a customer is denied and cannot be {_USE}"
                )
            party = of.column("id" if entity.is_party else "party_id")
            of = self._link(of, None, _MEMBER, True, lambda row: f"{row.column(_id_of(row))} = {party}")
        self._see(CUSTOMER)
        member = of.column("customer_id")
        shape = self._build.shape(CUSTOMER)
        return self._link(of, None, shape, True, lambda row: f"{row.column('id')} = {member}")

    def _see(self, type_name: str) -> None:
        if not self._build.guard.sees(type_name):
            raise AccessDeniedError(f"no property of {type_name} is allowed, so nothing can be {_USE} it")

    def _link(
        self, of: Scope, name: str | None, shape: Shape, covered: bool, on: Callable[[Scope], str]
    ) -> Scope:
        key = (of.alias, name)
        if key not in self._links:
            if len(self._links) == MAX_LINKS:
                raise LimitError(f"the key of a group leads along {MAX_LINKS} references at most")
            row = self._build.scope(shape, of if covered else None)
            self._links[key] = (f"LEFT JOIN {table(self._build, row)} ON {on(row)}", row)
        return self._links[key][1]


_MEMBER = Shape(PARTY, "membership", {}, None)
"""A party of whatever type, by its row in the table that tells its customer."""


def _id_of(row: Scope) -> str:
    return "party_id" if row.shape is _MEMBER else "id"


def _row_fact(of: Scope, item: KeyValue) -> str | None:
    """The system column that the name stands for; None where it stands for a property."""
    known = {"id": _id_of(of)}
    if of.shape.entity is not None:
        known["source"] = "source"
    elif of.shape is not _MEMBER:
        known["kind"] = "kind"
    if item.name in known and (item.unit is not None or item.parts is not None):
        raise QueryError(f"{of.shape.name}.{item.name} is a text, without unit and parts")
    return known.get(item.name)


def _check(shape: Shape, prop: Property, item: KeyValue) -> None:
    label = f"{shape.name}.{prop.name}"
    if prop.many or prop.type in _UNGROUPED:
        raise QueryError(f"{label} cannot be grouped by")
    if (prop.type is PropertyType.MONEY) != (item.parts is not None):
        raise QueryError(f"{label}: money, and nothing else, is grouped by its part currency")
    if (prop.type in _CALENDAR) != (item.unit is not None):
        raise QueryError(
            f"{label}: dates and instants, and nothing else, are grouped by a unit of the calendar"
        )


def _stretch(sql: Sql, prop: Property, column: str, unit: Unit) -> str:
    """The stretch of the calendar that a time is in, as text; what is known of a date that is known less exactly."""
    instant = prop.type is PropertyType.INSTANT
    text = sql.sortable_instant(column) if instant else column
    if unit is not Unit.QUARTER:
        return f"substr({text}, 1, {_WIDTHS[unit]})"
    quarter = f"(CAST(substr({text}, 6, 2) AS INTEGER) + 2) / 3"
    named = f"substr({text}, 1, 4) || '-Q' || CAST({quarter} AS TEXT)"
    return named if instant else f"CASE WHEN length({text}) > 4 THEN {named} ELSE {text} END"


def holder(row: Scope) -> tuple[str, bool] | None:
    """Who a row tells of, as SQL: a customer's id (True) or a party's; None for types without a customer."""
    entity = row.shape.entity
    if entity is None:
        return row.column("customer_id" if row.shape is _MEMBER else "id"), True
    if not entity.has_customer:
        return None
    return row.column("id" if entity.is_party else "party_id"), False
