"""Ways by which a question reaches the hub and its answer leaves it, from the door of the application on.

The leak checks ask the service itself, for speed; by these ways they also see what headers, statuses, frames and
events of the transports tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from starlette.types import ASGIApp

from tests.api.stream_world import ClosedError, EventSource, Socket

_GRAPHQL = "application/graphql-response+json"


@dataclass(frozen=True)
class Question:
    """What is asked, by whom, and how many events answer it where it is a subscription."""

    query: str
    variables: Mapping[str, Any]
    token: str
    purpose: str
    events: int
    glass: str | None = None
    """The broken glass that is looked through."""

    @property
    def headers(self) -> dict[str, str]:
        """What comes with it beside the token."""
        named = {} if self.glass is None else {"x-break-glass": self.glass}
        return {"x-purpose": self.purpose, **named}

    @property
    def body(self) -> dict[str, Any]:
        """As it is posted."""
        return {"query": self.query, "variables": dict(self.variables)}

    @property
    def answers(self) -> int:
        """How many answers are waited for."""
        return max(self.events, 1) if self.query.startswith("subscription") else 1


@dataclass(frozen=True)
class Heard:
    """What came back."""

    wire: bytes
    """Everything that an observer can compare: status, headers, frames."""
    answers: tuple[Any, ...]
    """The GraphQL responses in it."""


Way = Callable[[ASGIApp, Question], Awaitable[Heard]]


async def _http(app: ASGIApp, method: str, question: Question, accept: str, **more: Any) -> Heard:
    headers = {
        "authorization": f"Bearer {question.token}",
        **question.headers,
        "accept": accept,
    }
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
        reply = await client.request(method, "/graphql", headers=headers, **more)
    wire = orjson.dumps([reply.status_code, sorted(reply.headers.items())]) + reply.content
    return Heard(wire, (reply.json(),))


async def posted(app: ASGIApp, question: Question) -> Heard:
    """By POST, in the media type of GraphQL, whose statuses tell most."""
    return await _http(app, "POST", question, _GRAPHQL, json=question.body)


async def gotten(app: ASGIApp, question: Question) -> Heard:
    """By GET."""
    variables = orjson.dumps(dict(question.variables)).decode()
    parameters = {"query": question.query, "variables": variables}
    return await _http(app, "GET", question, "application/json", params=parameters)


async def streamed(app: ASGIApp, question: Question) -> Heard:
    """As server-sent events."""
    source = EventSource(app, question.body, question.token, **question.headers)
    told: list[Any] = [await source.started()]
    answers = []
    while len(answers) < question.answers:
        event, data = await source.event()
        told.append((event, data))
        if event != "next":
            break
        answers.append(data)
        if "data" not in data:
            break
    await source.leaves()
    return Heard(orjson.dumps(told), tuple(answers))


async def socketed(app: ASGIApp, question: Question) -> Heard:
    """Over a WebSocket, with the frames of `graphql-transport-ws`."""
    socket = Socket(app)
    await socket.introduces(question.token, **question.headers)
    socket.subscribes("1", question.query, **question.variables)
    told, answers = [], []
    with suppress(ClosedError):
        while len(answers) < question.answers:
            message = await socket.hears()
            told.append(message)
            answers.append(message.get("payload"))
            if message["type"] != "next":
                break
    await socket.gone()
    return Heard(orjson.dumps(told), tuple(answers))


WAYS: Mapping[str, Way] = {"POST": posted, "GET": gotten, "events": streamed, "socket": socketed}
"""All ways to the endpoint, by name."""
