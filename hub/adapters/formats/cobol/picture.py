"""Pictures: what `PIC S9(7)V99`, `X(20)` or `Z,ZZ9.99CR` says of a field's characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "edited", "float", "double"]

MAX_LENGTH = 16 * 1024 * 1024
"""Longest field that is taken seriously; a picture can ask for more than memory has."""

_REPEATED = re.compile(r"(CR|DB|.)\((\d{1,9})\)")
_SYMBOLS = re.compile(r"(?:CR|DB|[ABENGPSVXZ90/,.+\-*$])+")
_DIGITS = re.compile(r"(P*)(9+)(P*)")
_FLOAT = re.compile(r"[+-][9V.]+E[+-]9+")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, counted: `double` ones have two bytes a character, `edited` ones are numbers as printed."""

    kind: Kind
    length: int
    """Characters that are stored; S, V and P take none."""
    digits: int = 0
    scale: int = 0
    """Digits after the implied point; below zero, zeros that are left out before it."""
    signed: bool = False


def parse_picture(text: str, *, comma_point: bool = False) -> Picture:
    """What a picture says. With `comma_point` (DECIMAL-POINT IS COMMA) comma and point change places.

    Raises:
        ValueError: it has a symbol that no picture has, or symbols that do not go together.
    """
    symbols = _expanded(text.upper())
    if not _SYMBOLS.fullmatch(symbols):
        raise ValueError(f"{text!r} is no picture")
    if comma_point:
        symbols = symbols.translate(str.maketrans(",.", ".,"))
    if set(symbols) <= {"N"} or set(symbols) <= {"G", "B"}:
        return Picture("double", len(symbols))
    if _FLOAT.fullmatch(symbols):
        return Picture("float", len(symbols.replace("V", "")))
    if set(symbols) <= set("S9VP"):
        return _number(text, symbols)
    if set(symbols) & set("SNGE"):
        if "S" in symbols and set(symbols) <= set("S9.,"):
            # Seen in the field, though no compiler's manual has it: a sign beside a written point.
            return Picture("number", len(symbols) - 1, symbols.count("9"), 0, signed=True)
        raise ValueError(f"{text!r} has symbols that do not go together")
    # What has / B or 0 between its digits is more often a date or a telephone number than an amount.
    if set(symbols) & set("XAB0/") and not _only_inserts(symbols):
        return Picture("text", len(symbols))
    return _edited(symbols, signed=bool(re.search(r"[+-]|CR|DB", symbols)))


def _expanded(text: str) -> str:
    length = sum(int(count) for _, count in _REPEATED.findall(text)) + len(text)
    if length > MAX_LENGTH:
        raise ValueError("the picture is longer than a field can be")
    return _REPEATED.sub(lambda found: found[1] * int(found[2]), text)


def _only_inserts(symbols: str) -> bool:
    """Whether a B, as in `ZZ9.99BCR`, only sets the sign apart."""
    return not set(symbols) & set("XA0/") and bool(re.fullmatch(r"[^B]*B+(?:CR|DB|[+-])", symbols))


def _number(text: str, symbols: str) -> Picture:
    body = symbols.removeprefix("S")
    plain = body.replace("V", "", 1)
    found = _DIGITS.fullmatch(plain)
    if found is None or (found[1] and found[3]):
        raise ValueError(f"{text!r} has symbols that do not go together")
    digits = len(found[2])
    if found[1]:
        scale = len(plain)
    elif found[3]:
        scale = -len(found[3])
    else:
        scale = len(body.partition("V")[2])
    return Picture("number", digits, digits, scale, symbols.startswith("S"))


def _edited(symbols: str, *, signed: bool) -> Picture:
    _, point, fraction = symbols.partition("V")
    scale = len(re.findall(r"[9Z*]", fraction)) if point else 0
    length = len(symbols) - len(point)
    return Picture("edited", length, len(re.findall(r"[9Z*+\-$]", symbols)), scale, signed)
