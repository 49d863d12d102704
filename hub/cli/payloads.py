"""`hub audit show` and `hub audit data-keys`: sealed payloads of the audit log, and the keys they live and die by."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated

import typer
from sqlalchemy import Connection

from hub import commands
from hub.audit import Action, Retention, new_master_key
from hub.cli.common import command, opened, operator, out
from hub.errors import NotFoundError, QueryError
from hub.services import Services

data_keys_app = typer.Typer(no_args_is_help=True, help="Keys of the audit log's sealed payloads.")


def show(
    number: Annotated[int, typer.Argument(min=0, help="Number of the event.")],
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Open its sealed payloads; leaves an audit event.")
    ] = False,
) -> None:
    """Show one event of the audit log as it was hashed; leaves an audit event."""
    with opened() as services:
        services.publish_events()
        author = operator(services)
        if reveal:
            revealed = commands.reveal_payloads(services, author, number)
            event = revealed.event
        else:
            event = services.audit.event(number)
            services.recorder.record_sync(author.event(Action.AUDIT_READ, about=event.id))
    typer.echo(event.encode().decode())
    for payload in revealed.payloads if reveal else ():
        if payload.content is None:
            typer.echo(f"destroyed at {payload.destroyed_at:%Y-%m-%d %H:%M:%S} UTC")
            continue
        told = {"subject": payload.subject, "retention": payload.retention, **payload.content}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


@command(data_keys_app)
def make() -> None:
    """Print a new master key; it is kept nowhere. Keep a copy where no backup of the data lies."""
    typer.echo(new_master_key())


@command(data_keys_app)
def rotate() -> None:
    """Wrap all data keys by the first master key that is given, so that the former ones may be taken away."""
    with opened() as services:
        count = services.sealer.keys.rewrap()
        author = operator(services)
        services.recorder.record_sync(author.event(Action.MASTER_KEY_CHANGED, counts={"updated": count}))
    out.print(
        f"{count:,} data keys are wrapped anew; former master keys wrap none any more.", highlight=False
    )


@command(data_keys_app)
def destroy(
    customer: Annotated[str | None, typer.Option(help="Public id of a customer.")] = None,
    day: Annotated[
        str | None, typer.Option(help="A day whose searches nobody shall read, 2026-01-31.")
    ] = None,
    retention: Annotated[
        list[Retention] | None, typer.Option("--class", help="Only this retention class; may be given again.")
    ] = None,
) -> None:
    """Destroy data keys and all that is sealed by them, for good; events and proofs stay as they are."""
    with opened() as services:
        services.publish_events()
        author = operator(services)
        with services.store.read() as connection:
            subjects = _subjects(connection, services, customer, day)
        event = author.event(Action.KEY_DESTROYED, customers=subjects if customer else ())
        # What else is sealed for a day are reasons of erasures, which somebody may have to show for years.
        classes = retention or (list(Retention) if customer else [Retention.SEARCH])
        told = services.sealer.destroy(services.audit, event, subjects, classes)
    if not told:
        raise NotFoundError("there is no key of this kind: nothing is sealed, or it was destroyed before")
    out.print(f"Destroyed {len(told)} keys, and what they sealed.", highlight=False)


def _subjects(connection: Connection, services: Services, customer: str | None, day: str | None) -> list[str]:
    """The names under which keys may be held: a customer's id, and those that were merged into it."""
    if (customer is None) == (day is None):
        raise QueryError("give either --customer or --day")
    if day is not None:
        try:
            return [date.fromisoformat(day).isoformat()]
        except ValueError:
            raise QueryError("--day is no day like 2026-01-31") from None
    return commands.all_ids(services.store, connection, customer or "")
