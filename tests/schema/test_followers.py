"""Followers look for all who listen at once, keep little, and let go of who is too far behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import LimitError, QueryError, StoreUnavailableError
from hub.graph.feed import CustomerChange
from hub.ontology import load_ontology
from hub.schema import followers
from hub.schema.followers import ChangeFollower, EndedError
from hub.store import Store, fixed
from tests.databases import sqlite_store

FAST_S = 0.01


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(sqlite_store(tmp_path / "hub.sqlite"), load_ontology())
    yield store
    store.close()


def write(store: Store, *customers: str) -> None:
    rows = [{"type": "Customer", "entity_id": each, "kind": "upsert", "at": "now"} for each in customers]
    with store.write() as connection:
        connection.execute(fixed.change.insert(), rows)


async def told(follower: ChangeFollower, seq: int, limit: int = 100) -> list[CustomerChange]:
    return list((await asyncio.wait_for(follower.after(seq, limit), 20)).changes)


def names(changes: list[CustomerChange]) -> list[str]:
    return [change.customer for change in changes]


def test_many_listeners_are_told_by_one_look(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    changes = store.last_change

    def counted() -> int:
        looks.append(1)
        return changes()

    async def scenario() -> None:
        follower = ChangeFollower(store, FAST_S)
        async with follower.listening(), follower.listening():
            waiting = [asyncio.create_task(told(follower, 0)) for _ in range(50)]
            await asyncio.sleep(0.1)
            monkeypatch.setattr(store, "last_change", counted)
            write(store, "a", "b")
            assert [names(each) for each in await asyncio.gather(*waiting)] == [["a", "b"]] * 50
            assert len(looks) < 25

    asyncio.run(scenario())


def test_who_is_behind_what_is_kept_reads_on_from_the_database(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "KEPT", 3)

    async def scenario() -> None:
        follower = ChangeFollower(store, FAST_S)
        async with follower.listening():
            await asyncio.sleep(0.1)
            for number in range(5):
                write(store, f"{number}-a", f"{number}-b")
                assert names(await told(follower, 2 * number)) == [f"{number}-a", f"{number}-b"]
            assert len(follower._kept) <= 6
            seen: list[str] = []
            seq = 0
            while len(seen) < 10:
                page = await follower.after(seq, 3)
                seen += names(list(page.changes))
                seq = page.reached
            assert seen == [f"{number}-{letter}" for number in range(5) for letter in "ab"]

    asyncio.run(scenario())


def test_who_is_too_far_behind_is_told_what_to_do_at_the_beginning_and_later(store: Store) -> None:
    async def scenario() -> None:
        follower = ChangeFollower(store, FAST_S, max_behind=3)
        write(store, "a", "b", "c")
        assert follower.position(0) == 0
        assert follower.position(None) == 3
        async with follower.listening():
            assert names(await told(follower, 0)) == ["a", "b", "c"]
            write(store, "d")
            assert names(await told(follower, 3)) == ["d"]
            with pytest.raises(LimitError, match="max_behind is 3"):
                await told(follower, 0)
            with pytest.raises(LimitError, match="max_behind is 3"):
                follower.position(0)

    asyncio.run(scenario())


@pytest.mark.parametrize("after", [-1, 4])
def test_what_is_no_entry_of_the_feed_is_no_place_to_begin(store: Store, after: int) -> None:
    write(store, "a", "b", "c")
    with pytest.raises(QueryError, match="no entry"):
        ChangeFollower(store).position(after)


def test_a_failing_look_is_taken_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    last_change = store.last_change
    failures = [StoreUnavailableError("away"), KeyError("ann@" + "example.com")]

    def failing() -> int:
        if failures:
            raise failures.pop()
        return last_change()

    async def scenario() -> None:
        monkeypatch.setattr(followers, "_FAILED_S", FAST_S)
        follower = ChangeFollower(store, FAST_S)
        monkeypatch.setattr(store, "last_change", failing)
        async with follower.listening():
            write(store, "a")
            assert names(await told(follower, 0)) == ["a"]
        assert "following failed: away" in caplog.text
        assert "KeyError" in caplog.text
        assert "ann@example.com" not in caplog.text

    asyncio.run(scenario())


def test_nobody_looks_when_nobody_listens(store: Store) -> None:
    async def scenario() -> None:
        follower = ChangeFollower(store, FAST_S)
        async with follower.listening():
            write(store, "a")
            assert names(await told(follower, 0)) == ["a"]
        assert follower._task is None
        write(store, "b")
        async with follower.listening():
            assert names(await told(follower, 1)) == ["b"]

    asyncio.run(scenario())


def test_a_closed_follower_lets_go_of_all_and_takes_nobody(store: Store) -> None:
    async def scenario() -> None:
        follower = ChangeFollower(store, FAST_S)
        async with follower.listening():
            waiting = asyncio.create_task(told(follower, 0))
            await asyncio.sleep(0.05)
            follower.close()
            with pytest.raises(EndedError):
                await waiting
        with pytest.raises(EndedError):
            async with follower.listening():
                pass

    asyncio.run(scenario())
