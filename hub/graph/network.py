"""A customer's surroundings as a graph: parties, household, organisations, orders and the goods in them.

Every node and edge is read by read plans, so the graph holds what the caller may see and nothing else. Nodes are keyed
`Type:id` and have `type`, `id` and `label`; edges have a `label`, a `kind` (`party`, `household`, `link`, `order`,
`goods`) and `start`, the node that the label is read from:

    Customer:ann --party-- Person:7 --Works for-- Organization:3 --party-- Customer:acme

Graphs grow in rings: a ring adds all that is one plan away from each customer, or from each of the goods, of the ring
before. Growth ends at `max_nodes`, and the network then says that it is `truncated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import networkx as nx
import orjson
from sqlalchemy import Connection

from hub.errors import NotFoundError
from hub.graph.plans import (
    AccessNote,
    ById,
    CategoryAccess,
    Constant,
    Field,
    Household,
    Id,
    Many,
    Members,
    Nodes,
    One,
    OrderBy,
    Origin,
    Owner,
    Page,
    Part,
    Parties,
    ReadPlan,
    Reads,
    Selection,
    Value,
    Var,
    compile_plan,
    execute,
)
from hub.graph.plans.guard import Guard
from hub.ontology import CUSTOMER, EntityType, Ontology, Property
from hub.store import DialectName

MAX_NODES = 500
"""Nodes that a graph may have unless told otherwise: more than one picture shows, few enough to answer at once."""
FAN_OUT = 50
"""Rows that are followed from one row along one link."""
_LEAST_NODES = 2
"""A path needs its two ends."""
ORDER, HOUSEHOLD = "Order", "Household"

_KINDS = {"household": "same household", "goods": "same goods"}


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of a path, read in its direction or (`forward` false) against it."""

    start: str
    end: str
    label: str
    kind: str
    forward: bool


@dataclass(frozen=True, slots=True, repr=False)
class Related:
    """A customer near another one: how many edges away, why, and by which way."""

    customer_id: str
    label: str
    distance: int
    reason: str
    steps: tuple[Step, ...]


@dataclass(slots=True, repr=False)
class Network:
    """A graph with what was read for it."""

    graph: nx.Graph[str]
    truncated: bool = False
    customers: dict[str, None] = field(default_factory=dict)
    """Ids of the customers whose data was read, in the order of reading."""
    notes: dict[AccessNote, None] = field(default_factory=dict)
    reads: dict[Reads, None] = field(default_factory=dict)


def neighbourhood(
    connection: Connection,
    ontology: Ontology,
    access: CategoryAccess,
    customer_id: str,
    *,
    depth: int = 1,
    max_nodes: int = MAX_NODES,
) -> Network:
    """The graph within `depth` rings around the customer.

    Raises:
        NotFoundError: there is no such customer.
    """
    growth = _Growth(connection, ontology, access, max_nodes)
    ring = [growth.add_start(customer_id)]
    for _ in range(depth):
        ring = growth.expand(ring)
    return growth.network


def related_customers(
    connection: Connection,
    ontology: Ontology,
    access: CategoryAccess,
    customer_id: str,
    *,
    depth: int = 2,
    max_nodes: int = MAX_NODES,
) -> tuple[tuple[Related, ...], Network]:
    """The customers within `depth` rings, the nearest first, then by id; and the graph that shows it.

    Raises:
        NotFoundError: there is no such customer.
    """
    network = neighbourhood(connection, ontology, access, customer_id, depth=depth, max_nodes=max_nodes)
    start = next(iter(network.graph))
    ways = nx.single_source_shortest_path(network.graph, start)
    found = [
        _related(network.graph, way) for node, way in ways.items() if _is_customer(node) and node != start
    ]
    return tuple(sorted(found, key=lambda item: (item.distance, item.customer_id))), network


def path(
    connection: Connection,
    ontology: Ontology,
    access: CategoryAccess,
    from_id: str,
    to_id: str,
    *,
    depth: int = 3,
    max_nodes: int = 4 * MAX_NODES,
) -> tuple[tuple[Step, ...] | None, Network]:
    """The shortest path between two customers that meet within `depth` rings of each; None when they do not.

    Raises:
        NotFoundError: there is no such customer.
    """
    growth = _Growth(connection, ontology, access, max_nodes)
    start, end = growth.add_start(from_id), growth.add_start(to_id)
    graph, rings = growth.network.graph, [[start], [end]]
    for _ in range(depth):
        if nx.has_path(graph, start, end):
            break
        rings = [growth.expand(ring) for ring in rings]
    if not nx.has_path(graph, start, end):
        return None, growth.network
    return tuple(_steps(graph, nx.shortest_path(graph, start, end))), growth.network


def graphml(graph: nx.Graph[str]) -> str:
    """The graph as GraphML text."""
    return "\n".join(nx.generate_graphml(graph))


def _is_customer(node: str) -> bool:
    return node.startswith(f"{CUSTOMER}:")


def _related(graph: nx.Graph[str], way: list[str]) -> Related:
    steps = tuple(_steps(graph, way))
    telling = next((step for step in steps if step.kind not in ("party", "order")), steps[0])
    node = graph.nodes[way[-1]]
    return Related(node["id"], node["label"], len(steps), _KINDS.get(telling.kind, telling.label), steps)


def _steps(graph: nx.Graph[str], way: list[str]) -> Iterator[Step]:
    for start, end in pairwise(way):
        edge = graph.edges[start, end]
        yield Step(start, end, edge["label"], edge["kind"], edge["start"] == start)


class _Growth:
    """A network that grows from customers and goods, a plan each."""

    def __init__(
        self, connection: Connection, ontology: Ontology, access: CategoryAccess, max_nodes: int
    ) -> None:
        self.network = Network(nx.Graph())
        self._connection = connection
        self._views = _Views(ontology, access, connection)
        self._max_nodes = max(max_nodes, _LEAST_NODES)
        self._expanded: set[str] = set()

    def add_start(self, customer_id: str) -> str:
        """The node of a customer, which is also found by a retired id."""
        found = self._read(self._views.customer_label, customer_id)
        if found is None:
            raise NotFoundError("there is no such customer")
        return self._node(CUSTOMER, found) or _key(CUSTOMER, found["id"])

    def expand(self, ring: Iterable[str]) -> list[str]:
        """The nodes to expand next, after all that is one plan away from the ring has been added."""
        before = set(self.network.graph)
        for node in ring:
            if node not in self._expanded and not self.network.truncated:
                self._expanded.add(node)
                self._expand(node)
        return [node for node in self.network.graph if node not in before and self._views.expands(node)]

    def _expand(self, node: str) -> None:
        type_name, _, id_ = node.partition(":")
        plan = self._views.surroundings(type_name)
        found = self._read(plan, id_)
        if found is None:
            return
        if type_name == CUSTOMER:
            self._add_customer(node, found)
        else:
            self._add_buyers(node, found)

    def _read(self, plan: ReadPlan, id_: str) -> Any:
        result = execute(self._connection, plan, {**self._views.variables, "id": id_})
        self.network.customers.update(dict.fromkeys(result.customers))
        self.network.notes.update(dict.fromkeys(plan.access_notes))
        self.network.reads.setdefault(plan.reads)
        return orjson.loads(result.json_text)

    # what a plan found

    def _add_customer(self, node: str, found: Mapping[str, Any]) -> None:
        household = found["household"]
        if household:
            home = self._node(HOUSEHOLD, {"id": household["id"], "label": HOUSEHOLD})
            for member in household["members"]:
                self._edge(self._node(CUSTOMER, member), home, "lives in", "household")
        for party in found["parties"] or ():
            self._add_party(node, party)
        for order in _nodes(found.get("orders")):
            self._add_order(node, order)

    def _add_party(self, customer: str, party: Mapping[str, Any]) -> None:
        node = self._node(party["type"], party)
        self._edge(customer, node, f"stated by {party['source']}", "party")
        for alias, link in self._views.links.items():
            others = _nodes(party.get(alias)) if link.backward else filter(None, [party.get(alias)])
            for other in others:
                target = self._node(other["type"], other)
                start, end = (target, node) if link.backward else (node, target)
                self._edge(start, end, link.property.label, "link")
                if other["owner"]:
                    self._edge(self._node(CUSTOMER, other["owner"]), target, "stated by a source", "party")

    def _add_order(self, customer: str | None, order: Mapping[str, Any]) -> None:
        node = self._node(ORDER, order)
        self._edge(customer, node, "ordered", "order")
        for goods in self._views.goods:
            for line in _nodes(order.get(goods.lines_alias)):
                if line[goods.alias]:
                    thing = self._node(goods.target, line[goods.alias])
                    self._edge(node, thing, "contains", "goods")

    def _add_buyers(self, thing: str, found: Mapping[str, Any]) -> None:
        for goods in self._views.goods:
            for line in _nodes(found.get(goods.lines_alias)):
                order = line["order"]
                if order and order["owner"]:
                    node = self._node(ORDER, order)
                    self._edge(self._node(CUSTOMER, order["owner"]), node, "ordered", "order")
                    self._edge(node, thing, "contains", "goods")

    # nodes and edges

    def _node(self, type_name: str, found: Mapping[str, Any]) -> str | None:
        """The node's key; None when the graph is full."""
        graph, key = self.network.graph, _key(type_name, found["id"])
        if key not in graph:
            if len(graph) >= self._max_nodes:
                self.network.truncated = True
                return None
            graph.add_node(key, type=type_name, id=found["id"], label=_label(found.get("label"), type_name))
        return key

    def _edge(self, start: str | None, end: str | None, label: str, kind: str) -> None:
        graph = self.network.graph
        if start is not None and end is not None and not graph.has_edge(start, end):
            graph.add_edge(start, end, label=label, kind=kind, start=start)


def _key(type_name: str, id_: str) -> str:
    return f"{type_name}:{id_}"


def _nodes(connection: Mapping[str, Any] | None) -> list[Any]:
    return connection["nodes"] if connection else []


def _label(value: Any, type_name: str) -> str:
    """The label without characters that XML cannot hold."""
    text = value if isinstance(value, str) else type_name
    return "".join(letter for letter in text if letter.isprintable()) or type_name


@dataclass(frozen=True, slots=True)
class _Link:
    """A reference between parties, followed from the party that has it or (`backward`) from the one it leads to."""

    type: EntityType
    property: Property
    backward: bool


@dataclass(frozen=True, slots=True)
class _Goods:
    """Things that orders contain: by rows of `lines` that refer to the order and to the thing."""

    lines: EntityType
    order: Property
    thing: Property

    @property
    def target(self) -> str:
        """The type of the things."""
        return self.thing.range or ""

    @property
    def lines_alias(self) -> str:
        """Alias of the lines in an answer."""
        return f"by_{self.lines.name}_{self.thing.name}"

    @property
    def alias(self) -> str:
        """Alias of the thing on a line."""
        return self.thing.name


class _Views:
    """The plans by which a network grows, for one ontology and one kind of caller."""

    def __init__(self, ontology: Ontology, access: CategoryAccess, connection: Connection) -> None:
        self._ontology = ontology
        self._access = access
        self._guard = Guard(ontology, access)
        self.variables = access.reach.variables
        self._dialect: DialectName = "sqlite" if connection.dialect.name == "sqlite" else "postgresql"
        self._plans: dict[str, ReadPlan] = {}

    @cached_property
    def links(self) -> dict[str, _Link]:
        """References between parties, by alias."""
        found: dict[str, _Link] = {}
        for type_ in self._ontology.parties:
            for prop in type_.references:
                if all(target.is_party for target in self._ontology.range_types(prop.range or "")):
                    found[f"to_{type_.name}_{prop.name}"] = _Link(type_, prop, False)
                    found[f"from_{type_.name}_{prop.name}"] = _Link(type_, prop, True)
        return found

    @cached_property
    def goods(self) -> tuple[_Goods, ...]:
        """Things that orders contain, which belong to no customer."""
        lines = [type_ for type_ in self._ontology.types.values() if type_.kind == "entity"]
        return tuple(
            _Goods(type_, order, thing)
            for type_ in lines
            for order in type_.references
            for thing in type_.references
            if order.range == ORDER and self._is_thing(thing) and f"{order.name}.customer" in type_.customer
        )

    def _is_thing(self, prop: Property) -> bool:
        targets = self._ontology.range_types(prop.range or "")
        return len(targets) == 1 and targets[0].kind == "entity" and not targets[0].has_customer

    def expands(self, node: str) -> bool:
        """Whether there is more to find around the node."""
        type_name = node.partition(":")[0]
        return type_name == CUSTOMER or any(goods.target == type_name for goods in self.goods)

    @cached_property
    def customer_label(self) -> ReadPlan:
        """A customer's id and label."""
        return self._compiled(Selection(CUSTOMER, self._named(CUSTOMER)))

    def surroundings(self, type_name: str) -> ReadPlan:
        """All that is one step away from a customer or a thing."""
        if type_name not in self._plans:
            fields = self._around_customer() if type_name == CUSTOMER else self._around_thing(type_name)
            self._plans[type_name] = self._compiled(Selection(type_name, tuple(fields)))
        return self._plans[type_name]

    def _compiled(self, selection: Selection) -> ReadPlan:
        return compile_plan(self._ontology, ById(selection, Var("id")), self._access, self._dialect)

    # selections

    def _named(self, type_name: str) -> tuple[Field, ...]:
        of = self._ontology.parties[0] if type_name == CUSTOMER else self._ontology.type(type_name)
        known = self._ontology.customer_properties if type_name == CUSTOMER else of.properties
        shown = of.title is not None and of.title in known and known[of.title].range is None
        label = (Value("label", of.title),) if of.title and shown else ()
        return (Id("id"), Constant("type", type_name), *label)

    def _owned(self, type_name: str) -> Selection:
        owner = Owner("owner", Selection(CUSTOMER, self._named(CUSTOMER)))
        return Selection(type_name, (*self._named(type_name), owner))

    def _around_customer(self) -> Iterator[Field]:
        yield Id("id")
        members = Members("members", Selection(CUSTOMER, self._named(CUSTOMER)), FAN_OUT)
        yield Household("household", (Part("id", "id"), members))
        yield Parties("parties", tuple(self._party(type_) for type_ in self._ontology.parties), FAN_OUT)
        if ORDER in self._ontology.types and self._ontology.type(ORDER).has_customer:
            yield Many("orders", ORDER, None, self._newest_first(), (Nodes("nodes", self._order()),))

    def _party(self, type_: EntityType) -> Selection:
        links: list[Field] = []
        for alias, link in self.links.items():
            targets = self._ontology.range_types(link.property.range or "")
            if link.backward and type_ in targets:
                nodes = Nodes("nodes", self._owned(link.type.name))
                links.append(Many(alias, link.type.name, link.property.name, Page(first=FAN_OUT), (nodes,)))
            elif not link.backward and link.type is type_:
                links.append(
                    One(alias, link.property.name, tuple(self._owned(target.name) for target in targets))
                )
        return Selection(type_.name, (*self._named(type_.name), Origin("source", "source"), *links))

    def _newest_first(self) -> Page:
        type_ = self._ontology.type(ORDER)
        time = type_.properties.get(type_.time or "")
        if time is None or not self._guard.whole(time, self._guard.seen(ORDER)):
            return Page(first=FAN_OUT)
        return Page(order_by=(OrderBy(time.name, descending=True),), first=FAN_OUT)

    def _order(self) -> Selection:
        return Selection(ORDER, (*self._named(ORDER), *(self._lines(goods) for goods in self.goods)))

    def _lines(self, goods: _Goods) -> Many:
        thing = One(goods.alias, goods.thing.name, (Selection(goods.target, self._named(goods.target)),))
        nodes = Nodes("nodes", Selection(goods.lines.name, (thing,)))
        return Many(goods.lines_alias, goods.lines.name, goods.order.name, Page(first=FAN_OUT), (nodes,))

    def _around_thing(self, type_name: str) -> Iterator[Field]:
        yield Id("id")
        for goods in self.goods:
            if goods.target == type_name:
                order = One("order", goods.order.name, (self._owned(ORDER),))
                nodes = Nodes("nodes", Selection(goods.lines.name, (order,)))
                page = Page(first=FAN_OUT)
                yield Many(goods.lines_alias, goods.lines.name, goods.thing.name, page, (nodes,))
