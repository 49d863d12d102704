"""Which party each entity belongs to: `party_id`, from the customer paths of its type.

A path of one step is the reference itself, known even before the party arrives. A longer path (`order.customer`) takes
the `party_id` of the entity that its first step leads to, so a change travels down a type at a time: order, then its
lines and shipments, then their events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import Connection

from hub.graph.claims import Settled
from hub.graph.former import Left
from hub.ontology import EntityType, Ontology, Property
from hub.store import Store


@dataclass(frozen=True, slots=True)
class Moved:
    """What a batch moved from party to party."""

    ids: Mapping[str, set[str]]
    """Entities by type."""
    left: Sequence[Left]
    """Those that had a party before."""


class Belonging:
    """Keeps `party_id`.

    Raises:
        ValueError: customer paths go round in a circle; the ontology has to be corrected.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._order = _parents_first(store.ontology)
        self._updates = {name: _update_sql(store.ontology.type(name), store.ontology) for name in self._order}
        self._leaving = {
            name: _leaving_sql(store.ontology.type(name), store.ontology) for name in self._order
        }

    def update(self, connection: Connection, settled: Settled, tied: Mapping[str, Collection[str]]) -> Moved:
        """Set `party_id` wherever the batch changes it; what moved by that."""
        suspects: dict[str, set[str]] = defaultdict(set)
        for draft in settled.written:
            suspects[draft.type].add(draft.id)
        for type_, ids in tied.items():
            suspects[type_].update(ids)
        uprooted: dict[str, set[str]] = defaultdict(set)
        for row in settled.removed:
            uprooted[row.type].add(row.id)
        moved: dict[str, set[str]] = {}
        left: list[Left] = []
        for name in self._order:
            ids = sorted(suspects[name] | self._dependents(connection, name, uprooted))
            left += [Left(*row) for row in self._store.rows_in(connection, self._leaving[name], ids)]
            rows = self._store.rows_in(connection, self._updates[name], ids)
            if rows:
                moved[name] = {id_ for (id_,) in rows}
                uprooted[name] |= moved[name]
        return Moved(moved, left)

    def _dependents(
        self, connection: Connection, name: str, uprooted: Mapping[str, Collection[str]]
    ) -> set[str]:
        """Entities of the type whose parents moved or went."""
        type_ = self._store.ontology.type(name)
        found: set[str] = set()
        for prop in _parent_references(type_):
            sql = f'SELECT id FROM "{type_.table}" WHERE {{in:"{prop.column}"}}'
            parents = sorted(uprooted.get(prop.range or "", ()))
            found.update(id_ for (id_,) in self._store.rows_in(connection, sql, parents))
        return found


def _parents_first(ontology: Ontology) -> list[str]:
    bound = {type_.name: type_ for type_ in ontology.types.values() if type_.customer}
    parents = {
        name: {prop.range or "" for prop in _parent_references(type_)} for name, type_ in bound.items()
    }
    try:
        return list(TopologicalSorter(parents).static_order())
    except CycleError as error:
        raise ValueError(f"customer paths go round in a circle: {' -> '.join(error.args[1])}") from error


def _parent_references(type_: EntityType) -> list[Property]:
    """References of the paths that lead on through another entity."""
    steps = dict.fromkeys(path.partition(".")[0] for path in type_.customer if "." in path)
    return [type_.properties[step] for step in steps]


def _leaving_sql(type_: EntityType, ontology: Ontology) -> str:
    """The rows that pass from a party to another: SQLite's RETURNING does not tell what there was before."""
    party, tables = _party_sql(type_, ontology)
    return f"""
        SELECT c."party_id", c.id, c.head_id FROM {tables}
        WHERE {{in:c.id}} AND c."party_id" IS NOT NULL AND c."party_id" IS DISTINCT FROM {party}
    """


def _update_sql(type_: EntityType, ontology: Ontology) -> str:
    party, tables = _party_sql(type_, ontology)
    table = f'"{type_.table}"'
    return f"""
        WITH found AS (SELECT c.id AS child, {party} AS party FROM {tables} WHERE {{in:c.id}})
        UPDATE {table} SET "party_id" = found.party FROM found
        WHERE {table}."id" = found.child AND {table}."party_id" IS DISTINCT FROM found.party
        RETURNING "id"
    """


def _party_sql(type_: EntityType, ontology: Ontology) -> tuple[str, str]:
    """The party of rows `c` of the type, and the tables that tell it."""
    joins = {
        prop.name: (f"p{number}", prop, ontology.type(prop.range or ""))
        for number, prop in enumerate(_parent_references(type_))
    }
    ways = list(
        dict.fromkeys(
            f'{joins[path.partition(".")[0]][0]}."party_id"'
            if "." in path
            else f'c."{type_.properties[path].column}"'
            for path in type_.customer
        )
    )
    party = f"coalesce({', '.join(ways)})" if len(ways) > 1 else ways[0]
    tables = "".join(
        f' LEFT JOIN "{parent.table}" {alias} ON {alias}.id = c."{prop.column}"'
        for alias, prop, parent in joins.values()
    )
    return party, f'"{type_.table}" c{tables}'
