"""Drift: which fields a source has gained, lost or retyped since the hub last read it.

A *shape* is the names and types of one record's fields. Shapes are few, so watching them costs little; the fields
that follow from them are kept with the stream and compared after each run.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select

from hub.adapters.records import Payload
from hub.store import fixed, utc_now

DriftKind = Literal["new", "missing", "retyped"]

MAX_SHAPES = 10_000
"""Shapes remembered in one run; a source whose fields vary without end is watched no further."""

_NAMES: Mapping[type, str] = {
    str: "text",
    int: "number",
    Decimal: "number",
    bool: "boolean",
    list: "list",
    dict: "object",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One changed field; `before` and `after` name its types."""

    field: str
    kind: DriftKind
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Field:
    """A field as a source has it: the types it was seen with (null left out), and whether every record had it."""

    types: frozenset[str]
    always: bool


@dataclass(slots=True)
class ShapeWatch:
    """Gathers the shapes of a run's records."""

    shapes: set[tuple[tuple[str, ...], tuple[type, ...]]] = field(default_factory=set)

    def see(self, payload: Payload) -> None:
        """Note the shape of one record."""
        if len(self.shapes) < MAX_SHAPES:
            self.shapes.add((tuple(payload), tuple(map(type, payload.values()))))

    def fields(self) -> dict[str, Field]:
        """The fields that the shapes have."""
        types: dict[str, set[str]] = {}
        holders: dict[str, int] = {}
        for names, kinds in self.shapes:
            for name, kind in zip(names, kinds, strict=True):
                types.setdefault(name, set()).add(_NAMES.get(kind, kind.__name__))
                holders[name] = holders.get(name, 0) + 1
        return {
            name: Field(frozenset(found - {"null"}), holders[name] == len(self.shapes))
            for name, found in types.items()
        }


def compare(known: Mapping[str, Field], seen: Mapping[str, Field]) -> list[Drift]:
    """What differs between the fields known so far and those of this run, by field name.

    A field that only some records have is not missing when this run's records lack it.
    """
    found = [Drift(name, "new", None, _words(seen[name])) for name in seen.keys() - known.keys()]
    found += [
        Drift(name, "missing", _words(known[name]), None)
        for name in known.keys() - seen.keys()
        if known[name].always
    ]
    for name in known.keys() & seen.keys():
        added = seen[name].types - known[name].types
        if added and known[name].types:
            found.append(Drift(name, "retyped", _words(known[name]), _words(seen[name])))
    return sorted(found, key=lambda drift: drift.field)


def _words(field_: Field) -> str:
    return ", ".join(sorted(field_.types)) or "null"


def merged(known: Mapping[str, Field], seen: Mapping[str, Field]) -> dict[str, Field]:
    """The fields known after a run that has seen `seen`."""
    result = dict(known)
    for name, now in seen.items():
        before = known.get(name)
        result[name] = Field(now.types | before.types, now.always and before.always) if before else now
    return result


def dump_fields(fields: Mapping[str, Field]) -> str:
    """The fields as the store keeps them."""
    return json.dumps({name: [sorted(f.types), f.always] for name, f in sorted(fields.items())})


def load_fields(text: str | None) -> dict[str, Field]:
    """The fields that `dump_fields` wrote, none for a stream never read."""
    stored: dict[str, Any] = json.loads(text) if text else {}
    return {name: Field(frozenset(types), always) for name, (types, always) in stored.items()}


def record_drift(
    connection: Connection,
    run_id: int,
    source: str,
    stream: str,
    found: Collection[Drift],
    seen: Mapping[str, Field],
    mapped: Collection[str],
) -> None:
    """Keep what drifted, and forget what has been settled: a missing field is back, a new one is mapped."""
    table = fixed.drift
    here = (table.c.source == source) & (table.c.stream == stream)
    open_ = {row.field: row.kind for row in connection.execute(select(table).where(here))}
    settled = [
        name
        for name, kind in open_.items()
        if (kind == "missing" and name in seen) or (kind == "new" and name in mapped)
    ]
    replaced = [drift.field for drift in found]
    gone = [*settled, *replaced]
    if gone:
        connection.execute(delete(table).where(here, table.c.field.in_(gone)))
    rows = [
        {
            "source": source,
            "stream": stream,
            "field": drift.field,
            "kind": drift.kind,
            "before": drift.before,
            "after": drift.after,
            "since_run_id": run_id,
            "since": utc_now(),
        }
        for drift in found
        if not (drift.kind == "new" and drift.field in mapped)
        if open_.get(drift.field) != drift.kind or drift.field in replaced
    ]
    if rows:
        connection.execute(insert(table), rows)


def drift_of(connection: Connection, source: str) -> list[tuple[str, Drift, str]]:
    """What has drifted and is not settled, as (stream, drift, since)."""
    table = fixed.drift
    query = select(table).where(table.c.source == source).order_by(table.c.stream, table.c.field)
    return [
        (row.stream, Drift(row.field, row.kind, row.before, row.after), row.since)
        for row in connection.execute(query)
    ]
