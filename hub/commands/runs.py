"""Runs that somebody asks for: a sync of a source, a replay of its quarantine. They go on by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters import Job, Progress, RunReport
from hub.adapters.backfilling import streams_again
from hub.adapters.quarantine import require_waiting
from hub.adapters.sync import silent
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.freezing import require_thawed
from hub.commands.giving import Order, Result, announce, conclude, refusals_recorded
from hub.errors import SourceUnavailableError
from hub.services import Services

OPENING_S = 2.0
"""How long a caller waits for the run's number: it has none yet while what is held is first mapped anew."""

State = Literal["running", "already_running"]


@dataclass(frozen=True, slots=True)
class SyncSource:
    """That a source is to be read now."""

    source: str
    key: str


@dataclass(frozen=True, slots=True)
class BackfillSource:
    """That streams of a source are to be read from their beginning, beside its syncs; all unless some are named."""

    source: str
    streams: tuple[str, ...]
    anew: bool
    """Whether to begin again, rather than go on from where the last backfill was cut off."""
    key: str


@dataclass(frozen=True, slots=True)
class ReplayQuarantine:
    """That what waits in quarantine of a source, or only the records with these numbers, is to be tried again."""

    source: str
    numbers: tuple[int, ...]
    key: str


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A run that began, or did not because another one of the source is at it."""

    source: str
    state: State
    run_id: int | None
    """None while the run has no number yet, and for `already_running`."""
    job: Job | None = field(default=None, repr=False, compare=False)
    """What goes on; None where the command was a repetition."""

    def outcome(self) -> RunReport:
        """What came of the run, once it has ended; only whoever began it can wait for that.

        Raises:
            SourceError: it could not begin, or was broken off.
            ValueError: the command was a repetition.
        """
        if self.job is None:
            raise ValueError("the run was begun by an earlier command")
        return self.job.report.result()


def sync_source(
    services: Services, author: Author, order: SyncSource, progress: Progress = silent
) -> RunBegun:
    """Begin a sync of the source; it ends by itself, and `sources` tells how.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such source.
        QueryError: the source is frozen, or the idempotency key was used for something else.
    """
    said = Order(Command.SYNC_SOURCE, "sync", order.key, {"source": order.source})
    with refusals_recorded(services, author, Command.SYNC_SOURCE):
        services.sources.config(order.source)
        event = author.event(Action.SYNC_REQUESTED, source=order.source)
        return _begun(
            services,
            author,
            said,
            event,
            lambda: services.jobs.sync(order.source, progress),
            lambda connection: require_thawed(connection, order.source),
        )


def backfill_source(
    services: Services, author: Author, order: BackfillSource, progress: Progress = silent
) -> RunBegun:
    """Begin to read streams again; it ends by itself, and syncs go on in between.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such source or stream.
        QueryError: the source is frozen, or the idempotency key was used for something else.
        RequestError: each sync reads the streams whole anyway.
    """
    content = {"source": order.source, "streams": list(order.streams), "anew": order.anew}
    said = Order(Command.SYNC_SOURCE, "backfill", order.key, content)
    with refusals_recorded(services, author, Command.SYNC_SOURCE):
        streams = streams_again(services.sources.config(order.source), order.streams)
        event = author.event(Action.SYNC_REQUESTED, source=order.source, reason_code="backfill")
        return _begun(
            services,
            author,
            said,
            event,
            lambda: services.jobs.backfill(order.source, streams, anew=order.anew, progress=progress),
            lambda connection: require_thawed(connection, order.source),
        )


def replay_quarantine(services: Services, author: Author, order: ReplayQuarantine) -> RunBegun:
    """Begin to map waiting records of the source anew; it ends by itself, and `sources` tells how many still wait.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such source, or nothing of it waits under one of the numbers.
        QueryError: the idempotency key was used for something else.
    """
    content = {"source": order.source, "numbers": list(order.numbers)}
    said = Order(Command.REPLAY_QUARANTINE, "replay", order.key, content)
    with refusals_recorded(services, author, Command.REPLAY_QUARANTINE):
        services.sources.config(order.source)
        event = author.event(Action.QUARANTINE_REPLAYED, source=order.source, reason_code="requested")
        return _begun(
            services,
            author,
            said,
            event,
            lambda: services.jobs.replay(order.source, order.numbers),
            lambda connection: require_waiting(connection, order.source, order.numbers),
        )


def _begun(
    services: Services,
    author: Author,
    order: Order,
    event: AuditEvent,
    start: Callable[[], Job],
    check: Callable[[Connection], None],
) -> RunBegun:
    first = announce(services, author, order, event, check)
    if first is not None:
        return RunBegun(**first)
    job = start()
    begun = _opened(job)
    result: Result = {"source": begun.source, "state": begun.state, "run_id": begun.run_id}
    conclude(services, author, order, result)
    return begun


def _opened(job: Job) -> RunBegun:
    try:
        return RunBegun(job.source, "running", job.opened.result(OPENING_S), job)
    except TimeoutError:
        return RunBegun(job.source, "running", None, job)
    except SourceUnavailableError:
        # Before a run has begun nothing but another one's lock can be in its way.
        return RunBegun(job.source, "already_running", None, job)
