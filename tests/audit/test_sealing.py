"""Sealed payloads: they open in their own place only, die with their key, and nothing else dies with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text
from sqlalchemy import event as listens

from hub.audit import (
    Action,
    AuditEvent,
    AuditLog,
    DataKeys,
    LocalMasterKeys,
    Payload,
    Retention,
    Sealer,
    inclusion_holds,
    leaf_hash,
    retention_of,
)
from hub.audit.datakeys import TTL_S
from hub.errors import AuditError, AuditIntegrityError, MasterKeyError
from tests.audit.conftest import MASTER

MakeEvent = Callable[..., AuditEvent]

ADA, BEA = "customer-of-test-ada", "customer-of-test-bea"
SECRET = "Ada Lovelace, 12 St James's Square"
CHANGES: dict[str, Any] = {"reason": SECRET, "before": None, "after": 17}


@pytest.fixture
def sealer(keys: DataKeys) -> Sealer:
    return Sealer(keys)


@pytest.fixture
def engine(log_url: str) -> Iterator[Engine]:
    engine = create_engine(log_url)
    yield engine
    engine.dispose()


def change(engine: Engine, sql: str, **values: Any) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(sql), values).rowcount > 0


def corrected(sealer: Sealer, make_event: MakeEvent, *payloads: Payload, number: int = 0) -> AuditEvent:
    return sealer.sealed(make_event(number, action=Action.CORRECTION), payloads)


def ada(retention: Retention = Retention.CUSTOMER, **content: Any) -> Payload:
    return Payload(ADA, retention, content or CHANGES)


def bea(retention: Retention = Retention.CUSTOMER) -> Payload:
    return Payload(BEA, retention, {"reason": "of Bea"})


def readable(sealer: Sealer, log: AuditLog) -> list[list[Any]]:
    """What every payload of the log holds, None where its key was destroyed."""
    return [[each.content for each in sealer.unsealed(log, seq)] for seq in range(log.size())]


def test_a_payload_opens_to_what_was_sealed(log: AuditLog, sealer: Sealer, make_event: MakeEvent) -> None:
    log.append([make_event(), corrected(sealer, make_event, ada(), bea())])
    assert sealer.unsealed(log, 0) == []
    opened = sealer.unsealed(log, 1)
    assert [(each.subject, each.retention, each.content) for each in opened] == [
        (ADA, Retention.CUSTOMER, CHANGES),
        (BEA, Retention.CUSTOMER, {"reason": "of Bea"}),
    ]
    assert SECRET not in repr(opened)
    assert SECRET not in repr(ada())


def test_what_json_has_no_form_for_is_sealed_as_text(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent
) -> None:
    log.append([corrected(sealer, make_event, ada(born=date(1815, 12, 10), owes=sqlite3))])
    (opened,) = sealer.unsealed(log, 0)
    assert opened.content == {"born": "1815-12-10", "owes": str(sqlite3)}


def test_leaf_and_databases_hold_no_value(
    tmp_path: Path, make_event: MakeEvent, request: pytest.FixtureRequest
) -> None:
    with AuditLog.open(f"sqlite:///{tmp_path / 'a.sqlite'}") as log:
        keys = DataKeys.open(f"sqlite:///{tmp_path / 'k.sqlite'}", LocalMasterKeys.of([MASTER]))
        event = corrected(Sealer(keys), make_event, ada())
        log.append([event])
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert event.sealed[0] in written
        assert b"Lovelace" not in written
        assert b"Lovelace" not in log.entry(0)
        keys.close()


def test_of_two_events_with_the_same_payload_nobody_can_tell_so(
    sealer: Sealer, make_event: MakeEvent
) -> None:
    first, second = (corrected(sealer, make_event, ada()) for _ in range(2))
    assert first.keys == second.keys
    assert first.payloads != second.payloads


def test_without_a_master_key_an_event_has_no_payload(log: AuditLog, make_event: MakeEvent) -> None:
    event = make_event()
    assert Sealer().sealed(event, [ada()]) is event
    with pytest.raises(MasterKeyError, match="no master key is given"):
        Sealer().destroy(log, event, [ADA], list(Retention))


def test_an_event_changed_after_it_was_sealed_is_refused(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent
) -> None:
    event = corrected(sealer, make_event, ada(), bea())
    for other in (event.again(), replace(event, sealed=event.sealed[::-1]), replace(event, keys=())):
        with pytest.raises(AuditError, match="sealed payloads"):
            log.append([other])
    assert log.size() == 0


def test_payloads_pass_an_outbox_sealed(log: AuditLog, sealer: Sealer, make_event: MakeEvent) -> None:
    event = corrected(sealer, make_event, ada(), bea())
    packed = event.pack()
    assert "Lovelace" not in packed
    assert AuditEvent.unpack(packed).sealed == event.sealed
    log.append_outbox([(1, packed)])
    assert log.append_outbox([(2, packed)]) == range(1, 1)
    assert readable(sealer, log) == [[CHANGES, {"reason": "of Bea"}]]
    leaf, first, second = packed.split("\n")
    for broken in ([leaf], [leaf, second, first], [leaf, first], [leaf, "no base64!"]):
        with pytest.raises(AuditError, match="outbox row 3: audit event: "):
            log.append_outbox([(3, "\n".join(broken))])


# in its own place only


@given(st.data())
def test_payloads_that_change_places_open_nowhere(
    tmp_path_factory: pytest.TempPathFactory, make_event: MakeEvent, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("swapped")
    url = f"sqlite:///{folder / 'audit.sqlite'}"
    with AuditLog.open(url) as log:
        keys = DataKeys.open(f"sqlite:///{folder / 'keys.sqlite'}", LocalMasterKeys.of([MASTER]))
        sealer = Sealer(keys)
        several = [[ada(), bea()], [ada(), ada(Retention.MARKETING)], [bea(), ada()]]
        log.append([corrected(sealer, make_event, *some) for some in several])
        places = [(seq, position) for seq in range(3) for position in range(2)]
        one, other = data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True))
        _swap(folder / "audit.sqlite", one, other, data.draw(st.booleans()))
        for seq, _ in {one, other}:
            with pytest.raises(AuditIntegrityError):
                sealer.unsealed(log, seq)
        assert log.verify().first_bad == min(one, other)[0]
        keys.close()


def _swap(path: Path, one: tuple[int, int], other: tuple[int, int], with_key: bool) -> None:
    columns = "key_id, sealed" if with_key else "sealed"
    at = "WHERE seq = ? AND position = ?"
    with closing(sqlite3.connect(path)) as store, store:
        rows = [
            store.execute(f"SELECT {columns} FROM audit_payload {at}", place).fetchone()
            for place in (one, other)
        ]
        for row, place in zip(rows, (other, one), strict=True):
            marks = ", ".join(f"{name} = ?" for name in columns.split(", "))
            store.execute(f"UPDATE audit_payload SET {marks} {at}", (*row, *place))


def test_a_cell_moved_along_with_its_leafs_hash_still_opens_nowhere(
    log: AuditLog, keys: DataKeys, make_event: MakeEvent
) -> None:
    """Whoever writes events may name any hash; what was sealed for another event does not open for this one."""
    sealer = Sealer(keys)
    event = corrected(sealer, make_event, ada())
    stolen = replace(make_event(1), payloads=event.payloads, keys=event.keys, sealed=event.sealed)
    log.append([event, stolen])
    assert log.verify().ok
    with pytest.raises(AuditIntegrityError, match=r"event 1: payload 0 is not the one that was sealed"):
        sealer.unsealed(log, 1)


@given(st.data())
def test_any_bit_that_is_flipped_is_refused_and_named(
    tmp_path_factory: pytest.TempPathFactory, make_event: MakeEvent, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    with AuditLog.open(f"sqlite:///{folder / 'audit.sqlite'}") as log:
        keys = DataKeys.open(f"sqlite:///{folder / 'keys.sqlite'}", LocalMasterKeys.of([MASTER]))
        sealer = Sealer(keys)
        log.append([corrected(sealer, make_event, ada()) for _ in range(3)])
        seq = data.draw(st.integers(0, 2))
        cell = bytearray(log.payloads(seq)[0])
        bit = data.draw(st.integers(0, len(cell) * 8 - 1))
        cell[bit // 8] ^= 1 << bit % 8
        with closing(sqlite3.connect(folder / "audit.sqlite")) as store, store:
            store.execute("UPDATE audit_payload SET sealed = ? WHERE seq = ?", (bytes(cell), seq))
        with pytest.raises(AuditIntegrityError, match=f"event {seq}"):
            sealer.unsealed(log, seq)
        assert log.verify().first_bad == seq
        keys.close()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DELETE FROM audit_payload WHERE seq = 2", "payload 0 is missing, and its key was not destroyed"),
        ("UPDATE audit_payload SET key_id = 'x' WHERE seq = 2", "payload 0 is not the one"),
        ("UPDATE audit_payload SET position = 1 WHERE seq = 2", "payload 0 is missing"),
        ("INSERT INTO audit_payload SELECT 2, 7, key_id, sealed FROM audit_payload WHERE seq = 3", "put in"),
        ("INSERT INTO audit_payload SELECT 2, 1, key_id, sealed FROM audit_payload WHERE seq = 2", "put in"),
    ],
)
def test_a_payload_dropped_changed_or_put_in_is_named(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent, engine: Engine, sql: str, told: str
) -> None:
    log.append([corrected(sealer, make_event, ada(), number=number) for number in range(5)])
    assert log.verify().ok
    change(engine, sql)
    report = log.verify()
    assert report.first_bad == 2
    assert told in str(report.fault)


@pytest.mark.parametrize("at", [-1, 9])
def test_a_payload_outside_the_log_is_found(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent, engine: Engine, at: int
) -> None:
    log.append([corrected(sealer, make_event, ada())])
    change(engine, "INSERT INTO audit_payload SELECT :at, 0, key_id, sealed FROM audit_payload", at=at)
    assert "a payload stands outside the tree" in str(log.verify().fault)


# destruction


def destroy(sealer: Sealer, log: AuditLog, *retentions: Retention, of: str = ADA) -> list[AuditEvent]:
    event = AuditEvent(Action.KEY_DESTROYED, "u-officer", customers=(of,))
    return sealer.destroy(log, event, [of], retentions)


def test_destroying_makes_exactly_that_subject_and_class_unreadable(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent
) -> None:
    kinds = [
        [ada()],
        [ada(Retention.ACCOUNTING)],
        [ada(Retention.MARKETING), bea(Retention.MARKETING)],
        [bea()],
    ]
    log.append([corrected(sealer, make_event, *some, number=at) for at, some in enumerate(kinds)])
    before, expected = log.head(), readable(sealer, log)
    proofs = [log.inclusion_proof(seq, before.size) for seq in range(before.size)]
    (told,) = destroy(sealer, log, Retention.MARKETING)
    assert (told.action, told.reason_code, told.customers) == (Action.KEY_DESTROYED, "marketing", (ADA,))
    expected[2][0] = None
    assert readable(sealer, log) == [*expected, []]
    (destroyed, _) = sealer.unsealed(log, 2)
    assert destroyed.destroyed_at == told.at
    assert log.payloads(2).keys() == {1}
    assert log.verify(before).ok
    sealer.require_keys(log)
    for seq, proof in enumerate(proofs):
        leaf = leaf_hash(log.entry(seq))
        assert inclusion_holds(leaf, seq, before.size, proof, before.root)


def test_destroying_twice_tells_once(log: AuditLog, sealer: Sealer, make_event: MakeEvent) -> None:
    log.append([corrected(sealer, make_event, ada())])
    assert len(destroy(sealer, log, *Retention)) == 1
    assert destroy(sealer, log, *Retention) == []
    assert log.size() == 2


def test_what_is_sealed_after_a_destruction_has_a_new_key_of_a_new_name(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent, keys_url: str
) -> None:
    log.append([corrected(sealer, make_event, ada())])
    engine = create_engine(keys_url)
    pids = "SELECT pid FROM audit_subject WHERE name = :name"
    with engine.begin() as connection:
        (pid,) = connection.execute(text(pids), {"name": ADA}).scalars()
    destroy(sealer, log, *Retention)
    with engine.begin() as connection:
        assert connection.execute(text(pids), {"name": ADA}).all() == []
    log.append([corrected(sealer, make_event, ada())])
    with engine.begin() as connection:
        assert connection.execute(text(pids), {"name": ADA}).scalars().all() not in ([], [pid])
    engine.dispose()
    assert readable(sealer, log) == [[None], [], [CHANGES]]


@pytest.fixture
def _lazy_sqlite() -> Iterator[None]:
    """SQLite as most builds have it: what is deleted stays in the file until something is written over it."""

    def prepare(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.execute("PRAGMA secure_delete=OFF")

    listens.listen(Engine, "connect", prepare)
    yield
    listens.remove(Engine, "connect", prepare)


@pytest.mark.usefixtures("_lazy_sqlite")
def test_a_destroyed_key_is_in_no_file(tmp_path: Path, make_event: MakeEvent) -> None:
    with AuditLog.open(f"sqlite:///{tmp_path / 'a.sqlite'}") as log:
        keys = DataKeys.open(f"sqlite:///{tmp_path / 'k.sqlite'}", LocalMasterKeys.of([MASTER]))
        sealer = Sealer(keys)
        event = corrected(sealer, make_event, ada())
        log.append([corrected(sealer, make_event, bea()), event, corrected(sealer, make_event, bea())])
        with closing(sqlite3.connect(tmp_path / "k.sqlite")) as store:
            sql = "SELECT wrapped FROM audit_data_key WHERE id = ?"
            (wrapped,) = store.execute(sql, event.keys).fetchone()
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert wrapped in written
        destroy(sealer, log, *Retention)
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert wrapped[12:] not in written
        assert event.sealed[0][12:] not in written
        assert ADA.encode() not in (tmp_path / "k.sqlite").read_bytes()
        keys.close()


def test_another_worker_opens_nothing_and_seals_by_the_destroyed_key_no_longer_than_a_minute(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent, keys_url: str
) -> None:
    now = [0.0]
    others = DataKeys.open(keys_url, LocalMasterKeys.of([MASTER]), lambda: now[0])
    worker = Sealer(others)
    log.append([corrected(worker, make_event, ada())])
    destroy(sealer, log, *Retention)
    assert readable(worker, log)[0] == [None]
    now[0] = TTL_S - 1
    log.append([corrected(worker, make_event, ada())])
    assert readable(worker, log)[2] == [None]
    now[0] = TTL_S
    log.append([corrected(worker, make_event, ada())])
    assert readable(worker, log)[3] == [CHANGES]
    assert log.verify().ok
    sealer.require_keys(log)
    assert worker.resume(log) == 0
    assert log.payloads(2) == {}
    others.close()


def test_killed_between_the_event_and_the_end_of_the_key_the_next_start_ends_it(
    log: AuditLog, sealer: Sealer, make_event: MakeEvent
) -> None:
    event = corrected(sealer, make_event, ada(), bea())
    log.append([event])
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    told = AuditEvent(Action.KEY_DESTROYED, "u-officer", keys=event.keys[:1], at=at)
    log.append_destruction([told])
    assert log.payloads(0).keys() == {1}
    assert sealer.resume(log) == 1
    assert sealer.resume(log) == 0
    opened = sealer.unsealed(log, 0)
    assert [(each.content, each.destroyed_at) for each in opened] == [
        (None, at),
        ({"reason": "of Bea"}, None),
    ]


def test_keys_out_of_an_older_backup_are_destroyed_again(tmp_path: Path, make_event: MakeEvent) -> None:
    file, backup = tmp_path / "k.sqlite", tmp_path / "k.backup"
    master = LocalMasterKeys.of([MASTER])
    with AuditLog.open(f"sqlite:///{tmp_path / 'a.sqlite'}") as log:
        keys = DataKeys.open(f"sqlite:///{file}", master)
        log.append([corrected(Sealer(keys), make_event, ada())])
        with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(backup)) as copy:
            live.backup(copy)
        destroy(Sealer(keys), log, *Retention)
        keys.close()
        restored = DataKeys.open(f"sqlite:///{backup}", master)
        assert restored.held_by(ADA) != {}
        assert Sealer(restored).resume(log) == 1
        assert restored.held_by(ADA) == {}
        restored.close()


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("user.contact.email", Retention.CUSTOMER),
        ("user.financial.bank_account", Retention.ACCOUNTING),
        ("user.payment", Retention.ACCOUNTING),
        ("user.behavior.purchase_history", Retention.MARKETING),
        ("user.demographic.profile", Retention.MARKETING),
        ("user.demographic.date_of_birth", Retention.CUSTOMER),
    ],
)
def test_the_class_of_a_value_follows_from_its_category(category: str, expected: Retention) -> None:
    assert retention_of(category) is expected
