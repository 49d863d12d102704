"""Pairs of parties about which a steward's word is worth the most.

| kind    | what is in doubt                                                                                       |
|---------|--------------------------------------------------------------------------------------------------------|
| `doubt` | two customers with a pair that is alike, but not enough: at least `review_weight`, below `merge_weight` |
| `apart` | two customers with a pair that is alike enough, and that the other parties or a conflict keep apart     |
| `weak`  | a customer whose weakest hold is as near above `merge_weight` as `review_weight` is below               |

*Worth* is p (1 - p) times the number of parties on both sides, those that the decision would join or part; p is the
probability by which the pair would be the same if half of those at `merge_weight` were: 1 / (1 + 2 ** (merge_weight -
weight)). So a pair on the threshold counts a quarter for each party, one that is four bits away a seventeenth of it.
Of two customers the strongest pair alone is asked about. What is decided is asked no more: the pair itself, and any
other pair of two customers of which a decision in force says that they are not the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from hub.graph.resolution.clusters import Pair, pair_of
from hub.graph.resolution.decisions import Decision, Decisions
from hub.graph.resolution.explaining import Hold, Why, parts_of, weakest_of
from hub.graph.resolution.judge import Judge
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.profiles import Kind
from hub.store import Store

MAX_CONSIDERED = 10_000
"""Pairs nearest to the threshold that a queue is made of: more than a team decides in a year."""

_FARTHEST = 500.0
"""Bits beyond which a distance counts no more: powers of two stay in range."""


class DoubtKind(StrEnum):
    """What is in doubt."""

    DOUBT = "doubt"
    """Two customers that may be one."""
    APART = "apart"
    """Two customers that a pair of them would make one, were it not for the others."""
    WEAK = "weak"
    """One customer that may be two."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One pair to be decided."""

    kind: DoubtKind
    left: str
    right: str
    weight: float
    """Match weight in bits, shared identifiers included."""
    merge_weight: float
    customers: tuple[str, ...]
    """Those of the left and the right party; one where they are the same."""
    sides: tuple[int, int]
    """Parties on the left's and the right's side."""

    @property
    def worth(self) -> float:
        """What a decision is worth: see the module."""
        distance = min(max(self.weight - self.merge_weight, -_FARTHEST), _FARTHEST)
        likely: float = 1 / (1 + 2.0**-distance)
        return likely * (1 - likely) * sum(self.sides)

    @property
    def place(self) -> tuple[float, str, str]:
        """Sorts what is worth the most first, and ties by ids."""
        return -self.worth, self.left, self.right


@dataclass(frozen=True, slots=True)
class _Edge:
    left: str
    right: str
    weight: float
    joins: bool
    merge_weight: float
    customers: tuple[str, str]

    @property
    def pair(self) -> Pair:
        return self.left, self.right


class Review:
    """Finds what is in doubt."""

    def __init__(self, store: Store, models: Mapping[Kind, MatchModel]) -> None:
        self._store = store
        self._decisions = Decisions(store)
        self._models = models
        person = Judge(models).merge_weight(["person"])
        organization = Judge(models).merge_weight(["organization"])
        self._enough = (
            f"CASE WHEN p.kind <> q.kind THEN {min(person, organization)!r}"
            f" WHEN p.kind = 'person' THEN {person!r} ELSE {organization!r} END"
        )

    def queue(self, connection: Connection, kinds: Collection[DoubtKind] = tuple(DoubtKind)) -> list[Doubt]:
        """What is in doubt, that of the greatest worth first."""
        found: list[Doubt] = []
        if {DoubtKind.DOUBT, DoubtKind.APART} & {*kinds}:
            found += self._between(connection)
        if DoubtKind.WEAK in kinds:
            found += self._within(connection)
        return sorted((each for each in found if each.kind in kinds), key=lambda each: each.place)

    # two customers that may be one

    def _between(self, connection: Connection) -> Iterator[Doubt]:
        sql = f"{_CUSTOMERS} WHERE m.customer_id <> n.customer_id AND {_UNDECIDED} {self._nearest}"
        edges = self._edges(connection, sql)
        settled = self._settled(connection, {customer for edge in edges for customer in edge.customers})
        strongest: dict[frozenset[str], _Edge] = {}
        for edge in sorted(edges, key=lambda each: (-each.weight, each.pair)):
            customers = frozenset(edge.customers)
            if customers not in settled:
                strongest.setdefault(customers, edge)
        sizes = self._sizes(connection, {customer for pair in strongest for customer in pair})
        for edge in strongest.values():
            kind = DoubtKind.APART if edge.joins else DoubtKind.DOUBT
            one, other = edge.customers
            yield Doubt(
                kind, *edge.pair, edge.weight, edge.merge_weight, (one, other), (sizes[one], sizes[other])
            )

    def _settled(self, connection: Connection, customers: Collection[str]) -> set[frozenset[str]]:
        """Pairs of these customers of which a decision says that they are not the same."""
        sql = "SELECT party_id, customer_id FROM membership WHERE {in:customer_id}"
        members = {row[0]: row[1] for row in self._store.rows_in(connection, sql, sorted(customers))}
        return {
            frozenset((members[each.left], members[each.right]))
            for each in self._decisions.of(connection, members)
            if each.verdict == "not_same" and each.left in members and each.right in members
        }

    def _sizes(self, connection: Connection, customers: Collection[str]) -> dict[str, int]:
        """How many parties of each are compared."""
        sql = (
            "SELECT m.customer_id, count(*) FROM membership m JOIN profile p ON p.party_id = m.party_id"
            " WHERE {in:m.customer_id} GROUP BY m.customer_id"
        )
        return {row[0]: row[1] for row in self._store.rows_in(connection, sql, sorted(customers))}

    # one customer that may be two

    def _within(self, connection: Connection) -> Iterator[Doubt]:
        near = self._edges(
            connection,
            f"{_CUSTOMERS} WHERE m.customer_id = n.customer_id AND e.joins AND e.weight <= {self._far()!r}"
            f" AND {_UNDECIDED} {self._nearest}",
        )
        customers = sorted({edge.customers[0] for edge in near})
        sql = f"{_CUSTOMERS} WHERE m.customer_id = n.customer_id AND e.joins AND {{in:m.customer_id}}"
        by_customer: dict[str, list[_Edge]] = defaultdict(list)
        for row in self._store.rows_in(connection, self._select(sql), customers):
            edge = _edge(row)
            by_customer[edge.customers[0]].append(edge)
        decided = self._decided(connection, [edge for edges in by_customer.values() for edge in edges])
        for customer, edges in sorted(by_customer.items()):
            yield from self._weakest(customer, edges, decided)

    def _weakest(
        self, customer: str, edges: Sequence[_Edge], decided: Mapping[Pair, Decision]
    ) -> Iterator[Doubt]:
        known = {edge.pair: edge for edge in edges}
        parties = {party for pair in known for party in pair}
        same = {pair for pair, each in decided.items() if each.verdict == "same" and parties.issuperset(pair)}
        holds = [Hold(*pair, 0.0, Why.DECIDED_SAME) for pair in sorted(same)]
        holds += [
            Hold(*edge.pair, edge.weight, Why.ALIKE)
            for edge in sorted(edges, key=lambda each: (-each.weight, each.pair))
            if edge.pair not in same
        ]
        weakest = weakest_of(holds)
        edge = known.get((weakest.left, weakest.right)) if weakest else None
        if weakest is None or edge is None or edge.pair in decided or not self._is_near(edge):
            return
        one, other = parts_of(holds, weakest)
        yield Doubt(
            DoubtKind.WEAK, *edge.pair, edge.weight, edge.merge_weight, (customer,), (len(one), len(other))
        )

    def _is_near(self, edge: _Edge) -> bool:
        return edge.weight - edge.merge_weight <= self._band()

    def _band(self) -> float:
        """Bits above the threshold that are near it."""
        settings = [model.settings for model in self._models.values()]
        return max(each.merge_weight - each.review_weight for each in settings)

    def _far(self) -> float:
        return max(model.settings.merge_weight for model in self._models.values()) + self._band()

    # what both ask

    @property
    def _nearest(self) -> str:
        return f"ORDER BY abs(e.weight - {self._enough}), p.party_id, q.party_id LIMIT {MAX_CONSIDERED}"

    def _select(self, rest: str) -> str:
        columns = "p.party_id, q.party_id, e.weight, e.joins, m.customer_id, n.customer_id"
        return f"SELECT {columns}, {self._enough} {rest}"

    def _edges(self, connection: Connection, rest: str) -> list[_Edge]:
        return [_edge(row) for row in connection.exec_driver_sql(self._select(rest))]

    def _decided(self, connection: Connection, edges: Collection[_Edge]) -> dict[Pair, Decision]:
        """The decisions in force that name parties of these edges, by pair."""
        parties = {party for edge in edges for party in edge.pair}
        return {(each.left, each.right): each for each in self._decisions.of(connection, parties)}


_CUSTOMERS = (
    "FROM edge e JOIN profile p ON p.id = e.low JOIN profile q ON q.id = e.high"
    " JOIN membership m ON m.party_id = p.party_id JOIN membership n ON n.party_id = q.party_id"
)

_UNDECIDED = (
    "NOT EXISTS (SELECT 1 FROM decision d WHERE d.undone_at IS NULL AND (d.left_id = p.party_id AND"
    " d.right_id = q.party_id OR d.left_id = q.party_id AND d.right_id = p.party_id))"
)


def _edge(row: Sequence[Any]) -> _Edge:
    one, other, weight, joins, mine, others, enough = row
    left, right = pair_of(one, other)
    customers = (mine, others) if left == one else (others, mine)
    return _Edge(left, right, weight, bool(joins), float(enough), customers)
