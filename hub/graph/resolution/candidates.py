"""Which pairs of many profiles are compared at all: those that share a blocking key or contact that is not crowded.

A key or value is *crowded* when more parties hold it than a model's limit: a switchboard, a placeholder typed for
everybody, the most common family name. It then finds nobody and proves nothing; longer keys still find their pairs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import combinations

from hub.graph.resolution.clusters import Pair, pair_of
from hub.graph.resolution.profiles import SHARED_COLUMNS, Profile, without
from hub.graph.resolution.scoring import Blocking, Scorer

AGAINST = 3.0
"""Bits that have to speak against a pair before it counts: 8 to 1, more than another town or phone number says."""


def candidate_pairs(profiles: Mapping[str, Profile], blocking: Blocking, crowded: int) -> set[Pair]:
    """The pairs that share a blocking key or a contact, without those that more than `crowded` parties have."""
    holders: dict[tuple[int | str, str], list[str]] = defaultdict(list)
    for party, profile in profiles.items():
        for key in blocking.keys(profile):
            holders[key].append(party)
        for column in SHARED_COLUMNS:
            for value in profile.get(column, ()):
                holders[column, value].append(party)
    found: set[Pair] = set()
    for parties in holders.values():
        if 1 < len(parties) <= crowded:
            found.update(pair_of(*pair) for pair in combinations(parties, 2))
    return found


def without_crowded(profiles: Mapping[str, Profile], crowded: int) -> dict[str, Profile]:
    """The profiles without the phones and e-mail addresses that more than `crowded` parties have."""
    held = Counter(
        (column, value)
        for profile in profiles.values()
        for column in SHARED_COLUMNS
        for value in profile.get(column, ())
    )
    common = {key for key, count in held.items() if count > crowded}
    return {party: without(profile, common) for party, profile in profiles.items()}


def vote(scorer: Scorer, left: Profile, right: Profile) -> float | None:
    """The weight with which a pair counts when groups are joined, None where nothing speaks against the pair.

    A receipt with a phone number alone and one with an e-mail address alone have a low weight, since two strangers have
    nothing in common either: that shall not part two records of one person that a third holds together.
    """
    found = scorer.explain(left, right)
    against = sum(min(part.total, 0.0) for part in found.comparisons)
    return found.weight if against <= -AGAINST else None
