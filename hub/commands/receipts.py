"""Suppression lists that were made for systems, and that a system took one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, update

from hub.access import Command
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.errors import NotFoundError
from hub.services import Services
from hub.store import fixed, utc_now


@dataclass(frozen=True, slots=True)
class Export:
    """A list that was made for a system."""

    id: str
    system: str
    channel: str
    data_use: str
    made_at: str
    rows: int
    acknowledged_at: str | None = None
    acknowledged_by: str | None = None


def keep_export(connection: Connection, export: Export) -> None:
    """Keep that the list was made."""
    connection.execute(insert(fixed.suppression_export).values(**asdict(export)))


def exports(connection: Connection) -> tuple[Export, ...]:
    """All lists that were made, the oldest first."""
    table = fixed.suppression_export
    return tuple(Export(*row) for row in connection.execute(select(table).order_by(table.c.made_at)))


def acknowledge(services: Services, author: Author, export: str, key: str) -> str:
    """Note that the system took the list with this id, and keeps to it; as of when the list is.

    Raises:
        AccessDeniedError: the author may not give the command.
        NotFoundError: there is no such list.
        QueryError: the idempotency key was used for something else.
    """
    table = fixed.suppression_export
    order = Order(Command.EXPORT_SUPPRESSIONS, "acknowledge", key, {"export": export})

    def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
        row = connection.execute(select(table).where(table.c.id == export)).first()
        if row is None:
            raise NotFoundError("there is no suppression list with this id")
        if row.acknowledged_at is None:
            said = {"acknowledged_at": utc_now(), "acknowledged_by": author.subject}
            connection.execute(update(table).where(table.c.id == export).values(**said))
        counts = {"exported": row.rows}
        event = author.event(Action.EXPORT, source=row.system, reason_code="acknowledged", counts=counts)
        return {"made_at": row.made_at}, [event]

    with refusals_recorded(services, author, Command.EXPORT_SUPPRESSIONS):
        return str(once(services, author, order, act)["made_at"])
