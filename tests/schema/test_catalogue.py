"""The schema has a type for everything in the ontology, and words for every part of it."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    validate_schema,
)

from hub.errors import ConfigurationError
from hub.ontology import Ontology, Property, PropertyType, load_ontology
from hub.schema import Catalogue, make_catalogue
from hub.schema.naming import field_name


def own_types(catalogue: Catalogue) -> list[GraphQLNamedType]:
    return [type_ for name, type_ in catalogue.graphql.type_map.items() if not name.startswith("__")]


def fields(catalogue: Catalogue, name: str) -> dict[str, str]:
    type_ = catalogue.graphql.type_map[name]
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
    return {key: str(field.type) for key, field in type_.fields.items()}


def test_the_schema_is_valid(catalogue: Catalogue) -> None:
    assert validate_schema(catalogue.graphql) == []


def test_every_type_field_argument_and_enum_value_has_a_description(catalogue: Catalogue) -> None:
    bare = []
    for type_ in own_types(catalogue):
        if not type_.description:
            bare.append(type_.name)
        if isinstance(type_, GraphQLEnumType):
            bare += [f"{type_.name}.{key}" for key, value in type_.values.items() if not value.description]
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for key, field in type_.fields.items():
                if not field.description:
                    bare.append(f"{type_.name}.{key}")
                arguments = getattr(field, "args", {})
                bare += [
                    f"{type_.name}.{key}({name})" for name, each in arguments.items() if not each.description
                ]
    assert bare == []


def test_every_entity_type_has_its_properties_one_and_list(catalogue: Catalogue, ontology: Ontology) -> None:
    query = fields(catalogue, "Query")
    for type_ in ontology.types.values():
        assert set(type_.properties) <= set(fields(catalogue, type_.name)), type_.name
        assert query[field_name(type_.name)] == type_.name
        assert query[type_.plural] == f"{type_.name}Connection"


@pytest.mark.parametrize(
    ("type_name", "field", "expected"),
    [
        ("Customer", "id", "ID!"),
        ("Customer", "creditLimit", "Money"),
        ("Customer", "birthDate", "Date"),
        ("Customer", "numberOfEmployees", "Long"),
        ("Customer", "status", "PartyStatus"),
        ("Customer", "orders", "OrderConnection"),
        ("Customer", "employees", "PersonConnection"),
        ("Customer", "referrals", "LeadConnection"),
        ("Customer", "timeline", "TimelineEntryConnection"),
        ("Order", "orderDate", "DateTime"),
        ("Order", "status", "OrderStatus"),
        ("Order", "customer", "Party"),
        ("Order", "belongsTo", "Customer"),
        ("Order", "lines", "OrderLineConnection"),
        ("OrderLine", "quantity", "Decimal"),
        ("Ticket", "tags", "[String!]"),
        ("Person", "worksFor", "Organization"),
        ("OrderWhere", "customer", "PartyWhere"),
        ("OrderWhere", "lines", "OrderLineRowsWhere"),
        ("OrderWhere", "total", "MoneyWhere"),
        ("TicketWhere", "tags", "TextListWhere"),
    ],
)
def test_a_field_has_the_type_that_its_meaning_asks_for(
    catalogue: Catalogue, type_name: str, field: str, expected: str
) -> None:
    assert fields(catalogue, type_name)[field] == expected


def test_parties_share_an_interface_and_all_rows_another(catalogue: Catalogue) -> None:
    person = catalogue.graphql.type_map["Person"]
    assert isinstance(person, GraphQLObjectType)
    assert [interface.name for interface in person.interfaces] == ["Party", "Entity"]
    assert "birthDate" not in fields(catalogue, "Party")
    assert {"id", "source", "name", "orders", "belongsTo"} <= set(fields(catalogue, "Party"))


def test_every_field_of_a_type_from_the_ontology_has_a_meaning(
    catalogue: Catalogue, ontology: Ontology
) -> None:
    for name in (*ontology.types, "Customer"):
        assert [key for key in fields(catalogue, name) if catalogue.meaning(name, key) is None] == []


def test_lists_and_references_cannot_be_sorted_by(catalogue: Catalogue) -> None:
    assert not {"tags", "customer", "order"} & set(fields(catalogue, "TicketOrderBy"))


def test_a_schema_is_made_once_for_an_ontology(catalogue: Catalogue) -> None:
    assert make_catalogue(load_ontology()) is make_catalogue(catalogue.ontology)


def with_property(ontology: Ontology, type_name: str, prop: Property) -> Ontology:
    type_ = ontology.types[type_name]
    changed = type_.model_copy(update={"properties": MappingProxyType({**type_.properties, prop.name: prop})})
    types = MappingProxyType({**ontology.types, type_name: changed})
    return Ontology(types=types, taxonomy=ontology.taxonomy, sha256=f"changed-{type_name}-{prop!r}")


def test_an_organisations_own_property_appears_in_type_filter_and_order(ontology: Ontology) -> None:
    own = Property(name="berth", type=PropertyType.TEXT, label="Berth", category="system.operations")
    catalogue = make_catalogue(with_property(ontology, "Store", own))
    assert fields(catalogue, "Store")["berth"] == "String"
    assert fields(catalogue, "StoreWhere")["berth"] == "TextWhere"
    assert fields(catalogue, "StoreOrderBy")["berth"] == "SortDirection"


def test_an_enum_whose_values_graphql_cannot_spell_is_text(ontology: Ontology) -> None:
    own = Property(
        name="grade", type=PropertyType.ENUM, values=("A+", "B"), label="Grade", category="system.operations"
    )
    catalogue = make_catalogue(with_property(ontology, "Store", own))
    assert fields(catalogue, "Store")["grade"] == "String"
    assert fields(catalogue, "StoreWhere")["grade"] == "CodeWhere"


def test_a_property_that_takes_the_name_of_a_field_of_the_hub_is_named_in_a_fault(ontology: Ontology) -> None:
    own = Property(name="observedAt", type=PropertyType.TEXT, label="x", category="system.operations")
    with pytest.raises(ConfigurationError, match=r"Store\.observedAt"):
        make_catalogue(with_property(ontology, "Store", own))


def test_a_property_named_like_a_python_keyword_keeps_its_name(ontology: Ontology) -> None:
    own = Property(name="class", type=PropertyType.TEXT, label="Class", category="system.operations")
    catalogue = make_catalogue(with_property(ontology, "Store", own))
    assert fields(catalogue, "Store")["class"] == "String"
