"""The syntax of each interchange of a file, as an acknowledgement has to tell it: what the reader checked, no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, BinaryIO

from hub.adapters.formats.edi.envelope import Faults, Names, Set, Walk
from hub.adapters.formats.edi.faults import Fault
from hub.adapters.formats.edi.sets import SetError, read_set
from hub.adapters.formats.edi.tokens import Junk, Segment

if TYPE_CHECKING:
    from hub.adapters.formats.edi import EdiFormat

ACKNOWLEDGEMENTS = frozenset({"997", "999", "CONTRL"})
"""Types of sets that answer others, and are never answered."""


@dataclass(frozen=True, slots=True)
class SetVerdict:
    """A set: its first segment's elements by component, and what is wrong with it."""

    kind: str
    control: str
    """Its reference: ST02 or 0062."""
    head: tuple[tuple[str, ...], ...]
    begins: int
    """Number of its first segment in the file."""
    envelope: Fault | None = None
    inside: tuple[Fault, ...] = ()

    @property
    def is_taken(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.envelope is None and not self.inside


@dataclass(slots=True)
class GroupVerdict:
    """A group; one without `head` stands for the messages of an interchange that has none."""

    head: Segment | None
    said: str = ""
    """How many sets its end says there are."""
    fault: Fault | None = None
    sets: list[SetVerdict] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """Whether it holds anything but acknowledgements."""
        if self.head is not None and self.head.tag == "GS" and self.head.value(1) == "FA":
            return False
        return not self.sets or any(one.kind not in ACKNOWLEDGEMENTS for one in self.sets)


@dataclass(slots=True)
class Verdict:
    """An interchange: its head, what is wrong with its envelope, its groups, and a hash of what it holds."""

    place: int
    """Its number in the file, from 1."""
    head: Segment
    groups: list[GroupVerdict] = field(default_factory=list)
    fault: Fault | None = None
    answers_others: bool = False
    """Whether an X12 interchange holds a TA1."""
    digest: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether it wants an answer: not one that holds nothing but acknowledgements."""
        if not self.groups:
            return not self.answers_others
        return any(group.is_answered for group in self.groups)


def judge(format_: EdiFormat, stream: BinaryIO) -> Iterator[Verdict]:
    """What `format_` finds of each interchange; in memory is what one of them says of its sets.

    The stream is read twice from where it stands, as the format's records are.
    """
    start = stream.tell()
    first = Walk(stream, keep=False)
    for _ in first.sets():
        pass
    stream.seek(start)
    outline = _Outline(stream, first.faults)
    for found in outline.sets():
        yield from outline.finished()
        if not isinstance(found, Junk):
            outline.note(found, format_)
    yield from outline.finished(everything=True)


class _Outline(Walk):
    """A walk that also keeps heads of envelopes, with nothing in them too."""

    def __init__(self, stream: BinaryIO, faults: Faults) -> None:
        super().__init__(stream, keep=True)
        self._known = faults
        self._verdicts: list[Verdict] = []
        self._by_place: dict[tuple[int, int], GroupVerdict] = {}
        self._digests: list[blake2b] = []

    def finished(self, *, everything: bool = False) -> Iterator[Verdict]:
        """Interchanges that another one has followed, or all of them."""
        while len(self._verdicts) > (0 if everything else 1):
            verdict = self._verdicts.pop(0)
            verdict.digest = self._digests.pop(0).hexdigest()
            self._by_place = {at: group for at, group in self._by_place.items() if at[0] != verdict.place}
            yield verdict

    def note(self, found: Set, format_: EdiFormat) -> None:
        """Judge a set that has ended."""
        at = found.place[:2]
        if at not in self._by_place:
            verdict = next(each for each in self._verdicts if each.place == at[0])
            self._by_place[at] = GroupVerdict(None)
            verdict.groups.append(self._by_place[at])
        self._by_place[at].sets.append(self._judged(found, format_))

    def _judged(self, found: Set, format_: EdiFormat) -> SetVerdict:
        first = found.segments[0]
        head = tuple(tuple(one[0]) for one in first.values("latin-1"))
        is_x12 = first.signs.standard == "X12"
        kind = first.value(1) if is_x12 else (*head, ("",), ("",))[1][0].strip()
        inside: tuple[Fault, ...] = ()
        try:
            read_set(found, format_.encoding, format_.loops)
        except SetError as error:
            inside = error.faults
        control = first.value(2 if is_x12 else 1)
        return SetVerdict(kind, control, head, first.number, self._known.sets.get(found.place), inside)

    def _take(self, segment: Segment) -> Iterator[Set | Junk]:
        yield from super()._take(segment)
        if not self._verdicts:
            return
        self._digests[-1].update(segment.raw + b"\0")
        latest = self._verdicts[-1]
        latest.answers_others = latest.answers_others or segment.tag == "TA1"

    def _begin_interchange(self, segment: Segment) -> None:
        super()._begin_interchange(segment)
        fault = self._known.interchanges.get(self._number)
        self._verdicts.append(Verdict(self._number, segment, fault=fault))
        self._digests.append(blake2b(digest_size=16))

    def _begin_group(self, segment: Segment, names: Names) -> None:
        super()._begin_group(segment, names)
        fault = self._known.groups.get((self._number, self._groups))
        group = self._by_place[self._number, self._groups] = GroupVerdict(segment, fault=fault)
        self._verdicts[-1].groups.append(group)

    def _end_group(self, end: Segment | None) -> Iterator[Set]:
        yield from super()._end_group(end)
        if end is not None and end.tag in ("GE", "UNE"):
            self._by_place[self._number, self._groups].said = end.value(1)
