"""Group commit: many callers record at once, one transaction makes all their events durable.

While a transaction is being written, the events that arrive meanwhile wait for the next one together; nobody
waits for a timer. So one caller pays one commit, and a hundred at once pay little more between them.

Where the log is a file on a quick disk and nobody else writes to it, the event loop itself writes what its requests
have gathered in one turn: that is quicker than waking another thread, and the two do not contend for the interpreter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from queue import Full, Queue
from threading import Lock, Thread
from time import monotonic
from typing import Self

from hub.audit.events import AuditEvent
from hub.audit.log import AuditLog
from hub.errors import AuditError

CAPACITY = 10_000
"""Events that may wait, about a second of writing; past that a caller is refused rather than kept waiting."""

GROUP = 1_000
"""Most events in one transaction, so that another process waits for the head's lock some 100 ms at most."""


SLOW_S = 0.03
"""Where commits by the event loop take longer in the mean, the disk is slow: what needs none must not stand still."""

TIDY_EVERY = 200
"""Commits by the event loop after which the thread tidies up: some 2,000 pages that were written ahead."""

_WEIGHT = 0.2
"""Of the newest commit in the mean."""

SLOW_FOR_S = 5.0
"""How long the thread then writes for the event loop too, before the disk is tried again."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: AuditEvent
    seq: Future[int] = field(default_factory=Future)


class _Tidy:
    """Asks the thread to tidy up."""


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the requests of one event loop record in one turn of it."""

    loop: asyncio.AbstractEventLoop
    events: list[AuditEvent] = field(default_factory=list)
    seqs: list[asyncio.Future[int]] = field(default_factory=list)

    def add(self, event: AuditEvent) -> asyncio.Future[int]:
        self.events.append(event)
        self.seqs.append(self.loop.create_future())
        return self.seqs[-1]


class Recorder:
    """Writes events to the log by a thread of its own.

    Raises:
        AuditError: the event is not in the log, or may not be; what depends on it must not go on.
    """

    def __init__(self, log: AuditLog, *, capacity: int = CAPACITY, group: int = GROUP) -> None:
        self._log = log
        self._group = group
        self._queue: Queue[_Waiting | _Tidy | None] = Queue(capacity)
        self._lock = Lock()
        self._closed = False
        self._gathered: _Gathered | None = None
        self._mean_s = self._slow_until = 0.0
        self._untidy = 0
        self._worker = Thread(target=self._work, name="audit-recorder", daemon=True)
        self._worker.start()

    def record(self, event: AuditEvent) -> Future[int]:
        """The event's number, once it is on disk. Never blocks; the event is written even if nobody waits.

        Raises:
            AuditError: the recorder is closed, or too many events wait already; try again later.
        """
        waiting = _Waiting(event)
        waiting.seq.set_running_or_notify_cancel()  # a caller that gives up cannot take its event back
        with self._lock:  # so that no event is queued behind the end
            if self._closed:
                raise AuditError("the audit recorder is closed")
            try:
                self._queue.put_nowait(waiting)
            except Full:
                raise AuditError(f"{self._queue.maxsize} audit events wait to be written already") from None
        return waiting.seq

    def record_sync(self, event: AuditEvent) -> int:
        """The event's number; it is on disk."""
        return self.record(event).result()

    async def recorded(self, event: AuditEvent) -> int:
        """The event's number; it is on disk. The event loop goes on meanwhile, but for the time of a quick commit."""
        loop, gathered = asyncio.get_running_loop(), self._gathered
        if gathered is None or gathered.loop is not loop:
            gathered = self._gathered = _Gathered(loop)
            loop.call_soon(self._gather, gathered, 0)
        return await gathered.add(event)

    def close(self) -> None:
        """Refuses further events, and returns when those that wait are written or have failed."""
        with self._lock:
            already, self._closed = self._closed, True
        if not already:
            self._queue.put(None)
        self._worker.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _gather(self, gathered: _Gathered, before: int) -> None:
        """Let more come in, turn by turn, as long as each turn brings some."""
        if before < len(gathered.events) <= self._group:
            gathered.loop.call_soon(self._gather, gathered, len(gathered.events))
        else:
            self._write_gathered(gathered)

    def _write_gathered(self, gathered: _Gathered) -> None:
        if self._gathered is gathered:
            self._gathered = None
        numbers = self._written_at_once(gathered.events)
        if numbers is None:
            for event, seq in zip(gathered.events, gathered.seqs, strict=True):
                self._hand_over(event, seq, gathered.loop)
            return
        for seq, number in zip(gathered.seqs, numbers, strict=True):
            _settle(seq, number)

    def _written_at_once(self, events: Sequence[AuditEvent]) -> Sequence[int] | None:
        """The events' numbers; None where the thread has to write them, or to find out why they cannot be."""
        began = monotonic()
        if self._closed or len(events) > self._group or began < self._slow_until:
            return None
        try:
            written = self._log.append_at_once(events)
        except Exception:  # noqa: BLE001 - the thread tells each caller what is wrong
            return None
        ended = monotonic()
        self._mean_s += _WEIGHT * (ended - began - self._mean_s)
        self._untidy += 1
        if self._untidy >= TIDY_EVERY:
            self._untidy = 0
            with suppress(Full):  # it tidies up by itself then, as it writes
                self._queue.put_nowait(_Tidy())
        if self._mean_s > SLOW_S:
            self._mean_s, self._slow_until = 0.0, ended + SLOW_FOR_S
        return None if written is None else _numbers(written.start, events)

    def _hand_over(
        self, event: AuditEvent, seq: asyncio.Future[int], loop: asyncio.AbstractEventLoop
    ) -> None:
        def settle(future: Future[int]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(_settle, seq, future.exception() or future.result())

        try:
            self.record(event).add_done_callback(settle)
        except AuditError as error:
            _settle(seq, error)

    def _work(self) -> None:
        ended = False
        while not ended:
            group = [self._queue.get()]
            while len(group) < self._group and not self._queue.empty():  # only this thread takes
                group.append(self._queue.get_nowait())
            ended = group[-1] is None
            if waiting := [each for each in group if isinstance(each, _Waiting)]:
                self._write(waiting)
            if any(isinstance(each, _Tidy) for each in group):
                with suppress(AuditError):  # whoever writes next hears of it
                    self._log.tidy()

    def _write(self, group: Sequence[_Waiting]) -> None:
        try:
            seq = self._log.append(waiting.event for waiting in group).start
        except Exception as error:  # noqa: BLE001 - its callers must hear of it, and the thread live on
            audited = isinstance(error, AuditError)
            message = str(error) if audited else f"the audit log failed: {type(error).__name__}"
            for waiting in group:
                waiting.seq.set_exception(AuditError(message))
            return
        for waiting, number in zip(group, _numbers(seq, [each.event for each in group]), strict=True):
            waiting.seq.set_result(number)


def _numbers(first: int, events: Sequence[AuditEvent]) -> Sequence[int]:
    """The number of each event: that of its first leaf."""
    leaves = [len(event.parts()) for event in events]
    return list(accumulate(leaves[:-1], initial=first))


def _settle(seq: asyncio.Future[int], outcome: int | BaseException) -> None:
    if seq.done():  # its request was cancelled
        return
    if isinstance(outcome, int):
        seq.set_result(outcome)
    else:
        seq.set_exception(outcome)
