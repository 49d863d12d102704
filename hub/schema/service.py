"""One question from document to answer: plan -> fetch -> record -> answer.

Whatever can be refused is refused before anything is read; nothing is answered before its audit event is on disk.
A query that read plans answer whole is answered with the database's own JSON; all else goes through an executor, which
takes what plans can answer from the same plans.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, suppress
from dataclasses import replace
from typing import Any

import orjson
from graphql import ExecutionResult, OperationType, execute

from hub.access import AccessMap, Caller, PlanAccess, Requester
from hub.audit import AuditEvent
from hub.errors import AuditError, AuthenticationError, LimitError, QueryError, RequestError
from hub.graph.plans import PlanResult, answer, answer_on_loop
from hub.graph.plans import execute as run_plan
from hub.schema.answers import Answer, executed, failed, refused
from hub.schema.catalogue import make_catalogue
from hub.schema.context import RequestContext
from hub.schema.glasses import Glasses
from hub.schema.hits import found_rows
from hub.schema.planner import GraphQLRequest, Planned, Planner
from hub.schema.plans import OF_THE_PAST, AsOf, OperationPlan, PlannedField, Reading
from hub.schema.preparing import Preparing
from hub.schema.recording import (
    Events,
    failed_event,
    found_event,
    read_event,
    refused_event,
    stream_event,
    told_event,
    with_searches,
)
from hub.schema.refusals import Refusals, Refused
from hub.schema.streams import OutdatedError, Streams, Subscription, Told
from hub.schema.waiting import Gone, GoneError, Waiting
from hub.services import Services
from hub.store import Cancellation, ElsewhereError

POINT_COST = 500
"""Answers up to this cost are read on the event loop where the database is a file: faster than a thread's hand-over."""
POINT_SQL = 50_000
"""Characters of SQL up to this: SQLite parses a statement each time, some tens of nanoseconds a character."""
THREADS = 4


class GraphQLService:
    """Answers GraphQL requests of authenticated callers. Close it when the API ends."""

    def __init__(self, services: Services) -> None:
        """The service on these.

        Raises:
            ConfigurationError: the documents that the hub ships have faults, or names of the ontology clash in GraphQL.
        """
        self._services = services
        self.catalogue = make_catalogue(services.ontology)
        self.planner = Planner(
            self.catalogue, services.settings, services.store.dialect.name, services.access
        )
        self._events = Events()
        self._refusals = Refusals(self._record_refusals)
        self._preparing = Preparing(services.settings.max_preparing_s)
        self._reads_inline = services.store.dialect.name == "sqlite"
        self._streams = Streams(services, self.catalogue, self.planner)
        self._pool = ThreadPoolExecutor(THREADS, "graphql")
        self._glasses = Glasses(services, self.catalogue, self._pool)

    def end_streams(self) -> None:
        """End all subscriptions; none begins any more."""
        self._streams.end()

    def close(self) -> None:
        """Wait for the reads that are under way, and record the refusals that no event has told of."""
        self._refusals.tell_all()
        self._streams.close()
        self._preparing.close()
        self._pool.shutdown()

    async def answer(self, request: GraphQLRequest, requester: Requester, gone: Gone | None = None) -> Answer:
        """The answer to a query or a mutation; `gone` tells when nobody waits for it any more.

        Never raises but when it is cancelled: what goes wrong is in the answer.
        """
        policy = self._services.access
        try:
            event = self._events.of(requester, policy.sha256)
        except AuditError as error:
            return await self.refuse(_unrecordable(error))
        waiting = Waiting(self._services.settings.timeout_s, gone)
        try:
            access = await self._glasses.access(policy, requester, waiting)
            planned = await self._planned(request, requester, access, waiting)
            await self._glasses.use(policy, requester, access, planned, waiting)
            context = RequestContext(self._services, requester, access, waiting.cancellation)
            told, answer = await self._answered(event, planned, context, waiting)
            self._check_size(answer)
        except asyncio.CancelledError:
            # Nobody waits, neither for the answer nor for the log; what was begun is on record all the same.
            with suppress(AuditError):
                self._services.recorder.record(refused_event(event, GoneError(), self.planner.known(request)))
            raise
        except Exception as error:  # noqa: BLE001 - nothing of a foreign error may reach the caller
            told, answer = self._gone_wrong(event, error, request)
        return answer if told is None else await self._recorded(told, answer)

    async def stream(
        self, request: GraphQLRequest, requester: Requester, renewed: Callable[[], Requester]
    ) -> AsyncGenerator[Answer]:
        """The answers to a subscription, one an event, until the hub stops; to all else the one answer.

        `renewed` gives the requester as the policy in force has it, whenever another one has come. Never raises: what
        is refused or fails is told in a last answer.
        """
        try:
            self._events.of(requester, self._services.access.sha256)
        except AuditError as unnamed:
            yield await self.refuse(_unrecordable(unnamed))
            return
        try:
            async with aclosing(self._streamed(request, renewed)) as answers:
                async for answer in answers:
                    yield answer
        except Exception as error:  # noqa: BLE001 - nothing of a foreign error may reach the caller
            event = self._events.of(requester, self._services.access.sha256)
            yield await self._recorded(*self._gone_wrong(event, error, request))

    async def _streamed(
        self, request: GraphQLRequest, renewed: Callable[[], Requester]
    ) -> AsyncGenerator[Answer]:
        left: Subscription | None = None
        with ExitStack() as placed:
            while True:
                policy, requester = self._services.access, renewed()
                waiting = Waiting(self._services.settings.timeout_s)
                access = await self._glasses.access(policy, requester, waiting)
                planned = await self._understood(request, requester, access, waiting)
                if planned.operation.kind is not OperationType.SUBSCRIPTION:
                    yield await self.answer(request, requester)
                    return
                if left is None:
                    placed.enter_context(self._streams.place(requester.subject))
                left = await self._subscribed(planned, requester, access, waiting, left)
                await self._glasses.use(policy, requester, access, planned, waiting)
                event = self._events.of(requester, policy.sha256)
                try:
                    async with aclosing(self._told(event, left, policy, access)) as told:
                        async for answer in told:
                            yield answer
                    return
                except OutdatedError as outdated:
                    left = outdated.subscription

    async def _subscribed(
        self,
        planned: Planned,
        requester: Requester,
        access: PlanAccess,
        waiting: Waiting,
        left: Subscription | None,
    ) -> Subscription:
        return await self._preparing.result(
            requester.subject, lambda: self._streams.understood(planned, access, left), waiting
        )

    async def _told(
        self, event: AuditEvent, subscription: Subscription, policy: AccessMap, access: PlanAccess
    ) -> AsyncGenerator[Answer]:
        opened = await self._recorded(_stream_event(event, subscription), Answer(b""))
        if opened.failed:
            yield opened
            return
        listening = self._streams.listen(subscription, lambda: self._services.access is policy)
        async with aclosing(listening) as happenings:
            async for together in self._glasses.while_open(happenings, access.glass):
                recording = [self._recorded_told(event, subscription, each) for each in together]
                for answer in await asyncio.gather(*recording):
                    yield answer
                    if answer.failed:
                        return

    async def _recorded_told(self, event: AuditEvent, subscription: Subscription, told: Told) -> Answer:
        if not told.customers:
            return told.answer
        recorded = _stream_event(event, subscription, told.customers, told.reading)
        return await self._recorded(recorded, told.answer)

    async def refuse(self, error: RequestError, caller: Caller | None = None) -> Answer:
        """The answer to one who is not let in, recorded as such: with their name where their token proves it.

        One of a flood is counted instead, and told of by a later event.
        """
        policy = self._services.access.sha256
        kind = Refused(error.code, caller.subject, caller.department) if caller else Refused(error.code)
        try:
            event = self._events.login_refused(kind, policy)
        except AuditError as unnamed:
            error = _unrecordable(unnamed)
            kind = Refused(error.code)
            event = self._events.login_refused(kind, policy)
        attempts = self._refusals.to_be_told(kind)
        if attempts == 0:
            return refused(error)
        return await self._recorded(event.again(counts={"attempts": attempts}), refused(error))

    def _record_refusals(self, kind: Refused, attempts: int) -> None:
        with suppress(AuditError):  # nobody waits for it; what is lost is a number
            self._services.recorder.record(
                self._events.login_refused(kind, self._services.access.sha256, attempts)
            )

    async def turn_away(self, error: RequestError, requester: Requester) -> Answer:
        """The answer to a known caller whose request says nothing that could be answered."""
        try:
            event = self._events.of(requester, self._services.access.sha256)
        except AuditError as unnamed:
            return await self.refuse(_unrecordable(unnamed))
        return await self._recorded(refused_event(event, error, None), refused(error))

    # plan

    async def _understood(
        self, request: GraphQLRequest, requester: Requester, access: PlanAccess, waiting: Waiting
    ) -> Planned:
        found = self.planner.find(request, access)
        if found is None:
            found = await self._preparing.result(
                requester.subject, lambda: self.planner.make(request, access), waiting
            )
        return found

    async def _planned(
        self, request: GraphQLRequest, requester: Requester, access: PlanAccess, waiting: Waiting
    ) -> Planned:
        found = await self._understood(request, requester, access, waiting)
        if found.operation.kind is OperationType.SUBSCRIPTION:
            raise QueryError("a subscription is answered over WebSocket or as an event stream only")
        return found

    # fetch

    async def _answered(
        self, event: AuditEvent, planned: Planned, context: RequestContext, waiting: Waiting
    ) -> tuple[AuditEvent | None, Answer]:
        plan, cancellation = planned.plan, waiting.cancellation
        if plan is None:
            result = await waiting.finished(self._pool, lambda: self._executed(planned, context))
            # Each command is an event of its own; what else there is to tell is an error.
            silent = not result.errors and not context.touched.customers
            told = None if silent else told_event(event, planned, context.touched, result)
            return told, executed(result, ())
        if any(each.searched is not None for each in plan.fields):
            return await waiting.result(self._pool, lambda: self._found(event, planned, plan, context))
        if plan.others:
            return await waiting.result(self._pool, lambda: self._searched(event, planned, plan, context))
        found: Sequence[PlanResult]
        try:
            found = await self._fetched_on_loop(planned, plan, waiting)
        except ElsewhereError:
            found = await waiting.result(self._pool, lambda: self._fetched(planned, plan, cancellation))
        return read_event(event, planned, plan, found), plan.frame.around([each.json_text for each in found])

    def _found(
        self, event: AuditEvent, planned: Planned, plan: OperationPlan, context: RequestContext
    ) -> tuple[AuditEvent, Answer]:
        """As a search answers, and the rows that it finds as plans do."""
        rows = {
            each.searched.rows: found_rows(each.searched, planned.variables, context)
            for each in plan.fields
            if each.searched is not None
        }
        planned = replace(planned, variables={**planned.variables, **rows})
        if plan.others:
            return self._searched(event, planned, plan, context)
        found = self._fetched(planned, plan, context.cancellation)
        told = found_event(read_event(event, planned, plan, found), context.touched)
        return with_searches(told, context.touched, self._services.sealer), plan.frame.around(
            [each.json_text for each in found]
        )

    def _searched(
        self, event: AuditEvent, planned: Planned, plan: OperationPlan, context: RequestContext
    ) -> tuple[AuditEvent, Answer]:
        result = self._executed(planned, context, self._trees(planned, plan, context))
        told = told_event(event, planned, context.touched, result)
        return with_searches(told, context.touched, self._services.sealer), executed(result, plan.notes)

    async def _fetched_on_loop(
        self, planned: Planned, plan: OperationPlan, waiting: Waiting
    ) -> Sequence[PlanResult]:
        """What the plan's statements answer.

        Raises:
            ElsewhereError: they would hold up others, or have to see one state of the data: to be asked in a thread.
        """
        if any(each.as_of is not None for each in plan.fields):
            raise ElsewhereError
        if self._reads_inline:
            if not self._is_point(planned, plan):
                raise ElsewhereError
            return self._fetched(planned, plan, waiting.cancellation)
        if not plan.fields:
            return ()
        if len(plan.fields) > 1:
            raise ElsewhereError
        (only,) = plan.fields
        asking = answer_on_loop(
            self._services.store, only.plan, only.variables(planned.variables), waiting.cancellation
        )
        return [await waiting.held(asking)]

    def _is_point(self, planned: Planned, plan: OperationPlan) -> bool:
        return (
            all(each.bounded for each in plan.fields)
            and plan.cost(planned.variables) <= POINT_COST
            and plan.sql_length <= POINT_SQL
        )

    def _fetched(
        self, planned: Planned, plan: OperationPlan, cancellation: Cancellation
    ) -> Sequence[PlanResult]:
        if not plan.fields:
            return ()
        store = self._services.store
        if len(plan.fields) == 1:
            (only,) = plan.fields
            if only.as_of is not None:
                return [self._past(only, only.as_of, planned, cancellation)]
            return [answer(store, only.plan, only.variables(planned.variables), cancellation)]
        found = []
        with store.read(cancellation) as connection:
            for each in plan.fields:
                cancellation.check()
                if each.as_of is not None:
                    found.append(self._past(each, each.as_of, planned, cancellation))
                else:
                    found.append(run_plan(connection, each.plan, each.variables(planned.variables)))
        return found

    def _past(
        self, field: PlannedField, as_of: AsOf, planned: Planned, cancellation: Cancellation
    ) -> PlanResult:
        """The answer as of a past time; null where the customer may not be known now, or was not there."""
        at = as_of.at(planned.variables)
        known = answer(self._services.store, as_of.customer, planned.variables, cancellation)
        customer = orjson.loads(known.json_text)
        if customer is None:
            return known
        variables = {**planned.variables, OF_THE_PAST: customer["id"]}
        return self._services.past.answer(field.plan, variables, customer["id"], at, cancellation)

    def _trees(self, planned: Planned, plan: OperationPlan, context: RequestContext) -> dict[str, Any]:
        """For each root field that a plan answers the tree of its JSON, by response key."""
        found = self._fetched(planned, plan, context.cancellation)
        reading = plan.reading
        context.touched.add(reading.types, reading.categories, reading.properties)
        for each in found:
            context.touched.add(customers=each.customers)
        return {
            each.key: orjson.loads(result.json_text) for each, result in zip(plan.fields, found, strict=True)
        }

    def _executed(
        self, planned: Planned, context: RequestContext, trees: dict[str, Any] | None = None
    ) -> ExecutionResult:
        result = execute(
            self.catalogue.graphql,
            planned.document.tree,
            root_value=trees,
            context_value=context,
            variable_values=dict(planned.given),
            operation_name=planned.operation.name,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError("a resolver is asynchronous")
        return result

    def _check_size(self, answer: Answer) -> None:
        most = self._services.settings.max_response_bytes
        if len(answer.body) > most:
            raise LimitError(
                f"the answer has {len(answer.body)} bytes; ask for less. The limit max_response_bytes is {most}"
            )

    # record

    def _gone_wrong(
        self, event: AuditEvent, error: Exception, request: GraphQLRequest
    ) -> tuple[AuditEvent, Answer]:
        """The event and the answer of a request that is refused, or that the hub could not answer."""
        document = self.planner.known(request)
        if isinstance(error, RequestError):
            return refused_event(event, error, document), refused(error)
        answer = failed(error)
        return failed_event(event, answer, document), answer

    async def _recorded(self, event: AuditEvent, answer: Answer) -> Answer:
        try:
            await self._services.recorder.recorded(event)
        except AuditError as error:
            return failed(error)
        return answer


def _unrecordable(error: AuditError) -> AuthenticationError:
    """Names and addresses have no place in a log that cannot forget them; the log's message holds no value."""
    return AuthenticationError(f"the token cannot be recorded ({error}); get one with opaque ids")


def _stream_event(
    event: AuditEvent,
    subscription: Subscription,
    customers: Sequence[str] = (),
    reading: Reading | None = None,
) -> AuditEvent:
    document, read = subscription.planned.document, reading or subscription.reading
    return stream_event(event, document, read, customers, partial=subscription.partial)
