"""What the `hub` command does to customers: consents, interactions, corrections, each in the operator's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditEvent, AuditLog
from hub.cli import app
from hub.services import Services, open_services
from hub.settings import load_settings
from hub.values import entity_id

ROOT = Path(__file__).parent.parent.parent

CLUB = """source: club
connector: {type: files, root: exports}
streams:
  members:
    read: {glob: members.csv, format: {type: csv}}
    key: card
    entities:
      - type: Person
        properties: {name: name, email: email, loyaltyCard: card}
"""


@pytest.fixture
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a customer in a hub that the commands work on."""
    (tmp_path / "sources" / "exports").mkdir(parents=True)
    (tmp_path / "sources" / "club.yaml").write_text(CLUB)
    (tmp_path / "sources" / "exports" / "members.csv").write_text(
        "card,name,email\n1,Ann Lee,ann@example.com\n"
    )
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("HUB_CONFIG_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))
    assert run("sync").exit_code == 0
    with hub() as services:
        party = entity_id("club", "Party", "1", services.store.secret)
        sql = "SELECT customer_id FROM membership WHERE party_id = ?"
        with services.store.read() as connection:
            found: str = connection.exec_driver_sql(sql, (party,)).scalar_one()
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@contextmanager
def hub() -> Iterator[Services]:
    with open_services(load_settings(), {}) as services:
        yield services


def values(sql: str) -> list[str]:
    with hub() as services, services.store.read() as connection:
        return [row[0] for row in connection.exec_driver_sql(sql)]


def events_of(*actions: Action) -> list[AuditEvent]:
    with AuditLog.open(load_settings().audit_address) as log:
        found = [log.event(seq) for seq in range(log.size())]
    return [event for event in found if event.action in actions]


def test_a_consent_is_recorded_once_for_a_key(ann: str) -> None:
    words = (
        "consent",
        "record",
        ann,
        "purpose=marketing.communications.email",
        "channel=email",
        "state=withdrawn",
    )
    for _ in range(2):
        result = run(*words, "--key", "letter-17")
        assert result.exit_code == 0, result.output
        assert ann in result.output
    assert values("SELECT state FROM e_consent") == ["withdrawn"]
    [event] = events_of(Action.CONSENT_CHANGED)
    assert event.actor.startswith("os:")
    assert (event.roles, event.purpose) == (("operator",), "system_operation")


def test_a_restriction_is_recorded_and_lifted(ann: str) -> None:
    lifting = ("restriction", "record", ann, "kind=restriction", "state=lifted")
    assert run("restriction", "record", ann, "kind=restriction", "state=in_force").exit_code == 0
    assert run(*lifting).exit_code == 1
    assert values("SELECT DISTINCT bar FROM standing") == ["restriction"]
    request = run("request", "open", "lifting", "--customer", ann).output[:36]
    for words in (("plan",), ("run",), ("task", "1", "--proof", "L-1")):
        assert run("request", words[0], request, *words[1:]).exit_code == 0
    assert run(*lifting).exit_code == 0
    assert values("SELECT DISTINCT bar FROM standing") == []
    assert len(events_of(Action.RESTRICTION_CHANGED)) == 2


def test_an_interaction_is_logged(ann: str) -> None:
    result = run("interaction", "log", ann, "kind=visit", "summary=Asked for a = b")
    assert result.exit_code == 0, result.output
    assert values("SELECT summary FROM e_interaction") == ["Asked for a = b"]


def test_a_correction_is_made_and_withdrawn(ann: str) -> None:
    made = run("correction", "make", ann, "name", "Anna Lee", "--reason", "as in the passport")
    assert "Corrected name" in made.output
    assert values("SELECT name FROM customer") == ["Anna Lee"]
    assert run("sync").exit_code == 0
    assert values("SELECT name FROM customer") == ["Anna Lee"]
    assert run("correction", "withdraw", ann, "name", "--reason", "no").exit_code == 0
    assert values("SELECT name FROM customer") == ["Ann Lee"]
    assert "Corrections of stewards" in run("sources").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["consent", "record", "cus_nobody", "purpose=marketing", "channel=any", "state=given"],
            "there is no customer",
        ),
        (["interaction", "log", "cus_nobody", "call"], "a value is given as property=value"),
        (["correction", "make", "cus_nobody", "nmae", "x", "--reason", "y"], "did you mean 'name'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(ann: str, words: list[str], message: str) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_sync_and_a_replay_are_asked_for_by_name(ann: str) -> None:
    assert run("quarantine", "replay", "club").exit_code == 0
    asked = events_of(Action.SYNC_REQUESTED, Action.QUARANTINE_REPLAYED)
    assert [(event.action, event.source) for event in asked] == [
        (Action.SYNC_REQUESTED, "club"),
        (Action.QUARANTINE_REPLAYED, "club"),
    ]
    assert {event.actor[:3] for event in asked} == {"os:"}
