"""What comes from outside by an identifier: a browser's signal, a reply to a message. Nobody is told whose it is.

A website knows an e-mail address or a card, a gateway knows a number; neither is to learn who is a customer. So both
get the same answer whoever holds the identifier, and what they say is kept for whoever will.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from hub import commands
from hub.access import Command
from hub.access.standing import DO_NOT_CALL, OWN_MARKETING
from hub.adapters import runs
from hub.audit import Action, AuditEvent
from hub.commands import Author
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.commands.suppressions import normal_of
from hub.errors import QueryError
from hub.graph.contact import ADDRESSED
from hub.graph.entities import DESK
from hub.graph.keyed import KeyedBars, Via
from hub.privacy.consent.words import Meaning, meaning_of
from hub.services import Services
from hub.store import iso_utc, utc_now

GPC_USES: Final = ("third_party_sharing", "marketing.advertising.third_party")
"""What Global Privacy Control opts out of (CCPA regulations, 11 CCR 7025): sale and sharing."""
REVOKED: Final = "marketing"
"""The data use that a reply takes the yes back from, for the channel by which it came."""
_BARS_OF_REPLY: Final = {"email": OWN_MARKETING, "sms": DO_NOT_CALL}
"""What a stop bars of an address that nobody is known by yet."""
_AHEAD: Final = timedelta(minutes=5)
MAX_REPLY: Final = 2_000
"""Characters of a reply that are read; longer ones are no word to a machine."""


@dataclass(frozen=True, slots=True)
class Signal:
    """That a browser sent `Sec-GPC: 1` for whoever holds the identifier."""

    scheme: str
    value: str = field(repr=False)
    region: str | None
    """Country of a phone number without country code."""
    key: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that came back from an address."""

    channel: str
    """`email` or `sms`."""
    address: str = field(repr=False)
    text: str = field(repr=False)
    received_at: datetime
    message: str
    """The gateway's id of the message, which is the proof."""
    key: str


def record_signal(services: Services, author: Author, order: Signal) -> None:
    """Keep that whoever holds the identifier, now or later, objects to each of GPC_USES.

    Raises:
        AccessDeniedError: the author may not.
        QueryError: there is no such kind of identifier, the value is none, or the idempotency key was used otherwise.
    """
    with refusals_recorded(services, author, Command.RECORD_SIGNAL):
        value = normal_of(services.ontology, order.scheme, order.value, order.region)
        _keep(services, author, order.key, (order.scheme, value), GPC_USES, "gpc")


def receive_reply(services: Services, author: Author, order: Reply) -> Meaning:
    """What the reply means, taken down: a stop takes back, at once, the yes of all who hold the address.

    Each of them gets a withdrawal in the ledger, with the message as its proof. Where nobody holds it the address is
    barred until somebody does. A start takes such a bar back, and is no yes.

    Raises:
        AccessDeniedError: the author may not.
        QueryError: the channel has no replies, the address is none, the time lies in the future, or the idempotency key
            was used for something else.
    """
    with refusals_recorded(services, author, Command.RECORD_SIGNAL):
        if order.channel not in _BARS_OF_REPLY:
            raise QueryError(f"replies come by one of {', '.join(_BARS_OF_REPLY)}")
        if order.received_at > datetime.now(UTC) + _AHEAD:
            raise QueryError("the time of the reply lies in the future")
        scheme = ADDRESSED[order.channel]
        address = normal_of(services.ontology, scheme, order.address, None)
        meaning = meaning_of(order.text[:MAX_REPLY])
        if meaning is Meaning.STOP:
            _withdraw(services, author, order, (scheme, address))
        elif meaning is Meaning.START:
            _release(services, author, order, (scheme, address))
    return meaning


def _withdraw(services: Services, author: Author, order: Reply, at: tuple[str, str]) -> None:
    with services.store.read() as connection:
        holders = KeyedBars(services.store).holders(connection, *at)
    if not holders:
        _keep(services, author, order.key, at, (_BARS_OF_REPLY[order.channel],), "reply")
    said = {
        "purpose": REVOKED,
        "channel": order.channel,
        "state": "withdrawn",
        "at": iso_utc(order.received_at),
        "proof": f"message {order.message}",
        "collectedVia": f"reply by {order.channel}",
    }
    # The policy lets a machine say so of whomever it is told about, without letting it ask who that is.
    anybody = replace(author, is_operator=True)
    for customer in holders:
        key = hashlib.blake2b(f"{order.key} {customer}".encode(), digest_size=16).hexdigest()
        commands.record_consent(services, anybody, commands.RecordConsent(customer, said, key))


def _release(services: Services, author: Author, order: Reply, at: tuple[str, str]) -> None:
    bar = _BARS_OF_REPLY[order.channel]

    def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
        bars = KeyedBars(services.store)
        said = bars.of(connection, [at]).get(at, ())
        if any(each.via == "reply" and each.bar == bar for each in said):
            bars.release(connection, *at, [bar])
        return _restood(services, author, connection, at, "start")

    content = {"scheme": at[0], "value": at[1]}
    once(services, author, Order(Command.RECORD_SIGNAL, "start", order.key, content), act)


def _keep(
    services: Services, author: Author, key: str, at: tuple[str, str], uses: Sequence[str], via: Via
) -> None:
    def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
        KeyedBars(services.store).add(connection, *at, uses, utc_now(), via)
        return _restood(services, author, connection, at, via)

    content = {"scheme": at[0], "value": at[1]}
    once(services, author, Order(Command.RECORD_SIGNAL, via, key, content), act)


def _restood(
    services: Services, author: Author, connection: Connection, at: tuple[str, str], code: str
) -> tuple[Result, Sequence[AuditEvent]]:
    holders = KeyedBars(services.store).holders(connection, *at)
    services.syncer.graph.restand(connection, runs.note_command(connection, DESK), holders)
    event = author.event(
        Action.RESTRICTION_CHANGED,
        reason_code=code,
        data_categories=("user.privacy_preferences",),
        customers=tuple(holders),
        counts={"customers": len(holders)},
    )
    return {}, [event]
