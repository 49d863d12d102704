"""A plan run: one statement, its bytes handed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.errors import LimitError
from hub.graph.plans.compile import ReadPlan
from hub.graph.plans.marks import unmarked
from hub.store import Ask, Cancellation, Store

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
    """Ids of the customers whose data is in the answer, each once."""


def answer(
    store: Store,
    plan: ReadPlan,
    variables: Mapping[str, Any] | None = None,
    cancellation: Cancellation | None = None,
) -> PlanResult:
    """The answer of the plan for these variables, as the data is now; the cancellation ends it.

    Raises:
        QueryError: a variable does not fit its place.
        LimitError: a page is larger than allowed, the question nests deeper than the database can parse, a sum does
            not fit 64 bits, or it was ended.
        StoreUnavailableError: the database is out of reach.
    """
    with store.asking(cancellation) as ask:
        return _asked(ask, plan, variables)


def execute(connection: Connection, plan: ReadPlan, variables: Mapping[str, Any] | None = None) -> PlanResult:
    """The answer of the plan for these variables, of the state of the data that the connection sees.

    Raises:
        QueryError: a variable does not fit its place.
        LimitError: a page is larger than allowed, the question nests deeper than the database can parse, or a sum does
            not fit 64 bits.
    """
    return _asked(
        lambda sql, values: connection.exec_driver_sql(sql, dict(values)).fetchone(), plan, variables
    )


async def answer_on_loop(
    store: Store, plan: ReadPlan, variables: Mapping[str, Any], cancellation: Cancellation
) -> PlanResult:
    """As `answer`, on the event loop, which goes on meanwhile.

    Raises:
        ElsewhereError: the store cannot be asked so, or has not answered; ask by `answer`, in a thread.
    """
    return _result(await store.first_row(plan.sql, plan.bind(variables), cancellation))


def _asked(ask: Ask, plan: ReadPlan, variables: Mapping[str, Any] | None) -> PlanResult:
    values = plan.bind(variables or {})
    try:
        return _result(ask(plan.sql, values))
    except DBAPIError as error:
        limit = _limit(error)
        if limit is None:
            raise
        raise limit from None


def _result(row: Sequence[Any] | None) -> PlanResult:
    if row is None:
        return PlanResult("null", ())
    json_text, customers = unmarked(row[0])
    return PlanResult(json_text, tuple(dict.fromkeys(filter(None, [*(row[1] or "").split(","), *customers]))))


def _limit(error: DBAPIError) -> LimitError | None:
    """The limit that the database has met; None for any other error."""
    if _TOO_DEEP in str(error.orig):
        return LimitError("the question nests deeper than this SQLite can parse; ask in parts")
    if _TOO_LARGE in str(error.orig) or getattr(error.orig, "sqlstate", None) == _OUT_OF_RANGE:
        return LimitError("a sum does not fit 64 bits; aggregate fewer rows")
    return None
