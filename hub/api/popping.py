"""The page `/pop`: who is calling, as HTML that the hub makes, live by server-sent events.

The page asks as its agent: each card is GraphQL's answer to one document, with all that follows from it (policy,
verification level, audit), put into a template. Nothing is fetched from elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.admission import Admission
from hub.api.credentials import LetIn
from hub.api.http import JSON, Reply, status_of
from hub.api.sse import KEEP_ALIVE_S
from hub.schema import Answer, GraphQLRequest, GraphQLService

POP_PATH: Final = "/pop"
CARD_PATH, STREAM_PATH = f"{POP_PATH}/card", f"{POP_PATH}/events"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types hub-card",
        )
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_CARD = """{
  status deadlineHit number shown region brand notes
  mentions { type title }
  call { id state missed extension beganAt customerId wrappedUp }
  matches {
    id name company tier language confidence why level openTickets warnings withheld
    reasons { text ref at why source }
    touches { type at title channel direction handledBy outcome }
    open { kind ref title status due }
    promises { text by due }
    worth { orders total since points }
    others { id name relation calls }
    freshness { source at state }
  }
}"""
ASKED: Final = (
    "query PopCard($number: String, $callId: String, $reference: String) {"
    f" screenPop(number: $number, callId: $callId, reference: $reference) {_CARD} }}"
)
LISTENED: Final = f"subscription PopLive($extension: String!) {{ screenPop(extension: $extension) {_CARD} }}"
_ASKED_BY = ("number", "callId", "reference")


class PopPage:
    """The routes of the page on one application."""

    def __init__(self, service: GraphQLService, admission: Admission) -> None:
        self._service, self._admission = service, admission
        self._card = _card_template()

    def routes(self) -> Iterator[Route]:
        """All of them; only the last two tell anything of anybody, and these need a token."""
        yield _file(POP_PATH, "page.html", "text/html")
        for file in _files().iterdir():
            kind = _MEDIA_TYPES.get(file.name[file.name.rindex(".") :])
            if kind is not None:
                yield _file(f"{POP_PATH}/{file.name}", file.name, kind)
        yield Route(CARD_PATH, _Endpoint(self._asked), methods=["GET"])
        yield Route(STREAM_PATH, _Endpoint(self._listened), methods=["GET"])

    async def _asked(self, request: Request) -> ASGIApp:
        caller = await self._admission.caller(request.headers)
        if isinstance(caller, Reply):
            return caller
        variables = {name: request.query_params.get(name) for name in _ASKED_BY}
        answer = await self._service.answer(
            GraphQLRequest(ASKED, None, variables, reads_only=True), caller.requester
        )
        told = _told(answer)
        if told is None:
            return Reply(answer.body, max(status_of(answer, JSON), 400), JSON)
        return HTMLResponse(self._card.render(told), headers={"cache-control": "no-store"})

    async def _listened(self, request: Request) -> ASGIApp:
        caller = await self._admission.caller(request.headers)
        if isinstance(caller, Reply):
            return caller
        extension = request.query_params.get("extension", "")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            self._events(caller, extension), media_type="text/event-stream", headers=headers
        )

    async def _events(self, caller: LetIn, extension: str) -> AsyncIterator[bytes]:
        asked = GraphQLRequest(LISTENED, None, {"extension": extension})
        yield b":\n\n"
        with suppress(TimeoutError):
            # As long as the caller's token is good; then the page shows it again, or a new one.
            async with asyncio.timeout(max(caller.expires_at - time.time(), 0)):
                async with aclosing(self._service.stream(asked, caller.requester, caller.renewed)) as answers:
                    async for answer in _kept_alive(answers):
                        yield b":\n\n" if answer is None else self._event(answer)

    def _event(self, answer: Answer) -> bytes:
        told = _told(answer)
        if told is not None:
            return _sse("card", self._card.render(told))
        return _sse("refused", str(orjson.loads(answer.body)["errors"][0]["message"]))


class _Endpoint:
    """An ASGI application of a function that gives the response."""

    def __init__(self, respond: Any) -> None:
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)


async def _kept_alive(answers: AsyncGenerator[Answer]) -> AsyncIterator[Answer | None]:
    """The answers, and None whenever none has come for a while: proxies then see that the stream lives."""
    waiting: asyncio.Future[Answer] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(answers))
            done, _ = await asyncio.wait({waiting}, timeout=KEEP_ALIVE_S)
            if not done:
                yield None
                continue
            try:
                answer = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            yield answer
    finally:
        if waiting is not None:
            waiting.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await waiting


def _told(answer: Answer) -> dict[str, Any] | None:
    """What the card is made of; None where it was refused."""
    body = orjson.loads(answer.body)
    found: dict[str, Any] | None = (body.get("data") or {}).get("screenPop")
    return found


def _sse(event: str, text: str) -> bytes:
    return b"event: %b\n%b\n\n" % (
        event.encode(),
        b"\n".join(b"data: " + line for line in text.encode().splitlines()),
    )


def _files() -> Any:
    return resources.files("hub.api") / "pop"


@cache
def _card_template() -> jinja2.Template:
    loader = jinja2.FunctionLoader(lambda name: (_files() / name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("card.html")


def _file(path: str, name: str, media_type: str) -> Route:
    body = (_files() / name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(body, headers=_HEADERS, media_type=media_type)

    return Route(path, answer, methods=["GET"])
