"""Who asks, and for what: the requester of one request, and the access that a read plan is compiled with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

from hub.access.matrix import NO_GRANT, AccessMap, Decision, Row
from hub.access.scope import Attributes
from hub.access.standing import Reach
from hub.errors import AccessDeniedError, PurposeError

PlanKey = tuple[frozenset[str], str, str, Attributes, tuple[str, ...] | None]


_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token or an API key proves the caller to be; what they may do is the policy's business."""

    subject: str = field(repr=False)
    department: str | None
    """None where only the roles tell it."""
    roles: tuple[str, ...]
    """What gives them roles: names of roles, or values of a token's claim."""
    purposes: tuple[str, ...] | None
    """What they may state as purpose, as far as their roles may use it; None for all of that."""
    client: str
    """The program that asks."""
    expires_at: float
    """Seconds since 1970; who is served for longer is to be let go by then, and to prove anew who they are."""
    claims_roles: bool = True
    """Whether `roles` are values of a token's claim, not roles of the policy yet."""
    attributes: Attributes = field(default=(), repr=False)
    """By row scope, what the token says: regions, brands, names of the employee at the sources."""
    credential: str | None = field(default=None, repr=False)
    """The fingerprint of the token or the key."""


def fingerprint(credential: str) -> str:
    """What tells one token or API key from the others of its account, in the log: it cannot be used as either.

    The first 128 bits of its SHA-256, in hexadecimal. Nobody can try what a token is signed or a key is drawn by.
    """
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()[:32]


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
    """The caller's."""
    break_glass: str | None = None
    """The glass that the request says it was broken for: what the caller states, not looked at yet."""
    credential: str | None = field(default=None, repr=False)
    """The fingerprint of the token or the key that they showed."""


def requester_of(
    caller: Caller, access: AccessMap, purpose_header: str | None, barred: Mapping[str, str] = _NOBODY
) -> Requester:
    """The caller with the purpose of the header or their only one; `barred` are roles of partners without a contract.

    Raises:
        AccessDeniedError: the caller has no role of the policy, or no department; ask the policy's owner. Or one of
            the roles is barred: of such a caller the other roles do not count either, or what it denies would be open.
        PurposeError: no purpose, or one that the caller may not state; the message lists what they may.
    """
    roles = _roles(caller, access)
    for role in sorted(barred.keys() & roles):
        raise AccessDeniedError(
            f"no contract with the partner {barred[role]!r} is in force, so the role {role!r} is answered nothing"
            " (GDPR Art. 28(3)); ask whoever keeps organisation.yaml"
        )
    department = caller.department or _department(roles, access)
    usable = access.usable_purposes(roles)
    purposes = tuple(each for each in usable if caller.purposes is None or each in caller.purposes)
    purpose = _stated_purpose(purpose_header, purposes)
    return Requester(
        caller.subject,
        roles,
        department,
        purpose,
        caller.client,
        purposes,
        caller.attributes,
        credential=caller.credential,
    )


def _roles(caller: Caller, access: AccessMap) -> frozenset[str]:
    if caller.claims_roles:
        roles = access.policy.roles_claimed(caller.roles)
    else:
        roles = frozenset(caller.roles).intersection(access.policy.roles)
    if not roles:
        raise AccessDeniedError("the token gives no role of this hub's policy; ask the policy's owner")
    return roles


def _department(roles: frozenset[str], access: AccessMap) -> str:
    """The one that all the roles belong to."""
    first, *others = {access.policy.roles[role].department for role in roles}
    if others:
        raise AccessDeniedError(
            "the token's roles are of several departments, and it names none; ask for one"
        )
    return first


def _stated_purpose(header: str | None, purposes: tuple[str, ...]) -> str:
    stated = (header or "").strip()
    if stated in purposes:
        return stated
    if not purposes:
        raise PurposeError("the token carries no purpose that its roles may use; ask for a token with one")
    if not stated and len(purposes) == 1:
        return purposes[0]
    fault = "X-Purpose states none that you may use" if stated else "X-Purpose is missing"
    raise PurposeError(f"{fault}; state one of: {', '.join(purposes)}")


@dataclass(frozen=True, slots=True)
class Glass:
    """A broken glass: what its starter sees more of one customer, and until when."""

    id: str
    customer: str = field(repr=False)
    """Id of the customer as it is now."""
    categories: tuple[str, ...]
    """As they were asked for, sorted; each stands for all that a permit on it reaches."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PlanAccess:
    """The access map as one kind of requester meets it; read plans are compiled with it, cached by `key`."""

    key: PlanKey = field(repr=False)
    """(roles, purpose, policy hash, attributes that scopes need, what break-glass opens): equal keys mean equal
    decisions and equal reach, but for which customer a glass is broken for: that is a plan's variable."""
    introspection: bool
    """Whether the requester may learn what the schema is, and which names are near a wrong one."""
    reach: Reach
    """Which customers the requester reaches."""
    _row: Row = field(repr=False, compare=False)
    glass: Glass | None = None
    """The glass that is broken for the request; None for most."""

    def decide(self, category: str) -> Decision:
        """The decision for a data category."""
        return self._row.get(category, NO_GRANT)


class Asking(Protocol):
    """What access follows from, of whoever asks."""

    @property
    def roles(self) -> frozenset[str]:
        """Their roles."""

    @property
    def purpose(self) -> str:
        """What they ask for."""

    @property
    def attributes(self) -> Attributes:
        """By row scope, what their token says."""


def plan_access(access: AccessMap, asks: Asking) -> PlanAccess:
    """The access of who asks; it names nobody but by the attributes that a scope needs, so equals share plans."""
    reach = access.reach(asks.roles, asks.purpose, asks.attributes)
    key = (asks.roles, asks.purpose, access.sha256, tuple(reach.attributes.items()), None)
    return PlanAccess(key, access.may_introspect(asks.roles), reach, access.row(asks.roles, asks.purpose))
