"""Subscriptions, queries and refusals as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from hub.api.admission import Admission
from hub.api.endpoint import GraphQLEndpoint
from hub.api.sse import EventStreams
from hub.audit import Action
from hub.schema import GraphQLService
from hub.services import Services
from tests.api.api_world import fill, make_services
from tests.api.stream_world import EventSource, soon, token
from tests.databases import sqlite_store

ME = {"query": "{ me { subject } }"}
CHANGES = {"query": "subscription { customerChanged(after: 0) { seq customer { name } } }"}


class World:
    """The company, a service and its event streams, in one loop."""

    def __init__(self, services: Services, runner: asyncio.Runner) -> None:
        self.services, self.runner = services, runner
        self.service = GraphQLService(services)
        self.token = token(services)

    def app(self, **more: float) -> tuple[GraphQLEndpoint, EventStreams]:
        assert self.services.authenticator is not None
        streams = EventStreams(self.service, **more)
        return GraphQLEndpoint(
            self.service, Admission(self.service, self.services.authenticator), streams
        ), streams

    def run(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.runner.run(scenario())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("events")
    with make_services(folder, sqlite_store(folder / "hub.sqlite")) as services, asyncio.Runner() as runner:
        fill(services)
        world = World(services, runner)
        yield world
        world.service.end_streams()
        world.service.close()


def test_each_change_is_an_event_until_the_client_leaves(world: World) -> None:
    async def scenario() -> None:
        app, streams = world.app()
        source = EventSource(app, CHANGES, world.token)
        status, headers = await source.started()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert headers["cache-control"] == "no-store"
        events = [await source.event() for _ in range(3)]
        assert [name for name, _ in events] == ["next"] * 3
        assert [data["data"]["customerChanged"]["seq"] for _, data in events] == [1, 2, 3]
        assert len(streams.open) == 1
        await source.leaves()
        assert not streams.open
        assert not world.service._streams._open

    world.run(scenario)


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("text/event-stream", True),
        ("text/event-stream, application/json", True),
        ("application/json, text/event-stream", False),
        ("application/json;q=0.5, text/event-stream", True),
        ("*/*", False),
    ],
)
def test_a_query_is_answered_by_one_event_where_the_client_prefers_events(
    world: World, accept: str, is_stream: bool
) -> None:
    async def scenario() -> None:
        source = EventSource(world.app()[0], ME, world.token, accept=accept)
        status, headers = await source.started()
        assert status == 200
        assert headers["content-type"].startswith("text/event-stream") is is_stream
        if is_stream:
            assert await source.event() == ("next", {"data": {"me": {"subject": "u-support"}}})
            assert await source.event() == ("complete", "")
        await soon(source.task)

    world.run(scenario)


def test_what_is_refused_is_told_by_an_event_because_a_browser_hides_a_status(world: World) -> None:
    async def scenario() -> None:
        before = world.services.audit.size()
        source = EventSource(world.app()[0], {"query": "subscription { nothing }"}, world.token)
        assert (await source.started())[0] == 200
        name, data = await source.event()
        assert (name, data["errors"][0]["extensions"]["code"]) == ("next", "BAD_QUERY")
        assert await source.event() == ("complete", "")
        (event,) = world.services.audit.events(after=before - 1)
        assert event.event.action is Action.READ_REFUSED

    world.run(scenario)


@pytest.mark.parametrize(("body", "known", "status"), [(CHANGES, False, 401), ({}, True, 400)])
def test_who_is_not_let_in_and_what_is_no_request_has_a_status(
    world: World, body: Any, known: bool, status: int
) -> None:
    async def scenario() -> None:
        source = EventSource(world.app()[0], body, world.token if known else None)
        found, headers = await source.started()
        assert (found, headers["content-type"]) == (status, "application/json; charset=utf-8")
        await soon(source.task)

    world.run(scenario)


def test_an_idle_stream_shows_that_it_lives(world: World) -> None:
    async def scenario() -> None:
        source = EventSource(world.app(keep_alive_s=0.02)[0], CHANGES, world.token)
        await source.started()
        text = ""
        while text.count("\n:\n\n") < 2:
            text += await source.chunk()
        assert text.count("event: next") == 3
        await source.leaves()

    world.run(scenario)


def test_when_the_token_expires_the_stream_ends_and_says_so(world: World) -> None:
    async def scenario() -> None:
        source = EventSource(world.app()[0], CHANGES, token(world.services, ttl_s=-29))
        await source.started()
        heard = [await source.event()]
        while heard[-1][0] != "complete":
            heard.append(await source.event())
        assert heard[-2][1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await source.event() == ("", "")
        await soon(source.task)

    world.run(scenario)


def test_when_the_hub_stops_streams_end_incomplete_so_that_clients_come_again(world: World) -> None:
    async def scenario() -> None:
        app, streams = world.app()
        source = EventSource(app, CHANGES, world.token)
        await source.started()
        await soon(streams.end())
        heard = [await source.event()]
        while heard[-1][0]:
            heard.append(await source.event())
        assert {name for name, _ in heard} <= {"next", ""}
        late = EventSource(app, CHANGES, world.token)
        await late.started()
        assert await late.event() == ("", "")
        await soon(asyncio.gather(source.task, late.task))

    world.run(scenario)


def test_a_client_that_reads_too_slowly_is_let_go(world: World) -> None:
    async def scenario() -> None:
        app, streams = world.app(send_timeout_s=0.05)
        source = EventSource(app, CHANGES, world.token, room=2)
        await soon(source.task)
        assert source._heard.qsize() == 2
        assert not streams.open

    world.run(scenario)


def test_a_failing_log_ends_the_stream_with_a_masked_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        world.services.recorder.close()
        source = EventSource(world.app()[0], CHANGES, world.token)
        await source.started()
        name, data = await source.event()
        assert (name, data["errors"][0]["extensions"]["code"]) == ("next", "UNAVAILABLE")
        assert "data" not in data
        assert await source.event() == ("complete", "")

    world.run(scenario)


def test_tokens_tell_until_when_they_are_good(world: World) -> None:
    assert world.services.authenticator is not None
    ask = world.services.authenticator.caller
    first, second = (asyncio.run(ask(token(world.services, ttl_s=ttl))) for ttl in (60, 3660))
    assert 3599 <= second.expires_at - first.expires_at <= 3601
