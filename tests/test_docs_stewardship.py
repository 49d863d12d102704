"""The page about stewardship: its questions fit the schema, and its commands are there with the options it names."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from graphql import parse, validate

from hub.cli import app
from hub.graph.resolution.explaining import Why
from hub.graph.resolution.review import DoubtKind
from hub.ontology import load_ontology
from hub.reference.graphql import served_schema
from tests.doc_blocks import DOCS, blocks, prose

PAGE = DOCS / "stewardship.md"
COMMANDS = [line for block in blocks(PAGE, "sh") for line in block.text.splitlines()]


def test_every_question_fits_the_schema() -> None:
    schema = served_schema(load_ontology())
    queries = blocks(PAGE, "graphql")
    assert len(queries) == 11
    assert [error.message for query in queries for error in validate(schema, parse(query.text))] == []


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one_with_these_arguments(line: str) -> None:
    _, *words = shlex.split(line)
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    assert command.make_context("hub", words).params


def test_every_reason_and_every_kind_is_told() -> None:
    text = prose(PAGE)
    assert [each.name for each in (*Why, *DoubtKind) if f"`{each.name}`" not in text] == []
