"""Generated selections, filters, orders, pages and policies over the small company."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hub.access import MASKS
from hub.graph.plans import (
    Aggregate,
    And,
    ById,
    ByIdentifier,
    ByIds,
    Compare,
    Constant,
    Edges,
    Entry,
    EntryEntity,
    Facts,
    Figure,
    Figures,
    Filter,
    Freshness,
    GroupKey,
    GroupOrder,
    Groups,
    Household,
    Id,
    Identifiers,
    KeyAlong,
    KeyValue,
    ListOf,
    Many,
    Members,
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
    Root,
    RowCount,
    RowId,
    Rows,
    Selection,
    Some,
    Ties,
    Timeline,
    ToOne,
    TotalCount,
    Unit,
    Value,
)
from hub.graph.plans.groupkeys import MAX_KEYS, MAX_LINKS
from hub.ontology import PARTY, Ontology, Property, PropertyType
from hub.values import Instant, Money
from tests.graph.plans.evaluator import parts
from tests.graph.plans.figures import leaves, paths
from tests.graph.plans.plan_world import ALLOW, DENY, Access, World, categories, masked

_ORIGINS = ("source", "stream", "recordKey", "recordId", "observedAt")
_SUMMED = (PropertyType.INTEGER, PropertyType.DECIMAL, PropertyType.MONEY)
_TIMES = (PropertyType.DATE, PropertyType.INSTANT)
_UNSORTED = (PropertyType.REFERENCE,)


class Strategies:
    """Strategies over one ontology and world."""

    def __init__(self, ontology: Ontology, world: World) -> None:
        self.ontology, self.world = ontology, world

    def access(self) -> st.SearchStrategy[Access]:
        """Policies in which most is allowed."""
        decision = st.one_of(
            st.just(ALLOW), st.just(ALLOW), st.just(DENY), st.sampled_from(sorted(MASKS)).map(masked)
        )
        names = st.sampled_from(categories(self.ontology))
        return st.dictionaries(names, decision, max_size=25).map(Access)

    def properties(self, type_name: str) -> dict[str, Property]:
        if type_name == "Customer":
            return dict(self.ontology.customer_properties)
        return dict(self.ontology.type(type_name).properties)

    def type_names(self, kind: str | None = None) -> list[str]:
        return [t.name for t in self.ontology.types.values() if kind is None or t.kind == kind]

    # filters and orders

    def filters(self, type_name: str, depth: int = 2) -> st.SearchStrategy[Filter]:
        leaf = self.compare(type_name)
        if not depth:
            return leaf
        inner = self.filters(type_name, depth - 1)
        some = [self.some(way, target, depth) for way, target in self.ways(type_name)]
        several = st.lists(inner, max_size=3).map(tuple)
        return st.one_of(leaf, inner.map(Not), several.map(And), several.map(Or), *some)

    def some(self, way: Rows | ToOne, target: str, depth: int) -> st.SearchStrategy[Filter]:
        inner = st.one_of(st.none(), st.deferred(lambda: self.filters(target, depth - 1)))
        return inner.map(lambda where: Some(way, where))

    def ways(self, type_name: str) -> list[tuple[Rows | ToOne, str]]:
        if type_name == "Customer":
            own = [Rows(t.name) for t in self.ontology.types.values() if t.has_customer]
            return [(rows, rows.type) for rows in [*own, Rows("Person", "worksFor")]]
        found: list[tuple[Rows | ToOne, str]] = []
        for prop in self.ontology.type(type_name).references:
            found += [(ToOne(prop.name, t.name), t.name) for t in self.ontology.range_types(prop.range or "")]
        return found + [(Rows(type_, by), type_) for type_, by in self.back(type_name)]

    def back(self, type_name: str) -> list[tuple[str, str]]:
        return [
            (t.name, prop.name)
            for t in self.ontology.types.values()
            for prop in t.references
            if type_name in [r.name for r in self.ontology.range_types(prop.range or "")]
        ]

    @st.composite
    def _compare(draw: Any, self: Strategies, type_name: str) -> Compare:  # noqa: N805
        properties = self.properties(type_name)
        name = draw(st.sampled_from([*properties, "id", "kind" if type_name == "Customer" else "source"]))
        if name in ("id", "source", "kind"):
            values = ["erp", "pos", "person", "customer1", "customer2", *list(self.world.rows)[::9]]
            return Compare(name, draw(st.sampled_from([Op.EQ, Op.NE])), draw(st.sampled_from(values)))
        prop = properties[name]
        op = draw(st.sampled_from(operators(prop)))
        if op is Op.IS_NULL:
            return Compare(name, op, draw(st.booleans()))
        value = st.sampled_from(self.values(type_name, prop))
        if op is Op.IN:
            return Compare(name, op, tuple(draw(st.lists(value, max_size=4))))
        if op is Op.BETWEEN:
            return Compare(name, op, tuple(draw(st.tuples(value, value))))
        if op in (Op.CONTAINS, Op.STARTS_WITH):
            word, cut = draw(value), draw(st.integers(0, 4))
            return Compare(name, op, draw(st.sampled_from([word[:cut], word[1 : cut + 1], word.swapcase()])))
        return Compare(name, op, draw(value))

    def compare(self, type_name: str) -> st.SearchStrategy[Compare]:
        currency = st.sampled_from(["GBP", "EUR", "USD"])
        money = [p.name for p in self.properties(type_name).values() if p.type is PropertyType.MONEY]
        parts_ = [currency.map(lambda c, n=name: Compare(n, Op.EQ, c, "currency")) for name in money]
        return st.one_of(Strategies._compare(self, type_name), *parts_)

    def values(self, type_name: str, prop: Property) -> list[Any]:
        things: Any = self.world.customers.values() if type_name == "Customer" else self.world.of(type_name)
        found: list[Any] = []
        for thing in things:
            value = thing.values.get(prop.name)
            if isinstance(value, tuple):
                found += value
            elif isinstance(value, Money):
                found.append(value.amount)
            elif isinstance(value, Instant):
                found.append(value.at)
            elif value is not None:
                found.append(value)
        return found or ["x"]

    def orders(self, type_name: str) -> st.SearchStrategy[tuple[OrderBy, ...]]:
        names = [
            p.name for p in self.properties(type_name).values() if p.type not in _UNSORTED and not p.many
        ]
        key = st.builds(OrderBy, st.sampled_from([*names, "id"]), st.booleans())
        return st.lists(key, max_size=3, unique_by=lambda item: item.property).map(tuple)

    def pages(self, type_name: str) -> st.SearchStrategy[Page]:
        where = st.one_of(st.none(), st.none(), self.filters(type_name, 1))
        return st.builds(Page, where, self.orders(type_name), st.integers(0, 6))

    def plain_pages(self) -> st.SearchStrategy[Page]:
        return st.builds(Page, first=st.integers(0, 6))

    # selections

    @st.composite
    def _connection(
        draw: Any,  # noqa: N805
        self: Strategies,
        nodes: Any,
        figures: Any = None,
    ) -> tuple[Any, ...]:
        fields: list[Any] = [
            *([draw(figures)] if figures is not None else []),
            TotalCount("count"),
            PageInfo("info", parts("hasNextPage hasPreviousPage")),
            Constant("c", "'%:c"),
        ]
        fields += [
            Nodes("nodes", draw(nodes)),
            Edges("edges", (Constant("t", "Edge"), Node("node", draw(nodes)))),
        ]
        return tuple(
            draw(st.lists(st.sampled_from(fields), unique_by=lambda item: item.alias, min_size=2, max_size=5))
        )

    @st.composite
    def selection(
        draw: Any,  # noqa: N805
        self: Strategies,
        type_name: str,
        depth: int = 2,
        plain: bool = False,
    ) -> Selection:
        """A selection on the type; `plain` without filters and orders, so that no policy refuses it."""
        options: list[Any] = [Constant("kind", type_name), Id("id")]
        for prop in self.properties(type_name).values():
            if prop.type is PropertyType.REFERENCE:
                continue
            options.append(Value(prop.name, prop.name))
            if prop.type is PropertyType.MONEY:
                options.append(Value(f"{prop.name}Part", prop.name, (Part("c", "currency"),)))
            if prop.type is PropertyType.INSTANT:
                options.append(Value(f"{prop.name}Parts", prop.name, parts("zone at")))
        origins = ("kind", "createdAt", "updatedAt") if type_name == "Customer" else _ORIGINS
        options += [Origin(f"o{name}", name) for name in origins]
        fields = draw(
            st.lists(st.sampled_from(options), unique_by=lambda item: item.alias, min_size=1, max_size=8)
        )
        if depth:
            links = self._links(type_name, depth - 1, plain)
            for number in range(draw(st.integers(1, 3))):
                fields.append(draw(draw(st.sampled_from(links))(f"link{number}")))
        return Selection(type_name, tuple(fields))

    def _links(self, type_name: str, depth: int, plain: bool) -> list[Any]:
        links: list[Any] = [
            lambda alias, way=way, target=target: self._many(alias, way, target, depth, plain)
            for way, target in self.ways(type_name)
            if isinstance(way, Rows)
        ]
        if type_name == "Customer":
            return links + self._customer_links(depth, plain)
        if self.ontology.type(type_name).has_customer:
            links.append(
                lambda alias: Strategies.selection(self, "Customer", depth, plain).map(
                    lambda s: Owner(alias, s)
                )
            )
        for prop in self.ontology.type(type_name).references:
            names = [t.name for t in self.ontology.range_types(prop.range or "")]
            links.append(
                lambda alias, prop=prop, names=names: self._several(names, depth, plain).map(
                    lambda several: One(alias, prop.name, several)
                )
            )
        return links

    def _several(self, names: list[str], depth: int, plain: bool) -> st.SearchStrategy[tuple[Selection, ...]]:
        return st.lists(
            st.sampled_from(names).flatmap(lambda name: Strategies.selection(self, name, depth, plain)),
            unique_by=lambda selection: selection.type,
            max_size=len(names),
        ).map(tuple)

    def _many(self, alias: str, way: Rows, target: str, depth: int, plain: bool) -> st.SearchStrategy[Many]:
        pages = self.plain_pages() if plain else self.pages(target)
        figures = None if plain else Strategies.figures(self, target)
        fields = Strategies._connection(self, Strategies.selection(self, target, depth, plain), figures)
        return st.builds(lambda page, fields: Many(alias, way.type, way.by, page, fields), pages, fields)

    def _customer_links(self, depth: int, plain: bool) -> list[Any]:
        def listed(names: str) -> Any:
            return st.lists(st.sampled_from(parts(names)), unique=True).map(tuple)

        facts = listed(
            "property value json type entityId source stream recordKey recordId observedAt rule wins"
        )
        names = st.one_of(
            st.none(),
            st.lists(st.sampled_from(list(self.ontology.customer_properties)), unique=True).map(tuple),
        )
        held = listed("scheme value strong source type property entityId")
        fresh = listed("source lastSuccessAt state newestObservedAt rows")
        ties = listed("memberId since sameAddress sameFamilyName sharedContact sharedAccount")
        events, few = self.type_names("event"), st.integers(0, 6)
        entry_parts = listed("id type at phase title source")
        entity = self._several(events, depth, plain).map(lambda several: EntryEntity("entity", several))
        entry = st.builds(lambda a, b: Entry((*a, *b)), entry_parts, st.lists(entity, max_size=1))
        phases = (
            st.none()
            if plain
            else st.one_of(
                st.none(), st.lists(st.sampled_from(["pre_purchase", "purchase", "post_purchase"])).map(tuple)
            )
        )
        types = st.one_of(st.none(), st.lists(st.sampled_from(events), min_size=1, unique=True).map(tuple))
        timeline = Strategies._connection(self, entry)
        member = Strategies.selection(self, "Customer", depth, plain)
        return [
            lambda alias: st.builds(
                lambda p, n, w, f: Facts(alias, p, n, w, f), facts, names, st.booleans(), st.integers(0, 200)
            ),
            lambda alias: st.builds(lambda p, f: Identifiers(alias, p, f), held, st.integers(0, 20)),
            lambda alias: st.builds(
                lambda s, f: Parties(alias, s, f), self._several(self.type_names("party"), depth, plain), few
            ),
            lambda alias: st.builds(
                lambda s, f, t: Household(
                    alias, (Part("id", "id"), Part("n", "size"), Members("m", s, f), Ties("t", t, f))
                ),
                member,
                few,
                ties,
            ),
            lambda alias: fresh.map(lambda p: Freshness(alias, p)),
            lambda alias: st.builds(
                lambda f, p, t, n: Timeline(alias, f, p, t, n), timeline, phases, types, few
            ),
        ]

    # aggregates

    @st.composite
    def figures(draw: Any, self: Strategies, type_name: str) -> Aggregate | Groups:  # noqa: N805
        """An aggregate, or groups by keys that may lead along references."""
        fields: list[Any] = [RowCount("n"), Constant("c", "it's %s")]
        for function in ("sum", "min", "max"):
            options = [
                Figure(prop.name, prop.name, parts("currency amount") if draw(st.booleans()) else None)
                if prop.type is PropertyType.MONEY
                else Figure(prop.name, prop.name)
                for prop in self.properties(type_name).values()
                if not prop.many and prop.type in (_SUMMED if function == "sum" else (*_SUMMED, *_TIMES))
            ]
            if options:
                chosen = draw(st.lists(st.sampled_from(options), unique=True, min_size=1, max_size=4))
                fields.append(Figures(function, function, tuple(chosen)))
        some = draw(st.lists(st.sampled_from(fields), unique=True, min_size=1))
        if draw(st.booleans()):
            return Aggregate("all", tuple(some))
        keys = draw(st.lists(self.key_fields(type_name), min_size=1, max_size=2).filter(_are_few))
        some += [GroupKey(f"key{number}", tuple(fields)) for number, fields in enumerate(keys)]
        order, few = draw(st.sampled_from(GroupOrder)), st.integers(0, 8)
        return Groups("groups", tuple(some), order, draw(few), draw(st.one_of(st.just(0), few)))

    def key_fields(self, type_name: str, depth: int = 2) -> st.SearchStrategy[list[Any]]:
        return st.lists(self._key(type_name, depth), unique_by=lambda key: key.alias, min_size=1, max_size=2)

    def _key(self, type_name: str, depth: int) -> st.SearchStrategy[Any]:
        names = ["id", "kind" if type_name == "Customer" else "source"]
        values = [st.just(KeyValue(name, name)) for name in (["id"] if type_name == PARTY else names)]
        links = [(None, "Customer")] if type_name == PARTY else []
        for prop in self.properties(type_name).values() if type_name != PARTY else ():
            if prop.type is PropertyType.REFERENCE:
                links.append((prop.name, prop.range or ""))
            elif prop.type is PropertyType.MONEY:
                values.append(st.just(KeyValue(prop.name, prop.name, parts=parts("currency"))))
            elif prop.type in _TIMES:
                units = st.sampled_from(Unit)
                values.append(units.map(lambda unit, name=prop.name: KeyValue(name, name, unit)))
            elif not prop.many and prop.type is not PropertyType.DECIMAL:
                values.append(st.just(KeyValue(prop.name, prop.name)))
        if type_name not in ("Customer", PARTY) and self.ontology.type(type_name).has_customer:
            links.append((None, "Customer"))
        along = [
            self.key_fields(target, depth - 1).map(
                lambda fields, name=name: KeyAlong(f"to_{name}", name, tuple(fields))
            )
            for name, target in links
            if depth
        ]
        return st.one_of(*values, *along)

    # roots

    def roots(self, plain: bool = False) -> st.SearchStrategy[Root]:
        """Any root with literals only."""
        names = ["Customer", "Customer", *self.type_names()]
        return st.one_of(
            st.sampled_from(names).flatmap(lambda name: self._by_id(name, plain)),
            st.sampled_from(names).flatmap(lambda name: self._list(name, plain)),
            st.sets(st.sampled_from(names), max_size=3).flatmap(
                lambda some: self._by_ids(sorted(some), plain)
            ),
            *([] if plain else [self._by_identifier()]),
        )

    def _by_id(self, name: str, plain: bool) -> st.SearchStrategy[Root]:
        selection = Strategies.selection(self, name, 2, plain)
        return st.builds(ById, selection, st.sampled_from([*self._known(name), "nobody"]))

    def _known(self, name: str) -> list[str]:
        if name == "Customer":
            return [*self.world.customers, *self.world.redirects]
        return [row.id for row in self.world.of(name)]

    def _by_ids(self, names: list[str], plain: bool) -> st.SearchStrategy[Root]:
        """Rows that are there, twice, of another type, of a type without a selection, and not there."""
        selections = st.tuples(*(Strategies.selection(self, name, 1, plain) for name in names))
        ids = [id_ for name in (*names, "Product") for id_ in self._known(name)]
        rows = st.builds(RowId, st.sampled_from([*names, "Ticket"]), st.sampled_from([*ids, "nobody", ""]))
        return st.builds(ByIds, selections, st.lists(rows, max_size=8).map(tuple))

    def _list(self, name: str, plain: bool) -> st.SearchStrategy[Root]:
        pages = self.plain_pages() if plain else self.pages(name)
        figures = None if plain else Strategies.figures(self, name)
        fields = Strategies._connection(self, Strategies.selection(self, name, 2, plain), figures)
        return st.builds(ListOf, st.just(name), pages, fields)

    def _by_identifier(self) -> st.SearchStrategy[Root]:
        schemes = ["email", "phone", "card", "order_number"]
        selection = Strategies.selection(self, "Customer", 2)
        return st.sampled_from(schemes).flatmap(
            lambda scheme: st.builds(
                ByIdentifier,
                selection,
                st.just(scheme),
                st.sampled_from(self._held(scheme)),
                st.integers(0, 5),
            )
        )

    def _held(self, scheme: str) -> list[str]:
        return [
            row.values[prop.name]
            for row in self.world.rows.values()
            for prop in self.ontology.type(row.type).identifiers
            if prop.identifier == scheme and prop.name in row.values
        ]


def _are_few(keys: list[list[Any]]) -> bool:
    """Whether the keys are within the limits; the way to a customer is two links."""
    values = sum(len(leaves(fields, ())) for fields in keys)
    return values <= MAX_KEYS and 2 * sum(len(paths(fields, ())) for fields in keys) <= MAX_LINKS


def operators(prop: Property) -> list[Op]:
    """The operators that fit a property."""
    if prop.many:
        return (
            [Op.IS_NULL]
            if prop.type is PropertyType.INTEGER
            else [Op.EQ, Op.IN, Op.CONTAINS, Op.STARTS_WITH, Op.IS_NULL]
        )
    found = [Op.EQ, Op.NE, Op.IN, Op.IS_NULL]
    if prop.type not in (PropertyType.BOOLEAN, PropertyType.REFERENCE):
        found += [Op.LT, Op.LTE, Op.GT, Op.GTE, Op.BETWEEN]
    texts = (PropertyType.TEXT, PropertyType.EMAIL, PropertyType.PHONE, PropertyType.DATE, PropertyType.ENUM)
    return found + ([Op.CONTAINS, Op.STARTS_WITH] if prop.type in texts else [])
