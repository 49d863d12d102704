"""The root field for full-text search."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import Info

from hub.schema.context import RequestContext
from hub.schema.scalars import Long
from hub.search import Hit, SearchAnswer

SEARCH_FIELD = "search"


@strawberry.type(description="A customer or an entity that was found.")
class SearchHit:
    """One hit."""

    type: str = strawberry.field(description="`Customer`, or the type of the entity.")
    id: strawberry.ID = strawberry.field(description="Its id.")
    customer_id: strawberry.ID | None = strawberry.field(
        name="customerId", description="The customer that it is or belongs to."
    )
    title: str = strawberry.field(description="What lists show of it, as far as the caller may read it.")
    snippet: str = strawberry.field(description="HTML: the value that matches, escaped, matches in `<mark>`.")


@strawberry.type(description="How many matches are of a type.")
class SearchFacet:
    """One facet."""

    type: str = strawberry.field(description="The type.")
    count: Long = strawberry.field(description="Matches of this type.")


@strawberry.type(description="What was found.")
class SearchResult:
    """The answer of a search."""

    hits: list[SearchHit] = strawberry.field(description="The best first.")
    total: Long = strawberry.field(
        description="Matches in the index, which may be behind the data by seconds."
    )
    facets: list[SearchFacet] = strawberry.field(description="Matches by type, the most first.")


def _search(
    info: Info[RequestContext, None],
    text: Annotated[
        str,
        strawberry.argument(description="Words of which all must match: names, numbers, addresses, text."),
    ],
    types: Annotated[
        list[str] | None, strawberry.argument(description="Only these types, like `Customer` or `Order`.")
    ] = strawberry.UNSET,
    sources: Annotated[
        list[str] | None, strawberry.argument(description="Only what one of these sources states.")
    ] = strawberry.UNSET,
    first: Annotated[int, strawberry.argument(description="How many hits at most, up to 100.")] = 10,
) -> SearchResult | None:
    context = info.context
    context.touched.searched.append(text)
    answer = context.services.search.search(
        text,
        types=tuple(types or ()),
        sources=tuple(sources or ()),
        first=first,
        access=context.access,
        suggests=context.access.introspection,
        cancellation=context.cancellation,
    )
    context.touched.add({hit.type for hit in answer.hits}, answer.categories, customers=answer.customers)
    return _result(answer)


def _result(answer: SearchAnswer) -> SearchResult:
    facets = sorted(answer.facets.items(), key=lambda item: (-item[1], item[0]))
    return SearchResult(
        hits=[_hit(hit) for hit in answer.hits],
        total=Long(answer.total),
        facets=[SearchFacet(type=name, count=Long(count)) for name, count in facets],
    )


def _hit(hit: Hit) -> SearchHit:
    return SearchHit(
        type=hit.type,
        id=strawberry.ID(hit.id),
        customer_id=None if hit.customer_id is None else strawberry.ID(hit.customer_id),
        title=hit.title,
        snippet=hit.snippet,
    )


@strawberry.type
class SearchQuery:
    """Search as a question to GraphQL."""

    search: SearchResult | None = strawberry.field(
        resolver=_search,
        description="Customers and entities by any of their words that the caller may read in clear.",
    )
