"""Single statements through the driver itself: their plans are kept, lost connections are replaced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from hub.errors import StoreError, StoreUnavailableError
from hub.ontology import load_ontology
from hub.store import Store

BACKENDS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store.open(store_url, load_ontology())
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres_store_url: str) -> Iterator[Store]:
    opened = Store.open(postgres_store_url, load_ontology())
    yield opened
    opened.close()


def named(store: Store, name: str) -> str:
    return store.dialect.param(name) + ("::text" if store.dialect.name == "postgresql" else "")


def test_parameters_are_named_and_may_occur_twice(store: Store) -> None:
    a, b = named(store, "a"), named(store, "b")
    with store.asking() as ask:
        assert ask(f"SELECT {b}, {a}, {b}", {"a": "one", "b": "two"}) == ("two", "one", "two")


def test_a_statement_without_rows_gives_none(store: Store) -> None:
    with store.asking() as ask:
        assert ask("SELECT 1 WHERE 1 = 0", {}) is None


def test_each_statement_sees_what_was_written_before_it(store: Store) -> None:
    with store.asking() as ask:
        for number in range(3):
            assert ask("SELECT count(*) FROM meta WHERE key LIKE 'test-_'", {}) == (number,)
            with store.write() as connection:
                connection.execute(text("INSERT INTO meta VALUES (:key, '')"), {"key": f"test-{number}"})


def test_a_refused_statement_is_told_of_without_its_values(store: Store) -> None:
    with pytest.raises(StoreError) as caught, store.asking() as ask:
        ask(f"SELECT {named(store, 'a')} FROM nowhere", {"a": "hidden"})
    assert "hidden" not in str(caught.value)


def test_postgresql_plans_a_statement_once(postgres_store: Store) -> None:
    statement = "SELECT count(*) FROM membership WHERE party_id = %(id)s::text"
    with postgres_store.asking() as ask:
        for number in range(4):
            ask(statement, {"id": str(number)})
        kept = ask("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%membership%%'", {})
    assert kept == (1,)


def test_a_connection_that_the_server_ended_is_replaced(
    postgres_store: Store, postgres_store_url: str
) -> None:
    with postgres_store.asking() as ask:
        ask("SELECT 1", {})
        _end_all(postgres_store_url)
        assert ask("SELECT 2", {}) == (2,)


def test_a_server_that_lets_nobody_in_is_unavailable(postgres_store: Store, postgres_store_url: str) -> None:
    admin = create_engine(postgres_store_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} CONNECTION LIMIT 0"))
        connection.execute(text(f"CREATE ROLE guest_of_{name} LOGIN"))
    admin.dispose()
    guest = Store(create_engine(admin.url.set(username=f"guest_of_{name}")), load_ontology())
    with pytest.raises(StoreUnavailableError), guest.asking() as ask:
        ask("SELECT 1", {})
    guest.close()


def _end_all(url: str) -> None:
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        ended = connection.execute(text(f"SELECT count(pg_terminate_backend(pid)) {BACKENDS}")).scalar_one()
    admin.dispose()
    assert ended
