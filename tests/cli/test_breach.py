"""`hub breach`: what it prints, what is on record, and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hub.audit import Action
from tests.privacy.keeping.cli_world import events, ledger, run

TEXTS = (
    "--nature", "a backup of the ledger was copied by a stranger",
    "--consequences", "attempts at fraud by telephone are likely",
    "--measures", "the storage was closed and its keys were changed",
    "--owner", "compliance",
)  # fmt: skip


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return ledger(tmp_path, monkeypatch)


def opened(*more: str) -> str:
    result = run("breach", "open", *TEXTS, "--source", "ledger", *more)
    assert result.exit_code == 0, result.output
    assert "affects 2 people" in result.output
    return re.search(r"Incident (\S+) affects", result.output)[1]  # type: ignore[index]


def test_who_looks_at_breaches_is_on_record(customers: dict[str, str]) -> None:
    scope = run("breach", "scope", "--source", "ledger")
    assert scope.exit_code == 0, scope.output
    assert "Affected: 2 customers, and 0 erased since" in scope.output
    assert "category user.contact.email 2" in scope.output
    assert all(id_ in scope.output for id_ in customers.values())
    ids = run("breach", "scope", "--hub", "--ids").output
    assert ids.split() == ["customer", *sorted(customers.values())]
    assert "No incident" in run("breach", "list").output
    id_ = opened()
    assert run("breach", "show", id_).output.startswith(f"# Incident {id_}")
    codes = [event.reason_code for event in events(Action.AUDIT_READ)]
    assert codes == ["breach_scope", "breach_scope", "incidents", "incident", "incident"]


def test_an_incident_is_followed_to_its_end(customers: dict[str, str]) -> None:
    id_ = opened()
    assert "undecided: authority, people" in run("breach", "list").output
    told = run("breach", "notify", id_, "authority_notified", "--note", "AP-2026-118")
    assert (told.exit_code, told.output.strip()) == (0, "open; undecided: people")
    assert run("breach", "notify", id_, "people_told", "--note", "by letter").exit_code == 0
    closed = run("breach", "notify", id_, "closed", "--note", "reviewed by the board")
    assert closed.output.strip() == "closed; undecided: nothing"
    refused = run("breach", "notify", id_, "nonsense", "--note", "x")
    assert (refused.exit_code, "a step is one of" in refused.stderr) == (1, True)
    loaded = json.loads(run("breach", "show", id_, "--format", "json").output)
    assert [step["kind"] for step in loaded["steps"]] == ["authority_notified", "people_told", "closed"]
    assert loaded["customers"] == sorted(customers.values())
    assert run("breach", "show", id_, "--format", "csv").output.split()[1:] == sorted(customers.values())
    assert "a format is one of" in run("breach", "show", id_, "--format", "pdf").stderr


def test_a_notification_that_is_overdue_shows(customers: dict[str, str]) -> None:
    opened("--aware", "2020-01-01")
    listed = run("breach", "list")
    assert (listed.exit_code, "notification overdue" in listed.output) == (3, True)


def test_how_to_reach_people_is_shown_by_an_access_of_its_own(customers: dict[str, str]) -> None:
    found = [json.loads(line) for line in run("breach", "people", opened()).output.splitlines()]
    assert {each["email"] for each in found} == {"person.p1@example.com", "person.p2@example.com"}
    [read] = events(Action.READ)
    assert sorted(read.customers) == sorted(customers.values())
