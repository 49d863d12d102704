"""`hub privacy access` and its like: what they print, their exit codes, and what is on record of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent
from hub.cli import app
from hub.services import open_services
from hub.settings import load_settings
from hub.store import fixed
from tests.api.api_world import POLICY, fill, make_services
from tests.databases import sqlite_store
from tests.privacy.office import someone


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["privacy", *words], catch_exceptions=False)


def printed(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output


def told(*words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(printed(*words, "--json"))
    return found


def events() -> list[AuditEvent]:
    with open_services(load_settings()) as services:
        return [each.event for each in services.audit.events()]


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub that the commands open, with the policy's file: an agent read two customers there."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.read_text())
    with make_services(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), policy_file=policy) as services:
        fill(services)
        settings = services.settings
        read = AuditEvent(
            Action.READ,
            "u-17",
            roles=("support",),
            purpose="customer_service",
            policy_sha256=services.access.sha256,
            data_categories=("user.contact.email",),
            customers=(someone(1), someone(2)),
        )
        services.recorder.record_sync(read)
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("HUB_STORE_URL", settings.store_address)
    return policy


def age(days: int) -> None:
    since = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    with open_services(load_settings()) as services, services.store.write() as connection:
        connection.execute(fixed.configuration.update().values(since=since))


def test_rules_are_shown_with_who_made_use_of_them() -> None:
    text = printed("access", "--role", "support", "--category", "user.contact.email")
    assert "customer_service" in text
    assert "1 reads, 0 without a result, 0 refused for lack of a purpose, 0 unusual volumes" in text
    (rule,) = [
        each
        for each in told("access", "--role", "support")
        if "user.contact" in each["rule"]["names"]  # type: ignore[index,operator]
        and "customer_service" in each["rule"]["purposes"]
    ]  # type: ignore[index]
    assert (rule["use"]["reads"], rule["use"]["people"], rule["use"]["customers"]) == (1, ["u-17"], 2)  # type: ignore[index]


def test_rules_that_are_due_or_unused_are_listed_and_attested() -> None:
    assert told("access", "--due") == told("access", "--unused") == []
    age(93)
    due, unused = told("access", "--due"), told("access", "--unused")
    assert len(due) > len(unused) > 0
    rule: str = due[0]["rule"]["id"]  # type: ignore[index]
    assert f"{rule}: keep, event" in printed("attest", rule, "--verdict", "keep")
    assert len(told("access", "--due")) == len(due) - 1
    assert "a verdict is one of keep, narrow, revoke" in run("attest", rule, "--verdict", "yes").output
    assert run("attest", "0" * 16, "--verdict", "keep").exit_code == 1


def test_a_field_is_shown_with_who_can_see_it_and_who_did() -> None:
    text = printed("readers", "Customer.email")
    assert "Customer.email is user.contact.email" in text
    line = next(
        line for line in text.splitlines() if line.startswith("support") and "customer_service" in line
    )
    assert "u-17" in line
    assert told("readers", "Customer.email")["readableBy"]  # type: ignore[call-overload]


def test_a_sample_is_shown_with_flags_and_what_they_mean() -> None:
    with open_services(load_settings()) as services:
        services.recorder.record_sync(AuditEvent(Action.EXPORT, "os:ann", counts={"exported": 3}))
    text = printed("review", "--sample", "10", "--seed", "7")
    assert "2 of 2 accesses" in text
    assert "export: Data left the hub as a file." in text
    assert [each["flags"] for each in told("review")] == [[], ["export", "no_purpose", "policy_unknown"]]


def test_changes_of_the_policy_are_shown_with_their_cause(hub: Path) -> None:
    before = datetime.now(UTC)
    assert "Nothing changed." in printed("diff", "--from", before.isoformat())
    hub.write_text(
        POLICY.read_text().replace(
            "effect: mask:last4\n    why: to say which", "effect: deny\n    why: to say which"
        )
    )
    text = " ".join(printed("diff", "--from", before.isoformat()).split())
    assert "removed support for customer_service: user.financial.bank_account mask:last4 deny policy" in text
    assert "nothing was kept yet" in printed("diff", "--from", "2020-01-01")
    assert told("diff", "--from", before.isoformat())[0]["how"] == "removed"


def test_home_tells_what_is_late_by_its_exit_code() -> None:
    text = printed("home")
    assert "Audit log: checkpoint and witness" in text
    age(93)
    late = run("home")
    assert late.exit_code == 3
    assert "late" in late.output
    assert json.loads(run("home", "--json").output)[0]["key"] == "requests_open"


QUESTIONS = {
    "access_map": ["access"],
    "field_access": ["readers", "user.contact.email"],
    "access_review": ["review"],
    "map_diff": ["diff", "--from", "2020-01-01"],
    "compliance_overview": ["home"],
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_on_record(question: str) -> None:
    printed(*QUESTIONS[question])
    asked = events()[-1]
    assert (asked.action, asked.reason_code, asked.roles) == (Action.AUDIT_READ, question, ("operator",))
    assert asked.actor.startswith("os:")
