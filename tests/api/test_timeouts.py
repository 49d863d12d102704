"""Nobody waits for ever, and nothing runs on for nobody: at its time, or when its client goes, a request's SQL ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Connection

from hub.access import DemoIssuer, Requester
from hub.api import create_app
from hub.audit import Action, AuditEvent
from hub.schema import GraphQLRequest, GraphQLService
from hub.services import Services
from hub.store import Cancellation, Store
from tests.api.api_world import asking, fill, make_services
from tests.store.test_cancellation import ENDLESS

LIST = "{ orders(first: 1) { totalCount } }"
POINT = '{ customer(id: "cus_x") { id } }'
WAY = '{ path(from: "cus_x", to: "cus_y") { start } }'
SUPPORT = Requester("u-1", frozenset({"support"}), "support", "customer_service", "t", ("customer_service",))
LONG_S = 300.0


WATCHING: list[Callable[[], None]] = []
"""Called when a statement of a request begins."""


def begin() -> None:
    for told in WATCHING:
        told()


@pytest.fixture
def patience() -> float:
    return 1.0


@pytest.fixture
def slow(
    tmp_path: Any, store_url: str, patience: float, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    """A hub whose database takes for ever on every read plan."""

    def endless(connection: Connection, *_more: Any) -> Any:
        begin()
        return connection.exec_driver_sql(ENDLESS[connection.dialect.name]).fetchone()

    def endless_alone(store: Store, _plan: Any, _variables: Any, cancellation: Cancellation) -> Any:
        begin()
        with store.asking(cancellation) as ask:
            return ask(ENDLESS[store.dialect.name], {})

    async def endless_on_loop(store: Store, _plan: Any, _variables: Any, cancellation: Cancellation) -> Any:
        begin()
        return await store.first_row(ENDLESS[store.dialect.name], {}, cancellation)

    with make_services(tmp_path, store_url, timeout_s=patience) as services:
        fill(services)
        monkeypatch.setattr("hub.schema.service.run_plan", endless)
        monkeypatch.setattr("hub.schema.service.answer", endless_alone)
        monkeypatch.setattr("hub.schema.service.answer_on_loop", endless_on_loop)
        monkeypatch.setattr("hub.graph.network.execute", endless)
        yield services


def last_event(services: Services) -> AuditEvent:
    *_, last = services.audit.events()
    return last.event


@pytest.mark.parametrize("document", [LIST, POINT, f"{LIST[:-1]} me {{ subject }} }}", WAY])
def test_a_request_is_answered_at_its_time_and_its_sql_is_stopped(
    slow: Services, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asking(slow) as world:
        # More often than there are threads: none is lost to a read that nobody waits for.
        for _ in range(5 if document is LIST else 1):
            reply = world.ask(document)
            assert reply.code == "LIMIT_EXCEEDED"
            assert "The limit timeout is 1 seconds" in reply.message
        refused = last_event(slow)
        assert (refused.action, refused.reason_code) == (Action.READ_REFUSED, "LIMIT_EXCEEDED")
        monkeypatch.undo()
        assert world.ask("{ tickets(first: 1) { totalCount } }").data["tickets"]["totalCount"] == 1


@asynccontextmanager
async def reading() -> AsyncIterator[asyncio.Event]:
    """Is set when a statement of a request is under way."""
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def note() -> None:
        loop.call_soon_threadsafe(begun.set)

    WATCHING.append(note)
    yield begun
    WATCHING.remove(note)


@pytest.mark.parametrize("patience", [LONG_S])
def test_sql_is_stopped_when_the_client_goes(slow: Services) -> None:
    token = DemoIssuer(slow.settings.data_dir).issue("u-1", "support", ["support"], ["customer_service"])

    async def goes() -> list[Any]:
        sent: list[Any] = []
        async with reading() as begun:
            messages = [{"type": "http.request", "body": json.dumps({"query": LIST}).encode()}]

            async def receive() -> Any:
                if messages:
                    return messages.pop()
                await begun.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                sent.append(message)

            headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
            scope = {
                "type": "http",
                "method": "POST",
                "path": "/graphql",
                "query_string": b"",
                "headers": headers,
            }
            async with slow.store.on_loop():
                await create_app(slow)(scope, receive, send)
        return sent

    assert asyncio.run(goes())
    gone = last_event(slow)
    assert (gone.action, gone.actor, gone.reason_code) == (Action.READ_REFUSED, "u-1", "CLIENT_GONE")


@pytest.mark.parametrize("patience", [LONG_S])
def test_sql_is_stopped_when_the_task_is_cancelled(slow: Services) -> None:
    service = GraphQLService(slow)

    async def is_cancelled() -> None:
        async with slow.store.on_loop(), reading() as begun:
            task = asyncio.create_task(service.answer(GraphQLRequest(LIST), SUPPORT))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(is_cancelled())
    service.close()  # waits for the thread, which would be busy for ever
    slow.recorder.close()
    gone = last_event(slow)
    assert (gone.action, gone.reason_code) == (Action.READ_REFUSED, "CLIENT_GONE")
