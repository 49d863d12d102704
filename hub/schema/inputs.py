"""Input types made from the ontology: what lists are filtered and sorted by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.ontology import CUSTOMER, PARTY, EntityType, Ontology, Property, PropertyType
from hub.schema.drafts import ArgumentDraft, Draft, EnumDraft, FieldDraft, TypeDraft
from hub.schema.meanings import Along, AlongParty, Back, Combine, Comparison, PartField
from hub.schema.naming import enum_name, field_name, reverses_of, rows_of_customer

_WORDS = {
    "eq": "Equal to this.",
    "ne": "Not equal to this; a missing value is not.",
    "in": "One of these, 1000 at most.",
    "lt": "Less than this.",
    "lte": "Less than this, or equal.",
    "gt": "Greater than this.",
    "gte": "Greater than this, or equal.",
    "between": "From the first to the second of these two, both included.",
    "isNull": "Whether the value is missing.",
    "startsWith": "Begins with this; the case of A to Z does not matter.",
    "contains": "Has this somewhere; the case of A to Z does not matter.",
}
_EQUAL = ("eq", "ne", "in", "isNull")
_ORDERED = ("eq", "ne", "in", "lt", "lte", "gt", "gte", "between", "isNull")
_TEXTUAL = (*_ORDERED, "startsWith", "contains")
_MANY = ("eq", "in", "isNull", "startsWith", "contains")

_BY_TYPE: Mapping[PropertyType, str] = {
    PropertyType.INTEGER: "LongWhere",
    PropertyType.DECIMAL: "DecimalWhere",
    PropertyType.MONEY: "MoneyWhere",
    PropertyType.BOOLEAN: "BooleanWhere",
    PropertyType.DATE: "DateWhere",
    PropertyType.INSTANT: "DateTimeWhere",
}
_SORTED = "SortDirection"


def where_name(type_name: str) -> str:
    """The name of the type's where-input."""
    return f"{type_name}Where"


def order_name(type_name: str) -> str:
    """The name of the type's sort key."""
    return f"{type_name}OrderBy"


def list_arguments(type_name: str) -> tuple[ArgumentDraft, ...]:
    """The arguments of every connection to rows of a type."""
    return (
        ArgumentDraft("where", f"{where_name(type_name)} | None", "Which rows."),
        ArgumentDraft(
            "orderBy",
            f"list[{order_name(type_name)}] | None",
            "Sort keys, the most important first; missing values come last, equal rows by id.",
        ),
        *page_arguments(),
    )


def page_arguments() -> tuple[ArgumentDraft, ...]:
    """The arguments of every connection."""
    return (
        first_argument(20),
        ArgumentDraft("after", "str | None", "The cursor after which the page begins."),
    )


def first_argument(default: int, what: str = "rows") -> ArgumentDraft:
    """How many rows, or other things."""
    return ArgumentDraft("first", "int", f"How many {what} at most; the server has a limit.", default)


def input_drafts(ontology: Ontology) -> Iterator[Draft]:
    """The input types for every type of the ontology and for the customer."""
    yield from _comparison_drafts()
    yield EnumDraft(
        _SORTED,
        "Which way a list is sorted.",
        {"ASC": "From small to great.", "DESC": "From great to small."},
    )
    yield _party_where(ontology)
    yield from _type_inputs(ontology, CUSTOMER, ontology.customer_properties, rows_of_customer(ontology))
    for type_ in ontology.types.values():
        rows = {way.name: (way.type, way.property) for way in reverses_of(ontology, type_)}
        yield from _type_inputs(ontology, type_.name, type_.properties, rows)
    yield from (_rows_where(type_) for type_ in ontology.types.values())


def enum_where(name: str) -> TypeDraft:
    """Comparisons of an enum."""
    return _comparisons(f"{name}Where", name, _EQUAL, f"Comparisons of {name}; all that are given must hold.")


def _comparison_drafts() -> Iterator[TypeDraft]:
    words = "Comparisons; all that are given must hold."
    yield _comparisons("IdWhere", "strawberry.ID", ("eq", "ne", "in"), words)
    yield _comparisons("CustomerKindWhere", "CustomerKind", ("eq", "ne", "in"), words)
    yield _comparisons("TextWhere", "str", _TEXTUAL, f"{words} Texts are compared as they are stored.")
    yield _comparisons("TextListWhere", "str", _MANY, f"{words} One value of the list that fits is enough.")
    yield _comparisons("CodeWhere", "str", _EQUAL, words)
    yield _comparisons("LongWhere", "Long", _ORDERED, words)
    yield _comparisons("DecimalWhere", "Decimal", _ORDERED, words)
    yield _comparisons(
        "DateWhere", "Date", _ORDERED, f"{words} Dates compare as text: `1984` is before `1984-05`."
    )
    yield _comparisons("DateTimeWhere", "DateTime", _ORDERED, words)
    yield _comparisons("BooleanWhere", "bool", ("eq", "ne", "isNull"), words)
    yield _comparisons("PresenceWhere", "bool", ("isNull",), words)
    currency = FieldDraft("currency", "CodeWhere | None", "The currency.", PartField("currency"))
    money = _comparisons(
        "MoneyWhere", "Decimal", _ORDERED, f"{words} Amounts compare without regard to currency."
    )
    yield TypeDraft(money.name, money.description, (*money.fields, currency), "input")


def _comparisons(name: str, of: str, operators: tuple[str, ...], description: str) -> TypeDraft:
    listed = ("in", "between")
    annotations = {op: f"list[{of}] | None" if op in listed else f"{of} | None" for op in operators}
    annotations |= {op: "bool | None" for op in operators if op == "isNull"}
    fields = tuple(FieldDraft(op, annotations[op], _WORDS[op]) for op in operators)
    return TypeDraft(name, description, fields, "input")


def _type_inputs(
    ontology: Ontology,
    name: str,
    properties: Mapping[str, Property],
    rows: Mapping[str, tuple[str, str | None]],
) -> Iterator[TypeDraft]:
    where = where_name(name)
    fields = [FieldDraft("id", "IdWhere | None", "The row's id.", Comparison("id"))]
    if name == CUSTOMER:
        words = "Whether most of its parties are people."
        fields.append(FieldDraft("kind", "CustomerKindWhere | None", words, Comparison("kind")))
    else:
        fields.append(
            FieldDraft("source", "IdWhere | None", "The source that states it.", Comparison("source"))
        )
    fields += [_property_where(ontology, name, prop) for prop in properties.values()]
    fields += [
        FieldDraft(key, f"{_rows_name(type_)} | None", f"The {key} of it.", Back(type_, by))
        for key, (type_, by) in rows.items()
    ]
    fields += _combinations(where)
    yield TypeDraft(where, f"Which rows of {name}; all that is given must hold.", tuple(fields), "input")
    sortable = [
        FieldDraft(prop.name, f"{_SORTED} | None", prop.description or prop.label)
        for prop in properties.values()
        if not prop.many and prop.type is not PropertyType.REFERENCE
    ]
    yield TypeDraft(order_name(name), f"A sort key of {name}: one of these.", tuple(sortable), "one_of")


def _property_where(ontology: Ontology, owner: str, prop: Property) -> FieldDraft:
    words = prop.description or prop.label
    if prop.type is not PropertyType.REFERENCE:
        annotation = f"{_comparison_name(ontology, owner, prop)} | None"
        return FieldDraft(prop.name, annotation, words, Comparison(prop.name))
    if prop.range == PARTY:
        return FieldDraft(prop.name, f"{where_name(PARTY)} | None", words, AlongParty(prop.name))
    range_ = prop.range or ""
    return FieldDraft(prop.name, f"{where_name(range_)} | None", words, Along(prop.name, range_))


def _comparison_name(ontology: Ontology, owner: str, prop: Property) -> str:
    if prop.many:
        plain = prop.type in (PropertyType.INTEGER, PropertyType.DECIMAL, PropertyType.BOOLEAN)
        return "PresenceWhere" if plain else "TextListWhere"
    if prop.type is PropertyType.ENUM:
        name = enum_name(ontology, owner, prop)
        return f"{name}Where" if name else "CodeWhere"
    return _BY_TYPE.get(prop.type, "TextWhere")


def _combinations(where: str) -> list[FieldDraft]:
    return [
        FieldDraft("AND", f"list[{where}] | None", "All of these hold.", Combine("AND")),
        FieldDraft("OR", f"list[{where}] | None", "At least one of these holds.", Combine("OR")),
        FieldDraft("NOT", f"{where} | None", "This does not hold.", Combine("NOT")),
    ]


def _party_where(ontology: Ontology) -> TypeDraft:
    fields = tuple(
        FieldDraft(
            field_name(type_.name), f"{where_name(type_.name)} | None", f"It is such a {type_.label.lower()}."
        )
        for type_ in ontology.parties
    )
    return TypeDraft(where_name(PARTY), "Which party, by its type; one of them must fit.", fields, "input")


def _rows_name(type_name: str) -> str:
    return f"{type_name}RowsWhere"


def _rows_where(type_: EntityType) -> TypeDraft:
    some = FieldDraft("some", f"{where_name(type_.name)}", "There is a row that fits; `{}` fits any.")
    return TypeDraft(
        _rows_name(type_.name), f"Whether there is such a {type_.label.lower()}.", (some,), "input"
    )
