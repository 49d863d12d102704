"""The register of erasures: on disk with its events, and what `verify` finds when it is altered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.audit import Action, AuditEvent, AuditLog, Erasure, ErasureRegister, Outcome, State
from hub.audit.events import new_event_id
from hub.errors import AuditError

ANN, BEN = "customer-of-test-ann", "customer-of-test-ben"


@pytest.fixture
def log(store_url: str) -> Iterator[AuditLog]:
    with AuditLog.open(store_url) as log:
        yield log


def registered(log: AuditLog, customer: str = ANN) -> Erasure:
    register = ErasureRegister(log)
    event = AuditEvent(Action.ERASED, "u-compliance", customers=(customer,), reason_code="objection")
    erasure = Erasure(event.id, event.at, (customer,), ("party-1", "party-2"), ("r1", "i2"))
    register.register(register.naming(event, erasure), erasure)
    return erasure


def verdict(log: AuditLog, erasure: Erasure, reason_code: str) -> int:
    told = AuditEvent(Action.ERASE_VERIFIED, "system", about=erasure.id, reason_code=reason_code)
    return ErasureRegister(log).settle(told)


def test_an_erasure_is_kept_as_it_was_told(log: AuditLog) -> None:
    erasure = registered(log)
    [found] = ErasureRegister(log).find([erasure.id, new_event_id()])
    assert (found.erasure, found.state) == (erasure, State.OPEN)
    assert log.verify().ok


@pytest.mark.parametrize(
    ("reason_codes", "state"),
    [
        (("verified",), State.VERIFIED),
        (("verified", "scrubbed"), State.SCRUBBED),
        (("incomplete",), State.OPEN),
        (("scrubbed", "found_again"), State.OPEN),
    ],
)
def test_its_state_is_that_of_the_last_event_about_it(
    log: AuditLog, reason_codes: tuple[str, ...], state: State
) -> None:
    erasure, other = registered(log), registered(log, BEN)
    for reason_code in reason_codes:
        verdict(log, erasure, reason_code)
    assert ErasureRegister(log).states() == {erasure.id: state, other.id: State.OPEN}
    assert log.verify().ok


def test_an_entry_that_the_event_does_not_name_is_not_registered(log: AuditLog) -> None:
    register = ErasureRegister(log)
    event = AuditEvent(Action.ERASED, "u-compliance", customers=(ANN,))
    erasure = Erasure(event.id, event.at, (ANN,), (), ())
    with pytest.raises(AuditError, match="does not name what is registered"):
        register.register(event, erasure)
    assert log.size() == 0
    assert register.states() == {}


def test_event_and_entry_are_there_together_or_not_at_all(log: AuditLog) -> None:
    erasure = registered(log)
    register = ErasureRegister(log)
    event = AuditEvent(Action.ERASED, "u-compliance", id=erasure.id)
    with pytest.raises(AuditError):
        register.register(register.naming(event, erasure), erasure)
    assert log.size() == 1
    with log.database.writing() as statements:
        statements.many("DELETE FROM audit_erasure WHERE event_id = ?", [(erasure.id,)])
        statements.many(
            "INSERT INTO audit_erasure (event_id, content, state) VALUES (?, ?, 'open')", [("x", b"")]
        )
    event = AuditEvent(Action.ERASED, "u-compliance", id=new_event_id(), at=datetime.now(UTC))
    taken = Erasure("x", event.at, (), (), ())
    with pytest.raises(AuditError):
        register._register(  # the entry's key is taken: the event must not stand alone
            AuditEvent(Action.ERASED, "u", id=event.id), b"other", State.OPEN
        )
    assert taken.id == "x"
    assert log.size() == 1


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE audit_erasure SET content = :other WHERE event_id = :id", "is not the one that it names"),
        ("UPDATE audit_erasure SET state = 'open' WHERE event_id = :id", "the state of the erasure is not"),
        (
            "UPDATE audit_erasure SET state = 'release' WHERE event_id = :id",
            "the state of the erasure is not",
        ),
        ("DELETE FROM audit_erasure WHERE event_id = :id", "in the register of erasures is missing"),
        ("DELETE FROM audit_erasure", "in the register of erasures is missing"),
    ],
)
def test_an_altered_entry_is_found_and_its_event_named(log: AuditLog, sql: str, fault: str) -> None:
    log.append([AuditEvent(Action.READ, "u-1")])
    erasure = registered(log)
    verdict(log, erasure, "scrubbed")
    assert log.verify().ok
    with log.database.making() as connection:
        given = {"id": erasure.id, "other": b"{}"}
        connection.execute(text(sql), {name: given[name] for name in given if f":{name}" in sql})
    report = log.verify()
    assert report.first_bad == 1
    assert fault in str(report.fault)
    assert log.verify(None).fault is not None


def test_an_entry_that_was_put_in_is_found(log: AuditLog) -> None:
    registered(log)
    with log.database.writing() as statements:
        statements.many(
            "INSERT INTO audit_erasure (event_id, content, state) VALUES (?, ?, 'open')", [("x", b"")]
        )
    assert "has an entry that no event names" in str(log.verify().fault)


def test_a_release_that_was_dropped_is_found(log: AuditLog) -> None:
    register = ErasureRegister(log)
    event = AuditEvent(Action.SUPPRESSION_RELEASED, "u-compliance", counts={"suppressed": 1})
    number = register.release(register.releasing(event, ["i2"]), ["i2"])
    assert register.releases() == {event.id: ["i2"]}
    assert register.states() == {}
    assert log.verify().ok
    with log.database.writing() as statements:
        statements.many("DELETE FROM audit_erasure WHERE event_id = ?", [(event.id,)])
    assert log.verify().first_bad == number


def test_an_entry_that_cannot_be_read_is_an_error_of_the_log(log: AuditLog) -> None:
    erasure = registered(log)
    with log.database.writing() as statements:
        statements.many("UPDATE audit_erasure SET content = ? WHERE event_id = ?", [(b"\x00", erasure.id)])
    with pytest.raises(AuditError, match="was altered"):
        ErasureRegister(log).find([erasure.id])


def test_a_log_of_an_earlier_release_gets_a_register(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'audit.sqlite'}"
    with AuditLog.open(url) as log, log.database.making() as connection:
        connection.execute(text("DROP TABLE audit_erasure"))
    with AuditLog.open(url) as log:
        registered(log)
        assert log.verify().ok


def test_customers_beyond_a_leaf_are_continued_without_the_entry(log: AuditLog) -> None:
    many = tuple(f"customer-of-test-{number}" for number in range(500))
    register = ErasureRegister(log)
    event = AuditEvent(Action.ERASED, "u-compliance", customers=many)
    erasure = Erasure(event.id, event.at, many, (), ())
    register.register(register.naming(event, erasure), erasure)
    assert log.size() == 2
    assert log.event(1).registered is None
    assert log.verify().ok
    assert log.event(0).outcome is Outcome.OK
