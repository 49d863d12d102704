"""Subscriptions from a served hub to real clients, while another process writes, until the hub is stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from hub.api.http import MAX_BODY
from hub.services import Services
from tests.api.api_world import BEN, POLICY, fill, make_services, party
from tests.api.stream_world import SUBPROTOCOL, token, until, write
from tests.databases import sqlite_store

PROGRAM = (
    "import sys, json; from hub.settings import Settings; from hub.api import serve\n"
    "serve(Settings(**json.loads(sys.argv[1])), lambda address: print(address, flush=True))\n"
    "print('ended', flush=True)"
)
CHANGES = "subscription { customerChanged { kind customer { name } } }"


@dataclass
class Server:
    """A hub in a process of its own, and the services of this process on the same databases."""

    services: Services
    process: subprocess.Popen[str]
    address: str

    @property
    def token(self) -> str:
        return token(self.services)

    def socket(self, **more: Any) -> connect:
        address = self.address.replace("http", "ws") + "/graphql"
        return connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)], **more)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    url = sqlite_store(tmp_path / "hub.sqlite")
    with make_services(tmp_path, url) as services:
        fill(services)
        settings = {
            "data_dir": str(tmp_path / "var"),
            "store_url": url,
            "config_dir": str(tmp_path / "config"),
            "policy_file": str(POLICY),
            "demo": True,
            "port": 0,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(settings)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=POLICY.parent,
            env={**os.environ, "PYTHONPATH": str(POLICY.parent)},
        )
        assert process.stdout is not None
        try:
            yield Server(services, process, process.stdout.readline().strip())
        finally:
            process.kill()
            process.stdout.close()
            process.wait()


async def said(socket: ClientConnection, type_: str, **members: Any) -> None:
    await socket.send(json.dumps({"type": type_, **members}))


async def heard(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 20))


def test_what_another_process_writes_is_heard_until_the_hub_is_stopped(server: Server) -> None:
    async def scenario() -> None:
        bearer = f"Bearer {server.token}"
        async with server.socket() as socket, httpx.AsyncClient(timeout=20) as client:
            await said(socket, "connection_init", payload={"authorization": bearer})
            assert await heard(socket) == {"type": "connection_ack"}
            before = server.services.audit.size()
            await said(socket, "subscribe", id="1", payload={"query": CHANGES})
            headers = {"authorization": bearer, "accept": "text/event-stream"}
            post = client.stream(
                "POST", f"{server.address}/graphql", json={"query": CHANGES}, headers=headers
            )
            async with post as response:
                await until(lambda: server.services.audit.size() == before + 2)
                write(server.services, party("erp", "C2", name="Written elsewhere", **BEN))
                change = {"kind": "CHANGED", "customer": {"name": "Written elsewhere"}}
                told = {"data": {"customerChanged": change}}
                assert await heard(socket) == {"type": "next", "id": "1", "payload": told}
                lines = response.aiter_lines()
                assert [await anext(lines) for _ in range(3)] == ["event: next", f"data: {compact(told)}", ""]
                server.process.send_signal(signal.SIGTERM)
                with pytest.raises(ConnectionClosed) as closed:
                    await heard(socket)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1001
                assert "event: complete" not in [line async for line in lines]

    asyncio.run(scenario())
    assert server.process.stdout is not None
    assert server.process.stdout.readline().strip() == "ended"
    assert server.process.wait(15) == 0


def compact(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"))


def test_a_page_of_another_origin_and_a_message_that_is_too_large_are_turned_away(server: Server) -> None:
    async def scenario() -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with server.socket(origin="https://evil.example"):
                pass
        assert refused.value.response.status_code == 403
        async with server.socket(origin=server.address) as socket:
            await said(socket, "ping", payload={"large": "x" * MAX_BODY})
            with pytest.raises(ConnectionClosed) as closed:
                await heard(socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009

    asyncio.run(scenario())
