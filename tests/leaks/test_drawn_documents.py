"""Documents drawn from the schema tell nothing either."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from graphql import (
    REMOVE,
    ArgumentNode,
    FieldNode,
    IntValueNode,
    NullValueNode,
    ObjectFieldNode,
    StringValueNode,
    parse,
    print_ast,
    visit,
)
from graphql.language.visitor import Visitor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from tests.leaks.checking import leaks
from tests.leaks.company import customer_ids
from tests.leaks.policies import role_name
from tests.leaks.probes import Probe
from tests.leaks.variants import COMMON
from tests.leaks.worlds import Pair

ROOTS = ("customer", "customers", "people", "tickets", "invoices", "search", "relatedCustomers")
ROLES = (0, 1, 2, 4, 9)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Decimal": st.integers(-100, 9_000).map(lambda cents: nodes.String(f"{cents / 100:.2f}")),
    "Date": st.sampled_from(["1984", "1984-05", "2026-01-02"]).map(nodes.String),
    "DateTime": st.sampled_from(["2022-01-02T03:04:05Z", "2026-01-05T00:00:00+02:00"]).map(nodes.String),
    "Long": st.integers(-5, 50).map(nodes.Int),
}


class _Reachable(Visitor):
    """Turns drawn arguments into ones that find something: ids that exist, words that occur, first pages."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self._pair = pair

    def enter_field(self, node: FieldNode, *_where: Any) -> None:
        if node.name.value not in ("customer", "relatedCustomers", "search"):
            return
        found = customer_ids(self._pair.services.store)[0]
        for argument in node.arguments:
            if argument.name.value in ("id", "text"):
                text = found if argument.name.value == "id" else COMMON
                argument.value = StringValueNode(value=text)

    def enter_argument(self, node: ArgumentNode, *_where: Any) -> Any:
        if node.name.value in ("first", "rings") and isinstance(node.value, IntValueNode):
            node.value = IntValueNode(value=str(1 + abs(int(node.value.value)) % 3))
        if node.name.value in ("types", "sources") or isinstance(node.value, NullValueNode):
            return REMOVE
        return None

    def enter_object_field(self, node: ObjectFieldNode, *_where: Any) -> Any:
        return REMOVE if isinstance(node.value, NullValueNode) else None


@cache
def drawn(sdl: str, root: str) -> st.SearchStrategy[str]:
    """Documents with this root field."""
    return queries(sdl, fields=(root,), custom_scalars=SCALARS)


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("root", ROOTS)
def test_drawn_documents_tell_nothing(pair: Pair, root: str) -> None:
    profile = settings.get_profile(settings.get_current_profile_name())

    @settings(max_examples=profile.max_examples // 8, suppress_health_check=list(HealthCheck))
    @given(drawn(pair.catalogue.sdl, root), st.sampled_from(ROLES))
    def alike(document: str, number: int) -> None:
        role = role_name(number)
        pair.become(role)
        probe = Probe("drawn", print_ast(visit(parse(document), _Reachable(pair))))
        found = next(leaks(pair, role, [probe]), None)
        assert found is None, found

    alike()
