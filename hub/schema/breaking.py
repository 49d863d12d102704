"""Break-glass in GraphQL: opening, ending and reviewing it, and the queue of those who review."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.commands import Author, BrokenGlass
from hub.errors import AccessDeniedError, QueryError
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import DateTime, Long

STOP = "stopBreakGlass"
"""The one mutation that may be sent under a broken glass."""

GlassId = Annotated[strawberry.ID, strawberry.argument(description="Id of the break-glass.")]


@strawberry.input(description="What is to be opened, of whom, and why.")
class BreakGlassInput:
    """Input of a break-glass."""

    customer_id: strawberry.ID = strawberry.field(
        name="customerId", description="Public id of the one customer that it opens."
    )
    categories: list[str] = strawberry.field(
        description="Data categories, each with all below it up to special ones; 20 at most."
    )
    reason: str = strawberry.field(description="Why, in 20 to 1000 characters; for reviewers alone.")
    ticket: str = strawberry.field(description="Where the case is followed; 1 to 100 characters.")
    minutes: int | None = strawberry.field(
        default=None, description="For how long; as long as the policy lets the role, unless given."
    )
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(description="A glass that was broken: name its id in the header `X-Break-Glass`.")
class OpenedGlass:
    """Payload of a break-glass."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    expires_at: DateTime = strawberry.field(name="expiresAt", description="When it ends by itself.")


@strawberry.enum(name="BreakGlassOutcome", description="What a reviewer found.")
class GlassOutcome(Enum):
    """The outcomes, as they are stored."""

    JUSTIFIED = strawberry.enum_value("justified", description="There was an emergency.")
    NOT_JUSTIFIED = strawberry.enum_value("not_justified", description="There was none: it is a case now.")


@strawberry.enum(name="BreakGlassState", description="How far a break-glass is.")
class GlassState(Enum):
    """The states."""

    OPEN = strawberry.enum_value("open", description="It can be used.")
    ENDED = strawberry.enum_value("ended", description="It waits for its review.")
    REVIEWED = strawberry.enum_value("reviewed", description="It was reviewed.")


@strawberry.type(name="BreakGlass", description="A glass that was broken, as its reviewers see it.")
class GlassRecord:
    """A broken glass in GraphQL."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    state: GlassState = strawberry.field(description="How far it is.")
    overdue: bool = strawberry.field(description="Whether nobody has reviewed it for 72 hours.")
    subject: str = strawberry.field(description="Who broke it, as the identity provider names them.")
    roles: list[str] = strawberry.field(description="Their roles.")
    department: str | None = strawberry.field(description="Their department.")
    purpose: str = strawberry.field(description="For which purpose.")
    customer_id: strawberry.ID = strawberry.field(name="customerId", description="Whose data it opened.")
    categories: list[str] = strawberry.field(description="Which data categories it opened.")
    reason: str = strawberry.field(description="Why.")
    ticket: str = strawberry.field(description="Where the case is followed.")
    started_at: DateTime = strawberry.field(name="startedAt", description="When it began.")
    expires_at: DateTime = strawberry.field(
        name="expiresAt", description="When it ends, or ended, by itself."
    )
    stopped_at: DateTime | None = strawberry.field(name="stoppedAt", description="When it ended.")
    stopped_by: str | None = strawberry.field(
        name="stoppedBy", description="Who ended it; null where its time ran out, or has not yet."
    )
    uses: Long = strawberry.field(
        description="Queries that were answered under it, and subscriptions that began."
    )
    notified_at: DateTime | None = strawberry.field(
        name="notifiedAt",
        description="When the notice of it was taken; null where it was not, or none is sent.",
    )
    notices: Long = strawberry.field(description="Attempts to send the notice.")
    reviewed_at: DateTime | None = strawberry.field(name="reviewedAt", description="When it was reviewed.")
    reviewed_by: str | None = strawberry.field(name="reviewedBy", description="Who reviewed it.")
    outcome: GlassOutcome | None = strawberry.field(description="What they found.")
    note: str | None = strawberry.field(description="What they said of it.")

    @classmethod
    def of(cls, glass: BrokenGlass) -> Self:
        """The row as GraphQL tells it."""
        return cls(
            id=strawberry.ID(glass.id),
            state=GlassState[glass.state.upper()],
            overdue=glass.is_overdue,
            subject=glass.subject,
            roles=list(glass.roles),
            department=glass.department,
            purpose=glass.purpose,
            customer_id=strawberry.ID(glass.customer_id),
            categories=list(glass.categories),
            reason=glass.reason,
            ticket=glass.ticket,
            started_at=DateTime(glass.started_at),
            expires_at=DateTime(glass.expires_at),
            stopped_at=_at(glass.stopped_at),
            stopped_by=glass.stopped_by,
            uses=Long(glass.uses),
            notified_at=_at(glass.notified_at),
            notices=Long(glass.notices),
            reviewed_at=_at(glass.reviewed_at),
            reviewed_by=glass.reviewed_by,
            outcome=None if glass.outcome is None else GlassOutcome[glass.outcome.upper()],
            note=glass.note,
        )


@strawberry.type(description="A break-glass that has ended.")
class EndedGlass:
    """Payload of an end."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    stopped_at: DateTime | None = strawberry.field(name="stoppedAt", description="When it ended.")


@strawberry.type(description="A break-glass that was reviewed.")
class ReviewedGlass:
    """Payload of a review."""

    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="What a reviewer found of a break-glass.")
class ReviewBreakGlassInput:
    """Input of a review."""

    id: strawberry.ID = strawberry.field(description="Id of the break-glass.")
    outcome: GlassOutcome = strawberry.field(description="What was found.")
    note: str = strawberry.field(
        default="", description="What there is to say of it, at most 1000 characters."
    )
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


def _at(text: str | None) -> DateTime | None:
    return None if text is None else DateTime(text)


def _outcome(given: GlassOutcome) -> commands.Outcome:
    return "justified" if given is GlassOutcome.JUSTIFIED else "not_justified"


def refuse_under_glass(context: RequestContext) -> None:
    """See to it that nobody asks through a broken glass for what is not about the one customer.

    Raises:
        AccessDeniedError: they do.
    """
    if context.access.glass is not None:
        raise AccessDeniedError("under break-glass nothing is told but of the one customer")


def author_of(info: Info[RequestContext, None]) -> Author:
    """Who asks."""
    return Author.of(info.context.requester, info.context.services.access)


def _break(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        BreakGlassInput, strawberry.argument(description="What is to be opened.")
    ],
) -> OpenedGlass | None:
    order = commands.BreakGlass(
        input.customer_id,
        tuple(input.categories),
        input.reason,
        input.ticket,
        input.minutes,
        input.idempotency_key,
    )
    opened = commands.break_glass(info.context.services, author_of(info), order)
    return OpenedGlass(id=strawberry.ID(opened.id), expires_at=DateTime(opened.expires_at))


def _stop(info: Info[RequestContext, None], id: GlassId) -> EndedGlass | None:  # noqa: A002 - as above
    glass = commands.stop_glass(info.context.services, author_of(info), id)
    return EndedGlass(id=strawberry.ID(glass.id), stopped_at=_at(glass.stopped_at))


def _review(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        ReviewBreakGlassInput, strawberry.argument(description="What was found.")
    ],
) -> ReviewedGlass | None:
    order = commands.ReviewGlass(input.id, _outcome(input.outcome), input.note, input.idempotency_key)
    return ReviewedGlass(
        id=strawberry.ID(commands.review_glass(info.context.services, author_of(info), order))
    )


def _queue(
    info: Info[RequestContext, None],
    reviewed: Annotated[
        bool, strawberry.argument(description="Those that were reviewed, instead of those that wait for it.")
    ] = False,
    first: Annotated[int, strawberry.argument(description="How many at most.")] = 50,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those after the one with this id.")
    ] = None,
) -> list[GlassRecord] | None:
    context, most = info.context, info.context.services.settings.max_page
    refuse_under_glass(context)
    if not 0 <= first <= most:
        raise QueryError(f"first is {first}; it may be 0 to {most}")
    found = commands.broken_glasses(
        context.services, author_of(info), reviewed=reviewed, first=first, after=after or ""
    )
    context.touched.add(customers=[glass.customer_id for glass in found])
    return [GlassRecord.of(glass) for glass in found]


@strawberry.type
class GlassQuery:
    """The review queue."""

    break_glasses: list[GlassRecord] | None = strawberry.field(
        name="breakGlasses",
        resolver=_queue,
        description="Broken glasses that wait for a review, the oldest first; for those to whom the policy gives"
        " `review_break_glass`.",
    )


@strawberry.type
class GlassMutation:
    """What is done with broken glasses."""

    break_glass: OpenedGlass | None = strawberry.field(
        name="breakGlass",
        resolver=_break,
        description="Open data categories of one customer in an emergency, for a while and with a reason. Requests see"
        " them that name its id in the header `X-Break-Glass`, and nothing of anybody else. It is reviewed afterwards.",
    )
    stop_break_glass: EndedGlass | None = strawberry.field(
        name=STOP, resolver=_stop, description="End a break-glass of one's own; who reviews may end any."
    )
    review_break_glass: ReviewedGlass | None = strawberry.field(
        name="reviewBreakGlass",
        resolver=_review,
        description="Say of a break-glass that has ended whether it was justified; not by who broke it.",
    )
