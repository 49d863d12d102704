"""The guard rails of the engine in pure Python: two calls of Whoosh that are wrong, and companies too large for it."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub
from hub.errors import StoreUnavailableError
from hub.search import whoosh_engine
from tests.databases import sqlite_store
from tests.search.search_world import WHO, Access, World, fill, gone, key_of, says, thing

SOURCES = sorted(Path(hub.__file__).parent.rglob("*.py"))
FORBIDDEN = ("Require", "refresh")


def faults(text: str) -> Iterator[str]:
    """What a module may not do with Whoosh."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            if any(name.split(".")[0] == "whoosh" for name in names):
                yield "imports whoosh"
            if any(alias.name in FORBIDDEN for alias in node.names):
                yield "imports what is forbidden"
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN:
            yield f"calls {node.attr}"


def test_one_module_imports_whoosh_and_never_calls_what_is_wrong_in_it() -> None:
    found = {path.name: set(faults(path.read_text(encoding="utf-8"))) for path in SOURCES}
    users = {name for name, held in found.items() if "imports whoosh" in held}
    assert users == {"whoosh_engine.py"}
    assert found["whoosh_engine.py"] == {"imports whoosh"}


@pytest.mark.parametrize("broken", [
    "from whoosh.query import Require", "import whoosh.query\nwhoosh.query.Require(a, b)", "searcher.refresh()",
])  # fmt: skip
def test_a_module_that_calls_it_would_be_found(broken: str) -> None:
    assert set(faults(broken)) - {"imports whoosh"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    made = World(sqlite_store(tmp_path / "hub.sqlite"), tmp_path / "index", "whoosh")
    fill(made)
    made.indexer.follow()
    yield made
    made.close()


def test_more_matches_than_hits_are_neither_inverted_nor_an_error(small: World) -> None:
    """`Require` finds what is not admitted, or fails as soon as there are more matches than are asked for."""
    many = [thing("Ticket", f"m{at}", ticketNumber=f"M-{at}", subject="crowd") for at in range(40)]
    small.apply(*(says("erp", each) for each in many))
    small.indexer.follow()
    own = Access()
    answer = small.service.search("crowd", first=3, access=own)
    assert (len(answer.hits), answer.total, answer.facets) == (3, 40, {"Ticket": 40})
    assert small.find("anna") == [key_of(small, "anna")]


def test_a_reader_that_was_open_forgets_what_was_deleted_or_replaced(small: World) -> None:
    """`Searcher.refresh` keeps both."""
    assert small.find("whitfield") == [key_of(small, "liz")]
    small.apply(
        gone("erp", WHO["liz"]),
        says("erp", thing("Ticket", "t2", WHO["lukasz"], ticketNumber="T-556", subject="fresh words")),
    )
    small.indexer.follow()
    for asked, total in (("whitfield", 0), ("refund", 0), ("fresh words", 1)):
        assert small.service.search(asked, access=Access()).total == total
    assert small.service.dropped == 0


def test_many_documents_are_warned_of(
    small: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        small.indexer.rebuild()
        assert not caplog.messages
        monkeypatch.setattr(whoosh_engine, "WARN_ABOVE", 5)
        small.indexer.rebuild()
    assert "take tantivy" in caplog.text


def test_too_many_documents_are_refused_and_the_old_index_stays(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whoosh_engine, "MOST", 5)
    with pytest.raises(StoreUnavailableError, match="HUB_SEARCH_ENGINE"):
        small.indexer.rebuild()
    small.apply(says("erp", thing("Ticket", "more", ticketNumber="X-1", subject="one more")))
    with pytest.raises(StoreUnavailableError, match="5 documents"):
        small.indexer.follow()
    assert small.find("whitfield") == [key_of(small, "liz")]
    monkeypatch.undo()
    assert small.indexer.follow() > 0
    assert len(small.find("one more")) == 1
