"""Callers whom no source knows: an agent writes down who they are, and that is said by nobody else.

Nothing is created by itself: a number that nobody holds may be a typing error, or a customer's new one, so the agent
asks for a customer, order or ticket number first. Who is created is a party of the source `agent`, and an ordinary one:
when a source comes to know the same person, resolution joins the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from uuid import uuid4

from sqlalchemy import Connection

from hub.access import Command
from hub.adapters.staff import CALLERS, Circumstances, Said, exact
from hub.audit import Action, AuditEvent, Payload, retention_of
from hub.calls import Level
from hub.calls.journal import keep_call, remember_pick
from hub.commands.author import Author
from hub.commands.calls import known_call
from hub.commands.corrections import MAX_REASON
from hub.commands.customers import find_customer
from hub.commands.giving import Order, Result, consequences, once, refusals_recorded
from hub.commands.touchpoints import touch_again
from hub.errors import AccessDeniedError, QueryError
from hub.graph.entities import AGENT
from hub.graph.plans.guard import Guard
from hub.ontology import CUSTOMER
from hub.services import Services
from hub.store import utc_now

TYPE = "Person"


@dataclass(frozen=True, slots=True)
class CreateCaller:
    """Who is calling, as they say: somebody new. The number is that of the call."""

    call: str
    name: str = field(repr=False)
    email: str | None = field(repr=False)
    reason: str = field(repr=False)
    key: str


def create_caller(services: Services, author: Author, order: CreateCaller) -> str:
    """The id of the call, which is now with a customer whom the source `agent` states.

    Raises:
        AccessDeniedError: the author may not handle calls, or does not see whole what they say of the caller.
        NotFoundError: there is no such call.
        QueryError: the call is somebody's already, a value does not fit, or the idempotency key was used for
            something else.
    """
    with refusals_recorded(services, author, Command.HANDLE_CALL):
        reason = order.reason.strip()
        if not 0 < len(reason) <= MAX_REASON:
            raise QueryError(f"a reason has 1 to {MAX_REASON} characters")
        values = _values(services, author, order)
        said = Order(Command.HANDLE_CALL, "create", order.key, asdict(order))

        def act(connection: Connection) -> tuple[Result, list[AuditEvent]]:
            call = known_call(connection, order.call)
            if call.customer_id is not None:
                raise QueryError("somebody is said to be calling already; take that back first")
            stated = values if call.number is None else {**values, "telephone": call.number}
            said = Said(AGENT, CALLERS, uuid4().hex, TYPE, stated)
            written = services.staff.write(
                connection, [said], Circumstances(author.subject, author.purpose, reason, utc_now())
            )
            customer = _customer_of(services, connection, author, services.staff.entity_id(said))
            remember_pick(services.store, connection, call, customer, author.subject)
            keep_call(connection, replace(call, customer_id=customer, level=Level.NUMBER, method=None), call)
            event = author.event(
                Action.CALL_HANDLED,
                reason_code="created",
                source=AGENT,
                stream=CALLERS,
                run_id=str(written.run_id),
                about=call.id,
                entity_types=(TYPE,),
                data_categories=_categories(services, stated),
                customers=(customer,),
                counts={"created": 1},
            )
            kept = Payload(customer, retention_of(_categories(services, stated)[0]), {"reason": reason})
            return {"call": call.id}, [
                services.sealer.sealed(event, [kept]),
                *consequences(services, author, written.applied),
            ]

        done = str(once(services, author, said, act)["call"])
        touch_again(services, author, done)
        return done


def _values(services: Services, author: Author, order: CreateCaller) -> dict[str, str]:
    """What is stated of the caller, as the ontology has it."""
    type_, guard = services.ontology.type(TYPE), Guard(services.ontology, author)
    given = {"name": order.name.strip(), "email": (order.email or "").strip()}
    if not given["name"]:
        raise QueryError("a caller has a name")
    values = {name: value for name, value in given.items() if value}
    for name, value in values.items():
        prop = services.ontology.customer_properties[name]
        if not guard.whole(prop, guard.seen(CUSTOMER)):
            raise AccessDeniedError(f"{name} ({prop.category}) is not shown to you whole")
        exact(type_, type_.properties[name], value)
    return values


def _categories(services: Services, values: Mapping[str, str]) -> tuple[str, ...]:
    properties = services.ontology.type(TYPE).properties
    return tuple(sorted({properties[name].category for name in values}))


def _customer_of(services: Services, connection: Connection, author: Author, party: str) -> str:
    given = services.store.dialect.param("id")
    sql = f"SELECT customer_id FROM membership WHERE party_id = {given}"
    id_ = connection.exec_driver_sql(sql, {"id": party}).scalar_one()
    return find_customer(services.store, connection, id_, author).id
