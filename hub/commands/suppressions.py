"""Taking suppressions back: a person who was erased comes back of their own will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters import suppression
from hub.audit import Action, AuditEvent
from hub.commands.author import Author
from hub.commands.erasure import check_texts, sealed_for_the_day
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.errors import NotFoundError, QueryError
from hub.ontology import Ontology
from hub.ontology.identifiers import normal_identifier
from hub.services import Services


@dataclass(frozen=True, slots=True)
class ReleaseSuppression:
    """That somebody may come back: by an identifier, by the key of a record, or all of one erasure."""

    reason: str = field(repr=False)
    ticket: str = field(repr=False)
    key: str
    scheme: str | None = None
    value: str | None = field(default=None, repr=False)
    region: str | None = None
    """Country of a phone number without country code."""
    source: str | None = None
    stream: str | None = None
    record_key: str | None = field(default=None, repr=False)
    erasure: str | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """Suppressions that were taken back."""

    event: int
    """Number of the event that tells of it."""
    count: int


def release_suppression(services: Services, author: Author, order: ReleaseSuppression) -> Released:
    """Let in from now on what the order names; the customer gets a new id when it comes.

    The log tells how many suppressions ended, and who ended them; by which value is kept nowhere.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: nothing is kept out by this.
        QueryError: it names nothing, or more than one thing; reason or ticket are missing; the idempotency key was used
            for something else.
    """
    said = Order(Command.ERASE_CUSTOMER, "release", order.key, asdict(order))
    with refusals_recorded(services, author, Command.ERASE_CUSTOMER):
        check_texts(order.reason, order.ticket)
        wanted = _named(services.ontology, order)

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            return asdict(_released(services, author, connection, order, wanted)), ()

        return Released(**once(services, author, said, act))


@dataclass(frozen=True, slots=True)
class _Named:
    identifiers: tuple[tuple[str, str], ...] = ()
    records: tuple[tuple[str, str, str], ...] = ()
    erasure_id: str | None = None


def _released(
    services: Services, author: Author, connection: Connection, order: ReleaseSuppression, wanted: _Named
) -> Released:
    taken = suppression.release(
        services.store,
        connection,
        erasure_id=wanted.erasure_id,
        identifiers=wanted.identifiers,
        records=wanted.records,
    )
    if not taken:
        raise NotFoundError("nothing is kept out by this")
    register = services.eraser.register
    event = author.event(Action.SUPPRESSION_RELEASED, counts={"suppressed": len(taken)})
    content = {"reason": order.reason.strip(), "ticket": order.ticket.strip()}
    event = sealed_for_the_day(services, register.releasing(event, taken), content)
    return Released(register.release(event, taken), len(taken))


def _named(ontology: Ontology, order: ReleaseSuppression) -> _Named:
    by_identifier = (order.scheme, order.value)
    by_record = (order.source, order.stream, order.record_key)
    ways = [way for way in (by_identifier, by_record, (order.erasure,)) if any(way)]
    if len(ways) != 1 or not all(ways[0]):
        raise QueryError(
            "name an identifier by scheme and value, a record by source, stream and key, or an erasure"
        )
    if order.erasure:
        return _Named(erasure_id=order.erasure)
    if order.scheme and order.value:
        return _Named(
            identifiers=((order.scheme, normal_of(ontology, order.scheme, order.value, order.region)),)
        )
    return _Named(records=((order.source or "", order.stream or "", order.record_key or ""),))


def normal_of(ontology: Ontology, scheme: str, value: str, region: str | None) -> str:
    """The identifier's value in normal form.

    Raises:
        QueryError: there is no such kind of identifier, or the value is none; the message does not repeat it.
    """
    kinds = {prop.identifier: prop.type for type_ in ontology.types.values() for prop in type_.identifiers}
    if scheme not in kinds:
        raise QueryError(
            f"there is no kind of identifier of this name, only {', '.join(sorted(filter(None, kinds)))}"
        )
    try:
        return normal_identifier(kinds[scheme], value, region)
    except ValueError as error:
        raise QueryError(f"the value {error}") from None
