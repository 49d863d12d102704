"""Every error of the hub, in one tree. A class says what the caller does next.

HubError
├── ConfigurationError          correct the named files; nothing has started
├── SourceError                 this run of this source stops; other sources go on
│   ├── SourceUnavailableError  try again later; retries were used up
│   ├── SourceProtocolError     correct the source or its YAML; retrying will not help
│   └── TooManyRejectsError     correct the mapping or the source; the cursor has not moved
├── RecordError                 quarantine this record; the run goes on
├── RequestError                the caller changes the request
│   ├── AuthenticationError     send a valid token
│   ├── PurposeError            state one known purpose that the role may use
│   ├── AccessDeniedError       ask for less, or ask the policy's owner
│   ├── LimitError              ask a smaller question; the limit is named
│   ├── RateLimitError          wait for as long as it says, then ask again
│   ├── QueryError              correct the query
│   │   └── DocumentNotFoundError  send the whole document, or the id of one that the hub ships
│   └── NotFoundError           there is no such thing, or the caller may not know of it
├── ProviderUnavailableError    try again later; nobody's token can be checked for now
├── StoreError                  the database cannot serve
│   ├── StoreUnavailableError   try again later; nothing was half-written
│   └── SchemaChangeError       follow the instructions in the message
└── AuditError                  the audit log cannot serve
    ├── AuditIntegrityError     the log was altered; stop and investigate
    └── MasterKeyError          give the master key that the message names by its id

Messages carry keys, field names and positions, never values of personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class FaultLike(Protocol):
    """What a configuration fault offers: one line of text with file, line and column."""

    def __str__(self) -> str: ...


class HubError(Exception):
    """The root of the tree; never raised itself."""


class ConfigurationError(HubError):
    """The configuration has faults, all of them listed; nothing has started."""

    def __init__(self, faults: Sequence[FaultLike]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        head = f"{count} fault{'s' if count != 1 else ''} in the configuration"
        super().__init__("\n".join([head, *(f"  {fault}" for fault in self.faults)]))


class SourceError(HubError):
    """A source system could not be read to the end; this run of it stops."""

    def __init__(self, source: str, stream: str | None, message: str) -> None:
        self.source, self.stream = source, stream
        where = source if stream is None else f"{source}.{stream}"
        super().__init__(f"{where}: {message}")


class SourceUnavailableError(SourceError):
    """The source is down, slow or refuses for now; bounded retries were used up."""


class SourceProtocolError(SourceError):
    """The source answers what its YAML does not expect; retrying will not help."""


class TooManyRejectsError(SourceError):
    """More than the configured share of a run's records are bad; the cursor has not moved."""


class RecordError(HubError):
    """One record cannot be accepted; it goes to quarantine with field and reason.

    `code` is a stable word for grouping (`missing_key`, `bad_value`, ...); the message holds no value.
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        self.field, self.code, self.reason = field, code, message
        super().__init__(f"{field}: {message}")


class RequestError(HubError):
    """The request cannot be answered as it stands; `code` is what a client program tests."""

    code = "BAD_REQUEST"


class AuthenticationError(RequestError):
    """The caller is not known: no token, or one that does not verify."""

    code = "UNAUTHENTICATED"


class PurposeError(RequestError):
    """The request states no purpose, more than one, or one the caller may not use."""

    code = "PURPOSE_REQUIRED"


class AccessDeniedError(RequestError):
    """The policy does not allow what was asked."""

    code = "FORBIDDEN"


class LimitError(RequestError):
    """The request is larger than a limit, which the message names."""

    code = "LIMIT_EXCEEDED"


class RateLimitError(RequestError):
    """The caller asks too often; `retry_after_s` is after how many seconds they may ask again."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class QueryError(RequestError):
    """The query is malformed or asks for something that does not exist."""

    code = "BAD_QUERY"


class DocumentNotFoundError(QueryError):
    """The request names its document by an id that the hub does not know; `code` is the one of Apollo's clients."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class NotFoundError(RequestError):
    """There is no such thing, or the caller may not know of it; the two read the same."""

    code = "NOT_FOUND"


class ProviderUnavailableError(HubError):
    """The identity provider's keys were never fetched, and cannot be for now: no token can be checked."""


class StoreError(HubError):
    """The database cannot serve this call."""


class StoreUnavailableError(StoreError):
    """The database is out of reach or busy for too long; nothing was half-written."""


class SchemaChangeError(StoreError):
    """The ontology asks for a change of tables that would lose data; the message says what to do."""


class AuditError(HubError):
    """The audit log cannot take or give an event; what depends on it must not go on."""


class AuditIntegrityError(AuditError):
    """The log does not verify; `index` is the first bad leaf, None when it is not one leaf."""

    def __init__(self, index: int | None, message: str) -> None:
        self.index = index
        super().__init__(message if index is None else f"event {index}: {message}")


class MasterKeyError(AuditError):
    """A data key is wrapped by a master key that is not given: sealed payloads can be neither made nor opened."""
