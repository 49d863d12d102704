"""A call centre's morning: people who share a line, a company's switchboard, matters that are open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.access import PlanAccess, plan_access
from hub.calls import Asked, Facts, Level, Verified
from hub.commands import Author
from hub.graph import Entity, GraphWriter
from hub.services import Services
from hub.settings import PbxSettings
from tests.api.api_world import at, gbp, make_services, party, said, source_of, thing, to, to_party

LINE, ALONE, SWITCHBOARD = "+441174960001", "+441174960020", "+441174960030"
OLD = "+449174960040"
"""A number as old data hold it: the area code is wrong, the end is right."""
PBX = PbxSettings(region="GB", lines={"+441174960100": "Quayside Tools"})


def days(number: int) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).strftime("%Y-%m-%d")


def company() -> list[Entity]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return [
        party("erp", "C1", name="Ann Archer", givenName="Ann", familyName="Archer", telephone=LINE,
              birthDate="1984-05-01", email="ann@example.com", customerNumber="K-1001", tier="gold",
              preferredLanguage="en", vulnerable=True, doNotCall=True),
        party("erp", "C2", name="Ben Archer", givenName="Ben", familyName="Archer", telephone=LINE,
              birthDate="1950-02-03", customerNumber="K-1002"),
        party("erp", "C3", name="Cleo Marsh", givenName="Cleo", familyName="Marsh", telephone=ALONE,
              birthDate="1990-07-08", email="cleo@example.com", customerNumber="K-1003"),
        party("erp", "C4", "Organization", name="Quayside Traders", legalName="Quayside Traders Ltd",
              telephone=SWITCHBOARD),
        party("erp", "C5", name="Dora Finch", givenName="Dora", familyName="Finch", telephone=SWITCHBOARD,
              birthDate="1977-01-09", jobTitle="Buyer", worksFor=to_party("erp", "C4")),
        party("erp", "C6", name="Emil Frost", givenName="Emil", familyName="Frost", telephone=OLD,
              birthDate="1961-03-03"),
        thing("support", "Ticket", "T1", ticketNumber="T1", subject="Pump error E42", status="pending_customer",
              openedAt=at("2026-01-06T08:00:00"), customer=to_party("erp", "C3"),
              promisedText="A call by Friday", promisedBy="Gil"),
        thing("erp", "Order", "O1", orderNumber="O1", orderDate=at("2026-01-02T10:00:00"), status="shipped",
              expectedDelivery=days(-1), total=gbp("80.00"), customer=to_party("erp", "C3")),
        thing("erp", "Invoice", "I1", invoiceNumber="I1", invoiceDate="2026-01-02", total=gbp("80.00"),
              balance=gbp("80.00"), order=to("erp", "Order", "O1"), status="overdue", kind="invoice",
              lastReminderAt=at(now)),
        thing("supply", "Shipment", "S1", shipmentNumber="S1", order=to("erp", "Order", "O1"),
              shippedAt=at("2026-01-03T12:00:00"), status="in_transit"),
        thing("erp", "Order", "O2", orderNumber="O2", orderDate=at("2026-01-02T10:00:00"), status="shipped",
              customer=to_party("erp", "C2")),
        thing("supply", "Shipment", "S2", shipmentNumber="S2", order=to("erp", "Order", "O2"),
              shippedAt=at("2026-01-03T12:00:00"), status="in_transit"),
        thing("support", "Ticket", "T9", ticketNumber="T9", subject="Call me",
              body="Please call me back on +441174960099 after work", status="closed",
              openedAt=at("2026-01-06T08:00:00"), customer=to_party("erp", "C3")),
    ]  # fmt: skip


def fill(services: Services) -> None:
    """Write the company into the store, and into the index."""
    writer = GraphWriter(services.store, {"erp": 90}, restate=lambda _connection, _heads: [])
    with services.store.write() as connection:
        writer.apply(connection, 1, [said(entity, source_of(entity)) for entity in company()])
    services.publish()


@dataclass
class Morning:
    """The company with its phones."""

    services: Services

    def author(self, role: str = "support", subject: str | None = None) -> Author:
        purpose = self.services.access.roles[role].default_purpose or ""
        access = self.services.access
        return Author(subject or f"u-{role}", frozenset({role}), None, purpose, access, is_operator=False)

    def access(self, role: str = "support") -> PlanAccess:
        return plan_access(self.services.access, self.author(role))

    def ring(
        self,
        number: str | None = None,
        role: str = "support",
        verified: Verified | None = None,
        deadline_s: float = 20.0,
        **facts: Any,
    ) -> Asked:
        """The card of a call; the deadline is far away, as the machine may be busy."""
        given = Facts(number=number, **facts)
        return self.services.pop.card(given, self.access(role), PBX, deadline_s, verified)

    def sure(self, key: str, level: Level = Level.CONFIRMED) -> Verified:
        return Verified(self.customer(key), level)

    def customer(self, key: str) -> str:
        id_ = to_party("erp", key).target_id
        sql = f"SELECT customer_id FROM membership WHERE party_id = {self.services.store.dialect.param('id')}"
        with self.services.store.read() as connection:
            found: str = connection.exec_driver_sql(sql, {"id": id_}).scalar_one()
        return found


@contextmanager
def morning(folder: Path, url: str, **settings: Any) -> Iterator[Morning]:
    """The company on the database at the URL."""
    with make_services(folder, url, **settings) as services:
        fill(services)
        yield Morning(services)
