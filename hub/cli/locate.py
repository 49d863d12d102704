"""`hub privacy`: where personal data lies, of whom, who outside gets it, and what looks wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from hub.adapters.findings import Finding, FindingState
from hub.cli.common import opened, operator, out
from hub.errors import QueryError
from hub.privacy import places
from hub.privacy.places import DataMap, LocationMap, PersonField

_FORMATS: Mapping[str, Callable[[LocationMap], str]] = {
    "json": places.as_json,
    "graphml": places.as_graphml,
    "svg": places.as_svg,
}
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead.")]


def map_(
    category: Annotated[str | None, typer.Option(help="Only places with this data category.")] = None,
    system: Annotated[
        str | None, typer.Option(help="Only those of a source, of `hub`, of a partner.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, json, graphml or svg.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--out", help="Write here; to the screen unless given.")
    ] = None,
) -> None:
    """Show all places that hold personal data, or write the map for other tools or as a picture."""
    if form != "text" and form not in _FORMATS:
        raise QueryError(f"a format is one of text, {', '.join(_FORMATS)}")
    with opened() as services:
        found = places.privacy_map(services, operator(services), category=category, system=system)
    text = _FORMATS[form](found) if form in _FORMATS else _listed(found)
    if output is None:
        out.print(text, end="", highlight=False, markup=False, soft_wrap=True)
    else:
        output.write_text(text, encoding="utf-8")


def _listed(found: LocationMap) -> str:
    lines = []
    for each in found.locations:
        rows = "" if each.rows is None else f" {each.rows:,} rows"
        where = ", ".join(filter(None, [each.country, each.owner, each.partner]))
        lines.append(f"{each.id} [{each.state.value}]{rows} {where}".rstrip())
        lines.append(f"  {each.label}; {', '.join(each.categories) or 'nothing personal is declared'}")
        undeclared = [field.path for field in each.fields if field.state is places.State.UNDECLARED]
        if undeclared:
            lines.append(f"  undeclared: {', '.join(undeclared)}")
    return "\n".join([*lines, ""])


def person(
    customer: Annotated[str, typer.Argument(help="Public id of a customer, a retired one too.")],
    as_json: AsJson = False,
) -> None:
    """Show where one customer's data is, record by record; no values."""
    with opened() as services:
        found = places.data_map(services, operator(services), customer)
    if as_json:
        out.print(json.dumps(asdict(found), indent=1), highlight=False, markup=False, soft_wrap=True)
    else:
        out.print(_person(found), end="", highlight=False, markup=False, soft_wrap=True)


def _person(found: DataMap) -> str:
    lines = [f"{found.customer}: {len(found.records)} records"]
    for record in found.records:
        head = (
            f"{record.source}.{record.stream} {record.reference} {record.state}, {record.versions} versions"
        )
        lines.append(head)
        lines += map(_person_field, record.fields)
    for place in found.places:
        lines.append(
            f"{place.id} {'' if place.rows is None else place.rows} {place.label}".replace("  ", " ")
        )
    lines += [f"copied to {each}" for each in found.copies]
    if found.last_read_at:
        lines.append(f"last read {found.last_read_at} by {found.last_read_by}")
    return "\n".join([*lines, ""])


def _person_field(found: PersonField) -> str:
    said = f"{found.property} {found.category}" if found.category else "undeclared"
    purposes = f" for {', '.join(found.purposes)}" if found.purposes else ""
    return f"  {found.name}: {said}{purposes}"


def field(
    name: Annotated[str, typer.Argument(help="A property of the ontology, as `Person.email`.")],
) -> None:
    """Tell in plain language of a field: where from, who sees it, what for, how long, who outside gets it."""
    with opened() as services:
        page = places.field_of(services, operator(services), name)
    out.print(page, end="", highlight=False, markup=False, soft_wrap=True)


def recipients() -> None:
    """Show who outside gets what, what for, and under which agreement."""
    with opened() as services:
        found = places.recipients(services, operator(services))
    for each in found:
        contract = f"{each.contract_ref} until {each.agreement_until}" if each.contract_ref else "no contract"
        line = f"{each.name} ({each.role}; {', '.join(each.countries)}; {contract}): {each.people:,} people at most"
        out.print(line, highlight=False, markup=False, soft_wrap=True)
        what = f"  {', '.join(each.categories)} for {', '.join(each.purposes)}"
        out.print(what, highlight=False, markup=False, soft_wrap=True)


def findings(
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided, too.")] = False,
    accept: Annotated[str | None, typer.Option(help="Id of a finding: it is so, and may be.")] = None,
    dismiss: Annotated[str | None, typer.Option(help="Id of a finding: it is not so.")] = None,
    reason: Annotated[str, typer.Option(help="Why, in 10 characters at least, naming nobody.")] = "",
) -> None:
    """Show what looks wrong with where personal data lies, or decide. Exit code 3 while findings are open."""
    with opened() as services:
        author = operator(services)
        for given, state in ((accept, FindingState.ACCEPTED), (dismiss, FindingState.DISMISSED)):
            if given is not None:
                decided = places.decide_finding(services, author, given, state, reason)
                out.print(f"{decided.id} is {state.value}", highlight=False)
        if accept is not None or dismiss is not None:
            return
        found = places.findings(services, author, None if everything else FindingState.OPEN)
    for each in found:
        out.print(_finding(each), highlight=False, markup=False, soft_wrap=True)
    if any(each.state is FindingState.OPEN for each in found):
        raise typer.Exit(3)


def _finding(found: Finding) -> str:
    field_ = f" {found.field}" if found.field else ""
    counted = f": {found.detected}, {found.hits} of {found.sampled} values" if found.detected else ""
    return f"{found.id} {found.state.value} {found.kind.value} {found.place}{field_}{counted}"


COMMANDS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {"map": map_, "person": person, "field": field, "recipients": recipients, "findings": findings}
)
"""By the names that they have within `hub privacy`."""
