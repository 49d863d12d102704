"""What a steward's word on pairs of parties comes to: what is decided, what it contradicts, what has to follow.

Nothing here regroups anybody: that is `GraphWriter.regroup`'s, in the same transaction.

- *Same* joins the customers of a pair. Evidence alone would let go of a party of theirs that is unlike the newcomer, so
  where somebody would fall off, all of them are decided the same, by the same act.
- *Not the same* parts two parties, and holds until their weight is HOLDS_BITS more than today.
- What contradicts another decision in force is refused, unless that one is to be overruled; then it is in force again
  when the act is undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from networkx.utils import UnionFind
from sqlalchemy import Connection

from hub.errors import LimitError, QueryError
from hub.graph.resolution.agreement import Agreements
from hub.graph.resolution.clusters import Pair, pair_of
from hub.graph.resolution.decisions import HOLDS_BITS, Decision, Decisions, Verdict
from hub.graph.resolution.explaining import Explainer
from hub.graph.resolution.identity import CustomerIds
from hub.graph.resolution.judge import Judge
from hub.graph.resolution.matchables import Matchables
from hub.graph.resolution.matching import MatchResolver
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.preview import Previews
from hub.graph.resolution.profiles import Kind
from hub.graph.resolution.review import Review
from hub.store import Store

MAX_DECIDED = 400
"""Pairs that one act decides: what a person can answer for, and what a transaction takes in a second."""


@dataclass(frozen=True, slots=True)
class Word:
    """Who decides, why and when."""

    act: str
    actor: str = field(repr=False)
    reason: str = field(repr=False)
    at: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What a word on pairs came to; whose customers these parties are is to be decided anew."""

    pairs: int
    """How many were decided, or are no longer: those that were named, and what followed."""
    parties: frozenset[str]


class Stewardship:
    """Takes stewards' words on who is one customer."""

    def __init__(self, store: Store, resolver: MatchResolver, models: Mapping[Kind, MatchModel]) -> None:
        self._resolver = resolver
        self._models = models
        self._ids = CustomerIds(store)
        self._matchables = Matchables(store)
        self.decisions = Decisions(store)
        self.explainer = Explainer(store, models)
        self.review = Review(store, models)
        self.previews = Previews(store, models)
        self.agreements = Agreements(store, models)

    def customers_of(self, connection: Connection, parties: Collection[str]) -> dict[str, str]:
        """The customers of those of these parties that there are."""
        return self._ids.memberships(connection, "party_id", parties)

    def parties_of(self, connection: Connection, customers: Collection[str]) -> dict[str, str]:
        """Customers by party, of all parties of these customers."""
        return self._ids.memberships(connection, "customer_id", customers)

    def compared(self, connection: Connection, parties: Collection[str]) -> set[str]:
        """Those of the parties that are compared with others: not what staff recorded."""
        return {each.party for each in self._matchables.of(connection, parties)}

    def join(
        self, connection: Connection, word: Word, pairs: Collection[Pair], *, overrule: bool = False
    ) -> Settled:
        """Decide that the two of each pair are the same, and what has to be so that no customer loses a party by it.

        `overrule` decides the same of what a decision in force holds apart between these customers.

        Raises:
            LimitError: more than MAX_DECIDED pairs have to be decided.
            QueryError: a decision in force holds these customers apart.
        """
        named = {party for pair in pairs for party in pair}
        customers = self.customers_of(connection, named)
        members = self.parties_of(connection, set(customers.values()))
        joined = _joined(members, pairs)
        against = [
            each
            for each in self.decisions.of(connection, members)
            if each.verdict == "not_same"
            and {each.left, each.right} <= members.keys()
            and members[each.left] != members[each.right]
            and joined[each.left] == joined[each.right]
            and (each.left, each.right) not in pairs
        ]
        if against and not overrule:
            raise _contradiction(against[0])
        decided = {*pairs, *((each.left, each.right) for each in against)}
        self._add(connection, word, "same", sorted(decided))
        lost = self._lost(connection, joined, named) - decided
        self._add(connection, word, "same", sorted(lost), after=len(decided))
        return Settled(len(decided) + len(lost), frozenset(members))

    def part(self, connection: Connection, word: Word, pairs: Collection[Pair]) -> Settled:
        """Decide that the two of each pair are not the same.

        Raises:
            LimitError: more than MAX_DECIDED pairs have to be decided.
            QueryError: decisions in force join the two of a pair, if only by way of others.
        """
        named = {party for pair in pairs for party in pair}
        chained = self._decided_same(connection, named, pairs)
        for left, right in pairs:
            if left in chained.parents and right in chained.parents and chained[left] == chained[right]:
                raise QueryError(
                    f"decisions in force say by way of other parties that {left} and {right} are the same; undo them"
                )
        self._add(connection, word, "not_same", sorted(pairs))
        return Settled(len(pairs), frozenset(named))

    def undo(self, connection: Connection, decisions: Sequence[Decision], word: Word) -> Settled:
        """End these decisions, as if they had never been made."""
        self.decisions.undo(connection, [each.id for each in decisions], word.actor, word.at)
        named = frozenset(party for each in decisions for party in (each.left, each.right))
        return Settled(len(decisions), named)

    def _add(
        self, connection: Connection, word: Word, verdict: Verdict, pairs: Sequence[Pair], after: int = 0
    ) -> None:
        if after + len(pairs) > MAX_DECIDED:
            raise LimitError(f"{after + len(pairs)} pairs would have to be decided, {MAX_DECIDED} at most")
        known = {
            each.party: each for each in self._matchables.of(connection, {p for pair in pairs for p in pair})
        }
        judge = Judge(self._models)
        made = []
        for number, (left, right) in enumerate(pairs, after):
            holds = judge.weight(known[left], known[right]) + HOLDS_BITS if verdict == "not_same" else None
            id_ = f"{word.act}.{number:03}"
            made.append(
                Decision(id_, word.act, verdict, left, right, holds, word.actor, word.reason, word.at)
            )
        self.decisions.add(connection, made)

    def _lost(self, connection: Connection, joined: UnionFind[str], named: Collection[str]) -> set[Pair]:
        """Pairs that have to be decided as well, so that no customer that is joined loses a party."""
        compared = self.compared(connection, joined.parents.keys())
        group_of = {
            party: place
            for place, group in enumerate(self._resolver.groups(connection, compared))
            for party in group
        }
        found: set[Pair] = set()
        for group in joined.to_sets():
            parties = group & compared
            if len({group_of[party] for party in parties}) > 1:
                centre = min(parties.intersection(named))
                found |= {pair_of(centre, other) for other in parties - {centre}}
        return found

    def _decided_same(
        self, connection: Connection, parties: Collection[str], without: Collection[Pair]
    ) -> UnionFind[str]:
        """Who is the same by the decisions in force that these parties lead to, but for those of some pairs."""
        forest: UnionFind[str] = UnionFind()
        known: set[str] = set()
        frontier = set(parties)
        while frontier:
            known |= frontier
            same = [
                (each.left, each.right)
                for each in self.decisions.of(connection, frontier)
                if each.verdict == "same" and (each.left, each.right) not in without
            ]
            for pair in same:
                forest.union(*pair)
            frontier = {party for pair in same for party in pair} - known
        return forest


def _joined(members: Mapping[str, str], pairs: Iterable[Pair]) -> UnionFind[str]:
    """The parties in groups: those of one customer, and those of customers that the pairs join."""
    forest: UnionFind[str] = UnionFind(sorted(members))
    first: dict[str, str] = {}
    for party, customer in sorted(members.items()):
        forest.union(first.setdefault(customer, party), party)
    for pair in pairs:
        forest.union(*pair)
    return forest


def _contradiction(decision: Decision) -> QueryError:
    return QueryError(
        f"act {decision.act} decided that {decision.left} and {decision.right}, of customers that would be one, are"
        " not the same; undo it first, or merge the customers, which overrules it"
    )
