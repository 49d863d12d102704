"""Object types for aggregates: the figures of a list, its groups and their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from hub.graph.plans import GroupOrder, Unit
from hub.ontology import CUSTOMER, PARTY, Ontology, Property, PropertyType
from hub.schema.drafts import ArgumentDraft, Draft, EnumDraft, FieldDraft, TypeDraft
from hub.schema.inputs import first_argument
from hub.schema.meanings import (
    ConnectionPart,
    FiguresField,
    GroupKeyField,
    IdField,
    OwnerField,
    PartField,
    PropertyField,
    ReferenceField,
    RowCountField,
    RowFact,
)
from hub.schema.naming import enum_name

_UNIT, _ORDER = "CalendarUnit", "GroupOrder"
CURRENCY_KEY = "CurrencyGroupKey"
"""The type of a key by the currency of an amount."""
_SUMMED: Mapping[PropertyType, str] = {
    PropertyType.INTEGER: "Long | None",
    PropertyType.DECIMAL: "Decimal | None",
    PropertyType.MONEY: "list[Money]",
}
_COMPARED: Mapping[PropertyType, str] = {
    **_SUMMED,
    PropertyType.DATE: "Date | None",
    PropertyType.INSTANT: "DateTime | None",
}
_KEYS: Mapping[PropertyType, str] = {
    PropertyType.INTEGER: "Long | None",
    PropertyType.BOOLEAN: "bool | None",
    PropertyType.MONEY: CURRENCY_KEY,
}


def aggregate_name(type_name: str) -> str:
    """The type of the figures over all rows of a list."""
    return f"{type_name}Aggregate"


def group_name(type_name: str) -> str:
    """The type of a group of a list's rows."""
    return f"{type_name}Group"


def key_name(type_name: str) -> str:
    """The type of what the rows of a group have in common."""
    return f"{type_name}GroupKey"


def sum_name(type_name: str) -> str:
    """The type of sums over rows."""
    return f"{type_name}Sum"


def range_name(type_name: str) -> str:
    """The type of the least and of the greatest values of rows."""
    return f"{type_name}Range"


def aggregate_fields(type_name: str) -> tuple[FieldDraft, ...]:
    """The fields of a connection that aggregate its rows."""
    return (
        FieldDraft(
            "aggregate",
            aggregate_name(type_name),
            "Figures over the rows of all pages.",
            ConnectionPart("aggregate", type_name),
        ),
        FieldDraft(
            "groups",
            f"list[{group_name(type_name)}]",
            "Figures over the rows of all pages, by groups: which ones follows from what is asked of their `key`.",
            ConnectionPart("groups", type_name),
            (
                first_argument(20, "groups"),
                ArgumentDraft("skip", "int", "How many groups to leave out before.", 0),
                ArgumentDraft("orderBy", _ORDER, "How the groups are sorted.", GroupOrder.COUNT_DESC.value),
            ),
        ),
    )


def aggregate_drafts(ontology: Ontology) -> Iterator[Draft]:
    """The types for every type of the ontology and for the customer."""
    units = {unit.value: f"By {unit.value.lower()}." for unit in Unit}
    yield EnumDraft(_UNIT, "A stretch of the calendar; of instants, in UTC.", units)
    yield EnumDraft(_ORDER, "How groups are sorted; equal ones by key, missing keys last.", _ORDERS)
    yield TypeDraft(
        CURRENCY_KEY,
        "What rows with amounts of one currency have in common.",
        (FieldDraft("currency", "str | None", "ISO 4217 code of the currency.", PartField("currency")),),
    )
    yield TypeDraft(
        key_name(PARTY),
        "The party that a reference of the rows leads to.",
        (
            FieldDraft("id", "strawberry.ID | None", "Its id.", IdField()),
            _owner("The customer that it belongs to."),
        ),
    )
    yield from _of_type(ontology, CUSTOMER, ontology.customer_properties)
    for type_ in ontology.types.values():
        yield from _of_type(ontology, type_.name, type_.properties)


_ORDERS = {
    GroupOrder.COUNT_DESC.value: "The largest first.",
    GroupOrder.COUNT_ASC.value: "The smallest first.",
    GroupOrder.KEY_ASC.value: "By key, from small to great.",
    GroupOrder.KEY_DESC.value: "By key, from great to small.",
}


def _of_type(ontology: Ontology, name: str, properties: Mapping[str, Property]) -> Iterator[TypeDraft]:
    sums = tuple(_figures(properties, _SUMMED))
    ranges = tuple(_figures(properties, _COMPARED))
    figures = [FieldDraft("count", "Long", "How many rows there are.", RowCountField())]
    if sums:
        yield TypeDraft(sum_name(name), f"Sums over rows of {name}.", sums)
        figures.append(_part("sum", sum_name(name), "Sums, of money one for each currency."))
    if ranges:
        yield TypeDraft(range_name(name), f"The least or the greatest values of rows of {name}.", ranges)
        figures.append(_part("min", range_name(name), "The least values, of money one for each currency."))
        figures.append(_part("max", range_name(name), "The greatest values, of money one for each currency."))
    yield TypeDraft(aggregate_name(name), f"Figures over rows of {name}.", tuple(figures))
    key = FieldDraft("key", key_name(name), "What its rows have in common.", GroupKeyField())
    yield TypeDraft(group_name(name), f"Figures over rows of {name} with one key.", (key, *figures))
    words = (
        f"What rows of {name} are grouped by: all that is asked for here. Missing values make a group, too."
    )
    yield TypeDraft(key_name(name), words, tuple(_key_fields(ontology, name, properties)))


def _part(function: Literal["sum", "min", "max"], type_name: str, words: str) -> FieldDraft:
    return FieldDraft(function, type_name, words, FiguresField(function, type_name))


def _figures(properties: Mapping[str, Property], types: Mapping[PropertyType, str]) -> Iterator[FieldDraft]:
    for prop in properties.values():
        if not prop.many and prop.type in types:
            money = prop.type is PropertyType.MONEY
            yield FieldDraft(
                prop.name, types[prop.type], prop.description or prop.label, PropertyField(prop.name, money)
            )


# keys


def _key_fields(ontology: Ontology, name: str, properties: Mapping[str, Property]) -> Iterator[FieldDraft]:
    yield FieldDraft("id", "strawberry.ID | None", "The row's id.", IdField())
    if name == CUSTOMER:
        yield FieldDraft(
            "kind", "CustomerKind | None", "Whether most of its parties are people.", RowFact("kind")
        )
    else:
        yield FieldDraft("source", "str | None", "The source system that states it.", RowFact("source"))
    if name != CUSTOMER and ontology.types[name].has_customer:
        yield _owner("The customer that it belongs to.")
    for prop in properties.values():
        if not prop.many and prop.type is not PropertyType.DECIMAL:
            yield _key_field(ontology, name, prop)


def _key_field(ontology: Ontology, owner: str, prop: Property) -> FieldDraft:
    words = prop.description or prop.label
    if prop.type is PropertyType.REFERENCE:
        range_ = prop.range or ""
        return FieldDraft(prop.name, key_name(range_), words, ReferenceField(prop.name, (range_,)))
    if prop.type in (PropertyType.DATE, PropertyType.INSTANT):
        unit = ArgumentDraft("unit", _UNIT, "Which stretches of the calendar rows are grouped by, in UTC.")
        known = f"{words} As `2026`, `2026-Q1`, `2026-01` or `2026-01-02`; a date as far as it is known."
        return FieldDraft(prop.name, "str | None", known, PropertyField(prop.name), (unit,))
    enum = enum_name(ontology, owner, prop)
    annotation = f"{enum} | None" if enum else _KEYS.get(prop.type, "str | None")
    return FieldDraft(prop.name, annotation, words, PropertyField(prop.name, prop.type is PropertyType.MONEY))


def _owner(words: str) -> FieldDraft:
    return FieldDraft("belongsTo", key_name(CUSTOMER), words, OwnerField())
