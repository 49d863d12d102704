"""How much work on new documents each caller may cause, so that one cannot take the machine from the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.buckets import Buckets
from hub.errors import LimitError


class PreparingBudget:
    """A bucket of seconds for each caller, filled over a minute, emptied by what preparing their documents took."""

    def __init__(
        self,
        seconds_a_minute: float,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        """Buckets of this size; `worked` tells how long the calling thread has worked."""
        self._seconds = Buckets(seconds_a_minute, clock)
        self._worked = worked

    @contextmanager
    def spending(self, caller: str) -> Iterator[None]:
        """The time inside, of this thread alone, is taken from the caller's bucket.

        Raises:
            LimitError: the bucket is empty.
        """
        if self._seconds.left(caller) <= 0:
            raise LimitError(
                "too many new documents; send those that were asked before, or wait. "
                f"The limit max_preparing is {self._seconds.most:g} seconds of work a minute"
            )
        began = self._worked()
        try:
            yield
        finally:
            self._seconds.take(caller, self._worked() - began)
