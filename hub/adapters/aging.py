"""What of the landing serves nothing any more: versions of records that others have followed, records that wait.

A version is emptied, not deleted: that it was there and when it came stays, which is what `created` counts from. What
it said is gone, also for questions about a past time, which find no such record then. A record that waits is taken out
for good: the same content from the same source does not come back, and another version is tried as always.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.adapters import quarantine
from hub.adapters.footprint import Search
from hub.adapters.landing import DELETED_HASH
from hub.adapters.suppression import Suppression
from hub.graph.ages import all_restricted, restricted
from hub.graph.holds import all_held, held
from hub.store import Store


@dataclass(frozen=True, slots=True)
class AgedPayload:
    """What a source once sent, by its number in its table."""

    id: int
    source: str
    is_stopped: bool
    """Whether it is of somebody under a legal hold, or who restricted the use of their data."""


def aged_versions(
    store: Store, connection: Connection, before: str, *, after: int = 0, limit: int = 1000
) -> list[AgedPayload]:
    """The first versions with a number above `after` that another one followed before the instant.

    What a record says now is none of them, unless its source has it no more.
    """
    given = store.dialect.param
    sql = (
        "SELECT r.id, h.source, h.id FROM record r JOIN record_head h ON h.id = r.head_id"
        f" WHERE r.id > {given('after')} AND r.hash <> '{DELETED_HASH}'"
        " AND (r.id IS DISTINCT FROM h.record_id OR h.state = 'deleted')"
        " AND EXISTS (SELECT 1 FROM record n WHERE n.head_id = r.head_id AND n.id > r.id"
        f" AND n.landed_at < {given('before')}) ORDER BY r.id LIMIT {limit}"
    )
    rows = store.dialect.run(connection, sql, {"after": after, "before": before}).fetchall()
    stopped = _stopped_heads(store, connection, {row[2] for row in rows})
    return [AgedPayload(id_, source, head in stopped) for id_, source, head in rows]


def aged_waiting(
    store: Store, connection: Connection, before: str, *, after: int = 0, limit: int = 1000
) -> list[AgedPayload]:
    """The first records that wait, with a number above `after`, and were set aside before the instant."""
    given = store.dialect.param
    sql = (
        "SELECT q.id, q.source, h.id FROM quarantine q LEFT JOIN record_head h"
        " ON h.source = q.source AND h.stream = q.stream AND h.key = q.key"
        f" WHERE q.id > {given('after')} AND q.first_seen_at < {given('before')} ORDER BY q.id LIMIT {limit}"
    )
    rows = store.dialect.run(connection, sql, {"after": after, "before": before}).fetchall()
    if not rows:
        return []
    stopped = _stopped_heads(store, connection, {row[2] for row in rows if row[2] is not None})
    naming, _ = Search(store, connection).mentioning(all_held(connection) | all_restricted(connection))
    return [AgedPayload(id_, source, head in stopped or id_ in naming) for id_, source, head in rows]


def empty_versions(store: Store, connection: Connection, ids: Sequence[int]) -> None:
    """Take out what these versions say, overwritten where it stood."""
    store.dialect.overwrite_deleted(connection)
    emptied = f"UPDATE record SET payload = 'null', position = '', hash = '{DELETED_HASH}' WHERE {{in:id}}"
    store.rows_in(connection, emptied, ids)


def discard_waiting(store: Store, connection: Connection, ids: Sequence[int], cause: str) -> None:
    """Take these waiting records out, and keep their content out in the name of `cause`, an event's id."""
    store.dialect.overwrite_deleted(connection)
    made = Suppression(store)
    rows = store.rows_in(connection, "SELECT source, hash FROM quarantine WHERE {in:id}", ids)
    made.add(connection, {made.of_content(source, content): cause for source, content in rows})
    quarantine.take_out(store, connection, ids)


def _stopped_heads(store: Store, connection: Connection, heads: Collection[int]) -> set[int]:
    """Those of the records that state, or stated, something of somebody under a hold or a restriction."""
    whose = list(_parties(store, connection, sorted(heads)))
    parties = sorted({party for _, party in whose})
    stopped = held(store, connection, parties) | restricted(store, connection, parties)
    return {head for head, party in whose if party in stopped}


def _parties(store: Store, connection: Connection, heads: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """The records, each with the parties that it states or stated something of."""
    for type_ in store.ontology.types.values():
        if type_.has_customer:
            party = "t.id" if type_.is_party else "t.party_id"
            served = f'SELECT t.head_id, {party} FROM "{type_.table}" t WHERE {{in:t.head_id}}'
            stated = (
                f'SELECT c.head_id, {party} FROM contribution c JOIN "{type_.table}" t ON t.id = c.entity_id'
                " WHERE {in:c.head_id}"
            )
            for sql in (served, stated):
                rows = store.rows_in(connection, sql, heads)
                yield from ((row[0], row[1]) for row in rows if row[1] is not None)
    former = "SELECT head_id, party_id FROM former WHERE {in:head_id}"
    yield from ((row[0], row[1]) for row in store.rows_in(connection, former, heads))
