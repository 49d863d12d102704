"""A shop whose records change from day to day, and what the hub answered of its customers on each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson

from hub.adapters import Past
from hub.graph.plans import (
    Aggregate,
    ById,
    Entry,
    Facts,
    Id,
    Identifiers,
    Many,
    Nodes,
    One,
    OrderBy,
    Origin,
    Owner,
    Page,
    Part,
    Parties,
    RowCount,
    Selection,
    Timeline,
    TotalCount,
    Value,
    Var,
    answer,
    compile_plan,
)
from hub.ontology import CUSTOMER, Ontology
from hub.store import Cancellation, Store
from tests.adapters.shop import Shop
from tests.graph.plans.plan_world import Access

YAML = """\
source: shop
currency: GBP
max_bad_share: 1
max_delete_share: 1
connector: {{type: files, root: {{env: SHOP_DIR}}}}
streams:
  people:
    read: {{glob: people.jsonl, format: {{type: jsonl}}}}
    key: no
    {observed}
    deletes: full_scan
    entities:
      - type: Person
        properties: {{givenName: given, familyName: family, telephone: phone, loyaltyCard: card}}
  products:
    read: {{glob: products.jsonl, format: {{type: jsonl}}}}
    key: sku
    {observed}
    deletes: full_scan
    entities:
      - {{type: Product, key: sku, shared: true, properties: {{name: title, sku: sku}}}}
  orders:
    read: {{glob: orders.jsonl, format: {{type: jsonl}}}}
    key: no
    {observed}
    deletes: full_scan
    entities:
      - type: Order
        properties: {{orderNumber: no, total: total, orderDate: day}}
        links:
          customer: {link}
      - type: OrderLine
        key: [no, sku]
        properties: {{quantity: count}}
        links: {{order: no, product: sku}}
      - {{type: Product, key: sku, shared: true, properties: {{name: title, sku: sku}}}}
  ships:
    read: {{glob: ships.jsonl, format: {{type: jsonl}}}}
    key: no
    entities:
      - type: Shipment
        properties: {{shipmentNumber: no}}
        links: {{customer: buyer, order: order}}
"""
BY_KEY = "buyer"
BY_PHONE = "{identifier: phone, value: phone}"
OPEN = Access({})


def selection() -> Selection:
    """Much of a customer, in an order that no run decides."""
    product = Selection("Product", (Id("id"), Value("name", "name"), Origin("at", "observedAt")))
    line = Selection(
        "OrderLine", (Id("id"), Value("quantity", "quantity"), One("product", "product", (product,)))
    )
    lines = Many("lines", "OrderLine", "order", Page(order_by=(OrderBy("id"),)), (Nodes("nodes", line),))
    own = Owner("belongsTo", Selection(CUSTOMER, (Id("id"),)))
    order = Selection(
        "Order", (Id("id"), Value("number", "orderNumber"), Value("total", "total"), lines, own)
    )
    sent = Selection("Shipment", (Id("id"), One("order", "order", (Selection("Order", (Id("id"),)),))))
    entry = Entry((Part("id", "id"), Part("type", "type"), Part("at", "at"), Part("phase", "phase")))
    fact = ("property", "value", "entityId", "source", "recordKey", "recordId", "observedAt", "wins", "rule")
    held = ("scheme", "value", "entityId")
    return Selection(
        CUSTOMER,
        (
            Id("id"),
            Origin("kind", "kind"),
            Origin("created", "createdAt"),
            Value("given", "givenName"),
            Value("family", "familyName"),
            Value("phone", "telephone"),
            Facts("facts", tuple(Part(name, name) for name in fact)),
            Identifiers("identifiers", tuple(Part(name, name) for name in held)),
            Parties("parties", (Selection("Person", (Id("id"), Value("given", "givenName"))),)),
            Many(
                "orders",
                "Order",
                None,
                Page(order_by=(OrderBy("id"),)),
                (Nodes("nodes", order), TotalCount("count"), Aggregate("all", (RowCount("n"),))),
            ),
            Many("shipments", "Shipment", None, Page(order_by=(OrderBy("id"),)), (Nodes("nodes", sent),)),
            Timeline("timeline", (Nodes("nodes", entry),)),
        ),
    )


class PastWorld:
    """A shop, and a store that follows it; time passes a day at a time."""

    def __init__(self, folder: Path, url: str, ontology: Ontology, **given: str) -> None:
        self.ontology = ontology
        self.shop = Shop(folder, YAML.format(**{"observed": "", "link": BY_KEY, **given}))
        self.store = Store.open(url, ontology, b"the same")
        self.days: list[datetime] = []
        self.answers: list[dict[str, Any]] = []
        """Of each day what was answered, by customer."""
        self._past: Past | None = None
        self._now = compile_plan(ontology, ById(selection(), Var("id")), OPEN, self.store.dialect.name)
        self._then = compile_plan(
            ontology, ById(selection(), Var("id"), "then"), OPEN, self.store.dialect.name
        )

    def day(self, **files: Sequence[Mapping[str, Any]]) -> datetime:
        """Another day, at whose end these files are synced, and the answers of that day kept."""
        for name, rows in files.items():
            self.shop.jsonl(f"{name}.jsonl", rows)
        at = datetime(2026, 1, 1 + len(self.days), 12, tzinfo=UTC)
        self._past = None
        with clock(at):
            self.syncer = self.shop.syncer(self.store, self.ontology)
            self.syncer.sync("shop")
        self.days.append(at)
        self.answers.append({customer: self.now(customer) for customer in self.customers()})
        return at

    def customers(self) -> list[str]:
        with self.store.read() as connection:
            return sorted(connection.exec_driver_sql("SELECT id FROM customer").scalars())

    def now(self, customer: str) -> Any:
        return orjson.loads(answer(self.store, self._now, {"id": customer}).json_text)

    def then(self, customer: str, at: datetime) -> Any:
        """The answer as of a time, by the mappings of the last day."""
        variables = {"id": customer}
        return orjson.loads(self.past.answer(self._then, variables, customer, at, Cancellation(60)).json_text)

    @property
    def past(self) -> Past:
        if self._past is None:
            self._past = Past(self.store, self.syncer.trust, self.syncer.mapping_of_now)
        return self._past

    def close(self) -> None:
        self.store.close()


@contextmanager
def clock(at: datetime) -> Iterator[None]:
    """While inside, the store's clock says so."""
    text = at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    with (
        patch("hub.adapters.landing.utc_now", lambda: text),
        patch("hub.graph.writer.utc_now", lambda: text),
        patch("hub.adapters.runs.utc_now", lambda: text),
    ):
        yield
