"""What differs between database drivers: which one a URL means, how values stay exact, what an error says.

Oracle (python-oracledb in thin mode) and SQL Server (pymssql) are done by their drivers' documentation, read on
2026-11-23, and not yet tried with a server: https://python-oracledb.readthedocs.io/en/latest/user_guide/sql_execution.html,
https://pymssql.readthedocs.io/en/stable/ref/pymssql.html.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from hub.errors import SourceError, SourceProtocolError, SourceUnavailableError

DRIVERS = {
    "postgresql": "psycopg",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "oracle": "oracledb",
    "mssql": "pymssql",
}
"""The driver of a URL that names none."""

_REFUSED = ("authentication", "password", "access denied", "login failed")
_REFUSED_BY_ORACLE = frozenset({"ORA-01005", "ORA-01017", "ORA-01045", "ORA-28000", "ORA-28001"})
"""No password, a wrong one, no right to open a session, an account that is locked, a password that has expired."""
_WRONG_TO_ORACLE = frozenset({"ORA-00904", "ORA-00942", "ORA-01031"})
"""No such column, no such table, no right to it. ORA-00942 is both of the latter: Oracle does not tell which."""
_LATER_WITH_ORACLE = frozenset({"ORA-01555", "ORA-08177"})
"""The snapshot was too old for the end of the statement, or its transaction cannot be put in a row with others."""
_WRONG_TO_SQL_SERVER = {
    207: "there is no such column",
    208: "there is no such table",
    229: "the login may not read it",
}


def keep_exact(engine: sa.Engine) -> None:
    """Let the engine's connections give values as the database keeps them."""
    listener = _LISTENERS.get(engine.dialect.name)
    if listener is not None:
        sa.event.listen(engine, "connect", listener)


def meaning_of(error: sa.exc.DBAPIError) -> tuple[type[SourceError], str]:
    """What a driver's error means to the source. Messages are shown only of kinds that name tables and columns."""
    text = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else ""
    state = getattr(error.orig, "sqlstate", None) or ""
    code = _code(error)
    if (
        state.startswith(("28", "3D"))
        or code in _REFUSED_BY_ORACLE
        or any(word in text.lower() for word in _REFUSED)
    ):
        return SourceProtocolError, "the database refused the login; see url"
    if (
        state.startswith("42")
        or text.startswith("no such")
        or "syntax error" in text
        or code in _WRONG_TO_ORACLE
    ):
        return SourceProtocolError, text
    if code in _WRONG_TO_SQL_SERVER:
        return SourceProtocolError, f"{_WRONG_TO_SQL_SERVER[code]} ({code}); see read"
    name = type(error.orig).__name__
    unreachable = (
        isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or error.connection_invalidated
    )
    if unreachable or code in _LATER_WITH_ORACLE:
        return (
            SourceUnavailableError,
            f"the database cannot be reached or did not finish ({name} {state or code})".replace(" )", ")"),
        )
    return SourceProtocolError, f"the database cannot run the statement ({name} {state or code})".replace(
        " )", ")"
    )


def _code(error: sa.exc.DBAPIError) -> str | int:
    """The driver's own code: `ORA-00942` of Oracle's, 208 of SQL Server's, else an empty text."""
    first: Any = next(iter(getattr(error.orig, "args", ())), "")
    # pymssql gives a pair of both when it cannot connect, and two arguments when a statement fails.
    first = first[0] if isinstance(first, tuple) and first else first
    if isinstance(first, int):
        return first
    code = str(getattr(first, "full_code", ""))
    return code if code.startswith(("ORA-", "DPY-")) else ""


def _of_sqlite(connection: Any, _record: Any) -> None:
    """SQLite checks no encoding: one bad text must reach quarantine with its record, not end the run."""
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")


def _of_oracle(connection: Any, _record: Any) -> None:
    """Numbers of Oracle are decimal up to 38 digits; driver and dialect give some as floats, and LOBs as handles.

    SQLAlchemy asks this handler of every column that has no type of its own, and those of the hub have none.
    """
    import oracledb

    as_what: dict[Any, tuple[Any, Callable[[Any], Any] | None]] = {
        oracledb.DB_TYPE_NUMBER: (Decimal, whole),
        oracledb.DB_TYPE_CLOB: (oracledb.DB_TYPE_LONG, None),
        oracledb.DB_TYPE_NCLOB: (oracledb.DB_TYPE_LONG_NVARCHAR, None),
        oracledb.DB_TYPE_BLOB: (oracledb.DB_TYPE_LONG_RAW, None),
    }

    def handler(cursor: Any, _name: str, kind: Any, _size: int, _precision: int, _scale: int) -> Any:
        if kind not in as_what:
            return None
        given, convert = as_what[kind]
        return cursor.var(given, arraysize=cursor.arraysize, outconverter=convert)

    connection.outputtypehandler = handler


def whole(number: Decimal) -> int | Decimal:
    """The number, as an int where it is one: a key is 1001, whether the column has a scale or not."""
    return int(number) if number == number.to_integral_value() else number


_LISTENERS = {"sqlite": _of_sqlite, "oracle": _of_oracle}
