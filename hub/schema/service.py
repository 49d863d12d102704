"""One question from document to answer: plan -> fetch -> record -> answer.

Whatever can be refused is refused before anything is read; nothing is answered before its audit event is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson
from graphql import ExecutionResult, execute

from hub.access import Caller, Requester, plan_access
from hub.audit import Action, AuditEvent, Outcome
from hub.errors import AuditError, AuthenticationError, LimitError, RequestError
from hub.graph.plans import AccessNote
from hub.graph.plans import execute as run_plan
from hub.schema.catalogue import TYPENAME, make_catalogue
from hub.schema.context import RequestContext
from hub.schema.documents import Document, Documents, Operation, coerced_variables
from hub.schema.errors import Formatted, failure, field_error, request_errors
from hub.schema.plans import OperationPlan, Plans
from hub.schema.searching import SEARCH_FIELD
from hub.services import Services

POINT_COST = 500
"""Answers up to this cost are read on the event loop where the database is a file: faster than a thread's hand-over."""
THREADS = 4


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client sends, as text and JSON."""

    query: str = field(repr=False)
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The response; `refusal` is the error of a request that was not executed."""

    body: dict[str, Any] = field(repr=False)
    refusal: RequestError | None = None
    failed: bool = False
    """Whether the hub itself could not answer."""


@dataclass(frozen=True, slots=True)
class _Planned:
    document: Document
    operation: Operation
    variables: Mapping[str, Any] = field(repr=False)
    """As GraphQL coerced them."""
    given: Mapping[str, Any] = field(repr=False)
    plan: OperationPlan
    context: RequestContext = field(repr=False)


class GraphQLService:
    """Answers GraphQL requests of authenticated callers. Close it when the API ends."""

    def __init__(self, services: Services) -> None:
        self._services = services
        settings = services.settings
        self.catalogue = make_catalogue(services.ontology)
        self._documents = Documents(self.catalogue.graphql, settings.max_depth)
        self._dialect = services.store.dialect.name
        self._plans = Plans(self.catalogue, self._dialect, settings.max_page, settings.max_cost)
        self._pool = ThreadPoolExecutor(THREADS, "graphql")

    def close(self) -> None:
        """Wait for the reads that are under way."""
        self._pool.shutdown()

    async def answer(self, request: GraphQLRequest, requester: Requester) -> Answer:
        """The answer to a request. Never raises: what goes wrong is in the answer."""
        try:
            event = self._event(requester)
        except AuditError as error:
            return await self.refuse(_unrecordable(error))
        document: Document | None = None
        try:
            document = self._documents.get(request.query)
            planned = self._planned(document, request, requester)
            result = await self._fetched(planned)
        except RequestError as error:
            return await self._refused(event, error, document)
        except Exception as error:  # noqa: BLE001 - nothing of a foreign error may reach the caller
            return await self._failed(event, error, document)
        return await self._recorded(_read_event(event, planned, result), _body(planned, result))

    async def refuse(self, error: RequestError, caller: Caller | None = None) -> Answer:
        """The answer to one who is not let in, recorded as such: with their name where their token proves it."""
        event = AuditEvent(
            Action.LOGIN_REFUSED,
            "anonymous",
            outcome=Outcome.REFUSED,
            reason_code=error.code,
            policy_sha256=self._services.access.sha256,
        )
        if caller is not None:
            try:
                event = replace(event, actor=caller.subject, department=caller.department)
            except AuditError as unnamed:
                error = _unrecordable(unnamed)
        return await self._recorded(event, {"errors": request_errors(error)}, error)

    async def turn_away(self, error: RequestError, requester: Requester) -> Answer:
        """The answer to a known caller whose request says nothing that could be answered."""
        try:
            event = self._event(requester)
        except AuditError as unnamed:
            return await self.refuse(_unrecordable(unnamed))
        return await self._refused(event, error)

    # plan

    def _planned(self, document: Document, request: GraphQLRequest, requester: Requester) -> _Planned:
        access = plan_access(self._services.access, requester)
        operation = document.operation(request.operation_name)
        variables = coerced_variables(self.catalogue.graphql, operation.node, request.variables)
        try:
            plan = self._plans.plan(document, operation, variables, access)
        except RecursionError:
            # Documents are bounded by then; a filter that comes in a variable may nest as deep as JSON does.
            raise LimitError("the variables nest too deeply") from None
        context = RequestContext(self._services, requester, access)
        return _Planned(document, operation, variables, request.variables, plan, context)

    # fetch

    async def _fetched(self, planned: _Planned) -> ExecutionResult:
        if self._is_point(planned):
            return self._fetch(planned)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(self._fetch, planned))

    def _is_point(self, planned: _Planned) -> bool:
        if self._dialect != "sqlite" or any(name != TYPENAME for name in planned.plan.others):
            return False
        if not all(each.bounded for each in planned.plan.fields):
            return False
        return planned.plan.cost(planned.variables) <= POINT_COST

    def _fetch(self, planned: _Planned) -> ExecutionResult:
        result = execute(
            self.catalogue.graphql,
            planned.document.tree,
            root_value=self._trees(planned),
            context_value=planned.context,
            variable_values=dict(planned.given),
            operation_name=planned.operation.name,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError("a resolver is asynchronous")
        return result

    def _trees(self, planned: _Planned) -> dict[str, Any]:
        """For each root field that a plan answers the tree of its JSON, by response key."""
        trees: dict[str, Any] = {}
        if not planned.plan.fields:
            return trees
        with self._services.store.read() as connection:
            for each in planned.plan.fields:
                found = run_plan(connection, each.plan, each.variables(planned.variables))
                trees[each.key] = orjson.loads(found.json_text)
                reads = each.plan.reads
                planned.context.touched.add(reads.types, reads.categories, reads.properties, found.customers)
        return trees

    # record

    def _event(self, requester: Requester) -> AuditEvent:
        return AuditEvent(
            Action.READ,
            requester.subject,
            roles=tuple(sorted(requester.roles)),
            department=requester.department,
            purpose=requester.purpose,
            policy_sha256=self._services.access.sha256,
        )

    async def _refused(
        self, event: AuditEvent, error: RequestError, document: Document | None = None
    ) -> Answer:
        refused = replace(
            event,
            action=Action.READ_REFUSED,
            outcome=Outcome.REFUSED,
            reason_code=error.code,
            query_sha256=document.recorded_as if document else None,
        )
        return await self._recorded(refused, {"errors": request_errors(error)}, error)

    async def _failed(self, event: AuditEvent, error: Exception, document: Document | None) -> Answer:
        formatted = failure(error)
        failed = replace(
            event,
            outcome=Outcome.FAILED,
            reason_code=formatted["extensions"]["code"],
            query_sha256=document.recorded_as if document else None,
        )
        answer = await self._recorded(failed, {"errors": [formatted]})
        return replace(answer, failed=True)

    async def _recorded(
        self, event: AuditEvent, body: dict[str, Any], refusal: RequestError | None = None
    ) -> Answer:
        try:
            await self._services.recorder.recorded(event)
        except AuditError as error:
            return Answer({"errors": [failure(error)]}, failed=True)
        return Answer(body, refusal)


def _unrecordable(error: AuditError) -> AuthenticationError:
    """Names and addresses have no place in a log that cannot forget them; the log's message holds no value."""
    return AuthenticationError(f"the token cannot be recorded ({error}); get one with opaque ids")


def _read_event(event: AuditEvent, planned: _Planned, result: ExecutionResult) -> AuditEvent:
    touched = planned.context.touched
    notes = [note for each in planned.plan.fields for note in each.plan.access_notes]
    masked = sum(note.mask is not None for note in notes)
    counts = {
        "customers": len(touched.customers),
        "fields": len(touched.properties),
        "masked": masked,
        "denied": len(notes) - masked,
    }
    return replace(
        event,
        action=Action.SEARCH if SEARCH_FIELD in planned.plan.others else Action.READ,
        outcome=Outcome.PARTIAL if notes or result.errors else Outcome.OK,
        reason_code="field_errors" if result.errors else None,
        query_sha256=planned.document.recorded_as,
        entity_types=tuple(sorted(touched.types)),
        data_categories=tuple(sorted(touched.categories)),
        customers=tuple(touched.customers),
        counts=counts,
    )


# answer


def _body(planned: _Planned, result: ExecutionResult) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [field_error(error) for error in result.errors]
    body["data"] = result.data
    notes = [_note(each.key, note) for each in planned.plan.fields for note in each.plan.access_notes]
    if notes:
        body["extensions"] = {"access": notes}
    return body


def _note(key: str, note: AccessNote) -> Formatted:
    told: Formatted = {"path": [key, *note.path], "effect": note.effect.value}
    for name, value in (("category", note.category), ("mask", note.mask), ("rule", note.rule)):
        if value is not None:
            told[name] = value
    return told
