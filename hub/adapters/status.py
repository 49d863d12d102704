"""What there is to know about each source: its state, how old its data are, what waits, what drifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from hub.adapters import quarantine, runs
from hub.adapters.config import SourceConfig
from hub.adapters.drift import Drift, Field, drift_of, load_fields
from hub.adapters.runs import Counts
from hub.adapters.staff import STAFF_SOURCES
from hub.store import Store, fixed


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source as `hub sources` and GraphQL `sources` show it."""

    name: str
    label: str
    state: str
    """State of its newest run (running, ok, suspect, failed, interrupted), `never` before the first, `removed` when
    it is configured no more and records of it are held all the same."""
    message: str | None
    last_run_at: str | None
    last_success_at: str | None
    """The start of its newest run that ended ok or suspect: the data are as fresh as that."""
    lag_s: int | None
    """Seconds since then."""
    records: int
    """Records held, not counting deleted ones."""
    waiting: int
    """Records in quarantine."""
    last_counts: Counts
    drift: tuple[tuple[str, Drift, str], ...]


def source_statuses(
    store: Store, configs: Mapping[str, SourceConfig], now: datetime | None = None
) -> list[SourceStatus]:
    """The status of every source that is configured or of which records are held, by name.

    What staff record counts as a source too, once there is any.
    """
    moment = now or datetime.now(UTC)
    known = {**STAFF_SOURCES, **configs}
    with store.read() as connection:
        held = _held(connection)
        waiting = quarantine.counts_by_source(connection)
        return [
            _status(connection, name, known.get(name), moment, held.get(name, 0), waiting.get(name, 0))
            for name in sorted({*configs, *held, *waiting})
        ]


def _status(
    connection: Connection, name: str, config: SourceConfig | None, now: datetime, held: int, waiting: int
) -> SourceStatus:
    last = _newest(connection, name)
    success = _newest(connection, name, ("ok", "suspect"))
    totals = Counts()
    for counts in runs.counts_of(connection, last.id).values() if last is not None else ():
        totals.add(counts)
    since = datetime.fromisoformat(success.started_at) if success is not None else None
    state = last.state if last is not None else "never"
    return SourceStatus(
        name=name,
        label=config.title if config is not None else name,
        state=state if config is not None else "removed",
        message=last.message if last is not None else None,
        last_run_at=last.started_at if last is not None else None,
        last_success_at=success.started_at if success is not None else None,
        lag_s=int((now - since).total_seconds()) if since is not None else None,
        records=held,
        waiting=waiting,
        last_counts=totals,
        drift=tuple(drift_of(connection, name)),
    )


def _newest(
    connection: Connection, source: str, states: tuple[str, ...] = ()
) -> Row[*tuple[Any, ...]] | None:
    table = fixed.run
    query = select(table.c.id, table.c.state, table.c.message, table.c.started_at).where(
        table.c.source == source, table.c.kind.in_(("sync", "command"))
    )
    if states:
        query = query.where(table.c.state.in_(states))
    return connection.execute(query.order_by(table.c.id.desc()).limit(1)).first()


def _held(connection: Connection) -> dict[str, int]:
    table = fixed.record_head
    rows = connection.execute(
        select(table.c.source, func.count())
        .where(table.c.state.not_in(("deleted", "discarded")))
        .group_by(table.c.source)
    )
    return {row[0]: row[1] for row in rows}


def known_fields(store: Store, source: str, stream: str) -> dict[str, Field]:
    """The fields that runs of the stream have met so far; none before the first."""
    table = fixed.stream_state
    query = select(table.c.fields).where(table.c.source == source, table.c.stream == stream)
    with store.read() as connection:
        return load_fields(connection.execute(query).scalar())
