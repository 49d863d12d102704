"""Households, first version: people of one family name at one address.

A household is a function of the golden record alone, never a merge of people. Without family name, postal code and
street there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from anyascii import anyascii

from hub.values import entity_id

MATCH_ROLES = ("family_name", "postal_code", "street")
"""Roles of the properties that a household's key is made of, in this order."""


def household_id(parts: Sequence[str | None], secret: bytes = b"") -> str | None:
    """The household of a person with these values of MATCH_ROLES; None when one is missing.

    `secret` is the store's: an id that tells nothing of the address.
    """
    folded = [_folded(part) for part in parts if part]
    if len(folded) < len(MATCH_ROLES) or not all(folded):
        return None
    return entity_id("hub", "Household", "|".join(folded), secret)


@lru_cache(maxsize=65_536)
def _folded(text: str) -> str:
    """Letters and digits only, without accents and case: `Große Str. 5` as `grossestr5`."""
    return "".join(char for char in anyascii(text).casefold() if char.isalnum())
