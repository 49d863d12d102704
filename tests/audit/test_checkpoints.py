"""Checkpoints are kept in two places, continue each other, and are not signed where they would not."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import create_engine, text

from hub.audit import AuditEvent, AuditLog, TreeHead
from hub.audit.checkpoints import Checkpoint, Trust, parse_text, sign_checkpoint
from hub.audit.merkle import EMPTY_ROOT
from hub.audit.notes import Note, Signer
from hub.audit.outside import Outside
from hub.errors import AuditError, AuditIntegrityError
from tests.audit.published import MALLORY, ORIGIN, SIGNER, checkpoints_of

MakeEvent = Callable[..., AuditEvent]

ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def execute(url: str, *statements: str, **values: object) -> None:
    """Does to the database what nobody may."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), values)
    engine.dispose()


def grow(log: AuditLog, make_event: MakeEvent, events: int = 3) -> None:
    log.append([make_event(number) for number in range(events)])


def history(folder: Path) -> list[str]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


# the note


def test_a_checkpoint_states_origin_size_and_root() -> None:
    note = sign_checkpoint(SIGNER, ORIGIN, TreeHead(0, EMPTY_ROOT))
    assert Note.parse(note).text == f"{ORIGIN}\n0\n{ROOT}\n"
    assert Trust(ORIGIN, (SIGNER.verifier,)).checkpoint(note) == Checkpoint(TreeHead(0, EMPTY_ROOT), note)


def test_extension_lines_are_read_over() -> None:
    assert parse_text(f"{ORIGIN}\n12\n{ROOT}\nmore\n") == (ORIGIN, TreeHead(12, EMPTY_ROOT))


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        (f"{ORIGIN}\n12\n", "not the lines"),
        (f"\n12\n{ROOT}\n", "not the lines"),
        (f"{ORIGIN}\n12\n{ROOT}\n\nmore\n", "not the lines"),
        *(
            (f"{ORIGIN}\n{size}\n{ROOT}\n", "not a decimal")
            for size in ("012", "-1", "1e3", "+1", "x", "１２", " 1")
        ),
        (f"{ORIGIN}\n{'9' * 20}\n{ROOT}\n", "not a decimal"),
        (f"{ORIGIN}\n12\n{ROOT[:-1]}\n", "not base64"),
        (f"{ORIGIN}\n12\nAAAA\n", "not a hash"),
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(stated: str, says: str) -> None:
    with pytest.raises(AuditError, match=says):
        parse_text(stated)


def test_only_the_logs_own_signature_makes_a_checkpoint_of_its_own() -> None:
    head = TreeHead(0, EMPTY_ROOT)
    trust = Trust(ORIGIN, (SIGNER.verifier,))
    with pytest.raises(AuditError, match="no signature of the log's key"):
        trust.checkpoint(sign_checkpoint(MALLORY, ORIGIN, head))
    with pytest.raises(AuditError, match="its origin is another log"):
        trust.checkpoint(sign_checkpoint(SIGNER, "other.example.com", head))


# publishing


def test_a_checkpoint_is_kept_in_the_database_and_outside(
    log: AuditLog, log_url: str, make_event: MakeEvent, tmp_path: Path
) -> None:
    checkpoints = checkpoints_of(log, tmp_path / "outside")
    published = []
    for _ in range(3):
        grow(log, make_event)
        published.append(checkpoints.publish())
    assert [each.head.size for each in published] == [3, 6, 9]
    assert published[-1].head == log.head()
    assert history(tmp_path / "outside") == [each.note for each in published]
    assert (tmp_path / "outside" / "checkpoint").read_text() == published[-1].note
    report = checkpoints.verify()
    assert (report.ok, report.checkpoints) == (True, 3)


def test_a_log_that_has_not_grown_keeps_its_checkpoint(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    checkpoints = checkpoints_of(log, tmp_path)
    first = checkpoints.publish()
    assert first.head == TreeHead(0, EMPTY_ROOT)
    assert checkpoints.publish() == first
    grow(log, make_event)
    second = checkpoints.publish()
    assert checkpoints.publish() == second
    assert history(tmp_path) == [first.note, second.note]


def test_verification_goes_on_from_a_checkpoint_that_an_auditor_kept(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    checkpoints = checkpoints_of(log, tmp_path)
    grow(log, make_event, 300)
    kept = checkpoints.publish().note
    grow(log, make_event)
    assert checkpoints.verify(kept).start == 256
    assert checkpoints.verify(kept).ok
    forged = sign_checkpoint(MALLORY, ORIGIN, log.head())
    with pytest.raises(AuditError, match="no signature of the log's key"):
        checkpoints.verify(forged)


def test_a_checkpoint_that_is_published_during_a_verification_is_no_fault(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    checkpoints = checkpoints_of(log, tmp_path)
    grow(log, make_event)
    checkpoints.publish()
    seen_before = checkpoints.attestation
    grow(log, make_event)
    checkpoints.publish()
    report = log.verify(None, seen_before)
    assert (report.ok, report.checkpoints) == (True, 2)


@pytest.mark.parametrize("lost", ["history.jsonl", "checkpoint"])
def test_what_a_crash_left_out_is_written_by_the_next_one(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path, lost: str
) -> None:
    checkpoints = checkpoints_of(log, tmp_path)
    grow(log, make_event)
    first = checkpoints.publish().note
    before = {name: (tmp_path / name).read_bytes() for name in ("history.jsonl", "checkpoint")}
    grow(log, make_event)
    second = checkpoints.publish().note
    (tmp_path / "checkpoint").write_bytes(before["checkpoint"])
    if lost == "history.jsonl":
        (tmp_path / lost).write_bytes(before[lost])
    assert checkpoints.verify().ok
    assert checkpoints.publish().note == second
    assert history(tmp_path) == [first, second]
    assert (tmp_path / "checkpoint").read_text() == second


def test_however_often_it_crashes_one_checkpoint_at_most_is_not_outside(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = checkpoints_of(log, tmp_path)
    grow(log, make_event)
    first = checkpoints.publish().note

    def crash(*_asked: object) -> None:
        raise AuditError("crashed")

    with monkeypatch.context() as crashing:
        crashing.setattr(Outside, "follow", crash)
        for _ in range(3):
            grow(log, make_event)
            with pytest.raises(AuditError, match="crashed"):
                checkpoints.publish()
            assert checkpoints.verify().ok
    last = checkpoints.publish().note
    assert [history(tmp_path)[0], history(tmp_path)[-1]] == [first, last]
    assert len(history(tmp_path)) == 3
    assert checkpoints.verify().ok


def test_a_line_that_was_half_written_is_written_anew(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    checkpoints = checkpoints_of(log, tmp_path)
    published = []
    for _ in range(2):
        grow(log, make_event)
        published.append(checkpoints.publish().note)
    whole = (tmp_path / "history.jsonl").read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first + 1, len(whole), 40):
        (tmp_path / "history.jsonl").write_bytes(whole[:end])
        assert checkpoints.verify().ok
        checkpoints.publish()
        assert history(tmp_path) == published


def test_one_process_at_a_time_writes_outside(log: AuditLog, make_event: MakeEvent, tmp_path: Path) -> None:
    grow(log, make_event)
    publishing = Thread(target=checkpoints_of(log, tmp_path).publish)
    with (tmp_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        publishing.start()
        publishing.join(0.3)
        assert not (tmp_path / "history.jsonl").exists()
    publishing.join(30)
    assert len(history(tmp_path)) == 1


def test_a_folder_that_cannot_be_reached_is_told_and_made_up_for(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    grow(log, make_event)
    with pytest.raises(AuditError, match="cannot be reached: Not a directory"):
        checkpoints_of(log, tmp_path / "file" / "outside").publish()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "history.jsonl").mkdir()
    with pytest.raises(AuditError, match="cannot be reached: Is a directory"):
        checkpoints_of(log, tmp_path / "outside").publish()
    (tmp_path / "outside" / "history.jsonl").rmdir()
    note = checkpoints_of(log, tmp_path / "outside").publish().note
    assert history(tmp_path / "outside") == [note]


def test_a_log_of_an_earlier_release_gets_its_table(
    log: AuditLog, log_url: str, make_event: MakeEvent, tmp_path: Path
) -> None:
    execute(log_url, "DROP TABLE audit_checkpoint")
    grow(log, make_event)
    with AuditLog.open(log_url) as opened:
        assert checkpoints_of(opened, tmp_path).publish().head.size == 3


def test_after_a_change_of_keys_the_former_ones_checkpoints_count(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path
) -> None:
    grow(log, make_event)
    checkpoints_of(log, tmp_path).publish()
    grow(log, make_event)
    new = Signer.generate(ORIGIN)
    with pytest.raises(AuditIntegrityError, match="no signature of the log's key"):
        checkpoints_of(log, tmp_path, signer=new).publish()
    rotated = checkpoints_of(log, tmp_path, signer=new, former=[SIGNER])
    assert rotated.publish().head.size == 6
    assert rotated.verify().ok


# refusals


def refusal(log: AuditLog, folder: Path) -> str:
    """Why no checkpoint is signed, and that none was kept."""
    kept = [folder / name for name in ("history.jsonl", "checkpoint")]
    before = [path.read_bytes() if path.exists() else None for path in kept]
    with pytest.raises(AuditIntegrityError) as refused:
        checkpoints_of(log, folder).publish()
    assert [path.read_bytes() if path.exists() else None for path in kept] == before
    return str(refused.value)


CLEARED = ("DELETE FROM audit_leaf", "DELETE FROM audit_leaf_customer", "DELETE FROM audit_tile")


def cut(log: AuditLog, url: str, entries: list[AuditEvent]) -> None:
    """Makes the log anew, in the same database, of other events."""
    execute(url, *CLEARED, "UPDATE audit_head SET size = 0, root = :root", root=EMPTY_ROOT)
    with AuditLog.open(url) as opened:
        opened.append(entries)
        assert opened.verify().fault is None or "checkpoint" in str(opened.verify().fault)


def test_a_log_that_lost_events_gets_no_checkpoint(
    log: AuditLog, log_url: str, make_event: MakeEvent, tmp_path: Path
) -> None:
    events = [make_event(number) for number in range(6)]
    log.append(events)
    checkpoints_of(log, tmp_path).publish()
    cut(log, log_url, events[:4])
    assert refusal(log, tmp_path) == (
        "no checkpoint of 4 events is signed: one of 6 events was published (in the database)"
    )
    execute(log_url, "DELETE FROM audit_checkpoint")
    assert refusal(log, tmp_path) == (
        f"no checkpoint of 4 events is signed: one of 6 events was published ({tmp_path / 'history.jsonl'})"
    )
    (tmp_path / "history.jsonl").unlink()
    assert "one of 6 events was published" in refusal(log, tmp_path)


def test_a_log_that_was_rewritten_gets_no_checkpoint(
    log: AuditLog, log_url: str, make_event: MakeEvent, tmp_path: Path
) -> None:
    events = [make_event(number) for number in range(6)]
    log.append(events)
    checkpoints_of(log, tmp_path).publish()
    cut(log, log_url, [*events[:3], make_event(99), *events[4:], make_event(7)])
    assert "of 7 events is signed: the log does not continue the one of 6 events" in refusal(log, tmp_path)
    execute(log_url, "DELETE FROM audit_checkpoint")
    assert "history.jsonl" in refusal(log, tmp_path)
    cut(log, log_url, events)
    assert checkpoints_of(log, tmp_path).publish().head.size == 6


def test_a_log_whose_head_is_not_its_trees_gets_no_checkpoint(
    log: AuditLog, log_url: str, make_event: MakeEvent, tmp_path: Path
) -> None:
    grow(log, make_event)
    execute(log_url, "UPDATE audit_head SET root = :root", root=EMPTY_ROOT)
    assert "the head's root is not that of the tree" in refusal(log, tmp_path)
    execute(log_url, "UPDATE audit_head SET size = 900")
    assert "tile 1/0 is missing" in refusal(log, tmp_path)


@pytest.mark.parametrize("name", ["checkpoint", "history.jsonl"])
def test_beside_a_forged_checkpoint_none_is_signed(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path, name: str
) -> None:
    grow(log, make_event)
    checkpoints_of(log, tmp_path).publish()
    grow(log, make_event)
    forged = sign_checkpoint(MALLORY, ORIGIN, log.head())
    (tmp_path / name).write_text(forged if name == "checkpoint" else json.dumps(forged) + "\n")
    assert "no signature of the log's key" in refusal(log, tmp_path)


@pytest.mark.parametrize("content", [b"12\n", b"no JSON\n", b"\xff\n"])
def test_a_history_of_something_else_is_not_written_to(
    log: AuditLog, make_event: MakeEvent, tmp_path: Path, content: bytes
) -> None:
    grow(log, make_event)
    (tmp_path / "history.jsonl").write_bytes(content)
    assert "history.jsonl: the note has no signatures" in refusal(log, tmp_path)
    (tmp_path / "history.jsonl").unlink()
    (tmp_path / "checkpoint").write_bytes(b"\xff")
    assert "checkpoint: the note has no signatures" in refusal(log, tmp_path)
