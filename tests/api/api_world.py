"""A small company behind the API: one store with all kinds of rows, tokens for roles, a client that counts SQL."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx

from hub.access import DemoIssuer
from hub.api import create_app
from hub.audit import AuditEvent
from hub.graph import Entity, GraphWriter, Reference, Statement
from hub.services import Services, open_services
from hub.settings import Settings
from hub.values import Instant, Money, entity_id
from tests.statements import noting

POLICY = Path(__file__).resolve().parents[2] / "policy.yaml"
SOURCE = """
source: till
label: Tills
connector: {{type: files, root: {files}}}
streams:
  sales:
    read: {{glob: "*.csv", format: {{type: csv}}}}
    key: number
    entities:
      - type: Order
        properties: {{orderNumber: number}}
"""


def at(text: str) -> Instant:
    return Instant(datetime.fromisoformat(text).replace(tzinfo=UTC), "Europe/London")


def gbp(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


def party(source: str, key: str, type_: str = "Person", **values: Any) -> Entity:
    return Entity(entity_id(source, "Party", key), type_, key, values)


def thing(source: str, type_: str, key: str, **values: Any) -> Entity:
    return Entity(entity_id(source, type_, key), type_, key, values)


def to_party(source: str, key: str) -> Reference:
    return Reference(entity_id(source, "Party", key))


def to(source: str, type_: str, key: str) -> Reference:
    return Reference(entity_id(source, type_, key))


ADDRESS = {
    "streetAddress": "12 Quay Street",
    "postalCode": "BS1 4DJ",
    "addressLocality": "Bristol",
    "addressCountry": "GB",
}
BEN = {
    "givenName": "Ben",
    "familyName": "Archer",
    "telephone": "+441174960001",
    "birthDate": "1981-02-03",
    **ADDRESS,
}
"""Of a new name alone the others of his household hear nothing."""


def company() -> list[Entity]:
    """Ann in three systems, Ben beside her, a company with a complaint; orders, lines, invoices, tickets, parcels."""
    return [
        party(
            "erp", "C1", name="Ann Archer", givenName="Ann", familyName="Archer", email="ann@example.com",
            telephone="+441174960001", birthDate="1984-05", loyaltyCard="777001", status="active",
            creditLimit=gbp("500"), vulnerable=True, **ADDRESS,
        ),
        party(
            "till", "777001", name="A. Archer", familyName="Archer", loyaltyCard="777001", tier="gold",
            email="ann.archer@example.org", **ADDRESS,
        ),
        party("erp", "C2", name="Ben Archer", **BEN),
        party(
            "erp", "C3", "Organization", name="Quayside Traders", legalName="Quayside Traders Ltd",
            numberOfEmployees=12, vatID="GB123456789", email="post@example.net",
        ),
        thing("erp", "Product", "P1", sku="NAIL-40", name="Brass nail 40 mm"),
        thing("erp", "Product", "P2", sku="ROPE-10", name="Rope 10 m"),
        *(_order(number) for number in range(1, 8)),
        thing(
            "erp", "Order", "O9", orderNumber="O9", orderDate=at("2026-01-20T09:00:00"), status="cancelled",
            total=gbp("1.50"), customer=to_party("erp", "C3"),
        ),
        thing("erp", "OrderLine", "O1-1", order=to("erp", "Order", "O1"), product=to("erp", "Product", "P1"),
              quantity=Decimal("2.5"), description="Brass nails"),
        thing("erp", "OrderLine", "O1-2", order=to("erp", "Order", "O1"), product=to("erp", "Product", "P2"),
              quantity=Decimal(1)),
        thing("erp", "Invoice", "I1", invoiceNumber="I1", invoiceDate="2026-01-02", total=gbp("10.01"),
              order=to("erp", "Order", "O1"), status="paid", kind="invoice"),
        thing("erp", "Payment", "M1", invoice=to("erp", "Invoice", "I1"), amount=gbp("10.01"), status="settled",
              paidAt=at("2026-01-05T10:00:00"), method="card", kind="payment"),
        thing("support", "Ticket", "T1", ticketNumber="T1", subject="Late parcel", kind="complaint", status="open",
              openedAt=at("2026-01-06T08:00:00"), order=to("erp", "Order", "O1"), tags=("parcel", "late")),
        thing("support", "Interaction", "X1", kind="call", direction="inbound", summary="Where is my parcel",
              startTime=at("2025-12-20T08:00:00"), customer=to_party("till", "777001")),
        thing("supply", "Shipment", "S1", shipmentNumber="S1", order=to("erp", "Order", "O1"),
              shippedAt=at("2026-01-03T12:00:00"), status="shipped", carrier="Coastal Post"),
        thing("supply", "ShipmentEvent", "E1", shipment=to("supply", "Shipment", "S1"), bizStep="shipping",
              eventTime=at("2026-01-03T12:30:00"), epcs=("urn:epc:1", "urn:epc:2")),
    ]  # fmt: skip


def _order(number: int) -> Entity:
    return thing(
        "erp",
        "Order",
        f"O{number}",
        orderNumber=f"O{number}",
        orderDate=at(f"2026-01-0{number}T10:00:00"),
        status="delivered" if number % 2 else "open",
        total=gbp(f"{number * 10}.0{number}"),
        customer=to_party("erp", "C1"),
    )


def said(entity: Entity, source: str) -> Statement:
    head = zlib.crc32(f"{entity.type}/{entity.id}".encode()) % 1_000_000 * 10
    stream = entity.type.lower()
    return Statement(source, stream, entity.key, head, head + 1, "2026-01-01T00:00:00.000000Z", (entity,))


def source_of(entity: Entity) -> str:
    """The source in whose name the entity's id was made."""
    space = "Party" if entity.type in ("Person", "Organization") else entity.type
    return next(
        s for s in ("erp", "till", "support", "supply") if entity_id(s, space, entity.key) == entity.id
    )


def make_services(folder: Path, store_url: str, files: Path = Path("/nowhere"), **more: Any) -> Services:
    """Services on the store at the URL, with the policy of the repository and one source."""
    config = folder / "config"
    config.mkdir(exist_ok=True)
    (config / "till.yaml").write_text(SOURCE.format(files=files))
    settings = Settings(
        data_dir=folder / "var",
        store_url=store_url,
        config_dir=config,
        demo=True,
        **{"policy_file": POLICY, **more},
    )
    return open_services(settings, {})


def fill(services: Services) -> None:
    """Write the company into the store."""
    writer = GraphWriter(services.store, {"erp": 90, "till": 50}, restate=lambda _connection, _heads: [])
    with services.store.write() as connection:
        writer.apply(connection, 1, [said(entity, source_of(entity)) for entity in company()])


@dataclass
class Reply:
    status: int
    body: dict[str, Any]
    headers: httpx.Headers

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def code(self) -> str:
        """The code of the first error."""
        code: str = self.body["errors"][0]["extensions"]["code"]
        return code

    @property
    def message(self) -> str:
        message: str = self.body["errors"][0]["message"]
        return message

    @property
    def access(self) -> list[dict[str, Any]]:
        notes: list[dict[str, Any]] = self.body.get("extensions", {}).get("access", [])
        return notes


@dataclass
class World:
    """The company, asked over ASGI."""

    services: Services
    ask_app: Any
    statements: list[str] = field(default_factory=list)

    def token(self, role: str = "support", purposes: Sequence[str] | None = None, **more: Any) -> str:
        known = self.services.access.roles[role]
        issuer = DemoIssuer(self.services.settings.data_dir)
        stated = [known.default_purpose] if purposes is None else list(purposes)
        return issuer.issue(f"u-{role}", known.department, [role], stated, **more)

    def post(self, body: Any, token: str | None = None, **headers: str) -> Reply:
        sent = {"accept": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        reply = self.ask_app("POST", "/graphql", json=body, headers=sent)
        return Reply(reply.status_code, reply.json(), reply.headers)

    def ask(self, query: str, role: str = "support", **variables: Any) -> Reply:
        return self.post({"query": query, "variables": variables}, self.token(role))

    def events_after(self, seq: int) -> list[AuditEvent]:
        return [recorded.event for recorded in self.services.audit.events(after=seq)]

    def seq(self) -> int:
        return self.services.audit.size() - 1

    def customer(self, source: str, key: str) -> str:
        """The id of the customer that a party belongs to."""
        party_id = entity_id(source, "Party", key)
        sql = f"SELECT customer_id FROM membership WHERE party_id = {self.services.store.dialect.param('id')}"
        with self.services.store.read() as connection:
            found: str = connection.exec_driver_sql(sql, {"id": party_id}).scalar_one()
        return found

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The SELECTs that are run inside."""
        found: list[str] = []

        def note(statement: str) -> None:
            # The publisher works in asyncio's own threads.
            background = threading.current_thread().name.startswith("asyncio_")
            if statement.lstrip().startswith(("SELECT", "WITH")) and not background:
                found.append(statement)

        with noting(self.services.store, note):
            yield found


@contextmanager
def asking(services: Services) -> Iterator[World]:
    """A world whose application runs in a portal thread, its background work included."""
    app = create_app(services)
    with anyio.from_thread.start_blocking_portal() as portal:
        stack = portal.wrap_async_context_manager(app.router.lifespan_context(app))
        with stack:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://hub.example")

            def send(method: str, path: str, **more: Any) -> httpx.Response:
                async def sending() -> httpx.Response:
                    return await client.request(method, path, **more)

                reply: httpx.Response = portal.call(sending)
                return reply

            yield World(services, send)
            portal.call(client.aclose)
