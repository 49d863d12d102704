"""A shop that sells, and keeps what it sold: a third source with orders, invoices, tickets, receipts and contracts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.privacy.retention import RetentionRun, RunRetention, run_retention
from tests.commands.command_world import Shop, fresh_key

LEDGER = """source: ledger
region: GB
currency: GBP
zone: UTC
max_bad_share: 1
max_delete_share: 1
connector: {type: files, root: exports}
streams:
  people:
    read: {glob: ledger-people.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - {type: Person, key: no, properties: {customerNumber: no, name: name, email: email, loyaltyCard: card}}
  orders:
    read: {glob: ledger-orders.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - {type: Order, key: no, properties: {orderNumber: no, orderDate: at}, links: {customer: buyer}}
  lines:
    read: {glob: ledger-lines.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - {type: OrderLine, key: no, properties: {description: text}, links: {order: order}}
  invoices:
    read: {glob: ledger-invoices.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - {type: Invoice, key: no, properties: {invoiceNumber: no, invoiceDate: at}, links: {order: order}}
  tickets:
    read: {glob: ledger-tickets.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Ticket
        key: no
        properties: {ticketNumber: no, subject: subject, openedAt: at}
        links: {customer: who, order: order}
  receipts:
    read: {glob: ledger-receipts.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - {type: Person, key: card, shared: true, when: card, properties: {loyaltyCard: card, name: name}}
      - {type: Order, key: no, properties: {orderNumber: no, orderDate: at}, links: {customer: card}}
      - {type: Interaction, key: no, properties: {interactionNumber: no, startTime: seen}, links: {customer: card}}
  contracts:
    read: {glob: ledger-contracts.jsonl, format: {type: jsonl}}
    key: no
    deletes: full_scan
    entities:
      - type: Contract
        key: no
        properties: {contractNumber: no, startDate: from, endDate: to}
        links: {customer: who}
"""
STREAMS = ("people", "orders", "lines", "invoices", "tickets", "receipts", "contracts")

NOW = datetime(2040, 6, 15, 12, tzinfo=UTC)
"""The runs' time: all that the tests call old lies before it."""


def ago(days: float) -> str:
    """An instant so many days before."""
    return (NOW - timedelta(days=days)).isoformat()


def day(days: float) -> str:
    """The day of it."""
    return ago(days)[:10]


class Keeper(Shop):
    """The shop with its ledger."""

    def __init__(self, folder: Path, store_url: str) -> None:
        (folder / "sources" / "exports").mkdir(parents=True)
        (folder / "sources" / "ledger.yaml").write_text(LEDGER)
        self.books: dict[str, list[dict[str, Any]]] = {}
        for name in STREAMS:
            (folder / "sources" / "exports" / f"ledger-{name}.jsonl").write_text("")
        super().__init__(folder, store_url)

    def keep(self, **books: Sequence[Mapping[str, Any]]) -> None:
        """Write streams of the ledger and sync it."""
        for name, rows in books.items():
            self.books[name] = [dict(row) for row in rows]
            text = "".join(f"{json.dumps(row)}\n" for row in rows)
            (self.exports / f"ledger-{name}.jsonl").write_text(text)
        self.sync("ledger")

    def retain(self, *, now: datetime = NOW, role: str = "compliance", **more: Any) -> RetentionRun:
        """Run retention."""
        order = RunRetention(fresh_key(), **{"scrub": False, **more})
        return run_retention(self.services, self.author(role), order, now=now)

    def records(self) -> set[str]:
        """The records that are there, as STREAM/KEY."""
        rows = self.rows("SELECT stream, key FROM record_head WHERE source = 'ledger' AND state <> 'deleted'")
        return {
            f"{row['stream']}/{json.loads(row['key'])[0] if row['key'][0] == '[' else row['key']}"
            for row in rows
        }


def person(no: str, **more: Any) -> dict[str, Any]:
    """A customer of the ledger."""
    return {"no": no, "name": f"Person {no}", "email": f"person.{no.lower()}@example.com", **more}
