"""Reads sources by their schedules, for as long as it is let.

Several workers may run on one store: a source is read by one of them at a time, and what one has read is read for all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from uuid import uuid4

from hub.adapters import Job
from hub.adapters.schedules import Turn, in_order
from hub.adapters.turns import turns
from hub.commands.author import Author
from hub.commands.runs import SyncSource, sync_source
from hub.errors import HubError, RequestError
from hub.services import Services

LOOK_S = 1.0
"""Seconds between two looks at whose turn it is."""

_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Worker:
    """Begins what is due, and no more than so many at once."""

    def __init__(
        self, services: Services, author: Author, at_once: int, clock: Callable[[], datetime] = _now
    ) -> None:
        self._services, self._author, self._at_once, self._clock = services, author, at_once, clock
        self._began = clock()
        self._jobs: dict[str, Job] = {}

    def run(self, stop: Event) -> None:
        """Work until told to stop; runs under way then end with the services."""
        while not stop.is_set():
            try:
                self.look()
            except HubError as error:
                _log.error("the worker could not look whose turn it is: %s", error)
            stop.wait(LOOK_S)

    def run_due(self, stop: Event) -> list[str]:
        """Read every source that is due now once, wait for the ends, and name them in order of their beginnings."""
        waiting = [turn.source for turn in in_order(self.turns())]
        begun: list[str] = []
        while (waiting or self.under_way) and not stop.is_set():
            room = self._at_once - len(self.under_way)
            for name in waiting[:room]:
                self._begin(name)
            begun += waiting[:room]
            waiting = waiting[room:]
            stop.wait(LOOK_S / 10)
            self._reap()
        return begun

    @property
    def under_way(self) -> list[str]:
        """The sources that it is reading."""
        return sorted(self._jobs)

    def turns(self) -> dict[str, Turn]:
        """Whose turn it is, of all sources."""
        return turns(self._services.store, self._services.sources.configs, self._began, self._clock())

    def look(self) -> list[str]:
        """Begin what is due, as far as there is room; the sources that were begun."""
        self._reap()
        room = self._at_once - len(self._jobs)
        due = [turn.source for turn in in_order(self.turns()) if turn.source not in self._jobs]
        chosen = due[: max(0, room)]
        for name in chosen:
            self._begin(name)
        return chosen

    def _begin(self, source: str) -> None:
        try:
            begun = sync_source(self._services, self._author, SyncSource(source, uuid4().hex))
        except RequestError as error:
            _log.warning("%s was not begun: %s", source, error)  # frozen since the look, say
            return
        if begun.job is not None:
            self._jobs[source] = begun.job

    def _reap(self) -> None:
        for source, job in list(self._jobs.items()):
            if job.report.done():
                del self._jobs[source]
                _tell(source, job)


def _tell(source: str, job: Job) -> None:
    error = job.report.exception()
    if error is not None:
        _log.warning("%s: %s", source, error)
        return
    report = job.report.result()
    total = report.total
    level = logging.INFO if report.state == "ok" else logging.WARNING
    _log.log(
        level,
        "%s: run %d %s: %d read, %d accepted, %d unchanged, %d quarantined, %d deleted%s",
        source,
        report.run_id,
        report.state,
        total.read,
        total.accepted,
        total.unchanged,
        total.quarantined,
        total.deleted,
        f"; {'; '.join(report.doubts)}" if report.doubts else "",
    )
