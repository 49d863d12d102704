"""What a compliance officer does and looks at in GraphQL: today's matters, the record of processing, attestations."""

from __future__ import annotations

from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.privacy import home
from hub.schema.breaking import author_of
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.overseeing import FOR_WHOM, AttestationVerdict, RuleAttestation, asks, told
from hub.schema.scalars import DateTime, Long


@strawberry.type(description="One thing to look at.")
class ComplianceItem:
    """An item in GraphQL."""

    what: str = strawberry.field(description="What it is.")
    owner: str | None = strawberry.field(description="The department that answers for it.")
    due: DateTime | None = strawberry.field(description="By when.")


@strawberry.type(description="What there is to look at of one kind.")
class ComplianceMatter:
    """A matter in GraphQL."""

    key: str = strawberry.field(description="Its name.")
    label: str = strawberry.field(description="What a person calls it.")
    state: str = strawberry.field(
        description="`ok`, `attention`, or `late` where something was due before now."
    )
    count: Long = strawberry.field(description="How many things there are.")
    items: list[ComplianceItem] = strawberry.field(description="The things.")
    how: str = strawberry.field(description="The command that tells more of it.")

    @classmethod
    def of(cls, matter: home.Matter) -> Self:
        """The matter as GraphQL tells it."""
        items = [
            ComplianceItem(what=each.what, owner=each.owner, due=told(each.due)) for each in matter.items
        ]
        return cls(
            key=matter.key,
            label=matter.label,
            state=matter.state,
            count=Long(len(items)),
            items=items,
            how=matter.how,
        )


@strawberry.input(description="Which rule was looked at, and what is said of it.")
class AttestGrantInput:
    """Input of an attestation."""

    grant_id: strawberry.ID = strawberry.field(name="grantId", description="Id of the rule in `accessMap`.")
    verdict: AttestationVerdict = strawberry.field(description="What is said of it.")
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


def _overview(info: Info[RequestContext, None]) -> list[ComplianceMatter] | None:
    matters = home.compliance_overview(info.context.services, asks(info))
    return [ComplianceMatter.of(each) for each in matters]


def _attest(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        AttestGrantInput, strawberry.argument(description="Which rule, and what is said of it.")
    ],
) -> RuleAttestation | None:
    order = commands.AttestGrant(input.grant_id, commands.Verdict[input.verdict.name], input.idempotency_key)
    return RuleAttestation.of(commands.attest_grant(info.context.services, author_of(info), order))


@strawberry.type
class OfficerQuery:
    """What officers look at."""

    compliance_overview: list[ComplianceMatter] | None = strawberry.field(
        name="complianceOverview",
        resolver=_overview,
        description="What there is to look at today, one matter after the other." + FOR_WHOM,
    )


@strawberry.type
class OfficerMutation:
    """What those who supervise say."""

    attest_grant: RuleAttestation | None = strawberry.field(
        name="attestGrant",
        resolver=_attest,
        description="Say that a rule of the policy was looked at. For those to whom the policy gives `attest_grant`;"
        " nobody attests what is given to their own role.",
    )
