"""What the hub knows about: entity types and their properties, as the YAML files state them.

A *party* is a person or organisation, an *event* has a place on a customer's timeline, any other thing is an
*entity*. A *space* is the namespace of a type's keys within a source: Person and Organization share `Party`,
so that a reference to a customer need not know which of the two it will be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PARTY = "Party"
CUSTOMER = "Customer"


class PropertyType(StrEnum):
    """The closed list of value types; each has one exact form in both databases and in GraphQL."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    COUNTRY = "country"
    LANGUAGE = "language"
    CURRENCY = "currency"
    ENUM = "enum"
    REFERENCE = "reference"


Survivorship = Literal["most_recent", "most_trusted", "most_frequent", "longest"]
Phase = Literal["pre_purchase", "purchase", "post_purchase", "by_first_order"]
SearchRole = Literal["name", "contact", "code", "text", "facet"]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Property(_Spec):
    """One property of an entity type."""

    name: str = Field(default="", description="Set from the key in the file.", exclude=True)
    type: PropertyType = Field(description="Type of the value.")
    label: str = Field(description="What a person calls it.")
    description: str = Field(default="", description="Meaning, unit and convention, in a sentence.")
    category: str = Field(description="Data category: a key of the Fides taxonomy.")
    unit: str | None = Field(default=None, description="Unit of a number, like `day` or `kg`.")
    scale: int = Field(
        default=4, ge=0, le=9, description="Decimals: digits kept after the point; more are refused."
    )
    values: tuple[str, ...] = Field(default=(), description="Enums: the allowed values.")
    range: str | None = Field(default=None, description="References: the type referred to, or `Party`.")
    reverse: str | None = Field(default=None, description="References: the name of the way back.")
    many: bool = Field(default=False, description="Several values, kept in order.")
    identifier: str | None = Field(
        default=None, description="Scheme under which the value identifies the entity."
    )
    strong: bool = Field(
        default=False, description="Two parties that share the identifier are the same customer."
    )
    match: str | None = Field(default=None, description="Role in record matching.")
    search: SearchRole | None = Field(default=None, description="Role in full-text search.")
    survivorship: Survivorship | None = Field(default=None, description="Parties: which source's value wins.")
    group: str | None = Field(default=None, description="Parties: properties that survive together.")

    @model_validator(mode="after")
    def _parts_fit(self) -> Property:
        if (self.type is PropertyType.ENUM) != bool(self.values):
            raise ValueError("`values` belongs to type enum, and only there")
        if (self.type is PropertyType.REFERENCE) != bool(self.range):
            raise ValueError("`range` belongs to type reference, and only there")
        if self.reverse and self.type is not PropertyType.REFERENCE:
            raise ValueError("`reverse` belongs to type reference")
        if self.many and self.type in (PropertyType.MONEY, PropertyType.REFERENCE, PropertyType.INSTANT):
            raise ValueError(f"`many` is not available for type {self.type}")
        if self.strong and not self.identifier:
            raise ValueError("`strong` needs an `identifier`")
        return self

    @cached_property
    def column(self) -> str:
        """The column's name: snake case; references end in `_id`."""
        return snake_case(self.name) + ("_id" if self.type is PropertyType.REFERENCE else "")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """All columns that hold the value, the main one first."""
        companion = {PropertyType.MONEY: "_currency", PropertyType.INSTANT: "_zone"}.get(self.type)
        return (self.column, self.column + companion) if companion else (self.column,)


class ScopeFact(_Spec):
    """Which property says whether a customer is in the scope of a grant."""

    property: str = Field(description="A property of the parties.")
    of: Literal["customer", "parties"] = Field(
        default="customer",
        description="`customer`: the value of the golden record; `parties`: whatever any party states.",
    )


class TypeSpec(_Spec):
    """One file of the ontology: a new type, (`extends`) more properties for one, rules of survivorship, or scopes."""

    type: str | None = Field(
        default=None, description="Name of the type, in PascalCase.", pattern=r"^[A-Z]\w*$"
    )
    extends: str | None = Field(default=None, description="Name of a known type that gets more properties.")
    kind: Literal["party", "entity", "event"] = Field(
        default="entity", description="What sort of thing it is."
    )
    schema_org: str | None = Field(default=None, description="The schema.org type that it corresponds to.")
    label: str | None = Field(default=None, description="What a person calls one.")
    plural: str | None = Field(default=None, description="Name of the list in GraphQL, in camelCase.")
    description: str = Field(default="", description="What one row states, in a sentence.")
    space: str | None = Field(
        default=None, description="Namespace of its keys; the type's name unless given."
    )
    time: str | None = Field(default=None, description="Events: the property that places it on the timeline.")
    phase: Phase | None = Field(default=None, description="Events: phase of the customer's journey.")
    customer: tuple[str, ...] = Field(
        default=(), description="Reference paths that lead to its party, best first."
    )
    title: str | None = Field(default=None, description="The property shown in lists.")
    properties: dict[str, Property] = Field(default_factory=dict, description="Its properties by name.")
    survivorship: dict[str, Survivorship] = Field(
        default_factory=dict,
        description="Instead of a type: other rules for the customer's values, by property of the parties. "
        "The rule of one property of a group is the whole group's.",
    )
    scopes: dict[Literal["region", "brand", "own_accounts"], ScopeFact] = Field(
        default_factory=dict,
        description="Instead of a type: what the row scopes of grants compare; a later file's word counts.",
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> TypeSpec:
        given = [bool(part) for part in (self.type, self.extends, self.survivorship, self.scopes)]
        if given.count(True) != 1:
            raise ValueError("give one of `type`, `extends`, `survivorship` and `scopes`")
        if self.survivorship and self.model_fields_set - {"survivorship", "description"}:
            raise ValueError("`survivorship` stands alone in its file")
        if self.scopes and self.model_fields_set - {"scopes", "description"}:
            raise ValueError("`scopes` stands alone in its file")
        if self.extends and self.model_fields_set - {"extends", "properties", "description"}:
            raise ValueError("`extends` may only add `properties`")
        if self.kind == "event" and not (self.time and self.phase):
            raise ValueError("an event needs `time` and `phase`")
        return self


class EntityType(BaseModel):
    """An entity type with all its properties, from whatever files they came."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["party", "entity", "event"]
    label: str
    plural: str
    description: str
    space: str
    schema_org: str | None
    time: str | None
    phase: Phase | None
    customer: tuple[str, ...]
    title: str | None
    properties: Mapping[str, Property]

    @cached_property
    def table(self) -> str:
        """The table's name: the type's name in snake case, after `e_` so that it clashes with no keyword."""
        return "e_" + snake_case(self.name)

    @property
    def is_party(self) -> bool:
        """Whether it is a person or an organisation."""
        return self.kind == "party"

    @property
    def has_customer(self) -> bool:
        """Whether a row belongs to a customer, itself or through references."""
        return self.is_party or bool(self.customer)

    @cached_property
    def references(self) -> tuple[Property, ...]:
        """The properties that refer to other entities."""
        return tuple(p for p in self.properties.values() if p.type is PropertyType.REFERENCE)

    @cached_property
    def identifiers(self) -> tuple[Property, ...]:
        """The properties whose values identify the entity."""
        return tuple(p for p in self.properties.values() if p.identifier)


class Category(_Spec):
    """A data category of the Fides taxonomy."""

    key: str
    label: str
    special: bool = False

    @property
    def parent(self) -> str | None:
        """The key one level up, None at the top."""
        return self.key.rpartition(".")[0] or None


class TaxonomyTerm(_Spec):
    """A data use or a data subject of the Fides taxonomy."""

    key: str
    label: str


class Taxonomy(_Spec):
    """The closed lists of data categories, data uses and data subjects."""

    data_categories: tuple[Category, ...]
    data_uses: tuple[TaxonomyTerm, ...]
    data_subjects: tuple[TaxonomyTerm, ...]

    @cached_property
    def categories(self) -> Mapping[str, Category]:
        """Data categories by key."""
        return MappingProxyType({category.key: category for category in self.data_categories})

    @cached_property
    def uses(self) -> Mapping[str, TaxonomyTerm]:
        """Data uses by key."""
        return MappingProxyType({use.key: use for use in self.data_uses})

    @cached_property
    def subjects(self) -> Mapping[str, TaxonomyTerm]:
        """Data subjects by key."""
        return MappingProxyType({subject.key: subject for subject in self.data_subjects})


class Reverse(BaseModel):
    """The way back along a reference: from `target` by `name` to the rows of `type` that refer to it."""

    model_config = ConfigDict(frozen=True)

    name: str
    target: str
    type: str
    property: str


class Ontology(BaseModel):
    """All entity types, the taxonomy and what follows from them. Immutable."""

    model_config = ConfigDict(frozen=True)

    types: Mapping[str, EntityType]
    taxonomy: Taxonomy
    sha256: str
    scopes: Mapping[str, ScopeFact] = Field(default_factory=dict)
    """What the row scopes of grants compare, by scope."""

    def type(self, name: str) -> EntityType:
        """The entity type called `name`; KeyError when there is none."""
        return self.types[name]

    @cached_property
    def parties(self) -> tuple[EntityType, ...]:
        """The types that are parties, by name."""
        return tuple(t for t in self.types.values() if t.is_party)

    @cached_property
    def events(self) -> tuple[EntityType, ...]:
        """The types that stand on a customer's timeline, by name."""
        return tuple(t for t in self.types.values() if t.kind == "event" and t.has_customer)

    @cached_property
    def customer_properties(self) -> Mapping[str, Property]:
        """The golden record's properties: the union of the parties' own, references left out."""
        union: dict[str, Property] = {}
        for party in self.parties:
            for prop in party.properties.values():
                if prop.type is not PropertyType.REFERENCE:
                    union.setdefault(prop.name, prop)
        return MappingProxyType(union)

    def range_types(self, range_: str) -> tuple[EntityType, ...]:
        """The types that a reference with this range may lead to."""
        return self.parties if range_ == PARTY else (self.types[range_],)

    @cached_property
    def reverses(self) -> Mapping[str, tuple[Reverse, ...]]:
        """For each type (and `Party`), the named ways back along references to it."""
        found: dict[str, list[Reverse]] = {}
        for type_ in self.types.values():
            for prop in type_.references:
                if prop.reverse and prop.range:
                    way = Reverse(name=prop.reverse, target=prop.range, type=type_.name, property=prop.name)
                    found.setdefault(prop.range, []).append(way)
        return MappingProxyType({target: tuple(ways) for target, ways in found.items()})


def snake_case(name: str) -> str:
    """`orderDate` as `order_date`, `vatID` as `vat_id`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name))
    return spaced.lower()
