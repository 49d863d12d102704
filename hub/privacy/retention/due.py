"""What is overdue, page by page: rows with what becomes of them, customers with what keeps them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.adapters.aging import AgedPayload, aged_versions, aged_waiting
from hub.adapters.emptying import Emptying, Emptyings
from hub.adapters.retiring import Judged, Verdict, judge
from hub.graph.ages import AgedRow, Ages, parties_of, restricted
from hub.graph.holds import held
from hub.store import Store, iso_utc


@dataclass(frozen=True, slots=True)
class RowPage:
    """Overdue rows of one type, in the order of their ids, and what becomes of them."""

    rows: tuple[AgedRow, ...]
    judged: Judged

    @property
    def counts(self) -> Mapping[tuple[str, Verdict], int]:
        """Rows by source and verdict."""
        return Counter((row.source, self.judged.verdicts[row.id]) for row in self.rows)


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Customers whose time is up, in the order of their ids, by what becomes of them."""

    last: str = field(repr=False)
    due: tuple[str, ...] = field(repr=False)
    held: tuple[str, ...] = field(repr=False)
    bound: tuple[str, ...] = field(repr=False)


def row_page(
    ages: Ages, store: Store, connection: Connection, rule: str, type_name: str, *, after: str, limit: int
) -> RowPage:
    """The next overdue rows of a type; none at the end."""
    rows = ages.rows(connection, rule, type_name, after=after, limit=limit)
    return RowPage(tuple(rows), judge(ages, store, connection, rows))


def customer_page(
    ages: Ages, store: Store, connection: Connection, rule: str, *, after: str, limit: int
) -> CustomerPage | None:
    """The next customers whose time is up; None at the end."""
    found = ages.customers(connection, rule, after=after, limit=limit)
    if not found:
        return None
    stopped = _held(store, connection, found)
    keeping = ages.keeping(connection, found) - stopped
    due = tuple(id_ for id_ in found if id_ not in stopped and id_ not in keeping)
    return CustomerPage(found[-1], due, tuple(sorted(stopped)), tuple(sorted(keeping)))


@dataclass(frozen=True, slots=True)
class PropertyPage:
    """Overdue rows of one type that have what a rule empties, in the order of their ids, and what becomes of it."""

    rows: tuple[AgedRow, ...]
    planned: Emptyings

    @property
    def counts(self) -> Mapping[tuple[str, str, Verdict], int]:
        """Values by `Type.property`, source and verdict."""
        return Counter(
            (f"{value.type}.{value.property}", value.source, verdict)
            for value, verdict in self.planned.verdicts.items()
        )


def property_page(
    emptying: Emptying, connection: Connection, type_name: str, *, after: str, limit: int
) -> PropertyPage:
    """The next rows of a type with values that are overdue; none at the end."""
    found = emptying.rows(connection, type_name, after=after, limit=limit)
    return PropertyPage(tuple(row for row, _ in found), emptying.plan(connection, found))


def property_pages(
    emptying: Emptying, connection: Connection, type_name: str, limit: int
) -> Iterator[PropertyPage]:
    """All rows of a type with values that are overdue."""
    after = ""
    while (page := property_page(emptying, connection, type_name, after=after, limit=limit)).rows:
        yield page
        after = page.rows[-1].id


def payload_page(
    ages: Ages, store: Store, connection: Connection, rule: str, then: str, *, after: int, limit: int
) -> list[AgedPayload]:
    """The next of what sources sent whose time is up by the rule; none at the end."""
    find = aged_versions if then == "empty_versions" else aged_waiting
    return find(store, connection, iso_utc(ages.cutoff(rule)), after=after, limit=limit)


def payload_pages(
    ages: Ages, store: Store, connection: Connection, rule: str, then: str, limit: int
) -> Iterator[list[AgedPayload]]:
    """All of what sources sent whose time is up by the rule."""
    after = 0
    while page := payload_page(ages, store, connection, rule, then, after=after, limit=limit):
        yield page
        after = page[-1].id


def row_pages(
    ages: Ages, store: Store, connection: Connection, rule: str, type_name: str, limit: int
) -> Iterator[RowPage]:
    """All overdue rows of a type."""
    after = ""
    while (page := row_page(ages, store, connection, rule, type_name, after=after, limit=limit)).rows:
        yield page
        after = page.rows[-1].id


def customer_pages(
    ages: Ages, store: Store, connection: Connection, rule: str, limit: int
) -> Iterator[CustomerPage]:
    """All customers whose time is up by a rule."""
    after = ""
    while (page := customer_page(ages, store, connection, rule, after=after, limit=limit)) is not None:
        yield page
        after = page.last


def _held(store: Store, connection: Connection, customers: Sequence[str]) -> set[str]:
    """Those under a legal hold, and those who restricted the use of their data."""
    owner = {party: customer for customer, party in parties_of(store, connection, customers)}
    parties = sorted(owner)
    stopped = held(store, connection, parties) | restricted(store, connection, parties)
    return {owner[party] for party in stopped}
