"""Where one record ends and the next begins: fixed lengths, length words before records, blocks, lines.

Every byte of a file belongs to a frame, to damage that is told, or to what the configuration passes over. Damage after
which no record can be found ends the file with an error, so that the run does not pass for a good one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, BinaryIO, Literal

from pydantic import Field

from hub.adapters.formats.lines import RAW_CHARACTERS, ended_records
from hub.adapters.records import ConfigModel

Endian = Literal["big", "little"]

MAX_SPANNED_BYTES = 16 * 1024 * 1024
"""A longer record of segments is none: its end was lost."""

_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes of one record, and where they begin in the file."""

    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record: where they begin, why, and whether what follows cannot be read either."""

    offset: int
    data: bytes = field(repr=False)
    reason: str
    is_end: bool = False


class Source:
    """A stream that counts its bytes and keeps the last ones of the file back."""

    def __init__(self, stream: BinaryIO, skip: int, keep_back: int) -> None:
        self._stream, self._keep_back = stream, keep_back
        self._ahead = b""
        self.offset = 0
        self.offset = len(self.take(skip))

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or what is left."""
        wanted = size + self._keep_back - len(self._ahead)
        if wanted > 0:
            self._ahead += _exactly(self._stream, wanted)
        end = max(0, min(size, len(self._ahead) - self._keep_back))
        taken, self._ahead = self._ahead[:end], self._ahead[end:]
        self.offset += len(taken)
        return taken

    def give_back(self, data: bytes) -> None:
        """Let the next `take` begin with `data`, which was taken last."""
        self._ahead = data + self._ahead
        self.offset -= len(data)

    def rest(self) -> int:
        """How many bytes are left; they are gone then."""
        before = self.offset
        while self.take(_CHUNK_BYTES):
            pass
        return self.offset - before


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    while 0 < len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


@dataclass(frozen=True, slots=True)
class Framing:
    """What cutting a file needs to know of its records."""

    size: int
    """Bytes of a record with full tables, and what stands before and after it."""
    encoding: str
    length_of: Callable[[bytes], int] | None = None
    """For `length_field`: the record's length by its first bytes; ValueError where they hold none."""
    prefix: int = 0
    """How many first bytes `length_of` needs."""
    measure: Callable[[bytes], int] | None = None
    """For `counters`: how many of these bytes are the first record; ValueError where its counters make no sense."""


class FixedRecords(ConfigModel):
    """Records of one length, one after the other."""

    type: Literal["fixed"] = Field(description="Names this way of telling records apart.")
    length: int | None = Field(
        default=None,
        ge=1,
        le=16 * 1024 * 1024,
        description="Bytes of each record; the copybook's length unless given.",
    )

    def frames(self, source: Source, known: Framing) -> Iterator[Frame | Damage]:
        """Pieces of one length; a shorter one at the end of the file is damage."""
        length = self.length or known.size
        many = max(1, _CHUNK_BYTES // length) * length
        while chunk := source.take(many):
            start = source.offset - len(chunk)
            whole = len(chunk) - len(chunk) % length
            for at in range(0, whole, length):
                yield Frame(start + at, chunk[at : at + length])
            if whole < len(chunk):
                reason = f"the file ends after {len(chunk) - whole} of the record's {length} bytes"
                yield Damage(start + whole, chunk[whole:], reason)


class RdwRecords(ConfigModel):
    """Variable records (z/OS format V or VB), each after a record descriptor word of four bytes."""

    type: Literal["rdw"] = Field(description="Names this way of telling records apart.")
    endian: Endian = Field(
        default="big",
        description="Order of the length's bytes; `big` on mainframes, `little` after some transfers.",
    )
    includes_header: bool = Field(
        default=True,
        description="Whether the length counts the four bytes of the word too, as z/OS writes it.",
    )
    adjustment: int = Field(default=0, description="Bytes to add to every length.")
    blocks: bool = Field(
        default=False,
        description="Whether records stand in blocks, each after a block descriptor word (BDW).",
    )

    spanned: bool = Field(
        default=False,
        description="Whether records may be cut into segments over blocks (format VBS), as their words mark; without "
        "it a word with such a mark is damage.",
    )

    def frames(self, source: Source, known: Framing) -> Iterator[Frame | Damage]:
        """Records by their words; a length that cannot be ends the block, or the file where there are none."""
        del known
        pieces = self._in_blocks(source) if self.blocks else self._one_by_one(source)
        return _joined(pieces) if self.spanned else (piece.whole() for piece in pieces)

    def _one_by_one(self, source: Source) -> Iterator[_Piece]:
        while header := source.take(4):
            at = source.offset - len(header)
            size, reason = self._payload_size(header)
            data = source.take(size)
            if reason or len(data) < size:
                reason = reason or _short("record", size, len(data))
                yield _Piece(Damage(at, header + data[:RAW_CHARACTERS], reason, is_end=True))
                return
            yield _Piece(Frame(at, data), header[2] if self.spanned else 0)

    def _payload_size(self, header: bytes) -> tuple[int, str | None]:
        """The bytes that the word says, or 0 and why it can say nothing."""
        first, last = (int.from_bytes(part, self.endian) for part in (header[:2], header[2:]))
        if first and last and not self.spanned:
            return 0, "the record's descriptor word marks a segment of a spanned record, or is none"
        size = (first or last) + self.adjustment - (4 if self.includes_header else 0)
        if len(header) < 4 or size <= 0:
            return 0, "no record can have the length that its descriptor word says"
        return size, None

    def _in_blocks(self, source: Source) -> Iterator[_Piece]:
        while header := source.take(4):
            at = source.offset - len(header)
            size = _block_size(header)
            block = source.take(size or 0)
            if size is None or len(block) < size:
                raw = header + block[:RAW_CHARACTERS]
                reason = "no block can have the length that its descriptor word says"
                yield _Piece(
                    Damage(
                        at, raw, reason if size is None else _short("block", size, len(block)), is_end=True
                    )
                )
                return
            yield from self._in_block(block, at + 4)

    def _in_block(self, block: bytes, start: int) -> Iterator[_Piece]:
        place = 0
        while place < len(block):
            header = block[place : place + 4]
            size, reason = self._payload_size(header)
            data = block[place + 4 : place + 4 + size]
            if reason or len(data) < size:
                reason = reason or _short("record", size, len(data))
                reason += f"; the {len(block) - place} bytes to the block's end are not read"
                yield _Piece(Damage(start + place, block[place:], reason))
                return
            yield _Piece(Frame(start + place, data), header[2] if self.spanned else 0)
            place += 4 + size


@dataclass(frozen=True, slots=True)
class _Piece:
    """A record, a segment of a spanned one (marked 1 first, 2 last, 3 between), or damage."""

    found: Frame | Damage
    mark: int = 0

    def whole(self) -> Frame | Damage:
        return self.found


def _joined(pieces: Iterator[_Piece]) -> Iterator[Frame | Damage]:
    """Records out of their segments; what lacks its beginning or its end is damage."""
    open_frames: list[Frame] = []
    for piece in pieces:
        found = piece.found
        begins = isinstance(found, Damage) or piece.mark in (0, 1)
        if open_frames and (begins or sum(len(frame.data) for frame in open_frames) > MAX_SPANNED_BYTES):
            yield _unfinished(open_frames)
            open_frames = []
        if isinstance(found, Damage) or piece.mark == 0:
            yield found
        elif piece.mark == 1:
            open_frames = [found]
        elif not open_frames:
            yield Damage(found.offset, found.data, "a segment of a spanned record whose beginning is missing")
        else:
            open_frames.append(found)
            if piece.mark == 2:
                yield Frame(open_frames[0].offset, b"".join(frame.data for frame in open_frames))
                open_frames = []
    if open_frames:
        yield _unfinished(open_frames)


def _unfinished(frames: list[Frame]) -> Damage:
    data = b"".join(frame.data for frame in frames)
    return Damage(frames[0].offset, data[:RAW_CHARACTERS], "a spanned record whose end is missing")


def _block_size(header: bytes) -> int | None:
    if len(header) < 4:
        return None
    # The first bit says that the length has 31 bits, not 15.
    extended = header[0] & 0x80
    size = int.from_bytes(header, "big") & 0x7FFFFFFF if extended else int.from_bytes(header[:2], "big")
    return size - 4 if size > 4 else None


def _short(what: str, size: int, found: int) -> str:
    return f"the {what}'s descriptor word says {size} bytes, and {found} are left"


class LengthFieldRecords(ConfigModel):
    """Variable records that say their own length in a field of the copybook."""

    type: Literal["length_field"] = Field(description="Names this way of telling records apart.")
    field: str = Field(
        min_length=1, description="Field of the copybook that holds the record's length in bytes."
    )
    adjustment: int = Field(
        default=0,
        description="Bytes to add to it, such as 4 where it does not count itself and two more bytes.",
    )

    def frames(self, source: Source, known: Framing) -> Iterator[Frame | Damage]:
        """Records by their own lengths; one that cannot be ends the file."""
        if known.length_of is None:
            return
        while head := source.take(known.prefix):
            at = source.offset - len(head)
            try:
                size = known.length_of(head) + self.adjustment
            except ValueError as error:
                yield Damage(at, head, f"{self.field}: {error}", is_end=True)
                return
            if size < len(head) or len(head) < known.prefix:
                yield Damage(
                    at, head, f"{self.field} says {size} bytes, fewer than stand before it", is_end=True
                )
                return
            data = head + source.take(size - len(head))
            if len(data) < size:
                reason = f"{self.field} says {size} bytes, and {len(data)} are left"
                yield Damage(at, data[:RAW_CHARACTERS], reason, is_end=True)
                return
            yield Frame(at, data)


class HeaderRecords(ConfigModel):
    """Variable records after a header of one's own, which holds the length of what follows it."""

    type: Literal["header"] = Field(description="Names this way of telling records apart.")
    length: int = Field(ge=1, le=4096, description="Bytes of the header.")
    size_at: int = Field(ge=0, description="Where in the header the length stands, counted from 0.")
    size_bytes: int = Field(default=2, ge=1, le=8, description="Bytes of the length.")
    endian: Endian = Field(default="big", description="Order of the length's bytes.")
    adjustment: int = Field(default=0, description="Bytes to add to every length.")
    mark_at: int | None = Field(
        default=None, ge=0, description="Byte of the header, from 0, that marks a record."
    )
    mark: int = Field(
        default=1, ge=0, le=255, description="What must stand at `mark_at`; other records are passed over."
    )

    def frames(self, source: Source, known: Framing) -> Iterator[Frame | Damage]:
        """Records by their headers; what has another mark is passed over, a length that cannot be ends the file."""
        del known
        while header := source.take(self.length):
            at = source.offset - len(header)
            if len(header) < self.length:
                yield Damage(at, header, f"the file ends inside a header of {self.length} bytes", is_end=True)
                return
            size = int.from_bytes(header[self.size_at : self.size_at + self.size_bytes], self.endian)
            size += self.adjustment
            data = source.take(max(0, size))
            if size < 0 or len(data) < size:
                reason = f"the record's header says {size} bytes, and {len(data)} are left"
                yield Damage(at, header + data[:RAW_CHARACTERS], reason, is_end=True)
                return
            if self.mark_at is None or header[self.mark_at] == self.mark:
                yield Frame(at, data)


class LineRecords(ConfigModel):
    """Records in lines of text, shorter where blanks at their end were left out."""

    type: Literal["lines"] = Field(description="Names this way of telling records apart.")

    def frames(self, source: Source, known: Framing) -> Iterator[Frame | Damage]:
        """The lines; those that are empty are passed over."""
        blank = " ".encode(known.encoding)
        base = source.offset
        for offset, raw in ended_records(source.take, known.encoding):
            if len(raw) > known.size:
                reason = f"the line has {len(raw)} bytes where the copybook has {known.size}"
                yield Damage(base + offset, raw[:RAW_CHARACTERS], reason)
            elif raw:
                yield Frame(base + offset, raw.ljust(known.size, blank))


class CounterRecords(ConfigModel):
    """Records without any length: each ends where its own counters (OCCURS DEPENDING ON) say."""

    type: Literal["counters"] = Field(description="Names this way of telling records apart.")

    def frames(self, source: Source, known: Framing) -> Iterator[Frame | Damage]:
        """Records as long as their counters make them; counters that cannot be end the file."""
        if known.measure is None:
            return
        while data := source.take(known.size):
            at = source.offset - len(data)
            try:
                size = known.measure(data)
            except ValueError as error:
                yield Damage(at, data, str(error), is_end=True)
                return
            if size > len(data) or size < 1:
                yield Damage(
                    at, data, f"its counters make {size} bytes, and {len(data)} are left", is_end=True
                )
                return
            source.give_back(data[size:])
            yield Frame(at, data[:size])


Records = Annotated[
    FixedRecords | RdwRecords | LengthFieldRecords | HeaderRecords | LineRecords | CounterRecords,
    Field(discriminator="type"),
]
