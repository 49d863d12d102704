"""What the graph asks of a resolver, and what it gets back.

Customers are a function of the set of parties, of stewards' decisions and of the model, never of the order of arrival.
A resolver looks only at the neighbourhood of what changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class PartyChanges:
    """What a batch did to the parties; rows and identifiers are already written."""

    touched: frozenset[str]
    """Parties that are new or whose content is another now."""
    removed: frozenset[str]
    """Parties that are gone."""
    reconsidered: frozenset[str] = frozenset()
    """Parties that are as they were, and whose grouping is decided anew: a steward has spoken."""

    def __bool__(self) -> bool:
        return bool(self.touched or self.removed or self.reconsidered)


@dataclass(frozen=True, slots=True)
class Merge:
    """Two customers became one: `retired` now redirects to `kept`."""

    kept: str
    retired: str
    reason: str
    """A stable code; of shared identifiers, followed by their schemes."""


@dataclass(frozen=True, slots=True)
class Split:
    """One customer became several: parties of `origin` are now `parted`."""

    origin: str
    parted: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """What changed among the customers; the tables of memberships and redirects say so already."""

    moved: Mapping[str, str]
    """Parties whose customer is another than before, with that customer; new parties included."""
    created: tuple[str, ...] = ()
    """Customers that did not exist before this batch."""
    affected: frozenset[str] = frozenset()
    """Customers that gained or lost a party, dissolved ones included."""
    dissolved: frozenset[str] = frozenset()
    """Customers without parties now: retired by a merge, or their last party is gone."""
    merges: tuple[Merge, ...] = ()
    splits: tuple[Split, ...] = ()


class Resolver(Protocol):
    """Decides which parties are the same customer."""

    def resolve(self, connection: Connection, changes: PartyChanges) -> Resolution:
        """Bring memberships and redirects up to date, and say what changed."""
        ...
