"""`docs/privacy-requests.md`: its commands print what it says, and it names every kind and command."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

from typer.main import get_command
from typer.testing import CliRunner

from hub.cli import app
from hub.cli.request import app as request_app
from hub.organisation import Organisation
from hub.privacy.requests import Kind, Law, Refusal
from hub.yamlfile import load_yaml
from tests.cli.test_request import ann  # noqa: F401 - a fixture
from tests.doc_blocks import DOCS, blocks
from tests.test_docs_erasure import form

PAGE = DOCS / "privacy-requests.md"


def run(*words: str) -> str:
    return CliRunner().invoke(app, list(words), catch_exceptions=False).output


def test_the_commands_of_the_page_print_what_it_says(ann: str) -> None:  # noqa: F811 - the fixture
    compared, request = 0, ""
    for block, after in pairwise(blocks(PAGE)):
        if block.language != "sh":
            continue
        program, *words = shlex.split(block.text.replace("$CUSTOMER", ann).replace("$REQUEST", request))
        assert program == "hub"
        if words[1] == "show":
            run("sync", "club")
        output = run(*words)
        request = request or output[:36]
        assert plain(output) == plain(after.text), block.text
        compared += 1
    assert compared == 10


def plain(said: str) -> str:
    """The text without ids, times and numbers; the keyed id of a party is one."""
    return form(re.sub(r"customer: \w+", "customer: #", said))


def test_the_page_names_every_kind_law_refusal_and_command() -> None:
    said = PAGE.read_text()
    assert not [word for word in (*Kind, *Law, *Refusal) if f"`{word}`" not in said]
    commands = get_command(request_app).commands  # type: ignore[attr-defined]
    assert not [name for name in commands if f"hub request {name}" not in said]


def test_the_rule_of_the_page_is_the_one_of_the_demo_company() -> None:
    from ruamel.yaml import YAML

    (block,) = [each for each in blocks(PAGE, "yaml") if each.text.startswith("kept_by_law")]
    shown = Organisation.model_validate(YAML(typ="safe").load(block.text))
    given = load_yaml(DOCS.parent / "organisation.yaml").data["kept_by_law"]
    assert shown.kept_by_law == Organisation.model_validate({"kept_by_law": given}).kept_by_law
