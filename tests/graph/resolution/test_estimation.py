"""Estimation recovers what pairs were made of, and is not misled by what households share."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import pytest

from hub.graph.resolution.estimation import estimate

M = ((0.9, 0.1), (0.8, 0.15, 0.05), (0.95, 0.05))
U = ((0.01, 0.99), (0.002, 0.018, 0.98), (0.05, 0.95))
PAIRS, MATCHES = 10_000_000, 20_000


def table(pairs: float, shares: tuple[tuple[float, ...], ...]) -> Counter[tuple[int, ...]]:
    """The levels that so many pairs take if comparisons are independent, to the nearest pair."""
    found: Counter[tuple[int, ...]] = Counter()
    for levels in product(*(range(len(each)) for each in shares)):
        found[levels] = round(
            pairs * math.prod(each[level] for each, level in zip(shares, levels, strict=True))
        )
    return found


def is_blocked(levels: tuple[int, ...]) -> bool:
    """Blocking on the first comparison and on the second."""
    return levels[0] == 0 or levels[1] == 0


def world() -> tuple[Counter[tuple[int, ...]], Counter[tuple[int, ...]]]:
    everything = table(MATCHES, M) + table(PAIRS - MATCHES, U)
    blocked = Counter({levels: count for levels, count in everything.items() if is_blocked(levels)})
    others = {levels: count for levels, count in everything.items() if not is_blocked(levels)}
    sample = Counter({levels: round(count / 10) for levels, count in others.items()})
    return blocked, sample


def test_m_u_and_prior_come_back_out_of_the_pairs_that_they_made() -> None:
    blocked, others = world()
    found = estimate(blocked, others, PAIRS, [2, 3, 2], 5000)
    # Two matches in a hundred share neither key: blocking does not find them, and they count as no matches.
    assert found.prior == pytest.approx(MATCHES / PAIRS, rel=0.1)
    for expected, estimated in ((M, found.m), (U, found.u)):
        for one, other in zip(expected, estimated, strict=True):
            assert other == pytest.approx(one, rel=0.1, abs=0.03)


def test_matches_among_the_blocked_pairs_do_not_spoil_u() -> None:
    """Four of five pairs that take the best level of the second comparison are matches."""
    found = estimate(*world(), PAIRS, [2, 3, 2], 5000)
    assert found.u[1][0] == pytest.approx(0.002, rel=0.05)


def test_a_part_alone_learns_from_its_joint_comparison() -> None:
    """The second comparison is the first part of the joint first, and nobody ever lacks the other part."""
    joint = Counter({(levels[0] * 3 + levels[1], -1, levels[2]): n for levels, n in world()[0].items()})
    others = Counter({(levels[0] * 3 + levels[1], -1, levels[2]): n for levels, n in world()[1].items()})
    found = estimate(joint, others, PAIRS, [6, 2, 2], 5000, [(0, 1, None)])
    assert found.m[1] == pytest.approx(M[0], abs=0.02)
    assert found.u[1] == pytest.approx(U[0], rel=0.1)
    unpooled = estimate(joint, others, PAIRS, [6, 2, 2], 5000)
    assert unpooled.u[1] == pytest.approx((0.5, 0.5))
