"""`hub audit who-saw` and its like: questions to the audit log, on the machine itself; each is on record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from hub import commands
from hub.audit import RULE, RecordedEvent, Usual, Volume
from hub.cli.common import opened, operator, out
from hub.commands import Author, Change, Narrowed
from hub.errors import QueryError
from hub.services import Services

_WEEK = timedelta(days=7)
_MOST = 10_000
_SHOWN = 3
"""Customers of an event that a line shows; JSON has all of them."""

Customer = Annotated[str, typer.Argument(help="Public id of a customer, a retired one too.")]
Category = Annotated[
    list[str] | None,
    typer.Option("--category", help="Only this data category and those below; may be given again."),
]
Purpose = Annotated[
    list[str] | None, typer.Option("--purpose", help="Only this purpose; may be given again.")
]
Since = Annotated[str | None, typer.Option(help="A day, or an instant with its zone, to begin with.")]
Until = Annotated[str | None, typer.Option(help="A day, or an instant with its zone, before which to end.")]
First = Annotated[int, typer.Option(min=1, max=_MOST, help="Events at most.")]
After = Annotated[int, typer.Option(min=-1, help="Number of the event after which to begin.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead, a line for each event.")]


def who_saw(
    customer: Customer,
    category: Category = None,
    purpose: Purpose = None,
    since: Since = None,
    until: Until = None,
    first: First = 100,
    after: After = -1,
    as_json: AsJson = False,
) -> None:
    """Show who was told of a customer, and of what; leaves an audit event."""
    narrowed = _narrowed(category, purpose, since, until)
    with _asking() as (services, author):
        found = commands.accesses_of(services, author, customer, narrowed, first=first, after=after)
    _show(found.page.events, found.page.next, as_json)


def seen_by(
    subject: Annotated[str, typer.Argument(help="A user or a key, as events name it.")],
    category: Category = None,
    purpose: Purpose = None,
    since: Since = None,
    until: Until = None,
    first: First = 100,
    after: After = -1,
    as_json: AsJson = False,
) -> None:
    """Show what somebody was told, and of whom; leaves an audit event."""
    narrowed = _narrowed(category, purpose, since, until)
    with _asking() as (services, author):
        page = commands.accesses_by(services, author, subject, narrowed, first=first, after=after)
    _show(page.events, page.next, as_json)


def changes(
    customer: Customer,
    category: Category = None,
    since: Since = None,
    until: Until = None,
    first: First = 100,
    after: After = -1,
    prov: Annotated[
        Path | None,
        typer.Option(help="Write them to this file as W3C PROV (PROV-JSON) instead, all of them."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed in a customer, and from which source records; leaves an audit event."""
    narrowed = _narrowed(category, None, since, until)
    with _asking() as (services, author):
        if prov is not None:
            _write_prov(services, author, customer, narrowed, prov)
            return
        found = commands.changes_of(services, author, customer, narrowed, first=first, after=after)
    records = {change.recorded.seq: change.records for change in found.changes}
    _show([change.recorded for change in found.changes], found.next, as_json, records)


def empty_reads(
    category: Category = None,
    purpose: Purpose = None,
    since: Since = None,
    until: Until = None,
    first: First = 100,
    after: After = -1,
    as_json: AsJson = False,
) -> None:
    """Show what asked for personal data and told of nobody, in the last week unless said; leaves an audit event."""
    begin, end = _window(since, until)
    narrowed = Narrowed(categories=category or (), purposes=purpose or (), since=begin, until=end)
    with _asking() as (services, author):
        page = commands.reads_without_result(services, author, narrowed, first=first, after=after)
    _show(page.events, page.next, as_json)


def unusual(since: Since = None, until: Until = None, first: First = 100, as_json: AsJson = False) -> None:
    """Show exports and unusual volumes of the last week, or of up to 31 days; leaves an audit event."""
    begin, end = _window(since, until)
    with _asking() as (services, author):
        found = commands.unusual_access(services, author, begin, end, first=first)
    if as_json:
        volumes = [{**asdict(each), "day": each.day.isoformat()} for each in found.volumes]
        exports = [_as_json(each) for each in found.exports.events]
        typer.echo(json.dumps({"rule": RULE, "volumes": volumes, "exports": exports}))
        return
    for volume in found.volumes:
        _print_volume(volume)
    if not found.volumes:
        out.print("No volume is unusual.")
    out.print("Exports:" if found.exports.events else "Nothing was exported.")
    if found.exports.events:
        _show(found.exports.events, found.exports.next, as_json=False)


def sample(
    size: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 50,
    seed: Annotated[
        str, typer.Option(help="What the draw follows from; the same seed draws the same.")
    ] = "0",
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Draw reads, searches and exports at random for a review, of the last week unless said; leaves an audit event."""
    begin, end = _window(since, until)
    with _asking() as (services, author):
        drawn = commands.audit_sample(services, author, begin, end, size=size, seed=seed)
    if not as_json:
        out.print(f"{len(drawn.events)} of {drawn.population:,} accesses", highlight=False)
    _show(drawn.events, None, as_json)


def under_glass(
    id_: Annotated[str, typer.Argument(help="Id of the break-glass in `hub access glass list`.")],
    first: First = 100,
    after: After = -1,
    as_json: AsJson = False,
) -> None:
    """Show all that happened under a break-glass, and to it; leaves an audit event."""
    with _asking() as (services, author):
        page = commands.uses_of_glass(services, author, id_, first=first, after=after)
    _show(page.events, page.next, as_json)


QUESTIONS = (who_saw, seen_by, changes, empty_reads, unusual, sample, under_glass)
"""The commands, which `hub audit` has under their own names."""


@contextmanager
def _asking() -> Iterator[tuple[Services, Author]]:
    with opened() as services:
        yield services, operator(services)


def _write_prov(services: Services, author: Author, customer: str, narrowed: Narrowed, path: Path) -> None:
    after, all_of_them, now = -1, list[Change](), customer
    while True:
        found = commands.changes_of(services, author, customer, narrowed, first=_MOST, after=after)
        all_of_them += found.changes
        now = found.customers[0]
        if found.next is None:
            break
        after = found.next
    path.write_bytes(orjson.dumps(commands.prov(now, all_of_them), option=orjson.OPT_INDENT_2) + b"\n")
    out.print(f"{len(all_of_them):,} changes written to {path}", highlight=False, markup=False)


# what is said of times


def _narrowed(
    categories: list[str] | None, purposes: list[str] | None, since: str | None, until: str | None
) -> Narrowed:
    return Narrowed(
        categories=categories or (),
        purposes=purposes or (),
        since=instant("--since", since),
        until=instant("--until", until),
    )


def _window(since: str | None, until: str | None) -> tuple[datetime, datetime]:
    end = instant("--until", until) or datetime.now(UTC)
    return instant("--since", since) or end - _WEEK, end


def instant(option: str, text: str | None) -> datetime | None:
    """As `moment`; None where the option is not given."""
    return None if text is None else moment(option, text)


def moment(option: str, text: str) -> datetime:
    """The moment that an option names; a day is its first moment, of UTC.

    Raises:
        QueryError: it is neither a day nor an instant.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{option} is no day like 2026-01-31 or instant like 2026-01-31T12:00:00Z") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


# what is shown


def _show(
    events: Sequence[RecordedEvent],
    following: int | None,
    as_json: bool,
    records: dict[int, tuple[commands.SourceRecord, ...]] | None = None,
) -> None:
    for each in events:
        behind = (records or {}).get(each.seq, ())
        if as_json:
            more = {} if records is None else {"records": [asdict(record) for record in behind]}
            typer.echo(orjson.dumps({**_as_json(each), **more}).decode())
            continue
        for line in (_line(each), *(f"  from {_record(record)}" for record in behind)):
            out.print(escape(line), highlight=False, soft_wrap=True)
    if as_json:
        return
    if not events:
        out.print("No event fits.")
    if following is not None:
        out.print(f"There may be more: --after {following}", highlight=False)


def _as_json(each: RecordedEvent) -> dict[str, Any]:
    return {"seq": each.seq, "event": orjson.loads(each.event.encode())}


def _line(each: RecordedEvent) -> str:
    event = each.event
    who = f"{event.actor} ({', '.join(event.roles)})" if event.roles else event.actor
    told = [f"{each.seq}", f"{event.at:%Y-%m-%d %H:%M:%S}", event.action.value, event.outcome.value, who]
    why = (event.purpose, event.reason_code, event.source and f"source {event.source}")
    told += [part for part in why if part]
    told += [", ".join(event.data_categories)] if event.data_categories else []
    told += [_names(event.customers)] if event.customers else []
    told += [f"under break-glass {event.break_glass}"] if event.break_glass else []
    return " | ".join(told)


def _names(customers: Sequence[str]) -> str:
    shown, more = customers[:_SHOWN], len(customers) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _record(record: commands.SourceRecord) -> str:
    return f"record {record.id} of {record.source}.{record.stream}, run {record.run_id}, landed {record.landed_at}"


def _print_volume(volume: Volume) -> None:
    line = f"{volume.day} | {volume.actor} ({', '.join(volume.roles)}) | {volume.customers:,} customers"
    line += f" by {volume.events:,} events | {', '.join(volume.reasons)}"
    out.print(escape(line), highlight=False, soft_wrap=True)
    for name, usual in (("own past", volume.own), ("role", volume.role)):
        out.print(f"  {name}: {_usual(usual)}", highlight=False)


def _usual(usual: Usual | None) -> str:
    if usual is None:
        return "too few days to compare with"
    return (
        f"median {usual.median:g}, deviation {usual.deviation:.3g} over {usual.days} days,"
        f" unusual above {usual.bound:g}"
    )
