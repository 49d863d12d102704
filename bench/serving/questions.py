"""The two questions, in the words of either server, and the comparison of their answers.

The 360 view is that of `hub/demo/queries/support.graphql`: golden properties, identifiers, the newest orders with lines
and parcels, invoices, payments, tickets, interactions, with counts. Left out is what PostGraphile has no counterpart
for: the timeline over all event types, facts with their origin, freshness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

HUB_360 = """
query View($id: ID!) {
  customer(id: $id) {
    id name email telephone streetAddress postalCode addressLocality addressCountry
    status segment customerSince tier accountManager creditLimit { amount currency }
    identifiers(first: 20) { scheme value source }
    orders(first: 5, orderBy: [{orderDate: DESC}]) {
      totalCount
      nodes {
        id orderNumber orderDate status channel total { amount currency } source
        lines(first: 5, orderBy: [{lineNumber: ASC}]) {
          nodes { lineNumber sku description quantity lineTotal { amount currency } }
        }
        shipments(first: 2, orderBy: [{shippedAt: DESC}]) {
          nodes { shipmentNumber status carrier shippedAt deliveredAt }
        }
      }
    }
    invoices(first: 5, orderBy: [{invoiceDate: DESC}]) {
      totalCount
      nodes {
        invoiceNumber invoiceDate dueDate status total { amount currency } balance { amount currency }
      }
    }
    payments(first: 5, orderBy: [{paidAt: DESC}]) {
      nodes { paymentReference paidAt method status amount { amount currency } }
    }
    tickets(first: 5, orderBy: [{openedAt: DESC}]) {
      totalCount
      nodes { ticketNumber subject status priority openedAt }
    }
    interactions(first: 5, orderBy: [{startTime: DESC}]) {
      totalCount
      nodes { kind direction summary startTime }
    }
  }
}
"""

PEER_360 = """
query View($id: String!) {
  customer: customerByRowId(rowId: $id) {
    id: rowId name email telephone streetAddress postalCode addressLocality addressCountry
    status segment customerSince tier accountManager creditLimit creditLimitCurrency
    identifiers(first: 20, orderBy: [SCHEME_ASC, VALUE_ASC, SOURCE_ASC]) { nodes { scheme value source } }
    orders(first: 5, orderBy: [ORDER_DATE_DESC, ROW_ID_ASC]) {
      totalCount
      nodes {
        id: rowId orderNumber orderDate status channel total totalCurrency source
        lines(first: 5, orderBy: [LINE_NUMBER_ASC, ROW_ID_ASC]) {
          nodes { lineNumber sku description quantity lineTotal lineTotalCurrency }
        }
        shipments(first: 2, orderBy: [SHIPPED_AT_DESC, ROW_ID_ASC]) {
          nodes { shipmentNumber status carrier shippedAt deliveredAt }
        }
      }
    }
    invoices(first: 5, orderBy: [INVOICE_DATE_DESC, ROW_ID_ASC]) {
      totalCount
      nodes { invoiceNumber invoiceDate dueDate status total totalCurrency balance balanceCurrency }
    }
    payments(first: 5, orderBy: [PAID_AT_DESC, ROW_ID_ASC]) {
      nodes { paymentReference paidAt method status amount amountCurrency }
    }
    tickets(first: 5, orderBy: [OPENED_AT_DESC, ROW_ID_ASC]) {
      totalCount
      nodes { ticketNumber subject status priority openedAt }
    }
    interactions(first: 5, orderBy: [START_TIME_DESC, ROW_ID_ASC]) {
      totalCount
      nodes { kind direction summary startTime }
    }
  }
}
"""

HUB_PHONE = """
query Caller($value: String!) {
  customers: customerByIdentifier(scheme: phone, value: $value) { id name tier customerNumber }
}
"""

PEER_PHONE = """
query Caller($value: String!) {
  customers: customersByIdentifier(scheme: "phone", value: $value) {
    nodes { id: rowId name tier customerNumber }
  }
}
"""

_NUMBERS = ("amount", "balance", "creditLimit", "lineNumber", "lineTotal", "quantity", "total")


@dataclass(frozen=True)
class Question:
    """One question; `variable` is the name of its only variable."""

    name: str
    hub: str
    peer: str
    variable: str


QUESTIONS = (
    Question("360 view", HUB_360, PEER_360, "id"),
    Question("phone lookup", HUB_PHONE, PEER_PHONE, "value"),
)


def same_answers(hub: Mapping[str, Any], peer: Mapping[str, Any]) -> bool:
    """Whether both answers say the same: amounts and instants by value, the hub's lists as connections."""
    return bool(_plain(hub["data"]) == _plain(peer["data"]))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, item in value.items():
        found |= _member(name, item)
    return found


def _member(name: str, item: Any) -> dict[str, Any]:
    if isinstance(item, dict) and item.keys() == {"amount", "currency"}:
        return {name: Decimal(item["amount"]), f"{name}Currency": item["currency"]}
    if name in ("identifiers", "customers") and isinstance(item, list):
        return {name: {"nodes": _plain(item)}}
    if name in _NUMBERS and item is not None:
        return {name: Decimal(item)}
    if name.endswith(("At", "Time")) or name == "orderDate":
        return {name: item and datetime.fromisoformat(item)}
    return {name: _plain(item)}


def rows_of(answer: Any) -> int:
    """How many objects an answer holds, so that nobody compares empty ones."""
    if isinstance(answer, list):
        return sum(map(rows_of, answer))
    return 1 + sum(map(rows_of, answer.values())) if isinstance(answer, dict) else 0
