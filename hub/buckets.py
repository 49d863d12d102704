"""What each caller may use up within a minute: a bucket that fills by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from hub.cache import BoundedCache

_MINUTE_S = 60.0
_CALLERS = 10_000
"""Callers remembered; one who is forgotten begins anew."""


class Buckets:
    """A bucket for each caller: full at first, emptied by what is taken, full again a minute after it was empty."""

    def __init__(self, most: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.clock = clock
        self._left: BoundedCache[tuple[float, float]] = BoundedCache(_CALLERS)

    def left(self, caller: Hashable) -> float:
        """What the caller may take; below zero where more was taken than there was."""
        left, at = self._left.get(caller) or (self.most, self.clock())
        return min(self.most, left + (self.clock() - at) * self.most / _MINUTE_S)

    def take(self, caller: Hashable, amount: float) -> None:
        """Take it from the caller's bucket, whether or not there is so much."""
        self._left.put(caller, (self.left(caller) - amount, self.clock()), 1)

    def seconds_until(self, caller: Hashable, amount: float) -> float:
        """Seconds until the caller's bucket holds the amount; 0 where it does."""
        return max(0.0, (amount - self.left(caller)) * _MINUTE_S / self.most)
