"""What a policy's reviewer has to look at: rules past their review, and purposes whose assessment is not linked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from hub.access.policy import CommandGrant, Grant, LegalBasis, Policy

_ASSESSED: Mapping[LegalBasis, str] = {"legitimate_interests": "lia"}
"""By legal basis, the kind of link that a purpose should have (GDPR Art. 6(1)(f): interests are to be weighed)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; the policy is in force all the same."""

    line: int | None
    """The line of the policy file, None where it comes from no file."""
    owner: str | None
    """The department that answers for it, None for a purpose."""
    message: str


def findings(policy: Policy, today: date) -> list[Finding]:
    """What is to be looked at, in the file's order."""
    found = [*_unassessed(policy), *_overdue(policy.grants, today), *_overdue(policy.commands, today)]
    return sorted(found, key=lambda finding: finding.line or 0)


def _unassessed(policy: Policy) -> Iterator[Finding]:
    for name, purpose in policy.purposes.items():
        link = _ASSESSED.get(purpose.legal_basis)
        if link is not None and link not in purpose.links:
            basis = purpose.legal_basis.replace("_", " ")
            message = f"purpose {name} rests on {basis} and has no link {link!r} to their assessment"
            yield Finding(purpose.line, None, message)


def _overdue(rules: Iterable[Grant | CommandGrant], today: date) -> Iterator[Finding]:
    for rule in rules:
        if rule.review < today:
            names = rule.categories if isinstance(rule, Grant) else rule.commands
            message = f"{', '.join(rule.roles)}: {', '.join(names)} was to be reviewed by {rule.review}"
            yield Finding(rule.line, rule.owner, message)
