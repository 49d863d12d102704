"""`hub audit who-saw` and its like: what they print, and what is on record of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent
from hub.cli import app
from hub.commands import break_glass
from hub.services import open_services
from hub.settings import load_settings
from tests.commands.command_world import ANN, Shop
from tests.commands.test_glasses import author, order
from tests.databases import sqlite_store


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["audit", *words], catch_exceptions=False)


def printed(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ann's id, in a hub that the commands open: an agent has read her, and a planner broke the glass for her."""
    shop = Shop(tmp_path, sqlite_store(tmp_path / "hub.sqlite"))
    shop.write("club", [ANN])
    shop.sync("club")
    customer = shop.customer("club", "1")
    categories = ("user.contact.email", "user.name")
    shop.services.recorder.record_sync(
        shop.author().event(Action.READ, customers=(customer,), data_categories=categories)
    )
    shop.services.recorder.record_sync(shop.author().event(Action.SEARCH, data_categories=("user.name",)))
    break_glass(shop.services, author(shop), order(shop))
    shop.services.close()
    given = shop.settings
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(given, name)))
    monkeypatch.setenv("HUB_STORE_URL", given.store_address)
    monkeypatch.setenv("HUB_MASTER_KEY", given.master_key.get_secret_value() if given.master_key else "")
    return customer


def events() -> list[AuditEvent]:
    with open_services(load_settings()) as services:
        services.publish_events()
        return [each.event for each in services.audit.events()]


def glass_id() -> str:
    return next(event.break_glass for event in events() if event.break_glass) or ""


def test_every_question_is_on_record_before_its_answer(ann: str) -> None:
    asked = {
        "accesses_of": ("who-saw", ann),
        "accesses_by": ("seen-by", "u-support"),
        "changes_of": ("changes", ann),
        "reads_without_result": ("empty-reads",),
        "unusual_access": ("unusual",),
        "sample": ("sample",),
        "uses_of_glass": ("under-glass", glass_id()),
    }
    for words in asked.values():
        printed(*words)
    found = [event for event in events() if event.action is Action.AUDIT_READ]
    assert [event.reason_code for event in found] == list(asked)
    assert {event.roles for event in found} == {("operator",)}
    assert [event.customers for event in found[:3]] == [(ann,)] * 3


def test_who_saw_and_what_was_seen_are_told_in_a_line(ann: str) -> None:
    for words in (("who-saw", ann), ("seen-by", "u-support", "--category", "user.contact")):
        (line,) = printed(*words).splitlines()
        for word in ("read", "u-support (support)", "customer_service", "user.contact.email", ann):
            assert word in line
    assert "No event fits." in printed("who-saw", ann, "--purpose", "accounting")
    assert "No event fits." in printed("who-saw", ann, "--until", "2020-01-31")
    assert "There may be more: --after" in printed("seen-by", "u-support", "--first", "1")


def test_json_is_a_line_for_each_event(ann: str) -> None:
    (line,) = printed("who-saw", ann, "--json").splitlines()
    assert json.loads(line)["event"]["customers"] == [ann]
    (change,) = map(json.loads, printed("changes", ann, "--json").splitlines())
    assert change["event"]["action"] == "customer_created"
    assert [(record["source"], record["stream"]) for record in change["records"]] == [("club", "members")]


def test_changes_are_told_with_their_records_and_written_as_prov(ann: str, tmp_path: Path) -> None:
    event, record = printed("changes", ann).splitlines()
    assert "customer_created" in event
    assert "of club.members, run" in record
    path = tmp_path / "ann.json"
    assert "1 changes written to" in printed("changes", ann, "--prov", str(path))
    document = json.loads(path.read_text())
    assert {"prefix", "entity", "activity", "agent", "used", "wasGeneratedBy"} <= document.keys()
    assert events()[-1].reason_code == "changes_of"


def test_empty_reads_samples_and_glasses_are_told(ann: str) -> None:
    assert "search" in printed("empty-reads")
    assert "2 of 2 accesses" in printed("sample", "--size", "5")
    assert "started" in printed("under-glass", glass_id())


def test_unusual_volumes_are_told_with_what_they_are_compared_with(ann: str) -> None:
    assert "No volume is unusual.\nNothing was exported." in printed("unusual")
    now = datetime.now(UTC)
    customers = tuple(f"customer-of-test-{number:04}" for number in range(30))
    with open_services(load_settings()) as services:
        for day in (0, *range(10, 16)):
            told = customers if day == 0 else customers[:3]
            event = AuditEvent(
                Action.READ, "u-9", roles=("sales",), customers=told, at=now - timedelta(days=day)
            )
            services.recorder.record_sync(event)
        services.recorder.record_sync(AuditEvent(Action.EXPORT, "os:ann", counts={"exported": 3}))
    times = (
        "--since",
        f"{now - timedelta(days=2):%Y-%m-%d}",
        "--until",
        f"{now + timedelta(days=1):%Y-%m-%d}",
    )
    text = printed("unusual", *times)
    for words in (
        "u-9 (sales) | 30 customers by 1 events | own_past",
        "own past: median 3, deviation 1 over 6 days, unusual above 20",
        "role: too few days to compare with",
        "Exports:",
        "os:ann",
    ):
        assert words in text
    assert f"{customers[2]} and 27 more" in printed("seen-by", "u-9", "--first", "1")
    told = json.loads(printed("unusual", *times, "--json"))
    assert [(each["actor"], each["customers"]) for each in told["volumes"]] == [("u-9", 30)]
    assert "median" in told["rule"]
    assert [each["event"]["counts"] for each in told["exports"]] == [{"exported": 3}]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("unusual", "--since", "yesterday"), "--since is no day"),
        (("who-saw", "ann@example.com"), "no public id"),
        (("under-glass", "nothing"), "no break-glass"),
    ],
)
def test_what_cannot_be_asked_is_refused(ann: str, words: tuple[str, ...], says: str) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert says in " ".join(result.output.split())
