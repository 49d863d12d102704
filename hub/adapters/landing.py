"""Landing: every record is kept as it came, and one that is unchanged costs the comparison of a hash.

A *head* is the newest version of a source record. Its hash tells whether a record that arrives is new.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, text

from hub.adapters.mapping import MappedRecord
from hub.adapters.records import Payload
from hub.store import Store, fixed, utc_now

DELETED_HASH = "deleted"
"""The hash of a version that says: the source no longer has this record."""


class Head(NamedTuple):
    """The newest version of a record: `record_id` is the last accepted one, None when none ever was.

    A tuple, as `Incoming` is, because one is made for each record of a run and a dataclass takes several times longer.
    """

    id: int
    key: str
    record_id: int | None
    hash: str
    state: str
    observed_at: str

    def __repr__(self) -> str:
        return f"Head({self.id}, {self.state})"


class Incoming(NamedTuple):
    """A record that was read and could be parsed, with its key and the hash of its content."""

    key: str
    hash: str
    position: str
    json: str
    payload: Payload

    def __repr__(self) -> str:
        return f"Incoming({self.position})"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new or changed record with what its mapping made of it.

    `stale` tells that the source dates it before the version that is held: it is kept as history and changes nothing.
    """

    incoming: Incoming
    mapped: MappedRecord = field(repr=False)
    stale: bool

    @property
    def observed_at(self) -> str:
        """When the source last changed it; empty when the source does not say."""
        return self.mapped.observed_at or ""


@dataclass(frozen=True, slots=True)
class Landed:
    """An accepted record after landing."""

    accepted: Accepted = field(repr=False)
    head_id: int
    record_id: int


_HEAD_COLUMNS = "id, key, record_id, hash, state, observed_at"


def known_heads(
    store: Store, connection: Connection, source: str, stream: str, keys: Sequence[str]
) -> dict[str, Head]:
    """The heads of those `keys` that are known, by key."""
    marks = store.dialect.param
    sql = (
        f"SELECT {_HEAD_COLUMNS} FROM record_head WHERE source = {marks('source')} "
        f"AND stream = {marks('stream')} AND {{in:key}}"
    )
    return {
        row[1]: Head._make(row) for row in store.rows_in(connection, sql, keys, source=source, stream=stream)
    }


def land(
    store: Store,
    connection: Connection,
    run_id: int,
    source: str,
    stream: str,
    accepted: Sequence[Accepted],
    heads: Mapping[str, Head],
) -> list[Landed]:
    """Write accepted records as new versions and move their heads; in the order given."""
    if not accepted:
        return []
    first = store.allocate(connection, fixed.record, len(accepted))
    head_ids = _head_ids(store, connection, accepted, heads)
    landed = [Landed(item, head_ids[item.incoming.key], first + n) for n, item in enumerate(accepted)]
    now = utc_now()
    versions = [
        (
            each.record_id,
            each.head_id,
            each.accepted.incoming.hash,
            each.accepted.incoming.json,
            each.accepted.incoming.position,
            each.accepted.observed_at,
            run_id,
            now,
        )
        for each in landed
    ]
    store.dialect.insert(connection, fixed.record, _RECORD_COLUMNS, versions)
    newest = {each.accepted.incoming.key: each for each in landed if not each.accepted.stale}
    moved = [
        (
            each.head_id,
            source,
            stream,
            key,
            each.record_id,
            each.accepted.incoming.hash,
            "accepted",
            each.accepted.observed_at,
        )
        for key, each in newest.items()
    ]
    store.dialect.upsert(connection, fixed.record_head, HEAD_COLUMNS, moved)
    return landed


_RECORD_COLUMNS = ("id", "head_id", "hash", "payload", "position", "observed_at", "run_id", "landed_at")

HEAD_COLUMNS = ("id", "source", "stream", "key", "record_id", "hash", "state", "observed_at")
"""The order in which rows of heads are written."""


def _head_ids(
    store: Store, connection: Connection, accepted: Sequence[Accepted], heads: Mapping[str, Head]
) -> dict[str, int]:
    new_keys = list(dict.fromkeys(item.incoming.key for item in accepted if item.incoming.key not in heads))
    first = store.allocate(connection, fixed.record_head, len(new_keys)) if new_keys else 0
    ids = {key: head.id for key, head in heads.items()}
    ids.update({key: first + index for index, key in enumerate(new_keys)})
    return ids


def already_landed(
    store: Store, connection: Connection, keys: Sequence[str], heads: Mapping[str, Head]
) -> set[tuple[str, str]]:
    """The versions of known records that were landed before, as (key, hash)."""
    ids = {heads[key].id: key for key in keys if key in heads}
    rows = store.rows_in(connection, "SELECT head_id, hash FROM record WHERE {in:head_id}", list(ids))
    return {(ids[head_id], hash_) for head_id, hash_ in rows}


def delete_heads(
    store: Store, connection: Connection, run_id: int, heads: Sequence[Head]
) -> list[tuple[Head, int]]:
    """Land the absence of records; gives each with the id of the version that says so.

    Those erased since their heads were read are left out.
    """
    sql = "SELECT id FROM record_head WHERE {in:id}"
    there = {id_ for (id_,) in store.rows_in(connection, sql, [head.id for head in heads])}
    heads = [head for head in heads if head.id in there]
    if not heads:
        return []
    first = store.allocate(connection, fixed.record, len(heads))
    now = utc_now()
    ids = list(range(first, first + len(heads)))
    store.dialect.insert(
        connection,
        fixed.record,
        _RECORD_COLUMNS,
        [(i, head.id, DELETED_HASH, "null", "", "", run_id, now) for i, head in zip(ids, heads, strict=True)],
    )
    connection.execute(
        text("UPDATE record_head SET state = 'deleted', hash = :hash, observed_at = '' WHERE id = :id"),
        [{"hash": DELETED_HASH, "id": head.id} for head in heads],
    )
    return list(zip(heads, ids, strict=True))


def erase_heads(store: Store, connection: Connection, head_ids: Collection[int]) -> None:
    """Delete records with all their versions and what waits of them, overwritten where they stood.

    What they stated has to be taken out of the graph before.
    """
    store.dialect.overwrite_deleted(connection)
    ids = sorted(head_ids)
    waiting = (
        "SELECT q.id FROM quarantine q JOIN record_head h"
        " ON h.source = q.source AND h.stream = q.stream AND h.key = q.key WHERE {in:h.id}"
    )
    rows = [id_ for (id_,) in store.rows_in(connection, waiting, ids)]
    store.delete_in(connection, "quarantine", "id", rows)
    for table, column in (
        ("former", "head_id"),
        ("emptied", "head_id"),
        ("record", "head_id"),
        ("record_head", "id"),
    ):
        store.delete_in(connection, table, column, ids)


def redate(connection: Connection, heads: Sequence[Head], observed_at: Mapping[int, str]) -> None:
    """Move heads to the times that a changed mapping reads from their records, by head id."""
    moved = [
        {"id": head.id, "at": observed_at[head.id]}
        for head in heads
        if observed_at.get(head.id, head.observed_at) != head.observed_at
    ]
    if moved:
        connection.execute(text("UPDATE record_head SET observed_at = :at WHERE id = :id"), moved)


def live_heads(store: Store, source: str, stream: str, page: int) -> Iterator[list[Head]]:
    """All heads of a stream that the source has not deleted, in pages of ascending id."""
    sql = text(
        f"SELECT {_HEAD_COLUMNS} FROM record_head WHERE source = :source AND stream = :stream "
        "AND state <> 'deleted' AND id > :after ORDER BY id LIMIT :page"
    )
    after = 0
    while True:
        with store.read() as connection:
            values = {"source": source, "stream": stream, "after": after, "page": page}
            heads = [Head._make(row) for row in connection.execute(sql, values)]
        if not heads:
            return
        yield heads
        after = heads[-1].id


@dataclass(frozen=True, slots=True)
class Version:
    """A landed version of a record."""

    id: int
    payload: str = field(repr=False)
    position: str


def versions(store: Store, connection: Connection, record_ids: Sequence[int]) -> dict[int, Version]:
    """Landed versions by their ids."""
    rows = store.rows_in(connection, "SELECT id, payload, position FROM record WHERE {in:id}", record_ids)
    return {row[0]: Version(*row) for row in rows}
