"""`hub privacy access` and its like: the map, samples for reviews, changes, attestations, today's matters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.markup import escape
from rich.table import Table

from hub import commands
from hub.audit import Use
from hub.cli.common import opened, operator, out
from hub.cli.questions import instant
from hub.commands import Author
from hub.errors import QueryError
from hub.privacy import access as privacy_access
from hub.privacy import home as privacy_home
from hub.services import Services

_NAMED = 3
"""Categories or people that a line shows; JSON has all of them."""
_STYLES = {"ok": "green", "attention": "yellow", "late": "red"}

Since = Annotated[str | None, typer.Option(help="A day or an instant; 90 days ago unless given.")]
Until = Annotated[str | None, typer.Option(help="A day or an instant before which to end; now unless given.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead, with all that is known.")]


def access(
    role: Annotated[str | None, typer.Option(help="Only rules for this role.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Only rules for this purpose.")] = None,
    category: Annotated[str | None, typer.Option(help="Only rules that reach this data category.")] = None,
    unused: Annotated[bool, typer.Option("--unused", help="Only grants that nobody made use of.")] = False,
    due: Annotated[
        bool, typer.Option("--due", help="Only rules past their review, or not attested in the quarter.")
    ] = False,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Show each rule of the policy with why, since when, and who made use of it; leaves an audit event."""
    narrowing = privacy_access.Narrowing(role=role, purpose=purpose, category=category)
    with _asking() as (services, author):
        found = privacy_access.access_map(
            services, author, narrowing, instant("--since", since), instant("--until", until)
        )
    rules = [
        seen
        for seen in found.rules
        if (not unused or seen.is_unused) and (not due or seen.is_past_review or seen.is_past_attestation)
    ]
    if as_json:
        _echo([_rule_as_json(seen) for seen in rules])
        return
    _print_rules(rules)
    out.print(
        f"{found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}: {found.reads:,} reads, {found.without_result:,} without a"
        f" result, {found.refused_purpose:,} refused for lack of a purpose,"
        f" {len(found.unusual)} unusual volumes (hub audit unusual)",
        highlight=False,
        soft_wrap=True,
    )


def readers(
    path: Annotated[str, typer.Argument(help="A property such as `Customer.email`, or a data category.")],
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Show who can see a field, by role and person, and who did; leaves an audit event."""
    with _asking() as (services, author):
        found = privacy_access.field_access(
            services, author, path, instant("--since", since), instant("--until", until)
        )
    if as_json:
        by = [{**asdict(each), "via": [asdict(reason) for reason in each.via]} for each in found.readers]
        _echo({"path": found.path, "category": found.category, "special": found.special, "readableBy": by})
        return
    special = ", opened only by a grant that names it" if found.special else ""
    out.print(f"[bold]{escape(found.path)}[/] is {found.category}{special}", highlight=False)
    table = _table("role", "for purpose", "sees", "people", "reads", "last", "by", "customers")
    for each in found.readers:
        opens = f", break-glass {each.break_glass_minutes} min" if each.break_glass_minutes else ""
        sees = ", ".join([*each.within, each.effect]) + opens
        people = _few([person.subject for person in each.people])
        table.add_row(each.role, each.purpose, sees, people, *_use(each.use))
    out.print(table)


def review(
    size: Annotated[int, typer.Option("--sample", min=1, max=1_000, help="How many.")] = 50,
    seed: Annotated[str, typer.Option(help="What the draw follows from; the same draws the same.")] = "0",
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Draw accesses at random, each with what is to be looked at; leaves an audit event."""
    with _asking() as (services, author):
        found = privacy_access.access_review(
            services,
            author,
            size=size,
            seed=seed,
            since=instant("--since", since),
            until=instant("--until", until),
        )
    if as_json:
        _echo([_event_as_json(each) for each in found.events])
        return
    out.print(f"{len(found.events)} of {found.population:,} accesses", highlight=False)
    table = _table("event", "at", "by", "for purpose", "categories", "customers", "flags")
    for each in found.events:
        event = each.recorded.event
        who = f"{event.actor} ({', '.join(event.roles)})"
        numbers = (str(each.recorded.seq), f"{event.at:%Y-%m-%d %H:%M}")
        told = (_few(event.data_categories), str(len(event.customers)), ", ".join(each.flags))
        table.add_row(*numbers, who, event.purpose or "-", *told)
    out.print(table)
    for flag in sorted({flag for each in found.events for flag in each.flags}):
        out.print(f"{flag}: {privacy_access.FLAGS[flag]}", highlight=False, soft_wrap=True)


def diff(
    since: Annotated[str, typer.Option("--from", help="A day or an instant.")],
    until: Annotated[str | None, typer.Option("--to", help="A day or an instant; now unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two moments: rights, properties, fields of sources; leaves an audit event."""
    begin = instant("--from", since) or datetime.now(UTC)
    with _asking() as (services, author):
        end = instant("--to", until) or datetime.now(UTC)
        found = privacy_access.map_diff(services, author, begin, end)
    if as_json:
        _echo([asdict(each) for each in found.changes])
        return
    for kind in found.unknown:
        out.print(f"Of {kind} nothing was kept yet then; the oldest that was stands in.", highlight=False)
    if not found.changes:
        out.print("Nothing changed.")
        return
    table = _table("", "what", "before", "after", "by", "since")
    for each in found.changes:
        cause = (f"{each.cause.kind} {each.cause.sha256[:12]}", each.cause.since[:16])
        table.add_row(
            each.how, escape(each.what), escape(each.before or "-"), escape(each.after or "-"), *cause
        )
    out.print(table)


def attest(
    rules: Annotated[list[str], typer.Argument(help="Ids of rules, as `hub privacy access` shows them.")],
    verdict: Annotated[str, typer.Option(help=f"One of {', '.join(commands.Verdict)}.")],
) -> None:
    """Say that rules of the policy were looked at; the policy's file is changed by its owner."""
    if verdict not in (known := list(commands.Verdict)):
        raise QueryError(f"a verdict is one of {', '.join(known)}")
    with _asking() as (services, author):
        for rule in rules:
            order = commands.AttestGrant(rule, commands.Verdict(verdict), uuid4().hex)
            done = commands.attest_grant(services, author, order)
            out.print(f"{rule}: {done.verdict}, event {done.event_id}", highlight=False)


def home(as_json: AsJson = False) -> None:
    """Show what a compliance officer has to look at today. Exit code 3 when something is late."""
    with _asking() as (services, author):
        matters = privacy_home.compliance_overview(services, author)
    if as_json:
        _echo([asdict(each) for each in matters])
    for matter in () if as_json else matters:
        style = _STYLES[matter.state]
        out.print(
            f"[{style}]{matter.state:9}[/] {matter.label}: {len(matter.items)}  ({matter.how})",
            highlight=False,
        )
        for item in matter.items[:_NAMED]:
            due = f", by {item.due:%Y-%m-%d}" if item.due else ""
            owner = f" ({item.owner})" if item.owner else ""
            out.print(f"          {escape(item.what)}{owner}{due}", highlight=False, soft_wrap=True)
        if len(matter.items) > _NAMED:
            out.print(f"          and {len(matter.items) - _NAMED} more")
    if any(matter.state == "late" for matter in matters):
        raise typer.Exit(3)


COMMANDS = (access, readers, review, diff, attest, home)
"""The commands, which `hub privacy` has under their own names."""


@contextmanager
def _asking() -> Iterator[tuple[Services, Author]]:
    with opened() as services:
        yield services, operator(services)


def _print_rules(rules: Sequence[privacy_access.Seen]) -> None:
    table = _table(
        "rule",
        "roles",
        "for",
        "effect",
        "names",
        "owner",
        "since",
        "review",
        "attest by",
        "reads",
        "last",
        "by",
        "of",
    )
    for seen in rules:
        rule = seen.rule
        whom = (rule.id, _few(rule.roles), _few(rule.purposes))
        what = (rule.effect if rule.scope == "none" else f"{rule.effect} in {rule.scope}", _few(rule.names))
        days = (_day(seen.since), _late(rule.review.isoformat(), seen.is_past_review))
        by = _late(_day(seen.attest_by), seen.is_past_attestation)
        table.add_row(*whom, *what, rule.owner, *days, by, *_use(seen.use))
    out.print(table)


def _use(use: Use | None) -> tuple[str, str, str, str]:
    if use is None:
        return "", "", "", ""
    return f"{use.reads:,}", _day(use.last_at), str(len(use.people)), f"{use.customers:,}"


def _late(text: str, is_late: bool) -> str:
    return f"[red]{text}[/]" if is_late else text


def _day(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d}"


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" +{more}" if more > 0 else "")


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head)
    return table


def _rule_as_json(seen: privacy_access.Seen) -> dict[str, Any]:
    state = {"isPastAttestation": seen.is_past_attestation}
    return {**asdict(seen), **state}


def _event_as_json(each: privacy_access.Reviewed) -> dict[str, Any]:
    event = json.loads(each.recorded.event.encode())
    return {"seq": each.recorded.seq, "flags": each.flags, "event": event}


def _echo(said: Iterable[Any]) -> None:
    typer.echo(json.dumps(said, default=str, indent=1))
