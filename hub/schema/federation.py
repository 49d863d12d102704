"""What makes the schema a subgraph of Apollo Federation 2, so that it joins a company's supergraph.

A gateway asks `_service` for the schema with its keys, and `_entities` for objects by *representations*: the name of a
type, and the key of the one object that is meant. Read plans answer `_entities`, so access and audit are theirs.
strawberry has federation of its own, but its directives would also stand in the schema that clients download, and its
`_entities` takes one resolver call an object.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

import strawberry
from strawberry import Info
from strawberry.schema import BaseSchema

from hub.ontology import CUSTOMER, Ontology
from hub.schema.context import RequestContext
from hub.schema.drafts import ArgumentDraft, FieldDraft, UnionDraft
from hub.schema.meanings import ByIdsRoot

SCHEMA_FIELD = "_service"
"""The root field that tells the schema, as introspection does."""
SPECIFICATION = "https://specs.apollo.dev/federation/v2.0"
"""The first version has all that the schema needs, so that every tool for Federation 2 takes it."""
SHARED = ("Money", "PageInfo")
"""Types that other subgraphs may define as well: values without an identity."""

ENTITY = "_Entity"
"""The union of all types that have an id."""
_OBJECT_TYPE = re.compile(r"^type (\w+)[^{\n]*(?= \{$)", re.MULTILINE)


def entity_names(ontology: Ontology) -> tuple[str, ...]:
    """The types that a gateway may ask for by id."""
    return (CUSTOMER, *ontology.types)


def entity_draft(ontology: Ontology) -> UnionDraft:
    """What a representation may lead to."""
    return UnionDraft(ENTITY, "What a gateway may ask for by its key.", entity_names(ontology))


def entities_field() -> FieldDraft:
    """The field of Query that answers representations."""
    representations = ArgumentDraft(
        "representations", "list[_Any]", "The name of a type and an id each, as many as a page may have."
    )
    return FieldDraft(
        "_entities",
        f"list[{ENTITY} | None]",
        "For a gateway of Apollo Federation: what the representations stand for, in their order, null where there is"
        " none.",
        ByIdsRoot(),
        (representations,),
    )


@strawberry.type(name="_Service", description="What this subgraph tells a gateway of Apollo Federation.")
class Subgraph:
    """The subgraph."""

    sdl: str = strawberry.field(description="The schema with its keys, for the composition of a supergraph.")


def _service(info: Info[RequestContext, None]) -> Subgraph:
    return _subgraph(info.schema, entity_names(info.context.services.ontology))


@lru_cache(maxsize=1)
def _subgraph(schema: BaseSchema, keyed: tuple[str, ...]) -> Subgraph:
    """Kept, because printing the schema takes some 50 ms; a process has one."""
    return Subgraph(sdl=subgraph_sdl(schema.as_str(), keyed))


@strawberry.type
class FederationQuery:
    """What a gateway asks beside `_entities`."""

    service: Subgraph = strawberry.field(
        name=SCHEMA_FIELD, resolver=_service, description="For a gateway of Apollo Federation: the schema."
    )


def subgraph_sdl(sdl: str, keyed: Collection[str]) -> str:
    """The printed schema with the directives of Apollo Federation: its keys, and what other subgraphs may share."""

    def told(match: re.Match[str]) -> str:
        name = match[1]
        key = ' @key(fields: "id")' if name in keyed else ""
        return f"{match[0]}{key}{' @shareable' if name in SHARED else ''}"

    link = f'extend schema @link(url: "{SPECIFICATION}", import: ["@key", "@shareable"])'
    return f"{link}\n\n{_OBJECT_TYPE.sub(told, sdl)}"
