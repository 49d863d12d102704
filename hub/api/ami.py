"""Asterisk's manager interface: the hub listens to an Asterisk or FreePBX, whose dialplan stays as it is.

It takes four events of the many (as Asterisk 12 and later send them): `Newchannel` and `DialBegin`, by which a call
rings, `DialEnd` with `ANSWER`, and the `Hangup` of the channel that the call began with. All else is passed over.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from hub.api.machines import Machines
from hub.calls import CallState, Facts
from hub.commands import ReportCall, report_call
from hub.errors import HubError, RequestError
from hub.services import Services
from hub.settings import AmiSettings

MAX_MESSAGE = 64 * 1024
PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
_TAKEN = frozenset({"Newchannel", "DialBegin", "DialEnd", "Hangup"})
_ENDS = ("", "<unknown>", "s")

_log = logging.getLogger(__name__)


class AmiListener:
    """Listens to one Asterisk, for as long as it is let."""

    def __init__(self, services: Services, machines: Machines, ami: AmiSettings) -> None:
        self._services, self._machines, self._ami = services, machines, ami

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listens while inside, and connects again whenever the connection is lost."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        pause = PAUSE_S
        while True:
            try:
                if await self.once():
                    pause = PAUSE_S
            except Exception as error:  # noqa: BLE001 - no foreign message is logged, and it tries again
                _log.error("the manager interface of %s failed: %s", self._ami.host, type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def once(self) -> bool:
        """Take in one connection to its end; whether the Asterisk let the hub in.

        Raises:
            OSError: it cannot be reached.
        """
        reader, writer = await asyncio.open_connection(self._ami.host, self._ami.port, limit=MAX_MESSAGE)
        try:
            await reader.readuntil(b"\n")  # its banner
            secret = self._ami.secret.get_secret_value()
            writer.write(
                f"Action: Login\r\nUsername: {self._ami.user}\r\nSecret: {secret}\r\nEvents: call\r\n\r\n".encode()
            )
            await writer.drain()
            if (await _message(reader)).get("Response") != "Success":
                _log.error("the manager interface of %s refuses the hub's user", self._ami.host)
                return False
            with suppress(asyncio.IncompleteReadError):
                while True:
                    await self.take(await _message(reader))
            return True
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def take(self, message: Mapping[str, str]) -> None:
        """Take in one message; what cannot be reported is passed over, for the next may be."""
        if message.get("Event") not in _TAKEN:
            return
        try:
            machine = await self._machines.let_in(self._ami.key.get_secret_value())
            report = report_of(message, machine.pbx.longest_extension)
            if report is not None:
                await self._machines.work(
                    lambda: report_call(self._services, machine.author, machine.label, report)
                )
        except RequestError as error:
            _log.error("an event of %s is refused: %s", self._ami.host, error.code)
        except HubError as error:
            _log.error("an event of %s could not be kept: %s", self._ami.host, type(error).__name__)


def report_of(message: Mapping[str, str], longest_extension: int) -> ReportCall | None:
    """What a message says of a call; None where it says nothing that is kept."""
    kind, key = message.get("Event"), message.get("Linkedid", "")
    is_first = message.get("Uniqueid") == key
    if not key:
        return None
    if kind == "Newchannel" and is_first and message.get("Exten") not in (None, *_ENDS):
        return _ringing(message, key, None, longest_extension)
    if kind == "DialBegin":
        return _ringing(message, key, _extension(message), longest_extension)
    if kind == "DialEnd" and message.get("DialStatus") == "ANSWER":
        extension = _dialling(message, longest_extension) or _extension(message)
        return ReportCall(key, CallState.ANSWERED, extension=extension)
    if kind == "Hangup" and is_first:
        return ReportCall(key, CallState.ENDED, cause=message.get("Cause-txt", "").replace(" ", "_") or None)
    return None


def _ringing(message: Mapping[str, str], key: str, extension: str | None, longest: int) -> ReportCall:
    caller, called = message.get("CallerIDNum", ""), message.get("Exten", "")
    if agent := _dialling(message, longest):
        return ReportCall(key, CallState.RINGING, "outbound", agent, facts=Facts(number=called))
    number = "anonymous" if caller in _ENDS else caller
    return ReportCall(
        key, CallState.RINGING, "inbound", extension, facts=Facts(number=number, dialled=called or None)
    )


def _dialling(message: Mapping[str, str], longest: int) -> str | None:
    """The extension from which somebody outside is called; None where the call is none of ours.

    It is in the name of the channel, or it is the caller's number until the dialplan shows the company's instead.
    """
    if longest >= len(message.get("Exten", "")):
        return None
    named = (_device(message.get("Channel", "")), message.get("CallerIDNum"))
    return next((each for each in named if each and each.isdecimal() and len(each) <= longest), None)


def _extension(message: Mapping[str, str]) -> str | None:
    """The extension that is rung."""
    return _device(message.get("DestChannel", ""))


def _device(channel: str) -> str | None:
    """What a channel such as `PJSIP/21-0000001a` or `Local/21@from-queue-01;1` is one of."""
    found = re.match(r"[A-Za-z0-9]+/([A-Za-z0-9_.+]+?)(?:[@-].*)?$", channel)
    return found[1] if found else None


async def _message(reader: asyncio.StreamReader) -> dict[str, str]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
    pairs = (line.partition(": ") for line in text.split("\r\n") if ": " in line)
    return {name: value.strip() for name, _, value in pairs}
