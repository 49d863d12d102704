"""What is older than rules let it be: rows and customers whose time is up, found by SQL over the whole store.

A *clock* is a condition that holds when a rule's time is up. It is never true of what has no time: a contract without
an end, a ticket without a date. Of a moment it holds when each of its times of the customer is older; where the
customer has none of them, and had none that were erased, it counts from when the hub first knew them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from hub.access import Policy
from hub.access.retention import CREATED, OWN, RetentionRule, RetentionRules, cutoff
from hub.access.standing import RESTRICTION
from hub.graph.activity import padded
from hub.ontology import EntityType, PropertyType
from hub.store import Store, iso_utc


@dataclass(frozen=True, slots=True)
class AgedRow:
    """A row of the graph, by the record that serves it and the party that it belongs to."""

    type: str
    id: str = field(repr=False)
    head_id: int
    party_id: str | None = field(repr=False)
    source: str


class Ages:
    """Tells for one store and one instant what is overdue by the rules."""

    def __init__(self, store: Store, rules: RetentionRules, policy: Policy, now: datetime) -> None:
        self._store, self._rules, self._now = store, rules, now
        self._cutoffs = {name: cutoff(rule, policy, now) for name, rule in rules.rules.items()}
        self._by_type = {type_: name for name, _, type_ in rules.of_rows()}
        self._given = store.dialect.param

    def cutoff(self, rule: str) -> datetime:
        """What happened before this is overdue by the rule."""
        return self._cutoffs[rule]

    def rule_of(self, type_name: str) -> str | None:
        """The rule that erases rows of the type."""
        return self._by_type.get(type_name)

    # rows

    def rows(
        self, connection: Connection, rule: str, type_name: str, *, after: str = "", limit: int = 1000
    ) -> list[AgedRow]:
        """The first rows of the type with an id above `after` that are overdue by the rule, in the order of ids."""
        type_ = self._store.ontology.type(type_name)
        sql = (
            f'SELECT t.id, t.head_id, {_party(type_)}, t.source FROM "{type_.table}" t'
            f" WHERE t.id > {self._given('after')} AND {self._clock(rule, type_)} ORDER BY t.id LIMIT {limit}"
        )
        found = self._store.dialect.run(connection, sql, {"after": after, **self._values(rule)}).fetchall()
        return [AgedRow(type_name, *row) for row in found]

    def valued_rows(
        self,
        connection: Connection,
        rule: str,
        type_name: str,
        props: Sequence[str],
        *,
        after: str = "",
        limit: int = 1000,
    ) -> list[tuple[AgedRow, tuple[str, ...]]]:
        """The first rows with an id above `after` that are overdue by the rule and have any of the properties.

        In the order of ids, each with those of the properties that it has.
        """
        type_ = self._store.ontology.type(type_name)
        there = [f'(t."{type_.properties[prop].column}" IS NOT NULL)' for prop in props]
        sql = (
            f'SELECT t.id, t.head_id, {_party(type_)}, t.source, {", ".join(there)} FROM "{type_.table}" t'
            f" WHERE t.id > {self._given('after')} AND ({' OR '.join(there)}) AND {self._clock(rule, type_)}"
            f" ORDER BY t.id LIMIT {limit}"
        )
        found = self._store.dialect.run(connection, sql, {"after": after, **self._values(rule)}).fetchall()
        return [
            (
                AgedRow(type_name, *row[:4]),
                tuple(prop for prop, has in zip(props, row[4:], strict=True) if has),
            )
            for row in found
        ]

    def overdue_by(
        self, connection: Connection, rule: str, type_name: str, ids: Collection[str]
    ) -> list[AgedRow]:
        """Those of the rows of a type that are overdue by the rule."""
        type_ = self._store.ontology.type(type_name)
        sql = (
            f'SELECT t.id, t.head_id, {_party(type_)}, t.source FROM "{type_.table}" t'
            f" WHERE {{in:t.id}} AND {self._clock(rule, type_)}"
        )
        rows = self._store.rows_in(connection, sql, sorted(ids), **self._values(rule))
        return [AgedRow(type_name, *row) for row in rows]

    def overdue(self, connection: Connection, type_name: str, ids: Collection[str]) -> set[str]:
        """Those of the rows of a type whose time is up; none where no rule erases its rows."""
        rule = self._by_type.get(type_name)
        if rule is None:
            return set()
        type_ = self._store.ontology.type(type_name)
        sql = f'SELECT t.id FROM "{type_.table}" t WHERE {{in:t.id}} AND {self._clock(rule, type_)}'
        return {row[0] for row in self._store.rows_in(connection, sql, sorted(ids), **self._values(rule))}

    def undated(self, connection: Connection, rule: str, type_name: str) -> int:
        """How many rows of the type have no time to count from, and are kept for that."""
        type_, entry = self._store.ontology.type(type_name), self._rules.rules[rule]
        column = self._own_column(entry, type_)
        if column is None:
            return 0
        sql = f'SELECT count(*) FROM "{type_.table}" t WHERE t."{column}" IS NULL'
        return int(self._store.dialect.run(connection, sql, {}).fetchone()[0])

    # customers

    def customers(
        self, connection: Connection, rule: str, *, after: str = "", limit: int = 1000
    ) -> list[str]:
        """The first customers with an id above `after` whose time is up by the rule, in the order of ids."""
        entry = self._rules.rules[rule]
        owning = " AND ".join(["1 = 1", *(self._without(name) for name in entry.unless_any or ())])
        sql = (
            f"SELECT c.id FROM customer c WHERE c.id > {self._given('after')} AND {owning}"
            f" AND {self._customer_clock(entry)} ORDER BY c.id LIMIT {limit}"
        )
        found = self._store.dialect.run(connection, sql, {"after": after, **self._values(rule)}).fetchall()
        return [row[0] for row in found]

    def keeping(self, connection: Connection, customers: Collection[str]) -> set[str]:
        """Those of the customers of whom a row is left whose own rule keeps it still."""
        found: set[str] = set()
        for rule, _, type_name in self._rules.of_rows():
            type_ = self._store.ontology.type(type_name)
            sql = (
                f'SELECT DISTINCT m.customer_id FROM membership m JOIN "{type_.table}" t ON t.party_id = m.party_id'
                f" WHERE {{in:m.customer_id}} AND ({self._clock(rule, type_)}) IS NOT TRUE"
            )
            rows = self._store.rows_in(connection, sql, sorted(customers), **self._values(rule))
            found.update(row[0] for row in rows)
        return found

    # clocks

    def _clock(self, rule: str, type_: EntityType) -> str:
        """Whether the time of a row `t` is up."""
        entry = self._rules.rules[rule]
        column = self._own_column(entry, type_)
        if column is not None:
            return self._before(type_, column)
        if entry.counted_from == CREATED:
            first = "(SELECT min(r.landed_at) FROM record r WHERE r.head_id = t.head_id)"
            return f"{first} < {self._given('text_at')}"
        whose = "SELECT 1 FROM membership o JOIN customer c ON c.id = o.customer_id WHERE o.party_id"
        return f"EXISTS ({whose} = {_party(type_)} AND {self._customer_clock(entry)})"

    def _own_column(self, entry: RetentionRule, type_: EntityType) -> str | None:
        """The column that the rows themselves are dated by."""
        name = type_.time if entry.counted_from == OWN else entry.counted_from
        known = entry.counted_from not in (CREATED, *self._rules.moments)
        return type_.properties[name].column if known and name is not None else None

    def _customer_clock(self, entry: RetentionRule) -> str:
        """Whether the time of a customer `c` is up."""
        created = f"c.created_at < {self._given('text_at')}"
        if entry.counted_from == CREATED:
            return created
        times = self._rules.times(entry.counted_from)
        late = [f"NOT EXISTS ({sql})" for each in times for sql in self._of_customer(*each, still=True)]
        some = [f"EXISTS ({sql})" for each in times for sql in self._of_customer(*each, still=False)]
        return f"{' AND '.join(late)} AND ({' OR '.join([*some, created])})"

    def _of_customer(self, type_name: str, prop: str, *, still: bool) -> tuple[str, str]:
        """The customer's rows of a type, and those erased; where `still`, those whose time is not up, or not known."""
        type_ = self._store.ontology.type(type_name)
        own = type_.properties[prop]
        waits = f" AND ({self._before(type_, own.column, 'k')}) IS NOT TRUE" if still else ""
        cutoff = "text_at" if own.type is PropertyType.INSTANT else "day"
        erased = f" AND k.property = '{prop}'" + (f" AND k.at >= {self._given(cutoff)}" if still else "")
        return f"{self._held(type_)}{waits}", f"{self._erased(type_name)}{erased}"

    def _without(self, type_name: str) -> str:
        held, erased = self._held(self._store.ontology.type(type_name)), self._erased(type_name)
        return f"NOT EXISTS ({held}) AND NOT EXISTS ({erased})"

    def _held(self, type_: EntityType) -> str:
        rows = f'membership m JOIN "{type_.table}" k ON {_party(type_, "k")} = m.party_id'
        return f"SELECT 1 FROM {rows} WHERE m.customer_id = c.id"

    def _erased(self, type_name: str) -> str:
        rows = "membership m JOIN past_activity k ON k.party_id = m.party_id"
        return f"SELECT 1 FROM {rows} WHERE m.customer_id = c.id AND k.type = '{type_name}'"

    def _before(self, type_: EntityType, column: str, alias: str = "t") -> str:
        """Whether the column's time lies before the cutoff: of a day, its end, and of a mere year the year's."""
        at = f'{alias}."{column}"'
        prop = next(each for each in type_.properties.values() if each.column == column)
        if prop.type is PropertyType.INSTANT:
            return f"{at} < {self._given('at')}"
        return f"{padded(at)} < {self._given('day')}"

    def _values(self, rule: str) -> Mapping[str, str]:
        """One instant in three forms: PostgreSQL takes a parameter as one type only."""
        at = self._cutoffs[rule]
        return {"at": iso_utc(at), "text_at": iso_utc(at), "day": f"{at:%Y-%m-%d}"}


def restricted(store: Store, connection: Connection, parties: Sequence[str]) -> set[str]:
    """Those of the parties whose customer restricted the use of their data, and may need it (GDPR Art. 18(1)(c))."""
    given = store.dialect.param("bar")
    sql = (
        "SELECT m.party_id FROM membership m JOIN standing s ON s.customer_id = m.customer_id"
        f" WHERE s.bar = {given} AND {{in:m.party_id}}"
    )
    return {row[0] for row in store.rows_in(connection, sql, parties, bar=RESTRICTION)}


def all_restricted(connection: Connection) -> set[str]:
    """All parties of customers who restricted the use of their data."""
    sql = (
        "SELECT m.party_id FROM membership m JOIN standing s ON s.customer_id = m.customer_id"
        f" WHERE s.bar = '{RESTRICTION}'"
    )
    return {row[0] for row in connection.exec_driver_sql(sql)}


def parties_of(store: Store, connection: Connection, customers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The customers with each of their parties."""
    sql = "SELECT customer_id, party_id FROM membership WHERE {in:customer_id}"
    yield from ((row[0], row[1]) for row in store.rows_in(connection, sql, customers))


def customers_of(store: Store, connection: Connection, parties: Sequence[str]) -> dict[str, str]:
    """The customers of these parties, by party."""
    sql = "SELECT party_id, customer_id FROM membership WHERE {in:party_id}"
    return {row[0]: row[1] for row in store.rows_in(connection, sql, parties)}


def _party(type_: EntityType, alias: str = "t") -> str:
    return f"{alias}.id" if type_.is_party else f"{alias}.party_id"
