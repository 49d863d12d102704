"""Tells when parties must be resolved anew because the match models or what is compared have changed, and does it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hub.adapters.batch_events import BatchEvents
from hub.graph import GraphWriter
from hub.graph.resolution import MatchResolver
from hub.graph.resolution.bulk import paged
from hub.store import Store, fixed

_KEY = "resolution"


def kept_digest(connection: Connection) -> str | None:
    """What the customers of the store were resolved by, None before the first."""
    query = select(fixed.meta.c.value).where(fixed.meta.c.key == _KEY)
    found: str | None = connection.execute(query).scalar()
    return found


def keep_digest(connection: Connection, store: Store, digest: str) -> None:
    """Note what the customers are resolved by from now on."""
    store.dialect.upsert(connection, fixed.meta, ("key", "value"), [(_KEY, digest)])


def has_parties(store: Store) -> bool:
    """Whether anybody is known."""
    tables = [store.tables.by_type[type_.name] for type_ in store.ontology.parties]
    with store.read() as connection:
        return any(connection.execute(select(table.c.id).limit(1)).first() for table in tables)


def resolve_anew(
    store: Store,
    resolver: MatchResolver,
    graph: GraphWriter,
    events: BatchEvents,
    run_id: int,
    source: str,
    page: int,
) -> None:
    """Resolve all parties again, all or none: half of it by one model and half by another would be wrong merges.

    Stewards' decisions hold, and so do the ids of customers whose parties stay together.
    """
    with store.write() as connection:
        parties = _all(connection, store)
        members = set(connection.execute(select(fixed.membership.c.party_id)).scalars())
        resolver.compare_anew(connection, parties)
        gone = members.difference(parties)
        for some in paged(parties, page):
            applied = graph.regroup(connection, run_id, some, gone)
            gone = set()
            events.post_facts(connection, run_id, source, applied)
            events.post_changes(connection, run_id, source, applied.golden)
        keep_digest(connection, store, resolver.digest)


def _all(connection: Connection, store: Store) -> list[str]:
    """All parties, those too that are no customer's yet."""
    tables = [store.tables.by_type[type_.name] for type_ in store.ontology.parties]
    return sorted(party for table in tables for party in connection.execute(select(table.c.id)).scalars())
