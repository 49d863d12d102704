"""The machine measured against stewards: what they decided are labels of pairs, made month by month.

Stewards are asked about what is in doubt, so these are figures of the hardest pairs, not of all. What counts as the
machine's answer is whether the weight of the pair, as the model in use weighs it now, is enough by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.graph.resolution.clusters import Pair
from hub.graph.resolution.decisions import Decision
from hub.graph.resolution.evaluation import Quality, of_labels
from hub.graph.resolution.judge import Judge
from hub.graph.resolution.keys import Keys
from hub.graph.resolution.matchables import Matchables
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.profiles import Kind
from hub.store import Store


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the machine agrees with what stewards decided in one month."""

    month: str
    """Such as 2026-11."""
    decisions: int
    same: int
    """Of these, how many say that two parties are the same."""
    quality: Quality
    """Of the pairs that the machine joins; stewards are right."""
    blocking_recall: float
    """The share of the same that the machine compares."""


class Agreements:
    """Measures decisions of one store."""

    def __init__(self, store: Store, models: Mapping[Kind, MatchModel]) -> None:
        self._models = models
        self._matchables = Matchables(store)
        self._keys = Keys(store, models)

    def by_month(self, connection: Connection, decisions: Sequence[Decision]) -> list[Agreement]:
        """The agreement with these decisions, the first month first; those of parties that are gone do not count."""
        parties = {party for each in decisions for party in (each.left, each.right)}
        known = {each.party: each for each in self._matchables.of(connection, parties)}
        judge = Judge(self._models)
        labels: dict[str, dict[Pair, bool]] = defaultdict(dict)
        joined, compared = set[Pair](), set[Pair]()
        for each in decisions:
            if {each.left, each.right} <= known.keys():
                pair, one, other = (each.left, each.right), known[each.left], known[each.right]
                labels[each.at[: len("2026-11")]][pair] = each.verdict == "same"
                if judge.joins(one, other, judge.weight(one, other)):
                    joined.add(pair)
                if each.verdict == "same" and self._keys.are_compared(connection, one, other):
                    compared.add(pair)
        return [
            Agreement(
                month,
                len(found),
                sum(found.values()),
                of_labels(joined, found),
                of_labels(compared, found).recall,
            )
            for month, found in sorted(labels.items())
        ]
