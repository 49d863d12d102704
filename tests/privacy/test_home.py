"""What a compliance officer has to look at today: each matter tells what is there, and is in order when nothing is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hub.adapters.findings import Finding, FindingKind, FindingState, decide_finding, record_findings
from hub.audit import Action
from hub.commands import BreakGlass, break_glass
from hub.commands.incidents import keep_incident
from hub.errors import AccessDeniedError
from hub.privacy.home import (
    PROVIDERS,
    Matter,
    breaches_open,
    compliance_overview,
    findings_open,
    partners_without_contract,
    places_by_hand,
    requests_open,
    retention_overdue,
)
from hub.privacy.requests.clock import Law
from hub.privacy.requests.handling import Channel, OpenRequest, open_request
from hub.privacy.requests.states import Kind
from hub.store import fixed
from tests.privacy.keeping.retention_world import Keeper, person
from tests.privacy.office import Office
from tests.privacy.test_records import open_demo, with_organisation

OVERVIEW = "{ complianceOverview { key label state count how items { what owner due } } }"


def matters(office: Office) -> dict[str, Matter]:
    return {each.key: each for each in compliance_overview(office.services, office.author())}


def test_all_matters_are_told_over_graphql_to_officers_alone(office: Office) -> None:
    found = office.world.ask(OVERVIEW, "compliance").data["complianceOverview"]
    assert [each["key"] for each in found] == [provider.__name__ for provider in PROVIDERS]
    assert all(each["count"] == len(each["items"]) for each in found)
    with pytest.raises(AccessDeniedError):
        compliance_overview(office.services, office.author("support"))
    events = [each.event for each in office.services.audit.events()]
    assert (Action.AUDIT_READ, "compliance_overview") in {(each.action, each.reason_code) for each in events}


def test_a_field_that_nobody_classified_is_told(office: Office) -> None:
    assert matters(office)["unclassified_fields"].state == "ok"
    with office.services.store.write() as connection:
        row = {"source": "till", "stream": "sales", "field": "nickname", "kind": "new"}
        when = {"since": "2026-01-01T00:00:00Z", "since_run_id": 1}
        connection.execute(fixed.drift.insert().values(**row, **when))
    found = matters(office)["unclassified_fields"]
    assert (found.state, [each.what for each in found.items]) == ("attention", ["till.sales.nickname"])


def test_a_rule_past_its_review_is_late(office: Office) -> None:
    assert matters(office)["grants_past_review"].items == ()
    office.change("review: 2027-03-31", "review: 2020-01-01")
    found = matters(office)["grants_past_review"]
    assert found.state == "late"
    assert found.items[0].owner == "sales"


def test_rules_that_nobody_attested_or_used_are_told(office: Office) -> None:
    found = matters(office)
    assert (found["grants_unattested"].state, found["grants_unused"].state) == ("ok", "ok")
    since = (datetime.now(UTC) - timedelta(days=93)).isoformat().replace("+00:00", "Z")
    with office.services.store.write() as connection:
        connection.execute(fixed.configuration.update().values(since=since))
    found = matters(office)
    assert found["grants_unattested"].state == "late"
    assert found["grants_unused"].state == "attention"
    assert len(found["grants_unused"].items) < len(found["grants_unattested"].items)


def test_a_broken_glass_waits_for_its_review(office: Office) -> None:
    ann = office.world.customer("erp", "C1")
    order = BreakGlass(ann, ("user.location",), "somebody took the account over today", "INC-1", None, "k")
    break_glass(office.services, office.author("support"), order)
    found = matters(office)["glasses_unreviewed"]
    assert (found.state, len(found.items), found.items[0].owner) == ("attention", 1, "support")


def test_a_purpose_that_lacks_an_assessment_is_told(office: Office) -> None:
    office.change("lia: https://example.com/privacy/lia/data-quality", "other: x")
    found = matters(office)["assessments_missing"]
    assert ["data_quality" in each.what for each in found.items] == [True]


def test_processors_without_a_contract_and_places_by_hand_are_told(tmp_path: Path, store_url: str) -> None:
    with open_demo(tmp_path, store_url) as services:
        assert partners_without_contract(services).state == "ok"
        partners = dict(services.organisation.partners)
        bare, over = partners["warehouse"], partners["till_vendor"]
        partners["warehouse"] = bare.model_copy(update={"contract_ref": None, "agreement_until": None})
        partners["till_vendor"] = over.model_copy(update={"agreement_until": date(2020, 1, 1)})
        found = partners_without_contract(with_organisation(services, partners=partners))
        assert found.state == "late"
        assert [each.what.partition(":")[0] for each in found.items] == ["till_vendor", "warehouse"]
        by_hand = {each.what.partition(":")[0]: each for each in places_by_hand(services).items}
    assert "erase none" in by_hand["legacy"].what
    assert by_hand["hub_backups"].owner == "it"


def test_a_request_that_is_not_answered_is_told_with_its_day_and_late_after_it(office: Office) -> None:
    assert requests_open(office.services).state == "ok"
    for key, received in (("late", datetime(2026, 1, 5, tzinfo=UTC)), ("new", datetime.now(UTC))):
        order = OpenRequest(Kind.ACCESS, Law.GDPR, Channel.LETTER, key, received)
        open_request(office.services, office.author(), order)
    found = requests_open(office.services)
    assert found.state == "late"
    assert [(each.what.partition(": ")[2], each.owner) for each in found.items] == [
        ("access, gdpr", "compliance")
    ] * 2
    assert found.items[0].due == datetime(2026, 2, 5, 23, 59, 59, 999_999, UTC)


def test_what_is_kept_too_long_is_late(tmp_path: Path, store_url: str) -> None:
    keeper = Keeper(tmp_path, store_url)
    try:
        assert retention_overdue(keeper.services).state == "ok"
        keeper.keep(people=[person("P1")], orders=[{"no": "O1", "who": "P1", "at": "2001-01-01T00:00:00Z"}])
        found = retention_overdue(keeper.services)
    finally:
        keeper.services.close()
    assert found.state == "late"
    assert found.items


def test_an_open_breach_has_the_clock_of_the_authority(office: Office) -> None:
    assert breaches_open(office.services).state == "ok"
    aware = datetime.now(UTC) - timedelta(hours=73)
    row = {
        "opened_by": "u-compliance", "aware_at": aware.isoformat(), "nature": "a test", "consequences": "none",
        "measures": "none", "owner": "compliance", "scope": {}, "found": {},
    }  # fmt: skip
    with office.services.store.write() as connection:
        id_ = keep_incident(connection, row, ())
    found = breaches_open(office.services)
    assert (found.state, [each.what for each in found.items]) == ("late", [id_])


def test_a_finding_that_nobody_decided_about_is_told(office: Office) -> None:
    finding = Finding(FindingKind.UNMAPPED_FIELD, "till.sales", "nickname")
    with office.services.store.write() as connection:
        record_findings(connection, 1, "till.sales", [finding], read_any=True)
    found = findings_open(office.services)
    assert [each.what for each in found.items] == ["unmapped_field: till.sales nickname"]
    with office.services.store.write() as connection:
        decide_finding(connection, finding, FindingState.ACCEPTED, "u-it", "it is a test")
    assert findings_open(office.services).items == ()


def test_a_log_without_checkpoint_and_verification_is_to_be_looked_at(office: Office) -> None:
    found = matters(office)["log_verified"]
    assert found.state == "attention"
    assert "no checkpoint" in found.items[0].what
    assert found.items[1].what == "the log was never verified"
    office.read(action=Action.AUDIT_VERIFIED, days_ago=0)
    assert "verified on" in matters(office)["log_verified"].items[1].what
