"""Filters as SQL conditions. A condition that is null counts as false; `Not` says so explicitly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.errors import AccessDeniedError, LimitError, QueryError
from hub.graph.plans.build import Build
from hub.graph.plans.params import kind_of, list_value, packed, stored, text_value
from hub.graph.plans.reach import table
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.sql import ParamKind, Sql
from hub.graph.plans.ways import Source, keeps_customer_along, reference_of, rows
from hub.graph.plans.where import And, Compare, Filter, Not, Op, Operand, Or, Rows, Some, ToOne
from hub.ontology import Property, PropertyType

MAX_DEPTH = 6
"""Levels that a filter may nest; SQLite's parser bounds how deep a statement nests."""

_SYSTEM = {True: ("id", "source"), False: ("id", "kind")}
"""Columns that are no properties but may be compared, of entities and of customers."""
_ORDERING = {Op.LT: "<", Op.LTE: "<=", Op.GT: ">", Op.GTE: ">="}
_TEXTUAL = (Op.STARTS_WITH, Op.CONTAINS)
_NOT_TEXT = (
    PropertyType.INTEGER,
    PropertyType.DECIMAL,
    PropertyType.MONEY,
    PropertyType.BOOLEAN,
    PropertyType.INSTANT,
    PropertyType.REFERENCE,
)
_UNORDERED = (PropertyType.BOOLEAN, PropertyType.REFERENCE)
_LISTABLE = (PropertyType.INTEGER, PropertyType.DECIMAL, PropertyType.BOOLEAN)

_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""As both databases' `lower` in binary collation: ASCII letters alone."""


def condition(build: Build, scope: Scope, filter_: Filter, depth: int = 0) -> str:
    """The filter as an SQL condition on the row.

    Raises:
        QueryError: it does not fit the type.
        AccessDeniedError: it compares what the caller may not see whole.
    """
    if depth > MAX_DEPTH:
        raise LimitError(f"a filter nests too deeply; the limit max_filter_depth is {MAX_DEPTH}")
    if isinstance(filter_, And):
        return _all(build, scope, filter_.filters, " AND ", "1 = 1", depth)
    if isinstance(filter_, Or):
        return _all(build, scope, filter_.filters, " OR ", "1 = 0", depth)
    if isinstance(filter_, Not):
        return f"NOT coalesce(({condition(build, scope, filter_.filter, depth + 1)}), 1 = 0)"
    if isinstance(filter_, Some):
        return _some(build, scope, filter_, depth)
    return _compare(build, scope, filter_)


def _all(build: Build, scope: Scope, filters: tuple[Filter, ...], word: str, none: str, depth: int) -> str:
    return word.join(f"({condition(build, scope, item, depth + 1)})" for item in filters) or none


# along links


def _some(build: Build, scope: Scope, some: Some, depth: int) -> str:
    way = some.way
    source = _rows(build, scope, way) if isinstance(way, Rows) else _target(build, scope, way)
    name = source.scope.shape.name
    if not build.guard.sees(name):
        raise AccessDeniedError(f"no property of {name} is allowed, so nothing can be filtered by it")
    build.guard.read_type(name)
    more = (condition(build, source.scope, some.where, depth + 1),) if some.where else ()
    return f"EXISTS ({source.sql('1', more)})"


def _rows(build: Build, scope: Scope, way: Rows) -> Source:
    source = rows(build, scope, way)
    if way.by is not None:
        build.guard.require(source.scope, source.scope.shape.property(way.by), "filtered by")
    elif not build.guard.belongs_in(build.entity(way.type), source.scope.proven):
        raise AccessDeniedError(f"which {way.type} belongs to a customer is denied and cannot be filtered by")
    return source


def _target(build: Build, scope: Scope, way: ToOne) -> Source:
    reference = reference_of(scope.shape, way.property)
    build.guard.require(scope, reference, "filtered by")
    targets = [target.name for target in build.ontology.range_types(reference.range or "")]
    type_name = way.type or (targets[0] if len(targets) == 1 else None)
    if type_name not in targets:
        raise QueryError(f"{scope.shape.name}.{way.property} needs one of the types {', '.join(targets)}")
    covered = keeps_customer_along(scope.shape, reference, build.entity(type_name))
    target = build.scope(build.shape(type_name), scope if covered else None)
    return Source(
        table(build, target), (f"{target.column('id')} = {scope.column(reference.column)}",), target
    )


# comparisons


def _compare(build: Build, scope: Scope, compare: Compare) -> str:
    if compare.property in _SYSTEM[scope.shape.entity is not None]:
        return _system(build, scope, compare)
    prop = scope.shape.property(compare.property)
    _check(scope.shape, prop, compare)
    build.guard.require(scope, prop, "filtered by")
    if compare.part is not None:
        return _Comparison(build, compare.op, compare.operand, "text", _text_of(prop), prop.name).on(
            scope.column(prop.columns[1])
        )
    column = scope.column(prop.column)
    dialect = build.sql.dialect
    comparison = _Comparison(
        build,
        compare.op,
        compare.operand,
        kind_of(prop),
        lambda value: stored(prop, value, dialect),
        prop.name,
    )
    if not prop.many or compare.op is Op.IS_NULL:
        return comparison.on(column)
    elements, element = build.sql.elements(column)
    return f"EXISTS (SELECT 1 FROM {elements} WHERE {comparison.on(element)})"


def _system(build: Build, scope: Scope, compare: Compare) -> str:
    if compare.op not in (Op.EQ, Op.NE, Op.IN) or compare.part is not None:
        raise QueryError(f"{compare.property} takes eq, ne and in")
    label = compare.property
    build.guard.read_type(scope.shape.name)
    return _Comparison(
        build, compare.op, compare.operand, "text", lambda value: text_value(value, label), label
    ).on(scope.column(label))


def _text_of(prop: Property) -> Callable[[Any], str]:
    return lambda value: text_value(value, prop.name)


def _check(shape: Shape, prop: Property, compare: Compare) -> None:
    label, op = f"{shape.name}.{prop.name}", compare.op
    if compare.part is not None:
        if (compare.part, prop.type) not in (
            ("currency", PropertyType.MONEY),
            ("zone", PropertyType.INSTANT),
        ):
            raise QueryError(f"{label} has no part {compare.part!r} to filter by")
        if op not in (Op.EQ, Op.NE, Op.IN, Op.IS_NULL):
            raise QueryError(f"{label}.{compare.part} takes eq, ne, in and isNull")
        return
    if op in _TEXTUAL and prop.type in _NOT_TEXT:
        raise QueryError(f"{label} is no text, so {op} does not fit it")
    if (op in _ORDERING or op is Op.BETWEEN) and (prop.type in _UNORDERED or prop.many):
        raise QueryError(f"{label} has no order, so {op} does not fit it")
    if prop.many and prop.type in _LISTABLE and op is not Op.IS_NULL:
        raise QueryError(f"{label} is a list of {prop.type} values, which cannot be filtered by")
    if prop.many and op is Op.NE:
        raise QueryError(f"{label} is a list; use not eq")


class _Comparison:
    """One operator with its operand, on any expression of the operand's kind."""

    def __init__(
        self,
        build: Build,
        op: Op,
        operand: Operand,
        kind: ParamKind,
        convert: Callable[[Any], Any],
        label: str,
    ) -> None:
        self._sql: Sql = build.sql
        self._params = build.params
        self._op, self._operand, self._kind, self._convert, self._label = op, operand, kind, convert, label

    def on(self, expression: str) -> str:
        """The condition."""
        sql, op = self._sql, self._op
        if op is Op.IS_NULL:
            wanted = self._param(self._truth, "bigint")
            return f"({expression} IS NULL) = ({wanted} = 1)"
        if op is Op.IN:
            return sql.in_list(expression, self._params.add(self._operand, self._list), self._kind)
        if op in _TEXTUAL:
            needle = self._param(lambda value: text_value(value, self._label).translate(_FOLD), "text")
            test = sql.contains if op is Op.CONTAINS else sql.starts_with
            return test(sql.folded(expression), needle)
        if op is Op.BETWEEN:
            return self._between(expression)
        value = self._param(self._given, self._kind)
        if op is Op.EQ:
            return f"{expression} = {value}"
        if op is Op.NE:
            return f"NOT ({sql.same(expression, value)})"
        return f"{self._ordered(expression)} {_ORDERING[op]} {value}"

    def _between(self, expression: str) -> str:
        names = self._params.add_all(self._operand, self._pair, 2)
        low, high = (self._sql.param(name, self._kind) for name in names)
        ordered = self._ordered(expression)
        return f"{ordered} >= {low} AND {ordered} <= {high}"

    def _ordered(self, expression: str) -> str:
        return self._sql.binary(expression) if self._kind == "text" else expression

    def _param(self, convert: Callable[[Any], Any], kind: ParamKind) -> str:
        return self._sql.param(self._params.add(self._operand, convert), kind)

    def _given(self, value: Any) -> Any:
        if value is None:
            raise QueryError(f"{self._label}: {self._op} takes a value; use isNull for a missing one")
        return self._convert(value)

    def _list(self, value: Any) -> Any:
        return packed([self._given(item) for item in list_value(value, self._label)], self._sql.dialect)

    def _pair(self, value: Any) -> tuple[Any, ...]:
        pair = list_value(value, self._label)
        if len(pair) != 2:
            raise QueryError(f"{self._label}: between takes two values, the lower first")
        return tuple(self._given(item) for item in pair)

    def _truth(self, value: Any) -> int:
        if not isinstance(value, bool):
            raise QueryError(f"{self._label}: isNull takes true or false")
        return int(value)
