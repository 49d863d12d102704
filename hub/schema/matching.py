"""Who is one customer, in GraphQL: why, what is in doubt, what stewards decided.

Parties and customers are told as ids, which `person`, `organization` and `customer` take.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.commands import Author
from hub.errors import AccessDeniedError, QueryError
from hub.graph.resolution.explaining import CustomerStory, Hold, PairStory, Why
from hub.graph.resolution.review import Doubt, DoubtKind
from hub.schema.context import RequestContext
from hub.schema.scalars import DateTime, Long

MAY = "For those to whom the policy gives `decide_match`."

PartyId = Annotated[strawberry.ID, strawberry.argument(description="Id of a party.")]
CustomerId = Annotated[strawberry.ID, strawberry.argument(description="Public id of a customer.")]
First = Annotated[int, strawberry.argument(description="How many at most.")]


@strawberry.enum(name="MatchVerdict", description="A steward's word on two parties.")
class MatchVerdict(Enum):
    """The verdicts, as they are stored."""

    SAME = strawberry.enum_value("same", description="They are one customer, whatever comes.")
    NOT_SAME = strawberry.enum_value(
        "not_same", description="They are not; until evidence comes that is stronger by ten bits."
    )


@strawberry.enum(name="MatchReason", description="Why two parties are one customer, or are not.")
class MatchReason(Enum):
    """The reasons, the first that applies."""

    DECIDED_SAME = strawberry.enum_value("decided_same", description="A steward said so.")
    SHARED_IDENTIFIER = strawberry.enum_value(
        "shared_identifier", description="They share a strong identifier."
    )
    ALIKE = strawberry.enum_value("alike", description="Their match weight is enough.")
    THROUGH_OTHERS = strawberry.enum_value(
        "through_others", description="Their own weight is not enough; other parties hold them together."
    )
    DECIDED_NOT_SAME = strawberry.enum_value(
        "decided_not_same", description="A steward said that they are not."
    )
    CONFLICT = strawberry.enum_value(
        "conflict", description="What they state cannot be true of one customer, as of father and son."
    )
    TOO_LITTLE = strawberry.enum_value("too_little", description="Their match weight is not enough.")
    NOT_COMPARED = strawberry.enum_value("not_compared", description="They share no blocking key that works.")
    OUTWEIGHED = strawberry.enum_value(
        "outweighed",
        description="Their weight is enough; the other parties of their customers speak against it.",
    )


@strawberry.enum(name="MatchDoubtKind", description="What is in doubt.")
class MatchDoubtKind(Enum):
    """The kinds."""

    DOUBT = strawberry.enum_value("doubt", description="Two customers that are alike, but not enough.")
    APART = strawberry.enum_value(
        "apart",
        description="Two customers with a pair that is alike enough, and that others or a conflict keep apart.",
    )
    WEAK = strawberry.enum_value("weak", description="A customer that little holds together.")


@strawberry.type(description="What one comparison adds to a match weight.")
class MatchStep:
    """One step of a waterfall."""

    comparison: str = strawberry.field(description="What is compared, as the model names it.")
    level: str = strawberry.field(description="How alike the two are in it, as the model names it.")
    bits: float = strawberry.field(description="What that adds, frequency included.")
    frequency_bits: float = strawberry.field(
        name="frequencyBits", description="The part of it that comes of how rare the value is."
    )


@strawberry.type(description="A steward's word on one pair of parties.")
class MatchDecision:
    """A decision in GraphQL."""

    id: strawberry.ID = strawberry.field(description="Its id; `matchDecisions` goes on after it.")
    act: strawberry.ID = strawberry.field(
        description="What was decided at once: id of the audit event, and what `undoDecisions` takes."
    )
    verdict: MatchVerdict = strawberry.field(description="What was said.")
    left: strawberry.ID = strawberry.field(description="Id of the one party.")
    right: strawberry.ID = strawberry.field(description="Id of the other.")
    holds_to: float | None = strawberry.field(
        name="holdsTo", description="Bits above which NOT_SAME gives way; null where nothing overrides it."
    )
    by: str = strawberry.field(description="Who decided, as the identity provider names them.")
    at: DateTime = strawberry.field(description="When.")
    undone_by: str | None = strawberry.field(name="undoneBy", description="Who undid it.")
    undone_at: DateTime | None = strawberry.field(name="undoneAt", description="When that was.")
    in_force: bool = strawberry.field(
        name="inForce", description="Whether it is the latest of its pair that is not undone."
    )

    @classmethod
    def of(cls, decided: commands.Decided) -> Self:
        """The decision as GraphQL tells it."""
        made = decided.decision
        return cls(
            id=strawberry.ID(made.id),
            act=strawberry.ID(made.act),
            verdict=MatchVerdict[made.verdict.upper()],
            left=strawberry.ID(made.left),
            right=strawberry.ID(made.right),
            holds_to=made.holds_to,
            by=made.actor,
            at=DateTime(made.at),
            undone_by=made.undone_by,
            undone_at=None if made.undone_at is None else DateTime(made.undone_at),
            in_force=decided.in_force,
        )


@strawberry.type(description="Two parties, how alike they are, and what came of it. Bits: log2 of the odds.")
class MatchExplanation:
    """The story of a pair."""

    left: strawberry.ID = strawberry.field(description="Id of the one party.")
    right: strawberry.ID = strawberry.field(description="Id of the other.")
    together: bool = strawberry.field(description="Whether they are one customer.")
    reason: MatchReason = strawberry.field(description="Why, or why not.")
    weight: float = strawberry.field(
        description="Match weight in bits: prior, comparisons and shared identifiers."
    )
    merge_weight: float = strawberry.field(name="mergeWeight", description="Bits that are enough.")
    prior: float | None = strawberry.field(
        description="Bits before anything is compared; null for a person and an organisation, which no model compares."
    )
    comparisons: list[MatchStep] = strawberry.field(description="What each comparison adds.")
    schemes: list[str] = strawberry.field(description="Kinds of strong identifiers of which they share one.")
    identifier_bits: float = strawberry.field(
        name="identifierBits", description="What each of these kinds adds."
    )
    decision: MatchDecision | None = strawberry.field(
        description="What was decided of them, if it is in force."
    )

    @classmethod
    def of(cls, story: PairStory) -> Self:
        """The story as GraphQL tells it."""
        steps = story.waterfall.comparisons if story.waterfall else ()
        return cls(
            left=strawberry.ID(story.left),
            right=strawberry.ID(story.right),
            together=story.together,
            reason=_reason(story.why),
            weight=story.weight,
            merge_weight=story.merge_weight,
            prior=story.waterfall.prior if story.waterfall else None,
            comparisons=[
                MatchStep(
                    comparison=step.comparison,
                    level=step.level,
                    bits=step.total,
                    frequency_bits=step.frequency,
                )
                for step in steps
            ],
            schemes=list(story.schemes),
            identifier_bits=story.identifier_weight,
            decision=MatchDecision.of(commands.Decided(story.decision, True)) if story.decision else None,
        )


@strawberry.type(description="A pair of parties that holds a customer together by itself.")
class MatchHold:
    """One hold."""

    left: strawberry.ID = strawberry.field(description="Id of the one party.")
    right: strawberry.ID = strawberry.field(description="Id of the other.")
    weight: float = strawberry.field(description="Match weight in bits.")
    reason: MatchReason = strawberry.field(description="What makes it enough.")

    @classmethod
    def of(cls, hold: Hold) -> Self:
        """The hold as GraphQL tells it."""
        return cls(
            left=strawberry.ID(hold.left),
            right=strawberry.ID(hold.right),
            weight=hold.weight,
            reason=_reason(hold.why),
        )


@strawberry.type(description="What holds a customer together.")
class CustomerExplanation:
    """The story of a customer."""

    customer_id: strawberry.ID = strawberry.field(
        name="customerId", description="The customer's id as it is now."
    )
    parties: list[strawberry.ID] = strawberry.field(description="Ids of its parties.")
    holds: list[MatchHold] = strawberry.field(
        description="The pairs that are enough by themselves: those that stewards joined, then the strongest first."
    )
    weakest: MatchHold | None = strawberry.field(
        description="That without which it would fall apart most easily; null for one party."
    )
    parts: list[list[strawberry.ID]] = strawberry.field(
        description="The parties on either side of the weakest; none where there is none."
    )

    @classmethod
    def of(cls, story: CustomerStory) -> Self:
        """The story as GraphQL tells it."""
        return cls(
            customer_id=strawberry.ID(story.customer),
            parties=ids_of(story.parties),
            holds=[MatchHold.of(hold) for hold in story.holds],
            weakest=MatchHold.of(story.weakest) if story.weakest else None,
            parts=[ids_of(sorted(part)) for part in story.parts or ()],
        )


@strawberry.type(description="A pair of parties about which a steward's word is worth something.")
class MatchDoubt:
    """One row of the queue."""

    kind: MatchDoubtKind = strawberry.field(description="What is in doubt.")
    left: strawberry.ID = strawberry.field(description="Id of the one party.")
    right: strawberry.ID = strawberry.field(description="Id of the other.")
    customer_ids: list[strawberry.ID] = strawberry.field(
        name="customerIds", description="Their customers; one where they are the same."
    )
    weight: float = strawberry.field(description="Match weight in bits.")
    merge_weight: float = strawberry.field(name="mergeWeight", description="Bits that are enough.")
    parties: list[Long] = strawberry.field(
        description="How many parties are on either side: what a decision would join or part."
    )
    worth: float = strawberry.field(
        description="What a decision is worth: p (1 - p) times these parties, where p is the probability that the"
        " pair is the same if half of those at `mergeWeight` are."
    )
    cursor: str = strawberry.field(description="`matchReview` goes on after it.")

    @classmethod
    def of(cls, doubt: Doubt) -> Self:
        """The doubt as GraphQL tells it."""
        return cls(
            kind=MatchDoubtKind[doubt.kind.name],
            left=strawberry.ID(doubt.left),
            right=strawberry.ID(doubt.right),
            customer_ids=ids_of(doubt.customers),
            weight=doubt.weight,
            merge_weight=doubt.merge_weight,
            parties=[Long(side) for side in doubt.sides],
            worth=doubt.worth,
            cursor=commands.cursor_of(doubt),
        )


def ids_of(ids: Sequence[str]) -> list[strawberry.ID]:
    """Ids as GraphQL tells them."""
    return [strawberry.ID(id_) for id_ in ids]


def _reason(why: Why) -> MatchReason:
    return MatchReason[why.name]


# questions


def _author(info: Info[RequestContext, None]) -> Author:
    return Author.of(info.context.requester, info.context.services.access)


def asking(info: Info[RequestContext, None], first: int = 0) -> Author:
    """Who asks, if not under break-glass and not for too much."""
    if info.context.access.glass is not None:
        raise AccessDeniedError("under break-glass nothing is told but of the one customer")
    most = info.context.services.settings.max_page
    if not 0 <= first <= most:
        raise QueryError(f"first is {first}; it may be 0 to {most}")
    return _author(info)


def _explain_match(
    info: Info[RequestContext, None], left: PartyId, right: PartyId
) -> MatchExplanation | None:
    author = asking(info)
    return MatchExplanation.of(commands.explain_match(info.context.services, author, left, right))


def _why_not(info: Info[RequestContext, None], one: CustomerId, other: CustomerId) -> MatchExplanation | None:
    author = asking(info)
    return MatchExplanation.of(commands.why_not(info.context.services, author, one, other))


def _explain_customer(
    info: Info[RequestContext, None],
    id: CustomerId,  # noqa: A002 - the argument's name in GraphQL, as everywhere
) -> CustomerExplanation | None:
    author = asking(info)
    return CustomerExplanation.of(commands.explain_customer(info.context.services, author, id))


def _review(
    info: Info[RequestContext, None],
    first: First = 20,
    after: Annotated[
        str | None, strawberry.argument(description="Only what comes after the one with this cursor.")
    ] = None,
    kind: Annotated[
        MatchDoubtKind | None, strawberry.argument(description="Only of this kind; all unless given.")
    ] = None,
) -> list[MatchDoubt] | None:
    author = asking(info, first)
    kinds = tuple(DoubtKind) if kind is None else (DoubtKind[kind.name],)
    found = commands.match_review(info.context.services, author, first=first, after=after, kinds=kinds)
    return [MatchDoubt.of(doubt) for doubt in found]


def _decisions(
    info: Info[RequestContext, None],
    first: First = 20,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those made before the one with this id.")
    ] = None,
    act: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this act.")] = None,
    party: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those that name this party.")
    ] = None,
) -> list[MatchDecision] | None:
    author = asking(info, first)
    found = commands.match_decisions(
        info.context.services, author, first=first, after=after, act=act, party=party
    )
    return [MatchDecision.of(decided) for decided in found]


@strawberry.type
class MatchQuery:
    """What stewards ask before they decide."""

    explain_match: MatchExplanation | None = strawberry.field(
        name="explainMatch",
        resolver=_explain_match,
        description=f"Why two parties are one customer, or are not. {MAY}",
    )
    why_not: MatchExplanation | None = strawberry.field(
        name="whyNot",
        resolver=_why_not,
        description="Why two customers are not one: of all pairs of their parties the one that comes nearest."
        f" {MAY}",
    )
    explain_customer: CustomerExplanation | None = strawberry.field(
        name="explainCustomer",
        resolver=_explain_customer,
        description=f"What holds a customer together, and where it is weakest. {MAY}",
    )
    match_review: list[MatchDoubt] | None = strawberry.field(
        name="matchReview",
        resolver=_review,
        description=f"Pairs in doubt that nobody has decided, those whose decision is worth the most first. {MAY}",
    )
    match_decisions: list[MatchDecision] | None = strawberry.field(
        name="matchDecisions",
        resolver=_decisions,
        description=f"What was decided, the latest first, with what was undone. {MAY}",
    )
