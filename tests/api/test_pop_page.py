"""The page `/pop`: HTML that the hub makes, for the agent's rights, and nothing of anybody without a token."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers

from hub.api.admission import Admission
from hub.api.credentials import let_in
from hub.api.popping import PopPage
from hub.audit import Action
from hub.calls import CallState, Facts
from hub.commands import ReportCall, report_call
from hub.schema import GraphQLService
from hub.services import Services
from tests.api.api_world import party
from tests.api.stream_world import token, write
from tests.api.test_cti import Pbx, ringing
from tests.calls.call_world import ALONE, LINE, Morning, morning
from tests.databases import sqlite_store


@pytest.fixture
def pbx(tmp_path: Path) -> Iterator[Pbx]:
    with ringing(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), phone_region="GB") as made:
        yield made


def card(pbx: Pbx, role: str | None = "support", **query: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {pbx.world.token(role)}"} if role else {}
    reply: httpx.Response = pbx.world.ask_app("GET", "/pop/card", params=query, headers=headers)
    return reply


def test_a_card_is_html_for_the_agents_rights_and_on_record(pbx: Pbx) -> None:
    reply = card(pbx, number="0117 496 0020")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["cache-control"] == "no-store"
    assert "Cleo Marsh" in reply.text
    assert "not verified" in reply.text
    assert pbx.last_event().customers == (pbx.phones.customer("C3"),)


def test_a_card_shows_none_one_and_many(pbx: Pbx) -> None:
    assert "Nobody known" in card(pbx, number="+441174960055").text
    assert "Ticket: Call me" in card(pbx, number="+441174960099").text
    assert "2 people may be calling" in card(pbx, number=LINE).text
    assert "Number withheld" in card(pbx, number="anonymous").text


def test_a_card_without_a_call_offers_nothing_to_say_of_it(pbx: Pbx) -> None:
    assert "data-act" not in card(pbx, number=ALONE).text
    pbx.tell(event="newCall", callId="c-1", **{"from": ALONE})
    assert 'data-act="confirmCaller"' in card(pbx, callId="c-1").text


def test_values_are_escaped(pbx: Pbx) -> None:
    write(pbx.services, party("erp", "C9", name="<img src=x onerror=alert(1)>", telephone="+441174960077"))
    text = card(pbx, number="+441174960077").text
    assert "<img" not in text
    assert "&lt;img src=x" in text


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("it", 200)])
def test_who_may_not_know_is_told_nothing(pbx: Pbx, role: str | None, status: int) -> None:
    reply = card(pbx, role, number=ALONE)
    assert reply.status_code == status
    assert "Marsh" not in reply.text


def test_a_refusal_is_no_card(pbx: Pbx) -> None:
    reply = card(pbx, callId="nothing")
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert reply.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["/pop", "/pop/pop.js", "/pop/pop.css", "/pop/icon.svg"])
def test_the_page_has_no_outside_assets_and_a_strict_policy(pbx: Pbx, path: str) -> None:
    reply = pbx.get(path, key=None)
    assert reply.status_code == 200
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    outside = reply.text.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in outside
    assert "https://" not in outside
    assert " style=" not in outside
    assert "onclick=" not in outside


def test_cards_come_as_events_that_are_on_record(tmp_path: Path) -> None:
    async def scenario(services: Services) -> str:
        assert services.authenticator is not None
        service = GraphQLService(services)
        page = PopPage(service, Admission(service, services.authenticator))
        headers = Headers({"authorization": f"Bearer {token(services)}"})
        caller = await let_in(service, services.authenticator, headers)
        author = Morning(services).author("pbx")
        report = ReportCall("c-1", CallState.RINGING, extension="21", facts=Facts(number=ALONE))
        report_call(services, author, "pbx-one", report)
        stream = page._events(caller, "21")
        assert await anext(stream) == b":\n\n"
        event = await asyncio.wait_for(anext(stream), 20)
        service.end_streams()
        assert [each async for each in stream] == []
        service.close()
        return event.decode()

    with morning(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), pop_deadline_ms=5000) as phones:
        event = asyncio.run(scenario(phones.services))
        customers = [
            each.event.customers
            for each in phones.services.audit.events()
            if each.event.action is Action.READ
        ]
        assert (phones.customer("C3"),) in customers
    assert event.startswith("event: card\ndata: <article")
    assert event.endswith("\n\n")
    assert "Cleo Marsh" in event
