"""Which parties of one neighbourhood are the same customer: average linkage under constraints.

A *neighbourhood* is a set of parties closed under strong edges and stewards' decisions; an *edge* is a pair of parties
with its match weight in bits. Connected components would make it one customer, however thin the chain. Here groups
join only while the mean weight over *all* pairs between them is high enough: one edge between two tight groups of
four is one good pair against fifteen bad ones, and stays cut.

Example: a-b and c-d weigh 20 bits, b-c weighs 8, every other pair -10. Merging at 5, {a, b} and {c, d} form first;
the mean between them is (8 - 10 - 10 - 10) / 4, so they stay two customers.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import combinations, product

from pydantic import BaseModel, ConfigDict, Field

from hub.graph.resolution.profiles import Profile

Pair = tuple[str, str]
"""Two parties, the lesser id first."""

_UNITS_A_BIT = 1 << 20
"""Weights are added as whole numbers: sums are then the same in any order, and equal evidence ties exactly."""


class LinkageSettings(BaseModel):
    """How far evidence between groups of parties counts, in bits of match weight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    floor: float = -10.0
    """A pair counts no lower: one pair of poor records shall not outvote a group that agrees otherwise."""
    ceiling: float = 20.0
    """A pair counts no higher: one shared number shall not carry a group that disagrees otherwise."""
    scored_parties: int = Field(default=300, ge=2)
    """Parties of a neighbourhood up to which pairs without an edge are scored. Above, they count as `unscored`:
    scoring grows with the square, and so large a neighbourhood hangs together by shared values."""
    unscored: float = -10.0
    """What a pair without an edge counts in a neighbourhood of more than `scored_parties`."""


def pair_of(left: str, right: str) -> Pair:
    """The two parties in the order in which every pair is written."""
    return (left, right) if left < right else (right, left)


def partition(
    parties: Collection[str],
    weight: Callable[[str, str], float],
    edges: Mapping[Pair, float],
    merge_weight: float,
    *,
    same: Collection[Pair] = (),
    not_same: Collection[Pair] = (),
    proven: Collection[Pair] = (),
    conflicts: Collection[Pair] = (),
    settings: LinkageSettings | None = None,
) -> list[frozenset[str]]:
    """The customers of one neighbourhood, in the order of their least party: a function of its arguments' contents.

    `edges` are the pairs known already, of any weight; only those of at least `merge_weight` bring groups together, and
    `weight` is asked for the pairs that a mean lacks. Pairs are as `pair_of` writes them, all among `parties`.
    `same` are joined whatever they weigh and whatever conflicts; `not_same` are never joined, and win over a chain of
    `same` that contradicts them; `conflicts` are joined by nothing but `same`. `proven` pairs share a strong identifier
    that their other evidence does not outweigh: they are joined before any mean is taken, unless something conflicts.
    """
    linkage = _Linkage(sorted(parties), weight, edges, merge_weight, settings or LinkageSettings())
    linkage.forbid(not_same)
    linkage.join_same(same)
    linkage.forbid(conflicts)
    linkage.join_same(proven)
    return linkage.run()


def _units(weight: float) -> int:
    return round(weight * _UNITS_A_BIT)


class _Linkage:
    """The state of one run: groups named by their least party."""

    def __init__(
        self,
        parties: Sequence[str],
        weight: Callable[[str, str], float],
        edges: Mapping[Pair, float],
        merge_weight: float,
        settings: LinkageSettings,
    ) -> None:
        self._weight = weight
        self._edges = edges
        self._least = _units(merge_weight)
        self._settings = settings
        self._all_scored = len(parties) <= settings.scored_parties
        self._members = {party: [party] for party in parties}
        self._group = {party: party for party in self._members}
        self._apart: dict[str, set[str]] = {party: set() for party in self._members}
        self._sums: dict[str, dict[str, int]] = {}
        self._heap: list[tuple[float, str, str]] = []

    def forbid(self, pairs: Iterable[Pair]) -> None:
        """Keep the groups of these pairs apart, unless they are one already."""
        for left, right in pairs:
            first, second = self._group[left], self._group[right]
            if first != second:
                self._apart[first].add(second)
                self._apart[second].add(first)

    def join_same(self, pairs: Iterable[Pair]) -> None:
        """Join these pairs in their order, but never what is to be apart."""
        for left, right in sorted(pairs):
            first, second = pair_of(self._group[left], self._group[right])
            if first != second and second not in self._apart[first]:
                self._absorb(first, second)

    def run(self) -> list[frozenset[str]]:
        """Join the two groups of the greatest mean, again and again, and return what stays apart."""
        self._sums = {group: {} for group in self._members}
        for pair, weight in self._edges.items():
            if not self._all_scored or _units(weight) >= self._least:
                self._tie(*pair_of(self._group[pair[0]], self._group[pair[1]]))
        while self._heap:
            mean, first, second = heapq.heappop(self._heap)
            if self._is_current(-mean, first, second):
                self._join(first, second)
        return [frozenset(self._members[group]) for group in sorted(self._members)]

    def _tie(self, first: str, second: str) -> None:
        """Make two groups candidates, with the sum over all pairs between them."""
        if first != second and second not in self._apart[first] and second not in self._sums[first]:
            self._offer(first, second, self._sum(first, second))

    def _offer(self, first: str, second: str, total: int) -> None:
        self._sums[first][second] = self._sums[second][first] = total
        mean = self._mean(first, second)
        if mean >= self._least:
            heapq.heappush(self._heap, (-mean, *pair_of(first, second)))

    def _mean(self, first: str, second: str) -> float:
        return self._sums[first][second] / (len(self._members[first]) * len(self._members[second]))

    def _is_current(self, mean: float, first: str, second: str) -> bool:
        """Whether an offer is of groups as they are now, not of what they were before one of them grew."""
        return second in self._sums.get(first, ()) and self._mean(first, second) == mean

    def _sum(self, first: str, second: str) -> int:
        return sum(self._pair_units(*each) for each in product(self._members[first], self._members[second]))

    def _untied_sum(self, first: str, second: str) -> int:
        """The sum between groups that no tie holds: where not all pairs are scored, there is no edge between them."""
        if self._all_scored:
            return self._sum(first, second)
        return _units(self._settings.unscored) * len(self._members[first]) * len(self._members[second])

    def _pair_units(self, left: str, right: str) -> int:
        pair = pair_of(left, right)
        weight = self._edges.get(pair)
        if weight is None:
            weight = self._weight(*pair) if self._all_scored else self._settings.unscored
        return _units(min(max(weight, self._settings.floor), self._settings.ceiling))

    def _join(self, first: str, second: str) -> None:
        ties = self._sums[first], self._sums.pop(second)
        near = (ties[0].keys() | ties[1].keys()) - {first, second}
        self._sums[first] = {}
        sums = {
            other: sum(
                known[other] if other in known else self._untied_sum(group, other)
                for group, known in zip((first, second), ties, strict=True)
            )
            for other in near
            if other not in self._apart[first] and other not in self._apart[second]
        }
        for other in near:
            self._sums[other].pop(first, None)
            self._sums[other].pop(second, None)
        self._absorb(first, second)
        for other, total in sums.items():
            self._offer(first, other, total)

    def _absorb(self, kept: str, other: str) -> None:
        moved = self._members.pop(other)
        self._members[kept] += moved
        self._group.update(dict.fromkeys(moved, kept))
        for group in self._apart.pop(other):
            self._apart[group].discard(other)
            self._apart[group].add(kept)
            self._apart[kept].add(group)


def conflicting_pairs(profiles: Mapping[str, Profile]) -> set[Pair]:
    """The pairs of these people that no evidence but a steward's word may join: father and son, by their generations."""
    of_generation: dict[str, list[str]] = defaultdict(list)
    for party, profile in profiles.items():
        if generation := profile.get("generation"):
            of_generation[_NAMED_AFTER_FATHER.get(str(generation), str(generation))].append(party)
    return {
        pair_of(*pair)
        for one, other in combinations(of_generation.values(), 2)
        for pair in product(one, other)
    }


_NAMED_AFTER_FATHER = {"2": "jr"}
"""The second is a junior by another name."""
