"""What a run has met: the heads of records, and the records of a batch in the order in which they came and went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hub.adapters.records import BadRecord, GoneRecord, RawRecord, Record


@dataclass(slots=True)
class SeenHeads:
    """The ids of the heads met in a run, one bit each: a million records take 125 kB."""

    bits: bytearray = field(default_factory=bytearray, repr=False)

    def add(self, head_id: int) -> None:
        """Note that the record with this head was met."""
        place = head_id >> 3
        if place >= len(self.bits):
            self.bits.extend(bytes(max(place + 1 - len(self.bits), 4096)))
        self.bits[place] |= 1 << (head_id & 7)

    def __contains__(self, head_id: int) -> bool:
        place = head_id >> 3
        return place < len(self.bits) and bool(self.bits[place] & 1 << (head_id & 7))


def in_parts(records: Sequence[Record]) -> Iterator[tuple[list[RawRecord | BadRecord], list[GoneRecord]]]:
    """The records in their order, in parts: what is there, and what is gone after it. At least one part."""
    there: list[RawRecord | BadRecord] = []
    gone: list[GoneRecord] = []
    for record in records:
        if isinstance(record, GoneRecord):
            gone.append(record)
            continue
        if gone:
            yield there, gone
            there, gone = [], []
        there.append(record)
    yield there, gone
