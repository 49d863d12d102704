"""Serves the API until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from hub.api.app import create_app
from hub.api.console import NO_EXAMPLES, Examples
from hub.api.http import MAX_BODY
from hub.errors import ConfigurationError
from hub.services import Services, open_services
from hub.settings import Settings
from hub.yamlfile import Fault

GRACE_S = 10
"""Seconds that requests under way have to end after Ctrl-C."""


def serve(
    settings: Settings,
    started: Callable[[str], None] = lambda _address: None,
    examples: Examples = NO_EXAMPLES,
) -> None:
    """Serve until Ctrl-C or SIGTERM; `started` is told the address when requests are taken.

    The query page, where it is served, offers the examples.

    Raises:
        ConfigurationError: the configuration has faults, or the demo's tokens would be taken on an open address.
        StoreUnavailableError: the store cannot be reached.
    """
    check_demo_address(settings)
    with open_services(settings) as services:
        app = create_app(services, examples)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,  # its lines hold query strings
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=32 * 1024,
            ws="websockets-sansio",
            ws_max_size=MAX_BODY,
            ws_per_message_deflate=False,  # some 40 KB a socket, and a small message may unpack to a large one
        )
        # Schema and plans live as long as the process; to look through them for garbage again and again takes time.
        gc.collect()
        gc.freeze()
        with _until_signalled(), _looking_again_at_hangup(services):
            _Server(config, started, app.state.end_streams).run()


@contextmanager
def _until_signalled() -> Iterator[None]:
    """SIGTERM ends what is inside as Ctrl-C does.

    uvicorn raises the signal again when the last request has ended; it must not kill before the services are closed.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _looking_again_at_hangup(services: Services) -> Iterator[None]:
    """SIGHUP has the policy's file read again, where no terminal is: there it says that its window was closed."""
    if sys.stdin is not None and sys.stdin.isatty():
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: services.policy.look_again())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def check_demo_address(settings: Settings) -> None:
    """See to it that demo tokens, which anyone on this machine can make, are taken from this machine only.

    Raises:
        ConfigurationError: the address is open to others.
    """
    if settings.demo and not _is_loopback(settings.host):
        raise ConfigurationError(
            [
                Fault(
                    "environment",
                    1,
                    1,
                    "HUB_HOST",
                    "is open to others, and HUB_DEMO takes demo tokens",
                    "127.0.0.1",
                )
            ]
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    """Tells its address once it listens: with port 0 nobody knows it before. Ends streams before it stops."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[str], None], ending: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._tell, self._end_streams = started, ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        for server in self.servers if self.started else ():
            host, port = server.sockets[0].getsockname()[:2]
            self._tell(f"http://{f'[{host}]' if ':' in host else host}:{port}")
            return

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would never end by itself, then the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await self._end_streams()
        await super().shutdown(sockets)
