"""What the connectors of brokers share: bounded runs, and a message's records by a format."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from hub.adapters.formats import FormatChoice, JsonLinesFormat
from hub.adapters.records import (
    BadRecord,
    ConfigModel,
    FileFormatError,
    GoneRecord,
    RawRecord,
    Record,
    SettingError,
)


class BoundedRead(ConfigModel):
    """How what comes is parsed, and how far a run goes."""

    format: FormatChoice = Field(
        default=JsonLinesFormat(type="jsonl"),
        description="How a message is parsed; one JSON object a message unless given, `debezium` for change events.",
    )
    max_messages: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="Messages after which a run ends; the next one goes on.",
    )
    max_s: int = Field(default=600, ge=1, description="Seconds after which a run ends, whatever still comes.")

    def prepared(self, folder: Path) -> Self:
        """The stream with what its format reads from files beside the source's YAML in `folder`."""
        try:
            return self.model_copy(update={"format": self.format.prepared(folder)})
        except SettingError as error:
            raise SettingError(("format", *error.place), error.message, error.nearest) from None

    def parsed(self, value: bytes, position: str) -> Iterator[Record]:
        """The records of a message; where it cannot be parsed a bad record, so that it stops nobody."""
        try:
            yield from self.format.read(io.BytesIO(value), position)
        except (FileFormatError, ValueError, EOFError) as error:
            reason = str(error) if isinstance(error, FileFormatError) else type(error).__name__
            yield BadRecord(value.decode("utf-8", "backslashreplace"), position, reason)


class MessagesRead(BoundedRead):
    """What every stream of a broker's messages says."""

    key_field: str | None = Field(
        default=None,
        min_length=1,
        description="Field to add to each record with the message's key; with it, a message without content deletes "
        "the record of its key.",
    )

    def records(self, value: bytes | None, key: bytes | str | None, position: str) -> Iterator[Record]:
        """What a message says, as `parsed` does; without content, that the record of its key is gone."""
        named = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
        if not value:
            if self.key_field is not None and named is not None:
                yield GoneRecord({self.key_field: named}, position)
            return
        for record in self.parsed(value, position):
            yield self._with_key(record, named)

    def _with_key(self, record: Record, key: str | None) -> Record:
        if self.key_field is None or isinstance(record, BadRecord):
            return record
        made: RawRecord | GoneRecord = replace(record, payload={**record.payload, self.key_field: key})
        return made


@dataclass(slots=True)
class Bounds:
    """How far a run may still go."""

    messages: int
    until: float

    @classmethod
    def of(cls, read: BoundedRead) -> Bounds:
        """The bounds of a run that begins now."""
        return cls(read.max_messages, time.monotonic() + read.max_s)

    def left_s(self, at_most: float) -> float:
        """Seconds that may be waited, up to `at_most`."""
        return max(0.0, min(at_most, self.until - time.monotonic()))

    @property
    def reached(self) -> bool:
        """Whether the run ends here."""
        return self.messages <= 0 or time.monotonic() >= self.until


@dataclass(slots=True)
class Warned:
    """The warnings of a connector, each once."""

    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """Add the message, unless it was said."""
        if message not in self.warnings:
            self.warnings.append(message)


Settings = dict[str, Any]
