"""Asterisk talks to the hub: FastAGI and manager interface, by exchanges as Asterisk 20 writes them.

The lines are written after Asterisk's own sources and documentation (`res_agi.c`, `manager_channels.c`): a call from
outside to a queue, one that is not answered, and one to outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hub.api.agi import FastAgi
from hub.api.ami import AmiListener, report_of
from hub.api.app import create_app
from hub.api.machines import Machines
from hub.calls import Call, CallState, call_by_key, read_token
from hub.calls.screenpop import ScreenPop
from hub.schema import GraphQLService
from hub.settings import AmiSettings, PbxSettings
from tests.calls.call_world import ALONE, LINE, Morning, morning
from tests.databases import sqlite_store

PBX = PbxSettings(region="GB", lines={"+441174960100": "Quayside Tools"})

AGI = """agi_network: yes
agi_network_script: lookup
agi_request: agi://127.0.0.1/lookup
agi_channel: PJSIP/trunk-00000042
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1767261600.42
agi_version: 20.5.0
agi_callerid: {number}
agi_calleridname: unknown
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 01174960100
agi_rdnis: unknown
agi_context: from-trunk
agi_extension: 01174960100
agi_priority: 2
agi_enhanced: 0.0
agi_accountcode:
agi_threadid: 139872
{arguments}
"""


class Site:
    """The hub's side, in one loop."""

    def __init__(self, phones: Morning) -> None:
        assert phones.services.authenticator is not None
        self.phones, self.services = phones, phones.services
        self.service = GraphQLService(phones.services)
        self.machines = Machines(phones.services, self.service, phones.services.authenticator)
        _, self.key = phones.services.keys.create("pbx-one", ("pbx",), ("customer_service",), 30)

    def call(self, key: str) -> Call | None:
        with self.services.store.read() as connection:
            return call_by_key(connection, "pbx-one", key)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    url = sqlite_store(tmp_path / "hub.sqlite")
    with morning(tmp_path, url, pbx={"pbx-one": PBX}, pop_deadline_ms=5000) as phones:
        site = Site(phones)
        yield site
        site.machines.close()
        site.service.close()


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


# FastAGI


async def dialplan(site: Site, environment: str, reply: bytes = b"200 result=1\n") -> dict[str, str]:
    """What a channel is told, by an Asterisk that answers each command."""
    told: dict[str, str] = {}
    async with FastAgi(site.services, site.machines).serving("127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(environment.encode())
        while line := (await reader.readline()).decode():
            command, name, value = line.strip().split(" ", 3)[1:] if line.startswith("SET ") else ("", "", "")
            assert command == "VARIABLE", line
            told[name] = value.strip('"')
            writer.write(reply)
        writer.close()
    return told


def channel(site: Site, number: str, *arguments: str) -> str:
    given = [site.key, *arguments]
    lines = "\n".join(f"agi_arg_{index}: {value}" for index, value in enumerate(given, 1))
    return AGI.format(number=number, arguments=f"{lines}\n" if lines else "")


def test_a_channel_learns_who_calls_before_it_is_routed(site: Site) -> None:
    async def scenario() -> None:
        told = await dialplan(site, channel(site, "01174960020"))
        assert read_token(site.services.store, told.pop("HUB_UUI")) == site.phones.customer("C3")
        assert told == {
            "HUB_STATUS": "one",
            "CALLERID(name)": "C. Marsh - open ticket",
            "HUB_BRAND": "Quayside Tools",
            "HUB_CUSTOMER_ID": site.phones.customer("C3"),
            "HUB_CONFIDENCE": "0.90",
            "HUB_TIER": "",
            "HUB_LANG": "",
            "HUB_OPEN_TICKET": "1",
        }
        typed = await dialplan(site, channel(site, "unknown", "K-1001"))
        assert (typed["HUB_TIER"], typed["HUB_LANG"]) == ("gold", "en")
        event = list(site.services.audit.events())[-1].event
        assert event.customers == (site.phones.customer("C1"),)

    run(scenario)


def test_a_call_that_is_handed_on_is_known_again_at_another_switch(site: Site) -> None:
    async def scenario() -> None:
        first = await dialplan(site, channel(site, "01174960020"))
        again = await dialplan(site, channel(site, "unknown", "", first["HUB_UUI"]))
        assert (again["HUB_CUSTOMER_ID"], again["HUB_CONFIDENCE"]) == (site.phones.customer("C3"), "0.97")

    run(scenario)


def test_of_several_a_channel_learns_that_they_are_several(site: Site) -> None:
    async def scenario() -> None:
        told = await dialplan(site, channel(site, LINE))
        assert told["HUB_STATUS"] == "many"
        assert "HUB_CUSTOMER_ID" not in told
        assert (await dialplan(site, channel(site, "unknown")))["HUB_STATUS"] == "none"

    run(scenario)


def test_a_key_may_come_with_the_address(site: Site) -> None:
    async def scenario() -> None:
        text = AGI.format(number=ALONE, arguments="").replace(
            "/lookup\nagi_ch", f"/lookup?key={site.key}\nagi_ch"
        )
        assert (await dialplan(site, text))["HUB_STATUS"] == "one"
        assert await dialplan(site, AGI.format(number=ALONE, arguments="")) == {
            "HUB_STATUS": "unauthenticated"
        }

    run(scenario)


def test_a_call_goes_on_though_the_hub_is_late_or_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        def broken(*_given: object, **_more: object) -> None:
            raise RuntimeError("secret")

        object.__setattr__(site.services.settings, "pop_deadline_ms", 0)
        with monkeypatch.context() as patched:
            patched.setattr(Machines, "work", lambda *_given: asyncio.sleep(60))
            assert await dialplan(site, channel(site, ALONE)) == {"HUB_STATUS": "late"}
        object.__setattr__(site.services.settings, "pop_deadline_ms", 5000)
        monkeypatch.setattr(ScreenPop, "card", broken)
        assert await dialplan(site, channel(site, ALONE)) == {}

    run(scenario)


@pytest.mark.parametrize("said", ["GET / HTTP/1.1\r\n\r\n", "agi_x: y\n" * 300, "x" * 10_000, ""])
def test_what_is_no_agi_is_let_go(site: Site, said: str) -> None:
    async def scenario() -> None:
        async with FastAgi(site.services, site.machines).serving("127.0.0.1", 0) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said.encode())
            writer.write_eof()
            heard = b""
            with suppress(ConnectionError):
                heard = await reader.read()
            assert heard == b""
            writer.close()

    run(scenario)


def test_a_channel_that_was_hung_up_is_told_no_more(site: Site) -> None:
    async def scenario() -> None:
        assert list(await dialplan(site, channel(site, ALONE), b"511 result=-1\n")) == ["HUB_STATUS"]

    run(scenario)


# manager interface

INBOUND = """
Event: Newchannel
Privilege: call,all
Channel: PJSIP/trunk-0000002a
ChannelState: 4
ChannelStateDesc: Ring
CallerIDNum: 01174960020
CallerIDName: <unknown>
ConnectedLineNum: <unknown>
Context: from-trunk
Exten: 01174960100
Priority: 1
Uniqueid: 1767261600.42
Linkedid: 1767261600.42

Event: Newchannel
Channel: PJSIP/21-0000002b
CallerIDNum: 21
Exten: s
Uniqueid: 1767261601.43
Linkedid: 1767261600.42

Event: DialBegin
Privilege: call,all
Channel: PJSIP/trunk-0000002a
CallerIDNum: 01174960020
Exten: 01174960100
Uniqueid: 1767261600.42
Linkedid: 1767261600.42
DestChannel: PJSIP/21-0000002b
DestCallerIDNum: 01174960100
DestUniqueid: 1767261601.43
DestLinkedid: 1767261600.42
DialString: 21/sip:21@192.0.2.21:5060

Event: VarSet
Channel: PJSIP/trunk-0000002a
Variable: DIALSTATUS
Uniqueid: 1767261600.42
Linkedid: 1767261600.42

"""
ANSWERED = """
Event: DialEnd
Channel: PJSIP/trunk-0000002a
Uniqueid: 1767261600.42
Linkedid: 1767261600.42
DestChannel: PJSIP/21-0000002b
DestUniqueid: 1767261601.43
DialStatus: ANSWER

"""
ENDED = """
Event: Hangup
Channel: PJSIP/21-0000002b
Uniqueid: 1767261601.43
Linkedid: 1767261600.42
Cause: 16
Cause-txt: Normal Clearing

Event: Hangup
Channel: PJSIP/trunk-0000002a
Uniqueid: 1767261600.42
Linkedid: 1767261600.42
Cause: 16
Cause-txt: Normal Clearing

"""


class Asterisk:
    """A manager interface that says its lines and hangs up."""

    def __init__(self, *events: str, lets_in: bool = True) -> None:
        self.login, self._events, self._lets_in = "", events, lets_in

    @asynccontextmanager
    async def serving(self) -> Any:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/8.0.2\r\n")
        self.login = (await reader.readuntil(b"\r\n\r\n")).decode()
        word = "Success\r\nMessage: Authentication accepted" if self._lets_in else "Error\r\nMessage: failed"
        writer.write(f"Response: {word}\r\n\r\n".encode())
        for event in self._events if self._lets_in else ():
            writer.write(event.lstrip("\n").replace("\n", "\r\n").encode())
        writer.close()


async def heard(site: Site, asterisk: Asterisk) -> bool:
    async with asterisk.serving() as port:
        ami = AmiSettings(host="127.0.0.1", port=port, user="hub", secret="s3cret", key=site.key)
        return await AmiListener(site.services, site.machines, ami).once()


def test_a_call_through_an_asterisk_is_one_call_of_the_journal(site: Site) -> None:
    async def scenario() -> None:
        asterisk = Asterisk(INBOUND)
        assert await heard(site, asterisk)
        assert asterisk.login.splitlines()[:3] == ["Action: Login", "Username: hub", "Secret: s3cret"]
        call = site.call("1767261600.42")
        assert call is not None
        assert (call.state, call.number, call.extension, call.direction) == (
            CallState.RINGING,
            ALONE,
            "21",
            "inbound",
        )
        assert await heard(site, Asterisk(INBOUND, ANSWERED, ENDED))
        ended = site.call("1767261600.42")
        assert ended is not None
        assert (ended.state, ended.was_missed, ended.cause) == (CallState.ENDED, False, "Normal_Clearing")
        assert ended.customer_id == site.phones.customer("C3")

    run(scenario)


def test_a_call_that_nobody_answers_is_missed(site: Site) -> None:
    async def scenario() -> None:
        assert await heard(site, Asterisk(INBOUND, ENDED))
        call = site.call("1767261600.42")
        assert call is not None
        assert call.was_missed

    run(scenario)


def test_a_call_of_ours_is_with_whom_we_dial() -> None:
    event = {"Event": "Newchannel", "CallerIDNum": "21", "Exten": ALONE, "Uniqueid": "1.1", "Linkedid": "1.1"}
    report = report_of(event, 6)
    assert report is not None
    assert (report.direction, report.extension, report.facts.number) == ("outbound", "21", ALONE)


@pytest.mark.parametrize(
    ("channel", "extension"),
    [
        ("PJSIP/21-0000002b", "21"),
        ("Local/21@from-queue-01;1", "21"),
        ("SIP/agent_7-1f", "agent_7"),
        ("", None),
    ],
)
def test_extensions_are_read_from_channels(channel: str, extension: str | None) -> None:
    report = report_of({"Event": "DialBegin", "Linkedid": "1.1", "DestChannel": channel}, 6)
    assert report is not None
    assert report.extension == extension


def test_an_asterisk_that_refuses_the_hub_is_not_listened_to(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        assert not await heard(site, Asterisk(INBOUND, lets_in=False))
        assert site.call("1767261600.42") is None
        assert "refuses the hub's user" in caplog.text
        assert "s3cret" not in caplog.text

    run(scenario)


def test_the_api_serves_and_listens_as_its_settings_say(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        asterisk = Asterisk(INBOUND)
        async with asterisk.serving() as port:
            ami = AmiSettings(host="127.0.0.1", port=port, user="hub", secret="s", key="hubkey_none")
            url = sqlite_store(tmp_path / "hub.sqlite")
            with morning(tmp_path, url, agi_port=0, ami=(ami,)) as phones, caplog.at_level("INFO", "hub"):
                app = create_app(phones.services)
                async with app.router.lifespan_context(app):
                    async with asyncio.timeout(30):
                        while "an event of 127.0.0.1 is refused: UNAUTHENTICATED" not in caplog.text:
                            await asyncio.sleep(0.02)
                assert "FastAGI at port" in caplog.text

    run(scenario)
