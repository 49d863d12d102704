"""An answer is waited for until it is there, its time is up, or its client has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.errors import LimitError
from hub.schema.preparing import Preparing
from hub.schema.waiting import GoneError, Waiting


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def never() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    pass


def test_what_is_done_in_time_is_the_result(pool: ThreadPoolExecutor) -> None:
    assert asyncio.run(Waiting(60, never).result(pool, lambda: 7)) == 7


def test_an_error_of_the_work_is_raised(pool: ThreadPoolExecutor) -> None:
    with pytest.raises(KeyError):
        asyncio.run(Waiting(60).result(pool, lambda: {}["a"]))


def test_waiting_for_a_free_thread_counts_and_what_has_not_begun_never_does(pool: ThreadPoolExecutor) -> None:
    free, begun = threading.Event(), []
    pool.submit(free.wait)
    waiting = Waiting(0.05)
    with pytest.raises(LimitError, match=r"The limit timeout is 0\.05 seconds"):
        asyncio.run(waiting.result(pool, lambda: begun.append(1)))
    free.set()
    pool.submit(int).result()
    assert (begun, waiting.cancellation.is_over) == ([], True)


def test_work_on_the_event_loop_is_cancelled_when_the_client_has_gone() -> None:
    ended: list[str] = []

    async def long() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")
        return 0

    async def short() -> int:
        return 7

    async def ask() -> int:
        with pytest.raises(GoneError):
            await Waiting(60, at_once).held(long())
        # Whoever was told goes on: nothing is left of the cancellation.
        await asyncio.sleep(0)
        return await Waiting(60, at_once).held(short())

    assert asyncio.run(ask()) == 7
    assert ended == ["cancelled"]


def test_work_on_the_event_loop_that_others_cancel_stays_cancelled() -> None:
    async def ask() -> None:
        task = asyncio.ensure_future(Waiting(60, never).held(never()))
        await asyncio.sleep(0.1)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask())


def test_a_client_that_has_gone_ends_the_waiting(pool: ThreadPoolExecutor) -> None:
    free = threading.Event()
    waiting = Waiting(60, at_once)
    try:
        with pytest.raises(GoneError):
            asyncio.run(waiting.result(pool, free.wait))
        assert waiting.cancellation.is_over
    finally:
        free.set()


def test_what_changes_something_is_waited_for_once_it_has_begun(pool: ThreadPoolExecutor) -> None:
    begun, free = threading.Event(), threading.Event()
    waiting = Waiting(60)

    def change() -> str:
        begun.set()
        free.wait()
        return "changed"

    async def ask() -> str:
        changing = asyncio.create_task(waiting.finished(pool, change))
        await asyncio.to_thread(begun.wait)
        waiting.cancellation.cancel()
        free.set()
        return await changing

    assert asyncio.run(ask()) == "changed"
    with pytest.raises(LimitError):
        asyncio.run(waiting.finished(pool, change))


def test_new_documents_of_one_caller_do_not_keep_those_of_another_waiting() -> None:
    """The thread takes one of each caller in turn, however many of them one sends."""
    preparing, order = Preparing(60), []
    first = threading.Event()

    async def ask() -> None:
        many = [
            asyncio.create_task(
                preparing.result("a", lambda n=n: order.append(n) or first.wait(), Waiting(60))
            )
            for n in range(50)
        ]
        await asyncio.sleep(0)
        one = asyncio.create_task(preparing.result("b", lambda: order.append("b"), Waiting(60)))
        await asyncio.sleep(0.05)
        first.set()
        await asyncio.gather(one, *many)

    asyncio.run(ask())
    preparing.close()
    assert order.index("b") <= 2
    assert len(order) == 51


def test_waiting_for_ones_turn_counts() -> None:
    preparing, free = Preparing(60), threading.Event()

    async def ask() -> None:
        busy = asyncio.create_task(preparing.result("a", free.wait, Waiting(60)))
        await asyncio.sleep(0)
        with pytest.raises(LimitError, match="timeout"):
            await preparing.result("a", int, Waiting(0.05))
        free.set()
        await busy

    asyncio.run(ask())
    preparing.close()
