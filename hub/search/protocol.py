"""What an engine of the search must do, and what passes between it, the indexer and the service.

A *document* is what one customer or one entity is found by. Each of its values stands in the *field* of its (kind, data
category), so that a requester searches only in categories they may read in clear. A request's filter (fields, access
tokens, row scopes, types, sources) is one object inside the engine: hits, total and facets obey it alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Protocol

import orjson

from hub.access import Within
from hub.access.scope import Values
from hub.search.fold import Kind

SOURCE = "source"
"""The facet of the sources; all others are properties, as `Type.property`."""
MAX_COUNTS = 100
"""Values of one facet that are counted: the most frequent."""

NO_FACTS: Values = MappingProxyType({})
FieldKey = tuple[Kind, str]
"""Kind and data category."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a row."""

    kind: Kind | None
    """None for one that is shown as a title but not searched."""
    category: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """What one customer or entity is found by, and what its hit may show."""

    type: str
    id: str
    sources: tuple[str, ...]
    time: str
    """ISO text that begins with a year or a day: when it happened, or was observed."""
    observed: str
    """The like: when it was observed."""
    tokens: tuple[str, ...]
    """Access tokens: a request that holds none of them does not find the document."""
    values: tuple[Value, ...]
    customer_id: str | None = None
    """Whose it is now. Engines do not keep it."""
    title: Value | None = None
    names: tuple[Value, ...] = ()
    """Customers: given and family name, for when there is no title to show."""
    facts: Values = field(default_factory=lambda: NO_FACTS, repr=False)
    """What row scopes compare of its customer, by scope."""
    bars: tuple[str, ...] = ()
    """What keeps its customer from purposes."""
    tags: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Values of facets, by name: `("Ticket.status", "open")`."""

    @property
    def key(self) -> str:
        """The document's own id within an index."""
        return document_key(self.type, self.id)

    @property
    def stamp(self) -> int:
        """A number of 64 bits that follows from all that an engine keeps of it; another one tells of a change."""
        values = [(value.kind, value.category, value.text) for value in self.values if value.kind]
        facts = {scope: sorted(held) for scope, held in sorted(self.facts.items())}
        held = [
            self.key,
            self.sources,
            self.time,
            self.observed,
            self.tokens,
            values,
            facts,
            self.bars,
            self.tags,
        ]
        digest = hashlib.blake2b(orjson.dumps(held), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)


def document_key(type_: str, id_: str) -> str:
    """The key of the document of an entity or a customer."""
    return f"{type_}:{id_}"


def day_of(time: str) -> int | None:
    """Days from 1970 to the day that an ISO text begins with, or to the first day of its year or month."""
    try:
        return (date.fromisoformat((time[:10] + "-01-01")[:10]) - date(1970, 1, 1)).days
    except ValueError:
        return None


RECENCY = 0.01
"""What a document of our day gains over one of 1970: it decides between equal matches only."""
_DAYS = 36_525.0
"""From 1970 to 2070."""


def recency(day: int | None) -> float:
    """How late a day is, from 0 for 1970 or unknown to 1."""
    return 0.0 if day is None else min(max(day / _DAYS, 0.0), 1.0)


def type_token(type_: str) -> str:
    """The access token of those who may know of rows of the type."""
    return f"type:{type_}"


def scope_term(scope: str, value: str) -> str:
    """A fact of a customer as an engine keeps it."""
    return f"{scope}:{value}"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One question to an engine. Without categories, or without tokens and narrow ones, it finds nothing."""

    text: str = field(repr=False)
    categories: frozenset[str]
    """Data categories that the requester may read in clear."""
    tokens: frozenset[str]
    """Access tokens that the requester holds."""
    types: frozenset[str] = frozenset()
    """Only these types; all of them when empty."""
    sources: frozenset[str] = frozenset()
    """Only what one of these sources states; all of them when empty."""
    first: int = 10
    narrow: tuple[tuple[str, Within], ...] = ()
    """Access tokens that the requester holds for documents of some customers only, and of which."""
    attributes: Values = field(default_factory=lambda: NO_FACTS, repr=False)
    """What the requester's row scopes compare with the customers' facts."""
    bars: frozenset[str] = frozenset()
    """Documents of customers whom one of these keeps from the purpose are not found."""
    by_time: bool = False
    """Whether, of equal matches, the latest to happen comes first; without it, the latest observed: the order would
    tell times that the requester may not see."""

    tags: tuple[tuple[str, frozenset[str]], ...] = field(default=(), repr=False)
    """Only what has one of these values, of each of these facets."""
    since: int | None = None
    """Only what happened on this day or later, as `day_of` counts; observed, unless `by_time`."""
    until: int | None = None
    """The like: on this day or before."""
    facets: tuple[str, ...] = ()
    """What else is counted than types: facets that the requester may read."""
    by_type: bool = True
    """Whether matches are counted by type; a pass of its own where there are more of them than hits."""
    relaxed: bool = False
    """Whether words may be further from what they find: what did-you-mean is made of. Engines may find more."""

    def wants(self, document: Document) -> bool:
        """Whether the document is of what the request is narrowed to."""
        if self.types and document.type not in self.types:
            return False
        if self.sources and self.sources.isdisjoint(document.sources):
            return False
        return self._wants_day(document) and all(
            any(name == held and text in values for held, text in document.tags) for name, values in self.tags
        )

    def _wants_day(self, document: Document) -> bool:
        if self.since is None and self.until is None:
            return True
        day = day_of(document.time if self.by_time else document.observed)
        if day is None:
            return False
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    def admits(self, document: Document) -> bool:
        """Whether the requester may find the document, whatever its words: what every engine's filter must say."""
        if not self.bars.isdisjoint(document.bars):
            return False
        return not self.tokens.isdisjoint(document.tokens) or any(
            token in document.tokens and where.holds(document.facts, self.attributes)
            for token, where in self.narrow
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One hit as the engine knows it."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Result:
    """The best `first` hits, with count and counts by type of all of them; engines may count by type unasked."""

    hits: tuple[Found, ...]
    total: int
    facets: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By facet that was asked for, how many have which value; of the most frequent MAX_COUNTS."""
    at_least: bool = False
    """Whether there may be more than were counted: then total and counts are lower bounds."""


class SearchEngine(Protocol):
    """An index on disk. Any thread may search; one process at a time may apply, rebuild or release.

    Raises:
        StoreUnavailableError: there is no index yet, it is of another schema, or its files cannot be used; build it.
    """

    @property
    def name(self) -> str:
        """What settings call it."""
        ...

    def cursor(self) -> int | None:
        """The entry of the change feed that the index has followed to; None when it has to be built first."""
        ...

    def apply(self, upserts: Sequence[Document], deletes: Sequence[str], cursor: int) -> None:
        """Replace documents, forget those with the keys `deletes` and move the cursor: durably, in one commit."""
        ...

    def search(self, request: SearchRequest) -> Result:
        """The documents that match the request, as of the last commit of any process.

        Raises:
            LimitError: the text is longer or has more words than is answered.
        """
        ...

    def rebuild(self, batches: Iterable[Sequence[Document]], cursor: int) -> int:
        """Build a new index beside the old one and put it in its place at once; the number of documents.

        Readers go on with the old one until then. An error leaves the old one in place.
        """
        ...

    def holds(self, keys: Collection[str]) -> int:
        """How many of the documents with these keys there are."""
        ...

    def stamps(self) -> Iterator[tuple[str, int]]:
        """Key and stamp of every document, in any order, as of one commit."""
        ...

    def drop_former(self) -> None:
        """Delete every index but the one that is served, which `rebuild` may have kept to go back to."""
        ...

    def release(self) -> None:
        """Let another process write."""
        ...

    def close(self) -> None:
        """Give up all files."""
        ...
