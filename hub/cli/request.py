"""`hub request`: what people ask for by right, from the letter to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import uuid4

import typer

from hub.cli.common import command, opened, operator, out
from hub.cli.questions import instant
from hub.errors import QueryError
from hub.privacy import requests
from hub.privacy.requests import Channel, Kind, Law, Method, OpenRequest, Pause, Refusal, RequestView, State

app = typer.Typer(no_args_is_help=True, help="Privacy requests: what people ask for by right, and by when.")

RequestId = Annotated[str, typer.Argument(help="Id of the request.")]
Why = Annotated[str, typer.Option(help="Why, in 20 characters at least; sealed. It may not name the person.")]
Word = TypeVar("Word", Kind, Law, Channel, Method, Pause, Refusal, State)


@command(app, "open")
def open_request(
    kind: Annotated[str, typer.Argument(help=f"What is asked for: {', '.join(Kind)}.")],
    customer: Annotated[
        str | None, typer.Option(help="Public id of the customer, where it is known already.")
    ] = None,
    law: Annotated[str, typer.Option(help=f"Which law it falls under: {', '.join(Law)}.")] = Law.GDPR.value,
    channel: Annotated[str, typer.Option(help=f"How it came: {', '.join(Channel)}.")] = Channel.LETTER.value,
    received: Annotated[
        str | None, typer.Option(help="When it came, as 2026-05-03; now unless given.")
    ] = None,
    contact: Annotated[str | None, typer.Option(help="Where the answer goes.")] = None,
    agent: Annotated[bool, typer.Option("--agent", help="Somebody asks for the person.")] = False,
    ground: Annotated[str | None, typer.Option(help="Of an erasure: as for `hub erase`.")] = None,
    purpose: Annotated[
        str | None,
        typer.Option(
            help="Of an objection: the data use, as `marketing`; of an automated decision: the policy's purpose."
        ),
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option(help="Of a rectification: PROPERTY=VALUE; as often as needed.")
    ] = None,
    said: Annotated[str | None, typer.Option(help="What the letter says.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Given again with the same command, it does nothing more.")
    ] = None,
) -> None:
    """Write down a request; its clock runs from the day on which it came."""
    given = {"ground": ground, "purpose": purpose, "said": said, "changes": _changes(change or [])}
    details = {name: value for name, value in given.items() if value}
    order = OpenRequest(
        _word(Kind, kind),
        _word(Law, law),
        _word(Channel, channel),
        key or uuid4().hex,
        instant("--received", received),
        customer,
        agent,
        contact,
        details,
    )
    with opened() as services:
        author = operator(services)
        made = requests.open_request(services, author, order)
        _print_request(requests.show_request(services, author, made.id))
        services.publish()


@command(app, "list")
def list_requests(
    state: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(State)}; those that are open unless given.")
    ] = None,
) -> None:
    """Show the requests, the most urgent first; leaves an audit event. Exit code 3 when one is overdue."""
    states = [_word(State, each) for each in state] if state else None
    with opened() as services:
        views = requests.list_requests(services, operator(services), states=states)
    if not views:
        out.print("There are none.")
        return
    for view in views:
        out.print(_line(view), highlight=False, soft_wrap=True)
    if any(view.is_overdue for view in views):
        raise typer.Exit(3)


@command(app)
def show(request: RequestId) -> None:
    """Show a request with its steps, what a law has kept, and who came back; leaves an audit event."""
    with opened() as services:
        _print_request(requests.show_request(services, operator(services), request))


@command(app)
def verify(
    request: RequestId,
    method: Annotated[str, typer.Option(help=f"How: {', '.join(Method)}.")],
    customer: Annotated[str | None, typer.Option(help="Who it is, where the request does not say.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="The check was tried, and did not show who it is.")
    ] = False,
    permission: Annotated[
        bool, typer.Option("--permission", help="The agent's signed permission was seen.")
    ] = False,
) -> None:
    """Write down that it is known who asks; nothing is done or handed out before."""
    with opened() as services:
        author, means = operator(services), _word(Method, method)
        requests.verify(
            services, author, request, means, customer=customer, passed=not failed, agent_permitted=permission
        )
        _print_request(requests.show_request(services, author, request))
        services.publish()


@command(app)
def plan(request: RequestId) -> None:
    """Make the list of all places and of what is to be done at each; nothing is done yet."""
    with opened() as services:
        author = operator(services)
        requests.plan_request(services, author, request)
        _print_request(requests.show_request(services, author, request))
        services.publish()


@command(app)
def run(request: RequestId) -> None:
    """Do what the hub can do by itself. Exit code 3 while a step has failed."""
    with opened() as services:
        author = operator(services)
        done = requests.run_request(services, author, request)
        _print_request(requests.show_request(services, author, request))
        services.publish()
    if any(step.state == "failed" for step in done.steps):
        raise typer.Exit(3)


@command(app)
def task(
    request: RequestId,
    number: Annotated[int, typer.Argument(help="Number of the step.")],
    proof: Annotated[str, typer.Option(help="What shows it: a ticket's number, say; no names.")],
) -> None:
    """Write down that a task or a notice is done; the last one closes the request."""
    with opened() as services:
        author = operator(services)
        requests.complete_task(services, author, request, number, proof)
        _print_request(requests.show_request(services, author, request))
        services.publish()


@command(app)
def pause(
    request: RequestId,
    reason: Annotated[
        str, typer.Option(help=f"What is waited for: {', '.join(Pause)}; as the law lets it.")
    ] = "",
    fee: Annotated[str | None, typer.Option(help="The fee that was asked for, as 20EUR.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Let the clock go on.")] = False,
) -> None:
    """Let the clock stand, or go on again."""
    with opened() as services:
        author = operator(services)
        if resume:
            requests.resume(services, author, request)
        else:
            requests.pause(services, author, request, _word(Pause, reason), fee)
        _print_request(requests.show_request(services, author, request))
        services.publish()


@command(app)
def extend(request: RequestId, reason: Why) -> None:
    """Take the longer time that the law knows; the person has to be told, with the reason."""
    with opened() as services:
        author = operator(services)
        requests.extend(services, author, request, reason)
        _print_request(requests.show_request(services, author, request))
        services.publish()


@command(app)
def refuse(
    request: RequestId,
    why: Annotated[str, typer.Option(help=f"On which ground: {', '.join(Refusal)}.")],
    reason: Why,
) -> None:
    """Refuse a request; the person has to be told why, and where they may complain."""
    with opened() as services:
        author = operator(services)
        requests.refuse(services, author, request, _word(Refusal, why), reason)
        _print_request(requests.show_request(services, author, request))
        services.publish()


@command(app)
def package(
    request: RequestId,
    folder: Annotated[Path, typer.Argument(help="Folder for the files, which hold personal data.")],
    preview: Annotated[
        bool, typer.Option("--preview", help="For the review; the request stays open.")
    ] = False,
) -> None:
    """Write what the person gets: JSON, with a page to read, or a table. Leaves an audit event."""
    with opened() as services:
        make = requests.preview_package if preview else requests.access_package
        made = make(services, operator(services), request)
        services.publish()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = {"package.json": made.json, "package.html": made.page, "package.csv": made.csv}
    for name, content in files.items():
        if content is not None:
            path = folder / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            path.chmod(0o600)
            out.print(f"{path}: {path.stat().st_size} bytes", highlight=False, soft_wrap=True)
    out.print(f"Event {made.event}.", highlight=False)


@command(app)
def keys(request: RequestId) -> None:
    """Show the keys of the person's records at each source, for those who have tasks there; leaves an audit event."""
    with opened() as services:
        found = requests.show_request(services, operator(services), request).request
        for source, streams in sorted(requests.record_keys(found).items()):
            for stream, known in sorted(streams.items()):
                out.print(f"{source}.{stream}: {', '.join(known)}", highlight=False, soft_wrap=True)


@command(app)
def retained(request: RequestId) -> None:
    """Show what a law has kept of somebody who was erased, with its values; leaves an audit event."""
    with opened() as services:
        for item in requests.retained_items(services, operator(services), request):
            out.print(f"{item.type} for {item.purpose} until {item.until} ({item.rule})", highlight=False)
            for name, value in item.content["values"].items():
                out.print(f"  {name}: {value}", highlight=False, markup=False, soft_wrap=True)


@command(app)
def metrics(year: Annotated[int, typer.Argument(help="Calendar year in which the requests came.")]) -> None:
    """Show how many requests came, how they ended and after how many days, by law and kind."""
    with opened() as services:
        found = requests.request_metrics(services, operator(services), year)
    for each in found:
        days = (
            "" if each.median_days is None else f", median {each.median_days:g} days, mean {each.mean_days:g}"
        )
        out.print(
            f"{each.law} {each.kind}: {each.received} received, {each.complied} complied with, {each.in_part} in part,"
            f" {each.refused} refused, {each.open} open{days}",
            highlight=False,
            soft_wrap=True,
        )


@command(app)
def tidy() -> None:
    """Delete requests closed 24 months ago, and what no law has kept any more."""
    with opened() as services:
        closed, items = requests.tidy(services, operator(services))
        services.publish()
    out.print(f"{closed} requests and {items} rows that a law had kept are gone.", highlight=False)


def _word(words: type[Word], given: str) -> Word:
    try:
        return words(given)
    except ValueError:
        raise QueryError(f"it is one of {', '.join(words)}") from None


def _changes(given: Sequence[str]) -> dict[str, str]:
    found = dict(each.partition("=")[::2] for each in given)
    if not all(found.values()):
        raise QueryError("a change is written as PROPERTY=VALUE")
    return found


def _line(view: RequestView) -> str:
    request = view.request
    left = "overdue" if view.is_overdue else "paused" if view.is_paused else f"{view.days_left} days left"
    return f"[bold]{request.id}[/] {request.kind} ({request.law}) {request.state}, {left}, by {view.deadline}"


def _print_request(view: RequestView) -> None:
    request = view.request
    out.print(_line(view), highlight=False, soft_wrap=True)
    if request.customer_id is not None:
        out.print(f"  about {request.customer_id}", highlight=False)
    if request.outcome is not None:
        out.print(f"  outcome {request.outcome}", highlight=False)
    if view.ask_again_on is not None:
        out.print(f"  not to be asked again before {view.ask_again_on}", highlight=False)
    for step in request.steps:
        done = f", {step.proof}" if step.proof else ""
        line = f"  {step.number} {step.place}: {step.action} by {step.way} ({step.owner}), {step.state}{done}"
        out.print(line, highlight=False, soft_wrap=True)
    for kept in view.retained:
        out.print(
            f"  kept: {kept.count} {kept.type} until {kept.until}, {kept.basis}",
            highlight=False,
            soft_wrap=True,
        )
    if view.certificate is not None:
        out.print(f"  certificate: hub audit prove {view.certificate}", highlight=False)
    for source, count in view.unmended:
        out.print(f"  {source}: {count} records still state what was corrected", highlight=False)
    for back in view.returned:
        out.print(
            f"  came back {back.count} times from {back.source}.{back.stream}, last {back.last_at}",
            highlight=False,
        )
