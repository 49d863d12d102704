"""`hub retention` and `hub hold`: what is overdue and the run that erases it; who may not be erased."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import uuid4

import typer

from hub import commands
from hub.cli.common import command, opened, operator, out
from hub.errors import QueryError
from hub.privacy.retention import RetentionReport, RunRetention, retention_report, run_retention

app = typer.Typer(no_args_is_help=True, help="Retention: what is kept for longer than the rules let it.")
hold_app = typer.Typer(no_args_is_help=True, help="Legal holds: customers who may not be erased.")

Key = Annotated[str | None, typer.Option(help="Given again with the same command, it does nothing more.")]


@command(app)
def report(
    at: Annotated[
        datetime | None, typer.Option(help="What would be overdue then, UTC; now unless given.")
    ] = None,
) -> None:
    """Count what is overdue by each rule; changes nothing. Exit code 3 when something is."""
    with opened() as services:
        found = retention_report(services, operator(services), at=at and at.replace(tzinfo=UTC))
    _print(found)
    if found.overdue:
        raise typer.Exit(3)


@command(app)
def run(
    rule: Annotated[list[str] | None, typer.Option(help="Only by this rule; may be given again.")] = None,
    most: Annotated[
        int, typer.Option(help="After so many rows and customers no further batch begins.")
    ] = 100_000,
    scrub: Annotated[
        bool, typer.Option("--scrub/--no-scrub", help="Whether files are scrubbed at the end.")
    ] = True,
    key: Key = None,
) -> None:
    """Erase what is overdue. Exit code 3 when something of it is left."""
    with opened() as services:
        order = RunRetention(key or uuid4().hex, tuple(rule or ()), most, scrub)
        done = run_retention(services, operator(services), order)
        services.publish()
    out.print(f"Retention run {done.event}, {len(done.erasures)} batches.", highlight=False)
    out.print(f"  customers {done.customers:,}, records {done.records:,}", highlight=False)
    for type_, count in sorted(done.rows.items()):
        out.print(f"    {type_} {count:,}", highlight=False)
    out.print(
        f"  left: due {done.overdue:,}, held {done.held:,}, bound {done.bound:,}, remaining {done.remaining:,}",
        highlight=False,
    )
    if done.remaining or done.overdue:
        raise typer.Exit(3)


@command(hold_app)
def place(
    matter: Annotated[str, typer.Option(help="The case that it is for; it may name nobody.")],
    reason: Annotated[str, typer.Option(help="Why, in 20 characters at least; it may name nobody.")],
    owner: Annotated[str, typer.Option(help="The department that answers for it.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day of its review.")],
    customers: Annotated[list[str] | None, typer.Argument(help="Public ids of customers.")] = None,
    match: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Instead: property and value, as: Order.orderNumber 10023"),
    ] = None,
    key: Key = None,
) -> None:
    """Keep customers from being erased until the hold is released."""
    type_, prop = _property(match[0]) if match else (None, None)
    order = commands.PlaceHold(
        matter,
        reason,
        owner,
        until.date(),
        key or uuid4().hex,
        customers=tuple(customers or ()),
        type=type_,
        property=prop,
        value=match[1] if match else None,
    )
    with opened() as services:
        placed = commands.place_hold(services, operator(services), order)
        services.publish()
    out.print(f"Hold {placed.id} is on {placed.customers} customers.", highlight=False)


@command(hold_app, "list")
def list_holds(
    released: Annotated[bool, typer.Option("--released", help="Those that were released.")] = False,
) -> None:
    """Show legal holds; leaves an audit event. Exit code 3 when the review of one is overdue."""
    with opened() as services:
        found = commands.legal_holds(services, operator(services), released=released, first=1000)
    if not found:
        out.print("Nobody is held." if not released else "No hold was released.")
    for hold in found:
        state = "review overdue" if hold.is_overdue else "released" if hold.released_at else "in force"
        out.print(f"[bold]{hold.id}[/] {state}, until {hold.until}, {hold.owner}", highlight=False)
        out.print(f"  {hold.matter}: {hold.reason}", highlight=False, markup=False, soft_wrap=True)
        out.print(f"  {', '.join(hold.customers)}", highlight=False, soft_wrap=True)
    if any(hold.is_overdue for hold in found):
        raise typer.Exit(3)


@command(hold_app)
def release(
    hold: Annotated[str, typer.Argument(help="Id of the hold.")],
    reason: Annotated[str, typer.Option(help="Why, in 20 characters at least; sealed.")],
    key: Key = None,
) -> None:
    """End a legal hold."""
    with opened() as services:
        order = commands.ReleaseHold(hold, reason, key or uuid4().hex)
        id_ = commands.release_hold(services, operator(services), order)
        services.publish()
    out.print(f"Hold {id_} is released.", highlight=False)


def _property(path: str) -> tuple[str, str]:
    type_, _, prop = path.partition(".")
    if not prop:
        raise QueryError("a property is named by its type and itself, as Order.orderNumber")
    return type_, prop


def _print(found: RetentionReport) -> None:
    if not found.rules:
        out.print("There are no rules: nothing is ever overdue.")
    for rule in found.rules:
        late = "  [red]review overdue[/]" if date.fromisoformat(rule.review) < found.at.date() else ""
        undated = f", {rule.undated:,} undated" if rule.undated else ""
        out.print(
            f"[bold]{rule.name}[/] before {rule.cutoff:%Y-%m-%d} ({rule.keep_days:,} days): due {rule.due:,}, held"
            f" {rule.held:,}, bound {rule.bound:,}{undated}{late}",
            highlight=False,
        )
        for line in rule.lines:
            where = f"{line.type} of {line.source}" if line.source else line.type
            out.print(
                f"  {where}: due {line.due:,}, held {line.held:,}, bound {line.bound:,}", highlight=False
            )
    out.print(f"Overdue: {found.overdue:,}", highlight=False)
