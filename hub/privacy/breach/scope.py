"""Whom a breach is about: by what lies at a place, by what the audit log says that an account was told, or by both.

| asked by           | affected                                                                                     |
|--------------------|----------------------------------------------------------------------------------------------|
| a credential       | the like, of one token or key of an account                                                  |
| an account, a time | exactly the customers of whom reads, searches and exports told it, and who was one with them |
| a place            | all of whom something lies there; with `until`, of what had come by then                     |
| a place and others | those of whom something lies there and was told                                              |

Ids are those of now; who was erased since is counted, and can be told of nothing by the hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.access import Command
from hub.adapters.forget import known_streams
from hub.adapters.staff import STAFF_SOURCES
from hub.audit import ACCESSES, Action, Wanted
from hub.audit.events import is_actor, is_fingerprint
from hub.audit.exposure import Exposure, Told, exposure
from hub.commands import Author
from hub.commands.giving import refusals_recorded
from hub.errors import QueryError
from hub.graph.lying import Lying, Place, current_ids, living, lying_at
from hub.services import Services
from hub.store import iso_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What is known of a breach: all that is given must hold; `since` is inclusive, `until` is not."""

    source: str | None = None
    stream: str | None = None
    whole_hub: bool = False
    """A copy of the store, of the index or of a backup: all that lies in the hub."""
    account: str | None = None
    """The subject of a token, or `key:` and the id of an API key."""
    credential: str | None = None
    """The fingerprint of the one token or key that leaked."""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_place(self) -> bool:
        """Whether it names a place."""
        return self.whole_hub or self.source is not None

    @property
    def is_access(self) -> bool:
        """Whether the audit log is asked: a mere `until` only says what lay at a place by then."""
        return any(each is not None for each in (self.account, self.credential, self.since))

    def as_json(self) -> dict[str, Any]:
        """What is given, as JSON has it."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__}
        times = {name: iso_utc(value) for name, value in said.items() if isinstance(value, datetime)}
        return {name: value for name, value in {**said, **times}.items() if value}


@dataclass(frozen=True, slots=True)
class BreachScope:
    """Whom a breach is about, and how far it goes."""

    customers: tuple[str, ...] = field(repr=False)
    """Ids of now, in their order."""
    erased: int
    """Customers who were told of, and have been erased since."""
    categories: Mapping[str, int]
    """Customers by data category."""
    actors: tuple[Told, ...]
    """Who was told, the most first."""
    credentials: Mapping[str, int]
    """Customers by the token or key that was told of them, by its fingerprint; of the machine itself there is none."""
    events: int
    nameless: int
    """Accesses that name no customer: figures over many, or nothing found. Look at them one by one."""
    cut: int
    """Accesses that were about more categories than an event lists."""
    types: Mapping[str, int]
    """Rows at the place by type."""
    unresolved: int
    """Rows at the place that are of nobody yet."""
    waiting: int
    """Records at the place that wait in quarantine: look at them one by one."""
    first_at: datetime | None
    last_at: datetime | None

    def counts(self) -> dict[str, Any]:
        """All but ids, as JSON has it."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        actors = [
            {
                "account": each.actor,
                "roles": list(each.roles),
                "events": each.events,
                "customers": each.customers,
            }
            for each in self.actors
        ]
        lists = {"categories": dict(self.categories), "types": dict(self.types), "actors": actors}
        lists["credentials"] = dict(self.credentials)
        times = {name: getattr(self, name) for name in ("first_at", "last_at")}
        return {
            "customers": len(self.customers),
            **numbers,
            **lists,
            **{name: None if at is None else iso_utc(at) for name, at in times.items()},
        }


_NUMBERS = ("erased", "events", "nameless", "cut", "unresolved", "waiting")
_NOTHING = Lying(frozenset(), {}, {}, 0, 0)


def breach_scope(services: Services, author: Author, where: Where) -> BreachScope:
    """Whom it is about. Who asked is on record before it is answered.

    Raises:
        AccessDeniedError: the author may not.
        QueryError: it names no place, account or beginning, or what there is not.
    """
    with refusals_recorded(services, author, Command.HANDLE_BREACH):
        found = find_scope(services, where)
        counts = {"customers": len(found.customers), "results": found.events}
        source = {"source": where.source, "stream": where.stream}
        event = author.event(Action.AUDIT_READ, reason_code="breach_scope", counts=counts, **source)
        services.recorder.record_sync(event)
        return found


def find_scope(services: Services, where: Where) -> BreachScope:
    """Whom it is about, without a word to the log.

    Raises:
        QueryError: as `breach_scope` says.
    """
    _check(services, where)
    services.publish_events()
    told = exposure(services.audit, _wanted(where)) if where.is_access else None
    with services.store.read() as connection:
        lying = _NOTHING
        if where.is_place:
            place = Place(where.source, where.stream, None if where.is_access else where.until)
            lying = lying_at(services.store, connection, place)
        if told is None:
            return _scope(set(lying.customers), 0, lying.categories, Exposure(), lying)
        now = current_ids(services.store, connection, told.customers)
        there = living(services.store, connection, set(now.values()))
    affected = there & lying.customers if where.is_place else there
    categories = {
        name: len({now.get(id_, id_) for id_ in some} & affected) for name, some in told.categories.items()
    }
    gone = len(set(now.values()) - there)
    return _scope(
        affected, gone, {name: count for name, count in sorted(categories.items()) if count}, told, lying
    )


def _scope(
    affected: set[str], erased: int, categories: Mapping[str, int], told: Exposure, lying: Lying
) -> BreachScope:
    return BreachScope(
        customers=tuple(sorted(affected)),
        erased=erased,
        categories=categories,
        actors=told.actors,
        credentials=told.credentials,
        events=told.events,
        nameless=told.nameless,
        cut=told.cut,
        types=lying.types,
        unresolved=lying.unresolved,
        waiting=lying.waiting,
        first_at=told.first_at,
        last_at=told.last_at,
    )


def _wanted(where: Where) -> Wanted:
    return Wanted(
        actions=ACCESSES,
        actor=where.account,
        credential=where.credential,
        since=where.since,
        until=where.until,
    )


def _check(services: Services, where: Where) -> None:
    if not where.is_place and not where.is_access:
        raise QueryError("name a place (a source, or the whole hub), an account, a credential, or since when")
    if where.whole_hub and where.source is not None:
        raise QueryError("a source lies in the hub: name one of both")
    if where.stream is not None and where.source is None:
        raise QueryError("a stream is one of a source; name it as well")
    if where.account is not None and not is_actor(where.account):
        raise QueryError("an account is an opaque id, as tokens have it")
    if where.credential is not None and not is_fingerprint(where.credential):
        raise QueryError("a credential is named by its fingerprint, which `hub breach fingerprint` gives")
    if where.since is not None and where.until is not None and where.since >= where.until:
        raise QueryError("since lies before until")
    # What is misspelt would find nobody, which reads as if nobody were affected.
    if where.source is not None and not _is_known(services, where.source, where.stream):
        raise QueryError("nothing is configured nor held of this source and stream")


def _is_known(services: Services, source: str, stream: str | None) -> bool:
    config = {**STAFF_SOURCES, **services.sources.configs}.get(source)
    streams = {*known_streams(services.store, source), *(config.streams if config is not None else ())}
    return bool(streams) if stream is None else stream in streams
