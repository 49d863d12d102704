"""The parties whose grouping a batch can change: all that edges, decisions and anchors lead to from what it touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from networkx.utils import UnionFind
from sqlalchemy import Connection

from hub.graph.anchors import Anchors
from hub.graph.resolution.decisions import Decision, Decisions
from hub.graph.resolution.identity import CustomerIds
from hub.graph.resolution.resolver import PartyChanges
from hub.store import Store

PartyPair = tuple[str, str]
"""Two party ids, the lesser first."""


@dataclass(slots=True)
class Component:
    """Parties that something connects, and what: which of them are one customer is decided by these alone."""

    parties: set[str] = field(default_factory=set)
    edges: dict[PartyPair, float] = field(default_factory=dict)
    """Match weights in bits of the pairs that are enough by themselves."""
    decisions: list[Decision] = field(default_factory=list)
    ties: list[PartyPair] = field(default_factory=list)
    """Each party that staff recorded, with the first of its anchors that there is."""


@dataclass(slots=True)
class Neighbourhood(Component):
    """Parties closed under all that may make them one customer."""

    before: dict[str, str] = field(default_factory=dict)
    """Customers of all parties, of removed ones too."""

    def components(self) -> list[Component]:
        """The parties in groups that nothing joins to each other."""
        forest: UnionFind[str] = UnionFind(sorted(self.parties))
        for one, other in self._joins():
            forest.union(one, other)
        found: dict[str, Component] = defaultdict(Component)
        for party in sorted(self.parties):
            found[forest[party]].parties.add(party)
        for pair, weight in self.edges.items():
            found[forest[pair[0]]].edges[pair] = weight
        for tie in self.ties:
            found[forest[tie[0]]].ties.append(tie)
        for decision in self.decisions:
            # One of not_same may name parties that nothing joins: it has nothing to part.
            if forest[decision.left] == forest[decision.right]:
                found[forest[decision.left]].decisions.append(decision)
        return list(found.values())

    def _joins(self) -> Iterator[PartyPair]:
        yield from self.edges
        yield from self.ties
        for each in self.decisions:
            if each.verdict == "same":
                yield each.left, each.right


class Neighbourhoods:
    """Gathers neighbourhoods from the store."""

    def __init__(self, store: Store, ids: CustomerIds, anchors: Anchors, decisions: Decisions) -> None:
        self._store = store
        self._ids = ids
        self._anchors = anchors
        self._decisions = decisions

    def around(
        self, connection: Connection, started: Collection[str], changes: PartyChanges
    ) -> Neighbourhood:
        """The neighbourhood of these parties after the changes; edges are up to date."""
        near, there = Neighbourhood(), {*started, *changes.touched}
        frontier = set(started) | self._moored(connection, changes)
        while frontier:
            near.before |= self._whole_customers(connection, frontier)
            reached = (frontier | near.before.keys()) - near.parties - changes.removed
            near.parties |= reached
            found = self._edges(connection, reached)
            near.edges |= found
            beside = {party for pair in found for party in pair}
            there |= beside
            beside |= self._decisions.joined_with(connection, reached) | self._moorings(connection, reached)
            frontier = beside - near.parties - changes.removed
        # Parties that a decision or an anchor names may never have been, or be gone.
        near.parties &= near.before.keys() | there
        self._add_words(connection, near)
        return near

    def _whole_customers(self, connection: Connection, parties: Collection[str]) -> dict[str, str]:
        found = self._ids.memberships(connection, "party_id", parties)
        return found | self._ids.memberships(connection, "customer_id", set(found.values()))

    def _edges(self, connection: Connection, parties: Collection[str]) -> dict[PartyPair, float]:
        found: dict[PartyPair, float] = {}
        for mine, others in (("low", "high"), ("high", "low")):
            sql = (
                f"SELECT p.party_id, q.party_id, e.weight FROM profile p JOIN edge e ON e.{mine} = p.id"
                f" JOIN profile q ON q.id = e.{others} WHERE e.joins AND {{in:p.party_id}}"
            )
            for one, other, weight in self._store.rows_in(connection, sql, sorted(parties)):
                found[(one, other) if one < other else (other, one)] = weight
        return found

    def _moored(self, connection: Connection, changes: PartyChanges) -> set[str]:
        """Parties tied to a changed one, and all that they or these may be tied to."""
        return self._moorings(connection, changes.touched | changes.removed)

    def _moorings(self, connection: Connection, parties: Collection[str]) -> set[str]:
        tied = self._anchors.tied_to(connection, parties)
        anchors = self._anchors.of(connection, tied | set(parties))
        return tied.union(*anchors.values())

    def _add_words(self, connection: Connection, near: Neighbourhood) -> None:
        """Add the decisions and ties between the parties."""
        found = self._decisions.of(connection, near.parties)
        near.decisions = [each for each in found if {each.left, each.right} <= near.parties]
        near.ties = [
            (party, anchor)
            for party, anchors in self._anchors.of(connection, near.parties).items()
            for anchor in [each for each in anchors if each in near.parties][:1]
        ]
