"""EDI: transaction sets of ANSI X12 and messages of UN/EDIFACT, one record each, also mixed in one file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal

from pydantic import Field, field_validator

from hub.adapters.formats.edi.envelope import Faults, Set, Walk
from hub.adapters.formats.edi.sets import SetError, read_set
from hub.adapters.formats.edi.tokens import Junk
from hub.adapters.formats.lines import RAW_CHARACTERS, clipped
from hub.adapters.formats.text import known_encoding
from hub.adapters.records import BadRecord, FileFormatError, FormatConfig, RawRecord, Record

__all__ = ["EdiFormat"]


class EdiFormat(FormatConfig):
    """X12 and EDIFACT. A set whose envelopes disagree, or whose values cannot be, is set aside; the others load."""

    type: Literal["edi"] = Field(description="Names this format.")
    only: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Types of sets that belong to the stream, such as `850` or `ORDERS`; by default all.",
    )
    encoding: str | None = Field(
        default=None,
        description="Python's name of the encoding; by default what the interchange declares, ISO 8859-1 for X12.",
    )
    loops: tuple[str, ...] | None = Field(
        default=None,
        description="Segments that begin a part of a set, outer ones first, such as `[N1, PO1]`; by default what the "
        "usual types have.",
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return value and known_encoding(value)

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The sets, at `name#number`; the reason of a bad one tells the number of the segment, from 1 in the file.

        Raises:
            FileFormatError: the file cannot be read twice, as envelopes want it.
        """
        if not stream.seekable():
            raise FileFormatError("EDI is read twice, and this file can be read only once")
        start = stream.tell()
        faults, empty = self._first_walk(stream)
        stream.seek(start)
        number = 0
        for found in Walk(stream, keep=True).sets():
            number += 1
            position = f"{name}#{number}"
            if isinstance(found, Junk):
                yield BadRecord(
                    clipped(found.raw), position, f"bytes from byte {found.offset} on are no interchange"
                )
            elif (record := self._record(found, faults, position)) is not None:
                yield record
        for at, (raw, reason) in enumerate(empty, number + 1):
            yield BadRecord(raw, f"{name}#{at}", reason)

    def _first_walk(self, stream: BinaryIO) -> tuple[Faults, list[tuple[str, str]]]:
        """The faults of all envelopes, and the faulty interchanges that have no set which could tell."""
        walk = Walk(stream, keep=False)
        for _ in walk.sets():
            pass
        faults = walk.faults
        empty = [
            (clipped(segment.raw), str(faults.interchanges[number]))
            for number, segment in walk.without_sets.items()
            if number in faults.interchanges
        ]
        return faults, empty

    def _record(self, found: Set, faults: Faults, position: str) -> Record | None:
        fault = str(of) if (of := faults.of(found.place)) is not None else None
        try:
            payload = read_set(found, self.encoding, self.loops)
        except SetError as error:
            fault = fault or str(error)
        if fault is not None:
            terminator = found.interchange.signs.terminator
            raw = terminator.join(segment.raw for segment in found.segments)[:RAW_CHARACTERS]
            return BadRecord(clipped(raw), position, fault)
        return (
            None
            if self.only is not None and payload["type"] not in self.only
            else RawRecord(payload, position)
        )
