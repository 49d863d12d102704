"""The schema as a file, for roles that may introspect."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.admission import Admission
from hub.api.http import JSON, Reply, status_of
from hub.errors import AccessDeniedError
from hub.schema import GraphQLService
from hub.services import Services


class SchemaDownload:
    """Answers with the schema in GraphQL's schema language."""

    def __init__(self, service: GraphQLService, admission: Admission, services: Services) -> None:
        self._service, self._admission, self._services = service, admission, services
        self._sdl = service.catalogue.sdl

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> ASGIApp:
        caller = await self._admission.caller(request.headers)
        if isinstance(caller, Reply):
            return caller
        if not self._services.access.may_introspect(caller.requester.roles):
            error = AccessDeniedError("the schema is for roles that may introspect; ask the policy's owner")
            answer = await self._service.turn_away(error, caller.requester)
            return Reply(answer.body, status_of(answer, JSON))
        return PlainTextResponse(self._sdl)
