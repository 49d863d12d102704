"""Webhooks in: signed deliveries are kept before they are answered, and runs take them in while the API serves.

A sender learns nothing but whether its delivery is kept. Which sources there are is told to nobody: an unknown one and
a wrong signature read the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Set
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from urllib.parse import quote

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from hub.adapters.connectors import WebhookConfig, WebhookRead
from hub.adapters.connectors.webhook import deliveries
from hub.adapters.frozen import frozen_sources
from hub.adapters.signatures import Request as Signed
from hub.api.http import JSON, Reply
from hub.errors import AuthenticationError, ConfigurationError, HubError, LimitError, StoreUnavailableError
from hub.schema import GraphQLService
from hub.services import Services

HOOKS_PATH = "/hooks"
LOOK_S = 30.0
"""How often it is looked whether something waits of which nobody here was told: another process took it, say."""
PAUSE_S = 5.0
"""Between two runs of a source: what comes meanwhile is taken in together."""
LONGEST_PAUSE_S = 300.0
"""Between two runs of a source that go wrong."""
RETRY_AFTER_S = 60
_BUSIEST = 64
"""Deliveries that may be on their way into the inbox at once."""

_log = logging.getLogger(__name__)


class Hooks:
    """The door for deliveries, and what has runs take them in."""

    def __init__(self, services: Services, service: GraphQLService) -> None:
        self._services, self._service = services, service
        self._configs: Mapping[str, WebhookConfig] = {
            name: config.connector
            for name, config in services.sources.configs.items()
            if isinstance(config.connector, WebhookConfig)
        }
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room = asyncio.Semaphore(_BUSIEST)

    @property
    def paths(self) -> list[str]:
        """Where deliveries come, a path a source."""
        return [hook_path(name) for name in self._configs]

    def route(self) -> Route:
        """The route of all of them."""
        return Route(f"{HOOKS_PATH}/{{source}}", self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Reply:
        """Keep a delivery."""
        try:
            state = await self._received(request)
        except AuthenticationError as error:
            await self._service.refuse(error)
            return _answer(401, error=error.code, message=str(error))
        except LimitError as error:
            return _answer(413, error=error.code, message=str(error))
        except (StoreUnavailableError, ConfigurationError) as error:
            _log.error("a webhook could not be taken: %s", error)
            return _answer(503, error="UNAVAILABLE", message="try again later")
        return _answer(202, state=state)

    async def _received(self, request: Request) -> str:
        source = request.path_params["source"]
        config = self._configs.get(source)
        if config is None:
            raise AuthenticationError("there is no such webhook, or its signature does not fit")
        body = await _body(request, config.max_kb)
        url = f"{self._services.settings.public_url or str(request.base_url).rstrip('/')}{request.url.path}"
        if request.url.query:
            url = f"{url}?{request.url.query}"
        signed = Signed(request.method, url, dict(request.headers), body)
        async with self._room:
            return await asyncio.to_thread(self._keep, source, config, signed)

    def _keep(self, source: str, config: WebhookConfig, request: Signed) -> str:
        now = datetime.now(UTC)
        sources = self._services.sources
        proven = config.proven(sources.context(source), request, now)
        streams = sources.config(source).streams
        reads = {name: each.read for name, each in streams.items() if isinstance(each.read, WebhookRead)}
        meant = list(deliveries(reads, request, proven, now))
        if not meant:
            return "ignored"
        kept = self._services.inbox.put(source, meant, config.max_waiting, now)
        if kept and self._loop is not None:
            self._loop.call_soon_threadsafe(self._arrived.set)
        return "accepted" if kept else "duplicate"

    # runs

    @asynccontextmanager
    async def taking_in(self) -> AsyncIterator[None]:
        """Has runs take in what comes, while inside."""
        if not self._configs:
            yield
            return
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._take_in())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _take_in(self) -> None:
        """Begin runs of what waits; one that goes on is none of a later look's business."""
        async with asyncio.TaskGroup() as group:
            under_way: dict[str, asyncio.Task[None]] = {}
            while True:
                self._arrived.clear()
                for name in await self._waiting():
                    if name not in under_way or under_way[name].done():
                        under_way[name] = group.create_task(self._runs(name))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), LOOK_S)

    async def _waiting(self) -> list[str]:
        """The sources of which something waits, but for those that are left alone."""
        try:
            waiting, frozen = await asyncio.to_thread(self._look)
        except StoreUnavailableError as error:
            _log.error("it cannot be seen what webhooks have brought: %s", error)
            return []
        return sorted(self._configs.keys() & waiting - frozen)

    def _look(self) -> tuple[Set[str], Set[str]]:
        waiting = self._services.inbox.sources_waiting()
        with self._services.store.read() as connection:
            return waiting, frozen_sources(connection).keys()

    async def _runs(self, source: str) -> None:
        """Read the source until nothing of it waits."""
        pause = PAUSE_S
        while source in await self._waiting():
            went_well = await self._run(source)
            pause = PAUSE_S if went_well else min(pause * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _run(self, source: str) -> bool:
        """Whether a run of the source came to its end."""
        try:
            running = asyncio.wrap_future(self._services.jobs.sync(source).report)
            report = await asyncio.shield(
                running
            )  # when the API ends, the run ends by itself, between two batches
        except HubError as error:  # another process is at it, it is frozen, or it was broken off
            _log.warning("what webhooks have brought waits: %s", error)
            return False
        level = logging.INFO if report.state == "ok" else logging.WARNING
        doubts = "".join(f"; {doubt}" for doubt in report.doubts)
        _log.log(
            level, "%s: run %d %s: %d read%s", source, report.run_id, report.state, report.total.read, doubts
        )
        return report.state != "failed"


def hook_path(source: str) -> str:
    """The path at which the source's deliveries come."""
    return f"{HOOKS_PATH}/{quote(source, safe='')}"


async def _body(request: Request, max_kb: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_kb << 10:
                raise LimitError(f"the delivery is larger than max_kb of its source, {max_kb}")
    except ClientDisconnect:
        raise LimitError("the delivery broke off") from None
    return bytes(body)


def _answer(status: int, **content: str) -> Reply:
    headers = {"retry-after": str(RETRY_AFTER_S)} if status == 503 else {}
    return Reply(orjson.dumps(content), status, JSON, headers)
