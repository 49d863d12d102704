"""The commands `hub access glass`: the review queue of broken glasses.

Breaking one takes a role, and so a token: that is for the API alone.
"""

from __future__ import annotations

from typing import Annotated, get_args
from uuid import uuid4

import typer
from rich.markup import escape

from hub import commands
from hub.audit import Action
from hub.cli.common import command, opened, operator, out
from hub.errors import QueryError
from hub.services import Services

app = typer.Typer(no_args_is_help=True, help="Broken glasses: who opened what of whom, and why.")

_MOST = 1000
"""Rows of the queue; there are that many only where nobody reviews."""

Id = Annotated[str, typer.Argument(help="Id of the break-glass in `hub access glass list`.")]


@command(app, "list")
def list_glasses(
    reviewed: Annotated[bool, typer.Option("--reviewed", help="Those that were reviewed instead.")] = False,
) -> None:
    """Show the glasses that wait for a review; leaves an audit event. Exit code 3 when a review is late."""
    with opened() as services:
        author = _author(services)
        found = commands.broken_glasses(services, author, reviewed=reviewed, first=_MOST)
        customers = tuple(dict.fromkeys(glass.customer_id for glass in found))
        services.recorder.record_sync(
            author.event(Action.READ, customers=customers, counts={"results": len(found)})
        )
    if not found:
        out.print("No break-glass waits for a review." if not reviewed else "None was reviewed.")
        return
    _print(found)
    if any(glass.is_overdue for glass in found):
        raise typer.Exit(3)


@command(app)
def stop(id_: Id) -> None:
    """End a break-glass now."""
    with opened() as services:
        glass = commands.stop_glass(services, _author(services), id_)
        services.publish_events()
    out.print(f"{glass.id} ended at {glass.stopped_at}.", highlight=False)


@command(app)
def review(
    id_: Id,
    outcome: Annotated[str, typer.Argument(help="`justified` or `not_justified`.")],
    note: Annotated[str, typer.Option(help="What there is to say of it.")] = "",
) -> None:
    """Say of a break-glass that has ended whether it was justified."""
    known = next((each for each in get_args(commands.Outcome) if each == outcome), None)
    if known is None:
        raise QueryError(f"an outcome is one of {', '.join(get_args(commands.Outcome))}")
    with opened() as services:
        order = commands.ReviewGlass(id_, known, note, uuid4().hex)
        commands.review_glass(services, _author(services), order)
        services.publish_events()
    out.print(f"{id_} is reviewed: {outcome}.", highlight=False)


def _author(services: Services) -> commands.Author:
    return operator(services)


def _print(found: list[commands.BrokenGlass]) -> None:
    """A paragraph each: no column of a table could hold an id, a reason and what was opened."""
    for glass in found:
        state = "[red]overdue[/]" if glass.is_overdue else glass.outcome or glass.state
        told = "told" if glass.notified_at else "not told"
        out.print(f"[bold]{glass.id}[/] {state}", highlight=False)
        for line in (
            f"{glass.subject} ({', '.join(glass.roles)}) for {glass.purpose}: {', '.join(glass.categories)}",
            f"of {glass.customer_id}, {glass.started_at} to {glass.stopped_at or glass.expires_at}",
            f"used {glass.uses} times, {told}",
            f"{glass.ticket}: {glass.reason}",
        ):
            out.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
