"""Measures of a resolution, against tables worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.graph.resolution import shipped_models
from hub.graph.resolution.evaluation import (
    OverMerge,
    Quality,
    b_cubed,
    blocking_recall,
    in_memory,
    of_edges,
    over_merge,
    pairwise,
    thresholds,
)
from hub.graph.resolution.keys import PROOFS_CROWDED
from hub.graph.resolution.profiles import profile_of

TRUTH = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 3}
"""Four true pairs: ab, ac, bc, de."""

FOUND = [frozenset("ab"), frozenset("cd"), frozenset("e"), frozenset("f")]
"""Two pairs, one of them true."""


def test_pairwise_counts_pairs() -> None:
    assert pairwise(FOUND, TRUTH) == Quality(1 / 2, 1 / 4)
    assert pairwise(FOUND, TRUTH).f1 == pytest.approx(1 / 3)


def test_b_cubed_counts_parties() -> None:
    """Precision of a and b is 1, of c and d 1/2, of e and f 1; recall 2/3, 2/3, 1/3, 1/2, 1/2, 1."""
    found = b_cubed(FOUND, TRUTH)
    assert found.precision == pytest.approx(Fraction(5, 6))
    assert found.recall == pytest.approx(Fraction(22, 36))


def test_parties_without_truth_do_not_count() -> None:
    found = [frozenset("abx"), frozenset("cdy"), frozenset("e"), frozenset("f"), frozenset("z")]
    assert pairwise(found, TRUTH) == pairwise(FOUND, TRUTH)
    assert b_cubed(found, TRUTH) == b_cubed(FOUND, TRUTH)


def test_edges_are_measured_as_they_are() -> None:
    edges = {("a", "b"): 9.0, ("c", "d"): 4.0, ("a", "c"): 1.0, ("a", "x"): 9.0}
    assert of_edges(edges, TRUTH) == Quality(2 / 3, 2 / 4)
    assert blocking_recall(edges, TRUTH) == 2 / 4
    assert thresholds(edges, TRUTH, [0, 4, 5, 10]) == [
        (0, Quality(2 / 3, 2 / 4)),
        (4, Quality(1 / 2, 1 / 4)),
        (5, Quality(1.0, 1 / 4)),
        (10, Quality(1.0, 0.0)),
    ]


def test_over_merging_is_told_by_sizes_and_mixtures() -> None:
    crowd = {f"p{number}": number // 7 for number in range(21)}
    assert over_merge(FOUND, TRUTH) == OverMerge(largest=2, many_parties=0, largest_mixture=2)
    assert over_merge(FOUND, TRUTH).is_quiet
    found = over_merge([frozenset(crowd)], crowd)
    assert found == OverMerge(largest=21, many_parties=1, largest_mixture=3)
    assert not found.is_quiet


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 3), min_size=1))
def test_the_truth_itself_is_perfect(truth: dict[str, int]) -> None:
    found = [frozenset(p for p in truth if truth[p] == true) for true in set(truth.values())]
    assert pairwise(found, truth) == b_cubed(found, truth) == Quality(1.0, 1.0)


def test_a_number_that_too_many_have_tells_nobody_apart() -> None:
    person = profile_of(
        "person", {"given_name": ["Rosalind"], "family_name": ["Quillfeather"], "city": ["Fowey"]}
    )
    model = shipped_models()["person"]
    (weight,) = in_memory({"a": person, "b": person}, model).compared.values()
    profiles = {"a": person, "b": person, **{f"other{n}": {} for n in range(PROOFS_CROWDED)}}
    few = {"a": ["card:1"], "b": ["card:2"]}
    crowded = {party: ["card:1"] for party in profiles} | {"b": ["card:2"]}
    assert frozenset("ab") not in in_memory(profiles, model, few, weight - 1).customers
    assert frozenset("ab") in in_memory(profiles, model, crowded, weight - 1).customers
