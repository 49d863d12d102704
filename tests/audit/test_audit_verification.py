"""Verification finds whatever was done to the database, and names the first event that is bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from hub.audit import AuditEvent, AuditLog, TreeHead, VerificationReport, leaf_hash
from hub.audit.verification import verify_log
from hub.errors import AuditIntegrityError

MakeEvent = Callable[..., AuditEvent]
Tamper = Callable[..., VerificationReport]

SIZE = 12
MANY = 1_100
"""Four whole tiles and a partial one at level 0, and one at level 1."""


def forbidden(sql: str, **values: Any) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(sql), values)


@pytest.fixture
def tamper(log: AuditLog, log_url: str) -> Iterator[Tamper]:
    """Verifies the log as it were after some statements, and takes them back."""
    engine = create_engine(log_url)

    def tampered(
        *acts: Callable[[Connection], object], checkpoint: TreeHead | None = None
    ) -> VerificationReport:
        with engine.connect() as connection:
            for act in acts:
                act(connection)
            report = verify_log(connection, checkpoint)
            connection.rollback()
        return report

    yield tampered
    engine.dispose()


@pytest.fixture
def small(log: AuditLog, make_event: MakeEvent) -> AuditLog:
    log.append([make_event(number) for number in range(SIZE)])
    assert log.verify() == VerificationReport(log.head(), 0)
    return log


@pytest.fixture
def large(log: AuditLog, make_event: MakeEvent) -> AuditLog:
    log.append([make_event(number) for number in range(MANY)])
    assert log.verify().ok
    return log


def test_every_leaf_that_is_dropped_is_named(small: AuditLog, tamper: Tamper) -> None:
    for seq in range(SIZE):
        report = tamper(forbidden("DELETE FROM audit_leaf WHERE seq = :seq", seq=seq))
        assert report.first_bad == seq, report.fault


def test_any_two_leaves_that_change_places_are_found_by_the_first(small: AuditLog, tamper: Tamper) -> None:
    move = "UPDATE audit_leaf SET seq = :to WHERE seq = :at"
    for first in range(SIZE):
        for second in range(first + 1, SIZE):
            report = tamper(
                forbidden(move, at=first, to=-1),
                forbidden(move, at=second, to=first),
                forbidden(move, at=-1, to=second),
            )
            assert report.first_bad == first, report.fault


def test_every_byte_of_an_event_that_is_changed_is_found(small: AuditLog, tamper: Tamper) -> None:
    entry = small.entry(4)
    for position in range(len(entry)):
        changed = entry[:position] + bytes([entry[position] ^ 1]) + entry[position + 1 :]
        report = tamper(forbidden("UPDATE audit_leaf SET bytes = :bytes WHERE seq = 4", bytes=changed))
        assert report.first_bad == 4, position


@given(st.data())
def test_any_byte_of_any_event_or_tile_that_is_changed_is_named(
    small: AuditLog, tamper: Tamper, data: st.DataObject
) -> None:
    seq = data.draw(st.integers(0, SIZE - 1))
    entry = bytearray(small.entry(seq))
    entry[data.draw(st.integers(0, len(entry) - 1))] ^= data.draw(st.integers(1, 255))
    report = tamper(
        forbidden("UPDATE audit_leaf SET bytes = :bytes WHERE seq = :seq", bytes=bytes(entry), seq=seq)
    )
    assert report.first_bad == seq
    tile = bytearray(b"".join(leaf_hash(small.entry(each)) for each in range(SIZE)))
    tile[data.draw(st.integers(seq * 32, seq * 32 + 31))] ^= data.draw(st.integers(1, 255))
    report = tamper(forbidden("UPDATE audit_tile SET hashes = :hashes", hashes=bytes(tile)))
    assert report.first_bad == seq


def test_an_event_put_in_anywhere_is_found(small: AuditLog, tamper: Tamper) -> None:
    copy = (
        "INSERT INTO audit_leaf SELECT :at, 'new', bytes, at_us, action, actor, outcome, purpose, source, run_id"
        " FROM audit_leaf WHERE seq = 0"
    )
    assert tamper(forbidden(copy, at=SIZE)).first_bad == SIZE
    assert tamper(forbidden(copy, at=SIZE + 5)).first_bad == SIZE + 5
    assert tamper(forbidden(copy, at=-1)).first_bad == 0
    for seq in range(SIZE):
        report = tamper(
            forbidden("UPDATE audit_leaf SET seq = -seq - 2 WHERE seq >= :seq", seq=seq),
            forbidden("UPDATE audit_leaf SET seq = -seq - 1 WHERE seq < 0"),
            forbidden(copy.replace("seq = 0", "seq = :like"), at=seq, like=(seq + 3) % SIZE + 1),
        )
        assert report.first_bad == seq


@pytest.mark.parametrize(
    "change",
    [
        *("action = 'search'", "actor = 'u-99'", "outcome = 'failed'", "purpose = NULL", "source = 'erp'"),
        *("run_id = 'r-1'", "at_us = at_us + 1", "event_id = 'x'"),
    ],
)
def test_a_column_that_differs_from_its_event_is_named(small: AuditLog, tamper: Tamper, change: str) -> None:
    report = tamper(forbidden(f"UPDATE audit_leaf SET {change} WHERE seq = 5"))
    assert report.first_bad == 5
    assert "column" in str(report.fault)


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ("DELETE FROM audit_leaf_customer WHERE seq = 3", 3),
        ("UPDATE audit_leaf_customer SET customer = 'customer-of-test-9999' WHERE seq = 3", 3),
        ("INSERT INTO audit_leaf_customer (customer, seq) VALUES ('customer-of-test-9999', 3)", 3),
        ("INSERT INTO audit_leaf_customer (customer, seq) VALUES ('customer-of-test-9999', 99)", 99),
    ],
)
def test_a_link_to_a_customer_that_the_event_lacks_or_that_is_lacking_is_named(
    small: AuditLog, tamper: Tamper, change: str, bad: int
) -> None:
    assert tamper(forbidden(change)).first_bad == bad


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ("UPDATE audit_head SET size = 11", 11),
        ("UPDATE audit_head SET size = 13", 12),
        ("UPDATE audit_head SET size = 0", 0),
        ("UPDATE audit_head SET root = (SELECT bytes FROM audit_leaf WHERE seq = 0)", None),
        ("DELETE FROM audit_head", None),
        ("DELETE FROM audit_tile", 0),
        ("INSERT INTO audit_tile (level, position, hashes) SELECT 5, 5, hashes FROM audit_tile", None),
    ],
)
def test_a_head_or_tile_that_does_not_fit_is_found(
    small: AuditLog, tamper: Tamper, change: str, bad: int | None
) -> None:
    report = tamper(forbidden(change))
    assert not report.ok
    assert report.first_bad == bad
    with pytest.raises(AuditIntegrityError):
        report.require()


def flip_hash(level: int, entry: int) -> Callable[[Connection], object]:
    def act(connection: Connection) -> None:
        where = {"level": level, "position": entry // 256}
        query = text("SELECT hashes FROM audit_tile WHERE level = :level AND position = :position")
        hashes = bytearray(connection.execute(query, where).scalar_one())
        hashes[entry % 256 * 32] ^= 1
        update = text("UPDATE audit_tile SET hashes = :hashes WHERE level = :level AND position = :position")
        connection.execute(update, {"hashes": bytes(hashes), **where})

    return act


def rewrite(seq: int, event: AuditEvent) -> Callable[[Connection], object]:
    """Puts another event in place, with its columns and its hash: all but what stands above."""

    def act(connection: Connection) -> None:
        data = event.encode()
        values = {"data": data, "id": event.id, "seq": seq}
        connection.execute(
            text("UPDATE audit_leaf SET bytes = :data, event_id = :id WHERE seq = :seq"), values
        )
        query = text("SELECT hashes FROM audit_tile WHERE level = 0 AND position = :position")
        hashes = bytearray(connection.execute(query, {"position": seq // 256}).scalar_one())
        hashes[seq % 256 * 32 : seq % 256 * 32 + 32] = leaf_hash(data)
        update = text("UPDATE audit_tile SET hashes = :hashes WHERE level = 0 AND position = :position")
        connection.execute(update, {"hashes": bytes(hashes), "position": seq // 256})

    return act


class TestOverSeveralTiles:
    def test_damage_is_named_wherever_it_is(
        self, large: AuditLog, tamper: Tamper, make_event: MakeEvent
    ) -> None:
        for seq in (0, 255, 256, 700, 1_023, 1_024, MANY - 1):
            assert tamper(forbidden("DELETE FROM audit_leaf WHERE seq = :seq", seq=seq)).first_bad == seq
            assert tamper(flip_hash(0, seq)).first_bad == seq
        assert tamper(flip_hash(1, 2)).first_bad == 512
        assert tamper(forbidden("DELETE FROM audit_tile WHERE level = 1")).first_bad == 0
        assert tamper(forbidden("DELETE FROM audit_tile WHERE level = 0 AND position = 3")).first_bad == 768

    def test_an_event_rewritten_with_its_hash_is_found_by_its_tile(
        self, large: AuditLog, tamper: Tamper, make_event: MakeEvent
    ) -> None:
        assert tamper(rewrite(700, make_event(700))).first_bad == 512
        in_partial_tile = tamper(rewrite(MANY - 1, make_event(MANY - 1)))
        assert in_partial_tile.first_bad is None
        assert "root" in str(in_partial_tile.fault)

    def test_of_two_bad_events_the_first_is_named(self, large: AuditLog, tamper: Tamper) -> None:
        spoil = "UPDATE audit_leaf SET actor = 'u-99' WHERE seq IN (300, 900)"
        assert tamper(forbidden(spoil)).first_bad == 300

    def test_verification_goes_on_from_a_checkpoint(
        self, large: AuditLog, tamper: Tamper, make_event: MakeEvent
    ) -> None:
        checkpoint = TreeHead(600, large.root(600))
        assert tamper(checkpoint=checkpoint) == VerificationReport(large.head(), 512)
        damage = forbidden("DELETE FROM audit_leaf WHERE seq = 650")
        assert tamper(damage, checkpoint=checkpoint).first_bad == 650
        assert tamper(flip_hash(0, 599), checkpoint=checkpoint).first_bad == 599


class TestAgainstACheckpoint:
    def test_a_log_rewritten_as_a_whole_verifies_but_not_against_its_checkpoint(
        self, log: AuditLog, make_event: MakeEvent
    ) -> None:
        log.append([make_event(number) for number in range(5)])
        other = TreeHead(5, leaf_hash(b"the root that was published"))
        assert log.verify().ok
        report = log.verify(other)
        assert "rewritten before the checkpoint of 5 events" in str(report.fault)
        assert report.first_bad is None

    def test_a_log_that_lost_its_end_is_found(self, log: AuditLog, make_event: MakeEvent) -> None:
        log.append([make_event(number) for number in range(5)])
        report = log.verify(TreeHead(7, log.root()))
        assert report.first_bad == 5
        assert "a checkpoint says 7 events" in str(report.fault)

    def test_an_older_checkpoint_still_holds(self, log: AuditLog, make_event: MakeEvent) -> None:
        heads = []
        for number in range(10):
            heads.append(log.head())
            log.append([make_event(number)])
        assert all(log.verify(head).ok for head in heads)


WRONG_TYPES = (
    "UPDATE audit_head SET size = 'many'",
    "UPDATE audit_leaf SET bytes = 'text' WHERE seq = 2",
    "UPDATE audit_leaf SET at_us = 'now' WHERE seq = 2",
)


@pytest.mark.parametrize("statement", WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_refused_by_the_database_or_found(
    small: AuditLog, tamper: Tamper, statement: str
) -> None:
    try:
        unnoticed = tamper(forbidden(statement)).ok
    except DBAPIError:
        unnoticed = False
    assert not unnoticed
