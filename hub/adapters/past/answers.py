"""Plans answered as of a past time, on a database in memory that is made for the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from hub.adapters.past.gathering import Gathered, Gathering, Mappings, PastRecord
from hub.adapters.past.present import Present
from hub.errors import QueryError
from hub.graph import GraphWriter
from hub.graph.plans import PlanResult, ReadPlan, execute
from hub.graph.plans.build import NOW
from hub.graph.resolution import PartyChanges, Resolution
from hub.ontology import EntityType
from hub.store import Cancellation, Memory, Store, fixed, iso_utc


class Past:
    """Answers what is asked of customers as of a past time. Close it."""

    def __init__(self, store: Store, trust: Mapping[str, int], mappings: Mappings) -> None:
        self._store, self._mappings = store, mappings
        self._memory = Memory(store.ontology, store.secret)
        made = self._memory.store
        self._writer = GraphWriter(
            made, trust, restate=lambda _connection, _heads: (), resolver=_AsKnown(made)
        )
        self._present = Present(store, made)

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def answer(
        self,
        plan: ReadPlan,
        variables: Mapping[str, Any],
        customer: str,
        at: datetime,
        cancellation: Cancellation,
    ) -> PlanResult:
        """The answer of a plan of the past for a customer of now, who may be known to the caller.

        Raises:
            LimitError: the customer has too many records, or it takes too long.
            QueryError: some records of then cannot be read by the mappings of now.
            StoreUnavailableError: the database is out of reach.
        """
        with self._memory.copy(NOW.strip('"'), cancellation) as made:
            with self._store.read(cancellation) as connection:
                found = Gathering(self._store, connection, self._mappings, iso_utc(at), cancellation).of(
                    customer
                )
                self._present.copy(connection, made, found)
            made.exec_driver_sql("BEGIN")
            self._write(made, found)
            return execute(made, plan, variables)

    def _write(self, made: Connection, found: Gathered) -> None:
        store = self._memory.store
        members = [*found.parties.items()]
        store.dialect.insert(made, fixed.membership, ("party_id", "customer_id"), members)
        said = [found.kept(record) for record in found.records.values()]
        self._writer.apply(made, 0, said)
        self._leave_out(made, found)
        self._name_mappings(made, list(found.records.values()))

    def _leave_out(self, made: Connection, found: Gathered) -> None:
        """Delete what is not the customer's, and who was not there."""
        store, parties = self._memory.store, found.own_parties
        there = []
        for type_ in store.ontology.types.values():
            if type_.has_customer:
                self._leave_out_rows(made, type_, found, parties)
            if type_.is_party:
                there += [row[0] for row in made.exec_driver_sql(f'SELECT id FROM "{type_.table}"')]
        values = {"customer": found.customer, "there": store.dialect.list_value(there)}
        made.exec_driver_sql("DELETE FROM customer WHERE id <> :customer", values)
        gone = f"NOT ({store.dialect.in_list('party_id', 'there')})"
        made.exec_driver_sql(f"DELETE FROM membership WHERE customer_id <> :customer OR {gone}", values)

    def _leave_out_rows(
        self, made: Connection, type_: EntityType, found: Gathered, parties: Sequence[str]
    ) -> None:
        dialect = self._memory.store.dialect
        whose = "id" if type_.is_party else "party_id"
        values = {"own": dialect.list_value(parties), "heads": dialect.list_value(sorted(found.own))}
        strange = f"NOT ({dialect.in_list('head_id', 'heads')})"
        other = f"({whose} IS NOT NULL AND NOT ({dialect.in_list(whose, 'own')}))"
        made.exec_driver_sql(f'DELETE FROM "{type_.table}" WHERE {strange} OR {other}', values)

    def _name_mappings(self, made: Connection, records: Sequence[PastRecord]) -> None:
        """Let the rows tell by which mapping they are made now: by that of a run of each source, which is none."""
        streams = sorted({(each.statement.source, each.statement.stream) for each in records})
        numbers = {
            source: -number for number, source in enumerate(dict.fromkeys(s for s, _ in streams), start=1)
        }
        dialect = self._memory.store.dialect
        runs = [(number, source, "past", "ok", "") for source, number in numbers.items()]
        dialect.insert(made, fixed.run, ("id", "source", "kind", "state", "started_at"), runs)
        used = [
            (numbers[source], stream, mapping.version)
            for source, stream in streams
            if (mapping := self._mappings(source, stream)) is not None
        ]
        dialect.insert(made, fixed.run_stream, ("run_id", "stream", "mapping_version"), used)
        for type_ in self._memory.store.ontology.types.values():
            sql = (
                f'UPDATE "{type_.table}" SET run_id = r.id FROM run r WHERE r.source = "{type_.table}".source'
                " AND r.id < 0"
            )
            made.exec_driver_sql(sql)


def past_instant(given: str) -> datetime:
    """The instant that a text with its zone spells.

    Raises:
        QueryError: it is none, or has not come yet.
    """
    try:
        at = datetime.fromisoformat(given).astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError("asOf takes an instant with its zone, like 2026-06-30T00:00:00Z") from None
    if at > datetime.now(UTC):
        raise QueryError("asOf is a time that has not come yet; leave it out to ask for now")
    return at


class _AsKnown:
    """Leaves each party to whom it belongs already."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def resolve(self, connection: Connection, changes: PartyChanges) -> Resolution:
        """What there is to bring up to date after the parties were written."""
        sql = "SELECT party_id, customer_id FROM membership WHERE {in:party_id}"
        rows = self._store.rows_in(connection, sql, sorted(changes.touched))
        moved = {str(party): str(customer) for party, customer in rows}
        return Resolution(moved, affected=frozenset(moved.values()))
