"""Who asks, and for what: the requester of one request, and the access that a read plan is compiled with."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.access.matrix import NO_GRANT, AccessMap, Decision, Row
from hub.access.scope import Attributes
from hub.access.standing import Reach

PlanKey = tuple[frozenset[str], str, str, Attributes]


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
    attributes: Attributes = field(default=(), repr=False)
    """By row scope, what the token says: regions, brands, names of the employee at the sources."""


@dataclass(frozen=True, slots=True)
class PlanAccess:
    """The access map as one kind of requester meets it; read plans are compiled with it, cached by `key`."""

    key: PlanKey = field(repr=False)
    """(roles, purpose, policy hash, attributes that scopes need): equal keys mean equal decisions and equal reach."""
    introspection: bool
    """Whether the requester may learn what the schema is, and which names are near a wrong one."""
    reach: Reach
    """Which customers the requester reaches."""
    _row: Row = field(repr=False, compare=False)

    def decide(self, category: str) -> Decision:
        """The decision for a data category."""
        return self._row.get(category, NO_GRANT)


def plan_access(access: AccessMap, requester: Requester) -> PlanAccess:
    """The requester's access; it names nobody but by the attributes that a scope needs, so equals share plans."""
    reach = access.reach(requester.roles, requester.purpose, requester.attributes)
    key = (requester.roles, requester.purpose, access.sha256, tuple(reach.attributes.items()))
    return PlanAccess(
        key, access.may_introspect(requester.roles), reach, access.row(requester.roles, requester.purpose)
    )
