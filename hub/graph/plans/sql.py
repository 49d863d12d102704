"""SQL as the two databases spell it, so that the same rows give the same bytes of JSON.

A *member* is an expression that may stand in a JSON object or array. On SQLite it is any value, JSON marked by its
subtype, and `json_object` builds: it is in every build from 3.38 on, and the fastest way there. JSON that has passed
through a subquery's column has lost its mark; around such *carried* members `||` builds. On PostgreSQL every member is
JSON text, and `||` builds: `json_build_object` is slower, and writes spaces that SQLite does not.
PostgreSQL's statements hold no percent sign, which its driver would read as a parameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hub.graph.plans.spelling import literal
from hub.ontology import Property
from hub.store import DialectName

ParamKind = Literal["text", "bigint", "numeric", "boolean", "timestamptz"]

TEXT_OF_INSTANT = "rtrim(rtrim({0}, '0'), '.') || 'Z'"
"""What leaves the needless zeros of a fixed-width instant out."""
ROW_NUMBER = '"#"'
"""Column with a row's place on its page; no property can be called so."""


@dataclass(frozen=True, slots=True)
class Member:
    """An SQL expression that may stand in a JSON object or array."""

    sql: str
    carried: bool = False
    """JSON that has passed through a column."""
    nullable: bool = False
    """JSON that may be missing."""


Members = Sequence[tuple[str, Member]]
"""Keys, known to be plain names, and members."""


class Sql(ABC):
    """One database's spelling."""

    dialect: DialectName
    null: Member
    lifts: bool
    """Whether subqueries are lifted out of the expression they stand in; SQLite's parser bounds how deep they nest."""
    fence: str
    """What ends a subquery whose lifted columns shall be computed once, not wherever they are read."""
    false: str
    """A stored boolean that is false."""
    character: str
    """The function that makes a character of its code point."""

    @abstractmethod
    def text(self, text: str) -> Member:
        """A text expression as member."""

    @abstractmethod
    def plain(self, text: str) -> Member:
        """A text expression as member that holds nothing which JSON escapes."""

    @abstractmethod
    def integer(self, number: str) -> Member:
        """An integer expression as member."""

    @abstractmethod
    def boolean(self, column: str) -> Member:
        """A stored boolean as member."""

    @abstractmethod
    def truth(self, condition: str) -> Member:
        """A condition as member true or false."""

    @abstractmethod
    def constant(self, value: str) -> Member:
        """A fixed text as member."""

    @abstractmethod
    def obj(self, members: Members) -> Member:
        """A JSON object; its keys are known to be plain names."""

    @abstractmethod
    def array(self, members: Sequence[Member]) -> Member:
        """A JSON array."""

    @abstractmethod
    def json_text(self, member: Member) -> str:
        """A member as JSON text."""

    @abstractmethod
    def collect(self, member: Member, keep: str | None = None) -> Member:
        """An aggregate: the JSON array over the rows of a subquery with ORDER BY and LIMIT, in their order.

        With `keep`, a condition on the rows, they have a column `ROW_NUMBER`.
        """

    @abstractmethod
    def gather(self, member: Member, source: str) -> Member:
        """The JSON array over the rows of a FROM clause, in their order, as a subquery."""

    @abstractmethod
    def collect_text(self, text: str) -> str:
        """An aggregate: the texts with commas between, null when there are none."""

    @abstractmethod
    def many(self, prop: Property, column: str) -> str:
        """A stored list of values as a JSON array, or null."""

    @abstractmethod
    def elements(self, column: str) -> tuple[str, str]:
        """A stored list as rows to select from, and the text of the element in them; the rows are called `x`."""

    @abstractmethod
    def gathered(self, text: str, number: str) -> str:
        """An aggregate: pairs of a text and an exact number, to be read by `scattered`."""

    @abstractmethod
    def scattered(self, column: str) -> tuple[str, str, str]:
        """Gathered pairs as rows to select from, and the text and the number of the pair in them."""

    @abstractmethod
    def total(self, sum_: str, scale: int) -> str:
        """A sum, an error where it would not fit the 64 bits that one value of its scale has."""

    @abstractmethod
    def decimal(self, number: str, scale: int, least: int) -> str:
        """A stored decimal as exact text with at least `least` digits after the point, no needless zeros, or null."""

    @abstractmethod
    def instant(self, column: str) -> str:
        """A stored instant as ISO text, its fraction without needless zeros, or null."""

    @abstractmethod
    def sortable_instant(self, column: str) -> str:
        """A stored instant as fixed-width text whose order is that of time."""

    @abstractmethod
    def binary(self, text: str) -> str:
        """A text that compares by code point."""

    @abstractmethod
    def folded(self, text: str) -> str:
        """A text with its ASCII letters in lower case."""

    @abstractmethod
    def contains(self, text: str, needle: str) -> str:
        """Whether `needle` occurs in `text`."""

    @abstractmethod
    def starts_with(self, text: str, start: str) -> str:
        """Whether `text` begins with `start`."""

    @abstractmethod
    def same(self, left: str, right: str) -> str:
        """Whether both are equal or both null."""

    @abstractmethod
    def param(self, parameter: str, kind: ParamKind) -> str:
        """A named parameter."""

    @abstractmethod
    def in_list(self, expression: str, parameter: str, kind: ParamKind) -> str:
        """Whether the expression is among a list given as one parameter."""

    @abstractmethod
    def in_few(self, expression: str, query: str) -> str:
        """Whether the expression is among the few texts that a query gives, which depends on no other row."""

    @abstractmethod
    def named(self, parameter: str) -> str:
        """Rows that one parameter names, as a query for their `type` and `id`, in order."""

    @abstractmethod
    def hexed(self, built: Member) -> str:
        """A JSON expression's UTF-8 bytes in lower-case hexadecimal."""

    @abstractmethod
    def member_of(self, column: str, key: str, member: str) -> str:
        """A text within an object that a column of JSON text has under a key, an SQL expression; or null."""

    def among(self, expression: str, values: Sequence[str]) -> str:
        """Whether the expression is one of these fixed texts."""
        return f"{expression} IN ({', '.join(map(literal, values))})"

    def one_of(self, expression: str, values: Sequence[str]) -> str:
        """The expression where it is one of these fixed texts, else null."""
        return f"CASE WHEN {self.among(expression, values)} THEN {expression} END"

    def text_instant(self, column: str) -> str:
        """An instant kept as fixed-width text, its fraction without needless zeros; null for the empty one."""
        trimmed = TEXT_OF_INSTANT.format(f"substr({column}, 1, 26)")
        return f"CASE WHEN length({column}) = 27 THEN {trimmed} ELSE NULLIF({column}, '') END"
