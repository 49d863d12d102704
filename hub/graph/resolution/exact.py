"""The first resolver: parties that share a strong identifier are one customer.

Customers are the connected components over strong identifiers. An identifier that more than `limit` parties hold is no
evidence: a placeholder typed for everybody, not a person's own number. A party with anchors is one customer with the
first of them that there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from networkx.utils import UnionFind
from sqlalchemy import Connection

from hub.graph.anchors import Anchors
from hub.graph.identifiers import by_scheme
from hub.graph.resolution.identity import CustomerIds
from hub.graph.resolution.resolver import PartyChanges, Resolution
from hub.graph.rows import Identifier
from hub.store import Store

SHARED_BY_TOO_MANY = 50
"""Parties that may hold one strong identifier before it stops being evidence: more than the accounts that one person
or company has over all source systems, far fewer than a placeholder collects."""

_REASON_LENGTH = 96
"""What the audit log takes as a code."""


@dataclass(slots=True)
class _Neighbourhood:
    """The parties whose grouping a batch can change, and what they hold."""

    before: dict[str, str] = field(default_factory=dict)
    """Customers of all parties, of removed ones too."""
    parties: set[str] = field(default_factory=set)
    holders: dict[Identifier, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Those of `parties` that hold each strong identifier."""


class ExactResolver:
    """Groups parties by strong identifiers, looking only at the customers that a batch touches."""

    def __init__(self, store: Store, limit: int = SHARED_BY_TOO_MANY) -> None:
        self._store = store
        self._limit = limit
        self._ids = CustomerIds(store)
        self._anchors = Anchors(store)

    def resolve(self, connection: Connection, changes: PartyChanges) -> Resolution:
        """Bring memberships and redirects up to date, and say what changed."""
        if not changes:
            return Resolution({})
        near = self._neighbourhood(connection, changes)
        evidence = self._evidence(connection, near.holders)
        ties = self._ties(connection, near.parties)
        groups = _components(near.parties, [*evidence.values(), *ties])
        reasons = _reasons(groups, evidence)
        return self._ids.record(connection, groups, near.before, changes.removed, reasons)

    def _neighbourhood(self, connection: Connection, changes: PartyChanges) -> _Neighbourhood:
        near = _Neighbourhood()
        self._load_holders(connection, near, changes.touched)
        neighbours = self._neighbours(connection, near.holders, changes.released)
        neighbours |= self._moored(connection, changes.touched | changes.removed)
        started = changes.touched | changes.removed | neighbours
        near.before = self._ids.memberships(connection, "party_id", started)
        near.before |= self._ids.memberships(connection, "customer_id", set(near.before.values()))
        near.parties = (near.before.keys() | changes.touched) - changes.removed
        self._load_holders(connection, near, near.parties - changes.touched)
        return near

    def _load_holders(self, connection: Connection, near: _Neighbourhood, parties: Collection[str]) -> None:
        sql = "SELECT scheme, value, entity_id FROM identifier WHERE strong AND {in:entity_id}"
        for scheme, value, party in self._store.rows_in(connection, sql, sorted(parties)):
            near.holders[scheme, value].add(party)

    def _neighbours(
        self,
        connection: Connection,
        held: Mapping[Identifier, Collection[str]],
        released: Collection[Identifier],
    ) -> set[str]:
        """Parties that hold the same identifiers, where these are evidence or may have been before the batch."""
        counts = self._counts(connection, [*held, *released])
        wanted = [
            identifier
            for identifier, count in counts.items()
            if 0 < count - len(held.get(identifier, ())) <= self._limit
        ]
        given = self._store.dialect.param("scheme")
        sql = f"SELECT entity_id FROM identifier WHERE scheme = {given} AND strong AND {{in:value}}"
        return {
            party
            for scheme, values in by_scheme(wanted).items()
            for (party,) in self._store.rows_in(connection, sql, values, scheme=scheme)
        }

    def _moored(self, connection: Connection, parties: Collection[str]) -> set[str]:
        """Parties tied to one of these, and all that they or these may be tied to."""
        tied = self._anchors.tied_to(connection, parties)
        anchors = self._anchors.of(connection, tied | set(parties))
        return tied.union(*anchors.values())

    def _ties(self, connection: Connection, parties: Collection[str]) -> list[tuple[str, str]]:
        """Each party that has anchors with the first of them that there is.

        That one is among `parties`: a party's customer is looked at whole, and so are the customers of all anchors
        of whatever changed.
        """
        return [
            (party, anchor)
            for party, anchors in self._anchors.of(connection, parties).items()
            for anchor in [each for each in anchors if each in parties][:1]
        ]

    def _evidence(
        self, connection: Connection, holders: Mapping[Identifier, set[str]]
    ) -> dict[Identifier, set[str]]:
        """The identifiers that join parties: held by several, yet not by too many anywhere."""
        joining = {identifier: parties for identifier, parties in holders.items() if len(parties) > 1}
        counts = self._counts(connection, joining)
        return {
            identifier: parties
            for identifier, parties in joining.items()
            if counts[identifier] <= self._limit
        }

    def _counts(self, connection: Connection, identifiers: Iterable[Identifier]) -> dict[Identifier, int]:
        """How many parties hold each strong identifier."""
        given = self._store.dialect.param("scheme")
        sql = (
            f"SELECT value, count(DISTINCT entity_id) FROM identifier"
            f" WHERE scheme = {given} AND strong AND {{in:value}} GROUP BY value"
        )
        return {
            (scheme, value): count
            for scheme, values in by_scheme(set(identifiers)).items()
            for value, count in self._store.rows_in(connection, sql, values, scheme=scheme)
        }


def _components(parties: Collection[str], evidence: Iterable[Collection[str]]) -> list[frozenset[str]]:
    forest: UnionFind[str] = UnionFind(sorted(parties))
    for joined in evidence:
        forest.union(*joined)
    return [frozenset(group) for group in forest.to_sets()]


def _reasons(groups: Sequence[frozenset[str]], evidence: Mapping[Identifier, Collection[str]]) -> list[str]:
    """For each group a code that names the schemes of what its parties share."""
    group_of = {party: index for index, group in enumerate(groups) for party in group}
    schemes: dict[int, set[str]] = defaultdict(set)
    for (scheme, _), parties in evidence.items():
        schemes[group_of[next(iter(parties))]].add(scheme)
    return [".".join(["shared_identifier", *sorted(schemes[i])])[:_REASON_LENGTH] for i in range(len(groups))]
