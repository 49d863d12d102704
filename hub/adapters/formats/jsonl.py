"""JSON lines: one JSON object a line; a bad line is set aside and the next one is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal

from pydantic import Field

from hub.adapters import payload
from hub.adapters.formats.lines import clipped, numbered_lines
from hub.adapters.records import BadRecord, FormatConfig, RawRecord, Record

_BOM = b"\xef\xbb\xbf"


class JsonLinesFormat(FormatConfig):
    """JSON lines (NDJSON): one object a line in UTF-8; empty lines are passed over."""

    type: Literal["jsonl"] = Field(description="Names this format.")

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The records of `stream`, one a line, at `name:line`."""
        for number, line, complete in numbered_lines(stream):
            text = line.removeprefix(_BOM) if number == 1 else line
            if text.strip():
                yield _record(text, complete, f"{name}:{number}")


def _record(line: bytes, complete: bool, position: str) -> Record:
    if not complete:
        return BadRecord(clipped(line), position, "the line is longer than a record can be")
    try:
        value = payload.load(line)
    except ValueError as error:
        return BadRecord(clipped(line), position, _reason(error))
    if not isinstance(value, dict):
        return BadRecord(clipped(line), position, "not a JSON object")
    return RawRecord(value, position)


def _reason(error: ValueError) -> str:
    return "a number has too many digits" if "digits" in str(error) else str(error)
