"""What landed records said at a past time.

A version counts from the time at which the source says it was so (`observed_at`), and from its landing where the source
does not say, or names a later time: by then the hub held it already. It counts until one that is newer does, or until
the hub learned that the source had deleted the record. Of several the newest is told as a sync tells it: in the order
of their landing, but for those that the source dates before one that was there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.adapters.landing import DELETED_HASH
from hub.store import Store


@dataclass(frozen=True, slots=True)
class PastVersion:
    """A landed version, without what it says."""

    id: int
    head_id: int
    hash: str
    position: str
    observed_at: str
    run_id: int
    landed_at: str

    @property
    def at(self) -> str:
        """From when on it counts."""
        return min(self.observed_at or self.landed_at, self.landed_at)


def versions_at(
    store: Store, connection: Connection, heads: Sequence[int], at: str
) -> dict[int, PastVersion]:
    """The version that counted at the time, by head; none of records that were not there, or deleted."""
    until = store.dialect.param("at")
    sql = (
        "SELECT id, head_id, hash, position, observed_at, run_id, landed_at FROM record"
        f" WHERE (landed_at <= {until} OR (observed_at <> '' AND observed_at <= {until})) AND {{in:head_id}}"
    )
    found: dict[int, list[PastVersion]] = defaultdict(list)
    for row in store.rows_in(connection, sql, heads, at=at):
        version = PastVersion(*row)
        found[version.head_id].append(version)
    newest = {head: newest_at(versions, at) for head, versions in found.items()}
    return {head: version for head, version in newest.items() if version is not None}


def newest_at(versions: Iterable[PastVersion], at: str) -> PastVersion | None:
    """Which of one record's versions counted at the time, of those that counted by then."""
    newest: PastVersion | None = None
    deleted_at = ""
    for version in sorted(versions, key=lambda each: each.id):
        if version.hash == DELETED_HASH:
            newest, deleted_at = None, version.landed_at
        elif version.at < deleted_at and version.landed_at > at:
            # It had been deleted, and was not back yet.
            continue
        elif newest is None or not version.observed_at or version.observed_at >= newest.observed_at:
            newest = version
    return newest
