"""A shop whose customers ask for their rights: two sources of files, a ledger in SQL that may be amended, partners."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from hub.commands import Author
from hub.commands.request_register import KeptRequest
from hub.privacy.requests import (
    Channel,
    Kind,
    Law,
    Method,
    OpenRequest,
    complete_task,
    open_request,
    plan_request,
    run_request,
    show_request,
    verify,
)
from hub.services import open_services
from tests.commands.command_world import ANN, BEN, Shop, fresh_key, settings_of

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
LEDGER = """source: ledger
region: GB
trust: 60
currency: GBP
connector:
  type: sql
  url: sqlite:///ledger.sqlite
  amend: {amend}
streams:
  people:
    read: {{table: people}}
    key: no
    deletes: full_scan
    entities:
      - type: Person
        properties: {{name: name, email: email, loyaltyCard: card, customerNumber: no, notes: note}}
  invoices:
    read: {{table: invoices}}
    key: no
    deletes: full_scan
    entities:
      - type: Invoice
        properties: {{invoiceNumber: no, invoiceDate: day, total: total, billingAddress: address}}
        links: {{customer: person}}
"""
ORGANISATION = """
controller: {name: Example Ltd, contact: {email: privacy@example.com}}
dpo: {email: dpo@example.com}
kept_by_law:
  bookkeeping: {types: [Invoice], purpose: accounting, basis: tax law (Art. 17(3)(b)), days: 3653, owner: finance}
systems:
  club: {label: Club, owner: marketing, country: GB, kind: file, can: {access: auto, export: auto, erase: manual}}
  ledger: {label: Ledger, owner: finance, country: GB, kind: table, can: {access: auto, export: auto, erase: auto}}
partners:
  mailer:
    label: Mailer Ltd
    role: processor
    countries: GB
    receives: [{categories: user.contact.email, purposes: campaign_analysis}]
  printer:
    label: Printer Ltd
    role: recipient
    countries: GB
    receives: [{categories: user.biometric, purposes: campaign_analysis}]
places:
  backups:
    label: Backups
    kind: backup
    copies: hub
    owner: it
    country: GB
    purposes: system_operation
    retention_days: 35
"""
AMEND = "{people: [erase, rectify], invoices: [erase]}"
LIVING = {"no": "L1", "name": "Ann Archer", "email": "ann@example.com", "card": "7001", "note": "likes brass"}


class Rights(Shop):
    """The shop with a ledger, in which somebody handles requests."""

    def __init__(self, folder: Path, store_url: str, amend: str = AMEND) -> None:
        super().__init__(folder, store_url)
        self.services.close()
        self.ledger = folder / "sources" / "ledger.sqlite"
        with sqlite3.connect(self.ledger) as db:
            db.execute("CREATE TABLE people (no, name, email, card, note)")
            db.execute("CREATE TABLE invoices (no, day, total, address, person)")
        (folder / "sources" / "ledger.yaml").write_text(LEDGER.format(amend=amend))
        file = folder / "organisation.yaml"
        file.write_text(ORGANISATION)
        self.settings = settings_of(folder, store_url).model_copy(update={"organisation_file": file})
        self.services = open_services(self.settings, {})

    def begin(self) -> str:
        """Ann and Ben in the club, Ann in the ledger with two invoices; Ann's id."""
        self.write("club", [ANN, BEN])
        self.tickets(
            "club",
            [{"number": "T1", "subject": "Call Ben on ben@example.com or +44 117 496 0009", "member": "1"}],
        )
        self.put("people", LIVING)
        for number, day in (("INV-1001", "2026-01-02"), ("INV-1002", "2001-01-02")):
            row = {
                "no": number,
                "day": day,
                "total": "10.00",
                "address": "12 Quay Street, Bristol",
                "person": "L1",
            }
            self.put("invoices", row)
        self.sync_all()
        return self.customer("club", "1")

    def sync_all(self) -> None:
        self.sync("club", "till", "ledger")

    def put(self, table: str, row: Mapping[str, str]) -> None:
        marks = ", ".join("?" * len(row))
        with sqlite3.connect(self.ledger) as db:
            db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))

    def at_source(self, table: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.ledger) as db:
            return db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()

    @property
    def officer(self) -> Author:
        return self.author("compliance")

    def open(self, kind: Kind, customer: str | None, law: Law = Law.GDPR, **more: Any) -> KeptRequest:
        order = OpenRequest(kind, law, Channel.LETTER, fresh_key(), customer=customer, **more)
        return open_request(self.services, self.officer, order)

    def planned(self, kind: Kind, customer: str | None, law: Law = Law.GDPR, **more: Any) -> KeptRequest:
        request = self.open(kind, customer, law, **more)
        if request.state == "received":
            verify(self.services, self.officer, request.id, Method.DOCUMENT)
        return plan_request(self.services, self.officer, request.id)

    def run(self, kind: Kind, customer: str | None, law: Law = Law.GDPR, **more: Any) -> KeptRequest:
        return run_request(self.services, self.officer, self.planned(kind, customer, law, **more).id)

    def finish(self, id_: str) -> KeptRequest:
        """Complete every task of the request."""
        for step in show_request(self.services, self.officer, id_).request.steps:
            if step.state in ("open", "failed") and step.action != "hand_out":
                complete_task(self.services, self.officer, id_, step.number, f"T-{step.number}")
        return show_request(self.services, self.officer, id_).request

    def holding(self, *words: str) -> set[tuple[str, str]]:
        """Each table and word of which some text column of the store holds the word: a scan of everything."""
        return {(table, word) for table, cell in self._cells() for word in words if word.casefold() in cell}

    def _cells(self) -> Iterator[tuple[str, str]]:
        store = self.services.store
        with store.read() as connection:
            sql = (
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                if store.dialect.name == "sqlite"
                else "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
            )
            for table in connection.execute(text(sql)).scalars().all():
                for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                    yield from ((table, str(cell).casefold()) for cell in row if cell is not None)
