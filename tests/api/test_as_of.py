"""`customer(asOf:)` over the API: data of then, permissions of now; and where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.audit import Action, Outcome
from hub.services import open_services
from hub.settings import Settings
from tests.adapters.past.past_world import clock
from tests.adapters.shop import Shop
from tests.api.api_world import POLICY, World, asking
from tests.databases import sqlite_store

YAML = """\
source: shop
currency: GBP
max_delete_share: 1
connector: {type: files, root: {env: SHOP_DIR}}
streams:
  people:
    read: {glob: people.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Person
        properties: {name: name, addressLocality: town, streetAddress: street, creditLimit: limit}
  orders:
    read: {glob: orders.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Order
        properties: {orderNumber: no, total: total, orderDate: day}
        links: {customer: buyer}
      - {type: OrderLine, properties: {quantity: count}, links: {order: no, product: sku}}
      - {type: Product, key: sku, shared: true, properties: {name: title}}
  restrictions:
    read: {glob: restrictions.jsonl, format: {type: jsonl}}
    key: no
    entities:
      - type: Restriction
        properties: {kind: kind, state: state, at: at}
        links: {customer: buyer}
"""
ANN = {"no": "C1", "name": "Ann Archer", "town": "Bristol", "street": "12 Quay Street", "limit": "100"}
ORDER = {
    "no": "O1",
    "buyer": "C1",
    "total": "9.50",
    "day": "2025-12-24T10:00:00Z",
    "count": 2,
    "sku": "S1",
    "title": "Table",
}
FIRST, SECOND = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 2, 1, 12, tzinfo=UTC)
QUERY = """query($id: ID!, $at: DateTime) { customer(id: $id, asOf: $at) {
  id name streetAddress creditLimit { amount }
  orders { totalCount nodes { orderNumber total { amount } lines { nodes { product { name } } } } }
  facts(properties: [streetAddress]) { value source recordKey wins lineage {
    source stream recordKey recordVersion position observedAt landedAt mappingVersion
    landedBy { id kind startedAt } mappedBy { id kind } } }
} }"""


@dataclass
class PastCompany:
    world: World
    shop: Shop
    customer: str

    def then(self, at: datetime | str | None, role: str = "finance", query: str = QUERY) -> Any:
        text = at.isoformat() if isinstance(at, datetime) else at
        return self.world.ask(query, role, id=self.customer, at=text)

    def sync(self, at: datetime) -> None:
        with clock(at):
            assert self.world.services.syncer.sync("shop").state == "ok"


@contextmanager
def founded(folder: Path, store_url: str) -> Iterator[PastCompany]:
    """Ann, who moved on the second day and whose order was changed."""
    shop = Shop(folder / "shop", YAML)
    shop.jsonl("people.jsonl", [ANN, {"no": "C2", "name": "Ben", "town": "Bath", "street": "1 Low Road"}])
    shop.jsonl("orders.jsonl", [ORDER])
    shop.jsonl("restrictions.jsonl", [])
    settings = Settings(
        data_dir=folder / "var",
        store_url=store_url,  # type: ignore[arg-type]  # pydantic makes a secret of it
        config_dir=shop.folder / "config",
        policy_file=POLICY,
        demo=True,
    )
    with open_services(settings, {"SHOP_DIR": str(shop.folder)}) as services, asking(services) as world:
        company = PastCompany(world, shop, "")
        company.sync(FIRST)
        shop.jsonl("people.jsonl", [ANN | {"street": "7 Hill Rise", "limit": "200"}])
        shop.jsonl("orders.jsonl", [ORDER | {"total": "12.00", "title": "Oak table"}])
        company.sync(SECOND)
        with services.store.read() as connection:
            company.customer = connection.exec_driver_sql("SELECT id FROM customer").scalar_one()
        yield company


@pytest.fixture
def changing(store_url: str, tmp_path: Path) -> Iterator[PastCompany]:
    """A company of a test's own."""
    with founded(tmp_path, store_url) as company:
        yield company


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def company(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PastCompany]:
    """One that tests only read."""
    folder = tmp_path_factory.mktemp("as_of")
    lite = request.param == "sqlite"
    url = sqlite_store(folder / "hub.sqlite") if lite else request.getfixturevalue("module_database")
    with founded(folder, url) as company:
        yield company


def test_data_are_those_of_then(company: PastCompany) -> None:
    then = company.then(FIRST).data["customer"]
    now = company.then(None).data["customer"]
    assert (then["streetAddress"], now["streetAddress"]) == ("12 Quay Street", "7 Hill Rise")
    assert (then["creditLimit"]["amount"], now["creditLimit"]["amount"]) == ("100.00", "200.00")
    orders = [each["orders"]["nodes"][0] for each in (then, now)]
    assert [order["total"]["amount"] for order in orders] == ["9.50", "12.00"]
    assert [order["lines"]["nodes"][0]["product"]["name"] for order in orders] == ["Table", "Oak table"]
    assert then["id"] == now["id"] == company.customer
    later = company.then(SECOND).data["customer"]
    assert {**later, "facts": None} == {**now, "facts": None}


def test_before_the_first_record_there_is_nobody(company: PastCompany) -> None:
    assert company.then(FIRST - timedelta(seconds=1)).data == {"customer": None}
    assert company.world.ask(QUERY, "finance", id="nobody", at=FIRST.isoformat()).data == {"customer": None}


def test_a_value_leads_back_to_record_runs_and_mapping(company: PastCompany) -> None:
    for at in (FIRST, None):
        [fact] = company.then(at).data["customer"]["facts"]
        lineage = fact["lineage"]
        assert (lineage["source"], lineage["stream"], lineage["recordKey"]) == ("shop", "people", "C1")
        assert lineage["position"] == "people.jsonl:1"
        assert lineage["landedAt"] == ("2026-01-01T12:00:00Z" if at else "2026-02-01T12:00:00Z")
        assert lineage["landedBy"]["kind"] == "sync"
        assert lineage["landedBy"]["startedAt"] == lineage["landedAt"]
        if at is None:
            assert lineage["mappedBy"] == {"id": lineage["landedBy"]["id"], "kind": "sync"}
        else:
            assert lineage["mappedBy"] is None
        query = 'query($v: String) { mappings(source: "shop", version: $v) { stream content sinceRun } }'
        [mapping] = company.world.ask(query, "finance", v=lineage["mappingVersion"]).data["mappings"]
        assert mapping["stream"] == "people"
        [entity] = json.loads(mapping["content"])[-1]["entities"]
        assert entity["properties"]["streetAddress"]["path"] == ["street"]


def test_any_row_has_its_lineage(company: PastCompany) -> None:
    query = """query($id: ID!, $at: DateTime) { customer(id: $id, asOf: $at) { orders { nodes { id lineage {
        kind: stream recordVersion landedAt mappingVersion position landedBy { id } } } } } }"""
    [then], [now] = (
        company.then(at, query=query).data["customer"]["orders"]["nodes"] for at in (FIRST, None)
    )
    assert then["id"] == now["id"]
    assert then["lineage"]["recordVersion"] != now["lineage"]["recordVersion"]
    assert then["lineage"]["mappingVersion"] == now["lineage"]["mappingVersion"]
    alone = "query($id: ID!) { order(id: $id) { lineage { kind: stream position } } }"
    assert company.world.ask(alone, "finance", id=now["id"]).data == {
        "order": {"lineage": {"kind": "orders", "position": "orders.jsonl:1"}}
    }


def test_a_new_mapping_is_kept_beside_the_old_one(changing: PastCompany) -> None:
    [before] = changing.then(None).data["customer"]["facts"]
    changing.shop.configure(
        YAML.replace("streetAddress: street", "streetAddress: {path: street, convert: [upper]}")
    )
    with open_services(changing.world.services.settings, {"SHOP_DIR": str(changing.shop.folder)}) as services:
        services.syncer.sync("shop")
        with asking(services) as world:
            reply = world.ask(QUERY, "finance", id=changing.customer, at=None)
            [after] = reply.data["customer"]["facts"]
            then = world.ask(QUERY, "finance", id=changing.customer, at=FIRST.isoformat()).data["customer"]
            kept = world.ask('{ mappings(source: "shop", stream: "people") { version } }', "finance").data
    assert (before["value"], after["value"]) == ("7 Hill Rise", "7 HILL RISE")
    assert after["lineage"]["mappedBy"]["kind"] == "remap"
    assert after["lineage"]["landedBy"] == before["lineage"]["landedBy"]
    versions = [each["lineage"]["mappingVersion"] for each in (after, before)]
    assert [each["version"] for each in kept["mappings"]] == versions
    # The past is read by the mapping of now, and says so.
    assert then["streetAddress"] == "12 QUAY STREET"
    assert then["facts"][0]["lineage"]["mappingVersion"] == versions[0]


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2999-01-01T00:00:00Z", "has not come yet"),
        ("9999-12-31T23:59:59-23:00", "instant"),
    ],
)
def test_a_time_that_cannot_be_answered_is_refused(company: PastCompany, at: str, told: str) -> None:
    reply = company.then(at)
    assert (reply.code, told in reply.message) == ("BAD_QUERY", True)


@pytest.mark.parametrize(
    "selection",
    [
        "household { id }",
        "freshness { source }",
        "updatedAt",
        "orders { nodes { lines { nodes { product { orderLines { totalCount } } } } } }",
        "orders(where: {lines: {some: {product: {orderLines: {some: {}}}}}}) { totalCount }",
    ],
)
def test_what_others_take_part_in_is_refused(company: PastCompany, selection: str) -> None:
    query = f"query($id: ID!, $at: DateTime) {{ customer(id: $id, asOf: $at) {{ {selection} }} }}"
    reply = company.then(FIRST, query=query)
    if "Cannot query field" in str(reply.body) or "not defined" in str(reply.body):
        pytest.fail(str(reply.body))
    assert (reply.code, "past time" in reply.message) == ("BAD_QUERY", True)
    assert "errors" not in company.then(None, query=query).body


def test_a_read_of_the_past_is_on_record_with_its_time(company: PastCompany) -> None:
    before = company.world.seq()
    company.then("2026-01-01T13:00:00+01:00")
    company.then(None)
    past, now = (e for e in company.world.events_after(before) if e.action is Action.READ)
    assert (past.as_of, past.customers) == (("2026-01-01T12:00:00.000000Z",), (company.customer,))
    assert (now.as_of, now.outcome) == ((), Outcome.OK)


def test_too_many_times_in_one_request_are_refused(company: PastCompany) -> None:
    fields = " ".join(f'c{n}: customer(id: $id, asOf: "2026-01-01T00:00:00Z") {{ id }}' for n in range(11))
    reply = company.then(None, query=f"query($id: ID!) {{ {fields} }}")
    assert (reply.code, "max_past_times" in reply.message) == ("LIMIT_EXCEEDED", True)
    fields = fields.rpartition("c9")[0]
    assert len(company.then(None, query=f"query($id: ID!) {{ {fields} }}").data) == 9


def test_now_and_then_are_answered_beside_each_other(company: PastCompany) -> None:
    query = """query($id: ID!, $at: DateTime) { then: customer(id: $id, asOf: $at) { streetAddress }
        now: customer(id: $id) { streetAddress } me { subject } }"""
    found = company.then(FIRST, query=query).data
    assert (found["then"], found["now"]) == (
        {"streetAddress": "12 Quay Street"},
        {"streetAddress": "7 Hill Rise"},
    )


def test_masks_are_those_of_now(company: PastCompany) -> None:
    now, then = (company.then(at, "marketing") for at in (None, FIRST))
    assert [note["path"] for note in now.access] == [note["path"] for note in then.access] != []
    assert then.data["customer"]["creditLimit"] is None


def test_who_restricts_the_use_now_has_no_past_either(changing: PastCompany) -> None:
    said = {
        "no": "R1",
        "kind": "restriction",
        "state": "in_force",
        "at": "2026-02-02T00:00:00Z",
        "buyer": "C1",
    }
    changing.shop.jsonl("restrictions.jsonl", [said])
    changing.sync(SECOND + timedelta(days=2))
    assert changing.then(FIRST).data == changing.then(None).data == {"customer": None}


def test_a_restriction_of_then_does_not_hold_now(changing: PastCompany) -> None:
    said = {
        "no": "R1",
        "kind": "restriction",
        "state": "in_force",
        "at": "2026-02-02T00:00:00Z",
        "buyer": "C1",
    }
    changing.shop.jsonl("restrictions.jsonl", [said])
    changing.sync(SECOND + timedelta(days=2))
    changing.shop.jsonl("restrictions.jsonl", [said | {"state": "lifted", "at": "2026-02-05T00:00:00Z"}])
    changing.sync(SECOND + timedelta(days=4))
    then = changing.then(SECOND + timedelta(days=3)).data["customer"]
    assert then["streetAddress"] == "7 Hill Rise"


def test_what_waits_in_quarantine_has_no_past(changing: PastCompany) -> None:
    changing.shop.jsonl("people.jsonl", [ANN | {"street": "9 New Street", "limit": "much"}])
    with clock(SECOND + timedelta(days=1)):
        changing.world.services.syncer.sync("shop")
    then = changing.then(SECOND + timedelta(days=2)).data["customer"]
    assert then["streetAddress"] == "7 Hill Rise"


def test_who_is_gone_has_no_past(changing: PastCompany) -> None:
    changing.shop.jsonl("people.jsonl", [{**ANN, "no": "C9", "name": "Bo Baker", "street": "3 Mill Lane"}])
    changing.sync(SECOND + timedelta(days=1))
    assert changing.then(FIRST).data == {"customer": None}
