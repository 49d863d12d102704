"""Clients of subscriptions inside one event loop: a socket, an event stream, the service itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from starlette.types import ASGIApp, Message

from hub.access import DemoIssuer, Requester
from hub.graph import Entity, GraphWriter
from hub.schema import Answer, GraphQLRequest, GraphQLService
from hub.services import Services
from tests.api.api_world import said, source_of

PATIENCE_S = 20.0
"""After so long a test that waits fails; none waits so long otherwise."""
SUBPROTOCOL = "graphql-transport-ws"


def token(services: Services, role: str = "support", **more: Any) -> str:
    known = services.access.roles[role]
    issuer = DemoIssuer(services.settings.data_dir)
    return issuer.issue(f"u-{role}", known.department, [role], [known.default_purpose], **more)


def requester(services: Services, role: str = "support", purpose: str | None = None) -> Requester:
    known = services.access.roles[role]
    stated = purpose or known.default_purpose
    return Requester(f"u-{role}", frozenset({role}), known.department, stated, "tests", (stated,))


def write(services: Services, *entities: Entity, run_id: int = 2) -> None:
    """What a sync in another process does: nothing tells the API of it but the database."""
    writer = GraphWriter(services.store, {"erp": 90, "till": 50}, restate=lambda _connection, _heads: [])
    with services.store.write() as connection:
        writer.apply(connection, run_id, [said(entity, source_of(entity)) for entity in entities])


async def soon(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, PATIENCE_S)


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


class Listener:
    """One subscription at the service."""

    def __init__(self, service: GraphQLService, asks: Requester, document: str, **variables: Any) -> None:
        self._answers = service.stream(GraphQLRequest(document, None, variables), asks, lambda: asks)

    async def answer(self) -> Answer:
        """The next answer as it is."""
        found: Answer = await soon(anext(self._answers))
        return found

    async def body(self) -> Any:
        return orjson.loads((await self.answer()).body)

    async def data(self) -> Any:
        """What the next event tells."""
        body = await self.body()
        assert "errors" not in body, body
        (found,) = body["data"].values()
        return found

    async def code(self) -> str:
        """The code of the refusal with which the subscription ends."""
        answer = await self.answer()
        assert (answer.refusal is not None) is not answer.failed
        assert await self.ended()
        code: str = orjson.loads(answer.body)["errors"][0]["extensions"]["code"]
        return code

    async def ended(self) -> bool:
        return await soon(anext(self._answers, None)) is None

    async def close(self) -> None:
        await self._answers.aclose()


@asynccontextmanager
async def serving(services: Services) -> AsyncIterator[GraphQLService]:
    service = GraphQLService(services)
    try:
        yield service
    finally:
        service.end_streams()
        service.close()


class ClosedError(Exception):
    """The hub closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(code, reason)


class Socket:
    """A client's end of a WebSocket; of what it does not read, `room` messages fit on the way."""

    def __init__(
        self,
        app: ASGIApp,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (SUBPROTOCOL,),
        room: int = 0,
    ) -> None:
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: asyncio.Queue[Message] = asyncio.Queue(room)
        scope = {
            "type": "websocket",
            "path": "/graphql",
            "query_string": b"",
            "headers": [
                (name.encode(), value.encode()) for name, value in (("host", "hub.example"), *headers)
            ],
            "subprotocols": list(subprotocols),
            "extensions": {},
        }
        self._sent.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(app(scope, self._sent.get, self._heard.put))  # type: ignore[arg-type]

    async def message(self) -> Message:
        """The next ASGI message of the hub."""
        found: Message = await soon(self._heard.get())
        return found

    def sends(self, type_: str, **members: Any) -> None:
        self.sends_text(json.dumps({"type": type_, **members}))

    def sends_text(self, text: str) -> None:
        self._sent.put_nowait({"type": "websocket.receive", "text": text})

    def subscribes(self, id_: str, query: str, **variables: Any) -> None:
        self.sends("subscribe", id=id_, payload={"query": query, "variables": variables})

    async def hears(self) -> dict[str, Any]:
        """The next message of the protocol."""
        message = await self.message()
        if message["type"] == "websocket.close":
            raise ClosedError(message["code"], message["reason"])
        assert message["type"] == "websocket.send", message
        found: dict[str, Any] = json.loads(message["text"])
        return found

    async def accepted(self) -> str | None:
        message = await self.message()
        assert message["type"] == "websocket.accept", message
        found: str | None = message["subprotocol"]
        return found

    async def introduces(self, token: str, **more: str) -> None:
        """Goes through the beginning, up to the acknowledgement."""
        assert await self.accepted() == SUBPROTOCOL
        self.sends("connection_init", payload={"authorization": f"Bearer {token}", **more})
        assert await self.hears() == {"type": "connection_ack"}

    async def code(self) -> int:
        """The code with which the hub closes the socket, whatever it says before."""
        while True:
            message = await self.message()
            if message["type"] == "websocket.close":
                await soon(self.task)
                code: int = message["code"]
                return code

    def leaves(self) -> None:
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def gone(self) -> None:
        self.leaves()
        await soon(self.task)


class EventSource:
    """A client of server-sent events."""

    def __init__(self, app: ASGIApp, body: Any, token: str | None, room: int = 0, **headers: str) -> None:
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: asyncio.Queue[Message] = asyncio.Queue(room)
        given = {"accept": "text/event-stream", "content-type": "application/json", **headers}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        self._sent.put_nowait({"type": "http.request", "body": orjson.dumps(body), "more_body": False})
        self.task = asyncio.create_task(app(scope, self._sent.get, self._heard.put))  # type: ignore[arg-type]
        self.text = ""
        self.complete = False

    async def started(self) -> tuple[int, dict[str, str]]:
        message = await soon(self._heard.get())
        headers = {name.decode(): value.decode() for name, value in message["headers"]}
        return message["status"], headers

    async def chunk(self) -> str:
        """The next piece of the response, empty at its end."""
        if self.complete:
            return ""
        message = await soon(self._heard.get())
        self.complete = not message.get("more_body", False)
        found: str = message["body"].decode()
        return found

    async def event(self) -> tuple[str, Any]:
        """Name and data of the next event, comments passed over; two empty texts at the end."""
        while "\n\n" not in self.text:
            piece = await self.chunk()
            if not piece and self.complete:
                return "", ""
            self.text += piece
        block, _, self.text = self.text.partition("\n\n")
        fields = dict(line.split(":", 1) for line in block.splitlines())
        if "" in fields:
            return await self.event()
        data = fields["data"].strip()
        return fields["event"].strip(), json.loads(data) if data else ""

    async def leaves(self) -> None:
        self._sent.put_nowait({"type": "http.disconnect"})
        with suppress(asyncio.CancelledError):
            await soon(self.task)
