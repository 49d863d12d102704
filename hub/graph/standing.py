"""Who restricted the use of their data or objected to it: kept for each customer, from what all its parties state.

What was said by an identifier that one of them holds counts as well (`hub.graph.keyed`).
Of several statements about the same thing the newest counts; one without a time is the newest, and of two at a time the
one that is not lifted: what is unclear keeps data from being used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from hub.access import ALL_USES, RESTRICTION
from hub.graph.claims import Settled
from hub.graph.keyed import KeyedBars
from hub.graph.resolution import Resolution
from hub.store import Store, fixed

TYPE = "Restriction"
"""The type of the ontology whose rows say so; an ontology without it restricts nobody."""
LIFTED = "lifted"
OBJECTION = "objection"

_COLUMNS = ("party_id", "bar", "customer_id")


class Standings:
    """Keeps the table `standing`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        type_ = store.ontology.types.get(TYPE)
        self._table = type_.table if type_ is not None else None
        self._keyed = KeyedBars(store)
        self._party_types = frozenset(type_.name for type_ in store.ontology.parties)

    def update(
        self,
        connection: Connection,
        settled: Settled,
        moved: Mapping[str, Collection[str]],
        resolution: Resolution,
    ) -> set[str]:
        """Bring the standing of the batch's customers up to date; ids of those whose standing is another now."""
        suspects = set(resolution.affected | resolution.dissolved)
        if not self._keyed.is_empty(connection):
            stated = [draft.id for draft in settled.written if draft.type in self._party_types]
            sql = "SELECT DISTINCT customer_id FROM membership WHERE {in:party_id}"
            suspects.update(row[0] for row in self._store.rows_in(connection, sql, stated))
        written = {draft.id for draft in settled.written if draft.type == TYPE} | {*moved.get(TYPE, ())}
        if written or any(row.type == TYPE for row in settled.removed):
            # Whose a row was before is not told any more: few have a standing, so all of them are looked at.
            suspects |= self._customers(connection, written)
            suspects |= set(connection.exec_driver_sql("SELECT customer_id FROM standing").scalars())
        return self.renew(connection, suspects)

    def renew(self, connection: Connection, customers: Collection[str]) -> set[str]:
        """Bring the standing of these customers up to date; ids of those whose standing is another now."""
        return self._rewrite(connection, sorted(customers)) if customers else set()

    def _customers(self, connection: Connection, rows: Collection[str]) -> set[str]:
        sql = (
            f'SELECT m.customer_id FROM "{self._table}" r JOIN membership m ON m.party_id = r.party_id'
            " WHERE {in:r.id}"
        )
        return {id_ for (id_,) in self._store.rows_in(connection, sql, sorted(rows))}

    def _rewrite(self, connection: Connection, customers: list[str]) -> set[str]:
        before = self._rows(connection, "SELECT customer_id, party_id, bar FROM standing", customers)
        bars = self._bars(connection, customers)
        parties = self._rows(connection, "SELECT customer_id, party_id, NULL FROM membership", sorted(bars))
        now = {
            customer: {(party, bar) for party, _ in parties[customer] for bar in held}
            for customer, held in bars.items()
        }
        changed = {id_ for id_ in customers if before.get(id_, set()) != now.get(id_, set())}
        self._store.rows_in(connection, "DELETE FROM standing WHERE {in:customer_id}", sorted(changed))
        rows = [(party, bar, id_) for id_ in sorted(changed) for party, bar in sorted(now.get(id_, ()))]
        self._store.dialect.upsert(connection, fixed.standing, _COLUMNS, rows)
        return changed

    def _rows(
        self, connection: Connection, select: str, customers: list[str]
    ) -> defaultdict[str, set[tuple[str, str]]]:
        found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        sql = f"{select} WHERE {{in:customer_id}}"
        for customer, party, bar in self._store.rows_in(connection, sql, customers):
            found[customer].add((party, bar))
        return found

    def _bars(self, connection: Connection, customers: list[str]) -> dict[str, set[str]]:
        """What is in force of each customer that has anything in force."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for customer, keyed in self._keyed.of_customers(connection, customers).items():
            found[customer].update(each.bar for each in keyed)
        if self._table is None:
            return found
        sql = (
            f"SELECT m.customer_id, r.kind, r.purpose, r.state, r.at FROM membership m"
            f' JOIN "{self._table}" r ON r.party_id = m.party_id WHERE {{in:m.customer_id}}'
        )
        said: defaultdict[tuple[str, str], list[tuple[Any, str]]] = defaultdict(list)
        for customer, kind, purpose, state, at in self._store.rows_in(connection, sql, customers):
            bar = (purpose or ALL_USES) if kind == OBJECTION else RESTRICTION
            said[customer, bar].append((at, state))
        for (customer, bar), statements in said.items():
            if _in_force(statements):
                found[customer].add(bar)
        return found


def _in_force(statements: Iterable[tuple[Any, str]]) -> bool:
    _, state = max(statements, key=lambda said: (said[0] is None, said[0] or "", said[1] != LIFTED))
    return state != LIFTED
