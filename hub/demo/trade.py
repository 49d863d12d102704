"""What happened in three years: orders, shop receipts, mail orders, and the troubles that came of them."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Generic, Literal, TypeVar

from hub.demo.accounts import Account, Party, Registers
from hub.demo.goods import SHOPS, TOGETHER, WAREHOUSES, Product, Shop, catalogue
from hub.demo.people import BEST, Organisation, Person, Population

HISTORY_DAYS = 3 * 365
JOURNAL_DAYS = 548
"""The shops keep their journals for eighteen months."""

_SEASON = (0.5, 0.5, 0.6, 0.75, 0.8, 0.85, 0.9, 0.9, 0.65, 0.7, 0.9, 1.0)
"""Share of sales that each month keeps, January first."""

T = TypeVar("T")
Status = Literal["open", "shipped", "delivered", "cancelled", "returned"]


@dataclass(slots=True, repr=False)
class Line:
    """Some pieces of a product at a gross price each."""

    product: Product
    quantity: int
    price: Decimal
    lot: str | None

    @property
    def amount(self) -> Decimal:
        """What the line comes to."""
        return self.price * self.quantity


@dataclass(slots=True, repr=False)
class Order:
    """An order by web, telephone or as a business customer; `late` when it came after `promised`."""

    number: str
    account: Account
    at: datetime
    channel: str
    lines: list[Line]
    status: Status
    promised: date
    shipped: datetime | None
    delivered: datetime | None
    postage: Decimal
    warehouse: str

    @property
    def total(self) -> Decimal:
        """Gross amount with postage."""
        return sum((line.amount for line in self.lines), self.postage)

    @property
    def late(self) -> bool:
        """Whether it was delivered after the promised day."""
        return self.delivered is not None and self.delivered.date() > self.promised


@dataclass(slots=True, repr=False)
class Receipt:
    """A visit to a till. `shown` says how the buyer made herself known, None when she did not."""

    shop: Shop
    at: datetime
    buyer: Person | None
    shown: Literal["card", "phone", "email"] | None
    lines: list[Line]
    tender: str
    brings_back: bool = False

    @property
    def total(self) -> Decimal:
        """Gross amount, negative when goods were brought back."""
        amount = sum((line.amount for line in self.lines), Decimal(0))
        return -amount if self.brings_back else amount


@dataclass(slots=True, repr=False)
class History:
    """All trade, each list in the order of time; `orders_of` goes by true id."""

    products: list[Product]
    orders: list[Order]
    receipts: list[Receipt]
    orders_of: defaultdict[str, list[Order]] = field(default_factory=lambda: defaultdict(list))


class Draw(Generic[T]):
    """Draws items in proportion to their weights, fast."""

    def __init__(self, rng: Random, items: list[T], weights: list[float]) -> None:
        self._rng, self._items = rng, items
        self._sums = list(accumulate(weights))

    def one(self) -> T:
        """An item."""
        return self._items[bisect(self._sums, self._rng.random() * self._sums[-1], 0, len(self._sums) - 1)]


class Calendar:
    """Moments of trade: summer and December are busy, and many customers fell away at some time."""

    def __init__(self, rng: Random, today: date) -> None:
        self.rng, self.today = rng, today
        self._last: dict[str, int] = {}

    def _lapsed_days(self, true_id: str) -> int:
        """Days since the party's last possible purchase, always the same for one party."""
        if true_id not in self._last:
            self._last[true_id] = (
                self.rng.randint(200, 800) if self.rng.random() < 0.25 and true_id != BEST else 0
            )
        return self._last[true_id]

    def day(self, days_back: int, true_id: str = "") -> date:
        """A day of the last `days_back` before today, while the party was still active."""
        newest = max(1, min(self._lapsed_days(true_id), days_back - 30)) if true_id else 1
        while True:
            day = self.today - timedelta(days=self.rng.randint(newest, days_back))
            if self.rng.random() < _SEASON[day.month - 1]:
                return day

    def moment(self, days_back: int, true_id: str = "") -> datetime:
        """A local time of day when people are awake, so never inside a change of summer time."""
        return self.at_work(self.day(days_back, true_id))

    def at_work(self, day: date) -> datetime:
        """Some time between 8 and 20 h of that day, local time."""
        return datetime(
            day.year,
            day.month,
            day.day,
            self.rng.randint(8, 19),
            self.rng.randint(0, 59),
            self.rng.randint(0, 59),
        )


class Trader:
    """Makes purchases: who buys, what lies in the basket, how it goes on."""

    def __init__(self, rng: Random, population: Population, registers: Registers, today: date) -> None:
        self.rng, self.population, self.registers, self.today = rng, population, registers, today
        self.calendar = Calendar(rng, today)
        self.products = catalogue()
        self._by_name = {p.name.partition(",")[0]: p for p in self.products}
        self._favourite = Draw(rng, self.products, [min(8.0, rng.paretovariate(1.1)) for _ in self.products])
        self._keenness = {p.id: min(12.0, rng.paretovariate(1.3)) for p in population.people}
        self._keenness[BEST] = 24.0

    def basket(self, at: datetime, most: int, factor: int = 1) -> list[Line]:
        """Products with their companions; the coffee goes with the fudge at weekends above all."""
        chosen: dict[str, Product] = {}
        for _ in range(self.rng.choices(range(1, most + 1), range(most, 0, -1))[0]):
            product = self._favourite.one()
            chosen[product.sku] = product
            companion = TOGETHER.get(product.name.partition(",")[0])
            if companion and self.rng.random() < (0.5 if at.weekday() >= 5 else 0.2):
                chosen[self._by_name[companion].sku] = self._by_name[companion]
        return [self._line(product, at, factor) for product in chosen.values()]

    def _line(self, product: Product, at: datetime, factor: int) -> Line:
        quantity = self.rng.choice((1, 1, 1, 2, 3)) * self.rng.randint(1, factor)
        price = product.price if factor == 1 else (product.price * Decimal("0.80")).quantize(Decimal("0.01"))
        lot = lot_number(product, at.date()) if product.lot_tracked else None
        return Line(product, quantity, price, lot)

    def _order(self, account: Account, at: datetime) -> Order:
        rng, business = self.rng, isinstance(account.party, Organisation)
        lines = self.basket(at, 4 if business else 3, 8 if business else 1)
        promised = at.date() + timedelta(days=5)
        shipped = at + timedelta(days=rng.randint(1, 3))
        delivered = shipped + timedelta(days=rng.choices((1, 2, 3, 6), (60, 25, 6, 9))[0])
        midnight = datetime.combine(self.today, datetime.min.time())
        status: Status = (
            "open" if shipped >= midnight else "shipped" if delivered >= midnight else "delivered"
        )
        chance = rng.random()
        if chance < 0.03:
            status = "cancelled"
        elif chance < 0.07 and status == "delivered":
            status = "returned"
        return Order(
            number="",
            account=account,
            at=at,
            channel=rng.choice(
                ("b2b", "b2b", "phone") if business else ("web", "web", "web", "web", "phone")
            ),
            lines=lines,
            status=status,
            promised=promised,
            shipped=shipped if status in ("shipped", "delivered", "returned") else None,
            delivered=delivered if status in ("delivered", "returned") else None,
            postage=Decimal("0.00") if business else rng.choice((Decimal("0.00"), Decimal("3.95"))),
            warehouse=rng.choice(WAREHOUSES),
        )

    def orders(self) -> list[Order]:
        """About five orders a person and thirteen a company, numbered in the order of time."""
        erp, people, companies = self.registers.erp, self.population.people, self.population.organisations
        shoppers = [p for p in people if erp.of[p.id]]
        firms = [o for o in companies if erp.of[o.id]]
        buyers: list[Party] = []
        draw = Draw(self.rng, shoppers, [self._keenness[p.id] for p in shoppers])
        buyers += [draw.one() for _ in range(5 * len(people))] + [people[0]] * 5
        if firms:
            trade = Draw(self.rng, firms, [min(9.0, self.rng.paretovariate(1.2)) for _ in firms])
            buyers += [trade.one() for _ in range(13 * len(companies))]
        made = [self._order(self._account(b), self.calendar.moment(HISTORY_DAYS, b.id)) for b in buyers]
        made.sort(key=lambda order: order.at)
        for serial, order in enumerate(made):
            order.number = f"SO{100_001 + serial}"
        return made

    def _account(self, buyer: Party) -> Account:
        """The buyer's first account mostly; a guest checkout used another."""
        accounts = self.registers.erp.of[buyer.id]
        return accounts[0] if buyer.id == BEST or self.rng.random() < 0.7 else self.rng.choice(accounts)

    def receipts(self) -> list[Receipt]:
        """About seven and a half receipts a person, a third of them by people who did not say who they are."""
        people = self.population.people
        shops = SHOPS if len(people) > 300 else SHOPS[:2]
        draw = Draw(self.rng, people, [self._keenness[p.id] for p in people])
        buyers = [draw.one() for _ in range(15 * len(people) // 2)] + [people[0]] * 5
        made = [
            self.receipt(buyer, self._opening(buyer), shops[hash_of(buyer.id) % len(shops)])
            for buyer in buyers
        ]
        made.sort(key=lambda receipt: receipt.at)
        return made

    def _opening(self, buyer: Person) -> datetime:
        """A moment at which the shops are open: never on a Monday."""
        at = self.calendar.moment(JOURNAL_DAYS, buyer.id)
        return at - timedelta(days=2) if at.weekday() == 0 else at

    def receipt(self, buyer: Person, at: datetime, shop: Shop) -> Receipt:
        """A receipt of that buyer; now and then goods are brought back."""
        rng = self.rng
        return Receipt(
            shop=shop,
            at=at,
            buyer=buyer,
            shown=self._shown(buyer),
            lines=self.basket(at, 3),
            tender=rng.choices(("CreditDebit", "Cash", "GiftCard"), (80, 16, 4))[0],
            brings_back=rng.random() < 0.04,
        )

    def _shown(self, buyer: Person) -> Literal["card", "phone", "email"] | None:
        chance = self.rng.random()
        if buyer.id in self.registers.cards and chance < 0.8:
            return "card"
        if buyer.mobile and chance > 0.9:
            return "phone"
        return "email" if 0.84 < chance <= 0.9 else None


def hash_of(text: str) -> int:
    """A small number that is the same in every run, unlike `hash`."""
    return sum(ord(c) * (i + 1) for i, c in enumerate(text))


def lot_number(product: Product, on: date) -> str:
    """The lot of a product that was sold on a day: a new one comes each quarter."""
    return f"L{on.year % 100:02d}{(on.month + 2) // 3}-{product.sku[-3:]}"


def trade(rng: Random, population: Population, registers: Registers, today: date) -> History:
    """Three years of orders and eighteen months of receipts."""
    trader = Trader(rng, population, registers, today)
    history = History(trader.products, trader.orders(), trader.receipts())
    for order in history.orders:
        history.orders_of[order.account.party.id].append(order)
    return history
