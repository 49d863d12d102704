"""Where one person's data is, record by record: from the rows that are theirs, not from what should be there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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
        records = tuple(self._record(each, reads) for each in held.records)
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

    def _record(self, record: HeldRecord, reads: Sequence[RecordedEvent]) -> PersonRecord:
        return PersonRecord(
            record.reference,
            record.source,
            record.stream,
            record.key if self.shows_key else None,
            record.state,
            record.observed_at or None,
            record.landed_at,
            record.versions,
            tuple(self._fields(record, reads)),
        )

    def _fields(self, record: HeldRecord, reads: Sequence[RecordedEvent]) -> Iterator[PersonField]:
        config = self.sources.get(record.source)
        declared: tuple[DeclaredField, ...] = ()
        if config is not None and record.stream in config.streams:
            declared = declared_fields(config, record.stream, self.ontology)
        since = record.observed_at or record.landed_at
        for each in declared:
            states = each.property == "key" or not record.types or each.type in record.types
            if each.property and states and _is_there(each, record.fields):
                yield self._field(each.path, f"{each.type}.{each.property}", each.category, since, reads)
        read = {root for each in declared for root in each.roots}
        for name in sorted(record.fields):
            if name not in read and "." not in name:
                yield PersonField(name, "", "", State.UNDECLARED, (), (), None, (), None, None)

    def _field(
        self, name: str, property_: str, category: str, since: str, reads: Sequence[RecordedEvent]
    ) -> PersonField:
        uses = self.uses.of(category)
        days = self.uses.retention_days([category])
        until = None
        if days is not None and since:
            until = iso_utc(datetime.fromisoformat(since) + timedelta(days=days))
        last = next((each.event for each in reads if _tells(each, category)), None)
        return PersonField(
            name,
            property_,
            category,
            State.PRESENT,
            tuple(use.purpose for use in uses),
            tuple(dict.fromkeys(use.basis for use in uses)),
            until,
            self.uses.recipients(category),
            iso_utc(last.at) if last else None,
            last.actor if last else None,
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


def _is_there(declared: DeclaredField, fields: Iterable[str]) -> bool:
    """Whether the record has a value there: at its top, or anywhere within what the path begins with."""
    present = set(fields)
    last = re.findall(r"\w+", declared.path)[-1:] or [""]
    return any(
        root in present
        and (last[0] == root or f"{root}.{last[0]}" in present or not _has_inner(root, present))
        for root in declared.roots
    )


def _has_inner(root: str, present: Iterable[str]) -> bool:
    return any(name.startswith(f"{root}.") for name in present)


def _tells(read: RecordedEvent, category: str) -> bool:
    event = read.event
    return "data_categories" in event.omitted or any(
        is_within(each, category) for each in event.data_categories
    )
