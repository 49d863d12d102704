"""Questions to the audit log: which events are about these customers, by this actor, within this time.

Each is answered from an index: the log's of customers, of actors, or of times. None reads the whole log for one person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, literal, select, union

from hub.audit.database import leaf_customer_table, leaf_table, payload_table
from hub.audit.events import Action, AuditEvent, microseconds
from hub.audit.log import AuditLog, RecordedEvent, recorded

TOLD = (Action.READ, Action.SEARCH, Action.EXPORT)
"""What tells somebody of customers."""

REVEALED = "revealed"
"""Why the log was read where sealed payloads were opened."""

ACCESSES = (*TOLD, Action.AUDIT_READ)
"""What shows values of customers to somebody: of the reads of the log those that opened payloads."""

CHANGES = (
    Action.CUSTOMER_CREATED,
    Action.CUSTOMER_CHANGED,
    Action.CUSTOMER_MERGED,
    Action.CUSTOMER_UNMERGED,
    Action.REVIEW_DECIDED,
    Action.CORRECTION,
    Action.CONSENT_CHANGED,
    Action.RESTRICTION_CHANGED,
    Action.INTERACTION_LOGGED,
    Action.ERASED,
    Action.KEY_DESTROYED,
)
"""What changes a customer, or what is kept of them."""

PERSONAL = "user"
"""The data category above all of people's."""

MAX_EXAMINED = 5_000
"""Events that are read for one page; where few of them fit, it is shorter, and says where to go on."""

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are wanted: all that is given must hold; `since` is inclusive, `until` is not."""

    actions: Collection[Action] = ()
    """Any of these; all when empty."""
    customers: Collection[str] = ()
    """Any of these."""
    actor: str | None = None
    categories: Collection[str] = ()
    """Any of these data categories, or one below; an event whose list of them was cut may have had it, and fits."""
    purposes: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    break_glass: str | None = None
    """Of this glass: those about the customers, and those by the actor."""
    credential: str | None = None
    """By the token or the key with this fingerprint; give the actor as well, or the whole log is read."""
    without_customer: bool = False
    """Only those that name no customer, though personal data were asked for."""

    def fits(self, event: AuditEvent) -> bool:
        """Whether the event is one of those, as far as no column of the log tells it."""
        if self.credential not in (None, event.credential):
            return False
        if self.break_glass is not None:
            return event.break_glass == self.break_glass
        if event.action is Action.AUDIT_READ and event.reason_code != REVEALED:
            return False
        if self.without_customer and not _holds(event, (PERSONAL,)):
            return False
        return not self.categories or _holds(event, self.categories)


@dataclass(frozen=True, slots=True)
class Page:
    """Events in the order of their numbers."""

    events: tuple[RecordedEvent, ...]
    next: int | None
    """The number after which to go on; None where no more are in the log."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Events drawn at random, in the order of their numbers."""

    events: tuple[RecordedEvent, ...]
    population: int
    """How many they were drawn from."""


def find(log: AuditLog, wanted: Wanted, *, first: int, after: int = -1) -> Page:
    """Up to `first` of the wanted events with a number above `after`."""
    found: list[RecordedEvent] = []
    with log.database.reading() as connection:
        for _ in range(0, MAX_EXAMINED, _CHUNK):
            rows = connection.execute(_wanted(wanted, after).limit(_CHUNK)).all()
            found += (each for row in rows if wanted.fits((each := recorded(row.seq, row.bytes)).event))
            if len(found) > first:
                return Page(tuple(found[:first]), found[first - 1].seq if first else after)
            if len(rows) < _CHUNK:
                return Page(tuple(found), None)
            after = rows[-1].seq
    return Page(tuple(found), after)


def latest(log: AuditLog, wanted: Wanted, most: int) -> list[RecordedEvent]:
    """The newest of the wanted events, the newest first; of the newest `most` those that fit."""
    query = _wanted(wanted, -1).order_by(None).order_by(leaf_table.c.seq.desc()).limit(most)
    with log.database.reading() as connection:
        events = [recorded(row.seq, row.bytes) for row in connection.execute(query)]
    return [each for each in events if wanted.fits(each.event)]


def kept_about(log: AuditLog, customers: Collection[str]) -> tuple[int, int]:
    """How many events are about one of these customers, and how many sealed payloads these have."""
    link = leaf_customer_table.c
    about = select(link.seq).where(link.customer.in_(customers)).distinct()
    sealed = select(func.count()).select_from(payload_table).where(payload_table.c.seq.in_(about))
    with log.database.reading() as connection:
        events = connection.execute(select(func.count()).select_from(about.subquery())).scalar_one()
        return events, connection.execute(sealed).scalar_one()


def payloads_kept(log: AuditLog) -> int:
    """How many sealed payloads the log keeps."""
    with log.database.reading() as connection:
        count: int = connection.execute(select(func.count(payload_table.c.key_id))).scalar_one()
        return count


def find_all(log: AuditLog, wanted: Wanted) -> Iterator[RecordedEvent]:
    """All wanted events, read as they are needed."""
    page = find(log, wanted, first=_CHUNK)
    while page.next is not None:
        yield from page.events
        page = find(log, wanted, first=_CHUNK, after=page.next)
    yield from page.events


def draw(log: AuditLog, wanted: Wanted, size: int, seed: str) -> Sample:
    """So many of the events between `since` and `until`, each as likely as any other.

    The same seed draws the same from the same events: the places that SHA-256 of `SEED:0`, `SEED:1`, ... gives as
    big-endian numbers modulo how many events there are, those left out that came before.
    """
    with log.database.reading() as connection:
        numbers = connection.execute(_wanted(wanted, -1).with_only_columns(leaf_table.c.seq)).scalars().all()
        chosen = sorted(numbers[place] for place in _places(len(numbers), size, seed))
        return Sample(tuple(events_at(connection, chosen)), len(numbers))


def _places(population: int, size: int, seed: str) -> Collection[int]:
    if size >= population:
        return range(population)
    found: dict[int, None] = {}
    number = 0
    while len(found) < size:
        digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
        found[int.from_bytes(digest) % population] = None
        number += 1
    return found


def events_at(connection: Connection, numbers: Sequence[int]) -> Iterator[RecordedEvent]:
    """The events with these ascending numbers."""
    column = leaf_table.c
    for at in range(0, len(numbers), _CHUNK):
        some = select(column.seq, column.bytes).where(column.seq.in_(numbers[at : at + _CHUNK]))
        for row in connection.execute(some.order_by(column.seq)):
            yield recorded(row.seq, row.bytes)


def _holds(event: AuditEvent, categories: Collection[str]) -> bool:
    if "data_categories" in event.omitted:
        return True
    return any(
        each == category or each.startswith(f"{category}.")
        for each in event.data_categories
        for category in categories
    )


# one index each


def apart(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column's value, which no index answers: neither database is then led away from the one that is meant."""
    return column + 0 if column.type.python_type is int else column.concat("")


def _wanted(wanted: Wanted, after: int) -> Select[Any]:
    """The events in their order, by the index that tells most."""
    column = leaf_table.c
    query = select(column.seq, column.bytes).where(*_conditions(wanted))
    if wanted.customers:
        return query.where(column.seq.in_(_about(wanted, after))).order_by(column.seq)
    if wanted.actor is not None:
        return query.where(column.actor == wanted.actor, column.seq > after).order_by(column.seq)
    if wanted.since is not None:
        number = apart(column.seq)
        return query.where(column.at_us >= microseconds(wanted.since), number > after).order_by(number)
    return query.where(column.seq > after).order_by(column.seq)


def _about(wanted: Wanted, after: int) -> Any:
    link = leaf_customer_table.c
    about = select(link.seq).where(link.customer.in_(wanted.customers), link.seq > after)
    if wanted.break_glass is None:
        return about
    leaf = leaf_table.alias("own").c
    return union(about, select(leaf.seq).where(leaf.actor == wanted.actor, leaf.seq > after))


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    column = leaf_table.c
    if wanted.actions:
        yield apart(column.action).in_([each.value for each in wanted.actions])
    if wanted.purposes:
        yield apart(column.purpose).in_(wanted.purposes)
    if wanted.actor is not None and wanted.break_glass is None:
        yield apart(column.actor) == wanted.actor
    if wanted.since is not None:
        yield apart(column.at_us) >= microseconds(wanted.since)
    if wanted.until is not None:
        until = microseconds(wanted.until)
        yield (column.at_us if _by_time(wanted) else apart(column.at_us)) < until
    if wanted.without_customer:
        yield ~exists(select(literal(1)).where(leaf_customer_table.c.seq == column.seq))


def _by_time(wanted: Wanted) -> bool:
    return not wanted.customers and wanted.actor is None and wanted.since is not None
