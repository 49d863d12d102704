"""Change events of Debezium, one JSON document each: what a row is after a change, or that it is gone.

An event is `{"before": ..., "after": ..., "op": "c", "source": {...}, "ts_ms": ...}`, bare or within
`{"schema": ..., "payload": ...}`. Its `after` becomes the record (`op` c create, u update, r snapshot read); of a
deletion (d) the fields of `before` tell which record goes. Heartbeats, transaction marks, schema changes and
tombstones say nothing of a row and are passed over.

Values come back as what they were in the database: decimals that travel as bytes, days and instants that travel as
counts. A schema within the event tells which; without one (`schemas.enable=false`) `types` has to.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import Field, StringConstraints

from hub.adapters import payload
from hub.adapters.formats.lines import clipped, numbered_lines
from hub.adapters.records import BadRecord, FormatConfig, GoneRecord, Payload, RawRecord, Record

TypeName = Annotated[
    str,
    StringConstraints(
        pattern=r"^(date|(milli|micro|nano)_(timestamp|time)|decimal:\d{1,3}|variable_decimal)$"
    ),
]

_UNAVAILABLE = "__debezium_unavailable_value"
"""What stands for a large column that an update did not touch, unless the row's REPLICA IDENTITY is FULL."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_KINDS = {
    "io.debezium.time.Date": "date",
    "io.debezium.time.Timestamp": "milli_timestamp",
    "io.debezium.time.MicroTimestamp": "micro_timestamp",
    "io.debezium.time.NanoTimestamp": "nano_timestamp",
    "io.debezium.time.Time": "milli_time",
    "io.debezium.time.MicroTime": "micro_time",
    "io.debezium.time.NanoTime": "nano_time",
    "io.debezium.data.VariableScaleDecimal": "variable_decimal",
    "org.apache.kafka.connect.data.Date": "date",
    "org.apache.kafka.connect.data.Time": "milli_time",
    "org.apache.kafka.connect.data.Timestamp": "milli_timestamp",
}
"""Our names of the semantic types that need decoding; zoned times, enumerations, JSON and intervals are texts."""

_DECIMAL = "org.apache.kafka.connect.data.Decimal"
_EXACT = Context(prec=1000, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Arithmetic that rounds nothing: Python's own context keeps 28 digits."""

_PER_SECOND = {"milli": 10**3, "micro": 10**6, "nano": 10**9}


class DebeziumFormat(FormatConfig):
    """Change events of Debezium as JSON, one a line or a message; deletions remove the record."""

    type: Literal["debezium"] = Field(description="Names this format.")
    types: dict[str, TypeName] = Field(
        default={},
        description="What columns are whose events carry no schema: `date`, `milli_timestamp`, `micro_timestamp`, "
        "`nano_timestamp`, `milli_time`, `micro_time`, `nano_time`, `decimal:2` (its scale), `variable_decimal`.",
    )
    changed_field: str | None = Field(
        default=None,
        min_length=1,
        description="Field to add with the instant of the change in the database, for `observed_at`.",
    )

    def read(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        """What the events of `stream` say, one a line, at `name:line`."""
        for number, line, complete in numbered_lines(stream):
            position = f"{name}:{number}"
            if not complete:
                yield BadRecord(clipped(line), position, "the line is longer than a record can be")
            elif line.strip():
                yield from self._event(line, position)

    def _event(self, line: bytes, position: str) -> Iterator[Record]:
        try:
            value = payload.load(line)
            schema: Any = None
            if isinstance(value, dict) and set(value) == {"schema", "payload"}:
                schema, value = value["schema"], value["payload"]
            if value is None or (isinstance(value, dict) and "op" not in value):
                return
            if not isinstance(value, dict):
                raise ValueError("not a JSON object")
            record = self._record(value, schema, position)
        except ValueError as error:
            yield BadRecord(clipped(line), position, str(error))
            return
        if record is not None:
            yield record

    def _record(self, event: Mapping[str, Any], schema: Any, position: str) -> Record | None:
        operation = event["op"]
        if operation == "m":  # a message of the application's own, which is of no row
            return None
        if operation not in ("c", "u", "r", "d"):
            raise ValueError("the event is no change of a row (op is not c, u, r or d)")
        side = "before" if operation == "d" else "after"
        row = event.get(side)
        if not isinstance(row, dict):
            raise ValueError(f"the event has no {side}, so that it does not tell which row changed")
        made = self._decoded(row, schema, side)
        if operation == "d":
            return GoneRecord(made, position)
        if self.changed_field is not None:
            made[self.changed_field] = _changed(event)
        return RawRecord(made, position)

    def _decoded(self, row: Payload, schema: Any, side: str) -> Payload:
        types = {**_types_of(schema, side), **self.types}
        made: Payload = {}
        for name, value in row.items():
            if value == _UNAVAILABLE:
                raise ValueError(
                    f"column {name} was left out of the event as it is large and unchanged; "
                    "set the table's REPLICA IDENTITY to FULL"
                )
            kind = types.get(name)
            try:
                made[name] = value if kind is None or value is None else _decode(kind, value)
            except (ValueError, TypeError, KeyError, OverflowError, binascii.Error):
                raise ValueError(f"column {name} is no {kind}") from None
        return made


def _types_of(schema: Any, side: str) -> dict[str, str]:
    """The columns of a row that need decoding, as the schema within the event says."""
    found: dict[str, str] = {}
    for part in _fields(schema):
        if part.get("field") != side:
            continue
        for column in _fields(part):
            name, said = column.get("name"), column.get("parameters") or {}
            kind = f"decimal:{said.get('scale', '0')}" if name == _DECIMAL else _KINDS.get(str(name))
            if kind is not None:
                found[str(column.get("field"))] = kind
    return found


def _fields(schema: Any) -> list[dict[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    return [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []


def _decode(kind: str, value: Any) -> Any:
    if kind.startswith("decimal:"):
        return (
            value if isinstance(value, Decimal | int) else _decimal(str(value), int(kind.partition(":")[2]))
        )
    if kind == "variable_decimal":
        return _decimal(value["value"], int(value["scale"]))
    if isinstance(value, str):  # `time.precision.mode=isostring`
        return value
    if type(value) is not int:
        raise ValueError
    if kind == "date":
        return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
    unit, _, what = kind.partition("_")
    return _TIMES[what](value, _PER_SECOND[unit])


def _decimal(text: str, scale: int) -> Decimal:
    """A decimal from its digits as a big-endian two's complement number in base64."""
    return Decimal(int.from_bytes(b64decode(text, validate=True), "big", signed=True)).scaleb(-scale, _EXACT)


def _timestamp(value: int, per_second: int) -> str:
    """A time without a zone, as the column has it; digits finer than microseconds are kept."""
    seconds, rest = divmod(value, per_second)
    whole = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return whole + _fraction(rest, per_second)


def _time(value: int, per_second: int) -> str:
    seconds, rest = divmod(value, per_second)
    if not 0 <= seconds <= 86_400:
        raise ValueError
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{_fraction(rest, per_second)}"


def _fraction(rest: int, per_second: int) -> str:
    return f".{rest:0{len(str(per_second)) - 1}}".rstrip("0") if rest else ""


_TIMES: Mapping[str, Callable[[int, int], str]] = {"timestamp": _timestamp, "time": _time}


def _changed(event: Mapping[str, Any]) -> str | None:
    """When the database was changed, which `ts_ms` of the source tells; its own is when Debezium saw it."""
    source = event.get("source")
    millis = source.get("ts_ms") if isinstance(source, dict) else None
    return None if type(millis) is not int else f"{_timestamp(millis, 1000)}Z"
