"""What has to be known of the past for one customer: records of theirs, and records that these lead to.

Who is one customer is a matter of now: today's parties of the customer, and those that were theirs when they went. What
is gathered of others is no more than it takes to tell whose an identifier was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from hub.adapters import landing
from hub.adapters.mapping import StreamMapping
from hub.adapters.past.versions import PastVersion, versions_at
from hub.adapters.payload import load
from hub.errors import LimitError, QueryError, RecordError
from hub.graph import Entity, Reference, SharedIdentifier, Statement
from hub.ontology import Property
from hub.store import Cancellation, Store

MAX_PAST_RECORDS = 5_000
"""Records that an answer as of a past time is made from."""
CLAIMS = 20
"""Claims on a shared thing that are looked at: the newest by the time, and the oldest after it."""
ROUNDS = 5
"""Things in succession that records lead to."""

Mappings = Callable[[str, str], StreamMapping | None]
"""Gives the mapping of a stream as it is now; None for one that is configured no more."""


@dataclass(frozen=True, slots=True)
class PastRecord:
    """A version that counted, and what it states."""

    version: PastVersion
    statement: Statement


@dataclass(slots=True)
class Gathered:
    """All that the rows of a past time are made from."""

    customer: str
    parties: dict[str, str]
    """Customers of now by party: of the customer's own, and of others who hold the same identifiers."""
    own: frozenset[int] = frozenset()
    """Heads of the records that stated something of the customer at some time."""
    wanted: dict[int, set[str]] = field(default_factory=dict)
    """By head of another record: the entities that it is needed for."""
    records: dict[int, PastRecord] = field(default_factory=dict)
    """By head."""

    @property
    def own_parties(self) -> list[str]:
        """The customer's."""
        return [party for party, customer in self.parties.items() if customer == self.customer]

    def kept(self, record: PastRecord) -> Statement:
        """What of the record's statement is needed."""
        said = record.statement
        wanted = None if said.head_id in self.own else self.wanted[said.head_id]
        entities = (each for each in said.entities if wanted is None or each.id in wanted)
        return replace(said, entities=tuple(entities))


class Gathering:
    """Gathers one customer's past."""

    def __init__(
        self, store: Store, connection: Connection, mappings: Mappings, at: str, cancellation: Cancellation
    ) -> None:
        self._store, self._connection, self._mappings, self._at = store, connection, mappings, at
        self._cancellation = cancellation
        self._followed: set[str | SharedIdentifier] = set()

    def of(self, customer: str) -> Gathered:
        """What there is of the customer.

        Raises:
            LimitError: it is too much.
            QueryError: some of it cannot be read as the mappings are now.
        """
        found = Gathered(customer, self._parties(customer))
        found.own = frozenset(self._heads(found.own_parties))
        self._take(found, found.own)
        for _ in range(ROUNDS):
            wanted = self._led_to(found)
            if not wanted:
                break
            for head, ids in wanted.items():
                found.wanted.setdefault(head, set()).update(ids)
            self._take(found, wanted)
        return found

    def _parties(self, customer: str) -> dict[str, str]:
        given = self._store.dialect.param("customer")
        sql = (
            f"SELECT party_id FROM membership WHERE customer_id = {given} UNION"
            " SELECT f.party_id FROM former_party f"
            " LEFT JOIN customer_redirect r ON r.old_id = f.customer_id"
            f" WHERE coalesce(r.new_id, f.customer_id) = {given}"
            " AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.party_id = f.party_id)"
        )
        rows = self._connection.exec_driver_sql(sql, {"customer": customer})
        return dict.fromkeys((str(row[0]) for row in rows), customer)

    def _heads(self, parties: Sequence[str]) -> set[int]:
        """Heads of all records that stated something of the parties at some time."""
        heads: set[int] = set()
        ids: list[str] = []
        for type_ in self._store.ontology.types.values():
            if type_.has_customer:
                whose = "id" if type_.is_party else "party_id"
                sql = f'SELECT id, head_id FROM "{type_.table}" WHERE {{in:{whose}}}'
                for id_, head in self._rows(sql, parties):
                    ids.append(id_)
                    heads.add(head)
        heads |= {row[0] for row in self._rows("SELECT head_id FROM contribution WHERE {in:entity_id}", ids)}
        heads |= {row[0] for row in self._rows("SELECT head_id FROM former WHERE {in:party_id}", parties)}
        return heads

    def _rows(self, sql: str, values: Iterable[Any]) -> list[Sequence[Any]]:
        self._cancellation.check()
        return self._store.rows_in(self._connection, sql, sorted(values))

    # records

    def _take(self, found: Gathered, heads: Iterable[int]) -> None:
        """Add what these records said."""
        fresh = sorted(head for head in heads if head not in found.records)
        versions = versions_at(self._store, self._connection, fresh, self._at)
        if len(found.records) + len(versions) > MAX_PAST_RECORDS:
            raise LimitError(
                "the customer has too many records for an answer as of a past time;"
                f" the limit max_past_records is {MAX_PAST_RECORDS}"
            )
        payloads = landing.versions(
            self._store, self._connection, [version.id for version in versions.values()]
        )
        unread = 0
        sql = "SELECT id, source, stream, key FROM record_head WHERE {in:id}"
        for head, source, stream, key in self._rows(sql, versions):
            version = versions[head]
            entities = self._mapped(source, stream, payloads[version.id].payload)
            if entities is None:
                unread += 1
                continue
            said = Statement(source, stream, key, head, version.id, version.observed_at, entities)
            found.records[head] = PastRecord(version, said)
        if unread:
            raise QueryError(
                f"{unread} records of then do not fit the mapping of now, so what they said cannot be told"
            )

    def _mapped(self, source: str, stream: str, payload: str) -> tuple[Entity, ...] | None:
        mapping = self._mappings(source, stream)
        if mapping is None:
            return None
        try:
            return mapping.map(load(payload)).entities
        except RecordError:
            return None

    # what they lead to

    def _led_to(self, found: Gathered) -> dict[int, set[str]]:
        """Heads of records that state what is referred to and not followed yet: by head, the entities."""
        ids: dict[str, set[str]] = defaultdict(set)
        named: set[SharedIdentifier] = set()
        for record in list(found.records.values()):
            for entity in found.kept(record).entities:
                for prop, value in self._references(entity):
                    if isinstance(value, SharedIdentifier) and value not in self._followed:
                        named.add(value)
                    elif isinstance(value, Reference) and value.target_id not in self._followed:
                        for type_ in self._store.ontology.range_types(prop.range or ""):
                            if not type_.has_customer:
                                ids[type_.name].add(value.target_id)
        for type_name, holders in self._holders(found, named).items():
            ids[type_name] |= holders
        self._followed |= named
        wanted: dict[int, set[str]] = defaultdict(set)
        for type_name, targets in ids.items():
            self._followed |= targets
            for id_, head in self._claims(type_name, targets):
                wanted[head].add(id_)
        return {head: of for head, of in wanted.items() if head not in found.own}

    def _references(self, entity: Entity) -> Iterator[tuple[Property, Reference | SharedIdentifier]]:
        for prop in self._store.ontology.type(entity.type).references:
            value = entity.values.get(prop.name)
            if isinstance(value, Reference | SharedIdentifier):
                yield prop, value

    def _holders(self, found: Gathered, named: Iterable[SharedIdentifier]) -> dict[str, set[str]]:
        """Those who hold the identifiers now, by type: whoever they are, they tell whether one is anybody's alone."""
        given = self._store.dialect.param("scheme")
        sql = (
            "SELECT i.entity_id, i.type, m.customer_id FROM identifier i LEFT JOIN membership m"
            f" ON m.party_id = i.entity_id WHERE i.scheme = {given} AND {{in:i.value}}"
        )
        holders: dict[str, set[str]] = defaultdict(set)
        by_scheme: dict[str, list[str]] = defaultdict(list)
        for said in named:
            by_scheme[said.scheme].append(said.value)
        for scheme, values in sorted(by_scheme.items()):
            rows = self._store.rows_in(self._connection, sql, sorted(values), scheme=scheme)
            for id_, type_, customer in rows:
                holders[type_].add(id_)
                if customer is not None:
                    found.parties.setdefault(id_, customer)
        return holders

    def _claims(self, type_name: str, ids: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Records that state the entities, or stated them before, of many claims some; each entity with a head."""
        table = self._store.ontology.type(type_name).table
        wanted = sorted(ids)
        for id_, head in self._rows(f'SELECT id, head_id FROM "{table}" WHERE {{in:id}}', wanted):
            yield id_, head
        for id_, head in self._rows("SELECT party_id, head_id FROM former WHERE {in:party_id}", wanted):
            yield id_, head
        until = self._store.dialect.param("at")
        sql = f"""
            SELECT entity_id, head_id FROM (
                SELECT entity_id, head_id, row_number() OVER (PARTITION BY entity_id, late ORDER BY
                    CASE WHEN late = 0 THEN "rank" END DESC, "rank") AS place
                FROM (SELECT entity_id, head_id, "rank", CASE WHEN "rank" > {until} THEN 1 ELSE 0 END AS late
                      FROM contribution WHERE {{in:entity_id}}) c
            ) d WHERE place <= {CLAIMS}
        """
        for id_, head in self._store.rows_in(self._connection, sql, wanted, at=f"{self._at}~"):
            yield id_, head
