"""Single statements asked on the event loop: the same answers, and whatever goes wrong is left to the threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from hub.errors import LimitError
from hub.ontology import load_ontology
from hub.store import Cancellation, ElsewhereError, Store
from hub.store.onloop import CONNECTIONS

WAIT_S = 30.0
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def store(postgres_store_url: str) -> Iterator[Store]:
    opened = Store.open(postgres_store_url, load_ontology())
    yield opened
    opened.close()


def run(store: Store, work: Coroutine[Any, Any, Any]) -> Any:
    async def inside() -> Any:
        async with store.on_loop():
            return await work

    return asyncio.run(inside())


def ask(store: Store, sql: str, seconds: float = WAIT_S, **values: Any) -> Coroutine[Any, Any, Any]:
    return store.first_row(sql, values, Cancellation(seconds))


def running(url: str, like: str) -> int:
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        query = text(f"SELECT count(*) {OTHERS} AND state = 'active' AND query LIKE :like")
        found = int(connection.execute(query, {"like": like}).scalar_one())
    admin.dispose()
    return found


def gone(url: str, like: str) -> bool:
    """Whether the server has ended such statements, within some seconds."""
    until = time.monotonic() + WAIT_S
    while running(url, like) and time.monotonic() < until:
        time.sleep(0.05)
    return not running(url, like)


def test_parameters_are_named_and_may_occur_twice(store: Store) -> None:
    a, b = (f"{store.dialect.param(name)}::text" for name in "ab")
    assert run(store, ask(store, f"SELECT {b}, {a}, {b}, '100 %%'", a="x", b="y")) == ("y", "x", "y", "100 %")


def test_a_statement_without_rows_gives_none(store: Store) -> None:
    assert run(store, ask(store, "SELECT 1 WHERE 1 = 0")) is None


def test_more_questions_than_connections_are_all_answered(store: Store) -> None:
    async def many() -> list[Any]:
        number = f"{store.dialect.param('n')}::bigint"
        asked = (ask(store, f"SELECT {number}, pg_backend_pid() FROM pg_sleep(0.01)", n=n) for n in range(40))
        return await asyncio.gather(*asked)

    rows = run(store, many())
    assert [number for number, _ in rows] == list(range(40))
    assert len({pid for _, pid in rows}) == CONNECTIONS


def test_plans_are_kept_and_nothing_is_compiled(store: Store) -> None:
    async def thrice() -> Any:
        for _ in range(3):
            await ask(store, "SELECT count(*) FROM membership")
        return await ask(
            store,
            "SELECT count(*), current_setting('jit') FROM pg_prepared_statements"
            " WHERE statement LIKE '%%membership%%' AND statement NOT LIKE '%%prepared%%'",
        )

    assert run(store, thrice()) == (1, "off")


def test_nothing_is_asked_outside(store: Store) -> None:
    with pytest.raises(ElsewhereError):
        asyncio.run(ask(store, "SELECT 1"))


def test_a_file_is_not_asked_so(tmp_path: Path) -> None:
    of_a_file = Store.open(f"sqlite:///{tmp_path}/hub.sqlite", load_ontology())
    with pytest.raises(ElsewhereError):
        run(of_a_file, ask(of_a_file, "SELECT 1"))
    of_a_file.close()


def test_another_loop_is_not_served(store: Store) -> None:
    async def from_another() -> Any:
        return await asyncio.to_thread(lambda: asyncio.run(ask(store, "SELECT 1")))

    with pytest.raises(ElsewhereError):
        run(store, from_another())


@pytest.mark.parametrize("sql", ["SELECT 1 FROM nowhere", "SELECT 1 / %(n)s::bigint", "SELECT %(t)s::bigint"])
def test_what_the_database_refuses_is_left_to_a_thread_to_explain(store: Store, sql: str) -> None:
    with pytest.raises(ElsewhereError):
        run(store, ask(store, sql, n=0, t="one"))


def test_after_a_lost_connection_the_next_question_gets_another(
    store: Store, postgres_store_url: str
) -> None:
    async def scenario() -> Any:
        await ask(store, "SELECT 1")
        await asyncio.to_thread(_end_all, postgres_store_url)
        with pytest.raises(ElsewhereError):
            await ask(store, "SELECT 1")
        return await ask(store, "SELECT 2")

    assert run(store, scenario()) == (2,)


def test_the_statement_ends_at_the_server_when_its_time_is_up(store: Store, postgres_store_url: str) -> None:
    async def scenario() -> Any:
        with pytest.raises(LimitError, match="timeout"):
            await ask(store, "SELECT 'slow one' FROM pg_sleep(600)", seconds=0.2)
        return await ask(store, "SELECT 2")

    assert run(store, scenario()) == (2,)
    assert gone(postgres_store_url, "%slow one%")


def test_the_statement_ends_at_the_server_when_its_task_is_cancelled(
    store: Store, postgres_store_url: str
) -> None:
    async def scenario() -> Any:
        task = asyncio.ensure_future(ask(store, "SELECT 'left one' FROM pg_sleep(600)"))
        while not await asyncio.to_thread(running, postgres_store_url, "%left one%"):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ended = await asyncio.to_thread(gone, postgres_store_url, "%left one%")
        return ended, await ask(store, "SELECT 2")

    assert run(store, scenario()) == (True, (2,))


def test_who_waits_for_a_connection_waits_no_longer_than_their_time(store: Store) -> None:
    async def scenario() -> None:
        sleeping = [asyncio.ensure_future(ask(store, "SELECT pg_sleep(600)")) for _ in range(CONNECTIONS)]
        await asyncio.sleep(0.1)
        with pytest.raises(LimitError, match="timeout"):
            await ask(store, "SELECT 1", seconds=0.2)
        for task in sleeping:
            task.cancel()
        await asyncio.wait(sleeping)

    run(store, scenario())


def _end_all(url: str) -> None:
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        assert connection.execute(text(f"SELECT count(pg_terminate_backend(pid)) {OTHERS}")).scalar_one()
    admin.dispose()
