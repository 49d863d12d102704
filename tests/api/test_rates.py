"""Who asks too often is refused with the time to wait, on every way in; a flood of refusals fills no log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.api.websocket import WebSocketEndpoint
from hub.audit import Action, AuditEvent
from hub.schema import GraphQLService
from hub.schema.refusals import A_MINUTE
from hub.services import Services
from tests.api.api_world import World, asking, make_services
from tests.api.stream_world import Socket, token
from tests.api.test_serving import wait_for
from tests.databases import sqlite_store

ME = {"query": "{ me { subject } }"}
MOST = 5


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    url = sqlite_store(tmp_path / "hub.sqlite")
    with make_services(tmp_path, url, max_requests=MOST) as services:
        yield services


def refused(services: Services) -> list[AuditEvent]:
    events = [recorded.event for recorded in services.audit.events()]
    return [event for event in events if event.action is Action.LOGIN_REFUSED]


def test_who_asks_too_often_is_told_when_to_come_back(services: Services) -> None:
    with asking(services) as world:
        mine = world.token()
        assert [world.post(ME, mine).status for _ in range(MOST)] == [200] * MOST
        reply = world.post(ME, mine)
        assert (reply.status, reply.code) == (429, "RATE_LIMITED")
        assert 1 <= int(reply.headers["retry-after"]) <= 60 / MOST
        assert reply.headers["cache-control"] == "no-store"
        # another token of the same caller changes nothing, another caller is another
        assert world.post(ME, world.token()).status == 429
        assert world.post(ME, world.token(client="batch")).status == 200
        assert world.post(ME, world.token("sales")).status == 200
    for event in refused(services):
        assert (event.actor, event.reason_code, event.department) == ("u-support", "RATE_LIMITED", "support")


@pytest.mark.parametrize("path", ["/graphql", "/graphql/schema.graphql"])
def test_the_limit_holds_for_event_streams_and_the_schema_too(services: Services, path: str) -> None:
    with asking(services) as world:
        headers = {"authorization": f"Bearer {world.token('it')}", "x-purpose": "system_operation"}
        for _ in range(MOST):
            world.post(ME, world.token("it"))
        more: dict[str, Any] = {"params": ME, "headers": {**headers, "accept": "text/event-stream"}}
        assert world.ask_app("GET", path, **more).status_code == 429


def test_operations_on_a_socket_count_as_requests(services: Services) -> None:
    assert services.authenticator is not None
    service = GraphQLService(services)
    endpoint = WebSocketEndpoint(service, services.authenticator, 10)

    async def scenario() -> None:
        socket = Socket(endpoint)
        await socket.introduces(token(services))
        told = []
        for number in range(MOST):
            socket.subscribes(str(number), ME["query"])
            while (message := await socket.hears())["type"] == "next":
                pass
            told.append(message)
        assert [message["type"] for message in told] == ["complete"] * (MOST - 1) + ["error"]
        assert told[-1]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await socket.gone()

    asyncio.run(scenario())
    service.close()
    (event,) = refused(services)
    assert event.reason_code == "RATE_LIMITED"


# floods of refusals


def flood(world: World, times: int, **more: Any) -> None:
    for _ in range(times):
        world.post(ME, **more)


def test_a_flood_without_a_token_has_few_events_which_count_all_of_it(services: Services) -> None:
    with asking(services) as world:
        flood(world, 5 * A_MINUTE)
        during = len(refused(services))
    # A second's event may have come due meanwhile, some of them on a slow machine.
    assert A_MINUTE <= during < 2 * A_MINUTE

    def counted() -> int:
        return sum(event.counts["attempts"] for event in refused(services))

    wait_for(lambda: counted() == 5 * A_MINUTE)
    events = refused(services)
    assert len(events) <= during + 1
    assert {(event.actor, event.reason_code) for event in events} == {("anonymous", "UNAUTHENTICATED")}


def test_a_flood_of_one_caller_hides_nobody_elses_refusal(services: Services) -> None:
    with asking(services) as world:
        flood(world, MOST + 3 * A_MINUTE, token=world.token())
        flood(world, 1, token=world.token("sales", purposes=[]))
    events = refused(services)
    assert [event.reason_code for event in events if event.actor == "u-sales"] == ["PURPOSE_REQUIRED"]
    mine = [event for event in events if event.actor == "u-support"]
    assert len(mine) < 2 * A_MINUTE
