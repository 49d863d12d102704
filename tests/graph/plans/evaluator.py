"""What a plan should answer, worked out row by row in Python from the rules in the plans' docstrings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cmp_to_key, partial
from typing import Any

from hub.access import Effect, mask_for
from hub.graph.plans import (
    Aggregate,
    And,
    ById,
    ByIdentifier,
    ByIds,
    Compare,
    Constant,
    Cursor,
    Edges,
    Entry,
    EntryEntity,
    Facts,
    Filter,
    Freshness,
    Groups,
    Household,
    Id,
    Identifiers,
    ListOf,
    Many,
    Node,
    Nodes,
    Not,
    One,
    Op,
    Or,
    OrderBy,
    Origin,
    Owner,
    Page,
    PageInfo,
    Part,
    Parties,
    Parts,
    Root,
    Rows,
    Selection,
    Some,
    Timeline,
    ToOne,
    TotalCount,
    Value,
    Var,
)
from hub.ontology import Ontology, Property
from hub.values import Instant, Money
from tests.graph.plans.figures import Calculator, parts_of
from tests.graph.plans.forms import amount_text, instant_text, iso, scalar, text
from tests.graph.plans.homes import household_of
from tests.graph.plans.plan_world import (
    RECORD_KEYS,
    RUNS,
    Access,
    Customer,
    Row,
    World,
)

Thing = Row | Customer
NodeOf = Callable[[Any, Any], Any]


@dataclass
class Evaluator:
    """Answers one root selection."""

    world: World
    ontology: Ontology
    access: Access
    variables: Mapping[str, Any] = field(default_factory=dict)
    customers: set[str] = field(default_factory=set)

    # access

    def effect(self, category: str) -> Effect:
        return self.access.decide(category).effect

    def shown(self, prop: Property, value: Any) -> Any:
        """The value after policy."""
        decision = self.access.decide(prop.category)
        if decision.effect is Effect.DENY or value is None:
            return None
        if decision.effect is Effect.ALLOW:
            return value
        return mask_for(decision.mask or "withhold", prop).python(value)

    def visible(self, prop: Property) -> bool:
        """Whether anything of the property is shown."""
        decision = self.access.decide(prop.category)
        if decision.effect is Effect.MASK:
            return mask_for(decision.mask or "withhold", prop).name != "withhold"
        return decision.effect is Effect.ALLOW

    def follows(self, prop: Property) -> bool:
        decision = self.access.decide(prop.category)
        return decision.effect is Effect.ALLOW or (
            decision.effect is Effect.MASK and decision.mask != "withhold"
        )

    def sees(self, type_name: str) -> bool:
        if any(self.effect(p.category) is not Effect.DENY for p in self.properties(type_name).values()):
            return True
        bound = [t for t in self.ontology.types.values() if t.customer]
        return type_name == "Customer" and any(self.belongs(t.name) and self.sees(t.name) for t in bound)

    def belongs(self, type_name: str) -> bool:
        type_ = self.ontology.type(type_name)
        heads = [path.split(".")[0] for path in type_.customer]
        return type_.is_party or any(self.follows(type_.properties[head]) for head in heads)

    # rows

    def properties(self, type_name: str) -> Mapping[str, Property]:
        if type_name == "Customer":
            return self.ontology.customer_properties
        return self.ontology.type(type_name).properties

    def type_of(self, thing: Thing) -> str:
        return thing.type if isinstance(thing, Row) else "Customer"

    def operand(self, operand: Any) -> Any:
        return self.variables.get(operand.name) if isinstance(operand, Var) else operand

    def property(self, thing: Thing, name: str) -> Property:
        return self.properties(self.type_of(thing))[name]

    def way(self, thing: Thing, way: Rows | ToOne) -> list[Thing]:
        """The rows that a way leads to."""
        if isinstance(way, ToOne):
            target = self.world.rows.get(thing.values.get(way.property, ""))
            names = [
                t.name for t in self.ontology.range_types(self.property(thing, way.property).range or "")
            ]
            return [target] if target is not None and target.type == (way.type or names[0]) else []
        starts = thing.parties if isinstance(thing, Customer) else (thing.id,)
        rows = self.world.of(way.type)
        if way.by is not None:
            return [row for row in rows if row.values.get(way.by) in starts]
        party = self.ontology.type(way.type).is_party
        return [row for row in rows if (row.id if party else row.party) in starts]

    # filters

    def passes(self, thing: Thing, where: Filter | None) -> bool:
        if where is None:
            return True
        if isinstance(where, And):
            return all(self.passes(thing, item) for item in where.filters)
        if isinstance(where, Or):
            return any(self.passes(thing, item) for item in where.filters)
        if isinstance(where, Not):
            return not self.passes(thing, where.filter)
        if isinstance(where, Some):
            return any(self.passes(row, where.where) for row in self.way(thing, where.way))
        return self.compares(thing, where)

    def compares(self, thing: Thing, compare: Compare) -> bool:
        operand = self.operand(compare.operand)
        if compare.property in ("id", "source" if isinstance(thing, Row) else "kind"):
            return holds(compare.op, getattr(thing, compare.property), operand)
        value: Any = thing.values.get(compare.property)
        if compare.part and value is not None:
            value = value.currency if compare.part == "currency" else value.zone
        elif isinstance(value, Money):
            value = value.amount
        elif isinstance(value, Instant):
            value = value.at
        if isinstance(value, tuple) and compare.op is not Op.IS_NULL:
            return any(holds(compare.op, item, operand) for item in value)
        return holds(compare.op, value, operand)

    # pages

    def ordered(self, rows: Iterable[Thing], order_by: Sequence[OrderBy]) -> list[Thing]:
        named = [item.property for item in order_by]
        order = order_by[: named.index("id") + 1] if "id" in named else (*order_by, OrderBy("id"))

        def compare(a: Thing, b: Thing) -> int:
            for item in order:
                x, y = sort_value(a, item.property), sort_value(b, item.property)
                if x == y:
                    continue
                if x is None or y is None:
                    return 1 if x is None else -1
                return (1 if x > y else -1) * (-1 if item.descending else 1)
            return 0

        return sorted(rows, key=cmp_to_key(compare))

    def page(self, rows: list[Thing], page: Page, fields: Any, node: NodeOf, *, every: bool = False) -> Any:
        kept = self.ordered([row for row in rows if self.passes(row, page.where)], page.order_by)
        self.tell(kept, self.operand(page.first), fields, counts=not every or page.where is not None)
        return self.connection(kept, self.operand(page.first), fields, node)

    def tell(self, kept: Sequence[Thing], first: int, fields: Any, *, counts: bool) -> None:
        """Whose rows are told of without being shown: by a count of them, an edge, a cursor, a next page."""
        kinds = {type(item) for item in fields}
        if counts and TotalCount in kinds:
            Calculator(self.world, self.ontology, amount_text, scalar, self.customers).tell(kept, ())
        shown = Nodes in kinds or any(
            isinstance(inner, Node) for e in fields if isinstance(e, Edges) for inner in e.fields
        )
        parts = {part.name for item in fields if isinstance(item, PageInfo) for part in item.parts}
        more = "hasNextPage" in parts
        silent = (int(more and first == 0)) if shown else (first + more if kinds & {Edges, PageInfo} else 0)
        owners = [
            row.id if isinstance(row, Customer) else self.world.customer_of(row) for row in kept[:silent]
        ]
        self.customers |= {owner for owner in owners if owner is not None}

    def connection(self, kept: Sequence[Any], first: int, fields: Any, node: NodeOf) -> Any:
        built: dict[str, Any] = {}
        for item in fields:
            if isinstance(item, Constant):
                built[item.alias] = item.value
            elif isinstance(item, TotalCount):
                built[item.alias] = len(kept)
            elif isinstance(item, Aggregate | Groups):
                built[item.alias] = self.figures(kept, item)
            elif isinstance(item, PageInfo):
                known = {"hasNextPage": len(kept) > first, "hasPreviousPage": False}
                built[item.alias] = parts_of(item.parts, known)
            elif isinstance(item, Nodes):
                built[item.alias] = [node(row, item.selection) for row in kept[:first]]
            elif isinstance(item, Edges):
                built[item.alias] = [self.edge(row, item, node) for row in kept[:first]]
        return built

    def figures(self, rows: Sequence[Thing], item: Aggregate | Groups) -> Any:
        calculator = Calculator(self.world, self.ontology, amount_text, scalar, self.customers)
        page = (0, 0) if isinstance(item, Aggregate) else (self.operand(item.first), self.operand(item.skip))
        return calculator.answer(rows, item, *page)

    def edge(self, row: Any, edges: Edges, node: NodeOf) -> Any:
        return {
            item.alias: item.value if isinstance(item, Constant) else node(row, item.selection)
            for item in edges.fields
            if not isinstance(item, Cursor)
        }

    # roots

    def answer(self, root: Root) -> Any:
        """The answer as JSON would be parsed; None where nothing may be known."""
        if isinstance(root, ListOf):
            if not self.sees(root.type):
                return None
            customers, own = self.world.customers.values(), self.world.of(root.type)
            return self.page(
                [*(customers if root.type == "Customer" else own)],
                root.page,
                root.fields,
                self.object,
                every=True,
            )
        if isinstance(root, ByIds):
            one = {(each.type, row): ById(each, row.id) for each in root.selections for row in root.rows}
            return [self.answer(one[row.type, row]) if (row.type, row) in one else None for row in root.rows]
        if not self.sees(root.selection.type):
            return None
        if isinstance(root, ByIdentifier):
            return self.by_identifier(root)
        wanted = self.operand(root.id)
        if root.selection.type != "Customer":
            row = self.world.rows.get(wanted)
            return self.object(row, root.selection) if row and row.type == root.selection.type else None
        customer = self.world.customers.get(self.world.redirects.get(wanted, wanted))
        return self.object(customer, root.selection) if customer else None

    def by_identifier(self, root: ByIdentifier) -> Any:
        value, found = self.operand(root.value), set()
        for row in self.world.rows.values():
            for prop in self.ontology.type(row.type).identifiers:
                same = prop.identifier == root.scheme and row.values.get(prop.name) == value
                if same and self.effect(prop.category) is Effect.ALLOW and self.belongs(row.type):
                    found.add(self.world.customer_of(row))
        kept = sorted(id_ for id_ in found if id_)[: self.operand(root.first)]
        return [self.object(self.world.customers[id_], root.selection) for id_ in kept]

    # objects

    def object(self, thing: Thing, selection: Selection) -> dict[str, Any]:
        """The object; the customer that it tells of is remembered."""
        owner = thing.id if isinstance(thing, Customer) else self.world.customer_of(thing)
        if owner is not None:
            self.customers.add(owner)
        return {item.alias: self.field(thing, item) for item in selection.fields}

    def field(self, thing: Thing, item: Any) -> Any:
        kinds: dict[type, Callable[[], Any]] = {
            Constant: lambda: item.value,
            Id: lambda: thing.id,
            Value: lambda: self.value(thing, item),
            Origin: lambda: self.origin(thing, item.name),
            One: lambda: self.one(thing, item),
            Owner: lambda: self.owner(thing, item),
            Many: lambda: self.many(thing, item),
        }
        if type(item) in kinds:
            return kinds[type(item)]()
        assert isinstance(thing, Customer)
        return self.customer_field(thing, item)

    def value(self, thing: Thing, item: Value) -> Any:
        prop = self.property(thing, item.property)
        return self.value_json(prop, thing.values.get(prop.name), item.parts)

    def value_json(self, prop: Property, stored: Any, parts: Parts | None = None) -> Any:
        value = self.shown(prop, stored)
        if isinstance(value, Money):
            known = {"amount": amount_text(value.amount, 2), "currency": value.currency}
            return known if parts is None else parts_of(parts, known)
        if isinstance(value, Instant) and parts is not None:
            return parts_of(parts, {"at": instant_text(value.at), "zone": value.zone})
        return scalar(value)

    def origin(self, thing: Thing, name: str) -> Any:
        if isinstance(thing, Customer):
            times = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00.123Z"}
            return {"kind": thing.kind, **times}[name]
        type_ = self.ontology.type(thing.type)
        needed = {RECORD_KEYS} if type_.has_customer else set()
        needed |= set() if type_.is_party else {prop.category for prop in type_.identifiers}
        hidden = any(self.effect(category) is not Effect.ALLOW for category in needed)
        return {
            "source": thing.source,
            "stream": thing.stream,
            "recordKey": None if hidden else thing.record_key,
            "recordId": str(thing.record_id),
            "observedAt": iso(thing.observed_at),
            "entityId": thing.id,
        }[name]

    def one(self, thing: Thing, item: One) -> Any:
        target = self.world.rows.get(thing.values.get(item.property, ""))
        reference = self.property(thing, item.property)
        if target is None or not self.follows(reference) or not self.sees(target.type):
            return None
        selections = {selection.type: selection for selection in item.selections}
        return self.object(target, selections.get(target.type, Selection(target.type, ())))

    def owner(self, thing: Thing, item: Owner) -> Any:
        assert isinstance(thing, Row)
        id_ = self.world.customer_of(thing)
        if id_ is None or not self.belongs(thing.type) or not self.sees("Customer"):
            return None
        return self.object(self.world.customers[id_], item.selection)

    def many(self, thing: Thing, item: Many) -> Any:
        by = self.ontology.type(item.type).properties[item.by] if item.by else None
        if not (self.follows(by) if by else self.belongs(item.type)) or not self.sees(item.type):
            return None
        return self.page(self.way(thing, Rows(item.type, item.by)), item.page, item.fields, self.object)

    def customer_field(self, customer: Customer, item: Any) -> Any:
        kinds: dict[type, Callable[[Customer, Any], Any]] = {
            Facts: self.facts,
            Identifiers: self.identifiers,
            Parties: self.parties,
            Household: partial(household_of, self),
            Freshness: self.freshness,
            Timeline: self.timeline,
        }
        return kinds[type(item)](customer, item)

    def parties_of(self, customer: Customer) -> list[Row]:
        return [self.world.rows[party] for party in customer.parties]

    def facts(self, customer: Customer, item: Facts) -> Any:
        stated = []
        names = item.properties if item.properties is not None else tuple(self.ontology.customer_properties)
        shown = [name for name in names if self.visible(self.ontology.customer_properties[name])]
        for number, name in enumerate(shown):
            winner = customer.provenance.get(name, {})
            for row in self.parties_of(customer):
                if name in row.values and name in self.ontology.type(row.type).properties:
                    wins = winner.get("party") == row.id
                    if wins or not item.winners_only:
                        rule = winner["rule"] if wins else None
                        key = (number, not wins, row.source, row.id)
                        stated.append((key, self.fact(row, name, wins, rule)))
        stated.sort(key=lambda fact: fact[0])
        return [parts_of(item.parts, fact) for _, fact in stated[: self.operand(item.first)]]

    def fact(self, row: Row, name: str, wins: bool, rule: str | None) -> dict[str, Any]:
        prop = self.ontology.customer_properties[name]
        origin = ("source", "stream", "recordKey", "recordId", "observedAt", "entityId")
        return {
            "property": name,
            "value": text(self.shown(prop, row.values[name])),
            "json": self.value_json(prop, row.values[name]),
            "type": row.type,
            "rule": rule,
            "wins": wins,
            **{each: self.origin(row, each) for each in origin},
        }

    def identifiers(self, customer: Customer, item: Identifiers) -> Any:
        held = []
        for row in self.parties_of(customer):
            for prop in self.ontology.type(row.type).identifiers:
                if prop.name in row.values and self.visible(prop):
                    value = row.values[prop.name]
                    known = {
                        "scheme": prop.identifier,
                        "value": self.shown(prop, value),
                        "strong": prop.strong,
                        "source": row.source,
                        "type": row.type,
                        "property": prop.name,
                        "entityId": row.id,
                    }
                    sorted_by = value if self.effect(prop.category) is Effect.ALLOW else ""
                    held.append(((prop.identifier, sorted_by, row.source, row.id, prop.name), known))
        held.sort(key=lambda each: each[0])
        return [parts_of(item.parts, known) for _, known in held[: self.operand(item.first)]]

    def parties(self, customer: Customer, item: Parties) -> Any:
        selections = {selection.type: selection for selection in item.selections}
        if not any(self.sees(party.name) for party in self.ontology.parties):
            return None
        rows = [row for row in self.parties_of(customer) if self.sees(row.type)]
        kept = sorted(rows, key=lambda row: (row.source, row.id))[: self.operand(item.first)]
        return [self.object(row, selections.get(row.type, Selection(row.type, ()))) for row in kept]

    def allows(self, *categories: str) -> bool:
        return all(self.effect(category) is Effect.ALLOW for category in categories)

    def freshness(self, customer: Customer, item: Freshness) -> Any:
        rows = [
            row
            for row in self.world.rows.values()
            if self.world.customer_of(row) == customer.id and self.sees(row.type) and self.belongs(row.type)
        ]
        told = self.effect(RUNS) is Effect.ALLOW
        states = dict(self.world.runs) if told else {}
        built = []
        for source in sorted({row.source for row in rows}):
            own = [row for row in rows if row.source == source]
            ends = [at for name, _, at in self.world.successes if told and name == source and at]
            known = {
                "source": source,
                "lastSuccessAt": iso(max(ends, default=None)),
                "state": states.get(source),
                "newestObservedAt": iso(max(row.observed_at for row in own)),
                "rows": len(own),
            }
            built.append(parts_of(item.parts, known))
        return built

    # timeline

    def timeline(self, customer: Customer, item: Timeline) -> Any:
        types = [t for t in self.ontology.events if item.types is None or t.name in item.types]
        types = [t for t in types if self.sees(t.name) and self.belongs(t.name) and self.times(t.name)]
        if not types:
            return None
        entries = [
            self.entry(customer, row)
            for t in types
            for row in self.world.of(t.name)
            if row.party in customer.parties and t.time in row.values
        ]
        phases = self.operand(item.phases)
        kept = [entry for entry in entries if phases is None or entry["phase"] in phases]
        kept.sort(key=lambda entry: (entry["type"], entry["id"]))
        kept.sort(key=lambda entry: entry["key"], reverse=True)
        return self.connection(kept, self.operand(item.first), item.fields, self.entry_json)

    def times(self, type_name: str) -> bool:
        """Whether the times of the events are shown whole."""
        type_ = self.ontology.type(type_name)
        return self.effect(type_.properties[type_.time or ""].category) is Effect.ALLOW

    def entry(self, customer: Customer, row: Row) -> dict[str, Any]:
        type_ = self.ontology.type(row.type)
        title, at = type_.properties[type_.title or ""], row.values[type_.time or ""]
        return {
            "id": row.id,
            "type": row.type,
            "key": key_text(at),
            "at": scalar(at),
            "phase": self.phase(customer, row),
            "title": text(self.shown(title, row.values.get(title.name))),
            "source": row.source,
        }

    def phase(self, customer: Customer, row: Row) -> str | None:
        type_ = self.ontology.type(row.type)
        if type_.phase != "by_first_order":
            return type_.phase
        if not (self.sees("Order") and self.belongs("Order") and self.times("Order")):
            return None
        times = [
            key_text(other.values["at"])
            for other in self.world.of("Order")
            if other.party in customer.parties and "at" in other.values
        ]
        before = not times or key_text(row.values[type_.time or ""]) < min(times)
        return "pre_purchase" if before else "post_purchase"

    def entry_json(self, entry: dict[str, Any], selection: Entry) -> Any:
        built: dict[str, Any] = {}
        for item in selection.fields:
            if isinstance(item, EntryEntity):
                selections = {each.type: each for each in item.selections}
                row = self.world.rows[entry["id"]]
                chosen = selections.get(row.type, Selection(row.type, ()))
                built[item.alias] = self.object(row, chosen)
            else:
                built[item.alias] = item.value if isinstance(item, Constant) else entry[item.name]
        return built


def parts(names: str) -> tuple[Part, ...]:
    """Parts under their own names."""
    return tuple(Part(name, name) for name in names.split())


def key_text(value: Any) -> str:
    """What places an event on the timeline."""
    if isinstance(value, Instant):
        return value.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value)


def sort_value(thing: Thing, name: str) -> Any:
    """A sort key."""
    value = thing.id if name == "id" else thing.values.get(name)
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, Instant):
        return value.at
    return value.encode() if isinstance(value, str) else value


def folded(value: str) -> str:
    """ASCII letters in lower case."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in value)


def holds(op: Op, value: Any, operand: Any) -> bool:
    """Whether a comparison is true."""
    if op is Op.IS_NULL:
        return (value is None) is operand
    if op is Op.NE:
        return bool(value != operand)
    if value is None:
        return False
    if op is Op.IN:
        return value in operand
    if op is Op.CONTAINS:
        return folded(operand) in folded(value)
    if op is Op.STARTS_WITH:
        return folded(value).startswith(folded(operand))
    if isinstance(value, str):
        value = value.encode()
        operand = tuple(each.encode() for each in operand) if isinstance(operand, tuple) else operand.encode()
    if op is Op.BETWEEN:
        return bool(operand[0] <= value <= operand[1])
    tests: dict[Op, Callable[[], bool]] = {
        Op.EQ: lambda: value == operand,
        Op.LT: lambda: value < operand,
        Op.LTE: lambda: value <= operand,
        Op.GT: lambda: value > operand,
        Op.GTE: lambda: value >= operand,
    }
    return tests[op]()
