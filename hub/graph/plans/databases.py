"""SQL as SQLite spells it, and as PostgreSQL does."""

from __future__ import annotations

import json
from collections.abc import Sequence

from typing_extensions import override

from hub.graph.plans.spelling import joined, literal
from hub.graph.plans.sql import ROW_NUMBER, TEXT_OF_INSTANT, Member, Members, ParamKind, Sql
from hub.ontology import Property, PropertyType
from hub.store import DialectName

_CLOSE, _END = "'}'", "']'"
_HASHED = 8
"""Values that PostgreSQL compares one by one; for a longer list it makes a hash table anew in each statement."""
_ARGUMENTS = 60
"""Pairs that one json_object takes; SQLite allows 127 arguments."""


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
        return TEXT_OF_INSTANT.format(f"substr({column}, 1, 26)")

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
