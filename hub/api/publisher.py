"""What goes on while the API runs: writes are told, the log gets checkpoints, policy and broken glass are followed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

from hub.commands import expire_glasses, tell_of_glasses
from hub.errors import HubError
from hub.services import Services

INTERVAL_S = 0.25
POLICY_INTERVAL_S = 0.5
"""A changed policy is in force after two looks at its file: see `hub.access.PolicyInForce.changed`."""
GLASS_INTERVAL_S = 1.0
_LONGEST_WAIT_S = 30.0
_FOLLOWING = "following the policy"

_log = logging.getLogger(__name__)


@asynccontextmanager
async def publishing(services: Services, interval_s: float = INTERVAL_S) -> AsyncIterator[None]:
    """Publishes in the background while inside, and once more at the end.

    Events and changes go separately: a first build of the search index must not hold up the audit log.
    """
    async with _repeating("publishing", (services.publish_events, services.publish_changes), interval_s):
        yield


@asynccontextmanager
async def checkpointing(services: Services) -> AsyncIterator[None]:
    """Publishes checkpoints of the audit log as often as the settings say, and once more at the end."""
    interval_s = services.settings.audit_checkpoint_s
    steps = (services.publish_checkpoint,) if services.checkpoints is not None and interval_s else ()
    async with _repeating("publishing a checkpoint of the audit log", steps, interval_s):
        yield


@asynccontextmanager
async def checking_index(services: Services) -> AsyncIterator[None]:
    """Compares the search index with the store as often as the settings say, while inside."""
    stop = asyncio.Event()
    task = asyncio.create_task(_check_until(stop, services))
    try:
        yield
    finally:
        stop.set()
        await task


async def _check_until(stop: asyncio.Event, services: Services) -> None:
    """A check may take minutes: unlike other steps it is not done once more at the end."""
    while interval_s := services.settings.search_check_s:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
        if stop.is_set():
            return
        await _went_well("checking the search index", services.check_index)


@asynccontextmanager
async def following_policy(services: Services, interval_s: float = POLICY_INTERVAL_S) -> AsyncIterator[None]:
    """Has on record which policy is in force, and takes its file into force whenever it changes, while inside."""
    await _went_well(_FOLLOWING, services.follow_policy)
    async with _repeating(_FOLLOWING, (services.follow_policy,), interval_s):
        yield


@asynccontextmanager
async def watching_glasses(services: Services, interval_s: float = GLASS_INTERVAL_S) -> AsyncIterator[None]:
    """Ends broken glasses whose time has run out, and tells of new ones, while inside."""
    steps = (partial(expire_glasses, services), partial(tell_of_glasses, services))
    async with _repeating("watching broken glasses", steps, interval_s):
        yield


@asynccontextmanager
async def _repeating(
    doing: str, steps: Iterable[Callable[[], object]], interval_s: float
) -> AsyncIterator[None]:
    """Does each of the steps again and again in threads, and once more at the end."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_repeat_until(stop, doing, step, interval_s)) for step in steps]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _repeat_until(
    stop: asyncio.Event, doing: str, step: Callable[[], object], interval_s: float
) -> None:
    wait = interval_s
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
        wait = interval_s if await _went_well(doing, step) else min(wait * 2, _LONGEST_WAIT_S)


async def _went_well(doing: str, step: Callable[[], object]) -> bool:
    """Whether it went well; if not, what waits stays where it is until the next time."""
    try:
        await asyncio.to_thread(step)
    except HubError as error:
        _log.error("%s failed: %s", doing, error)
        return False
    except Exception as error:  # noqa: BLE001 - the next attempt may go well; a foreign message may quote values
        _log.error("%s failed: %s", doing, type(error).__name__)
        return False
    return True
