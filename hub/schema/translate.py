"""A GraphQL operation as the selections of read plans, one for each root field that plans answer.

Independent of any executor: it takes the document's tree and coerced variables, and follows GraphQL's own rules for
collecting fields (fragments, aliases, merged fields, `@skip` and `@include`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from graphql import (
    FragmentDefinitionNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
)
from graphql.execution.collect_fields import collect_fields

from hub.errors import QueryError
from hub.graph.plans import (
    Aggregate,
    ById,
    ByIdentifier,
    ByIds,
    ConnectionField,
    Constant,
    Cursor,
    Edges,
    Entry,
    EntryEntity,
    Facts,
    Field,
    Figure,
    Figures,
    Freshness,
    GroupKey,
    GroupOrder,
    Groups,
    Hierarchy,
    Household,
    Id,
    Identifiers,
    KeyAlong,
    KeyField,
    KeyValue,
    Lineage,
    LineageRun,
    ListOf,
    Many,
    Members,
    Node,
    Nodes,
    One,
    Operand,
    Origin,
    Owner,
    PageInfo,
    Part,
    Parties,
    Relatives,
    Root,
    RowCount,
    Selection,
    Ties,
    Timeline,
    TotalCount,
    Unit,
    Value,
    Var,
)
from hub.ontology import CUSTOMER, PropertyType
from hub.ontology.identifiers import normal_identifier
from hub.schema.aggregates import CURRENCY_KEY, aggregate_name, group_name, key_name
from hub.schema.asked import Asked, FieldNodes, checked
from hub.schema.catalogue import TYPENAME, Catalogue
from hub.schema.filters import page_of
from hub.schema.hits import search_types
from hub.schema.meanings import (
    ByIdentifierRoot,
    ByIdRoot,
    ByIdsRoot,
    ConnectionPart,
    EntryEntityField,
    FiguresField,
    FoundRoot,
    IdField,
    LineageField,
    LineageRunField,
    ListRoot,
    MembersField,
    OwnerField,
    PropertyField,
    ReferenceField,
    RelativesField,
    RowCountField,
    RowFact,
    RowsField,
    SpecialField,
    TiesField,
)
from hub.schema.outputs import LINEAGE
from hub.schema.translated import CHANGED, ChangeSelection, Derive, RootField, Searched, Translation
from hub.schema.values import Arguments


def translate(
    catalogue: Catalogue,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> Translation:
    """The operation, whose document is valid, for these coerced variables.

    Where others than plans answer too, an executor completes the answer: then objects that may be of several types
    tell theirs, asked or not.

    Raises:
        QueryError: it asks for what no plan can answer.
    """
    return _Translator(catalogue, fragments, variables).operation(operation)


def translate_changes(
    catalogue: Catalogue,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> ChangeSelection:
    """The subscription to changes of customers, whose document is valid, for these coerced variables.

    Raises:
        QueryError: it asks for what no plan can answer.
    """
    return _Translator(catalogue, fragments, variables).changes(operation)


class _Translator(Asked):
    def __init__(
        self,
        catalogue: Catalogue,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        super().__init__(catalogue, fragments, variables)
        self._derived: dict[str, Derive] = {}
        self._tell_types = False

    def operation(self, operation: OperationDefinitionNode) -> Translation:
        query = self._catalogue.graphql.query_type
        if query is None:
            raise QueryError("there is nothing to query")
        collected = collect_fields(
            self._catalogue.graphql, self._fragments, self._variables, query, operation.selection_set
        )
        names = {key: nodes[0].name.value for key, nodes in collected.items()}
        planned = [key for key, name in names.items() if self._catalogue.meaning(query.name, name)]
        typenames = tuple(key for key, name in names.items() if name == TYPENAME)
        others = tuple(names[key] for key in names if key not in planned and key not in typenames)
        self._tell_types = bool(others)
        roots = tuple(self._root(query, checked(key), names[key], collected[key]) for key in planned)
        return Translation(tuple(names), roots, typenames, others, frozenset(self._values.shaping))

    def changes(self, operation: OperationDefinitionNode) -> ChangeSelection:
        """What a subscription to changes of customers asks for."""
        root = cast(GraphQLObjectType, self._catalogue.graphql.subscription_type)
        collected = collect_fields(
            self._catalogue.graphql, self._fragments, self._variables, root, operation.selection_set
        )
        ((key, nodes),) = collected.items()
        arguments = self._arguments(root.name, nodes)
        taken = {name: self._values.taken(value) for name, value in arguments.items()}
        change = get_named_type(root.fields[nodes[0].name.value].type).name
        fields = tuple(
            (inner_key, self._change_field(change, inner_key, name, inner))
            for inner_key, name, inner in self._fields(change, nodes)
        )
        return ChangeSelection(checked(key), taken, fields)

    def _change_field(self, change: str, key: str, name: str, nodes: FieldNodes) -> str | RootField:
        if not isinstance(self._catalogue.meaning(change, name), OwnerField):
            return name
        return RootField(key, ById(self._selection(CUSTOMER, nodes), Var(CHANGED)), {})

    # roots

    def _root(self, query: GraphQLObjectType, key: str, name: str, nodes: FieldNodes) -> RootField:
        self._derived = {}
        meaning = self._catalogue.meaning(query.name, name)
        arguments = self._arguments(query.name, nodes)
        if isinstance(meaning, ByIdRoot):
            selection = self._selection(meaning.type, nodes)
            root: Root = ById(selection, arguments["id"], arguments.get("asOf"))
        elif isinstance(meaning, ListRoot):
            page = page_of(self._catalogue, self._values, meaning.type, arguments)
            root = ListOf(meaning.type, page, self._connection(meaning.type, nodes))
        elif isinstance(meaning, ByIdentifierRoot):
            root = self._by_identifier(arguments, nodes)
        elif isinstance(meaning, FoundRoot):
            return self._found(key, arguments, nodes)
        elif isinstance(meaning, ByIdsRoot):
            root = self._by_ids(arguments["representations"], nodes)
        else:
            raise QueryError(f"{name} is no root field")
        return RootField(key, root, self._derived)

    def _by_identifier(self, arguments: Arguments, nodes: FieldNodes) -> ByIdentifier:
        scheme = self._values.taken(arguments["scheme"])
        region = self._values.taken(arguments.get("region"))
        kind = next(
            prop.type
            for type_ in self._catalogue.ontology.types.values()
            for prop in type_.identifiers
            if prop.identifier == scheme
        )
        normal = partial(_normal, scheme, kind, region)
        value = arguments["value"]
        if isinstance(value, Var):
            # The normal form depends on scheme and region, which shape the plan; so the name need not tell them.
            given, value = value.name, Var(f"{value.name} as {scheme}")
            self._derived[value.name] = lambda variables: normal(variables[given])
        else:
            value = normal(value)
        return ByIdentifier(self._selection(CUSTOMER, nodes), scheme, value, arguments["first"])

    def _by_ids(self, rows: Operand, nodes: FieldNodes) -> ByIds:
        # Of the rows only their types shape the plan; it serves any ids.
        named = self._values.types_named(rows)
        if not named <= {CUSTOMER, *self._catalogue.ontology.types}:
            raise QueryError("a representation is of a type that has no key in this schema")
        return ByIds(self._selections(sorted(named), nodes), rows)

    def _found(self, key: str, arguments: Arguments, nodes: FieldNodes) -> RootField:
        """Rows that a search finds, of the types of which something is asked: the others are not searched for."""
        types = self._listed(arguments, "types") or tuple(search_types(self._catalogue.ontology))
        asked = [
            name
            for name in types
            if name in self._catalogue.graphql.type_map
            and any(field != TYPENAME for _, field, _ in self._fields(name, nodes))
        ]
        if not asked:
            raise QueryError("nothing is asked of a type that is searched; say `... on Customer { id }`")
        found = Searched(f"found by {key}", arguments["text"], tuple(asked), arguments["first"])
        return RootField(key, ByIds(self._selections(sorted(asked), nodes), Var(found.rows)), {}, found)

    # objects

    def _selection(self, type_name: str, nodes: FieldNodes, *, tell_type: bool = False) -> Selection:
        fields: list[Field] = []
        for key, name, inner in self._fields(type_name, nodes):
            fields.append(
                Constant(key, type_name) if name == TYPENAME else self._field(type_name, key, name, inner)
            )
        if tell_type and self._tell_types and TYPENAME not in {field.alias for field in fields}:
            fields.append(Constant(TYPENAME, type_name))
        return Selection(type_name, tuple(fields))

    def _field(self, type_name: str, key: str, name: str, nodes: FieldNodes) -> Field:
        meaning = self._catalogue.meaning(type_name, name)
        if isinstance(meaning, IdField):
            return Id(key)
        if isinstance(meaning, RowFact):
            return Origin(key, meaning.name)
        if isinstance(meaning, LineageField):
            return self._lineage(key, nodes)
        if isinstance(meaning, PropertyField):
            return Value(key, meaning.property, self._parts("Money", nodes) if meaning.composite else None)
        if isinstance(meaning, ReferenceField):
            return One(key, meaning.property, self._selections(meaning.types, nodes))
        if isinstance(meaning, OwnerField):
            return Owner(key, self._selection(CUSTOMER, nodes))
        if isinstance(meaning, RowsField):
            page = page_of(self._catalogue, self._values, meaning.type, self._arguments(type_name, nodes))
            return Many(key, meaning.type, meaning.by, page, self._connection(meaning.type, nodes))
        if isinstance(meaning, SpecialField):
            return self._special(type_name, meaning, key, nodes)
        raise QueryError(f"{type_name}.{name} cannot be asked for here")

    def _selections(self, types: Sequence[str], nodes: FieldNodes) -> tuple[Selection, ...]:
        return tuple(self._selection(name, nodes, tell_type=True) for name in types)

    def _special(self, type_name: str, meaning: SpecialField, key: str, nodes: FieldNodes) -> Field:
        arguments = self._arguments(type_name, nodes)
        if meaning.name == "facts":
            return self._facts(key, arguments, nodes)
        if meaning.name == "identifiers":
            return Identifiers(key, self._parts("Identifier", nodes), arguments["first"])
        if meaning.name == "parties":
            types = [type_.name for type_ in self._catalogue.ontology.parties]
            return Parties(key, self._selections(types, nodes), arguments["first"])
        if meaning.name == "freshness":
            return Freshness(key, self._parts("Freshness", nodes))
        if meaning.name == "household":
            return self._household(key, nodes)
        if meaning.name == "hierarchy":
            return self._hierarchy(key, nodes)
        return self._timeline(key, arguments, nodes)

    def _facts(self, key: str, arguments: Arguments, nodes: FieldNodes) -> Facts:
        winners_only = bool(self._values.taken(arguments["winnersOnly"]))
        parts = tuple(
            self._lineage(inner_key, inner) if name == "lineage" else self._part("Fact", inner_key, name)
            for inner_key, name, inner in self._fields("Fact", nodes)
        )
        return Facts(
            key,
            parts,
            self._listed(arguments, "properties"),
            winners_only,
            arguments["first"],
        )

    def _lineage(self, key: str, nodes: FieldNodes) -> Lineage:
        parts: list[Part | Constant | LineageRun] = []
        for inner_key, name, inner in self._fields(LINEAGE, nodes):
            meaning = self._catalogue.meaning(LINEAGE, name)
            if isinstance(meaning, LineageRunField):
                parts.append(LineageRun(inner_key, meaning.name, self._parts(f"{LINEAGE}Run", inner)))
            else:
                parts.append(self._part(LINEAGE, inner_key, name))
        return Lineage(key, tuple(parts))

    def _household(self, key: str, nodes: FieldNodes) -> Household:
        type_name = "CustomerHousehold"
        fields: list[Part | Constant | Members | Ties] = []
        for inner_key, name, inner in self._fields(type_name, nodes):
            meaning = self._catalogue.meaning(type_name, name)
            first = None if name == TYPENAME else self._arguments(type_name, inner).get("first")
            if isinstance(meaning, MembersField):
                fields.append(Members(inner_key, self._selection(CUSTOMER, inner), first))
            elif isinstance(meaning, TiesField):
                fields.append(Ties(inner_key, self._parts("HouseholdTie", inner), first))
            else:
                fields.append(self._part(type_name, inner_key, name))
        return Household(key, tuple(fields))

    def _hierarchy(self, key: str, nodes: FieldNodes) -> Hierarchy:
        type_name = "CustomerHierarchy"
        fields: list[Part | Constant | Relatives] = []
        for inner_key, name, inner in self._fields(type_name, nodes):
            meaning = self._catalogue.meaning(type_name, name)
            if isinstance(meaning, RelativesField):
                first = self._arguments(type_name, inner).get("first", 1)
                fields.append(Relatives(inner_key, meaning.which, self._selection(CUSTOMER, inner), first))
            else:
                fields.append(self._part(type_name, inner_key, name))
        return Hierarchy(key, tuple(fields))

    def _timeline(self, key: str, arguments: Arguments, nodes: FieldNodes) -> Timeline:
        return Timeline(
            key,
            self._connection(None, nodes),
            arguments.get("phase"),
            self._listed(arguments, "types"),
            arguments["first"],
            arguments.get("after"),
        )

    def _entry(self, nodes: FieldNodes) -> Entry:
        type_name = "TimelineEntry"
        types = [type_.name for type_ in self._catalogue.ontology.events]
        fields: list[Part | Constant | EntryEntity] = []
        for key, name, inner in self._fields(type_name, nodes):
            if isinstance(self._catalogue.meaning(type_name, name), EntryEntityField):
                fields.append(EntryEntity(key, self._selections(types, inner)))
            else:
                fields.append(self._part(type_name, key, name))
        return Entry(tuple(fields))

    # connections; `node` is None for a timeline's entries

    def _connection(self, node: str | None, nodes: FieldNodes) -> tuple[ConnectionField, ...]:
        type_name = f"{node or 'TimelineEntry'}Connection"
        return tuple(
            Constant(key, type_name)
            if name == TYPENAME
            else self._connection_field(type_name, key, name, inner)
            for key, name, inner in self._fields(type_name, nodes)
        )

    def _connection_field(self, type_name: str, key: str, name: str, nodes: FieldNodes) -> ConnectionField:
        meaning = self._catalogue.meaning(type_name, name)
        if isinstance(meaning, ConnectionPart):
            if meaning.name == "edges":
                return self._edges(meaning.node, key, nodes)
            if meaning.name == "nodes":
                return Nodes(key, self._node(meaning.node, nodes))
            if meaning.name == "pageInfo":
                return PageInfo(key, self._parts("PageInfo", nodes))
            if meaning.name == "totalCount":
                return TotalCount(key)
            if meaning.name in ("aggregate", "groups") and meaning.node is not None:
                return self._figures_of(type_name, meaning.node, meaning.name, key, nodes)
        raise QueryError(f"{type_name}.{name} cannot be asked for")

    def _edges(self, node: str | None, key: str, nodes: FieldNodes) -> Edges:
        type_name = f"{node or 'TimelineEntry'}Edge"
        fields: list[Constant | Cursor | Node] = []
        for inner_key, name, inner in self._fields(type_name, nodes):
            if name == TYPENAME:
                fields.append(Constant(inner_key, type_name))
            elif name == "cursor":
                fields.append(Cursor(inner_key))
            else:
                fields.append(Node(inner_key, self._node(node, inner)))
        return Edges(key, tuple(fields))

    def _node(self, node: str | None, nodes: FieldNodes) -> Selection | Entry:
        return self._entry(nodes) if node is None else self._selection(node, nodes)

    # aggregates

    def _figures_of(
        self, type_name: str, node: str, name: str, key: str, nodes: FieldNodes
    ) -> Aggregate | Groups:
        if name == "aggregate":
            return Aggregate(key, tuple(self._group_fields(aggregate_name(node), node, nodes)))
        arguments = self._arguments(type_name, nodes)
        order = GroupOrder(self._values.taken(arguments["orderBy"]))
        fields = tuple(self._group_fields(group_name(node), node, nodes))
        return Groups(key, fields, order, arguments["first"], arguments["skip"])

    def _group_fields(self, type_name: str, node: str, nodes: FieldNodes) -> Iterator[Any]:
        for key, name, inner in self._fields(type_name, nodes):
            meaning = self._catalogue.meaning(type_name, name)
            if name == TYPENAME:
                yield Constant(key, type_name)
            elif isinstance(meaning, RowCountField):
                yield RowCount(key)
            elif isinstance(meaning, FiguresField):
                yield Figures(key, meaning.function, tuple(self._figures(meaning.type, inner)))
            else:
                yield GroupKey(key, tuple(self._key_fields(key_name(node), inner)))

    def _figures(self, type_name: str, nodes: FieldNodes) -> Iterator[Figure | Constant]:
        for key, name, inner in self._fields(type_name, nodes):
            meaning = self._catalogue.meaning(type_name, name)
            if isinstance(meaning, PropertyField):
                parts = self._parts("Money", inner) if meaning.composite else None
                yield Figure(key, meaning.property, parts)
            else:
                yield Constant(key, type_name)

    def _key_fields(self, type_name: str, nodes: FieldNodes) -> Iterator[KeyField]:
        for key, name, inner in self._fields(type_name, nodes):
            meaning = self._catalogue.meaning(type_name, name)
            if isinstance(meaning, ReferenceField):
                (target,) = meaning.types
                yield KeyAlong(key, meaning.property, tuple(self._key_fields(key_name(target), inner)))
            elif isinstance(meaning, OwnerField):
                yield KeyAlong(key, None, tuple(self._key_fields(key_name(CUSTOMER), inner)))
            elif isinstance(meaning, PropertyField):
                yield self._key_value(type_name, meaning, key, inner)
            else:
                yield Constant(key, type_name) if name == TYPENAME else KeyValue(key, name)

    def _key_value(self, type_name: str, meaning: PropertyField, key: str, nodes: FieldNodes) -> KeyValue:
        if meaning.composite:
            return KeyValue(key, meaning.property, parts=self._parts(CURRENCY_KEY, nodes))
        unit = self._values.taken(self._arguments(type_name, nodes).get("unit"))
        return KeyValue(key, meaning.property, None if unit is None else Unit(unit))


def _normal(scheme: str, kind: PropertyType, region: str | None, value: str) -> str:
    try:
        return normal_identifier(kind, value, region)
    except ValueError as error:
        hint = "; without a country code it needs `region`" if kind is PropertyType.PHONE else ""
        raise QueryError(f"the value {error}{hint}" if hint else f"the value of {scheme} {error}") from None
