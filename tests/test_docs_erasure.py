"""`docs/erasure.md`: its commands, run in order, print what the page says, and it names every table of the hub."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

from typer.testing import CliRunner

from hub.audit import datakeys
from hub.audit.database import metadata
from hub.cli import app
from hub.commands import Ground
from hub.store import fixed
from tests.cli.test_erase import customers  # noqa: F401 - a fixture
from tests.doc_blocks import DOCS, blocks

PAGE = DOCS / "erasure.md"


def form(said: str) -> str:
    """The text without ids, numbers and times."""
    said = re.sub(r"cus_\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "#", said)
    return re.sub(r"\d[\d,.:T+-]*", "#", said).strip()


def test_the_commands_of_the_page_print_what_it_says(customers: list[str]) -> None:  # noqa: F811 - the fixture
    compared = 0
    for block, after in pairwise(blocks(PAGE)):
        if block.language != "sh":
            continue
        program, *words = shlex.split(block.text.replace("$CUSTOMER", customers[1]))
        assert program == "hub"
        words = [word.replace("ann@example.com", "ben@example.com") for word in words]
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert form(result.output) == form(after.text), block.text
        compared += 1
    assert compared == 5


def test_the_page_names_every_table_and_every_ground() -> None:
    said = PAGE.read_text()
    tables = {*fixed.metadata.tables, *metadata.tables, *datakeys.metadata.tables}
    assert not [name for name in tables if f"`{name}`" not in said]
    assert not [ground for ground in Ground if f"`{ground}`" not in said]
