"""Small databases beside the store, each in a file or on a server, whose commits are on disk when they return."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.errors import HubError
from hub.store.wal import write_ahead

LOCK_WAIT_S = 30
"""Longest wait for another process that writes the file."""


def side_engine(url: str, name: str, refuse: Callable[[str], HubError]) -> Engine:
    """Connections to the database at `sqlite:///PATH` or `postgresql://...`, made on first use.

    A file's transactions begin by a statement of the caller's.

    Raises:
        HubError: of the kind that `refuse` makes, which calls the database `name`: the URL is of another kind, or names
            no file; correct the configuration.
    """
    parsed = _parse(url, name, refuse)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    return create_engine(parsed, hide_parameters=True, pool_pre_ping=True)


def _parse(url: str, name: str, refuse: Callable[[str], HubError]) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise refuse(f"the URL of {name} is malformed: not sqlite:///PATH or postgresql://...") from None
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    if parsed.get_backend_name() != "sqlite":
        raise refuse(f"{name} needs sqlite or postgresql, not {parsed.get_backend_name()}")
    if parsed.database in (None, "", ":memory:"):
        raise refuse(f"{name} needs a file: memory does not outlive a crash")
    return parsed


def _sqlite_engine(url: URL) -> Engine:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": LOCK_WAIT_S}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # else sqlite3 begins by itself, and without IMMEDIATE
        write_ahead(dbapi_connection)
        for pragma in ("synchronous=FULL", "trusted_schema=OFF"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    return engine
