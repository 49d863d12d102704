"""The embedded engine: a tantivy index in a folder, which many processes may read and one at a time may write.

The index holds folded words and no text to show: what a hit shows is read from the store. The cursor is a document of
the same commit as the documents that it vouches for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import tantivy
from tantivy import Index, IndexWriter, Query, Schema, Searcher

from hub.errors import StoreUnavailableError
from hub.ontology import CUSTOMER
from hub.search.asking import CUSTOMER_WEIGHT
from hub.search.catalogue import Catalogue
from hub.search.fold import indexed
from hub.search.generations import Generations
from hub.search.protocol import (
    MAX_COUNTS,
    RECENCY,
    SOURCE,
    Document,
    Found,
    Result,
    SearchRequest,
    day_of,
    recency,
    scope_term,
)
from hub.search.tantivy_query import build, field_name, tag_field, trigrams

_CURSOR_ID = "\x00cursor"
_TOKENIZER = "folded"
_HEAP = 64_000_000
"""Bytes that a writer holds before it flushes a segment."""
_MAX_TYPES = 1000
"""Types that facets count; an ontology has some dozens."""

_BY_TIME, _BY_OBSERVATION = "weight", "weight_observed"
"""The fields that hold weights."""

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A generation that is read, as of the commit that `stamp` tells apart."""

    folder: Path
    index: Index
    searcher: Searcher
    stamp: _Stamp


class TantivyEngine:
    """`SearchEngine` on a tantivy index in `folder`."""

    name = "tantivy"

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._schema = _schema(catalogue)
        self._generations = Generations(folder, catalogue.sha256)
        self._lock = Lock()
        self._opened: _Opened | None = None
        self._writer: IndexWriter | None = None

    def cursor(self) -> int | None:
        """The entry of the change feed that the index has followed to; None when it has to be built first."""
        try:
            searcher = self._searcher()
        except StoreUnavailableError:
            return None
        with _translated():
            hits = searcher.search(Query.term_query(self._schema, "id", _CURSOR_ID), 1).hits
            found = searcher.doc(hits[0][1]).get_first("cursor") if hits else None
        return None if found is None else int(found)

    def apply(self, upserts: Sequence[Document], deletes: Sequence[str], cursor: int) -> None:
        """Replace documents, forget those with the keys `deletes` and move the cursor: durably, in one commit."""
        with _translated():
            writer = self._writer or self._open_writer()
            for key in (*deletes, *(document.key for document in upserts), _CURSOR_ID):
                writer.delete_documents_by_term("id", key)
            for document in upserts:
                writer.add_document(_indexed(document))
            writer.add_document(_cursor(cursor))
            writer.commit()

    def search(self, request: SearchRequest) -> Result:
        """The documents that match the request, as of the last commit of any process."""
        query = build(self._schema, self._catalogue.fields, request)
        searcher = self._searcher()
        if query is None:
            return Result((), 0, {})
        with _translated():
            weight = _BY_TIME if request.by_time else _BY_OBSERVATION
            found = searcher.search(query, max(request.first, 1), weight_by_field=weight)
            hits = [_found(searcher, address) for _, address in found.hits[: request.first]]
            count: int = found.count  # type: ignore[attr-defined]  # tantivy 0.27's stubs leave it out
            if not request.facets and (count <= len(hits) or not request.by_type):
                return Result(tuple(hits), count, _types(hits) if count <= len(hits) else {})
            return Result(tuple(hits), count, *_facets(searcher, query, request.facets))

    def rebuild(self, batches: Iterable[Sequence[Document]], cursor: int) -> int:
        """Build a new index beside the old one and put it in its place at once; the number of documents."""
        self.release()
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
        searcher = self._searcher()
        with _translated():
            found = (searcher.search(Query.term_query(self._schema, "id", key), 1).hits for key in keys)
            return sum(map(len, found))

    def stamps(self) -> Iterator[tuple[str, int]]:
        """Key and stamp of every document, in any order, as of one commit."""
        searcher = self._searcher()
        with _translated():
            everything = searcher.search(Query.all_query(), max(searcher.num_docs, 1), count=False).hits
            for _, address in everything:
                document = searcher.doc(address)
                if (stamp := document.get_first("stamp")) is not None:
                    yield str(document.get_first("id")), int(stamp)

    def drop_former(self) -> None:
        """Delete every index but the one that is served."""
        self._generations.drop_former()

    def release(self) -> None:
        """Let another process write; segments are merged to the end first."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with _translated():
                writer.wait_merging_threads()

    def close(self) -> None:
        """Give up all files."""
        self.release()
        self._opened = None

    def _fill(self, generation: Path, batches: Iterable[Sequence[Document]], cursor: int) -> int:
        writer = _with_tokenizer(Index(self._schema, path=str(generation))).writer(_HEAP, 1)
        count = 0
        for batch in batches:
            for document in batch:
                writer.add_document(_indexed(document))
            count += len(batch)
        writer.add_document(_cursor(cursor))
        writer.commit()
        writer.wait_merging_threads()
        return count

    def _open_writer(self) -> IndexWriter:
        opened = self._refreshed()
        self._writer = opened.index.writer(_HEAP, 1)
        return self._writer

    def _searcher(self) -> Searcher:
        return self._refreshed().searcher

    def _refreshed(self) -> _Opened:
        """The generation that is served now, with what was committed last."""
        folder = self._served()
        try:
            return self._opened_in(folder)
        except StoreUnavailableError:
            if (now := self._served()) == folder:
                raise
            return self._opened_in(now)  # it was cleared away just now

    def _served(self) -> Path:
        folder = self._generations.current()
        if folder is None:
            raise StoreUnavailableError("there is no search index of this ontology yet; it has to be built")
        return folder

    def _opened_in(self, folder: Path) -> _Opened:
        with self._lock, _translated():
            stamp = _stamp(folder)
            opened = self._opened
            if opened is None or opened.folder != folder:
                index = _with_tokenizer(Index.open(str(folder)))
                # Reloading is ours: tantivy's own watcher looks every half second only.
                index.config_reader("manual")
            elif opened.stamp != stamp:
                index = opened.index
            else:
                return opened
            index.reload()
            self._opened = _Opened(folder, index, index.searcher(), stamp)
            return self._opened


@contextmanager
def _translated() -> Iterator[None]:
    """Tantivy's errors as ours; its texts may quote terms, so they are not repeated."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise StoreUnavailableError(
            f"the search index cannot be used ({type(error).__name__}); if this lasts, build it anew"
        ) from error


def _stamp(folder: Path) -> _Stamp:
    """What differs after every commit: tantivy replaces this file by a rename."""
    found = (folder / "meta.json").stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _schema(catalogue: Catalogue) -> Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("type", stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("token", "scope", "bar"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("source", *map(tag_field, catalogue.facets)):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("day", "day_observed"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in (_BY_TIME, _BY_OBSERVATION):
        builder.add_float_field(name, fast=True)
    for name in ("cursor", "stamp"):
        builder.add_integer_field(name, stored=True)
    for key in catalogue.fields:
        option = "position" if key[0] == "phone" else "basic"
        builder.add_text_field(field_name(key), tokenizer_name=_TOKENIZER, index_option=option)
    return builder.build()


def _with_tokenizer(index: Index) -> Index:
    whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_TOKENIZER, whitespace)
    return index


def _indexed(document: Document) -> tantivy.Document:
    entry = tantivy.Document()
    entry.add_text("id", document.key)
    entry.add_text("type", document.type)
    entry.add_integer("stamp", document.stamp)
    for source in document.sources:
        entry.add_text("source", source)
    for token in document.tokens:
        entry.add_text("token", token)
    for scope, held in document.facts.items():
        for fact in held:
            entry.add_text("scope", scope_term(scope, fact))
    for bar in document.bars:
        entry.add_text("bar", bar)
    for name, text in document.tags:
        entry.add_text(tag_field(name), text)
    for name, day in (("day", day_of(document.time)), ("day_observed", day_of(document.observed))):
        if day is not None:
            entry.add_integer(name, day)
    entry.add_float(_BY_TIME, _weight(document, document.time))
    entry.add_float(_BY_OBSERVATION, _weight(document, document.observed))
    for value in document.values:
        if value.kind:
            found = indexed(value.kind, value.text)
            parts = trigrams(found[0]) if value.kind == "phone" else found
            entry.add_text(field_name((value.kind, value.category)), " ".join(parts))
    return entry


def _cursor(seq: int) -> tantivy.Document:
    """The document that holds the cursor; without an access token no request finds it."""
    entry = tantivy.Document()
    entry.add_text("id", _CURSOR_ID)
    entry.add_integer("cursor", seq)
    return entry


def _weight(document: Document, time: str) -> float:
    """What tantivy weighs scores by: it multiplies them with log2(2 + weight)."""
    base = CUSTOMER_WEIGHT if document.type == CUSTOMER else 1.0
    return math.exp2(base * (1 + RECENCY * recency(day_of(time)))) - 2


def _found(searcher: Searcher, address: tantivy.DocAddress) -> Found:
    document = searcher.doc(address)
    key, type_ = str(document.get_first("id")), str(document.get_first("type"))
    return Found(type_, key[len(type_) + 1 :])


def _types(hits: Sequence[Found]) -> dict[str, int]:
    """Counts by type where the hits are all that was found."""
    return dict(sorted(Counter(hit.type for hit in hits).items()))


def _facets(
    searcher: Searcher, query: Query, wanted: Collection[str]
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Counts by type, and by each facet that is wanted."""
    asked = {"type": {"terms": {"field": "type", "size": _MAX_TYPES}}}
    for name in wanted:
        field = "source" if name == SOURCE else tag_field(name)
        asked[name] = {"terms": {"field": field, "size": MAX_COUNTS}}
    found = searcher.aggregate(query, asked)
    counts: dict[str, dict[str, int]] = {
        name: {bucket["key"]: bucket["doc_count"] for bucket in sorted(each["buckets"], key=_by_key)}
        for name, each in found.items()
    }
    return counts.pop("type"), counts


def _by_key(bucket: Mapping[str, object]) -> str:
    return str(bucket["key"])
