"""What callers of the store get when the database cannot serve: a clear message, without values."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from hub.errors import StoreError, StoreUnavailableError
from hub.ontology import Ontology, load_ontology
from hub.store import Store, fixed


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def store(store_url: str, ontology: Ontology) -> Iterator[Store]:
    opened = Store.open(store_url, ontology)
    yield opened
    opened.close()


def write(store: Store, key: str, value: str) -> None:
    with store.write() as connection:
        store.dialect.insert(connection, fixed.meta, ("key", "value"), [(key, value)])


def write_twice(store: Store, between: Callable[[], None]) -> None:
    with store.write() as connection:
        store.dialect.insert(connection, fixed.meta, ("key", "value"), [("k", "v")])
        between()
        store.dialect.insert(connection, fixed.meta, ("key", "value"), [("l", "v")])


def terminate_others(url: str) -> None:
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    admin.dispose()


def test_a_refused_statement_names_no_value(store: Store) -> None:
    write(store, "anna@example.com", "x")
    with pytest.raises(StoreError, match="refused a statement") as caught:
        write(store, "anna@example.com", "y")
    assert "anna" not in str(caught.value)
    assert "anna" not in "".join(traceback.format_exception_only(caught.value))
    # What the driver said, which may quote values, is no part of the traceback that a log would show.
    assert caught.value.__suppress_context__


def test_a_full_disk_is_named(tmp_path: Path, ontology: Ontology) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", ontology)
    store.engine.dispose()
    event.listen(
        store.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1")
    )
    with pytest.raises(StoreUnavailableError, match="its disk is full"):
        write(store, "k", "x" * 10_000_000)
    store.close()


def test_a_writer_that_holds_the_database_is_named(tmp_path: Path, ontology: Ontology) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", ontology)
    store.engine.dispose()
    event.listen(
        store.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 50")
    )
    other = sqlite3.connect(tmp_path / "hub.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="another writer held it"):
        write(store, "k", "v")
    other.execute("ROLLBACK")
    write(store, "k", "v")
    other.close()
    store.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path, ontology: Ontology) -> None:
    (tmp_path / "hub.sqlite").write_text("These are notes, and no database. " * 100)
    with pytest.raises(StoreUnavailableError, match="no SQLite database"):
        Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", ontology)


def test_a_lost_connection_undoes_its_transaction_and_is_named(
    postgres_database: str, ontology: Ontology
) -> None:
    store = Store.open(postgres_database, ontology)
    with pytest.raises(StoreUnavailableError, match="ended the connection"):
        write_twice(store, lambda: terminate_others(postgres_database))
    write(store, "k", "v")
    store.close()


def test_a_lock_whose_connection_was_lost_is_free_again(postgres_database: str, ontology: Ontology) -> None:
    store = Store.open(postgres_database, ontology)
    with store.lock("source-shop") as held:
        assert held
        terminate_others(postgres_database)
    with store.lock("source-shop") as held:
        assert held
    store.close()
