"""The page `/pop` in a real browser: `make test-pop`. The name keeps it out of runs on machines without one.

With `WRITE=1` the screenshots of docs/screen-pop.md are taken anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hub.access import DemoIssuer
from hub.api import create_app
from hub.settings import PbxSettings
from tests.browser.pages import launched, watched
from tests.calls.call_world import ALONE, LINE, Morning, morning
from tests.databases import sqlite_store
from tests.doc_blocks import DOCS
from tests.serving import serving

PBX = PbxSettings(region="GB", lines={"+441174960100": "Quayside Tools"})
PUSHED_S = 20
"""A busy machine may take long; how long a push takes otherwise, `bench/pop.py` says."""


@dataclass
class Desk:
    """The hub behind a real server, and the PBX that tells it of calls."""

    address: str
    phones: Morning
    key: str
    calls: list[str] = field(default_factory=list)

    def tell(self, event: str, key: str, **said: str) -> None:
        given = {"event": event, "callId": key, "extension": "21", **said}
        reply = httpx.post(f"{self.address}/cti/v1/events", data=given, headers={"x-api-key": self.key})
        assert reply.status_code == 200, reply.text

    def token(self, role: str = "support") -> str:
        known = self.phones.services.access.roles[role]
        issuer = DemoIssuer(self.phones.services.settings.data_dir)
        return issuer.issue(f"u-{role}", known.department, [role], [known.default_purpose])


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("pop")
    url = sqlite_store(folder / "hub.sqlite")
    with morning(folder, url, pbx={"pbx-one": PBX}, pop_deadline_ms=5000, phone_region="GB") as phones:
        _, key = phones.services.keys.create("pbx-one", ("pbx",), ("customer_service",), 30)
        with serving(create_app(phones.services)) as address:
            yield Desk(address, phones, key)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """The page in a tab of its own; nothing it does may break its policy or leave the hub."""
    with watched(browser, desk.address, "/pop", 900, 640, "Failed to load resource") as page:
        yield page


def listen(page: Page, desk: Desk, role: str = "support") -> None:
    """Sign in by the keyboard alone."""
    page.get_by_label("Token").focus()
    page.keyboard.insert_text(desk.token(role))
    page.keyboard.press("Tab")
    page.keyboard.insert_text("21")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Listening at extension 21")


def heading(page: Page, text: str) -> None:
    expect(page.locator("h2")).to_have_text(text, timeout=PUSHED_S * 1000)


def shot(page: Page, name: str) -> None:
    if os.environ.get("WRITE"):
        page.screenshot(path=str(DOCS / f"pop-{name}.png"), full_page=True)


def test_a_call_event_brings_the_card_to_the_screen(page: Page, desk: Desk) -> None:
    listen(page, desk)
    desk.tell("newCall", "c-0", **{"from": "+441174960055", "to": "01174960100"})
    heading(page, "Nobody known")
    expect(page.locator("article")).to_contain_text("for Quayside Tools")
    shot(page, "none")
    desk.tell("hangup", "c-0")
    desk.tell("newCall", "c-1", **{"from": ALONE, "to": "01174960100"})
    heading(page, "Cleo Marsh")
    expect(page.locator(".badge").first).to_have_text("not verified")
    shot(page, "unverified")
    desk.tell("answer", "c-1")
    expect(page.locator("article")).to_have_attribute("data-state", "answered", timeout=PUSHED_S * 1000)


def test_an_agent_confirms_by_keyboard_and_sees_the_whole_card(page: Page, desk: Desk) -> None:
    desk.tell("newCall", "c-1", **{"from": ALONE})
    listen(page, desk)
    heading(page, "Cleo Marsh")
    expect(page.locator("h4")).to_have_count(0)
    page.get_by_role("button", name="Confirm").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".badge").first).to_have_text("verified", timeout=PUSHED_S * 1000)
    expect(page.get_by_role("heading", name="Probably calls about")).to_be_visible()
    expect(page.locator("ol li").first).to_contain_text("Pump error E42 T1")
    expect(page.locator("article")).to_contain_text("A call by Friday")
    shot(page, "verified")
    page.get_by_label("Reason").fill("Pump")
    page.get_by_label("Reason").press("Enter")
    expect(page.get_by_role("heading", name="Wrap up")).to_contain_text("done", timeout=PUSHED_S * 1000)


def test_one_of_many_is_picked_and_undone(page: Page, desk: Desk) -> None:
    listen(page, desk)
    desk.tell("newCall", "c-1", **{"from": LINE})
    heading(page, "2 people may be calling")
    shot(page, "many")
    section = page.locator("section", has=page.get_by_role("heading", name="Ann Archer"))
    section.get_by_role("button", name="This one").click()
    heading(page, "Ann Archer")
    shot(page, "one")
    page.get_by_role("button", name="Undo").click()
    heading(page, "2 people may be calling")
    first = page.locator("section").first
    first.get_by_role("button", name="Not this person").click()
    heading(page, "Ann Archer")


def test_a_link_with_a_number_opens_its_card(page: Page, desk: Desk) -> None:
    listen(page, desk)
    page.goto(f"{desk.address}/pop?number=%2B441174960020")
    heading(page, "Cleo Marsh")
    expect(page.locator("[data-act]")).to_have_count(0)


def test_a_wrong_token_is_refused_in_words_and_forgotten(page: Page, desk: Desk) -> None:
    page.get_by_label("Token").fill("nonsense")
    page.get_by_label("Extension").fill("21")
    page.get_by_role("button", name="Listen").click()
    expect(page.get_by_role("status")).to_contain_text("token")
    page.get_by_role("button", name="Forget token").click()
    expect(page.get_by_label("Token")).to_be_visible()
    del desk


def test_every_control_has_a_name(page: Page, desk: Desk) -> None:
    listen(page, desk)
    desk.tell("newCall", "c-1", **{"from": LINE})
    heading(page, "2 people may be calling")
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select')].filter(e =>"
        " !(e.textContent.trim() && e.tagName === 'BUTTON') && !e.labels?.length && !e.ariaLabel).length"
    )
    assert nameless == 0


def test_somebody_new_is_found_by_a_number_they_tell_or_written_down(page: Page, desk: Desk) -> None:
    listen(page, desk)
    desk.tell("newCall", "c-1", **{"from": "+441174960055"})
    heading(page, "Nobody known")
    page.get_by_label("Customer, order or ticket number").fill("K-1003")
    page.get_by_role("button", name="Find").click()
    heading(page, "Cleo Marsh")
    desk.tell("answer", "c-1")
    heading(page, "Nobody known")
    page.get_by_text("Somebody new").click()
    page.get_by_label("Name").fill("Zoe Newman")
    page.get_by_label("Why", exact=True).fill("Asks for an offer")
    page.get_by_role("button", name="Write down").click()
    heading(page, "Zoe Newman")


def test_what_is_typed_stays_while_the_call_goes_on(page: Page, desk: Desk) -> None:
    desk.tell("newCall", "c-1", **{"from": ALONE})
    listen(page, desk)
    heading(page, "Cleo Marsh")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(".badge").first).to_have_text("verified", timeout=PUSHED_S * 1000)
    page.get_by_label("Summary").fill("Half a sentence")
    page.get_by_text("Correct a detail").click()
    page.get_by_label("As they say it").fill("cleo.marsh@example.com")
    desk.tell("hangup", "c-1")
    expect(page.locator("article")).to_have_attribute("data-state", "ended", timeout=PUSHED_S * 1000)
    expect(page.get_by_label("Summary")).to_have_value("Half a sentence")
    expect(page.get_by_label("As they say it")).to_be_focused()
    expect(page.get_by_label("As they say it")).to_have_value("cleo.marsh@example.com")
    page.get_by_label("Why", exact=True).fill("Said so")
    page.get_by_role("button", name="Correct", exact=True).click()
    expect(page.get_by_label("As they say it")).to_have_value("", timeout=PUSHED_S * 1000)
    query = "{ customers(first: 10) { nodes { name email } } }"
    headers = {"authorization": f"Bearer {desk.token()}"}
    told = httpx.post(f"{desk.address}/graphql", json={"query": query}, headers=headers).json()
    assert {"name": "Cleo Marsh", "email": "cleo.marsh@example.com"} in told["data"]["customers"]["nodes"]
    expect(page.get_by_label("Summary")).to_have_value("Half a sentence")
