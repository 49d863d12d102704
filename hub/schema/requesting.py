"""Privacy requests in GraphQL: the questions and acts of those who answer them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Info

from hub.commands import Author
from hub.errors import AccessDeniedError
from hub.privacy import requests
from hub.privacy.requests import OpenRequest
from hub.schema.context import RequestContext
from hub.schema.request_types import (
    AccessPackage,
    ClockPause,
    IdentityMethod,
    OpenPrivacyRequestInput,
    PrivacyRequest,
    RequestKind,
    RequestLaw,
    RequestMetric,
    RequestRefusal,
    RequestState,
    RetainedItem,
)
from hub.schema.scalars import Date, Long

_MAY = "For those to whom the policy gives `handle_privacy_request`."
_REASON = "Why, in 20 to 1000 characters; sealed, and refused where it names the person."

RequestId = Annotated[strawberry.ID, strawberry.argument(description="Id of the request.")]


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
