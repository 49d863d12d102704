"""Events of refused logins: one each for a few, a count for a flood, and no refusal that none of them tells of."""

from __future__ import annotations

import asyncio

import pytest

from hub.schema import refusals
from hub.schema.refusals import A_MINUTE, Refusals, Refused

ANYBODY = Refused("UNAUTHENTICATED")
SOMEBODY = Refused("FORBIDDEN", "u-1", "desk")


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.later: list[tuple[Refused, int]] = []
        self.refusals = Refusals(lambda kind, count: self.later.append((kind, count)), lambda: self.now)

    async def refuse(self, times: int, kind: Refused = ANYBODY) -> list[int]:
        """For how many refusals each of the events stands that are written at once."""
        told = [self.refusals.to_be_told(kind) for _ in range(times)]
        return [count for count in told if count]


@pytest.fixture
def world() -> World:
    return World()


def test_a_few_have_an_event_each(world: World) -> None:
    assert asyncio.run(world.refuse(A_MINUTE)) == [1] * A_MINUTE


def test_a_flood_has_no_more_events_than_a_few_and_all_are_told(world: World) -> None:
    async def flood() -> None:
        assert await world.refuse(10_000) == [1] * A_MINUTE
        world.refusals.tell_all()

    asyncio.run(flood())
    assert world.later == [(ANYBODY, 10_000 - A_MINUTE)]


def test_the_next_event_tells_of_those_before_it(world: World) -> None:
    async def flood() -> None:
        await world.refuse(A_MINUTE + 7)
        world.now += 60 / A_MINUTE
        assert await world.refuse(3) == [8]
        world.refusals.tell_all()

    asyncio.run(flood())
    assert world.later == [(ANYBODY, 2)]


def test_kinds_are_counted_apart(world: World) -> None:
    async def flood() -> None:
        await world.refuse(A_MINUTE + 5)
        assert await world.refuse(A_MINUTE + 1, SOMEBODY) == [1] * A_MINUTE
        world.refusals.tell_all()

    asyncio.run(flood())
    assert world.later == [(ANYBODY, 5), (SOMEBODY, 1)]


def test_a_flood_that_has_ended_is_told_without_another_refusal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "TOLD_WITHIN_S", 0.0)

    async def flood() -> None:
        await world.refuse(A_MINUTE + 5)
        while not world.later:
            await asyncio.sleep(0)
        await world.refuse(4)
        while len(world.later) < 2:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(flood(), 20))
    assert world.later == [(ANYBODY, 5), (ANYBODY, 4)]


def test_nothing_is_told_where_nothing_is_left(world: World) -> None:
    asyncio.run(world.refuse(A_MINUTE))
    world.refusals.tell_all()
    assert world.later == []
