"""How much work on new documents each caller may cause, so that one cannot take the machine from the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.cache import BoundedCache
from hub.errors import LimitError

_MINUTE_S = 60.0
_CALLERS = 10_000
"""Callers remembered; one who is forgotten begins anew."""


class PreparingBudget:
    """A bucket of seconds for each caller, filled over a minute, emptied by what preparing their documents took."""

    def __init__(
        self,
        seconds_a_minute: float,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        """Buckets of this size; `worked` tells how long the calling thread has worked."""
        self._most = seconds_a_minute
        self._clock, self._worked = clock, worked
        self._left: BoundedCache[tuple[float, float]] = BoundedCache(_CALLERS)

    @contextmanager
    def spending(self, caller: str) -> Iterator[None]:
        """The time inside, of this thread alone, is taken from the caller's bucket.

        Raises:
            LimitError: the bucket is empty.
        """
        left = self._now_left(caller)
        if left <= 0:
            raise LimitError(
                "too many new documents; send those that were asked before, or wait. "
                f"The limit max_preparing is {self._most:g} seconds of work a minute"
            )
        began = self._worked()
        try:
            yield
        finally:
            spent = self._worked() - began
            self._left.put(caller, (self._now_left(caller) - spent, self._clock()), 1)

    def _now_left(self, caller: str) -> float:
        left, at = self._left.get(caller) or (self._most, self._clock())
        return min(self._most, left + (self._clock() - at) * self._most / _MINUTE_S)
