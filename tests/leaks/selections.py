"""Selections of all that a type has, made from the schema, so that new fields are asked for as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_union_type,
)

from hub.ontology import CUSTOMER

NOT_OF_PAST = ("updatedAt", "household", "freshness")
CHUNK = 24
"""Fields that one question asks for on a row."""


def chunks(schema: GraphQLSchema, type_name: str) -> Iterator[str]:
    """Everything of a type, in several selections."""
    parts = list(_parts(schema, schema.type_map[type_name], 1))
    for start in range(0, len(parts), CHUNK):
        yield " ".join(parts[start : start + CHUNK])


def past_chunks(schema: GraphQLSchema) -> Iterator[str]:
    """Everything of a customer that may be asked of a past time, in several selections."""
    parts = [
        part
        for part in _parts(schema, schema.type_map[CUSTOMER], 1)
        if part.partition(" ")[0] not in NOT_OF_PAST
    ]
    for start in range(0, len(parts), CHUNK):
        yield " ".join(parts[start : start + CHUNK])


def entity_text(schema: GraphQLSchema, type_name: str, depth: int) -> str:
    """All fields of a type, and those of what is up to `depth` links away."""
    return " ".join(_parts(schema, schema.type_map[type_name], depth))


def _parts(schema: GraphQLSchema, type_: Any, depth: int) -> Iterator[str]:
    yield "__typename"
    for name, field in type_.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        inside = _inside(schema, field, depth)
        if inside is not None:
            yield f"{name}{inside}"


def _inside(schema: GraphQLSchema, field: GraphQLField, depth: int) -> str | None:
    inner: Any = get_named_type(field.type)
    if is_leaf_type(inner):
        return ""
    if is_union_type(inner):
        return " { __typename }"
    if inner.name.endswith("Connection"):
        return f" {{ {_connection(schema, inner, depth)} }}"
    if isinstance(inner, GraphQLInterfaceType):
        return f" {{ {_of_several(schema, inner)} }}" if depth > 0 else " { __typename id }"
    if "id" in inner.fields and depth < 1:
        return " { __typename id }"
    return f" {{ {' '.join(_parts(schema, inner, depth - 1))} }}"


def _connection(schema: GraphQLSchema, type_: GraphQLObjectType, depth: int) -> str:
    page = "totalCount pageInfo { startCursor endCursor hasNextPage }"
    if "aggregate" in type_.fields:
        page += " aggregate { count }"
    if depth < 1:
        return page
    node = get_named_type(type_.fields["nodes"].type)
    return f"{page} edges {{ cursor }} nodes {{ {' '.join(_parts(schema, node, 0))} }}"


def _of_several(schema: GraphQLSchema, type_: GraphQLInterfaceType) -> str:
    """The plain fields of each type that may occur; those that are not alike in all get names of their own."""
    possible = schema.get_possible_types(type_)
    found = ["__typename"]
    for each in possible:
        leaves = [name for name, field in each.fields.items() if is_leaf_type(get_named_type(field.type))]
        named = (name if _alike(name, possible) else f"{each.name}_{name}: {name}" for name in leaves)
        found.append(f"... on {each.name} {{ {' '.join(named)} }}")
    return " ".join(found)


def _alike(name: str, types: Iterable[GraphQLObjectType]) -> bool:
    return len({str(each.fields[name].type) for each in types if name in each.fields}) == 1
