"""The root field for full-text search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import strawberry
from strawberry import Info
from strawberry.types.nodes import SelectedField, Selection

from hub.errors import QueryError, StoreUnavailableError
from hub.graph.plans.guard import SOURCES_CATEGORY
from hub.schema.changes import require_customers
from hub.schema.context import RequestContext
from hub.schema.queries import require_sources
from hub.schema.scalars import Date, Long
from hub.search import Hit, Narrowing, SearchAnswer
from hub.values import first_day, last_day

SEARCH_FIELDS = frozenset({"search", "searchSuggest"})

WAIT_S = 5.0
"""Seconds that a search waits for the index; a commit takes some hundredths of one."""

_FACET = "A property as `Type.property`, such as `Ticket.status` or `Customer.segment`; or `source`."


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


@strawberry.type(description="How many matches have a value of a facet.")
class SearchCount:
    """One count."""

    value: str = strawberry.field(description="The value.")
    count: Long = strawberry.field(description="Matches that have it.")


@strawberry.type(description="How many matches have which value of a facet that was asked for.")
class SearchCounts:
    """The counts of one facet."""

    facet: str = strawberry.field(description=_FACET)
    counts: list[SearchCount] = strawberry.field(description="The most first, 100 at most.")


@strawberry.input(description="Only matches that have one of these values.")
class SearchFilterInput:
    """What a search is narrowed to by one facet."""

    facet: str = strawberry.field(description="A property as `Type.property`, such as `Ticket.status`.")
    values: list[str] = strawberry.field(description="The values, 100 at most.")


@strawberry.type(description="A text that what is typed may become.")
class SearchSuggestion:
    """One suggestion."""

    text: str = strawberry.field(description="The text to search for.")
    type: str = strawberry.field(description="The type of a match that it finds.")


@strawberry.type(description="What was found.")
class SearchResult:
    """The answer of a search."""

    hits: list[SearchHit] = strawberry.field(description="The best first.")
    total: Long = strawberry.field(
        description="Matches in the index, which may be behind the data by seconds."
    )
    facets: list[SearchFacet] = strawberry.field(description="Matches by type, the most first.")
    counts: list[SearchCounts] = strawberry.field(
        description="Matches by the values of the facets that were asked for, in their order."
    )
    at_least: bool = strawberry.field(
        name="atLeast",
        description="Whether there may be more matches than were counted: then total and counts are lower bounds.",
    )
    did_you_mean: str | None = strawberry.field(
        name="didYouMean", description="When nothing was found: a text near to it that finds something."
    )


_Text = Annotated[
    str,
    strawberry.argument(description="Words of which all must match: names, numbers, addresses, text."),
]
_Types = Annotated[
    list[str] | None, strawberry.argument(description="Only these types, like `Customer` or `Order`.")
]
_Sources = Annotated[
    list[str] | None, strawberry.argument(description="Only what one of these sources states.")
]
_Where = Annotated[
    list[SearchFilterInput] | None,
    strawberry.argument(description="Only what has one of the values of each of these facets."),
]
_Since = Annotated[
    Date | None,
    strawberry.argument(
        description="Only what happened on this day or later; by when it was observed, for who may not read that."
    ),
]
_Until = Annotated[Date | None, strawberry.argument(description="Only what happened on this day or before.")]


_After = Annotated[
    Long | None,
    strawberry.argument(
        description="Wait until the index has taken in this entry of the change feed, as `lastChange` tells it: what"
        " was written before is found."
    ),
]


@strawberry.type(description="How the search index is.")
class SearchIndex:
    """The state of the index."""

    engine: str = strawberry.field(description="What keeps it: `tantivy`, `whoosh` or `postgres`.")
    lag: Long = strawberry.field(description="Changes that it has not taken in yet.")
    lag_seconds: Long = strawberry.field(name="lagSeconds", description="The age of the oldest of them.")
    drift: Long = strawberry.field(
        description="Documents that checks found to be otherwise than in the store, since this process began."
    )
    dropped: Long = strawberry.field(
        description="Hits that were not given, as the store no longer agreed, since this process began."
    )


def _index(info: Info[RequestContext, None]) -> SearchIndex | None:
    context = info.context
    require_sources(context.access)
    context.touched.add(categories=[SOURCES_CATEGORY])
    services = context.services
    return SearchIndex(
        engine=services.search.engine.name,
        lag=Long(services.indexer.lag()),
        lag_seconds=Long(services.indexer.lag_seconds()),
        drift=Long(services.indexer.drift),
        dropped=Long(services.search.dropped),
    )


def _wait(context: RequestContext, after: int) -> None:
    """See to it that the index has taken in this entry of the change feed.

    Raises:
        AccessDeniedError: the caller may not know of changes.
        QueryError: there is no such entry yet.
        StoreUnavailableError: the index did not catch up in time; ask again.
    """
    services = context.services
    require_customers(services.ontology, context.access)
    if after > services.store.last_change():
        raise QueryError("`after` is no entry of the change feed; ask for `lastChange`")
    if not services.indexer.waits(after, WAIT_S):
        raise StoreUnavailableError("the search index has not caught up; try again later")


def _search(
    info: Info[RequestContext, None],
    text: _Text,
    types: _Types = strawberry.UNSET,
    sources: _Sources = strawberry.UNSET,
    where: _Where = strawberry.UNSET,
    since: _Since = strawberry.UNSET,
    until: _Until = strawberry.UNSET,
    facets: Annotated[
        list[str] | None, strawberry.argument(description="What to count beside types. " + _FACET)
    ] = strawberry.UNSET,
    after: _After = None,
    first: Annotated[int, strawberry.argument(description="How many hits at most, up to 100.")] = 10,
) -> SearchResult | None:
    context = info.context
    if after is not None:
        _wait(context, after)
    context.touched.searched.append(text)
    answer = context.services.search.search(
        text,
        within=_narrowing(types, sources, where, since, until),
        facets=tuple(facets or ()),
        by_type=_asks(info.selected_fields, "facets"),
        first=first,
        access=context.access,
        suggests=context.access.introspection,
        cancellation=context.cancellation,
    )
    context.touched.add({hit.type for hit in answer.hits}, answer.categories, customers=answer.customers)
    return _result(answer, facets or ())


def _suggest(
    info: Info[RequestContext, None],
    text: _Text,
    types: _Types = strawberry.UNSET,
    sources: _Sources = strawberry.UNSET,
    first: Annotated[int, strawberry.argument(description="How many suggestions at most, up to 100.")] = 10,
) -> list[SearchSuggestion] | None:
    context = info.context
    context.touched.searched.append(text)
    found = context.services.search.suggest(
        text,
        within=_narrowing(types, sources),
        first=first,
        access=context.access,
        suggests=context.access.introspection,
        cancellation=context.cancellation,
    )
    context.touched.add(
        {each.type for each in found.suggestions}, found.categories, customers=found.customers
    )
    return [SearchSuggestion(text=each.text, type=each.type) for each in found.suggestions]


def _asks(selections: Iterable[Selection], name: str) -> bool:
    """Whether a field of the name is asked for, in whatever fragment."""
    return any(
        (isinstance(each, SelectedField) and each.name == name) or _asks(each.selections, name)
        for each in selections
    )


def _narrowing(
    types: list[str] | None,
    sources: list[str] | None,
    where: list[SearchFilterInput] | None = None,
    since: Date | None = None,
    until: Date | None = None,
) -> Narrowing:
    return Narrowing(
        types=tuple(types or ()),
        sources=tuple(sources or ()),
        tags={each.facet: tuple(each.values) for each in where or ()},
        since=first_day(since) if since else None,
        until=last_day(until) if until else None,
    )


def _result(answer: SearchAnswer, wanted: Iterable[str]) -> SearchResult:
    facets = sorted(answer.facets.items(), key=lambda item: (-item[1], item[0]))
    return SearchResult(
        hits=[_hit(hit) for hit in answer.hits],
        total=Long(answer.total),
        facets=[SearchFacet(type=name, count=Long(count)) for name, count in facets],
        counts=[_counts(answer, name) for name in dict.fromkeys(wanted)],
        at_least=answer.at_least,
        did_you_mean=answer.did_you_mean,
    )


def _counts(answer: SearchAnswer, facet: str) -> SearchCounts:
    counts = sorted(answer.counts.get(facet, {}).items(), key=lambda item: (-item[1], item[0]))
    return SearchCounts(
        facet=facet, counts=[SearchCount(value=value, count=Long(count)) for value, count in counts]
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
    search_suggest: list[SearchSuggestion] | None = strawberry.field(
        name="searchSuggest",
        resolver=_suggest,
        description="What a text may become while it is typed: of what a search by it would find.",
    )
    search_index: SearchIndex | None = strawberry.field(
        name="searchIndex", resolver=_index, description="How far the search index is, and how true."
    )
