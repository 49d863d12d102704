"""Calls as touchpoints of customers: records of the source `desk`, one for each call that has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from hub.adapters import runs
from hub.adapters.staff import INTERACTIONS, Circumstances, Said
from hub.audit import Action, AuditEvent
from hub.calls import Call, call_by_id
from hub.calls.journal import keep_call
from hub.calls.numbers import Trunk, read_number
from hub.commands.author import Author
from hub.commands.customers import find_customer
from hub.commands.giving import consequences
from hub.commands.notes import CUSTOMER_LINK, desk_party
from hub.errors import NotFoundError
from hub.graph.entities import DESK
from hub.services import Services
from hub.store import fixed, utc_now

_OUTCOMES = {True: "missed", False: "answered"}


def touch(services: Services, author: Author, call: Call) -> Call:
    """The call, whose touchpoint is with its customer now; as it was where that is nobody's any more."""
    try:
        with services.store.write() as connection:
            changed, events = touched(services, connection, author, call, {})
            runs.post(connection, events)
            return keep_call(connection, changed, call)
    except NotFoundError:  # erased meanwhile, or out of reach: then it is nobody's touchpoint
        return call


def touch_again(services: Services, author: Author, call_id: str) -> None:
    """Bring the touchpoint of a call that has ended to the customer whom it is with now, or away from the last."""
    with services.store.read() as connection:
        call = call_by_id(connection, call_id)
    if call is None or call.ended_at is None:
        return
    if call.customer_id is not None:
        touch(services, author, call)
    elif call.party_id is not None:
        _withdraw(services, author, call)


def _withdraw(services: Services, author: Author, call: Call) -> None:
    with services.store.write() as connection:
        said = Said(DESK, INTERACTIONS, call.id, "Interaction", None)
        written = services.staff.write(connection, [said], _circumstances(author))
        runs.post(connection, consequences(services, author, written.applied))
        keep_call(connection, replace(call, party_id=None), call)


def touched(
    services: Services, connection: Connection, author: Author, call: Call, values: Mapping[str, Any]
) -> tuple[Call, list[AuditEvent]]:
    """The call with its touchpoint, which says these values too, and what is to be recorded of it.

    Raises:
        NotFoundError: there is no such customer any more, or none that the author reaches.
    """
    customer = find_customer(services.store, connection, call.customer_id or "", author)
    party, said = desk_party(services, connection, customer)
    known = {**_before(connection, call), **_facts(services, call), **values, CUSTOMER_LINK: party}
    note = Said(DESK, INTERACTIONS, call.id, "Interaction", known)
    written = services.staff.write(connection, [*said, note], _circumstances(author))
    event = author.event(
        Action.INTERACTION_LOGGED,
        source=DESK,
        stream=INTERACTIONS,
        run_id=str(written.run_id),
        about=call.id,
        entity_types=("Interaction",),
        customers=(customer.id,),
        counts={"updated": 1} if call.party_id else {"created": 1},
    )
    return replace(call, party_id=party), [event, *consequences(services, author, written.applied)]


def _circumstances(author: Author) -> Circumstances:
    return Circumstances(author.subject, author.purpose, None, utc_now())


def _before(connection: Connection, call: Call) -> Mapping[str, Any]:
    """What the touchpoint said before, for what is said later adds to it."""
    head, record = fixed.record_head, fixed.record
    query = (
        select(record.c.payload)
        .join(head, head.c.record_id == record.c.id)
        .where(head.c.source == DESK, head.c.stream == INTERACTIONS, head.c.key == call.id)
    )
    payload = connection.execute(query).scalar()
    return (json.loads(payload)["values"] or {}) if payload else {}


def _facts(services: Services, call: Call) -> dict[str, Any]:
    began, answered, ended = (_instant(each) for each in (call.began_at, call.answered_at, call.ended_at))
    settings = services.settings.pbx_of(call.pbx)
    dialled = read_number(call.facts.dialled, Trunk.of(settings))
    found: dict[str, Any] = {
        "kind": "call",
        "direction": call.direction,
        "startTime": call.began_at,
        "endTime": call.ended_at,
        "interactionNumber": call.key,
        "contactPhone": call.number,
        "dialledNumber": dialled.e164,
        "outcome": _OUTCOMES[call.was_missed] if call.wrapped_at is None and ended else None,
        "duration": int((ended - answered).total_seconds()) if ended and answered else None,
        "waitTime": int((answered - began).total_seconds()) if began and answered else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
