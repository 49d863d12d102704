"""No page of another origin asks the API from a browser, unless its origin is set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.api import create_app
from tests.api.api_world import World, asking, make_services
from tests.api.stream_world import Socket
from tests.databases import sqlite_store

ORIGIN, OTHER = "https://desk.example.com", "https://elsewhere.example.com"


@pytest.fixture
def open_to_a_page(tmp_path: Path) -> Iterator[World]:
    url = sqlite_store(tmp_path / "hub.sqlite")
    with make_services(tmp_path, url, cors_origins=(ORIGIN,)) as services, asking(services) as world:
        yield world


def test_a_page_of_a_set_origin_may_ask_with_token_and_purpose_and_no_other_page(
    open_to_a_page: World,
) -> None:
    world = open_to_a_page
    for origin, allowed in ((ORIGIN, True), (OTHER, False)):
        preflight = world.ask_app(
            "OPTIONS",
            "/graphql",
            headers={
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization, content-type, x-purpose",
            },
        )
        assert (preflight.status_code == 200) is allowed
        assert (preflight.headers.get("access-control-allow-origin") == origin) is allowed
        assert "access-control-allow-credentials" not in preflight.headers
        reply = world.post({"query": "{ me { subject } }"}, world.token(), origin=origin)
        assert (reply.headers.get("access-control-allow-origin") == origin) is allowed


@pytest.mark.parametrize("asked", [("PUT", ""), ("POST", "x-other")])
def test_other_methods_and_headers_are_not_allowed(open_to_a_page: World, asked: tuple[str, str]) -> None:
    headers = {
        "origin": ORIGIN,
        "access-control-request-method": asked[0],
        "access-control-request-headers": asked[1],
    }
    assert open_to_a_page.ask_app("OPTIONS", "/graphql", headers=headers).status_code == 400


@pytest.mark.parametrize(("origin", "allowed"), [(ORIGIN, True), (OTHER, False)])
def test_a_page_of_a_set_origin_may_open_a_socket_and_no_other_page(
    open_to_a_page: World, origin: str, allowed: bool
) -> None:
    async def scenario() -> None:
        socket = Socket(create_app(open_to_a_page.services), [("origin", origin)])
        message = await socket.message()
        assert message["type"] == ("websocket.accept" if allowed else "websocket.close")
        await socket.gone()

    asyncio.run(scenario())
