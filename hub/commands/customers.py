"""The customer that a command is about, with its parties."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.access import Decision, Effect, Reach
from hub.adapters import StaffRecords
from hub.commands.author import Author
from hub.errors import NotFoundError
from hub.graph.entities import STAFF
from hub.graph.plans import CategoryAccess
from hub.graph.plans.guard import Guard
from hub.graph.reached import Reached
from hub.ontology import CUSTOMER, EntityType, Property
from hub.store import Store

_AT_ONCE = 200
"""Customers that one statement looks for."""


@dataclass(frozen=True, slots=True)
class PartyRow:
    """One party of a customer."""

    id: str
    type: str
    source: str
    stream: str
    record_key: str
    head_id: int


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as it is now."""

    id: str
    parties: tuple[PartyRow, ...]
    """Those of sources before those of staff, each in the order in which their records came."""

    def anchors(
        self, staff: StaffRecords, connection: Connection, party_id: str | None = None
    ) -> tuple[str, ...]:
        """What a party of staff's is to be tied to: to what it was before, then to all other parties.

        So what was recorded of one customer stays with it when a merge with another one is undone.
        """
        before = staff.anchors(connection, party_id) if party_id else ()
        others = (party.id for party in self.parties if party.id != party_id)
        return tuple(dict.fromkeys([*before, *others]))


def find_customer(store: Store, connection: Connection, customer_id: str, author: Author) -> Customer:
    """The customer with the id, or the one that a retired id leads to.

    Raises:
        NotFoundError: there is none, or none that the author reaches; both read the same.
    """
    now = current_id(store, connection, customer_id)
    parties = [party for type_ in store.ontology.parties for party in _parties(store, connection, type_, now)]
    reached = Reached(store.ontology, _reaching(store, author), store.dialect.name)
    if not parties or not reached.customer(connection, now):
        raise NotFoundError("there is no customer with this id")
    return Customer(now, tuple(sorted(parties, key=lambda party: (party.source in STAFF, party.head_id))))


def reached_customers(
    store: Store, connection: Connection, customers: Collection[str], author: Author
) -> set[str]:
    """Those of these customers, by the ids of now, whom the author reaches."""
    reached = Reached(store.ontology, _reaching(store, author), store.dialect.name)
    ids, found = sorted(customers), set[str]()
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        there = reached.rows(connection, [CUSTOMER], [(CUSTOMER, id_) for id_ in some], _AT_ONCE)
        found.update(id_ for id_, is_there in zip(some, there, strict=True) if is_there)
    return found


def current_id(store: Store, connection: Connection, customer_id: str) -> str:
    """The id itself, or that of the customer who took over where it is retired."""
    given = store.dialect.param("id")
    sql = f"SELECT coalesce((SELECT new_id FROM customer_redirect WHERE old_id = {given}), {given})"
    return str(connection.exec_driver_sql(sql, {"id": storable(customer_id)}).scalar_one())


def all_ids(store: Store, connection: Connection, customer_id: str) -> list[str]:
    """The customer's id now, and those that were merged into it; the id itself where nobody has it."""
    now = current_id(store, connection, customer_id)
    given = store.dialect.param("id")
    sql = f"SELECT old_id FROM customer_redirect WHERE new_id = {given} ORDER BY old_id"
    return [now, *connection.exec_driver_sql(sql, {"id": now}).scalars()]


@dataclass(frozen=True, slots=True)
class _Unseeing:
    """The access of one who sees nobody, as far as whom they reach goes."""

    reach: Reach

    def decide(self, _category: str) -> Decision:
        return Decision(Effect.ALLOW, None, None)


def _reaching(store: Store, author: Author) -> CategoryAccess:
    """What the author reaches customers by: who sees nobody, in no scope, may know of one by a letter with the id."""
    sees = Guard(store.ontology, author).sees(CUSTOMER)
    return author if sees or author.reach.attributes else _Unseeing(author.reach)


def require_reachable(
    store: Store, connection: Connection, prop: Property, id_: str, customer: Customer, guard: Guard
) -> None:
    """Check that the reference leads to what the author may know of, and not to what is another customer's.

    Raises:
        NotFoundError: it does not; all reasons read the same.
    """
    parties = {party.id for party in customer.parties}
    customers = guard.seen(CUSTOMER)
    types = [
        type_
        for type_ in store.ontology.range_types(prop.range or "")
        if guard.sees(type_.name)
        and (not type_.has_customer or customers.implies(guard.seen(type_.name) & guard.belongs(type_)))
    ]
    if not any(_is_reachable(store, connection, type_, id_, parties) for type_ in types):
        raise NotFoundError(f"{prop.name}: this customer has nothing with this id")


def _is_reachable(
    store: Store, connection: Connection, type_: EntityType, id_: str, parties: Collection[str]
) -> bool:
    if type_.is_party:
        return id_ in parties
    column = "party_id" if type_.customer else "id"
    given = store.dialect.param("id")
    sql = f'SELECT "{column}" FROM "{type_.table}" WHERE id = {given}'
    row = connection.exec_driver_sql(sql, {"id": storable(id_)}).first()
    return row is not None and (not type_.customer or row[0] in parties)


def _parties(store: Store, connection: Connection, type_: EntityType, customer_id: str) -> list[PartyRow]:
    own = ", ".join(f't."{name}"' for name in ("id", "source", "stream", "record_key", "head_id"))
    given = store.dialect.param("id")
    sql = f'SELECT {own} FROM membership m JOIN "{type_.table}" t ON t.id = m.party_id WHERE m.customer_id = {given}'
    rows = connection.exec_driver_sql(sql, {"id": customer_id})
    return [PartyRow(row[0], type_.name, *row[1:]) for row in rows]


def storable(id_: str) -> str:
    """The id, or one that nothing has where no database could hold it."""
    return "" if "\x00" in id_ or not id_.isascii() else id_
