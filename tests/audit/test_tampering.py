"""Who may write the database, but has no key, cannot rewrite the log: each way of doing so is tried."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from hub.audit import AuditEvent, AuditLog, Checkpoints, VerificationReport
from hub.audit.appending import Appender, Leaf
from hub.audit.checkpoints import sign_checkpoint
from hub.audit.database import Statements
from hub.audit.merkle import EMPTY_ROOT, TreeHead
from hub.audit.notes import Note
from hub.audit.verification import verify_log
from tests.audit.published import MALLORY, ORIGIN, FakeWitness, checkpoints_of

MakeEvent = Callable[..., AuditEvent]
Act = Callable[[Connection], object]
Tampered = Callable[..., VerificationReport]

SIZES = (2, 5, 8)
"""The small log's checkpoints; it ends with the last."""
LARGE = 1_300
ROUNDS = 300 if os.environ.get("HUB_TEST_PROFILE") == "thorough" else 30


@pytest.fixture
def events(make_event: MakeEvent) -> list[AuditEvent]:
    return [make_event(number) for number in range(SIZES[-1])]


@pytest.fixture
def checkpoints(log: AuditLog, events: list[AuditEvent], tmp_path: Path) -> Checkpoints:
    """Those of the small log; the second is cosigned."""
    witness = FakeWitness()
    made, start = checkpoints_of(log, tmp_path / "outside", [witness]), 0
    for size in SIZES:
        log.append(events[start:size])
        start = size
        published = made.publish()
        if size == SIZES[1]:
            made.have_cosigned(published)
    report = made.verify()
    assert (report.ok, report.checkpoints) == (True, len(SIZES))
    return made


@pytest.fixture
def tampered(log_url: str) -> Iterator[Tampered]:
    """Verifies the log as it were after some acts, and takes them back."""
    engine = create_engine(log_url)

    def verified(checkpoints: Checkpoints, *acts: Act) -> VerificationReport:
        with engine.connect() as connection:
            for act in acts:
                act(connection)
            report = verify_log(connection, None, checkpoints.attestation)
            connection.rollback()
        return report

    yield verified
    engine.dispose()


def sql(statement: str, **values: Any) -> Act:
    return lambda connection: connection.execute(text(statement), values)


def rewritten(entries: Sequence[AuditEvent]) -> Act:
    """Makes the log anew out of other events, tiles and head included: all that needs no key."""

    def act(connection: Connection) -> None:
        for table in ("audit_leaf", "audit_leaf_customer", "audit_tile"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("UPDATE audit_head SET size = 0, root = :root"), {"root": EMPTY_ROOT})
        cursor = connection.connection.cursor()
        statements = Statements(cursor, "?" if connection.dialect.positional else "%s", Exception)
        Appender().extend(statements, [Leaf(event, event.encode()) for event in entries])

    return act


def vouched_for(seq: int) -> int:
    """How many events checkpoints still vouch for, where the log is another one from an event on."""
    return max((size for size in SIZES if size <= seq), default=0)


def test_a_log_rewritten_with_all_its_hashes_is_found_wherever_it_changed(
    checkpoints: Checkpoints, tampered: Tampered, events: list[AuditEvent], make_event: MakeEvent
) -> None:
    assert tampered(checkpoints, rewritten(events)).ok
    for seq in range(len(events)):
        for name, entries in rewrites(events, seq, make_event).items():
            report = tampered(checkpoints, rewritten(entries))
            assert report.first_bad == vouched_for(seq), (name, seq, report.fault)


def rewrites(events: list[AuditEvent], seq: int, make_event: MakeEvent) -> dict[str, list[AuditEvent]]:
    before, after = events[:seq], events[seq + 1 :]
    changed = replace(events[seq], actor="u-99")
    made = {
        "changed": [*before, changed, *after],
        "dropped": [*before, *after],
        "put in": [*before, make_event(77), events[seq], *after],
        "cut off": before,
        "replaced and longer": [*before, changed, *after, make_event(78)],
    }
    if after:
        made["other order"] = [*before, after[0], events[seq], *after[1:]]
    return made


def test_every_character_of_a_checkpoint_that_is_changed_is_found(
    checkpoints: Checkpoints, tampered: Tampered, log_url: str
) -> None:
    notes = stored(tampered, checkpoints)
    step = 1 if log_url.startswith("sqlite") else 7  # the note is the same text on each database
    for size, note in notes.items():
        for at in range(0, len(note), step):
            changed = note[:at] + chr(ord(note[at]) ^ 1) + note[at + 1 :]
            act = sql("UPDATE audit_checkpoint SET note = :note WHERE size = :size", note=changed, size=size)
            report = tampered(checkpoints, act)
            assert f"the checkpoint of {size} events" in str(report.fault), (at, report.fault)


def stored(tampered: Tampered, checkpoints: Checkpoints) -> dict[int, str]:
    """The notes in the database by size."""
    found: dict[int, str] = {}

    def read(connection: Connection) -> None:
        rows = connection.execute(text("SELECT size, note FROM audit_checkpoint"))
        found.update((size, note) for size, note in rows)

    tampered(checkpoints, read)
    return found


def test_a_checkpoint_that_is_dropped_moved_or_put_in_is_named(
    checkpoints: Checkpoints, tampered: Tampered, log: AuditLog
) -> None:
    notes = stored(tampered, checkpoints)
    for size in SIZES:
        report = tampered(checkpoints, sql("DELETE FROM audit_checkpoint WHERE size = :size", size=size))
        assert f"the checkpoint of {size} events" in str(report.fault)
        assert "missing from the database" in str(report.fault)
        for other in set(range(LARGE)) & {1, 3, 6, 7, 9} - {size}:
            act = sql("UPDATE audit_checkpoint SET size = :to WHERE size = :size", to=other, size=size)
            assert f"the checkpoint of {other} events states another size" in str(
                tampered(checkpoints, act).fault
            )
        forged = sign_checkpoint(MALLORY, ORIGIN, TreeHead(size - 1, log.root(size - 1)))
        for note in (forged, notes[size]):
            put = sql(
                "INSERT INTO audit_checkpoint (size, note) VALUES (:size, :note)", size=size - 1, note=note
            )
            assert f"the checkpoint of {size - 1} events" in str(tampered(checkpoints, put).fault)
    first, second = SIZES[:2]
    swapped = [
        sql("UPDATE audit_checkpoint SET note = :note WHERE size = :size", note=notes[second], size=first),
        sql("UPDATE audit_checkpoint SET note = :note WHERE size = :size", note=notes[first], size=second),
    ]
    assert f"the checkpoint of {first} events" in str(tampered(checkpoints, *swapped).fault)


def test_a_checkpoint_that_another_key_signed_anew_is_named(
    checkpoints: Checkpoints, tampered: Tampered, log: AuditLog, events: list[AuditEvent]
) -> None:
    for size in SIZES:
        note = sign_checkpoint(MALLORY, ORIGIN, TreeHead(size, log.root(size)))
        act = sql("UPDATE audit_checkpoint SET note = :note WHERE size = :size", note=note, size=size)
        report = tampered(checkpoints, rewritten(events), act)
        assert f"the checkpoint of {size} events: it has no signature of the log's key" in str(report.fault)


def test_a_cosignature_that_is_taken_away_is_named(checkpoints: Checkpoints, tampered: Tampered) -> None:
    note = Note.parse(stored(tampered, checkpoints)[SIZES[1]])
    assert len(note.signatures) == 2
    bare = str(Note(note.text, note.signatures[:1]))
    act = sql("UPDATE audit_checkpoint SET note = :note WHERE size = :size", note=bare, size=SIZES[1])
    assert f"the checkpoint of {SIZES[1]} events lacks a signature" in str(tampered(checkpoints, act).fault)


def test_without_a_key_the_tree_is_still_held_against_the_stored_checkpoints(
    checkpoints: Checkpoints, log: AuditLog, log_url: str, make_event: MakeEvent, events: list[AuditEvent]
) -> None:
    engine = create_engine(log_url)
    with engine.connect() as connection:
        rewritten([*events[:6], make_event(9), *events[7:]])(connection)
        report = verify_log(connection)
        connection.rollback()
    engine.dispose()
    assert report.first_bad == 5
    assert log.verify().ok


# outside


def test_each_line_of_the_history_that_is_changed_or_dropped_is_named(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    path = tmp_path / "outside" / "history.jsonl"
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        forged = json.dumps(str(MALLORY.sign(Note.parse(json.loads(line)).text)))
        for broken in (forged, "{}", line.replace("log", "lag", 1), line[:-3] + '="'):
            path.write_text("\n".join([*lines[:number], broken, *lines[number + 1 :]]) + "\n")
            fault = str(checkpoints.verify().fault)
            assert f"history.jsonl, line {number + 1}" in fault, broken
    for number, size in enumerate(SIZES[:-1]):
        path.write_text("\n".join([*lines[:number], *lines[number + 1 :]]) + "\n")
        assert f"the checkpoint of {size} events is missing from the history" in str(
            checkpoints.verify().fault
        )
    path.unlink()
    assert f"the checkpoint of {SIZES[0]} events is missing from the history" in str(
        checkpoints.verify().fault
    )


def test_a_checkpoint_outside_that_the_database_has_not_is_named(
    checkpoints: Checkpoints, tampered: Tampered, log: AuditLog, tmp_path: Path
) -> None:
    folder = tmp_path / "outside"
    (folder / "checkpoint").write_text(sign_checkpoint(MALLORY, ORIGIN, log.head()))
    assert f"{folder / 'checkpoint'}: it has no signature of the log's key" in str(checkpoints.verify().fault)
    (folder / "checkpoint").unlink()
    (folder / "cosigned.jsonl").write_text('"x"\n')
    assert "cosigned.jsonl, line 1: the note has no signatures" in str(checkpoints.verify().fault)


# at random


@pytest.fixture
def large(log: AuditLog, make_event: MakeEvent, tmp_path: Path) -> Checkpoints:
    made, chance = checkpoints_of(log, tmp_path / "outside"), random.Random("sizes")
    start = 0
    for size in (*sorted(chance.sample(range(1, LARGE), 9)), LARGE):
        log.append([make_event(number) for number in range(start, size)])
        start = size
        made.publish()
    assert made.verify().ok
    return made


def test_at_random_places_of_a_large_log_the_first_bad_event_is_named(
    large: Checkpoints, tampered: Tampered, log: AuditLog
) -> None:
    chance = random.Random(os.environ.get("HUB_TEST_PROFILE", "hub"))
    for _ in range(ROUNDS):
        seq = chance.randrange(LARGE - 1)
        other = chance.randrange(seq + 1, LARGE)
        entry = bytearray(log.entry(seq))
        entry[chance.randrange(len(entry))] ^= chance.randrange(1, 256)
        ways = {
            "changed": [sql("UPDATE audit_leaf SET bytes = :b WHERE seq = :seq", b=bytes(entry), seq=seq)],
            "dropped": [sql("DELETE FROM audit_leaf WHERE seq = :seq", seq=seq)],
            "moved": [
                sql("UPDATE audit_leaf SET seq = -1 WHERE seq = :seq", seq=seq),
                sql("UPDATE audit_leaf SET seq = :seq WHERE seq = :other", seq=seq, other=other),
                sql("UPDATE audit_leaf SET seq = :other WHERE seq = -1", other=other),
            ],
            "both": [sql("UPDATE audit_leaf SET actor = 'u-99' WHERE seq IN (:a, :b)", a=other, b=seq)],
        }
        way = chance.choice(sorted(ways))
        report = tampered(large, *ways[way])
        assert report.first_bad == seq, (way, seq, other, report.fault)


def test_any_hash_of_any_tile_that_is_changed_is_found(large: Checkpoints, tampered: Tampered) -> None:
    chance = random.Random("tiles")
    for _ in range(ROUNDS):
        level = chance.choice((0, 0, 1))
        entry = chance.randrange(LARGE >> 8 * level)
        report = tampered(large, flipped(level, entry, chance.randrange(32)))
        assert report.first_bad == entry << 8 * level, report.fault


def flipped(level: int, entry: int, byte: int) -> Act:
    def act(connection: Connection) -> None:
        where = {"level": level, "position": entry // 256}
        query = text("SELECT hashes FROM audit_tile WHERE level = :level AND position = :position")
        hashes = bytearray(connection.execute(query, where).scalar_one())
        hashes[entry % 256 * 32 + byte] ^= 1
        update = text("UPDATE audit_tile SET hashes = :hashes WHERE level = :level AND position = :position")
        connection.execute(update, {"hashes": bytes(hashes), **where})

    return act
