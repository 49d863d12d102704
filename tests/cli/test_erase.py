"""`hub erase`: what it prints, what is on record, and that receipts of before and of itself verify without the hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent
from hub.cli import app
from hub.services import open_services
from hub.settings import load_settings
from tests.audit.auditor import audited
from tests.commands.command_world import ANN, BEN, MASTER_KEY, Shop
from tests.commands.erasing_world import REASON
from tests.databases import sqlite_store

SAID = ("--ground", "objection", "--reason", REASON, "--ticket", "DSR-7")
NAMES = ("ann@example.com", "Ann Archer", "Quay Street")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of Ann and Ben, in a hub that the commands open."""
    shop = Shop(tmp_path, sqlite_store(tmp_path / "var" / "hub.sqlite"))
    shop.write("club", [ANN, BEN])
    shop.sync()
    found = [shop.customer("club", key) for key in ("1", "2")]
    shop.correct(found[0], "email", "new@example.com")
    shop.services.publish()
    shop.services.close()
    given = shop.settings
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(given, name)))
    monkeypatch.setenv("HUB_STORE_URL", given.store_address)
    monkeypatch.setenv("HUB_MASTER_KEY", MASTER_KEY)
    return found


def events(*actions: Action) -> list[AuditEvent]:
    with open_services(load_settings()) as services:
        services.publish_events()
        found = [each.event for each in services.audit.events(limit=1_000)]
    return [event for event in found if event.action in actions]


def test_a_dry_run_counts_and_nothing_else(customers: list[str]) -> None:
    result = run("erase", "customer", customers[0], "--dry-run")
    assert result.exit_code == 0, result.output
    assert "record 2" in result.output
    assert not [name for name in (*NAMES, "new@example.com") if name in result.output]
    assert events(Action.ERASED) == []
    ((read),) = events(Action.READ)
    assert (read.actor.partition(":")[0], read.customers) == ("os", (customers[0],))


def test_an_operator_erases_several_and_that_is_on_record(customers: list[str]) -> None:
    result = run("erase", "customer", *customers, *SAID)
    assert result.exit_code == 0, result.output
    assert result.output.count("Erased as ") == 2
    assert not [name for name in NAMES if name in result.output]
    told = events(Action.ERASED)
    assert [event.customers for event in told] == [(customers[0],), (customers[1],)]
    assert {(event.actor.partition(":")[0], event.roles, event.reason_code) for event in told} == {
        ("os", ("operator",), "objection")
    }
    assert run("audit", "verify").exit_code == 0
    again = run("erase", "customer", customers[0], *SAID)
    assert (again.exit_code, "was erased before" in again.stderr) == (1, True)


def test_sent_twice_under_one_key_it_prints_the_same(customers: list[str]) -> None:
    first = run("erase", "customer", *customers, *SAID, "--key", "batch-1")
    assert run("erase", "customer", *customers, *SAID, "--key", "batch-1").output == first.output
    assert len(events(Action.ERASED)) == 2


def test_erasures_are_listed_and_who_looked_is_on_record(customers: list[str]) -> None:
    assert run("erase", "list").output == "Nobody was erased.\n"
    run("erase", "customer", customers[0], *SAID)
    run("erase", "customer", customers[1], *SAID, "--no-scrub")
    listed = run("erase", "list")
    assert listed.exit_code == 3
    assert [word in listed.output for word in ("scrubbed, objection", "verified, objection", *customers)] == [
        True
    ] * 4
    assert run("erase", "scrub").output == "Scrubbed; 1 erasures waited for it.\n"
    assert run("erase", "list").exit_code == 0
    assert run("erase", "scrub", "--thorough").output == "Scrubbed; 0 erasures waited for it.\n"
    reads = [event for event in events(Action.AUDIT_READ) if event.reason_code == "erasures"]
    assert [event.counts["results"] for event in reads][-1] == 2
    assert {event.actor.partition(":")[0] for event in reads} == {"os"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--ground", "whim", "--reason", REASON, "--ticket", "T"), "a ground is one of no_longer_necessary"),
        (("--ground", "objection", "--ticket", "T"), "a reason has 20 to 1000 characters"),
        (("--ground", "objection", "--reason", REASON), "a ticket has 1 to 100 characters"),
    ],
)
def test_nobody_is_erased_without_a_ground_a_reason_and_a_ticket(
    customers: list[str], words: tuple[str, ...], says: str
) -> None:
    result = run("erase", "customer", customers[0], *words)
    assert (result.exit_code, says in result.stderr) == (1, True)
    assert events(Action.ERASED) == []


def test_what_remains_is_an_exit_code(customers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.adapters.erasing.remains", lambda *_: {"record": 2})
    result = run("erase", "customer", customers[0], *SAID)
    assert result.exit_code == 3
    assert "still there" in result.output
    assert "record 2" in result.output
    monkeypatch.undo()


def test_who_came_back_is_let_in(customers: list[str]) -> None:
    run("erase", "customer", customers[0], *SAID)
    why = ("--reason", "came back in May and became a member", "--ticket", "DSR-9")
    released = run("erase", "release", *why, "--identifier", "email", "ann@example.com")
    assert released.exit_code == 0, released.stderr
    assert "1 suppressions are taken back" in released.output
    assert "ann@example.com" not in released.output
    by_record = run("erase", "release", *why, "--record", "club", "members", "1")
    assert by_record.exit_code == 0
    nothing = run("erase", "release", *why, "--identifier", "email", "ann@example.com")
    assert (nothing.exit_code, nothing.stderr) == (1, "nothing is kept out by this\n")
    assert run("audit", "verify").exit_code == 0


def test_receipts_of_before_and_of_the_erasure_verify_without_the_hub(
    customers: list[str], tmp_path: Path
) -> None:
    vkey = run("audit", "key", "new", "hub.example.com/audit").stdout.strip()
    run("consent", "record", customers[0], "purpose=marketing", "channel=email", "state=withdrawn")
    before = run(
        "audit", "prove", "--customer", customers[0], "--to", str(tmp_path / "before")
    ).output.split()
    assert run("erase", "customer", customers[0], *SAID).exit_code == 0
    after = run("audit", "prove", "--customer", customers[0], "--to", str(tmp_path / "after")).output.split()
    assert run("audit", "verify").exit_code == 0
    exported = run("audit", "export", "--events").stdout
    old, new = (sorted((tmp_path / name).iterdir()) for name in ("before", "after"))
    assert before
    assert after
    assert len(new) == len(old) + 2, "the erasure and its verdict have receipts"
    for receipt in (*old, *new):
        code, told = audited("--key", vkey, "receipt", receipt, cwd=tmp_path)
        assert code == 0, told
    actions = {json.loads(line)["event"]["action"] for line in exported.splitlines()}
    assert {"erased", "erase_verified", "key_destroyed"} <= actions
    assert not [name for name in (*NAMES, "new@example.com", REASON) if name in exported]
