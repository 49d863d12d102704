"""Search as departments use it: what they may not read is neither found nor counted nor shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from threading import Lock

from sqlalchemy import Connection

from hub.access import EVERYONE, PlanAccess, PlanKey, Within
from hub.cache import BoundedCache
from hub.errors import LimitError, QueryError
from hub.graph.plans import CategoryAccess
from hub.graph.plans.guard import Guard
from hub.graph.reached import Reached
from hub.ontology import CUSTOMER, Ontology, Property
from hub.search.documents import DocumentLoader
from hub.search.matching import matches, snippet
from hub.search.protocol import (
    SOURCE,
    Document,
    Found,
    Result,
    SearchEngine,
    SearchRequest,
    Value,
    day_of,
    document_key,
    type_token,
)
from hub.search.query import Query, parse
from hub.search.suggesting import Suggestion, completions, correction
from hub.store import Cancellation, Store
from hub.yamlfile import nearest

MAX_FIRST = 100
"""Hits that one answer may have; each is read from the store."""
MAX_FACETS = 10
"""Facets that one search filters or counts by."""
MAX_VALUES = 100
"""Values of one filter."""
SUGGESTING = 50
"""The best matches that suggestions are made of."""
MEANT = 20
"""The best matches of a relaxed search that are looked at for what may have been meant."""
CANDIDATES = 1000
"""The best matches that are looked at for a purpose that needs consent; those who consent are found and counted."""

KEPT = 1000
"""Kinds of requesters whose admission is kept: equal roles, purpose, policy and attributes are one."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer or an entity that was found."""

    type: str
    """`Customer`, or the entity's type."""
    id: str
    customer_id: str | None
    """Whose it is, where the requester may know."""
    title: str = field(repr=False)
    """Plain text of a category that the requester may read, else the type's label, with a number where possible."""
    snippet: str = field(repr=False)
    """HTML: the value that matches, escaped, matches in `<mark>`."""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The best hits first, and counts of all."""

    hits: tuple[Hit, ...]
    total: int
    """Matches in the index, which may be behind the store by seconds."""
    facets: Mapping[str, int]
    """Matches by type, if they were asked for."""
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By facet that was asked for, matches by value."""
    at_least: bool = False
    """Whether there may be more matches than were counted: then total and counts are lower bounds."""
    did_you_mean: str | None = field(default=None, repr=False)
    """When nothing was found: a text near to it that finds something."""
    customers: tuple[str, ...] = ()
    """For the audit event: the customers whose data is in the answer, whether the requester learns it or not."""
    categories: tuple[str, ...] = ()
    """For the audit event: the data categories that were searched, sorted."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a search is narrowed to: all that is given must hold."""

    types: Sequence[str] = ()
    sources: Sequence[str] = ()
    """Only what one of these sources states."""
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    """By facet, such as `Ticket.status`, the values of which it has one."""
    since: date | None = None
    until: date | None = None
    """The last day; both of when it happened, or was observed for who may not know that."""


EVERYWHERE = Narrowing()


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What a text may become."""

    suggestions: tuple[Suggestion, ...]
    customers: tuple[str, ...] = ()
    """For the audit event: the customers whose data they come from."""
    categories: tuple[str, ...] = ()
    """For the audit event: the data categories that were searched, sorted."""


class SearchService:
    """Answers searches from an engine's index and shows hits from the store. Threads may share it."""

    def __init__(self, store: Store, engine: SearchEngine, ontology: Ontology) -> None:
        self._store, self.engine, self._ontology = store, engine, ontology
        self._loader = DocumentLoader(store)
        self._catalogue = self._loader.catalogue
        self._admissions: BoundedCache[SearchRequest] = BoundedCache(KEPT)
        self._counting = Lock()
        self.dropped = 0
        """Hits since the start that were not given, because the store no longer agreed with the index."""

    @property
    def types(self) -> tuple[str, ...]:
        """The types that are found."""
        return self._catalogue.types

    @property
    def facets(self) -> tuple[str, ...]:
        """What is filtered and counted by beside types and sources."""
        return tuple(self._catalogue.facets)

    def search(
        self,
        text: str,
        *,
        within: Narrowing = EVERYWHERE,
        facets: Sequence[str] = (),
        by_type: bool = True,
        first: int = 10,
        access: CategoryAccess,
        suggests: bool = True,
        cancellation: Cancellation | None = None,
    ) -> SearchAnswer:
        """What matches every word of `text` by values that `access` allows in clear; masked ones are not searched.

        Counts by type may be left out unless they are asked for. It `suggests` the type that may be meant by one that
        is not there to those who may know which types there are.

        Raises:
            LimitError: the text, `first` or a list is larger than is answered; the message says how large it may be.
                Or the cancellation has ended it.
            QueryError: there is no such type to search, or no such facet for this requester.
            StoreUnavailableError: there is no index yet, or the store is out of reach; try again later.
        """
        self._check(within.types, first, suggests)
        query = parse(text)
        guard = Guard(self._ontology, access)
        request = replace(
            self._request(text, within, facets, max(first, 1), guard, _key(access)), by_type=by_type
        )
        result, documents = self._found(query, request, access, cancellation)
        shown = documents[:first]
        # The count of one match tells of its customer as much as the hit would.
        told = documents[:1] if result.total == 1 else shown
        meant: str | None = None
        if not result.total and (near := self._meant(query, request, access, cancellation)):
            meant, told = near[0], [near[1]]
        return SearchAnswer(
            hits=tuple(self._hit(query, document, guard, request) for document in shown),
            total=result.total,
            facets=result.facets,
            counts=result.counts,
            at_least=result.at_least,
            did_you_mean=meant,
            customers=_customers(told),
            categories=tuple(sorted(request.categories)),
        )

    def suggest(
        self,
        text: str,
        *,
        within: Narrowing = EVERYWHERE,
        first: int = 10,
        access: CategoryAccess,
        suggests: bool = True,
        cancellation: Cancellation | None = None,
    ) -> Suggestions:
        """What the text may become while it is typed, the likeliest first: of what a search by it would find now.

        Raises:
            As `search`.
        """
        self._check(within.types, first, suggests)
        query = parse(text)
        guard = Guard(self._ontology, access)
        request = self._request(text, within, (), SUGGESTING, guard, _key(access))
        request = replace(request, by_type=False)
        _, documents = self._found(query, request, access, cancellation)
        found = list(islice(completions(text, query, documents, request.categories), first))
        return Suggestions(
            tuple(suggestion for _, suggestion in found),
            _customers(document for document, _ in found),
            tuple(sorted(request.categories)),
        )

    def _found(
        self,
        query: Query,
        request: SearchRequest,
        access: CategoryAccess,
        cancellation: Cancellation | None,
    ) -> tuple[Result, list[Document]]:
        """What the engine counts, and the hits as the store confirms them."""
        counted = access.reach.consent is None
        if not counted:
            # No index knows who consents just now: what it finds is asked of the store before it is counted.
            request = replace(request, first=CANDIDATES)
        result = self.engine.search(request)
        documents = self._confirmed(query, request, result.hits, access, cancellation)
        # That more were found than looked at is not told: they may be of those who do not consent.
        return (result if counted else _counted(documents, request.facets)), documents

    def _meant(
        self,
        query: Query,
        request: SearchRequest,
        access: CategoryAccess,
        cancellation: Cancellation | None,
    ) -> tuple[str, Document] | None:
        """A text that finds something where this one does not, and what it finds."""
        relaxed = replace(request, relaxed=True, first=MEANT, facets=(), by_type=False)
        hits = self.engine.search(relaxed).hits if any(word.far for word in query.words) else ()
        for document in self._current(relaxed, hits, access, cancellation):
            if text := correction(query, document, request.categories):
                return text, document
        return None

    def _check(self, types: Collection[str], first: int, suggests: bool) -> None:
        if not 0 <= first <= MAX_FIRST:
            raise LimitError(f"a search gives from 0 to {MAX_FIRST} hits, {first} were asked for")
        for name in types:
            if name not in self.types:
                near = nearest(name, self.types) if suggests else None
                hint = f"; did you mean {near!r}?" if near else ""
                raise QueryError(f"there is no type {name!r} to search{hint}")

    def _request(
        self,
        text: str,
        within: Narrowing,
        facets: Sequence[str],
        first: int,
        guard: Guard,
        key: PlanKey | None,
    ) -> SearchRequest:
        for values in (within.types, within.sources, *within.tags.values()):
            if len(values) > MAX_VALUES:
                raise LimitError(f"a filter has at most {MAX_VALUES} values, {len(values)} were given")
        self._check_facets((*within.tags, *facets), guard)
        return replace(
            self._admitting(guard, key),
            text=text,
            attributes=guard.reach.attributes,
            bars=frozenset(guard.reach.bars),
            types=frozenset(within.types),
            sources=frozenset(within.sources),
            tags=tuple((name, frozenset(values)) for name, values in within.tags.items()),
            since=_day(within.since),
            until=_day(within.until),
            facets=tuple(dict.fromkeys(facets)),
            first=first,
        )

    def _admitting(self, guard: Guard, key: PlanKey | None) -> SearchRequest:
        """What every request of such access has: kept, as to work it out takes longer than to search."""
        request = None if key is None else self._admissions.get(key)
        if request is None:
            request = self._admission(guard)
            if key is not None:
                self._admissions.put(key, request, 1)
        return request

    def _admission(self, guard: Guard) -> SearchRequest:
        seen = {name: guard.seen(name) for name in self.types}
        return SearchRequest(
            text="",
            categories=frozenset(c for c in self._catalogue.categories if self._searches(guard, c)),
            tokens=frozenset(type_token(name) for name, where in seen.items() if where == EVERYONE),
            narrow=tuple(
                (type_token(name), where) for name, where in seen.items() if where and where != EVERYONE
            ),
            by_time=all(guard.whole(time, guard.seen(name)) for name, time in self._times(guard)),
        )

    def _check_facets(self, names: Sequence[str], guard: Guard) -> None:
        if len(names) > MAX_FACETS:
            raise LimitError(f"a search has at most {MAX_FACETS} facets, {len(names)} were asked for")
        for name in names:
            # What may not be read is refused by the same words as what is not there.
            if name != SOURCE and not self._counts(name, guard):
                raise QueryError(f"there is no facet {name!r} to filter or count by")

    def _counts(self, name: str, guard: Guard) -> bool:
        """Whether it is a facet that is shown whole wherever a document that may be found has it."""
        if name not in self._catalogue.facets:
            return False
        type_, prop = self._catalogue.facets[name]
        return guard.whole(prop, guard.seen(type_))

    def _searches(self, guard: Guard, category: str) -> bool:
        """Whether values of the category are shown whole wherever a document that may be found has them."""
        where = guard.whole_where(category)
        return bool(where) and all(
            guard.seen(name).implies(where) for name in self._catalogue.holders[category]
        )

    def _times(self, guard: Guard) -> Iterator[tuple[str, Property]]:
        """The types that may be found, and what says when things of them happened."""
        for name in self.types:
            if name != CUSTOMER and guard.sees(name):
                type_ = self._ontology.type(name)
                if type_.time is not None:
                    yield name, type_.properties[type_.time]

    def _confirmed(
        self,
        query: Query,
        request: SearchRequest,
        hits: Sequence[Found],
        access: CategoryAccess,
        cancellation: Cancellation | None,
    ) -> list[Document]:
        """The hits as they stand in the store, without those that are gone or no longer match."""
        there = self._current(request, hits, access, cancellation)
        return [document for document in there if self._kept(matches(query, document, request.categories))]

    def _current(
        self,
        request: SearchRequest,
        hits: Sequence[Found],
        access: CategoryAccess,
        cancellation: Cancellation | None,
    ) -> list[Document]:
        """The hits as they stand in the store, without those that are gone or may no longer be found."""
        if not hits and access.reach.consent is None:
            return []
        current: dict[str, Document] = {}
        with self._store.read(cancellation) as connection:
            if access.reach.consent is not None:
                hits = self._consenting(connection, hits, access)
            for type_ in {hit.type for hit in hits}:
                current |= self._load(connection, type_, [hit.id for hit in hits if hit.type == type_])
        found = [current.get(document_key(hit.type, hit.id)) for hit in hits]
        return [
            document
            for document in found
            if self._kept(document is not None and request.admits(document) and request.wants(document))
            and document is not None
        ]

    def _kept(self, kept: bool) -> bool:
        """The same; counts what is not."""
        if not kept:
            with self._counting:
                self.dropped += 1
        return kept

    def _consenting(
        self, connection: Connection, hits: Sequence[Found], access: CategoryAccess
    ) -> list[Found]:
        reached = Reached(self._ontology, access, self._store.dialect.name)
        there = reached.rows(connection, self.types, [(hit.type, hit.id) for hit in hits], CANDIDATES)
        return [hit for hit, is_there in zip(hits, there, strict=True) if is_there]

    def _load(self, connection: Connection, type_: str, ids: Sequence[str]) -> dict[str, Document]:
        documents = self._loader.load(connection, type_, ids) if type_ in self.types else {}
        return {document.key: document for document in documents.values()}

    def _hit(self, query: Query, document: Document, guard: Guard, request: SearchRequest) -> Hit:
        title = self._title(document, guard)
        shown = snippet(query, document, request.categories, title)
        owner = document.customer_id if self._tells_owner(document, guard) else None
        return Hit(document.type, document.id, owner, title, shown)

    def _tells_owner(self, document: Document, guard: Guard) -> bool:
        if document.type == CUSTOMER:
            return True
        return _holds(
            guard.seen(CUSTOMER) & guard.belongs(self._ontology.type(document.type)), document, guard
        )

    def _title(self, document: Document, guard: Guard) -> str:
        def allows(value: Value) -> bool:
            return _holds(guard.whole_where(value.category), document, guard)

        label = self._catalogue.label(document.type)
        title = document.title
        if title and allows(title):
            return f"{label} {title.text}" if title.kind == "code" else title.text
        names = [value.text for value in document.names if allows(value)]
        if names:
            return " ".join(names)
        codes = (v.text for v in document.values if v.kind == "code" and allows(v))
        return " ".join([label, *list(codes)[:1]])


def _key(access: CategoryAccess) -> PlanKey | None:
    """What accesses that admit the same have in common; None where nobody vouches for it."""
    return access.key if isinstance(access, PlanAccess) else None


def _holds(where: Within, document: Document, guard: Guard) -> bool:
    return where.holds(document.facts, guard.reach.attributes)


def _customers(documents: Iterable[Document]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.customer_id for each in documents if each.customer_id))


def _day(day: date | None) -> int | None:
    return None if day is None else day_of(day.isoformat())


def _counted(documents: Sequence[Document], facets: Collection[str]) -> Result:
    types = Counter(document.type for document in documents)
    counts: dict[str, Counter[str]] = {}
    for name in facets:
        values = (_values_of(document, name) for document in documents)
        counts[name] = Counter(value for each in values for value in each)
    return Result((), types.total(), types, counts)


def _values_of(document: Document, facet: str) -> Collection[str]:
    if facet == SOURCE:
        return document.sources
    return [text for name, text in document.tags if name == facet]
