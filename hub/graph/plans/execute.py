"""A plan run: one statement, its bytes handed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.graph.plans.compile import ReadPlan
from hub.store import Store


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The answer."""

    json_text: str = field(repr=False)
    """Compact JSON, the same bytes from either database."""
    customers: tuple[str, ...]
    """Ids of the customers whose data is in the answer, in the order in which they occur."""


def execute(connection: Connection, plan: ReadPlan, variables: Mapping[str, Any] | None = None) -> PlanResult:
    """The answer of the plan for these variables, of the state of the data that the connection sees.

    Raises:
        QueryError: a variable does not fit its place.
        LimitError: a page is larger than allowed.
    """
    return _result(connection.exec_driver_sql(plan.sql, plan.bind(variables or {})).fetchone())


def answer(store: Store, plan: ReadPlan, variables: Mapping[str, Any] | None = None) -> PlanResult:
    """The answer of the plan for these variables, of the present state of the data; the fastest way to one.

    Raises:
        QueryError: a variable does not fit its place.
        LimitError: a page is larger than allowed, or the question nests deeper than the database can parse.
        StoreUnavailableError: the database is out of reach.
    """
    return _result(store.first_row(plan.sql, plan.bind(variables or {})))


def _result(row: Sequence[Any] | None) -> PlanResult:
    if row is None:
        return PlanResult("null", ())
    return PlanResult(row[0], tuple(dict.fromkeys(filter(None, (row[1] or "").split(",")))))
