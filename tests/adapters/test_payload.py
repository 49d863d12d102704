"""Canonical JSON of payloads."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters import payload
from hub.errors import RecordError

decimals = st.decimals(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | decimals | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=12)
payloads = st.dictionaries(texts, values)


@given(payloads)
def test_a_payload_reads_back_as_it_was(given_payload):
    assert payload.load(payload.dump(given_payload)) == given_payload


@given(payloads)
def test_the_order_of_keys_does_not_change_the_bytes(given_payload):
    turned = dict(reversed(given_payload.items()))
    assert payload.dump(turned) == payload.dump(given_payload)


@given(decimals)
def test_a_fraction_keeps_every_digit(number):
    data = payload.dump({"n": number})
    assert str(number).encode() in data
    assert not isinstance(payload.load(data)["n"], float)


def test_trailing_zeros_and_long_integers_are_kept():
    assert (
        payload.dump({"b": Decimal("12.50"), "a": 10**30}) == b'{"a":' + str(10**30).encode() + b',"b":12.50}'
    )
    assert str(payload.load(b'{"n":12.50}')["n"]) == "12.50"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0.5, "not_exact"),
        ([{"deep": 0.5}], "not_exact"),
        (math.nan, "not_exact"),
        (Decimal("NaN"), "not_exact"),
        (Decimal("-Infinity"), "not_exact"),
        ("Anne \ud83d", "not_json"),
        (dt.date(2024, 1, 1), "not_json"),
        ({1: "key"}, "not_json"),
        (b"bytes", "not_json"),
    ],
)
def test_what_has_no_exact_form_is_refused_without_its_value(value, code):
    with pytest.raises(RecordError) as caught:
        payload.dump({"field": value})
    assert caught.value.code == code
    assert "Anne" not in str(caught.value)
    assert "2024" not in str(caught.value)


def test_nesting_beyond_any_record_is_refused():
    deep: dict = {}
    for _ in range(400):
        deep = {"d": deep}
    with pytest.raises(RecordError, match="nested too deep"):
        payload.dump(deep)
    with pytest.raises(ValueError, match="nested too deep"):
        payload.load(b"[" * 100_000)


@pytest.mark.parametrize("text", [b"{", b"NaN", b'{"a": Infinity}', b"\xff", b"1 2"])
def test_text_that_is_not_json_is_refused(text):
    with pytest.raises(ValueError, match="not"):
        payload.load(text)


def test_readable_text_never_fails():
    looped: list = []
    looped.append(looped)
    for value in ({"a": 0.5, "b": "\ud83d"}, {1: b"x", "b": 2}, looped):
        assert payload.readable(value).encode()


def test_equal_bytes_have_equal_digests_of_16_bytes():
    assert len(payload.digest(b"a")) == 16
    assert payload.digest(b"a") == payload.digest(b"a") != payload.digest(b"b")
