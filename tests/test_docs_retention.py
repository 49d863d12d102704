"""`docs/retention.md` and `docs/breach.md`: their commands, run in order, print what the pages say; rules load."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.access import load_access_map
from hub.access.retention import RetentionRule, load_retention
from hub.cli import app
from hub.commands.incidents import StepKind
from hub.ontology import Ontology, load_ontology
from tests.doc_blocks import DOCS, ROOT, blocks, first_cells
from tests.privacy.keeping.cli_world import ledger


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def form(said: str) -> str:
    """The text without ids, numbers and times."""
    said = re.sub(r"cus_\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "#", said)
    return re.sub(r"\d[\d,.:T+-]*", "#", said).strip()


@pytest.mark.parametrize(("page", "count"), [("retention.md", 6), ("breach.md", 5)])
def test_the_commands_of_the_page_print_what_it_says(
    page: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"$CUSTOMER": ledger(tmp_path, monkeypatch)["P1"]}
    compared = 0
    for block, after in pairwise(blocks(DOCS / page)):
        if block.language != "sh":
            continue
        program, *words = [known.get(word, word) for word in shlex.split(block.text)]
        assert program == "hub"
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == (3 if words[:2] == ["retention", "report"] else 0), result.output
        if after.language in ("text", "markdown"):
            assert form(result.output) == form(after.text), block.text
            compared += 1
        if found := re.search(r"^(Hold|Incident) (\S+)", result.output):
            known[f"${found[1].upper()}"] = found[2]
    assert compared == count


def test_the_rules_of_the_page_load(ontology: Ontology, tmp_path: Path) -> None:
    policy = load_access_map(ROOT / "policy.yaml", ontology.taxonomy).policy
    counts = []
    for block in blocks(DOCS / "retention.md", "yaml"):
        (tmp_path / "retention.yaml").write_text(block.text)
        counts.append(len(load_retention(tmp_path / "retention.yaml", ontology, policy).rules))
    assert counts == [2, 1]


def test_every_key_of_a_rule_and_every_step_is_told() -> None:
    cells = {word for cell in first_cells(DOCS / "retention.md") for word in re.findall(r"\w+", cell)}
    assert not set(RetentionRule.model_fields) - cells
    assert set(StepKind.__args__) <= first_cells(DOCS / "breach.md")
