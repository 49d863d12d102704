"""The demo from end to end: the company's files, its help desk, the hub on them, tokens and queries to paste."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from hub.access import AccessMap, DemoIssuer
from hub.api import CONSOLE_PATH
from hub.api import serve as serve_api
from hub.audit import keep_master_key, write_key
from hub.demo import HelpDesk, Truth, erp_address, examples, generate
from hub.services import load_configuration
from hub.settings import Settings

SOURCES = ("erp", "legacy", "pos", "support", "supply")
"""The demo's sources in the order in which it syncs them; any other gives the same graph."""

AUDIT_LOG = "harbour-and-pine.example/audit"
"""The name of the demo's audit log in its checkpoints."""

_PRINTED = {
    "sales": "customers_with_credit",
    "marketing": "campaigns_and_new_customers",
    "support": "customer_card",
    "finance": "open_invoices",
    "supply_chain": "parcels_on_their_way",
    "management": "newest_customers",
    "compliance": "sources_and_roles",
    "it": "state_of_the_sources",
}
"""The query that the demo prints for each role, one role a department; its query page offers all."""

DEPARTMENT_ROLES = tuple(_PRINTED)
"""The roles of the departments, one each."""

_TOKENS = (*DEPARTMENT_ROLES, "steward")
"""The roles that the demo prints a token for."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the demo shall be like."""

    folder: Path
    people: int
    organisations: int
    port: int
    fresh: bool


@contextmanager
def company(plan: DemoPlan, console: Console) -> Iterator[tuple[Settings, Mapping[str, str]]]:
    """The demo company at work: its files lie in the folder, its help desk answers; settings and environment for it."""
    truth = _files(plan, console)
    best = truth.best_customer
    (plan.folder / "best_customer.json").write_text(
        json.dumps({"customer_number": best.customer_number, "loyalty_card": best.loyalty_card})
    )
    token = secrets.token_urlsafe(24)
    files = plan.folder / "company"
    with HelpDesk(files / "support", token) as desk:
        environ = {
            **os.environ,
            "HUB_DEMO_DIR": str(files.absolute()),
            "HUB_DEMO_ERP_URL": erp_address(files.absolute()),
            "HUB_DEMO_SUPPORT_URL": desk.url,
            "HUB_DEMO_SUPPORT_TOKEN": token,
        }
        master_key = plan.folder / "master-key"
        keep_master_key(master_key)
        settings = Settings(
            data_dir=plan.folder / "hub",
            port=plan.port,
            demo=True,
            master_key=None,
            master_key_file=master_key,
        )
        if not settings.audit_key_path.exists():
            write_key(settings.audit_key_path, AUDIT_LOG)
        yield settings, environ


def _files(plan: DemoPlan, console: Console) -> Truth:
    """The company's files: those of an earlier demo, or new ones together with an empty hub."""
    files = plan.folder / "company"
    if plan.fresh or not (files / "truth.json").exists():
        shutil.rmtree(plan.folder, ignore_errors=True)
        console.print(
            f"Building Harbour & Pine: {plan.people:,} people, {plan.organisations:,} organisations ..."
        )
        return generate(files, plan.people, plan.organisations)
    console.print("Harbour & Pine stands already; `hub demo --fresh` builds it anew.")
    return Truth.load(files)


def issue(issuer: DemoIssuer, access: AccessMap, role: str, subject: str) -> str:
    """A token of the demo issuer for one role, for the purpose that the policy gives it by default."""
    found = access.roles[role]
    return issuer.issue(subject, found.department, [role], [found.default_purpose])


def serve(settings: Settings, console: Console) -> None:
    """Print address, tokens and queries, and answer until Ctrl-C."""
    access = load_configuration(settings).access
    issuer = DemoIssuer(settings.data_dir)
    number = json.loads((settings.data_dir.parent / "best_customer.json").read_text())["customer_number"]
    questions = examples(settings.queries_dir, number)

    def announce(address: str) -> None:
        console.rule("A token for each department")
        for role in _TOKENS:
            variable = f"HUB_{role.upper()}"
            console.print(
                f"{variable}={issue(issuer, access, role, f'demo-{role}')}", soft_wrap=True, highlight=False
            )
        console.rule("Queries to paste, after the tokens")
        for role, name in _PRINTED.items():
            command = _curl(f"{address}/graphql", role, name, questions[role][name])
            console.print(command, soft_wrap=True, highlight=False, markup=False)
        console.rule(f"The API answers at {address}/graphql until Ctrl-C")
        console.print(f"Or paste a token into {address}{CONSOLE_PATH}", highlight=False)

    serve_api(settings, announce, questions)


def _curl(address: str, role: str, name: str, query: str) -> str:
    lines = (line for line in query.splitlines() if not line.startswith("#"))
    body = json.dumps({"query": " ".join(" ".join(lines).split())}).replace("'", "'\\''")
    return (
        f"\n# {f'{role}: {name}'.replace('_', ' ')}\n"
        f'curl -s {address} -H "Authorization: Bearer $HUB_{role.upper()}" '
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
