"""Which parties of one neighbourhood are the same customer: average linkage under constraints.

A *neighbourhood* is a set of parties closed under strong edges and stewards' decisions; an *edge* is a pair of parties
with its match weight in bits. Connected components would make it one customer, however thin the chain. Here groups
join only while the mean weight over the pairs between them is high enough: one edge between two tight groups of
four is one good pair against fifteen bad ones, and stays cut. A pair that nothing speaks against, such as a receipt
with a phone number and one with an e-mail address, has no vote.

Example: a-b and c-d weigh 20 bits, b-c weighs 8, every other pair -10. Merging at 5, {a, b} and {c, d} form first;
the mean between them is (8 - 10 - 10 - 10) / 4, so they stay two customers.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import combinations, product
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz.distance import JaroWinkler

from hub.graph.resolution.marks import ClashSettings, Marks, clash, united
from hub.graph.resolution.profiles import Profile

Pair = tuple[str, str]
"""Two parties, the lesser id first."""

_Votes = tuple[int, int]
"""The sum of the weights of some pairs, and how many they are."""

_NO_VOTES: _Votes = (0, 0)
_NO_MARKS: Mapping[str, Marks] = MappingProxyType({})

_UNITS_A_BIT = 1 << 20
"""Weights are added as whole numbers: sums are then the same in any order, and equal evidence ties exactly."""


class LinkageSettings(BaseModel):
    """How far evidence between groups of parties counts, in bits of match weight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    floor: float = -10.0
    """A pair counts no lower: one pair of poor records shall not outvote a group that agrees otherwise."""
    ceiling: float = 20.0
    """A pair counts no higher: one shared number shall not carry a group that disagrees otherwise."""
    margin: float = 6.0
    """By how much a group has to go better with another than with one that cannot be that other's customer."""
    clash: ClashSettings = ClashSettings()
    """What two groups of people have of their own, and each another."""
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
    weight: Callable[[str, str], float | None],
    edges: Mapping[Pair, float],
    merge_weight: float,
    *,
    same: Collection[Pair] = (),
    not_same: Collection[Pair] = (),
    proven: Collection[Pair] = (),
    conflicts: Collection[Pair] = (),
    marks: Mapping[str, Marks] = _NO_MARKS,
    settings: LinkageSettings | None = None,
) -> list[frozenset[str]]:
    """The customers of one neighbourhood, in the order of their least party: a function of its arguments' contents.

    `edges` are the pairs of at least `merge_weight`; weaker ones among them do not count. `weight` is asked for the
    other pairs that a mean lacks, and answers None for a pair that shall not count. Pairs
    are as `pair_of` writes them, all among `parties`.
    `same` are joined whatever they weigh and whatever conflicts; `not_same` are never joined, and win over a chain of
    `same` that contradicts them; `conflicts` are joined by nothing but `same`. `proven` pairs share a strong identifier
    that their other evidence does not outweigh: they are joined before any mean is taken, unless something conflicts.
    `marks` are of the parties that have any.
    """
    linkage = _Linkage(sorted(parties), weight, edges, merge_weight, marks, settings or LinkageSettings())
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
        weight: Callable[[str, str], float | None],
        edges: Mapping[Pair, float],
        merge_weight: float,
        marks: Mapping[str, Marks],
        settings: LinkageSettings,
    ) -> None:
        self._weight = weight
        self._marks = {party: marks.get(party, {}) for party in parties}
        self._least = _units(merge_weight)
        self._edges = {pair: weight for pair, weight in edges.items() if _units(weight) >= self._least}
        self._settings = settings
        self._margin = _units(settings.margin)
        self._all_scored = len(parties) <= settings.scored_parties
        self._members = {party: [party] for party in parties}
        self._group = {party: party for party in self._members}
        self._apart: dict[str, set[str]] = {party: set() for party in self._members}
        self._sums: dict[str, dict[str, _Votes]] = {}
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
        for left, right in self._edges:
            self._tie(*pair_of(self._group[left], self._group[right]))
        torn: list[tuple[float, str, str]] = []
        while self._heap:
            offer = heapq.heappop(self._heap)
            mean, first, second = offer
            if not self._is_current(-mean, first, second):
                continue
            if self._is_torn(first, second):
                torn.append(offer)
                continue
            self._join(first, second)
            for each in torn:
                heapq.heappush(self._heap, each)
            torn.clear()
        return [frozenset(self._members[group]) for group in sorted(self._members)]

    def _tie(self, first: str, second: str) -> None:
        """Make two groups candidates, with the sum over all pairs between them."""
        if first != second and second not in self._apart[first] and second not in self._sums[first]:
            self._offer(first, second, self._sum(first, second))

    def _offer(self, first: str, second: str, votes: _Votes) -> None:
        self._sums[first][second] = self._sums[second][first] = votes
        mean = votes[0] / votes[1]
        if mean >= self._least + self._clash(first, second):
            heapq.heappush(self._heap, (-mean, *pair_of(first, second)))

    def _clash(self, first: str, second: str) -> int:
        return _units(clash(self._marks[first], self._marks[second], self._settings.clash))

    def _is_current(self, mean: float, first: str, second: str) -> bool:
        """Whether an offer is of groups as they are now, not of what they were before one of them grew."""
        total, count = self._sums.get(first, {}).get(second, _NO_VOTES)
        return count > 0 and total / count == mean and mean >= self._least + self._clash(first, second)

    def _is_torn(self, first: str, second: str) -> bool:
        """Whether one of the two groups goes nearly as well with a third that cannot be the other's customer.

        Father and son of one name at one address: a parcel to that name and address is one of theirs, and nothing says
        whose.
        """
        return self._goes_with_rival(first, second) or self._goes_with_rival(second, first)

    def _goes_with_rival(self, group: str, other: str) -> bool:
        total, count = self._sums[group][other]
        least = max(total / count - self._margin, self._least)
        return any(
            rival in self._sums[group] and self._sums[group][rival][0] / self._sums[group][rival][1] >= least
            for rival in self._apart[other]
            if self._sums[group].get(rival, _NO_VOTES)[1]
        )

    def _sum(self, first: str, second: str) -> _Votes:
        pairs = product(self._members[first], self._members[second])
        votes = [vote for pair in pairs if (vote := self._vote(*pair)) is not None]
        return sum(votes), len(votes)

    def _untied_sum(self, first: str, second: str) -> _Votes:
        """The sum between groups that no tie holds: where not all pairs are scored, there is no edge between them."""
        if self._all_scored:
            return self._sum(first, second)
        pairs = len(self._members[first]) * len(self._members[second])
        return _units(self._settings.unscored) * pairs, pairs

    def _vote(self, left: str, right: str) -> int | None:
        pair = pair_of(left, right)
        weight: float | None = self._edges.get(pair)
        if weight is None:
            weight = self._weight(*pair) if self._all_scored else self._settings.unscored
        return (
            None if weight is None else _units(min(max(weight, self._settings.floor), self._settings.ceiling))
        )

    def _join(self, first: str, second: str) -> None:
        ties = self._sums[first], self._sums.pop(second)
        near = (ties[0].keys() | ties[1].keys()) - {first, second}
        self._sums[first] = {}
        sums: dict[str, _Votes] = {}
        for other in near:
            if other in self._apart[first] or other in self._apart[second]:
                continue
            parts = [
                known[other] if other in known else self._untied_sum(group, other)
                for group, known in zip((first, second), ties, strict=True)
            ]
            sums[other] = parts[0][0] + parts[1][0], parts[0][1] + parts[1][1]
        for other in near:
            self._sums[other].pop(first, None)
            self._sums[other].pop(second, None)
        self._absorb(first, second)
        for other, votes in sums.items():
            self._offer(first, other, votes)

    def _absorb(self, kept: str, other: str) -> None:
        self._marks[kept] = united(self._marks[kept], self._marks.pop(other))
        moved = self._members.pop(other)
        self._members[kept] += moved
        self._group.update(dict.fromkeys(moved, kept))
        for group in self._apart.pop(other):
            self._apart[group].discard(other)
            self._apart[group].add(kept)
            self._apart[kept].add(group)


def conflicting_pairs(profiles: Mapping[str, Profile]) -> set[Pair]:
    """The pairs of these parties that nothing but a steward's word may join.

    Father and son, by their generations or by birthdays that are a generation apart; and twins: one birthday and family
    name, given names that are nothing like each other. What a household shares would outweigh that. Of birthdays and
    names, a tax number of both is the better witness.
    """
    return _of_other_generations(profiles) | _twins(profiles) | _born_apart(profiles)


def _of_other_generations(profiles: Mapping[str, Profile]) -> set[Pair]:
    of_generation: dict[str, list[str]] = defaultdict(list)
    for party, profile in profiles.items():
        if generation := profile.get("generation"):
            of_generation[_NAMED_AFTER_FATHER.get(str(generation), str(generation))].append(party)
    return {
        pair_of(*pair)
        for one, other in combinations(of_generation.values(), 2)
        for pair in product(one, other)
    }


def _born_apart(profiles: Mapping[str, Profile]) -> set[Pair]:
    """Those whose birthdays are a generation apart, in year, month and day, and who have not both a tax number."""
    born = {
        party: birth
        for party, profile in profiles.items()
        if len(birth := str(profile.get("birth_date", ""))) == _DAY
    }
    return {
        pair_of(one, other)
        for one, other in combinations(born, 2)
        if abs(int(born[one][:4]) - int(born[other][:4])) >= _GENERATION
        and born[one][5:7] != born[other][5:7]
        and born[one][8:] != born[other][8:]
        and not _both_numbered(profiles[one], profiles[other])
    }


_DAY = len("1990-11-21")
_GENERATION = 14
"""Years that a parent is older than a child, at the least."""


def _twins(profiles: Mapping[str, Profile]) -> set[Pair]:
    born: dict[tuple[str, str], list[str]] = defaultdict(list)
    for party, profile in profiles.items():
        birth, family = str(profile.get("birth_date", "")), str(profile.get("family", ""))
        if len(birth) == _DAY and family:
            born[birth, family].append(party)
    return {
        pair_of(*pair)
        for parties in born.values()
        for pair in combinations(parties, 2)
        if _have_other_names(profiles[pair[0]], profiles[pair[1]])
    }


def _both_numbered(left: Profile, right: Profile) -> bool:
    """Whether both have tax numbers, which tell more than names and birthdays: the score has weighed them."""
    return bool(left.get("tax_ids") and right.get("tax_ids"))


def _have_other_names(left: Profile, right: Profile) -> bool:
    one, other = str(left.get("given", "")), str(right.get("given", ""))
    if len(one) < 2 or len(other) < 2 or one == right.get("middle") or other == left.get("middle"):
        return False
    if _both_numbered(left, right):
        return False
    shared = set(left.get("given_roots", ())) & set(right.get("given_roots", ()))
    return not shared and JaroWinkler.similarity(one, other) < _OTHER_NAME


_OTHER_NAME = 0.7
"""Likeness below which given names are no spellings of one: slips and short forms have more (Jaro-Winkler)."""

_NAMED_AFTER_FATHER = {"2": "jr"}
"""The second is a junior by another name."""
