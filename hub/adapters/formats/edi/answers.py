"""Answers to interchanges, as bytes: TA1 with 997 or 999 for X12, CONTRL for EDIFACT, by the delimiters of what came.

No value of a set is repeated (AK404 stays empty): an answer names places and codes. `A` and `R` are what becomes of a
set here, which is taken or not; accepted with errors (`E`) is said of an interchange alone, in its TA1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from hub.adapters.formats.edi.faults import Fault, place_in_edifact
from hub.adapters.formats.edi.judging import GroupVerdict, SetVerdict, Verdict
from hub.adapters.formats.edi.tokens import Delimiters

Resent = Literal["first", "again", "changed"]
"""Whether its control number came before: not, with the same content, or with another one."""

MAX_NUMBER = 999_999_999
"""ISA13 and GS06 have nine digits."""
_REJECTED, _ACKNOWLEDGED, _RECEIVED = "4", "7", "8"
"""EDIFACT's actions, 0083."""
_DUPLICATE_X12, _DUPLICATE_EDIFACT = "025", "26"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an answer has of its own: the first of its control numbers, and its time in UTC."""

    number: int
    moment: datetime


def numbers_of(verdict: Verdict) -> int:
    """How many control numbers the answer takes: its interchange's, which is its first group's, and the others'."""
    return max(1, len(_answered_groups(verdict)))


def answer_of(
    verdict: Verdict, stamp: Stamp, resent: Resent, functional: Literal["997", "999"]
) -> bytes | None:
    """The answer to an interchange; None where there is nothing to say, as to one that answers others itself."""
    if not verdict.is_answered:
        return None
    if verdict.head.signs.standard == "X12":
        return _x12(verdict, stamp, resent, functional)
    return _Written(verdict.head.signs).edifact(verdict, stamp, resent)


def _answered_groups(verdict: Verdict) -> list[GroupVerdict]:
    if verdict.fault is not None or not verdict.is_answered:
        return []
    return [group for group in verdict.groups if group.is_answered and group.head is not None]


class _Written:
    """Segments as they are written with some delimiters."""

    def __init__(self, signs: Delimiters) -> None:
        self._signs = signs
        self._segments: list[bytes] = []

    def add(self, tag: str, *elements: str | bytes | Sequence[str]) -> None:
        """One more segment; what is bytes is written as it is, elements at the end that are empty are not."""
        parts = [tag.encode(), *map(self._element, elements)]
        while not parts[-1]:
            parts.pop()
        self._segments.append(self._signs.element.join(parts))

    def _element(self, element: str | bytes | Sequence[str]) -> bytes:
        if isinstance(element, bytes):
            return element
        parts = [element] if isinstance(element, str) else list(element)
        return self._signs.component.join(map(self._released, parts)).rstrip(self._signs.component)

    def _released(self, text: str) -> bytes:
        signs, data = self._signs, text.encode("latin-1", "replace")
        if signs.release:
            special = {signs.release, signs.element, signs.component, signs.terminator, signs.repetition}
            return b"".join(
                signs.release + data[at : at + 1] if data[at : at + 1] in special else data[at : at + 1]
                for at in range(len(data))
            )
        return data

    def __len__(self) -> int:
        return len(self._segments)

    def whole(self, head: bytes = b"") -> bytes:
        """All segments, after `head`."""
        return head + b"".join(segment + self._signs.terminator for segment in self._segments)

    def edifact(self, verdict: Verdict, stamp: Stamp, resent: Resent) -> bytes:
        """A CONTRL message in an interchange of its own."""
        head, signs = verdict.head, verdict.head.signs
        unb = [*head.elements, *[b""] * 11]
        reference, moment = str(stamp.number), stamp.moment
        version = head.values("latin-1")[0][0][1:2] if head.elements else []
        test = [b"", b"", b"", b"", b"", b"1"] if head.value(11) == "1" else []
        when = (moment.strftime("%Y%m%d" if version == ["4"] else "%y%m%d"), moment.strftime("%H%M"))
        self.add("UNB", unb[0], unb[2], unb[1], when, reference, *test)
        begun = len(self)
        message = ("CONTRL", "4", "1", "UN") if version == ["4"] else ("CONTRL", "D", "3", "UN")
        self.add("UNH", "1", message)
        self._contrl(verdict, unb, resent)
        self.add("UNT", str(len(self) - begun + 1), "1")
        self.add("UNZ", "1", reference)
        advice = (signs.component, signs.element, signs.decimal, signs.release or b" ")
        if (*advice, signs.terminator) == (b":", b"+", b".", b"?", b"'"):
            return self.whole()
        return self.whole(b"UNA" + b"".join((*advice, b" ", signs.terminator)))

    def _contrl(self, verdict: Verdict, unb: Sequence[bytes], resent: Resent) -> None:
        told = (unb[4], unb[1], unb[2])
        if verdict.fault is not None:
            self.add("UCI", *told, _REJECTED, *_coded(verdict.fault))
            return
        if resent == "again":
            self.add("UCI", *told, _REJECTED, _DUPLICATE_EDIFACT)
            return
        taken = all(group.fault is None and all(s.is_taken for s in group.sets) for group in verdict.groups)
        if taken and resent == "first" and verdict.head.value(9) == "2":
            self.add("UCI", *told, _RECEIVED)
            return
        self.add("UCI", *told, _ACKNOWLEDGED, *([_DUPLICATE_EDIFACT] if resent == "changed" else []))
        for group in sorted(verdict.groups, key=lambda each: each.head is not None):
            if group.head is not None:
                ung = [*group.head.elements, *[b""] * 5]
                action = _REJECTED if group.fault is not None else _ACKNOWLEDGED
                coded = _coded(group.fault) if group.fault is not None else ()
                self.add("UCF", ung[4], ung[1], ung[2], action, *coded)
            for one in _told(group):
                self._message(one)

    def _message(self, one: SetVerdict) -> None:
        identifier = one.head[1] if len(one.head) > 1 else ("",)
        action = _ACKNOWLEDGED if one.is_taken else _REJECTED
        self.add("UCM", one.control, identifier, action, *(_coded(one.envelope) if one.envelope else ()))
        for place, faults in _by_segment(one):
            whole = next((fault.kind.codes.edifact for fault in faults if not fault.element), "")
            self.add("UCS", str(place), whole)
            for fault in faults:
                if fault.element:
                    self.add("UCD", fault.kind.codes.edifact, place_in_edifact(fault))


def _coded(fault: Fault) -> tuple[str | Sequence[str], ...]:
    """0085, the service segment's tag and S011."""
    tag = fault.tag if fault.tag in _SERVICE else ""
    return (fault.kind.codes.edifact, tag, place_in_edifact(fault) if tag else "")


_SERVICE = {"UNB", "UNZ", "UNG", "UNE", "UNH", "UNT"}


def _told(group: GroupVerdict) -> Iterator[SetVerdict]:
    """The sets that an answer names: all, but of a group that is refused only those at fault."""
    return (one for one in group.sets if group.fault is None or not one.is_taken)


def _by_segment(one: SetVerdict) -> Iterator[tuple[int, list[Fault]]]:
    """Faults inside a set by segment: its place in the set, from 1. Each missing segment stands alone."""
    for (at, _), faults in groupby(
        sorted(one.inside, key=lambda fault: fault.segment),
        key=lambda fault: (fault.segment, fault.tag),
    ):
        yield at - one.begins + 1, list(faults)


def _x12(verdict: Verdict, stamp: Stamp, resent: Resent, functional: str) -> bytes | None:
    isa, written = verdict.head, _Written(verdict.head.signs)
    moment, number = stamp.moment, f"{stamp.number:09}"
    ids = [(isa.value(at).ljust(2)[:2], isa.value(at + 1).ljust(15)[:15]) for at in (7, 5)]
    written.add(
        "ISA", "00", " " * 10, "00", " " * 10, *ids[0], *ids[1], moment.strftime("%y%m%d"), moment.strftime("%H%M"),
        isa.elements[10].strip(), isa.value(12), number, "0", isa.value(15), isa.signs.component,
    )  # fmt: skip
    status = _ta1(verdict, resent)
    if status is not None:
        written.add("TA1", isa.value(13), isa.value(9), isa.value(10), *status)
    groups = _answered_groups(verdict) if resent != "again" else []
    for at, group in enumerate(groups):
        _group(written, group, stamp, str(stamp.number + at), functional)
    written.add("IEA", str(len(groups)), number)
    return written.whole() if status is not None or groups else None


def _ta1(verdict: Verdict, resent: Resent) -> tuple[str, str] | None:
    """TA104 and TA105; None where neither an error nor ISA14 wants one."""
    if verdict.fault is not None:
        return "R", verdict.fault.kind.codes.ta1
    if resent != "first":
        return ("R" if resent == "again" else "E"), _DUPLICATE_X12
    # A fault that AK905 has no code for.
    noted = [group.fault for group in _answered_groups(verdict) if group.fault is not None]
    told = next((fault.kind.codes.ta1 for fault in noted if not fault.kind.codes.group), None)
    if told is not None:
        return "E", told
    return ("A", "000") if verdict.head.value(14) == "1" else None


def _group(written: _Written, group: GroupVerdict, stamp: Stamp, number: str, functional: str) -> None:
    """A group with the 997 or 999 that answers one."""
    gs = group.head
    assert gs is not None  # noqa: S101  (`_answered_groups` has no others)
    version = gs.value(8)[:6]
    is_999 = functional == "999" and version >= "005010"
    guide = f"{version}X231" if is_999 else version
    moment = stamp.moment
    written.add(
        "GS", "FA", gs.value(3), gs.value(2), moment.strftime("%Y%m%d"), moment.strftime("%H%M"), number, "X", guide
    )  # fmt: skip
    begun = len(written)
    written.add("ST", "999" if is_999 else "997", "0001", guide if is_999 else "")
    written.add("AK1", gs.value(1), gs.value(6), gs.value(8) if version >= "005010" else "")
    letters = "IK" if is_999 else "AK"
    for one in _told(group):
        _set(written, one, letters, with_guide=version >= "005010")
    written.add("AK9", *_counted(group))
    written.add("SE", str(len(written) - begun + 1), "0001")
    written.add("GE", "1", number)


def _set(written: _Written, one: SetVerdict, letters: str, *, with_guide: bool) -> None:
    written.add("AK2", one.kind, one.control, one.head[2][0] if with_guide and len(one.head) > 2 else "")
    for place, faults in _by_segment(one):
        if faults[0].tag == "?":  # what is no tag may be somebody's data
            continue
        written.add(f"{letters}3", faults[0].tag, str(place), "", faults[0].kind.codes.segment)
        for fault in faults:
            if fault.element:
                written.add(f"{letters}4", str(fault.element), "", fault.kind.codes.element)
    faults = [*([one.envelope] if one.envelope is not None else []), *one.inside]
    codes = list(dict.fromkeys(fault.kind.codes.set for fault in faults))
    written.add(f"{letters}5", "R" if faults else "A", *codes[:5])


def _counted(group: GroupVerdict) -> tuple[str, ...]:
    """AK9: what becomes of the group, how many sets it says it has, how many came, how many are taken, and why."""
    received = len(group.sets)
    said = group.said if group.said.isdigit() and len(group.said) <= 6 else str(received)
    taken = 0 if group.fault is not None else sum(one.is_taken for one in group.sets)
    status = "R" if group.fault is not None or (received and not taken) else "A" if taken == received else "P"
    code = group.fault.kind.codes.group if group.fault is not None else ""
    return status, said, str(received), str(taken), code
