"""Numbers by which authorities know a party: VAT, LEI, IBAN, EIN and those of which only the digits are known."""

from __future__ import annotations

import re
from functools import lru_cache

from stdnum import get_cc_module, iban, lei
from stdnum.us import ein

from hub.graph.resolution.profiles.texts import CACHED, LONGEST

_NO_SIGN = re.compile(r"[^A-Z0-9]")
_VAT = re.compile(r"([A-Z]{2})[A-Z0-9]{5,13}")
_LEI = re.compile(r"[A-Z0-9]{18}\d{2}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_EIN = re.compile(r"\d{2}-\d{7}")
_NUMBERED_AS = {"EL": "GR", "XI": "GB", "UK": "GB"}
"""Prefixes of VAT numbers that are no country codes, with the country whose rules they follow."""


@lru_cache(maxsize=CACHED)
def tax_id(raw: str, country: str | None) -> str | None:
    """The number in capital letters and digits alone; None where its check digit is wrong or it is a placeholder.

    A number without prefix that is a VAT number of `country` gets the prefix. Where the kind is not known, no digit
    is checked.
    """
    text = raw[:LONGEST].strip().upper()
    number = _NO_SIGN.sub("", text)
    if len(number) < 4 or len(set(number)) == 1 or number in "1234567890123456789":
        return None
    if country == "US" and _EIN.fullmatch(text):
        return number if ein.is_valid(number) else None
    if _LEI.fullmatch(number):
        return number if lei.is_valid(number) else None
    prefixed = _VAT.fullmatch(number)
    issuer = _NUMBERED_AS.get(prefixed[1], prefixed[1]) if prefixed else None
    if issuer and get_cc_module(issuer.lower(), "vat"):
        return _vat(number, issuer)
    if _IBAN.fullmatch(number):
        return number if iban.is_valid(number) else None
    return (_vat(number, country) if country else None) or number


def _vat(number: str, country: str) -> str | None:
    """The VAT number with its country's prefix if its check digits hold."""
    rules = get_cc_module(country.lower(), "vat")
    if not rules or not rules.is_valid(number):
        return None
    compact: str = rules.compact(number)
    return country + compact.removeprefix(country).removeprefix("EL")
