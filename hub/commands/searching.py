"""A search on the machine itself: on record before it is answered, as one over GraphQL is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hub.audit import Action, Payload, Retention
from hub.commands.author import Author
from hub.search import Narrowing, SearchAnswer
from hub.services import Services


def search(
    services: Services,
    author: Author,
    text: str,
    within: Narrowing,
    *,
    facets: Sequence[str] = (),
    first: int = 10,
) -> SearchAnswer:
    """What the author finds, after the audit event that says so; the text is sealed by the key of its day.

    Raises:
        RequestError: the search is refused, as `SearchService.search` says.
        StoreUnavailableError: there is no index yet; build it.
        AuditError: the event cannot be written, so nothing is told.
    """
    answer = services.search.search(text, within=within, facets=facets, first=first, access=author)
    event = author.event(
        Action.SEARCH,
        customers=answer.customers,
        data_categories=answer.categories,
        entity_types=tuple(sorted({hit.type for hit in answer.hits})),
        counts={"customers": len(answer.customers)},
    )
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    sealed = services.sealer.sealed(event, [Payload(day, Retention.SEARCH, {"searched": [text]})])
    services.recorder.record_sync(sealed)
    return answer
