"""`hub erase`: customers are forgotten, files scrubbed of them, and let back in.

Unlike the breaking of a glass, which lends rights that only a role has, an erasure takes nothing that an operator could
not take anyway: the database is theirs. It has to be possible while the API is down, and by a script; who gave the
command stands in the log as `os:USER`, as for any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import uuid4

import typer

from hub import commands
from hub.cli.common import command, opened, operator, out
from hub.errors import QueryError
from hub.services import Services

app = typer.Typer(no_args_is_help=True, help="Erasing customers: all that the hub keeps of them, for good.")

_MOST = 1000
"""Rows of the list in one page."""

Reason = Annotated[
    str, typer.Option(help="Why, in 20 characters at least; sealed. It may not name the customer.")
]
Ticket = Annotated[str, typer.Option(help="Where the request is followed; sealed.")]
Key = Annotated[str | None, typer.Option(help="Given again with the same command, it does nothing more.")]


@command(app)
def customer(
    customers: Annotated[list[str], typer.Argument(help="Public ids of customers.")],
    ground: Annotated[
        str, typer.Option(help=f"GDPR Art. 17(1), (a) to (f): {', '.join(commands.Ground)}.")
    ] = "",
    reason: Reason = "",
    ticket: Ticket = "",
    scrub: Annotated[
        bool, typer.Option("--scrub/--no-scrub", help="Whether files are scrubbed, after the last customer.")
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be erased; leaves an audit event.")
    ] = False,
    key: Key = None,
) -> None:
    """Erase customers. Exit code 3 when something remains; the next start goes on."""
    with opened() as services:
        author = operator(services)
        if dry_run:
            for id_ in customers:
                _print_counts(id_, commands.plan_of_erasure(services, author, id_))
            return
        if ground not in (known := list(commands.Ground)):
            raise QueryError(f"a ground is one of {', '.join(known)}")
        incomplete = False
        for number, id_ in enumerate(customers):
            # Scrubbing clears the files of all whom it finds waiting.
            is_last = number == len(customers) - 1
            order = commands.EraseCustomer(
                id_,
                commands.Ground(ground),
                reason,
                ticket,
                f"{key}.{number}" if key else uuid4().hex,
                scrub=scrub and is_last,
            )
            incomplete |= _erase(services, author, order)
        services.publish()
    if incomplete:
        raise typer.Exit(3)


@command(app, "list")
def list_erasures() -> None:
    """Show all erasures; leaves an audit event. Exit code 3 when one is incomplete, or waits to be scrubbed."""
    found: list[commands.ErasureRecord] = []
    with opened() as services:
        author = operator(services)
        while len(page := commands.list_erasures(services, author, first=_MOST, after=_last(found))) == _MOST:
            found += page
        found += page
    if not found:
        out.print("Nobody was erased.")
        return
    for record in found:
        out.print(f"[bold]{record.id}[/] {record.state}, {record.ground}, {record.at}", highlight=False)
        whom = ", ".join(record.customers) or "single records"
        by = f", by the rule {record.rule}" if record.rule else ""
        out.print(f"  event {record.event}: {whom}{by}", highlight=False, soft_wrap=True)
    if any(record.state != "scrubbed" for record in found):
        raise typer.Exit(3)


@command(app)
def scrub(
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough", help="Write databases anew; on PostgreSQL nobody reads the tables meanwhile."
        ),
    ] = False,
) -> None:
    """Scrub databases and search index of what was erased; PostgreSQL takes --thorough for the last bytes."""
    with opened() as services:
        count = commands.scrub_erasures(services, operator(services), thorough=thorough)
    out.print(f"Scrubbed; {count} erasures waited for it.", highlight=False)


@command(app)
def release(
    reason: Reason,
    ticket: Ticket,
    identifier: Annotated[
        tuple[str, str] | None, typer.Option(help="Kind and value, as: email ann@example.com")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Country of a phone number without country code.")
    ] = None,
    record: Annotated[
        tuple[str, str, str] | None, typer.Option(help="Source, stream and key of a record.")
    ] = None,
    erasure: Annotated[str | None, typer.Option(help="Id of an erasure: all that it keeps out.")] = None,
    key: Key = None,
) -> None:
    """Let in again what an erasure keeps out, because the person came back."""
    scheme, value = identifier or (None, None)
    source, stream, record_key = record or (None, None, None)
    order = commands.ReleaseSuppression(
        reason,
        ticket,
        key or uuid4().hex,
        scheme=scheme,
        value=value,
        region=region,
        source=source,
        stream=stream,
        record_key=record_key,
        erasure=erasure,
    )
    with opened() as services:
        released = commands.release_suppression(services, operator(services), order)
    out.print(f"{released.count} suppressions are taken back; event {released.event}.", highlight=False)


def _last(found: Sequence[commands.ErasureRecord]) -> str:
    return found[-1].id if found else ""


def _erase(services: Services, author: commands.Author, order: commands.EraseCustomer) -> bool:
    """Whether something of the customer remains."""
    done = commands.erase_customer(services, author, order)
    out.print(f"Erased as {done.id}, event {done.event}.", highlight=False)
    _print_counts("deleted", done.counts)
    if done.mentions:
        out.print(f"  mentioned by others: {done.mentions}", highlight=False)
    if done.remaining:
        _print_counts("[red]still there[/]", done.remaining)
    return bool(done.remaining)


def _print_counts(title: str, counts: Mapping[str, int]) -> None:
    out.print(f"  {title}:", highlight=False)
    for place, count in sorted(counts.items()):
        out.print(f"    {place} {count:,}", highlight=False)
