"""How sure it is that two parties are the same: their match weight in bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from hub.graph.resolution.candidates import vote
from hub.graph.resolution.clusters import LinkageSettings, conflicting_pairs
from hub.graph.resolution.marks import Marks, marks_of
from hub.graph.resolution.matchables import Matchable
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.scoring import Explanation


class Judge:
    """Weighs pairs of parties; made anew for each batch, because what is crowded changes.

    The weight of two people, or of two organisations, is their model's, and each scheme of which they share a strong
    identifier adds the model's `identifier_weight`. A person and an organisation are the same by identifiers alone.
    """

    def __init__(self, models: Mapping[Kind, MatchModel]) -> None:
        self._models = models
        self._prepared: dict[int, Any] = {}
        bounds = {kind: model.settings for kind, model in models.items()}
        self._merge_weights = {
            (one, other): min(bounds[one].merge_weight, bounds[other].merge_weight)
            for one, other in product(bounds, repeat=2)
        }
        self._kept_weights = {
            pair: min(merge, *(bounds[kind].review_weight for kind in pair))
            for pair, merge in self._merge_weights.items()
        }

    def weight(self, one: Matchable, other: Matchable) -> float:
        """The pair's match weight in bits, the same whichever is named first."""
        left, right = (one, other) if one.party <= other.party else (other, one)
        proven = len(schemes_shared(left, right)) * self.identifier_weight(left.kind)
        if left.kind != right.kind:
            return counted(proven)
        model = self._models[left.kind]
        return counted(model.scorer.weight(self._ready(left), self._ready(right)) + proven)

    def vote(self, one: Matchable, other: Matchable) -> float | None:
        """What the pair counts when groups are joined; None where the two say nothing that could differ."""
        left, right = (one, other) if one.party <= other.party else (other, one)
        if schemes_shared(left, right):
            return self.weight(left, right)
        if left.kind != right.kind:
            return None
        return vote(self._models[left.kind].scorer, left.evidence, right.evidence)

    def explain(self, left: Matchable, right: Matchable) -> Explanation | None:
        """How the model comes to the weight of the two; None for a person and an organisation."""
        if left.kind != right.kind:
            return None
        return self._models[left.kind].scorer.explain(left.evidence, right.evidence)

    def identifier_weight(self, kind: Kind) -> float:
        """Bits that one shared strong identifier adds."""
        return self._models[kind].settings.identifier_weight

    def joins(self, one: Matchable, other: Matchable, weight: float) -> bool:
        """Whether the weight alone makes the two one customer."""
        return weight >= self._merge_weights[one.kind, other.kind]

    def is_kept(self, one: Matchable, other: Matchable, weight: float) -> bool:
        """Whether the pair is worth a steward's look, or more."""
        return weight >= self._kept_weights[one.kind, other.kind]

    def merge_weight(self, kinds: Iterable[Kind]) -> float:
        """Bits above which parties of these kinds are one customer."""
        return min(self._models[kind].settings.merge_weight for kind in kinds)

    def linkage(self, kinds: Iterable[Kind]) -> LinkageSettings:
        """How the parties of a neighbourhood with these kinds are grouped: as the first kind's model says."""
        return self._models[min(kinds)].settings.linkage

    def conflicts(self, parties: Iterable[Matchable]) -> set[tuple[str, str]]:
        """The pairs of party ids that cannot be the same, whatever they weigh; the lesser id first."""
        return conflicting_pairs({each.party: each.evidence for each in parties if each.kind == "person"})

    def marks(self, parties: Iterable[Matchable]) -> dict[str, Marks]:
        """What the people among these parties have of their own, by party id."""
        return {
            each.party: marks_of(each.evidence, each.proven_by) for each in parties if each.kind == "person"
        }

    def _ready(self, party: Matchable) -> Any:
        ready = self._prepared.get(party.number)
        if ready is None:
            ready = self._prepared[party.number] = self._models[party.kind].scorer.prepare(party.evidence)
        return ready


def counted(weight: float) -> float:
    """The weight in whole units of `UNITS_A_BIT`: whoever adds it up, and in whatever order, comes to the same."""
    return round(weight * UNITS_A_BIT) / UNITS_A_BIT


UNITS_A_BIT = 1 << 20
"""A millionth of a bit is far less than any evidence, and far more than what rounding makes of a sum."""


def schemes_shared(one: Matchable, other: Matchable) -> list[str]:
    """The schemes of the strong identifiers that both hold, sorted; without those that too many hold."""
    if not (one.proofs and other.proofs):
        return []
    return sorted({proof.partition(":")[0] for proof in one.proven_by & other.proven_by})
