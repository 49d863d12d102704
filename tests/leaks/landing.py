"""What the rows of a world were made of: a landed record for each, and the mapping that reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.adapters import Past
from hub.adapters.mapping import StreamMapping
from hub.adapters.past.gathering import Gathered
from hub.graph import Entity, Reference
from hub.graph.plans.build import NOW
from hub.ontology import Ontology
from hub.store import Store, decode, encoder
from tests.leaks.company import SOURCES

LANDED_AT = "2026-03-01T00:00:00.000000Z"
PAST = "2026-04-01T00:00:00Z"
"""A time of which questions are asked: everything was there already."""


def landed(store: Store, rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of heads and records that say what the entities' rows say.

    The heads are as if they had been discarded: how many there are is told of each source, whoever's they are.
    """
    heads, records = [], []
    for type_ in store.ontology.types.values():
        for row in rows[type_.table]:
            cells = {}
            for prop in type_.properties.values():
                value = decode(prop, tuple(row[column] for column in prop.columns), store.dialect.name)
                if value is not None:
                    cells[prop.name] = encoder(prop, "sqlite")(value)
            payload = json.dumps({"id": row["id"], "type": type_.name, "values": cells})
            observed_at, key = row["observed_at"], row["record_key"]
            head = {"id": row["head_id"], "source": row["source"], "stream": row["stream"], "key": key}
            heads.append(
                head
                | {
                    "record_id": row["record_id"],
                    "hash": "h",
                    "state": "discarded",
                    "observed_at": observed_at,
                }
            )
            version = {"id": row["record_id"], "head_id": row["head_id"], "hash": "h", "payload": payload}
            made = {"run_id": SOURCES.index(row["source"]) + 1, "landed_at": LANDED_AT}
            records.append(version | made | {"position": f"{key}.json:1", "observed_at": observed_at})
    return {"record_head": heads, "record": records}


@dataclass(frozen=True)
class _Maker:
    ontology: Ontology

    def make(self, payload: Mapping[str, Any]) -> Iterator[Entity]:
        type_ = self.ontology.type(payload["type"])
        values = {}
        for name, cells in payload["values"].items():
            prop = type_.properties[name]
            value = decode(prop, tuple(cells), "sqlite")
            values[name] = Reference(value) if prop.range is not None else value
        yield Entity(payload["id"], type_.name, "key", values)


class _AsTheWorldHasIt(Past):
    """The past of a world in which hidden values were changed, but not what follows from them.

    Whose a row is, and which party's value is the golden one, stays as the world has it: else each changed reference
    would move rows from one customer to another.
    """

    def _leave_out(self, made: Connection, found: Gathered) -> None:
        world, kept = self._store, self._memory.store
        with world.read() as connection:
            for type_ in kept.ontology.types.values():
                if type_.customer and not type_.is_party:
                    rows = connection.exec_driver_sql(f'SELECT party_id, id FROM "{type_.table}"').all()
                    sql = f'UPDATE "{type_.table}" SET party_id = ? WHERE id = ?'
                    made.exec_driver_sql(sql, [tuple(row) for row in rows]) if rows else None
        made.exec_driver_sql(f"DELETE FROM customer WHERE id = '{found.customer}'")
        made.exec_driver_sql(f"INSERT INTO customer SELECT * FROM {NOW}.customer")
        super()._leave_out(made, found)


def past_of(store: Store) -> Past:
    """What answers of the past of a store with such records."""
    mapping = StreamMapping(
        version="leaks",
        content="{}",
        fields=frozenset(),
        _key=lambda _scope: "key",
        _observed=None,
        _entities=(_Maker(store.ontology),),
    )
    return _AsTheWorldHasIt(store, dict.fromkeys(SOURCES, 50), lambda _source, _stream: mapping)
