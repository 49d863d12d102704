"""What a preview tells is what comes to pass when the models are changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import LimitError, QueryError
from hub.graph.resolution import MatchModel
from hub.graph.resolution.preview import Preview, Previews, Word, with_merge_weight
from tests.graph.graph_world import Graph, party, says
from tests.graph.resolution.conftest import ToyModels
from tests.graph.resolution.test_bulk import resolved_anew, world_of
from tests.graph.resolution.test_neutrality import ANN, BOB, DECIDED, HISTORIES, decide, person

WORDS = "SELECT verdict, left_id, right_id FROM decision"


def previewed(world: Graph, models: Mapping[Any, MatchModel], other: Mapping[Any, MatchModel]) -> Preview:
    with world.store.read() as connection:
        return Previews(world.store, models).of(connection, other)


def members(world: Graph) -> dict[str, str]:
    return dict(world.rows("SELECT party_id, customer_id FROM membership"))


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[set[Any], set[Any]]:
    """The customers that became one, and the parts of those that became several."""
    joined, parts = defaultdict(set), defaultdict(lambda: defaultdict(set))
    for each, customer in before.items():
        joined[after[each]].add(customer)
        parts[customer][after[each]].add(each)
    merges = {tuple(sorted(customers)) for customers in joined.values() if len(customers) > 1}
    splits = {
        (customer, frozenset(map(frozenset, groups.values())))
        for customer, groups in parts.items()
        if len(groups) > 1
    }
    return merges, splits


def comes_to_pass(world: Graph, models: Mapping[Any, MatchModel], other: Mapping[Any, MatchModel]) -> Preview:
    """What is told, which is what then happens."""
    before = world.matched(), members(world)
    told = previewed(world, models, other)
    assert (world.matched(), members(world)) == before
    resolved_anew(*world_of(world, other))
    after = members(world)
    merges, splits = changed(before[1], after)
    assert {each.customers for each in told.merges} == merges
    assert {(each.customer, frozenset(map(frozenset, each.parts))) for each in told.splits} == splits
    assert {(word.verdict, word.left, word.right): word.holds for word in told.words} == {
        (verdict, left, right): (after[left] == after[right]) == (verdict == "same")
        for verdict, left, right in world.rows(WORDS)
        if left in after and right in after
    }
    return told


def test_what_is_crowded_now_and_what_was_decided_count_as_they_would(
    graph: Graph, toy_models: ToyModels
) -> None:
    models = toy_models(crowded=2)
    world, _ = world_of(graph, models)
    alike = {"givenName": "Ann", "familyName": "Lee", "email": "a@example.com"}
    decide(world, [("7", "8", "same")])
    world.apply(*(person(key, alike, 1) for key in "123"), person("7", ANN, 1), person("8", BOB, 1))
    assert comes_to_pass(world, models, toy_models(crowded=2, name="another")) == Preview(
        [], [], [Word("same", *sorted(party("erp", key).id for key in "78"), True)]
    )
    (merge,) = comes_to_pass(world, models, toy_models(crowded=50)).merges
    assert len(merge.customers) == 3


@settings(max_examples=15)
@given(
    history=HISTORIES,
    decided=DECIDED,
    merge_weight=st.sampled_from([0.0, 4.0, 8.0, 14.0]),
    crowded=st.sampled_from([None, 2, 50]),
)
def test_a_preview_tells_what_comes_to_pass(
    graph: Graph,
    toy_models: ToyModels,
    history: list[tuple[str, dict[str, Any], int]],
    decided: list[tuple[str, str, str]],
    merge_weight: float,
    crowded: int | None,
) -> None:
    models = toy_models(crowded=3)
    world, _ = world_of(graph, models)
    graph.clear()
    decide(world, decided)
    world.apply(*(person(key, values, number) for number, (key, values, _) in enumerate(history)))
    other = (
        with_merge_weight(models, merge_weight, ["person"])
        if crowded is None
        else toy_models(crowded=crowded, merge_weight=merge_weight)
    )
    comes_to_pass(world, models, other)


def test_what_is_told_at_once_weighs_no_pair_and_has_a_limit(graph: Graph, toy_models: ToyModels) -> None:
    models = toy_models()
    world, _ = world_of(graph, models)
    world.apply(*(says("erp", key, party("erp", key, **said)) for key, said in (("a", ANN), ("b", BOB))))
    lower = with_merge_weight(models, -50.0, ["person"])
    with world.store.read() as connection:
        previews = Previews(world.store, models)
        assert previews.of_held(connection, models, 2) == Preview([], [], [])
        with pytest.raises(LimitError):
            previews.of_held(connection, models, 1)
        with pytest.raises(QueryError, match="bits"):
            previews.of_held(connection, lower, 2)
