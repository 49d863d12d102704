"""Content lines, the grammar that vCard (RFC 6350, 2426, and 2.1 before them) and iCalendar (RFC 5545) share.

`TEL;TYPE=work,voice;PREF=1:+44 20 7946 0018` is a property with parameters; `BEGIN:X` to `END:X` is a component; a line
that begins with a blank goes on where the one before ended.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from hub.adapters.formats.lines import MAX_LINE_BYTES, clipped, numbered_lines
from hub.adapters.formats.text import known_encoding

MAX_PROPERTIES = 100_000
"""Lines of one component; more are no component, and would fill the memory."""

_NAME = re.compile(r"(?:([A-Za-z0-9-]+)\.)?([A-Za-z0-9-]+)")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)(?:=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*))?')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CARET = {"^n": "\n", "^^": "^", "^'": '"'}


@dataclass(frozen=True, slots=True)
class Property:
    """One content line, its text decoded but its value still escaped."""

    name: str
    """In capitals."""
    value: str = field(repr=False)
    parameters: dict[str, list[str]] = field(repr=False)
    """Names in capitals; the parameters of 2.1 that have no name are types."""


@dataclass(slots=True)
class Component:
    """What stands from BEGIN to END: properties, components in it, and the first fault of one of its lines."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list, repr=False)
    components: list[Component] = field(default_factory=list)
    fault: str | None = None
    raw: list[bytes] = field(default_factory=list, repr=False)
    size: int = 0

    def shown(self) -> str:
        """Its lines as far as they are kept, for quarantine."""
        return clipped(b"\r\n".join(self.raw))


@dataclass(frozen=True, slots=True)
class Stray:
    """A line outside of every component."""

    line: int
    raw: bytes = field(repr=False)


def components(stream: BinaryIO, containers: frozenset[str]) -> Iterator[Component | Stray]:
    """Each component below the `containers`, when it ends; memory holds one of them at a time.

    A container itself comes too, where it begins, and has its properties once what follows them comes. A component that
    is not closed has a fault that says so.
    """
    opened: list[Component] = []
    for number, line in _unfolded(stream):
        name, _, value = line.partition(b":")
        word = name.strip().upper()
        if word == b"BEGIN":
            started = Component(value.strip().decode("latin-1").upper(), number)
            # What was not closed is no part of what begins, where one like it cannot stand inside it.
            while opened and any(other.name == started.name for other in opened):
                yield _unclosed(opened)
            opened.append(started)
            _keep(opened, containers, line)
            if started.name in containers:
                yield started
        elif not opened:
            if line.strip(b"\x1a\xef\xbb\xbf \t"):
                yield Stray(number, line)
        elif word == b"END":
            _keep(opened, containers, line)
            yield from _ended(opened, value.strip().decode("latin-1").upper(), containers)
        else:
            _keep(opened, containers, line)
            _add(opened, containers, line, number)
    while opened:
        yield _unclosed(opened)


def _keep(opened: list[Component], containers: frozenset[str], line: bytes) -> None:
    """Add the line to the component that will be a record, within bounds; a container has no bounds and keeps none."""
    kept = next((component for component in opened if component.name not in containers), None)
    if kept is None:
        return
    kept.size += len(line)
    if kept.size <= MAX_LINE_BYTES:
        kept.raw.append(line)
    else:
        kept.fault = kept.fault or "larger than a component can be"


def _ended(opened: list[Component], name: str, containers: frozenset[str]) -> Iterator[Component]:
    current = opened.pop()
    if current.name != name and current.fault is None:
        current.fault = f"{current.name} ends as another component"
    if current.name in containers:
        return
    if opened and opened[-1].name not in containers:
        opened[-1].components.append(current)
        opened[-1].fault = opened[-1].fault or current.fault
    else:
        yield current


def _unclosed(opened: list[Component]) -> Component:
    current = opened.pop()
    current.fault = current.fault or f"{current.name} has no end"
    return current


def _add(opened: list[Component], containers: frozenset[str], line: bytes, number: int) -> None:
    component = opened[-1]
    outer = next((one for one in opened if one.name not in containers), component)
    if outer.size > MAX_LINE_BYTES or len(component.properties) >= MAX_PROPERTIES:
        component.fault = component.fault or "larger than a component can be"
        return
    try:
        component.properties.append(parse_line(line))
    except ValueError as error:
        component.fault = component.fault or f"line {number}: {error}"


def _unfolded(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Whole lines with the number of their first: folded ones joined, soft breaks of quoted-printable too."""
    begun, whole = 0, b""
    for number, line, _ in numbered_lines(stream):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        soft = whole.endswith(b"=") and b"QUOTED-PRINTABLE" in whole.partition(b":")[0].upper()
        if begun and line[:1] in (b" ", b"\t") and len(whole) <= MAX_LINE_BYTES:
            whole = whole[:-1] + line.lstrip() if soft else whole + line[1:]
        elif begun and soft:
            whole = whole[:-1] + line
        else:
            if whole:
                yield begun, whole
            begun, whole = number, line
    if whole:
        yield begun, whole


def parse_line(line: bytes) -> Property:
    """A content line as a property.

    Raises:
        ValueError: it is none, or its bytes are not in the character set that it names.
    """
    text = line.decode("utf-8", "surrogateescape")
    name, mark, value = text.partition(":")
    if mark and _PLAIN_NAME.fullmatch(name) and value.isprintable():
        return Property(name.upper(), value, {})
    found = _NAME.match(text)
    if found is None:
        raise ValueError("no name of a property")
    place, parameters = found.end(), dict[str, list[str]]()
    while (parameter := _PARAMETER.match(text, place)) is not None:
        name, values = parameter[1].upper(), parameter[2]
        # In 2.1 a type stands without its name.
        given = [name.lower()] if values is None else _values(values)
        parameters.setdefault("TYPE" if values is None else name, []).extend(given)
        place = parameter.end()
    if text[place : place + 1] != ":":
        raise ValueError("a property without a value")
    raw = text[place + 1 :].encode("utf-8", "surrogateescape")
    return Property(found[2].upper(), _decoded(raw, parameters), parameters)


def _values(text: str) -> list[str]:
    parts = re.findall(r'"[^"]*"|[^",]+', text)
    return [re.sub(r"\^[n^']", lambda found: _CARET[found[0]], part.strip('"')) for part in parts]


def _decoded(raw: bytes, parameters: dict[str, list[str]]) -> str:
    encoding = next(iter(parameters.get("ENCODING", [])), "").upper()
    if encoding == "QUOTED-PRINTABLE" or "quoted-printable" in parameters.get("TYPE", []):
        raw = quopri.decodestring(raw)
    try:
        charset = known_encoding(next(iter(parameters.get("CHARSET", [])), "utf-8"))
    except ValueError:
        raise ValueError("a character set that is not known") from None
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        raise ValueError("bytes that are not in its character set") from None


def split(value: str, mark: str) -> list[str]:
    """The parts of a value between marks that are not escaped, each unescaped."""
    parts, begun, place = [], 0, 0
    while place < len(value):
        if value[place] == "\\":
            place += 1
        elif value[place] == mark:
            parts.append(unescaped(value[begun:place]))
            begun = place + 1
        place += 1
    return [*parts, unescaped(value[begun:])]


def unescaped(value: str) -> str:
    """The text that was meant: an escaped `n` is a new line, a backslash before anything else is dropped."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
