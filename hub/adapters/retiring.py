"""Erases single source records whose time is up, of customers who stay.

The unit is the source record, as it is when a customer is erased: what one states was read together, and lies together
in the landing. A row *goes* when it is overdue, or when no rule is about its type and it belongs to a customer by way
of what goes alone (the lines of an order). What stays makes other things stay:

| what stays              | makes stay                                                                                |
|-------------------------|-------------------------------------------------------------------------------------------|
| a row                   | the records that state it; what it belongs to a customer by; what has no rule and follows |
| a record                | the rows that it states                                                                   |
| what is to be kept still| the record that states it, unless a record that lasts states it as well                   |

| verdict | of a row                                                                                                  |
|---------|-----------------------------------------------------------------------------------------------------------|
| bound   | it stays for something that is to be kept still                                                           |
| held    | else, it stays for a customer under a legal hold, or who restricted the use of their data (Art. 18(1)(c)) |
| due     | else                                                                                                      |

A record *lasts* that states nothing that is overdue. So what goes does not depend on the order in which it does. What
must not come back is the record, by its key and its content; what refers to a row that went may come.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import networkx as nx
from sqlalchemy import Connection

from hub.adapters import landing, quarantine
from hub.adapters.erasing import Numbers
from hub.adapters.gate import referring
from hub.adapters.landing import DELETED_HASH
from hub.adapters.suppression import Suppression
from hub.audit.erasures import Erasure
from hub.graph import Applied, GraphWriter, Statement
from hub.graph.activity import remember
from hub.graph.ages import AgedRow, Ages, customers_of, restricted
from hub.graph.holds import held
from hub.store import Store, fixed, iso_utc

Verdict = Literal["due", "held", "bound"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of overdue rows, and of what hangs together with them."""

    verdicts: Mapping[str, Verdict] = field(repr=False)
    """By id of the row."""
    rows: tuple[AgedRow, ...]
    """Those that are due."""
    heads: frozenset[int]
    """The records that go."""


def judge(ages: Ages, store: Store, connection: Connection, rows: Iterable[AgedRow]) -> Judged:
    """What becomes of these overdue rows."""
    grown = _Growing(ages, store, connection)
    grown.grow(rows)
    return grown.judged()


class _Growing:
    """Follows from overdue rows what goes with them."""

    def __init__(self, ages: Ages, store: Store, connection: Connection) -> None:
        self._ages, self._store, self._connection = ages, store, connection
        self._types = [type_ for type_ in store.ontology.types.values() if type_.has_customer]
        self._stays: nx.DiGraph[int | str] = nx.DiGraph()
        """An edge leads from what stays, a row or a record, to what stays for it."""
        self._going: dict[str, AgedRow] = {}
        self._beside: dict[int, dict[str, AgedRow]] = defaultdict(dict)
        """By record what it states that does not go."""
        self._needed: set[str] = set()
        """Rows by way of which alone something belongs to a customer that does not go."""
        self._following: dict[str, bool] = {}
        """What goes with what it belongs to, and whether that was met among what goes."""

    def grow(self, rows: Iterable[AgedRow]) -> None:
        """Take in the rows and all that hangs together with them."""
        fresh = self._add(rows)
        heads: set[int] = set()
        while fresh:
            more = self._heads_of(fresh) - heads
            heads |= more
            stated = self._parted(self._stated_by(more))
            fresh = [*self._add(row for row, _ in stated), *self._add(self._belonging([*fresh]))]

    def judged(self) -> Judged:
        """The verdicts."""
        loose = self._unanchored()
        full = [head for head, beside in self._beside.items() if not loose.isdisjoint(beside)]
        alone = [id_ for id_, is_led in self._following.items() if not is_led]
        bound = self._staying([*full, *self._needed, *alone])
        parties = {row.party_id for row in self._going.values() if row.party_id is not None}
        kept = held(self._store, self._connection, parties)
        kept |= restricted(self._store, self._connection, sorted(parties))
        stopped = self._staying(id_ for id_, row in self._going.items() if row.party_id in kept)
        verdicts: dict[str, Verdict] = {
            id_: "bound" if id_ in bound else "held" if id_ in stopped else "due" for id_ in self._going
        }
        due = tuple(row for id_, row in self._going.items() if verdicts[id_] == "due")
        heads = (node for node in self._stays if isinstance(node, int))
        return Judged(verdicts, due, frozenset(heads) - bound - stopped)

    def _staying(self, first: Iterable[int | str]) -> set[int | str]:
        """These, and what stays for them."""
        found, open_ = set[int | str](), [node for node in first if node in self._stays]
        while open_:
            node = open_.pop()
            if node not in found:
                found.add(node)
                open_ += self._stays.successors(node)
        return found

    def _tie(self, row: str, head: int) -> None:
        """A row stays while one of its records does, and the record while the row does."""
        self._stays.add_edge(row, head)
        self._stays.add_edge(head, row)

    def _add(self, rows: Iterable[AgedRow]) -> list[AgedRow]:
        """Those of the rows that go and were not known."""
        new = {row.id: row for row in rows if row.id not in self._going}
        self._going.update(new)
        return list(new.values())

    def _parted(self, rows: Iterable[tuple[AgedRow, int]]) -> list[tuple[AgedRow, int]]:
        """Those of the rows with the record that states each which go; the others stand beside."""
        given = list(rows)
        overdue = self._overdue(row for row, _ in given)
        going = []
        for row, head in given:
            if row.id in overdue or self._follows(row):
                going.append((row, head))
                self._tie(row.id, head)
                if row.id not in overdue:
                    self._following.setdefault(row.id, False)
            else:
                self._beside[head][row.id] = row
        return going

    def _follows(self, row: AgedRow) -> bool:
        """Whether it goes with what it belongs to: nothing else says how long it is kept."""
        type_ = self._store.ontology.type(row.type)
        through = not type_.is_party and all("." in path for path in type_.customer)
        return through and self._ages.rule_of(row.type) is None

    def _overdue(self, rows: Iterable[AgedRow]) -> set[str]:
        by_type: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            by_type[row.type].add(row.id)
        found: set[str] = set()
        for type_name, ids in by_type.items():
            found |= self._ages.overdue(self._connection, type_name, ids)
        return found

    def _heads_of(self, rows: Sequence[AgedRow]) -> set[int]:
        """All records that state the rows."""
        for row in rows:
            self._tie(row.id, row.head_id)
        for id_, head_id in self._store.rows_in(self._connection, _STATING, [row.id for row in rows]):
            self._tie(id_, head_id)
        return {head for row in rows for head in self._stays[row.id] if isinstance(head, int)}

    def _stated_by(self, heads: Collection[int]) -> Iterator[tuple[AgedRow, int]]:
        """What these records state of customers, served or not, each with the record."""
        for type_ in self._types:
            columns = f"t.id, t.head_id, {'t.id' if type_.is_party else 't.party_id'}, t.source"
            served = f'SELECT {columns}, t.head_id FROM "{type_.table}" t WHERE {{in:t.head_id}}'
            stated = (
                f'SELECT {columns}, o.head_id FROM contribution o JOIN "{type_.table}" t ON t.id = o.entity_id'
                " WHERE {in:o.head_id}"
            )
            for sql in (served, stated):
                for *row, head_id in self._store.rows_in(self._connection, sql, sorted(heads)):
                    yield AgedRow(type_.name, *row), head_id

    def _belonging(self, rows: Sequence[AgedRow]) -> Iterator[AgedRow]:
        """What belongs to a customer by way of these rows alone, and goes with them."""
        found: list[tuple[AgedRow, str]] = []
        ids = [row.id for row in rows]
        for type_ in self._types:
            for sql in referring(type_):
                for id_, head, party, is_first, source, to in self._store.rows_in(self._connection, sql, ids):
                    if is_first or party is None:
                        found.append((AgedRow(type_.name, id_, head, party, source), to))
        overdue = self._overdue(row for row, _ in found)
        for row, to in found:
            if row.id in overdue or self._follows(row):
                self._stays.add_edge(row.id, to)
                if row.id not in overdue:
                    self._stays.add_edge(to, row.id)
                    self._following[row.id] = True
                yield row
            else:
                self._needed.add(to)

    def _unanchored(self) -> set[str]:
        """Of what stands beside, what no lasting record states."""
        ids = sorted({id_ for beside in self._beside.values() for id_ in beside})
        stating: dict[str, set[int]] = defaultdict(set)
        for id_, head_id in self._store.rows_in(self._connection, _STATING, ids):
            stating[id_].add(head_id)
        others = {head for heads in stating.values() for head in heads} - self._beside.keys()
        stated = list(self._stated_by(others))
        overdue = self._overdue(row for row, _ in stated)
        lasting = others - {head for row, head in stated if row.id in overdue}
        return {id_ for id_ in ids if stating[id_].isdisjoint(lasting)}


_STATING = "SELECT entity_id, head_id FROM contribution WHERE {in:entity_id}"


@dataclass(frozen=True, slots=True)
class Retirement:
    """What of the store goes: ids, numbers and hashes only."""

    heads: tuple[int, ...]
    customers: tuple[str, ...] = field(repr=False)
    """Whose rows go."""
    rows: Mapping[str, int]
    """Rows by type."""
    hashes: tuple[str, ...]


def plan_retirement(store: Store, connection: Connection, going: Judged) -> Retirement:
    """What erasing what is due erases, and what is to be suppressed then."""
    heads = sorted(going.heads)
    parties = sorted({row.party_id for row in going.rows if row.party_id is not None})
    customers = sorted(set(customers_of(store, connection, parties).values()))
    rows = Counter(row.type for row in going.rows)
    return Retirement(tuple(heads), tuple(customers), rows, tuple(sorted(_hashes(store, connection, heads))))


def retire(
    store: Store,
    graph: GraphWriter,
    connection: Connection,
    run_id: int,
    heads: Collection[int],
    erasure: Erasure,
    *,
    told: Callable[[Applied], None],
) -> Mapping[str, int]:
    """Delete the records with all that they state, and keep them out; the rows that were deleted, by table.

    All in the caller's one write transaction. Done again, it finds nothing more to do.
    """
    store.dialect.overwrite_deleted(connection)
    found = remaining(store, connection, heads)
    remember(store, connection, heads)
    silent = [Statement("", "", "", head_id, 0, "", ()) for head_id in sorted(heads)]
    told(graph.apply(connection, run_id, silent))
    landing.erase_heads(store, connection, heads)
    Suppression(store).add(connection, dict.fromkeys(erasure.hashes, erasure.id))
    row = [(erasure.id, iso_utc(erasure.at))]
    store.dialect.upsert(connection, fixed.retirement, ("erasure_id", "at"), row, keep=("at",))
    return found


def retire_again(store: Store, connection: Connection, there: Numbers) -> tuple[int, ...]:
    """The records that were retired and are `there` again, out of a backup; what waits of them in quarantine goes."""
    heads, waiting = there
    quarantine.take_out(store, connection, sorted(waiting))
    return tuple(sorted(heads))


def remaining(store: Store, connection: Connection, heads: Collection[int]) -> Mapping[str, int]:
    """Rows by table that come from these records."""
    ids, found = sorted(heads), Counter[str]()
    tables = [(type_.table, "head_id") for type_ in store.ontology.types.values()]
    for table, column in (*tables, ("contribution", "head_id"), ("record", "head_id"), ("record_head", "id")):
        found[table] = len(store.rows_in(connection, f'SELECT 1 FROM "{table}" WHERE {{in:{column}}}', ids))
    return {table: count for table, count in sorted(found.items()) if count}


def _hashes(store: Store, connection: Connection, heads: Sequence[int]) -> Iterator[str]:
    made = Suppression(store)
    sql = "SELECT source, stream, key FROM record_head WHERE {in:id}"
    for source, stream, key in store.rows_in(connection, sql, heads):
        yield made.of_record(source, stream, key)
    versions = "SELECT h.source, r.hash FROM record_head h JOIN record r ON r.head_id = h.id WHERE {in:h.id}"
    for source, content in store.rows_in(connection, versions, heads):
        if content != DELETED_HASH:
            yield made.of_content(source, content)
