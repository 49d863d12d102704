"""The engine in pure Python, for where no binary may be installed: a Whoosh index in a folder, for small companies.

Whoosh keeps the tokens and who holds them; trees of lookups are answered here, within the set of documents that the
requester may find. Two of its calls are never used, as they are wrong in some release (`tests/search/test_whoosh.py`):
`query.Require`, which finds what is not admitted or fails, and `Searcher.refresh`, which keeps what was deleted. So a
new reader is opened after each commit. This module is the only one that imports Whoosh.
"""

from __future__ import annotations

import heapq
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from whoosh import columns, fields, index
from whoosh.analysis import Token, Tokenizer
from whoosh.reading import TermNotFound

from hub.errors import StoreUnavailableError
from hub.ontology import CUSTOMER
from hub.search.asking import CUSTOMER_WEIGHT, asked
from hub.search.catalogue import Catalogue
from hub.search.evaluating import Evaluation
from hub.search.fold import indexed
from hub.search.generations import Generations
from hub.search.protocol import (
    MAX_COUNTS,
    RECENCY,
    SOURCE,
    Document,
    FieldKey,
    Found,
    Result,
    SearchRequest,
    day_of,
    recency,
    scope_term,
)

WARN_ABOVE, MOST = 50_000, 200_000
"""Documents from which on searches get slow, and those beyond which they are not answered in useful time."""
_MEMORY_MB = 512
"""What a writer holds before it writes a segment."""
_CURSOR_ID = "\x00cursor"
_SEPARATOR = "\x1f"
_NO_DAY = -(2**31)
_KEPT_SETS = 64
"""Sets of admitted documents that are kept; a role and its attributes are one."""

_log = logging.getLogger(__name__)

Documents = frozenset[int]
_NONE: Documents = frozenset()


class Separated(Tokenizer):  # type: ignore[misc]  # whoosh tells no types
    """Takes a text apart where it was put together: the tokens are made elsewhere."""

    def __call__(self, value: str, **_more: Any) -> Iterator[Token]:
        """Each token."""
        token = Token()
        for text in value.split(_SEPARATOR) if value else ():
            token.text = text
            yield token


@dataclass(slots=True)
class _Opened:
    """A reader of one commit of one generation, and what it was asked before."""

    folder: Path
    generation: int
    reader: Any
    held: dict[tuple[str, str], Documents] = field(default_factory=dict)
    tokens: dict[str, list[str]] = field(default_factory=dict)
    sized: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    admitted: dict[object, Documents] = field(default_factory=dict)
    days: dict[str, Any] = field(default_factory=dict)

    def holding(self, name: str, text: str) -> Documents:
        """The documents with this token in the field."""
        key = (name, text)
        if key not in self.held:
            try:
                self.held[key] = frozenset(self.reader.postings(name, text).all_ids())
            except TermNotFound:
                self.held[key] = _NONE
        return self.held[key]

    def tokens_of(self, name: str) -> list[str]:
        """All tokens of the field, in order."""
        if name not in self.tokens:
            self.tokens[name] = [term.decode() for term in self.reader.lexicon(name)]
        return self.tokens[name]

    def tokens_sized(self, name: str, length: int) -> list[str]:
        """Those of one length."""
        if name not in self.sized:
            held: dict[int, list[str]] = defaultdict(list)
            for token in self.tokens_of(name):
                held[len(token)].append(token)
            self.sized[name] = held
        return self.sized[name].get(length, [])

    def day(self, name: str, document: int) -> int | None:
        """The day of the document."""
        if name not in self.days:
            self.days[name] = self.reader.column_reader(name)
        day = int(self.days[name][document])
        return None if day == _NO_DAY else day


class WhooshEngine:
    """`SearchEngine` on a Whoosh index in `folder`."""

    name = "whoosh"

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._generations = Generations(folder, sha256(f"whoosh {catalogue.sha256}".encode()).hexdigest())
        self._lock = Lock()
        self._opened: _Opened | None = None

    def cursor(self) -> int | None:
        """The entry of the change feed that the index has followed to; None when it has to be built first."""
        try:
            with self._reading() as opened:
                found = opened.holding("id", _CURSOR_ID)
                return int(opened.reader.stored_fields(min(found))["cursor"]) if found else None
        except StoreUnavailableError:
            return None

    def apply(self, upserts: Sequence[Document], deletes: Sequence[str], cursor: int) -> None:
        """Replace documents, forget those with the keys `deletes` and move the cursor: durably, in one commit."""
        folder = self._served()
        with _translated():
            opened = index.open_dir(str(folder))
            writer = opened.writer(limitmb=_MEMORY_MB)
            try:
                for key in (*deletes, *(document.key for document in upserts), _CURSOR_ID):
                    writer.delete_by_term("id", key)
                for document in upserts:
                    writer.add_document(**_indexed(document))
                writer.add_document(id=_CURSOR_ID, cursor=str(cursor))
                _within_bounds(opened.doc_count())
            except BaseException:
                writer.cancel()
                raise
            writer.commit()

    def search(self, request: SearchRequest) -> Result:
        """The documents that match the request, as of the last commit of any process."""
        node = asked(self._catalogue.fields, request)
        with self._reading() as opened:
            if node is None:
                return Result((), 0, {})
            admitted = _admitted(opened, request)

            def holding(key: FieldKey, text: str) -> Documents:
                return opened.holding(field_name(key), text) & admitted

            def tokens_of(key: FieldKey, length: int | None) -> Sequence[str]:
                name = field_name(key)
                return opened.tokens_of(name) if length is None else opened.tokens_sized(name, length)

            evaluation = Evaluation(tokens_of, holding)
            scores = evaluation.scores(node)
            wanted = _wanted(opened, request, frozenset(scores))
            weighed = ((_weight(opened, request, each) * scores[each], -each) for each in wanted)
            best = [-place for _, place in heapq.nlargest(request.first, weighed)]
            hits = tuple(_found(opened.reader.stored_fields(document)) for document in best)
            return Result(hits, len(wanted), self._types(opened, wanted), _counts(opened, request, wanted))

    def rebuild(self, batches: Iterable[Sequence[Document]], cursor: int) -> int:
        """Build a new index beside the old one and put it in its place at once; the number of documents."""
        generation = self._generations.begin()
        try:
            with _translated():
                count = self._fill(generation, batches, cursor)
        except BaseException:
            self._generations.abandon(generation)
            raise
        self._generations.serve(generation)
        return count

    def holds(self, keys: Collection[str]) -> int:
        """How many of the documents with these keys there are."""
        with self._reading() as opened:
            return sum(bool(opened.holding("id", key)) for key in keys)

    def stamps(self) -> Iterator[tuple[str, int]]:
        """Key and stamp of every document, in any order, as of one commit."""
        with self._reading() as opened:
            held = [each for _, each in opened.reader.iter_docs() if "stamp" in each]
        return ((each["id"], each["stamp"]) for each in held)

    def drop_former(self) -> None:
        """Delete every index but the one that is served."""
        self._generations.drop_former()

    def release(self) -> None:
        """Let another process write: no writer outlives its commit."""

    def close(self) -> None:
        """Give up all files."""
        with self._lock:
            if self._opened is not None:
                self._opened.reader.close()
            self._opened = None

    def _fill(self, generation: Path, batches: Iterable[Sequence[Document]], cursor: int) -> int:
        writer = index.create_in(str(generation), _schema(self._catalogue)).writer(limitmb=_MEMORY_MB)
        count = 0
        try:
            for batch in batches:
                for document in batch:
                    writer.add_document(**_indexed(document))
                count += len(batch)
                _within_bounds(count)
            writer.add_document(id=_CURSOR_ID, cursor=str(cursor))
        except BaseException:
            writer.cancel()
            raise
        writer.commit()
        if count > WARN_ABOVE:
            _log.warning("the search index has %d documents, which is slow with whoosh; take tantivy", count)
        return count

    def _served(self) -> Path:
        folder = self._generations.current()
        if folder is None:
            raise StoreUnavailableError("there is no search index of this ontology yet; it has to be built")
        return folder

    @contextmanager
    def _reading(self) -> Iterator[_Opened]:
        """The generation that is served now, with what was committed last; one thread at a time reads."""
        with self._lock, _translated():
            yield self._refreshed()

    def _refreshed(self) -> _Opened:
        folder = self._served()
        try:
            return self._opened_in(folder)
        except (OSError, index.EmptyIndexError):
            # A writer has just put segments together, or the generation was cleared away.
            return self._opened_in(self._served())

    def _opened_in(self, folder: Path) -> _Opened:
        opened = self._opened
        served = index.open_dir(str(folder))
        generation = served.latest_generation()
        if opened is None or (opened.folder, opened.generation) != (folder, generation):
            reader = served.reader()
            if opened is not None:
                opened.reader.close()
            self._opened = opened = _Opened(folder, reader.generation(), reader)
        return opened

    def _types(self, opened: _Opened, wanted: Documents) -> dict[str, int]:
        counts = {name: len(opened.holding("type", name) & wanted) for name in sorted(self._catalogue.types)}
        return {name: count for name, count in counts.items() if count}


@contextmanager
def _translated() -> Iterator[None]:
    """Whoosh's errors as ours; its texts may quote terms, so they are not repeated."""
    try:
        yield
    except (index.IndexError, OSError, ValueError, KeyError, EOFError) as error:
        raise StoreUnavailableError(
            f"the search index cannot be used ({type(error).__name__}); if this lasts, build it anew"
        ) from error


def _within_bounds(count: int) -> None:
    if count > MOST:
        raise StoreUnavailableError(
            f"there are more than {MOST} documents to search, too many for whoosh; set HUB_SEARCH_ENGINE to tantivy"
        )


def field_name(key: FieldKey) -> str:
    """The name of a field in the index."""
    kind, category = key
    return f"{kind}-{category}"


def _schema(catalogue: Catalogue) -> fields.Schema:
    def tokens_field() -> fields.FieldType:
        return fields.KEYWORD(analyzer=Separated())

    schema = fields.Schema(id=fields.ID(stored=True, unique=True), cursor=fields.STORED, stamp=fields.STORED)
    schema.add("type", fields.ID(stored=True))
    for name in ("source", "token", "scope", "bar", "tag", *map(field_name, catalogue.fields)):
        schema.add(name, tokens_field())
    for name in ("day", "day_observed"):
        schema.add(name, fields.COLUMN(columns.NumericColumn("i", default=_NO_DAY)))
    return schema


def _indexed(document: Document) -> dict[str, Any]:
    held: dict[str, dict[str, None]] = {
        "source": dict.fromkeys(document.sources),
        "token": dict.fromkeys(document.tokens),
        "bar": dict.fromkeys(document.bars),
        "scope": dict.fromkeys(
            scope_term(scope, fact) for scope, known in document.facts.items() for fact in known
        ),
        "tag": dict.fromkeys(_tag(name, text) for name, text in document.tags),
    }
    for value in document.values:
        if value.kind:
            name = field_name((value.kind, value.category))
            held.setdefault(name, {}).update(dict.fromkeys(indexed(value.kind, value.text)))
    entry: dict[str, Any] = {name: _SEPARATOR.join(found) for name, found in held.items() if found}
    for name, time in (("day", document.time), ("day_observed", document.observed)):
        day = day_of(time)
        entry[name] = _NO_DAY if day is None else day
    return {"id": document.key, "type": document.type, "stamp": document.stamp, **entry}


def _tag(name: str, text: str) -> str:
    return f"{name}={text.replace(_SEPARATOR, ' ')}"


def _found(stored: Mapping[str, str]) -> Found:
    key, type_ = stored["id"], stored["type"]
    return Found(type_, key[len(type_) + 1 :])


def _admitted(opened: _Opened, request: SearchRequest) -> Documents:
    """What the requester may find, whatever its words: `SearchRequest.admits` as a set, kept until the next commit."""
    attributes = tuple(sorted((scope, tuple(sorted(held))) for scope, held in request.attributes.items()))
    key = (request.tokens, request.narrow, attributes, request.bars)
    if key not in opened.admitted:
        if len(opened.admitted) >= _KEPT_SETS:
            opened.admitted.clear()
        opened.admitted[key] = _admits(opened, request)
    return opened.admitted[key]


def _admits(opened: _Opened, request: SearchRequest) -> Documents:
    found = _any_of(opened, "token", request.tokens)
    for token, where in request.narrow:
        of_token = opened.holding("token", token)
        for way in where.ways:
            scopes = (_in_scope(opened, scope, request) for scope in way)
            found |= of_token.intersection(*scopes)
    return found - _any_of(opened, "bar", request.bars)


def _in_scope(opened: _Opened, scope: str, request: SearchRequest) -> Documents:
    return _any_of(opened, "scope", [scope_term(scope, value) for value in request.attributes.get(scope, ())])


def _any_of(opened: _Opened, name: str, values: Collection[str]) -> Documents:
    return _NONE.union(*(opened.holding(name, value) for value in values))


def _wanted(opened: _Opened, request: SearchRequest, found: Documents) -> Documents:
    """Those of the found that the request is narrowed to: `SearchRequest.wants` on sets."""
    for name, values in (("type", request.types), ("source", request.sources)):
        if values:
            found &= _any_of(opened, name, values)
    for name, values in request.tags:
        if values:
            found &= _any_of(opened, "tag", [_tag(name, value) for value in values])
    if request.since is None and request.until is None:
        return found
    return frozenset(each for each in found if _in_days(opened.day(_day_field(request), each), request))


def _in_days(day: int | None, request: SearchRequest) -> bool:
    if day is None:
        return False
    return (request.since is None or request.since <= day) and (request.until is None or day <= request.until)


def _day_field(request: SearchRequest) -> str:
    return "day" if request.by_time else "day_observed"


def _weight(opened: _Opened, request: SearchRequest, document: int) -> float:
    base = CUSTOMER_WEIGHT if document in opened.holding("type", CUSTOMER) else 1.0
    return base * (1 + RECENCY * recency(opened.day(_day_field(request), document)))


def _counts(opened: _Opened, request: SearchRequest, wanted: Documents) -> dict[str, Mapping[str, int]]:
    return {name: _counted(opened, name, wanted) for name in request.facets}


def _counted(opened: _Opened, facet: str, wanted: Documents) -> Mapping[str, int]:
    name, begins = ("source", "") if facet == SOURCE else ("tag", f"{facet}=")
    held = Counter(
        {
            term[len(begins) :]: len(opened.holding(name, term) & wanted)
            for term in opened.tokens_of(name)
            if term.startswith(begins)
        }
    )
    return {value: count for value, count in held.most_common(MAX_COUNTS) if count}
