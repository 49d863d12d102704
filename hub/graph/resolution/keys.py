"""Which parties are compared with which: those that share a blocking key or a value that is counted.

A key that more parties hold than the model's `crowded` says stops working by itself, and works again when enough of
them are gone; finer keys of the same parties go on. So which pairs are compared is a function of the parties alone.
Keys are kept as keyed hashes of 64 bits: a collision makes one comparison more, alike in every order of arrival.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from hub.graph.resolution.matchables import PROOFS, Matchable, Remade, Value
from hub.graph.resolution.models import MatchModel
from hub.graph.resolution.profiles import Kind
from hub.store import Store, fixed

PROOFS_CROWDED = 50
"""Parties that may hold one strong identifier before it stops being evidence: more than the accounts that one person
or company has over all source systems, far fewer than a placeholder collects."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A key that became crowded, or is so no longer."""

    key: int
    holders: frozenset[int]
    """Numbers of those who hold it now."""
    crowded: bool


class Keys:
    """Keeps the table of blocking keys."""

    def __init__(
        self, store: Store, models: Mapping[Kind, MatchModel], proofs_crowded: int = PROOFS_CROWDED
    ) -> None:
        self._store = store
        self._models = models
        self._limits = {kind: model.settings.crowded for kind, model in models.items()}
        self._proofs_crowded = proofs_crowded
        self._hash = hashlib.blake2b(key=store.secret[:64], digest_size=8)
        self._rows = _bounded(store)

    def of(self, matchable: Matchable) -> dict[int, int]:
        """The party's keys, with how many may hold each."""
        limit = self._limits[matchable.kind]
        keys = {
            self._key(f"{matchable.kind}:{rule}", text): limit
            for rule, text in self._models[matchable.kind].blocking.keys(matchable.columns)
        }
        return keys | {key: self._limit(matchable, value) for key, value in self.values(matchable).items()}

    def values(self, matchable: Matchable) -> dict[int, Value]:
        """Those keys that stand for a value that is counted."""
        return {
            self._key(column if column == PROOFS else f"{matchable.kind}:{column}", value): (column, value)
            for column, value in matchable.shared_values
        }

    def _limit(self, matchable: Matchable, value: Value) -> int:
        return self._proofs_crowded if value[0] == PROOFS else self._limits[matchable.kind]

    def _key(self, space: str, text: str) -> int:
        hashed = self._hash.copy()
        hashed.update(f"{space}\0{text}".encode())
        return int.from_bytes(hashed.digest(), "big", signed=True)

    def replace(self, connection: Connection, remade: Remade) -> tuple[Holders, dict[int, dict[int, int]]]:
        """Write the keys of these profiles; who holds them, and those they held before, from now on.

        Beside that the keys by number, with how many may hold each.
        """
        before = {number: self.of(each) for number, each in remade.before.items()}
        after = {number: self.of(each) for number, each in remade.written.items()}
        lost = _pairs(before, after)
        won = _pairs(after, before)
        self._delete(connection, lost)
        self._store.dialect.insert(connection, fixed.blocking_key, ("key", "profile_id"), won)
        holders = Holders(self._store, connection, self._rows, _changed(won, lost))
        for keys in (*before.values(), *after.values()):
            holders.ask(keys)
        return holders, after

    def insert(self, connection: Connection, fresh: Iterable[Matchable]) -> dict[int, dict[int, int]]:
        """Write the keys of parties that have none yet; the keys by number, with how many may hold each."""
        keys = {each.number: self.of(each) for each in fresh}
        rows = _pairs(keys, {})
        self._store.dialect.insert(connection, fixed.blocking_key, ("key", "profile_id"), rows)
        return keys

    def are_compared(self, connection: Connection, one: Matchable, other: Matchable) -> bool:
        """Whether the two share a key that works."""
        shared = dict(self.of(one).items() & self.of(other).items())
        holders = Holders(self._store, connection, self._rows, {})
        holders.ask(shared)
        holders.load(shared)
        return any(not holders.is_crowded(key) for key in shared)

    def _delete(self, connection: Connection, rows: Sequence[tuple[int, int]]) -> None:
        by_profile: dict[int, list[int]] = defaultdict(list)
        for key, number in rows:
            by_profile[number].append(key)
        given = self._store.dialect.param("number")
        sql = f"DELETE FROM blocking_key WHERE profile_id = {given} AND {{in:key}}"
        for number, keys in by_profile.items():
            self._store.rows_in(connection, sql, keys, number=number)


class Holders:
    """Who holds which key after a batch, asked of the store at most once a key."""

    def __init__(self, store: Store, connection: Connection, sql: str, changed: Mapping[int, int]) -> None:
        self._store = store
        self._connection = connection
        self._sql = sql
        self._changed = changed
        """By key, how many more hold it than before the batch."""
        self._slack = max((abs(more) for more in changed.values()), default=0) + 1
        self._limits: dict[int, int] = {}
        self._held: dict[int, frozenset[int]] = {}

    def ask(self, keys: Mapping[int, int]) -> None:
        """Remember the limits of keys that will be asked for."""
        self._limits.update(keys)

    @property
    def asked(self) -> Collection[int]:
        """The keys that will be asked for."""
        return self._limits.keys()

    def load(self, keys: Iterable[int]) -> None:
        """Ask the store who holds these keys; of a crowded one it tells some only."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._held]
        if not wanted:
            return
        most = max(self._limits[key] for key in wanted) + self._slack
        given = {"list": self._store.dialect.list_value(wanted), "most": most}
        for key, held in self._store.dialect.run(self._connection, self._sql, given):
            self._held[key] = frozenset(orjson.loads(held) if isinstance(held, str) else held)

    def of(self, key: int) -> frozenset[int]:
        """The numbers of a key's holders; nobody's, when too many hold it."""
        held = self._held[key]
        return held if len(held) <= self._limits[key] else frozenset()

    def is_crowded(self, key: int) -> bool:
        """Whether too many hold it."""
        return len(self._held[key]) > self._limits[key]

    def crossings(self) -> list[Crossing]:
        """The keys that the batch made crowded, or made work again."""
        return [
            Crossing(key, self._held[key], now)
            for key, more in self._changed.items()
            if (now := self.is_crowded(key)) != (len(self._held[key]) - more > self._limits[key])
        ]


def _pairs(
    some: Mapping[int, Collection[int]], others: Mapping[int, Collection[int]]
) -> list[tuple[int, int]]:
    """Keys with numbers that are in `some` and not in `others`."""
    return sorted(
        (key, number) for number, keys in some.items() for key in keys if key not in others.get(number, ())
    )


def _changed(won: Iterable[tuple[int, int]], lost: Iterable[tuple[int, int]]) -> Counter[int]:
    changed = Counter(key for key, _ in won)
    changed.subtract(Counter(key for key, _ in lost))
    return Counter({key: more for key, more in changed.items() if more})


def _bounded(store: Store) -> str:
    """SQL for the first holders of each of the keys `list`, at most `most` of each."""
    dialect = store.dialect
    held = f"SELECT profile_id FROM blocking_key b WHERE b.key = n.value LIMIT {dialect.param('most')}"
    return f"SELECT n.value, {dialect.gathered(held, 'profile_id')} FROM {dialect.numbers('list')}"
