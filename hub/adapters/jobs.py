"""Runs in the background: whoever asks for one learns its number at once; the end of the hub ends it after a batch."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from hub.adapters.backfilling import Backfiller
from hub.adapters.runs import Counts, RunReport
from hub.adapters.sync import Opened, Progress, Syncer, silent
from hub.errors import HubError, SourceError, SourceUnavailableError

_log = logging.getLogger(__name__)


class _Stopped(Exception):  # noqa: N818 - no error: the hub ends
    """Ends a run between two batches."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run in a thread of its own."""

    source: str
    opened: Future[int] = field(default_factory=Future)
    """The run's id, once it has one; fails where it could not begin."""
    report: Future[RunReport] = field(default_factory=Future)
    """What came of it."""


_Work = Callable[[Progress, Opened], RunReport]


class Jobs:
    """Starts runs of sources in threads, one of a source at a time. Close it to end them."""

    def __init__(self, syncer: Syncer) -> None:
        self._syncer = syncer
        self._lock = Lock()
        self._stop = Event()
        self._threads: list[Thread] = []

    def sync(self, source: str, progress: Progress = silent) -> Job:
        """A sync that goes on by itself; see `Syncer.sync` for what its futures may raise."""
        return self._start(
            source, progress, lambda told, opened: self._syncer.sync(source, told, opened=opened)
        )

    def replay(self, source: str, ids: Sequence[int] = (), progress: Progress = silent) -> Job:
        """A replay of what waits in quarantine, or of the records with `ids`; see `Syncer.replay`."""
        return self._start(
            source, progress, lambda told, opened: self._syncer.replay(source, ids, told, opened=opened)
        )

    def backfill(
        self, source: str, streams: Sequence[str] = (), *, anew: bool = False, progress: Progress = silent
    ) -> Job:
        """A backfill of the source; see `Backfiller.run` for what its futures may raise."""
        filler = Backfiller(self._syncer)
        return self._start(
            source,
            progress,
            lambda told, opened: filler.run(source, streams, anew=anew, progress=told, opened=opened),
        )

    @property
    def is_closing(self) -> bool:
        """Whether runs are being ended."""
        return self._stop.is_set()

    def close(self) -> None:
        """Let each run end with the batch it is at, and wait for that; none starts afterwards."""
        with self._lock:
            self._stop.set()
        for thread in self._threads:
            thread.join()

    def _start(self, source: str, progress: Progress, work: _Work) -> Job:
        job = Job(source)
        thread = Thread(target=self._run, args=(job, progress, work), name=f"run-{source}", daemon=True)
        with self._lock:
            if self.is_closing:
                raise SourceUnavailableError(source, None, "the hub is ending")
            self._threads = [each for each in self._threads if each.is_alive()]
            self._threads.append(thread)
            thread.start()
        return job

    def _run(self, job: Job, progress: Progress, work: _Work) -> None:
        def told(stream: str, counts: Counts) -> None:
            progress(stream, counts)
            if self.is_closing:
                raise _Stopped

        try:
            report = work(told, job.opened.set_result)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it must hear of it
            failed = _told(job.source, error)
            if not job.opened.done():
                job.opened.set_exception(failed)
            job.report.set_exception(failed)
        else:
            job.report.set_result(report)


def _told(source: str, error: BaseException) -> HubError:
    """The error as a caller may see it; what nobody expects is also logged, by kind and place."""
    if isinstance(error, _Stopped):
        return SourceError(
            source, None, "was broken off, because the hub ended; it goes on from there next time"
        )
    if isinstance(error, HubError):
        return error
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("a run of %s failed: %s\n%s", source, type(error).__name__, places)
    return SourceError(source, None, f"failed: {type(error).__name__}")
