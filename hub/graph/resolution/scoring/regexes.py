"""Regular expressions of RE2, which DuckDB uses, as Python's."""

from __future__ import annotations

import re

from hub.graph.resolution.scoring.sql import UnsupportedSqlError

_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<group>\((?:\?(?P<flag>:|.))?)|(?P<end>\$)|(?P<other>.)",
    re.DOTALL,
)
_SPACES = r"\t\n\f\r "
"""RE2's `\\s`, which leaves the vertical tab out."""
_SAME = set("dDwWbBtnrf") | set(r""".\+*?()|[]{}^$-/@#&~'",:;<>=!%_`""") | {" "}
"""What means the same to both after a backslash, given `re.ASCII`."""


def python_pattern(pattern: str) -> re.Pattern[str]:
    """The Python expression that finds what RE2 finds with `pattern`.

    Raises:
        UnsupportedSqlError: `pattern` has a part that only one of the two knows.
    """
    try:
        return re.compile("".join(map(_translated, _TOKEN.finditer(pattern))), re.ASCII)
    except re.error:
        raise UnsupportedSqlError(f"regular expression {pattern!r} is not supported") from None


def _translated(token: re.Match[str]) -> str:
    text = token.group()
    if token["escape"]:
        return f"[{_SPACES}]" if text == r"\s" else f"[^{_SPACES}]" if text == r"\S" else _escape(text)
    if token["class"]:
        return _character_class(text)
    if token["flag"] not in (None, ":"):
        raise UnsupportedSqlError(f"{text!r} in a regular expression is not supported")
    # Python's $ also matches before a line end.
    return r"\Z" if token["end"] else text


def _character_class(text: str) -> str:
    if "[" in text[1:]:
        raise UnsupportedSqlError("'[' within '[]' of a regular expression is not supported")
    return re.sub(r"\\.", lambda found: _SPACES if found.group() == r"\s" else _escape(found.group()), text)


def _escape(text: str) -> str:
    if text[1] not in _SAME:
        raise UnsupportedSqlError(f"{text!r} in a regular expression is not supported")
    return text
