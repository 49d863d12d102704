"""Aggregates: counts, sums, least and greatest values over all rows of a connection, or over each group of them.

Rows are grouped in two steps. The first groups by the keys and by the currency of every amount that is asked for, so
that no two currencies are ever added; the second makes the groups of these and keeps the currencies apart as pairs.

A figure tells nothing that the rows would not: every property that is aggregated or grouped by must be allowed whole to
the caller, who could list the rows instead. For the same reason small groups need no protection of their own. What a
figure does hide is whose rows they are; so where all of them are one customer's, that customer is reported. The same
holds for a bare count: with a filter on one customer's values, it tells whether they pass it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.errors import QueryError
from hub.graph.plans.build import (
    Build,
    Cost,
    Piece,
    Place,
    assembled,
    collected,
    lifted,
    raised_text,
    unique,
)
from hub.graph.plans.groupkeys import Keys, holder
from hub.graph.plans.selection import (
    Aggregate,
    Constant,
    Figure,
    Figures,
    GroupKey,
    GroupOrder,
    Groups,
    KeyAlong,
    RowCount,
)
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.values import MONEY_PARTS, ordered, plain_text, scalar_member
from hub.graph.plans.ways import Source
from hub.ontology import Property, PropertyType
from hub.store import scale_of

CURRENCIES = 5
"""Currencies that a figure of money counts as in the cost; few companies bill in more."""
SCAN = 500
"""What it costs, beside the fields, to aggregate rows that are not one customer's: they may be a whole table's."""
MAX_CURRENCIES = 1000
"""More than there are; the bound makes SQLite keep the order of the rows."""
MAX_SKIP = 2**31 - 1

_SUMMED = (PropertyType.INTEGER, PropertyType.DECIMAL, PropertyType.MONEY)
_COMPARED = (*_SUMMED, PropertyType.DATE, PropertyType.INSTANT)
_GROUP = Shape("Group", "", {}, None)
_AMOUNT = Shape("Amount", "", {}, None)


@dataclass(slots=True)
class _Table:
    """The rows of an aggregate in the making."""

    build: Build
    source: Source
    keys: Keys
    row: Scope
    """A group as the outer query sees it."""
    currencies: dict[str, str] = field(default_factory=dict)
    """Columns of the first step that it groups by, beside the keys, by their expressions."""
    figures: dict[tuple[str, str], str] = field(default_factory=dict)
    """Columns of both steps: by the expression on the rows, and that on the first step's column `{}`."""

    def figure(self, first: str, second: str) -> str:
        """A column of the group's row."""
        return self.row.column(self.figures.setdefault((first, second), f"f{len(self.figures)}"))

    def currency(self, expression: str) -> str:
        """The column of an amount's currency in the first step."""
        return self.currencies.setdefault(expression, f"c{len(self.currencies)}")

    def sql(self, filtered: tuple[str, ...]) -> str:
        """The SELECT of the groups, in no order."""
        keys = {key.column: key.sql for key in self.keys.columns}
        grouped = keys | {column: sql for sql, column in self.currencies.items()}
        first = {**grouped, "n": "count(*)", **{column: sql for (sql, _), column in self.figures.items()}}
        second = [*_quoted(keys), 'coalesce(sum("n"), 0) AS "n"']
        second += [f'{sql.format(_step(column))} AS "{column}"' for (_, sql), column in self.figures.items()]
        joined = replace(self.source, tables=" ".join([self.source.tables, *self.keys.joins]))
        columns = ", ".join(f'{sql} AS "{column}"' for column, sql in first.items())
        fine = joined.sql(columns, filtered) + _group_by(str(place + 1) for place in range(len(grouped)))
        return f"SELECT {', '.join(second)} FROM ({fine}) f{_group_by(_quoted(keys))}"


def _step(column: str) -> str:
    return f'f."{column}"'


def _quoted(columns: Iterable[str]) -> list[str]:
    return [f'"{column}"' for column in columns]


def _group_by(terms: Iterable[str]) -> str:
    listed = ", ".join(terms)
    return f" GROUP BY {listed}" if listed else ""


def figures_piece(
    build: Build, source: Source, filtered: tuple[str, ...], item: Aggregate | Groups, place: Place
) -> Piece:
    """The figures over the source's rows that pass the filter, or over each group of them.

    Raises:
        QueryError: they do not fit the type.
        AccessDeniedError: the caller may not see whole what is aggregated or grouped by.
        LimitError: there are too many groups, or keys.
    """
    table = _Table(build, source, Keys(build, source.scope), build.scope(_GROUP))
    size = sum(map(_size, item.fields))
    if not place.covered:
        build.costs.append(Cost(SCAN, place.pages))
    if isinstance(item, Aggregate):
        build.costs.append(Cost(size, place.pages))
        return _over_all(table, filtered, item, place)
    build.costs.append(Cost(size, (*place.pages, item.first)))
    return _over_groups(table, filtered, item, place)


def counted_customers(
    build: Build, source: Source, filtered: tuple[str, ...], place: Place
) -> tuple[str, ...]:
    """Whom a count of the rows tells of: nobody where it is of all that a type has."""
    if source.free and not filtered:
        return ()
    table = _Table(build, source, Keys(build, source.scope), build.scope(_GROUP))
    told = _told(table, place)
    return _customers(table, _rows(table, table.sql(filtered), told), told) if told else ()


def _size(item: Any) -> int:
    """The fields that one item has in the answer."""
    if isinstance(item, Figures | GroupKey | KeyAlong):
        return 1 + sum(map(_size, item.fields))
    return 1 + CURRENCIES * len(item.parts) if isinstance(item, Figure) and item.parts else 1


def _over_all(table: _Table, filtered: tuple[str, ...], item: Aggregate, place: Place) -> Piece:
    built = _object(table, item.fields)
    told = _told(table, place)
    rows = _rows(table, table.sql(filtered), told)
    shown = f"(SELECT {built.member.sql} {lifted(table.build, table.row, f'({rows}) {table.row.alias}')})"
    return Piece(replace(built.member, sql=shown), _customers(table, rows, told), built.height)


def _over_groups(table: _Table, filtered: tuple[str, ...], item: Groups, place: Place) -> Piece:
    build = table.build
    label = ".".join(place.path)
    limit, skip = build.first(item.first, label), _skip(build, item, label)
    built = _object(table, item.fields)
    if not table.keys.columns:
        raise QueryError(f"{label}: ask for the `key` too: it says what the groups are made by")
    told = _told(table, place)
    order = ", ".join(_order(table, item.order))
    rows = _rows(table, f"{table.sql(filtered)} ORDER BY {order} LIMIT {limit} OFFSET {skip}", told)
    listed = collected(build, table.row, replace(built, customers=()), rows)
    return replace(listed, customers=_customers(table, rows, told), height=built.height)


def _skip(build: Build, item: Groups, label: str) -> str:
    def number(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SKIP:
            raise QueryError(f"{label}: `skip` takes a whole number from 0 on")
        return value

    return build.sql.param(build.params.add(item.skip, number), "bigint")


def _order(table: _Table, order: GroupOrder) -> Iterable[str]:
    if order in (GroupOrder.COUNT_DESC, GroupOrder.COUNT_ASC):
        yield 'sum("n")' + (" DESC" if order is GroupOrder.COUNT_DESC else "")
    way = " DESC" if order is GroupOrder.KEY_DESC else ""
    yield from (f"{key.order}{way} NULLS LAST" for key in table.keys.columns)


# the object of a group


def _object(table: _Table, fields: Sequence[Any]) -> Piece:
    unique(fields)
    pieces = [_field(table, item) for item in fields]
    return assembled(table.build, table.row, fields, pieces)


def _field(table: _Table, item: Constant | RowCount | Figures | GroupKey) -> Piece:
    sql = table.build.sql
    if isinstance(item, Constant):
        return Piece(sql.constant(item.value))
    if isinstance(item, RowCount):
        return Piece(sql.integer(table.row.column("n")))
    if isinstance(item, GroupKey):
        return Piece(table.keys.member(table.row, item.fields))
    unique(item.fields)
    pieces = [_figure(table, item.function, figure) for figure in item.fields]
    return replace(assembled(table.build, table.row, item.fields, pieces), lifted=True)


def _figure(table: _Table, function: str, item: Figure | Constant) -> Piece:
    build, scope = table.build, table.source.scope
    if isinstance(item, Constant):
        return Piece(build.sql.constant(item.value))
    prop = scope.shape.property(item.property)
    label = f"{scope.shape.name}.{prop.name}"
    if prop.many or prop.type not in (_SUMMED if function == "sum" else _COMPARED):
        raise QueryError(f"{label} has no {function}")
    if item.parts is not None and prop.type is not PropertyType.MONEY:
        raise QueryError(f"{label} has no parts")
    build.guard.require(scope, prop, "aggregated")
    value = ordered(build.sql, prop, scope.column(prop.column))
    if prop.type is PropertyType.MONEY:
        return _amounts(table, function, prop, item)
    again = f"{function}({ordered(build.sql, prop, '{}')})"
    if function == "sum":
        again = build.sql.total(again, scale_of(prop))
    column = table.figure(f"{function}({value})", again)
    if prop.type is PropertyType.DECIMAL:
        return Piece(build.sql.plain(raised_text(build, table.row, plain_text(build.sql, prop, column))))
    return Piece(scalar_member(build.sql, prop, column))


def _amounts(table: _Table, function: str, prop: Property, item: Figure) -> Piece:
    """One amount for each currency, by its code."""
    build, scope = table.build, table.source.scope
    sql = build.sql
    currency = table.currency(scope.column(prop.columns[1]))
    pairs = table.figure(f"{function}({scope.column(prop.column)})", sql.gathered(_step(currency), "{}"))
    rows, code, number = sql.scattered(pairs)
    figure = f"{function}({number})"
    if function == "sum":
        figure = sql.total(figure, scale_of(prop))
    amount = build.scope(_AMOUNT)
    parts = {
        "amount": lambda: sql.plain(
            raised_text(build, amount, plain_text(sql, prop, amount.column("amount")))
        ),
        "currency": lambda: sql.text(amount.column("currency")),
    }
    built = build.parts(MONEY_PARTS if item.parts is None else item.parts, parts, prop.name)
    grouped = (
        f'SELECT {code} AS "currency", {figure} AS "amount" FROM {rows} WHERE {number} IS NOT NULL '
        f"GROUP BY {code} ORDER BY {sql.binary(code)} LIMIT {MAX_CURRENCIES}"
    )
    return collected(build, amount, Piece(built), grouped)


# whose rows they are


@dataclass(frozen=True, slots=True)
class _Told:
    """The first and the last id of those whose rows are in a group, as columns of it."""

    first: str
    last: str
    customers: bool
    """Whether they are ids of customers, not of parties."""


def _told(table: _Table, place: Place) -> list[_Told]:
    scopes = [*(() if place.covered else (table.source.scope,)), *table.keys.reached]
    holders = [found for scope in scopes if (found := holder(scope)) is not None]
    return [_Told(_end(table, "min", sql), _end(table, "max", sql), customers) for sql, customers in holders]


def _end(table: _Table, function: str, holder_id: str) -> str:
    binary = table.build.sql.binary
    return table.figure(f"{function}({binary(holder_id)})", f"{function}({binary('{}')})")


def _rows(table: _Table, groups: str, told: list[_Told]) -> str:
    """The groups; where they depend on no other row, made once for the answer and the report of customers."""
    return f"SELECT * FROM {table.build.share(groups)}" if told and table.source.free else groups


def _customers(table: _Table, groups: str, told: list[_Told]) -> tuple[str, ...]:
    """The customers of whom a group consists wholly: those of its first and last party, if they are the same."""
    row, texts = table.row.alias, []
    for each in told:
        first, last = (column if each.customers else _owner(column) for column in (each.first, each.last))
        ends = f"SELECT {first} AS first, {last} AS last FROM ({groups}) {row}"
        same = table.build.sql.collect_text("CASE WHEN o.first = o.last THEN o.first END")
        texts.append(f"(SELECT {same} FROM ({ends}) o)")
    return tuple(texts)


def _owner(party: str) -> str:
    return f'(SELECT m."customer_id" FROM "membership" m WHERE m."party_id" = {party})'
