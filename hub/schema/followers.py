"""Followers: what happens in the database, also by other processes' doing, looked up once for all who listen.

A follower looks while somebody listens, at an interval; what it saw is kept in bounded memory, from which each listener
takes what it has not had yet. Nothing waits in a queue of its own, so a slow listener costs no more than a quick one.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from typing_extensions import override

from hub.adapters import RunProgress, newest_run, progress
from hub.calls import Call, calls_after, last_seq, ringing_at
from hub.errors import HubError, LimitError, QueryError
from hub.graph.feed import CustomerChange, CustomerFeed, FeedPage
from hub.store import Store

INTERVAL_S = 0.25
"""Between two looks; as often as changes are published."""
_FAILED_S = 1.0
_LONGEST_WAIT_S = 30.0
"""After a look that failed the next waits from the one up to the other."""

KEPT = 10_000
"""Changes of customers in memory; up to twice as many. Who is further behind reads them from the database."""
PAGE = 1_000
MAX_BEHIND = 100_000
"""Entries of the change feed that a listener may be behind; past that, reading everything anew is less work."""
KEPT_RUNS = 200

_log = logging.getLogger(__name__)


class EndedError(Exception):
    """The follower was closed: the hub is stopping."""


class Follower(ABC):
    """Looks at an interval while somebody listens. Belongs to one event loop."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._closed = False

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Sees to it that somebody looks.

        Raises:
            EndedError: the follower is closed.
        """
        if self._closed:
            raise EndedError
        self._listeners += 1
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._look_again_and_again())
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None
                self._forget()

    def close(self) -> None:
        """Let go of all who listen; nobody may listen any more."""
        self._closed = True
        self._tell()

    async def _look_again_and_again(self) -> None:
        wait = 0.0
        while True:
            await asyncio.sleep(wait)
            wait = (
                self._interval_s if await self._looked() else min(max(wait, _FAILED_S) * 2, _LONGEST_WAIT_S)
            )

    async def _looked(self) -> bool:
        try:
            if await self._look():
                self._tell()
        except HubError as error:
            _log.error("following failed: %s", error)
            return False
        except Exception as error:  # noqa: BLE001 - the next look may go well; a foreign message may quote values
            _log.error("following failed: %s", type(error).__name__)
            return False
        return True

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _next_news(self) -> asyncio.Event:
        """What is set at the next news. Taken before one looks at what is kept, nothing falls between the two.

        Raises:
            EndedError: the follower is closed.
        """
        if self._closed:
            raise EndedError
        return self._news

    @abstractmethod
    async def _look(self) -> bool:
        """Take in what is new; whether anything is."""

    @abstractmethod
    def _forget(self) -> None:
        """Drop what is kept: nobody listens."""


class ChangeFollower(Follower):
    """The changes of customers."""

    def __init__(self, store: Store, interval_s: float = INTERVAL_S, max_behind: int = MAX_BEHIND) -> None:
        super().__init__(interval_s)
        self._feed = CustomerFeed(store)
        self._max_behind = max_behind
        self._start: int | None = None
        """What is kept are all changes after this entry of the feed, None before the first look."""
        self._newest = 0
        self._kept: list[CustomerChange] = []

    def position(self, after: int | None) -> int:
        """Where to begin: `after`, or at what is newest now. Any thread may ask.

        Raises:
            QueryError: there is no such entry in the feed.
            LimitError: it lies too far back.
        """
        newest = self._feed.newest()
        if after is None:
            return newest
        if not 0 <= after <= newest:
            raise QueryError("`after` is no entry of the change feed; read anew, and begin at `lastChange`")
        self._check(newest - after)
        return after

    def heirs(self, ids: Iterable[str]) -> Iterable[str]:
        """The customers that took over from those of the ids that are retired. Any thread may ask."""
        return self._feed.heirs(set(ids)).values()

    async def after(self, seq: int, limit: int) -> FeedPage:
        """The next changes after `seq`, at most `limit`, as soon as there are any.

        Raises:
            LimitError: the listener is too far behind.
            EndedError: the hub is stopping.
        """
        while True:
            news = self._next_news()
            if self._start is not None:
                self._check(self._newest - seq)
                page = await self._page(self._start, seq, limit)
                if page.changes:
                    return page
                seq = page.reached
            await news.wait()

    async def _page(self, start: int, seq: int, limit: int) -> FeedPage:
        if seq < start:
            return await asyncio.to_thread(self._feed.after, seq, limit)
        first = bisect_right(self._kept, seq, key=lambda change: change.seq)
        found = tuple(self._kept[first : first + limit])
        return FeedPage(found, found[-1].seq if found else max(seq, self._newest))

    def _check(self, behind: int) -> None:
        if behind > self._max_behind:
            raise LimitError(
                f"{behind} changes wait to be told; the limit max_behind is {self._max_behind}. "
                "Read anew, and begin at `lastChange`"
            )

    @override
    async def _look(self) -> bool:
        if self._start is None:
            self._start = self._newest = await asyncio.to_thread(self._feed.newest)
            return True
        before = self._newest
        while True:
            page = await asyncio.to_thread(self._feed.after, self._newest, PAGE)
            self._keep(page)
            if len(page.changes) < PAGE:
                return self._newest > before
            self._tell()

    def _keep(self, page: FeedPage) -> None:
        self._kept += page.changes
        self._newest = page.reached
        if len(self._kept) > 2 * KEPT:
            self._start = self._kept[-KEPT - 1].seq
            del self._kept[:-KEPT]

    @override
    def _forget(self) -> None:
        self._start, self._newest, self._kept = None, 0, []


@dataclass(frozen=True, slots=True)
class _Seen:
    version: int
    run: RunProgress


class RunFollower(Follower):
    """How runs come along: of what a slow listener missed, it gets the newest state of each run."""

    def __init__(self, store: Store, interval_s: float = INTERVAL_S) -> None:
        super().__init__(interval_s)
        self._store = store
        self._version = 0
        self._runs: dict[int, _Seen] = {}
        self._last_run: int | None = None

    async def under_way(self) -> tuple[list[RunProgress], int]:
        """The runs that go on now, and the version at which they do.

        Raises:
            EndedError: the hub is stopping.
        """
        while True:
            news = self._next_news()
            if self._last_run is not None:
                return [seen.run for seen in self._runs.values() if _goes_on(seen.run)], self._version
            await news.wait()

    async def after(self, version: int) -> tuple[list[RunProgress], int]:
        """The runs that are otherwise than at `version`, as soon as there are any, and the version of now.

        Raises:
            EndedError: the hub is stopping.
        """
        while True:
            news = self._next_news()
            found = [seen.run for seen in self._runs.values() if seen.version > version]
            if found:
                return found, self._version
            await news.wait()

    @override
    async def _look(self) -> bool:
        is_first = self._last_run is None
        under_way = [run_id for run_id, seen in self._runs.items() if _goes_on(seen.run)]
        found, self._last_run = await asyncio.to_thread(self._read, self._last_run, under_way)
        new = [run for run in found if run.run_id not in self._runs or self._runs[run.run_id].run != run]
        self._version += bool(new)
        for run in new:
            self._runs[run.run_id] = _Seen(self._version, run)
        for run_id in list(self._runs)[:-KEPT_RUNS]:
            del self._runs[run_id]
        return is_first or bool(new)

    def _read(self, last: int | None, under_way: Collection[int]) -> tuple[list[RunProgress], int]:
        with self._store.read() as connection:
            after = newest_run(connection) if last is None else last
            found = progress(connection, after, under_way)
        return found, max((after, *(run.run_id for run in found)))

    @override
    def _forget(self) -> None:
        # The version goes on: what a listener of before has had must not hide what comes after.
        self._runs, self._last_run = {}, None


def _goes_on(run: RunProgress) -> bool:
    return run.finished_at is None


_CALLS = 1_000
"""Changed calls that are kept for those who are slow."""
CALL_INTERVAL_S = 0.05
"""Seconds between two looks at the journal of calls: a phone rings for some seconds only."""


class CallFollower(Follower):
    """How calls go on, for those who listen at an extension."""

    def __init__(self, store: Store, interval_s: float = CALL_INTERVAL_S) -> None:
        super().__init__(interval_s)
        self._store = store
        self._seq: int | None = None
        self._kept: list[Call] = []

    async def now(self, extension: str) -> tuple[list[Call], int]:
        """The call that rings at the extension or was answered there, and the change of calls after which to go on."""
        seq = await self._begun()
        ringing = await asyncio.to_thread(ringing_at, self._store, extension)
        return ([] if ringing is None else [ringing]), seq

    async def after(self, seq: int, extension: str) -> tuple[list[Call], int]:
        """The calls at the extension that changed after that, and the last of these changes; waits for one.

        Raises:
            EndedError: the follower is closed.
        """
        while True:
            news = self._next_news()
            found = [call for call in self._kept if call.seq > seq]
            mine = [call for call in found if call.extension == extension]
            seq = max([seq, *(call.seq for call in found)])
            if mine:
                return mine, seq
            await news.wait()

    async def _look(self) -> bool:
        calls = await asyncio.to_thread(calls_after, self._store, await self._begun())
        if not calls:
            return False
        changed = {call.id for call in calls}
        self._kept = [*(call for call in self._kept if call.id not in changed), *calls][-_CALLS:]
        self._seq = calls[-1].seq
        return True

    async def _begun(self) -> int:
        """The change up to which it has looked."""
        if self._seq is None:
            newest = await asyncio.to_thread(last_seq, self._store)
            self._seq = newest if self._seq is None else self._seq
        return self._seq

    def _forget(self) -> None:
        self._seq, self._kept = None, []
