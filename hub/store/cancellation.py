"""A read's way to end before its statement does: its time is up, or nobody waits for it any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread

from hub.errors import LimitError

_AGAIN_S = 0.1
"""Seconds between two interruptions of one read."""


class Cancellation:
    """Tells the reads of one request, from any thread, that they shall end. It cannot be taken back.

    Reads of SQLite look at the clock themselves. A statement of PostgreSQL ends when `cancel` is called: whoever waits
    for the answer calls it when the time is up.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """One whose time is up after so many seconds."""
        self._seconds, self._clock = seconds, clock
        self._until = clock() + seconds
        self._lock = Lock()
        self._told = False
        self._interrupt: Callable[[], None] | None = None

    @property
    def left_s(self) -> float:
        """Seconds that are left, 0 when the time is up."""
        return max(0.0, self._until - self._clock())

    @property
    def is_over(self) -> bool:
        """Whether reads shall end now."""
        return self._told or self._clock() >= self._until

    @property
    def error(self) -> LimitError:
        """What reads that have ended tell."""
        return LimitError(
            f"the answer takes too long; ask for less. The limit timeout is {self._seconds:g} seconds"
        )

    def check(self) -> None:
        """Let a read go on that may.

        Raises:
            LimitError: it may not; ask for less.
        """
        if self.is_over:
            raise self.error

    def cancel(self) -> None:
        """Tell the reads to end. Returns at once; the databases are told by a thread of its own."""
        self._told = True
        if self._interrupt is not None:
            Thread(target=self._interrupt_until_over, name="cancel-read", daemon=True).start()

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """`interrupt` is called if the reads are told to end while inside, again and again, and never after.

        Raises:
            LimitError: they were told before.
        """
        with self._lock:
            self._interrupt = interrupt
        try:
            # After it is known whom to interrupt: who cancels in between either calls it, or is seen here.
            self.check()
            yield
        finally:
            # Waits for a call that is under way: what runs next on the connection is another request's.
            with self._lock:
                self._interrupt = None

    def _interrupt_until_over(self) -> None:
        # One interruption may come before the statement has begun, and be for nothing.
        while True:
            with self._lock:
                if self._interrupt is None:
                    return
                self._interrupt()
            time.sleep(_AGAIN_S)
