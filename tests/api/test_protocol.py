"""The messages of graphql-transport-ws, without any I/O."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.protocol import (
    CLOSED,
    MAX_UNDER_WAY,
    Close,
    CloseError,
    Initialise,
    Protocol,
    Refuse,
    Reply,
    Start,
    Stop,
)

QUERY = {"query": "{ me { subject } }"}


def said(protocol: Protocol, type_: str, **members: Any) -> Any:
    return protocol.received(json.dumps({"type": type_, **members}))


def acknowledged() -> Protocol:
    protocol = Protocol()
    assert isinstance(said(protocol, "connection_init"), Initialise)
    assert json.loads(protocol.acknowledge()) == {"type": "connection_ack"}
    return protocol


def code(protocol: Protocol, text: str | None) -> int:
    with pytest.raises(CloseError) as closed:
        protocol.received(text)
    assert len(closed.value.reason.encode()) <= 123
    return int(closed.value.code)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        '"text"',
        "{}",
        '{"type": 7}',
        '{"type": "next", "id": "1", "payload": {}}',
        '{"type": "start"}',
        '{"type": "connection_init", "payload": "text"}',
        '{"type": "ping", "payload": 1}',
        '{"type": "pong", "payload": []}',
        '{"type": "complete"}',
        '{"type": "complete", "id": 1}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "extensions": "x"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "payload": {"query": "{ a }"}}',
        json.dumps({"type": "subscribe", "id": "x" * 129, "payload": QUERY}),
    ],
)
def test_a_message_that_is_none_closes_the_socket_with_4400(text: str | None) -> None:
    assert code(acknowledged(), text) == 4400


def test_to_subscribe_before_the_acknowledgement_closes_the_socket_with_4401() -> None:
    asks = json.dumps({"type": "subscribe", "id": "1", "payload": QUERY})
    assert code(Protocol(), asks) == 4401
    protocol = Protocol()
    said(protocol, "connection_init")
    assert code(protocol, asks) == 4401


@pytest.mark.parametrize("protocol", [acknowledged, Protocol])
def test_to_introduce_oneself_twice_closes_the_socket_with_4429(protocol: Any) -> None:
    found = protocol()
    if protocol is Protocol:
        said(found, "connection_init")
    assert code(found, '{"type": "connection_init"}') == 4429


def test_an_id_that_is_in_use_closes_the_socket_with_4409_and_is_named() -> None:
    protocol = acknowledged()
    assert isinstance(said(protocol, "subscribe", id="é" * 128, payload=QUERY), Start)
    with pytest.raises(CloseError, match="4409") as closed:
        said(protocol, "subscribe", id="é" * 128, payload=QUERY)
    assert closed.value.reason.startswith("Subscriber for éé")
    assert len(closed.value.reason.encode()) <= 123


@pytest.mark.parametrize("end", ["complete", "error", "stop"])
def test_an_id_is_free_again_once_its_operation_has_ended(end: str) -> None:
    protocol = acknowledged()
    assert isinstance(said(protocol, "subscribe", id="1", payload=QUERY), Start)
    if end == "complete":
        assert json.loads(protocol.complete("1") or "") == {"type": "complete", "id": "1"}
    elif end == "error":
        told = json.loads(protocol.error("1", b'{"errors":[{"message":"no"}]}') or "")
        assert told == {"type": "error", "id": "1", "payload": [{"message": "no"}]}
    else:
        assert said(protocol, "complete", id="1") == Stop("1")
    assert (protocol.next("1", b"{}"), protocol.complete("1"), protocol.error("1", b'{"errors":[]}')) == (
        None,
        None,
        None,
    )
    assert isinstance(said(protocol, "subscribe", id="1", payload=QUERY), Start)


def test_an_answer_is_put_into_its_message_as_it_is() -> None:
    protocol = acknowledged()
    said(protocol, "subscribe", id="1", payload=QUERY)
    assert (
        protocol.next("1", b'{"data":{"a":1.50}}') == '{"type":"next","id":"1","payload":{"data":{"a":1.50}}}'
    )


@pytest.mark.parametrize("members", [{}, {"payload": {"a": [1]}}, {"payload": None}])
def test_a_ping_is_answered_with_its_payload_at_any_time(members: dict[str, Any]) -> None:
    for protocol in (Protocol(), acknowledged()):
        reply = said(protocol, "ping", **members)
        assert isinstance(reply, Reply)
        kept = {key: value for key, value in members.items() if value is not None}
        assert json.loads(reply.text) == {"type": "pong", **kept}
        assert said(protocol, "pong", **members) is None


def test_to_end_what_is_not_under_way_is_no_fault() -> None:
    assert said(Protocol(), "complete", id="1") is None
    assert said(acknowledged(), "complete", id="1") is None


def test_more_operations_than_allowed_are_refused_and_the_others_go_on() -> None:
    protocol = acknowledged()
    for number in range(MAX_UNDER_WAY):
        assert isinstance(said(protocol, "subscribe", id=str(number), payload=QUERY), Start)
    refused = said(protocol, "subscribe", id="more", payload=QUERY)
    assert isinstance(refused, Refuse)
    assert f"max_under_way is {MAX_UNDER_WAY}" in str(refused.error)
    assert protocol.error("more", b'{"errors":[]}')
    assert said(protocol, "complete", id="0") == Stop("0")
    assert isinstance(said(protocol, "subscribe", id="more", payload=QUERY), Start)


def test_the_request_is_that_of_http() -> None:
    payload = {**QUERY, "variables": {"a": 1}, "operationName": "Q", "extensions": {"any": "thing"}}
    step = said(acknowledged(), "subscribe", id="1", payload=payload)
    assert isinstance(step, Start)
    assert (
        step.request.query,
        step.request.operation_name,
        step.request.variables,
        step.request.reads_only,
    ) == (
        QUERY["query"],
        "Q",
        {"a": 1},
        False,
    )


def test_no_step_shows_what_a_client_said_in_its_repr() -> None:
    protocol = Protocol()
    assert "secret" not in repr(said(protocol, "connection_init", payload={"authorization": "secret"}))
    protocol.acknowledge()
    asks = {"query": '{ a(b: "secret") }', "variables": {"v": "secret"}}
    assert "secret" not in repr(said(protocol, "subscribe", id="1", payload=asks))


def test_every_code_is_documented() -> None:
    assert set(CLOSED) == set(Close)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
IDS = st.sampled_from(["a", "b", "c"])
GOOD = st.one_of(
    st.just({"type": "connection_init"}),
    st.just({"type": "acknowledge"}),
    st.builds(lambda id_: {"type": "subscribe", "id": id_, "payload": QUERY}, IDS),
    st.builds(lambda id_: {"type": "complete", "id": id_}, IDS),
    st.builds(lambda id_: {"type": "finish", "id": id_}, IDS),
    st.just({"type": "ping"}),
)
BAD = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["connection_init", "subscribe", "complete", "ping", "pong", "next"]) | JSON,
        "id": IDS | JSON,
        "payload": st.just(QUERY) | JSON,
    },
)


class Model:
    """What the protocol says must follow, told in another way: the open ids and two facts."""

    def __init__(self) -> None:
        self.protocol = Protocol()
        self.introduced = self.acknowledged = False
        self.open: set[str] = set()

    def take(self, message: Any) -> bool:
        """Whether the socket is still open."""
        kind = message.get("type")
        if kind == "acknowledge":
            if self.introduced:
                self.protocol.acknowledge()
                self.acknowledged = True
            return True
        if kind == "finish":
            assert (self.protocol.complete(message["id"]) is not None) is (message["id"] in self.open)
            self.open.discard(message["id"])
            return True
        try:
            step = self.protocol.received(json.dumps(message))
        except CloseError as closed:
            self.check_closed(closed, message)
            return False
        self.check(step, message)
        return True

    def check(self, step: Any, message: Any) -> None:
        if isinstance(step, Initialise):
            assert not self.introduced
            self.introduced = True
        elif isinstance(step, Start):
            assert self.acknowledged
            assert step.id == message["id"]
            assert step.id not in self.open
            self.open.add(step.id)
        elif isinstance(step, Stop):
            assert step.id in self.open
            self.open.remove(step.id)
        elif isinstance(step, Reply):
            assert json.loads(step.text)["type"] == "pong"
        else:
            assert step is None
            assert message["type"] in ("pong", "complete")

    def check_closed(self, closed: CloseError, message: Any) -> None:
        assert len(closed.reason.encode()) <= 123
        if closed.code is Close.UNAUTHORIZED:
            assert not self.acknowledged
        elif closed.code is Close.SUBSCRIBER_EXISTS:
            assert message["id"] in self.open
        elif closed.code is Close.TOO_MANY_INITIALISATIONS:
            assert self.introduced
        else:
            assert closed.code is Close.BAD_REQUEST


@given(st.lists(GOOD | BAD, max_size=25))
def test_whatever_comes_is_answered_by_the_rules_or_closes_the_socket(messages: list[Any]) -> None:
    model = Model()
    for message in messages:
        if not model.take(message):
            break
        for id_ in ("a", "b", "c"):
            told = model.protocol.next(id_, b"{}")
            assert (told is not None) is (id_ in model.open)
            assert told is None or model.acknowledged


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_breaks_the_protocol(text: str) -> None:
    for protocol in (Protocol(), acknowledged()):
        try:
            protocol.received(text)
        except CloseError as closed:
            assert closed.code in (Close.BAD_REQUEST, Close.UNAUTHORIZED)  # noqa: PT017 - which it may be
