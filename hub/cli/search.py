"""`hub search` and `hub index`: a search on the machine itself, and the index that it is answered from."""

from __future__ import annotations

import html
import re
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hub import commands
from hub.cli.common import command, opened, operator, out
from hub.errors import QueryError, StoreUnavailableError
from hub.search import MAX_FIRST, Narrowing, SearchAnswer
from hub.values import first_day, is_partial_date, last_day

app = typer.Typer(no_args_is_help=True, help="The search index: its state, its check, its building anew.")

Day = Annotated[str | None, typer.Option(help="A day, a month or a year, 2026-01-31.")]


def search(
    text: Annotated[str, typer.Argument(help="Words of which all must match.")],
    type_: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type, like `Customer`; may be given again.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Only what this source states; may be given again.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Only what has this value of a facet, `Ticket.status=open`; may be given again."),
    ] = None,
    facet: Annotated[
        list[str] | None, typer.Option(help="Count by this facet, `Ticket.status`; may be given again.")
    ] = None,
    since: Day = None,
    until: Day = None,
    first: Annotated[int, typer.Option(min=0, max=MAX_FIRST, help="Hits at most.")] = 10,
) -> None:
    """Find customers and what belongs to them by any of their words; leaves an audit event."""
    within = Narrowing(
        types=tuple(type_ or ()),
        sources=tuple(source or ()),
        tags=_tags(where or ()),
        since=first_day(_partial(since)) if since else None,
        until=last_day(_partial(until)) if until else None,
    )
    with opened() as services:
        services.publish_changes()
        answer = commands.search(services, operator(services), text, within, facets=facet or (), first=first)
    _show(answer)


@command(app)
def status() -> None:
    """Show which engine keeps the index, how many documents it has and how far it is behind."""
    with opened() as services:
        behind = services.indexer.lag()
        documents = sum(1 for _ in services.search.engine.stamps())
        name = services.search.engine.name
    out.print(f"{name}: {documents:,} documents, {behind:,} changes behind", highlight=False, markup=False)


@command(app)
def check() -> None:
    """Compare the index with the store and put it right. Exit code 3 when there was a difference."""
    with opened() as services:
        checked = services.indexer.check()
    if checked is None:
        raise StoreUnavailableError("another process keeps the search index; try again later")
    out.print(f"{checked.documents:,} documents, {checked.drift:,} put right", highlight=False, markup=False)
    if checked.drift:
        raise typer.Exit(3)


@command(app)
def rebuild() -> None:
    """Build the index anew beside the old one, which answers meanwhile, then put it in its place."""
    with opened() as services:
        if not services.indexer.rebuild():
            raise StoreUnavailableError("another process keeps the search index; try again later")
        documents = sum(1 for _ in services.search.engine.stamps())
    out.print(f"{documents:,} documents", highlight=False, markup=False)


def _tags(given: list[str] | tuple[()]) -> dict[str, tuple[str, ...]]:
    tags: dict[str, tuple[str, ...]] = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign:
            raise QueryError("a facet's value is given as FACET=VALUE, such as Ticket.status=open")
        tags[name] = (*tags.get(name, ()), value)
    return tags


def _partial(text: str) -> str:
    if not is_partial_date(text):
        raise QueryError("a day is YYYY, YYYY-MM or YYYY-MM-DD")
    return text


def _show(answer: SearchAnswer) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("type", "id", "title", "match"):
        table.add_column(column)
    for hit in answer.hits:
        table.add_row(hit.type, hit.id, escape(hit.title), _marked(hit.snippet))
    out.print(table if answer.hits else "nothing was found", highlight=False)
    if answer.did_you_mean:
        out.print(f"did you mean: {escape(answer.did_you_mean)}", highlight=False)
    for name, counts in (("type", answer.facets), *answer.counts.items()):
        least = "+" if answer.at_least else ""
        shown = ", ".join(f"{value} {count:,}{least}" for value, count in counts.items())
        out.print(f"{name}: {escape(shown) or 'none'}", highlight=False)


def _marked(snippet: str) -> str:
    parts = re.split(r"</?mark>", snippet)
    plain = (escape(html.unescape(part)) for part in parts)
    return "".join(f"[bold]{part}[/]" if at % 2 and part else part for at, part in enumerate(plain))
