"""What a policy's reviewer has to look at: rules past their review, and purposes whose assessment is not linked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from hub.access.assessments import DPIA, LIA, by_purpose, lacks_lia, unassessed
from hub.access.matrix import AccessMap
from hub.access.policy import BreakGlass, CommandGrant, Grant, Policy

_Rule = Grant | CommandGrant | BreakGlass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; the policy is in force all the same."""

    line: int | None
    """The line of the policy file, None where it comes from no file."""
    owner: str | None
    """The department that answers for it, None for a purpose."""
    message: str


def findings(access: AccessMap, today: date) -> list[Finding]:
    """What is to be looked at, in the file's order."""
    policy = access.policy
    found = [*missing_assessments(access), *_overdue(_rules(policy), today)]
    return sorted(found, key=lambda finding: finding.line or 0)


def _rules(policy: Policy) -> Iterator[tuple[str, _Rule]]:
    """What is reviewed, each with whose it is."""
    yield from ((", ".join(grant.roles), grant) for grant in policy.grants)
    yield from ((", ".join(rule.roles), rule) for rule in policy.commands)
    for name, role in policy.roles.items():
        if role.break_glass is not None:
            yield f"{name} by break-glass", role.break_glass


def missing_assessments(access: AccessMap) -> Iterator[Finding]:
    """The purposes whose interests nobody weighed, and those whose risk nobody assessed."""
    for name, purpose in access.purposes.items():
        if lacks_lia(purpose):
            basis = purpose.legal_basis.replace("_", " ")
            message = f"purpose {name} rests on {basis} and has no link {LIA!r} to their assessment"
            yield Finding(purpose.line, None, message)
    for name, rule, categories, roles in by_purpose(unassessed(access)):
        shown = f"{', '.join(categories)} to {', '.join(roles)}"
        message = f"purpose {name} shows {shown} ({rule}) and has no link {DPIA!r} to an impact assessment"
        yield Finding(access.purposes[name].line, None, message)


def _overdue(rules: Iterable[tuple[str, _Rule]], today: date) -> Iterator[Finding]:
    for whose, rule in rules:
        if rule.review < today:
            names = rule.commands if isinstance(rule, CommandGrant) else rule.categories
            message = f"{whose}: {', '.join(names)} was to be reviewed by {rule.review}"
            yield Finding(rule.line, rule.owner, message)
