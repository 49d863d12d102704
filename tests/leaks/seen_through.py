"""What a role sees through a broken glass, by the policy's own words: without the guards that are tested."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from hub.access import WHOLE_REACH, AccessMap, Decision, Effect, Reach
from hub.ontology import Taxonomy
from hub.store import Store
from tests.leaks.policies import requester
from tests.leaks.reaching import Reaching
from tests.leaks.twins import Row, Rows

_ALLOWED = Decision(Effect.ALLOW, None, "opened")
_SPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True)
class GlassRow:
    """A glass that is broken for as long as tests take."""

    id: str
    role: str
    subject: str
    categories: tuple[str, ...]

    @classmethod
    def drawn(cls, access: AccessMap, role: str, subject: str) -> GlassRow:
        """One that opens some of what the role may open."""
        openable = sorted(access.openable({role}, requester(role).purpose))
        return cls(str(uuid5(_SPACE, f"{role} {subject}")), role, subject, tuple(openable[::2]))

    @property
    def row(self) -> Row:
        """As the store keeps it."""
        asks = requester(self.role)
        empty = (
            "stopped_at",
            "stopped_by",
            "notified_at",
            "notice_after",
            "reviewed_at",
            "reviewed_by",
            "outcome",
        )
        return {
            **dict.fromkeys((*empty, "note")),
            "id": self.id,
            "customer_id": self.subject,
            "subject": asks.subject,
            "roles": json.dumps([self.role]),
            "department": asks.department,
            "purpose": asks.purpose,
            "categories": json.dumps(self.categories),
            "reason": "a reason of twenty characters",
            "ticket": "T-1",
            "started_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "uses": 0,
            "notices": 0,
        }


@dataclass(frozen=True)
class ThroughGlass:
    """What is decided of the one customer."""

    access: AccessMap
    taxonomy: Taxonomy
    glass: GlassRow
    reach: Reach = WHOLE_REACH

    def opens(self, category: str) -> bool:
        """Whether it is named, or below one that is with nothing special from there on down, and may be opened."""
        if category not in self.access.openable({self.glass.role}, requester(self.glass.role).purpose):
            return False
        at: str | None = category
        while at is not None and at not in self.glass.categories:
            at = None if self.taxonomy.categories[at].special else self.taxonomy.categories[at].parent
        return at is not None

    def decide(self, category: str) -> Decision:
        """Whole where it was opened, else as the grants say."""
        if self.opens(category):
            return _ALLOWED
        asks = requester(self.glass.role)
        return self.access.decide(asks.roles, asks.purpose, category)


@dataclass(frozen=True)
class _Only(Reaching):
    """The rows of one customer, and those that are nobody's."""

    subject: str = field(default="")

    @property
    def is_narrow(self) -> bool:
        return True

    def reaches(self, customer: Mapping[str, object]) -> bool:
        return customer["id"] == self.subject


def only(store: Store, rows: Rows, subject: str) -> Rows:
    """The rows without those of all customers but one."""
    return _Only(store, rows, WHOLE_REACH, (), subject).rows()
