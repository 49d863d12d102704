"""One more day at Harbour & Pine, small enough to check every change of the next sync by name."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, create_engine, delete, func, insert, select, update

from hub.demo import erp_tables as tables
from hub.demo.accounts import Registers
from hub.demo.company import chance, erp_address, inhabitants
from hub.demo.goods import SHOPS, catalogue
from hub.demo.people import BEST, Population
from hub.demo.pos import Journal
from hub.demo.sales import midday
from hub.demo.support import FIRST_BROKEN, HelpDeskData, Item, save, stamp
from hub.demo.trade import History, Trader
from hub.demo.truth import Truth

Keys = defaultdict[str, list[str]]
_NAMING_CUSTOMERS = (
    tables.orders,
    tables.invoices,
    tables.quotes,
    tables.contracts,
    tables.opportunities,
    tables.leads,
    tables.consents,
    tables.loyalty_accounts,
    tables.contacts,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a day changed: record keys by `source.stream`."""

    day: date
    inserted: Keys = field(default_factory=lambda: defaultdict(list))
    updated: Keys = field(default_factory=lambda: defaultdict(list))
    deleted: Keys = field(default_factory=lambda: defaultdict(list))


def evolve(directory: Path, seed: int = 1, *, erp_url: str | None = None) -> Changes:
    """What the day after the last one changed in `directory`, where `generate` made the company; the truth follows.

    In the ERP three customers move, one joins and orders, and one without any business, a quote and a contact are
    deleted; the tills of two shops write a file each; the help desk opens three tickets and closes an old one.
    """
    truth = Truth.load(directory)
    changes = Changes(truth.today + timedelta(days=truth.days))
    rng = chance(seed, f"day {truth.days}")
    population, registers = inhabitants(truth.seed, truth.people, truth.organisations, truth.today)
    _trade_in_erp(erp_url or erp_address(directory), rng, truth, changes)
    trader = Trader(rng, population, registers, truth.today)
    _open_shops(directory / "pos", trader, population, registers, truth, changes)
    _answer_customers(directory / "support", rng, registers, truth, changes)
    truth.days += 1
    _follow(truth, changes)
    truth.save(directory)
    return changes


def _follow(truth: Truth, changes: Changes) -> None:
    """Brings the truth's counts and rows up to what was inserted and deleted; the tills have counted their own."""
    for stream, keys in changes.inserted.items():
        if not stream.startswith("pos."):
            truth.records[stream] += len(keys)
    gone = {(stream, key) for stream, keys in changes.deleted.items() for key in keys}
    truth.rows = [row for row in truth.rows if (f"{row.source}.{row.stream}", row.key) not in gone]
    for stream, keys in changes.deleted.items():
        truth.records[stream] -= len(keys)


def _trade_in_erp(url: str, rng: Random, truth: Truth, changes: Changes) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        _move(connection, rng, truth, changes)
        _join(connection, truth, changes)
        _delete(connection, rng, changes)
    engine.dispose()


def _move(connection: Connection, rng: Random, truth: Truth, changes: Changes) -> None:
    best = truth.best_customer.customer_number
    known = _keys(connection, tables.customers, _idle_customers())
    others = [
        number
        for number in _keys(connection, tables.customers)
        if number not in (best, "C90001") and number not in known
    ]
    for number in (best, *rng.sample(others, 2)):
        new = {"street": f"{rng.randint(1, 99)} New Mole Street", "updated_at": midday(changes.day)}
        connection.execute(
            update(tables.customers).where(tables.customers.c.customer_no == number).values(new)
        )
        changes.updated["erp.customers"].append(number)


def _join(connection: Connection, truth: Truth, changes: Changes) -> None:
    """A new customer with one order, its line and its invoice."""
    at, mark = midday(changes.day), f"{80_000 + truth.days}"
    product, true_id = catalogue()[0], f"p9{mark}"
    person = {
        "customer_no": f"C{mark}",
        "kind": "P",
        "first_name": "Wren",
        "last_name": f"Newcombe-{truth.days + 1}",
        "email": f"wren{truth.days + 1}@example.net",
        "street": "1 Slipway Road",
        "town": "Fowey",
        "postcode": "PL23 1AA",
        "country": "GB",
        "language": "en",
        "status": "active",
        "created_on": changes.day,
        "updated_at": at,
    }
    order = {
        "order_no": f"SO{mark}",
        "customer_no": f"C{mark}",
        "order_date": f"{at:%Y-%m-%d %H:%M:%S}",
        "channel": "web",
        "status": "open",
        "currency": "GBP",
        "total": product.price,
        "postage": Decimal("0.00"),
        "promised_on": changes.day + timedelta(days=5),
        "warehouse": "WH-LEEDS",
        "updated_at": at,
    }
    line = {
        "order_no": f"SO{mark}",
        "line_no": 1,
        "sku": product.sku,
        "quantity": 1,
        "unit_price": product.price,
        "line_total": product.price,
        "currency": "GBP",
        "updated_at": at,
    }
    for table, row, key in (
        (tables.customers, person, f"C{mark}"),
        (tables.orders, order, f"SO{mark}"),
        (tables.order_lines, line, f"SO{mark} 1"),
    ):
        connection.execute(insert(table).values(row))
        changes.inserted[f"erp.{table.name}"].append(key)
    truth.party("erp", "customers", f"C{mark}", true_id)
    truth.record("erp", "orders", f"SO{mark}", true_id)


def _delete(connection: Connection, rng: Random, changes: Changes) -> None:
    chosen: list[tuple[Table, list[str]]] = [
        (tables.customers, _keys(connection, tables.customers, _idle_customers())),
        (tables.quotes, _keys(connection, tables.quotes)),
        (tables.contacts, _keys(connection, tables.contacts)),
    ]
    for table, keys in chosen:
        if keys:
            key = rng.choice(keys)
            connection.execute(delete(table).where(_key(table) == key))
            changes.deleted[f"erp.{table.name}"].append(key)


def _key(table: Table) -> Any:
    return next(iter(table.columns))


def _keys(connection: Connection, table: Table, *conditions: Any) -> list[str]:
    found: Iterable[str] = connection.scalars(
        select(_key(table)).where(_key(table).is_not(None), *conditions).order_by(_key(table))
    )
    return list(found)


def _idle_customers() -> Any:
    """The condition that no other table names the customer, nor another customer as its parent."""
    number, parents = tables.customers.c.customer_no, tables.customers.alias("children")
    named = [
        select(table.c.customer_no).where(table.c.customer_no.is_not(None)) for table in _NAMING_CUSTOMERS
    ]
    named.append(select(parents.c.parent_no).where(parents.c.parent_no.is_not(None)))
    return func.coalesce(number, "").not_in(named[0].union(*named[1:])) & (number != "C90001")


def _open_shops(
    folder: Path, trader: Trader, population: Population, registers: Registers, truth: Truth, changes: Changes
) -> None:
    journal = Journal(folder, registers, truth)
    for shop in SHOPS[:2]:
        for buyer in (population.people[0], *trader.rng.sample(population.people, 3)):
            receipt = trader.receipt(buyer, trader.calendar.at_work(changes.day), shop)
            changes.inserted["pos.transactions"].append(journal.sale(receipt))
    journal.write()


def _answer_customers(
    folder: Path, rng: Random, registers: Registers, truth: Truth, changes: Changes
) -> None:
    end = datetime.combine(changes.day, datetime.min.time()) + timedelta(days=1)
    data = HelpDeskData(rng, registers, History(catalogue(), [], []), truth, end)
    for name in data.items:
        data.items[name] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    before = {name: len(items) for name, items in data.items.items()}
    _close_ticket(data.items["tickets"], end - timedelta(hours=6), changes)
    for account in (registers.support.of[BEST][0], *rng.sample(registers.support.accounts, 2)):
        data.ticket(account, "stock", None, end - timedelta(hours=rng.randint(5, 14)))
    for name, items in data.items.items():
        if fresh := [str(item["id"]) for item in items[before[name] :]]:
            changes.inserted[f"support.{name}"] = fresh
        save(folder / f"{name}.json", items)


def _close_ticket(tickets: list[Item], at: datetime, changes: Changes) -> None:
    """Closes an open ticket; where none is open, somebody works on the last one again."""
    good = [ticket for ticket in tickets if ticket["id"] < FIRST_BROKEN]
    ticket = next((ticket for ticket in good if ticket["status"] == "open"), good[-1])
    seconds = ticket["handling_seconds"] + 300
    ticket |= {
        "status": "closed",
        "handling_seconds": seconds,
        "solved_at": stamp(at),
        "updated_at": stamp(at),
    }
    changes.updated["support.tickets"].append(str(ticket["id"]))
