"""What a sample says of the fields of a stream: how often each is there, of which types, whether it is unique."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.adapters.converters.base import is_absent
from hub.adapters.payload import readable
from hub.adapters.records import Payload
from hub.detection import CATEGORIES, Detection, FieldSample

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
MAX_DEPTH = 4
"""Objects within objects that are looked into."""


@dataclass(slots=True)
class SampledField:
    """One field, by its path through objects; lists are not looked into."""

    names: tuple[str, ...]
    records: int
    """Records of the sample."""
    values: list[Any] = field(default_factory=list, repr=False)
    """Those that are there, in the records' order."""
    at: list[int] = field(default_factory=list, repr=False)
    """The record of each value."""

    @property
    def path(self) -> str:
        """As the YAML writes it."""
        return ".".join(name if _PLAIN.fullmatch(name) else json.dumps(name) for name in self.names)

    @property
    def words(self) -> tuple[str, ...]:
        """Its name in small words: `Customer No.` and `customerNo` are both customer, no."""
        return words_of(self.names[-1])

    @property
    def share(self) -> float:
        """The share of records that have it, between 0 and 1."""
        return len(self.values) / self.records if self.records else 0.0

    @property
    def is_always(self) -> bool:
        """Whether every record has it."""
        return len(self.values) == self.records

    @property
    def is_scalar(self) -> bool:
        """Whether its values are neither lists nor objects."""
        return not any(isinstance(value, list | dict) for value in self.values)

    @property
    def is_unique(self) -> bool:
        """Whether no two records have the same value, and all have one."""
        return self.is_always and self.distinct == self.records

    @property
    def distinct(self) -> int:
        """How many different values it has."""
        return len(set(map(str, self.values))) if self.is_scalar else 0

    @property
    def kind(self) -> str:
        """What its values are, in a word."""
        names = {bool: "boolean", int: "number", str: "text", list: "list", dict: "object"}
        found = Counter(names.get(type(value), "number") for value in self.values)
        return " or ".join(sorted(found)) or "never there"

    def detections(self, region: str | None) -> list[Detection]:
        """The kinds of personal data that its values hold, surest first."""
        sample = FieldSample(self.names[-1], region)
        for value in self.values:
            sample.add(value)
        return sorted(sample.detections(), key=lambda each: -each.confidence)


def sampled_fields(records: Sequence[Payload]) -> list[SampledField]:
    """The fields of a sample in the order in which they are met."""
    found: dict[tuple[str, ...], SampledField] = {}
    for number, record in enumerate(records):
        for names, value in leaves(record):
            known = found.setdefault(names, SampledField(names, len(records)))
            if not is_absent(value):
                known.values.append(value)
                known.at.append(number)
    return list(found.values())


def words_of(name: str) -> tuple[str, ...]:
    """The small words that a name is made of."""
    return tuple(word.casefold() for word in _WORDS.findall(name))


def detected(field_: SampledField, region: str | None, but: str = "") -> str:
    """What the detectors say of it, in words without a value; empty where they find nothing.

    The category `but` needs no telling.
    """
    told = []
    for found in field_.detections(region):
        category = CATEGORIES[found.kind]
        what = f"{found.kind} in {found.hits} of {found.sampled} (confidence {found.confidence:.2f})"
        told.append(what if category == but else f"{what}: {category}")
    return "; ".join(told)


def uniques(fields: Sequence[SampledField], records: int) -> bool:
    """Whether the values of several fields together tell all records apart."""
    if not all(each.is_always and each.is_scalar for each in fields):
        return False
    together = set(zip(*([readable(value) for value in each.values] for each in fields), strict=True))
    return len(together) == records


def leaves(value: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What stands in a record, by its names through objects; lists and empty objects are not looked into."""
    for name, inner in value.items():
        names = (*above, str(name))
        if isinstance(inner, dict) and inner and len(names) < MAX_DEPTH:
            yield from leaves(inner, names)
        else:
            yield names, inner
