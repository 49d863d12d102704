"""Work on new documents: in one thread, each caller's one after the other, and so much a minute for each caller.

However many send new documents at once, those whose documents are known are served by other threads, and those who send
one new document wait for one of each of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakValueDictionary

from hub.schema.budget import PreparingBudget
from hub.schema.waiting import Waiting

T = TypeVar("T")


class Preparing:
    """The thread that documents are parsed, validated and compiled in. Close it when the API ends."""

    def __init__(self, seconds_a_minute: float) -> None:
        self._budget = PreparingBudget(seconds_a_minute)
        self._thread = ThreadPoolExecutor(1, "graphql-prepare")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def close(self) -> None:
        """Wait for what is under way."""
        self._thread.shutdown()

    async def result(self, caller: str, work: Callable[[], T], waiting: Waiting) -> T:
        """What the work comes to; its time is taken from the caller's budget.

        Raises:
            LimitError: the caller's budget is used up, or the time of this request.
            GoneError: the client has gone.
        """
        turn = self._turns.setdefault(caller, asyncio.Lock())
        await waiting.turn(turn)
        try:
            return await waiting.result(self._thread, lambda: self._charged(caller, work))
        finally:
            turn.release()

    def _charged(self, caller: str, work: Callable[[], T]) -> T:
        with self._budget.spending(caller):
            return work()
