"""Who is let in: a token and a purpose become a caller, or a response that is on record."""

from __future__ import annotations

from starlette.datastructures import Headers

from hub.access import TokenVerifier
from hub.api.credentials import LetIn, NotLetInError, let_in
from hub.api.http import JSON, NO_HEADERS, Reply, status_of
from hub.errors import AuthenticationError
from hub.schema import GraphQLService


class Admission:
    """The door of the API over HTTP."""

    def __init__(self, service: GraphQLService, verifier: TokenVerifier) -> None:
        self._service = service
        self._verifier = verifier

    async def caller(self, headers: Headers) -> LetIn | Reply:
        """The caller that the headers prove, or the reply to one who is not let in."""
        try:
            return await let_in(self._service, self._verifier, headers)
        except NotLetInError as refused:
            is_login = isinstance(refused.error, AuthenticationError)
            challenge = {"www-authenticate": "Bearer"} if is_login else NO_HEADERS
            return Reply(refused.answer.body, status_of(refused.answer, JSON), JSON, challenge)
