"""What the contract checks: one stream of an adapter, opened anew as often as a check asks, live or from exchanges."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import httpx
import stamina

from hub.adapters import payload
from hub.adapters.drift import Field
from hub.adapters.kit.exchanges import Exchange
from hub.adapters.kit.replaying import Replayer, VirtualClock
from hub.adapters.mapping import StreamMapping
from hub.adapters.paths import Scope, compile_path
from hub.adapters.records import (
    Batch,
    Clock,
    ConfigModel,
    Connector,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    RawRecord,
    Record,
    StreamRead,
    Wire,
)
from hub.adapters.secrets import UrlRef, references, secret_values
from hub.errors import RecordError

BATCH = 100
"""Records a batch: an interruption is tried after each."""
MAX_BATCHES = 10_000
"""Batches of one reading, empty ones included: no source of so few records needs more."""


@dataclass
class Reading:
    """What one reading of a stream gave."""

    batches: list[Batch] = field(default_factory=list, repr=False)
    warnings: tuple[str, ...] = ()
    is_whole: bool = True
    """Whether it came to the stream's end; not so where it was cut at the limit or failed."""
    error: Exception | None = None
    asked_at: tuple[float, ...] = ()
    """When each request went out, in seconds of the clock."""

    @cached_property
    def records(self) -> list[Record]:
        """All records in their order."""
        return [record for batch in self.batches for record in batch.records]

    @cached_property
    def raw(self) -> list[RawRecord]:
        """Those of them that could be parsed."""
        return [record for record in self.records if isinstance(record, RawRecord)]


@dataclass(frozen=True)
class Subject:
    """One stream of an adapter."""

    source: str
    config: ConnectorConfig
    stream: StreamRead[Any]
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = Path()
    programs: Path = Path()
    wire: Wire = httpx.HTTPTransport
    clock: Clock = field(default_factory=Clock)
    is_replayed: bool = False
    mapping: StreamMapping | None = None
    deletes: Literal["none", "full_scan"] = "none"
    max_bad_share: float = 0.2
    known: Mapping[str, Field] = field(default_factory=dict)
    """The fields that earlier runs met."""
    limit: int = 2000
    """Records of a reading that are looked at."""

    @classmethod
    def replayed(
        cls,
        config: ConnectorConfig,
        read: ConfigModel,
        exchanges: Sequence[Exchange],
        *,
        key: Sequence[str],
        cursor: str | None = None,
        source: str = "tested",
        environ: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Subject:
        """A stream on recorded exchanges; what its references lead to is made up where `environ` lacks it."""
        given = {**stand_ins(config), **stand_ins(read), **(environ or {})}
        secrets = frozenset(secret_values(config, ConnectorContext(source, given)))
        clock = VirtualClock()

        def wire() -> httpx.BaseTransport:
            return Replayer(source, exchanges, secrets, clock)

        stream = StreamRead(more.pop("name", "records"), read, tuple(key), cursor)
        return cls(source, config, stream, given, wire=wire, clock=clock, is_replayed=True, **more)

    def over(self, wrap: Callable[[httpx.BaseTransport], httpx.BaseTransport]) -> Subject:
        """The same, with `wrap` around what its HTTP goes over."""
        return replace(self, wire=lambda: wrap(self.wire()))

    def read(self, cursor: Cursor | None = None, *, batches: int | None = None) -> Reading:
        """One reading by a connector of its own; `batches` interrupts it after so many."""
        asked: list[float] = []
        try:
            connector = self.connect(asked)
        except Exception as error:  # noqa: BLE001  (whatever an adapter raises is what is looked at)
            return Reading(is_whole=False, error=error, asked_at=tuple(asked))
        try:
            made = self.read_by(connector, cursor, batches=batches)
        finally:
            connector.close()
        made.asked_at = tuple(asked)
        return made

    def connect(self, asked: list[float] | None = None) -> Connector:
        """A connector that nobody has used; `asked` is told the time of each request."""
        times: list[float] = [] if asked is None else asked
        context = ConnectorContext(
            self.source,
            self.environ,
            self.folder,
            self.programs,
            lambda: _Timed(self.wire(), self.clock, times),
            self.clock,
        )
        return self.config.connect(context)

    def read_by(
        self, connector: Connector, cursor: Cursor | None = None, *, batches: int | None = None
    ) -> Reading:
        """One reading by `connector`; what goes wrong is in it, not raised."""
        made, count = Reading(), 0
        with self._without_waiting():
            try:
                for batch in connector.batches(self.stream, _kept(cursor), BATCH):
                    made.batches.append(batch)
                    count += len(batch.records)
                    if (
                        len(made.batches) == batches
                        or count >= self.limit
                        or len(made.batches) >= MAX_BATCHES
                    ):
                        made.is_whole = False
                        break
            except Exception as error:  # noqa: BLE001  (whatever an adapter raises is what is looked at)
                made.error, made.is_whole = error, False
        made.warnings = tuple(connector.warnings)
        return made

    @cached_property
    def whole(self) -> Reading:
        """A reading from the beginning, which several checks look at."""
        return self.read()

    def key_of(self, record: RawRecord) -> str | None:
        """The record's key as a text, None where a part of it is missing."""
        if self.mapping is not None:
            try:
                return self.mapping.key_of(record.payload)
            except RecordError:
                return None
        parts = [self.at(path, record) for path in self.stream.key]
        return None if any(part in (None, "") for part in parts) else payload.readable(parts)

    def at(self, path: str, record: RawRecord) -> Any:
        """What stands at a path of the record."""
        return compile_path(path).follow(Scope(record.payload, record.payload))

    def marks(self, reading: Reading) -> set[tuple[str | None, bytes]]:
        """Key and content of each record: what must not be lost."""
        return {(self.key_of(record), content(record)) for record in reading.raw}

    def _without_waiting(self) -> AbstractContextManager[Any]:
        """Retries of what is replayed wait for nobody."""
        return stamina.set_testing(True, attempts=50, cap=True) if self.is_replayed else nullcontext()


def content(record: RawRecord) -> bytes:
    """A digest of what the record says."""
    return payload.digest(payload.readable(record.payload).encode())


def stand_ins(config: ConfigModel) -> dict[str, str]:
    """A value for each environment variable that the configuration refers to: an address, or a word."""
    return {
        reference.env: "https://recorded.example.com" if isinstance(reference, UrlRef) else "recorded"
        for reference in references(config)
        if reference.env
    }


def secrets_of(subject: Subject) -> Collection[str]:
    """What may be in no message of the adapter."""
    context = ConnectorContext(subject.source, subject.environ, subject.folder)
    return [value for value in secret_values(subject.config, context) if len(value) > 3]


class _Timed(httpx.BaseTransport):
    """Notes when requests go out."""

    def __init__(self, inner: httpx.BaseTransport, clock: Clock, asked: list[float]) -> None:
        self._inner, self._clock, self._asked = inner, clock, asked

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._asked.append(self._clock.now())
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def _kept(cursor: Cursor | None) -> Cursor | None:
    """A cursor as it comes back from the store."""
    found: Cursor | None = json.loads(json.dumps(cursor))
    return found
