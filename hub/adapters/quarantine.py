"""Quarantine: where a record waits that could not be accepted, with its raw payload, the field and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as option

from sqlalchemy import Connection, case, delete, func, select, text, update

from hub.adapters.landing import HEAD_COLUMNS, Head
from hub.adapters.payload import digest
from hub.errors import NotFoundError, RecordError
from hub.store import Store, fixed, utc_now


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that was refused: `key` is None when not even that could be read; `parsed` tells raw text from JSON."""

    key: str | None = option(repr=False)
    hash: str
    position: str
    field: str
    code: str
    reason: str
    parsed: bool
    raw: str = option(repr=False)

    @classmethod
    def because(cls, error: RecordError, *, key: str | None, position: str, raw: str) -> Rejected:
        """A parsed record refused by its mapping."""
        return cls(
            key, _hash(raw), position, error.field, error.code, error.reason, parsed=True, raw=_storable(raw)
        )

    @classmethod
    def unreadable(cls, raw: str, position: str, reason: str) -> Rejected:
        """A piece of a source that is no record."""
        return cls(
            None, _hash(raw), position, "record", "unreadable", reason, parsed=False, raw=_storable(raw)
        )


def _storable(raw: str) -> str:
    """`raw` without what PostgreSQL cannot hold in a text: NUL and halves of surrogate pairs, which are escaped."""
    return raw.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _hash(raw: str) -> str:
    return digest(raw.encode("utf-8", "backslashreplace")).hex()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A waiting record as the quarantine shows it; the payload only on demand, for it holds personal data."""

    id: int
    source: str
    stream: str
    key: str | None = option(repr=False)
    position: str
    field: str
    code: str
    reason: str
    attempts: int
    first_seen_at: str
    last_seen_at: str
    parsed: bool
    payload: str | None = option(default=None, repr=False)


_SHOWN = (
    "id",
    "source",
    "stream",
    "key",
    "position",
    "field",
    "code",
    "reason",
    "attempts",
    "first_seen_at",
    "last_seen_at",
    "parsed",
)


def put(connection: Connection, run_id: int, source: str, stream: str, rejected: Sequence[Rejected]) -> None:
    """Write refused records; one that waits already counts one attempt more."""
    now = utc_now()
    rows = {
        item.hash: {
            "source": source,
            "stream": stream,
            "hash": item.hash,
            "key": item.key,
            "payload": item.raw,
            "parsed": item.parsed,
            "position": item.position,
            "field": item.field,
            "code": item.code,
            "reason": item.reason,
            "run": run_id,
            "now": now,
        }
        for item in rejected
    }
    if rows:
        connection.execute(_PUT, list(rows.values()))


_PUT = text(
    "INSERT INTO quarantine (source, stream, hash, key, payload, parsed, position, field, code, reason, attempts,"
    " first_run_id, last_run_id, first_seen_at, last_seen_at)"
    " VALUES (:source, :stream, :hash, :key, :payload, :parsed, :position, :field, :code, :reason, 1,"
    " :run, :run, :now, :now)"
    " ON CONFLICT (source, stream, hash) DO UPDATE SET attempts = quarantine.attempts + 1,"
    " position = excluded.position, field = excluded.field, code = excluded.code, reason = excluded.reason,"
    " key = excluded.key, last_run_id = excluded.last_run_id, last_seen_at = excluded.last_seen_at"
)


def seen_again(connection: Connection, run_id: int, source: str, stream: str, hashes: Sequence[str]) -> None:
    """Note that this run has met records that wait already, with the same content."""
    table = fixed.quarantine
    for start in range(0, len(hashes), 500):
        some = hashes[start : start + 500]
        here = (table.c.source == source) & (table.c.stream == stream) & table.c.hash.in_(some)
        connection.execute(update(table).where(here).values(last_run_id=run_id, last_seen_at=utc_now()))


def mark_heads(
    store: Store,
    connection: Connection,
    source: str,
    stream: str,
    rejected: Sequence[Rejected],
    heads: Mapping[str, Head],
) -> None:
    """Make the refused versions the newest of their records; what was accepted before goes on being served."""
    newest = {item.key: item for item in rejected if item.key is not None}
    new = [key for key in newest if key not in heads]
    first = store.allocate(connection, fixed.record_head, len(new)) if new else 0
    ids = {key: first + index for index, key in enumerate(new)}
    ids.update({key: head.id for key, head in heads.items()})
    held = {key: (head.record_id, head.observed_at) for key, head in heads.items()}
    rows = [
        (ids[key], source, stream, key, record_id, item.hash, "quarantined", observed_at)
        for key, item in newest.items()
        for record_id, observed_at in [held.get(key, (None, ""))]
    ]
    store.dialect.upsert(connection, fixed.record_head, HEAD_COLUMNS, rows)


def release(connection: Connection, source: str, stream: str, keys: Sequence[str]) -> None:
    """Forget the waiting versions of records that have been accepted since."""
    table = fixed.quarantine
    for start in range(0, len(keys), 500):
        connection.execute(
            delete(table).where(
                table.c.source == source, table.c.stream == stream, table.c.key.in_(keys[start : start + 500])
            )
        )


def release_versions(connection: Connection, source: str, stream: str, hashes: Sequence[str]) -> None:
    """Forget the waiting versions with these hashes, under whatever key they waited."""
    table = fixed.quarantine
    for start in range(0, len(hashes), 500):
        some = table.c.hash.in_(hashes[start : start + 500])
        connection.execute(delete(table).where(table.c.source == source, table.c.stream == stream, some))


def release_unseen(connection: Connection, run_id: int, source: str, stream: str) -> int:
    """Forget the waiting records that a complete reading of the source no longer met; gives their number."""
    table = fixed.quarantine
    unseen = delete(table).where(
        table.c.source == source, table.c.stream == stream, table.c.last_run_id < run_id
    )
    return connection.execute(unseen).rowcount


def waiting(connection: Connection, source: str | None = None, *, limit: int = 100) -> list[Quarantined]:
    """What waits, the oldest first, without payloads."""
    table = fixed.quarantine
    query = select(*(table.c[name] for name in _SHOWN)).order_by(table.c.id).limit(limit)
    if source is not None:
        query = query.where(table.c.source == source)
    return [Quarantined(**row) for row in connection.execute(query).mappings()]


def counts_by_source(connection: Connection) -> dict[str, int]:
    """How many records wait, by source."""
    table = fixed.quarantine
    rows = connection.execute(select(table.c.source, func.count()).group_by(table.c.source))
    return {row[0]: row[1] for row in rows}


def show(connection: Connection, quarantine_id: int) -> Quarantined:
    """One waiting record with its payload.

    Raises:
        NotFoundError: there is none with that id.
    """
    table = fixed.quarantine
    query = select(*(table.c[name] for name in _SHOWN), table.c.payload).where(table.c.id == quarantine_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFoundError(f"nothing waits in quarantine under the number {quarantine_id}")
    return Quarantined(**row)


def discard(connection: Connection, quarantine_id: int) -> Quarantined:
    """Take a waiting record out for good; the source's next version is tried as always.

    Raises:
        NotFoundError: there is none with that id.
    """
    found = show(connection, quarantine_id)
    table, head = fixed.quarantine, fixed.record_head
    version = select(table.c.hash).where(table.c.id == quarantine_id).scalar_subquery()
    here = (head.c.source == found.source) & (head.c.stream == found.stream) & (head.c.key == found.key)
    state = case((head.c.record_id.is_(None), "discarded"), else_="accepted")
    # Met again with the same content, it is a known record and no bad one.
    connection.execute(update(head).where(here, head.c.hash == version).values(state=state))
    connection.execute(delete(table).where(table.c.id == quarantine_id))
    return found


def take_out(store: Store, connection: Connection, ids: Sequence[int]) -> None:
    """Delete waiting records, whosesoever; where a record was accepted before, that version is its newest again."""
    newest = (
        "UPDATE record_head SET state = 'accepted' WHERE record_id IS NOT NULL AND state = 'quarantined' AND id IN"
        " (SELECT h.id FROM record_head h JOIN quarantine q ON h.source = q.source AND h.stream = q.stream"
        " AND h.key = q.key AND h.hash = q.hash WHERE {in:q.id})"
    )
    store.rows_in(connection, newest, ids)
    store.delete_in(connection, "quarantine", "id", ids)


def require_waiting(connection: Connection, source: str, ids: Sequence[int]) -> None:
    """Check that under each of these numbers a record of the source waits.

    Raises:
        NotFoundError: names the first number under which none does.
    """
    table = fixed.quarantine
    query = select(table.c.id).where(table.c.source == source, table.c.id.in_(list(ids)))
    known = set(connection.execute(query).scalars())
    for number in ids:
        if number not in known:
            raise NotFoundError(f"no record of {source} waits in quarantine under the number {number}")
