"""Whatever a source and its mapping went through, the graph is in the end what their last state alone gives."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from hub.ontology import Ontology, load_ontology
from hub.store import Store
from tests.adapters.shop import Shop
from tests.databases import sqlite_store

YAML = """\
source: shop
currency: GBP
zone: {zone}
max_bad_share: 1
max_delete_share: 1
connector: {{type: files, root: {{env: SHOP_DIR}}}}
streams:
  people:
    read: {{glob: people.jsonl, format: {{type: jsonl}}}}
    key: {key}
    {observed}
    deletes: full_scan
    entities:
      - type: Person
        when: "kind == '{person}'"
        key: {entity_key}
        properties: {{givenName: {given}, familyName: family, email: {email}, loyaltyCard: card}}
      - type: Organization
        when: "kind != '{person}'"
        key: {entity_key}
        properties: {{legalName: family, email: {email}}}
      - {{type: Product, key: sku, shared: true, properties: {{name: title}}}}
  orders:
    read: {{glob: orders.jsonl, format: {{type: jsonl}}}}
    key: no
    deletes: full_scan
    entities:
      - type: Order
        properties: {{orderNumber: no, total: {total}}}
        links: {{customer: {link}}}
      - {{type: Product, key: sku, shared: true, properties: {{name: title}}}}
"""
SOUND = {"email": "email", "total": "total"}
QUERIES = {
    "people": "SELECT id, given_name, email, record_key, observed_at, content_hash FROM e_person",
    "organisations": "SELECT id, legal_name, email, record_key, content_hash FROM e_organization",
    "orders": "SELECT id, total, party_id, customer_id, record_key, content_hash FROM e_order",
    "products": "SELECT id, name, stream, record_key, content_hash FROM e_product",
    "identifiers": "SELECT scheme, value, entity_id, type FROM identifier",
    "golden": "SELECT kind, given_name, email, loyalty_card, legal_name, provenance FROM customer",
    "quarantine": "SELECT stream, key, hash, field, code FROM quarantine",
    "heads": "SELECT stream, key, hash, state FROM record_head WHERE state <> 'deleted'",
}


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def configuration(random: Random, **given_: str) -> str:
    choices = {
        "zone": random.choice(["UTC", "Asia/Tokyo"]),
        "key": random.choice(["no", "no", "ref"]),
        "observed": random.choice(["", "observed_at: at"]),
        "person": random.choice("PPQ"),
        "entity_key": random.choice(["no", "no", "ref"]),
        "given": random.choice(["given", "{path: given, convert: [upper]}"]),
        "email": random.choice(["email", "email", "family"]),
        "total": random.choice(["total", "total", "title"]),
        "link": random.choice(["buyer", "{identifier: loyalty_card, value: card}"]),
    }
    return YAML.format(**choices | given_)


def people(random: Random, size: int, *, sound: bool) -> list[dict[str, Any]]:
    """Some of `size` people, everything about them by chance; sound ones are newer than all others."""
    return [
        {
            "no": f"P{number}",
            "ref": f"R{number * 7 % size}-{number}",
            "kind": random.choice("PPQ"),
            "given": random.choice(["Al", "Bo"]),
            "family": "Ash",
            "email": f"p{number}@example.com" if sound or random.random() < 0.7 else "none",
            "card": f"26100001{number // 2:02}",
            "sku": random.choice("STU"),
            "title": random.choice("XYZ"),
            "at": "2026-12-05T00:00:00" if sound else f"2026-0{random.randrange(1, 9)}-01T00:00:00",
        }
        for number in range(size)
        if random.random() < 0.8
    ]


def orders(random: Random, size: int, *, sound: bool) -> list[dict[str, Any]]:
    return [
        {
            "no": f"O{number}",
            "total": "3" if sound else random.choice(["1.50", "2", "much"]),
            "buyer": f"P{random.randrange(size)}",
            "card": f"26100001{random.randrange(size) // 2:02}",
            "sku": random.choice("STU"),
            "title": random.choice("XYZ"),
        }
        for number in range(size)
        if random.random() < 0.8
    ]


def content(store: Store) -> dict[str, Any]:
    engine = create_engine(store.engine.url)
    with engine.connect() as connection:
        found: dict[str, Any] = {
            name: sorted(map(tuple, connection.execute(text(sql))), key=repr) for name, sql in QUERIES.items()
        }
        customers: dict[str, set[str]] = {}
        for party, customer in connection.execute(text("SELECT party_id, customer_id FROM membership")):
            customers.setdefault(customer, set()).add(party)
    engine.dispose()
    return {**found, "customers": sorted(map(sorted, customers.values()))}


class World:
    """A shop that changes by chance, and the store that follows it."""

    def __init__(self, folder: Path, ontology: Ontology, random: Random) -> None:
        self.ontology, self.random = ontology, random
        self.size = random.randrange(3, 9)
        self.shop = Shop(folder / "shop", configuration(random))
        self.stores = (
            Store.open(sqlite_store(folder / f"{n}.sqlite"), ontology, b"the same") for n in count()
        )
        self.store = next(self.stores)
        self.change()

    def change(self, *, sound: bool = False) -> None:
        self.shop.jsonl("people.jsonl", people(self.random, self.size, sound=sound))
        self.shop.jsonl("orders.jsonl", orders(self.random, self.size, sound=sound))

    def configure(self, **given_: str) -> None:
        self.shop.configure(configuration(self.random, **given_))

    def sync(self) -> None:
        syncer = self.shop.syncer(self.store, self.ontology, self.random.choice([1, 2, 1000]))
        if self.random.random() < 0.2:
            syncer.replay("shop")
        report = syncer.sync("shop")
        assert report.state in ("ok", "suspect")
        assert report.total.reconciles

    def step(self) -> None:
        what = self.random.choice(["data", "mapping", "both"])
        if what != "mapping":
            self.change()
        if what != "data":
            self.configure()
        self.sync()


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 4), in_two=st.booleans())
def test_the_graph_follows_from_the_last_state_alone(
    tmp_path_factory: pytest.TempPathFactory, ontology: Ontology, seed: int, steps: int, in_two: bool
) -> None:
    folder = tmp_path_factory.mktemp("history")
    world = World(folder, ontology, Random(seed))
    for _ in range(steps):
        world.step()
    world.configure(**SOUND)
    if in_two:
        world.sync()
    world.change(sound=True)
    world.sync()
    followed = content(world.store)
    world.store.close()
    world.store = next(world.stores)
    world.sync()
    alone = content(world.store)
    world.store.close()
    shutil.rmtree(folder)
    for name in alone:
        assert followed[name] == alone[name], name
