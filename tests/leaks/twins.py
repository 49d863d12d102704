"""The same rows with other values wherever a role may not see them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from hub.ontology import CUSTOMER, EntityType, Property
from hub.ontology.identifiers import normal_identifier
from hub.store import Store, decode, encoder, fixed
from tests.leaks.hiding import Hiding
from tests.leaks.landing import landed
from tests.leaks.variants import breaking, masked_alike, other

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""The rows of a store by table."""

HOUSEHOLD = ("user.household", "user.contact.address")
HIERARCHY = "user.contact.organization"
SOURCES_STATE = "system.operations"


def tables_of(store: Store) -> dict[str, Table]:
    """All tables but that of the store's own secrets, by name; whoever refers to another comes later."""
    own = {table.name: table for table in (*store.tables.by_type.values(), store.tables.customer)}
    fixed_ones = {table.name: table for table in fixed.metadata.sorted_tables if table is not fixed.meta}
    return own | fixed_ones


def read_rows(store: Store) -> Rows:
    """All rows of the store."""
    with store.read() as connection:
        return {
            name: [dict(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"').mappings()]
            for name in tables_of(store)
        }


def write_rows(store: Store, rows: Rows) -> None:
    """Make the store hold these rows and no others, and the records that they are made of."""
    rows = rows | landed(store, rows)
    tables = tables_of(store)
    with store.write() as connection:
        for name in reversed(tables):
            connection.exec_driver_sql(f'DELETE FROM "{name}"')
        for name, table in tables.items():
            columns = [column.name for column in table.columns]
            store.dialect.insert(
                connection, table, columns, [tuple(_bindable(row[c]) for c in columns) for row in rows[name]]
            )


def _bindable(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


class Twin:
    """Makes the rows of one role's other world."""

    def __init__(
        self,
        store: Store,
        rows: Rows,
        hiding: Hiding,
        seed: str,
        same_parties: bool,
        *,
        hostile: bool = False,
    ) -> None:
        """With the same parties, for worlds that are written to: who is one customer would be found anew.

        A hostile world holds values of which nothing is shown that are as odd as a store may hold them.
        """
        self._other = breaking if hostile else other
        self._store, self._rows, self._hiding = store, rows, hiding
        self._same_parties = same_parties
        self._ontology = store.ontology
        self._draw = random.Random(seed)
        self._changed: dict[str, dict[str, Row]] = {}
        """Rows of entities by type and id, as they are in the other world."""

    def rows(self) -> Rows:
        """The rows of the other world, in the same order."""
        found: Rows = {name: [dict(row) for row in rows] for name, rows in self._rows.items()}
        for type_ in self._ontology.types.values():
            known = self._hiding.knows_of(type_.name)
            kept = [self._row(type_, row) for row in found[type_.table]] if known or type_.is_party else []
            found[type_.table] = kept
        found["identifier"] = self._identifiers(found["identifier"])
        found["customer"] = [self._customer(row) for row in found["customer"]]
        if not self._hiding.knows_of(CUSTOMER):
            found["customer"], found["membership"] = [], []
            found["change"] = [row for row in found["change"] if row["type"] != CUSTOMER]
        if not all(map(self._hiding.allows, HOUSEHOLD)):
            found["housemate"] = []
        if not self._hiding.allows(HIERARCHY):
            found["parent"], found["ancestor"] = [], []
        if not self._hiding.allows(SOURCES_STATE):
            found["run"] = [{**row, "state": "failed"} for row in found["run"]]
            found["stream_state"] = [
                {**row, "last_success_at": "2026-01-09T00:00:00.000000Z"} for row in found["stream_state"]
            ]
        return found

    def _row(self, type_: EntityType, row: Row) -> Row:
        for prop in () if type_.is_party and self._same_parties else type_.properties.values():
            row |= self._cells(prop, row)
        if not self._hiding.knows_key(type_):
            row["record_key"] = f"other-{self._draw.randrange(10**9)}"
        if type_.customer and not self._hiding.knows_owner(type_):
            row["party_id"] = self._another(row["party_id"], [p.name for p in self._ontology.parties])
        self._changed.setdefault(type_.name, {})[row["id"]] = row
        return row

    def _cells(self, prop: Property, row: Row) -> Row:
        shown = self._hiding.mask_of(prop)
        if shown is True:
            return {}
        if prop.range is not None:
            targets = [target.name for target in self._ontology.range_types(prop.range)]
            return {prop.column: self._another(row[prop.column], targets)}
        name = self._store.dialect.name
        value = decode(prop, tuple(row[column] for column in prop.columns), name)
        new = (
            self._other(prop, value, self._draw)
            if shown is False
            else masked_alike(prop, value, shown, self._draw)  # type: ignore[arg-type]  # never True here
        )
        cells = (None,) * len(prop.columns) if new is None else encoder(prop, name)(new)
        return dict(zip(prop.columns, cells, strict=True))

    def _another(self, id_: str | None, types: list[str]) -> str | None:
        options = [row["id"] for name in types for row in self._rows[self._ontology.type(name).table]]
        return self._draw.choice([None, *(option for option in options if option != id_)])

    # what follows from the rows

    def _identifiers(self, rows: list[Row]) -> list[Row]:
        """What the entities are identified by now."""
        strong = {(row["entity_id"], row["property"]): row["strong"] for row in rows}
        return [
            {
                "scheme": prop.identifier,
                "value": normal_identifier(prop.type, row[prop.column]),
                "entity_id": row["id"],
                "type": type_.name,
                "property": prop.name,
                "source": row["source"],
                "strong": strong.get((row["id"], prop.name), self._truth(prop.strong)),
            }
            for type_ in self._ontology.types.values()
            for row in self._changed.get(type_.name, {}).values()
            for prop in type_.identifiers
            if row[prop.column] is not None
        ]

    def _truth(self, value: bool) -> Any:
        return int(value) if self._store.dialect.name == "sqlite" else value

    def _customer(self, row: Row) -> Row:
        provenance: Mapping[str, Mapping[str, str]] = json.loads(row["provenance"])
        parties = {
            id_: each for type_ in self._ontology.parties for id_, each in self._changed[type_.name].items()
        }
        for prop in self._ontology.customer_properties.values():
            if prop.name in provenance:
                winner = parties[provenance[prop.name]["party"]]
                row |= {column: winner[column] for column in prop.columns}
        if not all(map(self._hiding.allows, HOUSEHOLD)):
            households = [each["household_id"] for each in self._rows["customer"] if each["household_id"]]
            row["household_id"] = self._draw.choice([None, *households])
        return row
