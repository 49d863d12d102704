"""Questions to the audit log by those who may read it: each is on record before it is answered.

Who may read the log reads all of it, whoever the customers are: those of whom nothing may be seen, too, and those who
were erased. Customers are told as ids only, and of events about many only those who were asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from hub.access import Command
from hub.audit import (
    ACCESSES,
    CHANGES,
    TOLD,
    Action,
    Page,
    RecordedEvent,
    Sample,
    Volume,
    Wanted,
    draw,
    find,
    unusual_volumes,
)
from hub.audit.events import is_actor, is_customer_id
from hub.audit.volumes import MAX_WINDOW
from hub.commands.author import Author
from hub.commands.customers import all_ids
from hub.commands.giving import refusals_recorded
from hub.commands.glasses import find_glass
from hub.commands.lineage import Change, with_records
from hub.errors import NotFoundError, QueryError
from hub.services import Services

MAX_SAMPLE = 1_000
MAX_NAMED = 50
"""Data categories, or purposes, of one question."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What a question is narrowed to: all that is given must hold; `since` is inclusive, `until` is not."""

    categories: Sequence[str] = ()
    purposes: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class About:
    """Events about a customer."""

    customers: tuple[str, ...]
    """The id that the customer has now, and those that were merged into it."""
    page: Page


@dataclass(frozen=True, slots=True)
class Changed:
    """Changes of a customer."""

    customers: tuple[str, ...]
    changes: tuple[Change, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Unusual:
    """Exports, and volumes that are unusual."""

    volumes: tuple[Volume, ...]
    exports: Page


def accesses_of(
    services: Services, author: Author, customer: str, narrowed: Narrowed, *, first: int, after: int = -1
) -> About:
    """Who was told of the customer, under any of their ids.

    Raises:
        AccessDeniedError: the author may not read the log.
        QueryError: the question names what there is not, or ends before it begins.
    """

    def ask() -> tuple[About, Collection[str], int]:
        ids = _ids(services, customer)
        page = find(
            services.audit,
            _wanted(services, narrowed, actions=ACCESSES, customers=ids),
            first=first,
            after=after,
        )
        shown = replace(page, events=tuple(_only(each, ids) for each in page.events))
        return About(ids, shown), ids, len(page.events)

    return asked(services, author, "accesses_of", ask)


def accesses_by(
    services: Services, author: Author, subject: str, narrowed: Narrowed, *, first: int, after: int = -1
) -> Page:
    """What the subject was told, and of whom; raises as `accesses_of` does."""

    def ask() -> tuple[Page, Collection[str], int]:
        if not is_actor(subject):
            raise QueryError("a subject is an opaque id, as tokens have it")
        wanted = _wanted(services, narrowed, actions=ACCESSES, actor=subject)
        return _counted(find(services.audit, wanted, first=first, after=after))

    return asked(services, author, "accesses_by", ask)


def changes_of(
    services: Services, author: Author, customer: str, narrowed: Narrowed, *, first: int, after: int = -1
) -> Changed:
    """What changed in the customer, each change with its source records; raises as `accesses_of` does."""

    def ask() -> tuple[Changed, Collection[str], int]:
        ids = _ids(services, customer)
        wanted = _wanted(services, narrowed, actions=CHANGES, customers=ids)
        page = find(services.audit, wanted, first=first, after=after)
        shown = [_only(each, ids) for each in page.events]
        with services.store.read() as connection:
            changes = with_records(connection, services.ontology, ids[0], shown)
        return Changed(ids, tuple(changes), page.next), ids, len(changes)

    return asked(services, author, "changes_of", ask)


def reads_without_result(
    services: Services, author: Author, narrowed: Narrowed, *, first: int, after: int = -1
) -> Page:
    """Reads and searches that asked for personal data and told of nobody; raises as `accesses_of` does."""

    def ask() -> tuple[Page, Collection[str], int]:
        wanted = _wanted(services, narrowed, actions=TOLD, without_customer=True)
        return _counted(find(services.audit, wanted, first=first, after=after))

    return asked(services, author, "reads_without_result", ask)


def unusual_access(
    services: Services, author: Author, since: datetime, until: datetime, *, first: int
) -> Unusual:
    """The first exports of this time, and volumes that `hub.audit.RULE` calls unusual; raises as `accesses_of` does."""

    def ask() -> tuple[Unusual, Collection[str], int]:
        exported = _wanted(services, Narrowed(since=since, until=until), actions=(Action.EXPORT,))
        if until - since > MAX_WINDOW:
            raise QueryError(f"from since to until are {MAX_WINDOW.days} days at most")
        exports = find(services.audit, exported, first=first)
        volumes = tuple(unusual_volumes(services.audit, since, until)[:first])
        return Unusual(volumes, exports), (), len(volumes) + len(exports.events)

    return asked(services, author, "unusual_access", ask)


def audit_sample(
    services: Services, author: Author, since: datetime, until: datetime, *, size: int, seed: str
) -> Sample:
    """Accesses drawn at random, the same for the same seed and log; raises as `accesses_of` does."""

    def ask() -> tuple[Sample, Collection[str], int]:
        if not 0 < size <= MAX_SAMPLE:
            raise QueryError(f"a sample has 1 to {MAX_SAMPLE} events")
        wanted = _wanted(services, Narrowed(since=since, until=until), actions=TOLD)
        drawn = draw(services.audit, wanted, size, seed)
        return drawn, _named(drawn.events), len(drawn.events)

    return asked(services, author, "sample", ask)


def uses_of_glass(services: Services, author: Author, glass_id: str, *, first: int, after: int = -1) -> Page:
    """All that happened under a broken glass, and to it; raises as `accesses_of` does.

    Raises:
        NotFoundError: there is none with this id.
    """

    def ask() -> tuple[Page, Collection[str], int]:
        with services.store.read() as connection:
            glass = find_glass(connection, glass_id)
            if glass is None:
                raise NotFoundError("there is no break-glass with this id")
            ids = tuple(all_ids(services.store, connection, glass.customer_id))
        since = datetime.fromisoformat(glass.started_at)
        wanted = Wanted(customers=ids, actor=glass.subject, since=since, break_glass=glass.id)
        return _counted(find(services.audit, wanted, first=first, after=after))

    return asked(services, author, "uses_of_glass", ask)


def asked(
    services: Services, author: Author, question: str, ask: Callable[[], tuple[T, Collection[str], int]]
) -> T:
    """The answer, once the log says who has it: with the customers whom it names, and how many events it tells.

    Raises:
        AccessDeniedError: the author may not read the log.
        QueryError: the question cannot be asked so.
    """
    with refusals_recorded(services, author, Command.READ_AUDIT):
        services.publish_events()
        answer, customers, count = ask()
        event = author.event(
            Action.AUDIT_READ, reason_code=question, customers=tuple(customers), counts={"results": count}
        )
        services.recorder.record_sync(event)
        return answer


def _counted(page: Page) -> tuple[Page, Collection[str], int]:
    return page, _named(page.events), len(page.events)


def _named(events: Sequence[RecordedEvent]) -> Collection[str]:
    return dict.fromkeys(customer for each in events for customer in each.event.customers)


def _ids(services: Services, customer: str) -> tuple[str, ...]:
    if not is_customer_id(customer):
        raise QueryError("this is no public id of a customer")
    with services.store.read() as connection:
        return tuple(all_ids(services.store, connection, customer))


def _only(found: RecordedEvent, ids: Collection[str]) -> RecordedEvent:
    """The event without the other customers whom it is about, unless it ties them to those asked about."""
    event = found.event
    if event.action in (Action.CUSTOMER_MERGED, Action.CUSTOMER_UNMERGED):
        return found
    asked = tuple(each for each in event.customers if each in ids)
    return replace(found, event=replace(event, customers=asked))


def _wanted(services: Services, narrowed: Narrowed, **more: object) -> Wanted:
    given = {name: getattr(narrowed, name) for name in Narrowed.__dataclass_fields__}
    if narrowed.since is not None and narrowed.until is not None and narrowed.since >= narrowed.until:
        raise QueryError("since lies before until")
    if max(len(narrowed.categories), len(narrowed.purposes)) > MAX_NAMED:
        raise QueryError(f"categories, and purposes, are {MAX_NAMED} at most")
    # What is misspelt would find nothing, which reads as if nobody had seen anything.
    _require("data category", narrowed.categories, services.ontology.taxonomy.categories)
    _require("purpose of the policy", narrowed.purposes, services.access.policy.purposes)
    return Wanted(**given, **more)  # type: ignore[arg-type]  # as the fields of both say


def _require(what: str, given: Sequence[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise QueryError(f"there is no {what} of this name")
