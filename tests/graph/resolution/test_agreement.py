"""What `hub resolve evaluate` measures in memory is what the hub does in its store."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.graph.resolution.evaluation import in_memory
from hub.graph.resolution.matchables import Matchables
from tests.graph.graph_world import Graph
from tests.graph.resolution.conftest import ToyModels
from tests.graph.resolution.test_matching import resolved
from tests.graph.resolution.test_neutrality import KEYS, person, values


@given(said=st.lists(values(), min_size=1, max_size=len(KEYS)), limit=st.sampled_from([2, 3, 50]))
def test_the_same_parties_are_the_same_customers(
    graph: Graph, toy_models: ToyModels, said: list[dict[str, Any]], limit: int
) -> None:
    models = toy_models(crowded=limit)
    world = resolved(graph.store, models)
    world.clear()
    statements = [person(key, each, 1) for key, each in zip(KEYS, said, strict=False)]
    for statement in statements:
        world.apply(statement)
    with world.store.read() as connection:
        known = Matchables(world.store).of(connection, [each.entities[0].id for each in statements])
    profiles = {each.party: each.columns for each in known}
    proofs = {each.party: each.proofs for each in known}
    in_store = {frozenset(parties) for parties in world._members().values()}
    assert set(in_memory(profiles, models["person"], proofs).customers) == in_store
