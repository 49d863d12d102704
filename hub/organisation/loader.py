"""Reads `organisation.yaml`; every fault is told at once, with its place and the nearest valid name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigurationError
from hub.organisation.model import Organisation
from hub.yamlfile import Fault, PathKey, YamlDocument, load_yaml, nearest, parse_model

_SHOWN_NAMES = 20
"""A longer list of valid names hides the fault itself; the nearest name is given in any case."""
HUB = "hub"
"""What `copies` calls the hub itself, and the section that says where it runs."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names that the file may use, which the policy and the taxonomy define; None where those cannot be read."""

    categories: Collection[str] | None
    departments: Collection[str] | None = None
    purposes: Collection[str] | None = None
    roles: Collection[str] | None = None
    types: Collection[str] | None = None


def load_organisation(path: Path, known: KnownNames, shown_as: str | None = None) -> Organisation:
    """What the file says, every name in it checked. `shown_as` replaces the path in messages.

    Raises:
        ConfigurationError: all faults of the file, with positions; do not start.
    """
    doc = load_yaml(path, shown_as)
    organisation, faults = parse_model(doc, Organisation)
    faults += _Names(doc, known).faults()
    faults.sort(key=lambda fault: (fault.line, fault.column))
    if organisation is None or faults:
        raise ConfigurationError(faults)
    return organisation


class _Names:
    """Checks names in the raw data, so that a fault elsewhere does not hide a wrong name."""

    def __init__(self, doc: YamlDocument, known: KnownNames) -> None:
        self._doc = doc
        self._data: Mapping[str, Any] = doc.data if isinstance(doc.data, dict) else {}
        self._systems, self._partners = list(self._section("systems")), list(self._section("partners"))
        self._known: dict[str, tuple[str, Collection[str] | None]] = {
            "owner": ("department", known.departments),
            "hosting_partner": ("partner", self._partners),
            "copies": ("system", [HUB, *self._systems]),
            "categories": ("data category", known.categories),
            "purposes": ("purpose", known.purposes),
            "purpose": ("purpose", known.purposes),
            "types": ("entity type", known.types),
            "roles": ("role", known.roles),
            "systems": ("system", self._systems),
        }

    def faults(self) -> Iterator[Fault]:
        for section in ("systems", "partners", "places", "kept_by_law"):
            for name, part in self._section(section).items():
                yield from self._of_part((section, name), part)
        yield from self._of_part((HUB,), self._data.get(HUB))
        for name in self._section("notices"):
            yield from self._unknown(("notices", name), "purposes", name)

    def _section(self, name: str) -> Mapping[str, Any]:
        found = self._data.get(name)
        return found if isinstance(found, dict) else {}

    def _of_part(self, at: tuple[PathKey, ...], part: Any) -> Iterator[Fault]:
        if not isinstance(part, dict):
            return
        for key in self._known.keys() & part.keys():
            value = part[key]
            if isinstance(value, list):
                for place, name in enumerate(value):
                    yield from self._unknown((*at, key, place), key, name)
            else:
                yield from self._unknown((*at, key), key, value)
        received = part.get("receives")
        for place, each in enumerate(received if isinstance(received, list) else ()):
            yield from self._of_part((*at, "receives", place), each)

    def _unknown(self, at: tuple[PathKey, ...], key: str, name: object) -> Iterator[Fault]:
        word, valid = self._known[key]
        if valid is not None and isinstance(name, str) and name not in valid:
            short = 0 < len(valid) <= _SHOWN_NAMES
            expected = f"one of {', '.join(valid)}" if short else f"a known {word}"
            yield self._doc.fault(
                at, f"unknown {word} {name!r}", expected=expected, nearest=nearest(name, valid)
            )
