"""Erasing a customer: who may, why, what is told of it, and how somebody comes back.

Reason and ticket are mandatory, and sealed: under the key of the day, for those of the customer are about to die, and
whoever has to show later why somebody was erased (GDPR Art. 5(2)) needs them. So they must not name the customer, and
are refused where they do. The ground is one of Art. 17(1), and stands in the log's leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select

from hub.access import Command
from hub.adapters import erasing, firstload
from hub.adapters.erasing import ErasurePlan
from hub.audit import Action, AuditEvent, Payload, Retention
from hub.commands.author import Author
from hub.commands.customers import find_customer
from hub.commands.giving import Order, Result, conclude, note, refusals_recorded
from hub.commands.holds import require_not_held
from hub.commands.naming import names_somebody
from hub.errors import QueryError
from hub.services import Services
from hub.store import fixed

LEAST_REASON: Final = 20
"""Characters of a reason: a word says none."""
MAX_TEXT: Final = 1000
MAX_TICKET: Final = 100


class Ground(StrEnum):
    """Why somebody has the right to be forgotten: GDPR Art. 17(1), (a) to (f) in this order."""

    NO_LONGER_NECESSARY = "no_longer_necessary"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    LEGAL_OBLIGATION = "legal_obligation"
    CHILD = "child"


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """That a customer is to be erased."""

    customer: str
    ground: Ground
    reason: str = field(repr=False)
    ticket: str = field(repr=False)
    key: str
    scrub: bool = True
    """Whether the files are scrubbed at once; else that is left to `scrub_erasures`."""


@dataclass(frozen=True, slots=True)
class ErasureDone:
    """What an erasure has done, as it is answered and kept for repetitions."""

    id: str
    event: int
    """Number of the event that tells of it: `hub audit prove` gives its receipt."""
    counts: Mapping[str, int]
    """Rows by table."""
    mentions: int
    """Times that an e-mail address or phone number of the customer's still stands in what is others'."""
    remaining: Mapping[str, int]
    """What still refers to the customer, by place."""
    state: str
    """`verified`, `scrubbed` where nothing is left in the files either; `open` where something remains."""


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """An erasure, as it is known later."""

    id: str
    customers: tuple[str, ...]
    at: str
    ground: str
    event: int
    state: str
    rule: str | None
    """The rule of retention by which it was; None where somebody ordered it."""


class _GivenBefore(Exception):  # noqa: N818 - it is no error
    """The order was given before, and had this result."""

    def __init__(self, result: Result) -> None:
        self.result = result


def erase_customer(services: Services, author: Author, order: EraseCustomer) -> ErasureDone:
    """Erase the customer, from now on and in what was held of them before.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such customer, or none that the author reaches; both read the same.
        QueryError: reason or ticket are missing or name the customer, who was erased before or is under a legal hold,
            or the idempotency key was used for something else.
        StoreUnavailableError: another erasure or a large first load goes on, or the index is out of reach; the next
            start makes that good.
    """
    said = Order(Command.ERASE_CUSTOMER, "erase", order.key, asdict(order))
    with refusals_recorded(services, author, Command.ERASE_CUSTOMER):
        check_texts(order.reason, order.ticket)

        def find(connection: Connection) -> list[str]:
            first = note(services, connection, author, said)
            if first is not None:
                raise _GivenBefore(first)
            firstload.require_ended(connection)
            _require_not_erased(connection, order.customer)
            return [find_customer(services.store, connection, order.customer, author).id]

        def tell(connection: Connection, plan: ErasurePlan) -> AuditEvent:
            require_not_held(services.store, connection, plan.parties)
            _require_nameless(services, connection, order, plan)
            counts = {"parties": len(plan.parties), "suppressed": len(plan.hashes)}
            return author.event(
                Action.ERASED, customers=plan.customers, reason_code=order.ground.value, counts=counts
            )

        def seal(event: AuditEvent) -> AuditEvent:
            content = {"reason": order.reason.strip(), "ticket": order.ticket.strip()}
            return sealed_for_the_day(services, event, content)

        try:
            done = services.eraser.erase(find, tell, seal, scrub=order.scrub)
        except _GivenBefore as given:
            return ErasureDone(**given.result)
        result = ErasureDone(
            done.erasure.id,
            done.event,
            dict(done.counts),
            done.mentions,
            dict(done.remaining),
            done.state.value,
        )
        conclude(services, author, said, asdict(result))
        return result


def plan_of_erasure(services: Services, author: Author, customer_id: str) -> Mapping[str, int]:
    """How many rows of each table an erasure would delete or empty; nothing is changed, and who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no such customer, or none that the author reaches.
        QueryError: they were erased before.
    """
    with refusals_recorded(services, author, Command.ERASE_CUSTOMER):
        with services.store.read() as connection:
            _require_not_erased(connection, customer_id)
            now = find_customer(services.store, connection, customer_id, author).id
            plan = erasing.plan_erasure(services.store, connection, now)
        services.recorder.record_sync(author.event(Action.READ, customers=plan.customers))
        return plan.counts


def find_erasure(services: Services, author: Author, customer_id: str) -> ErasureRecord | None:
    """The erasure of the customer who had this id; None where nobody was erased who had. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.ERASE_CUSTOMER):
        with services.store.read() as connection:
            id_ = _erasure_of(connection, customer_id)
        found = _records(services, [id_] if id_ else [])
        read = author.event(
            Action.AUDIT_READ, about=id_, reason_code="erasure", counts={"results": len(found)}
        )
        services.recorder.record_sync(read)
        return found[0] if found else None


def list_erasures(
    services: Services, author: Author, *, first: int = 50, after: str = ""
) -> list[ErasureRecord]:
    """Up to `first` erasures after the one with the id `after`, the oldest first. Who asked is on record.

    Raises:
        AccessDeniedError: the author may not.
    """
    with refusals_recorded(services, author, Command.ERASE_CUSTOMER):
        ids = [id_ for id_ in services.eraser.register.states() if id_ > after][:first]
        found = _records(services, ids)
        read = author.event(Action.AUDIT_READ, reason_code="erasures", counts={"results": len(found)})
        services.recorder.record_sync(read)
        return found


def scrub_erasures(services: Services, author: Author, *, thorough: bool = False) -> int:
    """The number of erasures of which nothing is left in the files from now on.

    Raises:
        AccessDeniedError: the author may not.
        StoreUnavailableError: an erasure goes on, or the index is out of reach; try again later.
        AuditError: the audit log or its keys cannot be scrubbed; try again later.
    """
    with refusals_recorded(services, author, Command.ERASE_CUSTOMER):
        return len(services.eraser.scrub(author.event(Action.ERASE_VERIFIED), thorough=thorough))


def check_texts(reason: str, ticket: str) -> None:
    """Check that there is a reason, and where the case is followed.

    Raises:
        QueryError: one of them is too short or too long.
    """
    if not LEAST_REASON <= len(reason.strip()) <= MAX_TEXT:
        raise QueryError(f"a reason has {LEAST_REASON} to {MAX_TEXT} characters")
    if not 0 < len(ticket.strip()) <= MAX_TICKET:
        raise QueryError(f"a ticket has 1 to {MAX_TICKET} characters")


def sealed_for_the_day(services: Services, event: AuditEvent, content: Mapping[str, Any]) -> AuditEvent:
    """The event with this sealed by the key of its day: no key of the customer's, which may be about to die."""
    return services.sealer.sealed(event, [Payload(f"{event.at:%Y-%m-%d}", Retention.CUSTOMER, content)])


def _erasure_of(connection: Connection, customer_id: str) -> str | None:
    table = fixed.tombstone
    given = "" if "\0" in customer_id else customer_id
    return connection.execute(
        select(table.c.erasure_id).where(table.c.customer_id == given)
    ).scalar_one_or_none()


def _require_not_erased(connection: Connection, customer_id: str) -> None:
    if (id_ := _erasure_of(connection, customer_id)) is not None:
        raise QueryError(f"this customer was erased before, by erasure {id_}")


def _require_nameless(
    services: Services, connection: Connection, order: EraseCustomer, plan: ErasurePlan
) -> None:
    """Check that what is said does not name the customer: it is kept for longer than they are.

    Raises:
        QueryError: it does.
    """
    said = f"{order.reason} {order.ticket}"
    if names_somebody(services.store, connection, plan.parties, said):
        raise QueryError(
            "reason and ticket may not name the customer: they are kept when the customer is gone"
        )


def _records(services: Services, ids: list[str]) -> list[ErasureRecord]:
    found = []
    for registered in services.eraser.register.find(ids):
        erasure = registered.erasure
        number = services.audit.number_of(erasure.id)
        ground, _, rule = (services.audit.event(number).reason_code or "").partition(".")
        at, state = erasure.at.isoformat(), registered.state.value
        found.append(ErasureRecord(erasure.id, erasure.customers, at, ground, number, state, rule or None))
    return found
