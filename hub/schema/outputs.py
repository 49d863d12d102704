"""Object types made from the ontology: entity types, parties, the customer, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hub.ontology import CUSTOMER, PARTY, EntityType, Ontology, Property, PropertyType
from hub.schema.aggregates import aggregate_drafts, aggregate_fields
from hub.schema.drafts import ArgumentDraft, Draft, EnumDraft, FieldDraft, TypeDraft, composite
from hub.schema.inputs import enum_where, first_argument, list_arguments, page_arguments
from hub.schema.meanings import (
    ByIdentifierRoot,
    ByIdRoot,
    ConnectionPart,
    EntryEntityField,
    IdField,
    LineageField,
    LineageRunField,
    ListRoot,
    OwnerField,
    PropertyField,
    ReferenceField,
    RowFact,
    RowsField,
    SpecialField,
)
from hub.schema.naming import PROPERTY_ENUM, enum_name, field_name, reverses_of, rows_of_customer
from hub.schema.relations import relation_drafts

ENTITY = "Entity"
"""The interface of all entity types."""
ENTRY = "TimelineEntry"
LINEAGE = "Lineage"
IDENTIFIED = 5
"""Customers that an identifier shows unless more are asked for: each multiplies the cost of all that is in them."""
PHASES = {
    "pre_purchase": "Before a purchase.",
    "purchase": "The purchase itself.",
    "post_purchase": "After a purchase.",
}

_ROW_FACTS = (
    ("source", "str", "The source system that states it."),
    ("stream", "str", "The kind of record in it."),
    ("recordKey", "str | None", "The record's key there."),
    ("recordId", "strawberry.ID", "The version of the record that the hub landed."),
    ("observedAt", "DateTime | None", "When the source last changed it; null where the source does not say."),
)
_SCALARS: Mapping[PropertyType, str] = {
    PropertyType.INTEGER: "Long",
    PropertyType.DECIMAL: "Decimal",
    PropertyType.MONEY: "Money",
    PropertyType.BOOLEAN: "bool",
    PropertyType.DATE: "Date",
    PropertyType.INSTANT: "DateTime",
}


def output_drafts(ontology: Ontology) -> Iterator[Draft]:
    """The object types, interfaces and enums; interfaces come before what implements them."""
    yield from _fixed()
    yield from _enums(ontology)
    yield TypeDraft(
        ENTITY, "One row of an entity type, as one source states it.", tuple(_row_fields()), "interface"
    )
    yield _party(ontology)
    for type_ in ontology.types.values():
        interfaces = (PARTY, ENTITY) if type_.is_party else (ENTITY,)
        yield TypeDraft(
            type_.name, type_.description, tuple(_entity_fields(ontology, type_)), "object", interfaces[:1]
        )
        yield from connection_drafts(type_.name, type_.name)
    yield TypeDraft(
        CUSTOMER,
        "A person or organisation, resolved from the parties of all sources, with its golden record: for each property"
        " the one value that the survivorship rules chose. `facts` shows all of them.",
        tuple(_customer_fields(ontology)),
    )
    yield from connection_drafts(CUSTOMER, CUSTOMER)
    yield from connection_drafts(ENTRY, None)
    yield from aggregate_drafts(ontology)


def root_fields(ontology: Ontology) -> Iterator[FieldDraft]:
    """The fields of Query that read plans answer."""
    ident = ArgumentDraft("id", "strawberry.ID", "Its id.")
    yield FieldDraft(
        "customer",
        f"{CUSTOMER} | None",
        "A customer by public id, null when there is none; a retired id leads to the customer that took over.",
        ByIdRoot(CUSTOMER),
        (
            ident,
            ArgumentDraft(
                "asOf",
                "DateTime | None",
                "Of which past time the data shall be; who may see them is decided by what is so now.",
            ),
        ),
    )
    yield FieldDraft(
        "customerByIdentifier",
        f"list[{CUSTOMER}] | None",
        "The customers that something with this identifier belongs to, by id: several where a phone or an address is"
        " shared, none where it is unknown.",
        ByIdentifierRoot(),
        (
            ArgumentDraft("scheme", "IdentifierScheme", "The kind of identifier."),
            ArgumentDraft(
                "value", "str", "The identifier; spelling does not matter where its kind has a normal form."
            ),
            ArgumentDraft(
                "region",
                "str | None",
                "Country of a phone number without country code, as `GB`. Such a number is refused without it.",
            ),
            first_argument(IDENTIFIED),
        ),
    )
    yield _list_root(CUSTOMER, "customers", "All customers.")
    for type_ in ontology.types.values():
        name = field_name(type_.name)
        words = f"One {type_.label.lower()} by id, null when there is none."
        yield FieldDraft(name, f"{type_.name} | None", words, ByIdRoot(type_.name), (ident,))
        yield _list_root(type_.name, type_.plural, f"All rows of {type_.name}. {type_.description}".strip())


def _list_root(type_name: str, name: str, description: str) -> FieldDraft:
    return FieldDraft(
        name, f"{type_name}Connection | None", description, ListRoot(type_name), list_arguments(type_name)
    )


# connections


def connection_drafts(name: str, node: str | None) -> Iterator[TypeDraft]:
    """The connection to rows of a type and its edge; `node` is None for timeline entries."""
    edge = (
        FieldDraft(
            "cursor", "str", "Where this row is in the list; for `after`.", ConnectionPart("cursor", node)
        ),
        FieldDraft("node", name, "The row.", ConnectionPart("node", node)),
    )
    yield TypeDraft(f"{name}Edge", f"A row of a page of {name}, with its cursor.", edge)
    connection = (
        FieldDraft(
            "edges", f"list[{name}Edge]", "The page's rows with cursors.", ConnectionPart("edges", node)
        ),
        FieldDraft("nodes", f"list[{name}]", "The page's rows alone.", ConnectionPart("nodes", node)),
        FieldDraft("pageInfo", "PageInfo", "About the page.", ConnectionPart("pageInfo", node)),
        FieldDraft("totalCount", "int", "How many rows all pages have.", ConnectionPart("totalCount", node)),
        *(aggregate_fields(node) if node else ()),
    )
    yield TypeDraft(f"{name}Connection", f"A page of {name}, and what lies beyond it.", connection)


# entity types


def _row_fields() -> Iterator[FieldDraft]:
    yield FieldDraft(
        "id", "strawberry.ID", "The row's id, the same for as long as its source states it.", IdField()
    )
    yield from (FieldDraft(name, annotation, words, RowFact(name)) for name, annotation, words in _ROW_FACTS)
    yield _lineage_field()


def _lineage_field() -> FieldDraft:
    words = "Where it comes from: source record, runs and mapping."
    return FieldDraft("lineage", f"{LINEAGE} | None", words, LineageField())


def _party(ontology: Ontology) -> TypeDraft:
    first, *others = ontology.parties
    common = [p for p in first.properties.values() if all(p.name in other.properties for other in others)]
    ways = ontology.reverses.get(PARTY, ())
    fields = [*_row_fields(), _owner_field(), *_property_fields(ontology, first, common)]
    fields += [_rows_field(ontology, way.name, way.type, way.property) for way in ways]
    words = "A person or organisation as one source states it; the customer is what they were resolved to."
    return TypeDraft(PARTY, words, tuple(fields), "interface", (ENTITY,))


def _entity_fields(ontology: Ontology, type_: EntityType) -> Iterator[FieldDraft]:
    yield from _row_fields()
    if type_.has_customer:
        yield _owner_field()
    yield from _property_fields(ontology, type_, type_.properties.values())
    for way in reverses_of(ontology, type_):
        yield _rows_field(ontology, way.name, way.type, way.property)


def _owner_field() -> FieldDraft:
    return FieldDraft("belongsTo", f"{CUSTOMER} | None", "The customer that it belongs to.", OwnerField())


def _rows_field(ontology: Ontology, name: str, type_name: str, by: str | None) -> FieldDraft:
    type_ = ontology.types[type_name]
    words = type_.description if by is None else f"{type_.description} Found by its `{by}`."
    return FieldDraft(
        name, f"{type_name}Connection | None", words, RowsField(type_name, by), list_arguments(type_name)
    )


def _property_fields(
    ontology: Ontology, type_: EntityType, properties: Iterable[Property]
) -> Iterator[FieldDraft]:
    for prop in properties:
        if prop.type is PropertyType.REFERENCE:
            yield _reference_field(ontology, prop)
        else:
            yield _value_field(ontology, type_.name, prop)


def _reference_field(ontology: Ontology, prop: Property) -> FieldDraft:
    types = tuple(target.name for target in ontology.range_types(prop.range or ""))
    meaning = ReferenceField(prop.name, types)
    return FieldDraft(prop.name, f"{prop.range} | None", _words(prop), meaning)


def _value_field(ontology: Ontology, owner: str, prop: Property) -> FieldDraft:
    name = enum_name(ontology, owner, prop) or _SCALARS.get(prop.type, "str")
    annotation = f"list[{name}] | None" if prop.many else f"{name} | None"
    return FieldDraft(
        prop.name, annotation, _words(prop), PropertyField(prop.name, prop.type is PropertyType.MONEY)
    )


def _words(prop: Property) -> str:
    unit = f" In {prop.unit}." if prop.unit else ""
    return f"{prop.description or prop.label}{unit} ({prop.category})"


# the customer


def _customer_fields(ontology: Ontology) -> Iterator[FieldDraft]:
    yield FieldDraft("id", "strawberry.ID", "The public id; its meaning never changes.", IdField())
    yield FieldDraft("kind", "CustomerKind", "Whether most of its parties are people.", RowFact("kind"))
    yield FieldDraft("createdAt", "DateTime", "When the hub first knew of it.", RowFact("createdAt"))
    yield FieldDraft("updatedAt", "DateTime", "When the golden record last changed.", RowFact("updatedAt"))
    for prop in ontology.customer_properties.values():
        yield _value_field(ontology, CUSTOMER, prop)
    yield from _customer_specials()
    for name, (type_name, by) in rows_of_customer(ontology).items():
        yield _rows_field(ontology, name, type_name, by)


def _customer_specials() -> Iterator[FieldDraft]:
    yield FieldDraft(
        "facts",
        "list[Fact] | None",
        "What each source says about the customer: the values that won and those that lost.",
        SpecialField("facts"),
        (
            ArgumentDraft("properties", "list[CustomerProperty] | None", "Only these properties."),
            ArgumentDraft("winnersOnly", "bool", "Leave out what lost.", False),
            first_argument(200),
        ),
    )
    yield _special(
        "identifiers", "list[Identifier] | None", "The identifiers of its parties.", first_argument(100)
    )
    yield _special(
        "parties", f"list[{PARTY}] | None", "What it was resolved from, by source.", first_argument(100)
    )
    yield _special(
        "household", "CustomerHousehold | None", "With whom the customer lives; null where nobody is seen."
    )
    yield _special(
        "hierarchy",
        "CustomerHierarchy | None",
        "Who stands above and below an organisation; null for a person.",
    )
    yield _special("freshness", "list[Freshness] | None", "How old each source's word on the customer is.")
    yield _special(
        "timeline",
        f"{ENTRY}Connection | None",
        "The customer's events over all sources, the newest first.",
        *page_arguments(),
        ArgumentDraft("phase", "list[TimelinePhase] | None", "Only events of these phases."),
        ArgumentDraft("types", "list[EventType] | None", "Only events of these types."),
    )


def _special(name: str, annotation: str, description: str, *arguments: ArgumentDraft) -> FieldDraft:
    return FieldDraft(name, annotation, description, SpecialField(name), arguments)  # type: ignore[arg-type]


# enums


def _enums(ontology: Ontology) -> Iterator[Draft]:
    made: set[str] = set()
    for type_ in ontology.types.values():
        for prop in type_.properties.values():
            name = enum_name(ontology, type_.name, prop)
            if name and name not in made:
                made.add(name)
                values = {value: value.replace("_", " ").capitalize() + "." for value in prop.values}
                yield EnumDraft(name, prop.description or prop.label, values)
                yield enum_where(name)
    kinds = {"PERSON": "A person.", "ORGANIZATION": "A company, authority or association."}
    yield EnumDraft("CustomerKind", "What sort of customer it is.", kinds)
    yield EnumDraft("TimelinePhase", "Where in the customer's journey an event stands.", PHASES)
    yield EnumDraft(
        "EventType", "A type of events.", {t.name: t.description or t.label for t in ontology.events}
    )
    golden = {prop.name: prop.description or prop.label for prop in ontology.customer_properties.values()}
    yield EnumDraft(PROPERTY_ENUM, "A property of the golden record.", golden)
    yield EnumDraft("IdentifierScheme", "A kind of identifier that leads to customers.", _schemes(ontology))


def _schemes(ontology: Ontology) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for type_ in ontology.types.values():
        for prop in type_.identifiers if type_.has_customer else ():
            found.setdefault(prop.identifier or "", f"{prop.label}, of {type_.label.lower()}.")
    return dict(sorted(found.items()))


# types that are the same for every ontology


def _fixed() -> Iterator[TypeDraft]:
    yield composite(
        "Money",
        "An exact amount with its currency.",
        ("amount", "Decimal | None", "The amount, exact."),
        ("currency", "str | None", "ISO 4217 code of the currency."),
    )
    yield composite(
        "PageInfo",
        "About a page of a list.",
        ("hasNextPage", "bool", "Whether rows follow."),
        ("hasPreviousPage", "bool", "Whether rows precede."),
        ("startCursor", "str | None", "The cursor of the first row."),
        ("endCursor", "str | None", "The cursor of the last row; for `after`."),
    )
    yield from _lineage()
    fact = composite(
        "Fact",
        "What one source says about one property of a customer.",
        ("property", "CustomerProperty", "The property."),
        ("value", "str | None", "The value as text."),
        *_ROW_FACTS,
        ("type", "str", "The type of the party that states it."),
        ("entityId", "strawberry.ID", "The id of the party that states it."),
        ("wins", "bool", "Whether the golden record shows it."),
        ("rule", "str | None", "The survivorship rule by which it won; null for what lost."),
    )
    yield TypeDraft(fact.name, fact.description, (*fact.fields, _lineage_field()))
    yield composite(
        "Identifier",
        "A value that identifies a party.",
        ("scheme", "IdentifierScheme", "The kind of identifier."),
        ("value", "str | None", "The identifier in its normal form."),
        ("strong", "bool", "Whether parties that share it are one customer."),
        ("source", "str", "The source system."),
        ("type", "str", "The type of the party."),
        ("property", "str", "The property that holds it."),
        ("entityId", "strawberry.ID", "The id of the party."),
    )
    yield composite(
        "Freshness",
        "How old a source's word on a customer is.",
        ("source", "str", "The source system."),
        ("lastSuccessAt", "DateTime | None", "When its last good run began."),
        ("state", "str | None", "How its last run ended."),
        ("newestObservedAt", "DateTime | None", "The newest of its rows about the customer."),
        ("rows", "Long", "How many rows it has about the customer."),
    )
    yield from _timeline()
    yield from relation_drafts()


def _lineage() -> Iterator[TypeDraft]:
    run = f"{LINEAGE}Run"
    yield composite(
        run,
        "A run of the hub over a source.",
        ("id", "strawberry.ID", "Its number."),
        ("kind", "str", "What it did: sync, replay, remap, reproject, resolve, forget or command."),
        ("startedAt", "DateTime", "When it began."),
    )
    made = composite(
        LINEAGE,
        "Where a value comes from: the record that states it, the runs that landed and mapped it, the mapping.",
        ("source", "str", "The source system that states it."),
        ("stream", "str", "The kind of record in it."),
        ("recordKey", "str | None", "The record's key there."),
        ("recordVersion", "strawberry.ID", "The version of the record that the hub landed."),
        ("position", "str | None", "Where in the source the record was read: file and line, table, page."),
        (
            "observedAt",
            "DateTime | None",
            "When the source last changed it; null where the source does not say.",
        ),
        ("landedAt", "DateTime | None", "When the hub landed this version."),
        ("mappingVersion", "str | None", "The mapping that made the row of the record; see `mappings`."),
    )
    runs = (
        FieldDraft(
            "landedBy", f"{run} | None", "The run that landed this version.", LineageRunField("landedBy")
        ),
        FieldDraft(
            "mappedBy",
            f"{run} | None",
            "The run that made the row; null as of a past time, where it is made when it is asked for.",
            LineageRunField("mappedBy"),
        ),
    )
    yield TypeDraft(made.name, made.description, (*made.fields, *runs))


def _timeline() -> Iterator[TypeDraft]:
    entry = composite(
        ENTRY,
        "An event on a customer's timeline.",
        ("id", "strawberry.ID", "The event's id."),
        ("type", "EventType", "The type of the event."),
        ("at", "str", "When it was: a DateTime, or a Date where the source knows no more."),
        ("phase", "TimelinePhase | None", "Where in the customer's journey it stands."),
        ("title", "str | None", "What lists show of it."),
        ("source", "str", "The source system."),
    )
    entity = FieldDraft("entity", f"{ENTITY} | None", "The event itself.", EntryEntityField())
    yield TypeDraft(entry.name, entry.description, (*entry.fields, entity))
