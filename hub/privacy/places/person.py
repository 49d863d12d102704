"""Where one person's data is, record by record: from the rows that are theirs, not from what should be there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hub.adapters import SourceConfig
from hub.adapters.declared import DeclaredField, declared_fields
from hub.adapters.inventory import EVERYTHING, TABLES, Held, HeldRecord
from hub.audit import RecordedEvent
from hub.ontology import Ontology
from hub.organisation import HUB, Organisation
from hub.privacy.places import build
from hub.privacy.places.build import is_personal
from hub.privacy.places.model import DataMap, PersonField, PersonPlace, PersonRecord, State, is_within
from hub.privacy.places.uses import Uses
from hub.store import iso_utc

KEYS_OF_MATCHING: Final = "hub.blocking_key"
"""Its rows are found by their value alone: whose they are follows from the profile."""
_NAME: Final = re.compile(r"\w+")
_RECORDS: Final = frozenset({"record", "quarantine"})
"""What is told record by record."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is held of a person beside the store: counts only."""

    documents: int
    events: int
    payloads: int
    keys: int


@dataclass(frozen=True, slots=True)
class PersonMapper:
    """Makes maps of persons, of one configuration."""

    ontology: Ontology
    organisation: Organisation
    sources: Mapping[str, SourceConfig]
    uses: Uses
    shows_key: bool
    """Whether the asker may see the keys of records."""

    def map(self, held: Held, elsewhere: Elsewhere, reads: Sequence[RecordedEvent]) -> DataMap:
        """The person's map; `reads` are who was told of them, the newest first."""
        facts = _Facts(self.uses, reads)
        streams = {(each.source, each.stream) for each in held.records}
        declared = {stream: self._declared(*stream) for stream in streams}
        records = tuple(
            self._record(each, declared[each.source, each.stream], facts) for each in held.records
        )
        brought = {field.category for each in records for field in each.fields if is_personal(field.category)}
        places = tuple(self._places(held, elsewhere, tuple(sorted(brought))))
        sources = {each.source for each in held.records}
        copies = tuple(
            f"place.{name}"
            for name, place in self.organisation.places.items()
            if HUB in place.copies or sources & set(place.copies)
        )
        newest = reads[0].event if reads else None
        at, by = (iso_utc(newest.at), newest.actor) if newest else (None, None)
        return DataMap(held.customers[0], records, places, copies, at, by)

    def _declared(self, source: str, stream: str) -> tuple[DeclaredField, ...]:
        config = self.sources.get(source)
        if config is None or stream not in config.streams:
            return ()
        return declared_fields(config, stream, self.ontology)

    def _record(self, record: HeldRecord, declared: Sequence[DeclaredField], facts: _Facts) -> PersonRecord:
        return PersonRecord(
            record.reference,
            record.source,
            record.stream,
            record.key if self.shows_key else None,
            record.state,
            record.observed_at or None,
            record.landed_at,
            record.versions,
            tuple(_fields(record, declared, facts)),
        )

    def _places(self, held: Held, elsewhere: Elsewhere, brought: tuple[str, ...]) -> Iterator[PersonPlace]:
        rows: dict[str, int | None] = {
            f"{HUB}.{table}": count for table, count in held.rows.items() if table not in _RECORDS
        }
        if held.rows.get("profile"):
            rows[KEYS_OF_MATCHING] = None
        found = {
            build.INDEX: elsewhere.documents,
            build.AUDIT: elsewhere.events,
            build.PAYLOADS: elsewhere.payloads,
            build.KEYS: elsewhere.keys,
        }
        rows |= {id_: count for id_, count in found.items() if count}
        for id_, count in sorted(rows.items()):
            label, categories = self._described(id_)
            spelt = dict.fromkeys(
                own for each in categories for own in (brought if each == EVERYTHING else (each,))
            )
            yield PersonPlace(id_, label, count, tuple(spelt))

    def _described(self, id_: str) -> tuple[str, Iterable[str]]:
        table = id_.partition(".")[2]
        if id_ in build.OWN:
            label, _, category = build.OWN[id_]
            return label, (category,)
        if table in TABLES:
            return TABLES[table].label, TABLES[table].categories
        type_ = next(each for each in self.ontology.types.values() if each.table == table)
        personal = (prop.category for prop in type_.properties.values() if is_personal(prop.category))
        return f"Entities: {type_.label}", sorted(set(personal))


class _Facts:
    """What is to be told of each category for one person, each worked out once."""

    def __init__(self, uses: Uses, reads: Sequence[RecordedEvent]) -> None:
        self._uses, self._reads = uses, reads
        self._known: dict[str, dict[str, Any]] = {}
        self._until: dict[tuple[str, str], str | None] = {}

    def field(self, declared: DeclaredField, since: str) -> PersonField:
        """What is told of a field whose value was stated then."""
        category = declared.category
        if category not in self._known:
            self._known[category] = self._of(category)
        if (category, since) not in self._until:
            self._until[category, since] = self._kept_until(category, since)
        return PersonField(
            name=declared.path,
            property=f"{declared.type}.{declared.property}",
            category=category,
            state=State.PRESENT,
            retention_until=self._until[category, since],
            **self._known[category],
        )

    def _of(self, category: str) -> dict[str, Any]:
        uses = self._uses.of(category)
        last = next((each.event for each in self._reads if _tells(each, category)), None)
        return {
            "purposes": tuple(use.purpose for use in uses),
            "basis": tuple(dict.fromkeys(use.basis for use in uses)),
            "recipients": self._uses.recipients(category),
            "last_read_at": iso_utc(last.at) if last else None,
            "last_read_by": last.actor if last else None,
        }

    def _kept_until(self, category: str, since: str) -> str | None:
        days = self._uses.retention_days([category])
        if days is None or not since:
            return None
        return iso_utc(datetime.fromisoformat(since) + timedelta(days=days))


def _fields(record: HeldRecord, declared: Sequence[DeclaredField], facts: _Facts) -> Iterator[PersonField]:
    since = record.observed_at or record.landed_at
    for each in declared:
        states = each.property == "key" or not record.types or each.type in record.types
        if each.property and states and _is_there(each, record.fields):
            yield facts.field(each, since)
    read = {root for each in declared for root in each.roots}
    for name in sorted(record.fields - read):
        if "." not in name:
            yield PersonField(name, "", "", State.UNDECLARED, (), (), None, (), None, None)


def _is_there(declared: DeclaredField, present: frozenset[str]) -> bool:
    """Whether the record has a value there: at its top, or anywhere within what the path begins with."""
    names = _NAME.findall(declared.path)
    last = names[-1] if names else ""
    return any(
        root in present and (last == root or f"{root}.{last}" in present or not _has_inner(root, present))
        for root in declared.roots
    )


def _has_inner(root: str, present: Iterable[str]) -> bool:
    return any(name.startswith(f"{root}.") for name in present)


def _tells(read: RecordedEvent, category: str) -> bool:
    event = read.event
    return "data_categories" in event.omitted or any(
        is_within(each, category) for each in event.data_categories
    )
