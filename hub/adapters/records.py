"""What travels from a source to the landing: records, bad records and batches with the cursor after them.

A **format** turns a byte stream into records (`formats/`); a **connector** reaches a source system and yields
batches (`connectors/`). Both are described by one frozen pydantic model each, whose `type` names them in YAML.

Payload values are str, int, Decimal (never float), bool, None, lists and dicts of these; dates and times are ISO
strings, bytes are base64 strings. Positions read `orders.csv:17` (line), `orders.json#17` (17th record),
`page 3 item 5` or `row 12`, and are 1-based; `orders.dat#17@4096` is a 17th record that begins after 4096 bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    BinaryIO,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    Self,
    TypeVar,
    runtime_checkable,
)

import httpx
from pydantic import BaseModel, ConfigDict

from hub.adapters.inbox import Inbox

if TYPE_CHECKING:
    from hub.adapters.answerbook import AnswerBook

Payload = dict[str, Any]
Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record as it came; the payload stays out of `repr` because it holds personal data."""

    payload: Payload = field(repr=False)
    position: str


@dataclass(frozen=True, slots=True)
class BadRecord:
    """What could not be parsed: the text as far as it is readable, where it stands, and why (no values)."""

    raw: str = field(repr=False)
    position: str
    reason: str


@dataclass(frozen=True, slots=True)
class GoneRecord:
    """The source says that a record is no longer there; the payload has the fields of its key."""

    payload: Payload = field(repr=False)
    position: str


Record = RawRecord | BadRecord | GoneRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """Records, and the cursor after them: a run that resumes from it loses nothing, but may read some again.

    `cursor` is None when a new run has to start at the beginning.
    """

    records: Sequence[Record] = field(repr=False)
    cursor: Cursor | None = field(repr=False)


class ConfigModel(BaseModel):
    """The base of every component's configuration: immutable, no unknown keys, no values in its faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    aside: ClassVar[frozenset[str]] = frozenset()
    """Fields that say nothing of what is read: a cursor stays good when they change."""

    @property
    def takes_away(self) -> bool:
        """Whether what the hub has read goes away at the source, so that a later run cannot meet it again."""
        return False

    def prepared(self, folder: Path) -> Self:
        """The component with what it reads from files beside the source's YAML in `folder`.

        Raises:
            ValueError: a file cannot be read; the message names it. A `SettingError` also says which setting is wrong.
            ConfigurationError: a file has faults of its own, each told with its place.
        """
        del folder
        return self


class SettingError(ValueError):
    """A setting that does not fit a file beside the YAML: its place in the component, and what was meant perhaps.

    For the seam between components and the loading of sources only: no other room meets it.
    """

    def __init__(self, place: Sequence[str], message: str, nearest: str | None = None) -> None:
        super().__init__(f"{'.'.join(place)}: {message}")
        self.place, self.message, self.nearest = tuple(place), message, nearest


ReadT = TypeVar("ReadT", bound=ConfigModel)


@dataclass(frozen=True, slots=True)
class StreamRead(Generic[ReadT]):
    """What a connector needs to know of a stream: its name, where to read, its key and its watermark's name."""

    name: str
    read: ReadT
    key: tuple[str, ...] = ()
    cursor_field: str | None = None


Wire = Callable[[], httpx.BaseTransport]
"""Makes what carries HTTP requests: the network, a recorder of it, or recorded exchanges in its place."""


class Pace:
    """The rate of requests to a source, over all connections of a run."""

    def __init__(self) -> None:
        self._turns, self._next_at = threading.Lock(), 0.0

    def wait(self, clock: Clock, pause_s: float) -> None:
        """Come back when the next request may begin; the one after it may `pause_s` later."""
        with self._turns:
            now = clock.now()
            at = max(now, self._next_at)
            self._next_at = at + pause_s
        if at > now:
            clock.sleep(at - now)


class Clock:
    """The clock that a connector keeps its pace by; exchanges that are replayed bring one of their own."""

    def now(self) -> float:
        """Seconds since some moment of the past."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Come back after so long."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class ConnectorContext:
    """What a connector gets from outside: its source's name, the environment and the folder of relative paths."""

    source: str
    environ: Mapping[str, str] = field(repr=False)
    base_dir: Path = Path()
    programs: Path = Path()
    """Where `hub adapter install` puts programs."""
    wire: Wire = httpx.HTTPTransport
    """What HTTP goes over; a connector that speaks HTTP opens its client on it, so that its exchanges can be
    recorded and replayed."""
    clock: Clock = Clock()
    """By which it waits between requests."""
    pace: Pace = field(default_factory=Pace)
    """How often it may be asked; all connectors of one context keep it together."""
    inbox: Inbox | None = None
    """What senders have brought by themselves; None where nothing is taken in."""
    answers: AnswerBook | None = None
    """What is remembered of answers to trading partners; none where nothing is committed, and so nothing answered."""


class Connector(Protocol):
    """One opened source system. Nothing is reached before the first batch is asked for."""

    warnings: list[str]
    """What a run must show though it did not fail, such as a source that claims more records than it gave."""

    def batches(self, stream: StreamRead[Any], cursor: Cursor | None, batch_size: int) -> Iterator[Batch]:
        """Lazily, the stream's records from `cursor` on, at most `batch_size` in a batch; the last may be empty.

        Raises:
            SourceUnavailableError: the source is down or slow; try the run again later.
            SourceProtocolError: the source answers what its YAML does not expect; correct one of them.
            ConfigurationError: a referenced variable or file is missing.
        """
        ...

    def close(self) -> None:
        """Give connections back; the connector cannot be used after."""
        ...


@runtime_checkable
class Acknowledging(Protocol):
    """A connector that lets its source know what the hub has: files are put away, messages acknowledged."""

    def committed(self, stream: StreamRead[Any], cursor: Cursor | None) -> None:
        """Told once, after a stream was read to its end and the hub has committed all of it, up to `cursor`.

        A run that fails or is killed before comes here at its next end, for what its cursor has passed: to be told
        twice of the same thing must do no harm.

        Raises:
            SourceUnavailableError: the source is down; what is told again at the next end need not be raised.
        """
        ...


Amendment = Literal["erase", "rectify"]
"""What a source may let the hub do to it for a privacy request."""


@runtime_checkable
class Amending(Protocol):
    """A connector by which the hub can also put its source right, where the source's YAML says that it may."""

    def may(self, stream: str) -> Collection[Amendment]:
        """What the YAML lets the hub do in the stream; nothing unless it says so."""
        ...

    def erase(self, stream: StreamRead[Any], keys: Sequence[Mapping[str, Any]]) -> int:
        """Delete the records with these keys, all or none; how many there were.

        Raises:
            SourceUnavailableError: the source is down or slow; try again later.
            SourceProtocolError: the source refuses; somebody has to do it there.
        """
        ...

    def rectify(
        self, stream: StreamRead[Any], keys: Sequence[Mapping[str, Any]], column: str, value: str
    ) -> int:
        """Set a field of the records with these keys, all or none; how many there were. Raises as `erase` does."""
        ...


class ConnectorConfig(ConfigModel):
    """The base of a connector's configuration: what `connector:` holds in a source's YAML.

    A subclass declares `type: Literal["name"]`, the name by which YAML chooses it.
    """

    read_model: ClassVar[type[ConfigModel]]
    """The model of the `read:` part of this connector's streams."""

    def connect(self, context: ConnectorContext) -> Connector:
        """A connector for this configuration; it reaches the source only when batches are asked for."""
        raise NotImplementedError


Beside = Callable[[Sequence[str]], BinaryIO | None]
"""Opens the file that has the same name and one of these suffixes, in capitals or not; None where there is none."""


class FormatConfig(ConfigModel):
    """The base of a format's configuration: what `format:` holds in a stream's `read:`.

    A subclass declares `type: Literal["name"]`, the name by which YAML chooses it.
    """

    companions: ClassVar[tuple[str, ...]] = ()
    """Suffixes, in small letters, of files beside one of this format that hold a part of what it says."""

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """Lazily and in bounded memory, the records of one file in their order.

        Raises:
            FileFormatError: the file as a whole does not fit this configuration.
        """
        raise NotImplementedError

    def read_file(self, stream: BinaryIO, name: str, beside: Beside) -> Iterator[Record]:
        """As `read`, for a format whose files have companions: what `beside` opens is the caller's to close."""
        del beside
        return self.read(stream, name)


class FileFormatError(ValueError):
    """A file does not fit its format's configuration; the connector adds source and stream to the message.

    For the seam between formats and connectors only: no other room meets it.
    """
