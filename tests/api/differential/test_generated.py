"""Documents drawn from the schema are answered alike by the database's JSON and by an executor."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    REMOVE,
    ArgumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    parse,
    print_ast,
    visit,
)
from graphql.language.visitor import Visitor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from hub.ontology import load_ontology
from hub.schema import make_catalogue
from tests.api.api_world import World
from tests.api.differential.test_differential import ids, same

ROOTS = (
    "_entities",
    "customer",
    "customers",
    "orders",
    "tickets",
    "people",
    "order",
    "shipments",
    "invoices",
)


def _representation(type_: str, id_: str) -> ObjectValueNode:
    pairs = {"__typename": type_, "id": id_}.items()
    return nodes.Object(
        [ObjectFieldNode(name=NameNode(value=key), value=nodes.String(value)) for key, value in pairs]
    )


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Decimal": st.integers(-100, 9_000).map(lambda cents: nodes.String(f"{cents / 100:.2f}")),
    "Date": st.sampled_from(["1984", "1984-05", "2026-01-02"]).map(nodes.String),
    "DateTime": st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-05T00:00:00+02:00"]).map(nodes.String),
    "Long": st.integers(-5, 50).map(nodes.Int),
    "_Any": st.sampled_from(["Customer ANN", "Customer BEN", "Order ORDER", "Order ANN", "Ticket none"]).map(
        lambda words: _representation(*words.split())
    ),
}
DOCUMENTS = {
    root: queries(make_catalogue(load_ontology()).sdl, fields=(root,), custom_scalars=SCALARS)
    for root in ROOTS
}


class _Reachable(Visitor):
    """Turns drawn arguments into ones that find something: ids that exist, pages of the list's beginning."""

    def __init__(self, known: dict[str, str]) -> None:
        super().__init__()
        self._known = known

    def enter_field(self, node: FieldNode, *_where: Any) -> None:
        if node.name.value in ("customer", "order") and node.arguments:
            word = "ANN" if node.name.value == "customer" else "ORDER"
            for argument in node.arguments:
                argument.value = StringValueNode(value=self._known[word])

    def enter_object_field(self, node: ObjectFieldNode, *_where: Any) -> None:
        if node.name.value == "id" and isinstance(node.value, StringValueNode):
            node.value = StringValueNode(value=self._known.get(node.value.value, node.value.value))

    def enter_argument(self, node: ArgumentNode, *_where: Any) -> Any:
        if node.name.value == "first" and isinstance(node.value, IntValueNode):
            node.value = IntValueNode(value=str(abs(int(node.value.value)) % 4))
        if node.name.value == "after":
            return REMOVE if isinstance(node.value, NullValueNode) else None
        return None


@pytest.mark.parametrize("root", ROOTS)
def test_both_ways_answer_drawn_documents_alike(twofold: World, root: str) -> None:
    known = ids(twofold)

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS[root], st.sampled_from(["support", "marketing", "compliance", "partner"]))
    def alike(document: str, role: str) -> None:
        reply = same(twofold, role, print_ast(visit(parse(document), _Reachable(known))), {}, None)
        assert reply.status in (200, 403)

    alike()
