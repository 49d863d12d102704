"""Putting a source right for a privacy request: erasing a person's rows there, or correcting a value in them.

Only where the source's YAML says that the hub may (`connector.amend`). All else is a task for whoever runs the source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import Connection

from hub.adapters.payload import load
from hub.adapters.records import Amending, Amendment, StreamRead
from hub.adapters.specs import EntitySpec
from hub.adapters.sync import Sources
from hub.store import Store

Records = Mapping[str, Collection[int]]
"""Heads of records by stream."""


def may_amend(sources: Sources, source: str, what: Amendment) -> frozenset[str]:
    """The streams of the source in which the hub may do it; none where the source is not configured."""
    config = sources.configs.get(source)
    if config is None:
        return frozenset()
    with closing(sources.connect(config)) as connector:
        if not isinstance(connector, Amending):
            return frozenset()
        return frozenset(name for name in config.streams if what in connector.may(name))


def erase_at_source(store: Store, sources: Sources, source: str, records: Records) -> int:
    """Delete these records at their source, where it lets the hub; how many rows there were.

    Raises:
        SourceError: the source is out of reach, or refuses; nothing of the stream at which that came was deleted.
    """
    config, done = sources.config(source), 0
    with closing(sources.connect(config)) as connector:
        if isinstance(connector, Amending):
            for name, keys in _keys(store, sources, source, records).items():
                stream = config.streams[name]
                done += connector.erase(StreamRead(name, stream.read, stream.key, stream.cursor), keys)
    return done


def rectify_at_source(
    store: Store, sources: Sources, source: str, records: Records, prop: str, value: str
) -> int:
    """Set what states the property in these records; how many rows there were. 0 where no one column states it.

    Raises:
        SourceError: as `erase_at_source`.
    """
    config, done = sources.config(source), 0
    with closing(sources.connect(config)) as connector:
        if isinstance(connector, Amending):
            for name, keys in _keys(store, sources, source, records).items():
                stream = config.streams[name]
                read = StreamRead(name, stream.read, stream.key, stream.cursor)
                for column in sorted(_columns(stream.entities, prop)):
                    done += connector.rectify(read, keys, column, value)
    return done


def heads_of(store: Store, connection: Connection, heads: Collection[int]) -> dict[str, dict[str, set[int]]]:
    """The heads by source and stream."""
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    sql = "SELECT id, source, stream FROM record_head WHERE {in:id}"
    for id_, source, stream in store.rows_in(connection, sql, sorted(heads)):
        found[source][stream].add(id_)
    return found


def _keys(store: Store, sources: Sources, source: str, records: Records) -> dict[str, list[dict[str, Any]]]:
    """By stream the key columns of the records with what they held when they were read last."""
    config = sources.config(source)
    sql = (
        "SELECT r.payload FROM record_head h JOIN record r ON r.id = h.record_id"
        " WHERE h.state <> 'deleted' AND {in:h.id}"
    )
    found: dict[str, list[dict[str, Any]]] = {}
    with store.read() as connection:
        for name in sorted(records.keys() & config.streams.keys()):
            payloads = [load(row[0]) for row in store.rows_in(connection, sql, sorted(records[name]))]
            key = config.streams[name].key
            whole = [payload for payload in payloads if payload.keys() >= set(key)]
            found[name] = [{column: payload[column] for column in key} for payload in whole]
    return {name: keys for name, keys in found.items() if keys}


def _columns(entities: Collection[EntitySpec], prop: str) -> Iterator[str]:
    """The columns that state the property as they are, of all that the stream's records make."""
    for entity in entities:
        spec = entity.properties.get(prop)
        if spec is not None and spec.path is not None and not spec.convert and len(spec.path) == 1:
            yield spec.path[0]
