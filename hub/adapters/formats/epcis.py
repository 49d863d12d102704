"""GS1 EPCIS 2.0 events (JSON-LD), out of documents and query results alike: one record an event.

An event is given as it stands; `@context` is never fetched. One that lacks what every event must have is a bad record.
A list of one may be written without its brackets, as JSON-LD allows, and a document of one event has it in `event`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, Literal

import ijson
from pydantic import Field

from hub.adapters import payload
from hub.adapters.formats.lines import clipped
from hub.adapters.records import BadRecord, FileFormatError, FormatConfig, RawRecord, Record

_LISTS = ("epcisBody.eventList", "epcisBody.queryResults.resultsBody.eventList", "")
"""Where events are listed: in a document, in a query's results, or in a bare list."""
_ITEMS = frozenset(f"{place}.item".lstrip(".") for place in _LISTS)
_SINGLE = frozenset({*filter(None, _LISTS), "epcisBody.event"})
"""Where one event may stand by itself."""
_MARK = b"\xef\xbb\xbf"
_WITH_ACTION = {"ObjectEvent", "AggregationEvent", "TransactionEvent", "AssociationEvent"}
_TYPES = _WITH_ACTION | {"TransformationEvent"}
_ACTIONS = {"ADD", "OBSERVE", "DELETE"}
_OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_CHUNK_BYTES = 65_536


class EpcisFormat(FormatConfig):
    """Events of supply chains, as EPCIS 2.0 repositories and capture interfaces exchange them."""

    type: Literal["epcis"] = Field(description="Names this format.")

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The events of the document, at `name#count`; after a syntax error, one bad record for the rest.

        Raises:
            FileFormatError: the document has no list of events.
        """
        events = _Events(stream)
        count = 0
        for event in events:
            count += 1
            yield _record(event, f"{name}#{count}")
        if events.broken is not None:
            if not count and events.broken.lstrip(_MARK + b" \t\r\n").startswith(b"<"):
                raise FileFormatError(
                    "it is XML, as EPCIS 1.2 has it, and this format reads the JSON of EPCIS 2.0; convert it, or "
                    "read its events by `format: {type: xml}`"
                )
            reason = "not JSON from here to the end of the file"
            yield BadRecord(clipped(events.broken), f"{name}#{count + 1}", reason)
        elif not events.found:
            raise FileFormatError("no list of events stands in it (epcisBody.eventList)")


class _Events:
    """The events of a document, one in memory at a time; and how the document ended."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._begun = ""
        self._builder: ijson.ObjectBuilder | None = None
        self.found = False
        self.broken: bytes | None = None

    def __iter__(self) -> Iterator[Any]:
        parsed = ijson.sendable_list()
        parser = ijson.parse_coro(parsed, use_float=False)
        last = chunk = self._stream.read(_CHUNK_BYTES).removeprefix(_MARK)
        try:
            while chunk:
                parser.send(chunk)
                yield from self._built(parsed)
                last, chunk = chunk, self._stream.read(_CHUNK_BYTES)
            parser.close()
        except ijson.JSONError:
            # What stood before the break is whole.
            yield from self._built(parsed)
            self.broken = chunk or last

    def _built(self, parsed: list[tuple[str, str, Any]]) -> Iterator[Any]:
        """The events that these steps of the parser end; one that goes on is kept for the next ones."""
        for prefix, kind, value in parsed:
            if self._builder is None and not self._begins(prefix, kind):
                continue
            if self._builder is None:
                if kind not in ("start_map", "start_array"):
                    yield value
                    continue
                self._begun, self._builder = prefix, ijson.ObjectBuilder()
            self._builder.event(kind, value)
            if prefix == self._begun and kind in ("end_map", "end_array"):
                yield self._builder.value
                self._builder = None
        del parsed[:]

    def _begins(self, prefix: str, kind: str) -> bool:
        alone = kind == "start_map" and prefix in _SINGLE
        if alone or (kind == "start_array" and prefix in _LISTS):
            self.found = True
        return alone or prefix in _ITEMS


def _record(event: Any, position: str) -> Record:
    if not isinstance(event, dict):
        return BadRecord(clipped(payload.readable(event)), position, "not an event")
    fault = _fault(event)
    return (
        BadRecord(clipped(payload.readable(event)), position, fault) if fault else RawRecord(event, position)
    )


def _fault(event: dict[str, Any]) -> str | None:
    """What the event lacks of what every event must have."""
    kind = event.get("type")
    if not isinstance(kind, str) or (kind not in _TYPES and ":" not in kind):
        return f"type: not one of {', '.join(sorted(_TYPES))}"
    if not _is_time(event.get("eventTime")):
        return "eventTime: not a time with an offset"
    offset = event.get("eventTimeZoneOffset")
    if not isinstance(offset, str) or not _OFFSET.fullmatch(offset):
        return "eventTimeZoneOffset: not an offset such as +02:00"
    if kind in _WITH_ACTION and event.get("action") not in _ACTIONS:
        return f"action: not one of {', '.join(sorted(_ACTIONS))}"
    return None


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
