"""The `hub` command: what it prints, its exit codes, and that nothing starts on a faulty configuration."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action, AuditLog
from hub.cli import app

ROOT = Path(__file__).parent.parent.parent

CLUB = """source: club
region: GB
connector: {type: files, root: exports}
streams:
  members:
    read: {glob: members.csv, format: {type: csv}}
    key: card
    deletes: full_scan
    entities:
      - type: Person
        properties: {name: name, email: email, loyaltyCard: card}
"""

MEMBERS = "card,name,email\n2610000144,Ann Lee,ann.lee@example.com\n2610000151,Omar Haddad,omar@example.org\n"


class Office:
    """A folder with a configuration, in which commands are run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        (folder / "sources" / "exports").mkdir(parents=True)
        self.configure(CLUB)
        self.members(MEMBERS)
        monkeypatch.setenv("HUB_DATA_DIR", str(folder / "var"))
        monkeypatch.setenv("HUB_CONFIG_DIR", str(folder / "sources"))
        monkeypatch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))

    def configure(self, yaml: str) -> None:
        (self.folder / "sources" / "club.yaml").write_text(yaml)

    def members(self, csv: str) -> None:
        (self.folder / "sources" / "exports" / "members.csv").write_text(csv)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, monkeypatch)


def test_check_passes_a_sound_configuration(office: Office) -> None:
    result = office.run("check")
    assert result.exit_code == 0
    assert "No fault: 30 entity types" in result.output
    assert "1 sources with 1 streams" in result.output


def test_check_reports_all_faults_and_nothing_is_started(office: Office) -> None:
    faulty = (
        CLUB.replace("type: csv", "type: cvs")
        .replace("name: name", "nmae: name")
        .replace("region: GB", "region: XY")
    )
    office.configure(faulty)
    for command in (["check"], ["sync"], ["sources"]):
        result = office.run(*command)
        assert result.exit_code == 2
        assert "3 faults in the configuration" in result.output
        for fault in (
            "club.yaml:2:1: region",
            "did you mean 'csv'?",
            "club.yaml:11:22",
            "did you mean 'name'?",
        ):
            assert fault in result.output, result.output
    assert not (office.folder / "var").exists()


def test_preview_shows_the_form_of_values_and_writes_nothing(office: Office) -> None:
    office.members(MEMBERS + "2610000169,Zoe Ash,nowhere\n")
    result = office.run("preview", "club")
    assert result.exit_code == 0
    assert "Aaa Aaa" in result.output
    assert "would be quarantined members.csv:4: Person.email" in result.output
    assert "Ann" not in result.output
    assert "zoe" not in result.output.lower()
    assert "never" in office.run("sources").output


def test_preview_with_values_shows_them_and_leaves_an_audit_event(office: Office) -> None:
    assert "Ann Lee" in office.run("preview", "club", "--values").output
    with AuditLog.open(f"sqlite:///{office.folder / 'var' / 'audit.sqlite'}") as log:
        [event] = [log.event(seq) for seq in range(log.size())]
    assert (event.action, event.source) == (Action.READ, "club")
    assert event.actor.startswith("os:")


def test_sync_prints_counts_and_sources_shows_the_state(office: Office) -> None:
    result = office.run("sync", "club")
    assert result.exit_code == 0
    assert "2 read, 2 new or changed" in result.output
    assert "ok" in office.run("sources").output


def test_a_suspect_run_ends_with_3_and_a_failed_one_with_1(office: Office) -> None:
    assert office.run("sync").exit_code == 0
    office.members("card,name,email\n")
    assert office.run("sync").exit_code == 3
    office.members("card,name,email\n1,Ann,x\n2,Ben,y\n")
    assert office.run("sync").exit_code == 1


def test_quarantine_is_listed_shown_replayed_and_discarded(office: Office) -> None:
    office.configure(CLUB.replace("region: GB", "region: GB\nmax_bad_share: 0.9"))
    office.members(MEMBERS + "2610000169,Zoe Ash,zoe at example.com\n1,Ben Ash,none\n")
    assert office.run("sync").exit_code == 0
    assert "Person.email" in office.run("quarantine", "list").output
    shown = office.run("quarantine", "show", "1").output
    assert "zoe" not in shown.lower()
    assert "zoe at example.com" in office.run("quarantine", "show", "1", "--values").output
    fixed = "email: {path: email, convert: [{replace: {pattern: ' at ', with: '@'}}]}"
    office.configure(
        CLUB.replace("region: GB", "region: GB\nmax_bad_share: 0.9").replace("email: email", fixed)
    )
    replayed = office.run("quarantine", "replay", "club")
    assert "2 " in replayed.output
    assert office.run("quarantine", "discard", "2").exit_code == 0
    assert "Person.email" not in office.run("quarantine", "list").output


def test_quarantined_values_are_shown_by_request_only_which_leaves_an_audit_event(office: Office) -> None:
    office.configure(CLUB.replace("region: GB", "region: GB\nmax_bad_share: 0.9"))
    office.members(MEMBERS + "2610000169,Zoe Ash,zoe at example.com\n")
    office.run("sync")

    def told(*words: str) -> tuple[str, int]:
        output = office.run("quarantine", *words).output
        with AuditLog.open(f"sqlite:///{office.folder / 'var' / 'audit.sqlite'}") as log:
            events = [log.event(seq) for seq in range(log.size())]
        return output.lower(), sum((event.action, event.source) == (Action.READ, "club") for event in events)

    assert ["zoe" in output for output, _ in (told("list"), told("show", "1"))] == [False, False]
    assert told("show", "1")[1] == 0
    output, events = told("show", "1", "--values")
    assert ("zoe" in output, events) == (True, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sync", "clbu"], "did you mean 'club'"),
        (["preview", "club", "--stream", "x"], "only members"),
        (["quarantine", "show", "77"], "nothing waits in quarantine under the number 77"),
        (["token", "support"], "demo mode only"),
    ],
)
def test_what_does_not_exist_is_told_in_one_line(office: Office, words: list[str], message: str) -> None:
    result = office.run(*words)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


def test_audit_verify_tells_the_size_and_finds_tampering(office: Office) -> None:
    office.run("sync")
    assert "events verify" in office.run("audit", "verify").output
    path = office.folder / "var" / "audit.sqlite"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"actor":"system"', b'"actor":"sxstem"', 1))
    result = office.run("audit", "verify")
    assert result.exit_code == 1
    assert "the event is not the one that was hashed into the tree" in result.output


def test_tokens_are_printed_in_demo_mode(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DEMO", "true")
    assert office.run("token", "support").output.count(".") == 2
    assert "no role" in office.run("token", "suport").output


def test_a_setting_that_does_not_fit_is_named(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BATCH_SIZE", "none")
    result = office.run("check")
    assert result.exit_code == 2
    assert "HUB_BATCH_SIZE" in result.output


def test_a_source_that_another_process_syncs_fails_and_the_others_go_on(office: Office) -> None:
    office.run("sync")
    (office.folder / "sources" / "team.yaml").write_text(CLUB.replace("source: club", "source: team"))
    with (office.folder / "var" / "locks" / "source-club.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        result = office.run("sync")
    assert result.exit_code == 1
    assert "another process is syncing it" in result.output
    assert "team: run 2, ok" in result.output


def test_what_left_the_configuration_is_shown_and_can_be_forgotten(office: Office) -> None:
    office.run("sync")
    assert office.run("forget", "club", "members").exit_code == 1
    (office.folder / "sources" / "club.yaml").unlink()
    shown = office.run("sources")
    assert "club" in shown.output
    assert "removed" in shown.output
    result = office.run("forget", "club")
    assert (result.exit_code, "2" in result.output) == (0, True)
    assert "removed" not in office.run("sources").output
    again = office.run("forget", "club")
    assert again.exit_code == 1
    assert "nothing is held" in again.stderr


def test_what_only_the_api_needs_is_not_imported_by_each_command() -> None:
    script = (
        "import sys, hub.cli; print(*{'hub.api', 'hub.schema', 'fastapi', 'xlsxwriter'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
