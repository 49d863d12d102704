"""Keeps the households of a store: only the neighbourhood of what a batch changes is looked at again.

Households are made of customers and not of parties, from the golden record: a customer has one current address, so a
family that moved follows it, and an old system that still has the old address keeps nobody there. What the golden
record leaves out, a second telephone number or card, counts through the identifiers of the customer's parties.

| table       | what                                                                    |
|-------------|-------------------------------------------------------------------------|
| `home`      | what of each person says with whom they live, in normal form            |
| `home_key`  | keyed hashes of what others may have in common with them                |
| `housemate` | each two people of one household, in both directions, and the evidence  |

Each is a function of the golden records, and so is `household_id` of the customers. People are told apart by the least
id of their parties, which does not depend on the order of arrival, as the ids of customers do.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection

from hub.graph.households.home import Home, home_of
from hub.graph.households.linking import CROWD, FAMILIES, SHARERS, Crowd, Evidence, Household, Link, grouped
from hub.graph.resolution.profiles import StreetReader, profile_of, street_parts
from hub.ontology import Ontology, Property
from hub.store import Store, fixed
from hub.values import entity_id

VERSION = 1
"""Of the rules: with another one all households, and all that follows from golden records, are found anew."""
_PERSON = "PERSON"
_ROLES = frozenset(("full_name", "family_name", "alternate_name", "street", "postal_code", "city", "country"))
_MORE = "more of the street"
"""Stands as the role of lines beside the street, which may name a flat."""
_KINDS = tuple(kind.value for kind in Evidence)
_Mate: TypeAlias = tuple[str | bool, ...]
"""A housemate's id, and for each kind whether there is such evidence."""
_Role: TypeAlias = tuple[Property, str]
_CONTACTS = {"phone": "phone", "email": "email"}
"""Match role by scheme of the identifiers that a family may share."""


@dataclass(frozen=True, slots=True, repr=False)
class _Stated:
    """A customer's home, and when the newest source stated its address, or its name where there is none."""

    home: Home
    at: str


class Households:
    """Writes households."""

    def __init__(self, store: Store, read_street: StreetReader = street_parts) -> None:
        self._store = store
        self._read_street = read_street
        self._properties = _properties(store.ontology)
        self._accounts = sorted(_account_schemes(store))
        self._hash = hashlib.blake2b(key=store.secret[:64], digest_size=8)
        self._observed = " UNION ALL ".join(
            f'SELECT id, observed_at FROM "{type_.table}"' for type_ in store.ontology.parties
        )

    @property
    def digest(self) -> str:
        """Changes with the rules and with what households are made of."""
        roles = [f"{prop.name}={role}" for prop, role in self._properties]
        said = [VERSION, CROWD, FAMILIES, SHARERS, roles, self._accounts, self._read_street.__qualname__]
        return hashlib.blake2b(orjson.dumps(said), digest_size=16).hexdigest()

    def update(self, connection: Connection, touched: Collection[str]) -> set[str]:
        """Bring the households up to date after golden records changed; the customers whose household is another."""
        before = self._homes(connection, touched)
        after = self._stated(connection, touched)
        moved = {id_ for id_ in touched if _home(before, id_) != _home(after, id_)}
        gone = before.keys() - after.keys()
        self._write(
            connection, {id_: after[id_] for id_ in after if before.get(id_) != after[id_]}, moved, gone
        )
        if not moved:
            return set()
        started = self._suspects(connection, moved, before, after) | (moved & after.keys())
        return self._regroup(connection, started, gone)

    # what customers state

    def _stated(self, connection: Connection, customers: Collection[str]) -> dict[str, _Stated]:
        """The homes of those of the customers who are people, from their golden records and identifiers."""
        columns = "".join(f', "{prop.column}"' for prop, _ in self._properties)
        sql = f"SELECT id, provenance{columns} FROM customer WHERE kind = '{_PERSON}' AND {{in:id}}"
        rows = self._store.rows_in(connection, sql, sorted(customers))
        parties = self._parties(connection, [row[0] for row in rows])
        shared = self._identifiers(connection, parties)
        tellers = {id_: _teller(self._properties, provenance, parties[id_]) for id_, provenance, *_ in rows}
        times = dict(map(tuple, self._times(connection, tellers.values())))
        found: dict[str, _Stated] = {}
        for id_, _, *cells in rows:
            values = _values(self._properties, cells)
            accounts, contacts = shared.get(id_, (set(), {}))
            home = self._home(min(parties[id_]), {**values, **contacts}, accounts)
            found[id_] = _Stated(home, times.get(tellers[id_], ""))
        return found

    def _home(self, person: str, values: Mapping[str, list[str]], accounts: Collection[str]) -> Home:
        profile = profile_of("person", values, self._read_street)
        home = home_of(person, profile, accounts)
        if home.unit or not home.street:
            return home
        parts = [self._read_street(line) for line in values.get(_MORE, ())]
        return replace(home, unit=next((part.unit or part.house for part in parts), ""))

    def _parties(self, connection: Connection, customers: Collection[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        sql = "SELECT customer_id, party_id FROM membership WHERE {in:customer_id}"
        for customer, party in self._store.rows_in(connection, sql, sorted(customers)):
            found[customer].append(party)
        return found

    def _identifiers(
        self, connection: Connection, parties: Mapping[str, Collection[str]]
    ) -> dict[str, tuple[set[str], dict[str, list[str]]]]:
        """Accounts and, by match role, contacts of each customer."""
        owners = {party: customer for customer, members in parties.items() for party in members}
        found: dict[str, tuple[set[str], dict[str, list[str]]]] = defaultdict(lambda: (set(), {}))
        sql = "SELECT DISTINCT entity_id, scheme, value FROM identifier WHERE {in:entity_id}"
        for party, scheme, value in sorted(map(tuple, self._store.rows_in(connection, sql, sorted(owners)))):
            accounts, contacts = found[owners[party]]
            if scheme in self._accounts:
                accounts.add(f"{scheme}:{value}")
            elif scheme in _CONTACTS:
                contacts.setdefault(_CONTACTS[scheme], []).append(value)
        return found

    def _times(self, connection: Connection, parties: Iterable[str]) -> list[Any]:
        sql = f"SELECT id, observed_at FROM ({self._observed}) p WHERE {{in:id}}"
        return self._store.rows_in(connection, sql, sorted(set(parties)))

    # what is kept

    def _homes(self, connection: Connection, customers: Collection[str]) -> dict[str, _Stated]:
        sql = "SELECT customer_id, content, stated_at FROM home WHERE {in:customer_id}"
        rows = self._store.rows_in(connection, sql, sorted(customers))
        return {id_: _Stated(_read(content), at) for id_, content, at in rows}

    def _write(
        self,
        connection: Connection,
        stated: Mapping[str, _Stated],
        moved: Collection[str],
        gone: Collection[str],
    ) -> None:
        self._store.delete_in(connection, "home", "customer_id", sorted(gone))
        self._store.delete_in(connection, "home_key", "customer_id", sorted(moved))
        rows = [(id_, _content(each.home), each.at) for id_, each in sorted(stated.items())]
        self._store.dialect.upsert(connection, fixed.home, ("customer_id", "content", "stated_at"), rows)
        keys = [
            (key, id_) for id_ in sorted(stated.keys() & set(moved)) for key in self._keys(stated[id_].home)
        ]
        self._store.dialect.insert(connection, fixed.home_key, ("key", "customer_id"), sorted(keys))

    def _keys(self, home: Home) -> set[int]:
        return {self._key(key) for key in home.keys}

    def _key(self, text: str) -> int:
        hashed = self._hash.copy()
        hashed.update(text.encode())
        return int.from_bytes(hashed.digest(), "big", signed=True)

    def _counts(self, connection: Connection, keys: Collection[int]) -> dict[int, int]:
        sql = "SELECT key, count(*) FROM home_key WHERE {in:key} GROUP BY key"
        return dict(map(tuple, self._store.rows_in(connection, sql, sorted(keys))))

    def _holders(self, connection: Connection, keys: Collection[int]) -> set[str]:
        sql = "SELECT DISTINCT customer_id FROM home_key WHERE {in:key}"
        return {id_ for (id_,) in self._store.rows_in(connection, sql, sorted(keys))}

    # who is looked at again

    def _suspects(
        self,
        connection: Connection,
        moved: Collection[str],
        before: Mapping[str, _Stated],
        after: Mapping[str, _Stated],
    ) -> set[str]:
        """Who shares a key with those who moved, before or now, unless a crowd did all the time."""
        lost = Counter(key for id_ in moved if id_ in before for key in self._keys(before[id_].home))
        won = Counter(key for id_ in moved if id_ in after for key in self._keys(after[id_].home))
        counts = self._counts(connection, lost.keys() | won.keys())
        small = {key for key in counts if min(counts[key], counts[key] - won[key] + lost[key]) <= CROWD}
        return self._holders(connection, small)

    def _regroup(self, connection: Connection, started: set[str], gone: Collection[str]) -> set[str]:
        near = _Near(self, connection)
        near.spread(started)
        found = grouped(near.links, near.known)
        members = {near.customers[person]: home for home in found for person in home.people}
        return self._rewrite(
            connection, near, found, members, {near.customers[p] for p in near.done} | {*gone}
        )

    def _rewrite(
        self,
        connection: Connection,
        near: _Near,
        found: Iterable[Household],
        members: Mapping[str, Household],
        looked_at: Collection[str],
    ) -> set[str]:
        """Write the households of all who were looked at, as far as they are others now."""
        secret, table = self._store.secret, self._store.tables.customer
        ids = {id_: entity_id("hub", "Household", home.people[0], secret) for id_, home in members.items()}
        sql = "SELECT id, household_id FROM customer WHERE {in:id}"
        held = dict(map(tuple, self._store.rows_in(connection, sql, sorted(looked_at))))
        now: dict[str, set[_Mate]] = defaultdict(set)
        for link in (link for home in found for link in home.links):
            low, high = near.customers[link.low], near.customers[link.high]
            now[low].add((high, *_said(link)))
            now[high].add((low, *_said(link)))
        was = self._housemates(connection, looked_at)
        changed = {id_ for id_ in held if held[id_] != ids.get(id_)}
        rewritten = {id_ for id_ in looked_at if was.get(id_, set()) != now.get(id_, set())}
        self._store.delete_in(connection, "housemate", "customer_id", sorted(rewritten))
        rows = [(id_, *row) for id_ in sorted(rewritten) for row in sorted(now.get(id_, ()))]
        self._store.dialect.insert(connection, fixed.housemate, ("customer_id", "other_id", *_KINDS), rows)
        by_household: dict[str | None, list[str]] = defaultdict(list)
        for id_ in sorted(changed):
            by_household[ids.get(id_)].append(id_)
        for household, customers in by_household.items():
            statement = table.update().where(table.c.id.in_(customers)).values(household_id=household)
            connection.execute(statement)
        return changed | (rewritten & held.keys())

    def _housemates(self, connection: Connection, customers: Collection[str]) -> dict[str, set[_Mate]]:
        sql = f"SELECT customer_id, other_id, {', '.join(_KINDS)} FROM housemate WHERE {{in:customer_id}}"
        found: dict[str, set[_Mate]] = defaultdict(set)
        for id_, other, *evidence in self._store.rows_in(connection, sql, sorted(customers)):
            found[id_].add((other, *map(bool, evidence)))
        return found


class _Near:
    """The people whom links lead to from where a batch began, and all of their links."""

    def __init__(self, kept: Households, connection: Connection) -> None:
        self._kept, self._connection = kept, connection
        self.known: dict[str, Home] = {}
        self.customers: dict[str, str] = {}
        """Person -> customer."""
        self.links: dict[tuple[str, str], Link] = {}
        self.done: set[str] = set()
        """People all of whose links are known."""
        self._counts: dict[str, int] = {}

    def spread(self, customers: Collection[str]) -> None:
        """Follow links from these customers until there are no more."""
        self._load(customers)
        ring = set(self.known)
        while ring:
            keys = self._count(ring)
            crowded = {key for key in keys if self._counts[key] > CROWD}
            hashed = {self._kept._key(key) for key in keys - crowded}
            self._load(self._kept._holders(self._connection, hashed))
            self._count(self.known)
            ring = self._linked(ring)

    def _linked(self, ring: set[str]) -> set[str]:
        """Those whom a link leads to from the ring, and who are not done."""
        crowd, reached = Crowd(self.known.values(), self._counts), set()
        for person in ring:
            for mate in crowd.mates(self.known[person]):
                low, high = min(person, mate), max(person, mate)
                if (low, high) in self.links:
                    continue
                if evidence := crowd.evidence(self.known[low], self.known[high]):
                    self.links[low, high] = Link(low, high, evidence)
                    reached.add(mate)
        self.done |= ring
        return reached - self.done

    def _load(self, customers: Collection[str]) -> None:
        wanted = set(customers) - set(self.customers.values())
        for id_, stated in self._kept._homes(self._connection, wanted).items():
            self.known[stated.home.person] = stated.home
            self.customers[stated.home.person] = id_

    def _count(self, people: Collection[str]) -> set[str]:
        """The keys of the people, now with the numbers of their holders."""
        keys = {key for person in people for key in self.known[person].keys}
        hashed = {key: self._kept._key(key) for key in keys - self._counts.keys()}
        counts = self._kept._counts(self._connection, set(hashed.values()))
        self._counts |= {key: counts.get(number, 0) for key, number in hashed.items()}
        return keys


def _account_schemes(store: Store) -> set[str]:
    """Schemes of strong identifiers that say nothing of a person as such: no tax number, but cards and accounts."""
    found = [prop for type_ in store.ontology.parties for prop in type_.identifiers if prop.strong]
    personal = {prop.identifier for prop in found if prop.match or "government_id" in prop.category}
    return {prop.identifier for prop in found if prop.identifier} - personal


def _properties(ontology: Ontology) -> list[_Role]:
    """The golden properties that homes are made of, with their roles."""
    golden = ontology.customer_properties.values()
    streets = {(prop.group, prop.category) for prop in golden if prop.match == "street" and prop.group}
    named = [(prop, prop.match) for prop in golden if prop.match in _ROLES]
    more = [(prop, _MORE) for prop in golden if not prop.match and (prop.group, prop.category) in streets]
    return [(prop, role) for prop, role in [*named, *more] if role is not None]


def _values(properties: Iterable[_Role], cells: Iterable[Any]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = defaultdict(list)
    for (_, role), cell in zip(properties, cells, strict=True):
        if cell is not None:
            values[role].append(str(cell))
    return values


def _teller(properties: Iterable[_Role], provenance: str, parties: Collection[str]) -> str:
    """The party whose address the golden record shows, else whose name; else the first one."""
    said = orjson.loads(provenance)
    for wanted in ("street", "family_name", "full_name"):
        for prop, role in properties:
            if role == wanted and prop.name in said:
                return str(said[prop.name]["party"])
    return min(parties)


def _home(stated: Mapping[str, _Stated], customer: str) -> Home | None:
    return stated[customer].home if customer in stated else None


def _said(link: Link) -> tuple[bool, ...]:
    """Which kinds of evidence there are."""
    return tuple(kind in link.evidence for kind in Evidence)


def _content(home: Home) -> str:
    return orjson.dumps(asdict(home), option=orjson.OPT_SORT_KEYS, default=sorted).decode()


def _read(content: str) -> Home:
    said = orjson.loads(content)
    sets = {name: frozenset(said[name]) for name in ("families", "contacts", "accounts")}
    return Home(**{**said, **sets})
