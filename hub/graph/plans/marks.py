"""Marks in the JSON that a statement returns: behind an object, the id of the customer that it tells of.

They are parted from the JSON before anybody sees it. JSON never holds the characters around an id, because it escapes
control characters: no stored text can make a mark.
"""

from __future__ import annotations

import re

from hub.graph.plans.sql import Member, Sql

_BEGIN, _END = 1, 2
"""Code points around an id."""
_MARK = re.compile(f"{chr(_BEGIN)}([^{chr(_END)}]*){chr(_END)}")


def marked(sql: Sql, built: Member, customer: str) -> Member:
    """A JSON object and its mark; none where there is no customer."""
    mark = f"coalesce({sql.character}({_BEGIN}) || {customer} || {sql.character}({_END}), '')"
    return Member(f"{built.sql} || {mark}", carried=True)


def unmarked(text: str) -> tuple[str, list[str]]:
    """The JSON without its marks, and the customers that they named."""
    if chr(_BEGIN) not in text:
        return text, []
    return _MARK.sub("", text), _MARK.findall(text)
