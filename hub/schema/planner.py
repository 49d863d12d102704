"""From a request to a plan: document, operation, variables, access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import OperationType

from hub.access import AccessMap, PlanAccess
from hub.errors import AccessDeniedError, DocumentNotFoundError, LimitError, QueryError
from hub.schema.catalogue import Catalogue
from hub.schema.documents import Document, DocumentError, Documents, Operation, coerced_variables
from hub.schema.plans import OperationPlan, Plans
from hub.schema.shipped import load_shipped
from hub.settings import Settings
from hub.store import DialectName


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client sends, as text and JSON: a document, or the id of one that the hub ships."""

    query: str = field(default="", repr=False)
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reads_only: bool = False
    """Whether it came in a way that may not change anything: HTTP's GET."""
    document_id: str | None = None
    """Stands in for `query`."""


class ReadsOnlyError(QueryError):
    """A request that may only read asks for a mutation; send it by POST."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that is understood and may be run."""

    document: Document
    operation: Operation
    variables: Mapping[str, Any] = field(repr=False)
    """As GraphQL coerced them, with those that the requester's access needs."""
    given: Mapping[str, Any] = field(repr=False)
    plan: OperationPlan | None
    """None for an operation that is no query."""


class Planner:
    """Plans of one schema for one database."""

    def __init__(
        self, catalogue: Catalogue, settings: Settings, dialect: DialectName, access: AccessMap
    ) -> None:
        """A planner with the documents that the hub ships.

        Raises:
            ConfigurationError: they have faults; all are listed.
        """
        self._schema = catalogue.graphql
        self.documents = Documents(catalogue.graphql, settings.max_depth)
        self.shipped = load_shipped(settings.queries_dir, self.documents, access)
        self._trusted_only = settings.trusted_documents_only
        self.plans = Plans(catalogue, dialect, settings.max_page, settings.max_cost)

    def known(self, request: GraphQLRequest) -> Document | None:
        """The request's document, None when it is not known, or not any more."""
        shipped = self.shipped.find(request.document_id) if request.document_id else None
        return self.documents.find(shipped.text if shipped else request.query)

    def find(self, request: GraphQLRequest, access: PlanAccess) -> Planned | None:
        """The request's plan, None when document or plan must be made first.

        Raises:
            DocumentNotFoundError: the hub ships no document of its id.
            QueryError: its operation or variables do not fit the document.
            AccessDeniedError: such documents are not answered, or not to this caller.
            LimitError: it is too large; the limit is named.
        """
        document = self.documents.find(self._text(request))
        if document is None:
            return None
        _check_introspection(document, access)
        operation, variables = self._chosen(document, request)
        if operation.kind is not OperationType.QUERY:
            return _planned(document, operation, variables, request, access, None)
        plan = self.plans.find(document, operation, variables, access)
        return _planned(document, operation, variables, request, access, plan) if plan else None

    def make(self, request: GraphQLRequest, access: PlanAccess) -> Planned:
        """The request's plan, made anew where need be.

        Raises:
            DocumentNotFoundError: the hub ships no document of its id.
            QueryError: the request does not fit the schema.
            AccessDeniedError: such documents are not answered, or not to this caller; or it filters, sorts or looks up
                by what the caller may not see whole.
            LimitError: it is too large; the limit is named.
        """
        document = self._document(self._text(request), access)
        _check_introspection(document, access)
        operation, variables = self._chosen(document, request)
        plan = None
        if operation.kind is OperationType.QUERY:
            try:
                plan = self.plans.make(document, operation, variables, access)
            except RecursionError:
                # Documents are bounded by then; a filter that comes in a variable may nest as deep as JSON does.
                raise LimitError("the variables nest too deeply") from None
        return _planned(document, operation, variables, request, access, plan)

    def _text(self, request: GraphQLRequest) -> str:
        if request.document_id is not None:
            shipped = self.shipped.find(request.document_id)
            if shipped is None:
                raise DocumentNotFoundError("PersistedQueryNotFound: the hub ships no document of this id")
            return shipped.text
        if self._trusted_only and not self.shipped.holds(request.query):
            raise AccessDeniedError(
                "only documents that the hub ships are answered here; ask for one by its id"
            )
        return request.query

    def _document(self, text: str, access: PlanAccess) -> Document:
        try:
            return self.documents.get(text)
        except DocumentError as error:
            if access.introspection:
                raise
            raise error.without_suggestions() from None

    def _chosen(self, document: Document, request: GraphQLRequest) -> tuple[Operation, dict[str, Any]]:
        operation = document.operation(request.operation_name)
        if self._schema.get_root_type(operation.kind) is None:
            raise QueryError(f"there is no {operation.kind.value} in this schema")
        if request.reads_only and operation.kind is OperationType.MUTATION:
            raise ReadsOnlyError("GET only reads; send a mutation by POST")
        return operation, coerced_variables(self._schema, operation.node, request.variables)


def _planned(
    document: Document,
    operation: Operation,
    variables: Mapping[str, Any],
    request: GraphQLRequest,
    access: PlanAccess,
    plan: OperationPlan | None,
) -> Planned:
    return Planned(document, operation, {**variables, **access.reach.variables}, request.variables, plan)


def _check_introspection(document: Document, access: PlanAccess) -> None:
    # Of the caller, not of the document: that one is kept for all.
    if document.introspects and not access.introspection:
        raise AccessDeniedError(
            "the schema is shown to roles that may introspect, of which the caller has none"
        )
