"""What is learnt from the store: all profiles, or those of whole customers, the same ones each time."""

from __future__ import annotations

from collections import Counter

import pytest

from hub.graph.resolution.learning import learn
from hub.graph.resolution.sampling import Sample, sampled
from tests.graph.graph_world import Graph, party, says
from tests.graph.resolution.conftest import ToyModels
from tests.graph.resolution.test_bulk import world_of
from tests.graph.resolution.test_neutrality import ANN


@pytest.fixture
def world(graph: Graph, toy_models: ToyModels) -> Graph:
    """Thirty customers of two parties each."""
    world, _ = world_of(graph, toy_models())
    for copy, more in (("a", {}), ("b", {"telephone": "+441632960001"})):
        people = (
            {**ANN, **more, "givenName": f"Ann{chr(97 + number)}", "birthDate": f"19{50 + number}-01-01"}
            for number in range(30)
        )
        world.apply(
            *(says("erp", f"{copy}{n}", party("erp", f"{copy}{n}", **said)) for n, said in enumerate(people))
        )
    return world


def sample(world: Graph, about: int, seed: int = 1) -> Sample:
    with world.store.read() as connection:
        return sampled(connection, "person", about, seed)


def test_all_or_whole_customers(world: Graph) -> None:
    everything, some = sample(world, 100), sample(world, 24)
    assert (len(everything.profiles), everything.share) == (60, 1.0)
    assert set(Counter(some.customers).values()) == {2}
    assert (0 < len(some.profiles) < 60, some.share) == (True, 0.4)
    assert sample(world, 24) == some
    assert sample(world, 24, seed=2) != some
    assert "1950" not in repr(some)


def test_the_prior_is_that_of_all_and_what_is_kept_apart_is_counted(world: Graph) -> None:
    found = sample(world, 100)
    whole = learn("person", found.profiles)
    part = learn("person", found.profiles, share=0.25, customers=found.customers)
    assert part.report.prior == pytest.approx(whole.report.prior - 2)
    assert whole.report.apart_from == {}
    pairs, apart = part.report.pairs_from, part.report.apart_from
    assert pairs[max(pairs)] > apart[max(pairs)] == 0
    assert pairs[min(pairs)] > apart[min(pairs)] > 0
    assert pairs[min(pairs)] - apart[min(pairs)] == 30
