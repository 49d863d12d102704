"""SQL as the two databases spell it, so that the same rows give the same bytes of JSON.

A *member* is an expression that may stand in a JSON object or array. On SQLite it is any value, JSON marked by its
subtype, and `json_object` builds: it is in every build from 3.38 on, and the fastest way there. JSON that has passed
through a subquery's column has lost its mark; around such *carried* members `||` builds. On PostgreSQL every member is
JSON text, and `||` builds: `json_build_object` is slower, and writes spaces that SQLite does not.
PostgreSQL's statements hold no percent sign, which its driver would read as a parameter.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from typing_extensions import override

from hub.graph.plans.spelling import joined, literal
from hub.ontology import Property, PropertyType
from hub.store import DialectName

ParamKind = Literal["text", "bigint", "numeric", "boolean", "timestamptz"]

_TEXT_OF_INSTANT = "rtrim(rtrim({0}, '0'), '.') || 'Z'"
ROW_NUMBER = '"#"'
"""Column with a row's place on its page; no property can be called so."""

_CLOSE, _END = "'}'", "']'"
_HASHED = 8
"""Values that PostgreSQL compares one by one; for a longer list it makes a hash table anew in each statement."""
_ARGUMENTS = 60
"""Pairs that one json_object takes; SQLite allows 127 arguments."""


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
        trimmed = _TEXT_OF_INSTANT.format(f"substr({column}, 1, 26)")
        return f"CASE WHEN length({column}) = 27 THEN {trimmed} ELSE NULLIF({column}, '') END"


class SqliteSql(Sql):
    """SQLite 3.38 or later."""

    dialect = "sqlite"
    null = Member("NULL")
    false = "0"
    character = "char"
    lifts = True
    fence = ""

    @override
    def text(self, text: str) -> Member:
        return Member(text)

    @override
    def plain(self, text: str) -> Member:
        return Member(text)

    @override
    def integer(self, number: str) -> Member:
        return Member(number)

    @override
    def boolean(self, column: str) -> Member:
        return Member(f"CASE {column} WHEN 1 THEN json('true') WHEN 0 THEN json('false') END")

    @override
    def truth(self, condition: str) -> Member:
        return Member(f"CASE WHEN {condition} THEN json('true') ELSE json('false') END")

    @override
    def constant(self, value: str) -> Member:
        return Member(literal(value))

    @override
    def obj(self, members: Members) -> Member:
        if len(members) <= _ARGUMENTS and not any(member.carried for _, member in members):
            pairs = ", ".join(f"{literal(key)}, {member.sql}" for key, member in members)
            return Member(f"json_object({pairs})")
        parts = []
        for index, (key, member) in enumerate(members):
            parts += [literal(("," if index else "{") + f'"{key}":'), self.json_text(member)]
        return Member(joined([*parts, _CLOSE]), carried=True)

    @override
    def array(self, members: Sequence[Member]) -> Member:
        return Member(f"json_array({', '.join(member.sql for member in members)})")

    @override
    def json_text(self, member: Member) -> str:
        if not member.carried:
            return f"json_quote({member.sql})"
        return f"coalesce({member.sql}, 'null')" if member.nullable else member.sql

    @override
    def collect(self, member: Member, keep: str | None = None) -> Member:
        kept = f" FILTER (WHERE {keep})" if keep else ""
        if member.carried:
            return Member(
                f"'[' || coalesce(group_concat({self.json_text(member)}, ','){kept}, '') || ']'", carried=True
            )
        return Member(f"json_group_array({member.sql}){kept}")

    @override
    def gather(self, member: Member, source: str) -> Member:
        return Member(f"(SELECT {self.collect(member).sql} {source})", carried=True)

    @override
    def collect_text(self, text: str) -> str:
        return f"group_concat({text}, ',')"

    @override
    def many(self, prop: Property, column: str) -> str:
        return f"json({column})"

    @override
    def elements(self, column: str) -> tuple[str, str]:
        return f"json_each({column}) x", "x.value"

    @override
    def gathered(self, text: str, number: str) -> str:
        return f"json_group_array(json_array({text}, {number}))"

    @override
    def scattered(self, column: str) -> tuple[str, str, str]:
        return f"json_each({column}) x", "json_extract(x.value, '$[0]')", "json_extract(x.value, '$[1]')"

    @override
    def among(self, expression: str, values: Sequence[str]) -> str:
        return f"{self.one_of(expression, values)} IS NOT NULL"

    @override
    def one_of(self, expression: str, values: Sequence[str]) -> str:
        # For IN, SQLite would make a table of the values each time that the statement comes by.
        cases = " ".join(f"WHEN {each} THEN {each}" for each in map(literal, values))
        return f"CASE {expression} {cases} END"

    @override
    def total(self, sum_: str, scale: int) -> str:
        return sum_

    @override
    def decimal(self, number: str, scale: int, least: int) -> str:
        if scale == 0:
            return f"CAST({number} AS TEXT)"
        # No CASE and no printf: both would nest deeper than SQLite's parser likes. Null in, null out.
        unit, sign = 10**scale, f"substr('-', 1, {number} < 0)"
        whole, digits = f"(abs({number}) / {unit})", f"{unit} + abs({number}) % {unit}"
        if least:
            kept, rest = f"substr({digits}, 2, {least})", f"rtrim(substr({digits}, {least + 2}), '0')"
            return f"{sign} || {whole} || '.' || {kept} || {rest}"
        return f"{sign} || rtrim(rtrim({whole} || '.' || substr({digits}, 2), '0'), '.')"

    @override
    def instant(self, column: str) -> str:
        return _TEXT_OF_INSTANT.format(f"substr({column}, 1, 26)")

    @override
    def sortable_instant(self, column: str) -> str:
        return column

    @override
    def binary(self, text: str) -> str:
        return text

    @override
    def folded(self, text: str) -> str:
        return f"lower({text})"

    @override
    def contains(self, text: str, needle: str) -> str:
        return f"instr({text}, {needle}) > 0"

    @override
    def starts_with(self, text: str, start: str) -> str:
        return f"substr({text}, 1, length({start})) = {start}"

    @override
    def same(self, left: str, right: str) -> str:
        return f"{left} IS {right}"

    @override
    def param(self, parameter: str, kind: ParamKind) -> str:
        return f":{parameter}"

    @override
    def in_list(self, expression: str, parameter: str, kind: ParamKind) -> str:
        return f"{expression} IN (SELECT value FROM json_each(:{parameter}))"

    @override
    def in_few(self, expression: str, query: str) -> str:
        return f"{expression} IN ({query})"

    @override
    def named(self, parameter: str) -> str:
        columns = "json_extract(x.value, '$[0]') AS type, json_extract(x.value, '$[1]') AS id"
        return f"SELECT {columns} FROM json_each(:{parameter}) x ORDER BY x.key LIMIT -1"

    @override
    def hexed(self, built: Member) -> str:
        return f"lower(hex({built.sql}))"

    @override
    def member_of(self, column: str, key: str, member: str) -> str:
        return f"""json_extract({column}, '$."' || {key} || '"."{member}"')"""


class PostgresSql(Sql):
    """PostgreSQL 13 or later."""

    dialect = "postgresql"
    null = Member("'null'")
    false = "FALSE"
    character = "chr"
    lifts = False
    fence = " OFFSET 0"

    @override
    def text(self, text: str) -> Member:
        return Member(f"coalesce(to_json(({text})::text)::text, 'null')")

    @override
    def plain(self, text: str) -> Member:
        return Member(f"coalesce('\"' || {text} || '\"', 'null')")

    @override
    def integer(self, number: str) -> Member:
        return Member(f"coalesce(({number})::text, 'null')")

    @override
    def boolean(self, column: str) -> Member:
        return Member(f"coalesce(({column})::text, 'null')")

    @override
    def truth(self, condition: str) -> Member:
        return Member(f"CASE WHEN {condition} THEN 'true' ELSE 'false' END")

    @override
    def constant(self, value: str) -> Member:
        return Member(literal(json.dumps(value, ensure_ascii=False)).replace("%", "%%"))

    @override
    def obj(self, members: Members) -> Member:
        if not members:
            return Member("'{}'::text")
        parts = []
        for index, (key, member) in enumerate(members):
            parts += [literal(("," if index else "{") + f'"{key}":'), self.json_text(member)]
        return Member(joined([*parts, _CLOSE]))

    @override
    def array(self, members: Sequence[Member]) -> Member:
        parts = []
        for index, member in enumerate(members):
            parts += ["','" if index else "'['", member.sql]
        return Member(joined([*parts, _END]) if parts else "'[]'::text")

    @override
    def json_text(self, member: Member) -> str:
        return f"coalesce({member.sql}, 'null')" if member.nullable else member.sql

    @override
    def collect(self, member: Member, keep: str | None = None) -> Member:
        # Rows come as the subquery sorts them, unless a window function over them may sort them anew.
        order, kept = (f" ORDER BY {ROW_NUMBER}", f" FILTER (WHERE {keep})") if keep else ("", "")
        aggregate = f"string_agg({self.json_text(member)}, ','{order})"
        return Member(f"('[' || coalesce({aggregate}{kept}, '') || ']')")

    @override
    def gather(self, member: Member, source: str) -> Member:
        # No aggregate: to set one up takes longer than to gather a page's rows.
        return Member(f"'[' || array_to_string(ARRAY(SELECT {self.json_text(member)} {source}), ',') || ']'")

    @override
    def collect_text(self, text: str) -> str:
        return f"string_agg({text}, ',')"

    @override
    def many(self, prop: Property, column: str) -> str:
        plain = prop.type in (PropertyType.INTEGER, PropertyType.BOOLEAN)
        element = "x.value" if plain else "to_json(x.value)::text"
        listed = f"string_agg({element}, ',' ORDER BY x.ordinality)"
        rows = f"jsonb_array_elements_text({column}) WITH ORDINALITY AS x"
        built = f"(SELECT '[' || coalesce({listed}, '') || ']' FROM {rows})"
        return f"CASE WHEN {column} IS NOT NULL THEN {built} END"

    @override
    def elements(self, column: str) -> tuple[str, str]:
        return f"jsonb_array_elements_text({column}) AS x(value)", "x.value"

    @override
    def gathered(self, text: str, number: str) -> str:
        return f"jsonb_agg(jsonb_build_array({text}, {number}))"

    @override
    def scattered(self, column: str) -> tuple[str, str, str]:
        return f"jsonb_array_elements({column}) AS x(value)", "(x.value ->> 0)", "(x.value ->> 1)::numeric"

    @override
    def total(self, sum_: str, scale: int) -> str:
        if not scale:
            return f"({sum_})::bigint"
        return f"(({sum_}) * {10**scale})::bigint * 0.{1:0{scale}}"

    @override
    def decimal(self, number: str, scale: int, least: int) -> str:
        if not least:
            return f"trim_scale({number})::text"
        short = f"min_scale({number}) < {least}"
        return f"(CASE WHEN {short} THEN round({number}, {least}) ELSE trim_scale({number}) END)::text"

    @override
    def instant(self, column: str) -> str:
        # JSON's form of a time without zone is that of ISO, whatever the connection's DateStyle; to_char is slow.
        return f"""trim(to_json({_utc(column)})::text, '"') || 'Z'"""

    @override
    def sortable_instant(self, column: str) -> str:
        return f"({_to_char(column)} || 'Z')"

    @override
    def binary(self, text: str) -> str:
        return f'{text} COLLATE "C"'

    @override
    def folded(self, text: str) -> str:
        return f'lower({text} COLLATE "C")'

    @override
    def contains(self, text: str, needle: str) -> str:
        return f"strpos({text}, {needle}) > 0"

    @override
    def starts_with(self, text: str, start: str) -> str:
        return f"starts_with({text}, {start})"

    @override
    def same(self, left: str, right: str) -> str:
        return f"{left} IS NOT DISTINCT FROM {right}"

    @override
    def param(self, parameter: str, kind: ParamKind) -> str:
        return f"%({parameter})s::{kind}"

    @override
    def in_list(self, expression: str, parameter: str, kind: ParamKind) -> str:
        return f"{expression} = ANY(%({parameter})s::{kind}[])"

    @override
    def in_few(self, expression: str, query: str) -> str:
        # The index takes an array as it is; for IN it would be joined, its doubles removed by a hash table.
        return f"{expression} = ANY(ARRAY({query}))"

    @override
    def named(self, parameter: str) -> str:
        rows = f"jsonb_array_elements(%({parameter})s::jsonb) WITH ORDINALITY AS x(value, place)"
        return f"SELECT x.value ->> 0 AS type, x.value ->> 1 AS id FROM {rows} ORDER BY x.place"

    @override
    def hexed(self, built: Member) -> str:
        return f"encode(convert_to({built.sql}, 'UTF8'), 'hex')"

    @override
    def among(self, expression: str, values: Sequence[str]) -> str:
        values = [value.replace("%", "%%") for value in values]
        lists = [values[start : start + _HASHED] for start in range(0, len(values), _HASHED)]
        return f"({' OR '.join(super(PostgresSql, self).among(expression, each) for each in lists)})"

    @override
    def member_of(self, column: str, key: str, member: str) -> str:
        return f"({column}::json -> {key} ->> '{member}')"


def _to_char(column: str) -> str:
    return f"""to_char({_utc(column)}, 'YYYY-MM-DD"T"HH24:MI:SS.US')"""


def _utc(column: str) -> str:
    # An interval in place of a name: nothing has to be looked up.
    return f"({column} AT TIME ZONE INTERVAL '0')"


SPELLINGS: dict[DialectName, Sql] = {"sqlite": SqliteSql(), "postgresql": PostgresSql()}
"""The spelling of each database."""
