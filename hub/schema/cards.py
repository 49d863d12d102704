"""A card in GraphQL: its types, and how the parts of one become theirs."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Self

import strawberry

from hub import calls
from hub.calls import Call, Card
from hub.schema.scalars import DateTime


def _field(words: str, name: str | None = None) -> Any:
    return strawberry.field(name=name, description=words)


@strawberry.type(description="Why somebody may be calling, with what the hub has it from.")
class CallReason:
    """One reason."""

    kind: str = _field(
        "Such as ticket_awaiting_customer, delivery_late, invoice_reminded, return_in_progress."
    )
    text: str = _field("In a line.")
    ref: str | None = _field("Number that people know it by.")
    at: str | None = _field("When it came about: a date or an instant.")
    why: str = _field("Why the hub thinks so.")
    type: str = _field("Type of the entity that it was told from.")
    id: strawberry.ID = _field("Its id.")
    source: str | None = _field("The source that states it.")


@strawberry.type(description="A touchpoint, on any channel.")
class CallTouch:
    """One touchpoint."""

    id: strawberry.ID = _field("Id of the entity.")
    type: str = _field("Its type.")
    at: str = _field("When it was.")
    title: str | None = _field("What it was about.")
    channel: str | None = _field("Its channel.")
    direction: str | None = _field("inbound if the customer began it.")
    handled_by: str | None = _field("Who took part for us.", "handledBy")
    outcome: str | None = _field("What came of it.")
    source: str = _field("The source that states it.")


@strawberry.type(description="A ticket, order, parcel, invoice or return that is not done with.")
class CallOpenThing:
    """One open thing."""

    kind: str = _field("ticket, order, parcel, invoice or return.")
    id: strawberry.ID = _field("Id of the entity.")
    ref: str | None = _field("Number that people know it by.")
    title: str | None = _field("What it is about, or the sum that is due.")
    status: str | None = _field("How far it is.")
    at: str | None = _field("When it began.")
    due: str | None = _field("When it should be done.")
    source: str | None = _field("The source that states it.")


@strawberry.type(description="What we promised and have not kept yet.")
class CallPromise:
    """One promise."""

    text: str = _field("What was promised.")
    by: str | None = _field("Who promised it.")
    due: str | None = _field("By when.")
    id: strawberry.ID = _field("Id of the interaction or ticket.")
    source: str | None = _field("The source that states it.")


@strawberry.type(description="Somebody else who may be meant: on the line, in the household, at the account.")
class CallOther:
    """One other."""

    id: strawberry.ID = _field("Public id of the customer.")
    name: str | None = _field("Their name.")
    relation: str = _field("same line, household, or what they are at the account.")
    calls: int = _field("How often they were picked for calls from this number.")


@strawberry.type(description="What the customer is worth, as far as the caller may know.")
class CallWorth:
    """A customer's worth."""

    orders: int | None = _field("How many orders.")
    total: list[str] = _field("What they bought, a text for each currency.")
    since: str | None = _field("Since when they are a customer.")
    points: str | None = _field("Points of their loyalty account.")


@strawberry.type(description="How fresh a source's word is.")
class CallSourceAge:
    """The age of one source."""

    source: str = _field("The source.")
    at: str | None = _field("When its newest good run began.")
    state: str | None = _field("How its newest run ended.")


@strawberry.type(description="A customer who may be calling.")
class CallMatch:
    """One match."""

    id: strawberry.ID = _field("Public id of the customer.")
    kind: str = _field("PERSON or ORGANIZATION.")
    confidence: float = _field("From 0 to 1, as one would bet.")
    why: list[str] = _field("What speaks for them, and against.")
    level: int = _field("How sure it is who calls: 0 a number, 1 the PBX vouches, 2 an agent confirmed.")
    calls: int = _field("How often they were picked for calls from this number.")
    name: str | None = _field("Their name.")
    company: str | None = _field("Whom they work for.")
    tier: str | None = _field("Their tier.")
    language: str | None = _field("The language they prefer.")
    open_tickets: int | None = _field("How many tickets are open.", "openTickets")
    phones: list[str] = _field("Their numbers.")
    email: str | None = _field("Their e-mail address.")
    likely: CallReason | None = _field("The likeliest reason.")
    reasons: list[CallReason] = _field("The likeliest reasons, from level 1 on.")
    touches: list[CallTouch] = _field("The last touchpoints, the newest first, from level 2 on.")
    open: list[CallOpenThing] = _field("What is open: headlines from level 1 on.")
    promises: list[CallPromise] = _field("What we promised, from level 2 on.")
    warnings: list[str] = _field("What to mind, from level 2 on.")
    worth: CallWorth | None = _field("What they are worth, from level 2 on.")
    others: list[CallOther] = _field("Others who may be meant.")
    freshness: list[CallSourceAge] = _field("How fresh each source's word is, from level 2 on.")
    withheld: list[str] = _field("Parts that the policy withholds.")
    uui: str | None = _field(
        "User-to-user information for a call that is handed on: within 15 minutes it leads to them again."
    )


@strawberry.type(description="Where the number of a call stands in a text: maybe it is theirs.")
class CallMention:
    """One mention."""

    type: str = _field("Type of the entity.")
    id: strawberry.ID = _field("Its id.")
    customer_id: strawberry.ID | None = _field("Whose it is, where the caller may know.", "customerId")
    title: str = _field("What lists show of it.")


@strawberry.type(description="A call in the journal.")
class PhoneCall:
    """One call."""

    id: strawberry.ID = _field("The hub's id of the call.")
    pbx: str = _field("The PBX that told of it.")
    key: str = _field("What that calls it.")
    state: str = _field("ringing, answered or ended.")
    direction: str = _field("inbound or outbound.")
    extension: str | None = _field("Our extension that rings or answered.")
    began_at: DateTime = _field("When it was first told of.", "beganAt")
    answered_at: DateTime | None = _field("When it was answered.", "answeredAt")
    ended_at: DateTime | None = _field("When it ended.", "endedAt")
    missed: bool = _field("Whether it ended without an answer.")
    customer_id: strawberry.ID | None = _field("Whom it is with, as far as somebody says so.", "customerId")
    wrapped_up: bool = _field("Whether an agent said what came of it.", "wrappedUp")

    @classmethod
    def of(cls, call: Call) -> Self:
        """The call as GraphQL tells it."""
        return cls(
            id=strawberry.ID(call.id),
            pbx=call.pbx,
            key=call.key,
            state=call.state.value,
            direction=call.direction,
            extension=call.extension,
            began_at=DateTime(call.began_at),
            answered_at=DateTime(call.answered_at) if call.answered_at else None,
            ended_at=DateTime(call.ended_at) if call.ended_at else None,
            missed=call.was_missed,
            customer_id=strawberry.ID(call.customer_id) if call.customer_id else None,
            wrapped_up=call.wrapped_at is not None,
        )


@strawberry.type(description="The answer to a ringing phone.")
class ScreenPop:
    """A card."""

    status: str = _field("none, one or many.")
    deadline_hit: bool = _field("Whether there was no time for all of it.", "deadlineHit")
    number: str | None = _field("The caller's number in E.164, where it is one.")
    shown: str = _field("What kind of number was shown: whole, withheld, short or broken.")
    region: str | None = _field("Where the number is from.")
    brand: str | None = _field("What the dialled number is for.")
    matches: list[CallMatch] = _field("Who may be calling, the likeliest first.")
    mentions: list[CallMention] = _field("Where the number stands in texts, if nobody holds it.")
    notes: list[str] = _field("What the hub could not make use of, and why.")
    call: PhoneCall | None = _field("The call, where the hub was told of it.")


_TYPES: dict[type, type] = {
    calls.Reason: CallReason,
    calls.Touch: CallTouch,
    calls.OpenThing: CallOpenThing,
    calls.Promise: CallPromise,
    calls.Other: CallOther,
    calls.Worth: CallWorth,
    calls.SourceAge: CallSourceAge,
    calls.Match: CallMatch,
    calls.Mention: CallMention,
}


def _told(value: Any) -> Any:
    """A part of a card as GraphQL tells it: of the type of the same fields."""
    if isinstance(value, tuple):
        return [_told(each) for each in value]
    kind = _TYPES.get(type(value))
    if kind is None:
        return value
    return kind(**{each.name: _told(getattr(value, each.name)) for each in fields(value)})


def screen_pop(card: Card, call: Call | None) -> ScreenPop:
    """The card as GraphQL tells it."""
    return ScreenPop(
        status=card.status.value,
        deadline_hit=card.deadline_hit,
        number=card.number.e164,
        shown=card.number.shown.value,
        region=card.number.region,
        brand=card.brand,
        matches=_told(card.matches),
        mentions=_told(card.mentions),
        notes=list(card.notes),
        call=None if call is None else PhoneCall.of(call),
    )
