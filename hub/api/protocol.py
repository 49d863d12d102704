"""The sub-protocol `graphql-transport-ws`: what a client's messages mean, and what the hub says to them. No I/O.

The protocol of graphql-ws: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md

A *connection* begins with the client's `connection_init`, which the hub acknowledges. Then each *operation* has an id
of the client's choice, which is free again when the operation is complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import orjson

from hub.api.http import TransportError, asked
from hub.errors import LimitError
from hub.schema import GraphQLRequest

SUBPROTOCOL = "graphql-transport-ws"
MAX_UNDER_WAY = 50
"""Operations that one connection may have under way."""
_TOO_MANY = f"too many operations on one connection; the limit max_under_way is {MAX_UNDER_WAY}"
_MAX_ID = 128
_MAX_REASON = 123
"""Bytes of a reason: what a control frame holds (RFC 6455, section 5.5)."""


class Close(IntEnum):
    """Codes with which the hub closes a socket."""

    GOING_AWAY = 1001
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITIALISATIONS = 4429
    INTERNAL_ERROR = 4500


CLOSED: Mapping[Close, str] = MappingProxyType(
    {
        Close.GOING_AWAY: "connect again: the hub is stopping",
        Close.TRY_AGAIN_LATER: "connect again later, after the last `seq`: too many connections, or it read too slowly",
        Close.BAD_REQUEST: "correct the message: it is none of the protocol",
        Close.UNAUTHORIZED: "send `connection_init`, and wait for `connection_ack`, before `subscribe`",
        Close.FORBIDDEN: "connect with a good token and a purpose; also once the token has expired",
        Close.SUBPROTOCOL_NOT_ACCEPTABLE: f"ask for the sub-protocol `{SUBPROTOCOL}`",
        Close.INITIALISATION_TIMEOUT: "send `connection_init` within 3 seconds",
        Close.SUBSCRIBER_EXISTS: "give each operation an id of its own",
        Close.TOO_MANY_INITIALISATIONS: "send `connection_init` once",
        Close.INTERNAL_ERROR: "report the reference: something went wrong that should not",
    }
)
"""What a client does about each code."""


class CloseError(Exception):
    """The socket is to be closed with this code; the reason goes to the client."""

    def __init__(self, code: Close, reason: str) -> None:
        self.code = code
        self.reason = reason.encode()[:_MAX_REASON].decode(errors="ignore")
        super().__init__(f"{code}")


@dataclass(frozen=True, slots=True)
class Initialise:
    """The client introduces itself."""

    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Start:
    """An operation is to begin."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Refuse:
    """An operation is not to begin."""

    id: str
    error: LimitError


@dataclass(frozen=True, slots=True)
class Stop:
    """An operation is to end; the client hears no more of it."""

    id: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that the hub owes the client at once."""

    text: str


Step = Initialise | Start | Refuse | Stop | Reply | None


class Protocol:
    """The state of one socket."""

    def __init__(self) -> None:
        self._initialised = False
        self._acknowledged = False
        self._operations: set[str] = set()

    def received(self, text: str | None) -> Step:
        """What a message asks for, None where it asks for nothing; the text is None for one that was no text.

        Raises:
            CloseError: the protocol does not allow it, now or ever.
        """
        message = _parsed(text)
        kind = message.get("type")
        if kind == "connection_init":
            return self._initialise(message)
        if kind == "subscribe":
            return self._start(message)
        if kind == "complete":
            return self._stop(message)
        if kind == "ping":
            return Reply(_text("pong", payload=_payload(message)))
        if kind == "pong":
            _payload(message)
            return None
        raise CloseError(Close.BAD_REQUEST, "the message is of no type that a client may send")

    def acknowledge(self) -> str:
        """The message that lets operations begin."""
        self._acknowledged = True
        return _text("connection_ack")

    def next(self, id_: str, body: bytes) -> str | None:
        """The message with one answer of an operation, None when the client hears no more of it."""
        return _text("next", id=id_, payload=orjson.Fragment(body)) if id_ in self._operations else None

    def error(self, id_: str, body: bytes) -> str | None:
        """The message that ends an operation with the errors of this answer."""
        return self._last(id_, _text("error", id=id_, payload=orjson.loads(body)["errors"]))

    def complete(self, id_: str) -> str | None:
        """The message that ends an operation."""
        return self._last(id_, _text("complete", id=id_))

    def _last(self, id_: str, text: str) -> str | None:
        is_open = id_ in self._operations
        self._operations.discard(id_)
        return text if is_open else None

    def _initialise(self, message: Mapping[str, Any]) -> Initialise:
        payload = _payload(message) or {}
        if self._initialised:
            raise CloseError(Close.TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
        self._initialised = True
        return Initialise(payload)

    def _start(self, message: Mapping[str, Any]) -> Start | Refuse:
        id_, payload = _id(message), message.get("payload")
        if not isinstance(payload, dict):
            raise CloseError(Close.BAD_REQUEST, "a message of type subscribe has an object as payload")
        try:
            request = asked(payload)
        except TransportError as error:
            raise CloseError(Close.BAD_REQUEST, str(error)) from None
        if not self._acknowledged:
            raise CloseError(Close.UNAUTHORIZED, "Unauthorized")
        if id_ in self._operations:
            raise CloseError(Close.SUBSCRIBER_EXISTS, f"Subscriber for {id_} already exists")
        self._operations.add(id_)
        if len(self._operations) > MAX_UNDER_WAY:
            return Refuse(id_, LimitError(_TOO_MANY))
        return Start(id_, request)

    def _stop(self, message: Mapping[str, Any]) -> Stop | None:
        id_ = _id(message)
        if id_ not in self._operations:
            return None  # it has ended by itself, while the message was on its way
        self._operations.discard(id_)
        return Stop(id_)


def _parsed(text: str | None) -> Mapping[str, Any]:
    try:
        message = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        raise CloseError(Close.BAD_REQUEST, "the message is no JSON") from None
    if not isinstance(message, dict):
        raise CloseError(Close.BAD_REQUEST, "the message is no JSON object")
    return message


def _id(message: Mapping[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= _MAX_ID:
        raise CloseError(Close.BAD_REQUEST, f"id is no text of 1 to {_MAX_ID} characters")
    return id_


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    payload = message.get("payload")
    if not isinstance(payload, dict | None):
        raise CloseError(Close.BAD_REQUEST, "payload is no object")
    return payload


def _text(kind: str, **members: Any) -> str:
    given = {name: value for name, value in members.items() if value is not None}
    return orjson.dumps({"type": kind, **given}).decode()
