"""Events of refused logins, so few that no flood of them fills the log, which is never cut.

Of one kind the first ones have an event each, and then one a second. The others are counted, and told of by
the next event of their kind, or by one of their own within a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from hub.buckets import Buckets

A_MINUTE: Final = 60
"""Events of one kind, for a person to read; more of them say no more than their number does."""
TOLD_WITHIN_S: Final = 60.0


class Refused(NamedTuple):
    """What refusals have in common that one event can tell of together."""

    code: str
    subject: str | None = None
    """None where nothing proves who it was."""
    department: str | None = None


class Refusals:
    """Counts the refused logins of which no event has told yet."""

    def __init__(
        self, tell: Callable[[Refused, int], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`tell` records an event of so many refusals."""
        self._tell = tell
        self._events = Buckets(A_MINUTE, clock)
        self._untold: dict[Refused, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def to_be_told(self, kind: Refused) -> int:
        """For how many refusals, this one included, an event is to be written now; 0 for none."""
        count = self._untold.pop(kind, 0) + 1
        if self._events.left(kind) >= 1:
            self._events.take(kind, 1)
            return count
        self._untold[kind] = count
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TOLD_WITHIN_S, self.tell_all)
        return 0

    def tell_all(self) -> None:
        """Have an event written of each kind that is still untold."""
        if self._timer is not None:
            self._timer.cancel()
        untold, self._untold, self._timer = self._untold, {}, None
        for kind, count in untold.items():
            self._tell(kind, count)
