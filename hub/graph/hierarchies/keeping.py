"""Keeps the trees of organisations in a store: only what stands below a change is looked at again.

| table          | what                                                                                        |
|----------------|---------------------------------------------------------------------------------------------|
| `registration` | keyed hashes of the numbers by which public registries tell companies and their branches    |
| `parent`       | who stands directly above each customer, as stated, circles included                        |
| `ancestor`     | who stands above each customer, level by level, without circles                             |

A parent that a source declares counts before one that registry numbers suggest. Of several declared ones the newest
counts, of those of one time the one with the least id of a party, so that the order of arrival decides nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from sqlalchemy import Connection

from hub.graph.hierarchies.registries import Registered, registered
from hub.graph.hierarchies.trees import Edge, ancestors
from hub.ontology import EntityType, Property
from hub.store import Store, fixed

_SCHEMES = frozenset(("vat", "tax_id"))
"""Schemes of identifiers that registries give."""
_EDGE = ("parent_id", "declared", "registered", "stated_at")
_Row: TypeAlias = tuple[str, int, str, bool]
"""A customer's ancestor: id, level, id of the one above, whether sources declare the whole way."""


class Hierarchies:
    """Writes who stands above whom."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._declaring = [
            (type_, prop)
            for type_ in store.ontology.parties
            for prop in type_.references
            if prop.range == type_.name
        ]
        self._hash = hashlib.blake2b(key=store.secret[:64], digest_size=8)

    def update(self, connection: Connection, touched: Collection[str]) -> set[str]:
        """Bring the trees up to date after parties or memberships changed; customers above whom others stand now."""
        suspects = {*touched, *self._children(connection, touched), *self._register(connection, touched)}
        before = self._edges(connection, suspects)
        after = self._stated(connection, suspects)
        changed = {id_ for id_ in suspects if before.get(id_) != after.get(id_)}
        if not changed:
            return set()
        self._store.delete_in(connection, "parent", "customer_id", sorted(changed))
        rows = [
            (id_, edge.parent, edge.declared, edge.registered, edge.stated_at)
            for id_, edge in sorted(after.items())
            if id_ in changed
        ]
        self._store.dialect.insert(connection, fixed.parent, ("customer_id", *_EDGE), rows)
        return self._rebuild(connection, changed)

    # what is stated

    def _children(self, connection: Connection, customers: Collection[str]) -> set[str]:
        """Those who name one of the customers as their parent, or had one of them."""
        found = self._column(connection, "SELECT customer_id FROM parent WHERE {in:parent_id}", customers)
        for type_, prop in self._declaring:
            sql = (
                f'SELECT DISTINCT m.customer_id FROM membership t JOIN "{type_.table}" p'
                f' ON p."{prop.column}" = t.party_id JOIN membership m ON m.party_id = p.id'
                " WHERE {in:t.customer_id}"
            )
            found |= self._column(connection, sql, customers)
        return found

    def _stated(self, connection: Connection, customers: Collection[str]) -> dict[str, Edge]:
        """Who stands directly above each of the customers, as sources and registries say."""
        edges = dict(self._by_registry(connection, customers))
        stated = [
            row
            for type_, prop in self._declaring
            for row in self._declared(connection, type_, prop, customers)
        ]
        declared: dict[str, Edge] = {}
        for _, at, id_, parent in sorted((party, at, id_, above) for id_, above, at, party in stated):
            if id_ not in declared or at > declared[id_].stated_at:
                same = id_ in edges and edges[id_].parent == parent
                declared[id_] = Edge(parent, True, same, at)
        return edges | declared

    def _declared(
        self, connection: Connection, type_: EntityType, prop: Property, customers: Collection[str]
    ) -> list[Any]:
        sql = (
            f"SELECT m.customer_id, t.customer_id, p.observed_at, t.party_id FROM membership m"
            f' JOIN "{type_.table}" p ON p.id = m.party_id JOIN membership t ON t.party_id = p."{prop.column}"'
            " WHERE t.customer_id <> m.customer_id AND {in:m.customer_id}"
        )
        return self._store.rows_in(connection, sql, sorted(customers))

    def _by_registry(self, connection: Connection, customers: Collection[str]) -> Iterator[tuple[str, Edge]]:
        """Branches of companies of which exactly one customer has the number."""
        sql = "SELECT customer_id, key, is_head, stated_at FROM registration WHERE {in:customer_id}"
        own = [tuple(row) for row in self._store.rows_in(connection, sql, sorted(customers))]
        heads: dict[int, set[str]] = defaultdict(set)
        times: dict[int, str] = {}
        sql = "SELECT key, customer_id, stated_at FROM registration WHERE is_head AND {in:key}"
        for key, id_, at in self._store.rows_in(connection, sql, sorted({row[1] for row in own})):
            heads[key].add(id_)
            times[key] = at
        is_head = {(id_, key) for id_, key, head, _ in own if head}
        found: dict[str, set[Edge]] = defaultdict(set)
        for id_, key, _, at in own:
            if len(heads[key]) == 1 and (id_, key) not in is_head:
                found[id_].add(Edge(next(iter(heads[key])), False, True, max(at, times[key])))
        for id_, edges in found.items():
            if len({edge.parent for edge in edges}) == 1:
                yield id_, max(edges, key=lambda edge: edge.stated_at)

    def _register(self, connection: Connection, touched: Collection[str]) -> set[str]:
        """Write the registry numbers of the customers; all who share one, before or now."""
        sql = "SELECT customer_id, key, is_head, stated_at FROM registration WHERE {in:customer_id}"
        was = {
            (id_, key, bool(head), at)
            for id_, key, head, at in self._store.rows_in(connection, sql, sorted(touched))
        }
        now = self._numbers(connection, touched)
        if was == now:
            return set()
        self._store.delete_in(connection, "registration", "customer_id", sorted({row[0] for row in was}))
        columns = ("customer_id", "key", "is_head", "stated_at")
        self._store.dialect.insert(connection, fixed.registration, columns, sorted(now))
        keys = sorted({row[1] for row in was ^ now})
        return self._column(connection, "SELECT customer_id FROM registration WHERE {in:key}", keys)

    def _numbers(self, connection: Connection, customers: Collection[str]) -> set[tuple[str, int, bool, str]]:
        found: dict[tuple[str, int], tuple[bool, str]] = {}
        for type_, _ in self._declaring:
            sql = (
                "SELECT m.customer_id, i.scheme, i.value, p.observed_at FROM membership m"
                f' JOIN "{type_.table}" p ON p.id = m.party_id JOIN identifier i ON i.entity_id = p.id'
                " WHERE {in:m.customer_id}"
            )
            for id_, scheme, value, at in self._store.rows_in(connection, sql, sorted(customers)):
                said = registered(value) if scheme in _SCHEMES else None
                if said:
                    head, latest = found.get((id_, self._key(said)), (False, ""))
                    found[id_, self._key(said)] = (head or said.is_head, max(latest, at))
        return {(id_, key, head, at) for (id_, key), (head, at) in found.items()}

    def _key(self, said: Registered) -> int:
        hashed = self._hash.copy()
        hashed.update(f"registry\0{said.company}".encode())
        return int.from_bytes(hashed.digest(), "big", signed=True)

    # trees

    def _rebuild(self, connection: Connection, changed: set[str]) -> set[str]:
        """Write who stands above the changed customers and above all below them."""
        below, ring = set(changed), set(changed)
        while ring:
            sql = "SELECT customer_id FROM parent WHERE {in:parent_id}"
            ring = self._column(connection, sql, ring) - below
            below |= ring
        edges, ring = self._edges(connection, below), set(below)
        while ring := {edges[id_].parent for id_ in ring if id_ in edges} - edges.keys() - below:
            more = self._edges(connection, ring)
            edges |= more
            ring = set(more)
        now = {row for id_ in below for row in _rows(id_, edges)}
        sql = "SELECT customer_id, level, ancestor_id, declared FROM ancestor WHERE {in:customer_id}"
        was = {
            (id_, level, above, bool(declared))
            for id_, level, above, declared in self._store.rows_in(connection, sql, sorted(below))
        }
        other = {row[0] for row in was ^ now}
        self._store.delete_in(connection, "ancestor", "customer_id", sorted(other))
        columns = ("customer_id", "level", "ancestor_id", "declared")
        self._store.dialect.insert(
            connection, fixed.ancestor, columns, sorted(r for r in now if r[0] in other)
        )
        return other | {row[2] for row in was ^ now}

    def _edges(self, connection: Connection, customers: Collection[str]) -> dict[str, Edge]:
        sql = f"SELECT customer_id, {', '.join(_EDGE)} FROM parent WHERE {{in:customer_id}}"
        rows = self._store.rows_in(connection, sql, sorted(customers))
        found = {id_: Edge(*said) for id_, *said in rows}
        return {
            id_: replace(e, declared=bool(e.declared), registered=bool(e.registered))
            for id_, e in found.items()
        }

    def _column(self, connection: Connection, sql: str, values: Collection[Any]) -> set[str]:
        return {id_ for (id_,) in self._store.rows_in(connection, sql, sorted(values))}


def _rows(customer: str, edges: Mapping[str, Edge]) -> Iterator[_Row]:
    declared, at = True, customer
    for level, above in enumerate(ancestors(customer, edges), 1):
        declared = declared and edges[at].declared
        yield customer, level, above, declared
        at = above
