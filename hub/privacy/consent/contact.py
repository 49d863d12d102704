"""Questions to the consent ledger, each on record before its answer, and what a website says for a customer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Connection

from hub import commands
from hub.access import Command, Reach
from hub.access.policy import Channel
from hub.audit import Action
from hub.commands import Author
from hub.commands.customers import find_customer, reached_customers
from hub.commands.giving import refusals_recorded
from hub.errors import QueryError
from hub.graph.contact import ADDRESSED, PAGE, PHONE, Contact, Word, addresses, contacts, deciding, pages
from hub.graph.plans.reach import CONSENT
from hub.privacy.consent.hours import waits_until
from hub.privacy.consent.rules import CHANNELS, SAID_NO, Reason, Verdict, decide, is_telemarketing, reach_of
from hub.privacy.consent.signals import GPC_USES
from hub.services import Services
from hub.yamlfile import nearest

CATEGORY = "user.privacy_preferences"


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
    now = datetime.now(UTC)
    verdict = decide(contact, reach, channel, _day(now))
    return at_the_hour(verdict, contact, now) if is_telemarketing(reach, channel) else verdict


def at_the_hour(verdict: Verdict, contact: Contact, now: datetime) -> Verdict:
    """The verdict on a call or message that would be made now."""
    if not verdict.allowed:
        return verdict
    until = waits_until(contact.addresses.get(PHONE, ()), now, contact.country)
    return verdict if until is None else replace(verdict, reason=Reason.CALLING_HOURS, allowed_from=until)


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
        reasons: Counter[Reason] = Counter()
        for _, page in _judged(services, author, channel, use, customers):
            reasons.update(page.values())
    event = author.event(Action.READ, data_categories=(CATEGORY,), counts={"customers": reasons.total()})
    services.recorder.record_sync(event)
    allowed = sum(count for reason, count in reasons.items() if Verdict(reason).allowed)
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
        rows: dict[str, Reason] = {}
        concerned: set[str] = set()
        order = list(Reason)
        for connection, page in _judged(services, author, channel, use, None):
            said_no = {customer: reason for customer, reason in page.items() if reason in SAID_NO}
            known = addresses(services.store, connection, said_no, ADDRESSED[channel])
            for customer, held in known.items():
                concerned.add(customer)
                for address in held:
                    rows[address] = min(
                        rows.get(address, said_no[customer]), said_no[customer], key=order.index
                    )
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
) -> Iterator[tuple[Connection, dict[str, Reason]]]:
    """The reasons by customer, a page of them at a time, with the connection by which they were read."""
    reach = _reach(services, channel, use)
    today = _day(datetime.now(UTC))
    scheme = ADDRESSED.get(channel, channel)
    silent = {
        has: decide(Contact(addresses={scheme: {""}} if has else {}), reach, channel, today).reason
        for has in (False, True)
    }
    with services.store.read() as connection:
        some = pages(services.store, connection) if customers is None else _named(customers)
        for ids in some:
            if author.is_operator:
                there: Collection[str] = ids
            else:
                there = reached_customers(services.store, connection, ids, author)
            found = deciding(services.store, connection, there, reach, channel)
            yield (
                connection,
                {
                    id_: silent[bool(contact.addresses)]
                    if contact.is_silent
                    else decide(contact, reach, channel, today).reason
                    for id_, contact in found.items()
                },
            )


def _named(customers: Collection[str]) -> Iterator[list[str]]:
    ids = sorted({*customers})
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


def _reach(services: Services, channel: str, use: str) -> Reach:
    if channel not in CHANNELS:
        raise QueryError(f"a channel is one of {', '.join(CHANNELS)}")
    uses = services.ontology.taxonomy.uses
    if use not in uses:
        near = nearest(use, uses)
        raise QueryError(
            "this is no data use of the taxonomy" + (f"; did you mean {near!r}?" if near else "")
        )
    return reach_of(use, cast(Channel, channel), services.access.ages)


def _day(now: datetime) -> str:
    return now.date().isoformat()


def _hashed(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()
