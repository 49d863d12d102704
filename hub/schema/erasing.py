"""Erasures in GraphQL: erasing a customer, what is known of one who was erased, and letting somebody back in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub import commands
from hub.commands import Author
from hub.errors import AccessDeniedError, QueryError
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import DateTime, Long

_REASON = "Why, in 20 to 1000 characters; sealed, and refused where it names the customer."
_TICKET = "Where the request is followed; 1 to 100 characters, the like."


@strawberry.enum(
    name="ErasureGround",
    description="Why somebody has the right to be forgotten: GDPR Art. 17(1), (a) to (f).",
)
class ErasureGround(Enum):
    """The grounds, as they are stored."""

    NO_LONGER_NECESSARY = strawberry.enum_value(
        "no_longer_necessary", description="(a): the purposes are reached."
    )
    CONSENT_WITHDRAWN = strawberry.enum_value(
        "consent_withdrawn", description="(b): they withdrew their consent, and nothing else allows it."
    )
    OBJECTION = strawberry.enum_value(
        "objection", description="(c): they objected (Art. 21), and nothing overrides that."
    )
    UNLAWFUL = strawberry.enum_value("unlawful", description="(d): the data was processed unlawfully.")
    LEGAL_OBLIGATION = strawberry.enum_value("legal_obligation", description="(e): a law demands it.")
    CHILD = strawberry.enum_value(
        "child", description="(f): it was collected from a child by a service of the information society."
    )


@strawberry.enum(name="ErasureState", description="How far an erasure is.")
class ErasureState(Enum):
    """How far an erasure may be, as it is stored."""

    OPEN = strawberry.enum_value("open", description="Something remains; the next start goes on.")
    VERIFIED = strawberry.enum_value(
        "verified", description="Nothing remains but bytes in files that were not scrubbed yet."
    )
    SCRUBBED = strawberry.enum_value("scrubbed", description="Nothing remains in the files either.")


@strawberry.input(description="Who is to be erased, and why.")
class EraseCustomerInput:
    """Input of an erasure."""

    customer_id: strawberry.ID = strawberry.field(name="customerId", description="Public id of the customer.")
    ground: ErasureGround = strawberry.field(description="The ground in law; the audit log tells it.")
    reason: str = strawberry.field(description=_REASON)
    ticket: str = strawberry.field(description=_TICKET)
    scrub: bool = strawberry.field(
        default=True,
        description="Whether the files are scrubbed at once, which builds the search index anew; if not, `hub erase"
        " scrub` does it for many customers together.",
    )
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(name="PlaceCount", description="How many rows of a place an erasure is about.")
class PlaceCount:
    """A count."""

    place: str = strawberry.field(description="A table, or another place where the hub keeps something.")
    count: Long = strawberry.field(description="How many.")

    @classmethod
    def all(cls, counts: Mapping[str, int]) -> list[Self]:
        """One for each place, by name."""
        return [cls(place=place, count=Long(count)) for place, count in sorted(counts.items())]


@strawberry.type(description="What an erasure has done.")
class ErasedCustomer:
    """Payload of an erasure."""

    id: strawberry.ID = strawberry.field(description="Id of the erasure, which is that of its audit event.")
    event: Long = strawberry.field(description="Number of that event: `hub audit prove` gives its receipt.")
    counts: list[PlaceCount] = strawberry.field(description="What was deleted or emptied.")
    mentions: Long = strawberry.field(
        description="Finds of the customer's e-mail addresses and phone numbers in what is others', who keep it."
    )
    verified: bool = strawberry.field(description="Whether nothing refers to the customer any more.")
    remaining: list[PlaceCount] = strawberry.field(
        description="What does; nothing, unless something went wrong."
    )
    state: ErasureState = strawberry.field(description="How far the erasure is.")


@strawberry.type(name="Erasure", description="An erased customer: all that is known of them.")
class ErasureTombstone:
    """What stands where a customer was."""

    id: strawberry.ID = strawberry.field(description="Id of the erasure.")
    customer_ids: list[strawberry.ID] = strawberry.field(
        name="customerIds", description="Every id that the customer had."
    )
    erased_at: DateTime = strawberry.field(name="erasedAt", description="When the erasure was ordered.")
    ground: ErasureGround = strawberry.field(description="Its ground.")
    event: Long = strawberry.field(
        description="Number of its audit event: `hub audit prove` gives the receipt."
    )
    state: ErasureState = strawberry.field(description="How far it is.")
    rule: str | None = strawberry.field(
        description="The rule of retention by which it was; null where somebody ordered it. Without customers it was of"
        " single records."
    )

    @classmethod
    def of(cls, record: commands.ErasureRecord) -> Self:
        """The record as GraphQL tells it."""
        return cls(
            id=strawberry.ID(record.id),
            customer_ids=[strawberry.ID(customer) for customer in record.customers],
            erased_at=DateTime(record.at),
            ground=ErasureGround[record.ground.upper()],
            event=Long(record.event),
            state=ErasureState[record.state.upper()],
            rule=record.rule,
        )


@strawberry.input(
    description="What was erased and is let in again: an identifier, a record, or all of an erasure; one of these."
)
class ReleaseSuppressionInput:
    """Input of a release."""

    scheme: str | None = strawberry.field(
        default=None, description="Kind of an identifier, as `email`; with `value`."
    )
    value: str | None = strawberry.field(
        default=None, description="The identifier; spelling does not matter."
    )
    region: str | None = strawberry.field(
        default=None, description="Country of a phone number without country code, as `GB`."
    )
    source: str | None = strawberry.field(
        default=None, description="Source of a record; with `stream` and `recordKey`."
    )
    stream: str | None = strawberry.field(default=None, description="Its stream.")
    record_key: str | None = strawberry.field(
        name="recordKey", default=None, description="Its key in the source."
    )
    erasure_id: strawberry.ID | None = strawberry.field(
        name="erasureId", default=None, description="All that an erasure keeps out."
    )
    reason: str = strawberry.field(description="Why, in 20 to 1000 characters; sealed.")
    ticket: str = strawberry.field(description="Where the request is followed; 1 to 100 characters, sealed.")
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(description="Suppressions that were taken back.")
class ReleasedSuppression:
    """Payload of a release."""

    event: Long = strawberry.field(description="Number of the audit event that tells of it.")
    count: Long = strawberry.field(description="How many were taken back.")


def _author(info: Info[RequestContext, None]) -> Author:
    return Author.of(info.context.requester, info.context.services.access)


def _erase(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        EraseCustomerInput, strawberry.argument(description="Who is to be erased.")
    ],
) -> ErasedCustomer | None:
    ground = commands.Ground[input.ground.name]
    order = commands.EraseCustomer(
        input.customer_id, ground, input.reason, input.ticket, input.idempotency_key, input.scrub
    )
    done = commands.erase_customer(info.context.services, _author(info), order)
    return ErasedCustomer(
        id=strawberry.ID(done.id),
        event=Long(done.event),
        counts=PlaceCount.all(done.counts),
        mentions=Long(done.mentions),
        verified=not done.remaining,
        remaining=PlaceCount.all(done.remaining),
        state=ErasureState[done.state.upper()],
    )


def _release(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - as above
        ReleaseSuppressionInput, strawberry.argument(description="What is let in again.")
    ],
) -> ReleasedSuppression | None:
    order = commands.ReleaseSuppression(
        input.reason,
        input.ticket,
        input.idempotency_key,
        scheme=input.scheme,
        value=input.value,
        region=input.region,
        source=input.source,
        stream=input.stream,
        record_key=input.record_key,
        erasure=input.erasure_id,
    )
    done = commands.release_suppression(info.context.services, _author(info), order)
    return ReleasedSuppression(event=Long(done.event), count=Long(done.count))


def _erasure(
    info: Info[RequestContext, None],
    customer_id: Annotated[
        strawberry.ID, strawberry.argument(name="customerId", description="An id that the customer had.")
    ],
) -> ErasureTombstone | None:
    _refuse_under_glass(info)
    found = commands.find_erasure(info.context.services, _author(info), customer_id)
    return None if found is None else ErasureTombstone.of(found)


def _erasures(
    info: Info[RequestContext, None],
    first: Annotated[int, strawberry.argument(description="How many at most.")] = 50,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those after the one with this id.")
    ] = None,
) -> list[ErasureTombstone] | None:
    _refuse_under_glass(info)
    most = info.context.services.settings.max_page
    if not 0 <= first <= most:
        raise QueryError(f"first is {first}; it may be 0 to {most}")
    found = commands.list_erasures(info.context.services, _author(info), first=first, after=after or "")
    return [ErasureTombstone.of(record) for record in found]


def _refuse_under_glass(info: Info[RequestContext, None]) -> None:
    if info.context.access.glass is not None:
        raise AccessDeniedError("under break-glass nothing is told but of the one customer")


@strawberry.type
class ErasureQuery:
    """What is known of those who were erased."""

    erasure: ErasureTombstone | None = strawberry.field(
        resolver=_erasure,
        description="The erasure of the customer who had this id, null where nobody was erased who had: `customer` is"
        " null for both. For those to whom the policy gives `erase_customer`.",
    )
    erasures: list[ErasureTombstone] | None = strawberry.field(
        resolver=_erasures, description="All erasures, the oldest first; for the same."
    )


@strawberry.type
class ErasureMutation:
    """Erasing, and taking suppressions back."""

    erase_customer: ErasedCustomer | None = strawberry.field(
        name="eraseCustomer",
        resolver=_erase,
        description="Erase a customer with all that is kept of them, in every place, for good (GDPR Art. 17). What the"
        " sources still hold is not taken in again. For those to whom the policy gives `erase_customer`.",
    )
    release_suppression: ReleasedSuppression | None = strawberry.field(
        name="releaseSuppression",
        resolver=_release,
        description="Let in again what an erasure keeps out, because the person came back; for the same.",
    )
