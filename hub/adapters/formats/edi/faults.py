"""What is wrong with an interchange, a group or a set: where, why in words, and by the codes of both standards.

Sources of the codes: TA105 is X12's element I18, AK304 is 720, AK403 is 723, AK502 is 718 and AK905 is 716, in the
releases 004010 and 005010; 0085 is of the service code list of EDIFACT's syntax versions 3 and 4 (ISO 9735-10, D.3/D.4
of the CONTRL message), action codes are its 0083. A code that both releases of a standard know is preferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Codes:
    """A kind of fault in the codes of answers; empty where a place of the answer has none for it."""

    ta1: str = ""
    group: str = ""
    """AK905."""
    set: str = ""
    """AK502."""
    segment: str = ""
    """AK304."""
    element: str = ""
    """AK403."""
    edifact: str = "18"
    """0085; 18 is an error that is not specified."""


class Kind(Enum):
    """What can be wrong."""

    NO_END = "no_end"
    COUNT = "count"
    REFERENCE = "reference"
    OUTSIDE = "outside"
    CUT_OFF = "cut_off"
    GROUP_MOMENT = "group_moment"
    TOO_MANY_SEGMENTS = "too_many_segments"
    MISSING = "missing"
    TWICE = "twice"
    NOT_SINGLE = "not_single"
    TOO_LONG = "too_long"
    NO_DATE = "no_date"
    NO_NUMBER = "no_number"
    CHARACTERS = "characters"

    @property
    def codes(self) -> Codes:
        """Its codes."""
        return _CODES[self]


_CODES: Mapping[Kind, Codes] = {
    Kind.NO_END: Codes(ta1="023", group="3", set="2", edifact="13"),
    Kind.COUNT: Codes(ta1="021", group="5", set="4", edifact="29"),
    Kind.REFERENCE: Codes(ta1="001", group="4", set="3", edifact="28"),
    Kind.OUTSIDE: Codes(ta1="024", edifact="33"),
    Kind.CUT_OFF: Codes(ta1="023"),
    Kind.GROUP_MOMENT: Codes(ta1="024"),
    Kind.TOO_MANY_SEGMENTS: Codes(set="5", edifact="16"),
    Kind.MISSING: Codes(set="5", segment="3", edifact="13"),
    Kind.TWICE: Codes(set="5", segment="5", edifact="35"),
    Kind.NOT_SINGLE: Codes(set="5", segment="8", element="3", edifact="16"),
    Kind.TOO_LONG: Codes(set="5", segment="8", element="5", edifact="39"),
    Kind.NO_DATE: Codes(set="5", segment="8", element="8", edifact="12"),
    Kind.NO_NUMBER: Codes(set="5", segment="8", element="6", edifact="37"),
    Kind.CHARACTERS: Codes(set="5", segment="8", element="6", edifact="21"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Its text tells the segment by its number in the file, and no value."""

    kind: Kind
    reason: str
    """Empty where that of the fault before it tells of this one too."""
    segment: int
    """Number in the file, from 1."""
    tag: str
    """The segment's; of a missing one its own, at the segment after which it was looked for."""
    element: int = 0
    """From 1, 0 where the whole segment is meant."""
    component: int = 0

    def __str__(self) -> str:
        return self.reason


def place_in_edifact(fault: Fault) -> tuple[str, ...]:
    """S011: the segment's tag counts as the first place, so that the first element is the second."""
    if not fault.element:
        return ()
    return (str(fault.element + 1), *((str(fault.component),) if fault.component else ()))
