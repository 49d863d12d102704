"""Questions to the consent ledger, each on record before its answer, and what a website says for a customer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from hub import commands
from hub.access import Command, Reach
from hub.access.policy import Channel
from hub.audit import Action
from hub.commands import Author
from hub.commands.customers import find_customer, reached_customers
from hub.commands.giving import refusals_recorded
from hub.errors import QueryError
from hub.graph.contact import ADDRESSED, Contact, Word, contacts
from hub.graph.plans.reach import CONSENT
from hub.privacy.consent.rules import CHANNELS, SAID_NO, Reason, Verdict, decide, reach_of
from hub.services import Services
from hub.yamlfile import nearest

CATEGORY = "user.privacy_preferences"
GPC_USES = ("third_party_sharing", "marketing.advertising.third_party")
"""What Global Privacy Control opts out of (CCPA regulations, 11 CCR 7025): sale and sharing."""


@dataclass(frozen=True, slots=True)
class Audience:
    """How many may be contacted, and how many may not for which reason."""

    count: int
    excluded: Mapping[Reason, int]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An address to which nothing may be sent."""

    address: str = field(repr=False)
    reason: Reason


def contact_allowed(services: Services, author: Author, customer: str, channel: str, use: str) -> Verdict:
    """Whether the customer may be contacted now, why, and the rows that decided.

    Raises:
        AccessDeniedError: the author may not ask.
        NotFoundError: there is no such customer, or none that the author reaches; both read the same.
        QueryError: there is no such channel or data use.
    """
    with refusals_recorded(services, author, Command.READ_CONSENT):
        reach = _reach(services, channel, use)
        _, contact = _one(services, author, customer)
    return decide(contact, reach, channel, _today())


def consent_history(services: Services, author: Author, customer: str) -> tuple[Word, ...]:
    """Every word of the customer that the sources state, the oldest first: consents, restrictions and objections.

    Raises:
        AccessDeniedError: the author may not ask.
        NotFoundError: as for `contact_allowed`.
    """
    with refusals_recorded(services, author, Command.READ_CONSENT):
        _, contact = _one(services, author, customer)
    return tuple(contact.words)


def audience(
    services: Services, author: Author, channel: str, use: str, customers: Collection[str] | None = None
) -> Audience:
    """Of these customers, or of all whom the author reaches, how many may be contacted.

    Raises:
        AccessDeniedError: the author may not ask.
        QueryError: there is no such channel or data use.
    """
    with refusals_recorded(services, author, Command.READ_CONSENT):
        found = _judged(services, author, channel, use, customers)
    event = author.event(Action.READ, data_categories=(CATEGORY,), counts={"customers": len(found)})
    services.recorder.record_sync(event)
    reasons = Counter(verdict.reason for _, verdict in found.values())
    allowed = sum(verdict.allowed for _, verdict in found.values())
    excluded = {
        reason: reasons[reason] for reason in Reason if reasons[reason] and not Verdict(reason).allowed
    }
    return Audience(allowed, excluded)


def suppressions(
    services: Services, author: Author, channel: str, use: str, *, hashed: bool = False
) -> list[Suppressed]:
    """Addresses of those who said no, sorted, for the system that sends on the channel. The log tells of the export.

    An address that two customers share stands in the list if either said no. With `hashed`, each is the SHA-256 of the
    address in normal form (lower-case e-mail, E.164 number), in hexadecimal, as providers of lists take them.

    Raises:
        AccessDeniedError: the author may not give the command.
        QueryError: there is no such data use, or the channel has no addresses that the hub knows.
    """
    with refusals_recorded(services, author, Command.EXPORT_SUPPRESSIONS):
        if channel not in ADDRESSED:
            raise QueryError(f"a suppression list is of one of {', '.join(ADDRESSED)}")
        found = _judged(services, author, channel, use, None)
    rows: dict[str, Reason] = {}
    concerned: set[str] = set()
    order = list(Reason)
    for customer, (contact, verdict) in found.items():
        if verdict.reason in SAID_NO:
            for address in contact.addresses.get(ADDRESSED[channel], ()):
                concerned.add(customer)
                rows[address] = min(rows.get(address, verdict.reason), verdict.reason, key=order.index)
    event = author.event(
        Action.EXPORT,
        data_categories=(
            CATEGORY,
            "user.contact.email" if channel == "email" else "user.contact.phone_number",
        ),
        customers=tuple(sorted(concerned)),
        counts={"exported": len(rows)},
    )
    services.recorder.record_sync(event)
    return sorted(
        (Suppressed(_hashed(address) if hashed else address, reason) for address, reason in rows.items()),
        key=lambda row: row.address,
    )


def record_gpc(services: Services, author: Author, customer: str, key: str) -> list[commands.Noted]:
    """Record that a browser sent `Sec-GPC: 1` for the customer: objections to each of GPC_USES, from now on.

    Raises:
        AccessDeniedError: the author may not record restrictions.
        NotFoundError: as for `contact_allowed`.
        QueryError: the idempotency key is malformed, or was used for something else.
    """
    said = {"kind": "objection", "state": "in_force", "ground": "Global Privacy Control (Sec-GPC: 1)"}
    return [
        commands.record_restriction(
            services,
            author,
            commands.RecordRestriction(customer, {**said, "purpose": use}, f"{key}.{number}"),
        )
        for number, use in enumerate(GPC_USES)
    ]


def _one(services: Services, author: Author, customer: str) -> tuple[str, Contact]:
    with services.store.read() as connection:
        found = find_customer(services.store, connection, customer, author).id
        contact = contacts(services.store, connection, [found])[found]
    event = author.event(
        Action.READ,
        entity_types=(CONSENT,),
        data_categories=(CATEGORY,),
        customers=(found,),
        counts={"results": 1},
    )
    services.recorder.record_sync(event)
    return found, contact


def _judged(
    services: Services, author: Author, channel: str, use: str, customers: Collection[str] | None
) -> dict[str, tuple[Contact, Verdict]]:
    reach = _reach(services, channel, use)
    with services.store.read() as connection:
        found = contacts(services.store, connection, customers)
        if not author.is_operator:
            there = reached_customers(services.store, connection, found, author)
            found = {id_: contact for id_, contact in found.items() if id_ in there}
    today = _today()
    return {id_: (contact, decide(contact, reach, channel, today)) for id_, contact in found.items()}


def _reach(services: Services, channel: str, use: str) -> Reach:
    if channel not in CHANNELS:
        raise QueryError(f"a channel is one of {', '.join(CHANNELS)}")
    uses = services.ontology.taxonomy.uses
    if use not in uses:
        near = nearest(use, uses)
        raise QueryError(
            "this is no data use of the taxonomy" + (f"; did you mean {near!r}?" if near else "")
        )
    return reach_of(use, cast(Channel, channel))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _hashed(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()
