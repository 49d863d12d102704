"""What is not to be contacted, in GraphQL: numbers, signals, replies, and which system knows of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Self

import strawberry
from strawberry import Info

from hub.privacy import consent
from hub.schema.consenting import Channel, ContactReason, SuppressedAddress, Use, consent_author
from hub.schema.context import RequestContext
from hub.schema.mutations import KEY, KEY_WORDS
from hub.schema.scalars import Date, DateTime, Long
from hub.store import iso_utc

Key = Annotated[str, strawberry.argument(name=KEY, description=KEY_WORDS)]
Region = Annotated[
    str | None,
    strawberry.argument(description="Country of a number without country code, ISO 3166-1 alpha-2."),
]
Number = Annotated[str, strawberry.argument(description="Telephone number.")]
System = Annotated[str, strawberry.argument(description="System or partner of `organisation.yaml`.")]


@strawberry.type(description="A do-not-call register of a country, as it was last imported.")
class CallRegister:
    """A register."""

    name: str = strawberry.field(description="Its name, such as `us-dnc`.")
    region: str = strawberry.field(description="The country whose numbers it has.")
    made_at: DateTime = strawberry.field(name="madeAt", description="The time of its version.")
    imported_at: DateTime = strawberry.field(name="importedAt", description="When that was imported.")
    origin: str = strawberry.field(description="Where it came from.")
    numbers: Long = strawberry.field(description="How many numbers it has.")
    good_until: DateTime = strawberry.field(
        name="goodUntil", description="Until when it may be relied on: 31 days, 28 in the United Kingdom."
    )


@strawberry.type(description="What a system that sends knows of those who said no.")
class SuppressionStatus:
    """A row of the status."""

    system: str = strawberry.field(description="The system or partner.")
    channel: str = strawberry.field(description="Way of contact.")
    purpose: str = strawberry.field(description="Data use.")
    taken: DateTime | None = strawberry.field(description="As of when the newest list is that it took.")
    waiting: strawberry.ID | None = strawberry.field(description="The newest list that it has not taken.")
    withdrawals: Long = strawberry.field(description="Words against the use of which it does not know.")
    oldest: DateTime | None = strawberry.field(description="When the first of them came.")
    due: Date | None = strawberry.field(description="By when it has to know: ten business days.")

    @classmethod
    def of(cls, each: consent.SystemList) -> Self:
        """The same as GraphQL tells it."""
        return cls(
            system=each.system,
            channel=each.channel,
            purpose=each.data_use,
            taken=None if each.taken is None else DateTime(each.taken),
            waiting=None if each.waiting is None else strawberry.ID(each.waiting),
            withdrawals=Long(each.withdrawals),
            oldest=None if each.oldest is None else DateTime(iso_utc(each.oldest)),
            due=None if each.due is None else Date(each.due.isoformat()),
        )


@strawberry.type(description="A change of the company's own do-not-call list.")
class DoNotCallChanged:
    """Payload of a number."""

    customers: Long = strawberry.field(description="How many customers have the number now.")


@strawberry.type(description="That a signal was recorded; it tells nothing of whose it is.")
class SignalRecorded:
    """Payload of a signal by identifier."""

    recorded: bool = strawberry.field(description="Always true.")


@strawberry.enum(name="ReplyMeaning", description="What a reply to a message asks for.")
class ReplyMeaning(Enum):
    """The meanings, as the rules name them."""

    STOP = strawberry.enum_value("stop", description="It takes back a yes: this holds at once.")
    HELP = strawberry.enum_value("help", description="It asks for help: the sender answers.")
    START = strawberry.enum_value("start", description="It takes back an earlier stop.")
    OTHER = strawberry.enum_value("other", description="Nothing that a rule can tell: for a person to read.")


@strawberry.type(description="A reply that was taken down; it tells nothing of whose it is.")
class ReplyReceived:
    """Payload of a reply."""

    meaning: ReplyMeaning = strawberry.field(description="What it asks for.")


@strawberry.type(description="A suppression list that was made for a system.")
class SuppressionsTaken:
    """Payload of a list."""

    id: strawberry.ID = strawberry.field(description="By it the system says that it took the list.")
    addresses: list[SuppressedAddress] = strawberry.field(description="The list.")


@strawberry.type(description="That a system took a suppression list and keeps to it.")
class SuppressionsAcknowledged:
    """Payload of a receipt."""

    taken: DateTime = strawberry.field(description="As of when the list is.")


def _registers(info: Info[RequestContext, None]) -> list[CallRegister] | None:
    author = consent_author(info)
    return [
        CallRegister(
            name=each.name,
            region=each.region,
            made_at=DateTime(each.made_at),
            imported_at=DateTime(each.imported_at),
            origin=each.origin,
            numbers=Long(each.numbers),
            good_until=DateTime(iso_utc(each.good_until)),
        )
        for each in consent.registers_of(info.context.services, author)
    ]


def _status(info: Info[RequestContext, None]) -> list[SuppressionStatus] | None:
    found = consent.consent_status(info.context.services, consent_author(info))
    return [SuppressionStatus.of(each) for each in found]


def _do_not_call(
    info: Info[RequestContext, None], number: Number, key: Key, region: Region = None
) -> DoNotCallChanged | None:
    order = consent.DoNotCall(number, region, key)
    return DoNotCallChanged(
        customers=Long(consent.record_do_not_call(info.context.services, consent_author(info), order))
    )


def _may_call(
    info: Info[RequestContext, None], number: Number, key: Key, region: Region = None
) -> DoNotCallChanged | None:
    order = consent.DoNotCall(number, region, key)
    return DoNotCallChanged(
        customers=Long(consent.release_do_not_call(info.context.services, consent_author(info), order))
    )


def _signal(
    info: Info[RequestContext, None],
    scheme: Annotated[str, strawberry.argument(description="Kind of identifier, such as `email`.")],
    value: Annotated[str, strawberry.argument(description="The identifier.")],
    key: Key,
    region: Region = None,
) -> SignalRecorded | None:
    order = consent.Signal(scheme, value, region, key)
    consent.record_signal(info.context.services, consent_author(info), order)
    return SignalRecorded(recorded=True)


def _reply(
    info: Info[RequestContext, None],
    channel: Annotated[str, strawberry.argument(description="`email` or `sms`.")],
    address: Annotated[str, strawberry.argument(description="Where it came from.")],
    text: Annotated[str, strawberry.argument(description="What it says; it is not kept.")],
    received_at: Annotated[DateTime, strawberry.argument(name="receivedAt", description="When.")],
    message: Annotated[str, strawberry.argument(description="The gateway's id of it: the proof.")],
    key: Key,
) -> ReplyReceived | None:
    order = consent.Reply(channel, address, text, datetime.fromisoformat(received_at), message, key)
    meaning = consent.receive_reply(info.context.services, consent_author(info), order)
    return ReplyReceived(meaning=ReplyMeaning[meaning.name])


def _take(
    info: Info[RequestContext, None],
    system: System,
    channel: Channel,
    purpose: Use,
    hashed: Annotated[
        bool, strawberry.argument(description="SHA-256 of each address, in hexadecimal, instead.")
    ] = False,
) -> SuppressionsTaken | None:
    export, rows = consent.take_suppressions(
        info.context.services, consent_author(info), system, channel, purpose, hashed=hashed
    )
    addresses = [
        SuppressedAddress(address=row.address, reason=ContactReason[row.reason.name]) for row in rows
    ]
    return SuppressionsTaken(id=strawberry.ID(export), addresses=addresses)


def _acknowledge(
    info: Info[RequestContext, None],
    id_: Annotated[strawberry.ID, strawberry.argument(name="id", description="Id of the list.")],
    key: Key,
) -> SuppressionsAcknowledged | None:
    taken = consent.acknowledge(info.context.services, consent_author(info), id_, key)
    return SuppressionsAcknowledged(taken=DateTime(taken))


@strawberry.type
class ContactQuery:
    """What there is of lists."""

    call_registers: list[CallRegister] | None = strawberry.field(
        name="callRegisters",
        resolver=_registers,
        description="Do-not-call registers of countries, and until when each may be relied on. For those to whom the"
        " policy gives `read_consent`.",
    )
    consent_status: list[SuppressionStatus] | None = strawberry.field(
        name="consentStatus",
        resolver=_status,
        description="What each system that sends does not know yet of those who said no; for the same.",
    )


@strawberry.type
class ContactMutation:
    """What is said of numbers and addresses, and by systems that send."""

    record_do_not_call: DoNotCallChanged | None = strawberry.field(
        name="recordDoNotCall",
        resolver=_do_not_call,
        description="Put a number on the company's own do-not-call list, whoever holds it now or later. For those to"
        " whom the policy gives `record_restriction`.",
    )
    release_do_not_call: DoNotCallChanged | None = strawberry.field(
        name="releaseDoNotCall",
        resolver=_may_call,
        description="Take a number off that list, because its holder asked for it; for the same.",
    )
    record_signal: SignalRecorded | None = strawberry.field(
        name="recordSignal",
        resolver=_signal,
        description="Record that a browser sent `Sec-GPC: 1` for whoever holds an identifier, now or later. For those"
        " to whom the policy gives `record_signal`.",
    )
    receive_reply: ReplyReceived | None = strawberry.field(
        name="receiveReply",
        resolver=_reply,
        description="Take down a reply to a message: STOP and its like are a withdrawal at once, with the message as"
        " its proof; for the same.",
    )
    take_suppressions: SuppressionsTaken | None = strawberry.field(
        name="takeSuppressions",
        resolver=_take,
        description="Make a suppression list for a system that sends. For those to whom the policy gives"
        " `export_suppressions`.",
    )
    acknowledge_suppressions: SuppressionsAcknowledged | None = strawberry.field(
        name="acknowledgeSuppressions",
        resolver=_acknowledge,
        description="Say that a system took a suppression list and keeps to it; for the same.",
    )
