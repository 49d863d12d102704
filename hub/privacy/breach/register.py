"""What is done with incidents: recorded with whom they affect, followed up against the clock, closed.

All texts are free: they stay in the register, sealed in the log, and may name no affected customer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, get_args

from sqlalchemy import Connection

from hub.access import Command, Effect
from hub.audit import Action, AuditEvent
from hub.commands import Author
from hub.commands.erasure import sealed_for_the_day
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.commands.incidents import (
    Incident,
    StepKind,
    customers_of_incident,
    find_incident,
    keep_incident,
    keep_step,
    list_incidents,
)
from hub.commands.naming import names_somebody
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.graph.ages import parties_of
from hub.graph.plans import ById, Id, Selection, Value, Var, compile_plan, execute
from hub.ontology import CUSTOMER
from hub.privacy.breach.scope import Where, find_scope
from hub.services import Services
from hub.store import iso_utc

LEAST_TEXT: Final = 20
"""Characters of a text that has to explain something."""
MAX_TEXT: Final = 4000
MAX_NAMED: Final = 10_000
"""Customers up to which the event of an incident names them; beyond, it counts them."""
_EXPLAINED = ("authority_not_needed", "people_not_needed", "measure")


@dataclass(frozen=True, slots=True)
class RecordIncident:
    """That something happened (Art. 33(3)): what, to whom, what may come of it, and what is done."""

    where: Where
    nature: str = field(repr=False)
    consequences: str = field(repr=False)
    measures: str = field(repr=False)
    owner: str
    aware_at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class NotifyIncident:
    """A step: whom was told, or why nobody, what was done, or that it is closed."""

    id: str
    kind: StepKind
    note: str = field(repr=False)
    key: str
    at: datetime | None = None
    """When; now unless given."""


def record_incident(services: Services, author: Author, order: RecordIncident) -> str:
    """The id of the new entry, which keeps whom the incident affects by what is known now.

    Raises:
        AccessDeniedError: the author may not.
        QueryError: the place, account or time cannot be meant; a text is missing, or names somebody; the owner is no
            department; the hub became aware in the future; the idempotency key was used for something else.
    """
    content = {**asdict(order), "where": order.where.as_json(), "aware_at": iso_utc(order.aware_at)}
    said = Order(Command.HANDLE_BREACH, "record incident", order.key, content)
    with refusals_recorded(services, author, Command.HANDLE_BREACH):
        _check(services, order)
        scope = find_scope(services, order.where)

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            texts = {name: getattr(order, name).strip() for name in ("nature", "consequences", "measures")}
            _require_nameless(services, connection, scope.customers, " ".join(texts.values()))
            row = {
                "owner": order.owner,
                "aware_at": iso_utc(order.aware_at),
                "opened_by": author.subject,
                **texts,
            }
            found = {**row, "scope": order.where.as_json(), "found": scope.counts()}
            id_ = keep_incident(connection, found, scope.customers)
            named = scope.customers if len(scope.customers) <= MAX_NAMED else ()
            event = author.event(
                Action.INCIDENT,
                reason_code="recorded",
                customers=named,
                data_categories=tuple(scope.categories),
                counts={"customers": len(scope.customers)},
            )
            return {"id": id_}, [sealed_for_the_day(services, event, {"incident": id_, **texts})]

        return str(once(services, author, said, act)["id"])


def note_incident(services: Services, author: Author, order: NotifyIncident) -> Incident:
    """The entry with the step that was taken.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such incident.
        QueryError: the step does not fit: it is closed, or something is undecided; it lies in the future or before one
            knew; the note is missing, or too short for the reasons of a delay; the key was used for something else.
    """
    content = {**asdict(order), "at": None if order.at is None else iso_utc(order.at)}
    said = Order(Command.HANDLE_BREACH, "note incident", order.key, content)
    with refusals_recorded(services, author, Command.HANDLE_BREACH):

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            incident = _found(connection, order.id)
            at = order.at or datetime.now(UTC)
            _check_step(incident, order, at)
            _require_nameless(services, connection, customers_of_incident(connection, order.id), order.note)
            keep_step(connection, incident, order.kind, at, author.subject, order.note.strip())
            event = author.event(
                Action.INCIDENT, reason_code=order.kind, counts={"customers": incident.people}
            )
            sealed = {"incident": order.id, "note": order.note.strip()}
            return {"id": order.id}, [sealed_for_the_day(services, event, sealed)]

        once(services, author, said, act)
        with services.store.read() as connection:
            return _found(connection, order.id)


def incidents(services: Services, author: Author, *, first: int = 50, after: str = "") -> list[Incident]:
    """The register, the oldest first. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.HANDLE_BREACH):
        with services.store.read() as connection:
            found = list_incidents(connection, first=first, after=after)
        counts = {"results": len(found)}
        services.recorder.record_sync(author.event(Action.AUDIT_READ, reason_code="incidents", counts=counts))
        return found


def find_incident_of(services: Services, author: Author, id_: str) -> tuple[Incident, tuple[str, ...]]:
    """An entry and whom it affects, by opaque ids. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such incident.
    """
    with refusals_recorded(services, author, Command.HANDLE_BREACH):
        with services.store.read() as connection:
            incident = _found(connection, id_)
            customers = tuple(customers_of_incident(connection, id_))
        counts = {"results": 1, "customers": len(customers)}
        services.recorder.record_sync(author.event(Action.AUDIT_READ, reason_code="incident", counts=counts))
        return incident, customers


def people_of(services: Services, author: Author, id_: str) -> list[dict[str, Any]]:
    """How the affected people can be reached, as far as the author may see that: an access of its own, on record.

    Raises:
        AccessDeniedError: the author may not, or may see none of it.
        NotFoundError: there is no such incident.
    """
    customers = find_incident_of(services, author, id_)[1]
    with refusals_recorded(services, author, Command.HANDLE_BREACH):
        categories = _seen_contacts(services, author)
        plan = compile_plan(
            services.ontology, ById(_CONTACTS, Var("id")), author, services.store.dialect.name
        )
        with services.store.read() as connection:
            answers = [execute(connection, plan, {"id": customer}) for customer in customers]
        event = author.event(
            Action.READ, customers=customers, data_categories=categories, counts={"results": len(customers)}
        )
        services.recorder.record_sync(event)
        return [found for each in answers if (found := json.loads(each.json_text)) is not None]


_REACHED_BY = (
    "name",
    "email",
    "telephone",
    "mobile",
    "streetAddress",
    "postalCode",
    "addressLocality",
    "addressCountry",
)
_CONTACTS = Selection(CUSTOMER, (Id("id"), *(Value(name, name) for name in _REACHED_BY)))


def _seen_contacts(services: Services, author: Author) -> tuple[str, ...]:
    """The data categories of contact details, of which the author may see one at least."""
    known = services.ontology.customer_properties
    categories = sorted({known[name].category for name in _REACHED_BY})
    seen = tuple(each for each in categories if author.decide(each).effect is not Effect.DENY)
    if not seen:
        raise AccessDeniedError("you may see none of the ways to reach these people; let those write who may")
    return seen


def _found(connection: Connection, id_: str) -> Incident:
    incident = find_incident(connection, id_)
    if incident is None:
        raise NotFoundError("there is no incident with this id")
    return incident


def _check(services: Services, order: RecordIncident) -> None:
    for name in ("nature", "consequences", "measures"):
        _check_text(name, getattr(order, name), LEAST_TEXT)
    departments = services.access.policy.departments
    if order.owner not in departments:
        raise QueryError(f"an owner is one of the departments {', '.join(departments)}")
    if order.aware_at > datetime.now(UTC):
        raise QueryError("nobody becomes aware of a breach in the future")


def _check_step(incident: Incident, order: NotifyIncident, at: datetime) -> None:
    if order.kind not in get_args(StepKind):
        raise QueryError(f"a step is one of {', '.join(get_args(StepKind))}")
    if incident.is_closed:
        raise QueryError("this incident is closed")
    if order.kind == "closed" and incident.lacks:
        raise QueryError(f"before it is closed, decide about: {', '.join(incident.lacks)}")
    if not datetime.fromisoformat(incident.aware_at) <= at <= datetime.now(UTC):
        raise QueryError("a step lies between becoming aware and now")
    is_late = order.kind == "authority_notified" and at > incident.due_at
    if is_late and len(order.note.strip()) < LEAST_TEXT:
        raise QueryError(
            f"it is later than 72 hours: say the reasons for the delay, in {LEAST_TEXT} characters"
        )
    _check_text("a note", order.note, LEAST_TEXT if order.kind in _EXPLAINED else 1)


def _check_text(name: str, text: str, least: int) -> None:
    if not least <= len(text.strip()) <= MAX_TEXT or "\0" in text:
        raise QueryError(f"{name} has {least} to {MAX_TEXT} characters")


def _require_nameless(
    services: Services, connection: Connection, customers: Sequence[str], text: str
) -> None:
    parties = [party for _, party in parties_of(services.store, connection, customers)]
    if names_somebody(services.store, connection, parties, text):
        raise QueryError("no text of the register may name somebody affected: it outlives them")
