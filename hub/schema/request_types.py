"""What privacy requests are in GraphQL: their words, what is put in, and what is told of them."""

from __future__ import annotations

from enum import Enum
from typing import Self

import strawberry

from hub.adapters.resurrection import Returned
from hub.commands.request_register import KeptStep
from hub.privacy.requests import HandedOut, RequestView, Retained
from hub.schema.erasing import ErasureGround
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import Date, DateTime, Long


@strawberry.enum(name="PrivacyRequestKind", description="What somebody asks for.")
class RequestKind(Enum):
    """Kinds of requests, as they are stored."""

    ACCESS = strawberry.enum_value(
        "access", description="A copy of all data, and what is done with them (Art. 15)."
    )
    ERASURE = strawberry.enum_value("erasure", description="To be forgotten (Art. 17).")
    RECTIFICATION = strawberry.enum_value(
        "rectification", description="To have what is wrong put right (Art. 16)."
    )
    RESTRICTION = strawberry.enum_value(
        "restriction", description="To have data kept and not used (Art. 18)."
    )
    OBJECTION = strawberry.enum_value(
        "objection", description="Not to have data used for something (Art. 21)."
    )
    PORTABILITY = strawberry.enum_value("portability", description="What they gave, for a machine (Art. 20).")
    OPT_OUT_OF_SALE = strawberry.enum_value(
        "opt_out_of_sale", description="No sale and no sharing (Cal. Civ. Code 1798.120)."
    )
    LIMIT = strawberry.enum_value("limit", description="Sensitive data for the service alone (1798.121).")
    AUTOMATED_DECISION = strawberry.enum_value(
        "automated_decision",
        description="That somebody looks at what was decided by machine alone (Art. 22(3)).",
    )
    LIFTING = strawberry.enum_value(
        "lifting",
        description="That a restriction ends; nobody asks, and the person is told before (Art. 18(3)).",
    )


@strawberry.enum(name="PrivacyLaw", description="The law that a request falls under.")
class RequestLaw(Enum):
    """Laws, as they are stored."""

    GDPR = strawberry.enum_value("gdpr", description="Regulation (EU) 2016/679.")
    UK = strawberry.enum_value("uk", description="The UK's GDPR, as amended in 2025.")
    CCPA = strawberry.enum_value("ccpa", description="California's Consumer Privacy Act.")


@strawberry.enum(name="PrivacyRequestState", description="How far a request is.")
class RequestState(Enum):
    """States, as they are stored."""

    RECEIVED = strawberry.enum_value("received", description="It is not known yet who asks.")
    VERIFIED = strawberry.enum_value("verified", description="It is known who asks.")
    PLANNED = strawberry.enum_value("planned", description="It is known what is to be done, and where.")
    RUNNING = strawberry.enum_value("running", description="It is being done.")
    CLOSED = strawberry.enum_value("closed", description="It was answered.")
    REFUSED = strawberry.enum_value("refused", description="It was refused.")


@strawberry.enum(name="PrivacyRequestChannel", description="How a request came.")
class RequestChannel(Enum):
    """Channels, as they are stored."""

    LETTER = strawberry.enum_value("letter", description="By letter.")
    EMAIL = strawberry.enum_value("email", description="By e-mail.")
    PHONE = strawberry.enum_value("phone", description="By telephone.")
    FORM = strawberry.enum_value("form", description="By a form.")
    PERSON = strawberry.enum_value("person", description="In person.")
    SIGNAL = strawberry.enum_value("signal", description="By a signal of the browser (GPC).")


@strawberry.enum(name="IdentityMethod", description="How it was found out who asks.")
class IdentityMethod(Enum):
    """Methods, as they are stored."""

    LOGIN = strawberry.enum_value("login", description="They asked from within their account.")
    KNOWN_DATA = strawberry.enum_value("known_data", description="They knew what only they know.")
    DOCUMENT = strawberry.enum_value("document", description="They showed a document.")
    SIGNATURE = strawberry.enum_value("signature", description="They signed.")
    IN_PERSON = strawberry.enum_value("in_person", description="They were there.")
    NOT_NEEDED = strawberry.enum_value("not_needed", description="Nobody has to know.")


@strawberry.enum(name="ClockPause", description="Why the clock of a request stands.")
class ClockPause(Enum):
    """Reasons of pauses, as they are stored."""

    IDENTITY = strawberry.enum_value("identity", description="Who asks has to be learned.")
    CLARIFICATION = strawberry.enum_value("clarification", description="What is meant has to be learned.")
    FEE = strawberry.enum_value("fee", description="A fee was asked for; in the UK alone.")


@strawberry.enum(name="RequestRefusal", description="On which ground a request is refused.")
class RequestRefusal(Enum):
    """Grounds of refusals, as they are stored."""

    UNFOUNDED = strawberry.enum_value("unfounded", description="It is manifestly unfounded (Art. 12(5)).")
    EXCESSIVE = strawberry.enum_value("excessive", description="It is excessive (Art. 12(5)).")
    NOT_IDENTIFIED = strawberry.enum_value(
        "not_identified", description="It could not be learned who asks (Art. 11(2), 12(2))."
    )
    EXEMPT = strawberry.enum_value("exempt", description="A law exempts it, as Art. 17(3) does.")


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
        default=None,
        description="Of an objection: the data use; every use unless given. Of an automated decision: the purpose"
        " of the policy that it was made for.",
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
    ask_again_on: Date | None = strawberry.field(
        name="askAgainOn",
        description="Of opt-outs and limits: the first day on which the person may be asked to allow it again"
        " (Cal. Civ. Code 1798.135(c)(4)).",
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
            ask_again_on=None if view.ask_again_on is None else Date(view.ask_again_on.isoformat()),
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
