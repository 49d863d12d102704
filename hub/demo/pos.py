"""The tills: POSLog-shaped XML, one file a shop a day, as NRF's ARTS XML shapes a retail transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from hub.demo.accounts import Registers
from hub.demo.goods import SHOPS, Shop
from hub.demo.people import BEST, Person, Population
from hub.demo.trade import Calendar, Line, Receipt
from hub.demo.truth import Broken, Reason, Truth

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/" MajorVersion="6">\n'
)
_FOOT = "</POSLog>\n"
_VISITS = ("fitting of a jacket", "gift list", "click and collect", "cookery evening")
_CENT = Decimal("0.01")
_FAULTS: tuple[tuple[str, str, str, str, Reason], ...] = (
    ("9001", "TransactionID", "<TransactionID>{id}</TransactionID>", "", "missing_key"),
    ("9002", "BeginDateTime", "<BeginDateTime>{day}", "<BeginDateTime>2026-13-01", "bad_date"),
    (
        "9003",
        "TransactionGrandAmount",
        "<TransactionGrandAmount>",
        "<TransactionGrandAmount>1O",
        "bad_number",
    ),
)
"""Number within the day, element at fault, what is replaced in a good transaction, and by what."""


class Journal:
    """Writes the files of the folder `pos`, numbering the transactions of each shop."""

    def __init__(self, folder: Path, registers: Registers, truth: Truth) -> None:
        self.folder, self.registers, self.truth = folder, registers, truth
        self._days: defaultdict[tuple[str, date], list[str]] = defaultdict(list)
        self._seen = {row.key for row in truth.rows if (row.source, row.kind) == ("pos", "party")}

    def sale(self, receipt: Receipt) -> str:
        """The number of the receipt, which now stands in its shop's file of that day."""
        number = self._number(receipt.shop, receipt.at)
        identity = self._identity(receipt)
        body = "".join(_item(n, line, receipt.brings_back) for n, line in enumerate(receipt.lines, 1))
        body += (
            f"  <LineItem><SequenceNumber>{len(receipt.lines) + 1}</SequenceNumber>"
            f'<Tender TenderType="{receipt.tender}"><Amount>{receipt.total}</Amount></Tender></LineItem>\n'
            f"  <TransactionGrandAmount>{receipt.total}</TransactionGrandAmount>\n"
        )
        self._add(
            receipt.shop, receipt.at, number, f" <RetailTransaction>\n{body}{identity}\n </RetailTransaction>"
        )
        if receipt.buyer and receipt.shown:
            self._note(receipt.buyer, number, shown_key(receipt, self.registers))
        return number

    def visit(self, shop: Shop, at: datetime, someone: Person, reason: str) -> None:
        """An appointment in a shop by somebody with a card."""
        card = self.registers.cards[someone.id]
        number = self._number(shop, at)
        self._add(
            shop,
            at,
            number,
            f" <CustomerVisit><Reason>{reason}</Reason><LoyaltyID>{card}</LoyaltyID></CustomerVisit>",
        )
        self._note(someone, number, card)

    def _note(self, someone: Person, number: str, party_key: str) -> None:
        self.truth.record("pos", "transactions", number, someone.id)
        if party_key not in self._seen:
            self._seen.add(party_key)
            self.truth.party("pos", "transactions", party_key, someone.id)

    def _number(self, shop: Shop, at: datetime) -> str:
        return f"{shop.store_id}-{at:%Y%m%d}-{len(self._days[shop.store_id, at.date()]) + 1:04d}"

    def _add(self, shop: Shop, at: datetime, number: str, body: str) -> None:
        self._days[shop.store_id, at.date()].append(
            f"<Transaction>\n <RetailStoreID>{shop.store_id}</RetailStoreID>"
            f"<WorkstationID>T{1 + at.second % 2}</WorkstationID><TransactionID>{number}</TransactionID>"
            f"<BusinessDayDate>{at:%Y-%m-%d}</BusinessDayDate><BeginDateTime>{at:%Y-%m-%dT%H:%M:%S}</BeginDateTime>"
            f"<OperatorID>OP{1 + at.minute % 7}</OperatorID><CurrencyCode>GBP</CurrencyCode>\n{body}\n</Transaction>\n"
        )

    def _identity(self, receipt: Receipt) -> str:
        if receipt.shown == "card" and receipt.buyer:
            holder, points = receipt.buyer, int(receipt.total)
            name = escape(f"{holder.given[0]} {holder.surname}".upper())
            return (
                f"  <LoyaltyAccount><LoyaltyID>{self.registers.cards[holder.id]}</LoyaltyID>"
                f"<CardHolder>{name}</CardHolder><PointsAwarded>{points}</PointsAwarded></LoyaltyAccount>"
            )
        key = shown_key(receipt, self.registers)
        return {
            "phone": f"  <Customer><Telephone>{key}</Telephone></Customer>",
            "email": f"  <Customer><Email>{key}</Email></Customer>",
        }.get(receipt.shown or "", "")

    def corrupt(self) -> None:
        """Adds broken transactions: without id, with a day that does not exist, with a letter in the amount."""
        days = sorted(self._days.items())
        texts = ((shop, day, text) for (shop, day), texts in days for text in texts)
        shop, day, good = next(found for found in texts if "<Sale>" in found[2])
        number = good.partition("<TransactionID>")[2].partition("<")[0]
        for serial, field, old, new, reason in _FAULTS:
            fresh = f"{number[:-4]}{serial}"
            text = good.replace(number, fresh).replace(old.format(id=fresh, day=day), new)
            self._days[shop, day].append(text)
            key = None if reason == "missing_key" else fresh
            self.truth.broken.append(
                Broken("pos", "transactions", f"pos/{file_name(shop, day)}", key, field, reason)
            )

    def write(self) -> list[Path]:
        """The files written, in the order of their names."""
        written = []
        for (shop, day), transactions in sorted(self._days.items()):
            path = self.folder / file_name(shop, day)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_HEAD + "".join(transactions) + _FOOT, encoding="utf-8")
            self.truth.count("pos", "transactions", len(transactions))
            written.append(path)
        return written

    def write_truncated(self, shop: str, day: date) -> None:
        """A file that breaks off within its only transaction, as after a full disk."""
        text = f"{_HEAD}<Transaction>\n <RetailStoreID>{shop}</RetailStoreID><TransactionID>{shop}-{day:%Y%m%d}-00"
        path = self.folder / file_name(shop, day)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.truth.count("pos", "transactions", 1)
        self.truth.broken.append(
            Broken("pos", "transactions", f"pos/{file_name(shop, day)}", None, None, "truncated")
        )


def file_name(shop: str, day: date) -> str:
    """Path of a shop's file of a day, below the folder `pos`."""
    return f"{day:%Y-%m}/{shop}_{day:%Y%m%d}.xml"


def shown_key(receipt: Receipt, registers: Registers) -> str:
    """By what the till knows the buyer: card number, telephone in digits, or e-mail address; empty if by nothing."""
    buyer = receipt.buyer
    if buyer is None or receipt.shown is None:
        return ""
    if receipt.shown == "card":
        return registers.cards[buyer.id]
    return (buyer.mobile or "").replace(" ", "") if receipt.shown == "phone" else buyer.emails[-1]


def _item(number: int, line: Line, brings_back: bool) -> str:
    what, sign = ("Return", "-") if brings_back else ("Sale", "")
    reason = "<Reason>changed_mind</Reason>" if brings_back else ""
    lot = f"<LotNumber>{line.lot}</LotNumber>" if line.lot else ""
    return (
        f"  <LineItem><SequenceNumber>{number}</SequenceNumber><{what}><ItemID>{line.product.sku}</ItemID>"
        f"<Description>{escape(line.product.name)}</Description><Quantity>{line.quantity}</Quantity>"
        f"<ActualSalesUnitPrice>{line.price}</ActualSalesUnitPrice>"
        f"<ExtendedAmount>{sign}{line.amount.quantize(_CENT)}</ExtendedAmount>{lot}{reason}</{what}></LineItem>\n"
    )


def write(
    folder: Path,
    rng: Random,
    population: Population,
    registers: Registers,
    receipts: Sequence[Receipt],
    truth: Truth,
) -> None:
    """All journals, some visits, and the broken ones."""
    journal = Journal(folder, registers, truth)
    for receipt in receipts:
        journal.sale(receipt)
    calendar = Calendar(rng, truth.today)
    holders = [p for p in population.people if p.id in registers.cards]
    for someone in [p for p in holders if p.id == BEST or rng.random() < 0.2]:
        journal.visit(rng.choice(SHOPS[:2]), calendar.moment(500), someone, rng.choice(_VISITS))
    journal.corrupt()
    journal.write()
    journal.write_truncated(SHOPS[-1].store_id, truth.today - timedelta(days=1000))
