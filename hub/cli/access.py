"""The commands `hub access`: what the policy decides and why, what a change of it changes, and what is to be reviewed.

They read files alone: neither data nor the running hub.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hub.access import (
    ChangeKind,
    Explanation,
    PolicyChange,
    differences,
    findings,
    load_access_map,
    to_cedar,
)
from hub.access import explain as explain_access
from hub.cli.common import command, out
from hub.ontology import load_ontology
from hub.services import load_configuration
from hub.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Who may see what, and why.")

_STYLES = {ChangeKind.GAINS: "red", ChangeKind.LOSES: "green", ChangeKind.CHANGES: "yellow"}

PolicyFile = Annotated[Path, typer.Argument(help="A policy file.")]


@command(app)
def explain(
    role: Annotated[list[str], typer.Option(help="A role; given again for each role of one person.")],
    purpose: Annotated[str, typer.Option(help="A purpose.")],
    name: Annotated[
        str, typer.Option("--property", help="A property such as `Customer.email`, or a data category.")
    ],
) -> None:
    """Show what a role sees of a property for a purpose, and which grants decide it."""
    found = load_configuration(load_settings())
    explained = explain_access(found.access, found.ontology, role, purpose, name)
    _print_explanation(explained)


@command(app)
def diff(old: PolicyFile, new: PolicyFile) -> None:
    """Show who gains and who loses what between two policies. Exit code 3 unless all that changes is lost."""
    taxonomy = load_ontology(load_settings().ontology_dirs).taxonomy
    before, after = (load_access_map(path, taxonomy) for path in (old, new))
    changes = differences(before, after, taxonomy)
    if not changes:
        out.print("Nobody gains or loses anything.")
        return
    _print_changes(changes)
    if any(change.kind is not ChangeKind.LOSES for change in changes):
        raise typer.Exit(3)


@command(app)
def check() -> None:
    """Show which rules are past their review and which purposes lack an assessment. Exit code 3 when there are any."""
    settings = load_settings()
    access = load_configuration(settings).access
    policy = access.policy
    found = findings(access, datetime.now(UTC).date())
    for each in found:
        owner = f" (owner: {each.owner})" if each.owner else ""
        out.print(f"{settings.policy_file}:{each.line}: {each.message}{owner}", highlight=False, markup=False)
    if found:
        raise typer.Exit(3)
    out.print(f"Nothing to look at: {len(policy.grants)} grants, {len(policy.purposes)} purposes.")


@command(app)
def cedar(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made where it is not there.")],
) -> None:
    """Write the policy for Cedar: `policy.cedar`, `schema.cedarschema` and `entities.json`."""
    found = load_configuration(load_settings())
    written = to_cedar(found.access, found.ontology.taxonomy)
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "policy.cedar": f"// Policy {found.access.sha256}\n\n{written.policies}",
        "schema.cedarschema": written.schema,
        "entities.json": json.dumps(written.entities, indent=1) + "\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    out.print(f"{', '.join(files)} written to {folder}", highlight=False, markup=False)


def _print_explanation(explained: Explanation) -> None:
    shown = f"mask:{explained.mask}" if explained.mask else str(explained.decision.effect)
    special = ", special: opened only by a grant that names it" if explained.special else ""
    within = "".join(f", {each.stated} within {each.scope}" for each in explained.decision.within)
    out.print(f"[bold]{shown}{within}[/] ({explained.category}{special})", highlight=False)
    if explained.openable_minutes is not None:
        out.print(f"Break-glass opens it of one customer, for {explained.openable_minutes} minutes at most.")
    if not explained.reasons:
        out.print("No grant reaches it, and what no grant names is denied.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("grant", "line", "effect", "within", "names", "why", "owner", "review by"):
        table.add_column(heading)
    for reason in explained.reasons:
        grant = reason.grant
        words = (reason.part, str(grant.line), grant.effect, grant.scope, reason.category)
        table.add_row(*words, escape(grant.why), grant.owner, grant.review.isoformat())
    out.print(table)


def _print_changes(changes: list[PolicyChange]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("role", "", "for purpose", "what", "before", "after"):
        table.add_column(heading)
    for change in changes:
        kind = f"[{_STYLES[change.kind]}]{change.kind}[/]"
        values = (escape(change.before), escape(change.after))
        table.add_row(change.role, kind, change.purpose, change.what, *values)
    out.print(table)
