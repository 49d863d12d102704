"""The partition of a neighbourhood into customers, with a reason for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations

from networkx.utils import UnionFind

from hub.graph.resolution.clusters import partition
from hub.graph.resolution.identity import STEWARD
from hub.graph.resolution.judge import Judge, schemes_shared
from hub.graph.resolution.matchables import Matchable
from hub.graph.resolution.neighbourhood import Neighbourhood, PartyPair

SHARED = "shared_identifier"
ALIKE = "alike"
ALONE = "alone"
"""Codes of the reason why parties are one customer, beside a steward's word: a strong identifier that they share
(followed by its schemes), their match weight, or that there is one party only."""

_REASON_LENGTH = 96
"""What the audit log takes as a code."""


class Grouping:
    """Groups of parties, each one customer, made neighbourhood by neighbourhood."""

    def __init__(
        self,
        judge: Judge,
        known: Mapping[str, Matchable],
        near: Neighbourhood,
    ) -> None:
        self._judge = judge
        self._known = known
        self._near = near
        self._ties = dict(near.ties)
        self._weights: dict[PartyPair, float] = dict(near.edges)
        self.parties: list[frozenset[str]] = []
        self.reasons: list[str] = []
        """Why the parties of each group are one customer."""
        self.steward_parted: set[int] = set()
        """Places of the groups that a steward holds apart from others."""

    def keep(self, group: frozenset[str]) -> None:
        """Take a group as it is."""
        self.parties.append(group)
        self.reasons.append(ALONE)

    def part(self, connected: frozenset[str]) -> None:
        """Part connected parties into customers."""
        matched = {party for party in connected if party in self._known}
        kinds = {self._known[party].kind for party in matched}
        same, apart = self._decided(connected)
        found = partition(
            matched,
            self._weight,
            self._edges(matched),
            self._judge.merge_weight(kinds),
            same=same,
            not_same=apart,
            proven=self._proven(matched),
            conflicts=self._conflicts(matched),
            settings=self._judge.linkage(kinds),
        )
        held_apart = {party for pair in apart for party in pair}
        for group in self._tied(found, connected):
            if group & held_apart:
                self.steward_parted.add(len(self.parties))
            self.parties.append(group)
            self.reasons.append(self._reason(group, same))

    def _decided(self, connected: Collection[str]) -> tuple[list[PartyPair], list[PartyPair]]:
        """The pairs that stewards joined, and those that they parted."""
        made = [each for each in self._near.decisions if each.left in connected and each.right in connected]
        same = [(each.left, each.right) for each in made if each.verdict == "same"]
        apart = [
            (each.left, each.right)
            for each in made
            if each.verdict == "not_same" and each.holds_against(self._weight(each.left, each.right))
        ]
        return same, apart

    def _weight(self, one: str, other: str) -> float:
        pair = (one, other) if one < other else (other, one)
        if pair not in self._weights:
            self._weights[pair] = self._judge.weight(self._known[one], self._known[other])
        return self._weights[pair]

    def _conflicts(self, parties: Collection[str]) -> list[PartyPair]:
        """The pairs that cannot be the same, whatever they weigh."""
        return [
            (one, other)
            for one, other in combinations(sorted(parties), 2)
            if self._judge.conflict(self._known[one], self._known[other])
        ]

    def _edges(self, parties: Collection[str]) -> dict[PartyPair, float]:
        return {pair: weight for pair, weight in self._near.edges.items() if pair[0] in parties}

    def _proven(self, parties: Collection[str]) -> list[PartyPair]:
        """The pairs that share a strong identifier which nothing else outweighs."""
        return [
            pair
            for pair in self._edges(parties)
            if schemes_shared(self._known[pair[0]], self._known[pair[1]])
        ]

    def _tied(self, groups: Collection[frozenset[str]], connected: Collection[str]) -> list[frozenset[str]]:
        """The groups with what staff recorded of them."""
        forest: UnionFind[str] = UnionFind(sorted(connected))
        for group in groups:
            forest.union(*group)
        for party, anchor in self._ties.items():
            if party in connected:
                forest.union(party, anchor)
        return sorted((frozenset(group) for group in forest.to_sets()), key=min)

    def _reason(self, group: frozenset[str], same: Collection[PartyPair]) -> str:
        if any(one in group for one, _ in same):
            return STEWARD
        schemes = {
            scheme
            for one, other in self._near.edges
            if one in group and other in group
            for scheme in schemes_shared(self._known[one], self._known[other])
        }
        if schemes:
            return ".".join([SHARED, *sorted(schemes)])[:_REASON_LENGTH]
        return ALIKE if len(group) > 1 else ALONE
