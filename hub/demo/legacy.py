"""The mail-order system of the 1990s: two EBCDIC files of fixed-width records, without any line ends.

Names are in capitals without accents and cut to their width; years have two digits; amounts have two digits after
an implied point, and the last digit carries the sign in its zone (`{` is +0). Nobody has an e-mail address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from anyascii import anyascii

from hub.demo.accounts import Account, Registers
from hub.demo.people import BEST, Person
from hub.demo.trade import History
from hub.demo.truth import Broken, Truth

CODE_PAGE = "cp1140"
CUSTOMER_FILE, ORDER_FILE = "CUSTMAST.DAT", "ORDHIST.DAT"

CUSTOMER_LAYOUT = (
    ("account", 10),
    ("kind", 1),
    ("title", 4),
    ("forename", 12),
    ("surname", 16),
    ("company", 30),
    ("street", 24),
    ("town", 16),
    ("postcode", 8),
    ("phone", 14),
    ("born", 6),
    ("opened", 6),
    ("last_order", 6),
    ("credit_limit", 9),
    ("status", 1),
    ("filler", 7),
)
"""Name and width of each field of a customer, 170 bytes in all; `born` is DDMMYY, other dates are YYMMDD."""

ORDER_LAYOUT = (
    ("order", 8),
    ("account", 10),
    ("ordered", 6),
    ("item", 10),
    ("description", 20),
    ("quantity", 4),
    ("amount", 9),
    ("status", 1),
    ("filler", 2),
)
"""Name and width of each field of an order, 70 bytes in all."""

_GOODS = (
    ("MUGS ENAMEL", 1495),
    ("OILSKIN JACKET", 8999),
    ("ROPE MAT", 2250),
    ("STORM LANTERN", 2999),
    ("FUDGE TIN", 799),
    ("WOOL THROW", 5450),
)


def overpunched(pence: int, width: int) -> str:
    """The amount with its last digit punched over with the plus sign: 1250 in six places is `00125{`."""
    digits = f"{pence:0{width}d}"
    return digits[:-1] + "{ABCDEFGHI"[int(digits[-1])]


def _record(layout: Sequence[tuple[str, int]], values: dict[str, str]) -> bytes:
    text = "".join(anyascii(values.get(name, "")).upper()[:width].ljust(width) for name, width in layout)
    return text.encode(CODE_PAGE)


class Archive:
    """Makes both files; a customer's `last_order` is the last of the order file."""

    def __init__(self, rng: Random, registers: Registers, history: History, truth: Truth) -> None:
        self.rng, self.registers, self.history, self.truth = rng, registers, history, truth
        self._last: dict[str, date] = {}

    def orders(self) -> list[bytes]:
        """Some orders for each account, all placed before its details were last written."""
        made: list[bytes] = []
        for account in self.registers.legacy.accounts:
            for _ in range(self.rng.randint(1, 6) + (2 if account.party.id == BEST else 0)):
                made.append(self._order(account, len(made)))
        return made

    def _order(self, account: Account, serial: int) -> bytes:
        day = account.written_on - timedelta(days=self.rng.randint(0, 4000))
        number, (goods, pence), quantity = (
            f"M{serial + 1:07d}",
            self.rng.choice(_GOODS),
            self.rng.randint(1, 3),
        )
        self._last[account.number] = max(day, self._last.get(account.number, day))
        self.truth.record("legacy", "orders", number, account.party.id)
        values = {
            "order": number,
            "account": account.number,
            "ordered": f"{day:%y%m%d}",
            "item": f"MO{pence:06d}",
            "description": goods,
            "quantity": f"{quantity:04d}",
            "amount": overpunched(pence * quantity, 9),
            "status": self.rng.choice("DDDDDR"),
        }
        return _record(ORDER_LAYOUT, values)

    def customers(self) -> list[bytes]:
        """The customer master; to be made after the orders."""
        return [self._customer(account) for account in self.registers.legacy.accounts]

    def _customer(self, account: Account) -> bytes:
        party, address, rng = account.party, account.address, self.rng
        self.truth.party("legacy", "customers", account.number, party.id)
        values = {
            "account": account.number,
            "street": address.street,
            "town": address.town,
            "postcode": address.postcode,
            "opened": f"{account.written_on - timedelta(days=4200):%y%m%d}",
            "last_order": f"{self._last[account.number]:%y%m%d}",
            "credit_limit": overpunched(rng.choice((0, 5_000, 10_000, 25_000)), 9),
            "status": rng.choice("AAAAC"),
        }
        if isinstance(party, Person):
            values |= self._person(account, party)
        else:
            values |= {
                "kind": "C",
                "company": party.legal_name,
                "phone": (party.phone or "").replace(" ", "-"),
            }
        return _record(CUSTOMER_LAYOUT, values)

    def _person(self, account: Account, someone: Person) -> dict[str, str]:
        initial_only = self.rng.random() < 0.25 and someone.id != BEST
        born = someone.id == BEST or self.rng.random() < 0.7
        return {
            "kind": "P",
            "title": someone.title,
            "forename": someone.given[0] if initial_only else someone.given,
            "surname": someone.surname_on(account.written_on),
            "phone": (someone.household.phone or "").replace(" ", "-"),
            "born": f"{someone.birth:%d%m%y}" if born else "000000",
        }


def _broken_orders(good: bytes) -> list[tuple[bytes, Broken]]:
    def spoilt(serial: int, at: int, text: str) -> bytes:
        record = bytearray(good)
        record[0:8] = f"M900000{serial}".encode(CODE_PAGE)
        record[at : at + len(text)] = text.encode(CODE_PAGE)
        return bytes(record)

    return [
        (
            spoilt(1, 18, "120231"),
            Broken("legacy", "orders", f"legacy/{ORDER_FILE}", None, "ordered", "bad_date"),
        ),
        (
            spoilt(2, 58, "0000X25O{"),
            Broken("legacy", "orders", f"legacy/{ORDER_FILE}", None, "amount", "bad_number"),
        ),
        (
            spoilt(3, 0, " " * 8),
            Broken("legacy", "orders", f"legacy/{ORDER_FILE}", None, "order", "missing_key"),
        ),
    ]


def write(folder: Path, rng: Random, registers: Registers, history: History, truth: Truth) -> None:
    """Both files; the customer file ends within a record."""
    archive = Archive(rng, registers, history, truth)
    orders = archive.orders()
    for record, broken in _broken_orders(orders[0]):
        orders.append(record)
        truth.broken.append(broken)
    customers = archive.customers()
    customers.append(customers[0][:90])
    truth.broken.append(Broken("legacy", "customers", f"legacy/{CUSTOMER_FILE}", None, None, "truncated"))
    truth.count("legacy", "orders", len(orders))
    truth.count("legacy", "customers", len(customers))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CUSTOMER_FILE).write_bytes(b"".join(customers))
    (folder / ORDER_FILE).write_bytes(b"".join(orders))
