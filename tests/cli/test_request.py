"""`hub request`: from a letter to the answer, as the operator types it; and what is on record of who looked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent, EventFilter
from hub.cli import app
from hub.services import open_services
from hub.settings import load_settings
from tests.commands.command_world import MASTER_KEY
from tests.databases import sqlite_store
from tests.privacy.requests.request_world import Rights


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["request", *words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def events(*actions: Action) -> list[AuditEvent]:
    with open_services(load_settings()) as services:
        services.publish_events()
        found = services.audit.events(EventFilter(actions=actions), limit=1_000)
    return [each.event for each in found]


def id_in(result: Result) -> str:
    found = re.match(r"[0-9a-f-]{36}", result.output)
    assert found is not None, result.output
    return found.group()


@pytest.fixture
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ann's id, in a hub that the commands open."""
    rights = Rights(tmp_path, sqlite_store(tmp_path / "var" / "hub.sqlite"))
    customer = rights.begin()
    rights.services.publish()
    rights.services.close()
    given = rights.settings
    for name in ("data_dir", "config_dir", "policy_file", "organisation_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(given, name)))
    monkeypatch.setenv("HUB_STORE_URL", given.store_address)
    monkeypatch.setenv("HUB_MASTER_KEY", MASTER_KEY)
    return customer


def tasks(result: Result) -> list[str]:
    """Numbers of the steps that people have to do, the handing out aside."""
    rows = [line.split() for line in result.output.splitlines() if ", open" in line]
    return [row[0] for row in rows if "hand_out" not in row]


def test_a_request_goes_from_the_letter_to_the_package(ann: str, tmp_path: Path) -> None:
    opened = run("open", "access", "--customer", ann, "--law", "uk", "--contact", "ann@example.com")
    request = id_in(opened)
    assert "ann@example.com" not in opened.output
    run("package", request, str(tmp_path / "early"), code=1)
    run("verify", request, "--method", "document")
    run("plan", request)
    shown = run("run", request)
    for number in tasks(shown):
        run("task", request, number, "--proof", f"T-{number}")
    folder = tmp_path / "package"
    run("package", request, str(folder))
    assert json.loads((folder / "package.json").read_bytes())["holds_data"] is True
    assert "Ann Archer" in (folder / "package.html").read_text()
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
    assert "closed" in run("show", request).output
    assert "There are none." in run("list").output
    assert request in run("list", "--state", "closed").output


def test_what_shows_values_or_keys_is_on_record(ann: str, tmp_path: Path) -> None:
    request = id_in(run("open", "erasure", "--customer", ann, "--ground", "consent_withdrawn"))
    run("verify", request, "--method", "signature")
    run("plan", request)
    shown = run("run", request)
    assert "kept: 1 Invoice until 2036-01-03" in shown.output
    assert "certificate: hub audit prove" in shown.output
    assert "ledger.people: L1" in run("keys", request).output
    assert "INV-1001" in run("retained", request).output
    reads = [event for event in events(Action.READ) if event.about == request]
    assert [(event.actor.partition(":")[0], event.entity_types) for event in reads] == [("os", ("Invoice",))]
    looked = [event for event in events(Action.AUDIT_READ) if event.reason_code == "privacy_request"]
    assert len(looked) >= 5


def test_the_clock_stands_goes_on_is_extended_and_a_request_is_refused(ann: str) -> None:
    request = id_in(run("open", "access", "--customer", ann))
    assert "paused" in run("pause", request, "--reason", "identity").output
    assert "days left" in run("pause", request, "--resume").output
    run("extend", request, "--reason", "eleven systems have to be searched by hand")
    ended = run("refuse", request, "--why", "excessive", "--reason", "the fourth letter on the same matter")
    assert "refused.excessive" in ended.output
    old = run("open", "access", "--received", "2024-01-31", "--law", "ccpa")
    assert "overdue, by 2024-03-16" in old.output
    assert "overdue" in run("list", code=3).output
    assert (
        "ccpa access: 1 received, 0 complied with, 0 in part, 0 refused, 1 open"
        in run("metrics", "2024").output
    )
    assert "0 requests and 0 rows" in run("tidy").output


@pytest.mark.parametrize("words", [("open", "everything"), ("open", "rectification", "--change", "email")])
def test_what_is_misspelt_is_refused_with_what_may_be_said(ann: str, words: tuple[str, ...]) -> None:
    assert "one of" in (said := run(*words, code=1).output) or "PROPERTY=VALUE" in said
