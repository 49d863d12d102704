"""Break-glass: opening data of one customer in an emergency, ending it, and reviewing it afterwards.

What the policy lets a role open, and what a request sees that names a broken glass, says `hub.access.glass`. Reason,
ticket and note are free text: they stay in the row, for reviewers, and are in no log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args

from sqlalchemy import Connection, insert, select, update

from hub.access import MAX_MINUTES, Command, Glass, glass_access
from hub.adapters import runs
from hub.audit import AuditEvent
from hub.audit.events import new_event_id
from hub.commands.author import Author
from hub.commands.customers import current_id
from hub.commands.giving import Order, Result, once, recording_refusals, refusals_recorded
from hub.commands.glasses import (
    COLUMNS,
    BrokenGlass,
    end_glasses,
    expire_glasses,
    find_glass,
    glass_event,
)
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.graph.reached import Reached
from hub.services import Services
from hub.store import fixed, iso_utc, utc_now

LEAST_REASON: Final = 20
"""Characters of a reason: a word says none."""
MAX_TEXT: Final = 1000
"""Characters of a reason or a note."""
MAX_TICKET: Final = 100
MAX_CATEGORIES: Final = 20
"""Categories of one break-glass: each set of them has plans of its own."""

Outcome = Literal["justified", "not_justified"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """That categories of a customer are to be opened, for so many minutes; as long as may be where that is None."""

    customer: str
    categories: tuple[str, ...]
    reason: str = field(repr=False)
    ticket: str = field(repr=False)
    minutes: int | None
    key: str


@dataclass(frozen=True, slots=True)
class ReviewGlass:
    """What a reviewer found."""

    id: str
    outcome: Outcome
    note: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A glass that was broken."""

    id: str
    expires_at: str


def break_glass(services: Services, author: Author, order: BreakGlass) -> Opened:
    """Open what the order names for its author, from now on.

    Raises:
        AccessDeniedError: the policy does not let the author open all of it, or not for so long.
        NotFoundError: there is no such customer, or none that the purpose reaches; both read the same.
        QueryError: the order lacks something, or the idempotency key was used for something else.
    """
    said = Order(None, "break glass", order.key, asdict(order))
    with recording_refusals(services, author, "break_glass"):
        categories = tuple(sorted(set(order.categories)))
        _check_texts(order)
        minutes = _minutes(author, categories, order.minutes)

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            glass = _broken(services, author, connection, order, categories, minutes)
            return asdict(Opened(glass.id, glass.expires_at)), [glass_event(glass, author, "started")]

        return Opened(**once(services, author, said, act))


def stop_glass(services: Services, author: Author, id_: str) -> BrokenGlass:
    """The glass, which nobody looks through any more from now on; one that had ended stays as it was.

    Raises:
        NotFoundError: there is none, or none that the author may end: their own, or any if they review.
    """
    with recording_refusals(services, author, "break_glass"):
        expire_glasses(services)
        with services.store.write() as connection:
            glass = find_glass(connection, id_)
            own = glass is not None and glass.subject == author.subject
            if glass is None or not (own or author.may(Command.REVIEW_BREAK_GLASS)):
                raise NotFoundError("there is no break-glass with this id")
            still = (fixed.break_glass.c.id == glass.id, fixed.break_glass.c.stopped_at.is_(None))
            for ended in end_glasses(connection, still, author.subject):
                glass = ended
                runs.post(connection, [glass_event(ended, author, "stopped")])
            return glass


def review_glass(services: Services, author: Author, order: ReviewGlass) -> str:
    """The id of the glass, on which the reviewer's word is kept.

    Raises:
        AccessDeniedError: the author may not review, or broke the glass themselves.
        NotFoundError: there is none.
        QueryError: it is open still, or was reviewed, or the idempotency key was used for something else.
    """
    said = Order(Command.REVIEW_BREAK_GLASS, "review glass", order.key, asdict(order))
    with refusals_recorded(services, author, Command.REVIEW_BREAK_GLASS):
        if order.outcome not in get_args(Outcome):
            raise QueryError(f"an outcome is one of {', '.join(get_args(Outcome))}")
        if len(order.note) > MAX_TEXT:
            raise QueryError(f"a note has {MAX_TEXT} characters at most")
        expire_glasses(services)

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            glass = _reviewable(connection, author, order.id)
            kept = {"outcome": order.outcome, "note": order.note.strip() or None}
            row = update(fixed.break_glass).where(fixed.break_glass.c.id == glass.id)
            connection.execute(row.values(reviewed_at=utc_now(), reviewed_by=author.subject, **kept))
            return {"id": glass.id}, [glass_event(glass, author, f"reviewed.{order.outcome}")]

        return str(once(services, author, said, act)["id"])


def broken_glasses(
    services: Services, author: Author, *, reviewed: bool = False, first: int = 50, after: str = ""
) -> list[BrokenGlass]:
    """The glasses that wait for a review, the oldest first, those that are open among them; or those reviewed.

    Raises:
        AccessDeniedError: the author may not review.
    """
    with refusals_recorded(services, author, Command.REVIEW_BREAK_GLASS):
        table = fixed.break_glass
        is_reviewed = table.c.reviewed_at.is_not(None) if reviewed else table.c.reviewed_at.is_(None)
        wanted = select(*COLUMNS).where(is_reviewed, table.c.id > after)
        with services.store.read() as connection:
            rows = connection.execute(wanted.order_by(table.c.id).limit(first)).fetchall()
        return [BrokenGlass.of(row) for row in rows]


def _check_texts(order: BreakGlass) -> None:
    if not LEAST_REASON <= len(order.reason.strip()) <= MAX_TEXT:
        raise QueryError(f"a reason has {LEAST_REASON} to {MAX_TEXT} characters")
    if not 0 < len(order.ticket.strip()) <= MAX_TICKET:
        raise QueryError(f"a ticket has 1 to {MAX_TICKET} characters")
    if any("\0" in text for text in (order.reason, order.ticket)):
        raise QueryError("a text holds a character that no text may have")
    if not 0 < len(order.categories) <= MAX_CATEGORIES:
        raise QueryError(f"a break-glass opens 1 to {MAX_CATEGORIES} categories")


def _minutes(author: Author, categories: Sequence[str], wanted: int | None) -> int:
    """For how long the categories are opened."""
    openable = author.access.openable(author.roles, author.purpose)
    if not openable:
        raise AccessDeniedError("the policy lets you open nothing by break-glass for the stated purpose")
    if not openable.keys() >= set(categories):
        raise AccessDeniedError(
            "the policy does not let you open all of these categories by break-glass for the stated purpose"
        )
    most = min(openable[name] for name in categories)
    if wanted is not None and not 0 < wanted <= most:
        raise QueryError(f"minutes are 1 to {most} here, and never more than {MAX_MINUTES}")
    return wanted or most


def _broken(
    services: Services,
    author: Author,
    connection: Connection,
    order: BreakGlass,
    categories: tuple[str, ...],
    minutes: int,
) -> BrokenGlass:
    store, now = services.store, datetime.now(UTC)
    customer = current_id(store, connection, order.customer)
    seen = Glass("", customer, categories, now)
    reached = Reached(store.ontology, glass_access(author.access, author, seen), store.dialect.name)
    if not reached.customer(connection, customer):
        raise NotFoundError("there is no customer with this id")
    row = {
        "id": new_event_id(),
        "customer_id": customer,
        "subject": author.subject,
        "roles": json.dumps(sorted(author.roles)),
        "department": author.department,
        "purpose": author.purpose,
        "categories": json.dumps(categories),
        "reason": order.reason.strip(),
        "ticket": order.ticket.strip(),
        "started_at": iso_utc(now),
        "expires_at": iso_utc(now + timedelta(minutes=minutes)),
    }
    connection.execute(insert(fixed.break_glass).values(**row))
    if services.settings.break_glass_notice_url is None:
        _log.warning(
            "glass %s was broken; without HUB_BREAK_GLASS_NOTICE_URL the queue alone tells of it", row["id"]
        )
    found = find_glass(connection, str(row["id"]))
    if found is None:
        raise TypeError("a row that was just written is not there")
    return found


def _reviewable(connection: Connection, author: Author, id_: str) -> BrokenGlass:
    glass = find_glass(connection, id_)
    if glass is None:
        raise NotFoundError("there is no break-glass with this id")
    if glass.subject == author.subject:
        raise AccessDeniedError("who broke the glass does not review it")
    if glass.state != "ended":
        raise QueryError(
            "it is open still; stop it first" if glass.state == "open" else "it was reviewed before"
        )
    return glass
