"""The SQL of a Splink model: parsed as DuckDB's, and asked which record of the pair each part speaks of.

A level's condition names columns with `_l` and `_r`, a blocking rule with `l.` and `r.`. A part is *one-sided*
if all its columns are of one record; such a part can be worked out once a record instead of once a pair.
"""

from __future__ import annotations

from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

Side = Literal["l", "r"]


class UnsupportedSqlError(ValueError):
    """A part of a model has no equal here; the message names the part, the caller adds where it stands."""


def parsed(sql: str) -> exp.Expr:
    """The expression that `sql` is.

    Raises:
        UnsupportedSqlError: it is none; correct the model.
    """
    try:
        found = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError:
        raise UnsupportedSqlError("is not one SQL expression") from None
    if not isinstance(found, exp.Expr):
        raise UnsupportedSqlError("is not one SQL expression")
    return found


def only_side(node: exp.Expr) -> Side | None:
    """The record that all columns in `node` belong to; None if it has no columns, or columns of both."""
    found = {side_of(column) for column in node.find_all(exp.Column)}
    return found.pop() if len(found) == 1 else None


def side_of(column: exp.Column) -> Side:
    """The record of the pair that `column` names.

    Raises:
        UnsupportedSqlError: it names neither.
    """
    mark = column.table.lower() if column.table else column.name[-2:].lower().removeprefix("_")
    if mark == "l":
        return "l"
    if mark == "r":
        return "r"
    raise UnsupportedSqlError(f"column {column.name!r} is of neither record: expected _l or _r at its end")


def column_name(column: exp.Column) -> str:
    """The column of the profile that `column` names, without the mark of its side."""
    return column.name if column.table else column.name[:-2]


def bare(node: exp.Expr) -> exp.Expr:
    """`node` without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that must all hold for `node` to hold."""
    node = bare(node)
    if isinstance(node, exp.And):
        return [*conjuncts(node.left), *conjuncts(node.right)]
    return [node]


def equal_columns(node: exp.Expr) -> str | None:
    """The column that `node` says is equal in both records, if that is all that it says."""
    if not isinstance(node, exp.EQ):
        return None
    left, right = node.left, node.right
    if not (isinstance(left, exp.Column) and isinstance(right, exp.Column)):
        return None
    same = column_name(left) == column_name(right) and side_of(left) != side_of(right)
    return column_name(left) if same else None
