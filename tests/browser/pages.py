"""What the tests in a real browser share: the browser, an application behind a real server, a page that is watched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",  # the tests may run as root, and open their own page only
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser."""
    found = next(path for path in map(shutil.which, BROWSERS) if path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(OPTIONS))
        yield browser
        browser.close()


@contextmanager
def watched(
    browser: Browser, address: str, path: str, width: int, height: int, refused: str
) -> Iterator[Page]:
    """The page in a tab of its own; nothing it does may break its policy or leave the hub.

    `refused` is a pattern of what the browser may complain of: refusals that the tests bring about.
    """
    context = browser.new_context(viewport={"width": width, "height": height})
    page, complaints, asked = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path)
    yield page
    context.close()
    expected = re.compile(f"{refused}|net::ERR_")
    assert [text for text in complaints if not expected.search(text)] == []
    assert [url for url in asked if not url.startswith((f"{address}/", f"blob:{address}/"))] == []
