"""The GraphQL endpoint: an ASGI class, because a route function of FastAPI costs more than a point lookup."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.access import TokenVerifier
from hub.api.credentials import NotLetInError, let_in
from hub.api.http import EVENT_STREAM, JSON, TransportError, graphql_request, media_type, status_of
from hub.api.sse import EventStreams
from hub.errors import AuthenticationError, RequestError
from hub.schema import Answer, GraphQLService


class GraphQLEndpoint:
    """Answers GraphQL over HTTP for callers with a token and a purpose."""

    def __init__(self, service: GraphQLService, verifier: TokenVerifier, streams: EventStreams) -> None:
        self._service, self._verifier, self._streams = service, verifier, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> ASGIApp:
        try:
            caller = await let_in(self._service, self._verifier, request.headers)
        except NotLetInError as refused:
            return _refused(refused.answer, refused.error)
        try:
            answered_in = media_type(request.headers)
            asked = await graphql_request(request)
        except TransportError as error:
            return _turned_away(await self._service.turn_away(error, caller.requester), error)
        if answered_in == EVENT_STREAM:
            return self._streams.stream(asked, caller)
        answer = await self._service.answer(asked, caller.requester)
        return _json(answer.body, status_of(answer, answered_in), answered_in)


def _turned_away(answer: Answer, error: TransportError) -> Response:
    status = status_of(answer, JSON) if answer.failed else error.status
    return _json(answer.body, status, JSON, error.headers)


def _refused(answer: Answer, error: RequestError) -> Response:
    is_login = isinstance(error, AuthenticationError)
    headers = {"www-authenticate": "Bearer"} if is_login else None
    status = status_of(answer, JSON)
    return _json(answer.body, status, JSON, headers)


def _json(body: bytes, status: int, answered_in: str, headers: Mapping[str, str] | None = None) -> Response:
    media = f"{answered_in}; charset=utf-8"
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, media)
