"""Group commit: many callers record at once, one transaction makes all their events durable.

While a transaction is being written, the events that arrive meanwhile wait for the next one together; nobody
waits for a timer. So one caller pays one commit, and a hundred at once pay little more between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Full, Queue
from threading import Lock, Thread
from typing import Self

from hub.audit.events import AuditEvent
from hub.audit.log import AuditLog
from hub.errors import AuditError

CAPACITY = 10_000
"""Events that may wait, about a second of writing; past that a caller is refused rather than kept waiting."""

GROUP = 1_000
"""Most events in one transaction, so that another process waits for the head's lock some 100 ms at most."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: AuditEvent
    seq: Future[int] = field(default_factory=Future)


class Recorder:
    """Writes events to the log by a thread of its own.

    Raises:
        AuditError: the event is not in the log, or may not be; what depends on it must not go on.
    """

    def __init__(self, log: AuditLog, *, capacity: int = CAPACITY, group: int = GROUP) -> None:
        self._log = log
        self._group = group
        self._queue: Queue[_Waiting | None] = Queue(capacity)
        self._lock = Lock()
        self._closed = False
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
        """The event's number; it is on disk. The event loop goes on meanwhile."""
        return await asyncio.wrap_future(self.record(event))

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

    def _work(self) -> None:
        ended = False
        while not ended:
            group = [self._queue.get()]
            while len(group) < self._group and not self._queue.empty():  # only this thread takes
                group.append(self._queue.get_nowait())
            ended = group[-1] is None
            if waiting := [each for each in group if each is not None]:
                self._write(waiting)

    def _write(self, group: Sequence[_Waiting]) -> None:
        try:
            seq = self._log.append(waiting.event for waiting in group).start
        except Exception as error:  # noqa: BLE001 - its callers must hear of it, and the thread live on
            audited = isinstance(error, AuditError)
            message = str(error) if audited else f"the audit log failed: {type(error).__name__}"
            for waiting in group:
                waiting.seq.set_exception(AuditError(message))
            return
        for waiting in group:
            waiting.seq.set_result(seq)
            seq += len(waiting.event.parts())
