"""A read ends when its time is up or nobody waits for it, and nothing that comes after it is hit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hub.errors import LimitError, StoreUnavailableError
from hub.ontology import load_ontology
from hub.store import Cancellation, Store
from hub.store.dialect import _cancel

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}
LONG_S = 600.0


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    store = Store.open(store_url, load_ontology())
    yield store
    store.close()


def run(store: Store, cancellation: Cancellation) -> None:
    with store.read(cancellation) as connection:
        connection.exec_driver_sql(ENDLESS[store.dialect.name]).fetchall()


def cancel_when_running(store: Store, cancellation: Cancellation) -> threading.Thread:
    def cancel() -> None:
        # Until the statement is under way there is nothing to interrupt; what is told early is seen late.
        time.sleep(0.3)
        cancellation.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    return thread


def test_a_statement_that_is_under_way_ends_when_it_is_cancelled(store: Store) -> None:
    cancellation = Cancellation(LONG_S)
    thread = cancel_when_running(store, cancellation)
    with pytest.raises(LimitError, match=r"The limit timeout is 600 seconds"):
        run(store, cancellation)
    thread.join()


def test_nothing_is_read_for_what_was_cancelled_before(store: Store) -> None:
    cancellation = Cancellation(LONG_S)
    cancellation.cancel()
    with pytest.raises(LimitError, match="timeout"):
        run(store, cancellation)


def test_a_read_after_a_cancelled_one_is_not_hit(store: Store) -> None:
    for _ in range(3):
        cancellation = Cancellation(LONG_S)
        thread = cancel_when_running(store, cancellation)
        with pytest.raises(LimitError):
            run(store, cancellation)
        thread.join()
        with store.read(Cancellation(LONG_S)) as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_a_read_that_is_over_is_not_cancelled_any_more(store: Store) -> None:
    """A connection of the pool belongs to another request as soon as it is given back."""
    first, second = Cancellation(LONG_S), Cancellation(LONG_S)
    with store.read(first) as connection:
        connection.exec_driver_sql("SELECT 1")
    slow = {
        "sqlite": ENDLESS["sqlite"].replace("FROM n)", "FROM n WHERE i < 3000000)"),
        "postgresql": "SELECT pg_sleep(1), 7",
    }
    with store.read(second) as connection:
        thread = cancel_when_running(store, first)
        assert connection.exec_driver_sql(slow[store.dialect.name]).fetchone()
        thread.join()


def test_a_read_of_sqlite_ends_at_its_time_without_another_thread(tmp_path: object) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/hub.sqlite", load_ontology())
    before = threading.active_count()
    with pytest.raises(LimitError, match=r"The limit timeout is 0\.1 seconds"):
        run(store, Cancellation(0.1))
    assert threading.active_count() == before
    counting = ENDLESS["sqlite"].replace("FROM n)", "FROM n WHERE i < 200000)")
    with store.read() as connection:  # and the connection has forgotten it
        assert connection.exec_driver_sql(counting).scalar_one() == 200_000
    store.close()


def test_an_interruption_from_elsewhere_is_no_limit(store: Store) -> None:
    def interrupted() -> None:
        with store.read(Cancellation(LONG_S)) as connection:
            driver: Any = connection.connection.dbapi_connection
            end = driver.interrupt if store.dialect.name == "sqlite" else driver.cancel_safe
            threading.Timer(0.3, end).start()
            connection.exec_driver_sql(ENDLESS[store.dialect.name]).fetchall()

    with pytest.raises(StoreUnavailableError):
        interrupted()


def test_time_runs_out_by_the_clock() -> None:
    now = [0.0]
    cancellation = Cancellation(5, lambda: now[0])
    assert (cancellation.left_s, cancellation.is_over) == (5, False)
    cancellation.check()
    now[0] = 6
    assert (cancellation.left_s, cancellation.is_over) == (0, True)
    with pytest.raises(LimitError):
        cancellation.check()


def test_who_is_interrupted_too_early_is_interrupted_again() -> None:
    cancellation, twice = Cancellation(LONG_S), threading.Semaphore(0)
    with cancellation.interrupting(twice.release):
        cancellation.cancel()
        assert twice.acquire(timeout=30)
        assert twice.acquire(timeout=30)


def test_a_server_that_cannot_be_told_is_told_again() -> None:
    class Driver:
        told = 0

        def cancel_safe(self, timeout: float) -> None:
            self.told += 1
            raise psycopg.OperationalError("cannot be reached")

    driver, again = Driver(), threading.Event()
    cancellation = Cancellation(LONG_S)

    def interrupt() -> None:
        _cancel(driver)
        if driver.told > 1:
            again.set()

    with cancellation.interrupting(interrupt):
        cancellation.cancel()
        assert again.wait(30)
