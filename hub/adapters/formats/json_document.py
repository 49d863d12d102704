"""JSON documents: the records stand under one path of a document that may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Literal

import ijson
from pydantic import Field

from hub.adapters import payload
from hub.adapters.formats.lines import clipped
from hub.adapters.records import BadRecord, FileFormatError, FormatConfig, RawRecord, Record
from hub.yamlfile import nearest

_CHUNK_BYTES = 65_536
_BOM = b"\xef\xbb\xbf"


class JsonFormat(FormatConfig):
    """One JSON document in UTF-8, read as a stream."""

    type: Literal["json"] = Field(description="Names this format.")
    records: str = Field(
        default="item",
        description="ijson path of the records: `item` for the members of a top-level array (the usual export, "
        "hence the default), `epcisBody.eventList.item` for an array inside objects, empty for the whole document "
        "as one record.",
    )

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The records under the path, at `name#count`; after a syntax error, one bad record for the rest.

        Raises:
            FileFormatError: the document has nothing at the path.
        """
        count = 0
        for item in self._items(stream):
            count += 1
            yield _record(item, f"{name}#{count}")
        if not count:
            self._check_path(stream)

    def _items(self, stream: BinaryIO) -> Iterator[Any]:
        """Everything at the path, then a `_Broken` when the document does not parse to its end."""
        found = ijson.sendable_list()
        parser = ijson.items_coro(found, self.records, use_float=False)
        last = chunk = stream.read(_CHUNK_BYTES).removeprefix(_BOM)
        try:
            while chunk:
                parser.send(chunk)
                yield from found
                del found[:]
                last, chunk = chunk, stream.read(_CHUNK_BYTES)
            parser.close()
        except ijson.JSONError:
            yield from found
            yield _Broken(chunk or last)

    def _check_path(self, stream: BinaryIO) -> None:
        """Tell an empty list from a path that the document does not have, where the stream can be read again."""
        if not stream.seekable() or not self.records:
            return
        stream.seek(0)
        container, seen = self.records.removesuffix(".item").removesuffix("item"), set()
        if stream.read(len(_BOM)) != _BOM:
            stream.seek(0)
        for prefix, event, _ in ijson.parse(stream):
            if prefix == container and event in ("start_array", "null"):
                return
            if prefix and event != "map_key":
                seen.add(prefix)
        like = nearest(self.records, seen)
        hint = f"; did you mean {like!r}?" if like else ""
        raise FileFormatError(f"nothing stands at the path {self.records!r}{hint}")


class _Broken:
    """The place where a document stops being JSON, with the bytes around it."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk


def _record(item: Any, position: str) -> Record:
    if isinstance(item, dict):
        return RawRecord(item, position)
    if isinstance(item, _Broken):
        return BadRecord(clipped(item.chunk), position, "not JSON from here to the end of the file")
    return BadRecord(clipped(payload.readable(item)), position, "not a JSON object")
