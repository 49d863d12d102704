"""Publishes what committed writes left to be told, also those of other processes, while the API runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from hub.errors import HubError
from hub.services import Services

INTERVAL_S = 0.25
_LONGEST_WAIT_S = 30.0

_log = logging.getLogger(__name__)


@asynccontextmanager
async def publishing(services: Services, interval_s: float = INTERVAL_S) -> AsyncIterator[None]:
    """Publishes in the background while inside, and once more at the end.

    Events and changes go separately: a first build of the search index must not hold up the audit log.
    """
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(_repeat_until(stop, publish, interval_s))
        for publish in (services.publish_events, services.publish_changes)
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _repeat_until(stop: asyncio.Event, publish: Callable[[], int], interval_s: float) -> None:
    wait = interval_s
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
        wait = interval_s if await _went_well(publish) else min(wait * 2, _LONGEST_WAIT_S)


async def _went_well(publish: Callable[[], int]) -> bool:
    """Whether it went well; if not, what waits stays where it is until the next time."""
    try:
        await asyncio.to_thread(publish)
    except HubError as error:
        _log.error("publishing failed: %s", error)
        return False
    except Exception as error:  # noqa: BLE001 - the next attempt may go well; a foreign message may quote values
        _log.error("publishing failed: %s", type(error).__name__)
        return False
    return True
