"""Sources over time: who is read when, who is left alone; and the worker that reads them."""

from __future__ import annotations

import asyncio
import logging
import signal
from datetime import UTC, datetime
from threading import Event
from typing import Annotated
from uuid import uuid4

import typer
from rich.table import Table

from hub import commands
from hub.adapters.connectors import WebhookConfig
from hub.adapters.inbox import Backlog
from hub.adapters.schedules import Turn
from hub.adapters.turns import turns
from hub.cli.common import SourceName, command, opened, operator, out
from hub.cli.terminal import print_report, sync_progress
from hub.errors import QueryError
from hub.services import Services

app = typer.Typer(no_args_is_help=True, help="When sources are read, and which are left alone.")

_STYLES = {"due": "cyan", "running": "cyan", "resting": "red", "frozen": "yellow"}


@command(app, "schedule")
def schedule() -> None:
    """Show when each source is read next, or why it is not."""
    with opened() as services:
        now = datetime.now(UTC)
        found = turns(services.store, services.sources.configs, now, now)
        _print_turns(services, found)


@command(app, "freeze")
def freeze(
    source: SourceName,
    reason: Annotated[str, typer.Option(help="Why, such as a change's number; name nobody.")],
    until: Annotated[
        str | None, typer.Option(help="ISO 8601 time with an offset; until it is thawed unless given.")
    ] = None,
) -> None:
    """Leave a source alone: no sync of it begins until then."""
    with opened() as services:
        order = commands.FreezeSource(source, _moment(until), reason, uuid4().hex)
        name = commands.freeze_source(services, operator(services), order)
        services.publish_events()
    out.print(f"{name} is frozen{f' until {until}' if until else ''}.", highlight=False)


@command(app, "thaw")
def thaw(source: SourceName) -> None:
    """Let a frozen source be read again."""
    with opened() as services:
        name = commands.thaw_source(services, operator(services), commands.ThawSource(source, uuid4().hex))
        services.publish_events()
    out.print(f"{name} may be read again.", highlight=False)


@command(app, "hooks")
def hooks() -> None:
    """Show at which addresses webhooks come in, and how many of their deliveries wait for a run."""
    with opened() as services:
        _print_hooks(services)


@command(app, "backfill")
def backfill(
    source: SourceName,
    stream: Annotated[list[str] | None, typer.Option(help="Only this stream; may be repeated.")] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin again where an earlier backfill was cut off.")
    ] = False,
) -> None:
    """Read streams from their beginning, a batch at a time; syncs of the source go on in between.

    Exit code 3 when the run is suspect, 1 when it failed; then the same command goes on from there.
    """
    with opened() as services:
        order = commands.BackfillSource(source, tuple(stream or ()), anew, uuid4().hex)
        with sync_progress(out, [source]) as bars:
            begun = commands.backfill_source(
                services, operator(services), order, lambda name, counts: bars.update(source, name, counts)
            )
            report = begun.outcome()
            bars.finish(report)
        services.publish()
    print_report(out, report)
    if report.state != "ok":
        raise typer.Exit(3 if report.state == "suspect" else 1)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Read what is due now, then end.")] = False,
) -> None:
    """Read sources by their schedules until told to stop; several workers may share one store."""
    logging.getLogger("hub").setLevel(logging.INFO)
    stop = Event()
    with opened() as services:
        if not any(config.schedule for config in services.sources.configs.values()):
            raise QueryError("no source has a `schedule` in its YAML, so there is nothing to do")
        working = commands.Worker(services, operator(services), services.settings.worker_runs)
        before = {
            sign: signal.signal(sign, lambda *_: stop.set()) for sign in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            asyncio.run(_work(services, working, stop, once=once))
        finally:
            for sign, handler in before.items():
                signal.signal(sign, handler)


async def _work(services: Services, working: commands.Worker, stop: Event, *, once: bool) -> None:
    from hub.api.publisher import publishing

    async with publishing(services):
        if not once:
            await asyncio.to_thread(working.run, stop)
            return
        begun = await asyncio.to_thread(working.run_due, stop)
        out.print(f"Read: {', '.join(begun) or 'nothing was due'}.", highlight=False)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError("--until is no ISO 8601 time, such as 2026-01-31T18:00+01:00") from None
    if moment.tzinfo is None:
        raise QueryError("--until needs an offset, such as 2026-01-31T18:00+01:00")
    return moment


def _print_hooks(services: Services) -> None:
    from hub.api.hooks import hook_path

    backlogs = services.inbox.backlogs()
    base = services.settings.public_url or ""
    table = Table(
        "source",
        "address",
        "signed in",
        "waiting",
        "oldest",
        "newest",
        title="Webhooks",
        title_justify="left",
    )
    for name, config in sorted(services.sources.configs.items()):
        if not isinstance(config.connector, WebhookConfig):
            continue
        found = backlogs.get(name, Backlog(0, None, None))
        times = (f"{each:%Y-%m-%d %H:%M:%S UTC}" if each else "" for each in (found.oldest, found.newest))
        signed = config.connector.signature.header
        table.add_row(name, f"{base}{hook_path(name)}", signed, str(found.waiting), *times)
    out.print(table)
    if not table.row_count:
        out.print("No source has a connector of type webhook.", highlight=False)


def _print_turns(services: Services, found: dict[str, Turn]) -> None:
    table = Table("source", "schedule", "state", "at", "priority", title="Schedules", title_justify="left")
    for name, turn in sorted(found.items()):
        given = services.sources.configs[name].schedule
        said = given.words if given is not None else ""
        style = _STYLES.get(turn.state)
        state = f"[{style}]{turn.state}[/]" if style else turn.state
        at = turn.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if turn.at else ""
        table.add_row(name, said, state, at, str(given.priority) if given else "")
    out.print(table)
