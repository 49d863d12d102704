"""A large first load: parties are grouped all at once at its end, not batch by batch.

A store in which nobody is known takes FIRST_LOAD records as any other batch. A run that goes on from there lands, maps
and writes what it reads, but says later who is one customer: when the source is at its end, all parties are weighed by
the bulk path and grouped, in one transaction. Until then what the later records state is nobody's, and nobody sees it.
A run that is killed leaves a mark with each batch, by which the next start of the hub catches up.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.adapters import reresolve
from hub.errors import StoreUnavailableError
from hub.store import Store

FIRST_LOAD = 20_000
"""Records of a first load that are resolved as they come: below, starting Splink takes longer than it saves."""

POSTPONED = "postponed"
"""Stands for the digest of what the customers are resolved by, while there are parties that are no customer's yet."""


@dataclass(slots=True)
class FirstLoad:
    """How far the first load of a store has come."""

    store: Store
    records: int = 0

    @property
    def is_postponing(self) -> bool:
        """Whether parties wait to be grouped."""
        return self.records > FIRST_LOAD

    def postpones(self, connection: Connection, records: int) -> bool:
        """Whether a batch of so many records is to be grouped later; leaves the mark that it has to be."""
        self.records += records
        if self.is_postponing:
            reresolve.keep_digest(connection, self.store, POSTPONED)
        return self.is_postponing


def require_ended(connection: Connection) -> None:
    """See to it that all parties are some customer's: an erasure would miss those that are nobody's yet.

    Raises:
        StoreUnavailableError: a large first load goes on, or was broken off.
    """
    if reresolve.kept_digest(connection) == POSTPONED:
        raise StoreUnavailableError("a first load goes on; try again when it has ended")
