"""Pure ASGI middlewares: what every response carries, and one log line a request."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.http import JSON, Reply, status_of
from hub.api.metrics import Requests
from hub.schema import failed

_log = logging.getLogger("hub.api.access")

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class ResponseHeaders:
    """Adds the headers that keep browsers from guessing, leaking or framing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                names = {name for name, _ in given}
                message["headers"] = [*given, *(each for each in _HEADERS if each[0] not in names)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class MaskedErrors:
    """Answers what no handler has caught with a reference, and logs its kind and place, never its message.

    Without it, web server and framework would log the whole error, whose message may quote values.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        began = False

        async def send_noting_start(message: Message) -> None:
            nonlocal began
            began = began or message["type"].endswith((".start", ".accept", ".close"))
            await send(message)

        try:
            await self._app(scope, receive, send_noting_start)
        except Exception as error:  # noqa: BLE001 - nothing of a foreign error may reach the caller or the log
            answer = failed(error)
            if began or scope["type"] != "http":
                raise RuntimeError("a response broke off; the line above has its reference") from None
            await Reply(answer.body, status_of(answer, JSON))(scope, receive, send)


class Shortcut:
    """Leads requests for one path straight to what answers them; the framework's own way takes longer than a lookup."""

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self._app, self._path, self._endpoint = app, path, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        straight = scope["type"] == "http" and scope["path"] == self._path
        await (self._endpoint if straight else self._app)(scope, receive, send)


def cross_origin(origins: Collection[str]) -> dict[str, Any]:
    """What a page of these origins may do from a browser: ask with a token; cookies mean nothing here."""
    return {
        "allow_origins": list(origins),
        "allow_methods": ["GET", "POST"],
        "allow_headers": ["authorization", "content-type", "x-break-glass", "x-purpose"],
        "allow_credentials": False,
    }


class AccessLog:
    """Logs and counts method, path, status and time; never what a caller made up: other paths, the query string."""

    def __init__(self, app: ASGIApp, paths: Collection[str], requests: Requests) -> None:
        self._app, self._requests = app, requests
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            self._note(scope, scope["method"] if scope["method"] in _METHODS else "(other)", status, began)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket's status is the code of the first to close it; one that was not accepted closes with 403."""
        began, status, accepted = time.perf_counter(), 0, False

        async def receive_noting_code() -> Message:
            nonlocal status
            message = await receive()
            if message["type"] == "websocket.disconnect":
                status = status or message.get("code", 1005)
            return message

        async def send_noting_code(message: Message) -> None:
            nonlocal status, accepted
            accepted = accepted or message["type"] == "websocket.accept"
            if message["type"] == "websocket.close":
                status = status or (message.get("code", 1000) if accepted else 403)
            await send(message)

        try:
            await self._app(scope, receive_noting_code, send_noting_code)
        finally:
            self._note(scope, "WEBSOCKET", status or 500, began)

    def _note(self, scope: Scope, method: str, status: int, began: float) -> None:
        path = scope["path"] if scope["path"] in self._paths else "(other)"
        seconds = time.perf_counter() - began
        _log.info("%s %s %d %.1f ms", method, path, status, seconds * 1000)
        self._requests.note(method, path, status, seconds)
