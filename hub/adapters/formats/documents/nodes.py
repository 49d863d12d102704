"""Elements as values whose paths stay the same, whatever is optional in a document.

An element without children is its text, None when empty, and its attributes stand beside it: `<Amount
Currency="EUR">9.50</Amount>` becomes `{"Amount": "9.50", "Amount@Currency": "EUR"}`. An element with children is a
dict, its attributes in it as `@name`. Names that are listed, or that stand several times, are lists; the attributes
of a list of texts are lists of the same length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from hub.adapters.records import Payload

IsList = Callable[[str, etree._Element], bool]
"""Whether elements of this name are always a list."""


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def inside(element: etree._Element, is_list: IsList) -> Payload:
    """What an element with children holds."""
    made: Payload = {f"@{_name(key)}": str(value) for key, value in element.attrib.items()}
    groups: dict[str, list[etree._Element]] = {}
    for child in element:
        groups.setdefault(local(child), []).append(child)
    for name, members in groups.items():
        listed = len(members) > 1 or is_list(name, members[0])
        values = [_value(member, is_list) for member in members]
        made[name] = values if listed else values[0]
        for attribute in _attributes(members):
            given = [_attribute(member, attribute) for member in members]
            made[f"{name}@{attribute}"] = given if listed else given[0]
    return made


def first_text(element: etree._Element, *path: str) -> str | None:
    """The text of the first element at this path of local names, None where there is none or nothing in it."""
    for name in path:
        found = next((child for child in element if local(child) == name), None)
        if found is None:
            return None
        element = found
    return (element.text or "").strip() or None


def as_list(value: Any) -> list[Any]:
    """The value as a list: none of it where there is none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _value(element: etree._Element, is_list: IsList) -> Any:
    return inside(element, is_list) if len(element) else (element.text or "").strip() or None


def _attributes(members: Iterable[etree._Element]) -> list[str]:
    """The names of attributes that childless members have, in their order."""
    found = (_name(key) for member in members if not len(member) for key in member.attrib)
    return list(dict.fromkeys(found))


def _attribute(element: etree._Element, name: str) -> str | None:
    if len(element):
        return None
    return next((str(value) for key, value in element.attrib.items() if _name(key) == name), None)


def _name(key: str | bytes) -> str:
    return str(key).rpartition("}")[2]
