"""Keeps an index in step with the store: it follows the change feed and always reads the rows as they are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from hub.ontology import CUSTOMER
from hub.search.documents import DocumentLoader
from hub.search.protocol import Document, SearchEngine, document_key
from hub.store import Change, Store

BATCH = 1000
"""Changes a commit, documents a read: a commit costs some 20 ms whatever is in it."""

_LOCK = "search-index"


class Indexer:
    """One store's changes, written to one engine. Of several processes the one that holds the lock works.

    Raises:
        StoreUnavailableError: the store or the index cannot be reached; what was committed stays, try again later.
    """

    def __init__(self, store: Store, engine: SearchEngine, *, batch: int = BATCH) -> None:
        self._store, self._engine, self._batch = store, engine, batch
        self._loader = DocumentLoader(store)

    def follow(self) -> int:
        """Catch up with the change feed; the number of its entries taken in.

        0 also when another process is at it. An index that is missing, of another ontology or ahead of the store (which
        was then restored from a backup) is built anew.
        """
        with self._store.lock(_LOCK) as held:
            if not held:
                return 0
            cursor = self._engine.cursor()
            if cursor is None or cursor > self._store.last_change():
                return self._build()
            return self._catch_up(cursor)

    def rebuild(self) -> bool:
        """Build the index anew beside the old one, then put it in its place; False when another process is at it."""
        with self._store.lock(_LOCK) as held:
            if held:
                self._build()
            return held

    def scrub(self) -> bool:
        """As `rebuild`, and delete the old one: an index keeps the words of documents that it has forgotten.

        Deleting only marks them until the engine merges the files in which they stand, which it need never do.
        """
        with self._store.lock(_LOCK) as held:
            if held:
                self._build()
                self._engine.drop_former()
            return held

    def follows(self, seq: int) -> bool:
        """Whether the index has taken in the change feed up to this entry, once it has caught up where it can."""
        self.follow()
        return (self._engine.cursor() or 0) >= seq

    def holds(self, ids: Collection[str]) -> int:
        """How many documents of entities or customers with these ids are in the index."""
        types = self._loader.catalogue.types
        return self._engine.holds([document_key(type_, id_) for type_ in types for id_ in ids])

    def lag(self) -> int:
        """Entries of the change feed that the index has not taken in; all of them when there is no index."""
        return self._store.last_change() - (self._engine.cursor() or 0)

    def _build(self) -> int:
        start = self._store.last_change()
        self._engine.rebuild(self._everything(), start)
        # Rows that changed while they were read come again, now that readers have the new index.
        return start + self._catch_up(start)

    def _catch_up(self, cursor: int) -> int:
        taken = 0
        try:
            while changes := self._store.changes(cursor, self._batch):
                upserts, deletes = self._documents(changes)
                cursor = changes[-1].seq
                self._engine.apply(upserts, deletes, cursor)
                taken += len(changes)
        finally:
            self._engine.release()
        return taken

    def _documents(self, changes: Sequence[Change]) -> tuple[list[Document], list[str]]:
        """Documents of what changed, as it stands now, and the keys of what there is nothing to find by any more."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            wanted[change.type].add(change.entity_id)
        upserts: list[Document] = []
        deletes: list[str] = []
        with self._store.read() as connection:
            parties = {id_ for type_ in self._loader.catalogue.parties for id_ in wanted[type_]}
            wanted[CUSTOMER] |= self._loader.customers_of(connection, parties)
            for type_, ids in self._loader.rows_of(connection, wanted[CUSTOMER]).items():
                wanted[type_] |= ids
            for type_ in self._loader.catalogue.types:
                found = self._loader.load(connection, type_, wanted[type_])
                upserts += found.values()
                deletes += (document_key(type_, id_) for id_ in sorted(wanted[type_] - found.keys()))
        return upserts, deletes

    def _everything(self) -> Iterator[Sequence[Document]]:
        for type_ in self._loader.catalogue.types:
            after = ""
            while True:
                with self._store.read() as connection:
                    ids = self._loader.ids(connection, type_, after, self._batch)
                    found = self._loader.load(connection, type_, ids)
                if not ids:
                    break
                yield list(found.values())
                after = ids[-1]
