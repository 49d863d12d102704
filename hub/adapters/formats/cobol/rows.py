"""The records of one file: frames read by a layout, numbered, told apart by kind, and set aside where they are bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub.adapters.formats.cobol.framing import Damage, Frame, Source
from hub.adapters.formats.cobol.reading import BadValueError, Reader, State
from hub.adapters.formats.cobol.segments import Ids, Trees
from hub.adapters.formats.lines import RAW_CHARACTERS
from hub.adapters.records import BadRecord, FileFormatError, Payload, RawRecord, Record


@dataclass(frozen=True, slots=True)
class Kinds:
    """How records of several kinds are treated."""

    read: Callable[[bytes], object]
    only: frozenset[str] | None
    ids: Ids | None
    trees: Trees | None


@dataclass(frozen=True, slots=True)
class Cut:
    """What is not the copybook's in each record, and what else its row says."""

    header: int
    trailer: int
    shortest: int
    longest: int | None
    number_field: str | None
    bytes_field: str | None


class Rows:
    """Makes the rows of one file."""

    def __init__(
        self, name: str, reader: Reader, cut: Cut, kinds: Kinds | None, show: Callable[[bytes], str]
    ) -> None:
        self._name, self._reader, self._cut, self._kinds, self._show = name, reader, cut, kinds, show

    def read(self, frames: Iterator[Frame | Damage], source: Source) -> Iterator[Record]:
        """A record for each frame, good or bad.

        Raises:
            FileFormatError: after damage beyond which no record can be found; what was read before it was given.
        """
        number = 0
        for frame in frames:
            position = f"{self._name}#{number + 1}@{frame.offset}"
            if isinstance(frame, Damage):
                yield from self._finish()
                yield BadRecord(self._raw(frame.data), position, frame.reason)
                if frame.is_end:
                    raise FileFormatError(_lost(frame, source))
                number += 1
            elif len(frame.data) >= self._cut.shortest:
                yield from self._rows(frame, number, position)
                number += 1
        yield from self._finish()

    def _finish(self) -> Iterator[Record]:
        if self._kinds is not None and self._kinds.trees is not None:
            yield from self._kinds.trees.finish()

    def _rows(self, frame: Frame, number: int, position: str) -> Iterator[Record]:
        data = frame.data[self._cut.header : max(self._cut.header, len(frame.data) - self._cut.trailer)]
        if self._cut.longest is not None and len(data) > self._cut.longest:
            reason = f"{len(data)} bytes where the copybook describes {self._cut.longest}"
            yield BadRecord(self._raw(frame.data), position, reason)
            return
        kinds = self._kinds
        if kinds is None:
            yield self._row(frame, data, State(), self._added(frame, number), position)
            return
        try:
            kind = str(kinds.read(data) or "").strip()
        except BadValueError as error:
            yield self._bad(frame, error, position)
            return
        ids = kinds.ids.of(kind, number) if kinds.ids is not None else {}
        if kinds.only is not None and kind not in kinds.only:
            return
        row = self._row(frame, data, State(kind), {**self._added(frame, number), **ids}, position)
        if kinds.trees is None:
            yield row
        else:
            yield from kinds.trees.add(kind, row, self._raw(frame.data))

    def _row(
        self, frame: Frame, data: bytes, state: State, added: Payload, position: str
    ) -> RawRecord | BadRecord:
        try:
            payload = self._reader.payload(data, state)
        except BadValueError as error:
            return self._bad(frame, error, position)
        return RawRecord({**added, **payload} if added else payload, position)

    def _bad(self, frame: Frame, error: BadValueError, position: str) -> BadRecord:
        at = self._cut.header + error.offset
        return BadRecord(
            self._raw(frame.data), position, f"{error.name} at byte {at} of the record: {error.reason}"
        )

    def _added(self, frame: Frame, number: int) -> Payload:
        made: Payload = {}
        if self._cut.number_field is not None:
            made[self._cut.number_field] = number
        if self._cut.bytes_field is not None:
            made[self._cut.bytes_field] = len(frame.data)
        return made

    def _raw(self, data: bytes) -> str:
        return self._show(data[:RAW_CHARACTERS])


def _lost(damage: Damage, source: Source) -> str:
    left = source.offset - damage.offset + source.rest()
    return (
        f"{damage.reason}: the {left} bytes from byte {damage.offset} to the file's end cannot be told apart"
    )
