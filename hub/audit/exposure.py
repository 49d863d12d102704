"""Whom somebody was told of: the customers, data categories and actors of all accesses that fit a question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.audit.events import Action
from hub.audit.log import AuditLog, RecordedEvent
from hub.audit.questions import Wanted, find_all

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What one actor was told."""

    actor: str = field(repr=False)
    roles: tuple[str, ...]
    events: int
    customers: int


@dataclass(slots=True)
class Exposure:
    """What the accesses told, by the ids that customers had then."""

    customers: set[str] = field(default_factory=set, repr=False)
    categories: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)
    """By data category the customers of whom it was told."""
    events: int = 0
    nameless: int = 0
    """Accesses that name no customer: counts and sums, or nothing found."""
    cut: int = 0
    """Accesses whose list of categories was cut: there may have been more of them."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    _by_actor: dict[str, _Actor] = field(default_factory=dict, repr=False)
    _by_credential: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)

    @property
    def credentials(self) -> Mapping[str, int]:
        """Of how many customers each token or key was told, by its fingerprint, the most first."""
        counts = {name: len(customers) for name, customers in self._by_credential.items()}
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))

    @property
    def actors(self) -> tuple[Told, ...]:
        """Who was told, the most first."""
        found = (
            Told(name, each.roles, each.events, len(each.customers)) for name, each in self._by_actor.items()
        )
        return tuple(sorted(found, key=lambda told: (-told.customers, -told.events, told.actor)))

    def take(self, recorded: RecordedEvent) -> None:
        """Add what an access told."""
        event = recorded.event
        self.customers.update(event.customers)
        for category in event.data_categories:
            self.categories[category].update(event.customers)
        self.events += event.part_of is None
        self.nameless += not event.customers
        self.cut += "data_categories" in event.omitted
        self.first_at = self.first_at or event.at
        self.last_at = event.at
        actor = self._by_actor.setdefault(event.actor, _Actor(event.roles))
        actor.events += event.part_of is None
        actor.customers.update(event.customers)
        if event.credential is not None:
            self._by_credential[event.credential].update(event.customers)


@dataclass(slots=True)
class _Actor:
    roles: tuple[str, ...]
    events: int = 0
    customers: set[str] = field(default_factory=set, repr=False)


def exposure(log: AuditLog, wanted: Wanted) -> Exposure:
    """What the wanted accesses told.

    Whoever was one customer with somebody when that one was read, and was parted from them since, was read as well.
    """
    found = Exposure()
    since: dict[str, int] = {}
    for recorded in find_all(log, wanted):
        found.take(recorded)
        for customer in recorded.event.customers:
            since.setdefault(customer, recorded.seq)
    for origin, parted in _parted(log, since):
        found.customers.add(parted)
        for customers in found.categories.values():
            if origin in customers:
                customers.add(parted)
    return found


def _parted(log: AuditLog, since: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The customers who were parted from one of these after the event of this number, each with that one."""
    known, ring = dict(since), list(since)
    while ring:
        fresh: dict[str, int] = {}
        for at in range(0, len(ring), _CHUNK):
            wanted = Wanted(actions=(Action.CUSTOMER_UNMERGED,), customers=ring[at : at + _CHUNK])
            for recorded in find_all(log, wanted):
                origin, *others = recorded.event.customers
                if origin in known and recorded.seq > known[origin]:
                    fresh.update((each, recorded.seq) for each in others if each not in known)
                    yield from ((origin, each) for each in others)
        known |= fresh
        ring = list(fresh)
