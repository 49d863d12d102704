"""Mapping again what is held already: records that waited in quarantine, and all of a stream whose mapping changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, case, select

from hub.adapters import landing, quarantine, runs
from hub.adapters.gate import Candidate, Gate, glimpsed
from hub.adapters.landing import Head, Incoming
from hub.adapters.payload import load
from hub.adapters.quarantine import Rejected
from hub.adapters.rekey import rekey
from hub.adapters.runs import Counts
from hub.errors import RecordError
from hub.graph import Entity, Statement
from hub.store import fixed

if TYPE_CHECKING:
    from hub.adapters.stream_run import StreamRun


def replay_stream(
    run: StreamRun, ids: Sequence[int] = (), page: int = 500, told: Callable[[], None] | None = None
) -> None:
    """Try the stream's waiting records (or those with `ids`) with the mapping as it is now; `told` after each page.

    Text that could not be parsed waits for the source's next reading: only that can tell where a record ends.
    """
    for incoming in _waiting(run, ids, page):
        run.take(incoming, (), cursor=None, retry=True)
        if told is not None:
            told()


def _waiting(run: StreamRun, ids: Sequence[int], page: int) -> Iterator[list[Incoming]]:
    """What waits, in pages; of one record's versions the newest comes last, so that it is the one served."""
    table = fixed.quarantine
    ordered = _in_order(run, set(ids))
    for start in range(0, len(ordered), page):
        some = ordered[start : start + page]
        query = select(table.c.id, table.c.hash, table.c.position, table.c.payload).where(
            table.c.id.in_(some)
        )
        with run.store.read() as connection:
            rows = {row.id: row for row in connection.execute(query)}
        found = [rows[number] for number in some if number in rows]
        yield [item for row in found for item in _readable(run, row.hash, row.position, row.payload)]


def _in_order(run: StreamRun, ids: Collection[int]) -> list[int]:
    table, head = fixed.quarantine, fixed.record_head
    same = (head.c.source == table.c.source) & (head.c.stream == table.c.stream) & (head.c.key == table.c.key)
    is_newest = case((head.c.hash == table.c.hash, 1), else_=0)
    query = (
        select(table.c.id)
        .outerjoin_from(table, head, same)
        .where(table.c.source == run.source, table.c.stream == run.name, table.c.parsed)
        .order_by(is_newest, table.c.id)
    )
    with run.store.read() as connection:
        return [number for number in connection.execute(query).scalars() if not ids or number in ids]


def _readable(run: StreamRun, hash_: str, position: str, text: str) -> Iterator[Incoming]:
    try:
        payload = load(text)
        yield Incoming(run.mapping.key_of(payload), hash_, position, text, payload)
    except (RecordError, ValueError):
        # Its key is still unreadable, so it goes on waiting.
        return


def remap_stream(run: StreamRun, page: int = 1000) -> None:
    """Map all that is held of the stream anew, after its mapping has changed; what no longer fits is quarantined."""
    rekey(run, page)
    for heads in landing.live_heads(run.store, run.source, run.name, page):
        held = [head for head in heads if head.record_id is not None]
        if held:
            _remap(run, held)
    replay_stream(run)


def _remap(run: StreamRun, heads: Sequence[Head]) -> None:
    counts = Counts(read=len(heads))
    with run.store.write() as connection:
        # Commands write without the source's lock: what is mapped is what is held now.
        now = landing.known_heads(run.store, connection, run.source, run.name, [head.key for head in heads])
        heads = [now[head.key] for head in heads if head.key in now]
        ids = [head.record_id for head in heads if head.record_id is not None]
        versions = landing.versions(run.store, connection, ids)
        statements: list[Statement] = []
        refused: list[Rejected] = []
        for head in heads:
            version = versions[head.record_id or 0]
            try:
                mapped = run.mapping.map(load(version.payload))
            except RecordError as error:
                # Where a newer version waits already, it is that one which a correction is for.
                if head.state != "quarantined":
                    refused.append(
                        Rejected.because(error, key=head.key, position=version.position, raw=version.payload)
                    )
                continue
            observed_at = mapped.observed_at or ""
            statements.append(
                Statement(run.source, run.name, head.key, head.id, version.id, observed_at, mapped.entities)
            )
        erased = _of_the_erased(run, connection, statements, refused, heads)
        statements = [said for said in statements if said.head_id not in erased]
        known = {head.key: head for head in heads if head.id not in erased}
        refused = [item for item in refused if item.key in known]
        counts.accepted, counts.quarantined = len(statements), len(refused)
        counts.suppressed = len(heads) - len(known)
        counts.unchanged = counts.read - counts.accepted - counts.quarantined - counts.suppressed
        landing.redate(connection, heads, {said.head_id: said.observed_at for said in statements})
        quarantine.put(connection, run.run_id, run.source, run.name, refused)
        quarantine.mark_heads(run.store, connection, run.source, run.name, refused, known)
        run.project(connection, statements, counts, retracted=erased)
        runs.add_counts(connection, run.run_id, run.name, counts, run.mapping.version)
    run.counts.add(counts)


def _of_the_erased(
    run: StreamRun,
    connection: Connection,
    statements: Sequence[Statement],
    refused: Sequence[Rejected],
    heads: Sequence[Head],
) -> frozenset[int]:
    """The heads of records that the mapping, as it is now, makes state something of somebody who was erased."""
    said = {statement.head_id: statement.entities for statement in statements}
    by_key = {item.key: item for item in refused}
    candidates = [
        Candidate(
            head.key,
            head.hash,
            said[head.id] if head.id in said else _glimpsed(run, by_key.get(head.key)),
            is_new=False,
        )
        for head in heads
    ]
    verdict = Gate(run.store).judge(connection, (run.source, run.name), candidates)
    return verdict.orphans | {heads[index].id for index in verdict.suppressed}


def _glimpsed(run: StreamRun, item: Rejected | None) -> Sequence[Entity]:
    return glimpsed(item, run.mapping.glimpse) if item is not None else ()
