"""`hub search` and `hub index`: what they print, and what is on record of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent
from hub.cli import app
from hub.services import open_services
from hub.settings import load_settings
from tests.commands.command_world import ANN, BEN, Shop
from tests.databases import sqlite_store


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def printed(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ann's id, in a hub that the commands open."""
    shop = Shop(tmp_path, sqlite_store(tmp_path / "hub.sqlite"))
    shop.write("club", [ANN, BEN])
    shop.sync("club")
    customer = shop.customer("club", "1")
    shop.services.close()
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(shop.settings, name)))
    monkeypatch.setenv("HUB_STORE_URL", shop.settings.store_address)
    key = shop.settings.master_key
    monkeypatch.setenv("HUB_MASTER_KEY", key.get_secret_value() if key else "")
    return customer


def searches() -> list[AuditEvent]:
    with open_services(load_settings()) as services:
        services.publish_events()
        return [each.event for each in services.audit.events() if each.event.action is Action.SEARCH]


def test_a_search_is_on_record_before_it_is_answered(ann: str) -> None:
    told = printed("search", "archr", "--facet", "source")
    assert ann in told
    assert "Archer" in told
    assert "type: Customer 1" in told
    assert "source: club 1" in told
    (event,) = searches()
    assert (event.customers, event.roles, event.entity_types) == ((ann,), ("operator",), ("Customer",))
    assert event.payloads
    assert "archr" not in repr(event)


def test_a_search_is_narrowed_and_says_what_may_have_been_meant(ann: str) -> None:
    assert "nothing was found" in printed("search", "archer", "--type", "Order")
    assert "nothing was found" in printed("search", "archer", "--source", "nobody", "--until", "2001-01")
    assert "did you mean: Archer" in printed("search", "atchrer")
    assert ann in printed("search", "archer", "--since", "2001")


@pytest.mark.parametrize("words", [
    ("--where", "status"), ("--since", "yesterday"), ("--type", "Nobody"), ("--facet", "Nobody.status"),
])  # fmt: skip
def test_what_cannot_be_searched_for_is_refused_and_leaves_no_event(ann: str, words: tuple[str, ...]) -> None:
    assert run("search", "archer", *words).exit_code == 1
    assert searches() == []


def test_the_index_is_told_of_checked_and_built_anew(ann: str) -> None:
    assert "changes behind" in printed("index", "rebuild") + printed("index", "status")
    assert "tantivy: " in printed("index", "status")
    assert ", 0 put right" in printed("index", "check")
    with open_services(load_settings()) as services:
        engine = services.search.engine
        engine.apply([], [f"Customer:{ann}"], engine.cursor() or 0)
    drifted = run("index", "check")
    assert (drifted.exit_code, ", 1 put right" in drifted.output) == (3, True)
    assert ann in printed("search", "archer")


def test_while_another_process_keeps_the_index_the_answer_is_to_try_again(ann: str) -> None:
    with open_services(load_settings()) as services, services.store.lock("search-index") as held:
        assert held
        for word in ("check", "rebuild"):
            refused = run("index", word)
            assert (refused.exit_code, "try again later" in refused.output) == (1, True)
