"""What a real Asterisk 22 said to the hub, played again.

It is recorded by `WRITE=1 make test-asterisk` (tests/real/asterisk.py).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.api.agi import FastAgi
from hub.api.ami import AmiListener
from hub.calls import CallState
from hub.settings import AmiSettings
from tests.api.test_asterisk import Site, run, site
from tests.calls.call_world import ALONE, LINE

__all__ = ["site"]

EXCHANGES = Path(__file__).parent / "exchanges"
CALLS = sorted(path.name for path in EXCHANGES.glob("*.agi"))
_TOKEN = re.compile(r"hub1\.\S+")


def said(name: str) -> list[tuple[str, str]]:
    """Who said which line: `>` is whoever opened the connection."""
    lines = (EXCHANGES / name).read_text().splitlines()
    return [(line[0], line[2:]) for line in lines]


async def played(site: Site, name: str, token: str = "") -> list[str]:
    """What the hub asks of the channel of a recorded call, each answered as Asterisk answered it."""
    lines = said(name)
    first = next(number for number, (mark, _) in enumerate(lines) if mark == "<")
    environment = "\n".join(line for _, line in lines[:first]).replace("{key}", site.key)
    answers = iter([line for mark, line in lines[first:] if mark == ">"])
    asked = []
    async with FastAgi(site.services, site.machines).serving("127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{_TOKEN.sub(token, environment)}\n".encode())
        while line := (await reader.readline()).decode().strip():
            asked.append(line)
            writer.write(f"{next(answers)}\n".encode())
        writer.close()
    return asked


def plain(asked: list[str]) -> list[str]:
    """Without what is another store's: ids and tokens."""
    return [re.sub(r"(hub1\.|cus_)[^\"]+", r"\1", line) for line in asked]


def test_asterisk_is_told_what_it_was_told_when_the_calls_were_made(site: Site) -> None:
    async def scenario() -> None:
        token = ""
        for name in CALLS:
            asked = await played(site, name, token)
            assert plain(asked) == plain([line for mark, line in said(name) if mark == "<"]), name
            token = next((found[0] for line in asked if (found := _TOKEN.search(line.strip('"')))), token)

    assert len(CALLS) == 5
    run(scenario)


@asynccontextmanager
async def manager_interface(name: str) -> AsyncIterator[int]:
    """One that says what a real one said, once somebody logs in."""
    banner, *lines = [line for mark, line in said(name) if mark == "<"]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{banner}\r\n".encode())
        login = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        assert login == [line for mark, line in said(name) if mark == ">"]
        writer.write("".join(f"{line}\r\n" for line in lines).encode())
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def test_the_calls_are_in_the_journal_as_they_were_made(site: Site) -> None:
    async def scenario() -> None:
        async with manager_interface("asterisk-22.ami") as port:
            ami = AmiSettings(host="127.0.0.1", port=port, user="hub", secret="{secret}", key=site.key)
            assert await AmiListener(site.services, site.machines, ami).once()

    run(scenario)
    with site.services.store.read() as connection:
        keys = connection.exec_driver_sql("SELECT key FROM call ORDER BY seq").scalars().all()
    calls = [call for key in sorted(keys, key=lambda key: float(key)) if (call := site.call(key))]
    assert {call.state for call in calls} == {CallState.ENDED}
    cleo = site.phones.customer("C3")
    assert [
        (call.direction, call.number, call.extension, call.was_missed, call.customer_id) for call in calls
    ] == [
        ("inbound", ALONE, "21", False, cleo),
        ("inbound", ALONE, "21", False, cleo),
        ("inbound", None, "21", False, None),
        ("inbound", LINE, "21", False, None),
        ("inbound", ALONE, "22", True, cleo),
        ("outbound", ALONE, "21", False, cleo),
    ]


@pytest.mark.parametrize("name", [*CALLS, "asterisk-22.ami"])
def test_no_key_and_no_secret_is_in_what_was_recorded(name: str) -> None:
    text = (EXCHANGES / name).read_text()
    assert "hubkey_" not in text
    assert "of-a-test-only" not in text
