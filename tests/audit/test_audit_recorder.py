"""The recorder: durable before it returns, many callers in one transaction, no failure unheard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore

import pytest

from hub.audit import AuditEvent, AuditLog, Recorder
from hub.audit.database import AuditDatabase
from hub.errors import AuditError

MakeEvent = Callable[..., AuditEvent]
WAIT_S = 20


class HeldLog(AuditLog):
    """A log whose appends can be held back, made to fail, and counted."""

    def __init__(self, database: AuditDatabase) -> None:
        super().__init__(database)
        self.gate = Event()
        self.gate.set()
        self.begun = Semaphore(0)
        self.groups: list[int] = []
        self.failure: Exception | None = None

    def append(self, events: Iterable[AuditEvent]) -> range:
        group = list(events)
        self.groups.append(len(group))
        self.begun.release()
        assert self.gate.wait(WAIT_S)
        if self.failure is not None:
            raise self.failure
        return super().append(group)


@pytest.fixture
def held(tmp_path: Path) -> Iterable[HeldLog]:
    with HeldLog.open(f"sqlite:///{tmp_path}/audit.sqlite") as log:
        yield log


def test_an_event_is_on_disk_when_its_caller_goes_on(
    log: AuditLog, log_url: str, make_event: MakeEvent
) -> None:
    with Recorder(log) as recorder, AuditLog.open(log_url) as other:
        for number in range(5):
            seq = recorder.record_sync(make_event(number))
            assert other.event(seq) == make_event(number, id=other.event(seq).id)
            assert seq == number


def test_callers_at_once_share_transactions_and_each_gets_its_number(
    log: AuditLog, make_event: MakeEvent
) -> None:
    with Recorder(log) as recorder, ThreadPoolExecutor(16) as pool:
        events = [make_event(number) for number in range(200)]
        numbers = list(pool.map(recorder.record_sync, events))
    assert sorted(numbers) == list(range(200))
    assert [log.event(seq) for seq in numbers] == events
    assert log.verify().ok


def test_what_arrives_during_a_transaction_waits_for_the_next_one_together(
    held: HeldLog, make_event: MakeEvent
) -> None:
    with Recorder(held, group=4) as recorder:
        held.gate.clear()
        waiting = [recorder.record(make_event(0))]
        held.begun.acquire(timeout=WAIT_S)
        waiting += [recorder.record(make_event(number)) for number in range(1, 7)]
        assert not any(future.done() for future in waiting)
        held.gate.set()
        assert [future.result(WAIT_S) for future in waiting] == list(range(7))
    assert held.groups == [1, 4, 2]


def test_an_event_of_several_leaves_counts_for_the_numbers_behind_it(
    held: HeldLog, make_event: MakeEvent
) -> None:
    many = make_event(customers=[f"customer-of-test-{number:06}" for number in range(900)])
    with Recorder(held) as recorder:
        held.gate.clear()
        first = recorder.record(make_event(0))
        held.begun.acquire(timeout=WAIT_S)
        others = [recorder.record(many), recorder.record(make_event(1))]
        held.gate.set()
        assert [first.result(WAIT_S), *(future.result(WAIT_S) for future in others)] == [0, 1, 4]


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (AuditError("the disk is full"), "the disk is full"),
        (RuntimeError("ada@example.com"), "the audit log failed: RuntimeError"),
    ],
)
def test_every_caller_of_a_failed_transaction_hears_of_it_and_the_next_one_works(
    held: HeldLog, make_event: MakeEvent, failure: Exception, message: str
) -> None:
    with Recorder(held) as recorder:
        held.gate.clear()
        held.failure = failure
        waiting = [recorder.record(make_event(number)) for number in range(5)]
        held.gate.set()
        for future in waiting:
            with pytest.raises(AuditError, match=f"^{message}$"):
                future.result(WAIT_S)
        held.failure = None
        assert recorder.record_sync(make_event()) == 0


def test_a_caller_is_refused_when_too_many_wait(held: HeldLog, make_event: MakeEvent) -> None:
    with Recorder(held, capacity=3) as recorder:
        held.gate.clear()
        waiting = [recorder.record(make_event(0))]
        held.begun.acquire(timeout=WAIT_S)
        waiting += [recorder.record(make_event(number)) for number in range(1, 4)]
        with pytest.raises(AuditError, match="3 audit events wait to be written already"):
            recorder.record(make_event(4))
        held.gate.set()
        assert [future.result(WAIT_S) for future in waiting] == [0, 1, 2, 3]


def test_closing_writes_what_waits_and_refuses_what_comes(held: HeldLog, make_event: MakeEvent) -> None:
    recorder = Recorder(held, group=10)
    waiting = [recorder.record(make_event(number)) for number in range(100)]
    recorder.close()
    recorder.close()
    assert [future.result(0) for future in waiting] == list(range(100))
    with pytest.raises(AuditError, match="closed"):
        recorder.record(make_event())


def test_the_event_loop_goes_on_while_events_are_written(held: HeldLog, make_event: MakeEvent) -> None:
    async def answer() -> list[int]:
        held.gate.clear()
        tasks = [asyncio.ensure_future(recorder.recorded(make_event(number))) for number in range(3)]
        for _ in range(50):
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        held.gate.set()
        return await asyncio.gather(*tasks)

    with Recorder(held) as recorder:
        assert asyncio.run(answer()) == [0, 1, 2]


def test_an_event_is_recorded_even_if_its_request_is_cancelled(held: HeldLog, make_event: MakeEvent) -> None:
    async def cancelled() -> None:
        task = asyncio.ensure_future(recorder.recorded(make_event()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held.gate.set()
        await recorder.recorded(make_event(1))

    with Recorder(held) as recorder:
        held.gate.clear()
        asyncio.run(cancelled())
    assert held.size() == 2
