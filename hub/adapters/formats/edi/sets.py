"""What one set says: checks of what every partner's variant of it must have, and its payload.

A payload has a list for each tag: `BIG[0].BIG02` is the invoice's number. The first component of an element has the
element's name, further ones `QTY01_2`; what is repeated stands in `AK401_more`. Segments that belong to a line or a
party are lists inside it: each `PO1` holds its `PID`, each `LIN` its `QTY` and `PRI`. Values are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from hub.adapters.formats.edi.envelope import Set
from hub.adapters.formats.edi.faults import Fault, Kind
from hub.adapters.formats.edi.tokens import Segment
from hub.adapters.records import Payload

Values = list[list[list[str]]]

LOOPS: Mapping[str, tuple[str, ...]] = {
    "810": ("N1", "IT1"),
    "850": ("N1", "PO1"),
    "855": ("N1", "PO1"),
    "856": ("HL",),
    "997": ("AK2",),
    "ORDERS": ("NAD", "LIN"),
    "ORDRSP": ("NAD", "LIN"),
    "DESADV": ("NAD", "CPS", "LIN"),
    "INVOIC": ("NAD", "LIN"),
}
"""Segments with which a part of a set begins, from the outer to the inner; one that comes inside a later one is its."""

_MEMBERS: Mapping[str, frozenset[str]] = {
    "N1": frozenset({"N2", "N3", "N4", "PER", "REF"}),
    "NAD": frozenset({"COM", "CTA", "DOC", "DTM", "FII", "LOC", "RFF"}),
}
"""What can belong to a party; with anything else it is over. The other parts hold whatever follows."""

_SUMMARIES = {"CTT", "TDS", "UNS", "SE", "UNT", "AK9"}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "810": ("BIG",),
    "850": ("BEG",),
    "855": ("BAK",),
    "856": ("BSN", "HL"),
    "997": ("AK1", "AK9"),
    "ORDERS": ("BGM",),
    "ORDRSP": ("BGM",),
    "DESADV": ("BGM",),
    "INVOIC": ("BGM",),
    "CONTRL": ("UCI",),
}
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?")
_NUMBERS = {
    "X12": {
        ("AK3", 2, 1), ("AK4", 2, 1), ("AK9", 2, 1), ("AK9", 3, 1), ("AK9", 4, 1), ("PO1", 2, 1), ("PO1", 4, 1),
        ("IT1", 2, 1), ("IT1", 4, 1), ("SN1", 2, 1), ("ACK", 2, 1), ("TDS", 1, 1), ("CTT", 1, 1),
    },
    "EDIFACT": {("QTY", 1, 2), ("MOA", 1, 2), ("PRI", 1, 2), ("PCD", 1, 2), ("CNT", 1, 2)},
}  # fmt: skip
"""Elements and components that are numbers: tag, element, component."""
_LONGEST = {
    ("NAD", 1): 3,
    ("AK1", 1): 2,
    ("AK2", 1): 3,
    ("BEG", 1): 2,
    ("BEG", 2): 2,
    ("BGM", 3): 3,
    ("AK5", 1): 1,
}
_SINGLE = {("AK1", None), ("AK2", None), ("AK3", None), ("AK5", None), ("AK9", None), ("AK4", 2), ("AK4", 4)}
"""Segments, or elements of them, that have neither components nor repetitions in any release."""
_DATES = {("BIG", 1), ("BEG", 5), ("BAK", 4), ("BSN", 3), ("DTM", 2)}
_QUALIFIED = {
    "102": (8, "%Y%m%d"),
    "203": (12, "%Y%m%d%H%M"),
    "204": (14, "%Y%m%d%H%M%S"),
    "101": (6, "%y%m%d"),
}
"""Formats of EDIFACT's dates: by their code, how many digits are read and as what; more digits are a time."""

CHARACTERS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5",
    "UNOF": "iso8859-7", "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9", "UNOW": "utf-8", "UNOY": "utf-8",
}  # fmt: skip
"""Encodings by the syntax identifier that an EDIFACT interchange declares."""


MAX_FAULTS = 8
"""How many faults of one set are told; they help whoever corrects it, up to a point."""


class SetError(ValueError):
    """Inside this package: what is wrong with a set, told with the numbers of segments and without values."""

    def __init__(self, faults: list[Fault]) -> None:
        told = [fault.reason for fault in faults if fault.reason]
        more = f"; and {len(told) - MAX_FAULTS} more" if len(told) > MAX_FAULTS else ""
        super().__init__("; ".join(told[:MAX_FAULTS]) + more)
        self.faults = tuple(faults)


def read_set(found: Set, encoding: str | None, loops: tuple[str, ...] | None) -> Payload:
    """The payload of a set.

    Raises:
        SetError: it lacks what its kind must have, or a value is not what its element holds.
    """
    first = found.segments[0]
    is_x12 = first.signs.standard == "X12"
    declared = found.interchange.value(1).partition(found.interchange.signs.component.decode("latin-1"))[0]
    characters = encoding or ("latin-1" if is_x12 else CHARACTERS.get(declared, "ascii"))
    read = [(segment, _values(segment, characters)) for segment in found.segments]
    kind = first.value(1) if is_x12 else _component(read[0][1], 2, 1)
    _check(kind, read)
    made: Payload = {
        "standard": first.signs.standard,
        "type": kind,
        "version": _version(found, read[0][1], is_x12),
        "control": first.value(2 if is_x12 else 1),
        "interchange": _x12_envelope(found.interchange)
        if is_x12
        else _edifact_envelope(found.interchange, characters),
        "group": None if found.group is None else {"control": found.group.value(6 if is_x12 else 5)},
    }
    _arrange(made, read[1:-1], LOOPS.get(kind, ()) if loops is None else loops)
    return made


def _values(segment: Segment, encoding: str) -> Values:
    try:
        values = segment.values(encoding)
    except UnicodeDecodeError:
        reason = (
            f"segment {segment.number} ({segment.shown_tag}): bytes outside of {encoding}; give `encoding`"
        )
        element = segment.undecodable(encoding)
        raise SetError([Fault(Kind.CHARACTERS, reason, segment.number, segment.shown_tag, element)]) from None
    decimal = segment.signs.decimal.decode("latin-1")
    if decimal == ",":
        for tag, element, component in _NUMBERS["EDIFACT"]:
            if tag == segment.tag and element <= len(values) and component <= len(values[element - 1][0]):
                values[element - 1][0][component - 1] = values[element - 1][0][component - 1].replace(
                    ",", "."
                )
    return values


def _component(values: Values, element: int, component: int) -> str:
    if element > len(values) or component > len(values[element - 1][0]):
        return ""
    return values[element - 1][0][component - 1].strip()


def _version(found: Set, head: Values, is_x12: bool) -> str:
    if is_x12:
        return found.group.value(8) if found.group is not None else ""
    return f"{_component(head, 2, 2)}.{_component(head, 2, 3)}"


def _x12_envelope(isa: Segment) -> Payload:
    return {
        "sender": isa.value(6),
        "receiver": isa.value(8),
        "time": f"{isa.value(9)}{isa.value(10)}",
        "control": isa.value(13),
        "is_test": isa.value(15) == "T",
    }


def _edifact_envelope(unb: Segment, encoding: str) -> Payload:
    values = _values(unb, encoding)
    return {
        "sender": _component(values, 2, 1),
        "receiver": _component(values, 3, 1),
        "time": _component(values, 4, 1) + _component(values, 4, 2),
        "control": _component(values, 5, 1),
        "is_test": _component(values, 11, 1) == "1",
    }


def _arrange(made: Payload, read: list[tuple[Segment, Values]], loops: tuple[str, ...]) -> None:
    """Put each segment where it belongs: into the part that is open, or beside the parts."""
    level = {tag: number for number, tag in enumerate(loops)}
    opened: list[tuple[int, Payload, str]] = []
    for segment, values in read:
        tag = segment.tag
        one = _named(tag, values)
        if tag in _SUMMARIES:
            opened = []
        elif tag in level:
            # What leads a part further out begins it, unless a line is open, whose own it is then.
            while opened and not opened[-1][0] > level[tag]:
                opened.pop()
        elif opened and tag not in _MEMBERS.get(opened[-1][2], (tag,)):
            opened.pop()
        (opened[-1][1] if opened else made).setdefault(tag, []).append(one)
        if tag in level:
            opened.append((level[tag], one, tag))


def _named(tag: str, values: Values) -> Payload:
    made: Payload = {}
    for number, repetitions in enumerate(values, 1):
        name = f"{tag}{number:02}"
        for place, component in enumerate(repetitions[0], 1):
            if component:
                made[name if place == 1 else f"{name}_{place}"] = component
        if len(repetitions) > 1:
            made[f"{name}_more"] = [
                {str(place): component for place, component in enumerate(parts, 1) if component}
                for parts in repetitions[1:]
            ]
    return made


def _check(kind: str, read: list[tuple[Segment, Values]]) -> None:
    tags = [segment.tag for segment, _ in read]
    missing = [tag for tag in _REQUIRED.get(kind, ()) if tag not in tags]
    faults: list[Fault] = []
    if missing:
        reason = f"segment {read[0][0].number} ({tags[0]}): the set has no {' and no '.join(missing)}"
        # Looked for up to the set's end, so that its answer tells them there, one by one.
        faults += [Fault(Kind.MISSING, reason, read[-1][0].number, missing[0])]
        faults += [Fault(Kind.MISSING, "", read[-1][0].number, tag) for tag in missing[1:]]
    for segment, values in read:
        faults += _faults(segment, values)
    sections = [segment.number for segment, _ in read if segment.tag == "UNS"]
    faults += [
        Fault(Kind.TWICE, f"segment {number} (UNS): stands twice", number, "UNS") for number in sections[1:]
    ]
    if faults:
        raise SetError(faults)


def _faults(segment: Segment, values: Values) -> Iterator[Fault]:
    """What is wrong with a segment's values, each as `segment 11 (QTY01_2): not a number`."""
    tag, standard = segment.tag, segment.signs.standard

    def fault(kind: Kind, element: int, component: int, reason: str) -> Fault:
        name = f"{tag}{element:02}{f'_{component}' if component > 1 else ''}"
        return Fault(
            kind, f"segment {segment.number} ({name}): {reason}", segment.number, tag, element, component
        )

    if tag in ("BIN", "BDS") and standard == "X12":
        place = 1 if tag == "BIN" else 2
        if not _component(values, place, 1).isdigit():
            yield fault(Kind.NO_NUMBER, place, 0, "not a number of bytes")
    for number, repetitions in enumerate(values, 1):
        text = repetitions[0][0].strip()
        if {(tag, None), (tag, number)} & _SINGLE and (len(repetitions) > 1 or len(repetitions[0]) > 1):
            yield fault(Kind.NOT_SINGLE, number, 0, "components or repetitions where one value is")
        if len(text) > _LONGEST.get((tag, number), len(text)):
            yield fault(Kind.TOO_LONG, number, 0, f"more than {_LONGEST[tag, number]} characters")
        if standard == "X12" and (tag, number) in _DATES and text and not _is_date(text):
            yield fault(Kind.NO_DATE, number, 0, "not a date")
        for place, component in enumerate(repetitions[0], 1):
            if (
                (tag, number, place) in _NUMBERS[standard]
                and component
                and not _NUMBER.fullmatch(component.strip())
            ):
                yield fault(Kind.NO_NUMBER, number, place if standard == "EDIFACT" else 0, "not a number")
    if tag == "DTM" and standard == "EDIFACT" and not _is_qualified(values):
        yield fault(Kind.NO_DATE, 1, 2, "not a date of its format")


def _is_date(text: str) -> bool:
    return len(text) in (6, 8) and _parses(text, "%Y%m%d" if len(text) == 8 else "%y%m%d")


def _is_qualified(values: Values) -> bool:
    text, code = _component(values, 1, 2), _component(values, 1, 3)
    if not text or code not in _QUALIFIED:
        return True
    length, pattern = _QUALIFIED[code]
    return len(text) >= length and text.isdigit() and _parses(text[:length], pattern)


def _parses(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True
