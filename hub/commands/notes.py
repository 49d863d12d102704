"""What staff note of a customer: a consent, an interaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters.staff import CONSENTS, CUSTOMERS, INTERACTIONS, RESTRICTIONS, Circumstances, Said, exact
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.customers import Customer, all_ids, find_customer, require_reachable
from hub.commands.giving import Order, Result, consequences, once, refusals_recorded
from hub.commands.request_register import was_informed
from hub.errors import QueryError
from hub.graph.entities import DESK
from hub.graph.plans.guard import Guard
from hub.graph.standing import OBJECTION
from hub.ontology import EntityType, Ontology
from hub.services import Services
from hub.store import utc_now
from hub.values import Instant
from hub.yamlfile import nearest

CUSTOMER_LINK = "customer"
"""The reference by which consents and interactions say whose they are."""

_SOME_USE = "marketing.communications.email"
_AHEAD = timedelta(minutes=5)
"""How far clocks may differ."""


@dataclass(frozen=True, slots=True)
class RecordConsent:
    """A yes or no of a customer. `values` are those of the type Consent by property; `at` is now unless given."""

    customer: str
    values: Mapping[str, Any] = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class RecordRestriction:
    """A restriction or an objection of a customer, or that it is lifted.

    `values` are those of the type Restriction by property; `at` is now unless given.
    """

    customer: str
    values: Mapping[str, Any] = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class LogInteraction:
    """A touch with a customer. `values` are those of the type Interaction; `startTime` is now unless given."""

    customer: str
    values: Mapping[str, Any] = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class Noted:
    """What was noted: its id, and the customer's as it is now."""

    customer: str
    id: str


@dataclass(frozen=True, slots=True)
class _Kind:
    command: Command
    action: Action
    type: str
    stream: str
    required: tuple[str, ...]


_CONSENT = _Kind(
    Command.RECORD_CONSENT, Action.CONSENT_CHANGED, "Consent", CONSENTS, ("purpose", "channel", "state")
)
_INTERACTION = _Kind(
    Command.LOG_INTERACTION, Action.INTERACTION_LOGGED, "Interaction", INTERACTIONS, ("kind",)
)

_RESTRICTION = _Kind(
    Command.RECORD_RESTRICTION, Action.RESTRICTION_CHANGED, "Restriction", RESTRICTIONS, ("kind", "state")
)


REQUIRED: Mapping[str, tuple[str, ...]] = {
    kind.type: kind.required for kind in (_CONSENT, _RESTRICTION, _INTERACTION)
}
"""What has to be said, by type."""


def record_consent(services: Services, author: Author, order: RecordConsent) -> Noted:
    """Record a yes or no for one purpose and channel; each change of mind is a record of its own.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such customer, or nothing that a reference names.
        QueryError: a value is missing or does not fit, or the idempotency key was used for something else.
    """
    return _note(services, author, _CONSENT, order)


def record_restriction(services: Services, author: Author, order: RecordRestriction) -> Noted:
    """Record that a customer restricted the use of their data, or objected to one, or that this is lifted.

    It holds for the next question that is asked.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such customer.
        QueryError: a value is missing or does not fit, or the idempotency key was used for something else. Or a
            restriction is to be lifted of whose end the person was not told (GDPR Art. 18(3)).
    """
    return _note(services, author, _RESTRICTION, order)


def log_interaction(services: Services, author: Author, order: LogInteraction) -> Noted:
    """Log a call, visit, message or other touch with a customer.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such customer, or no ticket or order of theirs that a reference names.
        QueryError: a value is missing or does not fit, or the idempotency key was used for something else.
    """
    return _note(services, author, _INTERACTION, order)


def _note(
    services: Services, author: Author, kind: _Kind, order: RecordConsent | RecordRestriction | LogInteraction
) -> Noted:
    given = {name: value for name, value in order.values.items() if value is not None}
    with refusals_recorded(services, author, kind.command):
        values = _checked(services.ontology, kind, given)
        said = Order(kind.command, kind.type, order.key, {"customer": order.customer, "values": given})

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            return _written(services, author, kind, connection, order.customer, values)

        return Noted(**once(services, author, said, act))


def _checked(ontology: Ontology, kind: _Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the time they lack, each known to fit its property."""
    type_ = ontology.type(kind.type)
    found = {}
    for name, value in {**_moment(type_), **given}.items():
        if name == CUSTOMER_LINK or name not in type_.properties:
            near = nearest(name, type_.properties.keys() - {CUSTOMER_LINK})
            hint = f"; did you mean {near!r}?" if near else ""
            raise QueryError(f"{type_.name} has no value of this name that can be given{hint}")
        fitting = exact(type_, type_.properties[name], value)
        if fitting is not None:
            found[name] = value
        if name == type_.time:
            _refuse_future(type_, fitting)
    for name in kind.required:
        if name not in found:
            raise QueryError(f"{type_.name}.{name} is missing")
    if kind is not _INTERACTION and found.get("purpose", _SOME_USE) not in ontology.taxonomy.uses:
        raise QueryError(f"{type_.name}.purpose is no data use of the taxonomy, such as {_SOME_USE}")
    if kind is _RESTRICTION and found["kind"] != OBJECTION and "purpose" in found:
        raise QueryError("Restriction.purpose belongs to objections: a restriction is of every use")
    return found


def _moment(type_: EntityType) -> dict[str, Any]:
    return {type_.time: datetime.now(UTC).isoformat()} if type_.time else {}


def _refuse_future(type_: EntityType, instant: Instant | None) -> None:
    if instant is not None and instant.at > datetime.now(UTC) + _AHEAD:
        raise QueryError(f"{type_.name}.{type_.time} lies in the future")


def _written(
    services: Services,
    author: Author,
    kind: _Kind,
    connection: Connection,
    customer_id: str,
    values: Mapping[str, Any],
) -> tuple[Result, list[AuditEvent]]:
    store, type_ = services.store, services.ontology.type(kind.type)
    customer = find_customer(store, connection, customer_id, author)
    if kind is _RESTRICTION and (values["kind"], values["state"]) == ("restriction", "lifted"):
        _require_informed(services, connection, customer)
    guard = Guard(services.ontology, author)
    for prop in type_.references:
        if prop.name in values:
            require_reachable(store, connection, prop, values[prop.name], customer, guard)
    party, said = desk_party(services, connection, customer)
    note = Said(DESK, kind.stream, uuid4().hex, type_.name, {**values, CUSTOMER_LINK: party})
    circumstances = Circumstances(author.subject, author.purpose, None, utc_now())
    written = services.staff.write(connection, [*said, note], circumstances)
    event = author.event(
        kind.action,
        source=DESK,
        stream=kind.stream,
        run_id=str(written.run_id),
        entity_types=(type_.name,),
        data_categories=tuple(sorted({type_.properties[name].category for name in values})),
        customers=(customer.id,),
        counts={"created": 1},
    )
    result = asdict(Noted(customer.id, services.staff.entity_id(note)))
    return result, [event, *consequences(services, author, written.applied)]


def _require_informed(services: Services, connection: Connection, customer: Customer) -> None:
    if not was_informed(connection, all_ids(services.store, connection, customer.id)):
        raise QueryError(
            "before a restriction is lifted the person is told (GDPR Art. 18(3)): open a request `lifting` of the"
            " customer, run it, and complete its step `inform`"
        )


def desk_party(services: Services, connection: Connection, customer: Customer) -> tuple[str, list[Said]]:
    """The id of the party that the customer's notes are tied to, and what has to be said of it before them."""
    known = next((p for p in customer.parties if (p.source, p.stream) == (DESK, CUSTOMERS)), None)
    anchors = customer.anchors(services.staff, connection, known.id if known else None)
    key, type_ = (known.record_key, known.type) if known else (uuid4().hex, customer.parties[0].type)
    said = Said(DESK, CUSTOMERS, key, type_, {}, anchors)
    if known is not None and anchors == services.staff.anchors(connection, known.id):
        return known.id, []
    return services.staff.entity_id(said), [said]
