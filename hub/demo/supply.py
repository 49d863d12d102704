"""The supply chain: GS1 EPCIS 2.0 documents, and CSV files of ship notices, stock, purchase orders and lots.

A shipment of an order is packed (AggregationEvent: its SSCC is the parent), shipped, seen at a depot, and received
(ObjectEvents). The ship notice names order and, mostly, the customer as the ERP does; events name the shipment as
`urn:epcglobal:cbv:bt:<GLN>:<number>`, the despatch advice (`desadv`) among their business transactions.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hub.demo.goods import CARRIERS, WAREHOUSES, Product
from hub.demo.numbers import COMPANY_PREFIX, gtin13, location_urn, lot_urn, sscc, sscc_urn
from hub.demo.people import BEST, Person, Population
from hub.demo.spelling import Scribe
from hub.demo.trade import History, Line, Order
from hub.demo.truth import Broken, Truth

Row = dict[str, Any]
NOTICE_DAYS, EVENT_DAYS = 548, 120
"""How far back the ship notices and the EPCIS events reach."""

_ZONE = ZoneInfo("Europe/London")
_COMPANY_GLN = gtin13(f"{COMPANY_PREFIX}00000")
_PLACES = {WAREHOUSES[0]: location_urn(101), WAREHOUSES[1]: location_urn(102)}
_DEPOT, _DOOR = location_urn(200), location_urn(900)


def notice_number(order: Order) -> str:
    """Number of the shipment of an order."""
    return f"SH{order.number[2:]}"


def _zoned(at: datetime) -> str:
    return at.replace(tzinfo=_ZONE).isoformat()


class Logistics:
    """Makes the rows and events of the supply chain and notes the truth of each."""

    def __init__(self, rng: Random, population: Population, history: History, truth: Truth) -> None:
        self.rng, self.population, self.history, self.truth = rng, population, history, truth
        self.today = truth.today
        self.scribe = Scribe(rng, typos=0.04, short_forms=0.1, plain_letters=0.8)
        self.shipped = [
            o for o in history.orders if o.shipped and o.at.date() > self.today - timedelta(days=NOTICE_DAYS)
        ]
        self.sold: Counter[tuple[str, Product]] = Counter()
        for line in self._sold_lines():
            if line.lot:
                self.sold[line.lot, line.product] += line.quantity
        self._seen: set[str] = set()

    def _sold_lines(self) -> Iterator[Line]:
        for order in self.history.orders:
            yield from order.lines
        for receipt in self.history.receipts:
            yield from receipt.lines

    def notices(self) -> list[Row]:
        """Ship notices; days are written the British way, instants with their offset."""
        return [self._notice(order) for order in self.shipped]

    def _notice(self, order: Order) -> Row:
        party, number, rng = order.account.party, notice_number(order), self.rng
        quoted = party.id == BEST or rng.random() < 0.8
        address, key = order.account.address, order.account.number if quoted else number
        if key not in self._seen:
            self._seen.add(key)
            self.truth.party("supply", "ship_notices", key, party.id)
        self.truth.record("supply", "ship_notices", number, party.id)
        person = isinstance(party, Person)
        return {
            "shipment_no": number,
            "order_no": order.number,
            "customer_ref": order.account.number if quoted else "",
            "consignee_type": "P" if person else "B",
            "consignee": self.scribe.full_name(party, order.at.date())
            if isinstance(party, Person)
            else self.scribe.company(party),
            "street": self.scribe.street(address),
            "town": address.town,
            "postcode": address.postcode,
            "country": address.country,
            "phone": (party.mobile if isinstance(party, Person) else party.phone) or "",
            "warehouse": order.warehouse,
            "carrier": rng.choice(CARRIERS),
            "sscc": sscc(int(order.number[2:])),
            "tracking_no": f"TR{int(order.number[2:]) * 7919:010d}GB",
            "packages": 1 if person else rng.randint(1, 5),
            "weight_kg": f"{rng.randint(3, 400) / 10:.1f}",
            "shipped_at": _zoned(order.shipped or order.at),
            "eta": f"{order.promised:%d/%m/%Y}",
            "delivered_at": _zoned(order.delivered) if order.delivered else "",
            "status": "RETURNED"
            if order.status == "returned"
            else "DELIVERED"
            if order.delivered
            else "IN TRANSIT",
            "damaged": "Y" if order.delivered and rng.random() < 0.02 else "N",
        }

    def events(self) -> dict[date, list[Row]]:
        """EPCIS events of the last months by the day they happened."""
        days: defaultdict[date, list[Row]] = defaultdict(list)
        for order in self.shipped:
            if order.shipped and order.shipped.date() > self.today - timedelta(days=EVENT_DAYS):
                for at, event in self._journey(order, order.shipped):
                    if at.date() < self.today:
                        days[at.date()].append(event)
        for lot, product in sorted(self.sold, key=lambda item: item[0]):
            arrived = _lot_day(lot)
            if self.today - timedelta(days=EVENT_DAYS) < arrived < self.today:
                days[arrived].append(
                    self._arrival(lot, product, datetime(arrived.year, arrived.month, arrived.day, 7))
                )
        return dict(sorted(days.items()))

    def _journey(self, order: Order, shipped: datetime) -> Iterator[tuple[datetime, Row]]:
        code, place = sscc_urn(sscc(int(order.number[2:]))), _PLACES[order.warehouse]
        goods = [{"epcClass": _epc_class(line), "quantity": line.quantity} for line in order.lines]
        packed = shipped - timedelta(hours=2)
        inside = {"parentID": code, "childEPCs": [], "childQuantityList": goods}
        yield (
            packed,
            self._event(
                order, packed, "AggregationEvent", "ADD", "packing", "in_progress", place, place, inside
            ),
        )
        load = {"epcList": [code]}
        yield (
            shipped,
            self._event(
                order, shipped, "ObjectEvent", "OBSERVE", "shipping", "in_transit", place, None, load
            ),
        )
        if order.delivered:
            depot = shipped + timedelta(hours=9)
            if depot < order.delivered:
                yield (
                    depot,
                    self._event(
                        order, depot, "ObjectEvent", "OBSERVE", "arriving", "in_transit", _DEPOT, _DEPOT, load
                    ),
                )
            yield (
                order.delivered,
                self._event(
                    order,
                    order.delivered,
                    "ObjectEvent",
                    "OBSERVE",
                    "receiving",
                    "in_progress",
                    _DOOR,
                    None,
                    load,
                ),
            )

    def _event(
        self,
        order: Order,
        at: datetime,
        kind: str,
        action: str,
        step: str,
        state: str,
        read_point: str,
        location: str | None,
        what: Row,
    ) -> Row:
        number = notice_number(order)
        event: Row = {
            "eventID": f"https://id.example.com/event/{number}/{step}",
            "type": kind,
            "eventTime": _zoned(at),
            "eventTimeZoneOffset": _zoned(at)[-6:],
            "action": action,
            "bizStep": step,
            "disposition": state,
            "readPoint": {"id": read_point},
        }
        if location:
            event["bizLocation"] = {"id": location}
        return (
            event
            | what
            | {
                "bizTransactionList": [
                    {"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:{_COMPANY_GLN}:{number}"},
                    {"type": "po", "bizTransaction": f"urn:epcglobal:cbv:bt:{_COMPANY_GLN}:{order.number}"},
                ],
            }
        )

    def _arrival(self, lot: str, product: Product, at: datetime) -> Row:
        return {
            "eventID": f"https://id.example.com/event/{lot}/receiving",
            "type": "ObjectEvent",
            "eventTime": _zoned(at),
            "eventTimeZoneOffset": _zoned(at)[-6:],
            "action": "ADD",
            "bizStep": "receiving",
            "disposition": "in_progress",
            "readPoint": {"id": _PLACES[WAREHOUSES[0]]},
            "bizLocation": {"id": _PLACES[WAREHOUSES[0]]},
            "epcList": [],
            "quantityList": [
                {"epcClass": lot_urn(product.gtin, lot), "quantity": self.sold[lot, product] + 20}
            ],
        }

    def partners(self) -> list[Row]:
        """Suppliers and carriers; a supplier may be a customer too, and then has the same VAT number."""
        rows = [
            {
                "partner_no": f"V{101 + n}",
                "role": "supplier",
                "name": o.legal_name,
                "vat_no": o.vat,
                "phone": o.phone or "",
                "town": o.address.town,
                "country": o.address.country,
                "agreement": f"AG-{101 + n}",
                "agreement_until": f"31/12/{self.today.year + n % 3}",
            }
            for n, o in enumerate(self.population.organisations[:12])
        ]
        for n, name in enumerate(CARRIERS):
            rows.append(
                {
                    "partner_no": f"V{201 + n}",
                    "role": "carrier",
                    "name": name,
                    "vat_no": "",
                    "phone": "",
                    "town": "Leeds",
                    "country": "GB",
                    "agreement": f"AG-{201 + n}",
                    "agreement_until": f"30/06/{self.today.year + 1}",
                }
            )
        return rows

    def lots(self) -> list[Row]:
        """Every lot that was sold; the best-selling one of last quarter is recalled."""
        recent = [key for key in self.sold if _lot_day(key[0]) > self.today - timedelta(days=210)]
        recalled = max(recent or self.sold, key=lambda key: (self.sold[key], key[0]))[0]
        self.truth.recalled_lot = recalled
        return [
            self._lot(lot, product, lot == recalled)
            for lot, product in sorted(self.sold, key=lambda key: key[0])
        ]

    def _lot(self, lot: str, product: Product, recalled: bool) -> Row:
        made = _lot_day(lot) - timedelta(days=20)
        best_before = made + timedelta(days=400)
        return {
            "lot_no": lot,
            "sku": product.sku,
            "epc_class": lot_urn(product.gtin, lot),
            "po_no": f"PO-{lot[1:]}",
            "produced_on": f"{made:%d/%m/%Y}",
            "best_before": f"{best_before:%d/%m/%Y}",
            "quantity": self.sold[lot, product] + 20,
            "status": "RECALLED" if recalled else "RELEASED" if best_before > self.today else "EXPIRED",
            "recalled_at": _zoned(datetime(self.today.year, self.today.month, self.today.day, 6))
            if recalled
            else "",
            "recall_reason": "May contain undeclared nuts" if recalled else "",
        }

    def purchase_orders(self) -> list[Row]:
        """A purchase order for each lot, some in euros."""
        rows, suppliers = [], min(12, len(self.population.organisations)) or 1
        for lot, product in sorted(self.sold, key=lambda key: key[0]):
            due, quantity = _lot_day(lot), self.sold[lot, product] + 20
            euros = int(lot[-3:]) % 4 == 0
            rows.append(
                {
                    "po_no": f"PO-{lot[1:]}",
                    "supplier_no": f"V{101 + int(lot[-3:]) % suppliers}",
                    "sku": product.sku,
                    "quantity": quantity,
                    "total": f"{product.cost * quantity * (Decimal('1.15') if euros else 1):.2f}",
                    "currency": "EUR" if euros else "GBP",
                    "warehouse": WAREHOUSES[0],
                    "ordered_on": f"{due - timedelta(days=42):%d/%m/%Y}",
                    "expected_on": f"{due:%d/%m/%Y}",
                    "received_on": f"{due:%d/%m/%Y}" if due < self.today else "",
                    "status": "RECEIVED" if due < self.today else "OPEN",
                }
            )
        return rows

    def stock(self) -> list[Row]:
        """What each warehouse holds of each article."""
        counted = _zoned(
            datetime.combine(self.today - timedelta(days=1), datetime.min.time()) + timedelta(hours=18)
        )
        return [
            {
                "warehouse": warehouse,
                "sku": p.sku,
                "on_hand": (held := self.rng.randint(0, 240)),
                "reserved": min(held, self.rng.randint(0, 20)),
                "on_order": self.rng.choice((0, 0, 50)),
                "reorder_level": 25,
                "counted_at": counted,
            }
            for warehouse in WAREHOUSES
            for p in self.history.products
        ]


def _epc_class(line: Line) -> str:
    if line.lot:
        return lot_urn(line.product.gtin, line.lot)
    return f"urn:epc:idpat:sgtin:{COMPANY_PREFIX}.0{line.product.gtin[7:12]}.*"


def _lot_day(lot: str) -> date:
    """When the lot came in: the first day of its quarter, as `lot_number` counts them."""
    return date(2000 + int(lot[1:3]), 3 * int(lot[3]) - 2, 1)


def document(day: date, events: Sequence[Row]) -> Row:
    """An EPCIS 2.0 document with the events of a day."""
    return {
        "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "id": f"https://id.example.com/epcis/{day}",
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": f"{day}T23:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def write_documents(folder: Path, days: dict[date, list[Row]]) -> None:
    """One document a day in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for day, events in days.items():
        (folder / f"{day}.json").write_text(json.dumps(document(day, events)) + "\n", encoding="utf-8")


def write_csv(path: Path, rows: Iterable[Row], torn: str = "") -> None:
    """A CSV file with a header; `torn` is a last line as it stands, for one that broke off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        file.write(torn)


def _by_month(notices: Iterable[Row]) -> dict[str, list[Row]]:
    months: defaultdict[str, list[Row]] = defaultdict(list)
    for notice in notices:
        months[str(notice["shipped_at"])[:7]].append(notice)
    return months


def _corrupt(notices: list[Row], stock: list[Row], days: dict[date, list[Row]], truth: Truth) -> None:
    """Adds notices with a day that does not exist and without a number, a stock of `n/a`, and two bad events."""
    month, day = str(notices[0]["shipped_at"])[:7], max(days)
    file, events = f"supply/ship_notices/{month}.csv", f"supply/epcis/{day}.json"
    event = {k: v for k, v in days[day][0].items() if k != "bizTransactionList"}
    notices.append(notices[0] | {"shipment_no": "SH900001", "customer_ref": "", "eta": "31/02/2026"})
    notices.append(notices[0] | {"shipment_no": "", "customer_ref": ""})
    stock.append(stock[0] | {"warehouse": "WH-CLOSED", "on_hand": "n/a"})
    days[day].append(
        event | {"eventID": "https://id.example.com/event/broken/1", "eventTime": "not recorded"}
    )
    days[day].append({k: v for k, v in event.items() if k != "eventID"})
    truth.broken += [
        Broken("supply", "ship_notices", file, "SH900001", "eta", "bad_date"),
        Broken("supply", "ship_notices", file, None, "shipment_no", "missing_key"),
        Broken(
            "supply",
            "stock_levels",
            "supply/stock_levels.csv",
            f"WH-CLOSED {stock[0]['sku']}",
            "on_hand",
            "bad_number",
        ),
        Broken(
            "supply", "epcis_events", events, "https://id.example.com/event/broken/1", "eventTime", "bad_date"
        ),
        Broken("supply", "epcis_events", events, None, "eventID", "missing_key"),
        Broken("supply", "purchase_orders", "supply/purchase_orders.csv", None, None, "truncated"),
    ]


def write(folder: Path, rng: Random, population: Population, history: History, truth: Truth) -> None:
    """All files of the supply chain."""
    logistics = Logistics(rng, population, history, truth)
    notices, days, stock = logistics.notices(), logistics.events(), logistics.stock()
    lots, orders, partners = logistics.lots(), logistics.purchase_orders(), logistics.partners()
    _corrupt(notices, stock, days, truth)
    for month, rows in _by_month(notices).items():
        write_csv(folder / "ship_notices" / f"{month}.csv", rows)
    write_documents(folder / "epcis", days)
    write_csv(folder / "stock_levels.csv", stock)
    write_csv(folder / "lots.csv", lots)
    write_csv(folder / "partners.csv", partners)
    write_csv(folder / "purchase_orders.csv", orders, torn="PO-TORN,V101,HP-")
    for name, rows in {
        "ship_notices": notices,
        "stock_levels": stock,
        "lots": lots,
        "partners": partners,
    }.items():
        truth.count("supply", name, len(rows))
    truth.count("supply", "purchase_orders", len(orders) + 1)
    truth.count("supply", "epcis_events", sum(map(len, days.values())))
