"""The partition of a neighbourhood into customers, with a reason for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from networkx.utils import UnionFind

from hub.graph.resolution.clusters import partition
from hub.graph.resolution.identity import STEWARD
from hub.graph.resolution.judge import Judge, schemes_shared
from hub.graph.resolution.marks import agree
from hub.graph.resolution.matchables import Matchable
from hub.graph.resolution.neighbourhood import Component, PartyPair

SHARED = "shared_identifier"
ALIKE = "alike"
ALONE = "alone"
"""Codes of the reason why parties are one customer, beside a steward's word: a strong identifier that they share
(followed by its schemes), their match weight, or that there is one party only."""

_REASON_LENGTH = 96
"""What the audit log takes as a code."""


class Grouping:
    """Groups of parties, each one customer, made component by component."""

    def __init__(self, judge: Judge, known: Mapping[str, Matchable]) -> None:
        self._judge = judge
        self._known = known
        self._weights: dict[PartyPair, float] = {}
        self.parties: list[frozenset[str]] = []
        self.reasons: list[str] = []
        """Why the parties of each group are one customer."""
        self.steward_parted: set[int] = set()
        """Places of the groups that a steward holds apart from others."""

    def part(self, component: Component) -> None:
        """Part connected parties into customers."""
        if len(component.parties) == 1:
            self.parties.append(frozenset(component.parties))
            self.reasons.append(ALONE)
            return
        self._weights = dict(component.edges)
        matched = {party for party in component.parties if party in self._known}
        same, apart = self._decided(component)
        held_apart = {party for pair in apart for party in pair}
        for group in _tied(self._partition(component, matched, same, apart), component):
            if group & held_apart:
                self.steward_parted.add(len(self.parties))
            self.parties.append(group)
            self.reasons.append(self._reason(group, component, same))

    def _partition(
        self,
        component: Component,
        matched: Collection[str],
        same: Collection[PartyPair],
        apart: Collection[PartyPair],
    ) -> Collection[frozenset[str]]:
        if not matched:
            return []
        kinds = {self._known[party].kind for party in matched}
        merge_weight, linkage = self._judge.merge_weight(kinds), self._judge.linkage(kinds)
        conflicts = self._judge.conflicts(self._known[party] for party in matched)
        marks = self._judge.marks(self._known[party] for party in matched)
        nothing_parts = not apart and not conflicts and merge_weight <= linkage.ceiling and agree(marks)
        if nothing_parts and _is_whole(component, matched):
            return [frozenset(matched)]
        return partition(
            matched,
            self._vote,
            component.edges,
            merge_weight,
            same=same,
            not_same=apart,
            proven=[pair for pair in component.edges if self._schemes(pair)],
            conflicts=conflicts,
            marks=marks,
            settings=linkage,
        )

    def _decided(self, component: Component) -> tuple[list[PartyPair], list[PartyPair]]:
        """The pairs that stewards joined, and those that they parted."""
        same = [(each.left, each.right) for each in component.decisions if each.verdict == "same"]
        apart = [
            (each.left, each.right)
            for each in component.decisions
            if each.verdict == "not_same" and each.holds_against(self._weight(each.left, each.right))
        ]
        return same, apart

    def _weight(self, one: str, other: str) -> float:
        pair = (one, other) if one < other else (other, one)
        if pair not in self._weights:
            self._weights[pair] = self._judge.weight(self._known[one], self._known[other])
        return self._weights[pair]

    def _vote(self, one: str, other: str) -> float | None:
        return self._judge.vote(self._known[one], self._known[other])

    def _schemes(self, pair: PartyPair) -> list[str]:
        """Of which the two share a strong identifier: proof, where nothing else outweighs it."""
        return schemes_shared(self._known[pair[0]], self._known[pair[1]])

    def _reason(self, group: frozenset[str], component: Component, same: Collection[PartyPair]) -> str:
        if any(one in group for one, _ in same):
            return STEWARD
        within = (pair for pair in component.edges if group.issuperset(pair))
        schemes = {scheme for pair in within for scheme in self._schemes(pair)}
        if schemes:
            return ".".join([SHARED, *sorted(schemes)])[:_REASON_LENGTH]
        return ALIKE if len(group) > 1 else ALONE


def _is_whole(component: Component, matched: Collection[str]) -> bool:
    """Whether each pair is enough by itself, so that every mean is: most neighbourhoods are two or three like this."""
    return len(component.edges) == len(matched) * (len(matched) - 1) // 2


def _tied(groups: Collection[frozenset[str]], component: Component) -> list[frozenset[str]]:
    """The groups with what staff recorded of them."""
    if not component.ties:
        return list(groups)
    forest: UnionFind[str] = UnionFind(sorted(component.parties))
    for group in groups:
        forest.union(*group)
    for party, anchor in component.ties:
        forest.union(party, anchor)
    return sorted((frozenset(group) for group in forest.to_sets()), key=min)
