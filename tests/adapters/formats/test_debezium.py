"""Debezium's change events: rows as they are in the database, deletions as deletions."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.formats import DebeziumFormat
from hub.adapters.records import BadRecord, GoneRecord, RawRecord


def read(*events, **settings):
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    return list(DebeziumFormat(type="debezium", **settings).read(io.BytesIO(lines), "orders"))


def event(op="c", before=None, after=None, **more):
    return {
        "before": before,
        "after": after,
        "op": op,
        "source": {"ts_ms": 1_700_000_000_123},
        "ts_ms": 1,
        **more,
    }


def column(name, kind="int32", semantic=None, **parameters):
    made = {"field": name, "type": kind, "optional": True}
    if semantic:
        made |= {"name": semantic, "version": 1}
    return made | ({"parameters": parameters} if parameters else {})


def with_schema(value, *columns):
    row = {"type": "struct", "fields": list(columns), "optional": True}
    fields = [row | {"field": "before"}, row | {"field": "after"}, {"field": "op", "type": "string"}]
    return {"schema": {"type": "struct", "fields": fields}, "payload": value}


@pytest.mark.parametrize("op", ["c", "u", "r"])
def test_the_row_after_a_change_is_the_record(op):
    [record] = read(event(op, before={"id": 1, "a": 0}, after={"id": 1, "a": 2}))
    assert record == RawRecord({"id": 1, "a": 2}, "orders:1")


def test_a_deletion_takes_the_record_of_its_key_away():
    [record] = read(event("d", before={"id": 1, "a": 2}))
    assert record == GoneRecord({"id": 1, "a": 2}, "orders:1")


def test_what_says_nothing_of_a_row_is_passed_over():
    said = [
        None,
        {"status": "BEGIN", "id": "tx"},
        {"ddl": "ALTER"},
        event("m"),
        {"schema": {}, "payload": None},
    ]
    assert read(*said) == []


@pytest.mark.parametrize(
    ("semantic", "value", "expected"),
    [
        ("io.debezium.time.Date", 19_723, "2024-01-01"),
        ("io.debezium.time.Date", -1, "1969-12-31"),
        ("org.apache.kafka.connect.data.Date", 0, "1970-01-01"),
        ("io.debezium.time.Timestamp", 1_700_000_000_123, "2023-11-14T22:13:20.123"),
        ("io.debezium.time.MicroTimestamp", 1_700_000_000_123_456, "2023-11-14T22:13:20.123456"),
        ("io.debezium.time.NanoTimestamp", 1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789"),
        ("io.debezium.time.MicroTimestamp", -1, "1969-12-31T23:59:59.999999"),
        ("org.apache.kafka.connect.data.Timestamp", 0, "1970-01-01T00:00:00"),
        ("io.debezium.time.Time", 3_661_000, "01:01:01"),
        ("io.debezium.time.MicroTime", 3_661_000_001, "01:01:01.000001"),
        ("io.debezium.time.NanoTime", 1, "00:00:00.000000001"),
        ("io.debezium.time.ZonedTimestamp", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("io.debezium.time.Date", "2024-01-01", "2024-01-01"),
    ],
)
def test_days_and_times_come_back_by_the_schema(semantic, value, expected):
    told = with_schema(event(after={"id": 1, "at": value}), column("id"), column("at", "int64", semantic))
    [record] = read(told)
    assert record.payload == {"id": 1, "at": expected}


def packed(number):
    length = number.bit_length() // 8 + 1
    return b64encode(number.to_bytes(length, "big", signed=True)).decode()


@given(digits=st.integers(-(10**40), 10**40), scale=st.integers(0, 38))
def test_decimals_are_exact_whatever_their_size(digits, scale):
    semantic = "org.apache.kafka.connect.data.Decimal"
    told = event(after={"id": 1, "sum": packed(digits)})
    [by_schema] = read(with_schema(told, column("id"), column("sum", "bytes", semantic, scale=str(scale))))
    [by_types] = read(told, types={"sum": f"decimal:{scale}"})
    expected = (digits < 0, tuple(int(each) for each in str(abs(digits))), -scale)
    assert by_schema.payload["sum"].as_tuple() == expected
    assert by_types.payload == by_schema.payload


def test_decimals_that_travel_otherwise():
    variable = {"scale": 3, "value": packed(-1500)}
    [record] = read(
        event(after={"v": variable, "text": "12.50", "double": 12.5, "none": None}),
        types={"v": "variable_decimal", "double": "decimal:2", "none": "decimal:2"},
    )
    assert record.payload == {
        "v": Decimal("-1.500"),
        "text": "12.50",
        "double": Decimal("12.5"),
        "none": None,
    }


def test_the_instant_of_a_change_can_be_a_field():
    [record] = read(event(after={"id": 1}), changed_field="_at")
    assert record.payload == {"id": 1, "_at": "2023-11-14T22:13:20.123Z"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (event("x", after={"id": 1}), "op is not c, u, r or d"),
        (event("d"), "the event has no before"),
        (event("c"), "the event has no after"),
        (event("u", after={"id": 1, "text": "__debezium_unavailable_value"}), "REPLICA IDENTITY"),
        (event(after={"id": 1, "sum": "not base64!"}), "column sum is no decimal:2"),
        (event(after={"id": 1, "born": 10**12}), "column born is no date"),
        (event(after={"id": 1, "born": True}), "column born is no date"),
        ([1], "not a JSON object"),
    ],
)
def test_what_cannot_be_understood_is_set_aside(said, reason):
    bad, good = read(said, event(after={"id": 2}), types={"sum": "decimal:2", "born": "date"})
    assert isinstance(bad, BadRecord)
    assert reason in bad.reason
    assert good.payload == {"id": 2}


def test_a_line_that_is_no_json_is_set_aside():
    [bad] = DebeziumFormat(type="debezium").read(io.BytesIO(b'{"op": '), "orders")
    assert bad.reason.startswith("not JSON")
