"""The root field by which those who answer for the policy ask why somebody sees something, or does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub.access import Command, Explanation, Reason, explain
from hub.errors import AccessDeniedError
from hub.schema.context import RequestContext
from hub.schema.scalars import Date, Long


@strawberry.type(description="A grant that reaches a data category, and what became of it.")
class AccessReason:
    """One grant."""

    part: str = strawberry.field(
        description="`decides`, `overruled` by another grant, or `stopped` above special data."
    )
    effect: str = strawberry.field(description="`allow`, `deny`, or `mask:` and the mask's name.")
    category: str = strawberry.field(description="The category that the grant names.")
    scope: str = strawberry.field(description="Which customers it is about; `none` narrows nothing.")
    why: str = strawberry.field(description="The reason that the policy gives.")
    owner: str = strawberry.field(description="The department that answers for it.")
    review: Date = strawberry.field(description="The day by which it is looked at again.")
    overdue: bool = strawberry.field(description="Whether that day is past.")
    line: Long | None = strawberry.field(description="Line of the policy's file in which it begins.")

    @classmethod
    def of(cls, reason: Reason) -> Self:
        """The grant as GraphQL tells it."""
        grant = reason.grant
        return cls(
            part=reason.part.value,
            effect=grant.effect,
            category=reason.category,
            scope=grant.scope,
            why=grant.why,
            owner=grant.owner,
            review=Date(grant.review.isoformat()),
            overdue=grant.review < datetime.now(UTC).date(),
            line=None if grant.line is None else Long(grant.line),
        )


@strawberry.type(description="What a role sees of a property for a purpose, and why.")
class AccessExplanation:
    """One decision."""

    category: str = strawberry.field(description="The property's data category.")
    special: bool = strawberry.field(description="Whether only a grant that names the category opens it.")
    effect: str = strawberry.field(
        description="`allow`, `mask` or `deny`; within the scopes of the grants that decide, it is what these say."
    )
    mask: str | None = strawberry.field(
        description="The mask; `withhold` where the one that the policy names was not written for the type."
    )
    grants: list[AccessReason] = strawberry.field(
        description="The grants that reach it, what decides first; none where nobody granted anything, which denies."
    )
    break_glass_minutes: Long | None = strawberry.field(
        name="breakGlassMinutes",
        description="For how many minutes the role may open it by `breakGlass`, of one customer; null if it may not.",
    )
    policy_sha256: str = strawberry.field(
        name="policySha256", description="The policy's hash, as audit events name it."
    )

    @classmethod
    def of(cls, explained: Explanation, policy_sha256: str) -> Self:
        """The decision as GraphQL tells it."""
        return cls(
            category=explained.category,
            special=explained.special,
            effect=explained.decision.effect.value,
            mask=explained.mask,
            grants=[AccessReason.of(reason) for reason in explained.reasons],
            break_glass_minutes=None
            if explained.openable_minutes is None
            else Long(explained.openable_minutes),
            policy_sha256=policy_sha256,
        )


def _explain(
    info: Info[RequestContext, None],
    role: Annotated[str, strawberry.argument(description="A role of the policy.")],
    purpose: Annotated[str, strawberry.argument(description="A purpose of the policy.")],
    property: Annotated[  # noqa: A002 - the argument's name in GraphQL
        str, strawberry.argument(description="A property such as `Customer.email`, or a data category.")
    ],
) -> AccessExplanation | None:
    services, asks = info.context.services, info.context.requester
    policy = services.access
    if not policy.may(asks.roles, asks.purpose, Command.EXPLAIN_ACCESS):
        raise AccessDeniedError("no rule of the policy lets you explain_access for the stated purpose")
    explained = explain(policy, services.ontology, [role], purpose, property)
    return AccessExplanation.of(explained, policy.sha256)


@strawberry.type
class ExplainQuery:
    """Questions about the policy itself."""

    explain_access: AccessExplanation | None = strawberry.field(
        name="explainAccess",
        resolver=_explain,
        description="Why a role sees a property as it does; for those to whom the policy gives `explain_access`.",
    )
