"""Attesting rules of the policy: somebody who does not profit by a rule says, each quarter, whether it stays.

The verdict changes nothing by itself: who keeps the policy's file narrows or revokes the rule there. Until then the map
shows what was said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, select

from hub.access import Command, PolicyRule, policy_rules
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.errors import AccessDeniedError, NotFoundError
from hub.services import Services
from hub.store import fixed, utc_now

ATTEST_WITHIN: Final = timedelta(days=92)
"""The longest quarter: so long after it began, or was last looked at, a rule is looked at again."""

_TABLE = fixed.attestation


class Verdict(StrEnum):
    """What somebody says of a rule."""

    KEEP = "keep"
    NARROW = "narrow"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class AttestGrant:
    """That a rule of the policy in force was looked at."""

    grant_id: str
    verdict: Verdict
    key: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """What was last said of a rule."""

    grant_id: str
    verdict: Verdict
    subject: str
    at: str
    """ISO UTC text."""
    event_id: str


def attest_grant(services: Services, author: Author, order: AttestGrant) -> Attestation:
    """Take down that the author looked at the rule, and what they found.

    Raises:
        AccessDeniedError: the author may not, or holds a role that the rule gives something to.
        NotFoundError: the policy in force has no such rule.
        QueryError: the idempotency key was used for something else.
    """
    said = Order(Command.ATTEST_GRANT, "attest", order.key, asdict(order))
    with refusals_recorded(services, author, Command.ATTEST_GRANT):
        rule = _rule(author, order.grant_id)

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            event = author.event(
                Action.GRANT_ATTESTED,
                reason_code=order.verdict.value,
                source="policy",
                stream=rule.id,
                data_categories=() if rule.kind == "command" else rule.names,
            )
            row = Attestation(rule.id, order.verdict, author.subject, utc_now(), event.id)
            kept = {**asdict(row), "policy_sha256": author.access.sha256}
            connection.execute(insert(_TABLE).values(kept))
            return asdict(row), [event]

        found = once(services, author, said, act)
    return Attestation(**{**found, "verdict": Verdict(found["verdict"])})


def newest_attestations(connection: Connection) -> dict[str, Attestation]:
    """What was last said of each rule, by its id."""
    columns = [_TABLE.c[name] for name in Attestation.__dataclass_fields__]
    rows = connection.execute(select(*columns).order_by(_TABLE.c.id))
    return {row.grant_id: Attestation(**{**row._asdict(), "verdict": Verdict(row.verdict)}) for row in rows}


def _rule(author: Author, grant_id: str) -> PolicyRule:
    for rule in policy_rules(author.access.policy):
        if rule.id == grant_id:
            if rule.effect != "deny" and not author.is_operator and author.roles.intersection(rule.roles):
                raise AccessDeniedError(
                    "nobody attests what is given to their own role; somebody else has to"
                )
            return rule
    raise NotFoundError("the policy in force has no rule of this id; `hub privacy access` lists them")
