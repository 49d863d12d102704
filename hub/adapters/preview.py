"""A look at what a source would give, without writing anything: mapped entities, and what would be refused.

Values stay hidden unless asked for: their *form* shows letters as `a` or `A` and digits as `9`, which tells a
mapping's author what is needed and nobody who the customer is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hub.adapters.mapping import StreamMapping
from hub.adapters.quarantine import Rejected
from hub.adapters.records import BadRecord, Connector, GoneRecord, RawRecord, Record, StreamRead
from hub.adapters.specs import SourceConfig
from hub.errors import RecordError
from hub.graph import Entity, Reference, SharedIdentifier
from hub.values import Instant, Money


@dataclass(frozen=True, slots=True)
class Preview:
    """What the first records of a stream would become."""

    stream: str
    entities: tuple[tuple[str, Entity], ...]
    """Position of the record, and an entity that it states."""
    refused: tuple[Rejected, ...]
    unmapped: tuple[str, ...]
    """Fields of the source that no mapping uses."""
    read: int = field(default=0)


def preview(
    config: SourceConfig, name: str, mapping: StreamMapping, connector: Connector, limit: int
) -> Preview:
    """The first `limit` records of a stream as the mapping would take them.

    Raises:
        SourceError: the source cannot be read.
    """
    stream = config.streams[name]
    read = StreamRead(name, stream.read, stream.key, stream.cursor)
    records = islice((r for batch in connector.batches(read, None, limit) for r in batch.records), limit)
    entities: list[tuple[str, Entity]] = []
    refused: list[Rejected] = []
    fields: set[str] = set()
    read_count = 0
    for record in records:
        read_count += 1
        if isinstance(record, RawRecord):
            fields.update(record.payload)
        taken = _take(mapping, record)
        if isinstance(taken, Rejected):
            refused.append(taken)
        else:
            entities += [(record.position, entity) for entity in taken]
    unmapped = tuple(sorted(fields - set(mapping.fields)))
    return Preview(name, tuple(entities), tuple(refused), unmapped, read_count)


def _take(mapping: StreamMapping, record: Record) -> tuple[Entity, ...] | Rejected:
    if isinstance(record, BadRecord):
        return Rejected.unreadable(record.raw, record.position, record.reason)
    if isinstance(record, GoneRecord):
        return ()
    try:
        return mapping.map(record.payload).entities
    except RecordError as error:
        return Rejected.because(error, key=None, position=record.position, raw="")


def shown_values(entity: Entity, *, values: bool) -> Mapping[str, str]:
    """The entity's properties as text: their values, or only their form."""
    return {name: _text(value) if values else form(_text(value)) for name, value in entity.values.items()}


def _text(value: Any) -> str:
    if isinstance(value, Money):
        return f"{value.amount} {value.currency}"
    if isinstance(value, Instant):
        return f"{value.at.isoformat()} ({value.zone})"
    if isinstance(value, Reference):
        return f"-> {value.target_id}"
    if isinstance(value, SharedIdentifier):
        return f"-> whoever holds this {value.scheme}"
    if isinstance(value, tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)


def form(text: str, limit: int = 60) -> str:
    """`text` with every letter as `a` or `A` and every digit as `9`, at most `limit` characters.

    >>> form("Zoë, 12 Quay St")
    'Aaa, 99 Aaaa Aa'
    """
    masked = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda m: "A" if m.group().isupper() else "a", text))
    return masked[:limit]
