"""SQLite's write-ahead mode, turned on by whichever of several processes comes first."""

from __future__ import annotations

import sqlite3

import stamina

WAIT_S = 30.0
"""How long to wait for others that are opening the file."""


def write_ahead(connection: sqlite3.Connection) -> None:
    """Put the connection's file into WAL mode, if it is not.

    SQLite's own busy timeout does not cover that: while another connection changes the mode of a new file, it refuses
    at once (https://sqlite.org/c3ref/busy_handler.html).

    Raises:
        sqlite3.OperationalError: the file cannot be written, or others hold it for longer than WAIT_S.
    """
    for attempt in stamina.retry_context(
        on=_is_busy, attempts=None, timeout=WAIT_S, wait_initial=0.005, wait_jitter=0.01, wait_max=0.1
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode=WAL")


def _is_busy(error: Exception) -> bool:
    return (
        isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )
