"""`hub audit show` and `hub audit data-keys`: what they print, open, wrap anew, destroy; what the log tells of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent, AuditLog, EventFilter, Payload, RecordedEvent, Retention
from hub.cli import app
from hub.services import Services, open_services
from hub.settings import load_settings
from tests.commands.command_world import MASTER_KEY
from tests.doc_blocks import ROOT

ANN, OLD = "customer-of-test-ann", "customer-of-test-old"
REASON = "told by letter of 3 May"


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources").mkdir()
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("HUB_CONFIG_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))
    monkeypatch.setenv("HUB_MASTER_KEY", MASTER_KEY)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@contextmanager
def hub() -> Iterator[Services]:
    with open_services(load_settings(), {}) as services:
        yield services


def seal(*payloads: Payload) -> int:
    """The number of an event with these payloads."""
    with hub() as services:
        event = AuditEvent(Action.CORRECTION, "u-steward", customers=(ANN,))
        return services.recorder.record_sync(services.sealer.sealed(event, payloads))


def events(*actions: Action) -> list[RecordedEvent]:
    with AuditLog.open(load_settings().audit_address) as log:
        return log.events(EventFilter(actions=actions))


def reason(subject: str, retention: Retention = Retention.CUSTOMER) -> Payload:
    return Payload(subject, retention, {"reason": REASON})


def test_an_event_is_shown_as_it_was_hashed_and_its_payload_by_request_only() -> None:
    number = seal(reason(ANN))
    shown = run("audit", "show", str(number))
    assert shown.exit_code == 0, shown.output
    (recorded,) = events(Action.CORRECTION)
    assert shown.stdout == recorded.event.encode().decode() + "\n"
    revealed = run("audit", "show", str(number), "--reveal").stdout
    leaf, _, payload = revealed.partition("\n")
    assert leaf + "\n" == shown.stdout
    assert json.loads(payload) == {"subject": ANN, "retention": "customer", "reason": REASON}
    reads = [each.event for each in events(Action.AUDIT_READ)]
    assert [(read.about, read.reason_code) for read in reads] == [
        (recorded.event.id, None),
        (recorded.event.id, "revealed"),
    ]
    assert {read.actor.partition(":")[0] for read in reads} == {"os"}


def test_an_event_that_is_not_there_is_told() -> None:
    result = run("audit", "show", "17")
    assert (result.exit_code, result.stderr) == (1, "the log has no event 17\n")


def test_a_master_key_is_made_and_takes_the_place_of_the_former_one(monkeypatch: pytest.MonkeyPatch) -> None:
    number = seal(reason(ANN))
    new = run("audit", "data-keys", "make").stdout.strip()
    monkeypatch.setenv("HUB_MASTER_KEY", new)
    lost = run("audit", "verify")
    assert lost.exit_code == 1
    assert "give that one as well, after the current one" in lost.stderr
    monkeypatch.setenv("HUB_MASTER_KEY", f"{new} {MASTER_KEY}")
    assert run("audit", "data-keys", "rotate").stdout.startswith("1 data keys are wrapped anew")
    monkeypatch.setenv("HUB_MASTER_KEY", new)
    assert REASON in run("audit", "show", str(number), "--reveal").stdout
    ((rotated),) = events(Action.MASTER_KEY_CHANGED)
    assert dict(rotated.event.counts) == {"updated": 1}


def test_destroying_a_class_of_a_customer_leaves_the_others() -> None:
    number = seal(reason(ANN), reason(ANN, Retention.MARKETING))
    done = run("audit", "data-keys", "destroy", "--customer", ANN, "--class", "marketing")
    assert done.stdout == "Destroyed 1 keys, and what they sealed.\n"
    shown = run("audit", "show", str(number), "--reveal").stdout
    assert REASON in shown
    ((told),) = events(Action.KEY_DESTROYED)
    assert (told.event.reason_code, told.event.customers) == ("marketing", (ANN,))
    assert f"destroyed at {told.event.at:%Y-%m-%d %H:%M:%S} UTC" in shown
    assert run("audit", "verify").exit_code == 0
    again = run("audit", "data-keys", "destroy", "--customer", ANN, "--class", "marketing")
    assert (again.exit_code, "there is no key of this kind" in again.stderr) == (1, True)


def test_with_a_customer_go_those_who_were_merged_into_it() -> None:
    seal(reason(ANN))
    seal(reason(OLD), reason(ANN, Retention.ACCOUNTING))
    with hub() as services, services.store.write() as connection:
        sql = "INSERT INTO customer_redirect VALUES (?, ?, '2026-01-31T00:00:00.000000Z', 'test')"
        connection.exec_driver_sql(sql, (OLD, ANN))
    done = run("audit", "data-keys", "destroy", "--customer", OLD)
    assert done.stdout == "Destroyed 3 keys, and what they sealed.\n"
    with closing(sqlite3.connect(load_settings().audit_data_keys_file)) as store:
        assert store.execute("SELECT count(*) FROM audit_subject").fetchone() == (0,)


def test_the_searches_of_a_day_are_destroyed_together() -> None:
    seal(reason("2026-01-31", Retention.SEARCH))
    seal(reason("2026-02-01", Retention.SEARCH))
    assert run("audit", "data-keys", "destroy", "--day", "2026-01-31").exit_code == 0
    ((told),) = events(Action.KEY_DESTROYED)
    assert (told.event.reason_code, told.event.customers) == ("search", ())
    with hub() as services:
        assert len(services.audit.sealing_keys()) == 1


def test_with_the_searches_of_a_day_the_reasons_of_its_erasures_do_not_go() -> None:
    seal(reason("2026-01-31", Retention.SEARCH), reason("2026-01-31"))
    done = run("audit", "data-keys", "destroy", "--day", "2026-01-31")
    assert done.stdout == "Destroyed 1 keys, and what they sealed.\n"
    named = run("audit", "data-keys", "destroy", "--day", "2026-01-31", "--class", "customer")
    assert named.stdout == "Destroyed 1 keys, and what they sealed.\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "give either --customer or --day"),
        (("--customer", ANN, "--day", "2026-01-31"), "give either --customer or --day"),
        (("--day", "yesterday"), "--day is no day like 2026-01-31"),
    ],
)
def test_what_names_no_keys_destroys_none(words: tuple[str, ...], says: str) -> None:
    result = run("audit", "data-keys", "destroy", *words)
    assert (result.exit_code, result.stderr) == (1, says + "\n")


def test_verify_names_the_first_event_whose_key_was_taken_away() -> None:
    number = seal(reason(ANN))
    with closing(sqlite3.connect(load_settings().audit_data_keys_file)) as store, store:
        store.execute("DELETE FROM audit_data_key")
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert f"event {number}: the data key of a payload is gone" in result.stderr


def test_keys_are_of_no_use_without_a_master_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_MASTER_KEY")
    result = run("audit", "data-keys", "rotate")
    assert result.exit_code == 1
    assert "no master key is given, so no payload is kept" in result.stderr
