"""The nodes of a document as its fragments and variables make them: fields, arguments, parts of composites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from graphql import FieldNode, FragmentDefinitionNode, GraphQLObjectType
from graphql.execution.collect_fields import collect_sub_fields

from hub.errors import QueryError
from hub.graph.plans import Constant, Part, Parts
from hub.schema.catalogue import TYPENAME, Catalogue
from hub.schema.meanings import PartField
from hub.schema.values import Arguments, Values

FieldNodes = Sequence[FieldNode]
Fields = Mapping[str, FieldNodes]


class Asked:
    """What is asked of the objects of a document."""

    def __init__(
        self,
        catalogue: Catalogue,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._catalogue = catalogue
        self._fragments = dict(fragments)
        self._variables = dict(variables)
        self._values = Values(variables)

    # composites

    def _parts(self, type_name: str, nodes: FieldNodes) -> Parts:
        return tuple(self._part(type_name, key, name) for key, name, _ in self._fields(type_name, nodes))

    def _part(self, type_name: str, key: str, name: str) -> Part | Constant:
        if name == TYPENAME:
            return Constant(key, type_name)
        meaning = self._catalogue.meaning(type_name, name)
        if not isinstance(meaning, PartField):
            raise QueryError(f"{type_name}.{name} cannot be asked for")
        return Part(key, meaning.name)

    # the document

    def _fields(self, type_name: str, nodes: FieldNodes) -> Iterator[tuple[str, str, FieldNodes]]:
        """Response key, name and nodes of the fields that are asked of an object of the type."""
        type_ = cast(GraphQLObjectType, self._catalogue.graphql.type_map[type_name])
        collected: Fields = collect_sub_fields(
            self._catalogue.graphql, self._fragments, self._variables, type_, list(nodes)
        )
        for key, inner in collected.items():
            yield checked(key, inner[0].name.value), inner[0].name.value, inner

    def _arguments(self, type_name: str, nodes: FieldNodes) -> Arguments:
        type_ = cast(GraphQLObjectType, self._catalogue.graphql.type_map[type_name])
        return self._values.arguments(type_.fields[nodes[0].name.value].args, nodes[0])

    def _listed(self, arguments: Arguments, name: str) -> tuple[str, ...] | None:
        return cast("tuple[str, ...] | None", self._values.taken(arguments.get(name)))


def checked(key: str, name: str = "") -> str:
    """The response key of a field of that name.

    Raises:
        QueryError: it begins as only names of GraphQL's own do.
    """
    # GraphQL reserves such names; `__typename` must tell the type of an object that may be of several.
    if key.startswith("__") and name != key:
        raise QueryError("an alias may not begin with two underscores")
    return key
