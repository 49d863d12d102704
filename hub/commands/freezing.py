"""That a source is to be left alone while somebody works on it, and that it may be read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters.frozen import freeze, frozen_sources, frozen_words, thaw
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.errors import QueryError
from hub.services import Services
from hub.store import iso_utc, utc_now

MAX_REASON = 200
"""Characters of why a source is left alone."""


@dataclass(frozen=True, slots=True)
class FreezeSource:
    """That no sync of the source may begin, until a time or until it is thawed."""

    source: str
    until: datetime | None
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class ThawSource:
    """That syncs of the source may begin again."""

    source: str
    key: str


def freeze_source(services: Services, author: Author, order: FreezeSource) -> str:
    """The name of the source, which is left alone from now on.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such source.
        QueryError: the reason is missing or too long, the time is past, or the key was used for something else.
    """
    with refusals_recorded(services, author, Command.FREEZE_SOURCE):
        services.sources.config(order.source)
        until = iso_utc(order.until) if order.until is not None else None
        if not order.reason.strip() or len(order.reason) > MAX_REASON:
            raise QueryError(f"a reason of 1 to {MAX_REASON} characters is needed")
        if until is not None and until <= utc_now():
            raise QueryError("the time until which it is frozen is past")
        content = {"source": order.source, "until": until, "reason": order.reason}
        said = Order(Command.FREEZE_SOURCE, "freeze", order.key, content)

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            freeze(connection, order.source, order.until, order.reason)
            return _done(author, order.source, "frozen")

        return str(once(services, author, said, act)["source"])


def thaw_source(services: Services, author: Author, order: ThawSource) -> str:
    """The name of the source, which may be read again.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such source.
        QueryError: it is not frozen, or the key was used for something else.
    """
    with refusals_recorded(services, author, Command.FREEZE_SOURCE):
        services.sources.config(order.source)
        said = Order(Command.FREEZE_SOURCE, "thaw", order.key, {"source": order.source})

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            if not thaw(connection, order.source):
                raise QueryError(f"{order.source} is not frozen")
            return _done(author, order.source, "thawed")

        return str(once(services, author, said, act)["source"])


def require_thawed(connection: Connection, source: str) -> None:
    """See to it that the source may be read.

    Raises:
        QueryError: it is frozen.
    """
    found = frozen_sources(connection).get(source)
    if found is not None:
        raise QueryError(f"{source} {frozen_words(found)}")


def _done(author: Author, source: str, code: str) -> tuple[Result, Sequence[AuditEvent]]:
    return {"source": source}, [author.event(Action.SOURCE_FROZEN, source=source, reason_code=code)]
