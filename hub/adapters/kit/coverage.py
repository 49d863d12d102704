"""Coverage: which fields of a source its mapping uses, counted over the records that the hub holds, without a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.adapters import landing
from hub.adapters.converters.base import is_absent
from hub.adapters.declared import DeclaredField, declared_fields
from hub.adapters.kit.drafting.fields import leaves
from hub.adapters.payload import load
from hub.adapters.specs import SourceConfig
from hub.detection import CATEGORIES, FieldSample
from hub.ontology import Ontology
from hub.store import Store

_PAGE: Final = 1000
"""Records looked at in one transaction."""
_DETECTED: Final = 500
"""Values of each field that the detectors look at: more tell no more."""


@dataclass(frozen=True, slots=True)
class CoveredField:
    """A field of a stream, or one that its mapping expects."""

    name: str
    """Its path through objects; lists are not looked into."""
    records: int
    """Records that have a value in it."""
    share: float
    """The share of all that are held, between 0 and 1."""
    mapped_to: tuple[str, ...]
    """What it becomes: `Person.email`, `key`, `steering` where it only steers the mapping; empty if nothing."""
    detected: str = ""
    """The kind of personal data that is found in it, with its confidence."""
    category: str = ""
    """The data category: that of its property, or of what is detected in it."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One stream's fields."""

    stream: str
    records: int
    """Records that were looked at."""
    fields: tuple[CoveredField, ...]

    @property
    def unmapped(self) -> tuple[CoveredField, ...]:
        """Fields that come and become nothing."""
        return tuple(each for each in self.fields if not each.mapped_to)

    @property
    def absent(self) -> tuple[CoveredField, ...]:
        """Fields that are mapped and never come."""
        return tuple(each for each in self.fields if each.mapped_to and not each.records)

    @property
    def share(self) -> float:
        """The share of the fields that come which are mapped, between 0 and 1; 1 where none comes."""
        coming = [each for each in self.fields if each.records]
        return sum(bool(each.mapped_to) for each in coming) / len(coming) if coming else 1.0


@dataclass(slots=True)
class _Counted:
    """What is gathered of one field."""

    sample: FieldSample
    records: int = 0

    def see(self, value: Any) -> None:
        self.records += 1
        if self.records <= _DETECTED:
            self.sample.add(value)


def coverage(store: Store, config: SourceConfig, stream: str, ontology: Ontology, limit: int) -> Coverage:
    """The stream's fields over the records that are held of it, at most `limit` of them; the unmapped ones first."""
    declared = declared_fields(config, stream, ontology)
    counted: dict[tuple[str, ...], _Counted] = {}
    records = 0
    for payload in _payloads(store, config.source, stream, limit):
        records += 1
        for names, value in leaves(payload):
            known = counted.setdefault(names, _Counted(FieldSample(names[-1], config.region)))
            if not is_absent(value) and value not in ([], {}):
                known.see(value)
    for each in declared:
        if not any(_reads(each, names) for names in counted):
            for root in each.roots:
                counted[(root,)] = _Counted(FieldSample(root, config.region))
    found = [_covered(names, each, records, declared) for names, each in counted.items()]
    return Coverage(stream, records, tuple(sorted(found, key=lambda each: (bool(each.mapped_to), each.name))))


def _covered(
    names: tuple[str, ...], counted: _Counted, records: int, declared: tuple[DeclaredField, ...]
) -> CoveredField:
    uses = [each for each in declared if _reads(each, names)]
    mapped = tuple(dict.fromkeys(_use(each) for each in uses))
    surest = max(counted.sample.detections(), key=lambda each: each.confidence, default=None)
    category = next((each.category for each in uses if each.property), "")
    return CoveredField(
        ".".join(names),
        counted.records,
        counted.records / records if records else 0.0,
        mapped,
        f"{surest.kind} ({surest.confidence:.2f})" if surest else "",
        category or (CATEGORIES[surest.kind] if surest else ""),
    )


_NAME = r'(?:"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*)'
_PLAIN = re.compile(rf"(?:\^\.)?{_NAME}(?:\.{_NAME})*")
_STEP = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)')


def _reads(declared: DeclaredField, names: tuple[str, ...]) -> bool:
    """Whether a mapping reads a field, or something within it, or an object that it is within."""
    if names[0] not in declared.roots:
        return False
    plain = declared.path.split("[", 1)[0]
    if not _PLAIN.fullmatch(plain or names[0]):
        return True
    path = tuple(quoted or bare for quoted, bare in _STEP.findall(plain))
    if path[:1] != names[:1]:
        # It comes in by a converter, or from the record around a list.
        return True
    return all(own == other for own, other in zip(path, names, strict=False))


def _use(declared: DeclaredField) -> str:
    if declared.property == "key":
        return "key"
    return f"{declared.type}.{declared.property}" if declared.property else "steering"


def _payloads(store: Store, source: str, stream: str, limit: int) -> Iterator[Mapping[str, Any]]:
    """The newest accepted versions of the stream's live records."""
    left = limit
    for heads in landing.live_heads(store, source, stream, _PAGE):
        ids = [head.record_id for head in heads if head.record_id is not None][:left]
        with store.read() as connection:
            held = landing.versions(store, connection, ids)
        for version in held.values():
            yield load(version.payload)
        left -= len(ids)
        if left <= 0:
            return
