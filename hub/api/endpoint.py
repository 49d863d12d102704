"""The GraphQL endpoint: an ASGI class, because a route function of FastAPI costs more than a point lookup."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.admission import Admission
from hub.api.http import (
    EVENT_STREAM,
    JSON,
    Reply,
    TransportError,
    graphql_request,
    headers_of,
    media_type,
    status_of,
)
from hub.api.sse import EventStreams
from hub.schema import Answer, GraphQLService


class GraphQLEndpoint:
    """Answers GraphQL over HTTP for callers with a token and a purpose."""

    def __init__(self, service: GraphQLService, admission: Admission, streams: EventStreams) -> None:
        self._service, self._admission, self._streams = service, admission, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> ASGIApp:
        caller = await self._admission.caller(request.headers)
        if isinstance(caller, Reply):
            return caller
        try:
            answered_in = media_type(request.headers)
            asked = await graphql_request(request)
        except TransportError as error:
            return _turned_away(await self._service.turn_away(error, caller.requester), error)
        if answered_in == EVENT_STREAM:
            return self._streams.stream(asked, caller)

        async def gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        answer = await self._service.answer(asked, caller.requester, gone)
        return Reply(answer.body, status_of(answer, answered_in), answered_in, headers_of(answer))


def _turned_away(answer: Answer, error: TransportError) -> Reply:
    status = status_of(answer, JSON) if answer.failed else error.status
    return Reply(answer.body, status, JSON, error.headers)
