"""The query page in a real browser: `make test-browser`. The name keeps it out of runs on machines without one.

Every test ends by looking at what the browser complained of and whom it asked: the page's policy must not be broken,
and no request may leave the hub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from hub.access import DemoIssuer
from hub.api import CONSOLE_PATH, create_app
from hub.services import Services
from tests.api.api_world import fill, make_services
from tests.browser.pages import launched, watched
from tests.serving import serving

EXAMPLES = {
    "marketing": {
        "mail_domains": "query MailDomains {\n  customers(first: 3) { nodes { name email birthDate } }\n}\n"
    },
    "supply_chain": {"one_order": "query OneOrder($id: ID!) {\n  order(id: $id) { orderNumber }\n}\n"},
}


@dataclass(frozen=True)
class Site:
    address: str
    services: Services

    def token(self, role: str, *purposes: str) -> str:
        known = self.services.access.roles[role]
        issuer = DemoIssuer(self.services.settings.data_dir)
        return issuer.issue(f"u-{role}", known.department, [role], purposes or [known.default_purpose])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The small company behind a real server."""
    folder = tmp_path_factory.mktemp("site")
    with make_services(folder, f"sqlite:///{folder / 'hub.sqlite'}") as services:
        fill(services)
        with serving(create_app(services, EXAMPLES)) as address:
            yield Site(address, services)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """The console in a tab of its own; nothing it does may break its policy or leave the hub."""
    refused = r"Failed to load resource: .* (400|401|403|net::ERR_ABORTED)"
    with watched(browser, site.address, CONSOLE_PATH, 1400, 850, refused) as page:
        expect(page.locator("#examples button").first).to_be_visible()
        yield page


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_label("Token").press("Enter")
    expect(page.locator("#signed-in")).to_be_visible()
    expect(page.locator("#schema-status")).not_to_contain_text("Use a token")


def write(page: Page, text: str) -> None:
    """Type into the emptied editor, key by key."""
    page.locator("#query").press("Control+a")
    page.locator("#query").press("Delete")
    page.locator("#query").press_sequentially(text)


def ask(page: Page, text: str) -> None:
    page.locator("#query").fill(text)
    page.locator("#query").press("Control+Enter")
    expect(page.locator("#answer-status")).to_contain_text("Status")


# who asks


def test_the_purposes_are_those_that_the_api_lets_the_caller_state(page: Page, site: Site) -> None:
    sign_in(page, site.token("support", "advertising", "customer_service", "safety_recall"))
    purpose = page.get_by_label("Purpose")
    assert purpose.locator("option").all_text_contents() == ["customer_service", "safety_recall"]
    purpose.select_option("safety_recall")
    ask(page, "{ me { purpose } }")
    expect(page.locator("#answer")).to_contain_text('"purpose": "safety_recall"')


@pytest.mark.parametrize("token", ["nonsense", "two words"])
def test_what_is_no_token_is_refused_in_words(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Use token").click()
    expect(page.locator("#session-status")).to_contain_text("token")
    expect(page.locator("#signed-in")).to_be_hidden()


def test_the_token_is_kept_for_the_tab_alone_until_it_is_forgotten(page: Page, site: Site) -> None:
    token = site.token("support")
    sign_in(page, token)
    page.reload()
    expect(page.locator("#who")).to_have_text("u-support · support")
    assert token not in page.evaluate("JSON.stringify(localStorage)")
    page.get_by_role("button", name="Forget token").click()
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.get_by_label("Token")).to_be_focused()


# question and answer


def test_an_answer_tells_what_the_policy_masked_and_denied_and_by_which_rule(page: Page, site: Site) -> None:
    sign_in(page, site.token("marketing"))
    page.get_by_role("button", name="Mail domains").click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer-status")).to_contain_text("Status 200")
    rows = page.locator("#answer-notes tbody tr")
    told = {row.locator("code").inner_text(): row.inner_text() for row in rows.all()}
    notes = json.loads(page.locator("#answer").inner_text())["extensions"]["access"]
    assert {".".join(note["path"]) for note in notes} == set(told)
    for note in notes:
        row = told[".".join(note["path"])]
        assert (f"masked: {note['mask']}" if note["effect"] == "mask" else "denied") in row
        assert note.get("rule", "no grant") in row


def test_an_error_leads_to_its_place_in_the_query(page: Page, site: Site) -> None:
    sign_in(page, site.token("support"))
    ask(page, "{\n  me {\n    nothing\n  }\n}")
    expect(page.locator(".errors")).to_contain_text("BAD_QUERY")
    page.get_by_role("button", name="line 3, column 5").click()
    assert page.evaluate("document.activeElement.selectionStart") == len("{\n  me {\n    ")


def test_numbers_are_shown_as_they_were_sent(page: Page) -> None:
    json_text = '{"a":[12345678901234567890,{}],"b":"x\\"{"}'
    shown = page.evaluate("async (text) => [...(await import('/console/json.js')).pieces(text)]", json_text)
    assert "".join(text for _, text in shown) == (
        '{\n  "a": [\n    12345678901234567890,\n    {}\n  ],\n  "b": "x\\"{"\n}'
    )
    assert [text for kind, text in shown if kind == "number"] == ["12345678901234567890"]


def test_an_example_brings_the_variables_that_it_needs_and_they_are_sent(page: Page, site: Site) -> None:
    sign_in(page, site.token("supply_chain"))
    page.get_by_role("button", name="One order").click()
    assert json.loads(page.locator("#variables").input_value()) == {"id": ""}
    page.locator("#variables").fill("{")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer-status")).to_contain_text("The variables are no JSON")
    page.locator("#variables").fill('{"id": "nobody"}')
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer")).to_contain_text('"order": null')


def test_of_several_operations_one_is_chosen(page: Page, site: Site) -> None:
    sign_in(page, site.token("support"))
    page.locator("#query").fill("query Who { me { subject } } query Why { me { purpose } }")
    page.get_by_label("Operation to run").select_option("Why")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer")).to_contain_text('"purpose": "customer_service"')


def test_a_request_under_way_can_be_stopped(page: Page, site: Site) -> None:
    sign_in(page, site.token("support"))
    held: list[Route] = []
    page.route("**/graphql", lambda route: held.append(route))
    page.locator("#query").press("Control+Enter")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#answer-status")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    assert len(held) == 1


# the editor


def test_the_editor_pairs_brackets_indents_and_lets_the_keyboard_out(page: Page) -> None:
    write(page, "{\nme {\nsubject")
    expect(page.locator("#query")).to_have_value("{\n  me {\n    subject\n  }\n}")
    page.locator("#query").press("Control+z")
    assert "subject" not in page.locator("#query").input_value()
    page.locator("#query").press("Tab")
    expect(page.locator("#query")).to_be_focused()
    page.locator("#query").press("Escape")
    page.locator("#query").press("Tab")
    expect(page.locator("#variables")).to_be_focused()
    page.locator("#variables").press("Shift+Tab")
    expect(page.locator("#query")).to_be_focused()


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("{ custo", ["customer", "customerByIdentifier", "customers"]),
        ("{ customers(fir", ["first"]),
        ("{ customers(where: {na", ["name", "nationalId"]),
        ("{ who: m", ["me"]),
        ("query Q($n: Int) { customers(first: $n) { nodes { house", ["household"]),
        ("{ customerByIdentifier(scheme: customer_n", ["customer_number"]),
        ("{ tickets { nodes { customer { ... on Per", ["Person"]),
        ('{ search(text: "na', []),
        ("{ me { subject } } # na", []),
    ],
)
def test_names_that_fit_at_the_caret_are_suggested(
    page: Page, site: Site, typed: str, suggested: list[str]
) -> None:
    sign_in(page, site.token("steward"))
    write(page, typed)
    options = page.locator("#suggestions [role=option]:visible")
    expect(options).to_have_count(len(suggested))
    assert [re.sub(r"\s.*", "", text) for text in options.all_inner_texts()] == suggested
    if suggested:
        page.locator("#query").press("Enter")
        assert suggested[0] in page.locator("#query").input_value()


# beside them


def test_the_schema_can_be_searched_and_walked(page: Page, site: Site) -> None:
    sign_in(page, site.token("steward"))
    page.get_by_role("tab", name="Examples").press("ArrowRight")
    expect(page.get_by_role("tab", name="Schema")).to_be_focused()
    page.get_by_label("Search types and fields").fill("timeline")
    page.get_by_role("button", name="Customer.timeline").click()
    expect(page.locator("#schema-page h2")).to_have_text("Customer")
    expect(page.locator("#schema-page h2")).to_be_focused()
    expect(page.locator("#schema-page")).to_contain_text(
        "The customer's events over all sources, the newest first."
    )
    page.locator("#schema-page").get_by_role("button", name="TimelineEntryConnection").click()
    expect(page.locator("#schema-page h2")).to_have_text("TimelineEntryConnection")
    page.get_by_role("button", name="Back").click()
    expect(page.locator("#schema-page h2")).to_have_text("Customer")


def test_a_role_that_may_not_see_the_schema_is_told_so_and_may_ask_all_the_same(
    page: Page, site: Site
) -> None:
    page.get_by_label("Token").fill(site.token("support"))
    page.get_by_label("Token").press("Enter")
    page.get_by_role("tab", name="Schema").click()
    expect(page.locator("#schema-status")).to_contain_text("roles that may introspect")
    expect(page.get_by_label("Search types and fields")).to_be_disabled()
    ask(page, "{ me { subject } }")
    expect(page.locator("#answer")).to_contain_text("u-support")


def test_the_schema_can_be_taken_away(page: Page, site: Site, tmp_path: Path) -> None:
    sign_in(page, site.token("steward"))
    page.get_by_role("tab", name="Schema").click()
    with page.expect_download() as download:
        page.locator("#sdl").click()
    assert download.value.suggested_filename == "schema.graphql"
    download.value.save_as(tmp_path / "schema.graphql")
    assert "type Customer" in (tmp_path / "schema.graphql").read_text(encoding="utf-8")


def test_the_history_keeps_queries_without_quoted_values_until_it_is_cleared(page: Page, site: Site) -> None:
    sign_in(page, site.token("support"))
    ask(page, 'query Find { search(text: "ann@example.com") { total } } # Ann')
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name="Find").click()
    assert "ann@example.com" in page.locator("#query").input_value()
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "search(text" in kept
    assert not re.search(r"ann|u-support", kept, re.IGNORECASE)
    page.reload()
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name="Find").click()
    assert 'search(text: "")' in page.locator("#query").input_value()
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name="Clear history").click()
    assert page.evaluate("localStorage.getItem('hub.console.history')") == "[]"


def test_the_history_is_bounded(page: Page) -> None:
    for number in range(55):
        page.locator("#query").fill(f"query Q{number} {{ me {{ subject }} }}")
        page.locator("#query").press("Control+Enter")
        expect(page.locator("#answer-status")).to_contain_text("Status")
    names = page.locator("#history li button")
    expect(names).to_have_count(50)
    assert names.first.text_content().startswith("Q54")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colours_of_the_system(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    red = page.locator("body").evaluate(
        "body => parseInt(getComputedStyle(body).backgroundColor.match(/\\d+/)[0])"
    )
    assert (red > 128) is (scheme == "light")
