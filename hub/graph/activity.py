"""What is remembered of rows that retention erases: the latest times of each party's, and that there were any.

Without it, a customer whose old orders went would seem never to have bought, and be erased as somebody who never did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.ontology import EntityType, Property, PropertyType
from hub.store import Store, fixed, iso_utc

_COLUMNS = ("party_id", "type", "property", "at")
_HELD = "SELECT party_id, type, property, at FROM past_activity WHERE {in:party_id}"


def remember(store: Store, connection: Connection, heads: Collection[int]) -> None:
    """Keep the times of the rows that these records serve, where they are later than what is kept."""
    latest: dict[tuple[str, str, str], str] = {}
    for type_ in store.ontology.types.values():
        for party, name, at in _times(store, connection, type_, heads) if type_.customer else ():
            key = (party, type_.name, name)
            latest[key] = max(at, latest.get(key, ""))
    for party, type_name, name, at in store.rows_in(connection, _HELD, sorted({key[0] for key in latest})):
        if (key := (party, type_name, name)) in latest:
            latest[key] = max(at, latest[key])
    rows = [(*key, at) for key, at in sorted(latest.items())]
    store.dialect.upsert(connection, fixed.past_activity, _COLUMNS, rows)


def padded(column: str) -> str:
    """SQL for the last day that a date in the column may mean: it may name a year or a month alone."""
    return f"CASE length({column}) WHEN 4 THEN {column} || '-12-31' WHEN 7 THEN {column} || '-31' ELSE {column} END"


def times_of(type_: EntityType) -> list[Property]:
    """The properties of a type that say when something was."""
    kinds = (PropertyType.DATE, PropertyType.INSTANT)
    return [prop for prop in type_.properties.values() if prop.type in kinds and not prop.many]


def _times(
    store: Store, connection: Connection, type_: EntityType, heads: Collection[int]
) -> Iterator[tuple[str, str, str]]:
    props = times_of(type_)
    columns = [
        f't."{prop.column}"' if prop.type is PropertyType.INSTANT else padded(f't."{prop.column}"')
        for prop in props
    ]
    sql = (
        f'SELECT {", ".join(["t.party_id", *columns])} FROM "{type_.table}" t'
        " WHERE t.party_id IS NOT NULL AND {in:t.head_id}"
    )
    for party, *values in store.rows_in(connection, sql, sorted(heads)):
        yield party, "", ""
        yield from _said(party, props, values)


def _said(party: str, props: Sequence[Property], values: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    for prop, value in zip(props, values, strict=True):
        if value is not None:
            yield party, prop.name, iso_utc(value) if isinstance(value, datetime) else str(value)
