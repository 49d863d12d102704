"""Streams that are read again from their beginning, while their changes go on being read.

A backfill holds its source for one batch at a time; a sync that comes due goes in between. It has a cursor of its own,
so that neither moves the other's, and goes on from there when it was cut off. What a sync has written since the
backfill began is newer than what the backfill may have read before: such records are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import sleep

from hub.adapters import backfill, runs
from hub.adapters.config import SourceConfig
from hub.adapters.positions import kept_cursor
from hub.adapters.records import Connector, StreamRead
from hub.adapters.runs import RunReport
from hub.adapters.sync import Opened, Progress, Syncer, silent, unheard
from hub.errors import HubError, NotFoundError, RequestError, SourceUnavailableError
from hub.yamlfile import nearest


def streams_again(config: SourceConfig, only: Sequence[str]) -> list[str]:
    """The streams that can be read again: those named, or all that are not read whole by each sync anyway.

    Raises:
        NotFoundError: the source has no such stream.
        RequestError: each sync reads them whole, so there is nothing to be read again.
    """
    for name in only:
        if name not in config.streams:
            near = nearest(name, config.streams)
            hint = f"; did you mean {near!r}?" if near else ""
            raise NotFoundError(f"{config.source} has no stream {name!r}{hint}")
    names = [name for name in only or config.streams if config.streams[name].deletes != "full_scan"]
    if not names:
        raise RequestError(f"each sync reads {config.source} whole, so there is nothing to be read again")
    return names


class Backfiller:
    """Reads streams again beside a syncer's syncs."""

    def __init__(self, syncer: Syncer) -> None:
        self._syncer, self._store = syncer, syncer.store

    def run(
        self,
        source: str,
        only: Sequence[str] = (),
        *,
        anew: bool = False,
        progress: Progress = silent,
        opened: Opened = unheard,
    ) -> RunReport:
        """Read streams from their beginning, or on from where the last backfill was cut off unless `anew`.

        Raises:
            NotFoundError: there is no such source or stream.
            RequestError: each sync reads the streams whole, so there is nothing to be read again.
            SourceUnavailableError: another backfill of the source is under way, or the source is frozen.
        """
        syncer = self._syncer
        config = syncer.sources.config(source)
        names = streams_again(config, only)
        with backfill.alone(self._store, source) as alone:
            if not alone:
                raise SourceUnavailableError(source, None, "another backfill of it is under way")
            with syncer.exclusive(source):
                syncer.require_thawed(source)
                syncer.prepare(config)
                run_id = runs.open_run(self._store, source, "backfill")
            doubts: list[str] = []
            with syncer.closing(run_id, source, doubts):
                opened(run_id)
                failed = self._read(run_id, config, names, doubts, progress, anew=anew)
            return syncer.close_run(run_id, source, "failed" if failed else "ok", doubts)

    def _read(
        self,
        run_id: int,
        config: SourceConfig,
        names: Sequence[str],
        doubts: list[str],
        progress: Progress,
        *,
        anew: bool,
    ) -> bool:
        """Whether the source failed before the end; why is added to `doubts`."""
        kept = backfill.begin(self._store, config.source, names, anew=anew)
        connector: Connector | None = None
        try:
            connector = self._syncer.sources.connect(config)
            for name in names:
                self._read_stream(run_id, config, name, connector, kept[name].cursor, doubts, progress)
        except HubError as error:
            doubts.append(str(error))
            return True
        finally:
            if connector is not None:
                doubts += connector.warnings
                connector.close()
        return False

    def _read_stream(
        self,
        run_id: int,
        config: SourceConfig,
        name: str,
        connector: Connector,
        kept: str | None,
        doubts: list[str],
        progress: Progress,
    ) -> None:
        syncer = self._syncer
        run = syncer.stream_run(run_id, config, name)
        run.backfills = True
        read = StreamRead(name, run.stream.read, run.stream.key, run.stream.cursor)
        for batch in connector.batches(read, kept_cursor(run.stream, kept), syncer.batch_size):
            with syncer.exclusive(config.source):
                syncer.require_thawed(config.source)
                run.apply(batch)
            progress(name, run.counts)
            run.stop_if_too_bad(None, at_end=False)
            sleep(backfill.BREATH_S)
        run.stop_if_too_bad(None, at_end=True)
        doubts += run.doubts()
        with self._store.write() as connection:
            backfill.end(connection, config.source, name)
