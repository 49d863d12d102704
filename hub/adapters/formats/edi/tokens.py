"""Segments of X12 and EDIFACT, read as a stream: delimiters from each interchange's head, binary data by its length.

Line breaks are no data unless they end the segments. A head that stands inside a segment begins an interchange all the
same: the one before it was cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Literal

MAX_SEGMENT_BYTES = 1 << 20
"""A longer segment is none: its terminator is lost. Binary data may be longer."""
MAX_BINARY_BYTES = 64 << 20

_CHUNK_BYTES = 1 << 12
_MARK = b"\xef\xbb\xbf"
"""What editors of texts in UTF-8 put before the first byte."""
_WHITE = b"\r\n\t \0\x1a"
_X12_HEAD = re.compile(rb"ISA([^A-Za-z0-9\s])")
_X12_INSIDE = re.compile(rb"ISA([^A-Za-z0-9\s]).{2}\1.{10}\1.{2}\1.{10}\1.{2}\1", re.DOTALL)
_EDIFACT_HEAD = re.compile(rb"UNA[^A-Za-z0-9\r\n]{5}.|UNB.UNO[A-Z]", re.DOTALL)
"""The fifth sign of a UNA is a blank, or from version 4 of the syntax on (ISO 9735-1) stands between repetitions."""
_HEADS = re.compile(_X12_HEAD.pattern + rb"|" + _EDIFACT_HEAD.pattern, re.DOTALL)
_LENGTH_AT = {b"BIN": 1, b"BDS": 2}
"""Segments with binary data, and which of their elements says how long it is."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The signs of one interchange, each one byte; none for those that it has not."""

    standard: Literal["X12", "EDIFACT"]
    element: bytes
    component: bytes
    terminator: bytes
    repetition: bytes = b""
    release: bytes = b""
    decimal: bytes = b"."


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its number in the file from 1, where it begins, and its elements as they are written."""

    number: int
    offset: int
    tag: str
    elements: list[bytes] = field(repr=False)
    raw: bytes = field(repr=False)
    signs: Delimiters
    is_whole: bool = True
    """Whether its terminator was found."""

    @property
    def shown_tag(self) -> str:
        """The tag for messages: what is no tag may be somebody's data."""
        return self.tag if re.fullmatch("[A-Z][A-Z0-9]{1,2}", self.tag) else "?"

    def values(self, encoding: str) -> list[list[list[str]]]:
        """The elements, each a list of repetitions, each a list of components.

        Raises:
            UnicodeDecodeError: its bytes are not in this encoding.
        """
        signs = self.signs
        return [
            [
                [
                    _released(part, signs.release).decode(encoding)
                    for part in _split(one, signs.component, signs.release)
                ]
                for one in _split(element, signs.repetition, signs.release)
            ]
            for element in self.elements
        ]

    def undecodable(self, encoding: str) -> int:
        """The first element with bytes that are not in this encoding; 0 when there is none."""
        for number, element in enumerate(self.elements, 1):
            try:
                element.decode(encoding)
            except UnicodeDecodeError:
                return number
        return 0

    def value(self, element: int) -> str:
        """An element of an envelope as one text, empty where there is none; elements count from 1."""
        if element > len(self.elements):
            return ""
        return _released(self.elements[element - 1], self.signs.release).decode("latin-1").strip()


@dataclass(frozen=True, slots=True)
class Junk:
    """Bytes that belong to no interchange."""

    offset: int
    raw: bytes = field(repr=False)


class Scanner:
    """Cuts a stream into segments."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._data = b""
        self._offset = 0
        self._is_end = False

    def segments(self) -> Iterator[Segment | Junk]:
        """Every segment, envelopes included and UNA left out, in the order of the file."""
        signs: Delimiters | None = None
        number = 0
        if self._fill(len(_MARK)) and self._data.startswith(_MARK):
            self._drop(len(_MARK))
        while self._skip_white():
            head = self._head()
            if head is not None:
                signs = head
            if signs is None:
                yield self._junk()
                continue
            if self._data.startswith(b"UNA"):
                # What it advises holds for the head that must follow.
                self._drop(9)
                signs = None
                continue
            number += 1
            segment = self._segment(signs, number)
            yield segment
            if segment.tag in ("IEA", "UNZ") or not segment.is_whole:
                signs = None

    def _fill(self, size: int) -> bool:
        """Whether so many bytes are there, after reading on."""
        while len(self._data) < size and not self._is_end:
            more = self._stream.read(max(_CHUNK_BYTES, size - len(self._data)))
            self._is_end = not more
            self._data += more
        return len(self._data) >= size

    def _drop(self, size: int) -> bytes:
        taken, self._data = self._data[:size], self._data[size:]
        self._offset += len(taken)
        return taken

    def _skip_white(self) -> bool:
        while self._fill(1):
            rest = self._data.lstrip(_WHITE)
            self._drop(len(self._data) - len(rest))
            if self._data:
                return True
        return False

    def _head(self) -> Delimiters | None:
        """The signs of the interchange that begins here, if one does."""
        self._fill(512)
        if (found := _X12_HEAD.match(self._data)) is not None:
            return _x12_signs(self._data[:512], found[1])
        if _EDIFACT_HEAD.match(self._data) is None:
            return None
        if self._data.startswith(b"UNB"):
            # After a UNA its signs hold; the head itself shows the one between its elements.
            signs = self._after_una or _edifact_signs(b":" + self._data[3:4] + b".? '")
            repeats = signs.repetition or (
                b"*" if self._data[9:10] >= b"4" and signs.element != b"*" else b""
            )
            return replace(signs, repetition=repeats)
        self._after_una = _edifact_signs(self._data[3:9])
        return self._after_una

    _after_una: Delimiters | None = None

    def _junk(self) -> Junk:
        offset, kept = self._offset, b""
        while self._fill(1):
            found = _HEADS.search(self._data, 1)
            end = (
                found.start() if found is not None else max(1, len(self._data) - (0 if self._is_end else 16))
            )
            kept += self._drop(end)[: MAX_SEGMENT_BYTES - len(kept)]
            if found is not None or (self._is_end and not self._data):
                break
            self._fill(len(self._data) + 1)
        return Junk(offset, kept)

    def _segment(self, signs: Delimiters, number: int) -> Segment:
        size, offset = self._binary_size(signs), self._offset
        end = size if size is not None else self._terminator(signs)
        is_whole = end is not None
        raw = self._drop(end if end is not None else min(len(self._data), MAX_SEGMENT_BYTES))
        inside = next((f for f in (_X12_INSIDE.search(raw, 1), _EDIFACT_HEAD.search(raw, 1)) if f), None)
        if inside is not None and size is None and raw[:3] != b"ISA":
            self._data = raw[inside.start() :] + self._data
            self._offset -= len(raw) - inside.start()
            raw, is_whole = raw[: inside.start()], False
        elif is_whole:
            raw = raw[:-1]
        if signs.terminator != b"\n" and size is None:
            raw = raw.replace(b"\r", b"").replace(b"\n", b"")
        elif size is None:
            raw = raw.removesuffix(b"\r")
        if signs.standard == "EDIFACT" and raw.startswith((b"UNZ",)):
            self._after_una = None
        tag, elements = _parted(raw, signs, size)
        return Segment(number, offset, tag, elements, raw, signs, is_whole)

    def _terminator(self, signs: Delimiters) -> int | None:
        """Where the segment ends, its terminator included; None when it does not."""
        place = 0
        while True:
            found = self._data.find(signs.terminator, place)
            if found < 0:
                place = len(self._data)
                if place > MAX_SEGMENT_BYTES or not self._fill(place + 1):
                    return None
            elif signs.release and _is_released(self._data, found, signs.release):
                place = found + 1
            else:
                return found + 1

    def _binary_size(self, signs: Delimiters) -> int | None:
        """Where a segment with binary data ends; None for others, and where no length can be read."""
        place = _LENGTH_AT.get(self._data[:3])
        if signs.standard != "X12" or place is None or self._data[3:4] != signs.element:
            return None
        parts = self._data[:64].split(signs.element, place + 1)
        if len(parts) < place + 2 or not parts[place].isdigit() or int(parts[place]) > MAX_BINARY_BYTES:
            return None
        end = sum(map(len, parts[:-1])) + place + 1 + int(parts[place]) + 1
        return end if self._fill(end) and self._data[end - 1 : end] == signs.terminator else None


def _parted(raw: bytes, signs: Delimiters, size: int | None) -> tuple[str, list[bytes]]:
    """The tag and the elements of a segment."""
    if size is not None:
        tag, *elements = raw.split(signs.element, _LENGTH_AT[raw[:3]] + 1)
    else:
        tag, *elements = _split(raw, signs.element, signs.release)
    # An EDIFACT tag may name the loop it stands in, after a colon.
    name = tag.split(signs.component)[0] if signs.standard == "EDIFACT" else tag
    return name.decode("latin-1").strip(), elements


def _x12_signs(head: bytes, element: bytes) -> Delimiters | None:
    """The signs by an ISA's elements: ISA11 may be the repetition's, ISA16 is the component's, then the end's."""
    place = seen = 0
    while place < len(head) and seen < 16:
        seen += head[place : place + 1] == element
        place += 1
    rest = head[place:].lstrip(b"\r\n")
    if seen < 16 or len(rest) < 2:
        return None
    terminator = rest[1:2]
    if terminator == b"\r" and rest[2:3] == b"\n":
        terminator = b"\n"
    elements = head[:place].replace(b"\r", b"").replace(b"\n", b"").split(element)
    repetition = elements[11]
    is_sign = len(repetition) == 1 and not repetition.isalnum() and elements[12] >= b"00402"
    return Delimiters("X12", element, rest[:1], terminator, repetition if is_sign else b"")


def _edifact_signs(advice: bytes) -> Delimiters:
    component, element, decimal, release, repetition, terminator = (advice[n : n + 1] for n in range(6))
    return Delimiters("EDIFACT", element, component, terminator, repetition.strip(), release.strip(), decimal)


def _is_released(data: bytes, place: int, release: bytes) -> bool:
    count = 0
    while place - count > 0 and data[place - count - 1 : place - count] == release:
        count += 1
    return count % 2 == 1


def _split(data: bytes, sign: bytes, release: bytes) -> list[bytes]:
    """The parts between signs that are not released."""
    if not sign:
        return [data]
    if not release or release not in data:
        return data.split(sign)
    parts, begun, place = [], 0, 0
    while place < len(data):
        here = data[place : place + 1]
        if here == release:
            place += 1
        elif here == sign:
            parts.append(data[begun:place])
            begun = place + 1
        place += 1
    return [*parts, data[begun:]]


def _released(data: bytes, release: bytes) -> bytes:
    if not release or release not in data:
        return data
    return re.sub(re.escape(release) + rb"(.)", rb"\1", data, flags=re.DOTALL)
