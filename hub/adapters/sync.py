"""One pass over a source: extract -> land -> map -> resolve -> project -> publish.

Each batch is one transaction: landed versions, quarantine, graph, counts, cursor and audit events are written
together or not at all, so that a run killed at any instant loses and doubles nothing. `StreamRun.take` holds the
stages of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
from sqlalchemy import Connection, Row, func, select

from hub.adapters import backfill, drift, forget, landing, quarantine, reproject, reresolve, runs
from hub.adapters.answerbook import AnswerBook
from hub.adapters.batch_events import BatchEvents
from hub.adapters.config import SourceConfig
from hub.adapters.firstload import FirstLoad
from hub.adapters.frozen import frozen_sources, frozen_words
from hub.adapters.inbox import Inbox
from hub.adapters.mapping import StreamMapping, compile_stream
from hub.adapters.passes import StreamPass, all_at_once, one_by_one
from hub.adapters.payload import load
from hub.adapters.positions import kept_cursor
from hub.adapters.quarantine import Quarantined
from hub.adapters.records import Connector, ConnectorContext, Wire
from hub.adapters.replay import remap_stream, replay_stream
from hub.adapters.runs import Counts, RunKind, RunReport, RunState
from hub.adapters.staff import STAFF_SOURCES, staff_mapping
from hub.adapters.stream_run import StreamRun
from hub.audit import Action, AuditEvent, Sealer
from hub.errors import HubError, NotFoundError, RecordError, RequestError, SourceUnavailableError
from hub.graph import GraphWriter, Statement
from hub.graph.entities import STEWARD
from hub.graph.resolution import MatchModel, MatchResolver, PartyKind
from hub.graph.resolution.profiles import StreetReader, street_parts
from hub.ontology import Ontology
from hub.store import Store, fixed
from hub.yamlfile import nearest

Progress = Callable[[str, Counts], None]
"""Told after each batch what the run has done so far in a stream."""


Opened = Callable[[int], None]
"""Told the id of the run once it has begun."""


def silent(_stream: str, _counts: Counts) -> None:
    """The progress of nobody who looks."""


def unheard(_run_id: int) -> None:
    """For whom the run's id is of no use."""


@dataclass(frozen=True)
class Sources:
    """The configured sources, and what is needed to connect to one: the environment and the folder of their files."""

    configs: Mapping[str, SourceConfig]
    ontology: Ontology
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    programs: Path = Path()
    """Where `hub adapter install` puts what connectors run."""
    wire: Wire = httpx.HTTPTransport
    """What HTTP goes over."""
    inbox: Inbox | None = None
    """What senders have brought by themselves."""

    def connect(self, config: SourceConfig, context: ConnectorContext | None = None) -> Connector:
        """A connector for the source; nothing is reached before the first batch is asked for.

        Those of one `context` keep one pace.

        Raises:
            ConfigurationError: a variable or file that the YAML refers to is missing.
        """
        return config.connector.connect(context or self.context(config.source))

    def context(self, source: str, answers: AnswerBook | None = None) -> ConnectorContext:
        """What a connector of the source gets from outside. Without a book of `answers` nobody is answered."""
        where = (self.environ, self.folder, self.programs, self.wire)
        return ConnectorContext(source, *where, inbox=self.inbox, answers=answers)

    def config(self, source: str) -> SourceConfig:
        """The configuration of one source.

        Raises:
            NotFoundError: there is none of that name; the nearest is named.
        """
        found = self.configs.get(source) or STAFF_SOURCES.get(source)
        if found is None:
            near = nearest(source, self.configs)
            hint = f"; did you mean {near!r}?" if near else ""
            raise NotFoundError(f"there is no source {source!r}{hint}")
        return found


class Syncer:
    """Runs syncs against one store. One source is synced by one process at a time; different ones may go together."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        batch_size: int = 1000,
        sealer: Sealer | None = None,
        models: Mapping[PartyKind, MatchModel] | None = None,
        read_street: StreetReader = street_parts,
    ) -> None:
        self.store = store
        self.events = BatchEvents(sealer or Sealer(), store.ontology)
        self.sources = sources
        self.batch_size = batch_size
        self._mappings: dict[tuple[str, str], StreamMapping] = {}
        self.trust = {name: config.trust for name, config in sources.configs.items()}
        self.resolver = MatchResolver(store, models, read_street)
        self.graph = GraphWriter(store, self.trust, restate=self._restate, resolver=self.resolver)

    def sync(
        self,
        source: str,
        progress: Progress = silent,
        only: Sequence[str] = (),
        opened: Opened = unheard,
    ) -> RunReport:
        """Read the source's streams (or `only` some) from where the last run ended, and report what came of it.

        What goes wrong at the source is in the report; the rest of the hub is unharmed.

        Raises:
            NotFoundError: there is no such source.
            SourceUnavailableError: another process is syncing this source now, or it is frozen.
        """
        config = self.sources.config(source)
        self.require_thawed(source)
        with self.exclusive(source):
            self.prepare(config)
            self._remap_staff(source)
            doubts = self._orphans(config)
            first = None if reresolve.has_parties(self.store) else FirstLoad(self.store)
            with self._run(source, "sync", opened, doubts) as run_id:
                failed = self._read(run_id, config, only or tuple(config.streams), doubts, progress, first)
                if first is not None and first.is_postponing:
                    self._resolve_anew(run_id, source)
            return self.close_run(run_id, source, "failed" if failed else "ok", doubts)

    def resolve_changed(self) -> None:
        """Resolve all parties anew where the match models, or what is compared, are others than they were.

        To be done before anything is written: by another model the same parties are other customers.
        """
        with self.store.read() as connection:
            if reresolve.kept_digest(connection) == self.resolver.digest:
                return
        if not reresolve.has_parties(self.store):
            with self.store.write() as connection:
                reresolve.keep_digest(connection, self.store, self.resolver.digest)
            return
        with self._run(STEWARD, "resolve", unheard, []) as run_id:
            self._resolve_anew(run_id, STEWARD)
        self.close_run(run_id, STEWARD, "ok", [])

    def _resolve_anew(self, run_id: int, source: str) -> None:
        reresolve.resolve_anew(
            self.store, self.resolver, self.graph, self.events, run_id, source, self.batch_size
        )

    def replay(
        self,
        source: str,
        ids: Sequence[int] = (),
        progress: Progress = silent,
        opened: Opened = unheard,
    ) -> RunReport:
        """Try what waits in quarantine (or the records with `ids`) with the mapping as it is now.

        Raises:
            NotFoundError: there is no such source, or it has none of those records.
            SourceUnavailableError: another process is syncing this source now.
        """
        config = self.sources.config(source)
        with self.exclusive(source):
            with self.store.read() as connection:
                quarantine.require_waiting(connection, source, ids)
            with self._run(source, "replay", opened, []) as run_id:
                for name in config.streams:
                    run = self.stream_run(run_id, config, name)
                    if self._is_mapped_otherwise(source, name):
                        run.note_mixed_mappings()
                    replay_stream(run, ids, told=partial(progress, name, run.counts))
            return self.close_run(run_id, source, "ok", [])

    def forget(self, source: str, stream: str | None = None) -> RunReport:
        """Remove from the graph what the source (or only one stream of it) stated before it left the configuration.

        Raises:
            NotFoundError: nothing is held of it.
            RequestError: it is still configured, so that the next sync would bring it back; or it is the hub's own.
            SourceUnavailableError: another process is syncing this source now.
        """
        if source in STAFF_SOURCES:
            raise RequestError(f"{source} holds what staff recorded, which no source would bring back")
        config = self.sources.configs.get(source)
        with self.exclusive(source):
            known = forget.known_streams(self.store, source)
            names = [stream] if stream else [n for n in known if config is None or n not in config.streams]
            if config is not None and stream in config.streams:
                raise RequestError(f"{source}.{stream} is still configured; take it out of its YAML first")
            if not names or not set(names) <= set(known):
                what = (
                    f"{source}.{stream}" if stream else f"streams of {source} that are no longer configured"
                )
                raise NotFoundError(f"nothing is held of {what}")
            run_id = runs.open_run(self.store, source, "forget")
            for name in names:
                forget.forget_stream(self.store, self.graph, self.events, run_id, source, name)
                if self.sources.inbox is not None:
                    self.sources.inbox.forget(source, name)
            return self.close_run(run_id, source, "ok", [])

    def discard(self, number: int, actor: str) -> Quarantined:
        """Take a waiting record out of quarantine for good, in `actor`'s name; gives what it was.

        Raises:
            NotFoundError: there is none with that number.
        """
        with self.store.write() as connection:
            found = quarantine.discard(connection, number)
            event = AuditEvent(
                Action.QUARANTINE_REPLAYED,
                actor=actor,
                source=found.source,
                stream=found.stream,
                reason_code="discarded",
                counts={"deleted": 1},
            )
            runs.post(connection, [event])
        return found

    def prepare(self, config: SourceConfig) -> None:
        """Bring what is held to the rules and mappings of now, before more is written by them."""
        self._reproject_changed(config.source)
        self._remap_changed(config)

    def require_thawed(self, source: str) -> None:
        """See to it that nobody has frozen the source.

        Raises:
            SourceUnavailableError: somebody has.
        """
        with self.store.read() as connection:
            found = frozen_sources(connection).get(source)
        if found is not None:
            raise SourceUnavailableError(source, None, frozen_words(found))

    @contextmanager
    def exclusive(self, source: str) -> Iterator[None]:
        """Hold the source; wait for it while a backfill of it goes on, which lets go after each batch.

        Raises:
            SourceUnavailableError: another process is syncing it.
        """
        until = monotonic() + backfill.PATIENCE_S
        while True:
            with self.store.lock(f"source-{source}") as held:
                if held:
                    yield
                    return
            if monotonic() > until or not backfill.is_under_way(self.store, source):
                raise SourceUnavailableError(
                    source, None, "another process is syncing it; wait until it ends"
                )
            sleep(backfill.BREATH_S / 5)

    @contextmanager
    def _run(self, source: str, kind: RunKind, opened: Opened, doubts: Sequence[str]) -> Iterator[int]:
        """The id of a new run, which is closed as interrupted where it is broken off."""
        run_id = runs.open_run(self.store, source, kind)
        with self.closing(run_id, source, doubts):
            opened(run_id)
            yield run_id

    @contextmanager
    def closing(self, run_id: int, source: str, doubts: Sequence[str]) -> Iterator[None]:
        """Close the run as interrupted where it is broken off inside."""
        try:
            yield
        except BaseException:
            self.close_run(run_id, source, "interrupted", [*doubts, "the run was broken off"])
            raise

    def _read(
        self,
        run_id: int,
        config: SourceConfig,
        names: Sequence[str],
        doubts: list[str],
        progress: Progress,
        first: FirstLoad | None,
    ) -> bool:
        """Whether the source failed before its end; why is added to `doubts`."""
        connectors: list[Connector] = []
        context = self.sources.context(config.source, AnswerBook(self.store, config.source))

        def begin(name: str, *, apart: bool) -> StreamPass:
            if apart or not connectors:
                connectors.append(self.sources.connect(config, context))
            return self._begin(run_id, config, name, connectors[-1], progress, first)

        at_once = min(config.streams_at_once, len(names))
        try:
            reading = all_at_once(names, begin, at_once) if at_once > 1 else one_by_one(names, begin)
            with closing(reading):
                for stream, batch in reading:
                    if batch is not None:
                        stream.take(batch)
                    else:
                        doubts += stream.end()
        except HubError as error:
            doubts.append(str(error))
            return True
        finally:
            for connector in connectors:
                doubts += connector.warnings
                connector.close()
        return False

    def _begin(
        self,
        run_id: int,
        config: SourceConfig,
        name: str,
        connector: Connector,
        progress: Progress,
        first: FirstLoad | None,
    ) -> StreamPass:
        run = self.stream_run(run_id, config, name)
        run.first_load = first
        run.note_mapping()
        state = self._state(config.source, name)
        start = None if run.scans_fully or state is None else kept_cursor(run.stream, state.cursor)
        return StreamPass(run, connector, start, self.batch_size, progress)

    def stream_run(self, run_id: int, config: SourceConfig, name: str) -> StreamRun:
        """What takes the batches of one stream in a run."""
        state = self._state(config.source, name)
        known = drift.load_fields(state.fields) if state is not None else {}
        mapping = self.mapping(config.source, name)
        return StreamRun(self.store, self.graph, self.events, run_id, config, name, mapping, known)

    def _remap_changed(self, config: SourceConfig) -> None:
        """Map anew what is held of the streams whose mapping has changed since, as a run of its own."""
        changed = [name for name in config.streams if self._is_mapped_otherwise(config.source, name)]
        if not changed:
            return
        run_id = runs.open_run(self.store, config.source, "remap")
        for name in changed:
            run = self.stream_run(run_id, config, name)
            run.note_mixed_mappings()
            remap_stream(run, self.batch_size)
            run.note_mapping()
        self.close_run(run_id, config.source, "ok", [])

    def _remap_staff(self, syncing: str) -> None:
        """Map anew what staff recorded, where the ontology has changed; nothing but a sync gives the occasion."""
        for name, config in STAFF_SOURCES.items():
            if name == syncing or not any(self._is_mapped_otherwise(name, each) for each in config.streams):
                continue
            with self.store.lock(f"source-{name}") as held:
                if held:
                    self._remap_changed(config)

    def _is_mapped_otherwise(self, source: str, stream: str) -> bool:
        """Whether rows of the stream come from another mapping than that of now."""
        state = self._state(source, stream)
        return state is not None and state.mapping_version not in (None, self.mapping(source, stream).version)

    def _reproject_changed(self, source: str) -> None:
        """Choose all golden records anew when trust or survivorship rules have changed, as a run of its own."""
        before = reproject.kept_choice(self.store)
        now = reproject.Choice(self.graph.rules_digest, self.trust).after(before)
        if now == before:
            return
        if now.differs_from(before) and reproject.has_customers(self.store):
            run_id = runs.open_run(self.store, source, "reproject")
            reproject.choose_anew(self.store, self.graph, self.events, run_id, source, self.batch_size)
            self.close_run(run_id, source, "ok", [])
        reproject.keep_choice(self.store, now)

    def _orphans(self, config: SourceConfig) -> list[str]:
        """A doubt for each stream that is configured no more and whose records are held all the same."""
        table = fixed.record_head
        query = select(table.c.stream, func.count()).where(
            table.c.source == config.source,
            table.c.stream.not_in(list(config.streams)),
            table.c.state != "deleted",
        )
        with self.store.read() as connection:
            held = connection.execute(query.group_by(table.c.stream).order_by(table.c.stream)).all()
        return [
            f"{name}: is no longer configured, and {count} of its records are served as they were; "
            f"`hub forget {config.source} {name}` removes them"
            for name, count in held
        ]

    def close_run(self, run_id: int, source: str, state: RunState, doubts: list[str]) -> RunReport:
        """The report of a run that has ended; one that does not reconcile, or that is doubted, is suspect."""
        with self.store.read() as connection:
            streams = runs.counts_of(connection, run_id)
        doubts += [
            f"{name}: {counts.read} read is not {counts.unchanged} unchanged + {counts.accepted} accepted "
            f"+ {counts.quarantined} quarantined + {counts.suppressed} suppressed"
            for name, counts in streams.items()
            if not counts.reconciles
        ]
        final: RunState = "suspect" if state == "ok" and doubts else state
        report = RunReport(run_id, source, final, tuple(doubts), streams)
        runs.close_run(self.store, report)
        return report

    def mapping(self, source: str, stream: str) -> StreamMapping:
        """The compiled mapping of one stream, made once."""
        key = (source, stream)
        if key not in self._mappings and source in STAFF_SOURCES:
            self._mappings[key] = staff_mapping(source, self.sources.ontology, self.store.secret)
        elif key not in self._mappings:
            config = self.sources.config(source)
            self._mappings[key] = compile_stream(
                config, config.streams[stream], self.sources.ontology, stream, self.store.secret
            )
        return self._mappings[key]

    def mapping_of_now(self, source: str, stream: str) -> StreamMapping | None:
        """The compiled mapping of one stream, None where it is configured no more."""
        config = STAFF_SOURCES.get(source) or self.sources.configs.get(source)
        known = config is not None and stream in config.streams
        return self.mapping(source, stream) if known else None

    def _state(self, source: str, stream: str) -> Row[*tuple[Any, ...]] | None:
        table = fixed.stream_state
        with self.store.read() as connection:
            return connection.execute(
                select(table).where(table.c.source == source, table.c.stream == stream)
            ).first()

    def _restate(self, connection: Connection, head_ids: Sequence[int]) -> list[Statement]:
        """What the last accepted versions of these records say, mapped anew from the landing."""
        sql = "SELECT id, source, stream, key, record_id, observed_at FROM record_head WHERE {in:id}"
        rows = [row for row in self.store.rows_in(connection, sql, head_ids) if row[4] is not None]
        held = landing.versions(self.store, connection, [row[4] for row in rows])
        statements = []
        for head_id, source, stream, key, record_id, observed_at in rows:
            config = self.sources.configs.get(source)
            if config is None or stream not in config.streams:
                # Nothing tells any more what its records mean.
                continue
            try:
                mapped = self.mapping(source, stream).map(load(held[record_id].payload))
            except RecordError:
                # Its mapping has changed since it was accepted; the remap that follows will quarantine it.
                continue
            statements.append(
                Statement(source, stream, key, head_id, record_id, observed_at, mapped.entities)
            )
        return statements
