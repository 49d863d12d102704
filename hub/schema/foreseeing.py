"""How good the match model is, and what another would change: what is asked before a threshold is moved."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.graph.resolution.agreement import Agreement
from hub.graph.resolution.preview import with_merge_weight
from hub.schema.context import RequestContext
from hub.schema.matching import MAY, First, MatchVerdict, asking, ids_of
from hub.schema.scalars import Long


@strawberry.enum(name="MatchKind", description="Which parties a model compares.")
class MatchKind(Enum):
    """The kinds, as models name them."""

    PERSON = strawberry.enum_value("person", description="People.")
    ORGANIZATION = strawberry.enum_value("organization", description="Organisations.")


@strawberry.type(description="A customer that would be several.")
class MatchSplit:
    """One customer that would split."""

    customer_id: strawberry.ID = strawberry.field(name="customerId", description="Its public id.")
    parts: list[list[strawberry.ID]] = strawberry.field(
        description="Ids of its parties, by what they would be."
    )


@strawberry.type(description="Two parties of whom a steward's decision would not hold.")
class MatchOverruled:
    """A decision in force that would not hold."""

    verdict: MatchVerdict = strawberry.field(description="What was said.")
    left: strawberry.ID = strawberry.field(description="Id of the one party.")
    right: strawberry.ID = strawberry.field(description="Id of the other.")


@strawberry.type(
    description="Who would merge and split, before it happens: of the customers whom the asker reaches."
)
class MatchPreview:
    """A preview in GraphQL."""

    merge_count: Long = strawberry.field(name="mergeCount", description="Customers made of several.")
    merges: list[list[strawberry.ID]] = strawberry.field(
        description="The first of them: public ids of those that would be one."
    )
    split_count: Long = strawberry.field(name="splitCount", description="Customers that would be several.")
    splits: list[MatchSplit] = strawberry.field(description="The first of them.")
    kept_count: Long = strawberry.field(
        name="keptCount", description="Stewards' decisions that would hold as they do."
    )
    overruled_count: Long = strawberry.field(name="overruledCount", description="Those that would not.")
    overruled: list[MatchOverruled] = strawberry.field(description="The first of them.")

    @classmethod
    def of(cls, found: commands.MatchPreview) -> Self:
        """The preview as GraphQL tells it."""
        return cls(
            merge_count=Long(found.merge_count),
            merges=[ids_of(each.customers) for each in found.merges],
            split_count=Long(found.split_count),
            splits=[
                MatchSplit(
                    customer_id=strawberry.ID(each.customer), parts=[ids_of(part) for part in each.parts]
                )
                for each in found.splits
            ],
            kept_count=Long(found.kept_count),
            overruled_count=Long(found.overruled_count),
            overruled=[
                MatchOverruled(
                    verdict=MatchVerdict[each.verdict.upper()],
                    left=strawberry.ID(each.left),
                    right=strawberry.ID(each.right),
                )
                for each in found.overruled
            ],
        )


@strawberry.type(description="How far the model agrees with what stewards decided in one month.")
class MatchAgreement:
    """One month."""

    month: str = strawberry.field(description="Such as 2026-11.")
    decisions: Long = strawberry.field(description="Decisions in force that were made in it.")
    same: Long = strawberry.field(description="Those of them that say the same.")
    precision: float = strawberry.field(
        description="Of the pairs that the model would join by itself, the share that stewards say are the same."
    )
    recall: float = strawberry.field(
        description="Of the pairs that stewards say are the same, the share that the model would join by itself."
    )
    f1: float = strawberry.field(description="The harmonic mean of both.")
    blocking_recall: float = strawberry.field(
        name="blockingRecall", description="Of these pairs, the share that the model compares at all."
    )

    @classmethod
    def of(cls, found: Agreement) -> Self:
        """The month as GraphQL tells it."""
        return cls(
            month=found.month,
            decisions=Long(found.decisions),
            same=Long(found.same),
            precision=found.quality.precision,
            recall=found.quality.recall,
            f1=found.quality.f1,
            blocking_recall=found.blocking_recall,
        )


def _preview(
    info: Info[RequestContext, None],
    merge_weight: Annotated[
        float, strawberry.argument(name="mergeWeight", description="Bits that would be enough.")
    ],
    kind: Annotated[
        MatchKind | None, strawberry.argument(description="Of whom; of all unless given.")
    ] = None,
    first: First = 20,
) -> MatchPreview | None:
    author = asking(info, first)
    services = info.context.services
    models = services.stewardship.previews.models
    kinds = [each for each in models if kind is None or each.upper() == kind.name]
    models = with_merge_weight(models, merge_weight, kinds)
    return MatchPreview.of(commands.match_preview(services, author, models, first=first, at_once=True))


def _agreement(info: Info[RequestContext, None]) -> list[MatchAgreement] | None:
    author = asking(info)
    return [MatchAgreement.of(each) for each in commands.match_agreement(info.context.services, author)]


@strawberry.type
class ForeseeingQuery:
    """What stewards ask about the model."""

    match_preview: MatchPreview | None = strawberry.field(
        name="matchPreview",
        resolver=_preview,
        description="Who would merge and split if another match weight were enough; nothing is changed. Other models"
        f" are for `hub resolve preview`. {MAY}",
    )
    match_agreement: list[MatchAgreement] | None = strawberry.field(
        name="matchAgreement",
        resolver=_agreement,
        description="How far the model agrees with stewards' decisions, by month: of pairs that were in doubt. "
        f"{MAY}",
    )
