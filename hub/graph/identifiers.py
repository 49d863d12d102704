"""Who holds which identifier, and references that name their target by an identifier.

Such a reference is *tied* when all holders of the identifier within the reference's range are one customer, or one
entity where the range is no party; it then leads to the holder of the lowest id. While nobody holds the identifier,
or several customers do (a phone that a family shares), it stays null. It is tied anew whenever a holder comes, goes or
changes customer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from hub.graph.claims import Settled
from hub.graph.rows import Held, Identifier
from hub.ontology import EntityType, Ontology, Property
from hub.store import Store, fixed


class Identifiers:
    """Keeps the tables of identifiers and of references by identifier."""

    def __init__(self, store: Store) -> None:
        self._store = store
        types = store.ontology.types.values()
        self._ties = {
            (type_.name, prop.name): _tie_sql(store, type_, prop)
            for type_ in types
            for prop in type_.references
        }

    def replace(self, connection: Connection, settled: Settled) -> frozenset[Identifier]:
        """Write what the batch changes; the identifiers that some entity has ceased to hold."""
        gone = {row.id for row in settled.removed}
        known = sorted({draft.id for draft in settled.written if draft.id in settled.before} | gone)
        before = self._held(connection, known)
        now = {draft.id: draft.identifiers for draft in settled.written}
        moved = {d.id for d in settled.written if d.id in gone}
        stale = [id_ for id_ in before if id_ in moved or before[id_] != now.get(id_, frozenset())]
        self._store.rows_in(connection, "DELETE FROM identifier WHERE {in:entity_id}", stale)
        fresh = set(now) - before.keys() | set(stale)
        rows = [
            (scheme, value, d.id, d.type, prop, d.statement.source, strong)
            for d in settled.written
            if d.id in fresh
            for scheme, value, prop, strong in d.identifiers
        ]
        columns = ("scheme", "value", "entity_id", "type", "property", "source", "strong")
        self._store.dialect.insert(connection, fixed.identifier, columns, rows)
        self._replace_references(connection, settled, known)
        return _released(before, now)

    def _held(self, connection: Connection, ids: Sequence[str]) -> dict[str, frozenset[Held]]:
        sql = "SELECT entity_id, scheme, value, property, strong FROM identifier WHERE {in:entity_id}"
        held: dict[str, set[Held]] = defaultdict(set)
        for id_, scheme, value, prop, strong in self._store.rows_in(connection, sql, ids):
            held[id_].add((scheme, value, prop, bool(strong)))
        return {id_: frozenset(identifiers) for id_, identifiers in held.items()}

    def _replace_references(self, connection: Connection, settled: Settled, known: Sequence[str]) -> None:
        self._store.rows_in(connection, "DELETE FROM identifier_ref WHERE {in:entity_id}", known)
        rows = [(d.id, d.type, prop, to.scheme, to.value) for d in settled.written for prop, to in d.untied]
        columns = ("entity_id", "type", "property", "scheme", "value")
        self._store.dialect.insert(connection, fixed.identifier_ref, columns, rows)

    def tie(
        self,
        connection: Connection,
        settled: Settled,
        released: Collection[Identifier],
        moved_parties: Collection[str],
    ) -> Mapping[str, set[str]]:
        """Point references by identifier at their holders; ids of the entities whose target is another now, by type."""
        holders = {draft.id for draft in settled.written if draft.identifiers} | set(moved_parties)
        waiting: dict[tuple[str, str], set[str]] = defaultdict(set)
        for draft in settled.written:
            for prop, _ in draft.untied:
                waiting[draft.type, prop].add(draft.id)
        for type_, prop, id_ in self._referring(connection, sorted(holders), released):
            waiting[type_, prop].add(id_)
        changed: dict[str, set[str]] = defaultdict(set)
        for key, ids in sorted(waiting.items()):
            tied = self._store.rows_in(connection, self._ties[key], sorted(ids))
            changed[key[0]].update(id_ for (id_,) in tied)
        return changed

    def _referring(
        self, connection: Connection, holders: Sequence[str], released: Collection[Identifier]
    ) -> Iterable[Sequence[str]]:
        sql = (
            "SELECT DISTINCT r.type, r.property, r.entity_id FROM identifier i JOIN identifier_ref r"
            " ON r.scheme = i.scheme AND r.value = i.value WHERE {in:i.entity_id}"
        )
        yield from self._store.rows_in(connection, sql, holders)
        given = self._store.dialect.param("scheme")
        sql = f"SELECT type, property, entity_id FROM identifier_ref WHERE scheme = {given} AND {{in:value}}"
        for scheme, values in by_scheme(released).items():
            yield from self._store.rows_in(connection, sql, values, scheme=scheme)


def by_scheme(identifiers: Iterable[Identifier]) -> dict[str, list[str]]:
    """Values by scheme, sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for scheme, value in sorted(identifiers):
        found[scheme].append(value)
    return found


def _released(
    before: Mapping[str, frozenset[Held]], now: Mapping[str, frozenset[Held]]
) -> frozenset[Identifier]:
    nothing: frozenset[Held] = frozenset()
    return frozenset(
        (scheme, value)
        for id_, held in before.items()
        for scheme, value, _, _ in held - now.get(id_, nothing)
    )


def _tie_sql(store: Store, type_: EntityType, prop: Property) -> str:
    """Set the reference to its one holder where that is another than now; holders are counted once an identifier."""
    names = ", ".join(f"'{target.name}'" for target in store.ontology.range_types(prop.range or ""))
    one = "m.customer_id" if _leads_to_party(store.ontology, prop) else "i.entity_id"
    table, column = f'"{type_.table}"', f'"{prop.column}"'
    return f"""
        WITH waiting AS (
            SELECT entity_id, scheme, value FROM identifier_ref WHERE property = '{prop.name}' AND {{in:entity_id}}
        ), held AS (
            SELECT i.scheme, i.value, CASE WHEN min({one}) = max({one}) THEN min(i.entity_id) END AS target
            FROM (SELECT DISTINCT scheme, value FROM waiting) w
            JOIN identifier i ON i.scheme = w.scheme AND i.value = w.value AND i.type IN ({names})
            LEFT JOIN membership m ON m.party_id = i.entity_id
            GROUP BY i.scheme, i.value
        ), tied AS (
            SELECT w.entity_id, h.target FROM waiting w
            LEFT JOIN held h ON h.scheme = w.scheme AND h.value = w.value
        )
        UPDATE {table} SET {column} = tied.target FROM tied
        WHERE {table}."id" = tied.entity_id AND {table}.{column} IS DISTINCT FROM tied.target
        RETURNING "id"
    """


def _leads_to_party(ontology: Ontology, prop: Property) -> bool:
    return all(target.is_party for target in ontology.range_types(prop.range or ""))
