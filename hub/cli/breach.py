"""`hub breach`: whom a breach is about, and the register of incidents with its clock."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from hub.access import fingerprint
from hub.cli.common import command, opened, operator, out
from hub.commands.incidents import Incident
from hub.errors import QueryError
from hub.privacy import breach
from hub.privacy.breach import NotifyIncident, RecordIncident, Where

app = typer.Typer(no_args_is_help=True, help="Breaches: whom they are about, whom to tell, and by when.")

_SHOWN = 20

Source = Annotated[str | None, typer.Option(help="A source whose data is affected.")]
Stream = Annotated[str | None, typer.Option(help="One stream of it.")]
Hub = Annotated[bool, typer.Option("--hub", help="A copy of the store, the index or a backup.")]
Account = Annotated[str | None, typer.Option(help="Subject of a token, or key:ID of an API key.")]
Credential = Annotated[
    str | None,
    typer.Option(help="Fingerprint of the one token or API key, as `hub breach fingerprint` gives it."),
]
Since = Annotated[datetime | None, typer.Option(help="What happened then or later, UTC.")]
Until = Annotated[
    datetime | None, typer.Option(help="What happened before, UTC; of a place, what had come by then.")
]
Id = Annotated[str, typer.Argument(help="Id of the incident.")]
Key = Annotated[str | None, typer.Option(help="Given again with the same command, it does nothing more.")]


@command(app)
def scope(
    source: Source = None,
    stream: Stream = None,
    hub: Hub = False,
    account: Account = None,
    credential: Credential = None,
    since: Since = None,
    until: Until = None,
    ids: Annotated[bool, typer.Option("--ids", help="All ids of those affected, as CSV.")] = False,
) -> None:
    """Show whom a breach is about; leaves an audit event."""
    where = _where(source, stream, hub, account, credential, since, until)
    with opened() as services:
        found = breach.breach_scope(services, operator(services), where)
    if ids:
        sys.stdout.write(breach.as_csv(found.customers))
        return
    _print_extent(found.counts())
    for customer in found.customers[:_SHOWN]:
        out.print(f"  {customer}", highlight=False)
    if len(found.customers) > _SHOWN:
        out.print(f"  and {len(found.customers) - _SHOWN:,} more: --ids gives all", highlight=False)


@command(app, "fingerprint")
def fingerprint_of() -> None:
    """Give the fingerprint of a token or an API key that standard input holds; it is neither kept nor shown."""
    credential = sys.stdin.read().strip()
    if not credential:
        raise QueryError("standard input holds no token or key; write: hub breach fingerprint < FILE")
    out.print(fingerprint(credential), highlight=False)


@command(app, "open")
def open_incident(
    nature: Annotated[str, typer.Option(help="What happened, in 20 characters at least.")],
    consequences: Annotated[str, typer.Option(help="What is likely to come of it; the like.")],
    measures: Annotated[str, typer.Option(help="What was done or is proposed; the like.")],
    owner: Annotated[str, typer.Option(help="The department that answers for it.")],
    aware: Annotated[
        datetime | None, typer.Option(help="When one became aware, UTC; now unless given.")
    ] = None,
    source: Source = None,
    stream: Stream = None,
    hub: Hub = False,
    account: Account = None,
    credential: Credential = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
) -> None:
    """Record a breach with whom it affects; the clock runs from when one became aware."""
    where = _where(source, stream, hub, account, credential, since, until)
    at = _utc(aware) or datetime.now(UTC)
    order = RecordIncident(where, nature, consequences, measures, owner, at, key or uuid4().hex)
    with opened() as services:
        id_ = breach.record_incident(services, operator(services), order)
        services.publish()
        incident, _ = breach.find_incident_of(services, operator(services), id_)
    out.print(f"Incident {id_} affects {incident.people:,} people.", highlight=False)
    out.print(f"  The authority is to be notified by {incident.due_at:%Y-%m-%d %H:%M} UTC.", highlight=False)


@command(app, "list")
def list_incidents() -> None:
    """Show the register; leaves an audit event. Exit code 3 when a notification is overdue."""
    with opened() as services:
        found = breach.incidents(services, operator(services), first=1000)
    if not found:
        out.print("No incident was recorded.")
    for incident in found:
        due = f"due {incident.due_at:%Y-%m-%d %H:%M}, undecided: {', '.join(incident.lacks) or 'nothing'}"
        out.print(
            f"[bold]{incident.id}[/] {_state(incident)}, {incident.people:,} people, {due}", highlight=False
        )
        out.print(f"  {incident.nature}", highlight=False, markup=False, soft_wrap=True)
    if any(incident.is_overdue for incident in found):
        raise typer.Exit(3)


@command(app)
def show(
    incident: Id,
    form: Annotated[
        str, typer.Option("--format", help="`markdown`, `json`, or `csv`: the ids of those affected.")
    ] = "markdown",
) -> None:
    """Write an incident as a file; leaves an audit event."""
    with opened() as services:
        found, customers = breach.find_incident_of(services, operator(services), incident)
    written = {
        "markdown": lambda: breach.as_markdown(found),
        "json": lambda: breach.as_json(found, customers),
        "csv": lambda: breach.as_csv(customers),
    }
    if form not in written:
        raise QueryError(f"a format is one of {', '.join(written)}")
    sys.stdout.write(written[form]())


@command(app)
def notify(
    incident: Id,
    kind: Annotated[
        str,
        typer.Argument(
            help="authority_notified, authority_not_needed, people_told, people_not_needed, measure or closed."
        ),
    ],
    note: Annotated[str, typer.Option(help="A reference, or the reasons.")],
    at: Annotated[datetime | None, typer.Option(help="When, UTC; now unless given.")] = None,
    key: Key = None,
) -> None:
    """Note what was done about an incident: whom was told, why nobody was, a measure, its end."""
    order = NotifyIncident(incident, kind, note, key or uuid4().hex, _utc(at))  # type: ignore[arg-type]  # it is checked
    with opened() as services:
        found = breach.note_incident(services, operator(services), order)
        services.publish()
    out.print(f"{_state(found)}; undecided: {', '.join(found.lacks) or 'nothing'}", highlight=False)


@command(app)
def people(incident: Id) -> None:
    """Show how those affected can be reached, as lines of JSON; an access of its own in the log."""
    with opened() as services:
        found = breach.people_of(services, operator(services), incident)
    for each in found:
        sys.stdout.write(json.dumps(each, ensure_ascii=False) + "\n")


def _where(
    source: str | None,
    stream: str | None,
    hub: bool,
    account: str | None,
    credential: str | None,
    since: datetime | None,
    until: datetime | None,
) -> Where:
    return Where(
        source=source,
        stream=stream,
        whole_hub=hub,
        account=account,
        credential=credential,
        since=_utc(since),
        until=_utc(until),
    )


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _state(incident: Incident) -> str:
    if incident.is_closed:
        return "closed"
    return "open, notification overdue" if incident.is_overdue else "open"


def _print_extent(found: Mapping[str, Any]) -> None:
    out.print(
        f"Affected: {found['customers']:,} customers, and {found['erased']:,} erased since", highlight=False
    )
    for name in ("events", "nameless", "cut", "unresolved", "waiting"):
        if found[name]:
            out.print(f"  {name} {found[name]:,}", highlight=False)
    for title in ("categories", "types"):
        for name, count in found[title].items():
            out.print(f"  {title[:-1] if title == 'types' else 'category'} {name} {count:,}", highlight=False)
    for each in found["actors"]:
        told = f"{each['events']:,} accesses to {each['customers']:,} customers"
        out.print(f"  account {each['account']} ({', '.join(each['roles'])}): {told}", highlight=False)
    for name, count in found["credentials"].items():
        out.print(f"  credential {name}: {count:,} customers", highlight=False)
