"""Who asks, and for what: the requester of one request, and the access that a read plan is compiled with."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.access.matrix import NO_GRANT, AccessMap, Decision, Row

PlanKey = tuple[frozenset[str], str, str]


@dataclass(frozen=True, slots=True)
class Requester:
    """An authenticated caller with the one purpose of this request."""

    subject: str = field(repr=False)
    """Who it is at the identity provider: an employee's personal data, so not in `repr`."""
    roles: frozenset[str]
    department: str
    purpose: str
    client: str
    """The program that asks."""
    purposes: tuple[str, ...]
    """What the caller may state as purpose."""


@dataclass(frozen=True, slots=True)
class PlanAccess:
    """The access map as one kind of requester meets it; read plans are compiled with it, cached by `key`."""

    key: PlanKey
    """(roles, purpose, policy hash): equal keys mean equal decisions."""
    introspection: bool
    """Whether the requester may learn what the schema is, and which names are near a wrong one."""
    _row: Row = field(repr=False, compare=False)

    def decide(self, category: str) -> Decision:
        """The decision for a data category."""
        return self._row.get(category, NO_GRANT)


def plan_access(access: AccessMap, requester: Requester) -> PlanAccess:
    """The requester's access; nothing of it names a person, so plans may be shared among equals."""
    key = (requester.roles, requester.purpose, access.sha256)
    return PlanAccess(
        key, access.may_introspect(requester.roles), access.row(requester.roles, requester.purpose)
    )
