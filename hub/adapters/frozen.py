"""Sources that are left alone while somebody works on them: no sync of a frozen source begins.

A run that is under way ends as ever, and a replay of what waits in quarantine touches no source, so it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select

from hub.store import fixed, iso_utc, utc_now


@dataclass(frozen=True, slots=True)
class Frozen:
    """A source that is left alone, since when, until when, and why."""

    source: str
    since: str
    until: str | None
    """None until somebody thaws it."""
    reason: str = field(repr=False)


def freeze(connection: Connection, source: str, until: datetime | None, reason: str) -> None:
    """Leave the source alone from now on; an earlier freezing of it is replaced."""
    thaw(connection, source)
    ends = iso_utc(until) if until is not None else None
    said = insert(fixed.frozen_source).values(source=source, since=utc_now(), until=ends, reason=reason)
    connection.execute(said)


def thaw(connection: Connection, source: str) -> bool:
    """Let the source be read again; whether it was frozen."""
    table = fixed.frozen_source
    return connection.execute(delete(table).where(table.c.source == source)).rowcount > 0


def frozen_sources(connection: Connection) -> dict[str, Frozen]:
    """The sources that are left alone at this moment, by name."""
    table = fixed.frozen_source
    still = or_(table.c.until.is_(None), table.c.until > utc_now())
    return {row.source: Frozen(*row) for row in connection.execute(select(table).where(still))}


def frozen_words(frozen: Frozen) -> str:
    """What whoever would read the source is told."""
    until = f"until {frozen.until}" if frozen.until is not None else "until it is thawed"
    return f"is frozen {until}; `hub source thaw {frozen.source}` lets it be read again"
