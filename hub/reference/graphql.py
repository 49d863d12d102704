"""The page `graphql.md`: the questions that the API answers, from the schema itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
)

from hub.ontology import CUSTOMER, Ontology
from hub.reference.markdown import code, header, table
from hub.schema import make_catalogue
from hub.schema.naming import rows_of_customer

_INTRODUCTION = """
One endpoint, `POST /graphql`, with a bearer token and, where the token carries several, the purpose in the header
`X-Purpose`. A query may also come by `GET`, which always names its purpose: no link or form on another page can send
that header. `GET /graphql/schema.graphql` gives the schema. Types and lists follow from the [ontology](ontology.md):
a type has a field for one row by id and one for the list of all rows; its references and their ways back are fields.

What the policy denies is null, what it masks is masked; `extensions.access` of the answer says what and why. A request
that is refused has no `data`, and an error with a [code](errors.md#codes-of-requests).

Lists are Relay connections: `first` (at most `HUB_MAX_PAGE`) and `after` page through them, `where` selects, `orderBy`
sorts. Missing values come last, equal rows by id. A document deeper than `HUB_MAX_DEPTH`, or dearer than
`HUB_MAX_COST`, is refused before anything is read. What it costs follows from its page sizes, so ask for small pages.
"""

_CUSTOMER_INTRODUCTION = """
A customer has the golden record's properties (those of its parties), the connections of everything that belongs to it,
and these:
"""

_WHERE_INTRODUCTION = """
A `where` names properties with what they must be: `where: {orderDate: {gte: "2026-01-01"}, status: {eq: shipped}}`. All
that is given must hold; `AND`, `OR` and `NOT` combine. References lead into the other row's `where`.
"""

_VALUE_CONDITIONS = (
    "TextWhere",
    "CodeWhere",
    "IdWhere",
    "BooleanWhere",
    "LongWhere",
    "DecimalWhere",
    "MoneyWhere",
    "DateWhere",
    "DateTimeWhere",
    "TextListWhere",
)
"""The conditions on values of each kind; those of enums are alike."""


def served_schema(ontology: Ontology) -> GraphQLSchema:
    """The schema that the API serves for this ontology."""
    return make_catalogue(ontology).graphql


def graphql_page(ontology: Ontology) -> str:
    """The reference of the GraphQL schema of this ontology."""
    schema = served_schema(ontology)
    return "\n".join(
        [
            header("GraphQL", "the schema, which follows from the ontology"),
            _INTRODUCTION,
            "## Root fields\n",
            _fields(_object(schema, "Query").fields),
            f"## {CUSTOMER}\n",
            _CUSTOMER_INTRODUCTION,
            _fields(_own_fields(ontology, _object(schema, CUSTOMER))),
            *_objects(schema),
            "## Conditions\n",
            _WHERE_INTRODUCTION,
            *_conditions(schema),
            "## Scalars\n",
            _scalars(schema),
        ]
    )


def _object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    if not isinstance(found, GraphQLObjectType):
        raise TypeError(f"{name} is no object type of the schema")
    return found


def _own_fields(ontology: Ontology, customer: GraphQLObjectType) -> dict[str, GraphQLField]:
    known = {*ontology.customer_properties, *rows_of_customer(ontology)}
    return {name: field for name, field in customer.fields.items() if name not in known}


def _objects(schema: GraphQLSchema) -> Iterator[str]:
    """The object types that are no entity types: what facts, identifiers, sources and so on consist of."""
    hidden = {"Query", CUSTOMER}
    for name, kind in sorted(schema.type_map.items()):
        if not isinstance(kind, GraphQLObjectType) or name in hidden or name.startswith("__"):
            continue
        if name.endswith(("Connection", "Edge")) or any(each.name == "Entity" for each in kind.interfaces):
            continue
        yield f"## {name}\n"
        yield f"{kind.description or ''}\n"
        yield _fields(kind.fields)


def _fields(fields: Mapping[str, GraphQLField]) -> str:
    return table(
        ("field", "takes", "gives", "meaning"),
        (
            (code(name), _arguments(field.args), code(field.type), field.description or "")
            for name, field in fields.items()
        ),
    )


def _arguments(arguments: Mapping[str, GraphQLArgument]) -> str:
    return ", ".join(code(f"{name}: {argument.type}") for name, argument in arguments.items())


def _conditions(schema: GraphQLSchema) -> Iterator[str]:
    for name in _VALUE_CONDITIONS:
        kind = schema.type_map.get(name)
        if not isinstance(kind, GraphQLInputObjectType):
            continue
        yield f"### {name}\n"
        yield f"{kind.description or ''}\n"
        yield table(
            ("key", "takes", "meaning"),
            ((code(key), code(each.type), each.description or "") for key, each in kind.fields.items()),
        )


def _scalars(schema: GraphQLSchema) -> str:
    return table(
        ("scalar", "meaning"),
        (
            (code(name), (kind.description or "").split("\n")[0])
            for name, kind in sorted(schema.type_map.items())
            if isinstance(kind, GraphQLScalarType)
        ),
    )
