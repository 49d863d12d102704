"""All that the store holds of a customer, for who has the right to a copy of it (GDPR Art. 15).

It holds what an erasure would delete, found in the same way (`footprint`): what is missing here would be missing there.
Whoever reads it records that; nothing here is shown by roles and purposes, as the person themselves asks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from hub.adapters.footprint import Footprint, Search
from hub.adapters.landing import DELETED_HASH
from hub.adapters.staff import spelled
from hub.errors import NotFoundError
from hub.ontology import EntityType, Property
from hub.store import Store, decode, fixed, quoted

_THIRD = ("user.name", "user.contact")
"""Categories of values by which somebody else could be told."""


@dataclass(frozen=True, slots=True)
class StatedRow:
    """One entity as one source states it."""

    type: str
    id: str
    source: str
    stream: str
    record_key: str = field(repr=False)
    head_id: int
    observed_at: str
    """Empty where the source states no time."""
    landed_at: str
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One version of a source record, or one that waits in quarantine."""

    place: str
    """`record` or `quarantine`."""
    source: str
    stream: str
    landed_at: str
    payload: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dossier:
    """A customer, whole."""

    customers: tuple[str, ...]
    """The id of now, and those that lead to it."""
    parties: tuple[str, ...]
    since: str
    golden: Mapping[str, Any] = field(repr=False)
    won: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """For each golden property the `party` that its value came from, and the rule."""
    rows: tuple[StatedRow, ...] = field(repr=False)
    records: tuple[RawRecord, ...] = field(repr=False)
    identifiers: tuple[tuple[str, str], ...] = field(repr=False)
    calls: tuple[Mapping[str, Any], ...] = field(repr=False)
    bars: tuple[str, ...]
    housemates: int
    matches: tuple[tuple[float, bool], ...]
    """Of pairs of the person's records the match weight in bits, and whether it alone makes them one."""
    third: frozenset[str] = field(repr=False)
    """Names and addresses of others that stand in the same records."""


def gather(store: Store, connection: Connection, customers: Sequence[str]) -> Dossier:
    """All of the customer with these ids, the one of now first.

    Raises:
        NotFoundError: nothing is held of them.
    """
    search = Search(store, connection)
    parties = search.parties(customers)
    if not parties:
        raise NotFoundError("there is no customer with this id")
    return _Gathering(store, connection, search.footprint(customers, parties)).dossier()


class _Gathering:
    def __init__(self, store: Store, connection: Connection, found: Footprint) -> None:
        self._store, self._connection, self._found = store, connection, found
        self._landed = dict(
            self._in(
                "SELECT head_id, max(landed_at) FROM record WHERE {in:head_id} GROUP BY head_id", found.heads
            )
        )

    def dossier(self) -> Dossier:
        since, golden, won, household = self._golden()
        found = self._found
        identifiers = self._in(
            "SELECT DISTINCT scheme, value FROM identifier WHERE {in:entity_id}", found.entities
        )
        bars = self._in("SELECT DISTINCT bar FROM standing WHERE {in:customer_id}", found.customers)
        return Dossier(
            self._found.customers,
            tuple(sorted(self._found.parties)),
            since,
            golden,
            won,
            tuple(self._rows()),
            tuple(self._records()),
            tuple(sorted((str(row[0]), str(row[1])) for row in identifiers)),
            tuple(self._calls()),
            tuple(sorted(str(row[0]) for row in bars)),
            self._housemates(household),
            tuple(self._matches()),
            frozenset(self._third()),
        )

    def _in(self, sql: str, values: Collection[Any]) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._store.rows_in(self._connection, sql, sorted(values))]

    def _golden(self) -> tuple[str, dict[str, Any], dict[str, Any], str | None]:
        props = list(self._store.ontology.customer_properties.values())
        columns = quoted([column for prop in props for column in prop.columns])
        sql = f"SELECT created_at, household_id, provenance, {columns} FROM customer WHERE {{in:id}}"
        for since, household, won, *cells in self._in(sql, self._found.customers[:1]):
            return str(since), self._values(props, cells), json.loads(won), household
        return "", {}, {}, None

    def _values(self, props: Sequence[Property], cells: Sequence[Any]) -> dict[str, Any]:
        rest, values = iter(cells), {}
        for prop in props:
            value = decode(prop, tuple(next(rest) for _ in prop.columns), self._store.dialect.name)
            if value is not None:
                values[prop.name] = _json(spelled(value))
        return values

    def _rows(self) -> Iterator[StatedRow]:
        for type_ in self._store.ontology.types.values():
            if type_.has_customer:
                yield from self._of_type(type_, self._found.entities, "id")

    def _of_type(self, type_: EntityType, ids: Collection[Any], column: str) -> Iterator[StatedRow]:
        props = list(type_.properties.values())
        columns = quoted([column for prop in props for column in prop.columns])
        sql = f'SELECT id, source, stream, record_key, observed_at, head_id, {columns} FROM "{type_.table}"'
        for id_, source, stream, key, observed, head, *cells in self._in(f"{sql} WHERE {{in:{column}}}", ids):
            values, landed = self._values(props, cells), self._landed.get(head, "")
            yield StatedRow(type_.name, id_, source, stream, key, head, observed, landed, values)

    def _records(self) -> Iterator[RawRecord]:
        versions = (
            "SELECT h.source, h.stream, r.landed_at, r.payload, r.hash FROM record r"
            " JOIN record_head h ON h.id = r.head_id WHERE {in:h.id}"
        )
        for source, stream, at, payload, hash_ in self._in(versions, self._found.heads | self._found.trimmed):
            if hash_ != DELETED_HASH:
                yield RawRecord("record", source, stream, at, _read(payload))
        waiting = "SELECT source, stream, last_seen_at, payload FROM quarantine WHERE {in:id}"
        for source, stream, at, payload in self._in(waiting, self._found.waiting):
            yield RawRecord("quarantine", source, stream, at, _read(payload))

    def _calls(self) -> Iterator[Mapping[str, Any]]:
        table = fixed.call
        mine = select(table).where(table.c.customer_id.in_(self._found.customers)).order_by(table.c.began_at)
        for row in self._connection.execute(mine).mappings():
            hidden = ("seq", "id", "key", "party_id", "customer_id", "verified_by")
            yield {name: value for name, value in row.items() if value is not None and name not in hidden}

    def _housemates(self, household: str | None) -> int:
        if household is None:
            return 0
        return len(self._in("SELECT 1 FROM customer WHERE {in:household_id}", [household])) - 1

    def _matches(self) -> Iterator[tuple[float, bool]]:
        sql = (
            "SELECT e.weight, e.joins, h.party_id FROM edge e JOIN profile l ON l.id = e.low"
            " JOIN profile h ON h.id = e.high WHERE {in:l.party_id}"
        )
        for weight, joins, other in self._in(sql, self._found.parties):
            if other in self._found.parties:
                yield float(weight), bool(joins)

    def _third(self) -> Iterator[str]:
        """What the same records state of other people, by which they could be told."""
        mine = {text for row in self._rows() for text in _texts(row.values)}
        for type_ in self._store.ontology.parties:
            named = [p.name for p in type_.properties.values() if p.category.startswith(_THIRD)]
            for row in self._of_type(type_, self._found.heads | self._found.trimmed, "head_id"):
                if row.id not in self._found.entities:
                    yield from set(_texts({name: row.values.get(name) for name in named})) - mine


def _texts(values: Mapping[str, Any]) -> Iterator[str]:
    for value in values.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                yield each


def _json(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list) else str(value)


def _read(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload
