"""The demo company's best customer: each stream in whose raw files or tables they stand is in their map."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.adapters.findings import FindingKind
from hub.commands import Author
from hub.demo import HelpDesk, erp_address, generate
from hub.demo_run import SOURCES
from hub.privacy import places
from hub.privacy.places import State
from hub.services import Services, open_services
from hub.settings import Settings
from hub.values import entity_id
from tests.databases import sqlite_store

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "help-desk"


class Company:
    def __init__(self, services: Services, files: Path, number: str, card: str) -> None:
        self.services, self.files, self.number, self.card = services, files, number, card
        self.officer = Author.operator("os:tests", services.access)

    def customer(self) -> str:
        party = entity_id("erp", "Party", self.number, self.services.store.secret)
        with self.services.store.read() as connection:
            sql = "SELECT customer_id FROM membership WHERE party_id = ?"
            found: str = connection.exec_driver_sql(sql, (party,)).scalar_one()
            return found


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    truth = generate(folder / "files", people=40, organisations=3)
    best = truth.best_customer
    settings = Settings(
        data_dir=folder / "hub",
        store_url=sqlite_store(folder / "hub.sqlite"),
        config_dir=ROOT / "adapters_config",
        policy_file=ROOT / "policy.yaml",
    )
    with HelpDesk(folder / "files" / "support", TOKEN, throttle_every=0) as desk:
        environ = {
            "HUB_DEMO_DIR": str(folder / "files"),
            "HUB_DEMO_ERP_URL": erp_address(folder / "files"),
            "HUB_DEMO_SUPPORT_URL": desk.url,
            "HUB_DEMO_SUPPORT_TOKEN": TOKEN,
        }
        with open_services(settings, environ) as services:
            for name in SOURCES:
                assert services.syncer.sync(name).state == "ok"
            services.publish()
            yield Company(services, folder / "files", best.customer_number, best.loyalty_card or "")


def erp_rows(company: Company, column: str, values: set[str]) -> dict[str, list[dict[str, object]]]:
    """The rows of each ERP table that has the column with one of the values."""
    found: dict[str, list[dict[str, object]]] = {}
    connection = sqlite3.connect(company.files / "erp.sqlite")
    connection.row_factory = sqlite3.Row
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
        hits = [row for row in rows if str(row.get(column)) in values]
        if hits:
            found[table] = hits
    connection.close()
    return found


def streams_of_sources(company: Company) -> set[tuple[str, str]]:
    """Where the customer stands at the sources, found by numbers alone, without mappings or hub."""
    of_customer = erp_rows(company, "customer_no", {company.number})
    orders = {str(row["order_no"]) for row in of_customer["orders"]}
    found = {("erp", table) for table in (*of_customer, *erp_rows(company, "order_no", orders))}
    tills = [path for path in (company.files / "pos").rglob("*") if path.is_file()]
    if any(company.card in path.read_text(errors="ignore") for path in tills):
        found.add(("pos", "transactions"))
    notices = [path for path in (company.files / "supply" / "ship_notices").iterdir() if path.is_file()]
    if any(order in path.read_text(errors="ignore") for path in notices for order in orders):
        found.add(("supply", "ship_notices"))
    emails = {str(row["email"]).casefold() for row in of_customer["customers"] if row["email"]}
    contacts = json.loads((company.files / "support" / "contacts.json").read_text())
    if any(email in json.dumps(each).casefold() for each in contacts for email in emails):
        found.add(("support", "contacts"))
    return found


def test_the_customers_map_names_each_stream_in_which_they_stand(company: Company) -> None:
    told = places.data_map(company.services, company.officer, company.customer())
    streams = {(each.source, each.stream) for each in told.records}
    expected = streams_of_sources(company)
    assert {("erp", "customers"), ("erp", "orders"), ("pos", "transactions")} <= expected
    assert expected <= streams
    assert {source for source, _ in streams} == set(SOURCES)


def test_each_record_in_the_map_is_landed_with_the_fields_that_it_names(company: Company) -> None:
    told = places.data_map(company.services, company.officer, company.customer())
    with company.services.store.read() as connection:
        landed = connection.exec_driver_sql("SELECT head_id, payload FROM record ORDER BY id").fetchall()
        sql = "SELECT id, payload FROM quarantine WHERE parsed"
        waiting = connection.exec_driver_sql(sql).fetchall()
    payloads = {f"record:{id_}": json.loads(payload) for id_, payload in landed}
    payloads |= {f"quarantine:{id_}": json.loads(payload) for id_, payload in waiting}
    for record in told.records:
        if record.reference not in payloads:  # it could not be read at its source, and names the customer
            assert record.fields == ()
            continue
        payload = payloads[record.reference]
        assert record.fields, record.reference
        for each in record.fields:
            if each.name.isidentifier():
                assert payload[each.name] not in (None, "", [], {}), (record.source, record.stream, each.name)


def test_the_map_of_the_demo_has_five_systems_their_partners_and_the_hub(company: Company) -> None:
    found = places.privacy_map(company.services, company.officer)
    assert {*SOURCES, "hub", "call_centre", "warehouse"} <= {each.system for each in found.locations}
    by_id = {each.id: each for each in found.locations}
    assert by_id["support.contacts"].country == "US"
    leaving = [each for each in found.flows if each.source == "support.contacts" and each.leaves]
    assert {each.transfer_mechanism for each in leaving} == {"standard_clauses"}
    assert by_id["pos.transactions"].state is State.PRESENT
    undeclared = {each.path for each in by_id["pos.transactions"].fields if each.state is State.UNDECLARED}
    assert "WorkstationID" in undeclared
    assert all(each.category == "" for each in by_id["pos.transactions"].fields if each.path in undeclared)


def test_recipients_are_told_with_what_they_get_and_their_agreement(company: Company) -> None:
    found = {each.name: each for each in places.recipients(company.services, company.officer)}
    centre = found["call_centre"]
    assert (centre.contract_ref, centre.agreement_until) == ("DPA-2025-019", "2027-03-31")
    assert "Person.email" in centre.fields
    assert centre.people > 0
    assert found["backup_vault"].categories == ()


def test_a_field_that_a_source_adds_raises_a_finding_at_the_next_sync_and_is_never_served(
    company: Company,
) -> None:
    connection = sqlite3.connect(company.files / "erp.sqlite")
    connection.execute("ALTER TABLE leads ADD COLUMN private_mail TEXT")
    connection.execute("UPDATE leads SET private_mail = lead_no || '.added@example.com'")
    connection.commit()
    connection.close()
    before = {each.id for each in places.findings(company.services, company.officer)}
    assert company.services.syncer.sync("erp").state == "ok"
    company.services.publish()
    new = [each for each in places.findings(company.services, company.officer) if each.id not in before]
    assert {(each.kind, each.place, each.field) for each in new} == {
        (FindingKind.UNMAPPED_FIELD, "erp.leads", "private_mail"),
        (FindingKind.UNDECLARED_PERSONAL_DATA, "erp.leads", "private_mail"),
    }
    tables = company.services.store.tables
    with company.services.store.read() as open_:
        for table in (*tables.by_type.values(), tables.customer):
            rows = [str(tuple(row)) for row in open_.execute(table.select())]
            assert not [row for row in rows if ".added@example.com" in row]
