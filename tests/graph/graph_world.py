"""A small ontology, statements about it, and a graph on one database, for the tests of the writing side."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from hub.graph.entities import Entity, Reference, SharedIdentifier, Statement
from hub.graph.writer import Applied, GraphWriter
from hub.ontology import EntityType, Ontology, Property, Taxonomy
from hub.store import Store, fixed
from hub.values import entity_id

TRUST = {"erp": 90, "pos": 50, "crm": 70}

PARTY_PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "name": {"survivorship": "most_trusted"},
    "givenName": {"survivorship": "most_trusted", "match": "given_name"},
    "familyName": {"survivorship": "most_trusted", "match": "family_name"},
    "honorificSuffix": {"survivorship": "most_trusted", "match": "name_suffix"},
    "birthDate": {"survivorship": "most_trusted", "match": "birth_date"},
    "nickname": {"survivorship": "most_frequent"},
    "notes": {"survivorship": "longest"},
    "email": {"type": "email", "survivorship": "most_recent", "identifier": "email", "match": "email"},
    "telephone": {"type": "phone", "survivorship": "most_recent", "identifier": "phone", "match": "phone"},
    "loyaltyCard": {"survivorship": "most_recent", "identifier": "loyalty_card", "strong": True},
    "vatID": {"survivorship": "most_trusted", "identifier": "vat", "strong": True},
    "streetAddress": {"survivorship": "most_recent", "group": "address", "match": "street"},
    "postalCode": {"survivorship": "most_recent", "group": "address", "match": "postal_code"},
    "creditLimit": {"type": "money", "survivorship": "most_trusted"},
    "lastSeen": {"type": "instant", "survivorship": "most_recent"},
    "active": {"type": "boolean", "survivorship": "most_recent"},
    "tags": {"many": True, "survivorship": "most_recent"},
}


def small_ontology(*, strong: bool = True) -> Ontology:
    """Parties, an order with lines, shipments with events, shared products, loyalty accounts, tickets."""
    proves = {
        name: {**spec, "strong": strong and "strong" in spec} for name, spec in PARTY_PROPERTIES.items()
    }
    types = [
        _type("Person", "party", proves, space="Party", schema_org="Person"),
        _type(
            "Organization",
            "party",
            {**proves, **_to("parentOrganization", "Organization")},
            space="Party",
            schema_org="Organization",
        ),
        _type(
            "Order",
            "event",
            {**_when(), **_to("customer", "Party"), "total": {"type": "money"}},
            ["customer"],
        ),
        _type(
            "OrderLine", "entity", {**_to("order", "Order"), **_to("product", "Product")}, ["order.customer"]
        ),
        _type(
            "Shipment",
            "event",
            {**_when(), **_to("customer", "Party"), **_to("order", "Order")},
            ["customer", "order.customer"],
        ),
        _type(
            "ShipmentEvent",
            "event",
            {**_when(), **_to("shipment", "Shipment")},
            ["shipment.customer", "shipment.order.customer"],
        ),
        _type("Product", "entity", {"name": {}, "sku": {"identifier": "sku"}}),
        _type(
            "Account",
            "entity",
            {"number": {"identifier": "account"}, **_to("customer", "Party")},
            ["customer"],
        ),
        _type(
            "Ticket",
            "entity",
            {**_to("account", "Account"), **_to("product", "Product")},
            ["account.customer"],
        ),
    ]
    taxonomy = Taxonomy(data_categories=(), data_uses=(), data_subjects=())
    return Ontology(types=MappingProxyType({t.name: t for t in types}), taxonomy=taxonomy, sha256="small")


def _type(
    name: str,
    kind: Any,
    properties: Mapping[str, Mapping[str, Any]],
    customer: Sequence[str] = (),
    **more: Any,
) -> EntityType:
    made = {
        key: Property(**{"name": key, "type": "text", "label": key, "category": "user", **spec})
        for key, spec in properties.items()
    }
    time, phase = ("when", "purchase") if kind == "event" else (None, None)
    defaults = {"label": name, "plural": name + "s", "description": "", "title": None, "schema_org": None}
    return EntityType(
        **{**defaults, "space": name, **more},
        name=name,
        kind=kind,
        time=time,
        phase=phase,
        customer=tuple(customer),
        properties=MappingProxyType(made),
    )


def _when() -> dict[str, dict[str, Any]]:
    return {"when": {"type": "instant"}}


def _to(name: str, target: str) -> dict[str, dict[str, Any]]:
    return {name: {"type": "reference", "range": target}}


def day(number: int) -> str:
    """The start of a day of January 2026, as the store writes instants."""
    return f"2026-01-{number:02}T00:00:00.000000Z"


def party(source: str, key: str, type_: str = "Person", **values: Any) -> Entity:
    return Entity(entity_id(source, "Party", key), type_, key, values)


def thing(
    source: str, type_: str, key: str, *, shared: bool = False, filled: bool = False, **values: Any
) -> Entity:
    return Entity(entity_id(source, type_, key), type_, key, values, shared or filled, filled=filled)


def to_party(source: str, key: str) -> Reference:
    return Reference(entity_id(source, "Party", key))


def to(source: str, type_: str, key: str) -> Reference:
    return Reference(entity_id(source, type_, key))


def by(scheme: str, value: str) -> SharedIdentifier:
    return SharedIdentifier(scheme, value)


def says(
    source: str, record: str, *entities: Entity, at: str = day(1), version: int = 1, head: int | None = None
) -> Statement:
    """What a version of a record states; heads and versions have the same ids whatever the order of arrival."""
    head = head or zlib.crc32(f"{source}/{record}".encode()) % 1_000_000 * 10
    return Statement(source, "records", record, head, head + version, at, entities)


def gone(statement: Statement) -> Statement:
    """The record's deletion at the source."""
    said = statement
    return Statement(
        said.source, said.stream, said.record_key, said.head_id, said.record_id, said.observed_at, ()
    )


class Graph:
    """A graph on one store, with the landed records that a sync would keep."""

    def __init__(self, store: Store, **options: Any) -> None:
        self.store = store
        self.landed: dict[int, Statement] = {}
        self.writer = GraphWriter(store, TRUST, restate=self._restate, **options)

    def _restate(self, _connection: Connection, heads: Sequence[int]) -> list[Statement]:
        return [self.landed[head] for head in heads]

    def apply(self, *statements: Statement, postponed: bool = False) -> Applied:
        """One batch."""
        self.landed |= {statement.head_id: statement for statement in statements}
        with self.store.write() as connection:
            return self.writer.apply(connection, 1, statements, postponed=postponed)

    def clear(self) -> None:
        """An empty graph again."""
        tables = [*self.store.tables.metadata.sorted_tables, *fixed.metadata.sorted_tables]
        with self.store.write() as connection:
            for table in tables:
                if table.name not in ("meta", "run", "run_stream"):
                    connection.execute(table.delete())
        self.landed.clear()

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return [tuple(_plain(cell) for cell in row) for row in connection.execute(text(sql), params)]

    def value(self, entity: Entity, column: str) -> Any:
        """One column of an entity's row."""
        table = self.store.tables.by_type[entity.type].name
        found = self.rows(f'SELECT "{column}" FROM "{table}" WHERE id = :id', id=entity.id)
        return found[0][0] if found else None

    def customer_of(self, entity: Entity) -> str:
        return self.rows("SELECT customer_id FROM membership WHERE party_id = :id", id=entity.id)[0][0]

    def golden(self, entity: Entity, column: str) -> Any:
        """One column of the golden record of a party's customer."""
        sql = f'SELECT "{column}" FROM customer c JOIN membership m ON m.customer_id = c.id WHERE m.party_id = :id'
        return self.rows(sql, id=entity.id)[0][0]

    def redirects(self) -> dict[str, str]:
        return dict(self.rows("SELECT old_id, new_id FROM customer_redirect"))

    def content(self) -> dict[tuple[str, str], Any]:
        """What a reader may see of each entity and customer, by type and id."""
        seen: dict[tuple[str, str], Any] = {}
        for name, table in self.store.tables.by_type.items():
            hidden = (
                "head_id",
                "record_id",
                "run_id",
                "source",
                "stream",
                "record_key",
                "observed_at",
                "content_hash",
            )
            columns = ", ".join(f'"{c.name}"' for c in table.c if c.name not in hidden)
            seen |= {(name, row[0]): row for row in self.rows(f'SELECT {columns} FROM "{table.name}"')}
        members = self._members()
        for row in self._customers():
            seen["Customer", row["id"]] = (members[row["id"]], {**row, "updated_at": None})
        return seen

    def matched(self) -> dict[str, Any]:
        """The tables of matching, by party ids instead of numbers."""
        party = dict(self.rows("SELECT id, party_id FROM profile"))
        return {
            "profiles": set(self.rows("SELECT party_id, kind, content FROM profile")),
            "keys": {
                (key, party[number]) for key, number in self.rows("SELECT key, profile_id FROM blocking_key")
            },
            "edges": {
                (frozenset((party[low], party[high])), weight, bool(joins))
                for low, high, weight, joins in self.rows("SELECT low, high, weight, joins FROM edge")
            },
        }

    def canonical(self) -> dict[str, Any]:
        """The graph's state without what may depend on the order of arrival: runs, customer ids, clock times."""
        state: dict[str, Any] = {}
        for name, table in self.store.tables.by_type.items():
            columns = ", ".join(f'"{c.name}"' for c in table.c if c.name != "run_id")
            state[name] = {row[0]: row for row in self.rows(f'SELECT {columns} FROM "{table.name}"')}
        state["identifier"] = set(self.rows("SELECT * FROM identifier"))
        state["identifier_ref"] = set(self.rows("SELECT * FROM identifier_ref"))
        members = self._members()
        state["customers"] = {
            members[row["id"]]: {k: v for k, v in row.items() if k not in ("id", "created_at", "updated_at")}
            for row in self._customers()
        }
        return state

    def check_invariants(self) -> None:
        """Customers are those with members, and redirects lead to them in one step."""
        customers = {row["id"] for row in self._customers()}
        assert customers == set(self._members())
        redirects = self.redirects()
        assert set(redirects.values()) <= customers
        assert not customers & redirects.keys()

    def _members(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for party_id, customer_id in self.rows("SELECT party_id, customer_id FROM membership"):
            found.setdefault(customer_id, set()).add(party_id)
        return {customer_id: frozenset(parties) for customer_id, parties in found.items()}

    def _customers(self) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            rows = connection.execute(self.store.tables.customer.select()).mappings()
            return [{name: _plain(cell) for name, cell in row.items()} for row in rows]


def _plain(cell: Any) -> Any:
    return json.dumps(cell) if isinstance(cell, list | dict) else cell
