"""The GraphQL schema made from an ontology, and what each of its fields stands for in a read plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

import strawberry
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from hub.cache import BoundedCache
from hub.ontology import Ontology
from hub.schema.changes import change_drafts, change_root
from hub.schema.drafts import Draft, TypeDraft, module_of
from hub.schema.federation import entities_field, entity_draft
from hub.schema.hits import found_draft, rows_field
from hub.schema.inputs import input_drafts
from hub.schema.meanings import Meaning
from hub.schema.mutations import MUTATIONS_BY_ONTOLOGY, PAYLOADS, RESOLVERS, mutation_drafts
from hub.schema.outputs import output_drafts, root_fields
from hub.schema.roots import MUTATIONS, QUERIES, SUBSCRIPTIONS
from hub.schema.scalars import SCALAR_MAP, SCALARS

MeaningT = TypeVar("MeaningT")

TYPENAME = "__typename"
"""Key under which a plan's answer tells the type of an object that may be of several."""

_PLANS = "PlanQuery"
_QUERY = "Query"
_CHANGES = "ChangeSubscription"
_SUBSCRIPTION = "Subscription"
_ROOTS = {_PLANS: _QUERY, _CHANGES: _SUBSCRIPTION}
"""The root types by the drafts whose fields they take."""


@dataclass(frozen=True)
class Catalogue:
    """The schema with its meanings. Immutable; made once at start."""

    schema: strawberry.Schema
    graphql: GraphQLSchema
    """What graphql-core validates and executes with."""
    meanings: Mapping[tuple[str, str], Meaning]
    """By (type, field), for fields that read plans answer and for the where-inputs they take."""
    ontology: Ontology

    def meaning(self, type_name: str, field: str) -> Meaning | None:
        """What the field stands for; None when no read plan answers it."""
        return self.meanings.get((type_name, field))

    @property
    def query_name(self) -> str:
        """The name of the type that holds the questions."""
        return _QUERY

    @cached_property
    def sdl(self) -> str:
        """The schema in GraphQL's schema language."""
        return self.schema.as_str()


_MADE: BoundedCache[Catalogue] = BoundedCache(2)
"""By digest of the ontology: making one takes more than a second, and several parts of a process may want it."""


def make_catalogue(ontology: Ontology) -> Catalogue:
    """The schema of the ontology, with the strawberry types of the root fields that no plan answers.

    It is the same one for the same ontology.

    Raises:
        ConfigurationError: names of the ontology clash in GraphQL.
    """
    made = _MADE.get(ontology.sha256)
    if made is None:
        made = _make(ontology)
        _MADE.put(ontology.sha256, made, 1)
    return made


def _make(ontology: Ontology) -> Catalogue:
    plans = TypeDraft(
        _PLANS,
        "Questions that read plans answer.",
        (*root_fields(ontology), entities_field(), rows_field()),
    )
    changes = TypeDraft(_CHANGES, "What the change feed tells.", (change_root(),))
    drafts = [
        *input_drafts(ontology),
        *output_drafts(ontology),
        *mutation_drafts(ontology),
        *change_drafts(),
        entity_draft(ontology),
        found_draft(ontology),
        plans,
        changes,
    ]
    given = {"strawberry": strawberry, **SCALARS, **PAYLOADS}
    module = module_of(f"hub.schema.generated_{ontology.sha256[:16]}", drafts, given)
    on_customers = getattr(module, MUTATIONS_BY_ONTOLOGY)
    types = [getattr(module, name) for name in ontology.types]
    schema = strawberry.Schema(
        _root(_QUERY, "The questions that the hub answers.", (getattr(module, _PLANS), *QUERIES)),
        _root("Mutation", "What a caller may have the hub do.", (on_customers, *MUTATIONS)),
        _root(
            _SUBSCRIPTION,
            "What the hub tells as it happens, over WebSocket or as an event stream.",
            (getattr(module, _CHANGES), *SUBSCRIPTIONS),
        ),
        types=types,
        config=StrawberryConfig(auto_camel_case=False, scalar_map=SCALAR_MAP),
    )
    graphql = schema._schema
    meanings = _meanings(drafts)
    _answer_from_plans(graphql, meanings)
    _answer_by_commands(graphql)
    return Catalogue(schema, graphql, meanings, ontology)


def _root(name: str, description: str, types: Sequence[type]) -> Any:
    merged: Any = merge_types(name, tuple(types))
    merged.__strawberry_definition__.description = description
    return merged


def _meanings(drafts: Sequence[Draft]) -> Mapping[tuple[str, str], Meaning]:
    return MappingProxyType(
        {
            (_ROOTS.get(draft.name, draft.name), item.name): item.meaning
            for draft in drafts
            if isinstance(draft, TypeDraft)
            for item in draft.fields
            if item.meaning is not None
        }
    )


def _answer_from_plans(graphql: GraphQLSchema, meanings: Mapping[tuple[str, str], Meaning]) -> None:
    """Let the fields that plans answer read the answer by response key.

    strawberry's default resolvers know a field's name only; a plan's answer is keyed by alias.
    """
    for type_ in graphql.type_map.values():
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            type_.resolve_type = _type_of
        elif isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                if (type_.name, name) in meanings:
                    field.resolve = _by_response_key
                    type_.is_type_of = None


def _answer_by_commands(graphql: GraphQLSchema) -> None:
    """Let the mutations whose inputs follow from the ontology be answered by functions that know no ontology."""
    if graphql.mutation_type is not None:
        for name, resolve in RESOLVERS.items():
            graphql.mutation_type.fields[name].resolve = resolve


def _by_response_key(source: Mapping[str, Any], info: GraphQLResolveInfo, **_arguments: Any) -> Any:
    return source[str(info.path.key)]


def _type_of(value: Mapping[str, Any], _info: GraphQLResolveInfo, _abstract: Any) -> str:
    return str(value[TYPENAME])
