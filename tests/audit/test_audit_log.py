"""The log on each database: numbering, exactly once, proofs, questions, refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from hub.audit import (
    Action,
    AuditEvent,
    AuditLog,
    EventFilter,
    Outcome,
    RecordedEvent,
    consistency_holds,
    inclusion_holds,
    leaf_hash,
)
from hub.audit.merkle import EMPTY_ROOT
from hub.errors import AuditError, AuditIntegrityError

MakeEvent = Callable[..., AuditEvent]


def outbox(events: Sequence[AuditEvent], first_id: int = 1) -> list[tuple[int, str]]:
    return [(number, event.encode().decode()) for number, event in enumerate(events, first_id)]


def test_a_new_log_is_empty_and_verifies(log: AuditLog) -> None:
    assert (log.size(), log.root()) == (0, EMPTY_ROOT)
    assert log.verify().ok
    assert log.append([]) == range(0)


def test_events_are_numbered_in_order_and_read_back(log: AuditLog, make_event: MakeEvent) -> None:
    events = [make_event(number) for number in range(5)]
    assert log.append(events[:2]) == range(2)
    assert log.append(events[2:]) == range(2, 5)
    assert [log.event(seq) for seq in range(5)] == events
    assert log.events() == [RecordedEvent(seq, event) for seq, event in enumerate(events)]


def test_the_log_goes_on_where_it_was_closed(log_url: str, make_event: MakeEvent) -> None:
    with AuditLog.open(log_url) as log:
        log.append([make_event(number) for number in range(300)])
        head = log.head()
    with AuditLog.open(log_url) as log:
        assert log.head() == head
        assert log.append([make_event(300)]) == range(300, 301)
        assert log.verify(head).ok


def test_roots_and_proofs_of_every_size_verify(log: AuditLog, make_event: MakeEvent) -> None:
    log.append([make_event(number) for number in range(20)])
    leaves = [leaf_hash(log.entry(seq)) for seq in range(20)]
    roots = [log.root(size) for size in range(21)]
    for size in range(1, 21):
        seq = (size * 7) % size
        assert inclusion_holds(leaves[seq], seq, size, log.inclusion_proof(seq, size), roots[size])
        old_size = (size + 1) // 2
        proof = log.consistency_proof(old_size, size)
        assert consistency_holds(old_size, size, roots[old_size], roots[size], proof)
    assert log.inclusion_proof(3) == log.inclusion_proof(3, 20)
    assert log.consistency_proof(3) == log.consistency_proof(3, 20)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_any_batching_gives_the_same_root(
    tmp_path_factory: pytest.TempPathFactory, make_event: MakeEvent, batches: list[int]
) -> None:
    events = [make_event(number) for number in range(sum(batches))]
    with AuditLog.open(f"sqlite:///{tmp_path_factory.mktemp('batched')}/a.sqlite") as log:
        start = 0
        for batch in batches:
            assert log.append(events[start : start + batch]) == range(start, start + batch)
            start += batch
        batched = log.head()
        assert log.verify().ok
    with AuditLog.open(f"sqlite:///{tmp_path_factory.mktemp('whole')}/a.sqlite") as log:
        log.append(events)
        assert log.head() == batched


def test_an_event_is_in_the_log_once(log: AuditLog, make_event: MakeEvent) -> None:
    event = make_event()
    log.append([event])
    with pytest.raises(AuditError, match="the same id is already in the log"):
        log.append([make_event(1), event])
    assert log.size() == 1
    assert log.verify().ok


def test_what_is_remembered_of_the_tree_gives_way_to_what_others_wrote(
    log_url: str, make_event: MakeEvent
) -> None:
    """Past a whole tile, two writers in turn, with an append that is rolled back between."""
    events = iter([make_event(number) for number in range(700)])
    with AuditLog.open(log_url) as one, AuditLog.open(log_url) as other:
        for count in (1, 200, 100, 3, 255, 1):
            taken = [next(events) for _ in range(count)]
            one.append(taken)
            with pytest.raises(AuditError, match="already in the log"):
                one.append([next(events), taken[0]])
            other.append([next(events), next(events)])
            assert one.verify().ok
        with AuditLog.open(log_url) as anew:
            assert anew.root() == one.head().root


def test_a_read_of_many_customers_is_found_by_each_of_them(log: AuditLog, make_event: MakeEvent) -> None:
    customers = [f"customer-of-test-{number:06}" for number in range(1_000)]
    assert log.append([make_event(customers=customers)]) == range(3)
    for customer in (customers[0], customers[400], customers[-1]):
        assert len(log.events(EventFilter(customer=customer))) == 1
    assert log.verify().ok


class TestOutbox:
    def test_events_come_in_the_order_of_their_outbox_ids(self, log: AuditLog, make_event: MakeEvent) -> None:
        rows = outbox([make_event(number) for number in range(10)])
        assert log.append_outbox(rows[::-1]) == range(10)
        assert [each.event.counts["results"] for each in log.events()] == list(range(10))

    def test_events_that_are_there_already_are_passed_over(
        self, log: AuditLog, make_event: MakeEvent
    ) -> None:
        rows = outbox([make_event(number) for number in range(6)])
        log.append_outbox(rows[:3])
        assert log.append_outbox(rows) == range(3, 6)
        assert log.append_outbox(rows) == range(6, 6)
        assert log.verify().ok

    def test_an_id_that_was_skipped_may_come_later(self, log: AuditLog, make_event: MakeEvent) -> None:
        rows = outbox([make_event(number) for number in range(4)])
        log.append_outbox([rows[0], rows[3]])
        assert log.append_outbox(rows[1:3]) == range(2, 4)

    def test_an_outbox_id_may_be_used_again(self, log: AuditLog, make_event: MakeEvent) -> None:
        """SQLite reuses row ids after the table was emptied, and a rebuilt store begins at 1."""
        log.append_outbox(outbox([make_event(0)]))
        assert log.append_outbox(outbox([make_event(1)])) == range(1, 2)

    def test_an_event_in_several_leaves_is_known_again(self, log: AuditLog, make_event: MakeEvent) -> None:
        rows = outbox([make_event(customers=[f"customer-of-test-{number:06}" for number in range(900)])])
        assert log.append_outbox(rows) == range(3)
        assert log.append_outbox(rows) == range(3, 3)

    def test_another_event_under_the_same_id_is_refused(self, log: AuditLog, make_event: MakeEvent) -> None:
        first = make_event(0)
        log.append_outbox(outbox([first]))
        with pytest.raises(AuditError, match="differs from the one in the log"):
            log.append_outbox(outbox([make_event(1, id=first.id)]))

    def test_a_row_without_an_event_is_named_and_nothing_appended(
        self, log: AuditLog, make_event: MakeEvent
    ) -> None:
        rows = [*outbox([make_event(0)]), (7, '{"email":"ada@example.com"}')]
        with pytest.raises(AuditError, match="outbox row 7: audit event: not of format 1"):
            log.append_outbox(rows)
        assert log.size() == 0


class TestQuestions:
    @pytest.fixture(autouse=True)
    def _filled(self, log: AuditLog, make_event: MakeEvent) -> None:
        log.append([make_event(number) for number in range(12)])
        log.append([make_event(12, action=Action.READ_REFUSED, outcome=Outcome.REFUSED, customers=())])
        log.append([make_event(13, action=Action.SYNC_FINISHED, actor="system", source="erp", run_id="r-1")])
        log.append([make_event(14, action=Action.SEARCH, purpose="marketing.advertising")])

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (EventFilter(), range(15)),
            (EventFilter(actor="u-3"), [3, 10]),
            (EventFilter(customer="customer-of-test-0002"), [2, 7]),
            (EventFilter(customer="customer-of-test-0002", actor="u-0"), [7]),
            (EventFilter(actions=(Action.SEARCH, Action.READ_REFUSED)), [12, 14]),
            (EventFilter(outcomes=(Outcome.REFUSED,)), [12]),
            (EventFilter(purpose="marketing.advertising"), [14]),
            (EventFilter(source="erp"), [13]),
            (EventFilter(run_id="r-1"), [13]),
            (EventFilter(source="crm"), []),
            (EventFilter(since=datetime(2025, 6, 1, 0, 0, 11, tzinfo=UTC)), [11, 12, 13, 14]),
            (EventFilter(until=datetime(2025, 6, 1, 0, 0, 2, tzinfo=UTC)), [0, 1]),
        ],
    )
    def test_a_filter_finds_what_it_says(
        self, log: AuditLog, where: EventFilter, expected: Sequence[int]
    ) -> None:
        assert [found.seq for found in log.events(where)] == list(expected)

    def test_pages_follow_each_other(self, log: AuditLog) -> None:
        seen, after = [], -1
        while page := log.events(EventFilter(actions=[Action.READ]), after=after, limit=5):
            assert len(page) <= 5
            after = page[-1].seq
            seen += [found.seq for found in page]
        assert seen == list(range(12))


class TestRefusals:
    def test_what_the_log_does_not_have(self, log: AuditLog, make_event: MakeEvent) -> None:
        log.append([make_event(number) for number in range(3)])
        for ask in (
            lambda: log.event(3),
            lambda: log.event(-1),
            lambda: log.root(4),
            lambda: log.root(-1),
            lambda: log.inclusion_proof(3),
            lambda: log.inclusion_proof(2, 2),
            lambda: log.inclusion_proof(0, 4),
            lambda: log.consistency_proof(0),
            lambda: log.consistency_proof(3, 2),
        ):
            with pytest.raises(AuditError, match=r"the (audit )?log has"):
                ask()

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("sqlite://", "needs a file"),
            ("sqlite:///:memory:", "needs a file"),
            ("mysql://root:secret@localhost/x", "needs sqlite or postgresql, not mysql"),
            ("nonsense secret", "malformed"),
        ],
    )
    def test_a_url_that_cannot_hold_a_log(self, url: str, message: str) -> None:
        with pytest.raises(AuditError, match=message) as caught:
            AuditLog.open(url)
        assert "secret" not in str(caught.value)

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "log").write_bytes(b"no database" * 1_000)
        with pytest.raises(AuditError, match="cannot be written: DatabaseError"):
            AuditLog.open(f"sqlite:///{tmp_path}/log")

    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(AuditError, match="cannot be written: OperationalError"):
            AuditLog.open(f"postgresql://localhost/none?host={tmp_path}")

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            ("DELETE FROM audit_head", "head is missing"),
            ("UPDATE audit_head SET format = 9", "has format 9, this release reads format 1"),
        ],
    )
    def test_a_log_without_its_head_is_not_begun_anew(self, log_url: str, damage: str, message: str) -> None:
        AuditLog.open(log_url).close()
        engine = create_engine(log_url)
        with engine.begin() as connection:
            connection.execute(text(damage))
        engine.dispose()
        with pytest.raises(AuditError, match=message):
            AuditLog.open(log_url)

    def test_appending_to_a_damaged_tree_is_refused(
        self, log: AuditLog, log_url: str, make_event: MakeEvent
    ) -> None:
        log.append([make_event(number) for number in range(3)])
        engine = create_engine(log_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE audit_head SET size = 2"))
            connection.execute(text("DELETE FROM audit_leaf WHERE seq = 2"))
            connection.execute(text("DELETE FROM audit_leaf_customer WHERE seq = 2"))
        engine.dispose()
        with pytest.raises(AuditIntegrityError, match="tile 0/0 has not 2 hashes"):
            log.append([make_event(3)])


def test_an_instant_is_found_by_its_microsecond(log: AuditLog, make_event: MakeEvent) -> None:
    at = datetime(2025, 6, 1, 10, 0, 0, 1, tzinfo=UTC)
    log.append([make_event(at=at), make_event(at=at + timedelta(microseconds=1))])
    found = log.events(EventFilter(since=at, until=at + timedelta(microseconds=1)))
    assert [each.event.at for each in found] == [at]
