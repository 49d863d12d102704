"""Pairs of parties that may be the same, kept so that a batch only weighs the pairs that it changes.

A pair is an *edge* when the two share a key that is not crowded and their weight is worth a steward's look. So edges
are a function of the parties and the model. An edge *joins* when its weight is enough to make the two one customer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sqlalchemy import Connection

from hub.graph.resolution.judge import Judge
from hub.graph.resolution.keys import Crossing, Holders, Keys
from hub.graph.resolution.matchables import Matchable, Matchables
from hub.store import Store, fixed

Pair = tuple[int, int]
"""Two numbers of profiles, the lower first."""


@dataclass(frozen=True, slots=True)
class Edge:
    """How alike a pair is."""

    weight: float
    """Bits."""
    joins: bool


@dataclass(slots=True)
class Compared:
    """What a batch knows of parties, pair by pair; loaded from the store as needed."""

    connection: Connection
    matchables: Matchables
    keys: Keys
    holders: Holders
    judge: Judge
    known: dict[int, Matchable] = field(default_factory=dict)
    own_keys: dict[int, dict[int, int]] = field(default_factory=dict)

    def load(self, numbers: Iterable[int]) -> None:
        """Make these profiles known."""
        missing = set(numbers) - self.known.keys()
        self.known |= {each.number: each for each in self.matchables.numbered(self.connection, missing)}

    def keys_of(self, number: int) -> dict[int, int]:
        """A known party's keys, with their limits."""
        if number not in self.own_keys:
            self.own_keys[number] = self.keys.of(self.known[number])
        return self.own_keys[number]

    def ask(self, numbers: Iterable[int]) -> None:
        """Load who holds the keys of these known parties."""
        for number in numbers:
            self.holders.ask(self.keys_of(number))
        self.holders.load(key for number in numbers for key in self.keys_of(number))


class Edges:
    """Keeps the table of edges."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def update(
        self,
        compared: Compared,
        rescored: Collection[int],
        gone: Collection[int],
        crossings: Iterable[Crossing],
    ) -> set[int]:
        """Weigh the pairs of the `rescored` parties, and those that a crossing key made or unmade.

        Gives the numbers of the parties whose joining edges are others now.
        """
        connection = compared.connection
        old = self._touching(connection, {*rescored, *gone})
        new = self._weighed(compared, _partners(compared, rescored))
        doubted = self._doubted(connection, crossings, {*rescored, *gone})
        old |= {pair: edge for pair, edge in doubted.items() if edge is not None}
        new |= self._weighed(compared, _still_compared(compared, doubted))
        self._write(connection, old, new)
        return {
            number
            for pair in old.keys() | new.keys()
            if (old.get(pair) != new.get(pair)) and any(e and e.joins for e in (old.get(pair), new.get(pair)))
            for number in pair
        }

    def insert(self, connection: Connection, edges: Sequence[tuple[int, int, float, bool]]) -> None:
        """Write edges into a table that has none of them."""
        self._store.dialect.insert(connection, fixed.edge, ("low", "high", "weight", "joins"), edges)

    def _touching(self, connection: Connection, numbers: Collection[int]) -> dict[Pair, Edge]:
        found: dict[Pair, Edge] = {}
        for column in ("low", "high"):
            sql = f"SELECT low, high, weight, joins FROM edge WHERE {{in:{column}}}"
            for low, high, weight, joins in self._store.rows_in(connection, sql, sorted(numbers)):
                found[low, high] = Edge(weight, bool(joins))
        return found

    def _doubted(
        self, connection: Connection, crossings: Iterable[Crossing], settled: Collection[int]
    ) -> dict[Pair, Edge | None]:
        """Pairs that a key stopped or began to compare, with their edges as they stand; not those of `settled`."""
        found: dict[Pair, Edge | None] = {}
        for crossing in crossings:
            holders = sorted(crossing.holders - {*settled})
            edges = self._touching(connection, holders)
            pairs = combinations(holders, 2)
            found |= {pair: edges.get(pair) for pair in pairs if not crossing.crowded or pair in edges}
        return found

    def _weighed(self, compared: Compared, pairs: Collection[Pair]) -> dict[Pair, Edge]:
        """The edges among the pairs."""
        compared.load(number for pair in pairs for number in pair)
        found: dict[Pair, Edge] = {}
        for low, high in pairs:
            one, other = compared.known[low], compared.known[high]
            weight = compared.judge.weight(one, other)
            if compared.judge.is_kept(one, other, weight):
                found[low, high] = Edge(weight, compared.judge.joins(one, other, weight))
        return found

    def _write(self, connection: Connection, old: Mapping[Pair, Edge], new: Mapping[Pair, Edge]) -> None:
        given = self._store.dialect.param("low")
        sql = f"DELETE FROM edge WHERE low = {given} AND {{in:high}}"
        stale: dict[int, list[int]] = {}
        for low, high in old.keys() - new.keys():
            stale.setdefault(low, []).append(high)
        for low, highs in stale.items():
            self._store.rows_in(connection, sql, highs, low=low)
        rows = [
            (*pair, edge.weight, edge.joins) for pair, edge in sorted(new.items()) if old.get(pair) != edge
        ]
        self._store.dialect.upsert(connection, fixed.edge, ("low", "high", "weight", "joins"), rows)


def _partners(compared: Compared, rescored: Collection[int]) -> set[Pair]:
    """All pairs of one of these known parties with somebody who shares a working key."""
    compared.ask(rescored)
    return {
        (number, other) if number < other else (other, number)
        for number in rescored
        for key in compared.keys_of(number)
        for other in compared.holders.of(key)
        if other != number
    }


def _still_compared(compared: Compared, pairs: Collection[Pair]) -> set[Pair]:
    """Those of the pairs that share a working key."""
    numbers = sorted({number for pair in pairs for number in pair})
    compared.load(numbers)
    compared.ask(numbers)
    return {
        (low, high)
        for low, high in pairs
        if any(
            compared.holders.of(key) for key in compared.keys_of(low).keys() & compared.keys_of(high).keys()
        )
    }
