"""The access map as an officer reads it: each rule of the policy, and beside it who made use of it.

Nothing of it is typed in: rules, reasons and owners are the policy's, since when is told by the kept policies, use by
the audit log. *Unused* is a permit by which nobody read anything in the span, though it was in force all along.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hub.access import AccessMap, PolicyRule, policy_rules
from hub.adapters import KeptConfiguration, kept_configurations, policy_of
from hub.audit import Use, Uses, Volume, unusual_volumes, uses
from hub.audit.volumes import MAX_WINDOW
from hub.commands import ATTEST_WITHIN, Attestation, Author, asked, newest_attestations
from hub.errors import QueryError
from hub.services import Services

SPAN: Final = timedelta(days=90)
"""How far back use is looked for unless said otherwise."""
MAX_SPAN: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule with all that is known of it."""

    rule: PolicyRule
    since: datetime | None
    """Since when it has been in force, as far as policies were kept; None before the first was."""
    is_past_review: bool
    """Whether the day has passed by which its owner looks at it again."""
    attested: Attestation | None
    attest_by: datetime | None
    """When somebody has to look at it again; None where nobody knows since when it is there."""
    use: Use | None
    """None of what permits nothing that the log could tell of by category: denials and commands."""
    is_unused: bool

    @property
    def is_past_attestation(self) -> bool:
        """Whether the quarter has passed in which somebody had to look at it."""
        return self.attest_by is not None and self.attest_by < datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class OfficersMap:
    """The map of the policy in force."""

    policy_sha256: str
    since: datetime
    until: datetime
    rules: tuple[Seen, ...]
    reads: int
    without_result: int
    refused_purpose: int
    unusual: tuple[Volume, ...]
    """Of the last days of the span, 31 at most, by `hub.audit.RULE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which rules are wanted: those that fit all that is given."""

    role: str | None = None
    purpose: str | None = None
    category: str | None = None
    """Rules that reach it."""


def access_map(
    services: Services,
    author: Author,
    narrowing: Narrowing | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> OfficersMap:
    """The rules of the policy in force with their use in the span, the last 90 days unless said.

    Raises:
        AccessDeniedError: the author may not read the log.
        QueryError: the span is too long or ends before it begins, or a name is unknown.
    """

    def ask() -> tuple[OfficersMap, Collection[str], int]:
        begin, end = span(since, until)
        wanted = narrowing or Narrowing()
        _require_known(services, author.access, wanted)
        found = uses(services.audit, begin, end)
        rules = tuple(
            seen
            for seen in rules_seen(services, author.access, found)
            if _fits(author.access, seen.rule, wanted)
        )
        unusual = tuple(unusual_volumes(services.audit, max(begin, end - MAX_WINDOW), end))
        sums = (found.reads, found.without_result, found.refused_purpose)
        return OfficersMap(author.access.sha256, begin, end, rules, *sums, unusual), (), len(rules)

    return asked(services, author, "access_map", ask)


def rules_seen(services: Services, access: AccessMap, found: Uses) -> list[Seen]:
    """Every rule of the policy with what is known of it."""
    with services.store.read() as connection:
        kept = kept_configurations(connection, "policy")
        attested = newest_attestations(connection)
    since = in_force_since(kept)
    today = datetime.now(UTC).date()
    return [
        _seen(access, rule, since.get(rule.id), attested.get(rule.id), found, today)
        for rule in policy_rules(access.policy)
    ]


def in_force_since(kept: Sequence[KeptConfiguration]) -> dict[str, datetime]:
    """Since when each rule of the newest kept policy has been there without a break."""
    found: dict[str, datetime] = {}
    lasting: set[str] | None = None
    for each in reversed(kept):
        here = {rule.id for rule in policy_rules(policy_of(each))}
        lasting = here if lasting is None else lasting & here
        found |= dict.fromkeys(lasting, datetime.fromisoformat(each.since))
    return found


def reached(access: AccessMap, rule: PolicyRule) -> frozenset[str]:
    """The data categories that the rule says something of; none of a command's."""
    if rule.kind == "command":
        return frozenset()
    if rule.effect == "deny":
        return frozenset(
            each
            for each in access.categories
            if any(each == name or each.startswith(f"{name}.") for name in rule.names)
        )
    return access.below(rule.names)


def span(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The span that is asked about, 90 days until now unless said.

    Raises:
        QueryError: it ends before it begins, or is longer than a year.
    """
    end = until or datetime.now(UTC)
    begin = since or end - SPAN
    if begin >= end:
        raise QueryError("since lies before until")
    if end - begin > MAX_SPAN:
        raise QueryError(f"from since to until are {MAX_SPAN.days} days at most")
    return begin, end


def _seen(
    access: AccessMap,
    rule: PolicyRule,
    since: datetime | None,
    attested: Attestation | None,
    found: Uses,
    today: date,
) -> Seen:
    use = _use(access, rule, found)
    looked_at = datetime.fromisoformat(attested.at) if attested else since
    lasted = since is not None and since <= found.since
    return Seen(
        rule,
        since,
        is_past_review=rule.review < today,
        attested=attested,
        attest_by=None if looked_at is None else looked_at + ATTEST_WITHIN,
        use=use,
        is_unused=rule.is_permit and lasted and use is not None and not use.reads,
    )


def _use(access: AccessMap, rule: PolicyRule, found: Uses) -> Use | None:
    if rule.kind == "command" or rule.effect == "deny":
        return None
    categories, under_glass = reached(access, rule), rule.kind == "break_glass"
    return found.where(
        lambda asked: (
            asked.under_glass is under_glass
            and asked.purpose in rule.purposes
            and not categories.isdisjoint(asked.categories)
            and not set(rule.roles).isdisjoint(asked.roles)
        )
    )


def _fits(access: AccessMap, rule: PolicyRule, wanted: Narrowing) -> bool:
    return (
        (wanted.role is None or wanted.role in rule.roles)
        and (wanted.purpose is None or wanted.purpose in rule.purposes)
        and (wanted.category is None or wanted.category in reached(access, rule))
    )


def _require_known(services: Services, access: AccessMap, wanted: Narrowing) -> None:
    # What is misspelt would find nothing, which reads as if nobody were allowed anything.
    for word, name, known in (
        ("role", wanted.role, access.roles),
        ("purpose", wanted.purpose, access.purposes),
        ("data category", wanted.category, services.ontology.taxonomy.categories),
    ):
        if name is not None and name not in known:
            raise QueryError(f"there is no {word} {name!r}")
