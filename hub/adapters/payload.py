"""Canonical JSON of payloads: equal payloads give equal bytes, numbers keep every digit.

Decimals are written as JSON number literals with their trailing zeros (`12.50`), and read back as Decimals; a whole
Decimal (`5`) reads back as the int 5, which is equal. Floats are refused: no binary fraction is the source's number.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NoReturn

import orjson

from hub.adapters.records import Payload
from hub.errors import RecordError

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_CONTAINERS = {dict, list}


def dump(payload: Payload) -> bytes:
    """The canonical JSON of `payload`: UTF-8, keys sorted, no spaces.

    Raises:
        RecordError: a value has no exact JSON form (a float, NaN, a date object, half a surrogate pair, nesting
            beyond 254 levels); quarantine the record.
    """
    _refuse_floats(payload.values())
    try:
        return orjson.dumps(payload, _literal, _OPTIONS)
    except orjson.JSONEncodeError as error:
        if "64-bit" in str(error):
            return orjson.dumps(_with_literal_ints(payload), _literal, _OPTIONS)
        if isinstance(error.__cause__, RecordError):
            raise error.__cause__ from None
        raise RecordError("payload", "not_json", _reason(error)) from None


def load(data: bytes | str) -> Any:
    """What `data` says, with int for whole numbers and Decimal for others, never float.

    Raises:
        ValueError: `data` is not JSON, has NaN or Infinity, or nests too deep; the message holds no value.
    """
    try:
        return _decode(data if isinstance(data, str) else data.decode())
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise ValueError("nested too deep") from None


def digest(data: bytes) -> bytes:
    """A 16-byte BLAKE2b hash of a dumped payload, by which an unchanged record is known."""
    return blake2b(data, digest_size=16).digest()


def readable(payload: object) -> str:
    """Text of `payload` for quarantine, also when `dump` refuses it; never fails, and is not for comparing."""
    try:
        return json.dumps(payload, default=str, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return repr(type(payload))


def _refuse_floats(values: Collection[Any]) -> None:
    types = set(map(type, values))
    if float in types:
        raise RecordError(
            "payload", "not_exact", "a number came as a binary float; its format must read decimals"
        )
    if not types.isdisjoint(_CONTAINERS):
        for value in values:
            if type(value) is dict:
                _refuse_floats(value.values())
            elif type(value) is list:
                _refuse_floats(value)


def _literal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise RecordError("payload", "not_exact", "NaN and Infinity are not numbers that can be kept")
        return orjson.Fragment(str(value))
    raise RecordError("payload", "not_json", f"a value of type {type(value).__name__} has no JSON form")


def _with_literal_ints(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_literal_ints(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_literal_ints(item) for item in value]
    if type(value) is int and not -(2**63) <= value < 2**64:
        return Decimal(value)
    return value


def _reason(error: Exception) -> str:
    text = str(error)
    if "surrogates" in text:
        return "a text is not valid Unicode: it has half a surrogate pair"
    if "ecursion" in text:
        return "nested too deep"
    return "a key is not text" if "key" in text else "a value has no JSON form"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant).decode
