"""The root field `searchRows`: hits of a search as objects of their types, which lead on into the graph.

A search tells which rows are meant, and a read plan answers them, so that access, audit and cost are those of every
other question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.graph.plans import RowId
from hub.ontology import Ontology
from hub.schema.context import RequestContext
from hub.schema.drafts import ArgumentDraft, FieldDraft, UnionDraft
from hub.schema.meanings import FoundRoot
from hub.schema.translated import Searched
from hub.search import Catalogue, Narrowing

FOUND = "FoundRow"
"""The union of all types that are searched. A gateway would not know `_Entity`, which is federation's own."""


def search_types(ontology: Ontology) -> tuple[str, ...]:
    """The types that are searched."""
    return Catalogue(ontology).types


def found_draft(ontology: Ontology) -> UnionDraft:
    """What a search may find."""
    return UnionDraft(FOUND, "What `searchRows` may find.", search_types(ontology))


def rows_field() -> FieldDraft:
    """The field of Query that answers hits as objects of their types."""
    return FieldDraft(
        "searchRows",
        f"list[{FOUND} | None]",
        "What `search` finds, the best first, as objects of their types: of those types only of which something is"
        " asked, by `... on Customer { name }`. Null for one that was removed just now.",
        FoundRoot(),
        (
            ArgumentDraft("text", "str", "Words of which all must match."),
            ArgumentDraft(
                "types", "list[str] | None", "Only these types, of those of which something is asked."
            ),
            ArgumentDraft("first", "int", "How many at most, up to 100.", 10),
        ),
    )


def found_rows(
    searched: Searched, variables: Mapping[str, Any], context: RequestContext
) -> tuple[RowId, ...]:
    """The rows that the search finds, put down as searched for.

    Raises:
        RequestError: as `SearchService.search` says.
        StoreUnavailableError: there is no index yet, or the store is out of reach; try again later.
    """
    text = searched.taken(searched.text, variables)
    context.touched.searched.append(text)
    answer = context.services.search.search(
        text,
        within=Narrowing(types=searched.types),
        by_type=False,
        first=searched.taken(searched.first, variables),
        access=context.access,
        suggests=context.access.introspection,
        cancellation=context.cancellation,
    )
    context.touched.add({hit.type for hit in answer.hits}, answer.categories, customers=answer.customers)
    return tuple(RowId(hit.type, hit.id) for hit in answer.hits)
