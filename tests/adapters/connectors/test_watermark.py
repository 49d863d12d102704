"""Watermarks keep their type and style."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.connectors import watermark

values = (
    st.text()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.none() | st.just(dt.UTC))
    | st.dates()
    | st.binary()
    | st.uuids()
)


@given(values)
def test_a_watermark_comes_back_with_its_type(value):
    back = watermark.from_json(watermark.to_json(value))
    assert (type(back), back) == (type(value), value)


def test_what_has_no_order_is_no_watermark():
    with pytest.raises(ValueError, match="of type dict"):
        watermark.to_json({})


@pytest.mark.parametrize(
    ("value", "seconds", "expected"),
    [
        ("2024-01-01 10:00:00", 60, "2024-01-01 09:59:00"),
        ("2024-01-01T10:00:00Z", 60, "2024-01-01T09:59:00Z"),
        ("2024-01-01T00:00:00.123+02:00", 1, "2023-12-31T23:59:59.123+02:00"),
        ("2024-01-01T10:00", 30, "2024-01-01T09:59"),
        ("2024-03-01", 60, "2024-02-29"),
        ("2024-03-01", 0, "2024-03-01"),
        ("A-17", 60, "A-17"),
        ("0001-01-01 00:00:00", 60, "0001-01-01 00:00:00"),
        (17, 60, 17),
        (Decimal(17), 60, Decimal(17)),
        (UUID(int=1), 60, UUID(int=1)),
        (dt.date(2024, 3, 1), 86_401, dt.date(2024, 2, 28)),
        (dt.datetime(2024, 3, 1), 1, dt.datetime(2024, 2, 29, 23, 59, 59)),
    ],
)
def test_only_times_move_back_and_keep_their_style(value, seconds, expected):
    assert watermark.moved_back(value, seconds) == expected


@given(st.datetimes(min_value=dt.datetime(1900, 1, 1)), st.sampled_from("T "), st.integers(0, 100_000))
def test_a_text_moves_back_at_least_as_far_as_asked(moment, separator, seconds):
    text = moment.isoformat(sep=separator)
    moved = dt.datetime.fromisoformat(watermark.moved_back(text, seconds))
    assert dt.timedelta(seconds=seconds) <= moment - moved < dt.timedelta(seconds=seconds + 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-01-01T10:00:00+02:00", dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC)),
        (dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),
        ("2024-01-01", dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),
        ("20240101", None),
        (5, None),
        (None, None),
    ],
)
def test_a_watermark_may_say_an_instant(value, expected):
    assert watermark.instant(value) == expected
