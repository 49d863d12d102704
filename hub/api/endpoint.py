"""The GraphQL endpoint: an ASGI class, because a route function of FastAPI costs more than a point lookup."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.access import Caller, TokenVerifier
from hub.api.http import JSON, TransportError, graphql_request, media_type, status_of
from hub.errors import AuthenticationError, RequestError
from hub.schema import Answer, GraphQLService

_MAX_HEADER = 8_192
"""Characters of a token; longer ones are not looked at."""


class GraphQLEndpoint:
    """Answers GraphQL over HTTP for callers with a token and a purpose."""

    def __init__(self, service: GraphQLService, verifier: TokenVerifier) -> None:
        self._service = service
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        caller: Caller | None = None
        try:
            caller = self._verifier.caller(_token(request.headers))
            requester = self._verifier.requester(caller, _joined(request.headers, "x-purpose"))
        except RequestError as error:
            return _refused(await self._service.refuse(error, caller), error)
        try:
            answered_in = media_type(request.headers)
            asked = await graphql_request(request)
        except TransportError as error:
            return _turned_away(await self._service.turn_away(error, requester), error)
        answer = await self._service.answer(asked, requester)
        return _json(answer.body, status_of(answer, answered_in), answered_in)


def _token(headers: Headers) -> str:
    scheme, _, token = _joined(headers, "authorization").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError("send a bearer token in the header Authorization")
    if len(token) > _MAX_HEADER:
        raise AuthenticationError("the token is too long")
    return token.strip()


def _joined(headers: Headers, name: str) -> str:
    """The header's value; of several, a list (RFC 9110, section 5.3), which is neither a token nor a purpose."""
    return ", ".join(headers.getlist(name))


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
