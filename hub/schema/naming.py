"""Names that the GraphQL schema derives from the ontology."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hub.ontology import CUSTOMER, PARTY, EntityType, Ontology, Property, PropertyType, Reverse

_ENUM_VALUE = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_NOT_ENUM_VALUES = frozenset({"true", "false", "null"})
PROPERTY_ENUM = "CustomerProperty"
"""The enum of the golden record's properties."""


def field_name(type_name: str) -> str:
    """The type's name as a field: `Order` as `order`."""
    return type_name[0].lower() + type_name[1:]


def enum_name(ontology: Ontology, owner: str, prop: Property) -> str | None:
    """The GraphQL enum of an enum property; None where a value cannot be spelled as an enum's.

    Parties share a property with the customer, and so one enum.
    """
    if prop.type is not PropertyType.ENUM or any(
        not _ENUM_VALUE.fullmatch(value) or value in _NOT_ENUM_VALUES for value in prop.values
    ):
        return None
    shared = owner == CUSTOMER or ontology.types[owner].is_party
    return (PARTY if shared else owner) + prop.name[0].upper() + prop.name[1:]


def reverses_of(ontology: Ontology, type_: EntityType) -> Iterator[Reverse]:
    """The named ways back to the type, those to any party included."""
    yield from ontology.reverses.get(type_.name, ())
    if type_.is_party:
        yield from ontology.reverses.get(PARTY, ())


def rows_of_customer(ontology: Ontology) -> Mapping[str, tuple[str, str | None]]:
    """The customer's connections: for each the type, and the reference where it is not all that belongs to them."""
    rows: dict[str, tuple[str, str | None]] = {
        type_.plural: (type_.name, None)
        for type_ in ontology.types.values()
        if type_.has_customer and not type_.is_party
    }
    for type_ in ontology.parties:
        for way in reverses_of(ontology, type_):
            if way.name not in ontology.customer_properties:
                rows.setdefault(way.name, (way.type, way.property))
    return rows
