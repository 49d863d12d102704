"""What a policy lets roles do: nothing by default, every fault with its place, a hash of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.access import AccessMap, Command, load_access_map
from hub.errors import ConfigurationError
from hub.ontology import load_ontology
from tests.access.test_policy import GOOD, SHIPPED

MAY = """commands:
  - roles: support
    purposes: customer_service
    commands: [log_interaction, record_consent]
    why: to note what was said
    owner: support
    review: 2027-01-31
"""


def load(folder: Path, text: str) -> AccessMap:
    path = folder / "policy.yaml"
    path.write_text(text)
    return load_access_map(path, load_ontology().taxonomy, shown_as="policy.yaml")


def test_nobody_may_do_anything_that_no_rule_names(tmp_path: Path) -> None:
    silent, told = load(tmp_path, GOOD), load(tmp_path, GOOD + MAY)
    support, nobody = frozenset({"support", "other"}), frozenset({"other"})
    assert [each for each in Command if silent.may(support, "customer_service", each)] == []
    assert [each for each in Command if told.may(support, "customer_service", each)] == [
        Command.RECORD_CONSENT,
        Command.LOG_INTERACTION,
    ]
    assert not told.may(nobody, "customer_service", Command.RECORD_CONSENT)
    assert not told.may(support, "other", Command.RECORD_CONSENT)
    assert not told.may(frozenset(), "customer_service", Command.RECORD_CONSENT)


def test_another_rule_is_another_hash_and_their_order_has_no_meaning(tmp_path: Path) -> None:
    one = load(tmp_path, GOOD + MAY).sha256
    assert one != load(tmp_path, GOOD).sha256
    assert (
        one
        == load(
            tmp_path, GOOD + MAY.replace("log_interaction, record_consent", "record_consent, log_interaction")
        ).sha256
    )


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        (
            "roles: support",
            "roles: suport",
            ["commands.0.roles.0", "unknown role", "did you mean 'support'?"],
        ),
        ("purposes: customer_service", "purposes: customer", ["commands.0.purposes.0", "unknown purpose"]),
        ("record_consent", "record_consnet", ["commands.0.commands.1", "did you mean 'record_consent'?"]),
        ("owner: support", "owner: sales", ["commands.0.owner", "unknown department"]),
        ("why: to note what was said", "because: x", ["commands.0"]),
    ],
)
def test_each_fault_is_told_with_its_place(tmp_path: Path, good: str, bad: str, words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, GOOD + MAY.replace(good, bad))
    for word in words:
        assert word in str(refused.value)


def test_the_policy_we_ship_lets_few_do_much() -> None:
    access = load_access_map(SHIPPED, load_ontology().taxonomy)
    may = {
        (role, purpose, command.value)
        for role in access.roles
        for purpose in access.purposes
        for command in Command
        if access.may(frozenset({role}), purpose, command)
    }
    assert may == {
        *((role, "customer_service", "log_interaction") for role in ("support", "call_centre")),
        *((role, "customer_service", "record_consent") for role in ("support", "call_centre")),
        *((role, "customer_service", "record_restriction") for role in ("support", "call_centre")),
        ("sales", "account_management", "log_interaction"),
        ("sales", "account_management", "record_restriction"),
        ("website", "campaign_analysis", "record_signal"),
        ("compliance", "privacy_compliance", "record_restriction"),
        ("compliance", "privacy_compliance", "review_break_glass"),
        ("sales", "account_management", "record_consent"),
        ("compliance", "privacy_compliance", "record_consent"),
        ("steward", "data_quality", "correct_property"),
        ("steward", "data_quality", "replay_quarantine"),
        ("steward", "data_quality", "decide_match"),
        ("it", "system_operation", "sync_source"),
        ("it", "system_operation", "freeze_source"),
        ("it", "system_operation", "replay_quarantine"),
        ("it", "system_operation", "explain_access"),
        ("compliance", "privacy_compliance", "explain_access"),
        ("compliance", "privacy_compliance", "reveal_payloads"),
        ("compliance", "privacy_compliance", "read_audit"),
        ("compliance", "privacy_compliance", "erase_customer"),
        ("compliance", "privacy_compliance", "attest_grant"),
        ("management", "management_reporting", "attest_grant"),
        *(
            ("compliance", "privacy_compliance", name)
            for name in ("run_retention", "place_hold", "handle_breach")
        ),
        ("compliance", "privacy_compliance", "handle_privacy_request"),
        ("compliance", "privacy_compliance", "read_privacy_map"),
        *(("compliance", "privacy_compliance", word) for word in ("read_findings", "decide_finding")),
        *(("it", "system_operation", word) for word in ("read_findings", "decide_finding")),
        *((role, "customer_service", "handle_call") for role in ("support", "call_centre")),
        *((role, "customer_service", "read_consent") for role in ("support", "call_centre")),
        ("marketing", "campaign_analysis", "read_consent"),
        ("compliance", "privacy_compliance", "read_consent"),
        ("compliance", "privacy_compliance", "export_suppressions"),
        ("pbx", "customer_service", "report_call"),
    }
