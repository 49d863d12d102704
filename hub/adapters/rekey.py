"""Gives the records that are held the keys that a changed mapping reads from them.

Without this every record would come in once more under its new key, beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from hub.adapters.payload import load
from hub.errors import RecordError

if TYPE_CHECKING:
    from hub.adapters.stream_run import StreamRun

_PASSING = "\\#"
"""Begins a key that no record can have, for a backslash in a key is always doubled."""


def rekey(run: StreamRun, page: int) -> None:
    """Move the stream's records to the keys that its mapping gives them now, all or none.

    Where several would have one key, the oldest gets it; the others get none that a source could state.
    """
    changed = [pair for pairs in _changed(run, page) for pair in pairs]
    if not changed:
        return
    with run.store.write() as connection:
        _forget_waiting(connection, run)
        _set_keys(connection, [(head_id, f"{_PASSING}{head_id}") for head_id, _ in changed])
        taken = _taken(connection, run, [key for _, key in changed])
        final = []
        for head_id, key in changed:
            if key not in taken:
                final.append((head_id, key))
                taken.add(key)
        _set_keys(connection, final)


def _changed(run: StreamRun, page: int) -> Iterator[list[tuple[int, str]]]:
    """Ids and new keys of the heads whose key is another now; deleted records' too, for they may come back."""
    sql = text(
        "SELECT h.id, h.key, r.payload FROM record_head h JOIN record r ON r.id = h.record_id"
        " WHERE h.source = :source AND h.stream = :stream AND h.id > :after ORDER BY h.id LIMIT :page"
    )
    after = 0
    while True:
        with run.store.read() as connection:
            values = {"source": run.source, "stream": run.name, "after": after, "page": page}
            rows = connection.execute(sql, values).all()
        if not rows:
            return
        after = rows[-1].id
        keyed = ((row.id, row.key, _key(run, row.payload)) for row in rows)
        yield [(head_id, new) for head_id, old, new in keyed if new is not None and new != old]


def _key(run: StreamRun, payload: str) -> str | None:
    try:
        return run.mapping.key_of(load(payload))
    except RecordError:
        # Mapping it anew is going to quarantine it.
        return None


def _forget_waiting(connection: Connection, run: StreamRun) -> None:
    """Heads of records that were never accepted: trying these again makes heads with the new keys."""
    sql = "DELETE FROM record_head WHERE source = :source AND stream = :stream AND record_id IS NULL"
    connection.execute(text(sql), {"source": run.source, "stream": run.name})


def _set_keys(connection: Connection, keys: Sequence[tuple[int, str]]) -> None:
    rows = [{"id": head_id, "key": key} for head_id, key in keys]
    if rows:
        connection.execute(text("UPDATE record_head SET key = :key WHERE id = :id"), rows)


def _taken(connection: Connection, run: StreamRun, keys: Sequence[str]) -> set[str]:
    given = run.store.dialect.param
    sql = (
        f"SELECT key FROM record_head WHERE source = {given('source')} AND stream = {given('stream')}"
        " AND {in:key}"
    )
    rows = run.store.rows_in(connection, sql, keys, source=run.source, stream=run.name)
    return {key for (key,) in rows}
