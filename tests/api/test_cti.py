"""PBXs ask who is calling, and tell of calls: as FreePBX, FreeSWITCH, 3CX, Yeastar, Zammad's friends and phones do."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from hub.api.cti import MAX_EVENT
from hub.api.machines import Machines
from hub.audit import Action, AuditEvent
from hub.calls import Call, call_by_key
from hub.calls.cnam import MAX_LINE, safe
from hub.calls.screenpop import ScreenPop
from hub.errors import StoreUnavailableError
from hub.schema import GraphQLService
from hub.settings import PbxSettings
from tests.api.api_world import World, asking
from tests.calls.call_world import ALONE, LINE, SWITCHBOARD, Morning, morning
from tests.databases import sqlite_store

GB = PbxSettings(region="GB", lines={"+441174960100": "Quayside Tools"})
LATER = {"pop_deadline_ms": 5000}
"""The machine may be busy."""


class Pbx:
    """A PBX with its key."""

    def __init__(self, world: World, label: str = "pbx-one") -> None:
        self.world, self.services = world, world.services
        self.phones = Morning(world.services)
        _, self.key = self.services.keys.create(label, ("pbx",), ("customer_service",), 30)

    def get(self, path: str, key: str | None = "own", **query: str) -> httpx.Response:
        given = {**query, **({"key": self.key if key == "own" else key} if key else {})}
        reply: httpx.Response = self.world.ask_app("GET", path, params=given)
        return reply

    def name(self, number: str, **query: str) -> str:
        reply = self.get("/cti/v1/cnam", number=number, **query)
        assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        return reply.text

    def tell(self, **said: Any) -> httpx.Response:
        headers = {"x-api-key": self.key}
        reply: httpx.Response = self.world.ask_app("POST", "/cti/v1/events", data=said, headers=headers)
        return reply

    def call(self, key: str = "c-1") -> Call:
        with self.services.store.read() as connection:
            found = call_by_key(connection, "pbx-one", key)
        assert found is not None
        return found

    def last_event(self) -> AuditEvent:
        return self.world.events_after(self.world.seq() - 1)[-1]


@contextmanager
def ringing(folder: Path, url: str, **settings: Any) -> Iterator[Pbx]:
    with (
        morning(folder, url, **{"pbx": {"pbx-one": GB}, **LATER, **settings}) as phones,
        asking(phones.services) as world,
    ):
        yield Pbx(world)


@pytest.fixture
def pbx(store_url: str, tmp_path: Path) -> Iterator[Pbx]:
    with ringing(tmp_path, store_url) as made:
        yield made


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Pbx]:
    with ringing(tmp_path, sqlite_store(tmp_path / "hub.sqlite")) as made:
        yield made


# a line of text


@pytest.mark.parametrize(
    ("number", "line"),
    [
        ("0117 496 0020", "C. Marsh - open ticket"),
        (SWITCHBOARD, "Quayside Traders"),
        (LINE, "2 people: B. Archer A. Archer"),
        ("+441174960055", ""),
        ("anonymous", ""),
        ("", ""),
    ],
)
def test_a_display_is_told_a_line(pbx: Pbx, number: str, line: str) -> None:
    assert pbx.name(number) == line


def test_whom_a_display_told_of_is_on_record_before(pbx: Pbx) -> None:
    pbx.name(ALONE)
    event = pbx.last_event()
    assert (event.action, event.customers) == (Action.READ, (pbx.phones.customer("C3"),))
    assert event.actor.startswith("key:")
    assert event.roles == ("pbx",)


@pytest.mark.parametrize(("shows", "line"), [("initials", "C. M."), ("known", "Known customer")])
def test_a_display_is_told_as_little_as_is_configured(tmp_path: Path, shows: str, line: str) -> None:
    settings = {"pbx-one": PbxSettings(region="GB", shows=shows, unknown="Stranger")}
    with ringing(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), pbx=settings) as pbx:
        assert pbx.name(ALONE) == line
        assert pbx.name("+441174960055") == "Stranger"


@pytest.mark.parametrize("key", [None, "", "hubkey_000000000000_x", "eyJ.a.b", "x" * 10_000])
def test_a_wrong_key_is_told_nothing_with_200(quick: Pbx, key: str | None) -> None:
    reply = quick.get("/cti/v1/cnam", key=key, number=ALONE)
    assert (reply.status_code, reply.text) == (200, "")
    assert quick.last_event().action is Action.LOGIN_REFUSED


def test_a_line_is_short_and_holds_nothing_that_a_pbx_would_take_for_anything_else() -> None:
    assert safe('Ann "x" <sip:1@example.com>; |\n\r\tB,C') == "Ann x sip:1@example.com B C"
    assert len(safe("a" * 100)) == MAX_LINE


def test_an_error_is_no_body_that_a_phone_would_show(quick: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_more: object) -> None:
        raise StoreUnavailableError("the database is out of reach")

    monkeypatch.setattr(ScreenPop, "card", broken)
    reply = quick.get("/cti/v1/cnam", number=ALONE)
    assert (reply.status_code, reply.text) == (200, "")
    assert quick.get("/cti/v1/lookup", number=ALONE).status_code == 503


def test_a_phone_is_answered_in_time_though_the_database_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"pbx-one": PbxSettings(region="GB", unknown="Unknown")}
    url = sqlite_store(tmp_path / "hub.sqlite")
    with ringing(tmp_path, url, pbx=settings, pop_deadline_ms=50) as pbx:
        released: list[bool] = []

        def hanging(*_given: object, **_more: object) -> None:
            while not released:
                time.sleep(0.01)
            raise StoreUnavailableError("the database is out of reach")

        monkeypatch.setattr(ScreenPop, "card", hanging)
        # More than there are threads: who comes later must not wait for those who hang.
        assert [pbx.name(ALONE) for _ in range(12)] == ["Unknown"] * 12
        released.append(True)


def test_who_hangs_up_leaves_the_work_to_its_end_and_its_place_taken_until_then(quick: Pbx) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(20)
        ended.set()

    async def scenario() -> None:
        service = GraphQLService(quick.services)
        assert quick.services.authenticator is not None
        machines = Machines(quick.services, service, quick.services.authenticator)
        waiting = asyncio.ensure_future(machines.work(work))
        await asyncio.to_thread(begun.wait, 20)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert machines.under_way == 1
        go_on.set()
        assert await asyncio.to_thread(ended.wait, 20)
        while machines.under_way:
            await asyncio.sleep(0.01)
        machines.close()
        service.close()

    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_no_key_and_no_number_reach_the_log(quick: Pbx, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "hub"):
        quick.name(ALONE)
        quick.get("/cti/v1/lookup", number=ALONE)
        quick.tell(event="newCall", callId="c-1", **{"from": ALONE})
    assert "/cti/v1/cnam 200" in caplog.text
    assert not [each for each in (quick.key, quick.key[-20:], "4960020", "Marsh") if each in caplog.text]


# JSON


def test_a_lookup_tells_who_how_sure_and_why(pbx: Pbx) -> None:
    reply = pbx.get("/cti/v1/lookup", number="0117 496 0020", dnis="01174960100")
    body = reply.json()
    assert (body["status"], body["deadline_hit"], body["brand"]) == ("one", False, "Quayside Tools")
    (match,) = body["matches"]
    assert (match["id"], match["name"]) == (pbx.phones.customer("C3"), "Cleo Marsh")
    assert (match["confidence"], match["why"], match["open_tickets"]) == (0.9, ["number"], 1)
    assert match["url"] == "http://hub.example/pop?number=%2B441174960020"
    assert (match["phones"], match["email"], match["open"]) == ([], None, [])
    handed_on = pbx.get("/cti/v1/lookup", uui=match["uui"]).json()["matches"]
    assert [(each["name"], each["why"]) for each in handed_on] == [
        ("Cleo Marsh", ["handed on with the call"])
    ]
    assert pbx.last_event().customers == (pbx.phones.customer("C3"),)


def test_a_lookup_takes_what_was_typed_and_a_limit(pbx: Pbx) -> None:
    assert (
        pbx.get("/cti/v1/lookup", number=LINE, ivr_id="K-1001").json()["matches"][0]["name"] == "Ann Archer"
    )
    assert len(pbx.get("/cti/v1/lookup", number=LINE, limit="1").json()["matches"]) == 1
    assert pbx.get("/cti/v1/lookup", number=LINE, limit="0").status_code == 400


def test_a_lookup_cannot_claim_that_a_pin_was_right(pbx: Pbx) -> None:
    body = pbx.get("/cti/v1/lookup", number=ALONE, ivr_id="K-1003", pin_verified="1", attestation="A").json()
    assert body["matches"][0]["open"] == []


def test_a_call_that_the_pbx_vouched_for_shows_headlines(pbx: Pbx) -> None:
    pbx.tell(event="newCall", callId="c-1", ivr_id="K-1003", pin_verified="1", **{"from": "anonymous"})
    (match,) = pbx.get("/cti/v1/lookup", callId="c-1").json()["matches"]
    assert [each["ref"] for each in match["open"]] == ["T1", "O1", "S1"]
    other = Pbx(pbx.world, "pbx-two")
    assert other.get("/cti/v1/lookup", callId="c-1").json()["status"] == "none"


@pytest.mark.parametrize("path", ["/cti/v1/lookup", "/cti/v1/events"])
def test_who_has_no_key_is_told_so(quick: Pbx, path: str) -> None:
    reply = quick.get(path, key=None)
    assert (reply.status_code, reply.json()["error"]) == (401, "UNAUTHENTICATED")


def test_who_asks_too_often_waits_and_a_display_stays_empty(tmp_path: Path) -> None:
    with ringing(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), pop_requests=1) as pbx:
        assert pbx.name(ALONE) == "C. Marsh - open ticket"
        reply = pbx.get("/cti/v1/lookup", number=ALONE)
        assert (reply.status_code, int(reply.headers["retry-after"]) > 0) == (429, True)
        assert pbx.name(ALONE) == ""


def test_the_key_of_a_pbx_opens_nothing_else(quick: Pbx) -> None:
    reply = quick.world.post({"query": "{ customers(first: 1) { nodes { name telephone } } }"}, quick.key)
    assert (reply.status, reply.code) == (403, "FORBIDDEN")


def test_an_agent_may_look_up_too(quick: Pbx) -> None:
    headers = {"authorization": f"Bearer {quick.world.token('support')}"}
    reply = quick.world.ask_app("GET", "/cti/v1/lookup", params={"number": ALONE}, headers=headers)
    assert reply.json()["matches"][0]["name"] == "Cleo Marsh"


# events


def test_events_as_zammad_has_them_make_one_call(pbx: Pbx) -> None:
    new = {
        "event": "newCall",
        "from": "441174960020",
        "to": "441174960100",
        "direction": "in",
        "callId": "c-1",
    }
    assert pbx.tell(**new).json()["ok"]
    pbx.tell(**new)
    pbx.tell(event="answer", callId="c-1", answeringNumber="21", **{"from": "441174960020"})
    pbx.tell(event="hangup", callId="c-1", cause="normalClearing", direction="in")
    call = pbx.call()
    assert (call.number, call.extension, call.cause, call.was_missed) == (
        ALONE,
        "21",
        "normalClearing",
        False,
    )
    assert call.customer_id == pbx.phones.customer("C3")


def test_events_come_as_json_and_as_action_urls_of_phones(pbx: Pbx) -> None:
    body = {"event": "newCall", "callId": 7, "from": ALONE, "user[]": ["Gil"], "extension": None}
    headers = {"authorization": f"Bearer {pbx.key}"}
    reply = pbx.world.ask_app("POST", "/cti/v1/events", json=body, headers=headers)
    assert (reply.status_code, pbx.call("7").extension) == (200, None)
    assert (
        pbx.get("/cti/v1/events", event="ringing", callid="9", number=ALONE, extension="21").status_code
        == 200
    )
    assert pbx.call("9").extension == "21"


def test_a_call_of_ours_is_with_whom_we_called(pbx: Pbx) -> None:
    pbx.tell(event="newCall", callId="c-1", direction="out", to=ALONE, **{"from": "21"})
    assert (pbx.call().direction, pbx.call().number) == ("outbound", ALONE)


def test_a_journal_tells_of_a_call_once_it_has_ended(pbx: Pbx) -> None:
    said = {"event": "hangup", "callId": f"{ALONE}-3/1/2026 10:00", "number": ALONE, "extension": "21"}
    pbx.tell(**said, call_type="Inbound", duration="61")
    call = pbx.call(f"{ALONE}-3/1/2026_10:00")
    assert (call.was_missed, call.extension) == (False, "21")
    pbx.tell(**{**said, "callId": "c-2"}, call_type="Missed", duration="0")
    assert pbx.call("c-2").was_missed


@pytest.mark.parametrize(
    "said", [{}, {"event": "newCall"}, {"event": "dance", "callId": "1"}, {"callId": "1"}]
)
def test_an_event_that_says_nothing_is_refused(quick: Pbx, said: dict[str, str]) -> None:
    assert quick.tell(**said).status_code == 400


@pytest.mark.parametrize("content", [b"[]", b"{", b"x" * (MAX_EVENT + 1)])
def test_an_event_that_is_none_is_refused(quick: Pbx, content: bytes) -> None:
    headers = {"x-api-key": quick.key, "content-type": "application/json"}
    reply = quick.world.ask_app("POST", "/cti/v1/events", content=content, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (400, "BAD_QUERY")


@pytest.mark.parametrize(
    ("verstat", "letter"),
    [("TN-Validation-Passed-A", "A"), ("B", "B"), ("TN-Validation-Failed-A", "C"), ("No-TN-Validation", "C")],
)
def test_attestations_are_understood_as_networks_spell_them(quick: Pbx, verstat: str, letter: str) -> None:
    quick.tell(event="newCall", callId="c-1", verstat=verstat, **{"from": ALONE})
    assert quick.call().facts.attestation == letter


# templates


@pytest.mark.parametrize("name", ["3cx", "yeastar"])
def test_templates_are_of_this_installation_and_hold_no_secret(quick: Pbx, name: str) -> None:
    reply = quick.get(f"/cti/{name}.xml", key=None)
    assert reply.headers["content-type"] == "application/xml"
    assert "hubkey_" not in reply.text
    root = etree.fromstring(reply.content)
    urls = [each for node in root.iter() for key, each in node.attrib.items() if key in ("Url", "URL")]
    assert {each.partition("?")[0] for each in urls} == {
        "http://hub.example/cti/v1/lookup",
        "http://hub.example/cti/v1/events",
    }


def test_the_template_for_3cx_is_as_3cx_documents_it(quick: Pbx) -> None:
    root = etree.fromstring(quick.get("/cti/3cx.xml", key=None).content)
    assert root.tag == "Crm"
    assert {"Name", "Version", "Country"} <= set(root.attrib)
    assert [node.tag for node in root] == [
        "Number",
        "Connection",
        "Parameters",
        "Authentication",
        "Scenarios",
    ]
    lookup, journal = root.iter("Scenario")
    assert (lookup.get("Id"), journal.get("Id")) == ("", "ReportCall")
    assert [node.tag for node in lookup] == ["Request", "Rules", "Variables", "Outputs"]
    variables = {node.get("Name") for node in lookup.iter("Variable")}
    used = {
        each.strip("[]")
        for node in lookup.iter("Output")
        if (each := node.get("Value") or "").startswith("[")
    }
    assert used <= variables


def test_what_3cx_sends_by_its_template_is_understood(pbx: Pbx) -> None:
    root = etree.fromstring(pbx.get("/cti/3cx.xml", key=None).content)
    values = {
        "[Number]": ALONE,
        "[CallStartTimeUTC]": "2026-01-01 10:00",
        "[CallType]": "Inbound",
        "[Agent]": "21",
    }
    said = {}
    for node in root.iter("PostValues"):
        for value in node:
            text = value.text or ""
            for name, each in {**values, "[Duration]": "61"}.items():
                text = text.replace(name, each)
            said[str(value.get("Key"))] = text
    assert pbx.tell(**said).json()["state"] == "ended"
    found = pbx.get("/cti/v1/lookup", number=ALONE).json()["matches"][0]
    paths = {str(node.get("Path")).removeprefix("matches.") for node in root.iter("Variable")}
    assert paths <= found.keys()


def test_the_address_of_a_template_is_the_one_of_the_settings(tmp_path: Path) -> None:
    settings = {"public_url": "https://hub.example.com/at"}
    with ringing(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), **settings) as pbx:
        assert b"https://hub.example.com/at/cti/v1/lookup?number=[Number]" in pbx.get("/cti/3cx.xml").content
