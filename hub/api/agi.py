"""FastAGI: Asterisk asks who is calling before it decides where the call goes.

One line of a dialplan is all: `AGI(agi://hub.example.com/lookup,KEY)`. What the caller typed at an IVR is a second
argument, the token of a call that was handed on a third. The hub sets the caller's name and some variables, and hangs
up the line to Asterisk, not the call. Whatever goes wrong, the call goes on: without variables, within the deadline.

There is no well-kept library for it in asyncio (panoramisk's last release is of 2021), and the protocol is lines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

from hub.api.machines import Machine, Machines
from hub.calls import Card, Facts, Status
from hub.calls.cnam import line_for, safe
from hub.commands import card_of
from hub.errors import RequestError
from hub.services import Services

MAX_LINES = 200
MAX_VALUE = 128
"""Characters of a variable: user-to-user information has no more (RFC 7433)."""
MAX_LINE = 4_096
PATIENCE_S = 5.0
"""Seconds that Asterisk may take for a line of its own."""

_log = logging.getLogger(__name__)


class FastAgi:
    """Answers the lookups of Asterisks."""

    def __init__(self, services: Services, machines: Machines) -> None:
        self._services, self._machines = services, machines
        self._deadline_s = services.settings.pop_deadline_ms / 1000

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Listens while inside; gives the port."""
        server = await asyncio.start_server(self.talk, host, port, limit=MAX_LINE)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one channel."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                environment = await _environment(reader)
            for name, value in await self._variables(environment):
                if not await _set(reader, writer, name, value):
                    break
        except (TimeoutError, ConnectionError, ValueError, asyncio.IncompleteReadError):
            pass  # Asterisk has gone, or speaks something else
        except Exception as error:  # noqa: BLE001 - no foreign message is logged, and the call goes on
            _log.error("a channel could not be answered: %s", type(error).__name__)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _variables(self, environment: Mapping[str, str]) -> list[tuple[str, str]]:
        try:
            async with asyncio.timeout(self._deadline_s + 0.05):
                machine = await self._machines.let_in(_key(environment))
                asked = await self._machines.work(
                    lambda: card_of(self._services, machine.access, _facts(environment), pbx=machine.label)
                )
                await self._machines.recorded(machine, asked)
        except TimeoutError:
            return [("HUB_STATUS", "late")]
        except RequestError as error:
            return [("HUB_STATUS", error.code.lower())]
        return list(_told(asked.card, machine))


def _told(card: Card, machine: Machine) -> Iterator[tuple[str, str]]:
    """What the channel is told; nothing of a person where there are several."""
    yield "HUB_STATUS", card.status.value
    line = line_for(card, machine.pbx)
    if line:
        yield "CALLERID(name)", line
    if card.brand:
        yield "HUB_BRAND", card.brand
    if card.status is Status.ONE:
        (match,) = card.matches
        yield "HUB_CUSTOMER_ID", match.id
        yield "HUB_CONFIDENCE", f"{match.confidence:.2f}"
        yield "HUB_TIER", match.tier or ""
        yield "HUB_LANG", match.language or ""
        yield "HUB_OPEN_TICKET", "1" if match.open_tickets else "0"
        yield "HUB_UUI", match.uui or ""


async def _environment(reader: asyncio.StreamReader) -> dict[str, str]:
    """What Asterisk says of the channel, up to the empty line.

    Raises:
        ValueError: it is no AGI, or too long.
    """
    found: dict[str, str] = {}
    for _ in range(MAX_LINES):
        line = (await reader.readuntil(b"\n")).decode("utf-8", "replace").strip()
        if not line:
            return found
        name, colon, value = line.partition(":")
        if not name.startswith("agi_") or not colon:
            raise ValueError("no AGI")
        found[name] = value.strip()
    raise ValueError("too long")


async def _set(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, value: str) -> bool:
    """Whether the channel took the variable and still lives."""
    writer.write(f'SET VARIABLE {name} "{safe(value, MAX_VALUE)}"\n'.encode())
    await writer.drain()
    async with asyncio.timeout(PATIENCE_S):
        reply = await reader.readuntil(b"\n")
    return reply.startswith(b"200 ")


def _key(environment: Mapping[str, str]) -> str | None:
    given = environment.get("agi_arg_1")
    if given:
        return given
    asked = urlsplit(environment.get("agi_request", "") or environment.get("agi_network_script", ""))
    return next(iter(parse_qs(asked.query).get("key", [])), None)


def _facts(environment: Mapping[str, str]) -> Facts:
    def given(name: str) -> str | None:
        text = environment.get(name, "")
        return None if text in ("", "unknown") else text

    return Facts(
        ivr_id=given("agi_arg_2"),
        uui=given("agi_arg_3"),
        number=given("agi_callerid") or "anonymous",
        dialled=given("agi_dnid") or given("agi_extension"),
    )
