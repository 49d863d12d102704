"""The subscription `syncProgress`: what it tells of a run."""

from __future__ import annotations

from typing import Annotated

import strawberry

from hub.adapters import Counts, RunProgress
from hub.schema.queries import RunCounts
from hub.schema.scalars import DateTime

PROGRESS_FIELD = "syncProgress"


@strawberry.type(description="A run's counts for one kind of record.")
class StreamProgress:
    """One stream of a run."""

    stream: str = strawberry.field(description="The kind of record, as the source's configuration names it.")
    counts: RunCounts = strawberry.field(description="What became of its records so far.")


@strawberry.type(description="A run as it stands.")
class SyncProgress:
    """One run."""

    run_id: strawberry.ID = strawberry.field(name="runId", description="The run.")
    source: str = strawberry.field(description="The source system.")
    kind: str = strawberry.field(
        description="What it does: sync, replay, remap, reproject, resolve or forget."
    )
    state: str = strawberry.field(description="running, ok, suspect, failed or interrupted.")
    message: str | None = strawberry.field(description="What was wrong with it, once it has ended.")
    started_at: DateTime = strawberry.field(name="startedAt", description="When it began.")
    finished_at: DateTime | None = strawberry.field(
        name="finishedAt", description="When it ended; null while it goes on."
    )
    counts: RunCounts = strawberry.field(description="What became of all records so far.")
    streams: list[StreamProgress] = strawberry.field(description="The same for each kind of record.")


def _told(
    root: strawberry.Parent[SyncProgress],
    source: Annotated[  # noqa: ARG001 - decides what is told at all, before a run comes here
        str | None, strawberry.argument(description="Only runs of this source.")
    ] = None,
) -> SyncProgress:
    return root


@strawberry.type
class ProgressSubscription:
    """How syncs come along, as it happens."""

    sync_progress: SyncProgress = strawberry.field(
        name=PROGRESS_FIELD,
        resolver=_told,
        description="Runs as they come along: those under way at once, then each whenever its counts or its state"
        " change. Of changes in quick succession only the last is told.",
    )


def sync_progress(run: RunProgress) -> SyncProgress:
    """The run as GraphQL tells it."""
    total = Counts()
    for counts in run.streams.values():
        total.add(counts)
    return SyncProgress(
        run_id=strawberry.ID(str(run.run_id)),
        source=run.source,
        kind=run.kind,
        state=run.state,
        message=run.message,
        started_at=DateTime(run.started_at),
        finished_at=None if run.finished_at is None else DateTime(run.finished_at),
        counts=RunCounts.of(total),
        streams=[
            StreamProgress(stream=name, counts=RunCounts.of(counts)) for name, counts in run.streams.items()
        ],
    )
