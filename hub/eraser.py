"""Erasing a customer everywhere the hub keeps something, in an order in which a kill at any point is made good.

    drain the outbox            what was told of the customer under keys that are about to die is in the log
    register                    the event and what has to be known of the erasure, in one transaction of the log
    the store                   in one transaction: rows, records, links; tombstone and suppressions come in their place
    drain, destroy the keys     ciphertexts go with them
    the search index            documents go; scrubbed, it is built anew, as it keeps the words of deleted documents
    scrub                       what databases write ahead, or leave in freed pages
    verify                      nothing refers to the customer any more: an event tells that, or how much does

Single records whose time is up are *retired* in the same way, of customers who stay: their keys and ids do.

Each start asks the register for erasures that are open, or that the store knows nothing of, as it came out of an older
backup: these are done (again). All steps may be done twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sqlalchemy import Connection, delete, select, union

from hub.access import WHOLE_REACH, Decision, Effect, Reach
from hub.adapters import erasing, retiring, runs
from hub.adapters.batch_events import BatchEvents
from hub.adapters.erasing import ErasurePlan, Numbers
from hub.adapters.footprint import RecordKey
from hub.adapters.inbox import Inbox
from hub.adapters.retiring import Retirement
from hub.audit import (
    Action,
    AuditEvent,
    AuditLog,
    Erasure,
    ErasureRegister,
    Outcome,
    Retention,
    Sealer,
    State,
    drain,
)
from hub.errors import RequestError, StoreUnavailableError
from hub.graph import Applied, GraphWriter
from hub.search import Indexer, SearchService
from hub.store import Store, fixed

RUNS: Final = "erasure"
"""What runs that erase name as their source."""

_LOCK = "erasure"
_WAIT_S = 120.0
"""How long an erasure waits for another one, or for whoever brings the index up to date."""
_PAUSE_S = 0.05
_CONTACTS = ("email", "phone")
"""Schemes of identifiers that are looked for in what remains."""

Left = Callable[[], Mapping[str, int]]
"""What is left of an erasure, by place."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure has done."""

    erasure: Erasure
    event: int
    """The number of the event that tells of it."""
    counts: Mapping[str, int]
    """Rows that were deleted or emptied, by table."""
    mentions: int
    """Times that an e-mail address or phone number of the customer's still stands in what is others'."""
    remaining: Mapping[str, int]
    """What still refers to the customer, by place; nothing, unless something went wrong."""
    state: State


@dataclass(frozen=True, slots=True)
class _Whole:
    """The access of nobody: what it finds is counted, and shown to no one."""

    reach: Reach = field(default=WHOLE_REACH)

    def decide(self, _category: str) -> Decision:
        return Decision(Effect.ALLOW, None, None)


class Eraser:
    """Erases customers from one store, its audit log and its index. One process at a time does."""

    def __init__(
        self,
        store: Store,
        graph: GraphWriter,
        audit: AuditLog,
        sealer: Sealer,
        indexer: Indexer,
        search: SearchService,
        inbox: Inbox | None = None,
    ) -> None:
        self._store, self._graph, self._audit, self._sealer = store, graph, audit, sealer
        self._indexer, self._search, self._inbox = indexer, search, inbox
        self._events = BatchEvents(sealer, store.ontology)
        self.register = ErasureRegister(audit)

    def erase(
        self,
        find: Callable[[Connection], Sequence[str]],
        tell: Callable[[Connection, ErasurePlan], AuditEvent],
        seal: Callable[[AuditEvent], AuditEvent],
        *,
        scrub: bool,
    ) -> Erased:
        """Erase the customers whom `find` gives the current ids of; `tell` gives the event, `seal` adds its payloads.

        What either raises ends it with nothing done. Without `scrub`, the files have to be scrubbed later.

        Raises:
            StoreUnavailableError: another erasure goes on, or the index is out of reach. The latter is made good by the
                next start.
        """
        with self._alone():
            self._resume()
            drain(self._store, self._audit)
            with self._store.write() as connection:
                plan = erasing.plan_erasures(self._store, connection, find(connection))
                event = tell(connection, plan)
                erasure = Erasure(event.id, event.at, plan.customers, plan.parties, plan.hashes)
                contacts = self._contacts(connection, plan.parties)
                number = self.register.register(seal(self.register.naming(event, erasure)), erasure)
                counts = self._erase(connection, plan, erasure)
            teller = event.again(action=Action.ERASE_VERIFIED, about=erasure.id, reason_code=None, counts={})
            left = partial(self._remaining, erasure, plan.keys)
            remaining, mentions, state = self._finish(erasure, teller, contacts, counts, left, scrub=scrub)
            return Erased(erasure, number, counts, mentions, remaining, state)

    def retire(
        self,
        find: Callable[[Connection], Retirement],
        tell: Callable[[Retirement], AuditEvent],
        seal: Callable[[AuditEvent], AuditEvent],
    ) -> Erased | None:
        """Erase the records that `find` gives; None where it gives none. The files have to be scrubbed later.

        Raises:
            StoreUnavailableError: as `erase` does.
        """
        with self._alone():
            self._resume()
            drain(self._store, self._audit)
            with self._store.write() as connection:
                found = find(connection)
                if not found.heads:
                    return None
                event = tell(found)
                erasure = Erasure(event.id, event.at, (), (), found.hashes)
                number = self.register.register(seal(self.register.naming(event, erasure)), erasure)
                counts = self._retire(connection, found.heads, erasure)
            teller = event.again(action=Action.ERASE_VERIFIED, about=erasure.id, reason_code=None, counts={})
            left = partial(self._left, found.heads)
            remaining, mentions, state = self._finish(erasure, teller, (), counts, left, scrub=False)
            return Erased(erasure, number, counts, mentions, remaining, state)

    def resume(self) -> int:
        """The number of erasures that had to be carried out, wholly or in part; 0 while another process is at it."""
        states = self.register.states()
        if not states or not (self._due(states) or self._released()):
            return 0
        with self._store.lock(_LOCK) as held:
            return self._resume() if held else 0

    def scrub(self, teller: AuditEvent, *, thorough: bool) -> list[str]:
        """The ids of the erasures of which nothing is left in the files from now on.

        On PostgreSQL that takes a thorough scrub, which writes tables anew while nobody reads them.

        Raises:
            StoreUnavailableError: an erasure goes on, or the index is out of reach; try again later.
            AuditError: the audit log or its keys cannot be scrubbed; try again later.
        """
        with self._alone():
            self._resume()
            return self._tell_scrubbed(teller) if self._scrub(thorough=thorough) else []

    @contextmanager
    def _alone(self) -> Iterator[None]:
        end = time.monotonic() + _WAIT_S
        while True:
            with self._store.lock(_LOCK) as held:
                if held:
                    yield
                    return
            if time.monotonic() > end:
                raise StoreUnavailableError("another erasure goes on; try again later")
            time.sleep(_PAUSE_S)

    def _due(self, states: Mapping[str, State]) -> list[str]:
        """The erasures that are open, or that the store knows nothing of."""
        if not states:
            return []
        done = union(*(select(table.c.erasure_id) for table in (fixed.tombstone, fixed.retirement)))
        with self._store.read() as connection:
            known = set(connection.execute(done).scalars())
        return [id_ for id_, state in states.items() if state is State.OPEN or id_ not in known]

    def _resume(self) -> int:
        states = self.register.states()
        due = self._due(states)
        registers = list(self.register.find(due))
        there = self._there_again([each.erasure for each in registers])
        for registered in registers:
            erasure = registered.erasure
            _log.warning("erasure %s is carried out (again)", erasure.id)
            teller = AuditEvent(
                Action.ERASE_VERIFIED, "system", about=erasure.id, customers=erasure.customers
            )
            if registered.state is not State.OPEN:
                self.register.settle(teller.again(outcome=Outcome.FAILED, reason_code="found_again"))
            drain(self._store, self._audit)
            with self._store.write() as connection:
                counts, left = self._again(connection, erasure, there[erasure.id])
            self._finish(erasure, teller, (), counts, left, scrub=True)
        if released := self._released():
            with self._store.write() as connection:
                connection.execute(delete(fixed.suppression).where(fixed.suppression.c.hash.in_(released)))
        return len(due)

    def _released(self) -> list[str]:
        """What the store suppresses though it was released since: it came out of an older backup."""
        found: set[str] = set()
        table = fixed.suppression.c
        for id_, hashes in self.register.releases().items():
            # What was released and erased again after that is kept out.
            earlier = select(table.hash).where(table.hash.in_(hashes), table.erasure_id < id_)
            with self._store.read() as connection:
                found |= set(connection.execute(earlier).scalars())
        return sorted(found)

    def _there_again(self, erasures: Sequence[Erasure]) -> Mapping[str, Numbers]:
        if not erasures:
            return {}
        with self._store.write() as connection:
            return erasing.there_again(self._store, connection, erasures)

    def _again(
        self, connection: Connection, erasure: Erasure, there: Numbers
    ) -> tuple[Mapping[str, int], Left]:
        """The rows that were deleted, by table, and how to find what is left."""
        if erasure.customers:
            plan = erasing.plan_again(self._store, connection, erasure, there)
            return self._erase(connection, plan, erasure), partial(self._remaining, erasure, plan.keys)
        heads = retiring.retire_again(self._store, connection, there)
        return self._retire(connection, heads, erasure), partial(self._left, heads)

    def _erase(self, connection: Connection, plan: ErasurePlan, erasure: Erasure) -> Mapping[str, int]:
        run_id = runs.note_command(connection, RUNS)
        told = self._telling(connection, run_id, erasure)
        return erasing.erase(self._store, self._graph, connection, run_id, plan, erasure, told=told)

    def _retire(self, connection: Connection, heads: Sequence[int], erasure: Erasure) -> Mapping[str, int]:
        run_id = runs.note_command(connection, RUNS)
        told = self._telling(connection, run_id, erasure)
        return retiring.retire(self._store, self._graph, connection, run_id, heads, erasure, told=told)

    def _telling(self, connection: Connection, run_id: int, erasure: Erasure) -> Callable[[Applied], None]:
        def told(applied: Applied) -> None:
            facts = [
                AuditEvent(actor="system", source=RUNS, run_id=str(run_id), **fact) for fact in applied.audit
            ]
            runs.post(connection, facts)
            others = [change for change in applied.golden if change.customer not in erasure.customers]
            self._events.post_changes(connection, run_id, RUNS, others)

        return told

    def _finish(
        self,
        erasure: Erasure,
        teller: AuditEvent,
        contacts: Sequence[str],
        counts: Mapping[str, int],
        left: Left,
        *,
        scrub: bool,
    ) -> tuple[Mapping[str, int], int, State]:
        """What remains, how often the customer is mentioned, and the state that both are told with."""
        drain(self._store, self._audit)
        if self._sealer.keeps and erasure.customers:
            destroyed = teller.again(action=Action.KEY_DESTROYED)
            self._sealer.destroy(self._audit, destroyed, erasure.customers, list(Retention))
        last = self._store.last_change()
        self._patiently(lambda: self._indexer.follows(last))
        whole = scrub and self._scrub(thorough=False)
        remaining = left()
        mentions = sum(map(self._mentions, contacts))
        state = State.OPEN if remaining else State.SCRUBBED if whole else State.VERIFIED
        numbers = {
            "deleted": sum(counts.values()),
            "mentions": mentions,
            "remaining": sum(remaining.values()),
        }
        if remaining:
            _log.error("erasure %s is incomplete: %s", erasure.id, dict(remaining))
            told = teller.again(outcome=Outcome.FAILED, reason_code="incomplete", counts=numbers)
        else:
            told = teller.again(reason_code=state.value, counts=numbers)
        self.register.settle(told)
        if whole:
            self._tell_scrubbed(teller)
        return remaining, mentions, state

    def _scrub(self, *, thorough: bool) -> bool:
        """Whether nothing of what was erased is left in the files."""
        self._patiently(self._indexer.scrub)
        tables = {*fixed.metadata.tables, *self._store.tables.metadata.tables}
        if not self._store.scrub(tables, thorough=thorough):
            raise StoreUnavailableError(
                "somebody keeps the store's -wal file by reading for long; try again later"
            )
        self._audit.scrub(thorough=thorough)
        self._sealer.scrub(thorough=thorough)
        if self._inbox is not None:
            self._inbox.scrub(thorough=thorough)
        return thorough or self._store.dialect.name == "sqlite"

    def _tell_scrubbed(self, teller: AuditEvent) -> list[str]:
        """The ids of the erasures that waited for it."""
        waiting = [id_ for id_, state in self.register.states().items() if state is State.VERIFIED]
        for registered in self.register.find(waiting):
            erasure = registered.erasure
            scrubbed = {"reason_code": State.SCRUBBED.value, "counts": {}}
            self.register.settle(teller.again(about=erasure.id, customers=erasure.customers, **scrubbed))
        return waiting

    def _left(self, heads: Sequence[int]) -> Mapping[str, int]:
        """What is left of retired records, by their numbers."""
        with self._store.read() as connection:
            return retiring.remaining(self._store, connection, heads)

    def _remaining(self, erasure: Erasure, keys: Sequence[RecordKey]) -> Mapping[str, int]:
        with self._store.read() as connection:
            found = dict(erasing.remains(self._store, connection, erasure, keys))
        found["audit_data_key"] = self._sealer.held_of(erasure.customers)
        found["audit_payload"] = self._audit.sealed_in_vain(erasure.customers)
        found["search_index"] = self._indexer.holds([*erasure.customers, *erasure.parties])
        return {place: count for place, count in found.items() if count}

    def _contacts(self, connection: Connection, parties: Sequence[str]) -> list[str]:
        sql = "SELECT DISTINCT scheme, value FROM identifier WHERE {in:entity_id}"
        rows = self._store.rows_in(connection, sql, list(parties))
        return sorted({row[1] for row in rows if row[0] in _CONTACTS})

    def _mentions(self, contact: str) -> int:
        try:
            return self._search.search(contact, first=0, access=_Whole()).total
        except RequestError:  # it is longer than is searched for
            return 0

    def _patiently(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + _WAIT_S
        while not done():
            if time.monotonic() > end:
                raise StoreUnavailableError("another process keeps the search index; try again later")
            time.sleep(_PAUSE_S)
