"""Keeps an index in step with the store: it follows the change feed and always reads the rows as they are now."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.ontology import CUSTOMER
from hub.search.checking import differing
from hub.search.documents import DocumentLoader
from hub.search.protocol import Document, SearchEngine, document_key
from hub.store import Change, Store

BATCH = 1000
"""Changes a commit, documents a read: a commit costs some 20 ms whatever is in it."""

_LOCK = "search-index"
_LOOK_AGAIN_S = 0.02
"""Another process that indexes needs about as long for a commit."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How an index compared with its store."""

    documents: int
    drift: int
    """Documents that it lacked, had too many or had otherwise: put right."""


class Indexer:
    """One store's changes, written to one engine. Of several processes the one that holds the lock works.

    Raises:
        StoreUnavailableError: the store or the index cannot be reached; what was committed stays, try again later.
    """

    def __init__(self, store: Store, engine: SearchEngine, *, batch: int = BATCH) -> None:
        self._store, self._engine, self._batch = store, engine, batch
        self._loader = DocumentLoader(store)
        self.drift = 0
        """Documents that checks since the start found to be otherwise than in the store."""

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

    def check(self) -> Checked | None:
        """What an index that has caught up lacked or had otherwise than the store; it is put right at once.

        None when another process is at it. What changes while both are read is looked at twice and is no drift.
        """
        with self._store.lock(_LOCK) as held:
            if not held:
                return None
            cursor = self._engine.cursor()
            if cursor is None or cursor > self._store.last_change():
                self._build()
            else:
                self._catch_up(cursor)
            suspects = differing(self._stored, self._engine.stamps)
            self._catch_up(self._engine.cursor() or 0)
            drift = self._put_right(suspects)
            documents = sum(1 for _ in self._engine.stamps())
        self.drift += drift
        return Checked(documents, drift)

    def _stored(self) -> Iterator[tuple[str, int]]:
        return ((document.key, document.stamp) for batch in self._everything() for document in batch)

    def _put_right(self, suspects: Collection[str]) -> int:
        """Bring documents with these keys into the index as they stand in the store; how many were otherwise."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for key in suspects:
            type_, _, id_ = key.partition(":")
            wanted[type_].add(id_)
        found: dict[str, Document] = {}
        with self._store.read() as connection:
            for type_ in self._loader.catalogue.types:
                loaded = self._loader.load(connection, type_, wanted[type_])
                found |= {document.key: document for document in loaded.values()}
        indexed = {key: stamp for key, stamp in self._engine.stamps() if key in suspects}
        wrong = [key for key in sorted(suspects) if indexed.get(key) != _stamp(found.get(key))]
        if wrong:
            self._engine.apply(
                [found[key] for key in wrong if key in found],
                [key for key in wrong if key not in found],
                self._engine.cursor() or 0,
            )
            self._engine.release()
        return len(wrong)

    def follows(self, seq: int) -> bool:
        """Whether the index has taken in the change feed up to this entry, once it has caught up where it can."""
        self.follow()
        return (self._engine.cursor() or 0) >= seq

    def waits(self, seq: int, patience_s: float) -> bool:
        """Whether the index has taken in the change feed up to this entry before the patience ends."""
        until = time.monotonic() + patience_s
        while not self.follows(seq):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_AGAIN_S)
        return True

    def holds(self, ids: Collection[str]) -> int:
        """How many documents of entities or customers with these ids are in the index."""
        types = self._loader.catalogue.types
        return self._engine.holds([document_key(type_, id_) for type_ in types for id_ in ids])

    def lag(self) -> int:
        """Entries of the change feed that the index has not taken in; all of them when there is no index."""
        return self._store.last_change() - (self._engine.cursor() or 0)

    def lag_seconds(self) -> int:
        """The age of the oldest entry of the change feed that the index has not taken in; 0 when there is none."""
        waiting = self._store.changes(self._engine.cursor() or 0, 1)
        if not waiting:
            return 0
        age = datetime.now(UTC) - datetime.fromisoformat(waiting[0].at)
        return max(0, int(age.total_seconds()))

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


def _stamp(document: Document | None) -> int | None:
    return None if document is None else document.stamp
