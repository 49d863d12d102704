"""All candidate pairs of the shared models: the same match weight as Splink's, and the same pairs from blocking."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from tests.graph.resolution.scoring.oracle import QUERIES, Oracle, shared_oracle

CLOSE = 1e-9

PAIRS = {"febrl3": 87_583, "febrl4": 31_956, "fake_1000": 3_989, "chicago": 152_572, "pseudopeople": 56_660}


@pytest.fixture(params=sorted(QUERIES))
def oracle(request: pytest.FixtureRequest, shared: Path) -> Oracle:
    return shared_oracle(shared / "data" / "resolution", request.param)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_every_candidate_pair_has_the_match_weight_that_splink_gives_it(name: str, shared: Path) -> None:
    oracle = shared_oracle(shared / "data" / "resolution", name)
    assert len(oracle.pairs) == PAIRS[name]
    assert oracle.greatest_difference() <= CLOSE


def test_an_explanation_adds_up_to_the_match_weight(oracle: Oracle) -> None:
    scorer = oracle.scorer
    for left, right, weight in oracle.pairs[::997]:
        explanation = scorer.explain(oracle.rows[left], oracle.rows[right])
        assert explanation.weight == pytest.approx(weight, abs=CLOSE)
        assert [part.comparison for part in explanation.comparisons] == [
            comparison["output_column_name"] for comparison in oracle.model["comparisons"]
        ]


def test_the_records_that_share_a_key_are_the_pairs_that_the_blocking_rules_find(oracle: Oracle) -> None:
    blocking, holders = oracle.blocking, defaultdict(list)
    for key, row in oracle.rows.items():
        for blocking_key in blocking.keys(row):
            holders[blocking_key].append(key)
    linking = oracle.model["link_type"] == "link_only"
    found = {
        frozenset(pair)
        for keys in holders.values()
        for pair in combinations(keys, 2)
        if not (linking and oracle.rows[pair[0]]["source"] == oracle.rows[pair[1]]["source"])
    }
    assert found == {frozenset((left, right)) for left, right, _ in oracle.pairs}
