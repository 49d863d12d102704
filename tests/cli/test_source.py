"""Schedules on the command line: who is read when, who is left alone, and a worker that ends when told to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app

ROOT = Path(__file__).parent.parent.parent

CLUB = """source: {name}
{schedule}
connector: {{type: files, root: exports}}
streams:
  members:
    read: {{glob: members.csv, format: {{type: csv}}}}
    key: card
    entities:
      - type: Person
        properties: {{name: name}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub with a source that is read every second, and one that is read when asked to."""
    (tmp_path / "sources" / "exports").mkdir(parents=True)
    for name, schedule in (("club", "schedule: {every: 1s}"), ("till", "")):
        (tmp_path / "sources" / f"{name}.yaml").write_text(CLUB.format(name=name, schedule=schedule))
    (tmp_path / "sources" / "exports" / "members.csv").write_text("card,name\n1,Ann Lee\n")
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("HUB_CONFIG_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("HUB_POLICY_FILE", str(ROOT / "policy.yaml"))
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def line(result: Result, name: str) -> str:
    [found] = [each for each in result.output.splitlines() if name in each]
    return found


def test_the_schedule_shows_whose_turn_it_is(folder: Path) -> None:
    shown = run("source", "schedule")
    assert "every 1s" in line(shown, "club")
    assert "unscheduled" in line(shown, "till")


def test_a_backfill_reads_again_what_was_read_and_tells_what_came_of_it(folder: Path) -> None:
    run("sync", "club")
    done = run("source", "backfill", "club", "--stream", "members")
    assert (done.exit_code, "unchanged" in done.output) == (0, True)
    assert run("source", "backfill", "club", "--stream", "member").exit_code == 1


def test_what_is_due_is_read_once(folder: Path) -> None:
    assert "due" in line(run("source", "schedule"), "club")
    assert "Read: club." in run("worker", "--once").output
    assert re.search(r"\d+ s ago", run("sources").output)


def test_a_frozen_source_is_left_out_until_it_is_thawed(folder: Path) -> None:
    assert (
        run("source", "freeze", "club", "--reason", "CHG-17", "--until", "2099-01-01T00:00+00:00").exit_code
        == 0
    )
    assert "frozen" in line(run("source", "schedule"), "club")
    synced = run("sync")
    assert synced.exit_code == 0
    assert "club is frozen until 2099-01-01T00:00:00.000000Z" in synced.output
    asked = run("sync", "club")
    assert (asked.exit_code, "hub source thaw club" in asked.output) == (1, True)
    assert "club may be read again." in run("source", "thaw", "club").output
    assert run("sync", "club").exit_code == 0


@pytest.mark.parametrize("until", ["tomorrow", "2099-01-01T00:00"])
def test_a_time_without_an_offset_is_none(folder: Path, until: str) -> None:
    refused = run("source", "freeze", "club", "--reason", "x", "--until", until)
    assert (refused.exit_code, "such as 2026-01-31T18:00+01:00" in refused.output) == (1, True)


def test_a_worker_without_schedules_has_nothing_to_do(folder: Path) -> None:
    (folder / "sources" / "club.yaml").unlink()
    refused = run("worker")
    assert (refused.exit_code, "no source has a `schedule`" in refused.output) == (1, True)


def test_a_worker_reads_until_it_is_told_to_stop(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from hub.cli import app; app()", "worker"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    ) as worker:
        assert worker.stderr is not None
        seen = []
        for text in worker.stderr:
            seen.append(text)
            if "club: run 2 ok" in text:
                break
        worker.send_signal(signal.SIGTERM)
        worker.stderr.read()
    assert worker.returncode == 0, seen
    assert any("club: run 1 ok: 1 read, 1 accepted" in text for text in seen)
