"""The read plans of a card: what is asked of the store, level by level, as the policy lets this caller.

A section whose filter or order the policy does not let the caller use is left out, and told as withheld.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.access import PlanAccess
from hub.cache import BoundedCache
from hub.calls.levels import Level
from hub.errors import AccessDeniedError
from hub.graph.plans import (
    Aggregate,
    ByIdentifier,
    ByIds,
    Compare,
    Entry,
    EntryEntity,
    Field,
    Figure,
    Figures,
    Freshness,
    Household,
    Id,
    Many,
    Members,
    Nodes,
    One,
    Op,
    OrderBy,
    Origin,
    Owner,
    Page,
    Part,
    Parties,
    ReadPlan,
    Root,
    Selection,
    Timeline,
    TotalCount,
    Value,
    Var,
    compile_plan,
)
from hub.ontology import CUSTOMER, Ontology
from hub.store import DialectName

MAX_MATCHES = 20
"""Customers that one identifier is followed to: of a number that more share, nothing is told but that they do."""
SHOWN = 5
"""Touchpoints, tickets, orders, invoices and the like that a card shows of each."""

MAX_CONTACTS = 10
"""People of a household or an account that a card names."""
_KEPT = 8_000_000
"""About the bytes of SQL that are kept of either kind of plan."""

OPEN_TICKETS = ("new", "open", "pending_customer", "pending_internal")
OPEN_ORDERS = ("open", "confirmed", "back_ordered", "partly_shipped", "shipped")
OPEN_RETURNS = ("announced", "received", "accepted")
OPEN_INVOICES = ("open", "partly_paid", "overdue", "disputed")
MOVING = ("packed", "shipped", "in_transit", "out_for_delivery", "failed")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a card, shown or withheld as a whole."""

    name: str
    level: Level
    fields: tuple[Field, ...]


def _values(*names: str) -> tuple[Value, ...]:
    return tuple(Value(name, name) for name in names)


def _rows(
    alias: str, type_: str, fields: tuple[Field, ...], order: str, where: Compare | None, first: int = SHOWN
) -> Many:
    page = Page(where, (OrderBy(order, descending=True),), first)
    return Many(alias, type_, None, page, (Nodes("nodes", Selection(type_, (Id("id"), *fields))),))


def _count(alias: str, type_: str, where: Compare) -> Many:
    return Many(alias, type_, None, Page(where, first=1), (TotalCount("total"),))


_TICKET: tuple[Field, ...] = (
    Origin("source", "source"),
    *_values("ticketNumber", "subject", "status", "openedAt", "slaDueAt", "reason"),
)
_ORDER: tuple[Field, ...] = (
    Origin("source", "source"),
    *_values("orderNumber", "status", "orderDate", "expectedDelivery"),
)
_SHIPMENT: tuple[Field, ...] = (
    Origin("source", "source"),
    *_values("shipmentNumber", "status", "shippedAt", "eta", "carrier"),
)
_INVOICE: tuple[Field, ...] = (
    Origin("source", "source"),
    *_values("invoiceNumber", "status", "invoiceDate", "dueDate", "balance", "lastReminderAt"),
)
_RETURN: tuple[Field, ...] = (Origin("source", "source"), *_values("returnNumber", "status", "returnedAt"))
_TOUCHED = (
    Selection("Interaction", _values("kind", "direction", "outcome", "handledBy", "subject")),
    Selection("Ticket", _values("channel", "status", "handledBy", "reason")),
    Selection("Order", _values("channel", "status")),
    Selection("Return", _values("status")),
)
_PROMISE: tuple[Field, ...] = (
    Origin("source", "source"),
    *_values("promisedText", "promisedBy", "promisedFor", "promiseKeptAt"),
)

_PERSON = Selection(CUSTOMER, (Id("id"), *_values("name")))
_ACCOUNT = Selection("Organization", (*_values("name"), Owner("account", Selection(CUSTOMER, (Id("id"),)))))
_STAFF_OF = Many(
    "employees",
    "Person",
    "worksFor",
    Page(first=MAX_CONTACTS),
    (Nodes("nodes", Selection("Person", (*_values("jobTitle"), Owner("owner", _PERSON)))),),
)

SECTIONS: tuple[Section, ...] = (
    Section(
        "person",
        Level.NUMBER,
        (Id("id"), Origin("kind", "kind"), *_values("name", "tier", "preferredLanguage")),
    ),
    Section(
        "company",
        Level.NUMBER,
        (Parties("jobs", (Selection("Person", (One("worksFor", "worksFor", (_ACCOUNT,)),)),), 10),),
    ),
    Section(
        "ticket open",
        Level.NUMBER,
        (_count("openTickets", "Ticket", Compare("status", Op.IN, OPEN_TICKETS)),),
    ),
    Section(
        "tickets",
        Level.LIKELY,
        (_rows("tickets", "Ticket", _TICKET, "openedAt", Compare("status", Op.IN, OPEN_TICKETS)),),
    ),
    Section(
        "orders",
        Level.LIKELY,
        (_rows("orders", "Order", _ORDER, "orderDate", Compare("status", Op.IN, OPEN_ORDERS)),),
    ),
    Section(
        "shipments",
        Level.LIKELY,
        (_rows("shipments", "Shipment", _SHIPMENT, "shippedAt", Compare("status", Op.IN, MOVING)),),
    ),
    Section(
        "invoices",
        Level.CONFIRMED,
        (_rows("invoices", "Invoice", _INVOICE, "invoiceDate", Compare("status", Op.IN, OPEN_INVOICES)),),
    ),
    Section(
        "returns",
        Level.CONFIRMED,
        (_rows("returns", "Return", _RETURN, "returnedAt", Compare("status", Op.IN, OPEN_RETURNS)),),
    ),
    Section(
        "touchpoints",
        Level.CONFIRMED,
        (
            Timeline(
                "touches",
                (
                    Nodes(
                        "nodes",
                        Entry(
                            (
                                *(Part(name, name) for name in ("id", "type", "at", "title", "source")),
                                EntryEntity("entity", _TOUCHED),
                            )
                        ),
                    ),
                ),
                types=("Interaction", "Ticket", "Order", "Return"),
                first=SHOWN,
            ),
        ),
    ),
    Section(
        "promises",
        Level.CONFIRMED,
        tuple(
            _rows(
                f"promisesOf{type_}",
                type_,
                _PROMISE,
                "promisedFor",
                Compare("promisedText", Op.IS_NULL, False),
            )
            for type_ in ("Interaction", "Ticket")
        ),
    ),
    Section("warnings", Level.CONFIRMED, _values("doNotCall", "legalHold", "status")),
    Section("vulnerable", Level.CONFIRMED, _values("vulnerable")),
    Section(
        "consents",
        Level.CONFIRMED,
        (_rows("consents", "Consent", _values("channel", "purpose", "state", "at"), "at", None, 20),),
    ),
    Section(
        "restrictions",
        Level.CONFIRMED,
        (_rows("restrictions", "Restriction", _values("kind", "purpose", "state", "at"), "at", None),),
    ),
    Section("contact", Level.CONFIRMED, _values("email", "telephone", "mobile")),
    Section(
        "worth",
        Level.CONFIRMED,
        (
            Value("customerSince", "customerSince"),
            Many(
                "bought",
                "Order",
                None,
                Page(first=1),
                (
                    TotalCount("total"),
                    Aggregate("all", (Figures("sum", "sum", (Figure("total", "total"),)),)),
                ),
            ),
        ),
    ),
    Section(
        "loyalty",
        Level.CONFIRMED,
        (
            Many(
                "loyalty",
                "LoyaltyAccount",
                None,
                Page(first=3),
                (
                    Nodes(
                        "nodes", Selection("LoyaltyAccount", _values("programName", "tier", "pointsBalance"))
                    ),
                ),
            ),
        ),
    ),
    Section(
        "household",
        Level.CONFIRMED,
        (Household("household", (Part("id", "id"), Members("members", _PERSON, MAX_CONTACTS))),),
    ),
    Section("contacts", Level.CONFIRMED, (Parties("staff", (Selection("Organization", (_STAFF_OF,)),), 10),)),
    Section(
        "freshness",
        Level.CONFIRMED,
        (Freshness("freshness", tuple(Part(name, name) for name in ("source", "lastSuccessAt", "state"))),),
    ),
)

_RANK = Section(
    "rank",
    Level.NUMBER,
    (
        _count("movingOrders", "Shipment", Compare("status", Op.IN, MOVING)),
        Timeline("last", (Nodes("nodes", Entry((Part("at", "at"),))),), first=1),
    ),
)
"""What several who may be calling are put in order by; shown of none of them."""


@dataclass(frozen=True, slots=True)
class CardPlan:
    """A plan of some sections, and the names of those that the policy withholds."""

    plan: ReadPlan
    withheld: tuple[str, ...]


class Plans:
    """Compiled plans, kept for callers of equal access. Threads may share it."""

    def __init__(self, ontology: Ontology, dialect: DialectName) -> None:
        self._ontology, self._dialect = ontology, dialect
        self._holders: BoundedCache[ReadPlan] = BoundedCache(_KEPT)
        self._cards: BoundedCache[CardPlan] = BoundedCache(_KEPT)

    def holders(self, scheme: str, access: PlanAccess) -> ReadPlan:
        """Finds the customers that hold the identifier `value`.

        Raises:
            AccessDeniedError: the caller may not look up by such identifiers.
            QueryError: the ontology has no such scheme.
        """
        key = (access.key, scheme)
        plan = self._holders.get(key)
        if plan is None:
            selection = Selection(CUSTOMER, (Id("id"),))
            plan = self._compiled(ByIdentifier(selection, scheme, Var("value"), MAX_MATCHES), access)
            self._holders.put(key, plan, len(plan.sql))
        return plan

    def card(self, level: Level, access: PlanAccess, *, ranks: bool = False) -> CardPlan:
        """Reads of the customers `rows` what the level lets a caller of this access see."""
        key = (access.key, level, ranks)
        plan = self._cards.get(key)
        if plan is None:
            plan = self._card(level, access, ranks=ranks)
            self._cards.put(key, plan, len(plan.plan.sql))
        return plan

    def _card(self, level: Level, access: PlanAccess, *, ranks: bool) -> CardPlan:
        wanted = [*(each for each in SECTIONS if each.level <= level), *([_RANK] if ranks else [])]
        shown, withheld = list[Section](), list[str]()
        for section in wanted:
            if self._is_allowed(section, access):
                shown.append(section)
            elif section is not _RANK:
                withheld.append(section.name)
        fields = tuple(field for section in shown for field in section.fields)
        return CardPlan(self._compiled(_of_rows(fields), access), tuple(withheld))

    def _is_allowed(self, section: Section, access: PlanAccess) -> bool:
        try:
            self._compiled(_of_rows(section.fields), access)
        except AccessDeniedError:
            return False
        return True

    def _compiled(self, root: Root, access: PlanAccess) -> ReadPlan:
        return compile_plan(self._ontology, root, access, self._dialect)


def _of_rows(fields: tuple[Field, ...]) -> ByIds:
    return ByIds((Selection(CUSTOMER, fields),), Var("rows"))
