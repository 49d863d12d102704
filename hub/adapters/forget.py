"""Removes from the graph what streams stated that are configured no more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from hub.adapters import landing, runs
from hub.adapters.batch_events import BatchEvents
from hub.adapters.landing import Head
from hub.adapters.runs import Counts
from hub.graph import GraphWriter, Statement
from hub.store import Store, fixed


def known_streams(store: Store, source: str) -> list[str]:
    """The streams of which records were ever held, by name."""
    table = fixed.stream_state
    query = select(table.c.stream).where(table.c.source == source).order_by(table.c.stream)
    with store.read() as connection:
        return list(connection.execute(query).scalars())


def forget_stream(
    store: Store,
    graph: GraphWriter,
    events: BatchEvents,
    run_id: int,
    source: str,
    stream: str,
    page: int = 1000,
) -> None:
    """Delete the stream's records as if the source had, a page in a transaction; then its state and what waits."""
    for heads in landing.live_heads(store, source, stream, page):
        _delete(store, graph, events, run_id, source, stream, heads)
    with store.write() as connection:
        for table in (fixed.quarantine, fixed.drift, fixed.stream_state, fixed.backfill):
            connection.execute(delete(table).where(table.c.source == source, table.c.stream == stream))


def _delete(
    store: Store,
    graph: GraphWriter,
    events: BatchEvents,
    run_id: int,
    source: str,
    stream: str,
    heads: Sequence[Head],
) -> None:
    with store.write() as connection:
        deleted = landing.delete_heads(store, connection, run_id, heads)
        counts = Counts(deleted=len(deleted))
        gone = [
            Statement(source, stream, head.key, head.id, record_id, "", ()) for head, record_id in deleted
        ]
        applied = graph.apply(connection, run_id, gone)
        counts.entities_written, counts.entities_removed = applied.written, applied.removed
        runs.add_counts(connection, run_id, stream, counts)
        events.post_batch(connection, run_id, source, stream, counts, applied)
