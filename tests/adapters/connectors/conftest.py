"""What the connectors' tests share: a context, and reading with interruptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import stamina

from hub.adapters.records import Batch, Connector, ConnectorContext, RawRecord, StreamRead


@pytest.fixture
def context(tmp_path):
    return ConnectorContext("shop", {"SECRET": "hunter2", "USER": "me"}, tmp_path)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries stay, their waiting goes."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


class Reader:
    """Reads a stream as a run does, whole or killed after each batch and gone on with from its cursor."""

    def __init__(self, connector: Connector, stream: StreamRead[Any]) -> None:
        self.connector, self.stream = connector, stream

    def batches(self, cursor: Any = None, size: int = 1000) -> list[Batch]:
        return list(self.connector.batches(self.stream, cursor, size))

    def rows(self, cursor: Any = None, size: int = 1000) -> list[dict]:
        return [payload for batch in self.batches(cursor, size) for payload in payloads(batch)]

    def every_resumption(self, size: int) -> Iterator[list[dict]]:
        """For each batch of an unbroken run: what was read up to it, and by a new run from its cursor."""
        before: list[dict] = []
        for batch in self.batches(None, size):
            before += payloads(batch)
            yield before + self.rows(batch.cursor, size)


def payloads(batch: Batch) -> list[dict]:
    return [record.payload for record in batch.records if isinstance(record, RawRecord)]


@pytest.fixture
def reader():
    return Reader


@dataclass
class Request:
    """What the loopback server was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    written: str = ""
    """The query as it was written."""


@dataclass
class Answer:
    """What the loopback server says: JSON by default, or bytes as they are."""

    json: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int = 0
    """Bytes to leave out at the end, though Content-Length counts them."""


class LoopbackServer:
    """A real HTTP server on loopback whose answers a test's function gives; it remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda _: Answer([])
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(
                    self.command, parts.path, dict(parse_qsl(parts.query)), headers, body, parts.query
                )
                outer.requests.append(request)
                answer = outer.answer(request)
                data = json.dumps(answer.json).encode() if answer.body is None else answer.body
                self.send_response(answer.status)
                for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data[: len(data) - answer.cut])
                self.close_connection = bool(answer.cut)

            do_HEAD = do_POST = do_GET  # noqa: N815  (the names that http.server asks for)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture(scope="module")
def shared_server() -> Iterator[LoopbackServer]:
    server = LoopbackServer()
    yield server
    server.stop()


@pytest.fixture
def server(shared_server: LoopbackServer) -> LoopbackServer:
    """A loopback server that was asked nothing yet."""
    shared_server.requests.clear()
    shared_server.answer = lambda _: Answer([])
    return shared_server
