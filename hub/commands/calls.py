"""What PBXs and agents say of calls: that one rings, was answered, has ended; who it is with, and what came of it.

A PBX reports by its API key, and tells only of calls of its own. Its reports may come late, twice or not at all: each
call is one row of the journal, which only ever goes on. A call that has ended is a touchpoint of its customer, missed
ones too: a record of the source `desk`, which the agent's wrap-up adds to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.access import Command, PlanAccess, plan_access
from hub.adapters import runs
from hub.adapters.staff import exact
from hub.audit import Action, AuditEvent
from hub.calls import (
    ASKED_BY_AGENT,
    Asked,
    Call,
    CallState,
    Facts,
    Level,
    Method,
    Status,
    Verified,
    read_number,
)
from hub.calls.journal import (
    call_by_id,
    call_by_key,
    forget_calls,
    keep_call,
    pbxs,
    remember_pick,
    undo_picks,
)
from hub.calls.numbers import Trunk
from hub.calls.screenpop import MAX_SHOWN
from hub.commands.author import Author
from hub.commands.corrections import Correction
from hub.commands.customers import find_customer
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.commands.touchpoints import touch, touch_again, touched
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.graph.entities import AGENT
from hub.services import Services
from hub.settings import PbxSettings
from hub.store import iso_utc, utc_now

MAX_KEY = 128
"""Characters of what a PBX calls a call, of an extension and of a cause."""
SURE_ENOUGH = 0.85
"""Of a single match: then the call is a touchpoint of theirs though no agent said so."""

_PLAIN = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class ReportCall:
    """What a PBX says of a call. None of what it does not say."""

    key: str
    event: CallState
    direction: str | None = None
    extension: str | None = None
    cause: str | None = None
    facts: Facts = field(default_factory=Facts, repr=False)
    talked_s: int | None = None
    """Of a call that has ended and was answered, how long it was spoken, where nothing was told before."""


@dataclass(frozen=True, slots=True)
class HandleCall:
    """What an agent says of who is calling. `customer` is None for `undo`."""

    call: str
    act: str
    """`pick`, `confirm`, `reject` or `undo`."""
    customer: str | None
    method: str | None
    key: str


@dataclass(frozen=True, slots=True)
class WrapUp:
    """What came of a call. `values` are those of the type Interaction that an agent gives."""

    call: str
    values: Mapping[str, Any] = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class CorrectCaller:
    """What a value of the caller's is, as they said; `value` is text, as for a steward's correction."""

    call: str
    property: str
    value: str = field(repr=False)
    reason: str = field(repr=False)
    key: str


WRAPPED = (
    "subject",
    "summary",
    "outcome",
    "promisedText",
    "promisedBy",
    "promisedFor",
    "sentiment",
    "recordingUrl",
)
"""The values of an interaction that a wrap-up gives."""


def report_call(services: Services, author: Author, pbx: str, report: ReportCall) -> Call:
    """The call as the journal has it now; a report that says nothing new changes nothing.

    Raises:
        AccessDeniedError: the author may not report calls.
        QueryError: what the PBX calls the call is malformed.
        StoreUnavailableError: the database is out of reach; the PBX need not try again.
    """
    with refusals_recorded(services, author, Command.REPORT_CALL):
        for text in (report.key, report.extension, report.cause):
            if text is not None and not _PLAIN.fullmatch(text):
                raise QueryError(f"call id, extension and cause are 1 to {MAX_KEY} printable characters")
        settings = services.settings.pbx_of(pbx)
        with services.store.write() as connection:
            before = call_by_key(connection, pbx, report.key)
            call, event = _reported(author, settings, pbx, report, before)
            if before is None:
                forget_calls(connection, services.settings.call_days)
            if call == before:
                return call
            call = keep_call(connection, call, before)
            runs.post(connection, [event])
        return _followed(services, author, settings, call)


def _reported(
    author: Author, settings: PbxSettings, pbx: str, report: ReportCall, before: Call | None
) -> tuple[Call, AuditEvent]:
    now = utc_now()
    event = author.event(Action.CALL_REPORTED, source=pbx, reason_code=report.event.value)
    if before is None:
        number = read_number(report.facts.number, Trunk.of(settings))
        call = Call(
            id=event.id,
            pbx=pbx,
            key=report.key,
            direction=report.direction or "inbound",
            state=report.event,
            number=number.e164,
            extension=report.extension,
            facts=report.facts,
            began_at=now,
        )
    else:
        event = event.again(about=before.id)
        call = replace(before, facts=_more(before.facts, report.facts))
    if report.event is CallState.ANSWERED:
        call = replace(
            call, answered_at=call.answered_at or now, extension=report.extension or call.extension
        )
    if report.event is CallState.RINGING and call.answered_at is None:
        call = replace(call, extension=report.extension or call.extension)
    if report.event is CallState.ENDED and report.talked_s is not None:
        spoken = iso_utc(datetime.now(UTC) - timedelta(seconds=report.talked_s))
        call = replace(call, answered_at=call.answered_at or spoken, began_at=min(call.began_at, spoken))
    if report.event is CallState.ENDED:
        call = replace(call, ended_at=call.ended_at or now, cause=call.cause or report.cause)
    return replace(call, state=_state(call)), event


def _state(call: Call) -> CallState:
    if call.ended_at is not None:
        return CallState.ENDED
    return CallState.RINGING if call.answered_at is None else CallState.ANSWERED


def _more(known: Facts, said: Facts) -> Facts:
    """What is known, and what is said beside it: a later report takes nothing back."""
    return Facts(**{name: known_ or getattr(said, name) for name, known_ in asdict(known).items()})


def _followed(services: Services, author: Author, settings: PbxSettings, call: Call) -> Call:
    """What follows from a report by itself: a step up that the PBX vouches for, a touchpoint."""
    if call.customer_id is None and (
        call.facts.pin_was_right or call.facts.attestation == "A" or call.ended_at
    ):
        call = _matched(services, author, settings, call)
    if call.ended_at is not None and call.customer_id is not None:
        call = touch(services, author, call)
    return call


def _matched(services: Services, author: Author, settings: PbxSettings, call: Call) -> Call:
    """The call with its customer, where there is a single match that is sure enough."""
    access = plan_access(author.access, author)
    asked = services.pop.card(call.facts, access, settings, services.settings.pop_deadline_ms / 1000, most=2)
    card = asked.card
    if card.status is not Status.ONE or card.matches[0].confidence < SURE_ENOUGH:
        return call
    match = card.matches[0]
    raised = match.level > Level.NUMBER
    method = Method.IVR_PIN if call.facts.pin_was_right else Method.ATTESTATION_A
    with services.store.write() as connection:
        now = call_by_id(connection, call.id)
        if now is None or now.customer_id is not None or match.id in now.ruled_out:
            return now or call
        changed = replace(now, customer_id=match.id)
        events = [_step(author, now, match.id, "matched", Action.CALL_HANDLED)]
        if raised:
            changed = replace(changed, level=match.level, method=method.value, verified_by=author.subject)
            events.append(_step(author, now, match.id, f"level_{int(match.level)}.{method.value}"))
        call = keep_call(connection, changed, now)
        runs.post(connection, events)
    return call


def _step(
    author: Author, call: Call, customer: str, code: str, action: Action = Action.CALL_VERIFIED
) -> AuditEvent:
    return author.event(action, source=call.pbx, about=call.id, customers=(customer,), reason_code=code)


# agents


def handle_call(services: Services, author: Author, order: HandleCall) -> str:
    """The id of the call, of which it is now known better who is calling.

    To pick remembers whom calls from the number led to; to confirm makes surer, by a method; to reject rules somebody
    out; to undo takes back what was picked or confirmed.

    Raises:
        AccessDeniedError: the author may not handle calls.
        NotFoundError: there is no such call or customer.
        QueryError: the act or its method is none, or the idempotency key was used for something else.
    """
    with refusals_recorded(services, author, Command.HANDLE_CALL):
        if order.act == "confirm" and order.method not in set(ASKED_BY_AGENT):
            raise QueryError(f"a method to confirm by is one of {', '.join(sorted(ASKED_BY_AGENT))}")
        if order.act not in _ACTS or (order.customer is None) is not (order.act == "undo"):
            raise QueryError("pick, confirm and reject name a customer, undo none")
        said = Order(Command.HANDLE_CALL, order.act, order.key, asdict(order))

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            call = known_call(connection, order.call)
            customer = _customer(services, connection, author, order.customer)
            changed, code = _ACTS[order.act](services, connection, author, call, customer, order.method)
            keep_call(connection, changed, call)
            action = Action.CALL_VERIFIED if order.act == "confirm" else Action.CALL_HANDLED
            about = [customer] if customer else [call.customer_id] if call.customer_id else []
            event = author.event(
                action, source=call.pbx, about=call.id, customers=tuple(about), reason_code=code
            )
            return {"call": call.id}, [event]

        done = str(once(services, author, said, act)["call"])
        touch_again(services, author, done)
        return done


def _customer(services: Services, connection: Connection, author: Author, customer: str | None) -> str | None:
    return None if customer is None else find_customer(services.store, connection, customer, author).id


def _pick(
    services: Services,
    connection: Connection,
    author: Author,
    call: Call,
    customer: str | None,
    _method: str | None,
) -> tuple[Call, str]:
    remember_pick(services.store, connection, call, customer or "", author.subject)
    same = customer == call.customer_id
    level, method = (call.level, call.method) if same else (Level.NUMBER, None)
    without = tuple(each for each in call.ruled_out if each != customer)
    return replace(call, customer_id=customer, level=level, method=method, ruled_out=without), "picked"


def _confirm(
    services: Services,
    connection: Connection,
    author: Author,
    call: Call,
    customer: str | None,
    method: str | None,
) -> tuple[Call, str]:
    picked, _ = _pick(services, connection, author, call, customer, None)
    code = f"level_{int(Level.CONFIRMED)}.{method}"
    return replace(picked, level=Level.CONFIRMED, method=method, verified_by=author.subject), code


def _reject(
    _services: Services,
    connection: Connection,
    _author: Author,
    call: Call,
    customer: str | None,
    _method: str | None,
) -> tuple[Call, str]:
    ruled_out = tuple(dict.fromkeys((*call.ruled_out, customer or "")))
    if call.customer_id != customer:
        return replace(call, ruled_out=ruled_out), "rejected"
    undo_picks(connection, call.id)
    return replace(_unknown(call), ruled_out=ruled_out), "rejected"


def _undo(
    _services: Services,
    connection: Connection,
    _author: Author,
    call: Call,
    _customer: str | None,
    _method: str | None,
) -> tuple[Call, str]:
    undo_picks(connection, call.id)
    return _unknown(call), "undone"


_ACTS = {"pick": _pick, "confirm": _confirm, "reject": _reject, "undo": _undo}


def _unknown(call: Call) -> Call:
    return replace(call, customer_id=None, level=Level.NUMBER, method=None, verified_by=None)


def known_call(connection: Connection, call_id: str) -> Call:
    """The call with the hub's id.

    Raises:
        NotFoundError: there is none, or it was too long ago.
    """
    found = call_by_id(connection, call_id)
    if found is None:
        raise NotFoundError("there is no call with this id, or it was too long ago")
    return found


def wrap_up(services: Services, author: Author, order: WrapUp) -> str:
    """The id of the call, whose touchpoint now says what came of it.

    Raises:
        AccessDeniedError: the author may not handle calls.
        NotFoundError: there is no such call, or nobody is said to be calling.
        QueryError: a value does not fit, or the idempotency key was used for something else.
    """
    with refusals_recorded(services, author, Command.HANDLE_CALL):
        values = {name: value for name, value in order.values.items() if value is not None}
        type_ = services.ontology.type("Interaction")
        for name, value in values.items():
            if name not in WRAPPED:
                raise QueryError(f"a wrap-up has no value {name!r}; it has {', '.join(WRAPPED)}")
            exact(type_, type_.properties[name], value)
        said = Order(Command.HANDLE_CALL, "wrap-up", order.key, {"call": order.call, "values": values})

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            call = known_call(connection, order.call)
            if call.customer_id is None:
                raise NotFoundError("pick who is calling first")
            changed, events = touched(services, connection, author, call, values)
            keep_call(connection, replace(changed, wrapped_at=utc_now()), call)
            return {"call": call.id}, events

        return str(once(services, author, said, act)["call"])


def correct_caller(services: Services, author: Author, order: CorrectCaller) -> str:
    """The id of the call, of whose caller the source `agent` now states the value.

    Raises:
        AccessDeniedError: the author may not handle calls, does not see the property whole, or nobody has made sure
            who is calling.
        NotFoundError: there is no such call or customer.
        QueryError: the property cannot be corrected, the value does not fit it, or the idempotency key was used for
            something else.
    """
    with refusals_recorded(services, author, Command.HANDLE_CALL):
        correction = Correction(services, author, order.property, order.reason, AGENT)
        said = Order(Command.HANDLE_CALL, "correct", order.key, asdict(order))

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            call = known_call(connection, order.call)
            if call.customer_id is None or call.level is not Level.CONFIRMED:
                raise AccessDeniedError("confirm who is calling first")
            _, events = correction.make(connection, call.customer_id, order.value)
            return {"call": call.id}, events

        return str(once(services, author, said, act)["call"])


# cards


def verified_of(call: Call) -> Verified | None:
    """Whom the call is with, as far as somebody says so."""
    return None if call.customer_id is None else Verified(call.customer_id, call.level)


def find_call(services: Services, id_: str) -> Call:
    """The call with the hub's id, or that a PBX calls so.

    Raises:
        NotFoundError: there is none, or it was too long ago, or several PBXs call one so.
    """
    with services.store.read() as connection:
        found = call_by_id(connection, id_)
        if found is not None:
            return found
        named = [call_by_key(connection, pbx, id_) for pbx in pbxs(connection, id_)]
    if len(named) == 1 and named[0] is not None:
        return named[0]
    raise NotFoundError("there is no call with this id, or it was too long ago")


def card_of(
    services: Services,
    access: PlanAccess,
    facts: Facts,
    call: Call | None = None,
    *,
    pbx: str = "",
    most: int = MAX_SHOWN,
    patient: bool = False,
) -> Asked:
    """The card of a call, or of facts alone, for who has this access; the `patient` wait for all of it.

    What the caller proved and whom agents ruled out is known of calls only, and what the PBX vouches for as well.

    Raises:
        StoreUnavailableError: the database is out of reach.
    """
    settings = services.settings
    deadline_s = settings.timeout_s if patient else settings.pop_deadline_ms / 1000
    if call is None:
        unproven = replace(facts, pin_was_right=False, attestation=None)
        return services.pop.card(unproven, access, settings.pbx_of(pbx), deadline_s, most=most)
    return services.pop.card(
        _more(call.facts, facts),
        access,
        settings.pbx_of(call.pbx),
        deadline_s,
        verified_of(call),
        most=most,
        ruled_out=call.ruled_out,
    )
