"""Errors as GraphQL tells them: what a caller can act on in words, everything else masked under a reference."""

from __future__ import annotations

import logging
import secrets
import traceback
from typing import Any

from graphql import GraphQLError

from hub.errors import AuditError, HubError, ProviderUnavailableError, RequestError, StoreUnavailableError
from hub.schema.documents import DocumentError

INTERNAL = "INTERNAL_ERROR"
UNAVAILABLE = "UNAVAILABLE"

Formatted = dict[str, Any]

_log = logging.getLogger(__name__)


def request_errors(error: RequestError) -> list[Formatted]:
    """The errors of a request that was refused."""
    if isinstance(error, DocumentError):
        return [_located(each, error.code) for each in error.errors]
    return [{"message": str(error), "extensions": {"code": error.code}}]


def failure(error: Exception) -> Formatted:
    """The error of a request that failed for a reason of the hub's own, its cause logged under a reference."""
    if isinstance(error, StoreUnavailableError):
        return _masked("the database is out of reach for now; try again later", UNAVAILABLE, error)
    if isinstance(error, AuditError):
        return _masked("the audit log cannot record the request, so it is not answered", UNAVAILABLE, error)
    if isinstance(error, ProviderUnavailableError):
        return _masked("the identity provider is out of reach for now; try again later", UNAVAILABLE, error)
    return _masked("internal error", INTERNAL, error)


def field_error(error: GraphQLError) -> Formatted:
    """The error of one field of an answer."""
    cause = error.original_error
    if isinstance(cause, RequestError):
        return _located(GraphQLError(str(cause), error.nodes, path=error.path), cause.code)
    masked = failure(cause if isinstance(cause, HubError) else cause or error)
    located = _located(GraphQLError("", error.nodes, path=error.path), INTERNAL)
    return {**located, **masked}


def _located(error: GraphQLError, code: str) -> Formatted:
    formatted: Formatted = dict(error.formatted)
    return {**formatted, "extensions": {"code": code}}


def _masked(message: str, code: str, error: Exception) -> Formatted:
    reference = secrets.token_hex(6)
    # Kind and place only: the message of a foreign exception may quote values.
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s, reference %s: %s\n%s", message, reference, type(error).__name__, places)
    return {
        "message": f"{message} (reference {reference})",
        "extensions": {"code": code, "reference": reference},
    }
