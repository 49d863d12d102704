"""One test for each row of the compliance table that is met here, named after the article."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.access import AccessMap, Effect, load_access_map
from hub.audit import Action, Outcome
from hub.errors import ConfigurationError, QueryError
from hub.ontology import load_ontology
from hub.privacy.access import Narrowing, access_map
from hub.privacy.records import record_of_processing
from hub.services import open_services
from hub.store import fixed
from tests.api.api_world import POLICY, asking, fill, make_services
from tests.privacy.office import Office
from tests.privacy.test_records import gaps, made, open_demo, with_organisation

TO_FINANCE = """
  - roles: finance
    purposes: accounting
    categories: {}
    effect: allow
    why: for this test
    owner: finance
    review: 2027-06-30
"""
PARTNERS = """
partners:
  calls:
    {{label: Calls, role: processor, countries: GB, receives: [{{categories: user.name, purposes: customer_service,
      roles: call_centre}}]{}}}
  carrier:
    {{label: Carrier, role: processor, countries: GB, contract_ref: C-2, receives: [{{categories: user.name,
      purposes: order_fulfilment, roles: partner}}]}}
"""
CLAIMS = "art_9: 'legal claims (Art. 9(2)(f))'"


def test_art_5_1_a_b_each_read_states_a_purpose_of_the_registry(office: Office) -> None:
    world = office.world
    body = {"query": "{ customers(first: 1) { nodes { id } } }"}
    several = world.token("support", ["customer_service", "safety_recall"])
    before = world.seq()
    assert world.post(body, several).code == "PURPOSE_REQUIRED"
    assert world.post(body, several, X_Purpose="curiosity").code == "PURPOSE_REQUIRED"
    assert world.post(body, several, X_Purpose="accounting").code == "PURPOSE_REQUIRED"
    refused = [event for event in world.events_after(before) if event.reason_code == "PURPOSE_REQUIRED"]
    assert sum(event.counts["attempts"] for event in refused) == 3
    world.post(body, several, X_Purpose="safety_recall")
    assert world.events_after(before)[-1].purpose == "safety_recall"


def test_art_5_1_c_25_what_no_mapping_reads_is_not_served(tmp_path: Path, store_url: str) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.csv").write_text("number\nO1\n")
    with make_services(tmp_path, store_url, files) as services:
        services.syncer.sync("till")
        (files / "b.csv").write_text("number,nickname\nO2,Bunny\n")
        services.syncer.sync("till")
        with services.store.read() as connection:
            rows = connection.execute(fixed.drift.select()).all()
            order = services.store.tables.by_type["Order"]
            served = connection.execute(order.select()).all()
        assert [(row.field, row.kind) for row in rows] == [("nickname", "new")]
        assert len(served) == 2
        assert not any("Bunny" in str(value) for row in served for value in row)


def test_art_6_no_record_rests_on_interests_that_nobody_weighed(office: Office) -> None:
    author = office.author()
    assert record_of_processing(office.services, author).controller.rows
    office.change("lia: https://example.com/privacy/lia/campaign-analysis", "other: x")
    with pytest.raises(QueryError, match="campaign_analysis rests on legitimate interests"):
        record_of_processing(office.services, office.author())


def test_art_9_10_special_data_is_opened_by_no_grant_above_it(office: Office) -> None:
    access = office.services.access
    # All of `user` is much, and calls for an assessment of its own.
    office.change(
        "    data_use: finance\n", "    data_use: finance\n    links: {dpia: https://example.com/dpia}\n"
    )
    office.change("\ngrants:\n", "\ngrants:\n" + TO_FINANCE.format("user"))
    wide = office.services.access
    assert wide.sha256 != access.sha256
    finance = frozenset({"finance"})
    assert wide.decide(finance, "accounting", "user.contact.email").effect is Effect.ALLOW
    for special in ("user.health_and_medical", "user.criminal_history", "user.demographic.religious_belief"):
        assert wide.decide(finance, "accounting", special).effect is Effect.DENY


def test_art_26_28_a_partner_without_a_contract_is_a_gap_of_the_record(
    tmp_path: Path, store_url: str
) -> None:
    with open_demo(tmp_path, store_url) as services:
        assert "14.1" not in gaps(made(services))
        partners = {
            name: each.model_copy(update={"contract_ref": None})
            for name, each in services.organisation.partners.items()
        }
        assert "14.1" in gaps(made(with_organisation(services, partners=partners)))


@pytest.mark.parametrize(
    ("contract", "code"),
    [
        ("", "FORBIDDEN"),
        ("contract_ref: C-1", None),
        ("contract_ref: C-1, agreement_until: 2026-01-31", "FORBIDDEN"),
        ("contract_ref: C-1, agreement_until: 2999-01-31", None),
        ("agreement_until: 2999-01-31", "FORBIDDEN"),
    ],
)
def test_art_28_people_of_a_partner_are_answered_nothing_without_a_contract_in_force(
    tmp_path: Path, store_url: str, contract: str, code: str | None
) -> None:
    """Whatever the policy gives to their role; those of another partner, and our own people, are answered."""
    file = tmp_path / "organisation.yaml"
    file.write_text(PARTNERS.format(f", {contract}" if contract else ""))
    query = "{ customers(first: 1) { nodes { id } } }"
    with make_services(tmp_path, store_url, organisation_file=file) as services:
        fill(services)
        with asking(services) as world:
            before = world.seq()
            calls = world.ask(query, "call_centre")
            assert (calls.code if "errors" in calls.body else None) == code
            (told,) = world.events_after(before)
            assert (told.outcome is Outcome.REFUSED, told.reason_code) == (code is not None, code)
            assert world.ask(query, "partner").data["customers"]["nodes"]
            assert world.ask(query, "support").data["customers"]["nodes"]
            if code is not None:
                assert "no contract with the partner 'calls'" in calls.message
                assert calls.status == 403


def test_art_30_the_record_has_forty_two_columns_and_lists_each_gap(tmp_path: Path, store_url: str) -> None:
    with open_demo(tmp_path, store_url) as services:
        sheet = made(services).controller
    assert len(sheet.columns) == 42
    empty = sum(not text for row in sheet.rows for text in row.cells)
    assert empty == len(sheet.gaps)


@pytest.mark.parametrize(
    ("category", "cited"),
    [
        ("user.health_and_medical", ("", "art_9: consent", "art_9: Art. 9(2)", "art_9: Art. 10")),
        ("user.biometric.voice", ("dpia: x", "art_9: Art. 9(2)(k)")),
        ("user.criminal_history", ("", CLAIMS)),
    ],
)
def test_art_9_10_a_purpose_that_cites_no_condition_opens_nothing(
    tmp_path: Path, category: str, cited: tuple[str, ...]
) -> None:
    """Such a policy is refused where it is loaded, and a changed file does not come into force."""
    path, text = tmp_path / "policy.yaml", POLICY.read_text()
    shown = text.replace("\ngrants:\n", "\ngrants:\n" + TO_FINANCE.format(category))
    taxonomy = load_ontology().taxonomy

    def load(links: str) -> AccessMap:
        stated = f"    data_use: finance\n    links: {{{links}}}\n"
        path.write_text(shown.replace("    data_use: finance\n", stated))
        return load_access_map(path, taxonomy)

    for links in cited:
        with pytest.raises(ConfigurationError, match=r"purposes\.accounting\.links\.art_9 that cites Art\. "):
            load(links)
    lawful = "art_9: Art. 10 and the law on claims" if category == "user.criminal_history" else CLAIMS
    assert load(lawful).decide(frozenset({"finance"}), "accounting", category).rule
    denied = shown.replace("effect: allow", "effect: deny", 1)
    path.write_text(denied)
    assert load_access_map(path, taxonomy)


def test_art_35_36_a_grant_that_calls_for_an_assessment_waits_for_it(tmp_path: Path, store_url: str) -> None:
    health = TO_FINANCE.format("user.health_and_medical")
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.read_text())
    with make_services(tmp_path, store_url, policy_file=path) as services:
        settings = services.settings
    shown = POLICY.read_text().replace("\ngrants:\n", "\ngrants:\n" + health)
    path.write_text(
        shown.replace("    data_use: finance\n", f"    data_use: finance\n    links: {{{CLAIMS}}}\n")
    )
    with pytest.raises(ConfigurationError, match="impact assessment"):
        open_services(settings, {})
    linked = path.read_text().replace(CLAIMS, f"{CLAIMS}, dpia: https://example.com/privacy/dpia/a")
    path.write_text(linked)
    with open_services(settings, {}) as services:
        assert services.access.decide(frozenset({"finance"}), "accounting", "user.health_and_medical").rule


def test_art_44_49_a_transfer_without_a_mechanism_is_a_gap_of_the_record(
    tmp_path: Path, store_url: str
) -> None:
    with open_demo(tmp_path, store_url) as services:
        systems = {
            name: each.model_copy(
                update={"country": "US", "transfer_mechanism": None, "hosting_partner": None}
            )
            for name, each in services.organisation.systems.items()
        }
        record = made(with_organisation(services, systems=systems))
    assert gaps(record, "accounting / erp")["5.2"] == "transfer_mechanism for US in organisation.yaml"


def test_iso_27701_grants_are_attested_each_quarter_and_unused_ones_listed(office: Office) -> None:
    since = (datetime.now(UTC) - timedelta(days=93)).isoformat().replace("+00:00", "Z")
    with office.services.store.write() as connection:
        connection.execute(fixed.configuration.update().values(since=since))
    found = access_map(office.services, office.author(), Narrowing(role="finance")).rules
    assert all(seen.is_past_attestation for seen in found)
    assert any(seen.is_unused for seen in found)
    office.read(role="finance", purpose="accounting", categories=["user.payment"])
    again = access_map(
        office.services, office.author(), Narrowing(role="finance", category="user.payment")
    ).rules
    assert [seen.is_unused for seen in again if seen.rule.is_permit] == [False]
    asked = [each.event for each in office.services.audit.events()][-1]
    assert (asked.action, asked.reason_code) == (Action.AUDIT_READ, "access_map")
