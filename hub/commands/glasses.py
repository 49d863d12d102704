"""Broken glasses as the store keeps them: whether one is open, what was done under it, and that its time runs out.

A glass ends once, whoever notices it first: the row that says so and the audit event of it are one transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from hub.access import AccessMap, Glass, PlanAccess, Requester, glass_access
from hub.adapters import runs
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.customers import current_id
from hub.errors import AccessDeniedError
from hub.services import Services
from hub.store import fixed, utc_now

REVIEW_WITHIN = timedelta(hours=72)
"""After so long, one that nobody has reviewed is overdue."""

_TABLE = fixed.break_glass
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_YOURS = "X-Break-Glass names none that you have broken"
_EXPIRED = "this break-glass has run out; break it again if need be"
_STOPPED = "this break-glass was stopped"

State = Literal["open", "ended", "reviewed"]


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """One row of the review queue."""

    id: str
    customer_id: str = field(repr=False)
    subject: str = field(repr=False)
    roles: tuple[str, ...]
    department: str | None
    purpose: str
    categories: tuple[str, ...]
    reason: str = field(repr=False)
    ticket: str = field(repr=False)
    started_at: str
    expires_at: str
    stopped_at: str | None
    stopped_by: str | None = field(repr=False)
    """None where its time ran out, or has not yet."""
    uses: int
    """Queries that were answered under it, and subscriptions that began."""
    notified_at: str | None
    notices: int
    """Attempts to tell of it."""
    reviewed_at: str | None
    reviewed_by: str | None = field(repr=False)
    outcome: str | None
    note: str | None = field(repr=False)

    @classmethod
    def of(cls, row: Row[Any]) -> BrokenGlass:
        """The row as it is stored."""
        given = row._asdict()
        lists = {name: tuple(json.loads(given[name])) for name in ("roles", "categories")}
        return cls(**{**given, **lists})

    @property
    def state(self) -> State:
        """Whether it is open now, and else whether it was reviewed."""
        if self.reviewed_at is not None:
            return "reviewed"
        return "open" if self.stopped_at is None and self.expires_at > utc_now() else "ended"

    @property
    def is_overdue(self) -> bool:
        """Whether its review is late."""
        latest = datetime.fromisoformat(self.started_at) + REVIEW_WITHIN
        return self.reviewed_at is None and datetime.now(UTC) > latest


COLUMNS = tuple(_TABLE.c[name] for name in BrokenGlass.__dataclass_fields__)


def is_glass_id(text: str | None) -> bool:
    """Whether the text may be the id of a glass, which the audit log may name."""
    return text is not None and _ID.fullmatch(text) is not None


def find_glass(connection: Connection, id_: str) -> BrokenGlass | None:
    """The glass with the id."""
    if not is_glass_id(id_):
        return None
    row = connection.execute(select(*COLUMNS).where(_TABLE.c.id == id_)).first()
    return None if row is None else BrokenGlass.of(row)


def unreviewed_glasses(connection: Connection) -> list[BrokenGlass]:
    """The glasses that wait for a review, the oldest first."""
    waiting = select(*COLUMNS).where(_TABLE.c.reviewed_at.is_(None)).order_by(_TABLE.c.started_at)
    return [BrokenGlass.of(row) for row in connection.execute(waiting)]


def glass_event(glass: BrokenGlass, author: Author, reason_code: str) -> AuditEvent:
    """The event of what the author did with the glass."""
    return author.event(
        Action.BREAK_GLASS,
        reason_code=reason_code,
        customers=(glass.customer_id,),
        data_categories=glass.categories,
        break_glass=glass.id,
    )


# use


def access_through(services: Services, requester: Requester, access: AccessMap) -> PlanAccess:
    """What the requester sees through the glass that their request names.

    Raises:
        AccessDeniedError: it is not open, or not for them and their purpose; who did not break it is not told which.
    """
    with services.store.read() as connection:
        glass = find_glass(connection, requester.break_glass or "")
        if glass is None or glass.subject != requester.subject:
            raise AccessDeniedError(_NOT_YOURS)
        customer = current_id(services.store, connection, glass.customer_id)
    if glass.stopped_at is None and glass.expires_at <= utc_now():
        expire_glasses(services)
        raise AccessDeniedError(_EXPIRED)
    if glass.stopped_at is not None:
        raise AccessDeniedError(_EXPIRED if glass.stopped_by is None else _STOPPED)
    if glass.purpose != requester.purpose:
        raise AccessDeniedError(f"this break-glass is for the purpose {glass.purpose}; state that one")
    expires_at = datetime.fromisoformat(glass.expires_at)
    return glass_access(access, requester, Glass(glass.id, customer, glass.categories, expires_at))


def use_glass(services: Services, requester: Requester, access: AccessMap, glass: Glass) -> None:
    """Record that the glass is looked through, before anything is read.

    Raises:
        AccessDeniedError: it has ended meanwhile.
    """
    still = (_TABLE.c.id == glass.id, _TABLE.c.stopped_at.is_(None), _TABLE.c.expires_at > utc_now())
    with services.store.write() as connection:
        counted = update(_TABLE).where(*still).values(uses=_TABLE.c.uses + 1).returning(*COLUMNS)
        row = connection.execute(counted).first()
        if row is None:
            raise AccessDeniedError(_EXPIRED)
        event = glass_event(BrokenGlass.of(row), Author.of(requester, access), "used")
        runs.post(connection, [event])


def is_open(services: Services, glass: Glass) -> bool:
    """Whether the glass is open still."""
    with services.store.read() as connection:
        found = find_glass(connection, glass.id)
    return found is not None and found.stopped_at is None and found.expires_at > utc_now()


# the end


def expire_glasses(services: Services) -> int:
    """The number of glasses whose time has run out and that this call ended, each with its event."""
    due = (_TABLE.c.stopped_at.is_(None), _TABLE.c.expires_at <= utc_now())
    with services.store.read() as connection:
        if connection.execute(select(_TABLE.c.id).where(*due).limit(1)).first() is None:
            return 0
    with services.store.write() as connection:
        ended = end_glasses(connection, due, None)
        runs.post(connection, [_expired(services.access, glass) for glass in ended])
    return len(ended)


def end_glasses(connection: Connection, which: Sequence[Any], by: str | None) -> list[BrokenGlass]:
    """The glasses of this condition, ended now by somebody, or when their time ran out."""
    at = _TABLE.c.expires_at if by is None else utc_now()
    ending = update(_TABLE).where(*which).values(stopped_at=at, stopped_by=by).returning(*COLUMNS)
    return [BrokenGlass.of(row) for row in connection.execute(ending).fetchall()]


def _expired(access: AccessMap, glass: BrokenGlass) -> AuditEvent:
    return AuditEvent(
        Action.BREAK_GLASS,
        "system",
        reason_code="expired",
        purpose=glass.purpose,
        policy_sha256=access.sha256,
        customers=(glass.customer_id,),
        data_categories=glass.categories,
        break_glass=glass.id,
    )
