"""The main job on each database: five source systems synced, one customer graph, answered by GraphQL over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import networkx as nx
import pytest
from starlette.types import ASGIApp

from hub.access import DemoIssuer
from hub.adapters import RunReport, quarantine
from hub.api import create_app
from hub.audit import Action
from hub.demo import HelpDesk, Truth, erp_address, examples, generate
from hub.demo_run import DEPARTMENT_ROLES, SOURCES, issue
from hub.services import Services, open_services
from hub.settings import Settings
from tests.databases import sqlite_store

ROOT = Path(__file__).parent.parent
QUERIES = ROOT / "queries"
TOKEN = "for-the-test-only"


@dataclass
class Company:
    services: Services
    truth: Truth
    reports: dict[str, RunReport]
    folder: Path

    @cached_property
    def _app(self) -> ASGIApp:
        return create_app(self.services)

    async def best_customer(self) -> str:
        """The public id of the customer with the most to tell."""
        number = self.truth.best_customer.customer_number
        query = (
            "query($number: String!) { customerByIdentifier(scheme: customer_number, value: $number) { id } }"
        )
        [found] = (await self.ask("support", query, number=number))["data"]["customerByIdentifier"]
        return str(found["id"])

    async def ask(self, role: str, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer to a role's query over HTTP."""
        return await self.post(role, {"query": query, "variables": variables})

    async def post(self, role: str, body: dict[str, Any]) -> dict[str, Any]:
        """The whole answer to a role's request over HTTP."""
        access = self.services.access
        token = issue(DemoIssuer(self.services.settings.data_dir), access, role, f"test-{role}")
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app), base_url="http://hub.example"
        ) as client:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post("/graphql", json=body, headers=headers)
        found: dict[str, Any] = answer.json()
        assert answer.status_code == 200, found
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    url = (
        sqlite_store(folder / "hub.sqlite")
        if request.param == "sqlite"
        else request.getfixturevalue("module_database")
    )
    truth = generate(folder / "files", people=60, organisations=6)
    settings = Settings(
        data_dir=folder / "hub",
        store_url=url,
        config_dir=ROOT / "adapters_config",
        policy_file=ROOT / "policy.yaml",
        queries_dir=QUERIES,
        demo=True,
    )
    with HelpDesk(folder / "files" / "support", TOKEN, throttle_every=0) as desk:
        environ = {
            "HUB_DEMO_DIR": str(folder / "files"),
            "HUB_DEMO_ERP_URL": erp_address(folder / "files"),
            "HUB_DEMO_SUPPORT_URL": desk.url,
            "HUB_DEMO_SUPPORT_TOKEN": TOKEN,
        }
        with open_services(settings, environ) as services:
            reports = {name: services.syncer.sync(name) for name in SOURCES}
            services.publish()
            yield Company(services, truth, reports, folder)


def test_every_source_is_read_to_its_end_and_every_record_accounted_for(company: Company) -> None:
    assert {name: report.state for name, report in company.reports.items()} == dict.fromkeys(SOURCES, "ok")
    for report in company.reports.values():
        assert all(counts.reconciles for counts in report.streams.values())


def test_exactly_the_broken_records_are_quarantined(company: Company) -> None:
    with company.services.store.read() as connection:
        waiting = quarantine.waiting(connection, limit=1000)
    expected = Counter((broken.source, broken.stream) for broken in company.truth.broken)
    assert Counter((each.source, each.stream) for each in waiting) == expected
    assert all(each.field and each.reason for each in waiting)


@pytest.mark.anyio
async def test_the_best_customer_is_one_customer_of_all_five_systems_and_each_value_names_its_source(
    company: Company,
) -> None:
    query = examples(QUERIES, company.truth.best_customer.customer_number)["support"]["customer_card"]
    answer = await company.ask("support", query)
    [customer] = answer["data"]["customerByIdentifier"]
    assert {party["source"] for party in customer["parties"]} == set(SOURCES)
    assert {age["source"] for age in customer["freshness"]} == set(SOURCES)
    assert customer["facts"]
    for fact in customer["facts"]:
        assert fact["source"] in SOURCES
        assert fact["recordKey"]
    winners = Counter(fact["property"] for fact in customer["facts"] if fact["wins"])
    assert set(winners.values()) == {1}
    assert {row["source"] for row in customer["tickets"]["nodes"]} == {"support"}
    assert {row["source"] for row in customer["timeline"]["nodes"]} <= set(SOURCES)


@pytest.mark.anyio
@pytest.mark.parametrize("role", DEPARTMENT_ROLES)
async def test_the_queries_that_the_demo_prints_for_a_department_are_answered(
    company: Company, role: str
) -> None:
    questions = examples(QUERIES, company.truth.best_customer.customer_number)[role]
    answers = [await company.ask(role, query) for query in questions.values()]
    assert answers
    for answer in answers:
        assert "errors" not in answer
        assert all(value for value in answer["data"].values())


SHIPPED = sorted(path.relative_to(QUERIES).with_suffix("").as_posix() for path in QUERIES.rglob("*.graphql"))


@pytest.mark.anyio
@pytest.mark.parametrize("name", SHIPPED)
async def test_every_shipped_document_is_answered_to_the_role_that_it_is_for(
    company: Company, name: str
) -> None:
    best = company.truth.best_customer
    variables = {
        "id": await company.best_customer(),
        "at": datetime.now(UTC).isoformat(),
        "number": best.customer_number,
        "since": "2020-01-01" if name == "marketing/campaign_results" else "2020-01-01T00:00:00Z",
        "before": "2035-01-01T00:00:00Z",
        "now": "2035-01-01T00:00:00Z",
        "today": "2035-01-01",
        "text": "late",
        "phone": "+441174960001",
        "order": "SO1",
        "lot": "L-1",
        "email": "nobody@example.com",
    }
    answer = await company.post(name.partition("/")[0], {"documentId": name, "variables": variables})
    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())


@pytest.mark.anyio
async def test_search_finds_the_best_customer_by_name(company: Company) -> None:
    number = company.truth.best_customer.customer_number
    named = await company.ask(
        "support", f'{{ customerByIdentifier(scheme: customer_number, value: "{number}") {{ id name }} }}'
    )
    [customer] = named["data"]["customerByIdentifier"]
    found = await company.ask("support", f'{{ search(text: "{customer["name"]}") {{ hits {{ id type }} }} }}')
    assert customer["id"] in [hit["id"] for hit in found["data"]["search"]["hits"]]


@pytest.mark.anyio
async def test_customers_of_one_household_are_related_and_a_path_leads_from_one_to_the_other(
    company: Company,
) -> None:
    listed = await company.ask(
        "support", "{ customers(first: 100) { nodes { id household { members { id } } } } }"
    )
    homes = [
        c
        for c in listed["data"]["customers"]["nodes"]
        if c["household"] and len(c["household"]["members"]) > 1
    ]
    one, other = homes[0]["household"]["members"][:2]
    related = await company.ask(
        "support", f'{{ relatedCustomers(id: "{one["id"]}", rings: 1) {{ customerId distance reason }} }}'
    )
    assert other["id"] in [each["customerId"] for each in related["data"]["relatedCustomers"]]
    way = await company.ask(
        "support", f'{{ path(from: "{one["id"]}", to: "{other["id"]}") {{ start end kind }} }}'
    )
    assert {step["kind"] for step in way["data"]["path"]} == {"household"}
    assert way["data"]["path"][-1]["end"] == f"Customer:{other['id']}"


@pytest.mark.anyio
async def test_the_surroundings_can_be_taken_to_graph_tools(company: Company) -> None:
    number = company.truth.best_customer.customer_number
    found = await company.ask(
        "support", f'{{ customerByIdentifier(scheme: customer_number, value: "{number}") {{ id }} }}'
    )
    [customer] = found["data"]["customerByIdentifier"]
    answer = await company.ask("support", f'{{ graphml(id: "{customer["id"]}") }}')
    graph = nx.parse_graphml(answer["data"]["graphml"])
    assert {data["type"] for _, data in graph.nodes(data=True)} >= {"Customer", "Person", "Order"}


def test_the_audit_log_tells_of_each_sync_and_verifies(company: Company) -> None:
    log = company.services.audit
    log.verify().require()
    events = [log.event(seq) for seq in range(log.size())]
    finished = Counter(event.source for event in events if event.action is Action.SYNC_FINISHED)
    assert finished == dict.fromkeys(SOURCES, 1)


def test_a_second_sync_finds_everything_unchanged(company: Company) -> None:
    before = company.services.store.last_change()
    for name in SOURCES:
        assert company.services.syncer.sync(name).total.accepted == 0
    assert company.services.store.last_change() == before
