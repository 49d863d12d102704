"""Which statements a store runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from hub.store import Store


@contextmanager
def noting(store: Store, note: Callable[[str], None]) -> Iterator[None]:
    """Tells of each statement before it is run, through SQLAlchemy or a driver, in a thread or on the event loop."""
    dialect, on_loop = store.dialect, store.first_row
    own = {name: getattr(dialect, name) for name in ("first_row", "run", "_insert")}

    def listen(_c: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        note(statement)

    def noted(name: str) -> Callable[[Any, str, Any], Any]:
        def run(connection: Any, sql: str, values: Any) -> Any:
            note(sql)
            return own[name](connection, sql, values)

        return run

    async def noted_on_loop(sql: str, *more: Any) -> Any:
        row = await on_loop(sql, *more)
        note(sql)
        return row

    event.listen(store.engine, "before_cursor_execute", listen)
    for name in own:
        setattr(dialect, name, noted(name))
    store.first_row = noted_on_loop  # type: ignore[method-assign]
    try:
        yield
    finally:
        for name in own:
            delattr(dialect, name)
        del store.first_row
        event.remove(store.engine, "before_cursor_execute", listen)


def plan_of(connection: Connection, sql: str, values: Mapping[str, Any] | None = None) -> str:
    """How the database answers a statement, in its words; PostgreSQL may not read all of a handful of rows."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values or {})
    else:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {sql}", values)
    return "\n".join(str(row[-1]) for row in rows)
