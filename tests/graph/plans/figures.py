"""What aggregates should answer, worked out row by row in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from hub.graph.plans import (
    Aggregate,
    Constant,
    Figure,
    Figures,
    GroupKey,
    GroupOrder,
    Groups,
    KeyAlong,
    KeyValue,
    RowCount,
    Unit,
)
from hub.ontology import PARTY, Ontology
from hub.values import Instant, Money
from tests.graph.plans.plan_world import Customer, Row, World

Thing = Row | Customer
Key = tuple[Any, ...]
MONEY = ("credit", "total", "fee")
"""The amounts of the small company."""


def parts_of(parts: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """An object of named parts."""
    return {part.alias: part.value if isinstance(part, Constant) else known[part.name] for part in parts}


@dataclass
class Calculator:
    """Aggregates rows of a world; `shown` gives a value as JSON, `customers` takes those that are told of."""

    world: World
    ontology: Ontology
    amount: Callable[[Decimal, int], str]
    shown: Callable[[Any], Any]
    customers: set[str]

    def answer(self, rows: Sequence[Thing], item: Aggregate | Groups, first: int, skip: int) -> Any:
        """The object of an aggregate, or the list of groups."""
        if isinstance(item, Aggregate):
            self.tell(rows, [])
            return self.object(rows, item.fields)
        keys = [field for field in item.fields if isinstance(field, GroupKey)]
        values = [value for key in keys for value in leaves(key.fields, ())]
        links = [path for key in keys for path in paths(key.fields, ())]
        groups: dict[Key, list[Thing]] = {}
        for row in rows:
            groups.setdefault(tuple(self.key(row, path, value) for path, value in values), []).append(row)
        chosen = self.ordered(groups, item.order)[skip : skip + first]
        for key in chosen:
            self.tell(groups[key], links)
        return [self.object(groups[key], item.fields) for key in chosen]

    def ordered(self, groups: Mapping[Key, list[Thing]], order: GroupOrder) -> list[Key]:
        by_count = {GroupOrder.COUNT_ASC: 1, GroupOrder.COUNT_DESC: -1}.get(order, 0)

        def compare(a: Key, b: Key) -> int:
            if by_count and len(groups[a]) != len(groups[b]):
                return by_count * (len(groups[a]) - len(groups[b]))
            for x, y in zip(a, b, strict=True):
                if x == y:
                    continue
                if x is None or y is None:
                    return 1 if x is None else -1
                less = (x.encode() < y.encode()) if isinstance(x, str) else x < y
                return (-1 if less else 1) * (-1 if order is GroupOrder.KEY_DESC else 1)
            return 0

        return sorted(groups, key=cmp_to_key(compare))

    # keys

    def follow(self, thing: Any, path: Sequence[str | None]) -> Any:
        """The row at the end of the path; the id of a party for one that leads to any party."""
        for step in path:
            if thing is None:
                return None
            if step is None:
                party = thing if isinstance(thing, str) else self.party_of(thing)
                thing = self.world.customers.get(self.customer_of_party(party) or "")
            else:
                target = self.world.rows.get(thing.values.get(step, ""))
                reference = self.ontology.type(thing.type).properties[step]
                thing = target.id if target and reference.range == PARTY else target
        return thing

    def party_of(self, row: Row) -> str | None:
        return row.id if row.type in ("Person", "Organization") else row.party

    def customer_of_party(self, party: str | None) -> str | None:
        return next((c.id for c in self.world.customers.values() if party in c.parties), None)

    def key(self, row: Thing, path: Sequence[str | None], value: KeyValue) -> Any:
        found = self.follow(row, path)
        if found is None or isinstance(found, str):
            return found
        if value.name in ("id", "source") or (value.name == "kind" and isinstance(found, Customer)):
            return getattr(found, value.name)
        held = found.values.get(value.name)
        if isinstance(held, Money):
            return held.currency
        if isinstance(held, Instant):
            held = held.at.astimezone(UTC).strftime("%Y-%m-%d")
        return held if held is None or value.unit is None else stretch(held, value.unit)

    # objects

    def object(self, rows: Sequence[Thing], fields: Any) -> dict[str, Any]:
        return {item.alias: self.field(rows, item) for item in fields}

    def field(self, rows: Sequence[Thing], item: Any) -> Any:
        if isinstance(item, Constant):
            return item.value
        if isinstance(item, RowCount):
            return len(rows)
        if isinstance(item, GroupKey):
            return self.key_object(rows[0], (), item.fields)
        return {each.alias: self.figure(rows, item, each) for each in item.fields}

    def key_object(self, row: Thing, path: tuple[str | None, ...], fields: Any) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for item in fields:
            if isinstance(item, Constant):
                built[item.alias] = item.value
            elif isinstance(item, KeyAlong):
                built[item.alias] = self.key_object(row, (*path, item.property), item.fields)
            else:
                value = self.key(row, path, item)
                built[item.alias] = parts_of(item.parts, {"currency": value}) if item.parts else value
        return built

    def figure(self, rows: Sequence[Thing], figures: Figures, item: Figure | Constant) -> Any:
        if isinstance(item, Constant):
            return item.value
        held = [row.values[item.property] for row in rows if row.values.get(item.property) is not None]
        if not held:
            return [] if item.property in MONEY else None
        if item.property not in MONEY:
            return self.shown(computed(figures.function, held))
        found = []
        for currency in sorted({money.currency for money in held}):
            amount = computed(figures.function, [each.amount for each in held if each.currency == currency])
            known = {"amount": self.amount(amount, 2), "currency": currency}
            found.append(parts_of(item.parts, known) if item.parts is not None else known)
        return found

    # customers

    def tell(self, rows: Sequence[Thing], links: Iterable[tuple[str | None, ...]]) -> None:
        """Whose the rows are, where the first and the last by their ids are one customer's."""
        for path in [(), *links]:
            reached = [self.follow(row, path) for row in rows]
            holders = [self.holder(each) for each in reached if each is not None]
            ids = sorted((id_ for id_ in holders if id_ is not None), key=str.encode)
            if ids:
                first, last = (self.owner(id_) for id_ in (ids[0], ids[-1]))
                if first is not None and first == last:
                    self.customers.add(first)

    def holder(self, thing: Any) -> str | None:
        if isinstance(thing, Customer):
            return thing.id
        if isinstance(thing, str):
            return self.customer_of_party(thing)
        return self.party_of(thing)

    def owner(self, id_: str) -> str | None:
        return id_ if id_ in self.world.customers else self.customer_of_party(id_)


def computed(function: str, values: Sequence[Any]) -> Any:
    """Sum, least or greatest."""
    if isinstance(values[0], Instant):
        return (min if function == "min" else max)(values, key=lambda each: each.at)
    return sum(values) if function == "sum" else (min if function == "min" else max)(values)


def stretch(date: str, unit: Unit) -> str:
    """The stretch of the calendar that a date is in, as far as it is known."""
    if unit is Unit.QUARTER and len(date) > 4:
        return f"{date[:4]}-Q{(int(date[5:7]) + 2) // 3}"
    return date[: {Unit.YEAR: 4, Unit.QUARTER: 4, Unit.MONTH: 7, Unit.DAY: 10}[unit]]


def leaves(fields: Any, path: tuple[str | None, ...]) -> list[tuple[tuple[str | None, ...], KeyValue]]:
    """Values of a key, with the ways to their rows."""
    found = []
    for item in fields:
        if isinstance(item, KeyAlong):
            found += leaves(item.fields, (*path, item.property))
        elif isinstance(item, KeyValue):
            found.append((path, item))
    return found


def paths(fields: Any, path: tuple[str | None, ...]) -> list[tuple[str | None, ...]]:
    """The ways that a key leads."""
    found = []
    for item in fields:
        if isinstance(item, KeyAlong):
            found += [(*path, item.property), *paths(item.fields, (*path, item.property))]
    return found
