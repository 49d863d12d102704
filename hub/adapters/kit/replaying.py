"""Recorded exchanges in the place of the network: each request gets the answer that was recorded for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import httpx

from hub.adapters.kit.exchanges import Exchange
from hub.adapters.records import Clock
from hub.errors import SourceProtocolError


class Replayer(httpx.BaseTransport):
    """Answers with `exchanges`, each once unless it says `again`; those that match go in the order of their file.

    `partial(Replayer, "shop", exchanges)` is a wire by which each connector begins anew.
    """

    def __init__(
        self,
        source: str,
        exchanges: Sequence[Exchange],
        secrets: Collection[str] = (),
        clock: Clock | None = None,
    ) -> None:
        self._source, self._secrets, self._clock = source, frozenset(secrets) - {""}, clock
        self._left = list(exchanges)
        self.asked_at: list[float] = []
        """When each request came, in seconds of `clock`."""

    @property
    def left(self) -> tuple[Exchange, ...]:
        """The exchanges that were not asked for, without those that may be asked any number of times."""
        return tuple(each for each in self._left if not each.again)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The recorded answer.

        Raises:
            SourceProtocolError: nothing is recorded for the request, or it was asked more often than recorded.
            httpx.TransportError: the connection failed when it was recorded.
        """
        if self._clock is not None:
            self.asked_at.append(self._clock.now())
        for number, exchange in enumerate(self._left):
            if not exchange.request.differs(request, self._secrets):
                if not exchange.again:
                    del self._left[number]
                return exchange.response.to(request)
        raise SourceProtocolError(self._source, None, self._unexpected(request))

    def _unexpected(self, request: httpx.Request) -> str:
        """What was asked by its path and the names of its parameters only, beside what the recording has."""
        names = ", ".join(dict(request.url.params)) or "nothing"
        asked = f"no recorded exchange is left for {request.method} {request.url.path} with {names}"
        if not self.left:
            return f"{asked}; all that were recorded are used"
        nearest = min(self.left, key=lambda each: len(each.request.differs(request, self._secrets)))
        what = ", ".join(nearest.request.differs(request, self._secrets))
        return f"{asked}; expected {nearest.request}, which differs in {what}"


class VirtualClock(Clock):
    """A clock whose pauses take no time."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """The seconds that were slept through."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by so long at once."""
        self._now += seconds
