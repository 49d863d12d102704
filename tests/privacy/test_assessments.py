"""What needs an impact assessment, and what becomes of a policy that adds such a thing without one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.access import (
    AccessMap,
    Purpose,
    added_unassessed,
    compile_policy,
    findings,
    load_access_map,
    triggers,
    unassessed,
)
from hub.audit import Action, Outcome
from hub.cli import app
from hub.errors import ConfigurationError
from hub.ontology import Category, Taxonomy, load_ontology
from hub.services import open_services
from tests.access.small_policies import access_map, grant
from tests.api.api_world import POLICY
from tests.privacy.office import Office

KEYS = (
    "user",
    "user.name",
    "user.behavior",
    "user.behavior.browsing_history",
    "user.health_and_medical",
    "system",
)
TAXONOMY = Taxonomy(
    data_categories=tuple(
        Category(key=key, label=key, special=key == "user.health_and_medical") for key in KEYS
    ),
    data_uses=(),
    data_subjects=(),
)


def policy(*grants: object, **purpose: object) -> AccessMap:
    small = access_map(*grants).policy  # type: ignore[arg-type]
    stated = Purpose.model_validate(
        {"label": "p", "data_use": "sales", "legal_basis": "contract", "retention_days": 1, **purpose}
    )
    return compile_policy(
        small.model_copy(update={"purposes": {"service": stated, "sales": stated}}), TAXONOMY
    )


def rules(access: AccessMap) -> set[tuple[str, str]]:
    return {(each.rule, each.category) for each in triggers(access)}


@pytest.mark.parametrize(
    ("grants", "data_use", "expected"),
    [
        ([grant("user.name", "allow")], "sales", set()),
        ([grant("user.health_and_medical", "allow")], "sales", {("special_categories", "user.health_and_medical")}),
        ([grant("user.health_and_medical", "mask:withhold")], "sales",
         {("special_categories", "user.health_and_medical")}),
        ([grant("user", "allow")], "sales", {("monitoring", "user.behavior.browsing_history")}),
        ([grant("user.health_and_medical", "allow", scope="region")], "sales", set()),
        ([grant("user", "allow"), grant("user.behavior", "deny")], "personalize.content", set()),
        ([grant("user.behavior", "allow")], "personalize.content",
         {("profiling", "user.behavior"), ("profiling", "user.behavior.browsing_history"),
          ("monitoring", "user.behavior.browsing_history")}),
        ([grant("user.name", "allow")], "marketing.advertising.profiling", set()),
    ],
)  # fmt: skip
def test_the_rules_of_article_35_are_met_by_what_is_shown_of_all_customers(
    grants: list[object], data_use: str, expected: set[tuple[str, str]]
) -> None:
    assert rules(policy(*grants, data_use=data_use)) == expected


@pytest.mark.parametrize("link", ["dpia", "dpia_waiver"])
def test_an_assessment_or_the_reason_for_none_settles_it(link: str) -> None:
    health = grant("user.health_and_medical", "allow")
    bare, linked = policy(health), policy(health, links={link: "https://example.com/privacy/dpia"})
    assert [each.purpose for each in unassessed(bare)] == ["service"]
    assert (unassessed(linked), len(triggers(linked))) == ([], 1)
    (finding,) = findings(bare, datetime(2026, 1, 1, tzinfo=UTC).date())
    assert "special_categories" in finding.message


def test_what_was_unassessed_before_is_told_and_what_is_added_is_a_fault() -> None:
    health, more = grant("user.health_and_medical", "allow"), grant("user.behavior", "allow", role="seller")
    old, new = policy(health), policy(health, more)
    assert added_unassessed(old, old, "policy.yaml") == []
    assert added_unassessed(new, old, "policy.yaml") == []
    (fault,) = added_unassessed(old, new, "policy.yaml")
    assert "user.behavior.browsing_history to seller" in str(fault)
    assert "links.dpia" in str(fault)


def test_the_policy_we_ship_lacks_no_assessment() -> None:
    access = load_access_map(POLICY, load_ontology().taxonomy)
    assert {each.purpose for each in triggers(access)} == {"campaign_analysis", "customer_service"}
    assert findings(access, datetime(2026, 1, 1, tzinfo=UTC).date()) == []


ADDED = """
  - roles: finance
    purposes: accounting
    categories: user.health_and_medical
    effect: allow
    why: for this test
    owner: finance
    review: 2027-06-30
"""
CLAIMS = "art_9: 'legal claims (Art. 9(2)(f))'"


def shown_to_finance() -> str:
    """The policy with health data for accounting, under a condition of Art. 9(2), and no assessment."""
    stated = POLICY.read_text().replace(
        "data_use: finance\n", f"data_use: finance\n    links: {{{CLAIMS}}}\n", 1
    )
    return stated.replace("\ngrants:\n", "\ngrants:\n" + ADDED)


def test_a_grant_that_needs_an_assessment_waits_for_it_or_for_a_waiver(office: Office) -> None:
    before = office.services.access.sha256
    office.change(POLICY.read_text(), shown_to_finance())
    assert office.services.access.sha256 == before
    (fault,) = office.services.policy.faults
    assert "purposes.accounting" in str(fault)
    refused = [each.event for each in office.services.audit.events() if each.event.outcome is Outcome.REFUSED]
    assert [(event.action, event.reason_code) for event in refused] == [(Action.POLICY_LOADED, "faults")]
    office.change(CLAIMS, f"{CLAIMS}, dpia_waiver: a test needs none")
    assert office.services.access.sha256 != before
    decision = office.services.access.decide(frozenset({"finance"}), "accounting", "user.health_and_medical")
    assert decision.stated == "allow"


def test_a_policy_that_changed_while_nothing_ran_is_refused_at_start(tmp_path: Path, store_url: str) -> None:
    from tests.api.api_world import make_services

    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.read_text())
    with make_services(tmp_path, store_url, policy_file=path) as services:
        settings = services.settings
    path.write_text(shown_to_finance())
    with pytest.raises(ConfigurationError, match="impact assessment"):
        open_services(settings, {})
    path.write_text(POLICY.read_text())
    open_services(settings, {}).close()


def test_hub_check_tells_what_is_to_be_assessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(shown_to_finance())
    for name, value in (("POLICY_FILE", path), ("DATA_DIR", tmp_path / "var")):
        monkeypatch.setenv(f"HUB_{name}", str(value))
    told = CliRunner().invoke(app, ["check"], catch_exceptions=False)
    assert told.exit_code == 0
    assert "To be assessed:" in told.output
    assert "purpose accounting shows user.health_and_medical to finance" in " ".join(told.output.split())
