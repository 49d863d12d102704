"""From a request to a plan: document, operation, variables, access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import OperationType

from hub.access import PlanAccess
from hub.errors import LimitError, QueryError
from hub.schema.catalogue import Catalogue
from hub.schema.documents import Document, Documents, Operation, coerced_variables
from hub.schema.plans import OperationPlan, Plans
from hub.settings import Settings
from hub.store import DialectName


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client sends, as text and JSON."""

    query: str = field(repr=False)
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reads_only: bool = False
    """Whether it came in a way that may not change anything: HTTP's GET."""


class ReadsOnlyError(QueryError):
    """A request that may only read asks for a mutation; send it by POST."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that is understood and may be run."""

    document: Document
    operation: Operation
    variables: Mapping[str, Any] = field(repr=False)
    """As GraphQL coerced them."""
    given: Mapping[str, Any] = field(repr=False)
    plan: OperationPlan | None
    """None for an operation that is no query."""


class Planner:
    """Plans of one schema for one database."""

    def __init__(self, catalogue: Catalogue, settings: Settings, dialect: DialectName) -> None:
        self._schema = catalogue.graphql
        self.documents = Documents(catalogue.graphql, settings.max_depth)
        self.plans = Plans(catalogue, dialect, settings.max_page, settings.max_cost)

    def find(self, request: GraphQLRequest, access: PlanAccess) -> Planned | None:
        """The request's plan, None when document or plan must be made first.

        Raises:
            QueryError: its operation or variables do not fit the document.
            LimitError: it is too large; the limit is named.
        """
        document = self.documents.find(request.query)
        if document is None:
            return None
        operation, variables = self._chosen(document, request)
        if operation.kind is not OperationType.QUERY:
            return Planned(document, operation, variables, request.variables, None)
        plan = self.plans.find(document, operation, variables, access)
        return Planned(document, operation, variables, request.variables, plan) if plan else None

    def make(self, request: GraphQLRequest, access: PlanAccess) -> Planned:
        """The request's plan, made anew where need be.

        Raises:
            QueryError: the request does not fit the schema.
            AccessDeniedError: it filters, sorts or looks up by what the caller may not see whole.
            LimitError: it is too large; the limit is named.
        """
        document = self.documents.get(request.query)
        operation, variables = self._chosen(document, request)
        plan = None
        if operation.kind is OperationType.QUERY:
            try:
                plan = self.plans.make(document, operation, variables, access)
            except RecursionError:
                # Documents are bounded by then; a filter that comes in a variable may nest as deep as JSON does.
                raise LimitError("the variables nest too deeply") from None
        return Planned(document, operation, variables, request.variables, plan)

    def _chosen(self, document: Document, request: GraphQLRequest) -> tuple[Operation, dict[str, Any]]:
        operation = document.operation(request.operation_name)
        if self._schema.get_root_type(operation.kind) is None:
            raise QueryError(f"there is no {operation.kind.value} in this schema")
        if request.reads_only and operation.kind is OperationType.MUTATION:
            raise ReadsOnlyError("GET only reads; send a mutation by POST")
        return operation, coerced_variables(self._schema, operation.node, request.variables)
