"""A seeded company of any number of customers: what four source systems say of each, as the hub's mappings would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

from hub.graph import Entity, Reference, Statement
from hub.values import Instant, Money, entity_id

TRUST = {"erp": 90, "support": 70, "till": 50}
PHONES = 80_000
"""Numbers 555-0100 to 555-0199, which no area code gives to anybody; customers past that have no telephone."""
PRODUCTS = 2_000
_START = datetime(2024, 1, 1, tzinfo=UTC)
_DAYS = 700
_GIVEN = ("Ann", "Ben", "Cleo", "Dan", "Esther", "Farid", "Grace", "Hugo", "Ines", "Jörg", "Kamila", "Léa")
_TOWNS = ("Bristol", "Haven", "Köln", "Leeds", "Málaga", "Nantes", "Truro", "York")
_STATES = ("open", "confirmed", "shipped", "delivered", "completed", "cancelled")


def phone(number: int) -> str | None:
    """The telephone of a customer in E.164."""
    if number >= PHONES:
        return None
    area, tail = divmod(number, 100)
    return f"+1{200 + area}55501{tail:02}"


def customer_number(number: int) -> str:
    """What the company calls the customer."""
    return f"C{number:07}"


class Company:
    """Statements about customers, the same for the same numbers; ids are made with the store's `secret`."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._heads = count(1)

    def products(self) -> list[Statement]:
        """What is sold."""
        return [
            self._said(
                "erp", "Product", f"P{n}", sku=f"SKU-{n:05}", name=f"Brass nail {n} mm", brand="Quayside"
            )
            for n in range(PRODUCTS)
        ]

    def customer(self, number: int) -> list[Statement]:
        """Everything the sources say about one customer."""
        rng = Random(number)
        key = customer_number(number)
        said = [self._party("erp", key, number, rng)]
        if rng.random() < 0.4:
            said.append(self._party("till", f"T{number}", number, rng))
        if rng.random() < 0.2:
            said.append(self._party("support", f"S{number}", number, rng))
        buyer = self._to("erp", "Party", key)
        for index in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 7))):
            said += self._order(f"{number}-{index}", buyer, rng)
        for index in range(rng.choice((0, 0, 1, 2))):
            said.append(self._ticket(f"{number}-{index}", buyer, rng))
        for index in range(rng.choice((0, 1, 2, 5))):
            said.append(self._interaction(f"{number}-{index}", buyer, rng))
        return said

    def _party(self, source: str, key: str, number: int, rng: Random) -> Statement:
        is_company = number % 10 == 9
        given, family = rng.choice(_GIVEN), f"Family{number % 4999}"
        own: dict[str, Any] = {
            "name": f"Quayside Traders {number}" if is_company else f"{given} {family}",
            "email": f"c{number}@example.com",
            "telephone": phone(number),
            "customerNumber": customer_number(number),
            "loyaltyCard": f"77{number:07}" if source == "till" else None,
            "streetAddress": f"{number % 997} Quay Street",
            "postalCode": f"BS{number % 99} {number % 9}DJ",
            "addressLocality": _TOWNS[number % len(_TOWNS)],
            "addressCountry": "GB",
            "status": "active",
            "segment": "trade" if is_company else "private",
            "customerSince": _day(rng),
            "tier": rng.choice(("silver", "gold")),
            "accountManager": f"Manager {number % 40}",
            "creditLimit": Money(Decimal(rng.randrange(1, 50) * 100), "GBP"),
        }
        if not is_company:
            own |= {
                "givenName": given,
                "familyName": family,
                "birthDate": f"19{number % 60 + 40}-0{number % 9 + 1}",
            }
        return self._said(source, "Organization" if is_company else "Person", key, **own)

    def _order(self, key: str, buyer: Reference, rng: Random) -> Iterator[Statement]:
        ordered, total = _instant(rng), _money(rng)
        to_order = self._to("erp", "Order", key)
        yield self._said(
            "erp", "Order", key, orderNumber=f"O{key}", orderDate=ordered, customer=buyer, total=total,
            status=rng.choice(_STATES), channel=rng.choice(("store", "web", "phone")), salesperson="Sam Seller",
        )  # fmt: skip
        for line in range(1, rng.randrange(1, 4) + 1):
            product = rng.randrange(PRODUCTS)
            yield self._said(
                "erp", "OrderLine", f"{key}-{line}", order=to_order, lineNumber=line, sku=f"SKU-{product:05}",
                description=f"Brass nail {product} mm", quantity=Decimal(rng.randrange(1, 40)) / 2,
                product=self._to("erp", "Product", f"P{product}"), unitPrice=_money(rng), lineTotal=_money(rng),
            )  # fmt: skip
        yield self._said(
            "erp", "Invoice", key, invoiceNumber=f"I{key}", kind="invoice", invoiceDate=_day(rng), dueDate=_day(rng),
            customer=buyer, order=to_order, status="paid", total=total, balance=Money(Decimal(0), "GBP"),
        )  # fmt: skip
        if rng.random() < 0.7:
            yield self._said(
                "erp", "Payment", key, paymentReference=f"M{key}", kind="payment", paidAt=_instant(rng), amount=total,
                method="card", status="settled", invoice=self._to("erp", "Invoice", key), customer=buyer,
            )  # fmt: skip
        if rng.random() < 0.6:
            yield self._said(
                "supply", "Shipment", key, shipmentNumber=f"D{key}", order=to_order, carrier="Coastal Post",
                status="delivered", shippedAt=_instant(rng), deliveredAt=_instant(rng),
            )  # fmt: skip

    def _ticket(self, key: str, customer: Reference, rng: Random) -> Statement:
        return self._said(
            "support", "Ticket", key, ticketNumber=f"T{key}", subject="Where is my “parcel”?", kind="question",
            status=rng.choice(("open", "resolved", "closed")), priority=rng.choice(("normal", "high")),
            openedAt=_instant(rng), customer=customer, handledBy="Alex Agent", tags=("parcel", "late"),
        )  # fmt: skip

    def _interaction(self, key: str, customer: Reference, rng: Random) -> Statement:
        return self._said(
            "support", "Interaction", key, interactionNumber=f"X{key}", kind=rng.choice(("call", "email", "chat")),
            direction="inbound", startTime=_instant(rng), duration=rng.randrange(20, 900), customer=customer,
            summary="Asked for the day of delivery,\nand for an invoice", sentiment="neutral",
        )  # fmt: skip

    def _said(self, source: str, type_: str, key: str, **values: Any) -> Statement:
        space = "Party" if type_ in ("Person", "Organization") else type_
        entity = Entity(entity_id(source, space, key, self._secret), type_, key, values)
        head = 2 * next(self._heads)
        stream, at = type_.lower(), "2026-01-01T00:00:00.000000Z"
        return Statement(source, stream, f"{type_}/{key}", head, head + 1, at, (entity,))

    def _to(self, source: str, space: str, key: str) -> Reference:
        return Reference(entity_id(source, space, key, self._secret))


def _instant(rng: Random) -> Instant:
    return Instant(_START + timedelta(seconds=rng.randrange(_DAYS * 86_400)), "Europe/London")


def _day(rng: Random) -> str:
    return (_START + timedelta(days=rng.randrange(_DAYS))).date().isoformat()


def _money(rng: Random) -> Money:
    return Money(Decimal(rng.randrange(100, 90_000)) / 100, "GBP")
