"""GraphQL over HTTP: what a request says, in which media type it is answered, with which status.

The GraphQL-over-HTTP draft of 2025: https://graphql.github.io/graphql-over-http/draft/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import orjson
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hub.errors import (
    AccessDeniedError,
    AuthenticationError,
    LimitError,
    NotFoundError,
    PurposeError,
    QueryError,
    RateLimitError,
    RequestError,
)
from hub.schema import HASHED, Answer, GraphQLRequest, ReadsOnlyError, document_hash

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
MAX_BODY = 256 * 1024
"""Bytes of a request, or of its query string: a document of 5,000 tokens with its variables needs less."""
_TOO_LARGE = f"the request is too large; the limit max_body is {MAX_BODY}"
_MAX_CONTENT_TYPE = 200
_HEADERS_KEPT = 64
"""Values of a header whose meaning is kept: clients send the same few again and again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that nobody on the way keeps, as an ASGI application."""

    body: bytes
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        headers = [
            (b"content-type", b"%b; charset=utf-8" % self.media_type.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(self.body)),
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class TransportError(RequestError):
    """It is no GraphQL-over-HTTP request; nothing was looked at but its envelope. Correct the request."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.status, self.headers = status, headers
        super().__init__(message)


def media_type(headers: Headers) -> str:
    """The media type of the answer, the first of the client's that the hub speaks.

    A client that names none is one from before `application/graphql-response+json`.

    Raises:
        TransportError: the client takes none of the three.
    """
    return _media_type(headers.get("accept", "*/*"))


@lru_cache(_HEADERS_KEPT)
def _media_type(accept: str) -> str:
    accepted = [_accepted(part) for part in accept.split(",")]
    wanted = sorted((item for item in accepted if item[1] > 0), key=lambda item: -item[1])
    for name, _weight in wanted:
        if name in (JSON, GRAPHQL_JSON, EVENT_STREAM):
            return name
        if name in ("*/*", "application/*"):
            return JSON
    raise TransportError(406, f"answers are {GRAPHQL_JSON}, {JSON} or {EVENT_STREAM}")


def _accepted(part: str) -> tuple[str, float]:
    name, *parameters = (item.strip() for item in part.split(";"))
    weight = next((item[2:] for item in parameters if item.startswith("q=")), "1")
    try:
        return name.lower(), float(weight)
    except ValueError:
        return name.lower(), 0.0


async def graphql_request(request: Request) -> GraphQLRequest:
    """What the client asks.

    Raises:
        TransportError: it is malformed, too large, or of another method or media type.
    """
    if request.method == "GET":
        _check_asked_on_purpose(request.headers)
        if len(request.scope["query_string"]) > MAX_BODY:
            raise TransportError(414, _TOO_LARGE)
        return asked(_from_query(request.query_params), reads_only=True)
    if request.method != "POST":
        raise TransportError(405, "use GET or POST", {"allow": "GET, POST"})
    _check_content_type(request.headers.get("content-type", ""))
    try:
        parsed = orjson.loads(await _body(request))
    except orjson.JSONDecodeError:
        raise TransportError(400, "the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise TransportError(400, "the body is no JSON object; requests in batches are not answered")
    return asked(parsed)


def _check_asked_on_purpose(headers: Headers) -> None:
    """See to it that no link, image or form on another site's page made the GET: none of them can add this header.

    It matters where something before the hub turns a browser's cookie into the token.
    """
    if "x-purpose" not in headers:
        raise TransportError(
            400, "state the purpose in the header X-Purpose; a GET is not answered without it"
        )


@lru_cache(_HEADERS_KEPT)
def _check_content_type(given: str) -> None:
    message = Message()
    message["content-type"] = given[:_MAX_CONTENT_TYPE]
    charset = str(message.get_param("charset", "utf-8")).lower()
    if message.get_content_type() != JSON or not given or charset not in ("utf-8", "utf8"):
        raise TransportError(415, f"send {JSON} in UTF-8")


async def _body(request: Request) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise TransportError(400, "the body is not complete")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise TransportError(413, _TOO_LARGE, {"connection": "close"})
    return bytes(body)


def _from_query(parameters: QueryParams) -> dict[str, Any]:
    given: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if given.get(name):
            try:
                given[name] = orjson.loads(given[name])
            except orjson.JSONDecodeError:
                raise TransportError(400, f"{name} is not JSON") from None
    return given


def asked(given: Mapping[str, Any], *, reads_only: bool = False) -> GraphQLRequest:
    """The request that the members of a JSON object make up.

    Raises:
        TransportError: one is missing or of another type, or they name two documents.
    """
    for member in ("query", "operationName", "documentId"):
        if not isinstance(given.get(member), str | None):
            raise TransportError(400, f"{member} is no text")
    for member in ("variables", "extensions"):
        if not isinstance(given.get(member), dict | None):
            raise TransportError(400, f"{member} is no object")
    query, id_ = given.get("query") or "", given.get("documentId") or None
    if query and id_:
        raise TransportError(400, "send query or documentId, not both")
    id_ = id_ or _persisted(query, (given.get("extensions") or {}).get("persistedQuery"))
    if not query and not id_:
        raise TransportError(400, "query and documentId are missing")
    return GraphQLRequest(
        query, given.get("operationName") or None, given.get("variables") or {}, reads_only, id_
    )


def _persisted(query: str, named: Any) -> str | None:
    """The id of the document that Apollo's clients name by hash; one that comes along with its text needs none.

    Their text is not kept for the next time: what a client may add is no trusted document.
    """
    if named is None:
        return None
    if not isinstance(named, dict) or named.get("version") != 1:
        raise TransportError(400, "persistedQuery is no object of version 1")
    hash_ = named.get("sha256Hash")
    if not isinstance(hash_, str):
        raise TransportError(400, "sha256Hash is no text")
    if query and hash_.lower() != document_hash(query):
        raise TransportError(400, "sha256Hash is not the hash of query")
    return None if query else f"{HASHED}{hash_}"


def status_of(answer: Answer, answered_in: str) -> int:
    """The status of an answer: `application/json` says 200 to what its GraphQL part refuses."""
    if answer.failed:
        return 503 if answer.unavailable else 500
    error = answer.refusal
    if error is None:
        return 200
    if isinstance(error, ReadsOnlyError):
        return 405
    return (
        200 if answered_in == JSON and isinstance(error, QueryError | LimitError) else refusal_status(error)
    )


def headers_of(answer: Answer) -> Mapping[str, str]:
    """What a client is told of an answer by headers."""
    return {"allow": "POST"} if isinstance(answer.refusal, ReadsOnlyError) else NO_HEADERS


def refusal_status(error: RequestError) -> int:
    """The status of a refused request."""
    if isinstance(error, AuthenticationError):
        return 401
    if isinstance(error, AccessDeniedError | PurposeError):
        return 403
    if isinstance(error, RateLimitError):
        return 429
    return 404 if isinstance(error, NotFoundError) else 400
