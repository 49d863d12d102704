"""Privacy requests in GraphQL: what people ask for by right, how far it is, and the acts of those who answer them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub.adapters.resurrection import Returned
from hub.commands import Author
from hub.commands.request_register import KeptStep
from hub.errors import AccessDeniedError
from hub.privacy import requests
from hub.privacy.requests import HandedOut, OpenRequest, RequestView, Retained
from hub.schema.context import RequestContext
from hub.schema.erasing import ErasureGround
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.request_words import (
    ClockPause,
    IdentityMethod,
    RequestChannel,
    RequestKind,
    RequestLaw,
    RequestRefusal,
    RequestState,
)
from hub.schema.scalars import Date, DateTime, Long

_MAY = "For those to whom the policy gives `handle_privacy_request`."
_ID = "Id of the request."
_REASON = "Why, in 20 to 1000 characters; sealed, and refused where it names the person."

RequestId = Annotated[strawberry.ID, strawberry.argument(description=_ID)]


@strawberry.input(description="What a value should be.")
class ChangeInput:
    """A change that a rectification asks for."""

    property: str = strawberry.field(description="A property of customers.")
    value: str = strawberry.field(description="What it should be, as text.")


@strawberry.input(description="What somebody asks for.")
class OpenPrivacyRequestInput:
    """Input of a request."""

    kind: RequestKind = strawberry.field(description="What is asked for.")
    law: RequestLaw = strawberry.field(description="Which law it falls under.")
    channel: RequestChannel = strawberry.field(description="How it came.")
    received_at: DateTime | None = strawberry.field(
        name="receivedAt", default=None, description="When it came; now unless given."
    )
    customer_id: strawberry.ID | None = strawberry.field(
        name="customerId", default=None, description="Who it is about, where that is known already."
    )
    by_agent: bool = strawberry.field(
        name="byAgent", default=False, description="Somebody asks for the person."
    )
    contact: str | None = strawberry.field(
        default=None, description="Where the answer goes; forgotten when the request is closed."
    )
    said: str | None = strawberry.field(default=None, description="What the letter says; forgotten likewise.")
    ground: ErasureGround | None = strawberry.field(default=None, description="Of an erasure: its ground.")
    purpose: str | None = strawberry.field(
        default=None, description="Of an objection: the data use; every use unless given."
    )
    changes: list[ChangeInput] = strawberry.field(
        default_factory=list, description="Of a rectification: what should be what."
    )
    idempotency_key: str = strawberry.field(name=KEY, description=KEY_WORDS)


@strawberry.type(name="PrivacyRequestStep", description="What is to be done at one place.")
class RequestStep:
    """A step."""

    number: int = strawberry.field(description="Its number.")
    source: str = strawberry.field(
        description="The place: the hub, a source, a copy, a partner, or the package."
    )
    action: str = strawberry.field(description="What is to be done.")
    way: str = strawberry.field(description="`auto`, `source`, `task` or `notice`.")
    owner: str = strawberry.field(description="The department that does what the hub does not.")
    state: str = strawberry.field(
        description="`open`, `done`, `failed`, or `nothing`: nothing of them is there."
    )
    at: DateTime | None = strawberry.field(description="When it was done.")
    proof: str | None = strawberry.field(description="What shows it.")

    @classmethod
    def of(cls, step: KeptStep) -> Self:
        """The step as GraphQL tells it."""
        at = None if step.done_at is None else DateTime(step.done_at)
        return cls(
            number=step.number,
            source=step.place,
            action=step.action,
            way=step.way,
            owner=step.owner,
            state=step.state,
            at=at,
            proof=step.proof,
        )


@strawberry.type(description="What a law has kept of somebody who was erased.")
class RetainedData:
    """Rows of one type that one rule keeps."""

    what: str = strawberry.field(description="The entity type.")
    count: Long = strawberry.field(description="How many rows.")
    purpose: str = strawberry.field(description="The one purpose for which they are shown.")
    basis: str = strawberry.field(description="The law.")
    until: Date = strawberry.field(description="The day on which the last of them goes.")

    @classmethod
    def of(cls, kept: Retained) -> Self:
        """The rows as GraphQL tells them."""
        until = Date(kept.until)
        return cls(
            what=kept.type, count=Long(kept.count), purpose=kept.purpose, basis=kept.basis, until=until
        )


@strawberry.type(description="What a source brought back, though it was erased or corrected.")
class Resurrection:
    """Records of one stream."""

    source: str = strawberry.field(description="The source.")
    stream: str = strawberry.field(description="Its stream.")
    blocked: Long = strawberry.field(description="How many records were kept out, or overruled.")
    first_at: DateTime = strawberry.field(name="firstAt", description="When it was first.")
    at: DateTime = strawberry.field(description="When it was last.")

    @classmethod
    def of(cls, found: Returned) -> Self:
        """The records as GraphQL tells them."""
        return cls(
            source=found.source,
            stream=found.stream,
            blocked=Long(found.count),
            first_at=DateTime(found.first_at),
            at=DateTime(found.last_at),
        )


@strawberry.type(description="Whom a request is about.")
class RequestSubject:
    """A pseudonym."""

    pseudonym: strawberry.ID = strawberry.field(description="Public id of the customer, which tells nobody.")


@strawberry.type(description="What somebody asked for by right, and how far it is.")
class PrivacyRequest:
    """A request."""

    id: strawberry.ID = strawberry.field(
        description="Its id, which is that of the audit event that opened it."
    )
    kind: RequestKind = strawberry.field(description="What is asked for.")
    law: RequestLaw = strawberry.field(description="Which law it falls under.")
    state: RequestState = strawberry.field(description="How far it is.")
    channel: RequestChannel = strawberry.field(description="How it came.")
    received_at: DateTime = strawberry.field(name="receivedAt", description="When it came.")
    by_agent: bool = strawberry.field(name="byAgent", description="Whether somebody asks for the person.")
    subject: RequestSubject | None = strawberry.field(
        description="Whom it is about; null while nobody knows."
    )
    identity: IdentityMethod | None = strawberry.field(description="How it was found out who asks.")
    deadline: Date = strawberry.field(description="The last day on which the answer is in time.")
    days_left: int = strawberry.field(name="daysLeft", description="Days until then; below 0 afterwards.")
    overdue: bool = strawberry.field(description="Whether it is open after that day.")
    paused: bool = strawberry.field(description="Whether its clock stands.")
    extended: bool = strawberry.field(description="Whether the longer time was taken.")
    outcome: str | None = strawberry.field(
        description="`done`, `in_part` where a law has something kept, `no_data`, or `refused.` and the ground."
    )
    closed_at: DateTime | None = strawberry.field(name="closedAt", description="When it ended.")
    steps: list[RequestStep] = strawberry.field(description="What is to be done, a place each.")
    retained: list[RetainedData] = strawberry.field(description="What a law has kept.")
    resurrection: list[Resurrection] = strawberry.field(description="What came back.")
    certificate: Long | None = strawberry.field(
        description="Number of the erasure's event: `hub audit prove` gives the receipt."
    )

    @classmethod
    def of(cls, view: RequestView) -> Self:
        """The request as GraphQL tells it."""
        request = view.request
        customer = request.customer_id
        return cls(
            id=strawberry.ID(request.id),
            kind=RequestKind[request.kind.upper()],
            law=RequestLaw[request.law.upper()],
            state=RequestState[request.state.upper()],
            channel=RequestChannel[request.channel.upper()],
            received_at=DateTime(request.received_at),
            by_agent=request.is_agent,
            subject=None if customer is None else RequestSubject(pseudonym=strawberry.ID(customer)),
            identity=None if request.method is None else IdentityMethod[request.method.upper()],
            deadline=Date(view.deadline.isoformat()),
            days_left=view.days_left,
            overdue=view.is_overdue,
            paused=view.is_paused,
            extended=request.extended_at is not None,
            outcome=request.outcome,
            closed_at=None if request.closed_at is None else DateTime(request.closed_at),
            steps=[RequestStep.of(step) for step in request.steps],
            retained=[RetainedData.of(kept) for kept in view.retained],
            resurrection=[Resurrection.of(each) for each in view.returned],
            certificate=None if view.certificate is None else Long(view.certificate),
        )


@strawberry.type(description="What a person gets.")
class AccessPackage:
    """A package; it is made anew each time and kept nowhere."""

    event: Long = strawberry.field(description="Number of the audit event that tells that it left.")
    json: str = strawberry.field(description="All of it, as JSON.")
    html: str | None = strawberry.field(
        description="A page to read, which needs no other file; of an access request."
    )
    csv: str | None = strawberry.field(description="A table; of a portable copy.")

    @classmethod
    def of(cls, made: HandedOut) -> Self:
        """The package as GraphQL tells it."""
        return cls(event=Long(made.event), json=made.json.decode(), html=made.page, csv=made.csv)


@strawberry.type(name="PrivacyRequestMetric", description="Requests of one kind under one law in a year.")
class RequestMetric:
    """Figures."""

    law: RequestLaw = strawberry.field(description="The law.")
    kind: RequestKind = strawberry.field(description="The kind.")
    received: Long = strawberry.field(description="How many came.")
    complied: Long = strawberry.field(description="How many were complied with.")
    in_part: Long = strawberry.field(name="inPart", description="How many in part.")
    refused: Long = strawberry.field(description="How many were refused.")
    open: Long = strawberry.field(description="How many are open.")
    median_days: float | None = strawberry.field(
        name="medianDays", description="Median of the days until the end."
    )
    mean_days: float | None = strawberry.field(name="meanDays", description="Mean of them.")


@strawberry.type(description="Something that a law has kept, for who has its purpose.")
class RetainedItem:
    """One row."""

    what: str = strawberry.field(description="The entity type.")
    until: Date = strawberry.field(description="The day on which it goes.")
    values: str = strawberry.field(description="Its values by property, as JSON.")


def _author(info: Info[RequestContext, None]) -> Author:
    if info.context.access.glass is not None:
        raise AccessDeniedError("under break-glass nothing is told but of the one customer")
    return Author.of(info.context.requester, info.context.services.access)


def _open(
    info: Info[RequestContext, None],
    input: Annotated[  # noqa: A002 - the argument's name in GraphQL, as everywhere
        OpenPrivacyRequestInput, strawberry.argument(description="What is asked for.")
    ],
) -> PrivacyRequest | None:
    given = {
        "ground": None if input.ground is None else input.ground.name.lower(),
        "purpose": input.purpose,
        "said": input.said,
        "changes": {each.property: each.value for each in input.changes},
    }
    order = OpenRequest(
        requests.Kind[input.kind.name],
        requests.Law[input.law.name],
        requests.Channel[input.channel.name],
        input.idempotency_key,
        None if input.received_at is None else _instant(input.received_at),
        input.customer_id,
        input.by_agent,
        input.contact,
        {name: value for name, value in given.items() if value},
    )
    made = requests.open_request(info.context.services, _author(info), order)
    return _told(info, made.id)


def _verify(
    info: Info[RequestContext, None],
    id: RequestId,  # noqa: A002 - the argument's name in GraphQL, as everywhere
    method: Annotated[IdentityMethod, strawberry.argument(description="How it was found out who asks.")],
    customer_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(name="customerId", description="Who it is, where the request does not say."),
    ] = None,
    passed: Annotated[bool, strawberry.argument(description="Whether it is known now.")] = True,
    permission_seen: Annotated[
        bool,
        strawberry.argument(name="permissionSeen", description="The agent's signed permission was seen."),
    ] = False,
) -> PrivacyRequest | None:
    how = requests.Method[method.name]
    requests.verify(
        info.context.services,
        _author(info),
        id,
        how,
        customer=customer_id,
        passed=passed,
        agent_permitted=permission_seen,
    )
    return _told(info, id)


def _plan(info: Info[RequestContext, None], id: RequestId) -> PrivacyRequest | None:  # noqa: A002 - as above
    requests.plan_request(info.context.services, _author(info), id)
    return _told(info, id)


def _run(info: Info[RequestContext, None], id: RequestId) -> PrivacyRequest | None:  # noqa: A002 - as above
    requests.run_request(info.context.services, _author(info), id)
    return _told(info, id)


def _complete(
    info: Info[RequestContext, None],
    id: RequestId,  # noqa: A002 - as above
    number: Annotated[int, strawberry.argument(description="Number of the step.")],
    proof: Annotated[str, strawberry.argument(description="What shows it: a ticket's number; no names.")],
) -> PrivacyRequest | None:
    requests.complete_task(info.context.services, _author(info), id, number, proof)
    return _told(info, id)


def _pause(
    info: Info[RequestContext, None],
    id: RequestId,  # noqa: A002 - as above
    reason: Annotated[ClockPause, strawberry.argument(description="What is waited for.")],
    fee: Annotated[str | None, strawberry.argument(description="The fee, as `20GBP`.")] = None,
) -> PrivacyRequest | None:
    requests.pause(info.context.services, _author(info), id, requests.Pause[reason.name], fee)
    return _told(info, id)


def _resume(info: Info[RequestContext, None], id: RequestId) -> PrivacyRequest | None:  # noqa: A002 - as above
    requests.resume(info.context.services, _author(info), id)
    return _told(info, id)


def _extend(
    info: Info[RequestContext, None],
    id: RequestId,  # noqa: A002 - as above
    reason: Annotated[str, strawberry.argument(description=_REASON)],
) -> PrivacyRequest | None:
    requests.extend(info.context.services, _author(info), id, reason)
    return _told(info, id)


def _refuse(
    info: Info[RequestContext, None],
    id: RequestId,  # noqa: A002 - as above
    why: Annotated[RequestRefusal, strawberry.argument(description="On which ground.")],
    reason: Annotated[str, strawberry.argument(description=_REASON)],
) -> PrivacyRequest | None:
    requests.refuse(info.context.services, _author(info), id, requests.Refusal[why.name], reason)
    return _told(info, id)


def _package(
    info: Info[RequestContext, None],
    id: RequestId,  # noqa: A002 - as above
    preview: Annotated[
        bool,
        strawberry.argument(description="For the review before it is handed out; the request stays open."),
    ] = False,
) -> AccessPackage | None:
    make = requests.preview_package if preview else requests.access_package
    return AccessPackage.of(make(info.context.services, _author(info), id))


def _all(
    info: Info[RequestContext, None],
    states: Annotated[
        list[RequestState] | None,
        strawberry.argument(description="In these states; the open ones unless given."),
    ] = None,
) -> list[PrivacyRequest] | None:
    wanted = None if states is None else [requests.State[state.name] for state in states]
    views = requests.list_requests(info.context.services, _author(info), states=wanted)
    most = info.context.services.settings.max_page
    return [PrivacyRequest.of(view) for view in views[:most]]


def _one(info: Info[RequestContext, None], id: RequestId) -> PrivacyRequest | None:  # noqa: A002 - as above
    return _told(info, id)


def _metrics(
    info: Info[RequestContext, None],
    year: Annotated[int, strawberry.argument(description="Calendar year in which the requests came.")],
) -> list[RequestMetric] | None:
    found = requests.request_metrics(info.context.services, _author(info), year)
    return [
        RequestMetric(
            law=RequestLaw[each.law.upper()],
            kind=RequestKind[each.kind.upper()],
            received=Long(each.received),
            complied=Long(each.complied),
            in_part=Long(each.in_part),
            refused=Long(each.refused),
            open=Long(each.open),
            median_days=each.median_days,
            mean_days=each.mean_days,
        )
        for each in found
    ]


def _retained(
    info: Info[RequestContext, None],
    id: RequestId,  # noqa: A002 - as above
) -> list[RetainedItem] | None:
    found = requests.retained_items(info.context.services, _author(info), id)
    return [
        RetainedItem(what=item.type, until=Date(item.until), values=json.dumps(item.content["values"]))
        for item in found
    ]


def _told(info: Info[RequestContext, None], id_: str) -> PrivacyRequest:
    return PrivacyRequest.of(requests.show_request(info.context.services, _author(info), id_))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@strawberry.type
class RequestQuery:
    """What is known of privacy requests."""

    privacy_requests: list[PrivacyRequest] | None = strawberry.field(
        name="privacyRequests", resolver=_all, description=f"Privacy requests, the most urgent first. {_MAY}"
    )
    privacy_request: PrivacyRequest | None = strawberry.field(
        name="privacyRequest", resolver=_one, description=f"One privacy request. {_MAY}"
    )
    privacy_request_metrics: list[RequestMetric] | None = strawberry.field(
        name="privacyRequestMetrics",
        resolver=_metrics,
        description=f"Figures of the requests of a year (11 CCR 7102). {_MAY}",
    )
    retained_items: list[RetainedItem] | None = strawberry.field(
        name="retainedItems",
        resolver=_retained,
        description="What a law has kept of somebody who was erased, for the one purpose that it is kept for, as far as"
        " the policy shows its categories to the caller.",
    )


@strawberry.type
class RequestMutation:
    """Acts of those who answer requests."""

    open_privacy_request: PrivacyRequest | None = strawberry.field(
        name="openPrivacyRequest",
        resolver=_open,
        description=f"Write down a request; its clock runs from the day on which it came. {_MAY}",
    )
    verify_identity: PrivacyRequest | None = strawberry.field(
        name="verifyIdentity",
        resolver=_verify,
        description=f"Write down that it is known who asks, or that it could not be learned. {_MAY}",
    )
    plan_request: PrivacyRequest | None = strawberry.field(
        name="planRequest",
        resolver=_plan,
        description=f"Make the list of all places and of what is to be done at each. {_MAY}",
    )
    run_request: PrivacyRequest | None = strawberry.field(
        name="runRequest", resolver=_run, description=f"Do what the hub can do by itself. {_MAY}"
    )
    complete_task: PrivacyRequest | None = strawberry.field(
        name="completeTask",
        resolver=_complete,
        description=f"Write down that a person did a step; the last one closes the request. {_MAY}",
    )
    pause_request: PrivacyRequest | None = strawberry.field(
        name="pauseRequest", resolver=_pause, description=f"Let the clock stand, as the law lets it. {_MAY}"
    )
    resume_request: PrivacyRequest | None = strawberry.field(
        name="resumeRequest", resolver=_resume, description=f"Let the clock go on. {_MAY}"
    )
    extend_request: PrivacyRequest | None = strawberry.field(
        name="extendRequest",
        resolver=_extend,
        description=f"Take the longer time that the law knows; the person has to be told. {_MAY}",
    )
    refuse_request: PrivacyRequest | None = strawberry.field(
        name="refuseRequest", resolver=_refuse, description=f"Refuse; the person has to be told why. {_MAY}"
    )
    access_package: AccessPackage | None = strawberry.field(
        name="accessPackage",
        resolver=_package,
        description="What the person gets, once who asks is verified and all else is done; that it left is on record."
        f" {_MAY}",
    )
