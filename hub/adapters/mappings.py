"""Mappings by version: what each said while rows were made by it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from hub.adapters.mapping import StreamMapping
from hub.store import Store, fixed, utc_now


@dataclass(frozen=True, slots=True)
class KeptMapping:
    """A mapping that rows were made by."""

    source: str
    stream: str
    version: str
    content: Any
    """What its version digests: the ontology's digest, the source's defaults, the stream's name, its mapping."""
    since_run_id: int
    """The first run that made use of it."""
    since: str


def keep_mapping(
    store: Store, connection: Connection, run_id: int, source: str, stream: str, mapping: StreamMapping
) -> None:
    """Keep the mapping as it is now, where it is not kept already."""
    if kept_mappings(connection, source, stream, mapping.version):
        return
    columns = ("source", "stream", "version", "content", "since_run_id", "since")
    row = (source, stream, mapping.version, mapping.content, run_id, utc_now())
    store.dialect.upsert(connection, fixed.mapping, columns, [row], keep=columns)


def kept_mappings(
    connection: Connection, source: str, stream: str | None = None, version: str | None = None
) -> list[KeptMapping]:
    """The mappings that rows of the source were made by: by stream, the newest first; of one stream, of one version."""
    table = fixed.mapping
    query = select(table).where(table.c.source == source)
    if stream is not None:
        query = query.where(table.c.stream == stream)
    if version is not None:
        query = query.where(table.c.version == version)
    rows = connection.execute(query.order_by(table.c.stream, table.c.since_run_id.desc()))
    return [
        KeptMapping(row.source, row.stream, row.version, json.loads(row.content), row.since_run_id, row.since)
        for row in rows
    ]
