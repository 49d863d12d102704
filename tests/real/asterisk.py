"""A real Asterisk, called over SIP, asks the hub and is listened to: `make test-asterisk`.

With `WRITE=1` what Asterisk and the hub said to each other is written to tests/api/exchanges, from which
tests/api/test_asterisk_exchanges.py plays it again.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.api import create_app
from hub.calls import Call, CallState, call_by_key, read_token
from hub.settings import AmiSettings, PbxSettings
from tests.calls.call_world import ALONE, LINE, Morning, morning
from tests.databases import sqlite_store
from tests.real.pbx.switch import PHONES, SECRET, Debian, Switch, Witness, running
from tests.real.pbx.tap import Tap, tapped
from tests.real.world import ROOT, free_port
from tests.serving import serving

DEBIAN = Path(os.environ.get("ASTERISK_ROOT", ROOT / ".asterisk"))
EXCHANGES = ROOT / "tests" / "api" / "exchanges"
KEY = "{key}"
"""Stands for the hub's key in what is written."""
HELPDESK, SALES = "01174960100", "01174960101"
"""Dialled numbers: the first rings phone 21, which answers, the second phone 22, which is out."""
PBX = PbxSettings(region="GB", lines={"+441174960100": "Quayside Tools"})


@dataclass
class Site:
    """The hub, the Asterisk, and what they said."""

    phones: Morning
    switch: Switch
    witness: Witness
    agi: Tap
    ami: Tap

    def calls(self) -> list[Call]:
        """The journal, the newest first."""
        with self.phones.services.store.read() as connection:
            keys = connection.exec_driver_sql("SELECT key FROM call ORDER BY began_at DESC").scalars().all()
            found = [call_by_key(connection, "pbx-one", key) for key in keys]
        return [call for call in found if call is not None]

    def ended(self, count: int) -> Call:
        """The newest call, once there are so many and it has ended."""
        deadline = time.monotonic() + 20
        while not (len(calls := self.calls()) == count and calls[0].state is CallState.ENDED):
            assert time.monotonic() < deadline, (calls, self.switch.log()[-1500:])
            time.sleep(0.1)
        return calls[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pbx")
    web, agi, tapped_agi, tapped_ami = (free_port() for _ in range(4))
    ami = AmiSettings(host="127.0.0.1", port=tapped_ami, user="hub", secret=SECRET, key="{to come}")
    with ExitStack() as opened:
        url = sqlite_store(folder / "hub.sqlite")
        phones = opened.enter_context(
            morning(folder, url, pbx={"pbx-one": PBX}, pop_deadline_ms=5000, agi_port=agi)
        )
        _, key = phones.services.keys.create("pbx-one", ("pbx",), ("customer_service",), 30)
        listened = ami.model_copy(update={"key": SecretStr(key)})
        object.__setattr__(phones.services.settings, "ami", (listened,))
        switch = opened.enter_context(running(Debian(DEBIAN), key, tapped_agi, f"http://127.0.0.1:{web}"))
        heard = opened.enter_context(tapped(tapped_ami, switch.ports.manager))
        asked = opened.enter_context(tapped(tapped_agi, agi))
        opened.enter_context(serving(create_app(phones.services), web))
        witness = Witness(switch.ports.manager)
        opened.callback(witness.close)
        yield Site(phones, switch, witness, asked, heard)
        if os.environ.get("WRITE"):
            write(asked, heard, key)


def write(agi: Tap, ami: Tap, key: str) -> None:
    """Keep what was said, without the key and the secret."""
    EXCHANGES.mkdir(exist_ok=True)
    for number, said in enumerate(agi.connections, 1):
        (EXCHANGES / f"asterisk-22-call-{number}.agi").write_text(plain(said, key))
    (EXCHANGES / "asterisk-22.ami").write_text(plain(ami.connections[0], key))


def plain(said: Sequence[str], key: str) -> str:
    text = "\n".join(said).replace(key, KEY).replace(SECRET, "{secret}")
    return re.sub(r"(?m)[ \t]+$", "", text) + "\n"


def test_a_call_is_known_before_it_rings_and_is_in_the_journal_when_it_ends(site: Site) -> None:
    cleo = site.phones.customer("C3")
    site.switch.call("01174960020", HELPDESK)
    told = site.witness.told()
    assert (told["AGI"], told["Status"], told["Customer"]) == ("SUCCESS", "one", cleo)
    assert told["Name"] == told["CNAM"] == "C. Marsh - open ticket"
    assert (told["Brand"], told["Ticket"]) == ("Quayside Tools", "1")
    assert read_token(site.phones.services.store, told["Token"]) == cleo
    assert '"C. Marsh - open ticket" <sip:01174960020@' in site.switch.heard_by_phone()
    call = site.ended(1)
    assert (call.direction, call.number, call.extension, call.customer_id) == ("inbound", ALONE, "21", cleo)
    assert (call.was_missed, call.cause) == (False, "Normal_Clearing")
    assert None not in (call.answered_at, call.ended_at)


def test_a_call_that_was_handed_on_is_known_by_its_token(site: Site) -> None:
    cleo = site.phones.customer("C3")
    site.switch.call("01174960020", HELPDESK)
    token = site.witness.told()["Token"]
    site.switch.call("anonymous", HELPDESK, token=token)
    told = site.witness.told()
    assert (told["Status"], told["Customer"], told["CNAM"]) == ("one", cleo, "")
    assert site.ended(3).number is None


def test_a_line_of_several_names_nobody(site: Site) -> None:
    site.switch.call(LINE, HELPDESK)
    told = site.witness.told()
    assert (told["Status"], told["Customer"], told["Token"]) == ("many", "", "")
    assert told["CNAM"].startswith("2 people: ")
    assert site.ended(4).customer_id is None


def test_a_call_that_nobody_takes_is_missed(site: Site) -> None:
    site.switch.call("01174960020", SALES, answered=False)
    assert site.witness.told()["Status"] == "one"
    call = site.ended(5)
    assert (call.was_missed, call.extension, call.answered_at) == (True, "22", None)


def test_a_call_of_ours_is_with_whom_we_dial(site: Site) -> None:
    site.switch.call("21", "01174960020", by=PHONES)
    call = site.ended(6)
    assert (call.direction, call.extension, call.number) == ("outbound", "21", ALONE)
    assert call.customer_id == site.phones.customer("C3")


def test_calls_go_on_without_the_hub() -> None:
    nobody = free_port()
    with running(Debian(DEBIAN), "none", nobody, f"http://127.0.0.1:{nobody}") as switch:
        witness = Witness(switch.ports.manager)
        begun = time.monotonic()
        switch.call("01174960020", HELPDESK)
        told = witness.told()
        witness.close()
        assert (told["AGI"], told["Status"], told["CNAM"]) == ("FAILURE", "", "")
        assert time.monotonic() - begun < 10
