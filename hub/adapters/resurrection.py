"""Who tries to come back: records of the erased that a source still sends, and values that were corrected.

The gate keeps the erased out, and a correction wins over every source; neither tells anybody. Here it is counted, by
source and stream, so that whoever answered the request sees that a source was never put right.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from hub.ontology import Property
from hub.store import Store, decode, fixed, quoted, utc_now


@dataclass(frozen=True, slots=True)
class Returned:
    """How often a source brought something back."""

    cause: str
    source: str
    stream: str
    count: int
    first_at: str
    last_at: str


def note(store: Store, connection: Connection, source: str, stream: str, causes: Iterable[str]) -> None:
    """Count what a source brought back, by erasure or request."""
    counts, now = Counter(causes), utc_now()
    if not counts:
        return
    table = fixed.resurrection
    query = select(table).where(
        table.c.source == source, table.c.stream == stream, table.c.cause.in_(sorted(counts))
    )
    known = {row._mapping[table.c.cause]: row._mapping for row in connection.execute(query)}
    rows = []
    for cause, count in sorted(counts.items()):
        old = known.get(cause)
        before, first = (old[table.c["count"]], old[table.c.first_at]) if old is not None else (0, now)
        rows.append((cause, source, stream, before + count, first, now))
    columns = ("cause", "source", "stream", "count", "first_at", "last_at")
    store.dialect.upsert(connection, table, columns, rows)


def returned(connection: Connection, cause: str) -> list[Returned]:
    """What came back of an erasure, or of a request's corrections, by source and stream."""
    table = fixed.resurrection
    query = select(table).where(table.c.cause == cause).order_by(table.c.source, table.c.stream)
    return [Returned(**row._mapping) for row in connection.execute(query)]


def remember_wrong(
    store: Store, connection: Connection, request_id: str, prop: str, parties: Mapping[str, tuple[str, str]]
) -> None:
    """Keep what these parties, given with source and stream, state of a property that was corrected just now."""
    stated = _stated(store, connection, prop, list(parties))
    columns = ("request_id", "party_id", "property", "source", "stream", "wrong", "mended_at")
    rows = [
        (request_id, id_, prop, *parties[id_], _hash(store, request_id, value), None)
        for id_, value in sorted(stated.items())
    ]
    store.dialect.upsert(connection, fixed.rectified, columns, rows)


def look_for_wrong(store: Store, connection: Connection, source: str, stream: str) -> None:
    """After a pass over the stream: count what it states still though it was corrected; what it does not is mended."""
    table = fixed.rectified
    here = (table.c.source == source, table.c.stream == stream)
    rows = connection.execute(select(table).where(*here)).all()
    for name in sorted({row.property for row in rows}):
        mine = [row for row in rows if row.property == name]
        stated = _stated(store, connection, name, [row.party_id for row in mine])
        for row in mine:
            value = stated.get(row.party_id)
            is_wrong = value is not None and _hash(store, row.request_id, value) == row.wrong
            if is_wrong:
                note(store, connection, source, stream, [row.request_id])
            if is_wrong == (row.mended_at is not None):
                mine_alone = (table.c.request_id == row.request_id, table.c.party_id == row.party_id)
                mended = None if is_wrong else utc_now()
                change = update(table).where(*mine_alone, table.c.property == name)
                connection.execute(change.values(mended_at=mended))


def unmended(connection: Connection, request_id: str) -> dict[str, int]:
    """How many parties of each source still state what was corrected, as far as the last sync could tell."""
    table = fixed.rectified
    query = select(table.c.source).where(table.c.request_id == request_id, table.c.mended_at.is_(None))
    return dict(Counter(connection.execute(query).scalars()))


def _stated(store: Store, connection: Connection, name: str, parties: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for type_ in store.ontology.parties:
        prop: Property | None = type_.properties.get(name)
        if prop is None:
            continue
        sql = f'SELECT id, {quoted(list(prop.columns))} FROM "{type_.table}" WHERE {{in:id}}'
        for id_, *cells in store.rows_in(connection, sql, sorted(parties)):
            value = decode(prop, tuple(cells), store.dialect.name)
            if value is not None:
                found[id_] = str(value)
    return found


def _hash(store: Store, request_id: str, value: str) -> str:
    """A hash that only the store can make, and that is another for each request."""
    said = f"{request_id}:{value}".encode()
    return hashlib.blake2b(said, digest_size=16, key=store.secret).hexdigest()
