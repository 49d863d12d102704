"""Questions by which a caller may try to learn what it may not see, drawn for a role."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from graphql import GraphQLField, GraphQLInputObjectType, GraphQLSchema, get_named_type, is_leaf_type

from hub.ontology import CUSTOMER, EntityType, Property, PropertyType
from hub.store import decode
from hub.values import Instant, Money
from tests.leaks.company import customer_ids
from tests.leaks.landing import PAST
from tests.leaks.policies import requester
from tests.leaks.selections import chunks, entity_text, past_chunks
from tests.leaks.variants import COMMON
from tests.leaks.worlds import Pair

SAMPLE = 7
"""How many questions of most kinds a role asks."""

_NOTES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Interaction": ("logInteraction", {"kind": "call"}),
    "Consent": ("recordConsent", {"purpose": "marketing", "channel": "email", "state": "given"}),
    "Restriction": ("recordRestriction", {"kind": "objection", "state": "in_force"}),
}
"""What staff may note of a customer: the mutation, and the least that it has to be told."""


@dataclass(frozen=True)
class Probe:
    """One question; where `pages` is set, also the pages after it, by the cursors of its answers."""

    kind: str
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    pages: bool = False


class Prober:
    """Draws questions for one role, about what it may not see above all."""

    def __init__(self, pair: Pair, role: str, sample: int = SAMPLE) -> None:
        self._pair, self._sample = pair, sample
        self._hiding = pair.hiding(role)
        asks = requester(role)
        self._openable = sorted(pair.services.access.openable(asks.roles, asks.purpose))[:2]
        self._draw = random.Random(f"probes {role}")
        self._ontology = pair.services.ontology
        self._schema = pair.catalogue.graphql
        self._customers = customer_ids(pair.services.store)
        self._kinds: dict[str, Callable[[], Iterator[Probe]]] = {
            "fields": self._fields,
            "by_id": self._by_id,
            "past": self._past,
            "entities": self._entities,
            "filter": self._filters,
            "link_filter": self._link_filters,
            "sort": self._sorts,
            "figure": self._figures,
            "group": self._groups,
            "identifier": self._lookups,
            "search": self._searches,
            "network": self._networks,
            "timeline": self._timelines,
            "facts": self._facts,
            "sources": self._sources,
            "subscription": self._subscriptions,
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of questions there are."""
        return tuple(self._kinds)

    def commands(self) -> Iterator[Probe]:
        """Notes and corrections by which one may find out whose a row is, or that there is one.

        They change the worlds.
        """
        for type_name, (name, fixed) in _NOTES.items():
            query = f"mutation($i: {type_name}Input!) {{ {name}(input: $i) {{ customerId }} }}"
            for prop in self._ontology.type(type_name).references:
                for target in self._ontology.range_types(prop.range or ""):
                    for row in () if target.is_party else self._pair.rows[target.table]:
                        for customer in self._customers:
                            more = {"customerId": customer, "idempotencyKey": str(uuid4())}
                            yield Probe("command", query, {"i": {**fixed, **more, prop.name: row["id"]}})
            for customer in (*self._customers, "cus_none"):
                more = {"customerId": customer, "idempotencyKey": str(uuid4())}
                yield Probe("command", query, {"i": {**fixed, **more}})
        yield from self._corrections()
        yield from self._glasses()

    def _glasses(self) -> Iterator[Probe]:
        """Glasses broken for customers, which tell that they are there to those who may see something of them."""
        query = "mutation($i: BreakGlassInput!) { breakGlass(input: $i) { __typename } }"
        for customer in (*self._customers, "cus_none"):
            said = {"customerId": customer, "reason": "a reason of twenty letters", "ticket": "T-1"}
            for category in ("user.payment", *self._openable):
                more = {"categories": [category], "idempotencyKey": str(uuid4())}
                yield Probe("command", query, {"i": {**said, **more}})

    def _corrections(self) -> Iterator[Probe]:
        """Corrections of what one may not see: they tell neither the customer nor that the value is corrected."""
        said = {"customerId": self._customers[0], "reason": "told by letter"}
        for prop in self._ontology.customer_properties.values():
            if self._hiding.mask_of(prop) is not True:
                for name, more in (("correctProperty", {"value": "x"}), ("withdrawCorrection", {})):
                    input_ = f"{name[0].upper()}{name[1:]}Input"
                    # Not `entityId`: that of a new correction is drawn, and differs in worlds that are alike.
                    query = f"mutation($i: {input_}!) {{ {name}(input: $i) {{ customerId properties }} }}"
                    given = {**said, **more, "property": prop.name, "idempotencyKey": str(uuid4())}
                    yield Probe("command", query, {"i": given})

    def probes(self, *kinds: str) -> Iterator[Probe]:
        """Questions of these kinds, or of all."""
        for kind in kinds or self._kinds:
            yield from self._kinds[kind]()

    # what is there

    def _fields(self) -> Iterator[Probe]:
        """Every field of every type, with all that is one link away."""
        names = (CUSTOMER, *self._ontology.types)
        found = [(name, chunk) for name in names for chunk in chunks(self._schema, name)]
        for name, chunk in self._draw.sample(found, min(self._sample, len(found))):
            page = "totalCount pageInfo { hasNextPage endCursor }"
            edges = f"edges {{ cursor node {{ {chunk} }} }}"
            yield Probe("fields", f"{{ {self._plural(name)}(first: 50) {{ {page} {edges} }} }}")

    def _by_id(self) -> Iterator[Probe]:
        types = self._draw.sample(list(self._ontology.types.values()), self._sample)
        for type_ in types:
            root = type_.name[0].lower() + type_.name[1:]
            ids = [row["id"] for row in self._pair.rows[type_.table][:2]]
            for id_ in (*ids, "nosuchrow"):
                text = entity_text(self._schema, type_.name, 0)
                yield Probe("by_id", f"query($id: ID!) {{ {root}(id: $id) {{ {text} }} }}", {"id": id_})
        text = entity_text(self._schema, CUSTOMER, 0)
        for id_ in (*self._customers, "cus_none"):
            yield Probe("by_id", f"query($id: ID!) {{ customer(id: $id) {{ {text} }} }}", {"id": id_})

    def _past(self) -> Iterator[Probe]:
        """Everything of a customer as of a past time."""
        found = list(past_chunks(self._schema))
        for id_ in (*self._customers, "cus_none"):
            for text in self._draw.sample(found, min(self._sample, len(found))):
                query = f'query($id: ID!) {{ customer(id: $id, asOf: "{PAST}") {{ {text} }} }}'
                yield Probe("past", query, {"id": id_})

    def _entities(self) -> Iterator[Probe]:
        """What a gateway asks: rows of all types that there are, and some that there are not."""
        for type_ in self._draw.sample(list(self._ontology.types.values()), self._sample):
            named = [row["id"] for row in self._pair.rows[type_.table][:2]]
            rows = [{"__typename": type_.name, "id": id_} for id_ in (*named, "nosuchrow")]
            rows.append({"__typename": CUSTOMER, "id": self._customers[0]})
            text = entity_text(self._schema, type_.name, 0)
            query = (
                "query($r: [_Any!]!) { _entities(representations: $r) {"
                f" __typename ... on {type_.name} {{ {text} }} ... on Customer {{ customerKind: kind }} }} }}"
            )
            yield Probe("entities", query, {"r": rows})

    # what is asked by

    def _filters(self) -> Iterator[Probe]:
        """Filters by hidden properties, with values of both worlds."""
        for owner, prop in self._some_hidden():
            for where in self._conditions(owner, prop):
                yield self._counted(owner, where)

    def _link_filters(self) -> Iterator[Probe]:
        """The like along links: of another type's rows, and of rows that are only there."""
        for owner, prop in self._some_hidden():
            ways = list(self._ways_to(owner))
            for where in list(self._conditions(owner, prop))[:1]:
                for from_, wrap in self._draw.sample(ways, min(2, len(ways))):
                    yield self._counted(from_, wrap(where))
        for from_ in self._draw.sample((CUSTOMER, *self._ontology.types), self._sample):
            anywhere = [wrap({}) for _, wrap in self._ways_from(from_)]
            for where in self._draw.sample(anywhere, min(3, len(anywhere))):
                yield self._counted(from_, where)

    def _sorts(self) -> Iterator[Probe]:
        """Sorts by hidden properties, and by others with cursors, page by page."""
        for owner, prop in self._some_of_both():
            if prop.many or prop.range is not None:
                continue
            query = (
                f"query($o: [{owner}OrderBy!], $a: String) {{ {self._plural(owner)}(orderBy: $o, first: 2, after: $a)"
                " { totalCount pageInfo { endCursor startCursor hasNextPage } edges { cursor node { id } } } }"
            )
            direction = self._draw.choice(["ASC", "DESC"])
            yield Probe("sort", query, {"o": [{prop.name: direction}]}, pages=True)
            if owner in self._ontology.types and self._ontology.type(owner).customer:
                inner = f"{self._plural(owner)}(orderBy: [{{{prop.name}: ASC}}]) {{ edges {{ cursor }} }}"
                yield Probe("sort", f"{{ customers {{ nodes {{ {inner} }} }} }}")

    def _figures(self) -> Iterator[Probe]:
        """Sums, least and greatest values of hidden properties and of others."""
        for owner, prop in self._some_of_both():
            asked = [
                f"{word} {{ {prop.name}{leaves(self._schema, f'{owner}{kind}', prop.name)} }}"
                for word, kind in (("sum", "Sum"), ("min", "Range"), ("max", "Range"))
                if prop.name in self._fields_of(f"{owner}{kind}")
            ]
            for each in asked:
                yield Probe("figure", f"{{ {self._plural(owner)} {{ aggregate {{ count {each} }} }} }}")

    def _groups(self) -> Iterator[Probe]:
        """Groups by hidden properties and others, their own and those of rows they refer to."""
        for owner, prop in self._some_of_both():
            key = self._key(owner, prop)
            if key is None:
                continue
            yield self._grouped(owner, key)
            for from_ in self._draw.sample(list(self._ontology.types.values()), 2):
                for reference in from_.references:
                    if reference.range == owner:
                        yield self._grouped(from_.name, f"{reference.name} {{ {key} }}")
                if owner == CUSTOMER and from_.has_customer:
                    yield self._grouped(from_.name, f"belongsTo {{ {key} }}")
        owned = [type_.name for type_ in self._ontology.types.values() if type_.has_customer]
        for name in self._draw.sample(owned, self._sample):
            yield self._grouped(name, "belongsTo { id }")

    def _key(self, owner: str, prop: Property) -> str | None:
        """The property as a group's key; None where it cannot be one."""
        name = f"{owner}GroupKey"
        field_ = self._fields_of(name).get(prop.name)
        if field_ is None:
            return None
        unit = f"(unit: {self._draw.choice(['YEAR', 'MONTH', 'DAY'])})" if field_.args else ""
        return f"{prop.name}{unit}{' { id }' if prop.range else leaves(self._schema, name, prop.name)}"

    def _grouped(self, owner: str, key: str) -> Probe:
        groups = f"groups(first: 50) {{ count key {{ {key} }} }}"
        if self._draw.random() < 0.3 and owner != CUSTOMER and self._ontology.type(owner).customer:
            return Probe("group", f"{{ customers {{ nodes {{ {self._plural(owner)} {{ {groups} }} }} }} }}")
        return Probe("group", f"{{ {self._plural(owner)} {{ {groups} }} }}")

    def _fields_of(self, type_name: str) -> Mapping[str, GraphQLField]:
        found: Any = self._schema.type_map.get(type_name)
        return found.fields if found is not None else {}

    def _lookups(self) -> Iterator[Probe]:
        query = "query($v: String!) {{ customerByIdentifier(scheme: {}, value: $v) {{ id name kind }} }}"
        for rows in (self._pair.rows, self._pair.other_rows):
            known: dict[str, list[str]] = {}
            for row in rows["identifier"]:
                known.setdefault(row["scheme"], []).append(row["value"])
            schemes = set(known) & set(self._schema.type_map["IdentifierScheme"].values)
            for scheme in sorted(schemes):
                for value in self._draw.sample(sorted(known[scheme]), 1):
                    yield Probe("identifier", query.format(scheme), {"v": value})
        yield Probe("identifier", query.format("email"), {"v": "no address"})

    # search, network, specials

    def _searches(self) -> Iterator[Probe]:
        query = (
            "query($t: String!, $y: [String!], $s: [String!]) { search(text: $t, types: $y, sources: $s, first: 50,"
            ' facets: ["source"]) { total facets { type count } counts { counts { value count } } didYouMean'
            " hits { type id customerId title snippet } } }"
        )
        suggest = "query($t: String!) { searchSuggest(text: $t, first: 50) { text type } }"
        rows = (
            "query($t: String!) { searchRows(text: $t, first: 50) { __typename ... on Customer { id name email }"
            " ... on Ticket { id subject } ... on Order { id orderNumber customer { id name } } } }"
        )
        counted = (
            "query($t: String!, $f: String!, $v: [String!]!) { search(text: $t, facets: [$f],"
            " where: [{facet: $f, values: $v}]) { total counts { facet counts { value count } } } }"
        )
        texts = [text for owner, prop in self._hidden() if prop.search for text in self._texts(owner, prop)]
        for text in self._draw.sample(texts, min(self._sample, len(texts))):
            words = text.replace("@", " ").split()
            asked = self._draw.choice([text, words[0], words[-1], words[0][:4], text[-5:]])
            yield Probe("search", query, {"t": asked})
            yield Probe("search", query, {"t": asked, "y": ["Customer"], "s": ["erp"]})
            yield Probe("search", query, {"t": f"{asked[:-1]}xq"})
            yield Probe("search", suggest, {"t": asked})
            yield Probe("search", rows, {"t": asked})
            yield Probe("search", suggest, {"t": asked[:3]})
        # Words that many rows share show their order.
        for word in (COMMON, COMMON[:4], f"{COMMON}s"):
            yield Probe("search", query, {"t": word})
            yield Probe("search", rows, {"t": word})
        for name in self._draw.sample(self._pair.services.search.types, self._sample):
            yield Probe("search", query, {"t": COMMON, "y": [name]})
        facets = sorted(self._pair.services.search.facets)
        for name in self._draw.sample(facets, min(self._sample, len(facets))):
            yield Probe("search", counted, {"t": COMMON, "f": name, "v": ["open", "paid", "web"]})

    def _networks(self) -> Iterator[Probe]:
        related = (
            "query($id: ID!) { relatedCustomers(id: $id, rings: 2) { customerId label distance reason"
            " steps { start end label kind forward } } }"
        )
        for id_ in (*self._customers, "cus_none"):
            yield Probe("network", related, {"id": id_})
            yield Probe("network", "query($id: ID!) { graphml(id: $id, rings: 1) }", {"id": id_})
        steps = "{ path(from: $a, to: $b) { start end label kind forward } }"
        for to in self._customers[1:]:
            yield Probe("network", f"query($a: ID!, $b: ID!) {steps}", {"a": self._customers[0], "b": to})

    def _timelines(self) -> Iterator[Probe]:
        query = (
            "query($a: String, $p: [Phase!], $t: [String!]) { customers { nodes { timeline(first: 3, after: $a,"
            " phase: $p, types: $t) { totalCount pageInfo { endCursor hasNextPage }"
            " edges { cursor node { id type at phase title source } } } } } }"
        )
        variables: list[dict[str, Any]] = [{}, {"p": ["post_purchase"]}, {"p": ["pre_purchase"]}]
        variables += [{"t": [type_.name]} for type_ in self._draw.sample(self._ontology.events, self._sample)]
        variables += [
            {"t": [t.name], "p": ["pre_purchase"]}
            for t in self._ontology.events
            if t.phase == "by_first_order"
        ]
        for each in variables:
            yield Probe("timeline", self._typed(query), each, pages=True)

    def _typed(self, query: str) -> str:
        """With the argument types that the schema has."""
        arguments = self._schema.type_map[CUSTOMER].fields["timeline"].args
        return query.replace("[Phase!]", str(arguments["phase"].type)).replace(
            "[String!]", str(arguments["types"].type)
        )

    def _facts(self) -> Iterator[Probe]:
        fact = "property value json type entityId source stream recordKey recordId observedAt wins rule"
        if "json" not in self._schema.type_map["Fact"].fields:
            fact = fact.replace(" json", "")
        for more in ("", "winnersOnly: true, "):
            yield Probe("facts", f"{{ customers {{ nodes {{ facts({more}first: 200) {{ {fact} }} }} }} }}")
        identifier = "scheme value source type property entityId strong"
        yield Probe("facts", f"{{ customers {{ nodes {{ identifiers(first: 50) {{ {identifier} }} }} }} }}")
        tie = "memberId since sameAddress sameFamilyName sharedContact sharedAccount"
        household = f"household {{ id size members {{ id name }} ties {{ {tie} }} }}"
        yield Probe("facts", f"{{ customers {{ nodes {{ {household} }} }} }}")
        relatives = "parent { id name } ultimateParent { id name } subsidiaries { id name }"
        hierarchy = f"hierarchy {{ isDeclared isRegistered since {relatives} }}"
        yield Probe("facts", f"{{ customers {{ nodes {{ {hierarchy} }} }} }}")

    def _sources(self) -> Iterator[Probe]:
        state = "{ source lastSuccessAt state newestObservedAt rows }"
        yield Probe("sources", f"{{ customers {{ nodes {{ freshness {state} }} }} }}")
        yield Probe("sources", "{ sources { name state lastSuccessAt records } }")

    def _subscriptions(self) -> Iterator[Probe]:
        """What is told of customers as they change."""
        start = "subscription { customerChanged(after: 0) { id kind seq at mergedInto"
        for chunk in self._draw.sample(list(chunks(self._schema, CUSTOMER)), 1):
            yield Probe("subscription", f"{start} customer {{ {chunk} }} }} }}")
        yield Probe("subscription", f"{start} }} }}")
        yield Probe("subscription", "{ lastChange }")
        for owner, prop in self._some_hidden():
            if owner in self._ontology.types and self._ontology.type(owner).customer and not prop.many:
                rows = f"{self._plural(owner)}(where: {{{prop.name}: {{isNull: false}}}}) {{ totalCount }}"
                yield Probe("subscription", f"{start} customer {{ {rows} }} }} }}")

    # hidden properties, and values

    def _owners(self) -> Iterator[tuple[str, Property]]:
        for prop in self._ontology.customer_properties.values():
            yield CUSTOMER, prop
        for type_ in self._ontology.types.values():
            for prop in type_.properties.values():
                yield type_.name, prop

    def _hidden(self) -> list[tuple[str, Property]]:
        return [found for found in self._owners() if self._hiding.mask_of(found[1]) is not True]

    def _some_hidden(self) -> list[tuple[str, Property]]:
        known = self._hidden()
        return self._draw.sample(known, min(self._sample, len(known)))

    def _some_of_both(self) -> list[tuple[str, Property]]:
        shown = [found for found in self._owners() if self._hiding.mask_of(found[1]) is True]
        return [*self._some_hidden(), *self._draw.sample(shown, min(self._sample, len(shown)))]

    def _table(self, owner: str) -> str:
        return CUSTOMER.lower() if owner == CUSTOMER else self._ontology.type(owner).table

    def _plural(self, owner: str) -> str:
        return "customers" if owner == CUSTOMER else self._ontology.type(owner).plural

    def _values(self, owner: str, prop: Property) -> list[Any]:
        """Values that the property has in either world."""
        name = self._pair.services.store.dialect.name
        rows = [
            row
            for world in (self._pair.rows, self._pair.other_rows)
            for row in self._draw.sample(world[self._table(owner)], min(2, len(world[self._table(owner)])))
        ]
        found = [decode(prop, tuple(row[column] for column in prop.columns), name) for row in rows]
        return [value for value in found if value is not None]

    def _texts(self, owner: str, prop: Property) -> Iterator[str]:
        for value in self._values(owner, prop):
            each = value[0] if isinstance(value, tuple) and value else value
            if isinstance(each, str) and each.strip():
                yield each

    # conditions

    def _conditions(self, owner: str, prop: Property) -> Iterator[dict[str, Any]]:
        """Comparisons of the property; of a reference, that it leads anywhere."""
        if prop.range is not None:
            inner = {type_.name[0].lower() + type_.name[1:]: {} for type_ in self._ontology.parties}
            is_party = len(self._ontology.range_types(prop.range)) > 1
            yield {prop.name: {self._draw.choice(list(inner)): {}} if is_party else {}}
            return
        where = self._input(f"{owner}Where").fields[prop.name]
        operators = [name for name in self._input(str(where.type)).fields if name != "currency"]
        for value in (self._values(owner, prop) or [None])[:2]:
            operator = self._draw.choice(operators if value is not None else ["isNull"])
            yield {prop.name: {operator: _operand(operator, prop, value)}}
        if prop.type is PropertyType.MONEY:
            yield {prop.name: {"currency": {"eq": "GBP"}}}

    def _input(self, name: str) -> GraphQLInputObjectType:
        found = self._schema.type_map[name.strip("!")]
        assert isinstance(found, GraphQLInputObjectType)
        return found

    def _counted(self, owner: str, where: dict[str, Any]) -> Probe:
        query = (
            f"query($w: {owner}Where) {{ {self._plural(owner)}(where: $w) {{ totalCount nodes {{ id }} }} }}"
        )
        wrapped = self._draw.choice([where, {"NOT": where}, {"OR": [where, {"id": {"eq": "x"}}]}])
        return Probe("filter", query, {"w": wrapped})

    def _ways_to(self, owner: str) -> Iterator[tuple[str, Callable[[Any], dict[str, Any]]]]:
        for from_ in (CUSTOMER, *self._ontology.types):
            yield from ((from_, wrap) for name, wrap in self._ways_from(from_) if name == owner)

    def _ways_from(self, from_: str) -> Iterator[tuple[str, Callable[[Any], dict[str, Any]]]]:
        """Fields of the type's filter that lead to other rows: where to, and how a filter there is put."""
        for name, field_ in self._input(f"{from_}Where").fields.items():
            inner = str(get_named_type(field_.type))
            if inner.endswith("RowsWhere"):
                yield inner.removesuffix("RowsWhere"), _some(name)
            elif inner == "PartyWhere":
                for type_ in self._ontology.parties:
                    yield type_.name, _along(name, type_)
            elif inner.removesuffix("Where") in self._ontology.types and name not in ("AND", "OR", "NOT"):
                yield inner.removesuffix("Where"), _plain(name)


def leaves(schema: GraphQLSchema, type_name: str, name: str) -> str:
    """The selection on the field's value, empty where it has no parts."""
    inner: Any = get_named_type(schema.type_map[type_name].fields[name].type)  # type: ignore[attr-defined]
    return "" if is_leaf_type(inner) else f" {{ {' '.join(inner.fields)} }}"


def _some(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda where: {name: {"some": where}}


def _along(name: str, type_: EntityType) -> Callable[[Any], dict[str, Any]]:
    return lambda where: {name: {type_.name[0].lower() + type_.name[1:]: where}}


def _plain(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda where: {name: where}


def _operand(operator: str, prop: Property, value: Any) -> Any:
    if operator == "isNull":
        return True
    each = value[0] if isinstance(value, tuple) else value
    plain = _plain_value(each)
    if operator in ("in", "between"):
        return [plain, plain]
    return plain[:4] if operator in ("startsWith", "contains") else plain


def _plain_value(value: Any) -> Any:
    if isinstance(value, Money):
        return str(value.amount)
    if isinstance(value, Instant):
        return value.at.isoformat()
    return value if isinstance(value, bool | int) else str(value)
