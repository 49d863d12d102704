"""Legal holds: customers who may not be erased while a claim, a dispute or an investigation needs their data.

A hold is on the parties that its customers have when it is placed, so it follows them through merges and splits, and
whoever gets one of them is held whole. It holds until it is released: after the day `until` it is overdue for review.
Matter and reason are free text: they stay in the row, sealed in the log, and may name nobody, for they are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from hub.access import Command, Effect
from hub.audit import Action, AuditEvent, Payload, Retention
from hub.audit.events import new_event_id
from hub.commands.author import Author
from hub.commands.customers import find_customer, reached_customers
from hub.commands.giving import Order, Result, once, refusals_recorded
from hub.commands.naming import names_somebody
from hub.errors import NotFoundError, QueryError
from hub.graph.ages import parties_of
from hub.graph.holds import customers_matching, holds_on
from hub.ontology import PropertyType
from hub.services import Services
from hub.store import Store, fixed, utc_now

LEAST_REASON = 20
"""Characters of a reason: a word says none."""
MAX_TEXT = 1000
MAX_MATTER = 100
MAX_HELD = 10_000
"""Customers of one hold; whoever has to hold more places several."""

_COMPARED = (
    PropertyType.TEXT,
    PropertyType.ENUM,
    PropertyType.EMAIL,
    PropertyType.PHONE,
    PropertyType.REFERENCE,
)


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """That customers are to be held: those of these ids, or those of whom a row says this."""

    matter: str = field(repr=False)
    reason: str = field(repr=False)
    owner: str
    until: date
    key: str
    customers: tuple[str, ...] = field(default=(), repr=False)
    type: str | None = None
    property: str | None = None
    value: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """That a hold ends, and why."""

    id: str
    reason: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """A hold that was placed."""

    id: str
    customers: int
    """How many it is on."""


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A hold, as it is listed."""

    id: str
    matter: str = field(repr=False)
    reason: str = field(repr=False)
    owner: str
    until: str
    placed_at: str
    placed_by: str = field(repr=False)
    released_at: str | None
    released_by: str | None = field(repr=False)
    customers: tuple[str, ...] = field(repr=False)
    """Ids that the customers have now."""

    @property
    def is_overdue(self) -> bool:
        """Whether somebody should have looked by now if it is needed still."""
        return self.released_at is None and self.until < f"{datetime.now(UTC):%Y-%m-%d}"


def place_hold(services: Services, author: Author, order: PlaceHold) -> HoldPlaced:
    """Keep the customers from being erased, until the hold is released.

    Raises:
        AccessDeniedError: the author may not, or may not see the property that the customers are chosen by.
        NotFoundError: there is no such customer, or none that the author reaches.
        QueryError: a text is missing or names a customer; nobody or too many are meant; the owner is no department; the
            idempotency key was used for something else.
    """
    said = Order(Command.PLACE_HOLD, "place hold", order.key, {**asdict(order), "until": str(order.until)})
    with refusals_recorded(services, author, Command.PLACE_HOLD):
        _check(services, order)

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            customers = _meant(services, connection, author, order)
            parties = list(parties_of(services.store, connection, customers))
            texts = f"{order.matter} {order.reason}"
            if names_somebody(services.store, connection, [party for _, party in parties], texts):
                raise QueryError("matter and reason may not name a customer: they are kept for longer")
            id_ = new_event_id()
            _keep(connection, id_, author, order, parties)
            event = author.event(
                Action.LEGAL_HOLD,
                reason_code="placed",
                customers=customers,
                counts={"customers": len(customers)},
            )
            content = {"hold": id_, "matter": order.matter.strip(), "reason": order.reason.strip()}
            return asdict(HoldPlaced(id_, len(customers))), [_sealed(services, event, content)]

        return HoldPlaced(**once(services, author, said, act))


def release_hold(services: Services, author: Author, order: ReleaseHold) -> str:
    """The id of the hold, which holds nobody any more.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such hold.
        QueryError: it was released before, the reason is missing, or the key was used for something else.
    """
    said = Order(Command.PLACE_HOLD, "release hold", order.key, asdict(order))
    with refusals_recorded(services, author, Command.PLACE_HOLD):
        _check_reason(order.reason)

        def act(connection: Connection) -> tuple[Result, Sequence[AuditEvent]]:
            found = _holds(connection, fixed.legal_hold.c.id == order.id)
            if not found:
                raise NotFoundError("there is no legal hold with this id")
            if found[0].released_at is not None:
                raise QueryError("this hold was released before")
            row = update(fixed.legal_hold).where(fixed.legal_hold.c.id == order.id)
            connection.execute(row.values(released_at=utc_now(), released_by=author.subject))
            event = author.event(Action.LEGAL_HOLD, reason_code="released", customers=found[0].customers)
            content = {"hold": order.id, "reason": order.reason.strip()}
            return {"id": order.id}, [_sealed(services, event, content)]

        return str(once(services, author, said, act)["id"])


def legal_holds(
    services: Services, author: Author, *, released: bool = False, first: int = 50, after: str = ""
) -> list[LegalHold]:
    """The holds that are in force, the oldest first; or those that were released. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.PLACE_HOLD):
        column = fixed.legal_hold.c
        ended = column.released_at.is_not(None) if released else column.released_at.is_(None)
        with services.store.read() as connection:
            found = _holds(connection, ended & (column.id > after), first)
        customers = tuple(dict.fromkeys(id_ for hold in found for id_ in hold.customers))
        event = author.event(
            Action.AUDIT_READ, reason_code="legal_holds", customers=customers, counts={"results": len(found)}
        )
        services.recorder.record_sync(event)
        return found


def require_not_held(store: Store, connection: Connection, parties: Collection[str]) -> None:
    """Check that none of these parties is under a legal hold.

    Raises:
        QueryError: one is; names the holds, that they can be reviewed.
    """
    if found := holds_on(store, connection, parties):
        named = ", ".join(
            "a hold that a source states" if each == "source" else f"hold {each}" for each in found
        )
        raise QueryError(f"this customer is under legal hold ({named}) and is not erased until that ends")


def _check(services: Services, order: PlaceHold) -> None:
    _check_reason(order.reason)
    if not 0 < len(order.matter.strip()) <= MAX_MATTER or "\0" in order.matter:
        raise QueryError(f"a matter has 1 to {MAX_MATTER} characters")
    departments = services.access.policy.departments
    if order.owner not in departments:
        raise QueryError(f"an owner is one of the departments {', '.join(departments)}")
    ways = [bool(order.customers), bool(order.type and order.property and order.value)]
    if ways.count(True) != 1:
        raise QueryError("name customers, or a type with a property and its value")


def _check_reason(reason: str) -> None:
    if not LEAST_REASON <= len(reason.strip()) <= MAX_TEXT or "\0" in reason:
        raise QueryError(f"a reason has {LEAST_REASON} to {MAX_TEXT} characters")


def _meant(services: Services, connection: Connection, author: Author, order: PlaceHold) -> list[str]:
    store = services.store
    if order.customers:
        given = dict.fromkeys(order.customers)
        found = [find_customer(store, connection, id_, author).id for id_ in given]
    else:
        found = _matching(services, connection, author, order)
    if not found:
        raise NotFoundError("there is no customer whom this is about")
    if len(found) > MAX_HELD:
        raise QueryError(f"a hold is on {MAX_HELD} customers at most, and these are {len(found)}")
    return list(dict.fromkeys(found))


def _matching(services: Services, connection: Connection, author: Author, order: PlaceHold) -> list[str]:
    type_ = services.ontology.types.get(order.type or "")
    prop = type_.properties.get(order.property or "") if type_ is not None else None
    if type_ is None or not type_.has_customer or prop is None or prop.many or prop.type not in _COMPARED:
        raise QueryError(
            "customers are chosen by a text, a code or a reference of a type that belongs to them"
        )
    # By what somebody may not see, nobody is to find out who has it.
    if author.decide(prop.category).effect is not Effect.ALLOW:
        raise QueryError(f"you may not choose customers by {type_.name}.{prop.name}: you do not see it")
    found = customers_matching(services.store, connection, type_.name, prop.name, order.value or "")
    return sorted(reached_customers(services.store, connection, found, author))


def _keep(
    connection: Connection, id_: str, author: Author, order: PlaceHold, parties: Sequence[tuple[str, str]]
) -> None:
    said = {"matter": order.matter.strip(), "reason": order.reason.strip(), "owner": order.owner}
    row = {"id": id_, "until": str(order.until), "placed_at": utc_now(), "placed_by": author.subject, **said}
    connection.execute(insert(fixed.legal_hold).values(**row))
    held = [{"hold_id": id_, "party_id": party, "customer_id": customer} for customer, party in parties]
    connection.execute(insert(fixed.held_party), held)


def _holds(connection: Connection, which: Any, first: int | None = None) -> list[LegalHold]:
    table = fixed.legal_hold
    rows = connection.execute(select(table).where(which).order_by(table.c.id).limit(first)).all()
    return [_hold(connection, row) for row in rows]


def _hold(connection: Connection, row: Row[Any]) -> LegalHold:
    held, member = fixed.held_party, fixed.membership
    now = func.coalesce(member.c.customer_id, held.c.customer_id)
    tied = held.outerjoin(member, member.c.party_id == held.c.party_id)
    query = select(now).select_from(tied).where(held.c.hold_id == row.id).distinct().order_by(now)
    return LegalHold(**row._asdict(), customers=tuple(connection.execute(query).scalars()))


def _sealed(services: Services, event: AuditEvent, content: dict[str, str]) -> AuditEvent:
    """Under the key of its day: a hold outlives the keys of whom it was on."""
    return services.sealer.sealed(event, [Payload(f"{event.at:%Y-%m-%d}", Retention.CUSTOMER, content)])
