"""Privacy requests from the letter to the answer: opened, verified, planned, paused, extended, refused, closed.

Each act is checked against the state (`states.py`), written with its audit event in one transaction, and recorded when
it is refused. Events hold codes and the customer's pseudonym; what people write stays in the row until the request is
closed, and the reason of a refusal is sealed by the key of its day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters import runs
from hub.adapters.dossier import gather
from hub.audit import Action, AuditEvent
from hub.audit.events import new_event_id
from hub.commands import Author, Ground, all_ids
from hub.commands import request_register as register
from hub.commands.erasure import LEAST_REASON, MAX_TEXT, sealed_for_the_day
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.commands.naming import names_somebody
from hub.commands.request_register import KeptRequest, KeptStep
from hub.errors import NotFoundError, QueryError
from hub.privacy.requests.clock import Law, Pause, Paused, deadline, may_extend, may_pause
from hub.privacy.requests.planning import HAND_OUT, HUMAN_REVIEW, TELL, Known, open_steps, plan_steps
from hub.privacy.requests.states import EUROPEAN, OPT_OUTS, UNPROVEN, Act, Kind, State, after, first_state
from hub.services import Services
from hub.store import iso_utc, utc_now

MAX_SAID: Final = 4000
MAX_CONTACT: Final = 300
_VERDICT = re.compile(r"(upheld|changed):.")
_PROOF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,63}")
DETAILS: Mapping[Kind, frozenset[str]] = {
    Kind.ERASURE: frozenset({"ground"}),
    Kind.RECTIFICATION: frozenset({"changes"}),
    Kind.OBJECTION: frozenset({"purpose"}),
    Kind.AUTOMATED_DECISION: frozenset({"purpose"}),
}
"""What may be said more closely, by kind; `said`, the letter's own words, always."""


class Channel(StrEnum):
    """How a request came."""

    LETTER = "letter"
    EMAIL = "email"
    PHONE = "phone"
    FORM = "form"
    PERSON = "person"
    SIGNAL = "signal"


class Method(StrEnum):
    """How it was found out who asks."""

    LOGIN = "login"
    KNOWN_DATA = "known_data"
    DOCUMENT = "document"
    SIGNATURE = "signature"
    IN_PERSON = "in_person"
    NOT_NEEDED = "not_needed"


class Refusal(StrEnum):
    """Why a request is refused."""

    UNFOUNDED = "unfounded"
    EXCESSIVE = "excessive"
    NOT_IDENTIFIED = "not_identified"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request as it came: what is asked for, how, of whom."""

    kind: Kind
    law: Law
    channel: Channel
    key: str
    received: datetime | None = None
    """Now unless given."""
    customer: str | None = None
    is_agent: bool = False
    contact: str | None = field(default=None, repr=False)
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)


def open_request(services: Services, author: Author, order: OpenRequest) -> KeptRequest:
    """Write down what somebody asks for; the clock runs from then on.

    Raises:
        AccessDeniedError: the author may not.
        QueryError: something is missing or does not fit, or the idempotency key was used for something else.
    """
    content = {**asdict(order), "received": order.received.isoformat() if order.received else None}
    said = Order(Command.HANDLE_PRIVACY_REQUEST, "open request", order.key, content)
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        received = _checked(services, order)

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            id_ = new_event_id()
            customer = _customer(services, connection, order.customer)
            row = {
                "id": id_,
                "kind": order.kind.value,
                "law": order.law.value,
                "state": first_state(order.kind).value,
                "channel": order.channel.value,
                "received_at": iso_utc(received),
                "opened_by": author.subject,
                "customer_id": customer,
                "is_agent": order.is_agent,
                "contact": order.contact,
                "details": json.dumps(dict(order.details), sort_keys=True),
            }
            if order.kind in UNPROVEN:
                row |= {"method": Method.NOT_NEEDED.value, "verified_by": author.subject}
            register.add_request(connection, row)
            told = author.event(
                Action.PRIVACY_REQUEST_OPENED,
                id=id_,
                customers=(customer,) if customer else (),
                reason_code=f"{order.kind}.{order.law}",
            )
            return {"id": id_}, [told]

        id_ = str(once(services, author, said, act)["id"])
        return find(services, id_)


def find(services: Services, id_: str) -> KeptRequest:
    """The request; for those who have been let in already.

    Raises:
        NotFoundError: there is none.
    """
    with services.store.read() as connection:
        return _found(connection, id_)


def verify(
    services: Services,
    author: Author,
    id_: str,
    method: Method,
    *,
    customer: str | None = None,
    passed: bool = True,
    agent_permitted: bool = False,
) -> KeptRequest:
    """Write down that it is known who asks, by which means; a check that fails is on record and changes nothing.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such request, or no such customer.
        QueryError: it is not possible now, or an agent's permission was not seen.
    """

    def act(connection: Connection, request: KeptRequest) -> Told:
        state = after(Act.VERIFY, State(request.state))
        if not passed:
            return f"verify_failed.{method}", {}
        if request.is_agent and not agent_permitted:
            raise QueryError(
                "an agent asks: see the person's signed permission first, and say that it was seen"
            )
        found = _customer(services, connection, customer) or request.customer_id
        values = {
            "state": state.value,
            "method": method.value,
            "verified_by": author.subject,
            "verified_at": utc_now(),
            "agent_checked": agent_permitted,
            "customer_id": found,
        }
        return f"verified.{method}", values

    return changed(services, author, id_, act)


def plan_request(services: Services, author: Author, id_: str) -> KeptRequest:
    """Make the list of all places with what is to be done at each; nothing is done yet. Raises as `verify` does."""

    def act(connection: Connection, request: KeptRequest) -> Told:
        state = after(Act.PLAN, State(request.state))
        known = None
        if request.customer_id is not None:
            ids = all_ids(services.store, connection, request.customer_id)
            known = Known.of(services, gather(services.store, connection, ids))
        steps = plan_steps(services, Kind(request.kind), known, request.details.get("purpose"))
        register.set_steps(connection, id_, steps)
        return "planned", {"state": state.value}

    return changed(services, author, id_, act)


def complete_task(services: Services, author: Author, id_: str, number: int, proof: str) -> KeptRequest:
    """Write down that a step was done by a person, by which proof; the last one closes the request.

    Raises as `verify` does.
    """

    def act(connection: Connection, request: KeptRequest) -> Told:
        after(Act.STEP, State(request.state))
        step = next((step for step in request.steps if step.number == number), None)
        if step is None:
            raise NotFoundError("the request has no step of this number")
        if not _PROOF.fullmatch(proof):
            raise QueryError(
                "a proof is 1 to 64 letters, digits and signs of . _ : / # -, such as a ticket's number"
            )
        if step.state not in ("open", "failed") or step.action == HAND_OUT:
            raise QueryError("this step is not one that a person may close now")
        if step.way == "auto":
            raise QueryError("the hub does this step itself; run the request")
        if step.action == HUMAN_REVIEW and not _VERDICT.match(proof):
            raise QueryError(
                "the proof of a review begins with what came of it: upheld: or changed:, as changed:C-118"
            )
        if step.action == TELL and any(each.action == HUMAN_REVIEW for each in open_steps(request.steps)):
            raise QueryError(
                "the person is told what came of the review: complete the step human_review first"
            )
        finish_step(connection, author, id_, step, proof)
        return f"task.{step.way}", {}

    changed(services, author, id_, act)
    return close_if_done(services, author, id_)


def pause(services: Services, author: Author, id_: str, reason: Pause, fee: str | None = None) -> KeptRequest:
    """Let the clock stand, as far as the law lets it. Raises as `verify` does."""

    def act(connection: Connection, request: KeptRequest) -> Told:
        after(Act.PAUSE, State(request.state))
        if not may_pause(Law(request.law), reason):
            raise QueryError(f"under {request.law} the clock does not stop for {reason}")
        if is_paused(request):
            raise QueryError("its clock stands already")
        if (reason is Pause.FEE) != (fee is not None) or (fee is not None and not _PROOF.fullmatch(fee)):
            raise QueryError("a pause for a fee, and no other, names the fee, such as 20EUR")
        register.begin_pause(connection, id_, reason.value, utc_now())
        return f"paused.{reason}", {"fee": fee} if fee is not None else {}

    return changed(services, author, id_, act)


def resume(services: Services, author: Author, id_: str) -> KeptRequest:
    """Let the clock go on. Raises as `verify` does."""

    def act(connection: Connection, request: KeptRequest) -> Told:
        after(Act.RESUME, State(request.state))
        if not is_paused(request):
            raise QueryError("its clock is not standing")
        register.end_pauses(connection, id_, utc_now())
        return "resumed", {}

    return changed(services, author, id_, act)


def extend(services: Services, author: Author, id_: str, reason: str) -> KeptRequest:
    """Take the longer time that the law knows, once, while the first has not run out; the person must be told.

    Raises as `verify` does.
    """

    def act(_connection: Connection, request: KeptRequest) -> Told:
        after(Act.EXTEND, State(request.state))
        if not may_extend(Law(request.law), is_opt_out=Kind(request.kind) in OPT_OUTS):
            raise QueryError("the law knows no longer time for this")
        if request.extended_at is not None:
            raise QueryError("it was extended before, and may be once")
        if datetime.now(UTC).date() > deadline_of(services, request):
            raise QueryError("it is too late: the person must be told within the first time limit")
        return "extended", {"extended_at": utc_now()}

    return changed(services, author, id_, act, reason)


def refuse(services: Services, author: Author, id_: str, why: Refusal, reason: str) -> KeptRequest:
    """Refuse the request; the reason is sealed, and is to be told to the person (Art. 12(4)).

    Raises as `verify` does.
    """

    def act(_connection: Connection, request: KeptRequest) -> Told:
        state = after(Act.REFUSE, State(request.state))
        return f"refused.{why}", {"state": state.value, "outcome": f"refused.{why}", **_ended(author)}

    return changed(services, author, id_, act, reason)


Told = tuple[str, Mapping[str, Any]]
"""What an act is called in the log, and the columns that it sets."""


def changed(
    services: Services,
    author: Author,
    id_: str,
    act: Callable[[Connection, KeptRequest], Told],
    reason: str | None = None,
) -> KeptRequest:
    """The request after the act, in one transaction with its event.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such request.
        QueryError: the act is not possible now, or the reason does not fit.
    """
    with refusals_recorded(services, author, Command.HANDLE_PRIVACY_REQUEST):
        with services.store.write() as connection:
            request = _found(connection, id_)
            if reason is not None:
                _check_reason(services, connection, request, reason)
            code, values = act(connection, request)
            if "closed_at" in values:
                services.store.dialect.overwrite_deleted(connection)
            if values:
                register.change_request(connection, id_, **values)
            event = _event(author, request, code, values)
            if reason is not None:
                event = sealed_for_the_day(services, event, {"reason": reason.strip()})
            runs.post(connection, [event])
        return find(services, id_)


def finish_step(
    connection: Connection, author: Author, id_: str, step: KeptStep, proof: str | None, state: str = "done"
) -> None:
    """Write down how a step ended."""
    values = {"state": state, "proof": proof, "done_by": author.subject, "done_at": utc_now()}
    register.change_step(connection, id_, step.number, **values)


def close_if_done(services: Services, author: Author, id_: str) -> KeptRequest:
    """The request, closed where no step is left."""
    request = find(services, id_)
    if State(request.state) is not State.RUNNING or any(open_steps(request.steps)):
        return request

    def act(connection: Connection, now: KeptRequest) -> Told:
        state = after(Act.CLOSE, State(now.state))
        kept = register.kept_items(connection, id_)
        outcome = "in_part" if kept else "no_data" if now.customer_id is None else "done"
        return f"closed.{outcome}", {"state": state.value, "outcome": outcome, **_ended(author)}

    return changed(services, author, id_, act)


def is_paused(request: KeptRequest) -> bool:
    """Whether its clock stands."""
    return any(each.until is None for each in request.pauses)


def deadline_of(services: Services, request: KeptRequest, today: date | None = None) -> date:
    """The last day on which the answer to the request is in time."""
    pauses = [
        Paused(_day(each.since), _day(each.until) if each.until else None, Pause(each.reason))
        for each in request.pauses
    ]
    return deadline(
        Law(request.law),
        _day(request.received_at),
        is_opt_out=Kind(request.kind) in OPT_OUTS,
        extended=request.extended_at is not None,
        pauses=pauses,
        today=today or datetime.now(UTC).date(),
        holidays=services.organisation.holidays,
    )


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _ended(author: Author) -> dict[str, Any]:
    """What is set when a request ends: what is the person's own goes."""
    return {"closed_at": utc_now(), "closed_by": author.subject, "contact": None, "details": None}


def _event(author: Author, request: KeptRequest, code: str, values: Mapping[str, Any]) -> AuditEvent:
    ends = "closed_at" in values
    customer = values.get("customer_id") or request.customer_id
    return author.event(
        Action.PRIVACY_REQUEST_CLOSED if ends else Action.PRIVACY_REQUEST_STEP,
        about=request.id,
        customers=(customer,) if customer else (),
        reason_code=code,
    )


def _found(connection: Connection, id_: str) -> KeptRequest:
    given = "" if "\0" in id_ else id_
    for request in register.find_requests(connection, ids=[given]):
        return request
    raise NotFoundError("there is no privacy request with this id")


def _customer(services: Services, connection: Connection, customer: str | None) -> str | None:
    """The id that the customer has now; None for nobody."""
    if customer is None:
        return None
    ids = all_ids(services.store, connection, customer)
    gather(services.store, connection, ids)
    return ids[0]


def _checked(services: Services, order: OpenRequest) -> datetime:
    """When the request came, once all of it fits."""
    now = datetime.now(UTC)
    received = (order.received or now).astimezone(UTC)
    if received > now:
        raise QueryError("a request cannot come from the future")
    if order.kind in OPT_OUTS and order.law is not Law.CCPA:
        raise QueryError(f"{order.kind} is a right of the ccpa alone; an objection is its like")
    if order.kind in EUROPEAN and order.law is Law.CCPA:
        raise QueryError(f"the ccpa knows nothing like {order.kind}")
    if order.kind is Kind.LIFTING and order.customer is None:
        raise QueryError("a lifting names the customer whose restriction is to end")
    if order.kind is Kind.AUTOMATED_DECISION and order.details.get("purpose") not in services.access.purposes:
        known = ", ".join(services.access.purposes)
        raise QueryError(f"name the purpose of the policy that the decision was made for, one of {known}")
    unknown = order.details.keys() - DETAILS.get(order.kind, frozenset()) - {"said"}
    if unknown:
        raise QueryError(f"a request for {order.kind} takes no {', '.join(sorted(unknown))}")
    if len(order.details.get("said") or "") > MAX_SAID or len(order.contact or "") > MAX_CONTACT:
        raise QueryError(f"said has {MAX_SAID} characters at most, a contact {MAX_CONTACT}")
    if order.kind is Kind.RECTIFICATION and not order.details.get("changes"):
        raise QueryError("a rectification names at least one property and what it should be")
    if order.kind is Kind.ERASURE and order.details.get("ground") not in list(Ground):
        raise QueryError(f"an erasure has a ground: {', '.join(Ground)}")
    return received


def _check_reason(services: Services, connection: Connection, request: KeptRequest, reason: str) -> None:
    if not LEAST_REASON <= len(reason.strip()) <= MAX_TEXT:
        raise QueryError(f"a reason has {LEAST_REASON} to {MAX_TEXT} characters")
    if request.customer_id is None or request.erasure_id is not None:
        return
    ids = all_ids(services.store, connection, request.customer_id)
    parties = gather(services.store, connection, ids).parties
    if names_somebody(services.store, connection, parties, reason):
        raise QueryError("a reason may not name the person: it is kept for longer than they may be")
