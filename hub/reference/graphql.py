"""The page `graphql.md`: the types of the API's schema, from the schema itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    ast_from_value,
    get_named_type,
    print_ast,
)

from hub.graph.plans.aggregates import SCAN
from hub.ontology import CUSTOMER, PARTY, Ontology
from hub.reference.markdown import code, header, table
from hub.schema import make_catalogue
from hub.schema.aggregates import CURRENCY_KEY, aggregate_name, group_name, key_name, range_name, sum_name
from hub.schema.naming import rows_of_customer

_INTRODUCTION = """
How to ask, and the root fields that questions begin with, stand in [api.md](api.md). Types and lists follow from the
[ontology](ontology.md): a type has a field for one row by id and one for the list of all rows; its references and
their ways back are fields.

Lists are Relay connections: `first` (at most `HUB_MAX_PAGE`) and `after` page through them, `where` selects, `orderBy`
sorts. Missing values come last, equal rows by id.
"""

_MUTATIONS_INTRODUCTION = """
Mutations are commands: what each does, and who may give it, stands under [Commands](commands.md). Each is an audit
event of its own. What is refused has done nothing; its field is null, with an error.
"""

_CUSTOMER_INTRODUCTION = """
A customer has the golden record's properties (those of its parties), the connections of everything that belongs to it,
and these:
"""

_AGGREGATES_INTRODUCTION = """
Every list counts, adds up and compares its rows: all that pass its `where`, whatever its page shows. `aggregate` does
so for all of them, `groups` for each group, and what is asked of a group's `key` says what the groups are made by:

```graphql
{
  orders(where: {orderDate: {gte: "2026-01-01T00:00:00Z"}}) {
    aggregate { count sum { total { amount currency } } max { orderDate } }
    groups(first: 12, orderBy: KEY_ASC) {
      key { month: orderDate(unit: MONTH) status belongsTo { segment } }
      count
      sum { total { amount currency } }
    }
  }
}
```

- `sum` is there for whole numbers, decimals and money, `min` and `max` for these, dates and instants. Figures are
  exact; a sum beyond 64 bits is refused. Rows without a value count for `count` alone; a figure of none is null. There
  is no mean, which would have to be rounded: divide a sum by the `count` of the rows `where` the value is not missing.
- Currencies are never mixed: a figure of money is a list with one amount for each currency.
- A key takes values of the row, of rows that its references lead to, and (`belongsTo`) of the customer that it belongs
  to. Dates and instants take a `unit`; instants are grouped by their time in UTC. Money gives its `currency`. Missing
  values make a group of their own.
- Groups come with the most rows first unless `orderBy` says otherwise. `first` (at most `HUB_MAX_PAGE`) and `skip` page
  through them.
- Figures over rows of more than one customer may read a whole table, and cost as much as {scan} fields for each row
  that they stand in.
- What the policy denies or masks can be neither aggregated nor grouped by. Where the first and the last party of a
  group are one customer's, as in a group of one customer alone, the audit log names that customer as read.
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
            "## Inputs of mutations\n",
            _MUTATIONS_INTRODUCTION,
            *_inputs(schema),
            f"## {CUSTOMER}\n",
            _CUSTOMER_INTRODUCTION,
            fields(_own_fields(ontology, _object(schema, CUSTOMER))),
            *_objects(ontology, schema),
            "## Aggregates\n",
            _AGGREGATES_INTRODUCTION.replace("{scan}", str(SCAN)),
            *_choices(schema, "CalendarUnit", "GroupOrder"),
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


def _objects(ontology: Ontology, schema: GraphQLSchema) -> Iterator[str]:
    """The object types that are no entity types: what facts, identifiers, sources and so on consist of."""
    hidden = {"Query", "Mutation", "Subscription", CUSTOMER, CURRENCY_KEY, *_aggregates(ontology)}
    for name, kind in sorted(schema.type_map.items()):
        if not isinstance(kind, GraphQLObjectType) or name in hidden or name.startswith("__"):
            continue
        if name.endswith(("Connection", "Edge")) or any(each.name == "Entity" for each in kind.interfaces):
            continue
        yield f"## {name}\n"
        yield f"{kind.description or ''}\n"
        yield fields(kind.fields)


def _aggregates(ontology: Ontology) -> Iterator[str]:
    """The types of aggregates, which follow from the properties."""
    for name in (CUSTOMER, PARTY, *ontology.types):
        yield from (made(name) for made in (aggregate_name, group_name, key_name, sum_name, range_name))


def _choices(schema: GraphQLSchema, *names: str) -> Iterator[str]:
    for name in names:
        kind = schema.type_map[name]
        if not isinstance(kind, GraphQLEnumType):
            raise TypeError(f"{name} is no enum of the schema")
        yield f"### {name}\n"
        yield f"{kind.description or ''}\n"
        rows = ((code(value), each.description or "") for value, each in kind.values.items())
        yield table(("value", "meaning"), rows)


def fields(given: Mapping[str, GraphQLField]) -> str:
    """A row for each field: its name, what it takes and gives, what it means."""
    return table(
        ("field", "takes", "gives", "meaning"),
        (
            (code(name), arguments(field.args), code(field.type), field.description or "")
            for name, field in given.items()
        ),
    )


def arguments(given: Mapping[str, GraphQLArgument]) -> str:
    """The arguments as GraphQL writes them, with their defaults."""
    return ", ".join(code(f"{name}: {argument.type}{_default(argument)}") for name, argument in given.items())


def _default(argument: GraphQLArgument) -> str:
    if argument.default_value is Undefined:
        return ""
    value = ast_from_value(argument.default_value, argument.type)
    return f" = {print_ast(value)}" if value else ""


def _inputs(schema: GraphQLSchema) -> Iterator[str]:
    """What mutations take."""
    taken = (
        argument.type
        for field in _object(schema, "Mutation").fields.values()
        for argument in field.args.values()
    )
    for kind in dict.fromkeys(get_named_type(each) for each in taken):
        if isinstance(kind, GraphQLInputObjectType):
            yield f"### {kind.name}\n"
            yield f"{kind.description or ''}\n"
            yield _keys(kind)


def _keys(kind: GraphQLInputObjectType) -> str:
    return table(
        ("key", "takes", "meaning"),
        ((code(key), code(each.type), each.description or "") for key, each in kind.fields.items()),
    )


def _conditions(schema: GraphQLSchema) -> Iterator[str]:
    for name in _VALUE_CONDITIONS:
        kind = schema.type_map.get(name)
        if not isinstance(kind, GraphQLInputObjectType):
            continue
        yield f"### {name}\n"
        yield f"{kind.description or ''}\n"
        yield _keys(kind)


def _scalars(schema: GraphQLSchema) -> str:
    return table(
        ("scalar", "meaning"),
        (
            (code(name), (kind.description or "").split("\n")[0])
            for name, kind in sorted(schema.type_map.items())
            if isinstance(kind, GraphQLScalarType)
        ),
    )
