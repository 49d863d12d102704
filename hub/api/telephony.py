"""What goes on for telephones while the API runs: the FastAGI server, and listeners to Asterisks."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from hub.api.agi import FastAgi
from hub.api.ami import AmiListener
from hub.api.machines import Machines
from hub.services import Services

_log = logging.getLogger(__name__)


@asynccontextmanager
async def telephony(services: Services, machines: Machines) -> AsyncIterator[None]:
    """Serves and listens while inside, as far as the settings say so."""
    settings = services.settings
    async with AsyncExitStack() as opened:
        if settings.agi_port is not None:
            serving = FastAgi(services, machines).serving(settings.agi_host, settings.agi_port)
            _log.info("FastAGI at port %d", await opened.enter_async_context(serving))
        for ami in settings.ami:
            await opened.enter_async_context(AmiListener(services, machines, ami).listening())
        yield
