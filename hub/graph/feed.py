"""The change feed as it concerns customers: who is new, changed, merged into another, or gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from hub.ontology import CUSTOMER
from hub.store import Store, fixed


class ChangeKind(StrEnum):
    """What happened to a customer."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    MERGED = "MERGED"
    REMOVED = "REMOVED"


_KINDS = {"create": ChangeKind.CREATED, "upsert": ChangeKind.CHANGED}


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """One change of one customer."""

    seq: int
    """Its place in the change feed, which ascends in the order of commits."""
    customer: str
    kind: ChangeKind
    into: str | None
    """Who took over, where the id is retired."""
    at: str


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some changes in their order, and how far the feed was read for them."""

    changes: tuple[CustomerChange, ...]
    reached: int
    """No change of a customer up to here is missing."""


class CustomerFeed:
    """Reads the change feed of one store, whoever wrote it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self) -> int:
        """The newest entry of the feed, of whatever kind; 0 when there is none."""
        return self._store.last_change()

    def after(self, seq: int, limit: int) -> FeedPage:
        """The next changes of customers after `seq`, at most `limit`."""
        table = fixed.change
        query = select(table.c.seq, table.c.entity_id, table.c.kind, table.c.at)
        query = query.where(table.c.seq > seq, table.c.type == CUSTOMER).order_by(table.c.seq).limit(limit)
        # Before the rows: what is committed between the two is not passed over.
        newest = max(self.newest(), seq)
        with self._store.read() as connection:
            rows = connection.execute(query).all()
            heirs = self._heirs(connection, {row.entity_id for row in rows if row.kind == "delete"})
        changes = tuple(_change(*row, heirs.get(row.entity_id)) for row in rows)
        return FeedPage(changes, changes[-1].seq if len(changes) == limit else newest)

    def heirs(self, ids: Collection[str]) -> Mapping[str, str]:
        """For those of the ids that are retired the customers that took over."""
        with self._store.read() as connection:
            return self._heirs(connection, ids)

    def _heirs(self, connection: Connection, ids: Collection[str]) -> dict[str, str]:
        sql = "SELECT old_id, new_id FROM customer_redirect WHERE {in:old_id}"
        return {row[0]: row[1] for row in self._store.rows_in(connection, sql, sorted(ids))}


def _change(seq: int, customer: str, kind: str, at: str, heir: str | None) -> CustomerChange:
    if kind in _KINDS:
        return CustomerChange(seq, customer, _KINDS[kind], None, at)
    return CustomerChange(seq, customer, ChangeKind.MERGED if heir else ChangeKind.REMOVED, heir, at)
