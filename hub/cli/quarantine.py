"""The commands for records that could not be accepted."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

import typer

from hub import commands
from hub.adapters import quarantine
from hub.cli.common import SourceName, Values, actor, command, opened, operator, out, record_values_shown
from hub.cli.terminal import print_quarantine, print_quarantined, print_report

app = typer.Typer(no_args_is_help=True, help="Records that could not be accepted.")


@command(app, "list")
def quarantine_list(
    source: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 100,
) -> None:
    """Show what waits in quarantine: where from, which field, why."""
    with opened() as services:
        if source is not None:
            services.sources.config(source)
        with services.store.read() as connection:
            waiting = quarantine.waiting(connection, source, limit=limit)
    print_quarantine(out, waiting)


@command(app, "show")
def quarantine_show(
    number: Annotated[int, typer.Argument(help="Number of the record in `hub quarantine list`.")],
    values: Values = False,
) -> None:
    """Show one waiting record with its payload's form, or with --values the payload."""
    with opened() as services:
        with services.store.read() as connection:
            found = quarantine.show(connection, number)
        if values:
            record_values_shown(services, found.source)
    print_quarantined(out, found, values=values)


@command(app, "replay")
def quarantine_replay(
    source: SourceName,
    numbers: Annotated[list[int] | None, typer.Argument(help="Only these records.")] = None,
) -> None:
    """Map the waiting records of a source anew, after its mapping was corrected."""
    with opened() as services:
        order = commands.ReplayQuarantine(source, tuple(numbers or ()), uuid4().hex)
        report = commands.replay_quarantine(services, operator(services), order).outcome()
        services.publish()
    print_report(out, report)


@command(app, "discard")
def quarantine_discard(
    number: Annotated[int, typer.Argument(help="Number of the record in `hub quarantine list`.")],
) -> None:
    """Take one waiting record out for good; leaves an audit event."""
    with opened() as services:
        found = services.syncer.discard(number, actor())
        services.publish()
    out.print(f"Discarded {found.source}.{found.stream} at {found.position}.", highlight=False)
