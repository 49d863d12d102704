"""The recorder: durable before it returns, many callers in one transaction, no failure unheard."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore

import pytest

from hub.audit import AuditEvent, AuditLog, Recorder
from hub.audit.database import AuditDatabase
from hub.audit.recorder import SLOW_S, TIDY_EVERY
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

    def append_at_once(self, _events: Iterable[AuditEvent]) -> range | None:
        return None  # as if another process held the file


class PromptLog(AuditLog):
    """A log on a quick disk, or on a slow one, that counts who wrote what."""

    def __init__(self, database: AuditDatabase) -> None:
        super().__init__(database)
        self.at_once: list[int] = []
        self.by_thread = 0
        self.takes_s = 0.0

    def append(self, events: Iterable[AuditEvent]) -> range:
        self.by_thread += 1
        return super().append(events)

    def append_at_once(self, events: Iterable[AuditEvent]) -> range | None:
        group = list(events)
        self.at_once.append(len(group))
        time.sleep(self.takes_s)
        return super().append_at_once(group)


@pytest.fixture
def prompt(tmp_path: Path) -> Iterable[PromptLog]:
    with PromptLog.open(f"sqlite:///{tmp_path}/audit.sqlite") as log:
        yield log


async def recorded(recorder: Recorder, events: Iterable[AuditEvent]) -> list[int]:
    return await asyncio.gather(*(recorder.recorded(event) for event in events))


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


def test_requests_of_one_turn_of_the_event_loop_share_a_transaction_of_its_own(
    prompt: PromptLog, make_event: MakeEvent
) -> None:
    events = [make_event(number) for number in range(20)]
    many = make_event(customers=[f"customer-of-test-{number:06}" for number in range(900)])
    with Recorder(prompt) as recorder:
        assert asyncio.run(recorded(recorder, events)) == list(range(20))
        assert asyncio.run(recorded(recorder, [many, make_event(21)])) == [20, 23]
    assert (prompt.at_once, prompt.by_thread) == ([20, 2], 0)
    assert [prompt.event(seq) for seq in range(20)] == events
    assert prompt.verify().ok


def test_another_writer_of_the_file_is_waited_for_by_the_thread_not_by_the_loop(
    prompt: PromptLog, tmp_path: Path, make_event: MakeEvent
) -> None:
    async def while_held() -> list[int]:
        other = sqlite3.connect(tmp_path / "audit.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(recorded(recorder, [make_event(number) for number in range(3)]))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        other.execute("ROLLBACK")
        other.close()
        return await waiting

    with Recorder(prompt) as recorder:
        assert sorted(asyncio.run(while_held())) == [0, 1, 2]
        assert prompt.by_thread
        assert asyncio.run(recorded(recorder, [make_event(3)])) == [3]
    assert prompt.at_once == [3, 1]


def test_what_the_event_loop_wrote_ahead_is_brought_into_the_file_by_the_thread(
    prompt: PromptLog, tmp_path: Path, make_event: MakeEvent
) -> None:
    async def many() -> None:
        for number in range(2 * TIDY_EVERY):
            await recorder.recorded(make_event(number))

    with Recorder(prompt) as recorder:
        asyncio.run(many())
    assert (len(prompt.at_once), prompt.by_thread) == (2 * TIDY_EVERY, 0)
    # Without the thread all of it would still stand in the file beside it.
    assert (tmp_path / "audit.sqlite").stat().st_size > TIDY_EVERY * len(make_event().encode())


def test_a_slow_disk_is_left_to_the_thread(prompt: PromptLog, make_event: MakeEvent) -> None:
    prompt.takes_s = 6 * SLOW_S
    with Recorder(prompt) as recorder:
        for number in range(3):
            assert asyncio.run(recorded(recorder, [make_event(number)])) == [number]
    assert (prompt.at_once, prompt.by_thread) == ([1], 2)


def test_what_the_event_loop_cannot_write_fails_alone(prompt: PromptLog, make_event: MakeEvent) -> None:
    twice = make_event(0)

    async def both() -> None:
        assert await recorder.recorded(twice) == 0
        with pytest.raises(AuditError, match="already"):
            await recorder.recorded(twice)
        assert await recorder.recorded(make_event(1)) == 1

    with Recorder(prompt) as recorder:
        asyncio.run(both())
        recorder.close()
        with pytest.raises(AuditError, match="closed"):
            asyncio.run(recorded(recorder, [make_event(2)]))
    assert prompt.verify().ok


def test_an_event_that_the_loop_gathered_is_written_though_its_request_is_cancelled(
    prompt: PromptLog, make_event: MakeEvent
) -> None:
    async def cancelled() -> None:
        task = asyncio.ensure_future(recorder.recorded(make_event()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Recorder(prompt) as recorder:
        asyncio.run(cancelled())
    assert prompt.size() == 1
