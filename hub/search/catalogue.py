"""Which properties of the ontology are searched, and how: all that follows from their roles in search."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property

from hub.ontology import CUSTOMER, EntityType, Ontology, Property, PropertyType
from hub.search.fold import FORMAT, Kind
from hub.search.protocol import FieldKey

_NO_TEXT = (PropertyType.MONEY, PropertyType.INSTANT, PropertyType.BOOLEAN, PropertyType.REFERENCE)


def kind_of(prop: Property) -> Kind | None:
    """How values of the property are compared; None for those that are not searched. Facets only count."""
    if prop.search is None or prop.search == "facet" or prop.type in _NO_TEXT:
        return None
    if prop.search != "contact":
        return prop.search
    if prop.type is PropertyType.EMAIL:
        return "email"
    return "phone" if prop.type is PropertyType.PHONE else "contact"


def searched(type_: EntityType) -> tuple[Property, ...]:
    """The type's properties that are searched."""
    return tuple(prop for prop in type_.properties.values() if kind_of(prop))


def faceted(type_: EntityType) -> tuple[Property, ...]:
    """The type's properties that are filtered by and counted."""
    return tuple(prop for prop in type_.properties.values() if prop.search == "facet")


class Catalogue:
    """The searchable side of an ontology."""

    def __init__(self, ontology: Ontology) -> None:
        self.ontology = ontology
        self.parties = tuple(type_.name for type_ in ontology.parties)
        own = (type_.name for type_ in ontology.types.values() if not type_.is_party and searched(type_))
        self.types: tuple[str, ...] = (CUSTOMER, *own)
        """Types of documents. Parties have none: they are found as the customers they belong to."""

    @cached_property
    def fields(self) -> tuple[FieldKey, ...]:
        """Every field that some document may have, sorted."""
        pairs = {
            (kind, prop.category)
            for type_ in self.ontology.types.values()
            for prop in type_.properties.values()
            if (kind := kind_of(prop))
        }
        return tuple(sorted(pairs))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Data categories that are searched, sorted."""
        return tuple(sorted({category for _, category in self.fields}))

    @cached_property
    def holders(self) -> Mapping[str, tuple[str, ...]]:
        """By data category, the types of documents that are searched in it."""
        found: dict[str, dict[str, None]] = {}
        for type_ in self.ontology.types.values():
            for prop in searched(type_):
                found.setdefault(prop.category, {})[CUSTOMER if type_.is_party else type_.name] = None
        return {category: tuple(types) for category, types in found.items()}

    @cached_property
    def facets(self) -> Mapping[str, tuple[str, Property]]:
        """Type of documents and property by name of facet, such as `Ticket.status`, sorted."""
        golden = [p for p in self.ontology.customer_properties.values() if p.search == "facet"]
        found = {f"{CUSTOMER}.{prop.name}": (CUSTOMER, prop) for prop in golden}
        for name in self.types:
            if name != CUSTOMER:
                found |= {f"{name}.{p.name}": (name, p) for p in faceted(self.ontology.type(name))}
        return dict(sorted(found.items()))

    @cached_property
    def sha256(self) -> str:
        """The hash of all that documents follow from: another one means another index."""
        content = [
            (type_.name, type_.time, type_.kind, prop.name, kind_of(prop), prop.category)
            for type_ in self.ontology.types.values()
            for prop in searched(type_)
        ]
        scopes = {name: fact.model_dump() for name, fact in sorted(self.ontology.scopes.items())}
        return hashlib.sha256(
            json.dumps([FORMAT, scopes, list(self.facets), sorted(content, key=str)]).encode()
        ).hexdigest()

    def label(self, type_: str) -> str:
        """What a person calls one."""
        return CUSTOMER if type_ == CUSTOMER else self.ontology.type(type_).label
