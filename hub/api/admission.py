"""Who is let in: a token, or an API key, and a purpose become a caller, or a response that is on record."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers

from hub.access import Authenticator
from hub.api.credentials import LetIn, NotLetInError, let_in
from hub.api.http import JSON, NO_HEADERS, Reply, status_of
from hub.errors import AuthenticationError, RateLimitError, RequestError
from hub.schema import GraphQLService


class Admission:
    """The door of the API over HTTP."""

    def __init__(self, service: GraphQLService, authenticator: Authenticator) -> None:
        self._service = service
        self._authenticator = authenticator

    async def caller(self, headers: Headers) -> LetIn | Reply:
        """The caller that the headers prove, or the reply to one who is not let in."""
        try:
            return await let_in(self._service, self._authenticator, headers)
        except NotLetInError as refused:
            answer, told = refused.answer, _headers(refused.error)
            return Reply(answer.body, status_of(answer, JSON), JSON, told)


def _headers(error: RequestError) -> Mapping[str, str]:
    """What a client that is not let in is told by headers."""
    if isinstance(error, AuthenticationError):
        return {"www-authenticate": "Bearer"}
    return {"retry-after": str(error.retry_after_s)} if isinstance(error, RateLimitError) else NO_HEADERS
