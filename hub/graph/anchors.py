"""Parties that are a customer's by somebody's word: what staff record belongs to the customer it was recorded of.

Such a party names *anchors*, other parties in an order, and is the same customer as the first of them that there is.
So it stays with its customer when customers merge or split, and when a source deletes one of the anchors. It joins no
two parties that are not one customer without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from hub.graph.claims import Settled
from hub.graph.entities import STAFF
from hub.store import Store, fixed


class Anchors:
    """Keeps the table of anchors, and tells who is tied to whom."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def replace(self, connection: Connection, settled: Settled) -> None:
        """Write what the batch changes."""
        anchored = [draft for draft in settled.written if draft.anchors]
        gone = {row.id for row in settled.removed if row.source in STAFF} | {draft.id for draft in anchored}
        self._store.rows_in(connection, "DELETE FROM anchor WHERE {in:party_id}", sorted(gone))
        rows = [(draft.id, place, party) for draft in anchored for place, party in enumerate(draft.anchors)]
        self._store.dialect.insert(connection, fixed.anchor, ("party_id", "place", "anchor_id"), rows)

    def tied_to(self, connection: Connection, anchors: Collection[str]) -> set[str]:
        """The parties that name one of these as an anchor."""
        sql = "SELECT party_id FROM anchor WHERE {in:anchor_id}"
        return {party for (party,) in self._store.rows_in(connection, sql, sorted(anchors))}

    def of(self, connection: Connection, parties: Collection[str]) -> Mapping[str, list[str]]:
        """The anchors of those of these parties that name any, in their order."""
        sql = "SELECT party_id, place, anchor_id FROM anchor WHERE {in:party_id}"
        found: dict[str, list[str]] = defaultdict(list)
        for party, _, anchor in sorted(self._store.rows_in(connection, sql, sorted(parties)), key=tuple):
            found[party].append(anchor)
        return found
