"""The query page: what is served, under which policy, to whom; what it does stands in `tests/browser`."""

from __future__ import annotations

import logging
import re
import tomllib
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from hub.api import CONSOLE_PATH, create_app
from hub.api.console import EXAMPLES_PATH, console_routes
from hub.api.middleware import ResponseHeaders
from hub.demo import examples
from hub.demo_run import DEPARTMENT_ROLES
from hub.services import Services
from hub.settings import Settings
from tests.doc_blocks import ROOT

PAGE = ROOT / "hub" / "api" / "page"
FILES = sorted(path.name for path in PAGE.iterdir())
EXAMPLES = {"support": {"customer_card": "query CustomerCard { me { subject } }"}, "it": {}}
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

pytestmark = pytest.mark.anyio


async def asked(path: str, method: str = "GET", app: ASGIApp | None = None, **headers: str) -> httpx.Response:
    """The answer of the page's routes, or of a whole application."""
    transport = httpx.ASGITransport(app or ResponseHeaders(Starlette(routes=[*console_routes(EXAMPLES)])))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, path, headers=named)


def path_of(name: str) -> str:
    return CONSOLE_PATH if name == "index.html" else f"{CONSOLE_PATH}/{name}"


@pytest.mark.parametrize("name", FILES)
async def test_every_file_of_the_page_is_served_without_a_token(name: str) -> None:
    reply = await asked(path_of(name))
    assert (reply.status_code, reply.content) == (200, (PAGE / name).read_bytes())
    assert reply.headers["content-type"] == MEDIA_TYPES[Path(name).suffix]
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", [CONSOLE_PATH, f"{CONSOLE_PATH}/main.js", EXAMPLES_PATH])
async def test_the_page_may_load_and_reach_its_own_origin_only_and_be_in_no_frame(path: str) -> None:
    policy = (await asked(path)).headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("require-trusted-types-for") == "'script'"
    assert (rules.pop("default-src"), rules.pop("frame-ancestors")) == ("'none'", "'none'")
    assert set(rules.values()) == {"'self'", "'none'"}


@pytest.mark.parametrize("name", FILES)
def test_nothing_in_the_page_comes_from_elsewhere_or_stands_inline(name: str) -> None:
    text = (PAGE / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|url\(|@import|\bimport\(", text)
    assert not re.search(r"<script[^>]*>[^<]|<style|\s(?:style|on\w+)=\"", text)
    assert not re.search(r"\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_of_the_page_refers_to_is_there(name: str) -> None:
    text = (PAGE / name).read_text(encoding="utf-8")
    referred = re.findall(r'(?:href|src)="console/([^"]+)"|from "\./([^"]+)"', text)
    assert {one or other for one, other in referred} <= set(FILES)


async def test_a_browser_that_has_the_file_is_not_sent_it_again() -> None:
    first = await asked(CONSOLE_PATH)
    known = {"if_none_match": f'"other", W/{first.headers["etag"]}'}
    again = await asked(CONSOLE_PATH, **known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert (await asked(f"{CONSOLE_PATH}/main.js", **known)).status_code == 200
    assert first.headers["cache-control"] == "no-cache"


async def test_the_examples_are_those_that_the_application_was_given() -> None:
    reply = await asked(EXAMPLES_PATH)
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == EXAMPLES


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 405), ("PUT", 405)])
async def test_the_page_can_be_read_only(method: str, status: int) -> None:
    assert (await asked(CONSOLE_PATH, method)).status_code == status


@pytest.mark.parametrize(
    ("demo", "console", "serves"),
    [(True, None, True), (False, None, False), (False, True, True), (True, False, False)],
)
def test_the_page_is_on_in_demo_mode_or_where_the_setting_says_so(
    demo: bool, console: bool | None, serves: bool
) -> None:
    assert Settings(demo=demo, console=console).serves_console is serves


async def test_a_page_that_is_off_is_not_there(services: Services) -> None:
    off = services.settings.model_copy(update={"console": False})
    app = create_app(replace(services, settings=off), EXAMPLES)
    for path in (CONSOLE_PATH, f"{CONSOLE_PATH}/main.js", EXAMPLES_PATH):
        assert (await asked(path, app=app)).status_code == 404


async def test_the_application_has_the_page_beside_the_endpoint_and_logs_no_made_up_path_below_it(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(services, EXAMPLES)
    with caplog.at_level(logging.INFO, "hub.api.access"):
        page = await asked(CONSOLE_PATH, app=app)
        made_up = await asked(f"{CONSOLE_PATH}/ann@example.com", app=app)
        endpoint = await asked("/graphql", app=app, accept="text/html")
    assert (page.status_code, made_up.status_code, endpoint.status_code) == (200, 404, 401)
    assert endpoint.headers["content-type"].startswith("application/json")
    lines = [record.getMessage() for record in caplog.records if record.name == "hub.api.access"]
    assert [line.split(" ")[1] for line in lines] == [CONSOLE_PATH, "(other)", "/graphql"]


def test_every_department_of_the_demo_has_examples_without_holes() -> None:
    offered = examples(ROOT / "queries", "C10001")
    assert set(offered) == set(DEPARTMENT_ROLES)
    assert all(offered.values())
    texts = [text for queries in offered.values() for text in queries.values()]
    needed = [variable for text in texts for variable in re.findall(r"\$\w+: \S+!(?! =)", text)]
    assert needed == []
    assert '$number: String! = "C10001"' in offered["support"]["customer_card"]


def test_the_package_brings_the_files_of_the_page_and_the_examples() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = [each.removeprefix("**/") for each in project["tool"]["setuptools"]["package-data"]["hub"]]
    files = [path for path in (ROOT / "hub").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert [path for path in files if not any(fnmatch(path.name, pattern) for pattern in patterns)] == []
