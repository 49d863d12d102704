"""From the bytes of one field to its value: text, a whole number or an exact decimal.

Every function raises ValueError with a reason that holds no value, for bytes that its picture and usage cannot mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from hub.adapters.formats.cobol.codepage import CodePage
from hub.adapters.formats.cobol.copybook import Item
from hub.adapters.formats.cobol.floats import Floats, float_reader
from hub.adapters.formats.cobol.picture import Picture

Trim = Literal["both", "left", "right", "none"]
Convert = Callable[[bytes], Any]

_BLANKS = "".join(map(chr, range(33)))
"""What trimming removes: everything up to the blank. A no-break space was typed by somebody."""
_ZONED = re.compile(r"([+-]?)([0-9]*)(?:[.,]([0-9]*))?([+-]?)")
_PRINTED = re.compile(r"([0-9]*)(?:\.([0-9]*))?")


@dataclass(frozen=True, slots=True)
class Reading:
    """How values are read, beside what the copybook says."""

    page: CodePage
    trim: Trim = "both"
    nulls: bool = True
    floats: Floats = "ibm"
    little_native: bool = False
    double_byte: str = "utf-16-be"
    comma_point: bool = False
    full_binary: bool = False


def converter(item: Item, how: Reading) -> Convert:
    """The function that reads the bytes of this field."""
    picture, usage = item.picture, item.usage or "display"
    if usage == "float" or usage == "double":
        return float_reader(how.floats, double=usage == "double")
    if item.native_bytes or picture is None:
        return _binary("little" if how.little_native else "big", not item.unsigned, _number_of(0))
    number = _number_of(picture.scale)
    if usage == "packed":
        return _packed(number)
    if usage == "unsigned_packed":
        return _unsigned_packed(number)
    if usage in ("binary", "native", "little", "exact"):
        little = usage == "little" or (usage == "native" and how.little_native)
        plain = usage == "binary" and not picture.signed and not how.full_binary
        return _binary("little" if little else "big", picture.signed or plain, number, never_negative=plain)
    return _display(item, picture, number, how)


def _display(item: Item, picture: Picture, number: Callable[[str], Any], how: Reading) -> Convert:
    if picture.kind == "number":
        return _or_zero(_zoned(item, picture, number, how), item)
    if picture.kind == "edited":
        return _or_zero(_edited(picture, number, how), item)
    if picture.kind == "float":
        return _external_float(how)
    if picture.kind == "double" or item.usage == "national":
        return _text(lambda data: data.decode(how.double_byte), how, item.justified)
    return _text(how.page.decode, how, item.justified)


def _or_zero(read: Convert, item: Item) -> Convert:
    """With BLANK WHEN ZERO, nothing printed means zero."""
    if not item.blank_is_zero:
        return read

    def convert(data: bytes) -> Any:
        value = read(data)
        return 0 if value is None else value

    return convert


def trimmer(trim: Trim, *, justified: bool = False) -> Callable[[str], str]:
    """The function that cuts the blanks off; what is justified has its padding on the left."""
    if justified and trim in ("left", "right"):
        trim = "right" if trim == "left" else "left"
    if trim == "both":
        return lambda text: text.strip(_BLANKS)
    if trim == "left":
        return lambda text: text.lstrip(_BLANKS)
    if trim == "right":
        return lambda text: text.rstrip(_BLANKS)
    return lambda text: text


def _text(decode: Callable[[bytes], str], how: Reading, justified: bool) -> Convert:
    trimmed, nulls = trimmer(how.trim, justified=justified), how.nulls

    def convert(data: bytes) -> str | None:
        if nulls and not data.strip(b"\0"):
            return None
        try:
            return trimmed(decode(data))
        except UnicodeDecodeError:
            raise ValueError("bytes that are not in the file's encoding") from None

    return convert


def _number_of(scale: int) -> Callable[[str], int | Decimal]:
    """The function from digits with a sign to the number that their picture makes of them."""
    if scale == 0:
        return int
    if scale > 0:
        suffix = f"E-{scale}"
        return lambda digits: Decimal(digits + suffix)
    zeros = "0" * -scale
    return lambda digits: int(digits + zeros)


def _binary(
    order: Literal["big", "little"],
    signed: bool,
    number: Callable[[str], Any],
    *,
    never_negative: bool = False,
) -> Convert:
    def convert(data: bytes) -> Any:
        value = int.from_bytes(data, order, signed=signed)
        if never_negative and value < 0:
            # No picture of so many bytes has so many digits: these are another field's bytes.
            raise ValueError("more than its picture can hold")
        return number(str(value))

    return (
        convert
        if never_negative or number is not int
        else partial(int.from_bytes, byteorder=order, signed=signed)
    )


def _packed(number: Callable[[str], Any]) -> Convert:
    """Two digits a byte; the last half byte is the sign: B and D minus, A, C, E and F plus."""

    def convert(data: bytes) -> Any:
        text = data.hex()
        digits, sign = text[:-1], text[-1]
        if not (digits.isdigit() or not digits) or sign.isdigit():
            raise ValueError("not a packed decimal")
        return number(f"-{digits or 0}" if sign in "bd" else digits or "0")

    return convert


def _unsigned_packed(number: Callable[[str], Any]) -> Convert:
    def convert(data: bytes) -> Any:
        text = data.hex()
        if not text.isdigit():
            raise ValueError("not a packed decimal without sign")
        return number(text)

    return convert


def _zoned(item: Item, picture: Picture, number: Callable[[str], Any], how: Reading) -> Convert:
    digits, signs = how.page.digits, how.page.signs
    signed = picture.signed or item.sign_separate
    punched = 0 if item.sign_leading else -1

    def convert(data: bytes) -> Any:
        text = data.translate(digits)
        if text.isdigit():
            return number(text.decode())
        found = signs.get(data[punched]) if signed else None
        if found is None:
            return _written(text.decode(), signed, number, how.nulls)
        sign, digit = found
        whole = digit + text[1:] if punched == 0 else text[:-1] + digit
        return _written(sign + whole.decode().strip(), signed, number, how.nulls)

    return convert


def _written(text: str, signed: bool, number: Callable[[str], Any], nulls: bool) -> Any:
    """A number with a sign or a point of its own, or none at all."""
    given = text.strip()
    if not given:
        return _nothing(number, nulls)
    found = _ZONED.fullmatch(given)
    if found is None or (found[1] and found[4]) or not (found[2] or found[3]):
        raise ValueError("not a number")
    if not signed and "-" in (found[1], found[4]):
        raise ValueError("a sign where the picture has none")
    sign = "-" if "-" in (found[1], found[4]) else ""
    if found[3] is not None:
        # A point that is written counts, whatever the picture implies.
        return Decimal(f"{sign}{found[2]}.{found[3]}")
    return number(sign + found[2])


def _nothing(number: Callable[[str], Any], nulls: bool) -> Any:
    """What blanks say where a number is expected: nothing, or without `nulls` zero for an amount with decimals."""
    if nulls:
        return None
    if number is int:
        raise ValueError("blank where a number is")
    return number("0")


def _edited(picture: Picture, number: Callable[[str], Any], how: Reading) -> Convert:
    """A number as it was printed: signs at either end, stars, currency and separators are taken off."""
    decode, nulls = how.page.decode, how.nulls
    point, separator = (",", ".") if how.comma_point else (".", ",")

    def convert(data: bytes) -> Any:
        text = decode(data).strip(_BLANKS)
        if not text:
            return _nothing(number, nulls)
        bare, negative = _without_sign(text)
        bare = bare.replace(separator, "").replace(point, ".").strip("*$ ")
        found = _PRINTED.fullmatch(bare)
        if found is None or not (found[1] or found[2]):
            raise ValueError("not a number as its picture prints it")
        if negative and not picture.signed:
            raise ValueError("a sign where the picture has none")
        sign = "-" if negative else ""
        return number(sign + bare) if found[2] is None else Decimal(sign + bare)

    return convert


def _without_sign(text: str) -> tuple[str, bool]:
    negative = text.endswith(("CR", "DB", "-")) or text.startswith("-")
    text = text.removesuffix("CR").removesuffix("DB")
    if text[-1:] in ("+", "-"):
        text = text[:-1]
    elif text[:1] in ("+", "-"):
        text = text[1:]
    return text.strip(_BLANKS), negative


def _external_float(how: Reading) -> Convert:
    def convert(data: bytes) -> Decimal | None:
        text = how.page.decode(data).strip(_BLANKS)
        if not text and how.nulls:
            return None
        if not re.fullmatch(r"[+\- ]?[0-9]*[.,]?[0-9]+E[+-][0-9]{1,2}", text):
            raise ValueError("not a number with an exponent")
        return Decimal(text.replace(",", ".").strip())

    return convert
