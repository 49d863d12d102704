"""What is so now and has to be known in a database of the past: who may see the customer, and where rows come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table

from hub.adapters.past.gathering import Gathered
from hub.graph.plans.build import NOW
from hub.graph.plans.reach import CONSENT
from hub.ontology import EntityType, Property
from hub.store import CUSTOMER_COLUMNS, SYSTEM_COLUMNS, Store, decode, encoder, fixed, quoted


class Present:
    """Copies from the hub's store into one in memory, whose tables are those of `made`."""

    def __init__(self, store: Store, made: Store) -> None:
        self._store, self._made = store, made
        scopes = {fact.property for fact in store.ontology.scopes.values() if fact.of == "parties"}
        self._parties = [t for t in store.ontology.parties if scopes & t.properties.keys()]

    def copy(self, connection: Connection, made: Connection, found: Gathered) -> None:
        """Copy it for the customer whose past was gathered."""
        ontology, parties = self._store.ontology, found.own_parties
        properties = list(ontology.customer_properties.values())
        self._rows(connection, made, "customer", CUSTOMER_COLUMNS, properties, "id", [found.customer])
        self._insert(made, fixed.membership, [(party, found.customer) for party in parties])
        given = self._store.dialect.param("customer")
        bars = connection.exec_driver_sql(
            f"SELECT DISTINCT bar FROM standing WHERE customer_id = {given}", {"customer": found.customer}
        ).scalars()
        barred = [(party, bar, found.customer) for bar in bars for party in parties]
        self._insert(made, fixed.standing, barred)
        for type_ in self._parties:
            self._entities(connection, made, type_, "id", parties)
        consent = ontology.types.get(CONSENT)
        if consent is not None:
            self._entities(connection, made, consent, "party_id", parties)
        self._origins(connection, made, found)

    def _entities(
        self, connection: Connection, made: Connection, type_: EntityType, by: str, values: Sequence[str]
    ) -> None:
        own = (*SYSTEM_COLUMNS, *(("party_id",) if type_.customer else ()))
        self._rows(connection, made, type_.table, own, list(type_.properties.values()), by, values)

    def _rows(
        self,
        connection: Connection,
        made: Connection,
        table: str,
        own: Sequence[str],
        properties: Sequence[Property],
        by: str,
        values: Sequence[str],
    ) -> None:
        columns = (*own, *(column for prop in properties for column in prop.columns))
        sql = f'SELECT {quoted(columns)} FROM "{table}" WHERE {{in:{by}}}'
        rows = [
            (*row[: len(own)], *self._as_sqlite(properties, row[len(own) :]))
            for row in self._store.rows_in(connection, sql, values)
        ]
        if rows:
            marks = ", ".join("?" * len(columns))
            sql = f'INSERT INTO {NOW}."{table}" ({quoted(columns)}) VALUES ({marks})'
            made.exec_driver_sql(sql, rows)

    def _as_sqlite(self, properties: Sequence[Property], cells: Sequence[Any]) -> Sequence[Any]:
        if self._store.dialect.name == "sqlite":
            return cells
        found: list[Any] = []
        at = 0
        for prop in properties:
            end = at + len(prop.columns)
            value = decode(prop, tuple(cells[at:end]), self._store.dialect.name)
            found += (None,) * (end - at) if value is None else encoder(prop, "sqlite")(value)
            at = end
        return found

    def _insert(self, made: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            made.exec_driver_sql(f'INSERT INTO {NOW}."{table.name}" VALUES ({marks})', list(rows))

    def _origins(self, connection: Connection, made: Connection, found: Gathered) -> None:
        """Where records come from: their versions without what they say, and the runs that landed them."""
        versions = [record.version for record in found.records.values()]
        rows = [
            (v.id, v.head_id, v.hash, "", v.position, v.observed_at, v.run_id, v.landed_at) for v in versions
        ]
        columns = ("id", "head_id", "hash", "payload", "position", "observed_at", "run_id", "landed_at")
        self._made.dialect.insert(made, fixed.record, columns, rows)
        names = ("id", "source", "kind", "state", "started_at")
        sql = f"SELECT {quoted(names)} FROM run WHERE {{in:id}}"
        runs = self._store.rows_in(connection, sql, sorted({version.run_id for version in versions}))
        self._made.dialect.insert(made, fixed.run, names, [tuple(row) for row in runs])
