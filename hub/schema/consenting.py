"""Consent in GraphQL: who may be contacted and why, what they said, who said no, what websites say for them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub.commands import Author
from hub.errors import AccessDeniedError
from hub.graph.contact import Word
from hub.privacy import consent
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import Date, DateTime, Long
from hub.store import iso_utc

Customer = Annotated[
    strawberry.ID, strawberry.argument(name="customerId", description="Public id of the customer.")
]
Channel = Annotated[str, strawberry.argument(description=f"Way of contact: {', '.join(consent.CHANNELS)}.")]
Use = Annotated[
    str, strawberry.argument(description="Data use of the contact, as `marketing.communications.email`.")
]


@strawberry.enum(
    name="ContactReason",
    description="Why a customer may or may not be contacted; the first that holds.",
)
class ContactReason(Enum):
    """The reasons, as the rules name them."""

    RESTRICTION = strawberry.enum_value(
        "restriction", description="Use of their data is restricted (GDPR Art. 18)."
    )
    OBJECTION = strawberry.enum_value(
        "objection", description="They objected (Art. 21), or sent a privacy signal."
    )
    DO_NOT_CALL = strawberry.enum_value(
        "do_not_call", description="A number of theirs is on the company's own do-not-call list."
    )
    WITHDRAWN = strawberry.enum_value("withdrawn", description="Their newest word is a no.")
    PENDING = strawberry.enum_value("pending", description="Their newest word is not confirmed.")
    EXPIRED = strawberry.enum_value("expired", description="Their newest yes has run out.")
    NO_CONSENT = strawberry.enum_value("no_consent", description="They never said yes.")
    CHILD = strawberry.enum_value(
        "child", description="Their yes is that of a child, and no guardian gave it (Art. 8)."
    )
    REGISTERED = strawberry.enum_value(
        "registered",
        description="A register of their country has a number of theirs; no yes names the channel.",
    )
    REGISTER_OUTDATED = strawberry.enum_value(
        "register_outdated", description="The register of their country was imported too long ago to tell."
    )
    NO_ADDRESS = strawberry.enum_value(
        "no_address", description="They may be contacted, but no address is known."
    )
    CALLING_HOURS = strawberry.enum_value(
        "calling_hours", description="They may be called, but it is too early or too late where they may be."
    )
    CONSENT = strawberry.enum_value("consent", description="They said yes.")
    NOT_NEEDED = strawberry.enum_value(
        "not_needed", description="The use needs no consent, and they did not object."
    )


@strawberry.type(name="ConsentWord", description="A word of a customer, as one source states it.")
class ConsentWord:
    """A row of the ledger."""

    id: strawberry.ID = strawberry.field(description="Id of the consent or restriction.")
    kind: str = strawberry.field(description="`consent`, `restriction` or `objection`.")
    purpose: str | None = strawberry.field(description="Data use that it is about; null for every use.")
    channel: str | None = strawberry.field(description="Way of contact that it covers.")
    state: str | None = strawberry.field(description="What was said.")
    since: DateTime | None = strawberry.field(description="When.")
    expires_on: Date | None = strawberry.field(name="expiresOn", description="Last day on which it holds.")
    legal_basis: str | None = strawberry.field(
        name="legalBasis", description="What the contact rests on where that is not consent."
    )
    wording: str | None = strawberry.field(description="Words that the person agreed to or refused.")
    wording_version: str | None = strawberry.field(
        name="wordingVersion", description="Version of those words."
    )
    proof: str | None = strawberry.field(description="How it can be shown.")
    collected_via: str | None = strawberry.field(name="collectedVia", description="Where it was asked.")
    given_by: str | None = strawberry.field(
        name="givenBy", description="Who decided: `person` or `guardian`."
    )
    source: str = strawberry.field(description="The source that states it.")
    stream: str = strawberry.field(description="Its stream.")
    record_id: Long = strawberry.field(
        name="recordId", description="The version of the source's record, which does not change."
    )

    @classmethod
    def of(cls, word: Word) -> Self:
        """The word as GraphQL tells it."""
        return cls(
            id=strawberry.ID(word.id),
            kind=word.kind,
            purpose=word.use,
            channel=word.channel,
            state=word.state,
            since=None if word.at is None else DateTime(word.at),
            expires_on=None if word.expires_on is None else Date(word.expires_on),
            legal_basis=word.legal_basis,
            wording=word.wording,
            wording_version=word.wording_version,
            proof=word.proof,
            collected_via=word.collected_via,
            given_by=word.given_by,
            source=word.source,
            stream=word.stream,
            record_id=Long(word.record_id),
        )


@strawberry.type(description="What bars a contact by an identifier of the customer.")
class ContactBar:
    """A bar that no source states."""

    bar: str = strawberry.field(description="The data use, or `do_not_call`; of a register its name.")
    via: str = strawberry.field(description="`do_not_call`, `gpc`, `reply` or `register`.")
    since: DateTime = strawberry.field(description="Since when.")
    version_at: DateTime | None = strawberry.field(
        name="versionAt", description="Of a register: the time of the version that says so."
    )


@strawberry.type(description="Whether a customer may be contacted.")
class ContactDecision:
    """A verdict."""

    allowed: bool = strawberry.field(description="Whether they may be contacted now.")
    reason: ContactReason = strawberry.field(description="Why.")
    evidence: list[ConsentWord] = strawberry.field(description="The words that decided.")
    bars: list[ContactBar] = strawberry.field(
        description="What was said by their identifiers, if that decided."
    )
    allowed_from: DateTime | None = strawberry.field(
        name="allowedFrom", description="When they may be called, if only the hour is against it."
    )


@strawberry.type(description="How many customers are left out for a reason.")
class ContactExclusion:
    """A count by reason."""

    reason: ContactReason = strawberry.field(description="The reason.")
    count: Long = strawberry.field(description="How many.")


@strawberry.type(description="Whom of an audience a contact may reach.")
class ContactAudience:
    """Counts of an audience."""

    count: Long = strawberry.field(description="How many may be contacted.")
    excluded: list[ContactExclusion] = strawberry.field(description="How many may not, and why.")


@strawberry.type(description="An address to which nothing may be sent.")
class SuppressedAddress:
    """A line of a suppression list."""

    address: str = strawberry.field(description="The address in normal form, or its SHA-256.")
    reason: ContactReason = strawberry.field(description="Why.")


@strawberry.type(description="That Global Privacy Control was recorded.")
class GpcRecorded:
    """Payload of a signal."""

    ids: list[strawberry.ID] = strawberry.field(description="Ids of the objections, one for each data use.")


def consent_author(info: Info[RequestContext, None]) -> Author:
    """Who asks, or says something.

    Raises:
        AccessDeniedError: they do so under break-glass.
    """
    if info.context.access.glass is not None:
        raise AccessDeniedError("under break-glass consents are read by the one customer's own fields")
    return Author.of(info.context.requester, info.context.services.access)


def _allowed(
    info: Info[RequestContext, None], customer_id: Customer, channel: Channel, purpose: Use
) -> ContactDecision | None:
    found = consent.contact_allowed(
        info.context.services, consent_author(info), customer_id, channel, purpose
    )
    return ContactDecision(
        allowed=found.allowed,
        reason=ContactReason[found.reason.name],
        evidence=[ConsentWord.of(word) for word in found.evidence],
        bars=[
            *(
                ContactBar(bar=said.bar, via=said.via, since=DateTime(said.at), version_at=None)
                for said in found.keyed
            ),
            *(
                ContactBar(
                    bar=each.register,
                    via="register",
                    since=DateTime(each.added_at),
                    version_at=DateTime(each.made_at),
                )
                for each in found.registered
            ),
        ],
        allowed_from=None if found.allowed_from is None else DateTime(iso_utc(found.allowed_from)),
    )


def _audience(
    info: Info[RequestContext, None],
    channel: Channel,
    purpose: Use,
    customers: Annotated[
        list[strawberry.ID] | None,
        strawberry.argument(description="Public ids; all whom the requester reaches unless given."),
    ] = None,
) -> ContactAudience | None:
    found = consent.audience(info.context.services, consent_author(info), channel, purpose, customers)
    excluded = [
        ContactExclusion(reason=ContactReason[reason.name], count=Long(count))
        for reason, count in found.excluded.items()
    ]
    return ContactAudience(count=Long(found.count), excluded=excluded)


def _history(info: Info[RequestContext, None], customer_id: Customer) -> list[ConsentWord] | None:
    found = consent.consent_history(info.context.services, consent_author(info), customer_id)
    return [ConsentWord.of(word) for word in found]


def _suppressions(
    info: Info[RequestContext, None],
    channel: Channel,
    purpose: Use,
    hashed: Annotated[
        bool, strawberry.argument(description="SHA-256 of each address, in hexadecimal, instead.")
    ] = False,
) -> list[SuppressedAddress] | None:
    found = consent.suppressions(info.context.services, consent_author(info), channel, purpose, hashed=hashed)
    return [SuppressedAddress(address=row.address, reason=ContactReason[row.reason.name]) for row in found]


def _gpc(
    info: Info[RequestContext, None],
    customer_id: Customer,
    key: Annotated[str, strawberry.argument(name=KEY, description=KEY_WORDS)],
) -> GpcRecorded | None:
    noted = consent.record_gpc(info.context.services, consent_author(info), customer_id, key)
    return GpcRecorded(ids=[strawberry.ID(each.id) for each in noted])


@strawberry.type
class ConsentQuery:
    """Questions to the ledger."""

    contact_allowed: ContactDecision | None = strawberry.field(
        name="contactAllowed",
        resolver=_allowed,
        description="Whether a customer may be contacted on a channel for a data use, why, and the words that decided."
        " For those to whom the policy gives `read_consent`.",
    )
    contact_audience: ContactAudience | None = strawberry.field(
        name="contactAudience",
        resolver=_audience,
        description="How many may be contacted, and how many may not for which reason; for the same.",
    )
    consent_history: list[ConsentWord] | None = strawberry.field(
        name="consentHistory",
        resolver=_history,
        description="Every consent, restriction and objection of a customer with its record, oldest first; for the"
        " same.",
    )
    suppressions: list[SuppressedAddress] | None = strawberry.field(
        resolver=_suppressions,
        description="Addresses of those who said no, for the system that sends; the audit log tells of the export. For"
        " those to whom the policy gives `export_suppressions`.",
    )


@strawberry.type
class ConsentMutation:
    """What a website says for a customer."""

    record_gpc: GpcRecorded | None = strawberry.field(
        name="recordGpc",
        resolver=_gpc,
        description="Record that a browser sent `Sec-GPC: 1` for a customer: objections to sharing data with others and"
        " to advertising in their channels. For those to whom the policy gives `record_restriction`.",
    )
