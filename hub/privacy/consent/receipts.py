"""Which system took which suppression list, and what was withdrawn since: until a system says so, it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, cast
from uuid import uuid4

from sqlalchemy import Connection

from hub.access import Command
from hub.access.policy import Channel
from hub.access.standing import lineage
from hub.audit import Action
from hub.commands import Author
from hub.commands.giving import refusals_recorded
from hub.commands.receipts import Export, exports, keep_export
from hub.errors import QueryError
from hub.graph.contact import words_against
from hub.privacy.consent.contact import Suppressed, suppressions
from hub.privacy.consent.rules import reach_of
from hub.privacy.requests.clock import business_days_after
from hub.services import Services
from hub.store import utc_now

DEADLINE_BUSINESS_DAYS: Final = 10
"""By when a revocation has to be honoured everywhere: 47 CFR 64.1200(a)(10) and (d)(3), CAN-SPAM, 15 USC 7704(a)(4)."""


@dataclass(frozen=True, slots=True)
class SystemList:
    """A suppression list as one system has it."""

    system: str
    channel: str
    data_use: str
    taken: str | None
    """As of when the newest list is that the system acknowledged."""
    waiting: str | None
    """The newest list that it has not acknowledged."""
    withdrawals: int
    """Words against the use that came since then, of which the system does not know."""
    oldest: datetime | None
    """When the first of them came."""
    due: date | None
    """By when the system has to know."""


def take_suppressions(
    services: Services, author: Author, system: str, channel: str, use: str, *, hashed: bool = False
) -> tuple[str, list[Suppressed]]:
    """The list for a system, and the id by which it acknowledges that it took it.

    Raises:
        AccessDeniedError: the author may not give the command.
        QueryError: the organisation has no such system or partner, or as for `suppressions`.
    """
    with refusals_recorded(services, author, Command.EXPORT_SUPPRESSIONS):
        known = {*services.organisation.systems, *services.organisation.partners}
        if system not in known:
            raise QueryError(
                f"organisation.yaml has no system or partner of this name, only {', '.join(sorted(known))}"
            )
    made_at, id_ = utc_now(), uuid4().hex
    rows = suppressions(services, author, channel, use, hashed=hashed)
    with services.store.write() as connection:
        keep_export(connection, Export(id_, system, channel, use, made_at, len(rows)))
    return id_, rows


def consent_status(services: Services, author: Author) -> tuple[SystemList, ...]:
    """What each system that ever took a list does not know yet, by system, channel and data use.

    Raises:
        AccessDeniedError: the author may not ask.
    """
    with refusals_recorded(services, author, Command.READ_CONSENT):
        found = system_lists(services)
    event = author.event(
        Action.READ, data_categories=("user.privacy_preferences",), counts={"results": len(found)}
    )
    services.recorder.record_sync(event)
    return found


def system_lists(services: Services) -> tuple[SystemList, ...]:
    """The same, for whoever was let in already."""
    with services.store.read() as connection:
        made = exports(connection)
        kinds = sorted({(each.system, each.channel, each.data_use) for each in made})
        return tuple(
            _system_list(
                services, connection, kind, [e for e in made if (e.system, e.channel, e.data_use) == kind]
            )
            for kind in kinds
        )


def _system_list(
    services: Services, connection: Connection, kind: tuple[str, str, str], made: Sequence[Export]
) -> SystemList:
    system, channel, use = kind
    taken = max((row.made_at for row in made if row.acknowledged_at), default=None)
    waiting = [row.id for row in made if not row.acknowledged_at and row.made_at > (taken or "")]
    reach = reach_of(use, cast(Channel, channel), services.access.ages)
    count, oldest = words_against(services.store, connection, reach, lineage(use), taken or "")
    first = datetime.fromisoformat(oldest) if oldest else None
    holidays = services.organisation.holidays
    due = business_days_after(first.date(), DEADLINE_BUSINESS_DAYS, holidays) if first else None
    return SystemList(system, channel, use, taken, waiting[-1] if waiting else None, count, first, due)
