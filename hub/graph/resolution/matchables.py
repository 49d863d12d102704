"""What matching knows of each party: its profile, kept in the store so that it is made once, not for each pair.

A party is compared by its *columns* (names, dates, addresses in normal form) and by its *proofs*, the strong
identifiers that it holds. A value that too many share is *crowded*: it stays in the profile and is no evidence. What
staff record of a customer is tied to that customer by word and is compared with nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import orjson
from sqlalchemy import Connection

from hub.graph.resolution.profiles import (
    SHARED_COLUMNS,
    Kind,
    Profile,
    StreetReader,
    profile_of,
    street_parts,
    without,
)
from hub.ontology import EntityType
from hub.store import Store, fixed

Value = tuple[str, str]
"""A column and one of its values; what is held of it by too many is evidence for nobody."""

PROOFS = "proofs"
"""Stands as the column of strong identifiers."""

_NOTHING_CROWDED = frozenset[Value]()


@dataclass(frozen=True, repr=False)
class Matchable:
    """One party as it is compared."""

    number: int
    """Of its row; says nothing beyond this store."""
    party: str
    kind: Kind
    columns: Profile
    proofs: tuple[str, ...] = ()
    """Strong identifiers as `scheme:value`, sorted."""
    crowded: frozenset[Value] = field(default_factory=frozenset)

    @property
    def shared_values(self) -> Iterator[Value]:
        """The values of which is counted how many hold them."""
        for column in SHARED_COLUMNS:
            for value in self.columns.get(column, ()):
                yield column, value
        for proof in self.proofs:
            yield PROOFS, proof

    @cached_property
    def evidence(self) -> Profile:
        """The columns without what too many share."""
        return without(self.columns, self.crowded)

    @cached_property
    def proven_by(self) -> frozenset[str]:
        """The proofs without those that too many share."""
        if not self.crowded:
            return frozenset(self.proofs)
        return frozenset(proof for proof in self.proofs if (PROOFS, proof) not in self.crowded)

    def says_as(self, other: Matchable) -> bool:
        """Whether both state the same of themselves."""
        mine, others = (self.kind, self.columns, self.proofs), (other.kind, other.columns, other.proofs)
        return mine == others


@dataclass(frozen=True, slots=True)
class Remade:
    """What became of the profiles of a batch's parties."""

    written: Mapping[int, Matchable]
    """New ones and those that say something else now, by number; not yet in the store."""
    before: Mapping[int, Matchable]
    """What those said before, and those that are gone."""

    @property
    def gone(self) -> frozenset[int]:
        """Numbers of profiles that are no more."""
        return frozenset(self.before.keys() - self.written.keys())


class Matchables:
    """Keeps the table of profiles."""

    def __init__(self, store: Store, read_street: StreetReader = street_parts) -> None:
        self._store = store
        self._read_street = read_street
        self._readers = [_Reader(store, type_) for type_ in store.ontology.parties]

    @property
    def roles(self) -> list[str]:
        """Which columns of which table have which role: what is compared."""
        return [each.said for each in self._readers]

    def remake(self, connection: Connection, touched: frozenset[str], removed: frozenset[str]) -> Remade:
        """Profiles of the `touched` parties as their rows state them; deletes those of the `removed`."""
        held = {each.party: each for each in self.of(connection, touched | removed)}
        stated = self._stated(connection, touched)
        proofs = self._proofs(connection, stated)
        fresh = [party for party in sorted(stated) if party not in held]
        first = self._store.allocate(connection, fixed.profile, len(fresh)) if fresh else 0
        numbers = {party: first + place for place, party in enumerate(fresh)}
        numbers |= {party: each.number for party, each in held.items()}
        made = [
            Matchable(
                numbers[party],
                party,
                kind,
                profile_of(kind, values, self._read_street),
                tuple(sorted(proofs[party])),
            )
            for party, (kind, values) in stated.items()
        ]
        moved = {
            each.number: each for each in made if each.party not in held or not each.says_as(held[each.party])
        }
        gone = [each for party, each in held.items() if party not in stated]
        self._store.delete_in(connection, "profile", "id", [each.number for each in gone])
        return Remade(
            moved, {each.number: each for each in held.values() if each.number in moved or each in gone}
        )

    def write(self, connection: Connection, matchables: Iterable[Matchable]) -> None:
        """Put profiles into the store, new or changed."""
        rows = [(each.number, each.party, each.kind, _content(each)) for each in matchables]
        columns = ("id", "party_id", "kind", "content")
        self._store.dialect.upsert(connection, fixed.profile, columns, rows, keep=("party_id",))

    def of(self, connection: Connection, parties: Collection[str]) -> list[Matchable]:
        """The profiles of those of the parties that have one."""
        return self._loaded(connection, "party_id", sorted(parties))

    def numbered(self, connection: Connection, numbers: Collection[int]) -> list[Matchable]:
        """The profiles with these numbers."""
        return self._loaded(connection, "id", sorted(numbers))

    def _loaded(self, connection: Connection, column: str, values: Sequence[Any]) -> list[Matchable]:
        sql = f"SELECT id, party_id, kind, content FROM profile WHERE {{in:{column}}}"
        return [_matchable(*row) for row in self._store.rows_in(connection, sql, values)]

    def _stated(
        self, connection: Connection, parties: frozenset[str]
    ) -> dict[str, tuple[Kind, Mapping[str, Sequence[str]]]]:
        """Kind and role values of the parties that are compared."""
        ids = sorted(parties)
        tied = self._store.rows_in(
            connection, "SELECT DISTINCT party_id FROM anchor WHERE {in:party_id}", ids
        )
        compared = sorted(parties - {row[0] for row in tied})
        return {
            party: (reader.kind, values)
            for reader in self._readers
            for party, values in reader.read(connection, compared)
        }

    def _proofs(self, connection: Connection, parties: Collection[str]) -> dict[str, set[str]]:
        sql = "SELECT entity_id, scheme, value FROM identifier WHERE strong AND {in:entity_id}"
        found: dict[str, set[str]] = defaultdict(set)
        for party, scheme, value in self._store.rows_in(connection, sql, sorted(parties)):
            found[party].add(f"{scheme}:{value}")
        return found


class _Reader:
    """Reads what parties of one type state in the match roles."""

    def __init__(self, store: Store, type_: EntityType) -> None:
        self._store = store
        self.kind: Kind = "person" if "Person" in (type_.schema_org, type_.name) else "organization"
        matched = [prop for prop in type_.properties.values() if prop.match]
        self._roles = [(cast("str", prop.match), prop.many) for prop in matched]
        columns = "".join(f', "{prop.column}"' for prop in matched)
        self.said = f"{type_.table}:" + ",".join(f"{prop.column}={prop.match}" for prop in matched)
        self._sql = f'SELECT id{columns} FROM "{type_.table}" WHERE {{in:id}}'

    def read(
        self, connection: Connection, parties: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, Sequence[str]]]]:
        for party, *cells in self._store.rows_in(connection, self._sql, parties):
            values: dict[str, list[str]] = defaultdict(list)
            for (role, many), cell in zip(self._roles, cells, strict=True):
                if cell is not None:
                    values[role] += _texts(cell) if many else [str(cell)]
            yield party, values


def _texts(cell: Any) -> list[str]:
    """A list of values, which PostgreSQL hands out parsed."""
    return [str(each) for each in (orjson.loads(cell) if isinstance(cell, str) else cell)]


def _content(matchable: Matchable) -> str:
    said: dict[str, Any] = {"columns": matchable.columns}
    if matchable.proofs:
        said[PROOFS] = matchable.proofs
    if matchable.crowded:
        said["crowded"] = sorted(matchable.crowded)
    return orjson.dumps(said).decode()


def _matchable(number: int, party: str, kind: Kind, content: str) -> Matchable:
    said = orjson.loads(content)
    crowded = frozenset(map(tuple, said["crowded"])) if "crowded" in said else _NOTHING_CROWDED
    return Matchable(number, party, kind, said["columns"], tuple(said.get(PROOFS, ())), crowded)


def with_crowded(matchable: Matchable, crowded: Iterable[Value]) -> Matchable:
    """The same party, where these of its values are shared by too many."""
    return replace(matchable, crowded=frozenset(crowded))
