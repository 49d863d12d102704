"""vCards (2.1, 3.0 and 4.0): one record a card.

What a card has once is a text under its name in lower case: `fn`, `bday`, `uid`, and `n` with its parts `family`,
`given`, `additional`, `prefix`, `suffix`. What it may have often is a list: `tel`, `email` and others of
`{"value", "type": [...]}`, `adr` with the parts `pobox`, `extended`, `street`, `locality`, `region`, `code`, `country`.
Pictures and keys are told by their size only.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal

from pydantic import Field

from hub.adapters.formats.contentlines import Component, Property, Stray, components, split, unescaped
from hub.adapters.formats.lines import clipped
from hub.adapters.records import BadRecord, FormatConfig, Payload, RawRecord, Record

VERSIONS = ("2.1", "3.0", "4.0")

_ONCE = {
    "ANNIVERSARY", "BDAY", "FN", "GENDER", "KIND", "MAILER", "PRODID", "REV", "SORT-STRING", "TITLE", "UID",
    "VERSION", "CLASS", "BIRTHPLACE", "DEATHDATE", "DEATHPLACE", "NOTE", "ROLE", "TZ", "GEO",
}  # fmt: skip
_LISTS = {"CATEGORIES", "NICKNAME"}
_DATES = {"ANNIVERSARY", "BDAY", "DEATHDATE", "REV"}
_BINARY = {"PHOTO", "LOGO", "SOUND", "KEY"}
_PARTS = {
    "N": ("family", "given", "additional", "prefix", "suffix"),
    "ADR": ("pobox", "extended", "street", "locality", "region", "code", "country"),
}
_BASIC_DATE = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2}))?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


class VcardFormat(FormatConfig):
    """Address books as vCards, as telephones and mail programs export them."""

    type: Literal["vcard"] = Field(description="Names this format.")

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """The cards, at `name:line` of their BEGIN; one with a line that cannot be read is a bad record."""
        for found in components(stream, frozenset()):
            position = f"{name}:{found.line}"
            if isinstance(found, Stray):
                yield BadRecord(clipped(found.raw), position, "a line outside of every card")
            elif fault := found.fault or _unfit(found):
                yield BadRecord(found.shown(), position, fault)
            else:
                yield RawRecord(_payload(found), position)


def _unfit(card: Component) -> str | None:
    if card.name != "VCARD":
        return "a component that is no card"
    version = next((one.value.strip() for one in card.properties if one.name == "VERSION"), None)
    return None if version in VERSIONS else f"not a version that is known ({', '.join(VERSIONS)})"


def _payload(card: Component) -> Payload:
    made: Payload = {}
    for one in card.properties:
        key = one.name.lower().replace("-", "_")
        if one.name in _LISTS:
            made.setdefault(key, []).extend(part for part in split(one.value, ",") if part)
        elif one.name in _ONCE or one.name == "N":
            _add_once(made, key, one)
        else:
            made.setdefault(key, []).append({**_parameters(one), **_value(one)})
    return made


def _add_once(made: Payload, key: str, one: Property) -> None:
    """A value that a card has once. Of several the preferred is it, the others are kept beside it."""
    value = _parts(one) if one.name == "N" else _text(one)
    if key not in made:
        made[key] = value
    elif one.parameters.get("PREF") == ["1"]:
        made.setdefault(f"{key}_more", []).append(made[key])
        made[key] = value
    else:
        made.setdefault(f"{key}_more", []).append(value)


def _parts(one: Property) -> Payload:
    given = _structured(one.value)
    names = _PARTS[one.name]
    return dict(zip(names, (given + [None] * len(names))[: len(names)], strict=True))


def _structured(value: str) -> list[str | None]:
    """The parts between semicolons; a list in one of them is one text."""
    return [part.strip() or None for part in split(value, ";")]


def _value(one: Property) -> Payload:
    if one.name in _PARTS:
        return dict(_parts(one))
    if one.name == "ORG":
        name, *units = _structured(one.value)
        return {"value": name, "units": [unit for unit in units if unit]}
    if one.name in _BINARY and not one.value.startswith(("http:", "https:")):
        return {"bytes": _size(one.value)}
    text = unescaped(one.value).strip()
    return {"value": text.removeprefix("tel:").removeprefix("mailto:") or None}


def _size(value: str) -> int:
    data = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return len(b64decode(re.sub(r"\s", "", data)))
    except ValueError:
        return len(value)


def _parameters(one: Property) -> dict[str, Any]:
    types = [part for value in one.parameters.get("TYPE", []) for part in value.lower().split(",") if part]
    other = {
        name.lower().replace("-", "_"): ",".join(values)
        for name, values in one.parameters.items()
        if name not in ("TYPE", "ENCODING", "CHARSET", "VALUE")
    }
    return {"type": [kind for kind in types if kind not in ("quoted-printable", "base64", "b")], **other}


def _text(one: Property) -> str | None:
    text = unescaped(one.value).strip()
    return (_iso(text) if one.name in _DATES else text) or None


def _iso(text: str) -> str:
    """A basic date or time in ISO's extended form; what leaves something out (`--0412`) as it is."""
    found = _BASIC_DATE.fullmatch(text)
    if found is None:
        return text
    year, month, day, hour, minute, second, offset = found.groups()
    return f"{year}-{month}-{day}" + (f"T{hour}:{minute}:{second}{offset or ''}" if hour else "")
