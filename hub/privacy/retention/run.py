"""A run of retention: customers first, then rows, a batch in a transaction, each verified as an erasure is.

What is due is found anew in the transaction that erases it: a hold that was placed meanwhile holds, and an order that
came meanwhile keeps its customer. Each batch is an erasure of its own in the register, so a run that is killed leaves
nothing half erased, an older backup is erased again, and the next import brings nothing back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from hub.access import Command
from hub.access.retention import emptied_by
from hub.adapters import firstload, runs
from hub.adapters.aging import discard_waiting, empty_versions
from hub.adapters.emptying import Emptyings
from hub.adapters.erasing import ErasurePlan
from hub.adapters.retiring import Retirement, plan_retirement
from hub.audit import Action, AuditEvent, Outcome
from hub.commands import Author, Ground
from hub.commands.giving import Order, announce, conclude, refusals_recorded
from hub.eraser import RUNS, Erased
from hub.errors import NotFoundError, QueryError
from hub.graph import Applied
from hub.graph.ages import Ages
from hub.privacy.retention.due import CustomerPage, customer_page, payload_page, property_page, row_page
from hub.privacy.retention.report import KEPT_IN, emptying_of, measure
from hub.services import Services

CUSTOMERS_AT_ONCE: Final = 20
ROWS_AT_ONCE: Final = 100
"""Overdue rows of one transaction; what hangs together with them comes in addition."""
PAYLOADS_AT_ONCE: Final = 500
"""Versions, or records that wait, of one transaction."""
MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class RunRetention:
    """That what is overdue is to be erased: by all rules, or by some."""

    key: str
    rules: tuple[str, ...] = ()
    most: int = MOST
    """After so many customers and rows no further batch begins."""
    scrub: bool = True
    """Whether the files are scrubbed at the end; else that is left to `scrub_erasures`."""


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """What a run has done."""

    event: str
    """Id of the event that it began with."""
    customers: int
    rows: dict[str, int]
    """Rows that were overdue, or went with such, by type; values that were emptied, by `Type.property`."""
    records: int
    """Source records of customers who stay."""
    erasures: tuple[str, ...]
    """The batches, as the register of erasures has them."""
    overdue: int
    """What is due still: 0, unless the run was bounded, or something came meanwhile."""
    held: int
    bound: int
    remaining: int
    """What was to be erased and is there: 0, unless something went wrong."""


@dataclass(slots=True)
class _Done:
    """What a run has done so far."""

    customers: int = 0
    records: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    erasures: list[str] = field(default_factory=list)
    remaining: int = 0

    @property
    def size(self) -> int:
        return self.customers + self.rows.total()

    def add(self, erased: Erased) -> None:
        self.erasures.append(erased.erasure.id)
        self.remaining += sum(erased.remaining.values())


class _Nothing(Exception):  # noqa: N818 - it is no error
    """Of a page of customers nobody is due."""


def run_retention(
    services: Services, author: Author, order: RunRetention, *, now: datetime | None = None
) -> RetentionRun:
    """Erase what is overdue, and say what is left.

    Raises:
        AccessDeniedError: the author may not.
        NotFoundError: there is no rule of this name.
        QueryError: the run may do nothing, or the idempotency key was used for something else.
        StoreUnavailableError: another erasure or a large first load goes on, or the index is out of reach; give it
            again, it goes on where it was.
    """
    said = Order(Command.RUN_RETENTION, "run retention", order.key, asdict(order))
    with refusals_recorded(services, author, Command.RUN_RETENTION):
        _check(services, order)
        begun = author.event(Action.RETENTION_RUN, reason_code="started")
        first = announce(services, author, said, begun, firstload.require_ended)
        if first is not None:
            return RetentionRun(**{**first, "erasures": tuple(first["erasures"])})
        at = now or datetime.now(UTC)
        done = _Run(services, author, begun, order, at).carried_out()
        if order.scrub and done.size:
            services.eraser.scrub(author.event(Action.ERASE_VERIFIED), thorough=False)
        left = measure(services, at).counts
        left["remaining"] = done.remaining
        ids = tuple(done.erasures)
        result = RetentionRun(begun.id, done.customers, dict(done.rows), done.records, ids, **left)
        _tell(services, author, begun, result)
        conclude(services, author, said, asdict(result))
        return result


def _check(services: Services, order: RunRetention) -> None:
    known = services.retention.rules
    for name in order.rules:
        if name not in known:
            raise NotFoundError(f"there is no rule of this name, only {', '.join(known)}")
    if not 0 < order.most <= MOST:
        raise QueryError(f"a run erases 1 to {MOST} customers and rows")


def _tell(services: Services, author: Author, begun: AuditEvent, result: RetentionRun) -> None:
    counts = {
        "customers": result.customers,
        "deleted": sum(result.rows.values()),
        "remaining": result.remaining,
    }
    counts |= {"overdue": result.overdue, "held": result.held, "bound": result.bound}
    outcome = Outcome.FAILED if result.remaining else Outcome.PARTIAL if result.overdue else Outcome.OK
    event = author.event(
        Action.RETENTION_RUN, about=begun.id, reason_code="finished", outcome=outcome, counts=counts
    )
    services.recorder.record_sync(event)


@dataclass(frozen=True, slots=True)
class _Run:
    services: Services
    author: Author
    begun: AuditEvent
    order: RunRetention
    at: datetime

    def carried_out(self) -> _Done:
        done = _Done()
        rules, wanted = self.services.retention, self.order.rules
        for name, _ in rules.of_customers():
            if not wanted or name in wanted:
                self._customers(name, done)
        for name, _, type_ in rules.of_rows():
            if not wanted or name in wanted:
                self._rows(name, type_, done)
        for name, rule in rules.of_properties():
            if not wanted or name in wanted:
                for type_ in emptied_by(rule, self.services.ontology):
                    self._properties(name, type_, done)
        for name, rule in rules.of_payloads():
            if not wanted or name in wanted:
                self._payloads(name, rule.then, done)
        return done

    @property
    def _ages(self) -> Ages:
        services = self.services
        return Ages(services.store, services.retention, services.access.policy, self.at)

    def _customers(self, rule: str, done: _Done) -> None:
        """Erase the customers whom a rule is about, some in a transaction."""
        ages, store, page = self._ages, self.services.store, CustomerPage("", (), (), ())

        def find(connection: Connection) -> tuple[str, ...]:
            nonlocal page
            found = customer_page(ages, store, connection, rule, after=page.last, limit=CUSTOMERS_AT_ONCE)
            page = found or CustomerPage("", (), (), ())
            if not page.due:
                raise _Nothing
            return page.due

        def tell(_connection: Connection, plan: ErasurePlan) -> AuditEvent:
            counts = {
                "parties": len(plan.parties),
                "suppressed": len(plan.hashes),
                "customers": len(page.due),
            }
            return self._event(rule, customers=plan.customers, counts=counts)

        while done.size < self.order.most:
            try:
                done.add(self.services.eraser.erase(find, tell, _unsealed, scrub=False))
                done.customers += len(page.due)
            except _Nothing:
                if not page.last:
                    return

    def _rows(self, rule: str, type_name: str, done: _Done) -> None:
        """Erase the overdue rows of a type, some in a transaction."""
        pages = self._pages(rule, type_name)

        def find(connection: Connection) -> Retirement:
            return pages.next(connection)

        def tell(found: Retirement) -> AuditEvent:
            counts = {"deleted": sum(found.rows.values()), "suppressed": len(found.hashes)}
            types = tuple(sorted(found.rows))
            return self._event(rule, customers=found.customers, entity_types=types, counts=counts)

        while done.size < self.order.most:
            erased = self.services.eraser.retire(find, tell, _unsealed)
            if erased is not None:
                done.add(erased)
                done.records += len(pages.found.heads)
                done.rows.update(pages.found.rows)
            elif pages.is_over:
                return

    def _properties(self, rule: str, type_name: str, done: _Done) -> None:
        """Empty the overdue values of rows of a type, some in a transaction; what stays is left behind."""
        services, after, is_over = self.services, "", False
        emptying = emptying_of(services, self._ages, rule)
        while not is_over and done.size < self.order.most:
            with services.store.write() as connection:
                page = property_page(emptying, connection, type_name, after=after, limit=ROWS_AT_ONCE)
                if page.planned.due:
                    run_id = runs.note_command(connection, RUNS)
                    told = partial(self._told, connection, run_id)
                    emptying.empty(connection, run_id, page.planned, self.begun.id, told)
                    runs.post(connection, self._emptied(rule, page.planned))
            done.rows.update({f"{type_}.{prop}": n for (type_, prop), n in page.planned.counts.items()})
            is_over, after = not page.rows, page.rows[-1].id if page.rows else after
        services.publish_events()

    def _told(self, connection: Connection, run_id: int, applied: Applied) -> None:
        """Tell of what else changed: customers that are others now, and their golden records."""
        facts = [
            AuditEvent(actor="system", source=RUNS, run_id=str(run_id), **fact) for fact in applied.audit
        ]
        runs.post(connection, facts)
        self.services.syncer.events.post_changes(connection, run_id, RUNS, applied.golden)

    def _emptied(self, rule: str, planned: Emptyings) -> list[AuditEvent]:
        """An event for each data category: how many values went, of which types and whose."""
        types, counts = dict[str, set[str]](), Counter[str]()
        for (type_name, prop), count in planned.counts.items():
            category = self.services.ontology.type(type_name).properties[prop].category
            types.setdefault(category, set()).add(type_name)
            counts[category] += count
        return [
            self.author.event(
                Action.RETENTION_RUN,
                about=self.begun.id,
                reason_code=f"empty_property.{rule}",
                data_categories=(category,),
                entity_types=tuple(sorted(types[category])),
                customers=planned.customers,
                counts={"deleted": counts[category]},
            )
            for category in sorted(counts)
        ]

    def _payloads(self, rule: str, then: str, done: _Done) -> None:
        """Take out what sources sent and serves nothing any more, some in a transaction; what is held stays behind."""
        services, after, is_over = self.services, 0, False
        while not is_over and done.size < self.order.most:
            with services.store.write() as connection:
                page = payload_page(
                    self._ages, services.store, connection, rule, then, after=after, limit=PAYLOADS_AT_ONCE
                )
                due = [each.id for each in page if not each.is_stopped]
                if due and then == "empty_versions":
                    empty_versions(services.store, connection, due)
                elif due:
                    discard_waiting(services.store, connection, due, self.begun.id)
                if due:
                    code, counts = f"{then}.{rule}", {"deleted": len(due)}
                    told = self.author.event(
                        Action.RETENTION_RUN, about=self.begun.id, reason_code=code, counts=counts
                    )
                    runs.post(connection, [told])
            if due:
                done.rows[KEPT_IN[then]] += len(due)
            is_over, after = not page, page[-1].id if page else after
        services.publish_events()

    def _pages(self, rule: str, type_name: str) -> _RowPages:
        return _RowPages(self.services, self._ages, rule, type_name)

    def _event(self, rule: str, **more: object) -> AuditEvent:
        code = f"{Ground.NO_LONGER_NECESSARY.value}.{rule}"
        return self.author.event(Action.ERASED, about=self.begun.id, reason_code=code, **more)


@dataclass(slots=True)
class _RowPages:
    """Goes through the overdue rows of a type, those that stay left behind."""

    services: Services
    ages: Ages
    rule: str
    type_name: str
    after: str = ""
    found: Retirement = field(default_factory=lambda: Retirement((), (), {}, ()))
    is_over: bool = False

    def next(self, connection: Connection) -> Retirement:
        """What is to be erased of the next rows; without any record where none of them is due."""
        store = self.services.store
        page = row_page(
            self.ages, store, connection, self.rule, self.type_name, after=self.after, limit=ROWS_AT_ONCE
        )
        self.is_over = not page.rows
        self.after = page.rows[-1].id if page.rows else self.after
        self.found = plan_retirement(store, connection, page.judged)
        return self.found


def _unsealed(event: AuditEvent) -> AuditEvent:
    """As it is: the rule says why, and it stands in the event."""
    return event
