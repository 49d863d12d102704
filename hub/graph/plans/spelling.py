"""Texts of SQL that both databases spell alike: strings, identifiers, long chains."""

from __future__ import annotations

from collections.abc import Sequence

_CHAIN = 200
"""Parts in one chain of `||`."""


def literal(text: str) -> str:
    """The text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """The name as an SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def joined(parts: Sequence[str]) -> str:
    """The parts joined by `||`; SQLite bounds an expression's depth to 1,000, so long chains become trees."""
    if len(parts) <= _CHAIN:
        return " || ".join(parts)
    half = len(parts) // 2
    return f"({joined(parts[:half])}) || ({joined(parts[half:])})"
