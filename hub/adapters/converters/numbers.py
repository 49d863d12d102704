"""Converters of numbers and money; nothing passes through a binary float."""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from hub.adapters.converters.base import MAX_DIGITS, Context, Convert, Converter, Step, kind_of, sane, text_of
from hub.adapters.converters.iso import CURRENCIES, MINOR_DIGITS
from hub.adapters.paths import CompiledPath, Scope, compile_path
from hub.values import Money
from hub.yamlfile import nearest

Reader = Callable[[Any], Decimal]

_EXACT = decimal.Context(prec=4 * MAX_DIGITS)
"""Python's own context would round to 28 digits."""

_MAX_LENGTH = 3 * MAX_DIGITS
"""Signs that a written number may have; the patterns are slow on endless texts."""


def currency_code(code: str) -> str:
    """`code` when it is an ISO 4217 currency.

    Raises:
        ValueError: it is none; the message has the nearest one.
    """
    if code not in CURRENCIES:
        near = nearest(code.upper(), sorted(CURRENCIES))
        raise ValueError(f"{code!r} is no ISO 4217 currency{f'; did you mean {near!r}?' if near else ''}")
    return code


Currency = Annotated[
    str, AfterValidator(currency_code), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
]


class _Notation(Converter):
    """How numbers are written."""

    point: str = Field(
        default=".", min_length=1, max_length=1, description="Sign between units and decimals."
    )
    group: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Sign between groups of digits; a blank also stands for the narrow and the unbreakable one.",
    )

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.point == self.group or self.point.isdigit() or (self.group or "").isdigit():
            raise ValueError("`point` and `group` must be two different signs that are no digits")
        return self

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        group = "[ \u00a0\u202f]" if self.group == " " else re.escape(self.group or "")
        grouped = rf"|[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}" if self.group else ""
        whole = rf"(?P<whole>[0-9]+{grouped})?(?:{re.escape(self.point)}(?P<part>[0-9]*))?"
        return re.compile(rf"(?P<open>\()?(?P<before>[+-])?\s*{whole}\s*(?P<after>-)?(?P<close>\))?")

    def reader(self, context: Context) -> Reader:
        """A function from a text or number to the exact number; the sign may also stand behind, or be parentheses."""
        pattern = self._pattern

        def read(value: Any) -> Decimal:
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return sane(Decimal(value), context)
            text = text_of(value, context).replace("\u2212", "-")
            match = pattern.fullmatch(text) if len(text) <= _MAX_LENGTH else None
            if match is None or not (match["whole"] or match["part"]):
                raise context.refusal("bad_value", "is no number in the configured notation")
            if bool(match["open"]) != bool(match["close"]) or (match["before"] and match["after"]):
                raise context.refusal("bad_value", "has signs that contradict each other")
            whole = re.sub(r"[^0-9]", "", match["whole"] or "0")
            number = Decimal(f"{whole}.{match['part'] or ''}")
            negative = match["open"] or match["after"] or match["before"] == "-"
            return sane(number.copy_negate() if negative else number, context)

        return read


class DecimalNumber(_Notation):
    """An exact number from a text such as `1.234,50`, `12.5-` or `(3.00)`."""

    name: ClassVar[str] = "decimal"
    implied: int = Field(
        default=0,
        ge=0,
        le=9,
        description="Digits after the point when the source writes none: 2 reads 1250 as 12.50.",
    )

    def step(self, context: Context) -> Step:
        """Reads the text and moves the point."""
        read, implied = self.reader(context), self.implied
        return lambda value: _EXACT.scaleb(read(value), -implied) if implied else read(value)


class IntegerNumber(_Notation):
    """A whole number; `12.00` is one, `12.5` is refused."""

    name: ClassVar[str] = "integer"

    def step(self, context: Context) -> Step:
        """Reads the text and refuses fractions."""
        read = self.reader(context)
        return lambda value: whole_number(read(value), context)


def whole_number(number: Decimal, context: Context) -> int:
    """`number` as an int, refused when it has a fraction."""
    if number != number.to_integral_value():
        raise context.refusal("too_precise", "is no whole number")
    return int(number)


_MONEY_CODE = re.compile(r"(?P<before>[A-Z]{3})?\s*(?P<number>[^A-Za-z]*?)\s*(?P<after>[A-Z]{3})?")


class MoneyAmount(_Notation):
    """An exact amount with its currency: from the configuration, from a path, or from a code beside the number."""

    name: ClassVar[str] = "money"
    shorthand: ClassVar[str | None] = "currency"
    currency: Currency | None = Field(
        default=None, description="ISO 4217 code; the source's own unless given."
    )
    currency_path: str | None = Field(default=None, description="Path to the ISO 4217 code in the item.")
    minor_units: bool = Field(
        default=False,
        description="The number counts the currency's minor unit: 1250 is 12.50 GBP, and 1250 JPY.",
    )

    @model_validator(mode="after")
    def _one_currency(self) -> MoneyAmount:
        if self.currency and self.currency_path:
            raise ValueError("give one of `currency` and `currency_path`")
        _ = self._path
        return self

    @cached_property
    def _path(self) -> CompiledPath | None:
        return compile_path(self.currency_path) if self.currency_path else None

    def paths(self) -> Iterator[CompiledPath]:
        """The path of the currency."""
        return iter([self._path] if self._path else [])

    def compile(self, context: Context) -> Convert:
        """Reads number and currency."""
        read, path, fixed = self.reader(context), self._path, self.currency

        def convert(value: Any, scope: Scope) -> Money:
            number, beside = _split_code(value, context)
            stated = path.follow(scope) if path else None
            currency = beside or known_currency(stated, context) or fixed or context.currency
            if currency is None:
                raise context.refusal("unknown_currency", "the amount has no currency")
            if beside and fixed and beside != fixed:
                raise context.refusal(
                    "bad_value", "the code beside the number is not the configured currency"
                )
            amount = read(number)
            if self.minor_units:
                amount = _EXACT.scaleb(amount, -MINOR_DIGITS[currency])
            return Money(amount, currency)

        return convert


def _split_code(value: Any, context: Context) -> tuple[Any, str | None]:
    if type(value) is not str:
        return value, None
    text = value.strip()
    match = _MONEY_CODE.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None or (match["before"] and match["after"]):
        raise context.refusal("bad_value", "is no amount of money")
    return match["number"], known_currency(match["before"] or match["after"], context)


def known_currency(code: Any, context: Context) -> str | None:
    """The upper-case currency code, None when `code` is absent; refused when it is no currency."""
    if code is None or code == "":
        return None
    if type(code) is not str:
        raise context.refusal("unknown_currency", f"{kind_of(code)} stands where a currency is expected")
    found = code.strip().upper()
    if found and found not in CURRENCIES:
        raise context.refusal("unknown_currency", "the currency is no ISO 4217 code")
    return found or None
