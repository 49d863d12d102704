"""The page `ontology.md`: every type and property that the hub knows, from the ontology's files."""

from __future__ import annotations

from collections.abc import Iterator

from hub.ontology import PARTY, EntityType, Ontology, Property, PropertyType
from hub.ontology.model import Property as PropertyModel
from hub.ontology.model import ScopeFact, TypeSpec
from hub.reference.markdown import anchor, code, fenced, header, keys_table, table
from hub.reference.own_examples import MORE_PROPERTIES, OWN_RULES, OWN_SCOPES, OWN_TYPE

_INTRODUCTION = """
What the hub knows about. Each type is one YAML file in `hub/ontology/types`. Tables, GraphQL types, search fields and
the access map follow from these files. A *party* is a person or organisation as one source states it; the hub resolves
parties into customers. An *event* has a place on a customer's timeline. Anything else is an *entity*.

Every property has a *data category*, a key of the [privacy taxonomy](#privacy-taxonomy), by which [access](access.md)
to it is decided. The column *roles* says what else it is used for:

| role | meaning |
| --- | --- |
| identifier `x` | The value identifies its row under the scheme `x`. |
| strong | Two parties that share the identifier are one customer. |
| match `x` | The part it plays when parties are compared. |
| search `x` | How full-text search uses it. |
| survivorship `x` | Which party's value becomes the customer's. |
| group `x` | Properties of one group come from one party together. |
"""

_PHASES = {
    "pre_purchase": "before the purchase",
    "purchase": "the purchase",
    "post_purchase": "after the purchase",
    "by_first_order": "before the customer's first order pre-purchase, after it post-purchase",
}


def ontology_page(ontology: Ontology) -> str:
    """The reference of the ontology."""
    return "\n".join(
        [
            header("Ontology", "the YAML files of the ontology"),
            _INTRODUCTION,
            "## Types\n",
            _overview(ontology),
            *(_type(ontology, type_) for type_ in ontology.types.values()),
            "## Your own types and properties\n",
            *_own(),
            "## Privacy taxonomy\n",
            *_taxonomy(ontology),
        ]
    )


def _overview(ontology: Ontology) -> str:
    return table(
        ("type", "kind", "states"),
        (
            (f"[{type_.name}]({anchor(type_.name)})", type_.kind, type_.description)
            for type_ in ontology.types.values()
        ),
    )


def _type(ontology: Ontology, type_: EntityType) -> str:
    values = [prop for prop in type_.properties.values() if prop.type is not PropertyType.REFERENCE]
    parts = [
        f"## {type_.name}\n",
        f"{type_.description}\n",
        "\n".join(f"- {fact}" for fact in _facts(type_)) + "\n",
        table(
            ("property", "type", "meaning", "category", "roles"),
            (
                (code(p.name), _value_type(p), _meaning(p), code(p.category), ", ".join(_roles(p)))
                for p in values
            ),
        ),
    ]
    if type_.references:
        parts += ["References:\n", _references(type_)]
    if ways := _ways_back(ontology, type_):
        parts += ["Ways back to it:\n", ways]
    return "\n".join(parts)


def _facts(type_: EntityType) -> Iterator[str]:
    yield f"Kind: {type_.kind}; label: {type_.label}"
    yield f"List in GraphQL: {code(type_.plural)}; table: {code(type_.table)}"
    if type_.space != type_.name:
        yield f"Space of its keys: {code(type_.space)}"
    if type_.time:
        yield f"Placed on the timeline by: {code(type_.time)}"
    if type_.phase:
        yield f"Phase: {code(type_.phase)}, {_PHASES[type_.phase]}"
    if type_.customer:
        yield "Its customer: " + ", else ".join(code(path) for path in type_.customer)
    if type_.title:
        yield f"Shown in lists by: {code(type_.title)}"
    if type_.schema_org:
        yield f"On schema.org: [{type_.schema_org}](https://schema.org/{type_.schema_org})"


def _value_type(prop: Property) -> str:
    words = prop.type.value
    if prop.type is PropertyType.DECIMAL:
        words += f", {prop.scale} digits"
    if prop.unit:
        words += f" in {prop.unit}"
    if prop.values:
        words += ": " + ", ".join(code(value) for value in prop.values)
    return f"list of {words}" if prop.many else words


def _meaning(prop: Property) -> str:
    return f"{prop.label}. {prop.description}" if prop.description else f"{prop.label}."


def _roles(prop: Property) -> Iterator[str]:
    if prop.identifier:
        yield f"identifier {code(prop.identifier)}" + (" (strong)" if prop.strong else "")
    for role, value in (
        ("match", prop.match),
        ("search", prop.search),
        ("survivorship", prop.survivorship),
        ("group", prop.group),
    ):
        if value:
            yield f"{role} {code(value)}"


def _references(type_: EntityType) -> str:
    return table(
        ("reference", "leads to", "way back", "meaning", "category"),
        (
            (code(p.name), _range(p.range or PARTY), code(p.reverse or ""), _meaning(p), code(p.category))
            for p in type_.references
        ),
    )


def _range(name: str) -> str:
    return "any party" if name == PARTY else f"[{name}]({anchor(name)})"


def _ways_back(ontology: Ontology, type_: EntityType) -> str:
    ways = [*ontology.reverses.get(type_.name, ())]
    if type_.is_party:
        ways += ontology.reverses.get(PARTY, ())
    return table(
        ("way back", "leads to", "along"),
        ((code(way.name), _range(way.type), code(f"{way.type}.{way.property}")) for way in ways),
    )


def _own() -> Iterator[str]:
    yield (
        "An organisation keeps its own files in folders of its own, which `HUB_ONTOLOGY_DIRS` names. A file makes a "
        "new type, or adds properties to a known one. What is added appears in tables, GraphQL and search by itself; a "
        "property that changes its type is refused with instructions.\n"
    )
    yield fenced("yaml", OWN_TYPE)
    yield fenced("yaml", MORE_PROPERTIES)
    yield (
        "Which party's value becomes the customer's is also the organisation's to say. A file of rules replaces those "
        "above; the next sync chooses the customers' values anew, as it does when the `trust` of a source changes.\n"
    )
    yield fenced("yaml", OWN_RULES)
    yield (
        "And so is what a [row scope](access.md#row-scopes) compares: a property of the customer, or whatever any of "
        "the customer's parties states.\n"
    )
    yield fenced("yaml", OWN_SCOPES)
    yield "### Keys of a type\n"
    links = {
        "Property": f"[property]({anchor('Keys of a property')})",
        "ScopeFact": f"[scope]({anchor('Keys of a scope')})",
    }
    yield keys_table(TypeSpec, links)
    yield "### Keys of a property\n"
    yield keys_table(PropertyModel, {"PropertyType": _property_types()})
    yield "### Keys of a scope\n"
    yield keys_table(ScopeFact, {})


def _property_types() -> str:
    return ", ".join(code(kind.value) for kind in PropertyType)


def _taxonomy(ontology: Ontology) -> Iterator[str]:
    used = {prop.category for type_ in ontology.types.values() for prop in type_.properties.values()}
    yield (
        "The data categories that the ontology uses. Keys are those of the default taxonomy of "
        "[Fides Language](https://github.com/IABTechLab/fideslang), Ethyca and IAB Tech Lab, "
        "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/); labels and the mark *special* are ours. A special "
        "category is opened only by a grant that names it.\n"
    )
    yield table(
        ("category", "label", "special"),
        (
            (code(key), category.label, "special" if category.special else "")
            for key, category in sorted(ontology.taxonomy.categories.items())
            if key in used
        ),
    )
