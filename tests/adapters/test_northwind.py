"""A real ERP database, read by a YAML file alone: Northwind on PostgreSQL, into the hub on each database."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.runs import RunReport
from hub.ontology import load_ontology
from hub.store import Store, unscaled
from tests.databases import sqlite_store

HERE = Path(__file__).parent

ALFKI_TOTALS = ["814.50", "878.00", "330.00", "845.80", "471.20", "933.50"]
"""The six orders of Alfreds Futterkiste: sums of their lines, each rounded to the cent."""


@pytest.fixture
def erp(postgres_database: str, shared: Path) -> Iterator[Engine]:
    engine = create_engine(postgres_database)
    script = (shared / "data" / "erp" / "northwind" / "northwind.sql").read_text(encoding="utf-8")
    with engine.begin() as connection:
        connection.connection.driver_connection.execute(script.encode())  # type: ignore[union-attr]
        connection.exec_driver_sql("SET search_path = public")
    yield engine
    engine.dispose()


@pytest.fixture
def syncer(erp: Engine, postgres_database: str, hub_url: str) -> Iterator[Syncer]:
    ontology = load_ontology()
    configs = load_sources(HERE / "northwind", ontology)
    store = Store.open(hub_url, ontology)
    environ = {"NORTHWIND_URL": postgres_database}
    yield Syncer(store, Sources(configs, ontology, environ, HERE))
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def hub_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_store(tmp_path / "hub.sqlite")
    url: str = request.getfixturevalue("postgres_store_url")
    return url


def counts(report: RunReport) -> dict[str, tuple[int, int, int, int]]:
    return {n: (c.read, c.unchanged, c.accepted, c.deleted) for n, c in report.streams.items()}


def count(syncer: Syncer, table: str) -> int:
    with syncer.store.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def order_totals(syncer: Syncer, customer_number: str) -> list[Decimal]:
    sql = text(
        "SELECT o.total FROM identifier i JOIN membership m ON m.party_id = i.entity_id"
        " JOIN membership all_m ON all_m.customer_id = m.customer_id JOIN e_order o ON o.party_id = all_m.party_id"
        " WHERE i.scheme = 'customer_number' AND i.value = :number ORDER BY o.order_number"
    )
    with syncer.store.read() as connection:
        totals = connection.execute(sql, {"number": customer_number}).scalars().all()
    return [unscaled(t, 4) if syncer.store.dialect.name == "sqlite" else t for t in totals]


def test_the_first_sync_brings_every_row(syncer: Syncer) -> None:
    report = syncer.sync("northwind")
    assert (report.state, report.doubts) == ("ok", ())
    assert counts(report) == {
        "suppliers": (29, 0, 29, 0),
        "products": (77, 0, 77, 0),
        "customers": (91, 0, 91, 0),
        "orders": (830, 0, 830, 0),
        "order_details": (2155, 0, 2155, 0),
    }
    tables = {"customer": 91, "e_organization": 91, "e_product": 77, "e_order": 830, "e_order_line": 2155}
    assert {table: count(syncer, table) for table in tables} == tables
    assert order_totals(syncer, "ALFKI") == [Decimal(total) for total in ALFKI_TOTALS]


def test_a_second_sync_finds_all_unchanged_and_writes_nothing(syncer: Syncer) -> None:
    syncer.sync("northwind")
    changes, versions = syncer.store.last_change(), count(syncer, "record")
    report = syncer.sync("northwind")
    assert report.total.unchanged == report.total.read == 3182
    assert (syncer.store.last_change(), count(syncer, "record")) == (changes, versions)


def test_an_update_an_insert_and_a_delete_at_the_source_are_exactly_what_the_next_sync_shows(
    syncer: Syncer, erp: Engine
) -> None:
    syncer.sync("northwind")
    before = syncer.store.last_change()
    with erp.begin() as connection:
        connection.execute(text("UPDATE customers SET city = 'Hamburg' WHERE customer_id = 'ALFKI'"))
        connection.execute(
            text(
                "INSERT INTO orders (order_id, customer_id, order_date) VALUES (11078, 'ALFKI', '1998-05-07')"
            )
        )
        connection.execute(text("DELETE FROM customers WHERE customer_id = 'PARIS'"))
    report = syncer.sync("northwind")
    assert counts(report) == {
        "suppliers": (29, 29, 0, 0),
        "products": (77, 77, 0, 0),
        "customers": (90, 89, 1, 1),
        "orders": (831, 830, 1, 0),
        "order_details": (2155, 2155, 0, 0),
    }
    changes = sorted((c.type, c.kind) for c in syncer.store.changes(before, 100))
    assert changes == [
        ("Customer", "delete"),
        ("Customer", "upsert"),
        ("Order", "upsert"),
        ("Organization", "delete"),
        ("Organization", "upsert"),
    ]
    assert count(syncer, "customer") == 90
