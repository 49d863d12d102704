"""What a run erases is what an independent definition, by plain loops over the records, says is overdue and free."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.commands import PlaceHold, place_hold
from hub.privacy.retention import retention_report
from tests.commands.command_world import fresh_key
from tests.databases import sqlite_store
from tests.privacy.keeping.retention_world import NOW, Keeper, ago, day, person

AGES = (10, 800, 1100, 366 * 12)
"""Days: young, older than prospects are kept, than conversations are, than books are."""
PEOPLE = tuple(f"P{n}" for n in range(4))

age = st.sampled_from(AGES)


@dataclass
class Books:
    """What was drawn: of each thing its person or order, and how old it is."""

    orders: list[tuple[str, int]]
    lines: list[int]
    invoices: list[tuple[int, int]]
    tickets: list[tuple[str | None, int | None, int | None]]
    receipts: list[tuple[str, int, int]]
    contracts: list[tuple[str, int | None]]
    held: set[str]


@st.composite
def drawn(draw: st.DrawFn) -> Books:
    orders = draw(st.lists(st.tuples(st.sampled_from(PEOPLE), age), max_size=4))
    of_order = st.integers(0, len(orders) - 1) if orders else st.nothing()
    some = st.lists(of_order, max_size=4) if orders else st.just([])
    invoices = st.lists(st.tuples(of_order, age), max_size=3) if orders else st.just([])
    ticket = st.tuples(
        st.none() | st.sampled_from(PEOPLE), st.none() | of_order if orders else st.none(), st.none() | age
    )
    return Books(
        orders,
        draw(some),
        draw(invoices),
        draw(st.lists(ticket, max_size=4)),
        draw(st.lists(st.tuples(st.sampled_from(("C1", "C2")), age, age), max_size=4)),
        draw(st.lists(st.tuples(st.sampled_from(PEOPLE), st.none() | age), max_size=3)),
        draw(st.sets(st.sampled_from(PEOPLE), max_size=1)),
    )


def files(books: Books) -> dict[str, list[dict[str, Any]]]:
    return {
        "people": [person(key) for key in PEOPLE],
        "orders": [{"no": f"O{n}", "buyer": who, "at": ago(old)} for n, (who, old) in enumerate(books.orders)],
        "lines": [{"no": f"L{n}", "order": f"O{of}", "text": "nails"} for n, of in enumerate(books.lines)],
        "invoices": [
            {"no": f"I{n}", "order": f"O{of}", "at": day(old)} for n, (of, old) in enumerate(books.invoices)
        ],
        "tickets": [
            {
                "no": f"T{n}", "who": who, "order": None if of is None else f"O{of}", "subject": "late",
                "at": None if old is None else ago(old),
            }
            for n, (who, of, old) in enumerate(books.tickets)
        ],
        "receipts": [
            {"no": f"R{n}", "card": card, "name": f"Holder {card}", "at": ago(old), "seen": ago(seen)}
            for n, (card, old, seen) in enumerate(books.receipts)
        ],
        "contracts": [
            {"no": f"K{n}", "who": who, "from": day(9000), "to": None if old is None else day(old)}
            for n, (who, old) in enumerate(books.contracts)
        ],
    }  # fmt: skip


# the definition


def left(books: Books) -> set[str]:
    """The records that are there after a run."""
    gone = {who for who in owners(books) if who not in books.held and is_over(books, who)}
    there = {key for key in all_records(books) if owner(books, key) not in gone}
    going = {key for key in there if rows_are_over(books, key)}
    while bad := {key for key in going if must_stay(books, key, going, there)}:
        going -= bad
    return there - going


def all_records(books: Books) -> set[str]:
    found = {f"people/{key}" for key in PEOPLE}
    for name, letter in (
        ("orders", "O"),
        ("lines", "L"),
        ("invoices", "I"),
        ("tickets", "T"),
        ("receipts", "R"),
    ):
        found |= {f"{name}/{letter}{n}" for n in range(len(getattr(books, name)))}
    return found | {f"contracts/K{n}" for n in range(len(books.contracts))}


def owners(books: Books) -> set[str]:
    return {*PEOPLE, *(card for card, _, _ in books.receipts)}


def owner(books: Books, key: str) -> str | None:
    """The person of a record; None where nobody is known."""
    stream, _, name = key.partition("/")
    if stream == "people":
        return name
    number = int(name[1:])
    if stream == "orders":
        return books.orders[number][0]
    if stream == "lines":
        return books.orders[books.lines[number]][0]
    if stream == "invoices":
        return books.orders[books.invoices[number][0]][0]
    if stream == "tickets":
        who, of, _ = books.tickets[number]
        return who or (None if of is None else books.orders[of][0])
    return books.receipts[number][0] if stream == "receipts" else books.contracts[number][0]


def is_over(books: Books, who: str) -> bool:
    """Whether a customer is to be erased: no contact any more, and nothing that a rule keeps."""
    keys = [key for key in all_records(books) if owner(books, key) == who]
    times = [old for key in keys for old in contacts(books, key)]
    bought = any(key.split("/")[0] in ("orders", "invoices", "contracts", "receipts") for key in keys)
    if None in times or any(not rows_are_over(books, key) for key in keys if key.split("/")[0] not in FREE):
        return False
    # Who has no contact at all counts from when the hub first knew them, long before NOW.
    youngest = min((old for old in times if old is not None), default=9999)
    return youngest > 3653 + 366 or (youngest > 730 and not bought)


FREE = ("people", "lines")
"""Streams whose rows no rule keeps."""


def contacts(books: Books, key: str) -> list[int | None]:
    stream, _, name = key.partition("/")
    number = int(name[1:])
    if stream == "orders":
        return [books.orders[number][1]]
    if stream == "invoices":
        return [books.invoices[number][1]]
    if stream == "tickets":
        return [books.tickets[number][2]]
    return list(books.receipts[number][1:]) if stream == "receipts" else []


def rows_are_over(books: Books, key: str) -> bool:
    """Whether all that the record states of things is overdue by its own rule."""
    stream, _, name = key.partition("/")
    number = int(name[1:])
    if stream == "orders":
        return books.orders[number][1] == AGES[3]
    if stream == "lines":
        return True
    if stream == "invoices":
        return books.invoices[number][1] == AGES[3]
    if stream == "tickets":
        old = books.tickets[number][2]
        return old is not None and old > 1095
    if stream == "receipts":
        _, old, seen = books.receipts[number]
        return old == AGES[3] and seen > 1095
    if stream == "contracts":
        ends = [old for who, old in books.contracts if who == books.contracts[number][0]]
        return all(old is not None and old > 1095 + 366 for old in ends)
    return False


def must_stay(books: Books, key: str, going: Collection[str], there: Collection[str]) -> bool:
    stream, _, name = key.partition("/")
    number = int(name[1:])
    if owner(books, key) in books.held:
        return True
    if stream == "lines":
        return f"orders/O{books.lines[number]}" not in going
    if stream == "receipts":
        # Somebody has to tell of the person: another receipt on which nothing is overdue.
        card = books.receipts[number][0]
        return not any(
            of == card and f"receipts/R{n}" in there and old != AGES[3] and seen <= 1095
            for n, (of, old, seen) in enumerate(books.receipts)
        )
    if stream == "orders":
        return any(other in there and other not in going for other in hanging_on(books, number))
    return False


def hanging_on(books: Books, order: int) -> list[str]:
    """What belongs to its customer by way of the order alone."""
    found = [f"lines/L{n}" for n, of in enumerate(books.lines) if of == order]
    found += [f"invoices/I{n}" for n, (of, _) in enumerate(books.invoices) if of == order]
    return found + [
        f"tickets/T{n}" for n, (who, of, _) in enumerate(books.tickets) if of == order and who is None
    ]


# both


def check(keeper: Keeper, books: Books) -> None:
    keeper.keep(**files(books))
    for who in sorted(books.held):
        order = PlaceHold(
            "CC-17", "a claim is pending at the county court", "compliance", date(2099, 1, 1), fresh_key(),
            customers=(keeper.customer("ledger", who),),
        )  # fmt: skip
        place_hold(keeper.services, keeper.author("compliance"), order)
    officer = keeper.author("compliance")
    before = retention_report(keeper.services, officer, at=NOW)
    expected = left(books)
    assert (before.overdue == 0) == (expected == all_records(books))
    done = keeper.retain()
    assert keeper.records() == expected
    assert (done.overdue, done.remaining) == (0, 0)
    assert retention_report(keeper.services, officer, at=NOW).overdue == 0
    keeper.keep(**files(books))
    assert keeper.records() == expected


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(books=drawn())
def test_a_run_erases_what_is_overdue_and_free(
    tmp_path_factory: pytest.TempPathFactory, books: Books
) -> None:
    folder = tmp_path_factory.mktemp("books")
    keeper = Keeper(folder, sqlite_store(folder / "hub.sqlite"))
    try:
        check(keeper, books)
    finally:
        keeper.services.close()


def test_the_same_on_both_databases(keeper: Keeper) -> None:
    """A company in which every case is met at once."""
    books = Books(
        orders=[("P0", AGES[3]), ("P0", AGES[3]), ("P1", 10), ("P2", AGES[3]), ("P1", AGES[3])],
        lines=[0, 1, 2, 4],
        invoices=[(1, 10), (0, AGES[3]), (4, AGES[3])],
        tickets=[("P0", 0, 1100), (None, 4, 10), ("P1", None, None), ("P3", None, 800), (None, None, 1100)],
        receipts=[("C1", AGES[3], AGES[3]), ("C1", 10, 10), ("C2", AGES[3], AGES[3]), ("C1", 800, 1100)],
        contracts=[("P1", AGES[3]), ("P0", None), ("P0", AGES[3])],
        held={"P2"},
    )
    expected = left(books)
    assert 0 < len(expected) < len(all_records(books))
    check(keeper, books)
