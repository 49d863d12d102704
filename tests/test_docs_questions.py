"""`docs/audit-questions.md`: its commands, run in order, print what the page says that they print."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from graphql import parse, validate
from typer.testing import CliRunner

from hub.audit import RULE, Action
from hub.cli import app
from hub.ontology import load_ontology
from hub.reference.graphql import served_schema
from tests.commands.command_world import ANN, BEN, Shop
from tests.databases import sqlite_store
from tests.doc_blocks import DOCS, blocks
from tests.test_docs_audit import form as unnumbered

PAGE = DOCS / "audit-questions.md"


def form(text: str) -> str:
    """The text without what differs from log to log."""
    return unnumbered(re.sub(r"cus_\w+|(?<=os:)[\w.-]+", "#", text))


@pytest.fixture
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A customer's id, in a hub of whose customers something was read and changed; its folder is the current one."""
    shop = Shop(tmp_path, sqlite_store(tmp_path / "hub.sqlite"))
    shop.write("club", [ANN, BEN])
    shop.sync("club")
    customer, other = shop.customer("club", "1"), shop.customer("club", "2")
    shop.write("club", [{**ANN, "town": "Bath", "changed": "2026-02-01"}, BEN])
    shop.sync("club")
    shop.consent(customer)
    shop.services.publish_events()
    seen, now = ("user.contact.email", "user.name"), datetime.now(UTC)
    many = tuple(f"cus_{number:020}x" for number in range(30))
    for day in (*range(30, 20, -1), 1):
        told = many if day == 1 else (customer, other)
        event = shop.author().event(
            Action.READ, customers=told, data_categories=seen, at=now - timedelta(days=day)
        )
        shop.services.recorder.record_sync(event)
    shop.services.recorder.record_sync(
        shop.author("sales").event(Action.SEARCH, data_categories=("user.name",))
    )
    shop.services.close()
    for name in ("data_dir", "config_dir", "policy_file"):
        monkeypatch.setenv(f"HUB_{name.upper()}", str(getattr(shop.settings, name)))
    monkeypatch.setenv("HUB_STORE_URL", shop.settings.store_address)
    monkeypatch.setenv("HUB_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    monkeypatch.chdir(tmp_path)
    return customer


def run(line: str, customer: str) -> str:
    """What a line of the page prints; it ends well."""
    program, *words = shlex.split(line.replace("$ID", customer))
    assert program == "hub"
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands_of_the_page_print_what_it_says(ann: str) -> None:
    compared = 0
    for block, after in pairwise(blocks(PAGE)):
        if block.language == "sh":
            told = "".join(run(line, ann) for line in block.text.splitlines())
            assert form(told) == form(after.text), block.text
            compared += 1
    assert compared == 6


def test_the_questions_of_the_page_fit_the_schema() -> None:
    schema = served_schema(load_ontology())
    queries = blocks(PAGE, "graphql")
    assert len(queries) == 1
    for query in queries:
        assert validate(schema, parse(query.text)) == []


def test_the_page_says_the_rule_as_answers_do() -> None:
    assert RULE in " ".join(PAGE.read_text().split())
