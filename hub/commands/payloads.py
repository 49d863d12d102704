"""Opening the sealed payloads of the audit log: for whom the policy lets, as far as they see the values anyway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from hub.access import Command
from hub.audit import Action, AuditEvent, Unsealed
from hub.audit.questions import REVEALED
from hub.commands.author import Author
from hub.commands.customers import find_customer
from hub.commands.giving import refusals_recorded
from hub.errors import NotFoundError
from hub.graph.plans.guard import Guard
from hub.ontology import CUSTOMER
from hub.services import Services

WITHHELD = "withheld"
"""Stands for what the policy does not show to who asks."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """An event of the log with its payloads."""

    event: AuditEvent
    payloads: tuple[Unsealed, ...] = field(repr=False)


def reveal_payloads(services: Services, author: Author, number: int) -> Revealed:
    """The event with this number and what its payloads hold; who looked is on record before they see it.

    Values of properties that the author is not shown whole are withheld, and all of customers whom they do not reach.

    Raises:
        AccessDeniedError: the author may not.
        AuditError: there is no such event.
        MasterKeyError: the master key is not given.
        AuditIntegrityError: a payload or its key was altered.
    """
    with refusals_recorded(services, author, Command.REVEAL_PAYLOADS):
        event = services.audit.event(number)
        unsealed = services.sealer.unsealed(services.audit, number)
        with services.store.read() as connection:
            seen = tuple(_as_seen(services, connection, author, each) for each in unsealed)
        read = author.event(
            Action.AUDIT_READ,
            about=event.id,
            reason_code=REVEALED,
            customers=event.customers,
            entity_types=event.entity_types,
            data_categories=event.data_categories,
            counts={"results": sum(each.content is not None for each in seen)},
        )
        services.recorder.record_sync(read)
        return Revealed(event, seen)


def _as_seen(services: Services, connection: Connection, author: Author, payload: Unsealed) -> Unsealed:
    if payload.content is None or author.is_operator or _concerns_nobody(payload):
        return payload
    try:
        find_customer(services.store, connection, payload.subject or "", author)
    except NotFoundError:
        return replace(payload, content=dict.fromkeys(payload.content, WITHHELD))
    changes: Mapping[str, Any] = payload.content.get("changes", {})
    shown = {name: said if _whole(services, author, name) else WITHHELD for name, said in changes.items()}
    return replace(payload, content={**payload.content, "changes": shown})


def _concerns_nobody(payload: Unsealed) -> bool:
    """Whether it is sealed for a day: what was searched for, or why somebody was erased."""
    try:
        return bool(date.fromisoformat(payload.subject or ""))
    except ValueError:
        return False


def _whole(services: Services, author: Author, name: str) -> bool:
    prop = services.ontology.customer_properties.get(name)
    guard = Guard(services.ontology, author)
    return prop is not None and guard.whole(prop, guard.seen(CUSTOMER))
