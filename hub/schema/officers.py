"""What a compliance officer does and looks at in GraphQL: today's matters, the record of processing, attestations."""

from __future__ import annotations

import base64
from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.privacy import home, records
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


@strawberry.enum(name="RecordFormat", description="What the record of processing is written as.")
class RecordFormat(Enum):
    """The formats, by the ending of their files."""

    CSV = strawberry.enum_value("csv", description="A table, in UTF-8.")
    XLSX = strawberry.enum_value("xlsx", description="A workbook.")
    MARKDOWN = strawberry.enum_value("md", description="A page.")


@strawberry.type(description="A cell of the record that is empty.")
class RecordGap:
    """A gap in GraphQL."""

    activity: str = strawberry.field(description="The purpose and the system.")
    field: str = strawberry.field(description="The column, with its number.")
    required: bool = strawberry.field(description="Whether the ICO's template requires it.")
    what: str = strawberry.field(description="What would fill it.")


@strawberry.type(description="The record of processing activities (GDPR Art. 30).")
class RecordOfProcessing:
    """The record in GraphQL."""

    policy_sha256: str = strawberry.field(name="policySha256", description="Hash of the policy in force.")
    activities: list[str] = strawberry.field(description="The activities, each a purpose in a system.")
    gaps: list[RecordGap] = strawberry.field(description="Every empty cell.")
    content: str = strawberry.field(description="The file, in Base64.")


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


_ENDINGS = {"CSV": "csv", "XLSX": "xlsx", "MARKDOWN": "md"}


def _ropa(
    info: Info[RequestContext, None],
    format: Annotated[  # noqa: A002 - the argument's name in GraphQL
        RecordFormat, strawberry.argument(description="What it is written as.")
    ],
    draft: Annotated[
        bool, strawberry.argument(description="Also where a purpose lacks the assessment that it rests on.")
    ] = False,
) -> RecordOfProcessing | None:
    made = records.record_of_processing(info.context.services, asks(info), draft=draft)
    ending = _ENDINGS[format.name]
    gaps = [
        RecordGap(activity=gap.row, field=gap.column.heading, required=gap.column.required, what=gap.what)
        for sheet in (made.controller, made.processor)
        for gap in sheet.gaps
    ]
    return RecordOfProcessing(
        policy_sha256=made.policy_sha256,
        activities=[row.key for row in made.controller.rows],
        gaps=gaps,
        content=base64.b64encode(records.FORMATS[ending](made)).decode(),
    )


@strawberry.type
class OfficerQuery:
    """What officers look at."""

    ropa: RecordOfProcessing | None = strawberry.field(
        resolver=_ropa,
        description="The record of processing activities (GDPR Art. 30), from what runs, with its gaps."
        + FOR_WHOM,
    )

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
