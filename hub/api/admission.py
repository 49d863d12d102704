"""Who is let in: a token and a purpose become a caller, or a response that is on record."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import Response

from hub.access import TokenVerifier
from hub.api.credentials import LetIn, NotLetInError, let_in
from hub.api.http import JSON, status_of
from hub.errors import AuthenticationError
from hub.schema import GraphQLService


class Admission:
    """The door of the API over HTTP."""

    def __init__(self, service: GraphQLService, verifier: TokenVerifier) -> None:
        self._service = service
        self._verifier = verifier

    async def caller(self, headers: Headers) -> LetIn | Response:
        """The caller that the headers prove, or the response to one who is not let in."""
        try:
            return await let_in(self._service, self._verifier, headers)
        except NotLetInError as refused:
            is_login = isinstance(refused.error, AuthenticationError)
            challenge = {"www-authenticate": "Bearer"} if is_login else None
            return json_response(refused.answer.body, status_of(refused.answer, JSON), JSON, challenge)


def json_response(
    body: bytes, status: int, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A response that nobody on the way keeps."""
    media = f"{media_type}; charset=utf-8"
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, media)
