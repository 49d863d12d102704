"""GraphQL over server-sent events: one operation a request, each answer an event.

The distinct connections mode of graphql-sse: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress

from starlette.types import Message, Receive, Scope, Send

from hub.api.credentials import LetIn
from hub.api.http import EVENT_STREAM
from hub.errors import AuthenticationError
from hub.schema import GraphQLRequest, GraphQLService, refused

KEEP_ALIVE_S = 12.0
"""Seconds after which a stream shows proxies that it lives."""
SEND_TIMEOUT_S = 10.0
"""Seconds for which a client may not take what is sent; then it reads too slowly, and is let go."""

_HEADERS = [
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]
_COMPLETE = b"event: complete\ndata:\n\n"
_ALIVE = b":\n\n"


class EventStreams:
    """The event streams of one process."""

    def __init__(
        self,
        service: GraphQLService,
        *,
        keep_alive_s: float = KEEP_ALIVE_S,
        send_timeout_s: float = SEND_TIMEOUT_S,
    ) -> None:
        self.service = service
        self.keep_alive_s, self.send_timeout_s = keep_alive_s, send_timeout_s
        self.open: dict[EventStream, asyncio.Event] = {}
        self.ended = False

    def stream(self, request: GraphQLRequest, caller: LetIn) -> EventStream:
        """The response with the answers to the request."""
        return EventStream(self, request, caller)

    async def end(self) -> None:
        """End all streams as they are, so that their clients connect again; returns when they have ended."""
        self.ended = True
        for stream in self.open:
            stream.end()
        await asyncio.gather(*(gone.wait() for gone in self.open.values()))


class EventStream:
    """One response, sent as its answers come, until the client goes or its token expires."""

    def __init__(self, streams: EventStreams, request: GraphQLRequest, caller: LetIn) -> None:
        self._streams, self._request, self._caller = streams, request, caller
        self._deadline = asyncio.timeout(max(caller.expires_at - time.time(), 0))
        self._sending = asyncio.Lock()
        self._over = False
        expired = refused(AuthenticationError("the token has expired; get a new one"))
        self._last: bytes | None = _next(expired.body) + _COMPLETE
        """What is sent when the deadline has come; None where nothing can be sent any more."""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        gone = self._streams.open[self] = asyncio.Event()
        beside = [asyncio.create_task(each) for each in (self._watch(receive), self._keep_alive(send))]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._finish(send, await self._served(send))
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            del self._streams.open[self]
            gone.set()

    def end(self, last: bytes | None = b"") -> None:
        """End it soon, with these bytes."""
        self._over, self._last = True, last
        with suppress(RuntimeError):  # it has not begun, or it is over already
            self._deadline.reschedule(asyncio.get_running_loop().time())

    async def _served(self, send: Send) -> bytes | None:
        """What ends the stream, after all before it."""
        with suppress(TimeoutError):
            async with self._deadline:
                if not (self._over or self._streams.ended):
                    await self._serve(send)
                    return b"" if self._streams.ended else _COMPLETE
        return b"" if self._last is not None and self._streams.ended else self._last

    async def _serve(self, send: Send) -> None:
        caller, service = self._caller, self._streams.service
        async with aclosing(service.stream(self._request, caller.requester, caller.renewed)) as answers:
            async for answer in answers:
                await self._send(send, _next(answer.body))

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end(None)

    async def _keep_alive(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._streams.keep_alive_s)
            await self._send(send, _ALIVE)

    async def _send(self, send: Send, event: bytes) -> None:
        message: Message = {"type": "http.response.body", "body": event, "more_body": True}
        try:
            async with self._sending, asyncio.timeout(self._streams.send_timeout_s):
                await send(message)
        except TimeoutError:
            self.end(None)
            await asyncio.Event().wait()  # until the deadline, which is now, has cut it off

    async def _finish(self, send: Send, last: bytes | None) -> None:
        if last is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._streams.send_timeout_s):
                    await send({"type": "http.response.body", "body": last, "more_body": False})


def _next(body: bytes) -> bytes:
    data = b"\n".join(b"data: " + line for line in body.splitlines())
    return b"event: next\n" + data + b"\n\n"
