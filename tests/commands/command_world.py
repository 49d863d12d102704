"""A shop with two sources of files, whose rows tests change and sync, and people who give commands."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hub.access import Requester
from hub.audit import AuditEvent
from hub.commands import (
    Author,
    Corrected,
    CorrectProperty,
    LogInteraction,
    Noted,
    RecordConsent,
    WithdrawCorrection,
    correct_property,
    log_interaction,
    record_consent,
    withdraw_correction,
)
from hub.services import Services, open_services
from hub.settings import Settings
from hub.values import entity_id

MASTER_KEY = base64.b64encode(bytes(range(32))).decode()

POLICY = Path(__file__).resolve().parents[2] / "policy.yaml"

SOURCE = """source: {name}
region: GB
trust: {trust}
connector: {{type: files, root: exports}}
max_bad_share: 1
max_delete_share: 1
streams:
  members:
    read: {{glob: {name}.csv, format: {{type: csv}}}}
    key: key
    observed_at: changed
    deletes: full_scan
    entities:
      - type: Person
        when: kind != 'company'
        properties: &values
          name: name
          email: email
          loyaltyCard: card
          streetAddress: street
          postalCode: postcode
          addressLocality: town
      - type: Organization
        when: kind == 'company'
        properties: *values
  tickets:
    read: {{glob: {name}-tickets.csv, format: {{type: csv}}}}
    key: number
    deletes: full_scan
    entities:
      - type: Ticket
        properties: {{ticketNumber: number, subject: subject}}
        links: {{customer: member}}
"""
FIELDS = ("key", "changed", "name", "email", "card", "street", "postcode", "town", "kind")
ANN = {
    "key": "1", "changed": "2026-01-01", "name": "Ann Archer", "email": "ann@example.com", "card": "7001",
    "street": "12 Quay Street", "postcode": "BS1 4DJ", "town": "Bristol",
}  # fmt: skip
BEN = {
    "key": "2", "changed": "2026-01-01", "name": "Ben Boyd", "email": "ben@example.com", "card": "7002",
    "street": "3 Mill Lane", "postcode": "BS2 8AA", "town": "Bristol",
}  # fmt: skip
A_A = {**ANN, "key": "9", "name": "A. Archer", "email": "archer@example.org", "changed": "2025-06-01"}

_numbers = count(1)


def fresh_key() -> str:
    return f"key-{next(_numbers)}"


def settings_of(folder: Path, store_url: str) -> Settings:
    """The settings of the shop in a folder."""
    return Settings(
        data_dir=folder / "var",
        store_url=store_url,
        config_dir=folder / "sources",
        policy_file=POLICY,
        master_key=SecretStr(MASTER_KEY),
    )


class Shop:
    """The shop: sources `club` and `till`, a store, and who works there."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self.folder = folder
        self.exports = folder / "sources" / "exports"
        self.exports.mkdir(parents=True, exist_ok=True)
        for name, trust in (("club", 90), ("till", 40)):
            (folder / "sources" / f"{name}.yaml").write_text(SOURCE.format(name=name, trust=trust))
            self.write(name, [])
            self.tickets(name, [])
        self.settings = settings_of(folder, store_url)
        self.services: Services = open_services(self.settings, {})

    def reopen(self, **changed: Any) -> None:
        """End the process and begin another one."""
        self.services.close()
        self.services = open_services(self.settings.model_copy(update=changed), {})

    def write(self, source: str, rows: Sequence[Mapping[str, str]]) -> None:
        _write(self.exports / f"{source}.csv", FIELDS, rows)

    def tickets(self, source: str, rows: Sequence[Mapping[str, str]]) -> None:
        _write(self.exports / f"{source}-tickets.csv", ("number", "subject", "member"), rows)

    def sync(self, *sources: str) -> None:
        for name in sources or ("club", "till"):
            report = self.services.syncer.sync(name)
            assert report.state == "ok", report.doubts

    # who works there

    def author(self, role: str = "support", purpose: str | None = None, subject: str | None = None) -> Author:
        known = self.services.access.roles[role]
        stated = purpose or known.default_purpose
        who = subject or f"u-{role}"
        asks = Requester(who, frozenset({role}), known.department, stated, "tests", (stated,))
        return Author.of(asks, self.services.access)

    def consent(self, customer: str, key: str | None = None, /, **values: Any) -> Noted:
        said = {"purpose": "marketing.communications.email", "channel": "email", "state": "given", **values}
        return record_consent(
            self.services, self.author(), RecordConsent(customer, said, fresh_key() if key is None else key)
        )

    def interaction(self, customer: str, key: str | None = None, /, **values: Any) -> Noted:
        said = {"kind": "call", "direction": "inbound", **values}
        return log_interaction(
            self.services, self.author(), LogInteraction(customer, said, fresh_key() if key is None else key)
        )

    def correct(self, customer: str, name: str, value: str, key: str | None = None) -> Corrected:
        order = CorrectProperty(customer, name, value, "told by letter", fresh_key() if key is None else key)
        return correct_property(self.services, self.author("steward"), order)

    def withdraw(self, customer: str, name: str, key: str | None = None) -> Corrected:
        order = WithdrawCorrection(customer, name, "a mistake", fresh_key() if key is None else key)
        return withdraw_correction(self.services, self.author("steward"), order)

    # what is there

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        marks = self.services.store.dialect.param
        for name in values:
            sql = sql.replace(f"${name}", marks(name))
        with self.services.store.read() as connection:
            return [dict(row) for row in connection.exec_driver_sql(sql, values).mappings()]

    def customer(self, source: str, key: str) -> str:
        party = entity_id(source, "Party", key, self.services.store.secret)
        [row] = self.rows("SELECT customer_id FROM membership WHERE party_id = $id", id=party)
        found: str = row["customer_id"]
        return found

    def golden(self, customer: str) -> dict[str, Any]:
        """The golden record; when it was written does not matter."""
        [row] = self.rows("SELECT * FROM customer WHERE id = $id", id=customer)
        return {name: value for name, value in row.items() if name != "updated_at" and value is not None}

    def of_customer(self, table: str, customer: str) -> list[dict[str, Any]]:
        """The rows of a table that belong to the customer."""
        return self.rows(
            f"SELECT t.* FROM {table} t JOIN membership m ON m.party_id = t.party_id WHERE m.customer_id = $id"
            " ORDER BY t.head_id",
            id=customer,
        )

    def events(self) -> list[AuditEvent]:
        self.services.publish_events()
        return [recorded.event for recorded in self.services.audit.events()]


def _write(path: Path, fields: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue())
