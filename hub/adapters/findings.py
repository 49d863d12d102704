"""Findings: what a sync met that no mapping declares, and what people said to it.

A finding has no value of anybody's: a kind, a place, how many of how many values. It stays until its cause is gone;
that somebody accepted or dismissed it is kept with it, so that the next sync does not raise it anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from hub.adapters.declared import DeclaredField
from hub.adapters.records import Payload
from hub.detection import CATEGORIES, SURE, Detection, FieldSample, Kind, leaves_of
from hub.store import fixed, utc_now

WHOLE: Final = 200
"""Records of a run that are all looked at; of the further ones each hundredth is."""
STRIDE: Final = 100
MAX_FIELDS: Final = 500
"""Fields watched in one run; a source whose names vary without end is watched no further."""
_GUESSED: Final = frozenset({Kind.NAME, Kind.BIRTH_DATE})
"""Kinds that declared text is not searched for: capitals and dates stand in any letter."""


class FindingKind(StrEnum):
    """What looks wrong."""

    UNDECLARED_PERSONAL_DATA = "undeclared_personal_data"
    UNMAPPED_FIELD = "unmapped_field"
    DECLARED_FIELD_ABSENT = "declared_field_absent"
    TRANSFER_WITHOUT_MECHANISM = "transfer_without_mechanism"
    PARTNER_WITHOUT_CONTRACT = "partner_without_contract"
    AGREEMENT_ENDED = "agreement_ended"
    SOURCE_WITHOUT_SYSTEM = "source_without_system"
    SYSTEM_WITHOUT_SOURCE = "system_without_source"


class FindingState(StrEnum):
    """What was said to it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    kind: FindingKind
    place: str
    """`source.stream`, or what of the organisation it is about: `system.erp`, `partner.carrier`, `place.backups`."""
    field: str = ""
    detected: str = ""
    category: str = ""
    hits: int = 0
    sampled: int = 0
    confidence: float = 1.0
    first_seen_at: str | None = None
    """None where it follows from the configuration and nobody has decided about it."""
    last_seen_at: str | None = None
    state: FindingState = FindingState.OPEN
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = dataclasses.field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The same for the same thing at the same place."""
        said = "\n".join([self.kind, self.place, self.field, self.detected])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class Watch:
    """Samples the values of one run of a stream that no mapping declares, and of its free texts."""

    def __init__(self, declared: Sequence[DeclaredField], region: str | None) -> None:
        self._region = region
        self._mapped = {root for each in declared for root in each.roots}
        self._names = {name for each in declared for name in re.findall(r"\w+", each.path)}
        self._texts = _texts(declared)
        self._seen = 0
        self._samples: dict[str, FieldSample] = {}

    def see(self, payload: Payload) -> None:
        """Look at a record, if it is one of the sample."""
        self._seen += 1
        if self._seen > WHOLE and self._seen % STRIDE:
            return
        for name, value in payload.items():
            if name not in self._mapped or not isinstance(value, list | dict):
                self._look(name, value, is_mapped=name in self._mapped)
                continue
            for leaf, inner in leaves_of(value, name):
                shown = name if leaf == name else f"{name}.{leaf}"
                self._look(shown, inner, is_mapped=leaf in self._names)

    def _look(self, name: str, value: Any, *, is_mapped: bool) -> None:
        if not is_mapped or name in self._texts:
            self._add(name, value)

    def _add(self, name: str, value: Any) -> None:
        sample = self._samples.get(name)
        if sample is None and len(self._samples) < MAX_FIELDS:
            sample = self._samples[name] = FieldSample(name, self._region)
        if sample is not None:
            sample.add(value)

    def findings(self, place: str, fields: Collection[str]) -> list[Finding]:
        """What there is to tell after a run; `fields` are all top-level ones that the stream was ever seen with."""
        unmapped = {*fields, *self._samples} - self._mapped - self._texts.keys()
        found = [Finding(FindingKind.UNMAPPED_FIELD, place, name) for name in sorted(unmapped)]
        for name, sample in sorted(self._samples.items()):
            news = (e for e in sample.detections() if name not in self._texts or self._is_news(name, e))
            found += [_detected(place, name, each) for each in news]
        if fields:
            absent = sorted(self._mapped - set(fields))
            found += [Finding(FindingKind.DECLARED_FIELD_ABSENT, place, name) for name in absent]
        return found

    def _is_news(self, name: str, found: Detection) -> bool:
        """Whether a declared text holds what its category does not tell."""
        category = CATEGORIES[found.kind]
        told = any(_related(category, known) for known in self._texts[name])
        return found.confidence >= SURE and found.kind not in _GUESSED and not told


def _texts(declared: Iterable[DeclaredField]) -> Mapping[str, frozenset[str]]:
    """The categories of the fields that are free text, by name; within lists and objects after the outermost's."""
    named = [(name, each) for each in declared for name in _shown_names(each)]
    texts = {name for name, each in named if each.is_text}
    return {name: frozenset(each.category for other, each in named if other == name) for name in texts}


def _shown_names(field: DeclaredField) -> Iterator[str]:
    last = re.findall(r"\w+", field.path)[-1:] or [""]
    for root in field.roots:
        yield root if last[0] == root else f"{root}.{last[0]}"


def _related(category: str, known: str) -> bool:
    return category == known or category.startswith(f"{known}.") or known.startswith(f"{category}.")


def _detected(place: str, name: str, found: Detection) -> Finding:
    return Finding(
        FindingKind.UNDECLARED_PERSONAL_DATA,
        place,
        name,
        found.kind.value,
        CATEGORIES[found.kind],
        found.hits,
        found.sampled,
        found.confidence,
    )


_table = fixed.finding


def record_findings(
    connection: Connection, run_id: int, place: str, found: Sequence[Finding], *, read_any: bool
) -> int:
    """Keep what a run found at a place; tells how many are new. Open ones whose cause is gone go.

    A run that read no record has met no value: what was detected before then stands.
    """
    known = {each.id: each for each in findings_at(connection, place)}
    now = utc_now()
    new = [each for each in found if each.id not in known]
    if new:
        connection.execute(insert(_table), [_row(each, now, run_id) for each in new])
    for each in found:
        if each.id in known:
            counts = {"hits": each.hits, "sampled": each.sampled, "confidence": each.confidence}
            values = counts if each.detected else {}
            changed = update(_table).where(_table.c.id == each.id)
            connection.execute(changed.values(last_seen_at=now, run_id=run_id, **values))
    gone = [id_ for id_, each in known.items() if id_ not in {f.id for f in found}]
    settled = [id_ for id_ in gone if read_any or known[id_].kind != FindingKind.UNDECLARED_PERSONAL_DATA]
    if settled:
        connection.execute(delete(_table).where(_table.c.id.in_(settled)))
    return len(new)


def findings_at(connection: Connection, place: str | None = None) -> list[Finding]:
    """The findings that are kept, of one place or of all, by place, field and kind."""
    query = select(_table).order_by(_table.c.place, _table.c.field, _table.c.kind, _table.c.detected)
    if place is not None:
        query = query.where(_table.c.place == place)
    return list(_findings(connection.execute(query)))


def decide_finding(
    connection: Connection, finding: Finding, state: FindingState, by: str, reason: str
) -> None:
    """Keep what somebody said to a finding."""
    now = utc_now()
    said = {"state": state.value, "decided_by": by, "decided_at": now, "reason": reason}
    there = connection.execute(update(_table).where(_table.c.id == finding.id).values(**said))
    if not there.rowcount:
        connection.execute(insert(_table), [{**_row(finding, now, None), **said}])


def _row(finding: Finding, now: str, run_id: int | None) -> dict[str, Any]:
    names = ("id", "kind", "place", "field", "detected", "category", "hits", "sampled", "confidence", "state")
    row = {name: getattr(finding, name) for name in names}
    return {**row, "first_seen_at": now, "last_seen_at": now, "run_id": run_id}


def _findings(rows: Iterable[Any]) -> Iterator[Finding]:
    for row in rows:
        yield Finding(
            FindingKind(row.kind),
            row.place,
            row.field,
            row.detected,
            row.category,
            row.hits,
            row.sampled,
            row.confidence,
            row.first_seen_at,
            row.last_seen_at,
            FindingState(row.state),
            row.decided_by,
            row.decided_at,
            row.reason,
        )
