"""Checks over all files of an ontology: what one file alone cannot show to be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from hub.ontology.model import CUSTOMER, PARTY, EntityType, Property, PropertyType, Taxonomy, TypeSpec
from hub.yamlfile import Fault, YamlDocument, nearest

RESERVED_COLUMNS = frozenset(
    {
        *("id", "type", "source", "stream", "record_key", "head_id", "record_id"),
        *("observed_at", "content_hash", "run_id", "party_id"),
    }
)
"""Columns that every entity table has; a property may not take their names."""

CUSTOMER_COLUMNS = frozenset({"kind", "household_id", "created_at", "updated_at", "provenance"})
"""Columns that the customers' table has besides; a party's property may not take their names."""

RESERVED_FIELDS = frozenset({"id", "origin", "party", "source", "customer_", "lineage"})
"""GraphQL fields that the hub itself gives to every entity."""

CUSTOMER_FIELDS = frozenset(
    {"facts", "identifiers", "parties", "timeline", "household", "freshness", "relatedCustomers", "lineage"}
)
"""GraphQL fields that the hub gives to customers besides."""

_NAME = re.compile(r"[a-z][A-Za-z0-9]*")

Specs = Sequence[tuple[YamlDocument, TypeSpec]]


def lint(
    types: Mapping[str, EntityType], taxonomy: Taxonomy, homes: Mapping[str, YamlDocument], specs: Specs
) -> list[Fault]:
    """Every fault between files: unknown names, clashes, unclassified or contradicting properties."""
    faults: list[Fault] = []
    # In the order of the files, so that a clash is the fault of the file that came later.
    types = {name: types[name] for name in homes}
    for doc, spec in specs:
        type_ = types.get(spec.type or spec.extends or "")
        if type_ is not None:
            for name in spec.properties:
                faults += _property_faults(doc, type_, type_.properties[name], types, taxonomy)
    for name, type_ in types.items():
        faults += _type_faults(homes[name], type_, types)
    faults += _clashing_plurals(types, homes)
    faults += _clashing_reverses(types, homes)
    faults += _contradicting_parties(types, homes)
    faults += _circular_customers(types, homes)
    for doc, spec in specs:
        faults += _scope_faults(doc, spec, types)
    return faults


_COMPARABLE = frozenset({PropertyType.TEXT, PropertyType.COUNTRY, PropertyType.LANGUAGE, PropertyType.ENUM})


def _scope_faults(doc: YamlDocument, spec: TypeSpec, types: Mapping[str, EntityType]) -> Iterator[Fault]:
    """A scope compares one text of a customer with what a token says."""
    parties = [type_ for type_ in types.values() if type_.is_party]
    known = {name: prop for party in parties for name, prop in party.properties.items()}
    for name, fact in spec.scopes.items():
        at = ["scopes", name, "property"]
        prop = known.get(fact.property)
        if prop is None:
            near = nearest(fact.property, known)
            yield doc.fault(at, f"no party has a property {fact.property!r}", nearest=near)
        elif prop.type not in _COMPARABLE or prop.many:
            expected = "one text, country, language or enum"
            yield doc.fault(
                at, f"{fact.property!r} cannot be compared with a token's claim", expected=expected
            )


def _circular_customers(
    types: Mapping[str, EntityType], homes: Mapping[str, YamlDocument]
) -> Iterator[Fault]:
    """A row's customer follows from other rows' customers, so these must not wait for each other."""
    needs = {name: set[str]() for name in types}
    for name, type_ in types.items():
        for path in type_.customer:
            first = type_.properties.get(path.split(".")[0])
            if "." in path and first is not None and first.range and first.range in types:
                needs[name].add(first.range)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        message = f"customer paths lead round in a circle: {' -> '.join(ring)}"
        yield homes[ring[0]].fault(["customer"], message)


def _property_faults(
    doc: YamlDocument, type_: EntityType, prop: Property, types: Mapping[str, EntityType], taxonomy: Taxonomy
) -> Iterator[Fault]:
    at = ["properties", prop.name]
    if not _NAME.fullmatch(prop.name):
        yield doc.fault(at, f"{prop.name!r} is no property name", expected="camelCase letters and digits")
    if prop.category not in taxonomy.categories:
        near = nearest(prop.category, taxonomy.categories)
        yield doc.fault([*at, "category"], f"unknown data category {prop.category!r}", nearest=near)
    if prop.range and prop.range != PARTY and prop.range not in types:
        near = nearest(prop.range, [*types, PARTY])
        yield doc.fault([*at, "range"], f"there is no type {prop.range!r}", nearest=near)
    columns = RESERVED_COLUMNS | CUSTOMER_COLUMNS if type_.is_party else RESERVED_COLUMNS
    fields = RESERVED_FIELDS | CUSTOMER_FIELDS if type_.is_party else RESERVED_FIELDS
    if prop.column in columns or prop.name in fields:
        yield doc.fault(at, f"the name {prop.name!r} is taken by the hub")
    own = set(prop.columns)
    twins = [
        p.name for p in type_.properties.values() if p.name != prop.name and not own.isdisjoint(p.columns)
    ]
    if twins:
        yield doc.fault(
            at, f"its column is also that of {twins[0]!r}", expected="names that differ in more than case"
        )
    is_reference = prop.type is PropertyType.REFERENCE
    if type_.is_party and not is_reference and prop.survivorship is None:
        yield doc.fault(at, "a party's property needs `survivorship`")
    if not type_.is_party and (prop.survivorship or prop.group or prop.strong):
        yield doc.fault(at, "`survivorship`, `group` and `strong` belong to parties")


def _type_faults(doc: YamlDocument, type_: EntityType, types: Mapping[str, EntityType]) -> Iterator[Fault]:
    if type_.name in (PARTY, CUSTOMER):
        yield doc.fault(["type"], f"the name {type_.name!r} is taken by the hub")
    for key in ("time", "title"):
        named = getattr(type_, key)
        if named and named not in type_.properties:
            near = nearest(named, type_.properties)
            yield doc.fault([key], f"{type_.name} has no property {named!r}", nearest=near)
    time = type_.properties.get(type_.time or "")
    if time is not None and (time.type not in (PropertyType.DATE, PropertyType.INSTANT) or time.many):
        yield doc.fault(["time"], f"{time.name!r} is of type {time.type}", expected="a date or an instant")
    for index, path in enumerate(type_.customer):
        problem = _customer_path_problem(type_, path, types)
        if problem:
            yield doc.fault(["customer", index], problem, expected="references that end at a party")


def _customer_path_problem(type_: EntityType, path: str, types: Mapping[str, EntityType]) -> str | None:
    here, *rest = path.split(".")
    prop = type_.properties.get(here)
    if prop is None or prop.range is None:
        return f"{type_.name} has no reference {here!r}"
    is_party = prop.range == PARTY or (prop.range in types and types[prop.range].is_party)
    if not rest:
        return None if is_party else f"{type_.name}.{here} does not lead to a party"
    if is_party or prop.range not in types:
        return f"{type_.name}.{here} does not lead on to {rest[0]!r}"
    following = ".".join(rest)
    if following not in types[prop.range].customer:
        return f"{prop.range} does not list {following!r} among its own customer paths"
    return None


def _clashing_plurals(types: Mapping[str, EntityType], homes: Mapping[str, YamlDocument]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for name, type_ in types.items():
        if type_.plural in seen:
            yield homes[name].fault(
                ["plural"], f"plural {type_.plural!r} is also that of {seen[type_.plural]}"
            )
        seen.setdefault(type_.plural, name)


def _clashing_reverses(types: Mapping[str, EntityType], homes: Mapping[str, YamlDocument]) -> Iterator[Fault]:
    taken: dict[tuple[str, str], str] = {}
    for name, type_ in types.items():
        for prop in type_.references:
            if not prop.reverse or not prop.range:
                continue
            targets = (
                [t for t in types.values() if t.is_party] if prop.range == PARTY else [types.get(prop.range)]
            )
            for target in filter(None, targets):
                key = (target.name, prop.reverse)
                owner = taken.setdefault(key, f"{name}.{prop.name}")
                if owner != f"{name}.{prop.name}" or prop.reverse in target.properties:
                    at = ["properties", prop.name, "reverse"]
                    clash = (
                        owner if owner != f"{name}.{prop.name}" else f"property {target.name}.{prop.reverse}"
                    )
                    yield homes[name].fault(at, f"{prop.reverse!r} on {target.name} clashes with {clash}")


def _contradicting_parties(
    types: Mapping[str, EntityType], homes: Mapping[str, YamlDocument]
) -> Iterator[Fault]:
    first: dict[str, tuple[str, Property]] = {}
    for name, type_ in types.items():
        if not type_.is_party:
            continue
        for prop in type_.properties.values():
            owner, model = first.setdefault(prop.name, (name, prop))
            for key in ("type", "category", "many", "scale", "survivorship", "group", "identifier", "values"):
                if getattr(prop, key) != getattr(model, key):
                    message = f"{key} differs from {owner}.{prop.name}; parties share one golden record"
                    yield homes[name].fault(["properties", prop.name], message)
