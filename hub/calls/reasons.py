"""Why somebody may be calling: told from what is open, each with what it was told from.

The order is that of screen pops in practice: what we wait for from them, what is late today, what we reminded them of,
what they sent back, what they did on our pages just now, and at last what they called about before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.calls.card import Reason

Row = Mapping[str, Any]

JUST_NOW = timedelta(hours=1)
LATELY = timedelta(days=7)
MOST = 3
"""Reasons that a card gives."""


def reasons(row: Row, now: datetime) -> tuple[Reason, ...]:
    """The likeliest reasons first, at most `MOST`; `row` is what the plan of a card tells of one customer."""
    found = [reason for tell in _TELLING for reason in tell(row, now)]
    return tuple(found[:MOST])


def _waiting(row: Row, _now: datetime) -> Iterator[Reason]:
    for ticket in nodes(row, "tickets"):
        if ticket.get("status") == "pending_customer":
            yield _reason(ticket, "Ticket", "ticket_awaiting_customer", "ticketNumber", "openedAt", "subject",
                          "the ticket waits for an answer of theirs")  # fmt: skip


def _late(row: Row, now: datetime) -> Iterator[Reason]:
    today = now.date().isoformat()
    for order in nodes(row, "orders"):
        due = order.get("expectedDelivery")
        if due and due[:10] <= today:
            words = "expected today" if due[:10] == today else f"expected on {due[:10]}"
            yield _reason(order, "Order", "delivery_late", "orderNumber", "orderDate", None,
                          f"the order was {words} and is not delivered", due)  # fmt: skip
    for shipment in nodes(row, "shipments"):
        eta = shipment.get("eta")
        if shipment.get("status") == "failed" or (eta and eta < _iso(now)):
            yield _reason(shipment, "Shipment", "delivery_late", "shipmentNumber", "shippedAt", None,
                          "the parcel did not arrive when it should have", eta)  # fmt: skip


def _reminded(row: Row, now: datetime) -> Iterator[Reason]:
    for invoice in nodes(row, "invoices"):
        at = invoice.get("lastReminderAt")
        if at and at >= _iso(now - LATELY):
            yield _reason(invoice, "Invoice", "invoice_reminded", "invoiceNumber", "invoiceDate", None,
                          "a reminder was sent in the last 7 days", at)  # fmt: skip


def _returning(row: Row, _now: datetime) -> Iterator[Reason]:
    for each in nodes(row, "returns"):
        yield _reason(each, "Return", "return_in_progress", "returnNumber", "returnedAt", None,
                      "goods are on their way back")  # fmt: skip


def _browsing(row: Row, now: datetime) -> Iterator[Reason]:
    for touch in nodes(row, "touches"):
        entity = touch.get("entity") or {}
        if entity.get("kind") in ("web", "chat") and touch["at"] >= _iso(now - JUST_NOW):
            words = touch.get("title") or "was on our pages"
            yield _touched(touch, "just_online", words, "they were there less than an hour ago")


def _open(row: Row, _now: datetime) -> Iterator[Reason]:
    for ticket in nodes(row, "tickets"):
        if ticket.get("status") != "pending_customer":
            yield _reason(ticket, "Ticket", "ticket_open", "ticketNumber", "openedAt", "subject",
                          "the ticket is open")  # fmt: skip


def _again(row: Row, _now: datetime) -> Iterator[Reason]:
    for touch in nodes(row, "touches"):
        if (touch.get("entity") or {}).get("kind") == "call" and touch.get("title"):
            yield _touched(touch, "same_as_last_call", touch["title"], "they called about it last time")
            return


_TELLING: Sequence[Callable[[Row, datetime], Iterator[Reason]]] = (
    _waiting,
    _late,
    _reminded,
    _returning,
    _browsing,
    _open,
    _again,
)


def _reason(
    row: Row, type_: str, kind: str, ref: str, at: str, title: str | None, why: str, when: str | None = None
) -> Reason:
    text = (row.get(title) if title else None) or kind.replace("_", " ")
    return Reason(kind, text, row.get(ref), when or row.get(at), why, type_, row["id"], row.get("source"))


def _touched(touch: Row, kind: str, text: str, why: str) -> Reason:
    return Reason(kind, text, None, touch["at"], why, touch["type"], touch["id"], touch["source"])


def nodes(row: Row, alias: str) -> Sequence[Row]:
    """The rows of a connection, none where it is withheld."""
    connection = row.get(alias)
    return connection["nodes"] if connection else ()


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()[:19]
