"""A small company with every type of value, held as plain rows, and the same rows in a store."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from hub.access import WHOLE_REACH, Decision, Effect, Reach
from hub.graph.plans import PlanResult
from hub.ontology import EntityType, Ontology, Property, Taxonomy
from hub.store import Store, encoder, fixed
from hub.values import Instant, Money

Run = Callable[..., PlanResult]
"""Runs a root selection on both databases and returns the answer that both give."""

RECORD_KEYS = "user.unique_id"
ADDRESSES = "user.contact.address"
HOUSEHOLDS = "user.household"
RUNS = "system.operations"

_PARTY: Mapping[str, Mapping[str, Any]] = {
    "name": {"category": "c.name"},
    "email": {"type": "email", "category": "c.email", "identifier": "email"},
    "phone": {"type": "phone", "category": "c.phone", "identifier": "phone"},
    "card": {"category": "c.card", "identifier": "card", "strong": True},
    "credit": {"type": "money", "category": "c.credit"},
    "tags": {"many": True, "category": "c.tags"},
}
_TYPES: Mapping[str, Mapping[str, Any]] = {
    "Person": {
        "kind": "party",
        "title": "name",
        "properties": {
            **_PARTY,
            "born": {"type": "date", "category": "c.born"},
            "vip": {"type": "boolean", "category": "c.vip"},
            "score": {"type": "decimal", "scale": 3, "category": "c.score"},
            "seen": {"type": "instant", "category": "c.seen"},
            "worksFor": {
                "type": "reference",
                "range": "Organization",
                "reverse": "staff",
                "category": "c.work",
            },
        },
    },
    "Organization": {
        "kind": "party",
        "title": "name",
        "properties": {
            **_PARTY,
            "size": {"type": "integer", "category": "c.size"},
            "parent": {
                "type": "reference",
                "range": "Organization",
                "reverse": "subs",
                "category": "c.parent",
            },
        },
    },
    "Order": {
        "kind": "event",
        "time": "at",
        "phase": "purchase",
        "title": "number",
        "customer": ("customer",),
        "properties": {
            "number": {"category": "o.number", "identifier": "order_number"},
            "at": {"type": "instant", "category": "o.at"},
            "customer": {
                "type": "reference",
                "range": "Party",
                "reverse": "orders",
                "category": "o.customer",
            },
            "total": {"type": "money", "category": "o.total"},
            "status": {"type": "enum", "values": ("open", "Closed"), "category": "o.status"},
            "codes": {"type": "integer", "many": True, "category": "o.codes"},
            "promised": {"type": "date", "category": "o.promised"},
        },
    },
    "OrderLine": {
        "kind": "entity",
        "customer": ("order.customer",),
        "properties": {
            "order": {"type": "reference", "range": "Order", "reverse": "lines", "category": "l.order"},
            "product": {
                "type": "reference",
                "range": "Product",
                "reverse": "orderLines",
                "category": "l.product",
            },
            "quantity": {"type": "decimal", "scale": 3, "category": "l.quantity"},
            "position": {"type": "integer", "category": "l.position"},
        },
    },
    "Product": {
        "kind": "entity",
        "title": "name",
        "properties": {"name": {"category": "p.name"}, "sku": {"category": "p.sku", "identifier": "sku"}},
    },
    "Ticket": {
        "kind": "event",
        "time": "opened",
        "phase": "by_first_order",
        "title": "fee",
        "customer": ("customer", "order.customer"),
        "properties": {
            "opened": {"type": "date", "category": "t.opened"},
            "customer": {
                "type": "reference",
                "range": "Party",
                "reverse": "tickets",
                "category": "t.customer",
            },
            "order": {"type": "reference", "range": "Order", "reverse": "tickets", "category": "t.order"},
            "fee": {"type": "money", "category": "t.fee"},
            "urgent": {"type": "boolean", "category": "t.urgent"},
        },
    },
}


def plan_ontology() -> Ontology:
    """The ontology of the small company; each property has a category of its own."""
    types = {name: _type(name, spec) for name, spec in sorted(_TYPES.items())}
    taxonomy = Taxonomy(data_categories=(), data_uses=(), data_subjects=())
    return Ontology(types=MappingProxyType(types), taxonomy=taxonomy, sha256="plans")


def _type(name: str, spec: Mapping[str, Any]) -> EntityType:
    properties = {
        key: Property(**{"name": key, "type": "text", "label": key, **each})
        for key, each in spec["properties"].items()
    }
    defaults = {
        "time": None,
        "phase": None,
        "customer": (),
        "title": None,
        "schema_org": None,
        "description": "",
    }
    more = {key: value for key, value in spec.items() if key != "properties"}
    return EntityType(
        **{**defaults, **more},
        name=name,
        label=name,
        plural=name.lower() + "s",
        space="Party" if spec["kind"] == "party" else name,
        properties=MappingProxyType(properties),
    )


def categories(ontology: Ontology) -> list[str]:
    """Every category that a decision may be asked for."""
    own = {prop.category for type_ in ontology.types.values() for prop in type_.properties.values()}
    return [*sorted(own), RECORD_KEYS, ADDRESSES, HOUSEHOLDS, RUNS]


@dataclass(frozen=True)
class Access:
    """Decisions by category; what is not named is allowed."""

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    reach: Reach = WHOLE_REACH

    def decide(self, category: str) -> Decision:
        return self.decisions.get(category, ALLOW)


ALLOW = Decision(Effect.ALLOW, None, "all")
DENY = Decision(Effect.DENY, None, "no")
EVERYTHING = Access()


def masked(mask: str) -> Decision:
    """The decision to mask."""
    return Decision(Effect.MASK, mask, f"mask {mask}")


def denying(*names: str) -> Access:
    """Access to all but these categories."""
    return Access(dict.fromkeys(names, DENY))


# rows


@dataclass(frozen=True)
class Row:
    """An entity, as a store would hold it."""

    type: str
    id: str
    source: str
    observed_at: str
    values: Mapping[str, Any]
    """Exact values; references are ids; absent is null."""
    party: str | None = None

    @property
    def stream(self) -> str:
        return f"{self.type.lower()}s"

    @property
    def record_key(self) -> str:
        return f"key-of-{self.id}"

    @property
    def record_id(self) -> int:
        return sum(map(ord, self.id))


@dataclass(frozen=True)
class Customer:
    """A customer with its golden values."""

    id: str
    kind: str
    household: str | None
    values: Mapping[str, Any]
    provenance: Mapping[str, Mapping[str, str]]
    parties: tuple[str, ...]

    @property
    def stated_at(self) -> str:
        """When its home was stated."""
        return f"2026-03-{sum(map(ord, self.id)) % 28 + 1:02}T00:00:00.000000Z"


def tie_of(one: Customer, other: Customer) -> tuple[bool, bool, bool, bool]:
    """Which kinds of evidence there are that the two live together."""
    bits = sum(map(ord, one.id + other.id))
    return (bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8))


@dataclass
class World:
    """All rows by id, and the fixed tables that a plan reads."""

    rows: dict[str, Row]
    customers: dict[str, Customer]
    redirects: Mapping[str, str]
    runs: tuple[tuple[str, str], ...] = (("erp", "ok"), ("pos", "ok"), ("pos", "failed"))
    successes: tuple[tuple[str, str, str | None], ...] = (
        ("erp", "a", "2026-05-01T00:00:00.000000Z"),
        ("erp", "b", "2026-05-02T00:00:00.500000Z"),
        ("pos", "a", None),
    )

    def housemates(self, customer: Customer) -> list[Customer]:
        """Who lives with the customer, by id."""
        same = [c for c in self.customers.values() if c.household == customer.household is not None]
        return sorted((c for c in same if c is not customer), key=lambda c: c.id)

    def of(self, type_name: str) -> list[Row]:
        """The rows of a type."""
        return [row for row in self.rows.values() if row.type == type_name]

    def customer_of(self, row: Row) -> str | None:
        """The customer that a row belongs to."""
        party = row.id if row.type in ("Person", "Organization") else row.party
        return next((c.id for c in self.customers.values() if party in c.parties), None)


class _Maker:
    """Values that occur once, so that a test can tell where one came from."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._count = 0

    def number(self) -> int:
        self._count += 1
        return self._count

    def text(self, word: str) -> str:
        odd = self.random.choice(["", "é", "ß%", "'q\"", "\\n\n", "Ω:x", "😀", "\x7f", "\x01"])
        return self.random.choice([word, word.upper(), word.title()]) + f"{odd}{self.number():04d}"

    def instant(self) -> Instant:
        micro = self.random.choice([0, 500_000, self.random.randrange(1_000_000)])
        day = timedelta(days=self.random.randrange(400), seconds=self.random.randrange(86_400))
        return Instant(
            datetime(2025, 1, 1, tzinfo=UTC) + day + timedelta(microseconds=micro), "Europe/London"
        )

    def date(self) -> str:
        draw = self.random.randrange
        text = f"{draw(2024, 2027)}-{draw(1, 13):02d}-{draw(1, 29):02d}"
        return self.random.choice([text[:4], text[:7], text, text])

    def money(self) -> Money:
        amount = Decimal(self.random.randrange(-(10**7), 10**9)).scaleb(-self.random.choice([0, 1, 2, 3, 4]))
        return Money(amount + self.number() * 1_000_000, self.random.choice(["GBP", "EUR"]))

    def decimal(self) -> Decimal:
        return (
            Decimal(self.random.randrange(-5000, 10**6)).scaleb(-self.random.choice([0, 1, 3]))
            + self.number()
        )

    def value(self, prop: Property, ids: Mapping[str, list[str]]) -> Any:
        if prop.many:
            made = [self.number() if prop.type == "integer" else self.text(prop.name) for _ in range(3)]
            return tuple(made[: self.random.randrange(4)])
        if prop.type == "reference":
            options = ids["Person"] + ids["Organization"] if prop.range == "Party" else ids[prop.range or ""]
            return self.random.choice([*options, "missing"])
        makers: dict[str, Any] = {
            "money": self.money,
            "decimal": self.decimal,
            "instant": self.instant,
            "date": self.date,
            "integer": lambda: self.random.randrange(-3, 10**12),
            "boolean": lambda: self.random.random() < 0.5,
            "enum": lambda: self.random.choice(prop.values),
            "email": lambda: f"ann{self.number()}@Shop{self.number()}.example.com".lower(),
            "phone": lambda: f"+4420794600{self.number():04d}",
        }
        return makers.get(str(prop.type), lambda: self.text(prop.name))()


COUNTS = {"Person": 14, "Organization": 5, "Product": 4, "Order": 30, "OrderLine": 60, "Ticket": 14}


def make_world(ontology: Ontology, seed: int = 7) -> World:
    """Rows of every type, some values missing, grouped to customers; the same for the same seed."""
    maker = _Maker(seed)
    ids = {name: [f"{name.lower()}{n}" for n in range(count)] for name, count in COUNTS.items()}
    rows: dict[str, Row] = {}
    for name in COUNTS:
        for entity_id in ids[name]:
            values = {
                prop.name: maker.value(prop, ids)
                for prop in ontology.type(name).properties.values()
                if maker.random.random() < 0.85
            }
            rows[entity_id] = Row(
                name, entity_id, maker.random.choice(["erp", "pos", "web"]), _observed(maker), values
            )
    rows = {key: _with_party(row, rows, ontology) for key, row in rows.items()}
    customers = _customers(maker, ontology, rows, [*ids["Person"], *ids["Organization"]])
    return World(rows, customers, {"old1": "customer0", "old2": "customer3", "dead": "nobody"})


def _observed(maker: _Maker) -> str:
    return maker.instant().at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _with_party(row: Row, rows: Mapping[str, Row], ontology: Ontology) -> Row:
    for path in ontology.type(row.type).customer:
        at: Row | None = row
        for step in path.split("."):
            at = rows.get(at.values.get(step, "")) if at else None
        if at is not None:
            return Row(row.type, row.id, row.source, row.observed_at, row.values, at.id)
    return row


def _customers(
    maker: _Maker, ontology: Ontology, rows: Mapping[str, Row], parties: list[str]
) -> dict[str, Customer]:
    made: dict[str, Customer] = {}
    remaining = list(parties)
    while remaining:
        kind = rows[remaining[0]].type
        same = [party for party in remaining if rows[party].type == kind][: maker.random.choice([1, 2, 3])]
        remaining = [party for party in remaining if party not in same]
        values: dict[str, Any] = {}
        provenance: dict[str, dict[str, str]] = {}
        for name in ontology.customer_properties:
            stating = [party for party in same if name in rows[party].values]
            if stating:
                winner = maker.random.choice(stating)
                values[name] = rows[winner].values[name]
                provenance[name] = {"party": winner, "rule": maker.random.choice(["most_recent", "longest"])}
        id_ = f"customer{len(made)}"
        household = maker.random.choice([None, "house1", "house2"])
        made[id_] = Customer(id_, kind.lower(), household, values, provenance, tuple(same))
    return made


# into a store


def fill(store: Store, world: World) -> None:
    """The world's rows, inserted."""
    with store.write() as connection:
        for name, type_ in store.ontology.types.items():
            for row in world.of(name):
                _insert_row(store, connection, type_, row)
        for customer in world.customers.values():
            _insert_customer(store, connection, customer)
        _insert_fixed(store, connection, world)


def _insert_row(store: Store, connection: Connection, type_: EntityType, row: Row) -> None:
    columns: dict[str, Any] = {
        "id": row.id,
        "source": row.source,
        "stream": row.stream,
        "record_key": row.record_key,
        "head_id": 1,
        "record_id": row.record_id,
        "observed_at": row.observed_at,
        "content_hash": "h",
        "run_id": 1,
    }
    if type_.customer:
        columns["party_id"] = row.party
    columns |= _encoded(store, type_.properties, row.values)
    store.dialect.upsert(
        connection, store.tables.by_type[type_.name], list(columns), [tuple(columns.values())]
    )
    held = [
        (prop.identifier, str(row.values[prop.name]), row.id, type_.name, prop.name, row.source, prop.strong)
        for prop in type_.identifiers
        if prop.name in row.values
    ]
    names = ["scheme", "value", "entity_id", "type", "property", "source", "strong"]
    store.dialect.upsert(connection, fixed.identifier, names, held)


def _insert_customer(store: Store, connection: Connection, customer: Customer) -> None:
    columns = {
        "id": customer.id,
        "kind": customer.kind,
        "household_id": customer.household,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "updated_at": "2026-01-02T00:00:00.123000Z",
        "provenance": json.dumps(customer.provenance),
        **_encoded(store, store.ontology.customer_properties, customer.values),
    }
    store.dialect.upsert(connection, store.tables.customer, list(columns), [tuple(columns.values())])
    members = [(party, customer.id) for party in customer.parties]
    store.dialect.upsert(connection, fixed.membership, ["party_id", "customer_id"], members)


def _insert_fixed(store: Store, connection: Connection, world: World) -> None:
    def put(table: Any, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        store.dialect.upsert(connection, table, columns, rows)

    homes = [(customer.id, "{}", customer.stated_at) for customer in world.customers.values()]
    put(fixed.home, ["customer_id", "content", "stated_at"], homes)
    kinds = ["address", "family_name", "contact", "account"]
    mates = [(a.id, b.id, *tie_of(a, b)) for a in world.customers.values() for b in world.housemates(a)]
    put(fixed.housemate, ["customer_id", "other_id", *kinds], mates)

    redirects = [(old, new, "2026-01-01T00:00:00.000000Z", "merge") for old, new in world.redirects.items()]
    put(fixed.customer_redirect, ["old_id", "new_id", "at", "reason"], redirects)
    runs = [(n, source, "sync", state, "2026-01-01") for n, (source, state) in enumerate(world.runs, 1)]
    put(fixed.run, ["id", "source", "kind", "state", "started_at"], runs)
    put(fixed.stream_state, ["source", "stream", "last_success_at"], list(world.successes))


def _encoded(store: Store, properties: Mapping[str, Property], values: Mapping[str, Any]) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for name, value in values.items():
        prop = properties.get(name)
        if prop is not None:
            encoded |= dict(zip(prop.columns, encoder(prop, store.dialect.name)(value), strict=True))
    return encoded
