"""Subscriptions: what happens, as one answer an event.

    understand -> listen -> read -> record -> answer

A subscription is understood once, with the access of its caller, and again when another policy has come into force;
what it selects of a customer is read anew for each event. Recording is the service's: no event leaves before it is in
the audit log.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLObjectType, execute
from graphql.execution.collect_fields import collect_fields
from sqlalchemy import Connection

from hub.access import EVERYONE, Command, PlanAccess
from hub.calls import Call, Facts
from hub.commands import card_of
from hub.errors import LimitError, QueryError
from hub.graph.feed import ChangeKind, CustomerChange
from hub.graph.plans import execute as run_plan
from hub.graph.plans.guard import SOURCES_CATEGORY, Guard
from hub.graph.reached import Reached
from hub.ontology import CUSTOMER
from hub.schema.answers import Answer, executed
from hub.schema.calling import POP_FIELD, require_calls
from hub.schema.cards import screen_pop
from hub.schema.catalogue import TYPENAME, Catalogue
from hub.schema.changes import CHANGE, CHANGES_FIELD, require_customers
from hub.schema.followers import CallFollower, ChangeFollower, EndedError, RunFollower
from hub.schema.planner import Planned, Planner
from hub.schema.plans import ChangePlan, Reading
from hub.schema.progress import sync_progress
from hub.schema.queries import require_sources
from hub.schema.translated import CHANGED
from hub.schema.values import Values
from hub.services import Services

MAX_IDS = 1_000
"""Customers that one subscription may name."""
_PAGE = 500
_TOGETHER = 20
"""Events that are read and recorded together: more would be old by the time a slow client has them."""
_THREADS = 2
_SHARE = 10
"""A caller may have one subscription in so many."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a subscription."""

    answer: Answer
    customers: tuple[str, ...] = ()
    """Whom it tells of: then it is recorded before it leaves."""
    reading: Reading | None = None
    """What was read for it; None where that is what its subscription reads."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that is understood and may be listened to."""

    planned: Planned
    reading: Reading
    """What each event reads."""
    partial: bool
    """Whether the policy keeps some of what is asked for back."""
    changes: Changes | None = None
    """None for one to the progress of syncs."""
    source: str | None = None
    pops: Pops | None = None


@dataclass(frozen=True, slots=True)
class Pops:
    """At which extension calls are listened for, and what who listens may see."""

    extension: str
    access: PlanAccess = field(repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """Which changes of customers a subscription is told, and how."""

    plan: ChangePlan
    start: int
    """The entry of the change feed after which it begins."""
    reached: Reached = field(repr=False)
    """Which customers the subscriber reaches: changes of others are not told."""
    tells_removals: bool
    """Whether they reach all customers, so that it may be told that one is gone of whom nothing is known any more."""
    watch: Watch


class OutdatedError(Exception):
    """Another policy is in force than the one that a subscription was understood with."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        """It, as far as it got: where it goes on when it is understood anew."""
        super().__init__()


@dataclass(slots=True)
class Watch:
    """Which changes a subscription wants."""

    ids: set[str] | None = field(repr=False)
    kinds: Collection[str] | None

    def wants(self, change: CustomerChange) -> bool:
        """Whether it wants this one; who takes over from a watched customer is watched from then on."""
        if self.ids is not None and change.customer not in self.ids:
            return False
        if self.ids is not None and change.into is not None:
            self.ids.add(change.into)
        return self.kinds is None or change.kind.value in self.kinds


class Streams:
    """The subscriptions of one process. Belongs to one event loop; close it when that ends."""

    def __init__(self, services: Services, catalogue: Catalogue, planner: Planner) -> None:
        self._services = services
        self._store, self._ontology = services.store, services.ontology
        self._catalogue, self._planner = catalogue, planner
        self._most = services.settings.max_subscriptions
        self._open: Counter[str] = Counter()
        self._changes = ChangeFollower(services.store)
        self._runs = RunFollower(services.store)
        self._calls = CallFollower(services.store)
        self._pool = ThreadPoolExecutor(_THREADS, "graphql-stream")

    def end(self) -> None:
        """Let go of all who listen; nobody may listen any more, either."""
        self._changes.close()
        self._runs.close()
        self._calls.close()

    def close(self) -> None:
        """Wait for the reads that are under way."""
        self._pool.shutdown()

    @contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """A place among the subscriptions that are served at once.

        Raises:
            LimitError: none is free, or the caller has their share of them.
        """
        share = max(self._most // _SHARE, 1)
        if self._open.total() >= self._most or self._open[caller] >= share:
            raise LimitError(
                f"too many subscriptions; the limit max_subscriptions is {self._most}, and {share} for one caller"
            )
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    # understand

    def understood(
        self, planned: Planned, access: PlanAccess, left: Subscription | None = None
    ) -> Subscription:
        """The subscription, its plans compiled; it goes on where it was `left` under another policy.

        Raises:
            QueryError: it asks for what cannot be answered, or begins at what is no entry of the change feed.
            AccessDeniedError: the caller may not know of what it tells, or filters by what they may not see whole.
            LimitError: it is too large; the limit is named.
        """
        name, arguments = self._root(planned)
        if name == POP_FIELD:
            roles, purpose, *_ = access.key
            require_calls(self._services.access.may(roles, purpose, Command.HANDLE_CALL))
            reading = Reading((), (), (), 0, 0)
            pops = Pops(arguments["extension"], access)
            return Subscription(planned, reading, partial=False, pops=pops)
        if name != CHANGES_FIELD:
            require_sources(access)
            reading = Reading((), (SOURCES_CATEGORY,), (), 0, 0)
            return Subscription(planned, reading, partial=False, source=arguments.get("source"))
        require_customers(self._ontology, access)
        plan = self._planner.plans.make_changes(
            planned.document, planned.operation, planned.variables, access
        )
        if left is not None and left.changes is not None:
            # Nothing else is kept of it: all else follows from the policy.
            start, watch = left.changes.start, left.changes.watch
        else:
            start, watch = self._changes.position(arguments.get("after")), self._watch(arguments)
        reached = Reached(self._ontology, access, self._store.dialect.name)
        whole = Guard(self._ontology, access).seen(CUSTOMER) == EVERYONE and access.reach.consent is None
        changes = Changes(plan, start, reached, whole, watch)
        return Subscription(planned, plan.reading, plan.partial, changes)

    def _watch(self, arguments: Mapping[str, Any]) -> Watch:
        ids, kinds = arguments.get("ids"), arguments.get("kinds")
        if ids is None:
            return Watch(None, kinds)
        if len(ids) > MAX_IDS:
            raise LimitError(f"more ids than one subscription may name; the limit max_ids is {MAX_IDS}")
        return Watch({*ids, *self._changes.heirs(ids)}, kinds)

    def _root(self, planned: Planned) -> tuple[str, Mapping[str, Any]]:
        """Name and arguments of the one root field, which validation does not find where a condition decides."""
        schema, operation = self._catalogue.graphql, planned.operation.node
        root = schema.subscription_type
        assert isinstance(root, GraphQLObjectType)  # noqa: S101 - the schema always has one
        fragments, variables = dict(planned.document.fragments), dict(planned.variables)
        fields = list(collect_fields(schema, fragments, variables, root, operation.selection_set).values())
        if len(fields) != 1 or fields[0][0].name.value not in root.fields:
            raise QueryError("a subscription asks for one field, without conditions on it")
        (node, *_), values = fields[0], Values(variables)
        arguments = values.arguments(root.fields[node.name.value].args, node)
        return node.name.value, {name: values.taken(value) for name, value in arguments.items()}

    # listen

    async def listen(
        self, subscription: Subscription, is_current: Callable[[], bool]
    ) -> AsyncGenerator[Sequence[Told]]:
        """What happens, in the order in which it does; ends when the hub stops.

        Raises:
            OutdatedError: something happened, and the subscription is not understood with the policy in force.
            LimitError: it is too far behind.
            StoreUnavailableError: the database is out of reach.
        """
        changes = subscription.changes
        if subscription.pops is not None:
            told = self._pops(subscription, subscription.pops, is_current)
        elif changes is None:
            told = self._progress(subscription, is_current)
        else:
            told = self._customers(subscription, changes, is_current)
        with suppress(EndedError):
            async with aclosing(told):
                async for together in told:
                    yield together

    async def _customers(
        self, subscription: Subscription, changes: Changes, is_current: Callable[[], bool]
    ) -> AsyncGenerator[Sequence[Told]]:
        loop, variables = asyncio.get_running_loop(), subscription.planned.variables
        seq = changes.start
        async with self._changes.listening():
            while True:
                page = await self._changes.after(seq, _PAGE)
                wanted = [change for change in page.changes if changes.watch.wants(change)]
                for start in range(0, len(wanted), _TOGETHER):
                    part = wanted[start : start + _TOGETHER]
                    if not is_current():
                        raise OutdatedError(replace(subscription, changes=replace(changes, start=seq)))
                    yield await loop.run_in_executor(self._pool, self._read, changes, variables, part)
                    seq = part[-1].seq
                seq = page.reached

    # read

    def _read(
        self, changes: Changes, variables: Mapping[str, Any], part: Sequence[CustomerChange]
    ) -> Sequence[Told]:
        with self._store.read() as connection:
            return [
                _told(connection, changes.plan, variables, change)
                for change in part
                if _may_be_told(connection, changes, change)
            ]

    async def _progress(
        self, subscription: Subscription, is_current: Callable[[], bool]
    ) -> AsyncGenerator[Sequence[Told]]:
        async with self._runs.listening():
            runs, version = await self._runs.under_way()
            while True:
                wanted = [run for run in runs if subscription.source in (None, run.source)]
                if not is_current():
                    raise OutdatedError(subscription)
                yield [Told(self._executed(subscription.planned, sync_progress(run))) for run in wanted]
                runs, version = await self._runs.after(version)

    async def _pops(
        self, subscription: Subscription, pops: Pops, is_current: Callable[[], bool]
    ) -> AsyncGenerator[Sequence[Told]]:
        loop = asyncio.get_running_loop()
        async with self._calls.listening():
            found, seq = await self._calls.now(pops.extension)
            while True:
                for call in found:
                    if not is_current():
                        raise OutdatedError(subscription)
                    for patient in (False, True):
                        told, is_whole = await loop.run_in_executor(
                            self._pool, self._popped, subscription, pops, call, patient
                        )
                        yield [told]
                        if is_whole:
                            break
                found, seq = await self._calls.after(seq, pops.extension)

    def _popped(self, subscription: Subscription, pops: Pops, call: Call, patient: bool) -> tuple[Told, bool]:
        """The card of the call, and whether there was time for all of it."""
        asked = card_of(self._services, pops.access, Facts(), call, patient=patient)
        seen = asked.seen
        types, categories, names = (
            tuple(sorted(each)) for each in (seen.types, seen.categories, seen.properties)
        )
        reading = Reading(types, categories, names, seen.masked, seen.denied)
        answer = self._executed(subscription.planned, screen_pop(asked.card, call))
        return Told(answer, tuple(seen.customers), reading), not asked.card.deadline_hit

    def _executed(self, planned: Planned, event: object) -> Answer:
        result = execute(
            self._catalogue.graphql,
            planned.document.tree,
            root_value=event,
            variable_values=dict(planned.given),
            operation_name=planned.operation.name,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError("a resolver is asynchronous")
        return executed(result, ())


def _may_be_told(connection: Connection, changes: Changes, change: CustomerChange) -> bool:
    """Whether there is such a customer for the subscriber; of one that is merged, the one that took over."""
    if change.kind is ChangeKind.REMOVED:
        return changes.tells_removals
    return changes.reached.customer(connection, change.customer)


def _told(
    connection: Connection, plan: ChangePlan, variables: Mapping[str, Any], change: CustomerChange
) -> Told:
    parts = {
        TYPENAME: CHANGE,
        "id": change.customer,
        "kind": change.kind.value,
        "seq": change.seq,
        "at": change.at,
        "mergedInto": change.into,
    }
    customers = [change.customer, *([change.into] if change.into else [])]
    members = []
    for key, wanted in plan.fields:
        if isinstance(wanted, str):
            text = orjson.dumps(parts[wanted]).decode()
        else:
            found = run_plan(connection, wanted.plan, {**variables, CHANGED: change.customer})
            customers += found.customers
            text = found.json_text
        members.append(f'"{key}":{text}')
    answer = plan.frame.around([f"{{{','.join(members)}}}"])
    return Told(answer, tuple(dict.fromkeys(customers)))
