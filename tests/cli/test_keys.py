"""`hub key`: what it makes, shows, changes and refuses; and that the audit log holds who did what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.access import ApiKeys
from hub.audit import Action, AuditEvent, AuditLog
from hub.cli import app
from hub.settings import load_settings
from tests.doc_blocks import ROOT

CREATE = ("key", "create", "warehouse-2", "--role", "supply_chain", "--purpose", "order_fulfilment")
KEY = re.compile(r"hubkey_([0-9a-f]{12})_[A-Za-z0-9_-]{43}\n")


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources").mkdir()
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("HUB_CONFIG_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def made(result: Result) -> tuple[str, str]:
    """Id and text of the key, which is all that is printed."""
    assert result.exit_code == 0, result.output
    found = KEY.fullmatch(result.stdout)
    assert found is not None
    return found[1], found[0].strip()


def events() -> list[AuditEvent]:
    with AuditLog.open(load_settings().audit_address) as log:
        return [recorded.event for recorded in log.events()]


def keys() -> ApiKeys:
    return ApiKeys(load_settings().api_keys_file)


def test_the_life_of_a_key() -> None:
    id_, former = made(run(*CREATE))
    assert keys().caller(former).roles == ("supply_chain",)
    same, newer = made(run("key", "rotate", id_, "--overlap-hours", "1", "--days", "7"))
    assert same == id_
    assert {keys().caller(text).subject for text in (former, newer)} == {f"key:{id_}"}
    listed = run("key", "list").stdout
    for word in (id_, "warehouse-2", "supply_chain", "order_fulfilment", "good until"):
        assert word in listed
    assert newer not in listed
    assert run("key", "revoke", id_).stdout == f"Revoked {id_} (warehouse-2).\n"
    assert "revoked" in run("key", "list").stdout
    assert keys().all[0].secrets == ()
    assert [(event.action, event.source, event.reason_code) for event in events()] == [
        (Action.API_KEY_CHANGED, f"key:{id_}", what) for what in ("created", "rotated", "revoked")
    ]
    assert {event.actor.partition(":")[0] for event in events()} == {"os"}
    assert {event.roles for event in events()} == {("supply_chain",)}


def test_a_key_that_has_expired_is_shown_as_such() -> None:
    past = ApiKeys(load_settings().api_keys_file, lambda: 1_700_000_000.0)
    past.create("warehouse-2", ("supply_chain",), ("order_fulfilment",), 1)
    assert "expired 2023-11-15 22:13 UTC" in run("key", "list").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--role", "wizard", "--purpose", "order_fulfilment"),
            "the policy has no role 'wizard', only call_centre",
        ),
        (
            ("--role", "partner", "--purpose", "accounting"),
            "the roles may not state 'accounting', only order_ful",
        ),
        (("--role", "partner", "--purpose", "fun"), "the roles may not state 'fun', only order_fulfilment"),
        (
            ("--role", "partner", "--role", "finance", "--purpose", "order_fulfilment"),
            "the roles are of several departments",
        ),
    ],
)
def test_a_key_that_could_do_nothing_is_not_made(words: tuple[str, ...], says: str) -> None:
    result = run("key", "create", "warehouse-2", *words)
    assert result.exit_code == 1
    assert says in result.stderr
    assert keys().all == ()
    assert events() == []


def test_a_label_that_may_be_a_persons_name_is_refused() -> None:
    result = run("key", "create", "Ann Archer", *CREATE[3:])
    assert (result.exit_code, keys().all) == (1, ())
    assert "the label is of small letters" in result.stderr
    assert "Ann" not in result.stderr


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_a_key_that_is_not_there_cannot_be_changed(what: str) -> None:
    result = run("key", what, "0" * 12)
    assert result.exit_code == 1
    assert "there is no API key '000000000000'" in result.stderr
    assert events() == []
