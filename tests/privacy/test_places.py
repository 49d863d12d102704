"""The map of one person equals an independent scan: each planted place is in it, and nothing that holds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.adapters.findings import FindingKind, FindingState
from hub.adapters.inventory import IMPERSONAL, TABLES
from hub.audit import Action
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.organisation import Itself, load_organisation
from hub.privacy import places
from hub.privacy.places import State
from hub.privacy.places.gaps import configured_findings
from hub.store import fixed
from tests.commands.command_world import ANN, BEN, Shop
from tests.organisation.test_organisation import GOOD, KNOWN
from tests.statements import noting, plan_of

PLANTED = "zyxplanted"
"""Stands in each value of Ann's, and in nothing else."""
ANN_PLANTED = {
    **ANN,
    "name": f"Ann {PLANTED.title()}",
    "email": f"ann.{PLANTED}@example.com",
    "street": f"12 {PLANTED.title()} Street",
}


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> Iterator[Shop]:
    made = Shop(tmp_path, store_url)
    made.write("club", [ANN_PLANTED, BEN])
    made.write(
        "till", [{**ANN_PLANTED, "key": "77"}, {**BEN, "key": "", "email": f"ann.{PLANTED}@example.com"}]
    )
    made.tickets("club", [{"number": "T1", "subject": f"Where is {PLANTED}", "member": "1"}])
    made.sync()
    ann = made.customer("club", "1")
    made.correct(ann, "streetAddress", f"13 {PLANTED.title()} Street")
    made.interaction(ann, summary=f"{PLANTED} called")
    made.consent(ann)
    made.services.publish()
    yield made
    made.services.close()


def scanned(shop: Shop, *words: str) -> dict[str, int]:
    """Rows by table of the store in which one of the words stands, found without any knowledge of what they mean."""
    found: dict[str, int] = {}
    tables = {**fixed.metadata.tables, **shop.services.store.tables.metadata.tables}
    with shop.services.store.read() as connection:
        for name, table in tables.items():
            rows = [str(tuple(row)).lower() for row in connection.execute(select(table))]
            count = sum(any(word in row for word in words) for row in rows)
            if count:
                found[name] = count
    return found


def test_every_place_where_a_planted_value_stands_is_in_the_persons_map(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    found = places.data_map(shop.services, shop.author("compliance"), ann)
    planted = scanned(shop, PLANTED)
    assert {"record", "quarantine", "e_person", "customer", "identifier", "profile", "home"} <= planted.keys()
    told = {each.id.removeprefix("hub."): each.rows for each in found.places}
    told["record"] = sum(each.versions for each in found.records if each.reference.startswith("record:"))
    told["quarantine"] = sum(each.reference.startswith("quarantine:") for each in found.records)
    assert planted.keys() <= told.keys()
    for table, count in planted.items():
        assert (told[table] or 0) >= count, table
    assert told["search_index"]
    assert told["audit_payloads"]


def test_no_place_in_the_persons_map_holds_nothing(shop: Shop) -> None:
    """Each place has rows with the customer's id, a party's, or that of something of theirs."""
    ann = shop.customer("club", "1")
    found = places.data_map(shop.services, shop.author("compliance"), ann)
    parties = [
        row["party_id"]
        for row in shop.rows("SELECT party_id FROM membership WHERE customer_id = $id", id=ann)
    ]
    others = [
        row["id"]
        for name in ("e_ticket", "e_interaction", "e_consent")
        for row in shop.of_customer(name, ann)
    ]
    by_id = scanned(shop, ann, *parties, *others, PLANTED)
    indirect = {"record_head", "contribution", "former", "edge", "blocking_key", "home_key"}
    for each in found.places:
        assert each.rows != 0
        table = each.id.removeprefix("hub.")
        if table in fixed.metadata.tables and table not in indirect:
            assert table in by_id, table


def test_every_field_in_the_persons_map_has_a_value_in_the_record(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    found = places.data_map(shop.services, shop.author("compliance"), ann)
    payloads = {
        row["head_id"]: json.loads(row["payload"]) for row in shop.rows("SELECT * FROM record ORDER BY id")
    }
    landed = [
        each for each in found.records if each.reference.startswith("record:") and each.source == "club"
    ]
    assert landed
    for record in landed:
        payload = payloads[int(record.reference.partition(":")[2])]
        named = {each.name for each in record.fields}
        assert all(payload[name] not in (None, "") for name in named)
        assert {name for name, value in payload.items() if value not in (None, "")} <= {
            *named,
            "changed",
            "kind",
        }
    [member] = [each for each in landed if each.stream == "members"]
    told = {(each.property, each.category) for each in member.fields}
    assert ("Person.email", "user.contact.email") in told
    assert not any(property_.startswith("Organization") for property_, _ in told)


def test_a_field_says_what_for_how_long_who_gets_it_and_who_read_it_last(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    event = shop.author("support").event(
        Action.READ, customers=(ann,), data_categories=("user.contact.email",)
    )
    shop.services.recorder.record_sync(event)
    found = places.data_map(shop.services, shop.author("compliance"), ann)
    fields = [each for record in found.records for each in record.fields]
    email = next(each for each in fields if each.property == "Person.email")
    assert "customer_service" in email.purposes
    assert "contract" in email.basis
    assert email.recipients == ("helpdesk_vendor", "call_centre", "warehouse")
    assert email.retention_until is not None
    assert email.retention_until.startswith("2035-12")  # 3650 days of a recall after 2026-01-01
    assert (email.last_read_by, found.last_read_by) == ("u-support", "u-support")
    name = next(each for each in fields if each.property == "Person.name")
    assert name.last_read_by is None
    assert found.copies == ("place.hub_backups",)


def test_keys_of_records_are_shown_to_those_who_may_see_them_alone(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    officer = places.data_map(shop.services, shop.author("compliance"), ann)
    assert {each.key for each in officer.records} == {None}
    operator = places.data_map(
        shop.services, type(shop.author()).operator("os:me", shop.services.access), ann
    )
    assert "77" in {each.key for each in operator.records}


def test_no_value_is_in_any_map_and_every_question_is_on_record(shop: Shop) -> None:
    ann, officer = shop.customer("club", "1"), shop.author("compliance")
    found = places.data_map(shop.services, officer, ann)
    whole = places.privacy_map(shop.services, officer)
    places.recipients(shop.services, officer)
    findings = places.findings(shop.services, officer)
    page = places.field_of(shop.services, officer, "Person.email")
    shown = f"{found}{whole}{findings}{page}{places.as_json(whole)}{places.as_svg(whole)}".lower()
    assert PLANTED not in shown
    asked = [event for event in shop.events() if event.action is Action.PRIVACY_MAP_READ]
    assert [event.reason_code for event in asked] == ["person", "map", "recipients", "findings", "field"]
    assert asked[0].customers == (ann,)


@pytest.mark.parametrize("role", ["support", "it", "steward", "management"])
def test_the_map_is_for_officers(shop: Shop, role: str) -> None:
    ann = shop.customer("club", "1")
    with pytest.raises(AccessDeniedError, match="read_privacy_map"):
        places.privacy_map(shop.services, shop.author(role))
    with pytest.raises(AccessDeniedError, match="read_privacy_map"):
        places.data_map(shop.services, shop.author(role), ann)
    refused = [event for event in shop.events() if event.action is Action.COMMAND_REFUSED]
    assert len(refused) == 2


def test_whom_nobody_knows_has_no_map(shop: Shop) -> None:
    with pytest.raises(NotFoundError, match="no customer"):
        places.data_map(shop.services, shop.author("compliance"), "cus_nobody_at_all_00")


def test_every_table_of_the_store_is_described_once() -> None:
    assert {*TABLES, *IMPERSONAL} == {*fixed.metadata.tables, "customer"}
    assert not TABLES.keys() & IMPERSONAL.keys()


def test_the_map_of_the_organisation_counts_what_is_there(shop: Shop) -> None:
    found = {each.id: each for each in places.privacy_map(shop.services, shop.author("compliance")).locations}
    assert (found["club.members"].rows, found["club.members"].state) == (2, State.PRESENT)
    assert found["till.tickets"].state is State.ABSENT
    assert "user.contact.email" in found["club.members"].categories
    with shop.services.store.read() as connection:
        for table in ("e_person", "record", "identifier", "membership"):
            counted = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            assert found[f"hub.{table}"].rows == counted


def test_records_that_are_gone_count_no_more_and_all_are_counted_by_indexes(shop: Shop) -> None:
    shop.write("club", [BEN])
    shop.tickets("club", [])
    shop.sync("club")
    officer, statements = shop.author("compliance"), list[str]()
    with noting(shop.services.store, statements.append):
        found = {each.id: each for each in places.privacy_map(shop.services, officer).locations}
    assert found["club.members"].rows == 1
    assert (found["club.tickets"].rows, found["club.tickets"].state) == (0, State.ABSENT)
    counting = [each for each in statements if "FROM record_head" in each and "GROUP BY" in each]
    assert len(counting) == 2
    with shop.services.store.read() as connection:
        plans = [plan_of(connection, each) for each in counting]
    assert any("ix_record_head_gone" in each for each in plans), plans
    if shop.services.store.dialect.name == "sqlite":
        assert any("COVERING INDEX sqlite_autoindex_record_head" in each for each in plans), plans


def test_the_hub_s_own_places_lie_where_the_organisation_says_and_what_comes_there_crosses_borders(
    shop: Shop,
) -> None:
    officer = shop.author("compliance")
    told = {each.id: each for each in places.privacy_map(shop.services, officer).locations}
    assert (told["hub.record"].owner, told["hub.record"].country, told["hub.memory"].country) == (
        "it",
        "GB",
        "GB",
    )
    said = shop.services.organisation
    for hub, expected in (
        (None, (None, None, None)),
        (Itself(owner="it", country="US", hosting_partner="backup_vault"), ("it", "US", "backup_vault")),
    ):
        services = replace(shop.services, organisation=said.model_copy(update={"hub": hub}))
        found = places.privacy_map(services, officer)
        record = next(each for each in found.locations if each.id == "hub.record")
        assert (record.owner, record.country, record.partner) == expected
        landing = [each for each in found.flows if each.target == "hub.record"]
        borders = {each.source: (each.leaves, each.transfer_mechanism) for each in landing}
        assert borders.pop("hub.webhook_delivery") == (False, None)
        assert set(borders.values()) == {(hub is not None, None)}


def test_the_map_is_narrowed_by_category_and_system(shop: Shop) -> None:
    officer = shop.author("compliance")
    emails = places.privacy_map(shop.services, officer, category="user.contact", system="club")
    assert [each.id for each in emails.locations] == ["club.members"]
    assert places.privacy_map(shop.services, officer, system="club").flows == ()
    with pytest.raises(QueryError, match="no data category"):
        places.privacy_map(shop.services, officer, category="user.nothing")
    with pytest.raises(QueryError, match="no system"):
        places.privacy_map(shop.services, officer, system="nothing")


def test_findings_are_decided_with_a_reason_and_on_record(shop: Shop) -> None:
    officer = shop.author("compliance")
    findings = places.findings(shop.services, officer)
    kinds = {(each.kind, each.place) for each in findings}
    assert (FindingKind.SOURCE_WITHOUT_SYSTEM, "source.club") in kinds
    assert (FindingKind.SYSTEM_WITHOUT_SOURCE, "system.erp") in kinds
    for chosen in findings[:2]:
        with pytest.raises(QueryError, match="10 to"):
            places.decide_finding(shop.services, officer, chosen.id, FindingState.ACCEPTED, "short")
        decided = places.decide_finding(
            shop.services, officer, chosen.id, FindingState.ACCEPTED, "known, goes in May"
        )
        assert (decided.state, decided.decided_by) == (FindingState.ACCEPTED, "u-compliance")
    still = places.findings(shop.services, shop.author("it"), FindingState.OPEN)
    assert {each.id for each in findings[:2]} & {each.id for each in still} == set()
    assert [event.action for event in shop.events()].count(Action.FINDING_DECIDED) == 2
    with pytest.raises(AccessDeniedError):
        places.findings(shop.services, shop.author("support"))


def test_what_the_organisation_does_not_say_is_found(tmp_path: Path) -> None:
    path = tmp_path / "organisation.yaml"
    path.write_text(
        GOOD.replace(
            "role: processor", "role: processor\n    contract_ref: C-1\n    agreement_until: 2026-01-01"
        )
    )
    ended = configured_findings(load_organisation(path, KNOWN), {"till"}, date(2026, 2, 1))
    assert {(each.kind.value, each.place, each.field) for each in ended} == {
        ("transfer_without_mechanism", "partner.vendor", "US"),
        ("agreement_ended", "partner.vendor", ""),
    }
    path.write_text(GOOD.replace("[GB, US]", "GB"))
    bare = configured_findings(load_organisation(path, KNOWN), {"till", "erp"}, date(2026, 2, 1))
    assert {(each.kind.value, each.place) for each in bare} == {
        ("partner_without_contract", "partner.vendor"),
        ("source_without_system", "source.erp"),
    }
    path.write_text(f"{GOOD}hub: {{owner: it, country: US}}\n")
    abroad = configured_findings(load_organisation(path, KNOWN), {"till"}, date(2026, 2, 1))
    assert ("transfer_without_mechanism", "hub", "US") in {(e.kind.value, e.place, e.field) for e in abroad}
    assert not [each for each in abroad if each.kind is FindingKind.SYSTEM_WITHOUT_SOURCE]
