"""A company with rows of every type and values of every property, written as sources would state them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from hub.graph import Entity, GraphWriter, Reference, Statement
from hub.ontology import CUSTOMER, EntityType, Ontology
from hub.store import Store
from hub.values import Instant, entity_id
from tests.leaks.variants import fresh

SOURCES = ("erp", "shop", "help")
ROWS = 3
"""Rows of each type that is no party."""
PARTIES = (("P1", "Person"), ("P2", "Person"), ("P3", "Person"), ("P4", "Person"), ("G1", "Organization"),
           ("G2", "Organization"))  # fmt: skip
_HOME = ("familyName", "streetAddress", "postalCode", "addressLocality", "addressCountry")
_SAME: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "P2": ("P1", ("loyaltyCard", *_HOME)),
    "P3": ("P1", _HOME),
}
"""P1 and P2 are one customer by the card; P1 and P3 live together."""
UNTIL = "2999-01-01"
_STANDING: Mapping[tuple[str, int], Mapping[str, Any]] = {
    ("Consent", 0): {
        "purpose": "marketing",
        "channel": "any",
        "state": "given",
        "expiresOn": UNTIL,
        "givenBy": "guardian",
    },
    ("Restriction", 0): {"kind": "restriction", "state": "in_force"},
    ("Restriction", 1): {"kind": "objection", "purpose": "marketing", "state": "in_force"},
}
"""Who agreed to advertising, and who restricted or objected."""
_TIMES: Mapping[tuple[str, int], tuple[str, datetime]] = {
    ("Order", 0): ("orderDate", datetime(2020, 1, 2, tzinfo=UTC)),
    ("Consent", 1): ("at", datetime(2020, 1, 20, tzinfo=UTC)),
}
"""P1's first order, and what follows it within the days by which times that a mask shows alike may differ."""
_OFTEN = 0.9
"""How often a property has a value."""


class _Maker:
    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._draw = random.Random("company")
        self._ids = {name: [_party_id(key) for key, type_ in PARTIES if type_ == name] for name in _parties()}
        for type_ in ontology.types.values():
            if not type_.is_party:
                self._ids[type_.name] = [_row_id(type_, number) for number in range(ROWS)]

    def entities(self) -> Iterator[Entity]:
        """All rows, parties first."""
        made: dict[str, dict[str, Any]] = {}
        for key, type_name in PARTIES:
            made[key] = self._values(self._ontology.type(type_name), 0)
            if key in _SAME:
                like, names = _SAME[key]
                made[key] |= {name: made[like][name] for name in names}
            yield Entity(_party_id(key), type_name, key, made[key])
        for type_ in self._ontology.types.values():
            for number in range(0 if type_.is_party else ROWS):
                key = f"{type_.name}-{number}"
                yield Entity(_row_id(type_, number), type_.name, key, self._values(type_, number))

    def _values(self, type_: EntityType, number: int) -> dict[str, Any]:
        needed = {name for _, names in _SAME.values() for name in names} if type_.is_party else set()
        needed |= {type_.time or "", type_.title or "", *(path.partition(".")[0] for path in type_.customer)}
        values: dict[str, Any] = {}
        for prop in type_.properties.values():
            if prop.range is not None:
                options = [
                    id_ for target in self._ontology.range_types(prop.range) for id_ in self._ids[target.name]
                ]
                chosen: Any = Reference(self._draw.choice(options))
            else:
                chosen = fresh(prop, self._draw)
            if prop.name in needed or self._draw.random() < _OFTEN:
                values[prop.name] = chosen
        values |= _STANDING.get((type_.name, number), {})
        if (timed := _TIMES.get((type_.name, number))) is not None:
            values |= {timed[0]: Instant(timed[1], "Europe/London"), "customer": Reference(_party_id("P1"))}
        if number == 1 and len(type_.customer) > 1:
            # One row that belongs to a customer by way of another row.
            values.pop(type_.customer[0].partition(".")[0])
        return values


def _parties() -> set[str]:
    return {type_ for _, type_ in PARTIES}


def _party_id(key: str) -> str:
    return entity_id(_source(key), "Party", key)


def _row_id(type_: EntityType, number: int) -> str:
    return entity_id(_source(f"{type_.name}-{number}"), type_.space, f"{type_.name}-{number}")


def _source(key: str) -> str:
    return SOURCES[sum(map(ord, key)) % len(SOURCES)]


def fill(store: Store) -> None:
    """Write the company, and runs of its sources, into an empty store."""
    statements = [
        Statement(
            _source(entity.key), entity.type.lower(), entity.key, at * 10, at * 10 + 1,
            f"2026-02-{at % 28 + 1:02d}T00:00:00.000000Z", (entity,),
        )
        for at, entity in enumerate(_Maker(store.ontology).entities(), 1)
    ]  # fmt: skip
    writer = GraphWriter(store, dict.fromkeys(SOURCES, 50), restate=lambda _connection, _heads: [])
    with store.write() as connection:
        writer.apply(connection, 1, statements)
        for source in SOURCES:
            _run(store, connection, source)


def _run(store: Store, connection: Any, source: str) -> None:
    from hub.store import fixed

    columns = ("id", "source", "kind", "state", "started_at")
    number = SOURCES.index(source) + 1
    store.dialect.insert(
        connection, fixed.run, columns, [(number, source, "sync", "ok", "2026-03-01T00:00:00Z")]
    )
    stream = ("source", "stream", "last_success_at")
    store.dialect.insert(
        connection, fixed.stream_state, stream, [(source, "all", f"2026-03-0{number}T00:00:00.000000Z")]
    )


def customer_ids(store: Store) -> list[str]:
    """The customers of the company."""
    with store.read() as connection:
        rows = connection.exec_driver_sql(f"SELECT id FROM {CUSTOMER.lower()} ORDER BY id")
        return [id_ for (id_,) in rows]
