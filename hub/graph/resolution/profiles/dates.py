"""Dates of birth, as precise as they are known."""

from __future__ import annotations

import re
from functools import lru_cache

from hub.graph.resolution.profiles.texts import CACHED, words
from hub.values import is_partial_date

_STATED = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:[T ].*)?")

EARLIEST, LATEST = 1850, 2100
"""Years in which customers may have been born."""

_DEFAULTS = words("1899-12-30 1899-12-31 1900-01-01 1901-01-01 1970-01-01 1111-11-11 1753-01-01 2099-12-31")
"""Days that systems write where none was given: the zero of spreadsheets, SQL Server, Unix and of bored clerks."""


@lru_cache(maxsize=CACHED)
def birth_date(raw: str) -> str | None:
    """`1980-05-17`, `1980-05` or `1980`, as far as such a day exists; None for defaults and impossible years."""
    found = _STATED.fullmatch(raw.strip())
    if not found or not EARLIEST <= int(found[1]) <= LATEST:
        return None
    known = [part for part in found.groups() if part]
    while not is_partial_date("-".join(known)):
        known.pop()
    day = "-".join(known)
    return None if day in _DEFAULTS else day
