"""An incident as a file: for machines, for people, and the list of those affected, by opaque ids alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from hub.commands.incidents import Incident
from hub.store import iso_utc

_KINDS = {
    "authority_notified": "Authority notified",
    "authority_not_needed": "Authority need not be notified",
    "people_told": "People told",
    "people_not_needed": "People need not be told",
    "measure": "Measure",
    "closed": "Closed",
}


def as_json(incident: Incident, customers: Sequence[str]) -> str:
    """The entry with all that is known, and the ids of those affected."""
    return json.dumps({**_facts(incident), "customers": list(customers)}, indent=2, ensure_ascii=False) + "\n"


def as_csv(customers: Sequence[str]) -> str:
    """The ids of those affected, a line each, below a heading."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["customer"])
    writer.writerows([customer] for customer in customers)
    return text.getvalue()


def as_markdown(incident: Incident) -> str:
    """The entry as a page: what GDPR Art. 33(3) and (5) ask for, without any id of a customer."""
    return "\n".join(_page(incident)) + "\n"


def _facts(incident: Incident) -> dict[str, Any]:
    names = (
        "id",
        "opened_at",
        "aware_at",
        "nature",
        "consequences",
        "measures",
        "owner",
        "scope",
        "found",
        "people",
    )
    steps = [
        {"kind": step.kind, "at": step.at, "noted_at": step.noted_at, "note": step.note}
        for step in incident.steps
    ]
    state = {"due_at": iso_utc(incident.due_at), "overdue": incident.is_overdue, "late": incident.is_late}
    return {
        **{name: getattr(incident, name) for name in names},
        **state,
        "lacks": list(incident.lacks),
        "steps": steps,
    }


def _page(incident: Incident) -> Iterator[str]:
    yield f"# Incident {incident.id}"
    yield ""
    yield f"- Became aware: {incident.aware_at}; authority to be notified by {iso_utc(incident.due_at)} (Art. 33(1))"
    yield f"- State: {_state(incident)}"
    yield f"- Owner: {incident.owner}"
    yield f"- People affected: {incident.people}"
    for title, text in (
        ("Nature", incident.nature),
        ("Likely consequences", incident.consequences),
        ("Measures", incident.measures),
    ):
        yield from ("", f"## {title}", "", text)
    yield from ("", "## Data categories", "", "| category | people |", "| --- | ---: |")
    yield from (f"| `{name}` | {count} |" for name, count in incident.found["categories"].items())
    yield from (
        "",
        "## Accounts",
        "",
        "| account | roles | accesses | people |",
        "| --- | --- | ---: | ---: |",
    )
    for each in incident.found["actors"]:
        yield f"| `{each['account']}` | {', '.join(each['roles'])} | {each['events']} | {each['customers']} |"
    yield from ("", "## What was done", "", "| at | what | note |", "| --- | --- | --- |")
    yield from (f"| {step.at} | {_KINDS[step.kind]} | {_cell(step.note)} |" for step in incident.steps)


def _state(incident: Incident) -> str:
    if incident.is_closed:
        return "closed"
    return "open, notification overdue" if incident.is_overdue else "open"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
