"""Where-inputs and sort keys as a plan's filters and orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLInputObjectType

from hub.errors import LimitError, QueryError
from hub.graph.plans import And, Compare, Filter, Not, Op, Or, OrderBy, Page, Rows, Some, ToOne
from hub.ontology import PARTY
from hub.schema.catalogue import Catalogue
from hub.schema.inputs import where_name
from hub.schema.meanings import Along, AlongParty, Back, Combine, Comparison, PartField
from hub.schema.naming import field_name
from hub.schema.values import Arguments, Values

MAX_CONDITIONS = 500
"""Names in all filters of an operation: SQLite takes conditions 1,000 deep, and each costs time to compile."""


def page_of(catalogue: Catalogue, values: Values, type_name: str, arguments: Arguments) -> Page:
    """The page that a connection's arguments ask for.

    Raises:
        QueryError: they contradict themselves.
        LimitError: the operation's filters have too many conditions.
    """
    where = arguments.get("where")
    values.conditions += _conditions(where)
    if values.conditions > MAX_CONDITIONS:
        raise LimitError(
            "the filters have too many conditions, their names counted; "
            f"the limit max_conditions is {MAX_CONDITIONS}"
        )
    return Page(
        where=None if where is None else filter_of(catalogue, where_name(type_name), where),
        order_by=_order_by(values, arguments.get("orderBy") or ()),
        first=arguments["first"],
        after=arguments.get("after"),
    )


def _conditions(where: Any) -> int:
    """The names in a filter, which may come in a variable; counted no further than what is refused in any case."""
    found, open_ = 0, [where]
    while open_ and found <= MAX_CONDITIONS:
        item = open_.pop()
        if isinstance(item, Mapping):
            found += len(item)
            open_ += item.values()
        elif isinstance(item, tuple):
            # A list of values is one operand, bounded by the plan; a list of filters is many conditions.
            open_ += [inner for inner in item if isinstance(inner, Mapping)]
    return found


def _order_by(values: Values, keys: tuple[Mapping[str, Any], ...]) -> tuple[OrderBy, ...]:
    found = []
    for key in keys:
        if len(key) != 1:
            raise QueryError("a sort key names one property")
        ((name, direction),) = key.items()
        if direction is None:
            raise QueryError(f"the sort key {name} takes a direction, not null")
        found.append(OrderBy(name, values.taken(direction) == "DESC"))
    return tuple(found)


def filter_of(catalogue: Catalogue, input_name: str, given: Mapping[str, Any]) -> Filter:
    """The filter that a where-input asks for; an empty one lets every row pass.

    Raises:
        QueryError: it holds null where a filter must be.
    """
    filters = tuple(_field(catalogue, input_name, name, value) for name, value in given.items())
    return filters[0] if len(filters) == 1 else And(filters)


def _field(catalogue: Catalogue, input_name: str, name: str, value: Any) -> Filter:
    if value is None:
        raise QueryError(f"{input_name}.{name} takes a filter, not null")
    meaning = catalogue.meaning(input_name, name)
    if isinstance(meaning, Comparison):
        return _compare(catalogue, input_name, name, meaning.property, value)
    if isinstance(meaning, Combine):
        return _combine(catalogue, input_name, meaning, value)
    if isinstance(meaning, Along):
        way = ToOne(meaning.property, meaning.type)
        return Some(way, _inner(catalogue, where_name(meaning.type), value))
    if isinstance(meaning, AlongParty):
        return _along_party(catalogue, meaning, value)
    if isinstance(meaning, Back):
        return Some(
            Rows(meaning.type, meaning.by), _inner(catalogue, where_name(meaning.type), value["some"])
        )
    raise QueryError(f"{input_name} has no field {name}")


def _inner(catalogue: Catalogue, input_name: str, value: Mapping[str, Any]) -> Filter | None:
    return filter_of(catalogue, input_name, value) if value else None


def _combine(catalogue: Catalogue, input_name: str, meaning: Combine, value: Any) -> Filter:
    if meaning.word == "NOT":
        return Not(filter_of(catalogue, input_name, value))
    filters = tuple(filter_of(catalogue, input_name, item) for item in value)
    return And(filters) if meaning.word == "AND" else Or(filters)


def _along_party(catalogue: Catalogue, meaning: AlongParty, value: Mapping[str, Any]) -> Filter:
    types = {field_name(type_.name): type_.name for type_ in catalogue.ontology.parties}
    filters = []
    for name, inner in value.items():
        if inner is None:
            raise QueryError(f"{where_name(PARTY)}.{name} takes a filter, not null")
        filters.append(
            Some(ToOne(meaning.property, types[name]), _inner(catalogue, where_name(types[name]), inner))
        )
    return Or(tuple(filters))


def _compare(
    catalogue: Catalogue, input_name: str, name: str, property_name: str, operators: Mapping[str, Any]
) -> Filter:
    comparisons: list[Filter] = []
    owner = _comparison_type(catalogue, input_name, name)
    for operator, operand in operators.items():
        part = catalogue.meaning(owner, operator)
        if isinstance(part, PartField):
            comparisons += [
                Compare(property_name, Op(inner), value, part.name)
                for inner, value in (operand or {}).items()
            ]
        else:
            comparisons.append(Compare(property_name, Op(operator), operand))
    return comparisons[0] if len(comparisons) == 1 else And(tuple(comparisons))


def _comparison_type(catalogue: Catalogue, input_name: str, name: str) -> str:
    where = catalogue.graphql.type_map[input_name]
    if not isinstance(where, GraphQLInputObjectType):
        raise QueryError(f"{input_name} is no filter")
    return str(where.fields[name].type)
