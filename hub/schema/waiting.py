"""How long an answer is waited for: until it is there, its time is up, or the client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from hub.errors import RequestError
from hub.store import Cancellation

_WATCHED_AFTER_S = 0.05
"""Seconds before it is looked whether the client has gone: looking costs more than a short answer."""

Gone = Callable[[], Coroutine[Any, Any, None]]
"""Returns when the client has gone; never, while it waits."""

T = TypeVar("T")


class GoneError(RequestError):
    """The client has gone before its answer was there; nobody hears of it but the audit log."""

    code = "CLIENT_GONE"


class Waiting:
    """The patience of one request. What runs for it is told by its `cancellation` when nobody waits any more."""

    def __init__(self, seconds: float, gone: Gone | None = None) -> None:
        """Waits for so many seconds from now on; without `gone` it is not seen whether the client has gone."""
        self.cancellation = Cancellation(seconds)
        self._gone = gone

    async def result(self, pool: Executor, work: Callable[[], T]) -> T:
        """What the work comes to in a thread of the pool; waiting for a free thread counts as well.

        Raises:
            LimitError: the time is up.
            GoneError: the client has gone.
        """
        working = asyncio.get_running_loop().run_in_executor(pool, work)
        leaving = None if self._gone is None else asyncio.ensure_future(self._gone())
        either: set[asyncio.Future[Any]] = {working} if leaving is None else {working, leaving}
        try:
            await asyncio.wait(either, timeout=self.cancellation.left_s, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                found = working.result()
                # Part of it may have ended before the rest: then it is no answer.
                self.cancellation.check()
                return found
            raise GoneError("the client has gone") if leaving and leaving.done() else self.cancellation.error
        finally:
            if not working.done():
                self.cancellation.cancel()
                working.cancel()  # it may not have begun
            if leaving is not None:
                leaving.cancel()

    async def held(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work on the event loop comes to; it sees to its own time.

        Most of it is over before anybody could go, so only after a while it is seen whether the client has.

        Raises:
            GoneError: the client has gone; the work was cancelled.
        """
        if self._gone is None:
            return await work
        watch = _Watch(self._gone)
        timer = asyncio.get_running_loop().call_later(_WATCHED_AFTER_S, watch.begin)
        try:
            return await work
        except asyncio.CancelledError:
            if watch.has_cancelled():
                raise GoneError("the client has gone") from None
            raise
        finally:
            timer.cancel()
            watch.end()

    async def finished(self, pool: Executor, work: Callable[[], T]) -> T:
        """What the work comes to, waited for to its end once it has begun: it may change what cannot be told undone.

        Raises:
            LimitError: the time was up before it began.
        """

        def begun() -> T:
            self.cancellation.check()
            return work()

        return await asyncio.get_running_loop().run_in_executor(pool, begun)

    async def turn(self, lock: asyncio.Lock) -> None:
        """Acquire the lock.

        Raises:
            LimitError: the time is up.
        """
        try:
            # Not `wait_for`: before Python 3.12 it takes no notice of a cancellation that comes with the lock.
            async with asyncio.timeout(self.cancellation.left_s):
                await lock.acquire()
        except TimeoutError:
            raise self.cancellation.error from None


class _Watch:
    """Cancels the task that makes it once the client has gone."""

    def __init__(self, gone: Gone) -> None:
        self._gone, self._task = gone, asyncio.current_task()
        self._watching: asyncio.Future[None] | None = None
        self._cancelled = False

    def begin(self) -> None:
        self._watching = asyncio.ensure_future(self._gone())
        self._watching.add_done_callback(self._seen)

    def end(self) -> None:
        if self._watching is not None:
            self._watching.remove_done_callback(self._seen)
            self._watching.cancel()

    def has_cancelled(self) -> bool:
        """Whether it was this that cancelled the task, and nobody else; the task then goes on."""
        return self._cancelled and self._task is not None and self._task.uncancel() == 0

    def _seen(self, _watching: asyncio.Future[None]) -> None:
        if self._task is not None:
            self._cancelled = self._task.cancel()
