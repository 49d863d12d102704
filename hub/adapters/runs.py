"""Runs: what one pass over a source did, counted in the same transactions as the data.

A *run* belongs to one source; its counts are kept for each stream. A run *reconciles* when for every stream
read = unchanged + accepted + quarantined + suppressed. One that does not, or whose source gave cause for doubt, is
`suspect`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, or_, select, update

from hub.audit import Action, AuditEvent, Outcome
from hub.store import Store, fixed, utc_now

RunKind = Literal["sync", "backfill", "replay", "remap", "reproject", "resolve", "forget", "command"]
RunState = Literal["running", "ok", "suspect", "failed", "interrupted"]


@dataclass(slots=True)
class Counts:
    """What happened to one stream's records; `entities_*` count rows of the graph."""

    read: int = 0
    unchanged: int = 0
    accepted: int = 0
    quarantined: int = 0
    suppressed: int = 0
    """Records of erased customers, of which nothing was kept."""
    deleted: int = 0
    entities_written: int = 0
    entities_removed: int = 0

    @property
    def reconciles(self) -> bool:
        """Whether every record that was read is accounted for."""
        return self.read == self.unchanged + self.accepted + self.quarantined + self.suppressed

    def add(self, other: Counts) -> None:
        """Add another's counts to these."""
        for name in COUNT_NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return {name: getattr(self, name) for name in COUNT_NAMES}


COUNT_NAMES = (
    "read",
    "unchanged",
    "accepted",
    "quarantined",
    "suppressed",
    "deleted",
    "entities_written",
    "entities_removed",
)


@dataclass(frozen=True, slots=True)
class RunReport:
    """The outcome of a run: its state, why if not ok, and the counts of each stream."""

    run_id: int
    source: str
    state: RunState
    doubts: Sequence[str] = ()
    streams: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        """The counts of all streams together."""
        total = Counts()
        for counts in self.streams.values():
            total.add(counts)
        return total


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run as it stands, its end included once it has come."""

    run_id: int
    source: str
    kind: str
    state: str
    message: str | None
    started_at: str
    finished_at: str | None
    streams: Mapping[str, Counts]


def open_run(store: Store, source: str, kind: RunKind) -> int:
    """The id of a new run. Runs of the source that were cut off are marked as interrupted.

    The caller holds the source's lock, so that a running one can only be a dead one; of a backfill, which lets go of it
    between two batches, only another backfill knows.
    """
    with store.write() as connection:
        _mark_interrupted(connection, source, kind)
        started = insert(fixed.run).values(source=source, kind=kind, state="running", started_at=utc_now())
        run_id = int(connection.execute(started.returning(fixed.run.c.id)).scalar_one())
        post(connection, [run_event(Action.SYNC_STARTED, source, run_id)])
    return run_id


def note_command(connection: Connection, source: str) -> int:
    """The id of the run of a command, which begins and ends in the transaction of `connection`."""
    now = utc_now()
    done = insert(fixed.run).values(
        source=source, kind="command", state="ok", started_at=now, finished_at=now
    )
    return int(connection.execute(done.returning(fixed.run.c.id)).scalar_one())


def _mark_interrupted(connection: Connection, source: str, kind: RunKind) -> None:
    table = fixed.run
    alike = table.c.kind == "backfill" if kind == "backfill" else table.c.kind != "backfill"
    dead = connection.execute(
        select(table.c.id).where(table.c.source == source, table.c.state == "running", alike)
    ).scalars()
    for run_id in list(dead):
        _close(connection, run_id, "interrupted", ["the process ended before the run did"])
        event = run_event(
            Action.SYNC_FINISHED, source, run_id, outcome=Outcome.FAILED, reason_code="interrupted"
        )
        post(connection, [event])


def close_run(store: Store, report: RunReport) -> None:
    """Write a run's end and its audit event."""
    outcome = {"ok": Outcome.OK, "suspect": Outcome.PARTIAL}.get(report.state, Outcome.FAILED)
    total = report.total
    counts = {name: getattr(total, name) for name in COUNT_NAMES[:6]}
    with store.write() as connection:
        _close(connection, report.run_id, report.state, report.doubts)
        event = run_event(Action.SYNC_FINISHED, report.source, report.run_id, outcome=outcome, counts=counts)
        post(connection, [event])


def _close(connection: Connection, run_id: int, state: RunState, doubts: Sequence[str]) -> None:
    connection.execute(
        update(fixed.run)
        .where(fixed.run.c.id == run_id)
        .values(state=state, message="; ".join(doubts) or None, finished_at=utc_now())
    )


def add_counts(
    connection: Connection, run_id: int, stream: str, counts: Counts, mapping_version: str | None = None
) -> None:
    """Add a batch's counts to the run's, in the batch's own transaction, and say which mapping its rows are made by."""
    table = fixed.run_stream
    said: dict[str, Any] = {"mapping_version": mapping_version} if mapping_version else {}
    sums = said | {name: table.c[name] + value for name, value in counts.as_dict().items()}
    found = connection.execute(
        update(table).where(table.c.run_id == run_id, table.c.stream == stream).values(sums)
    )
    if found.rowcount == 0:
        connection.execute(insert(table).values(run_id=run_id, stream=stream, **said, **counts.as_dict()))


def counts_of(connection: Connection, run_id: int) -> dict[str, Counts]:
    """The run's counts by stream, as the database holds them."""
    table = fixed.run_stream
    rows = connection.execute(select(table).where(table.c.run_id == run_id).order_by(table.c.stream))
    return {row.stream: Counts(*(getattr(row, name) for name in COUNT_NAMES)) for row in rows}


def progress(connection: Connection, after: int, among: Collection[int]) -> list[RunProgress]:
    """The runs that go on, those newer than `after`, and those `among` the given, in the order of their beginnings."""
    table, streams = fixed.run, fixed.run_stream
    wanted = or_(table.c.state == "running", table.c.id > after, table.c.id.in_(sorted(among)))
    runs = connection.execute(select(table).where(wanted).order_by(table.c.id)).all()
    counted: dict[int, dict[str, Counts]] = defaultdict(dict)
    ids = [run.id for run in runs]
    for row in connection.execute(
        select(streams).where(streams.c.run_id.in_(ids)).order_by(streams.c.stream)
    ):
        counted[row.run_id][row.stream] = Counts(*(getattr(row, name) for name in COUNT_NAMES))
    return [
        RunProgress(
            run.id,
            run.source,
            run.kind,
            run.state,
            run.message,
            run.started_at,
            run.finished_at,
            counted[run.id],
        )
        for run in runs
    ]


def newest_run(connection: Connection) -> int:
    """The id of the newest run of any source, 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(fixed.run.c.id), 0))).scalar_one())


def latest_run(connection: Connection, source: str) -> int | None:
    """The id of the source's newest run."""
    table = fixed.run
    return connection.execute(select(func.max(table.c.id)).where(table.c.source == source)).scalar()


def run_event(
    action: Action,
    source: str,
    run_id: int,
    *,
    stream: str | None = None,
    outcome: Outcome = Outcome.OK,
    reason_code: str | None = None,
    counts: Mapping[str, int] | None = None,
    **more: Any,
) -> AuditEvent:
    """An audit event of the system itself about a run."""
    return AuditEvent(
        action,
        actor="system",
        source=source,
        stream=stream,
        run_id=str(run_id),
        outcome=outcome,
        reason_code=reason_code,
        counts=counts or {},
        **more,
    )


def post(connection: Connection, events: Sequence[AuditEvent]) -> None:
    """Put events into the outbox, in the data's own transaction; the audit log takes each exactly once."""
    leaves = [{"event": part.pack()} for event in events for part in event.parts()]
    if leaves:
        connection.execute(insert(fixed.audit_outbox), leaves)
