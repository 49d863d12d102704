"""One stream within a run: each batch is parsed, compared with what is held, mapped, and written in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.adapters import backfill, drift, findings, landing, quarantine, resurrection, runs
from hub.adapters.batch_events import BatchEvents
from hub.adapters.config import SourceConfig, StreamConfig
from hub.adapters.declared import declared_fields
from hub.adapters.emptied import Emptied
from hub.adapters.firstload import FirstLoad
from hub.adapters.gate import Gate, Passed
from hub.adapters.landing import Accepted, Head, Incoming, Landed
from hub.adapters.mapping import StreamMapping
from hub.adapters.mappings import keep_mapping
from hub.adapters.payload import digest, dump, readable
from hub.adapters.positions import cursor_text
from hub.adapters.quarantine import Rejected
from hub.adapters.records import BadRecord, Batch, Cursor, GoneRecord, RawRecord
from hub.adapters.runs import Counts
from hub.adapters.seen import SeenHeads, in_parts
from hub.audit import Action, AuditEvent
from hub.errors import RecordError, TooManyRejectsError
from hub.graph import GraphWriter, Statement
from hub.store import Store, fixed, utc_now

MIN_SAMPLE = 50
"""Records before the share of bad ones can stop a run; at its end any number counts."""

MIXED = "mixed"
"""Stands for the mapping's version while rows of two mappings are side by side."""
DELETE_PAGE = 10_000
"""Heads looked through at a time for records that the source no longer has."""


@dataclass(slots=True)
class StreamRun:
    """Takes the batches of one stream and writes each with all it causes, in one transaction."""

    store: Store
    graph: GraphWriter
    events: BatchEvents
    run_id: int
    config: SourceConfig
    name: str
    mapping: StreamMapping
    known_fields: Mapping[str, drift.Field] = field(default_factory=dict)
    backfills: bool = False
    """Whether the stream is read again from its beginning, beside the syncs that follow its changes."""
    first_load: FirstLoad | None = None
    """Set where nobody was known before this run."""
    counts: Counts = field(default_factory=Counts)
    repeated: int = 0
    """Records whose key was met before in this run, with other content."""
    conflicts: int = 0
    """Claims on entities that another record states already, though the mapping does not call them shared."""
    watch: drift.ShapeWatch = field(default_factory=drift.ShapeWatch)
    seen: SeenHeads = field(default_factory=SeenHeads)
    keyless: int = 0
    """Records of this run that could not be read as far as their key."""
    _changed: SeenHeads = field(default_factory=SeenHeads)
    _undeclared: findings.Watch = field(init=False)

    def __post_init__(self) -> None:
        declared = declared_fields(self.config, self.name, self.store.ontology)
        self._undeclared = findings.Watch(declared, self.config.region)

    @property
    def source(self) -> str:
        """The source's name."""
        return self.config.source

    @property
    def stream(self) -> StreamConfig:
        """The stream's configuration."""
        return self.config.streams[self.name]

    @property
    def scans_fully(self) -> bool:
        """Whether each run reads the whole stream, so that what it does not meet has been deleted."""
        return self.stream.deletes == "full_scan"

    def apply(self, batch: Batch) -> None:
        """Land, map, resolve and project one batch.

        Where the source tells of records that are gone, each part of the batch is a transaction, and the cursor moves
        with the last: a run that is killed between them goes through all of them again.
        """
        parts = list(in_parts(batch.records))
        for records, gone in parts:
            incoming, unreadable = self._parse(records)
            self.take(
                incoming, unreadable, cursor=batch.cursor, retry=False, moves=len(parts) == 1 and not gone
            )
            self._delete_told(gone)
        if len(parts) > 1 or parts[0][1]:
            self.take([], [], cursor=batch.cursor, retry=False)

    def take(
        self,
        incoming: Sequence[Incoming],
        unreadable: Sequence[Rejected],
        *,
        cursor: Cursor | None,
        retry: bool,
        moves: bool = True,
    ) -> None:
        """Write parsed records and what they cause, and the cursor where it `moves`.

        `retry` maps again what waits in quarantine unchanged.
        """
        heads = self._heads([item.key for item in incoming])
        if not retry:
            with self.store.read() as connection:
                incoming = Emptied(self.store).without(connection, incoming, heads)
        current = self._not_newer(incoming) if self.backfills else incoming
        fresh, waiting = self._fresh(current, heads, retry=retry)
        mapped = self._map(fresh, heads)
        accepted = self._without_landed(mapped.accepted, heads)
        refused = [*unreadable, *mapped.refused]
        with self.store.write() as connection:
            # Here, for somebody may have been erased since the batch was read.
            passed = self._let_through(connection, accepted, refused, heads)
            counts = Counts(read=len(incoming) + len(unreadable), accepted=len(passed.accepted))
            counts.quarantined = len(passed.refused) + mapped.superseded + len(waiting)
            counts.suppressed = passed.suppressed
            counts.unchanged = counts.read - counts.accepted - counts.quarantined - counts.suppressed
            quarantine.seen_again(connection, self.run_id, self.source, self.name, waiting)
            self._write(connection, passed, heads, counts, retry=retry)
            if retry:
                still = {item.hash for item in passed.refused}
                tried = [item.hash for item in incoming if item.hash not in still]
                quarantine.release_versions(connection, self.source, self.name, tried)
            elif self.backfills and moves:
                backfill.keep(connection, self.source, self.name, cursor_text(self.stream, cursor))
            elif moves and not self.backfills and not self.scans_fully:
                self._save_state(connection, cursor=cursor_text(self.stream, cursor))
            runs.add_counts(connection, self.run_id, self.name, counts, self.mapping.version)
        self.keyless += sum(item.key is None for item in passed.refused)
        self.counts.add(counts)

    def _let_through(
        self,
        connection: Connection,
        accepted: Sequence[Accepted],
        refused: Sequence[Rejected],
        heads: Mapping[str, Head],
    ) -> Passed:
        stream = (self.source, self.name)
        return Gate(self.store).let_through(
            connection, stream, accepted, refused, heads, self.mapping.glimpse
        )

    def _parse(self, records: Sequence[RawRecord | BadRecord]) -> tuple[list[Incoming], list[Rejected]]:
        incoming: list[Incoming] = []
        unreadable: list[Rejected] = []
        for record in records:
            if isinstance(record, BadRecord):
                unreadable.append(Rejected.unreadable(record.raw, record.position, record.reason))
                continue
            self.watch.see(record.payload)
            self._undeclared.see(record.payload)
            parsed = self._incoming(record)
            if isinstance(parsed, Incoming):
                incoming.append(parsed)
            else:
                unreadable.append(parsed)
        return incoming, unreadable

    def _incoming(self, record: RawRecord) -> Incoming | Rejected:
        content = None
        try:
            content = dump(record.payload)
            key = self.mapping.key_of(record.payload)
        except RecordError as error:
            raw = content.decode() if content is not None else readable(record.payload)
            return Rejected.because(error, key=None, position=record.position, raw=raw)
        return Incoming(key, digest(content).hex(), record.position, content.decode(), record.payload)

    def _heads(self, keys: Sequence[str]) -> dict[str, Head]:
        with self.store.read() as connection:
            heads = landing.known_heads(self.store, connection, self.source, self.name, keys)
        for head in heads.values():
            self.seen.add(head.id)
        return heads

    def _not_newer(self, incoming: Sequence[Incoming]) -> Sequence[Incoming]:
        keys = [item.key for item in incoming]
        newer = backfill.written_since(self.store, self.source, self.name, self.run_id, keys)
        return [item for item in incoming if item.key not in newer]

    def _fresh(
        self, incoming: Sequence[Incoming], heads: Mapping[str, Head], *, retry: bool
    ) -> tuple[list[Incoming], list[str]]:
        """The records that are new or changed, and the hashes of those that wait in quarantine as they are."""
        fresh: list[Incoming] = []
        waiting: list[str] = []
        current = {key: (head.hash, head.state) for key, head in heads.items()}
        for item in incoming:
            hash_, state = current.get(item.key, ("", ""))
            if hash_ != item.hash or (retry and state == "quarantined"):
                fresh.append(item)
                current[item.key] = (item.hash, "fresh")
            elif state == "quarantined":
                waiting.append(item.hash)
        return fresh, waiting

    def _map(self, fresh: Sequence[Incoming], heads: Mapping[str, Head]) -> _Mapped:
        accepted: list[Accepted] = []
        refused: list[tuple[int, Rejected]] = []
        settled: dict[str, int] = {}
        newest = {key: head.observed_at for key, head in heads.items() if head.record_id is not None}
        for index, item in enumerate(fresh):
            try:
                mapped = self.mapping.map(item.payload)
            except RecordError as error:
                bad = Rejected.because(error, key=item.key, position=item.position, raw=item.json)
                refused.append((index, bad))
                continue
            observed_at = mapped.observed_at or ""
            stale = bool(observed_at) and observed_at < newest.get(item.key, "")
            accepted.append(Accepted(item, mapped, stale))
            if not stale:
                newest[item.key] = observed_at
                settled[item.key] = index
        kept = [bad for index, bad in refused if settled.get(bad.key or "", -1) < index]
        return _Mapped(accepted, kept, len(refused) - len(kept))

    def _without_landed(self, accepted: list[Accepted], heads: Mapping[str, Head]) -> list[Accepted]:
        """`accepted` without the older versions that an earlier run has landed as history already."""
        stale = [item.incoming.key for item in accepted if item.stale]
        if not stale:
            return accepted
        with self.store.read() as connection:
            known = landing.already_landed(self.store, connection, stale, heads)
        return [i for i in accepted if not i.stale or (i.incoming.key, i.incoming.hash) not in known]

    def _write(
        self,
        connection: Connection,
        passed: Passed,
        heads: Mapping[str, Head],
        counts: Counts,
        *,
        retry: bool,
    ) -> None:
        accepted, rejected = passed.accepted, passed.refused
        if not accepted and not rejected and not passed.retracted:
            return
        landed = landing.land(self.store, connection, self.run_id, self.source, self.name, accepted, heads)
        self._note_repeats(landed)
        self._release(connection, accepted, heads, retry=retry)
        self._quarantine(connection, rejected, heads, retry=retry)
        statements = [self._statement(each) for each in landed if not each.accepted.stale]
        stale = [self._statement(each) for each in landed if each.accepted.stale]
        self.project(connection, statements, counts, stale, passed.retracted)

    def _note_repeats(self, landed: Sequence[Landed]) -> None:
        for each in landed:
            self.repeated += each.head_id in self._changed
            self._changed.add(each.head_id)
            self.seen.add(each.head_id)

    def _release(
        self,
        connection: Connection,
        accepted: Sequence[Accepted],
        heads: Mapping[str, Head],
        *,
        retry: bool,
    ) -> None:
        """Forget the waiting versions of records that have a newer good one; of a replayed one those before it."""
        waiting = {key: head.hash for key, head in heads.items() if head.state == "quarantined"}
        keys = {
            item.incoming.key
            for item in accepted
            if not item.stale and item.incoming.key in waiting
            if not retry or item.incoming.hash == waiting[item.incoming.key]
        }
        quarantine.release(connection, self.source, self.name, sorted(keys))

    def _quarantine(
        self,
        connection: Connection,
        rejected: Sequence[Rejected],
        heads: Mapping[str, Head],
        *,
        retry: bool,
    ) -> None:
        quarantine.put(connection, self.run_id, self.source, self.name, rejected)
        # A record tried again is the newest version only where no version of it was known.
        marked = [item for item in rejected if item.key is not None and not (retry and item.key in heads)]
        if not marked:
            return
        keys = [item.key for item in marked if item.key is not None]
        # Read again, for an earlier version of the same batch may have landed.
        known = landing.known_heads(self.store, connection, self.source, self.name, keys)
        quarantine.mark_heads(self.store, connection, self.source, self.name, marked, known)
        for head in landing.known_heads(self.store, connection, self.source, self.name, keys).values():
            self.seen.add(head.id)

    def _statement(self, landed: Landed) -> Statement:
        item = landed.accepted
        return Statement(
            source=self.source,
            stream=self.name,
            record_key=item.incoming.key,
            head_id=landed.head_id,
            record_id=landed.record_id,
            observed_at=item.observed_at,
            entities=item.mapped.entities,
        )

    def project(
        self,
        connection: Connection,
        statements: Sequence[Statement],
        counts: Counts,
        stale: Sequence[Statement] = (),
        retracted: Collection[int] = (),
    ) -> None:
        """Bring statements into the graph, add what they did to `counts`, and post the audit events.

        The records with the heads `retracted` turned out to be of somebody who was erased: nothing of them is kept.
        """
        silent = [Statement(self.source, self.name, "", head_id, 0, "", ()) for head_id in sorted(retracted)]
        stated = [*statements, *silent]
        postponed = self.first_load is not None and self.first_load.postpones(connection, len(stated))
        applied = self.graph.apply(connection, self.run_id, stated, stale, postponed=postponed)
        if retracted:
            landing.erase_heads(self.store, connection, retracted)
        counts.deleted += len(retracted)
        counts.entities_written += applied.written
        counts.entities_removed += applied.removed
        self.conflicts += len(applied.conflicts)
        self.events.post_batch(connection, self.run_id, self.source, self.name, counts, applied)

    def stop_if_too_bad(self, start: Cursor | None, *, at_end: bool) -> None:
        """Stop the run when too many of its records are bad, with the cursor back where the run began.

        Raises:
            TooManyRejectsError: with the share that was met and the share allowed.
        """
        read, bad = self.counts.read, self.counts.quarantined
        if read < (1 if at_end else MIN_SAMPLE) or bad <= read * self.config.max_bad_share:
            return
        if not self.backfills:
            with self.store.write() as connection:
                self._save_state(connection, cursor=cursor_text(self.stream, start))
        raise TooManyRejectsError(
            self.source,
            self.name,
            f"{bad} of {read} records are bad, more than the share of {self.config.max_bad_share:g} allowed; "
            "see `hub quarantine list`, correct the mapping or the source, then sync again",
        )

    def delete_unseen(self) -> str | None:
        """Remove what a complete reading did not meet; or give the reason why so much may not be removed."""
        live = missing = 0
        for heads in landing.live_heads(self.store, self.source, self.name, DELETE_PAGE):
            live += len(heads)
            missing += sum(head.id not in self.seen for head in heads)
        if missing and self.keyless:
            return (
                f"{self.name}: {missing} of {live} known records were not met, and {self.keyless} could not be read "
                "as far as their key, which may be the same ones; none was deleted"
            )
        if missing > live * self.config.max_delete_share:
            return (
                f"{self.name}: {missing} of {live} known records were not met, more than the share of "
                f"{self.config.max_delete_share:g} allowed; none was deleted"
            )
        if missing:
            for heads in landing.live_heads(self.store, self.source, self.name, 1000):
                self._delete([head for head in heads if head.id not in self.seen])
        with self.store.write() as connection:
            quarantine.release_unseen(connection, self.run_id, self.source, self.name)
        return None

    def _delete_told(self, gone: Sequence[GoneRecord]) -> None:
        """Remove what the source says is gone; what it names no key of is set aside."""
        keys: list[str] = []
        keyless: list[Rejected] = []
        for record in gone:
            try:
                keys.append(self.mapping.key_of(record.payload))
            except RecordError as error:
                raw = readable(record.payload)
                keyless.append(Rejected.because(error, key=None, position=record.position, raw=raw))
        if keyless:
            self.take([], keyless, cursor=None, retry=False, moves=False)
        if keys:
            self._delete([head for head in self._heads(keys).values() if head.state != "deleted"])
            with self.store.write() as connection:
                quarantine.release(connection, self.source, self.name, sorted(set(keys)))

    def _delete(self, heads: Sequence[Head]) -> None:
        if not heads:
            return
        with self.store.write() as connection:
            deleted = landing.delete_heads(self.store, connection, self.run_id, heads)
            counts = Counts(deleted=len(deleted))
            gone = [
                Statement(self.source, self.name, head.key, head.id, record_id, "", ())
                for head, record_id in deleted
            ]
            self.project(connection, gone, counts)
            runs.add_counts(connection, self.run_id, self.name, counts)
        self.counts.add(counts)

    def doubts(self) -> list[str]:
        """What a person should look at though the stream was read to its end."""
        found = []
        if self.repeated and self.scans_fully:
            found.append(
                f"{self.name}: {self.repeated} records repeat a key with other content; is the key unique?"
            )
        if self.conflicts:
            found.append(
                f"{self.name}: {self.conflicts} entities are stated by several records; say `shared: true` of them, "
                "or give them a key of their own"
            )
        return found

    def finish(self) -> None:
        """Keep what the next run needs to know: the fields and the time."""
        seen = self.watch.fields()
        found = drift.compare(self.known_fields, seen) if self.known_fields and seen else []
        fields = drift.merged(self.known_fields, seen)
        with self.store.write() as connection:
            drift.record_drift(
                connection, self.run_id, self.source, self.name, found, seen, self.mapping.fields
            )
            resurrection.look_for_wrong(self.store, connection, self.source, self.name)
            self._record_findings(connection, fields, read_any=bool(seen))
            now = utc_now()
            kept = drift.dump_fields(fields)
            self._save_state(connection, fields=kept, last_run_id=self.run_id, last_success_at=now)

    def _record_findings(self, connection: Connection, fields: Collection[str], *, read_any: bool) -> None:
        place = f"{self.source}.{self.name}"
        found = self._undeclared.findings(place, fields)
        new = findings.record_findings(connection, self.run_id, place, found, read_any=read_any)
        if new:
            event = AuditEvent(
                Action.FINDING_RAISED,
                "system",
                source=self.source,
                stream=self.name,
                run_id=str(self.run_id),
                counts={"results": new},
            )
            runs.post(connection, [event])

    def note_mapping(self) -> None:
        """Keep that the stream's rows come from the mapping as it is now: those held do, those to come will."""
        with self.store.write() as connection:
            self._keep_mapping(connection)
            self._save_state(connection, mapping_version=self.mapping.version)

    def note_mixed_mappings(self) -> None:
        """Keep that from now on some rows may come from another mapping than others, until all are mapped anew."""
        with self.store.write() as connection:
            self._keep_mapping(connection)
            self._save_state(connection, mapping_version=MIXED)

    def _keep_mapping(self, connection: Connection) -> None:
        keep_mapping(self.store, connection, self.run_id, self.source, self.name, self.mapping)

    def _save_state(self, connection: Connection, **values: Any) -> None:
        row = {"source": self.source, "stream": self.name, **values}
        self.store.dialect.upsert(connection, fixed.stream_state, tuple(row), [tuple(row.values())])


@dataclass(frozen=True, slots=True)
class _Mapped:
    """What a batch's new and changed records became."""

    accepted: list[Accepted]
    refused: list[Rejected]
    superseded: int
    """Bad versions that a good one of the same batch follows: they need not wait."""
