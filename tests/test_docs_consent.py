"""`docs/consent.md`: its commands, run in order, print what the page says, and its rules are those of the code."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

from typer.testing import CliRunner

from hub.cli import app
from hub.privacy.consent import Reason, rules
from tests.cli.test_erase import customers
from tests.doc_blocks import DOCS, blocks
from tests.test_docs_erasure import form

__all__ = ["customers"]

PAGE = DOCS / "consent.md"


def bare(said: str) -> str:
    """The text without ids, numbers and times."""
    return form(re.sub(r"\b[a-z0-9]{26}\b", "#", said))


def test_the_commands_of_the_page_print_what_it_says(customers: list[str]) -> None:
    compared = 0
    for block, after in pairwise(blocks(PAGE)):
        if block.language != "sh":
            continue
        program, *words = shlex.split(block.text.replace("$CUSTOMER", customers[1]))
        assert program == "hub"
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert bare(result.output) == bare(after.text), block.text
        compared += 1
    assert compared == 12


def test_the_page_has_the_rules_of_the_code_and_every_reason() -> None:
    said = PAGE.read_text()
    assert rules.__doc__ is not None
    numbered = [line for line in rules.__doc__.splitlines() if line[:1].isdigit()]
    assert len(numbered) == 12
    assert not [line for line in numbered if line[:25] not in said]
    assert not [reason for reason in Reason if f"`{reason}`" not in said]
