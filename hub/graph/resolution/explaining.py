"""Why parties are one customer, or are not, as a steward is shown it: ids, comparisons and bits, never values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import networkx as nx
from sqlalchemy import Connection

from hub.errors import LimitError, NotFoundError
from hub.graph.resolution.decisions import Decision, Decisions
from hub.graph.resolution.identity import CustomerIds
from hub.graph.resolution.judge import Judge, schemes_shared
from hub.graph.resolution.keys import PROOFS_CROWDED, Keys
from hub.graph.resolution.matchables import Matchable, Matchables
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.scoring import Explanation
from hub.store import Store

MAX_PAIRS = 10_000
"""Pairs of parties that one question weighs: a second's work, and customers of a hundred parties each."""


class Why(StrEnum):
    """Why two parties are one customer, or why not; the first that applies."""

    DECIDED_SAME = "decided_same"
    """A steward said so."""
    SHARED_IDENTIFIER = "shared_identifier"
    """They share a strong identifier."""
    ALIKE = "alike"
    """Their match weight is enough."""
    THROUGH_OTHERS = "through_others"
    """Their own weight is not enough; other parties of the customer hold them together."""
    DECIDED_NOT_SAME = "decided_not_same"
    """A steward said that they are not."""
    CONFLICT = "conflict"
    """What they state cannot be true of one customer, as of father and son."""
    TOO_LITTLE = "too_little"
    """Their match weight is not enough."""
    NOT_COMPARED = "not_compared"
    """They share no blocking key that works, whatever they would weigh."""
    OUTWEIGHED = "outweighed"
    """Their own weight is enough; the other parties of their customers speak against it, or are kept apart."""


@dataclass(frozen=True, slots=True)
class PairStory:
    """Two parties, how alike they are, and what came of it."""

    left: str
    right: str
    weight: float
    """Match weight in bits, shared identifiers included."""
    merge_weight: float
    """Bits that would have been enough."""
    waterfall: Explanation | None
    """How the weight of the model comes about; None for a person and an organisation, which no model compares."""
    schemes: tuple[str, ...]
    """Of which they share a strong identifier."""
    identifier_weight: float
    """Bits that each of these adds."""
    decision: Decision | None
    """What a steward decided of them, where it is in force."""
    together: bool
    """Whether they are one customer."""
    why: Why


@dataclass(frozen=True, slots=True)
class Hold:
    """One pair that holds a customer together."""

    left: str
    right: str
    weight: float
    why: Why


@dataclass(frozen=True, slots=True)
class CustomerStory:
    """What holds a customer together."""

    customer: str
    parties: tuple[str, ...]
    holds: tuple[Hold, ...]
    """All pairs that are enough by themselves, the strongest first; those that stewards joined before all."""
    weakest: Hold | None
    """That without which the customer would fall apart most easily; None for one party."""
    parts: tuple[frozenset[str], frozenset[str]] | None
    """The parties on either side of the weakest."""


class Explainer:
    """Explains what a store's customers are made of."""

    def __init__(
        self, store: Store, models: Mapping[Kind, MatchModel], proofs_crowded: int = PROOFS_CROWDED
    ) -> None:
        self._models = models
        self._matchables = Matchables(store)
        self._keys = Keys(store, models, proofs_crowded)
        self._ids = CustomerIds(store)
        self._decisions = Decisions(store)

    @property
    def _judge(self) -> Judge:
        """A new one each time: it remembers what parties state, and these change and are erased."""
        return Judge(self._models)

    def pair(self, connection: Connection, left: str, right: str) -> PairStory:
        """Why two parties are one customer or are not.

        Raises:
            NotFoundError: one of them is not known, or is what staff recorded, which is compared with nobody.
        """
        known = self._known(connection, {left, right})
        customers = self._ids.memberships(connection, "party_id", {left, right})
        return self._story(connection, known[left], known[right], customers)

    def between(self, connection: Connection, one: str, other: str) -> PairStory:
        """Why two customers are not one: of all pairs of their parties the one that comes nearest.

        Raises:
            LimitError: they have too many parties to weigh all pairs.
            NotFoundError: one of them is no customer, or has no party that is compared.
        """
        members = self._ids.memberships(connection, "customer_id", {one, other})
        sides = [
            sorted(party for party, customer in members.items() if customer == each) for each in (one, other)
        ]
        known = {each.party: each for each in self._matchables.of(connection, members.keys())}
        pairs = [(a, b) for a, b in product(*sides) if a in known and b in known]
        if not pairs:
            raise NotFoundError("one of them is no customer with parties that are compared")
        _bound(len(pairs))
        near = max(pairs, key=lambda pair: (self._judge.weight(known[pair[0]], known[pair[1]]), pair))
        return self._story(connection, known[near[0]], known[near[1]], members)

    def customer(self, connection: Connection, customer: str) -> CustomerStory:
        """What holds a customer together, and where it is weakest.

        Raises:
            LimitError: it has too many parties to weigh all pairs.
            NotFoundError: there is no such customer.
        """
        parties = sorted(self._ids.memberships(connection, "customer_id", {customer}))
        if not parties:
            raise NotFoundError("there is no customer with this id")
        _bound(len(parties) ** 2)
        holds = self._holds(connection, parties)
        weakest = weakest_of(holds)
        return CustomerStory(
            customer, tuple(parties), tuple(holds), weakest, parts_of(holds, weakest) if weakest else None
        )

    def _known(self, connection: Connection, parties: Collection[str]) -> Mapping[str, Matchable]:
        known = {each.party: each for each in self._matchables.of(connection, parties)}
        if known.keys() != {*parties}:
            raise NotFoundError("one of them is no party that is compared with others")
        return known

    def _story(
        self, connection: Connection, one: Matchable, other: Matchable, customers: Mapping[str, str]
    ) -> PairStory:
        left, right = (one, other) if one.party < other.party else (other, one)
        weight = self._judge.weight(left, right)
        made = self._decisions.of(connection, [left.party])
        decision = next((each for each in made if (each.left, each.right) == (left.party, right.party)), None)
        together = customers[left.party] == customers[right.party]
        why = self._why_together(left, right, weight, decision) if together else None
        return PairStory(
            left.party,
            right.party,
            weight,
            self._judge.merge_weight((left.kind, right.kind)),
            self._judge.explain(left, right),
            tuple(schemes_shared(left, right)),
            self._judge.identifier_weight(left.kind),
            decision,
            together,
            why or self._why_apart(connection, left, right, weight, decision),
        )

    def _why_together(
        self, left: Matchable, right: Matchable, weight: float, decision: Decision | None
    ) -> Why:
        if decision is not None and decision.verdict == "same":
            return Why.DECIDED_SAME
        if not self._judge.joins(left, right, weight):
            return Why.THROUGH_OTHERS
        return Why.SHARED_IDENTIFIER if schemes_shared(left, right) else Why.ALIKE

    def _why_apart(
        self,
        connection: Connection,
        left: Matchable,
        right: Matchable,
        weight: float,
        decision: Decision | None,
    ) -> Why:
        if decision is not None and decision.verdict == "not_same" and decision.holds_against(weight):
            return Why.DECIDED_NOT_SAME
        if self._judge.conflicts((left, right)):
            return Why.CONFLICT
        if not self._judge.joins(left, right, weight):
            return Why.TOO_LITTLE
        return Why.OUTWEIGHED if self._keys.are_compared(connection, left, right) else Why.NOT_COMPARED

    def _holds(self, connection: Connection, parties: Sequence[str]) -> list[Hold]:
        """The pairs that are enough by themselves, the strongest first."""
        known = {each.party: each for each in self._matchables.of(connection, parties)}
        decided = {
            (each.left, each.right): each.verdict
            for each in self._decisions.of(connection, parties)
            if {each.left, each.right} <= known.keys()
        }
        holds = []
        for pair in ((a, b) for a, b in product(known, known) if a < b):
            one, other = known[pair[0]], known[pair[1]]
            weight, verdict = self._judge.weight(one, other), decided.get(pair)
            if verdict == "same":
                holds.append(Hold(*pair, weight, Why.DECIDED_SAME))
            elif verdict is None and self._judge.joins(one, other, weight):
                why = Why.SHARED_IDENTIFIER if schemes_shared(one, other) else Why.ALIKE
                holds.append(Hold(*pair, weight, why))
        return sorted(
            holds, key=lambda hold: (hold.why is not Why.DECIDED_SAME, -hold.weight, hold.left, hold.right)
        )


def _bound(pairs: int) -> None:
    if pairs > MAX_PAIRS:
        raise LimitError(f"more than {MAX_PAIRS} pairs of parties would have to be weighed")


def _graph(holds: Sequence[Hold]) -> nx.Graph[str]:
    graph: nx.Graph[str] = nx.Graph()
    for place, hold in enumerate(holds):
        # By their order, so that what stewards joined counts as the strongest.
        graph.add_edge(hold.left, hold.right, weight=-place, hold=hold)
    return graph


def weakest_of(holds: Sequence[Hold]) -> Hold | None:
    """Of pairs that hold a customer together, the strongest first, the last one that the strongest tree needs."""
    tree = nx.maximum_spanning_edges(_graph(holds), data=True)
    return min((data["hold"] for _, _, data in tree), key=lambda hold: -holds.index(hold), default=None)


def parts_of(holds: Sequence[Hold], weakest: Hold) -> tuple[frozenset[str], frozenset[str]]:
    """The parties on either side of the weakest, as the stronger ones hold them together."""
    stronger = _graph(holds[: holds.index(weakest)])
    stronger.add_nodes_from([weakest.left, weakest.right])
    one = frozenset(nx.node_connected_component(stronger, weakest.left))
    other = frozenset(nx.node_connected_component(stronger, weakest.right))
    return one, other
