"""A WebSocket from handshake to close: who is let in, every close code, operations beside each other, slow clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest

from hub.api.metrics import Requests
from hub.api.middleware import AccessLog
from hub.api.websocket import WebSocketEndpoint
from hub.audit import Action, AuditEvent
from hub.schema import GraphQLService
from hub.services import Services
from tests.api.api_world import BEN, fill, make_services, party
from tests.api.stream_world import SUBPROTOCOL, ClosedError, Socket, soon, token, until, write
from tests.databases import sqlite_store

ME = "{ me { subject purpose } }"
SECRET = "-".join(["a", "value", "of", "somebody"])
CHANGES = "subscription($after: Long) { customerChanged(after: $after) { seq customer { name } } }"


class World:
    """The company, a service and its sockets, in one loop."""

    def __init__(self, services: Services, runner: asyncio.Runner) -> None:
        assert services.authenticator is not None
        self.services, self.runner, self.authenticator = services, runner, services.authenticator
        self.service = GraphQLService(services)
        self.token = token(services)

    def app(self, most: int = 10, origins: Sequence[str] = (), **more: float) -> WebSocketEndpoint:
        return WebSocketEndpoint(self.service, self.authenticator, most, origins, **more)

    def run(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.runner.run(scenario())

    def size(self) -> int:
        return self.services.audit.size()

    def events(self, size: int) -> list[AuditEvent]:
        """What was recorded since the log had this size."""
        return [recorded.event for recorded in self.services.audit.events(after=size - 1)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sockets")
    with make_services(folder, sqlite_store(folder / "hub.sqlite")) as services, asyncio.Runner() as runner:
        fill(services)
        world = World(services, runner)
        yield world
        world.service.end_streams()
        world.service.close()


# the beginning


@pytest.mark.parametrize("place", ["payload", "header", "odd case"])
def test_token_and_purpose_come_with_the_first_message_or_the_handshake(world: World, place: str) -> None:
    given = {"authorization": f"Bearer {world.token}", "x-purpose": "customer_service"}
    if place == "odd case":
        given = {name.title(): value for name, value in given.items()}

    async def scenario() -> None:
        in_header = place == "header"
        socket = Socket(world.app(), list(given.items()) if in_header else [])
        assert await socket.accepted() == SUBPROTOCOL
        socket.sends("connection_init", **({} if in_header else {"payload": given}))
        assert await socket.hears() == {"type": "connection_ack"}
        socket.subscribes("1", ME)
        told = await socket.hears()
        assert told["payload"]["data"] == {"me": {"subject": "u-support", "purpose": "customer_service"}}
        assert await socket.hears() == {"type": "complete", "id": "1"}
        await socket.gone()

    world.run(scenario)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (None, "UNAUTHENTICATED"),
        ({}, "UNAUTHENTICATED"),
        ({"authorization": "Bearer no-token"}, "UNAUTHENTICATED"),
        ({"authorization": 7}, "UNAUTHENTICATED"),
        ({"authorization": "GOOD", "Authorization": "GOOD"}, "UNAUTHENTICATED"),
        ({"authorization": "Bearer \u2713"}, "UNAUTHENTICATED"),
        ({"authorization": "GOOD", "x-purpose": "accounting"}, "PURPOSE_REQUIRED"),
    ],
)
def test_who_is_not_let_in_hears_why_and_is_recorded(world: World, payload: Any, says: str) -> None:
    async def scenario() -> None:
        before = world.size()
        given = payload and {
            key: f"Bearer {world.token}" if value == "GOOD" else value for key, value in payload.items()
        }
        socket = Socket(world.app())
        await socket.accepted()
        socket.sends("connection_init", payload=given)
        with pytest.raises(ClosedError) as closed:
            await socket.hears()
        assert (closed.value.code, closed.value.reason.partition(":")[0]) == (4403, says)
        (event,) = world.events(before)
        assert (event.action, event.reason_code) == (Action.LOGIN_REFUSED, says)

    world.run(scenario)


def test_a_token_in_the_first_message_counts_instead_of_that_of_the_handshake(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app(), [("authorization", "Bearer no-token")])
        await socket.introduces(world.token)
        await socket.gone()

    world.run(scenario)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([], True),
        ([("origin", "https://hub.example")], True),
        ([("origin", "http://HUB.example")], True),
        ([("origin", "https://evil.example")], False),
        ([("origin", "https://hub.example.evil.example")], False),
        ([("origin", "https://hub.example:8443")], False),
        ([("origin", "null")], False),
        ([("origin", "")], False),
        ([("origin", "file://hub.example")], False),
        ([("origin", "https://[")], False),
        ([("origin", "https://hub.example"), ("origin", "https://evil.example")], False),
        ([("origin", "https://evil.example"), ("host", "evil.example")], False),
    ],
)
def test_pages_of_other_origins_are_turned_away_at_the_handshake(
    world: World, headers: list[tuple[str, str]], allowed: bool
) -> None:
    async def scenario() -> None:
        socket = Socket(world.app(), [*headers, ("authorization", f"Bearer {world.token}")])
        message = await socket.message()
        assert message["type"] == ("websocket.accept" if allowed else "websocket.close")
        await socket.gone()

    world.run(scenario)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([("origin", "https://desk.example.com")], True),
        ([("origin", "https://hub.example")], True),
        ([("origin", "http://desk.example.com")], False),
        ([("origin", "https://desk.example.com:8443")], False),
        ([("origin", "https://desk.example.com.evil.example")], False),
        ([("origin", "https://evil.example")], False),
        ([("origin", "https://desk.example.com"), ("origin", "https://evil.example")], False),
    ],
)
def test_pages_of_the_set_origins_are_welcome(
    world: World, headers: list[tuple[str, str]], allowed: bool
) -> None:
    async def scenario() -> None:
        app = world.app(origins=["https://desk.example.com"])
        socket = Socket(app, [*headers, ("authorization", f"Bearer {world.token}")])
        message = await socket.message()
        assert message["type"] == ("websocket.accept" if allowed else "websocket.close")
        await socket.gone()

    world.run(scenario)


# close codes


@pytest.mark.parametrize("subprotocols", [[], ["graphql-ws"], ["Graphql-Transport-Ws"]])
def test_another_subprotocol_closes_with_4406(world: World, subprotocols: list[str]) -> None:
    async def scenario() -> None:
        socket = Socket(world.app(), subprotocols=subprotocols)
        assert await socket.accepted() is None
        assert await socket.code() == 4406

    world.run(scenario)


def test_who_says_nothing_is_closed_with_4408(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app(init_timeout_s=0.05))
        await socket.accepted()
        socket.sends("ping")
        assert await socket.hears() == {"type": "pong"}
        assert await socket.code() == 4408

    world.run(scenario)


@pytest.mark.parametrize(
    ("messages", "code", "recorded"),
    [
        ([("subscribe", {"id": "1", "payload": {"query": ME}})], 4401, Action.LOGIN_REFUSED),
        ([("connection_init", {"payload": "GOOD"}), ("connection_init", {})], 4429, Action.READ_REFUSED),
        ([("connection_init", {"payload": "GOOD"}), ("nonsense", {})], 4400, Action.READ_REFUSED),
        ([("nonsense", {})], 4400, None),
        (
            [
                ("connection_init", {"payload": "GOOD"}),
                ("subscribe", {"id": "1", "payload": {"query": CHANGES}}),
                ("subscribe", {"id": "1", "payload": {"query": CHANGES}}),
            ],
            4409,
            Action.READ_REFUSED,
        ),
    ],
)
def test_a_breach_of_the_protocol_closes_with_its_code_and_that_of_a_known_caller_is_recorded(
    world: World, messages: list[Any], code: int, recorded: Action | None
) -> None:
    async def scenario() -> None:
        before = world.size()
        socket = Socket(world.app())
        await socket.accepted()
        for type_, members in messages:
            if members.get("payload") == "GOOD":
                members = {"payload": {"authorization": f"Bearer {world.token}"}}
            socket.sends(type_, **members)
        assert await socket.code() == code
        actions = [event.action for event in world.events(before) if event.action is not Action.READ]
        assert actions == ([recorded] if recorded else [])

    world.run(scenario)


def test_binary_messages_are_none_of_the_protocol(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app())
        await socket.introduces(world.token)
        socket._sent.put_nowait({"type": "websocket.receive", "bytes": b"{}"})
        assert await socket.code() == 4400

    world.run(scenario)


def test_when_the_token_expires_the_socket_is_closed_with_4403(world: World) -> None:
    async def scenario() -> None:
        # The verifier takes a token for 30 s more than it says, for clocks that differ. The 5 s that are left are for a
        # busy machine to answer in.
        socket = Socket(world.app())
        await socket.introduces(token(world.services, ttl_s=-25))
        socket.subscribes("1", CHANGES, after=0)
        assert (await socket.hears())["type"] == "next"
        assert await socket.code() == 4403

    world.run(scenario)


def test_more_sockets_than_allowed_are_told_to_come_again(world: World) -> None:
    async def scenario() -> None:
        app = world.app(most=1)
        first = Socket(app)
        await first.introduces(world.token)
        second = Socket(app)
        await second.accepted()
        assert await second.code() == 1013
        await first.gone()
        third = Socket(app)
        await third.introduces(world.token)
        await third.gone()

    world.run(scenario)


def test_when_the_hub_stops_sockets_are_closed_with_1001_and_none_is_opened(world: World) -> None:
    async def scenario() -> None:
        app = world.app()
        waiting, listening, leaving = Socket(app), Socket(app), Socket(app)
        await waiting.accepted()
        await listening.introduces(world.token)
        listening.subscribes("1", CHANGES, after=0)
        await listening.hears()
        await leaving.introduces(world.token)
        leaving.leaves()
        await soon(app.end())
        heard = [await listening.message() for _ in range(1)]
        while heard[-1]["type"] != "websocket.close":
            assert '"complete"' not in heard[-1]["text"]
            heard.append(await listening.message())
        assert heard[-1]["code"] == 1001
        assert await waiting.code() == 1001
        late = Socket(app)
        await late.accepted()
        assert await late.code() == 1001

    world.run(scenario)


def test_what_goes_wrong_in_the_hub_closes_with_4500_and_is_masked(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async def broken(*_: Any) -> None:
            raise KeyError(SECRET)

        monkeypatch.setattr(world.service, "refuse", broken)
        socket = Socket(world.app())
        await socket.accepted()
        socket.sends("connection_init")
        with pytest.raises(ClosedError) as closed:
            await socket.hears()
        assert closed.value.code == 4500
        assert "reference" in closed.value.reason
        assert SECRET not in closed.value.reason + caplog.text

    world.run(scenario)


# operations


def test_operations_go_on_beside_each_other_and_each_answer_has_its_id(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app())
        await socket.introduces(world.token)
        socket.subscribes("changes", CHANGES, after=0)
        socket.subscribes("bad", "{ nothing }")
        socket.subscribes("me", ME)
        heard = [await socket.hears() for _ in range(6)]
        by_id = {id_: [each for each in heard if each["id"] == id_] for id_ in ("changes", "bad", "me")}
        assert [each["type"] for each in by_id["changes"]] == ["next"] * 3
        assert [each["payload"]["data"]["customerChanged"]["seq"] for each in by_id["changes"]] == [1, 2, 3]
        assert [each["type"] for each in by_id["me"]] == ["next", "complete"]
        (error,) = by_id["bad"]
        assert (error["type"], error["payload"][0]["extensions"]["code"]) == ("error", "BAD_QUERY")
        await socket.gone()

    world.run(scenario)


def test_after_complete_no_more_is_heard_and_the_id_may_be_used_again(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app())
        await socket.introduces(world.token)
        for _ in range(3):
            socket.subscribes("1", CHANGES, after=0)
            while (await socket.hears())["payload"]["data"]["customerChanged"]["seq"] != 3:
                pass
            socket.sends("complete", id="1")
            socket.sends("ping")
            assert await socket.hears() == {"type": "pong"}
        socket.subscribes("1", ME)
        assert "me" in (await socket.hears())["payload"]["data"]
        await socket.gone()

    world.run(scenario)


def test_more_operations_than_allowed_are_refused_one_by_one(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app())
        await socket.introduces(world.token)
        for number in range(60):
            socket.subscribes(str(number), CHANGES, after=world.services.store.last_change())
        heard = [await socket.hears() for _ in range(10)]
        assert {each["id"] for each in heard} == {str(number) for number in range(50, 60)}
        assert {each["payload"][0]["extensions"]["code"] for each in heard} == {"LIMIT_EXCEEDED"}
        await socket.gone()

    world.run(scenario)


def test_an_operation_that_breaks_is_masked_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        socket = Socket(world.app())
        await socket.introduces(world.token)
        with monkeypatch.context() as patch:

            async def broken(*_: Any) -> Any:
                raise KeyError(SECRET)
                yield

            patch.setattr(world.service, "stream", broken)
            socket.subscribes("1", ME)
            error = await socket.hears()
        assert (error["type"], error["id"]) == ("error", "1")
        assert SECRET not in str(error) + caplog.text
        socket.subscribes("1", ME)
        assert (await socket.hears())["type"] == "next"
        await socket.gone()

    world.run(scenario)


def test_who_leaves_is_no_longer_served(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app())
        await socket.introduces(world.token)
        socket.subscribes("1", CHANGES, after=0)
        await socket.hears()
        await socket.gone()
        assert not world.service._streams._open

    world.run(scenario)


def test_a_client_that_reads_too_slowly_is_let_go_and_keeps_little_in_memory(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app(send_timeout_s=0.1), room=1)
        await socket.introduces(world.token)
        socket.subscribes("1", CHANGES, after=0)
        await asyncio.wait_for(asyncio.shield(socket.task), 20)
        assert socket._heard.qsize() == 1
        assert not world.service._streams._open

    world.run(scenario)


# the log


def test_the_log_tells_path_and_code_and_nothing_that_a_client_said(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        app = AccessLog(world.app(), paths=["/graphql"], requests=Requests())
        with caplog.at_level(logging.INFO, "hub.api.access"):
            for headers, subprotocols in (
                ([], ["secret"]),
                ([("origin", "https://secret.example")], [SUBPROTOCOL]),
            ):
                socket = Socket(app, headers, subprotocols)
                await soon(asyncio.wait([socket.task]))
            gone = Socket(app)
            await gone.introduces(world.token)
            await gone.gone()
        assert [line.split(" ")[:3] for line in caplog.messages] == [
            ["WEBSOCKET", "/graphql", "4406"],
            ["WEBSOCKET", "/graphql", "403"],
            ["WEBSOCKET", "/graphql", "1000"],
        ]
        assert "secret" not in caplog.text

    world.run(scenario)


def test_a_change_reaches_a_socket(world: World) -> None:
    async def scenario() -> None:
        socket = Socket(world.app())
        await socket.introduces(world.token)
        before = world.size()
        socket.subscribes("1", CHANGES)
        await until(lambda: world.size() > before)
        write(world.services, party("erp", "C2", name="Told at once", **BEN))
        told = await socket.hears()
        assert told["payload"]["data"]["customerChanged"]["customer"] == {"name": "Told at once"}
        await socket.gone()

    world.run(scenario)
