"""Whether a text that could not be read as a record names somebody by an identifier, e-mail address or telephone."""

from __future__ import annotations

import re
from collections.abc import Iterable

import phonenumbers

from hub.ontology import PropertyType

_SHORTEST = 5
"""Signs of a value that is looked for: shorter ones stand in too many texts by chance."""

_BETWEEN = r"[\s()./-]{0,3}"
"""What people write between the signs of a number."""


def pattern_of(identifiers: Iterable[tuple[PropertyType, str]]) -> re.Pattern[str] | None:
    """A pattern that is found where one of the identifiers stands, in normal form or as people write it.

    None where there is nothing to look for.
    """
    parts = sorted({part for kind, value in identifiers if (part := _part(kind, value))})
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _part(kind: PropertyType, value: str) -> str | None:
    if kind is PropertyType.PHONE:
        # Without the code of the country, which a text may spell in several ways or leave out.
        number = str(phonenumbers.parse(value).national_number)
        return _spread(number) + r"(?![0-9])" if len(number) >= _SHORTEST else None
    if len(value) < _SHORTEST:
        return None
    if kind is PropertyType.EMAIL:
        return rf"(?<![\w.+-]){re.escape(value)}(?![\w-])"
    signs = "".join(sign for sign in value if sign.isalnum())
    if len(signs) < _SHORTEST:
        return None
    # Columns of fixed width follow one another without a gap: a letter after a digit begins another one.
    return f"(?<!{_alike(signs[0])}){_spread(signs)}(?!{_alike(signs[-1])})"


def _alike(sign: str) -> str:
    """Signs that would go on with the number or the word that this one is of."""
    return r"\d" if sign.isdigit() else r"[^\W\d_]"


def _spread(signs: str) -> str:
    return _BETWEEN.join(map(re.escape, signs))
