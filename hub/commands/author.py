"""Who gives a command, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from hub.access import WHOLE_REACH, AccessMap, Command, Decision, Effect, Reach, Requester
from hub.access.scope import Attributes
from hub.audit import Action, AuditEvent

OPERATOR = "operator"
"""Stands in the audit log as the role of whoever uses the `hub` command on the machine itself."""

_WHOLE = Decision(Effect.ALLOW, None, OPERATOR)


@dataclass(frozen=True, slots=True)
class Author:
    """Who gives a command: by the API as the policy allows, or on the machine itself, where the database is theirs."""

    subject: str = field(repr=False)
    """Opaque id; an employee's personal data, so not in `repr`."""
    roles: frozenset[str]
    department: str | None
    purpose: str
    access: AccessMap = field(repr=False)
    is_operator: bool
    attributes: Attributes = field(default=(), repr=False)
    """By row scope, what the token says of them."""
    credential: str | None = field(default=None, repr=False)
    """The fingerprint of the token or the key that they showed; None on the machine itself."""

    @classmethod
    def of(cls, requester: Requester, access: AccessMap) -> Self:
        """The author of what the requester asks for."""
        return cls(
            requester.subject,
            requester.roles,
            requester.department,
            requester.purpose,
            access,
            is_operator=False,
            attributes=requester.attributes,
            credential=requester.credential,
        )

    @classmethod
    def operator(cls, subject: str, access: AccessMap) -> Self:
        """Whoever uses the `hub` command: no policy could keep them from the database."""
        return cls(subject, frozenset({OPERATOR}), None, "system_operation", access, is_operator=True)

    def may(self, command: Command) -> bool:
        """Whether they may give the command."""
        return self.is_operator or self.access.may(self.roles, self.purpose, command)

    def decide(self, category: str) -> Decision:
        """The decision for a data category, as the guard of a read plan asks for it."""
        return _WHOLE if self.is_operator else self.access.decide(self.roles, self.purpose, category)

    @property
    def reach(self) -> Reach:
        """Which customers they reach."""
        if self.is_operator:
            return WHOLE_REACH
        return self.access.reach(self.roles, self.purpose, self.attributes)

    def event(self, action: Action, **more: Any) -> AuditEvent:
        """An audit event in their name."""
        return AuditEvent(
            action,
            self.subject,
            roles=tuple(sorted(self.roles)),
            department=self.department,
            purpose=self.purpose,
            policy_sha256=self.access.sha256,
            credential=self.credential,
            **more,
        )
