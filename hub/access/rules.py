"""The rules of a policy, one by one, each with an id that follows from what it gives to whom.

A grant, a command's rule and what a role may open by break-glass are all rules that somebody owns and looks at again.
The id does not change with the reason, the owner or the day of the next look, nor with the order of names; it does with
anything that changes who gets what, for that is another rule, which nobody has looked at yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from hub.access.policy import BreakGlass, CommandGrant, Grant, Policy

RuleKind = Literal["grant", "command", "break_glass"]

_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule."""

    id: str
    kind: RuleKind
    roles: tuple[str, ...]
    purposes: tuple[str, ...]
    names: tuple[str, ...]
    """Data categories, or commands."""
    effect: str
    """`allow`, `deny` or `mask:` and the mask's name; for break-glass the minutes."""
    scope: str
    why: str
    owner: str
    review: date
    line: int | None
    """The line of the policy's file, None where it comes from no file."""

    @property
    def is_permit(self) -> bool:
        """Whether it lets somebody see something, rather than do something or see nothing."""
        return self.kind == "grant" and self.effect != "deny"


def policy_rules(policy: Policy) -> list[PolicyRule]:
    """All rules in the file's order; one that is written twice stands here once."""
    found: dict[str, PolicyRule] = {}
    for rule in _rules(policy):
        found.setdefault(rule.id, rule)
    return list(found.values())


def _rules(policy: Policy) -> Iterator[PolicyRule]:
    for grant in policy.grants:
        yield _rule("grant", grant, grant.roles, grant.categories, grant.effect, grant.scope)
    for rule in policy.commands:
        yield _rule("command", rule, rule.roles, rule.commands, "allow")
    for name, role in policy.roles.items():
        if (glass := role.break_glass) is not None:
            yield _rule("break_glass", glass, (name,), glass.categories, f"{glass.minutes} minutes")


def _rule(
    kind: RuleKind,
    rule: Grant | CommandGrant | BreakGlass,
    roles: tuple[str, ...],
    names: tuple[str, ...],
    effect: str,
    scope: str = "none",
) -> PolicyRule:
    given = [kind, sorted(roles), sorted(rule.purposes), sorted(names), effect, scope]
    id_ = hashlib.sha256(json.dumps(given).encode()).hexdigest()[:_ID_DIGITS]
    return PolicyRule(
        id_,
        kind,
        roles,
        rule.purposes,
        names,
        effect,
        scope,
        rule.why,
        rule.owner,
        rule.review,
        rule.line,
    )
