"""One stream read once, from where the last run ended: what is done with its batches, and at its end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.adapters.ahead import read_at_once
from hub.adapters.records import Acknowledging, Batch, Connector, Cursor, StreamRead
from hub.adapters.runs import Counts
from hub.adapters.stream_run import StreamRun


@dataclass(slots=True)
class StreamPass:
    """Begin it before its stream is read, give it every batch, then end it."""

    run: StreamRun
    connector: Connector
    start: Cursor | None
    """None where it begins at the stream's beginning."""
    batch_size: int
    progress: Callable[[str, Counts], None]
    _read: StreamRead[Any] = field(init=False)
    _at: Cursor | None = field(init=False)
    _warned: int = field(init=False)

    def __post_init__(self) -> None:
        stream = self.run.stream
        self._read = StreamRead(self.run.name, stream.read, stream.key, stream.cursor)
        self._at, self._warned = self.start, len(self.connector.warnings)

    def batches(self) -> Iterator[Batch]:
        """What the connector reads; raises as `Connector.batches` does."""
        return self.connector.batches(self._read, self.start, self.batch_size)

    def take(self, batch: Batch) -> None:
        """Write a batch with all it causes.

        Raises:
            TooManyRejectsError: more of the run's records are bad than may be.
        """
        self.run.apply(batch)
        self._at = batch.cursor
        self.progress(self.run.name, self.run.counts)
        self.run.stop_if_too_bad(self.start, at_end=False)

    def end(self) -> list[str]:
        """Delete what a full scan did not meet, and let the source know what is taken in; what is doubtful of the run.

        Raises:
            TooManyRejectsError: as `take` does.
            SourceUnavailableError: the source could not be told.
        """
        run, doubts = self.run, list[str]()
        run.stop_if_too_bad(self.start, at_end=True)
        if run.scans_fully and len(self.connector.warnings) > self._warned:
            doubts.append(f"{run.name}: the reading is doubtful, so nothing that it did not meet was deleted")
        elif run.scans_fully:
            doubt = run.delete_unseen()
            doubts += [doubt] if doubt else []
        doubts += run.doubts()
        run.finish()
        if isinstance(self.connector, Acknowledging):
            self.connector.committed(self._read, self._at)
        self.progress(run.name, run.counts)
        return doubts


class Begin(Protocol):
    """Begins a pass over the stream of this name."""

    def __call__(self, name: str, *, apart: bool) -> StreamPass:
        """`apart` by a connector of its own, else by the one that the others have."""
        ...


Passing = Generator[tuple[StreamPass, Batch | None], None, None]
"""Passes with their batches, and None at the end of each. Close it, so that nothing is read any more."""


def one_by_one(names: Sequence[str], begin: Begin) -> Passing:
    """The streams one after the other."""
    for name in names:
        stream = begin(name, apart=False)
        for batch in stream.batches():
            yield stream, batch
        yield stream, None


def all_at_once(names: Sequence[str], begin: Begin, at_once: int) -> Passing:
    """The streams beside each other, so many at a time."""
    passes = {name: begin(name, apart=True) for name in names}
    opened = {name: stream.batches for name, stream in passes.items()}
    with closing(read_at_once(opened, at_once)) as reading:
        for name, batch in reading:
            yield passes[name], batch
