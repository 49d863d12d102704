"""The web application: GraphQL endpoint, schema download, health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from hub.api.admission import Admission
from hub.api.console import NO_EXAMPLES, Examples, console_routes
from hub.api.cti import Cti
from hub.api.endpoint import GraphQLEndpoint
from hub.api.hooks import Hooks
from hub.api.machines import Machines
from hub.api.metrics import MetricsPage, Requests
from hub.api.middleware import AccessLog, MaskedErrors, ResponseHeaders, Shortcut, cross_origin
from hub.api.popping import PopPage
from hub.api.publisher import checking_index, checkpointing, following_policy, publishing, watching_glasses
from hub.api.schema_download import SchemaDownload
from hub.api.sse import EventStreams
from hub.api.telephony import telephony
from hub.api.websocket import WebSocketEndpoint
from hub.errors import ConfigurationError
from hub.schema import GraphQLService
from hub.services import Services
from hub.yamlfile import Fault

GRAPHQL_PATH = "/graphql"
SDL_PATH = "/graphql/schema.graphql"
HEALTH_PATH = "/healthz"
METRICS_PATH = "/metrics"
OLDER_POLICY = "ok, by an older policy: the policy's file has changed and has faults"
"""What the health check says then; which faults, the log tells."""


def create_app(services: Services, examples: Examples = NO_EXAMPLES) -> FastAPI:
    """The application on these services, which the caller closes after it; its query page offers the examples.

    Raises:
        ConfigurationError: no issuer of tokens is configured, or names of the ontology clash in GraphQL, or the
            documents that the hub ships have faults.
    """
    if services.authenticator is None:
        raise ConfigurationError(
            [
                Fault(
                    "environment",
                    1,
                    1,
                    "HUB_TOKEN_ISSUER",
                    "no issuer of tokens is configured, and there is no API key",
                    "its address, or its name with its JWKS file in HUB_TOKEN_KEYS; HUB_DEMO=1 to try things out",
                )
            ]
        )
    service = GraphQLService(services)
    authenticator = services.authenticator
    sockets = WebSocketEndpoint(
        service, authenticator, services.settings.max_subscriptions, services.settings.cors_origins
    )
    events = EventStreams(service)

    async def end_streams() -> None:
        await asyncio.gather(sockets.end(), events.end())
        service.end_streams()

    admission = Admission(service, authenticator)
    machines = Machines(services, service, authenticator)
    hooks = Hooks(services, service)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        authenticator.prepare()
        async with (
            services.store.on_loop(),
            checkpointing(services),  # ends last: its last checkpoint holds what publishing brings at the end
            following_policy(services),
            watching_glasses(services),
            checking_index(services),
            publishing(services),
            telephony(services, machines),
            hooks.taking_in(),
        ):
            yield
            await end_streams()
        machines.close()
        service.close()

    async def health(_request: Request) -> Response:
        return PlainTextResponse(OLDER_POLICY if services.policy.faults else "ok")

    app = FastAPI(
        title="Customer knowledge hub",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its spans quote errors and paths
    )
    requests = Requests()
    endpoint = GraphQLEndpoint(service, admission, events)
    routes = [
        Route(SDL_PATH, SchemaDownload(service, admission, services), methods=["GET"]),
        Route(HEALTH_PATH, health, methods=["GET"]),
        Route(METRICS_PATH, MetricsPage(service, admission, services, requests), methods=["GET"]),
        Route(GRAPHQL_PATH, endpoint),
        WebSocketRoute(GRAPHQL_PATH, sockets),
        *Cti(services, machines).routes(),
        *PopPage(service, admission).routes(),
        hooks.route(),
        *(console_routes(examples) if services.settings.serves_console else ()),
    ]
    app.router.routes += routes
    app.state.end_streams = end_streams  # a server has to call it before it waits for what is under way
    app.add_middleware(Shortcut, path=GRAPHQL_PATH, endpoint=endpoint)
    app.add_middleware(MaskedErrors)
    if services.settings.cors_origins:
        app.add_middleware(CORSMiddleware, **cross_origin(services.settings.cors_origins))
    app.add_middleware(ResponseHeaders)
    app.add_middleware(AccessLog, paths=[*(route.path for route in routes), *hooks.paths], requests=requests)
    return app
