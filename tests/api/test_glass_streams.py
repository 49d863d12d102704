"""Subscriptions through a broken glass: of its one customer, and no longer than it is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from hub.access import Requester
from hub.api import create_app
from hub.commands import Author, BreakGlass, break_glass, stop_glass
from hub.schema import GraphQLService
from hub.services import Services
from hub.store import fixed, iso_utc
from tests.api.api_world import fill, make_services, party
from tests.api.glass_world import REASON, write_policy
from tests.api.stream_world import EventSource, Listener, Socket, requester, token, write

CHANGES = "subscription { customerChanged { customer { name email } } }"
SYNCS = "subscription { syncProgress { state } }"
CUSTOMERS = {"query": "{ customers { nodes { email } } }"}


@pytest.fixture
def services(store_url: str, tmp_path: Path) -> Iterator[Services]:
    with make_services(tmp_path, store_url, policy_file=write_policy(tmp_path)) as services:
        fill(services)
        yield services


def customer(services: Services, name: str) -> str:
    with services.store.read() as connection:
        found = connection.exec_driver_sql(f"SELECT id FROM customer WHERE name = '{name}'")
        return str(found.scalar_one())


def broken(services: Services, name: str = "Ann Archer") -> Requester:
    """A planner who broke a glass for the customer."""
    asks = requester(services, "supply_chain")
    order = BreakGlass(customer(services, name), ("user.contact",), REASON, "T-1", None, uuid4().hex)
    opened = break_glass(services, Author.of(asks, services.access), order)
    return replace(asks, break_glass=opened.id)


def ends_in(services: Services, asks: Requester, seconds: float) -> None:
    table, at = fixed.break_glass, datetime.now(UTC) + timedelta(seconds=seconds)
    with services.store.write() as connection:
        connection.execute(update(table).where(table.c.id == asks.break_glass).values(expires_at=iso_utc(at)))


@asynccontextmanager
async def listening(services: Services, asks: Requester, document: str = CHANGES) -> AsyncIterator[Listener]:
    service = GraphQLService(services)
    listener = Listener(service, asks, document)
    try:
        yield listener
    finally:
        await listener._answers.aclose()
        service.end_streams()
        service.close()


def moved(*who: tuple[str, str]) -> list[Any]:
    return [party("erp", key, email=mail) for key, mail in who]


def test_it_tells_of_the_one_customer_and_ends_when_it_is_stopped(services: Services) -> None:
    asks = broken(services)

    async def run() -> None:
        async with listening(services, asks) as listener:
            telling = asyncio.create_task(listener.data())
            await begun(services, asks)
            write(services, *moved(("C2", "ben@example.com"), ("C1", "ann.new@example.com")))
            assert (await telling)["customer"]["email"] is not None
            stop_glass(services, Author.of(asks, services.access), asks.break_glass or "")
            write(services, *moved(("C1", "ann.last@example.com")), run_id=3)
            assert await listener.code() == "FORBIDDEN"

    asyncio.run(run())


@pytest.mark.parametrize("document", [CHANGES, SYNCS])
def test_it_ends_by_itself_when_its_time_has_run_out(services: Services, document: str) -> None:
    asks = broken(services)

    async def run() -> None:
        async with listening(services, asks, document) as listener:
            ends_in(services, asks, 3)
            assert await listener.code() == "FORBIDDEN"

    asyncio.run(run())
    services.publish_events()
    codes = [each.event.reason_code for each in services.audit.events() if each.event.break_glass]
    assert codes.count("expired") == 1
    assert codes.count("used") == 1


async def begun(services: Services, asks: Requester) -> None:
    """Returns once the glass is in use, and a moment later, when its subscription listens."""
    table = fixed.break_glass
    async with asyncio.timeout(20):
        while True:
            with services.store.read() as connection:
                uses = connection.execute(table.select().where(table.c.id == asks.break_glass)).one().uses
            if uses:
                break
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)


def test_a_socket_names_it_in_its_first_message_and_an_event_stream_by_header(services: Services) -> None:
    asks = broken(services)
    named = {"x-purpose": "order_fulfilment", "x-break-glass": asks.break_glass or ""}

    async def run() -> None:
        app = create_app(services)
        async with app.router.lifespan_context(app):
            socket = Socket(app)
            await socket.introduces(token(services, "supply_chain"), **named)
            socket.subscribes("1", CUSTOMERS["query"])
            told = (await socket.hears())["payload"]
            assert told["data"]["customers"]["nodes"] == [{"email": "ann@example.com"}]
            await socket.gone()
            source = EventSource(app, CUSTOMERS, token(services, "supply_chain"), **named)
            await source.started()
            _, told = await source.event()
            assert told["data"]["customers"]["nodes"] == [{"email": "ann@example.com"}]
            await source.leaves()

    asyncio.run(run())


def test_the_api_ends_what_has_run_out_though_nobody_asks(services: Services) -> None:
    asks = broken(services)
    ends_in(services, asks, -1)

    async def run() -> None:
        app = create_app(services)
        async with app.router.lifespan_context(app), asyncio.timeout(20):
            while not any(each.event.reason_code == "expired" for each in services.audit.events()):
                await asyncio.sleep(0.05)

    asyncio.run(run())
