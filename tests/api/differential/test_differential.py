"""The database's JSON and an executor give the same answers to the same documents.

A root field that no plan answers makes the executor complete the whole answer; so each document is asked as it is, and
once more with `me` beside it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
)

from hub.values import entity_id
from tests.api.api_world import Reply, World
from tests.api.differential.corpus import CORPUS, Case

BESIDE = "executed"
ROLES = ("support", "marketing", "compliance")


def with_executor(text: str) -> str:
    """The document with a root field that no plan answers in each of its queries."""
    try:
        tree = parse(text)
    except GraphQLError:
        return text
    name = NameNode(value="me")
    inside = SelectionSetNode(
        selections=(FieldNode(name=NameNode(value="__typename"), arguments=(), directives=()),)
    )
    field = FieldNode(
        name=name, alias=NameNode(value=BESIDE), arguments=(), directives=(), selection_set=inside
    )
    for node in tree.definitions:
        if isinstance(node, OperationDefinitionNode):
            selections = (*node.selection_set.selections, field)
            node.selection_set = SelectionSetNode(selections=selections)
    return print_ast(tree)


def same(world: World, role: str, text: str, variables: dict[str, Any], operation: str | None) -> Reply:
    """The answer of the database's JSON, which is also the executor's, keys in the same order."""
    token = world.token(role)

    def asked(document: str) -> Reply:
        return world.post({"query": document, "variables": variables, "operationName": operation}, token)

    from_json, from_executor = asked(text), asked(with_executor(text))
    told = dict(from_executor.body)
    if told.get("data"):
        told["data"] = {key: value for key, value in told["data"].items() if key != BESIDE}
    assert from_json.status == from_executor.status
    assert json.dumps(comparable(from_json.body)) == json.dumps(comparable(told))
    return from_json


def comparable(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what differs between two documents or two requests: places, references, and counted costs."""
    errors = [
        {
            "message": ""
            if error["extensions"]["code"] == "LIMIT_EXCEEDED"
            else error["message"].partition(" (ref")[0],
            "path": error.get("path"),
            "code": error["extensions"]["code"],
        }
        for error in body.get("errors", ())
    ]
    return {**body, "errors": errors}


def ids(world: World) -> dict[str, str]:
    """Ids of rows by the words that stand for them in the corpus."""
    customers = {"ANN": "C1", "BEN": "C2", "TRADERS": "C3"}
    found = {word: world.customer("erp", key) for word, key in customers.items()}
    return {**found, "ORDER": entity_id("erp", "Order", "O1")}


def named(value: Any, known: dict[str, str]) -> Any:
    """The value with ids in the place of the words that stand for them."""
    if isinstance(value, dict):
        return {key: named(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [named(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", CORPUS, ids=[case.name for case in CORPUS])
def test_both_ways_answer_alike(twofold: World, case: Case) -> None:
    known = ids(twofold)
    variables = named(case.variables, known)
    for role in ROLES:
        reply = same(twofold, role, case.query, variables, case.operation)
        if role == "support":
            assert ("data" not in reply.body) is case.refused, reply.body.get("errors")
            assert case.refused or "errors" not in reply.body, reply.body.get("errors")


def test_the_corpus_is_large_and_mostly_planned(twofold: World) -> None:
    names = [case.name for case in CORPUS]
    assert len(names) == len(set(names)) >= 150
    executed_only = [case for case in CORPUS if " me " in case.query]
    assert len(executed_only) < 5
