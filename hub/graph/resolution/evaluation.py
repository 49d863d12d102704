"""How good a resolution is, measured against the truth about some parties.

Of the pairs of parties that the truth names, *precision* is the share of the joined ones that belong together,
*recall* the share of those belonging together that were joined, F1 their harmonic mean. *B-cubed* asks the same for
each party about its own customer, then takes the mean: one large customer does not drown a thousand small ones.
*Blocking recall* is the share of true pairs that were compared at all: no model finds the others.

Everything here is arithmetic on partitions; `in_memory` resolves with the code that the hub uses, without a store.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from networkx.utils import UnionFind

from hub.graph.resolution.candidates import candidate_pairs, vote, without_crowded
from hub.graph.resolution.clusters import LinkageSettings, Pair, conflicting_pairs, pair_of, partition
from hub.graph.resolution.keys import PROOFS_CROWDED
from hub.graph.resolution.marks import Marks, marks_of
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.profiles import Profile

Truth = Mapping[str, Hashable]
"""Party -> what it truly is."""


_NO_MARKS: Mapping[str, Marks] = {}

MANY_PARTIES = 20
"""Accounts of one customer above which somebody should look: few have as many over all systems of a company."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision, recall and their harmonic mean, each from 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class OverMerge:
    """Signs that too much was joined, readable without any truth but the last."""

    largest: int
    """Parties of the largest customer."""
    many_parties: int
    """Customers of more than `MANY_PARTIES` parties."""
    largest_mixture: int
    """True customers in the worst mixed customer: 1 where all are pure."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing looks like customers that fell together."""
        return not self.many_parties and self.largest_mixture <= 2


@dataclass(frozen=True)
class Resolved:
    """What resolving in memory gave. Parties are named by the caller's ids."""

    compared: Mapping[Pair, float] = field(repr=False)
    """Weight in bits of each pair that blocking found."""
    customers: Sequence[frozenset[str]] = field(repr=False)


def pairwise(customers: Iterable[Collection[str]], truth: Truth) -> Quality:
    """Precision and recall of the pairs that are joined; parties without truth do not count."""
    sizes = Counter(truth.values())
    mixtures = [_mixture(parties, truth) for parties in customers]
    hits = sum(_pairs(count) for mixture in mixtures for count in mixture.values())
    joined = sum(_pairs(mixture.total()) for mixture in mixtures)
    return _quality(hits, joined, sum(map(_pairs, sizes.values())))


def of_edges(edges: Iterable[Pair], truth: Truth) -> Quality:
    """Precision and recall of pairs as they are, before they are grouped."""
    known = [(left, right) for left, right in edges if left in truth and right in truth]
    hits = sum(truth[left] == truth[right] for left, right in known)
    return _quality(hits, len(known), sum(map(_pairs, Counter(truth.values()).values())))


def of_labels(joined: Collection[Pair], labels: Mapping[Pair, bool]) -> Quality:
    """Precision and recall of the joined among labelled pairs: whether each is the same is all that is known."""
    found = [same for pair, same in labels.items() if pair in joined]
    return _quality(sum(found), len(found), sum(labels.values()))


def within(customers: Iterable[frozenset[str]], pairs: Iterable[Pair]) -> set[Pair]:
    """Those of the pairs that are of one customer."""
    home = {party: number for number, parties in enumerate(customers) for party in parties}
    return {pair for pair in pairs if home[pair[0]] == home[pair[1]]}


def b_cubed(customers: Iterable[Collection[str]], truth: Truth) -> Quality:
    """The mean over all parties of how pure and how complete their own customer is."""
    sizes = Counter(truth.values())
    precision = recall = 0.0
    for parties in customers:
        mixture = _mixture(parties, truth)
        total = mixture.total()
        precision += sum(count * count / total for count in mixture.values())
        recall += sum(count * count / sizes[true] for true, count in mixture.items())
    return Quality(precision / len(truth), recall / len(truth)) if truth else Quality(1.0, 1.0)


def blocking_recall(compared: Iterable[Pair], truth: Truth) -> float:
    """The share of true pairs that were compared."""
    return of_edges(compared, truth).recall


def over_merge(customers: Iterable[Collection[str]], truth: Truth) -> OverMerge:
    """The size of the largest customers, and how many true ones the worst of them holds."""
    groups = list(customers)
    sizes = [len(parties) for parties in groups]
    mixtures = (len(_mixture(parties, truth)) for parties in groups)
    return OverMerge(
        max(sizes, default=0), sum(size > MANY_PARTIES for size in sizes), max(mixtures, default=0)
    )


def thresholds(
    compared: Mapping[Pair, float], truth: Truth, steps: Iterable[float]
) -> list[tuple[float, Quality]]:
    """Quality of the edges of at least each weight of `steps`."""
    return [(step, of_edges((pair for pair, w in compared.items() if w >= step), truth)) for step in steps]


def _mixture(parties: Iterable[str], truth: Truth) -> Counter[Hashable]:
    return Counter(truth[party] for party in parties if party in truth)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _quality(hits: int, found: int, true: int) -> Quality:
    return Quality(hits / found if found else 1.0, hits / true if true else 1.0)


# Resolving without a store.


def in_memory(
    profiles: Mapping[str, Profile],
    model: MatchModel,
    strong: Mapping[str, Collection[str]] | None = None,
    merge_weight: float | None = None,
) -> Resolved:
    """The customers among `profiles` (party -> profile) by `model`, at another merge weight if given.

    `strong` are the strong identifiers of parties, such as customer numbers, each `scheme:value`: a shared one adds its
    bits, others of one scheme speak against joining people.
    """
    limited = without_crowded(profiles, model.settings.crowded)
    prepared = {party: model.scorer.prepare(profile) for party, profile in limited.items()}
    proofs = _without_crowded(strong or {}, PROOFS_CROWDED)
    shared = _shared(proofs)

    def weigh(left: str, right: str) -> float:
        bits = shared.get(pair_of(left, right), 0) * model.settings.identifier_weight
        return model.scorer.weight(prepared[left], prepared[right]) + bits

    def count(left: str, right: str) -> float | None:
        return vote(model.scorer, limited[left], limited[right])

    pairs = candidate_pairs(profiles, model.blocking, model.settings.crowded) | shared.keys()
    compared = {pair: weigh(*pair) for pair in pairs}
    least = model.settings.merge_weight if merge_weight is None else merge_weight
    marks = _marks(limited, proofs) if model.settings.kind == "person" else {}
    return Resolved(compared, group(limited, count, compared, least, model.settings.linkage, shared, marks))


def _marks(profiles: Mapping[str, Profile], strong: Mapping[str, Collection[str]]) -> dict[str, Marks]:
    return {party: marks_of(profile, strong.get(party, ())) for party, profile in profiles.items()}


def _without_crowded(strong: Mapping[str, Collection[str]], crowded: int) -> dict[str, set[str]]:
    """The strong identifiers of parties, of those that no more than `crowded` parties have."""
    holders = Counter(identifier for identifiers in strong.values() for identifier in set(identifiers))
    return {
        party: {identifier for identifier in identifiers if holders[identifier] <= crowded}
        for party, identifiers in strong.items()
    }


def _shared(strong: Mapping[str, Collection[str]]) -> Counter[Pair]:
    """How many strong identifiers pairs share."""
    holders: dict[str, list[str]] = defaultdict(list)
    for party, identifiers in strong.items():
        for identifier in identifiers:
            holders[identifier].append(party)
    return Counter(pair_of(*pair) for parties in holders.values() for pair in combinations(parties, 2))


def group(
    profiles: Mapping[str, Profile],
    count: Callable[[str, str], float | None],
    compared: Mapping[Pair, float],
    merge_weight: float,
    linkage: LinkageSettings,
    proofs: Collection[Pair] = (),
    marks: Mapping[str, Marks] = _NO_MARKS,
) -> list[frozenset[str]]:
    """The customers among `profiles`, given the weights of the pairs that blocking found; `count` asks for others.

    `proofs` are the pairs that share a strong identifier.
    """
    forest: UnionFind[str] = UnionFind(sorted(profiles))
    for (left, right), weight in compared.items():
        if weight >= merge_weight:
            forest.union(left, right)
    edges: dict[str, dict[Pair, float]] = defaultdict(dict)
    for pair, weight in compared.items():
        if weight >= merge_weight:
            edges[forest[pair[0]]][pair] = weight
    return [
        customer
        for parties in forest.to_sets()
        for customer in partition(
            parties,
            count,
            edges[forest[next(iter(parties))]],
            merge_weight,
            proven=[pair for pair in edges[forest[next(iter(parties))]] if pair in proofs],
            conflicts=conflicting_pairs({party: profiles[party] for party in parties}),
            marks=marks,
            settings=linkage,
        )
    ]
