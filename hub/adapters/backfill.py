"""How far streams are read again from their beginning, and which of their records a sync has written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep

from sqlalchemy import Connection, delete, select

from hub.store import Store, fixed, utc_now

BREATH_S = 0.05
"""Seconds between two batches, in which a sync that waits for the source begins: it looks five times as often."""
PATIENCE_S = 60.0
"""Seconds that a sync waits for a batch of a backfill."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Backfill:
    """How far a stream is read again."""

    source: str
    stream: str
    cursor: str | None
    """As the stream's state keeps one; None before the first batch, or where only a whole reading has one."""
    since: str


def backfills(connection: Connection, source: str) -> dict[str, Backfill]:
    """Those of the source that have not come to their end, by stream."""
    table = fixed.backfill
    rows = connection.execute(select(table).where(table.c.source == source).order_by(table.c.stream))
    return {row.stream: Backfill(*row) for row in rows}


@contextmanager
def alone(store: Store, source: str) -> Iterator[bool]:
    """Whether no other backfill of the source goes on, as long as this one does."""
    for _ in range(_TRIES):
        with store.lock(_name(source)) as held:
            if held:
                yield True
                return
        sleep(BREATH_S)  # a sync may just have looked
    yield False


def is_under_way(store: Store, source: str) -> bool:
    """Whether a backfill of the source goes on."""
    with store.lock(_name(source)) as free:
        return not free


def _name(source: str) -> str:
    return f"backfill-{source}"


def begin(store: Store, source: str, streams: Sequence[str], *, anew: bool) -> dict[str, Backfill]:
    """The backfills of these streams: where they were left, or at their beginning."""
    with store.write() as connection:
        if anew:
            for stream in streams:
                end(connection, source, stream)
        rows = [(source, stream, None, utc_now()) for stream in streams]
        columns = ("source", "stream", "cursor", "since")
        store.dialect.upsert(connection, fixed.backfill, columns, rows, keep=("cursor", "since"))
        return backfills(connection, source)


def keep(connection: Connection, source: str, stream: str, cursor: str | None) -> None:
    """Note how far the stream is read."""
    table = fixed.backfill
    here = (table.c.source == source) & (table.c.stream == stream)
    connection.execute(table.update().where(here).values(cursor=cursor))


def end(connection: Connection, source: str, stream: str) -> None:
    """Forget the stream's backfill."""
    table = fixed.backfill
    connection.execute(delete(table).where(table.c.source == source, table.c.stream == stream))


def written_since(
    store: Store, connection: Connection, source: str, stream: str, run_id: int, keys: Sequence[str]
) -> set[str]:
    """Those of the keys of which a run after this one has landed a version, or set one aside."""
    marks = store.dialect.param
    of_stream = f"{{alias}}.source = {marks('source')} AND {{alias}}.stream = {marks('stream')}"
    newer = marks("run")
    landed = (
        f"SELECT h.key FROM record_head h WHERE {of_stream.format(alias='h')} AND EXISTS"
        f" (SELECT 1 FROM record r WHERE r.head_id = h.id AND r.run_id > {newer}) AND {{in:h.key}}"
    )
    waiting = (
        f"SELECT q.key FROM quarantine q WHERE {of_stream.format(alias='q')}"
        f" AND q.last_run_id > {newer} AND {{in:q.key}}"
    )
    given = {"source": source, "stream": stream, "run": run_id}
    rows = [row for sql in (landed, waiting) for row in store.rows_in(connection, sql, keys, **given)]
    return {key for (key,) in rows}
