"""Screen pop in GraphQL: who is calling, as a question and as it happens, and what agents say of calls."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import Info

from hub import calls, commands
from hub.access import Command
from hub.calls import Asked
from hub.commands import Author
from hub.errors import AccessDeniedError
from hub.schema.cards import ScreenPop, screen_pop
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import DateTime

POP_FIELD = "screenPop"


def _field(words: str, name: str | None = None) -> Any:
    return strawberry.field(name=name, description=words)


def require_calls(may: bool) -> None:
    """See to it that who asks of a call may handle calls.

    Raises:
        AccessDeniedError: the policy does not let them.
    """
    if not may:
        raise AccessDeniedError("calls are for those whom the policy lets handle_call")


def note_seen(context: RequestContext, asked: Asked) -> None:
    """Count what was read for the card among what the request read."""
    seen = asked.seen
    context.touched.add(seen.types, seen.categories, seen.properties, seen.customers)
    context.touched.masked += seen.masked
    context.touched.denied += seen.denied


_Text = Annotated[
    str | None, strawberry.argument(description="As it is known; null or absent where it is not.")
]


def _screen_pop(
    info: Info[RequestContext, None],
    number: Annotated[
        str | None, strawberry.argument(description="The caller's number, in any form.")
    ] = None,
    dnis: Annotated[str | None, strawberry.argument(description="Our number that was called.")] = None,
    ivr_id: Annotated[
        str | None,
        strawberry.argument(name="ivrId", description="What the caller typed: a customer or card number."),
    ] = None,
    uui: Annotated[str | None, strawberry.argument(description="The token that came with a call.")] = None,
    reference: Annotated[
        str | None, strawberry.argument(description="Number of a ticket, order, invoice or parcel.")
    ] = None,
    call_id: Annotated[
        str | None,
        strawberry.argument(
            name="callId", description="A call that a PBX told of, by the hub's id or the PBX's."
        ),
    ] = None,
) -> ScreenPop | None:
    context, call = info.context, None
    if call_id is not None:
        require_calls(_author(context).may(Command.HANDLE_CALL))
        call = commands.find_call(context.services, call_id)
    facts = calls.Facts(ivr_id=ivr_id, uui=uui, reference=reference, number=number, dialled=dnis)
    asked = commands.card_of(context.services, context.access, facts, call)
    note_seen(context, asked)
    return screen_pop(asked.card, call)


@strawberry.type
class CallQuery:
    """Who is calling, as a question."""

    screen_pop: ScreenPop | None = strawberry.field(
        name=POP_FIELD,
        resolver=_screen_pop,
        description="Who is calling: none, one or many, how sure that is and why; what is known within the deadline."
        " How much is shown follows from how the caller of `callId` was verified, and from the policy.",
    )


def _popped(
    root: strawberry.Parent[ScreenPop],
    extension: Annotated[str, strawberry.argument(description="Our extension.")],  # noqa: ARG001 - decides what is told at all
) -> ScreenPop:
    return root


@strawberry.type
class CallSubscription:
    """Who is calling, as it happens."""

    screen_pop: ScreenPop = strawberry.field(
        name=POP_FIELD,
        resolver=_popped,
        description="The card of each call at an extension: one that rings at once, then each whenever the call goes"
        " on or something is said of it.",
    )


# what agents say


@strawberry.enum(name="CallerMethod", description="How an agent made sure who is calling.")
class CallerMethod(Enum):
    """The methods, as they are stored."""

    SECURITY_QUESTION = strawberry.enum_value(
        "security_question", description="They answered what a source knows and a stranger does not."
    )
    CALL_BACK = strawberry.enum_value(
        "call_back", description="They were called back at a number that is held."
    )
    KNOWN_VOICE = strawberry.enum_value("known_voice", description="The agent knows them.")
    ONE_TIME_CODE = strawberry.enum_value(
        "one_time_code", description="They read a code that was sent to them."
    )


@strawberry.type(description="What an agent said of a call.")
class CallHandled:
    """Payload of what is said of a call."""

    call_id: strawberry.ID = _field("The hub's id of the call.", "callId")


@strawberry.input(description="Who is calling.")
class CallerInput:
    """Input of what names a call and a customer."""

    call_id: strawberry.ID = _field("The hub's id of the call.", "callId")
    customer_id: strawberry.ID = _field("Public id of the customer.", "customerId")
    idempotency_key: str = _field(KEY_WORDS, KEY)


@strawberry.input(description="Who is calling, and how that is known.")
class ConfirmCallerInput:
    """Input of a confirmation."""

    call_id: strawberry.ID = _field("The hub's id of the call.", "callId")
    customer_id: strawberry.ID = _field("Public id of the customer.", "customerId")
    method: CallerMethod = _field("How it is known.")
    idempotency_key: str = _field(KEY_WORDS, KEY)


@strawberry.input(description="What came of a call.")
class WrapUpInput:
    """Input of a wrap-up."""

    call_id: strawberry.ID = _field("The hub's id of the call.", "callId")
    subject: str | None = strawberry.field(default=None, description="The reason of the call.")
    summary: str | None = strawberry.field(default=None, description="What was said, in a sentence.")
    outcome: str | None = strawberry.field(
        default=None, description="The disposition: resolved, follow_up, voicemail, no_answer or other."
    )
    promised_text: str | None = strawberry.field(
        name="promisedText", default=None, description="What was promised."
    )
    promised_by: str | None = strawberry.field(
        name="promisedBy", default=None, description="Who promised it."
    )
    promised_for: DateTime | None = strawberry.field(
        name="promisedFor", default=None, description="By when it is to be done."
    )
    sentiment: str | None = strawberry.field(default=None, description="positive, neutral or negative.")
    recording_url: str | None = strawberry.field(
        name="recordingUrl", default=None, description="Where the recording is kept."
    )
    idempotency_key: str = _field(KEY_WORDS, KEY)


@strawberry.input(description="A value of the caller's as they said it is.")
class CorrectCallerInput:
    """Input of an agent's correction."""

    call_id: strawberry.ID = _field("The hub's id of the call.", "callId")
    property: str = _field("The property of the customer, such as `email`.")
    value: str = _field("What it is, as text.")
    reason: str = _field("Why; kept with the value, at most 1000 characters.")
    idempotency_key: str = _field(KEY_WORDS, KEY)


@strawberry.input(description="Somebody who calls and whom no source knows.")
class CreateCallerInput:
    """Input of a caller who is new."""

    call_id: strawberry.ID = _field("The hub's id of the call.", "callId")
    name: str = _field("Their name, as they say it.")
    email: str | None = strawberry.field(default=None, description="Their e-mail address.")
    reason: str = _field("Why they are written down; kept, at most 1000 characters.")
    idempotency_key: str = _field(KEY_WORDS, KEY)


def _author(context: RequestContext) -> Author:
    return Author.of(context.requester, context.services.access)


def _handled(
    context: RequestContext, act: str, call: str, customer: str | None, key: str, method: str | None = None
) -> CallHandled:
    order = commands.HandleCall(call, act, customer, method, key)
    return CallHandled(call_id=strawberry.ID(commands.handle_call(context.services, _author(context), order)))


_Caller = Annotated[CallerInput, strawberry.argument(description="What is to be done.")]


def _pick(info: Info[RequestContext, None], input: _Caller) -> CallHandled | None:  # noqa: A002
    return _handled(info.context, "pick", input.call_id, input.customer_id, input.idempotency_key)


def _reject(info: Info[RequestContext, None], input: _Caller) -> CallHandled | None:  # noqa: A002
    return _handled(info.context, "reject", input.call_id, input.customer_id, input.idempotency_key)


def _confirm(
    info: Info[RequestContext, None],
    input: Annotated[ConfirmCallerInput, strawberry.argument(description="What is to be done.")],  # noqa: A002
) -> CallHandled | None:
    method = str(input.method.value)
    return _handled(info.context, "confirm", input.call_id, input.customer_id, input.idempotency_key, method)


def _undo(
    info: Info[RequestContext, None],
    call_id: Annotated[
        strawberry.ID, strawberry.argument(name="callId", description="The hub's id of the call.")
    ],
    idempotency_key: Annotated[str, strawberry.argument(name=KEY, description=KEY_WORDS)],
) -> CallHandled | None:
    return _handled(info.context, "undo", call_id, None, idempotency_key)


_WRAPPED = {
    "subject": "subject",
    "summary": "summary",
    "outcome": "outcome",
    "promised_text": "promisedText",
    "promised_by": "promisedBy",
    "promised_for": "promisedFor",
    "sentiment": "sentiment",
    "recording_url": "recordingUrl",
}


def _wrapped(given: WrapUpInput) -> Iterator[tuple[str, Any]]:
    for attribute, name in _WRAPPED.items():
        yield name, getattr(given, attribute)


def _wrap_up(
    info: Info[RequestContext, None],
    input: Annotated[WrapUpInput, strawberry.argument(description="What is to be done.")],  # noqa: A002
) -> CallHandled | None:
    order = commands.WrapUp(input.call_id, dict(_wrapped(input)), input.idempotency_key)
    done = commands.wrap_up(info.context.services, _author(info.context), order)
    return CallHandled(call_id=strawberry.ID(done))


def _correct(
    info: Info[RequestContext, None],
    input: Annotated[CorrectCallerInput, strawberry.argument(description="What is to be done.")],  # noqa: A002
) -> CallHandled | None:
    order = commands.CorrectCaller(
        input.call_id, input.property, input.value, input.reason, input.idempotency_key
    )
    done = commands.correct_caller(info.context.services, _author(info.context), order)
    return CallHandled(call_id=strawberry.ID(done))


def _create(
    info: Info[RequestContext, None],
    input: Annotated[CreateCallerInput, strawberry.argument(description="What is to be done.")],  # noqa: A002
) -> CallHandled | None:
    order = commands.CreateCaller(input.call_id, input.name, input.email, input.reason, input.idempotency_key)
    done = commands.create_caller(info.context.services, _author(info.context), order)
    return CallHandled(call_id=strawberry.ID(done))


@strawberry.type
class CallMutation:
    """What agents say of calls."""

    pick_caller: CallHandled | None = strawberry.field(
        name="pickCaller",
        resolver=_pick,
        description="Say which of several customers is calling; remembered for later calls from the number.",
    )
    confirm_caller: CallHandled | None = strawberry.field(
        name="confirmCaller",
        resolver=_confirm,
        description="Say that it was made sure who is calling, and how: then the card shows all that the role may see.",
    )
    reject_caller: CallHandled | None = strawberry.field(
        name="rejectCaller", resolver=_reject, description="Say that it is not this customer who is calling."
    )
    undo_caller: CallHandled | None = strawberry.field(
        name="undoCaller", resolver=_undo, description="Take back what was picked or confirmed for a call."
    )
    wrap_up_call: CallHandled | None = strawberry.field(
        name="wrapUpCall",
        resolver=_wrap_up,
        description="Say what came of a call: it becomes part of the touchpoint of its customer.",
    )
    correct_caller: CallHandled | None = strawberry.field(
        name="correctCaller",
        resolver=_correct,
        description="Correct a value of the caller, who is confirmed: the source `agent` states it from now on.",
    )
    create_caller: CallHandled | None = strawberry.field(
        name="createCaller",
        resolver=_create,
        description="Write down who is calling where no source knows them: the source `agent` states a person with the"
        " number of the call. Whom a source knows is picked, not written down.",
    )
