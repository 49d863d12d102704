"""A sync tells what it met that no mapping declares; findings hold counts and kinds, and stay decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.adapters import findings
from hub.adapters.declared import declared_fields
from hub.adapters.findings import Finding, FindingKind, FindingState
from hub.audit import Action, AuditEvent
from hub.ontology import Ontology, load_ontology
from hub.store import Store, fixed
from tests.adapters.shop import Shop

YAML = """
source: shop
region: GB
connector: {type: files, root: {env: SHOP_DIR}}
streams:
  people:
    read: {glob: people.jsonl, format: {type: jsonl}}
    key: no
    observed_at: changed
    entities:
      - type: Person
        properties: {name: name, email: email}
      - type: Ticket
        each: tickets
        key: [no]
        properties: {ticketNumber: no, subject: subject}
        links: {customer: ^.no}
"""
MAPPED_TOO = YAML.replace("email: email}", "email: email, telephone: call}")
ANN = {
    "no": 1,
    "changed": "2026-01-01",
    "name": "Ann Archer",
    "email": "ann@example.com",
    "tickets": [{"no": "T1", "subject": "Late parcel"}],
}


@pytest.fixture
def ontology() -> Ontology:
    return load_ontology()


class Findings:
    """A shop, synced as often as wanted."""

    def __init__(self, folder: Path, url: str, ontology: Ontology) -> None:
        self.shop, self.ontology = Shop(folder, YAML), ontology
        self.store = Store.open(url, ontology)

    def sync(self, *rows: dict[str, object]) -> list[Finding]:
        self.shop.jsonl("people.jsonl", rows)
        report = self.shop.syncer(self.store, self.ontology).sync("shop")
        assert report.state == "ok", report.doubts
        with self.store.read() as connection:
            return findings.findings_at(connection, "shop.people")


@pytest.fixture
def shop(tmp_path: Path, store_url: str, ontology: Ontology) -> Iterator[Findings]:
    made = Findings(tmp_path, store_url, ontology)
    yield made
    made.store.close()


def told(found: list[Finding]) -> list[tuple[str, str, str, int]]:
    return [(each.kind.value, each.field, each.detected, each.hits) for each in found]


def test_a_field_added_at_the_source_raises_findings_at_the_next_sync(shop: Findings) -> None:
    assert shop.sync(ANN) == []
    assert told(shop.sync({**ANN, "call": "+44 117 496 0001"})) == [
        ("undeclared_personal_data", "call", "phone", 1),
        ("unmapped_field", "call", "", 0),
    ]
    shop.shop.configure(MAPPED_TOO)
    assert shop.sync({**ANN, "call": "+44 117 496 0001"}) == []


def test_a_finding_holds_no_value_and_its_event_neither(shop: Findings) -> None:
    secret = "ann.archer.private@example.net"
    shop.sync({**ANN, "extra": {"mail": secret}})
    with shop.store.read() as connection:
        rows = [str(row) for row in connection.execute(fixed.finding.select())]
        packed = [row.event for row in connection.execute(fixed.audit_outbox.select())]
    assert rows
    assert secret not in str(rows)
    events = [AuditEvent.unpack(text) for text in packed]
    [event] = [event for event in events if event.action is Action.FINDING_RAISED]
    assert (event.source, event.stream, event.counts["results"]) == ("shop", "people", 2)


def test_what_a_declared_text_holds_beyond_its_category_is_found(shop: Findings) -> None:
    card = {**ANN, "tickets": [{"no": "T1", "subject": "charged 4111 1111 1111 1111"}]}
    assert told(shop.sync(card)) == [("undeclared_personal_data", "tickets.subject", "payment_card", 1)]


def test_an_undeclared_name_within_a_list_is_found(shop: Findings) -> None:
    inner = {**ANN, "tickets": [{"no": "T1", "subject": "Late", "reporter": "ben@example.com"}]}
    assert told(shop.sync(inner)) == [
        ("undeclared_personal_data", "tickets.reporter", "email", 1),
        ("unmapped_field", "tickets.reporter", "", 0),
    ]


def test_a_declared_field_that_no_record_has_is_found(shop: Findings) -> None:
    without = {name: value for name, value in ANN.items() if name != "email"}
    assert told(shop.sync(without)) == [("declared_field_absent", "email", "", 0)]
    assert shop.sync(ANN) == []


def test_what_was_accepted_stays_accepted(shop: Findings) -> None:
    found = shop.sync({**ANN, "call": "+44 117 496 0001"})[0]
    with shop.store.write() as connection:
        findings.decide_finding(
            connection, found, FindingState.ACCEPTED, "u-officer", "the field goes in May"
        )
    [first, _] = shop.sync({**ANN, "call": "+44 117 496 0002"})
    assert (first.id, first.state, first.reason) == (found.id, FindingState.ACCEPTED, "the field goes in May")
    assert first.first_seen_at == found.first_seen_at


def test_what_the_mapping_declares_is_told_with_its_category(shop: Findings, ontology: Ontology) -> None:
    config = shop.shop.syncer(shop.store, ontology).sources.config("shop")
    declared = {(d.path, d.type, d.property): d for d in declared_fields(config, "people", ontology)}
    assert declared["email", "Person", "email"].category == "user.contact.email"
    assert declared["no", "Person", "key"].category == "user.unique_id"
    assert declared["changed", "", ""].category == "system.operations"
    assert declared["tickets[].subject", "Ticket", "subject"].roots == {"tickets"}
    assert declared["^.no", "Ticket", "customer"].roots == {"tickets", "no"}


def test_of_many_records_some_are_looked_at() -> None:
    watch = findings.Watch((), None)
    for number in range(1000):
        watch.see({"mail": f"a{number}@example.com"})
    found = watch.findings("shop.people", ["mail"])
    assert [(each.kind, each.sampled) for each in found] == [
        (FindingKind.UNMAPPED_FIELD, 0),
        (FindingKind.UNDECLARED_PERSONAL_DATA, 208),
    ]
