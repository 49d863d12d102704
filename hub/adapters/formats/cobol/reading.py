"""From the bytes of one record to its payload, by a layout: groups, tables, what shares bytes with what.

Where several entries share bytes and nothing says which one is meant, each is read as far as it can be: bytes that
cannot be one of them are None there. Everywhere else such bytes make the record a bad one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.adapters.formats.cobol.copybook import Item
from hub.adapters.formats.cobol.layout import Layout
from hub.adapters.formats.cobol.values import Convert, Reading, converter, trimmer
from hub.adapters.records import Payload

Read = Callable[[bytes, int, "State"], Any]
RawBytes = Literal["none", "hex", "base64"]


class BadValueError(ValueError):
    """Inside this package: the field that cannot be read, where its bytes begin in the record, and why."""

    def __init__(self, name: str, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.name, self.offset, self.reason = name, offset, reason


class State:
    """What reading one record has learned so far."""

    __slots__ = ("counts", "segment", "shrunk")

    def __init__(self, segment: str | None = None) -> None:
        self.counts: dict[int, Any] = {}
        self.shrunk = 0
        """Bytes by which tables before this place are shorter than they may be."""
        self.segment = segment


@dataclass(frozen=True, slots=True)
class Shape:
    """What the payload looks like, beside what the copybook says."""

    keep_root: bool = False
    keep_fillers: bool = False
    cut_tables: bool = False
    """Whether a table takes only the bytes that its counter says, so that what follows moves up."""
    lenient: bool = False
    raw_bytes: RawBytes = "none"
    text_of: frozenset[str] = frozenset()
    segments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names of groups, in capitals, and the segments that each is for."""


class Reader:
    """Reads records of one layout."""

    def __init__(self, layout: Layout, how: Reading, shape: Shape) -> None:
        self.layout, self._how, self._shape = layout, how, shape
        self._counters = {id(item.counter) for item in layout.items() if item.counter is not None}
        self._fillers = _filler_names(layout)
        self._keeps_root = shape.keep_root and not layout.roots[0].is_implied
        self._roots = [(self._key(root), self._read(root, shape.lenient)) for root in layout.roots]

    def payload(self, data: bytes, state: State) -> Payload:
        """The record's values by name.

        Raises:
            BadValueError: bytes that their field cannot mean.
        """
        if len(self._roots) == 1 and not self._keeps_root:
            key, read = self._roots[0]
            only = read(data, 0, state)
            return only if isinstance(only, dict) else {key: only}
        return {key: read(data, 0, state) for key, read in self._roots}

    def field(self, item: Item) -> Convert:
        """The function that reads one field, which stands in no table, out of a record."""
        read = self._read(item, False)
        return lambda data: read(data, 0, State())

    def _key(self, item: Item) -> str:
        return item.key if item.name is not None else self._fillers[id(item)]

    def _read(self, item: Item, lenient: bool) -> Read:
        segments = self._shape.segments.get((item.name or "").upper())
        lenient = self._shape.lenient or (segments is None and (lenient or item.shares))
        one = self._group(item, lenient) if item.children else self._value(item, lenient)
        read = self._table(item, one, lenient) if item.is_table else one
        if segments is None:
            return read
        return lambda data, base, state: read(data, base, state) if state.segment in segments else None

    def _group(self, item: Item, lenient: bool) -> Read:
        steps: list[tuple[str, Read]] = []
        for child in item.children:
            if child.name is None and not child.children and not self._shape.keep_fillers:
                continue
            key = self._key(child)
            steps.append((key, self._read(child, lenient)))
            if (child.name or "").upper() in self._shape.text_of:
                steps.append((f"{key}_NT", self._text_of(child)))
            if self._shape.raw_bytes != "none" and not child.children:
                steps.append((f"{key}_debug", self._raw(child)))

        def read(data: bytes, base: int, state: State) -> Payload:
            return {key: step(data, base, state) for key, step in steps}

        return read

    def _value(self, item: Item, lenient: bool) -> Read:
        convert, offset, size, name = converter(item, self._how), item.offset, item.size, item.key
        partly, counted = self._partly(item, convert), id(item) if id(item) in self._counters else None

        def read(data: bytes, base: int, state: State) -> Any:
            start = base + offset - state.shrunk
            part = data[start : start + size]
            try:
                value = convert(part) if len(part) == size else partly(part)
            except ValueError as error:
                if not lenient:
                    raise BadValueError(name, start, str(error)) from None
                value = self._anyhow(item, part)
            if counted is not None:
                state.counts[counted] = value
            return value

        return read

    def _partly(self, item: Item, convert: Convert) -> Convert:
        """What a field is that the record's end cuts: absent, or the text as far as it goes."""
        is_text = item.picture is not None and item.picture.kind == "text" and item.usage in (None, "display")

        def read(part: bytes) -> Any:
            if not part:
                return None
            if is_text:
                return convert(part)
            raise ValueError("cut off by the end of the record")

        return read

    def _anyhow(self, item: Item, part: bytes) -> str | None:
        """What is left of a value that cannot be read: of a text the rest of it, of a number nothing."""
        if item.picture is None or item.picture.kind != "text" or item.usage not in (None, "display"):
            return None
        return trimmer(self._how.trim, justified=item.justified)(self._how.page.decode_anyhow(part))

    def _table(self, item: Item, one: Read, lenient: bool) -> Read:
        size, most, cuts, offset = item.size, item.most, self._shape.cut_tables, item.offset
        times = self._times(item, lenient)

        def read(data: bytes, base: int, state: State) -> list[Any]:
            count = times(state, base)
            room = len(data) + state.shrunk - base - offset
            if item.counter is None:
                count = min(count, max(0, -(-room // size))) if size else count
            elif count * size > max(room, 0) and not cuts and not lenient:
                raise BadValueError(item.key, base + offset, "the record ends before its table does")
            made = [one(data, base + number * size, state) for number in range(count)]
            if cuts and item.counter is not None:
                state.shrunk += (most - count) * size
            return made

        return read

    def _times(self, item: Item, lenient: bool) -> Callable[[State, int], int]:
        counter, least, most = item.counter, item.least, item.most
        if counter is None:
            return lambda _state, _base: most

        def times(state: State, base: int) -> int:
            count = state.counts.get(id(counter))
            if isinstance(count, int) and least <= count <= most:
                return count
            if lenient:
                return 0
            reason = f"its counter {counter.name} is not from {least} to {most}"
            raise BadValueError(item.key, base + item.offset - state.shrunk, reason)

        return times

    def _text_of(self, item: Item) -> Read:
        offset, total = item.offset, item.total
        trimmed, decode = trimmer(self._how.trim), self._how.page.decode_anyhow

        def read(data: bytes, base: int, state: State) -> str:
            start = base + offset - state.shrunk
            return trimmed(decode(data[start : start + total]))

        return read

    def _raw(self, item: Item) -> Read:
        offset, total, as_hex = item.offset, item.total, self._shape.raw_bytes == "hex"

        def read(data: bytes, base: int, state: State) -> str:
            start = base + offset - state.shrunk
            part = data[start : start + total]
            return part.hex().upper() if as_hex else b64encode(part).decode()

        return read


def _filler_names(layout: Layout) -> dict[int, str]:
    """Names for what has none: FILLER_1 and on for groups, FILLER_P1 and on for fields."""
    nameless = [item for item in layout.items() if item.name is None]
    groups = [item for item in nameless if item.children]
    fields = [item for item in nameless if not item.children]
    return {
        **{id(item): f"FILLER_{number}" for number, item in enumerate(groups, 1)},
        **{id(item): f"FILLER_P{number}" for number, item in enumerate(fields, 1)},
    }
