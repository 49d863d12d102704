"""Converters: named steps from what a source writes to what a property holds, in one visible list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.adapters.converters.base import Context, Convert, Converter, compile_chain
from hub.adapters.converters.codes import BooleanWords, Country, Email, Lookup, Phone, WordMap
from hub.adapters.converters.natural import natural
from hub.adapters.converters.numbers import DecimalNumber, IntegerNumber, MoneyAmount
from hub.adapters.converters.text import (
    Digits,
    First,
    Join,
    Last,
    Lower,
    NullIf,
    Replace,
    Split,
    Template,
    Title,
    Trim,
    Upper,
)
from hub.adapters.converters.times import DateText, InstantText

__all__ = ["CONVERTERS", "Context", "Convert", "Converter", "compile_chain", "natural"]

CONVERTERS: Mapping[str, type[Converter]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            BooleanWords,
            Country,
            DateText,
            DecimalNumber,
            Digits,
            Email,
            First,
            InstantText,
            IntegerNumber,
            Join,
            Last,
            Lookup,
            Lower,
            MoneyAmount,
            NullIf,
            Phone,
            Replace,
            Split,
            Template,
            Title,
            Trim,
            Upper,
            WordMap,
        )
    }
)
"""Every converter by the name that YAML knows it by."""
