"""What of customers lies at a place: who has something there, of which data categories, counted by SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.ontology import EntityType
from hub.store import Store, iso_utc


@dataclass(frozen=True, slots=True)
class Place:
    """A source, one stream of it, or the whole hub; as it was before `until`, where that is given."""

    source: str | None = None
    stream: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies at a place now."""

    customers: frozenset[str] = field(repr=False)
    categories: Mapping[str, int]
    """Customers by data category."""
    types: Mapping[str, int]
    """Rows of customers by type."""
    unresolved: int
    """Rows that are of somebody, and of no customer yet."""
    waiting: int
    """Records in quarantine: nobody can tell of whom they are."""


def lying_at(store: Store, connection: Connection, place: Place) -> Lying:
    """What lies at the place. What was deleted since it lay there cannot be told."""
    return _Looking(store, connection, place).found()


class _Looking:
    def __init__(self, store: Store, connection: Connection, place: Place) -> None:
        self._store, self._connection, self._place = store, connection, place
        self._given = store.dialect.param
        self._types = [type_ for type_ in store.ontology.types.values() if type_.has_customer]

    def found(self) -> Lying:
        members = " UNION ".join(self._owners(type_) for type_ in self._types)
        types = {type_.name: self._count(self._rows(type_)) for type_ in self._types}
        return Lying(
            frozenset(row[0] for row in self._run(members)),
            self._categories(),
            {name: count for name, count in types.items() if count},
            sum(self._count(self._rows(type_, "m.customer_id IS NULL", "LEFT ")) for type_ in self._types),
            self._count(f"SELECT 1 FROM quarantine t WHERE {self._where('t.last_seen_at')}"),
        )

    def _categories(self) -> Mapping[str, int]:
        selects: dict[str, list[str]] = defaultdict(list)
        for type_ in self._types:
            columns: dict[str, list[str]] = defaultdict(list)
            for prop in type_.properties.values():
                columns[prop.category].append(f't."{prop.column}" IS NOT NULL')
            for category, some in columns.items():
                selects[category].append(self._owners(type_, f"({' OR '.join(some)})"))
        counts = {category: self._count(" UNION ".join(some)) for category, some in selects.items()}
        return {category: count for category, count in sorted(counts.items()) if count}

    def _owners(self, type_: EntityType, condition: str = "1 = 1") -> str:
        return self._rows(type_, condition).replace("SELECT 1", "SELECT m.customer_id", 1)

    def _rows(self, type_: EntityType, condition: str = "1 = 1", join: str = "") -> str:
        party = "t.id" if type_.is_party else "t.party_id"
        first = "(SELECT min(r.landed_at) FROM record r WHERE r.head_id = t.head_id)"
        return (
            f'SELECT 1 FROM "{type_.table}" t {join}JOIN membership m ON m.party_id = {party}'
            f" WHERE {self._where(first)} AND {condition}"
        )

    def _where(self, landed: str) -> str:
        """Whether a row `t` lies at the place."""
        conditions = [
            f"t.{name} = {self._given(name)}" for name in ("source", "stream") if getattr(self._place, name)
        ]
        if self._place.until is not None:
            conditions.append(f"{landed} < {self._given('until')}")
        return " AND ".join(conditions) or "1 = 1"

    def _count(self, sql: str) -> int:
        return int(self._run(f"SELECT count(*) FROM ({sql}) AS found")[0][0])

    def _run(self, sql: str) -> Sequence[Sequence[Any]]:
        place = self._place
        values = {"source": place.source, "stream": place.stream}
        given = {name: value for name, value in values.items() if value}
        if place.until is not None:
            given["until"] = iso_utc(place.until)
        rows: Sequence[Sequence[Any]] = self._store.dialect.run(self._connection, sql, given).fetchall()
        return rows


def current_ids(store: Store, connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """By each of these ids the one that the customer has now."""
    sql = "SELECT old_id, new_id FROM customer_redirect WHERE {in:old_id}"
    led = {row[0]: row[1] for row in store.rows_in(connection, sql, sorted(ids))}
    return {id_: led.get(id_, id_) for id_ in ids}


def living(store: Store, connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that a customer has now."""
    rows = store.rows_in(connection, "SELECT id FROM customer WHERE {in:id}", sorted(ids))
    return {row[0] for row in rows}
