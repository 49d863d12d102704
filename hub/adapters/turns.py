"""Whose turn it is: the schedules of all sources beside what the store tells of their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from hub.adapters.frozen import frozen_sources
from hub.adapters.schedules import Past, Turn, turn_of
from hub.adapters.specs import SourceConfig
from hub.store import Store, fixed


def turns(
    store: Store, configs: Mapping[str, SourceConfig], began: datetime, now: datetime
) -> dict[str, Turn]:
    """Of every source when it is to be read next, or why it is not; for a worker that began at `began`."""
    with store.read() as connection:
        frozen = frozen_sources(connection)
        pasts = {name: past_of(connection, name) for name in configs}
    found = {}
    for name, config in configs.items():
        past = pasts[name]
        if past.state == "running" and _is_dead(store, name):
            past = replace(past, state="interrupted", failures=past.failures + 1)
        found[name] = turn_of(name, config.schedule, config.zone, past, began, now)
        if name in frozen:
            until = frozen[name].until
            found[name] = Turn(name, "frozen", datetime.fromisoformat(until) if until else None)
    return found


def past_of(connection: Connection, source: str) -> Past:
    """What is known of the syncs of a source."""
    table = fixed.run
    syncs = and_(table.c.source == source, table.c.kind == "sync")
    newest = connection.execute(
        select(table.c.started_at, table.c.state).where(syncs).order_by(table.c.id.desc()).limit(1)
    ).first()
    if newest is None:
        return Past(None, None, 0)
    well = select(func.max(table.c.id)).where(syncs, table.c.state.in_(("ok", "suspect"))).scalar_subquery()
    since = or_(well.is_(None), table.c.id > well)
    bad = table.c.state.in_(("failed", "interrupted"))
    failures = connection.execute(
        select(func.count()).select_from(table).where(syncs, bad, since)
    ).scalar_one()
    return Past(datetime.fromisoformat(newest.started_at), newest.state, failures)


def _is_dead(store: Store, source: str) -> bool:
    """Whether nobody is at the run that is said to be under way: its process ended before it did."""
    with store.lock(f"source-{source}") as free:
        return free
