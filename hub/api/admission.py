"""Who is let in: a token and a purpose become a requester, or a refusal that is on record."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import Response

from hub.access import Caller, Requester, TokenVerifier
from hub.api.http import JSON, status_of
from hub.errors import AuthenticationError, RequestError
from hub.schema import GraphQLService

_MAX_HEADER = 8_192
"""Characters of a token; longer ones are not looked at."""


class Admission:
    """The door of the API."""

    def __init__(self, service: GraphQLService, verifier: TokenVerifier) -> None:
        self._service = service
        self._verifier = verifier

    async def requester(self, headers: Headers) -> Requester | Response:
        """The requester that the headers prove, or the response to one who is not let in."""
        caller: Caller | None = None
        try:
            caller = self._verifier.caller(_token(headers))
            return self._verifier.requester(caller, _joined(headers, "x-purpose"))
        except RequestError as error:
            answer = await self._service.refuse(error, caller)
            challenge = {"www-authenticate": "Bearer"} if isinstance(error, AuthenticationError) else None
            return json_response(answer.body, status_of(answer, JSON), JSON, challenge)


def json_response(
    body: bytes, status: int, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A response that nobody on the way keeps."""
    media = f"{media_type}; charset=utf-8"
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, media)


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
