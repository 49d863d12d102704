"""Public customer ids over time: which group of parties carries which id.

An id is `cus_` and 26 characters of base 32 that sort by time of creation, so the smallest id is the oldest.

- Merge: the oldest id stays; the others retire and redirect to it. A redirect remembers the parties that its id named.
- Split: the id stays with the parties that it always named, and among several groups of those with the group of the
  party whose record came first. Another group gets back the oldest retired id that was its parties', else a new id.
- A redirect leads to a living customer, in one step. When its last party is gone the id is dead, and so is what
  redirected to it.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import orjson
from sqlalchemy import Connection

from hub.graph.resolution.resolver import Merge, Resolution, Split
from hub.store import Store, fixed, utc_now

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 78
"""26 characters hold 130 bits: 52 for microseconds since 1970, which last until 2112, the rest random."""


def new_customer_id(at: datetime) -> str:
    """A public id that sorts by `at` and cannot be guessed."""
    microseconds = (at - _EPOCH) // timedelta(microseconds=1)
    number = microseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "cus_" + "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


def created_at(customer_id: str) -> datetime:
    """The time at which the id was made."""
    number = int(customer_id.removeprefix("cus_"), 32)
    return _EPOCH + timedelta(microseconds=number >> _RANDOM_BITS)


STEWARD = "steward"
EVIDENCE_GONE = "evidence_gone"
"""Codes of the reason of a merge or split: a steward's word; nothing holds the parties together any more."""

_UNKNOWN: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Redirect:
    """A retired id, where it leads, and the parties that it named."""

    old_id: str
    new_id: str
    why: str
    parties: frozenset[str]


@dataclass(slots=True)
class Assignment:
    """Which group carries which id."""

    ids: list[str]
    """The customer of each group, in the order of the groups."""
    merges: list[Merge] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    """The redirects as they are from now on."""


def assign(
    groups: Sequence[frozenset[str]],
    before: Mapping[str, str],
    redirects: Sequence[Redirect],
    reasons: Sequence[str],
    at: datetime,
    arrival: Mapping[str, int] = _UNKNOWN,
    steward_parted: Collection[int] = (),
) -> Assignment:
    """Ids for `groups` of parties, given each party's customer `before` and the redirects to those customers.

    `reasons` says for each group why its parties are one customer; `steward_parted` are the groups that a steward holds
    apart from others.
    `arrival` orders the parties of customers that split; among those without, the smallest id comes first.
    """
    scene = _Scene(groups, before, redirects, arrival)
    held, former = scene.living_ids(), scene.former_ids()
    assignment = Assignment([""] * len(groups))
    for index in range(len(groups)):
        if held[index]:
            assignment.ids[index] = held[index][0]
        elif former[index]:
            assignment.ids[index] = min(former[index])
        else:
            assignment.ids[index] = new_customer_id(at)
            assignment.created.append(assignment.ids[index])
        assignment.merges += [Merge(held[index][0], retired, reasons[index]) for retired in held[index][1:]]
    assignment.splits = scene.splits(assignment.ids, steward_parted)
    assignment.redirects = scene.redirected(assignment)
    return assignment


class _Scene:
    """What an assignment is decided from."""

    def __init__(
        self,
        groups: Sequence[frozenset[str]],
        before: Mapping[str, str],
        redirects: Sequence[Redirect],
        arrival: Mapping[str, int],
    ) -> None:
        self._groups = groups
        self._before = before
        self._redirects = redirects
        self._group_of = {party: index for index, group in enumerate(groups) for party in group}
        by_seniority = sorted(self._group_of, key=lambda party: (arrival.get(party, 0), party))
        self._seniority = {party: position for position, party in enumerate(by_seniority)}
        self._joined = frozenset(party for redirect in redirects for party in redirect.parties)
        self._members: dict[str, list[str]] = defaultdict(list)
        for party in by_seniority:
            if party in before:
                self._members[before[party]].append(party)

    def living_ids(self) -> list[list[str]]:
        """For each group the ids that it carries on, oldest first."""
        held: list[list[str]] = [[] for _ in self._groups]
        for customer_id, parties in sorted(self._members.items()):
            # A party that joined by a merge has an id of its own to return to.
            heir = next((party for party in parties if party not in self._joined), parties[0])
            held[self._group_of[heir]].append(customer_id)
        return held

    def former_ids(self) -> list[list[str]]:
        """For each group the retired ids that it may have back."""
        former: list[list[str]] = [[] for _ in self._groups]
        for redirect in self._redirects:
            group = self._home(redirect)
            if group is not None:
                former[group].append(redirect.old_id)
        return former

    def splits(self, ids: Sequence[str], steward_parted: Collection[int]) -> list[Split]:
        """Which groups left a customer that lives on."""
        living = set(ids)
        return [
            Split(origin, ids[index], STEWARD if index in steward_parted else EVIDENCE_GONE)
            for index, group in enumerate(self._groups)
            for origin in sorted({self._before[party] for party in group if party in self._before})
            if origin != ids[index] and origin in living
        ]

    def redirected(self, assignment: Assignment) -> list[Redirect]:
        """The redirects once the groups carry the assigned ids."""
        living = set(assignment.ids)
        kept_by = {merge.retired: merge.kept for merge in assignment.merges}
        found: list[Redirect] = []
        for redirect in self._redirects:
            home = self._home(redirect)
            fallback = kept_by.get(redirect.new_id, redirect.new_id)
            target = fallback if home is None else assignment.ids[home]
            if redirect.old_id not in living and target in living:
                found.append(replace(redirect, new_id=target))
        for merge in assignment.merges:
            members = self._members[merge.retired]
            named = frozenset(p for p in members if assignment.ids[self._group_of[p]] == merge.kept)
            parties = named - self._joined or named
            found.append(Redirect(merge.retired, merge.kept, merge.reason, parties))
        return found

    def _home(self, redirect: Redirect) -> int | None:
        """The group of the senior party that the retired id named, None when none of them is left."""
        left = [party for party in redirect.parties if party in self._group_of]
        return self._group_of[min(left, key=self._seniority.__getitem__)] if left else None


class CustomerIds:
    """Keeps the tables of memberships and redirects for whichever resolver groups the parties."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def memberships(self, connection: Connection, column: str, values: Collection[str]) -> dict[str, str]:
        """Customers by party, for the given values of `party_id` or `customer_id`."""
        sql = f"SELECT party_id, customer_id FROM membership WHERE {{in:{column}}}"
        return {row[0]: row[1] for row in self._store.rows_in(connection, sql, sorted(values))}

    def record(
        self,
        connection: Connection,
        groups: Sequence[frozenset[str]],
        before: Mapping[str, str],
        removed: Collection[str],
        reasons: Sequence[str],
        steward_parted: Collection[int] = (),
    ) -> Resolution:
        """Make each of `groups` one customer; `before` has the customers of all their parties and of those removed."""
        redirects = self._redirects(connection, before.values())
        arrival = self._arrival(connection, groups, before)
        assignment = assign(groups, before, redirects, reasons, datetime.now(UTC), arrival, steward_parted)
        now = {party: assignment.ids[index] for index, group in enumerate(groups) for party in group}
        moved = {party: customer for party, customer in now.items() if before.get(party) != customer}
        self._store_memberships(connection, moved, removed)
        self._store_redirects(connection, redirects, assignment.redirects)
        left = {before[party] for party in [*moved, *removed] if party in before}
        return Resolution(
            moved,
            tuple(assignment.created),
            frozenset(left | set(moved.values())),
            frozenset(left - set(assignment.ids)),
            tuple(assignment.merges),
            tuple(assignment.splits),
        )

    def _redirects(self, connection: Connection, customers: Collection[str]) -> list[Redirect]:
        sql = "SELECT old_id, new_id, reason FROM customer_redirect WHERE {in:new_id}"
        rows = self._store.rows_in(connection, sql, sorted(set(customers)))
        return [_redirect_of(*row) for row in sorted(rows, key=lambda row: str(row[0]))]

    def _arrival(
        self, connection: Connection, groups: Sequence[frozenset[str]], before: Mapping[str, str]
    ) -> dict[str, int]:
        """When the parties of customers that split came first: heads of records are numbered in that order."""
        seen: dict[str, int] = {}
        split = {
            customer
            for index, group in enumerate(groups)
            for party in group
            if (customer := before.get(party)) and seen.setdefault(customer, index) != index
        }
        parties = sorted(party for party, customer in before.items() if customer in split)
        arrival: dict[str, int] = {}
        for type_ in self._store.ontology.parties:
            sql = f'SELECT id, head_id FROM "{type_.table}" WHERE {{in:id}}'
            arrival |= {row[0]: row[1] for row in self._store.rows_in(connection, sql, parties)}
        return arrival

    def _store_memberships(
        self, connection: Connection, moved: Mapping[str, str], removed: Collection[str]
    ) -> None:
        self._store.rows_in(connection, "DELETE FROM membership WHERE {in:party_id}", sorted(removed))
        columns = ("party_id", "customer_id")
        self._store.dialect.upsert(connection, fixed.membership, columns, sorted(moved.items()))

    def _store_redirects(
        self, connection: Connection, before: Sequence[Redirect], now: Sequence[Redirect]
    ) -> None:
        gone = {redirect.old_id for redirect in before} - {redirect.old_id for redirect in now}
        self._store.rows_in(connection, "DELETE FROM customer_redirect WHERE {in:old_id}", sorted(gone))
        at, known = utc_now(), set(before)
        rows = [(r.old_id, r.new_id, at, _reason(r)) for r in now if r not in known]
        columns = ("old_id", "new_id", "at", "reason")
        self._store.dialect.upsert(connection, fixed.customer_redirect, columns, rows, keep=("at",))


def _reason(redirect: Redirect) -> str:
    """What the column `reason` holds: JSON with the code of the merge and the parties that the retired id named."""
    return orjson.dumps({"why": redirect.why, "parties": sorted(redirect.parties)}).decode()


def _redirect_of(old_id: str, new_id: str, reason: str) -> Redirect:
    said = orjson.loads(reason)
    return Redirect(old_id, new_id, said["why"], frozenset(said["parties"]))
