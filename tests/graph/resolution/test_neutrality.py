"""Customers are a function of the parties, the decisions and the model: any order, any batches, updates, deletions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.graph.entities import Statement
from hub.graph.resolution import MatchResolver
from hub.graph.resolution.decisions import Decision, Decisions
from hub.store import Store
from tests.graph.graph_world import Graph, gone, party, says
from tests.graph.resolution.conftest import ToyModels

KEYS = [str(number) for number in range(9)]


def some(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


ANN = {"givenName": "Ann", "familyName": "Lee", "birthDate": "1980-01-01", "postalCode": "AB1 2CD"}
BOB = {"givenName": "Bob", "familyName": "Lee", "birthDate": "1981-02-02", "postalCode": "AB1 2CD"}
CHANGES = some(
    givenName=st.sampled_from(["Ann", "Bob"]),
    familyName=st.sampled_from(["Lee", "Kim"]),
    honorificSuffix=st.sampled_from(["Jr", "Sr"]),
    birthDate=st.sampled_from(["1980-01-01", "1981-02-02"]),
    telephone=st.sampled_from(["+441632960001", "+441632960002"]),
    email=st.sampled_from(["a@example.com", "b@example.com"]),
    loyaltyCard=st.sampled_from(["A", "B", "C", "D"]),
)


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """One of two people, of whom something is left out or written otherwise: many are alike, and some keys crowded."""
    said = dict(draw(st.sampled_from([ANN, BOB])))
    for name in draw(st.lists(st.sampled_from(sorted(said)), max_size=2)):
        said.pop(name, None)
    return said | draw(CHANGES)


HISTORIES = st.lists(st.tuples(st.sampled_from(KEYS), values(), st.integers(0, 4)), min_size=1, max_size=24)
DECIDED = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS), st.sampled_from(["same", "not_same"])), max_size=3
)


def person(key: str, values: dict[str, Any] | None, version: int) -> Statement:
    said = says("erp", key, party("erp", key, **(values or {})), version=version % 10)
    return said if values is not None else gone(said)


def crowded(store: Store, toy_models: ToyModels, limit: int) -> Graph:
    return Graph(store, resolver=MatchResolver(store, toy_models(crowded=limit), proofs_crowded=limit))


def decide(graph: Graph, decided: Sequence[tuple[str, str, Any]]) -> None:
    ids = {key: party("erp", key).id for key in KEYS}
    pairs = {
        tuple(sorted((ids[one], ids[other]))): verdict for one, other, verdict in decided if one != other
    }
    made = [
        Decision(f"d{left}{right}", "act", verdict, left, right, None, "steward", "seen", "2026-01-01")
        for (left, right), verdict in pairs.items()
    ]
    with graph.store.write() as connection:
        Decisions(graph.store).add(connection, made)


@given(history=HISTORIES, decided=DECIDED, cuts=st.lists(st.integers(0, 99), max_size=8), data=st.data())
def test_any_order_and_any_batches_give_the_same_customers(
    graph: Graph,
    toy_models: ToyModels,
    history: list[tuple[str, dict[str, Any], int]],
    decided: list[tuple[str, str, str]],
    cuts: list[int],
    data: st.DataObject,
) -> None:
    limit = data.draw(st.sampled_from([2, 3, 50]))
    world = crowded(graph.store, toy_models, limit)
    graph.clear()
    decide(world, decided)
    statements = [
        person(key, None if dies == 0 else values, version)
        for version, (key, values, dies) in enumerate(history)
    ]
    bounds = sorted({0, len(statements), *(cut % (len(statements) + 1) for cut in cuts)})
    for start, end in pairwise(bounds):
        world.apply(*statements[start:end])
        world.check_invariants()
    reached = world.canonical() | world.matched()
    last = [said for said in {said.head_id: said for said in statements}.values() if said.entities]
    graph.clear()
    decide(world, decided)
    world.apply(*data.draw(st.permutations(last)))
    assert reached == world.canonical() | world.matched()
