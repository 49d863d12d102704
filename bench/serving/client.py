"""A small HTTP client that keeps its connections and asks one question after another on each.

It is a tenth of what a request costs either server, so that it does not become what is measured: asyncio on uvloop,
requests made beforehand, answers taken apart by httptools.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httptools
import uvloop


@dataclass
class Timing:
    """What was seen of one server."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list, repr=False)
    client_cpu_s: float = 0.0

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self.latencies_s)

    def add(self, other: Timing) -> None:
        """Take another round in."""
        self.seconds += other.seconds
        self.latencies_s += other.latencies_s
        self.client_cpu_s += other.client_cpu_s

    def percentile_ms(self, share: float) -> float:
        """The latency that this share of the requests did not exceed."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def request(url: str, query: str, variables: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """A POST of a GraphQL question, as bytes."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    head = {
        "host": urlsplit(url).netloc,
        "content-type": "application/json",
        "accept": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST {urlsplit(url).path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class _Connection(asyncio.Protocol):
    """One connection; asks the next question as soon as the last is answered."""

    def __init__(
        self, requests: Iterator[bytes], until: float, timing: Timing, keep: list[bytes] | None
    ) -> None:
        self._requests, self._until, self._timing, self._keep = requests, until, timing, keep
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        took = time.perf_counter() - self._began
        status, body = self._parser.get_status_code(), b"".join(self._body)
        if status != 200 or b'"errors"' in body:
            self.done.set_exception(RuntimeError(f"answered {status}: {body[:500]!r}"))
            return
        self._timing.latencies_s.append(took)
        if self._keep is not None:
            self._keep.append(body)
        self._ask()

    def _ask(self) -> None:
        following = next(self._requests, None) if time.perf_counter() < self._until else None
        if following is None:
            self.done.set_result(None)
            return
        self._parser, self._body = httptools.HttpResponseParser(self), []
        self._began = time.perf_counter()
        self._transport.write(following)  # type: ignore[attr-defined]


def run(
    url: str, requests: Sequence[bytes], connections: int, seconds: float, keep: list[bytes] | None = None
) -> Timing:
    """Ask for so many seconds, or until the requests are used up; `keep` collects the answers.

    Raises:
        RuntimeError: an answer was an error.
    """
    return uvloop.run(_run(url, requests, connections, seconds, keep))


async def _run(
    url: str, requests: Sequence[bytes], connections: int, seconds: float, keep: list[bytes] | None
) -> Timing:
    loop, timing, each = asyncio.get_running_loop(), Timing(), iter(requests)
    address = urlsplit(url)
    began, cpu = time.perf_counter(), time.process_time()
    opened = [
        await loop.create_connection(
            lambda: _Connection(each, began + seconds, timing, keep), address.hostname, address.port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _transport, protocol in opened))
    timing.seconds = time.perf_counter() - began
    timing.client_cpu_s = time.process_time() - cpu
    for transport, _protocol in opened:
        transport.abort()
    return timing
