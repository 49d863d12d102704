"""COMP-1 and COMP-2: IBM's hexadecimal floats and IEEE's, as the shortest decimal that the bytes can mean."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal

Floats = Literal["ibm", "ieee", "ieee_little"]

_EXACT = Context(prec=400, Emax=10_000, Emin=-10_000)
"""Room for every bit of every float that these formats have."""
_MAX_DIGITS = 18


def float_reader(kind: Floats, *, double: bool) -> Callable[[bytes], Decimal]:
    """The function from four bytes (or eight of a `double`) to the number."""
    if kind == "ibm":
        return _ibm
    code = ("<" if kind == "ieee_little" else ">") + ("d" if double else "f")
    unpack = struct.Struct(code).unpack

    def ieee(data: bytes) -> Decimal:
        value: float = unpack(data)[0]
        if not math.isfinite(value):
            raise ValueError("not a finite number")
        if double:
            return Decimal(repr(value))
        exponent = max(math.frexp(value)[1] - 24, -149)
        return _shortest(Decimal(value), _power(2, exponent - 1))

    return ieee


def _ibm(data: bytes) -> Decimal:
    """Sign bit, seven bits of exponent to the base 16 (64 more than it is), and the fraction."""
    bits = (len(data) - 1) * 8
    fraction = int.from_bytes(data[1:], "big")
    if not fraction:
        return Decimal(0)
    last = _power(16, (data[0] & 0x7F) - 64 - bits // 4)
    found = _shortest(_EXACT.multiply(Decimal(fraction), last), _EXACT.divide(last, Decimal(2)))
    return found.copy_negate() if data[0] & 0x80 else found


def _power(base: int, exponent: int) -> Decimal:
    return _EXACT.power(Decimal(base), Decimal(exponent))


def _shortest(exact: Decimal, half: Decimal) -> Decimal:
    """The number with the fewest digits that is nearer to `exact` than `half` of its last bit."""
    for digits in range(1, _MAX_DIGITS + 1):
        rounded = Context(prec=digits, rounding=ROUND_HALF_EVEN, Emax=10_000, Emin=-10_000).plus(exact)
        if _EXACT.abs(_EXACT.subtract(rounded, exact)) < half or rounded == exact:
            return _plain(rounded)
    return _plain(exact)


def _plain(number: Decimal) -> Decimal:
    """The number without zeros at its end; 1E+2 is written 100."""
    short = _EXACT.normalize(number)
    exponent = short.as_tuple().exponent
    return Decimal(int(short)) if isinstance(exponent, int) and 0 < exponent < _MAX_DIGITS else short
