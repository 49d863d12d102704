"""An answer that is too large is not sent, and its refusal is on record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.audit import Action, Outcome
from tests.api.api_world import World, asking, fill, make_services
from tests.databases import sqlite_store


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[World]:
    """A hub whose answers have a kilobyte at most."""
    with make_services(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), max_response_bytes=1024) as services:
        fill(services)
        with asking(services) as world:
            yield world


@pytest.mark.parametrize("also", ["", "me { subject }"], ids=["plans", "executor"])
def test_an_answer_that_is_too_large_is_not_sent(narrow: World, also: str) -> None:
    fields = " ".join(f"a{n}: orderNumber" for n in range(20))
    document = f"query($n: Int!) {{ orders(first: $n) {{ nodes {{ {fields} }} }} {also} }}"
    assert len(narrow.ask(document, n=1).data["orders"]["nodes"]) == 1
    before = narrow.seq()
    reply = narrow.ask(document, n=7)
    assert reply.code == "LIMIT_EXCEEDED"
    assert "The limit max_response_bytes is 1024" in reply.message
    assert "O1" not in str(reply.body)
    (event,) = narrow.events_after(before)
    assert (event.action, event.outcome) == (Action.READ_REFUSED, Outcome.REFUSED)
    assert event.reason_code == "LIMIT_EXCEEDED"
