"""Interchanges, groups and sets: which segments belong to which, and whether their envelopes agree.

A file is walked twice: an envelope's end, which says how much it held, comes after what it holds. The first walk finds
the faults of envelopes, the second gives the sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from hub.adapters.formats.edi.faults import Fault, Kind
from hub.adapters.formats.edi.tokens import Junk, Scanner, Segment

MAX_SET_SEGMENTS = 200_000
"""More segments are no message; its end was lost."""


@dataclass(frozen=True, slots=True)
class Names:
    """The tags of one standard's envelopes, and which of their elements are references."""

    interchange: tuple[str, str]
    group: tuple[str, str]
    set: tuple[str, str]
    interchange_control: int
    group_control: int
    set_control: int


X12 = Names(("ISA", "IEA"), ("GS", "GE"), ("ST", "SE"), 13, 6, 2)
EDIFACT = Names(("UNB", "UNZ"), ("UNG", "UNE"), ("UNH", "UNT"), 5, 5, 1)
_NAMES = {"X12": X12, "EDIFACT": EDIFACT}


@dataclass(slots=True)
class Set:
    """A transaction set or message with the envelopes around it, and the numbers of all three in the file."""

    interchange: Segment
    group: Segment | None
    place: tuple[int, int, int]
    segments: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Faults:
    """What is wrong with envelopes, by their numbers: interchanges, groups in them, sets in these."""

    interchanges: dict[int, Fault] = field(default_factory=dict)
    groups: dict[tuple[int, int], Fault] = field(default_factory=dict)
    sets: dict[tuple[int, int, int], Fault] = field(default_factory=dict)

    def of(self, place: tuple[int, int, int]) -> Fault | None:
        """Why the set cannot be taken: its own fault or that of what it stands in."""
        return self.sets.get(place) or self.groups.get(place[:2]) or self.interchanges.get(place[0])


class Walk:
    """One walk through a file."""

    def __init__(self, stream: BinaryIO, *, keep: bool) -> None:
        self._scanner, self._keep = Scanner(stream), keep
        self.faults = Faults()
        self.without_sets: dict[int, Segment] = {}
        """Interchanges in which no set was found, by their first segment."""
        self._number = 0
        self._interchange: Segment | None = None
        self._group: Segment | None = None
        self._set: Set | None = None
        self._counts = [0, 0, 0, 0]
        """Groups in the interchange, sets in it, sets in the group, segments in the set."""
        self._groups = 0

    def sets(self) -> Iterator[Set | Junk]:
        """Each set when it ends, with its segments if they are kept; and what belongs to no interchange."""
        for segment in self._scanner.segments():
            if isinstance(segment, Junk):
                yield segment
            else:
                yield from self._take(segment)
        yield from self._end_interchange(None)

    def _take(self, segment: Segment) -> Iterator[Set | Junk]:
        names = _NAMES[segment.signs.standard]
        tag = segment.tag
        if tag == names.interchange[0]:
            yield from self._end_interchange(None)
            self._begin_interchange(segment)
        elif self._interchange is None:
            yield Junk(segment.offset, segment.raw)
            return
        elif tag == names.interchange[1]:
            yield from self._end_interchange(segment)
        elif tag == names.group[0]:
            yield from self._end_group(None)
            self._begin_group(segment, names)
        elif tag == names.group[1] and self._group is not None:
            yield from self._end_group(segment)
        elif tag == names.set[0]:
            yield from self._end_set(None)
            self._begin_set(segment)
        elif self._set is not None:
            self._counts[3] += 1
            if self._keep and self._counts[3] <= MAX_SET_SEGMENTS:
                self._set.segments.append(segment)
            if tag == names.set[1]:
                yield from self._end_set(segment)
        elif tag != "TA1":
            self._wrong(_fault(Kind.OUTSIDE, segment, " stands outside of every set"))
        if not segment.is_whole:
            self._wrong(_fault(Kind.CUT_OFF, segment, " is cut off"))

    def _wrong(self, fault: Fault) -> None:
        self.faults.interchanges.setdefault(self._number, fault)

    def _begin_interchange(self, segment: Segment) -> None:
        self._number += 1
        self._interchange, self._groups = segment, 0
        self._counts = [0, 0, 0, 0]
        self.without_sets[self._number] = segment

    def _begin_group(self, segment: Segment, names: Names) -> None:
        self._group = segment
        self._groups += 1
        self._counts[0] += 1
        self._counts[2] = 0
        if names is X12 and not _is_moment(segment.value(4), segment.value(5)):
            self.faults.groups[self._number, self._groups] = _fault(
                Kind.GROUP_MOMENT, segment, ": GS04 and GS05 are no date and time"
            )

    def _begin_set(self, segment: Segment) -> None:
        assert self._interchange is not None  # noqa: S101  (segments outside of one are no sets)
        self._counts[1] += 1
        self._counts[2] += 1
        self._counts[3] = 1
        self.without_sets.pop(self._number, None)
        self._set = Set(
            self._interchange, self._group, (self._number, self._groups, self._counts[1]), [segment]
        )

    def _end_set(self, end: Segment | None) -> Iterator[Set]:
        ended, self._set = self._set, None
        if ended is None:
            return
        names = _NAMES[ended.interchange.signs.standard]
        first = ended.segments[0]
        fault: Fault | None
        if end is None:
            fault = _no_end(first, names.set[1])
        elif self._counts[3] > MAX_SET_SEGMENTS:
            fault = _fault(Kind.TOO_MANY_SEGMENTS, first, f" has more than {MAX_SET_SEGMENTS} segments")
        else:
            fault = _count(end, self._counts[3], "segments") or _control(first, names.set_control, end)
        if fault:
            self.faults.sets[ended.place] = fault
        yield ended

    def _end_group(self, end: Segment | None) -> Iterator[Set]:
        yield from self._end_set(None)
        begun, self._group = self._group, None
        if begun is None:
            return
        names = _NAMES[begun.signs.standard]
        fault: Fault | None
        if end is None:
            fault = _no_end(begun, names.group[1])
        else:
            fault = _count(end, self._counts[2], "sets") or _control(begun, names.group_control, end)
        if fault:
            place = (self._number, self._groups)
            known = self.faults.groups.get(place)
            # The later one says why the group is refused, where codes are told.
            self.faults.groups[place] = replace(fault, reason=f"{known}; {fault}") if known else fault

    def _end_interchange(self, end: Segment | None) -> Iterator[Set]:
        yield from self._end_group(None)
        begun, self._interchange = self._interchange, None
        if begun is None:
            return
        names = _NAMES[begun.signs.standard]
        if end is None:
            self._wrong(_no_end(begun, names.interchange[1], ": the interchange is cut off"))
            return
        # EDIFACT counts groups where there are any, and messages where there are none.
        what = 0 if names is X12 or self._counts[0] else 1
        fault = _count(end, self._counts[what], ("groups", "messages")[what])
        fault = fault or _control(begun, names.interchange_control, end)
        if fault:
            self._wrong(fault)


def _at(segment: Segment) -> str:
    return f"segment {segment.number} ({segment.shown_tag})"


def _fault(kind: Kind, segment: Segment, reason: str, tag: str = "", element: int = 0) -> Fault:
    return Fault(kind, f"{_at(segment)}{reason}", segment.number, tag or segment.shown_tag, element)


def _no_end(begun: Segment, tag: str, more: str = "") -> Fault:
    return _fault(Kind.NO_END, begun, f" has no {tag}{more}", tag)


def _count(end: Segment, counted: int, what: str) -> Fault | None:
    said = end.value(1)
    number = int(said) if re.fullmatch("[0-9]{1,9}", said) else None
    if number == counted:
        return None
    said = "no number of" if number is None else str(number)
    return _fault(Kind.COUNT, end, f": counts {said} {what} where {counted} are", element=1)


def _control(begin: Segment, element: int, end: Segment) -> Fault | None:
    if begin.value(element).lstrip("0") == end.value(2).lstrip("0"):
        return None
    reason = f": its reference is not that of segment {begin.number} ({begin.tag})"
    return _fault(Kind.REFERENCE, end, reason, element=2)


def _is_moment(day: str, time: str) -> bool:
    try:
        datetime.strptime(day, "%Y%m%d" if len(day) == 8 else "%y%m%d")
        datetime.strptime(time[:6], "%H%M%S" if len(time) >= 6 else "%H%M")
    except ValueError:
        return False
    return day.isdigit() and time.isdigit()
