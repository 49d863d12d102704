"""A plan run: one statement, its bytes handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.errors import LimitError
from hub.graph.plans.compile import ReadPlan

_TOO_DEEP = "parser stack overflow"
"""Before version 3.46, SQLite's parser holds 100 symbols; links are bounded so that ordinary questions stay below."""
_TOO_LARGE = "integer overflow"
"""What SQLite says of a sum beyond 64 bits."""
_OUT_OF_RANGE = "22003"
"""What PostgreSQL says of one: SQLSTATE numeric_value_out_of_range."""


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The answer."""

    json_text: str = field(repr=False)
    """Compact JSON, the same bytes from either database."""
    customers: tuple[str, ...]
    """Ids of the customers whose data is in the answer, in the order in which they occur."""


def execute(connection: Connection, plan: ReadPlan, variables: Mapping[str, Any] | None = None) -> PlanResult:
    """The answer of the plan for these variables.

    Raises:
        QueryError: a variable does not fit its place.
        LimitError: a page is larger than allowed, the question nests deeper than the database can parse, or a sum does
            not fit 64 bits.
    """
    values = plan.bind(variables or {})
    try:
        row = connection.exec_driver_sql(plan.sql, values).fetchone()
    except DBAPIError as error:
        limit = _limit(error)
        if limit is None:
            raise
        raise limit from None
    if row is None:
        return PlanResult("null", ())
    return PlanResult(row[0], tuple(dict.fromkeys(filter(None, (row[1] or "").split(",")))))


def _limit(error: DBAPIError) -> LimitError | None:
    """The limit that the database has met; None for any other error."""
    if _TOO_DEEP in str(error.orig):
        return LimitError("the question nests deeper than this SQLite can parse; ask in parts")
    if _TOO_LARGE in str(error.orig) or getattr(error.orig, "sqlstate", None) == _OUT_OF_RANGE:
        return LimitError("a sum does not fit 64 bits; aggregate fewer rows")
    return None
