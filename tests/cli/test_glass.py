"""`hub access glass`: the review queue on the machine itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent
from hub.cli import app
from hub.commands import break_glass
from hub.services import open_services
from hub.settings import load_settings
from hub.store import fixed, iso_utc
from tests.commands.command_world import ANN, Shop
from tests.commands.test_glasses import REASON, author, order
from tests.databases import sqlite_store


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["access", "glass", *words], catch_exceptions=False)


@pytest.fixture
def glass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A glass that was broken for Ann, in a hub that the commands open."""
    shop = Shop(tmp_path, sqlite_store(tmp_path / "hub.sqlite"))
    shop.write("club", [ANN])
    shop.sync("club")
    id_ = break_glass(shop.services, author(shop), order(shop)).id
    shop.services.close()
    given = shop.settings
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(given, name)))
    monkeypatch.setenv("HUB_STORE_URL", given.store_address)
    return id_


def events() -> list[AuditEvent]:
    with open_services(load_settings()) as services:
        services.publish_events()
        return [each.event for each in services.audit.events()]


def test_who_looks_at_the_queue_is_on_record(glass: str) -> None:
    result = run("list")
    assert result.exit_code == 0
    for word in (glass, "open", "planner-1", "user.contact", "INC-1", REASON):
        assert word in " ".join(result.output.split())
    found = [event for event in events() if event.action is Action.READ]
    assert [(event.roles, event.counts["results"]) for event in found] == [(("operator",), 1)]
    assert len(found[0].customers) == 1


def test_one_is_stopped_and_reviewed_by_the_operator(glass: str) -> None:
    assert glass in run("stop", glass).output
    assert run("review", glass, "fine").exit_code == 1
    assert "justified" in run("review", glass, "justified", "--note", "seen").output
    assert "No break-glass waits" in run("list").output
    assert glass in run("list", "--reviewed").output
    codes = [event.reason_code for event in events() if event.break_glass == glass]
    assert codes == ["started", "stopped", "reviewed.justified"]


def test_a_late_review_is_an_exit_code(glass: str) -> None:
    assert "None was reviewed" in run("list", "--reviewed").output
    with open_services(load_settings()) as services, services.store.write() as connection:
        late = iso_utc(datetime.now(UTC) - timedelta(hours=73))
        connection.execute(update(fixed.break_glass).values(started_at=late))
    result = run("list")
    assert result.exit_code == 3
    assert "overdue" in result.output
