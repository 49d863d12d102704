"""Bodies of responses."""

from __future__ import annotations

import orjson

from hub.errors import AccessDeniedError, StoreUnavailableError
from hub.schema.answers import Frame, failed, refused


def test_a_frame_puts_what_plans_return_in_the_order_of_the_document() -> None:
    frame = Frame(["what", "a", "again", "b", "last"], dict.fromkeys(("what", "again", "last"), "Query"))
    answer = frame.around(['{"x":1}', "null"])
    assert answer.body == b'{"data":{"what":"Query","a":{"x":1},"again":"Query","b":null,"last":"Query"}}'


def test_a_frame_may_have_no_place_for_a_plan() -> None:
    assert Frame(["t"], {"t": "Query"}).around([]).body == b'{"data":{"t":"Query"}}'


def test_a_refusal_tells_its_code_and_is_no_failure() -> None:
    answer = refused(AccessDeniedError("not for you"))
    assert orjson.loads(answer.body) == {
        "errors": [{"message": "not for you", "extensions": {"code": "FORBIDDEN"}}]
    }
    assert not answer.failed


def test_a_failure_hides_its_cause() -> None:
    answer = failed(ValueError("ann@example.com"))
    assert answer.failed
    assert not answer.unavailable
    assert b"ann" not in answer.body
    assert failed(StoreUnavailableError("host db.example.com")).unavailable
