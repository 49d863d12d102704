"""Mapping again what is held already: records that waited in quarantine, and all of a stream whose mapping changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from hub.adapters import landing, quarantine, runs
from hub.adapters.landing import Head, Incoming
from hub.adapters.payload import load
from hub.adapters.quarantine import Rejected
from hub.adapters.runs import Counts
from hub.errors import RecordError
from hub.graph import Statement
from hub.store import fixed

if TYPE_CHECKING:
    from hub.adapters.stream_run import StreamRun


def replay_stream(run: StreamRun, ids: Sequence[int] = (), page: int = 500) -> None:
    """Try the stream's waiting records (or those with `ids`) with the mapping as it is now.

    Text that could not be parsed waits for the source's next reading: only that can tell where a record ends.
    """
    for incoming in _waiting(run, ids, page):
        run.take(incoming, (), cursor=None, retry=True)


def _waiting(run: StreamRun, ids: Sequence[int], page: int) -> Iterator[list[Incoming]]:
    table = fixed.quarantine
    query = (
        select(table.c.id, table.c.hash, table.c.position, table.c.payload)
        .where(table.c.source == run.source, table.c.stream == run.name, table.c.parsed)
        .order_by(table.c.id)
        .limit(page)
    )
    if ids:
        query = query.where(table.c.id.in_(ids))
    after = 0
    while True:
        with run.store.read() as connection:
            rows = connection.execute(query.where(table.c.id > after)).all()
        if not rows:
            return
        after = rows[-1].id
        yield [item for row in rows for item in _readable(run, row.hash, row.position, row.payload)]


def _readable(run: StreamRun, hash_: str, position: str, text: str) -> Iterator[Incoming]:
    try:
        payload = load(text)
        yield Incoming(run.mapping.key_of(payload), hash_, position, text, payload)
    except (RecordError, ValueError):
        # Its key is still unreadable, so it goes on waiting.
        return


def remap_stream(run: StreamRun, page: int = 1000) -> None:
    """Map all that is held of the stream anew, after its mapping has changed; what no longer fits is quarantined."""
    for heads in landing.live_heads(run.store, run.source, run.name, page):
        held = [head for head in heads if head.state == "accepted"]
        if held:
            _remap(run, held)
    replay_stream(run)


def _remap(run: StreamRun, heads: Sequence[Head]) -> None:
    counts = Counts(read=len(heads))
    with run.store.write() as connection:
        ids = [head.record_id for head in heads if head.record_id is not None]
        versions = landing.versions(run.store, connection, ids)
        statements: list[Statement] = []
        refused: list[Rejected] = []
        for head in heads:
            version = versions[head.record_id or 0]
            try:
                mapped = run.mapping.map(load(version.payload))
            except RecordError as error:
                refused.append(
                    Rejected.because(error, key=head.key, position=version.position, raw=version.payload)
                )
                continue
            observed_at = mapped.observed_at or ""
            statements.append(
                Statement(run.source, run.name, head.key, head.id, version.id, observed_at, mapped.entities)
            )
        counts.accepted, counts.quarantined = len(statements), len(refused)
        quarantine.put(connection, run.run_id, run.source, run.name, refused)
        known = {head.key: head for head in heads}
        quarantine.mark_heads(run.store, connection, run.source, run.name, refused, known)
        run.project(connection, statements, counts)
        runs.add_counts(connection, run.run_id, run.name, counts)
    run.counts.add(counts)
