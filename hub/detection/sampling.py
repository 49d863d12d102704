"""What a sample of a field's values says: which kinds it holds, how many of them, how surely. Values are not kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.detection.detectors import SURE, Kind, detect

MIN_SHARE: Final = 0.5
"""The share of a sample that has to pass a detector which is not sure."""
MIN_PASSED: Final = 3
"""And how many at the least: of one or two values chance alone makes half."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A kind of personal data in a field."""

    kind: Kind
    hits: int
    sampled: int
    confidence: float
    """Of its surest hit, or the share of hits where none is sure."""


@dataclass(slots=True)
class FieldSample:
    """Counts of what the values of one field hold."""

    name: str
    region: str | None = None
    sampled: int = 0
    _hits: dict[Kind, int] = field(default_factory=dict)
    _sure: dict[Kind, float] = field(default_factory=dict)

    def add(self, value: Any) -> None:
        """Look at one value, or at all values within it; an absent one does not count."""
        leaves = [leaf for _, leaf in leaves_of(value)]
        if not leaves:
            return
        self.sampled += 1
        found = [hit for leaf in leaves for hit in detect(leaf, self.name, self.region)]
        for kind in {hit.kind for hit in found}:
            self._hits[kind] = self._hits.get(kind, 0) + 1
            self._sure[kind] = max(
                self._sure.get(kind, 0.0), *(hit.confidence for hit in found if hit.kind is kind)
            )

    def detections(self) -> Iterator[Detection]:
        """The kinds that the field holds, in the order of their names."""
        for kind, hits in sorted(self._hits.items()):
            share = hits / self.sampled
            if self._sure[kind] >= SURE:
                yield Detection(kind, hits, self.sampled, self._sure[kind])
            elif hits >= MIN_PASSED and share >= MIN_SHARE:
                yield Detection(kind, hits, self.sampled, round(share * self._sure[kind], 3))


def leaves_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values within a value that are neither lists nor objects nor absent, each with the last name above it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves_of(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves_of(inner, path)
    elif value not in (None, ""):
        yield path, value
