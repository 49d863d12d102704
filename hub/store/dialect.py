"""What the two databases spell differently, behind one interface."""

from __future__ import annotations

import fcntl
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import RawCursor
from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from hub.errors import StoreError
from hub.store.cancellation import Cancellation
from hub.store.codec import DialectName
from hub.store.wal import write_ahead

MIN_SQLITE = (3, 39, 0)
"""The first release with IS DISTINCT FROM and with UPDATE ... FROM ... RETURNING as the graph's writer needs them."""

_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock: a fraction of a millisecond, so hardly any looks."""
_CANCEL_S = 5.0
"""Seconds that a server may take to hear that a statement shall end."""

Rows = Sequence[tuple[Any, ...]]

_NAMED = re.compile(r"%\((\w+)\)s")

_MAPPED = 2**40
"""Bytes of the file that a connection reads as memory, without a call for each page; SQLite takes as many as it was
built for, mostly 2 GB."""

_PREPARED_FROM = 1
"""Runs after which psycopg prepares a statement; planning a customer's view takes ten times as long as running it."""

READING = {"jit": "off", "random_page_cost": "1.1"}
"""PostgreSQL's settings for reads. Compiling by jit takes longer than most reads, and so does a bitmap of one
customer's few rows, which PostgreSQL prefers as long as it thinks of turning disks."""

_WRITE_LOCK = 0x48554257
"""Number of the PostgreSQL advisory lock that orders the hub's write transactions ("HUBW")."""


class Dialect(ABC):
    """SQL that depends on the database. Statements take rows as tuples in the order of `columns`."""

    name: DialectName

    @abstractmethod
    def prepare(self, engine: Engine) -> None:
        """Set each connection up as the hub needs it."""

    @abstractmethod
    def asking(self, engine: Engine) -> Engine:
        """Where connections for `first_row` come from."""

    @abstractmethod
    def first_row(self, connection: Any, sql: str, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row of a statement on a connection of the driver's own, outside of a transaction."""

    @abstractmethod
    def begin_write(self, connection: Connection) -> None:
        """Wait for the turn to write: write transactions follow one another, so ids of changes are in commit order."""

    @abstractmethod
    def param(self, name: str) -> str:
        """A named parameter in the driver's own spelling."""

    @abstractmethod
    def in_list(self, expression: str, name: str) -> str:
        """A condition that `expression` is one of the values given as parameter `name` by `list_value`."""

    @abstractmethod
    def list_value(self, values: Collection[Any]) -> Any:
        """The form in which a list of values is passed as one parameter."""

    @abstractmethod
    def numbers(self, name: str) -> str:
        """A list of whole numbers, given as parameter `name` by `list_value`, as rows of a FROM: `n.value`."""

    @abstractmethod
    def gathered(self, select: str, column: str) -> str:
        """The values of a SELECT's one column as one value, a list or its JSON text."""

    def run(self, connection: Connection, sql: str, values: Mapping[str, Any]) -> Any:
        """The driver's cursor after a statement in the connection's transaction.

        By the driver itself: a batch runs dozens of small statements, and SQLAlchemy adds 20 microseconds to each.
        """
        with _wrapped(connection):
            cursor = _driver(connection).cursor()
            cursor.execute(sql, values)
            return cursor

    def insert(self, connection: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
        """Insert rows; an existing key is an error."""
        if rows:
            self._insert(connection, self._insert_sql(connection, table, columns), rows)

    def upsert(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        rows: Rows,
        *,
        keep: Collection[str] = (),
    ) -> None:
        """Insert rows or replace those with the same primary key; columns in `keep` stay as they are on replacing."""
        if rows:
            sql = self._insert_sql(connection, table, columns) + _conflict_clause(table, columns, keep)
            self._insert(connection, sql, rows)

    @abstractmethod
    def cancellable(
        self, driver: Any, cancellation: Cancellation, invalidate: Callable[[], None]
    ) -> AbstractContextManager[None]:
        """While inside, the cancellation ends the statements of the driver's connection; after it, none of them.

        `invalidate` takes the connection out of its pool.
        """

    @abstractmethod
    def _insert_sql(self, connection: Connection, table: Table, columns: Sequence[str]) -> str:
        """The INSERT for rows of these columns."""

    @abstractmethod
    def _insert(self, connection: Connection, sql: str, rows: Rows) -> None:
        """Run the statement of `_insert_sql` for the rows."""

    @abstractmethod
    def overwrite_deleted(self, connection: Connection) -> None:
        """From now on what the connection deletes is overwritten where it stood, as far as the database can do that."""

    @abstractmethod
    def scrub(self, engine: Engine, tables: Collection[str], *, thorough: bool, patience_s: float) -> bool:
        """See `Store.scrub`."""

    @abstractmethod
    def allocate(self, connection: Connection, table: str, count: int) -> int:
        """The first of `count` consecutive row ids never used before; only inside a write transaction."""

    @abstractmethod
    def lock(self, engine: Engine, name: str) -> AbstractContextManager[bool]:
        """A lock between processes that ends with its holder; gives whether it was free."""


def _driver(connection: Connection) -> Any:
    """The driver's own connection, in a transaction as SQLAlchemy would begin one."""
    if not connection.in_transaction():
        connection.begin()
    return connection.connection.driver_connection


@contextmanager
def _wrapped(connection: Connection) -> Iterator[None]:
    """While inside, errors of the driver become SQLAlchemy's, as if it had run the statement."""
    dialect = connection.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        if lost:
            # Else it would be asked to roll back, and complain of that.
            connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost
        ) from None


def _conflict_clause(table: Table, columns: Sequence[str], keep: Collection[str]) -> str:
    keys = [column.name for column in table.primary_key.columns]
    changed = [name for name in columns if name not in keys and name not in keep]
    action = "UPDATE SET " + ", ".join(f'"{n}" = excluded."{n}"' for n in changed) if changed else "NOTHING"
    return f" ON CONFLICT ({quoted(keys)}) DO {action}"


def quoted(names: Sequence[str]) -> str:
    """Names as a list of SQL identifiers; an ontology may use any word, keywords included."""
    return ", ".join(f'"{name}"' for name in names)


class SqliteDialect(Dialect):
    """SQLite in WAL mode: one writer, readers never wait."""

    name = "sqlite"

    @override
    def prepare(self, engine: Engine) -> None:
        if sqlite3.sqlite_version_info < MIN_SQLITE:
            needed = ".".join(map(str, MIN_SQLITE))
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old; install a Python built with {needed} or later"
            )

        @event.listens_for(engine, "connect")
        def _on_connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            write_ahead(connection)
            for pragma in (
                "synchronous = FULL",
                "foreign_keys = ON",
                "busy_timeout = 30000",
                "cache_size = -65536",
                "temp_store = MEMORY",
                f"mmap_size = {_MAPPED}",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _on_begin(connection: Connection) -> None:
            options = connection.get_execution_options()
            if not options.get("hub_bare", False):
                writes = options.get("hub_write", False)
                with _wrapped(connection):
                    driver: Any = connection.connection.driver_connection
                    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    @override
    def asking(self, engine: Engine) -> Engine:
        return engine

    @override
    def first_row(self, connection: Any, sql: str, values: Mapping[str, Any]) -> Sequence[Any] | None:
        # All rows: a statement that is not run to its end keeps its read transaction, and checkpoints wait for that.
        rows: list[Sequence[Any]] = connection.execute(sql, values).fetchall()
        return rows[0] if rows else None

    @override
    def begin_write(self, connection: Connection) -> None:
        """Nothing more to do: BEGIN IMMEDIATE has taken the write lock."""

    @override
    def overwrite_deleted(self, connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")

    @override
    def scrub(self, engine: Engine, tables: Collection[str], *, thorough: bool, patience_s: float) -> bool:
        with engine.connect().execution_options(hub_bare=True) as connection:
            # Pages that were moved and split leave copies behind that no overwriting knows of, and pages freed long ago
            # whatever stood in them.
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience_s * 1000)}")
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            # Made anew, it waits as long as any other.
            connection.invalidate()
            return not busy

    @override
    def param(self, name: str) -> str:
        return f":{name}"

    @override
    def in_list(self, expression: str, name: str) -> str:
        return f"{expression} IN (SELECT value FROM json_each(:{name}))"

    @override
    def list_value(self, values: Collection[Any]) -> Any:
        return orjson.dumps(list(values)).decode()

    @override
    def numbers(self, name: str) -> str:
        return f"json_each(:{name}) AS n"

    @override
    def gathered(self, select: str, column: str) -> str:
        return f"(SELECT json_group_array({column}) FROM ({select}))"

    @override
    def allocate(self, connection: Connection, table: str, count: int) -> int:
        # AUTOINCREMENT keeps the greatest id ever used, explicit ones included.
        sql = "SELECT seq FROM sqlite_sequence WHERE name = :name"
        last = self.run(connection, sql, {"name": table}).fetchone()
        return (last[0] if last else 0) + 1

    @override
    @contextmanager
    def lock(self, engine: Engine, name: str) -> Iterator[bool]:
        folder = Path(str(engine.url.database)).parent / "locks"
        folder.mkdir(exist_ok=True)
        with (folder / f"{name}.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @override
    @contextmanager
    def cancellable(
        self, driver: Any, cancellation: Cancellation, invalidate: Callable[[], None]
    ) -> Iterator[None]:
        # Asked by the statement itself: so it ends at its time without another thread, also on the event loop.
        driver.set_progress_handler(lambda: cancellation.is_over, _STEPS)
        try:
            cancellation.check()
            yield
        finally:
            driver.set_progress_handler(None, 0)

    @override
    def _insert(self, connection: Connection, sql: str, rows: Rows) -> None:
        with _wrapped(connection):
            _driver(connection).executemany(sql, rows)

    @override
    def _insert_sql(self, connection: Connection, table: Table, columns: Sequence[str]) -> str:
        marks = ", ".join("?" * len(columns))
        return f'INSERT INTO "{table.name}" ({quoted(columns)}) VALUES ({marks})'


class PostgresDialect(Dialect):
    """PostgreSQL by psycopg; rows travel as one array a column, which is several times faster than row by row."""

    name = "postgresql"

    @override
    def prepare(self, engine: Engine) -> None:
        """Nothing to set: the defaults fit."""

    @override
    def asking(self, engine: Engine) -> Engine:
        # A pool of its own, without transactions: psycopg forgets what it prepared at every ROLLBACK, and
        # SQLAlchemy rolls back whenever a connection returns.
        return create_engine(
            engine.url,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            pool_use_lifo=True,
            hide_parameters=True,
            connect_args={
                "prepare_threshold": _PREPARED_FROM,
                "options": " ".join(f"-c {name}={value}" for name, value in READING.items()),
            },
        )

    @override
    def first_row(self, connection: Any, sql: str, values: Mapping[str, Any]) -> Sequence[Any] | None:
        statement, names = numbered(sql)
        # A raw cursor: psycopg takes long statements with named parameters apart anew each time.
        cursor = RawCursor(connection).execute(statement, [values[name] for name in names])
        row: Sequence[Any] | None = cursor.fetchone()
        return row

    @override
    def begin_write(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")

    @override
    def overwrite_deleted(self, connection: Connection) -> None:
        """Nothing: a row that is deleted stays until VACUUM."""

    @override
    def scrub(self, engine: Engine, tables: Collection[str], *, thorough: bool, patience_s: float) -> bool:
        how = "FULL, ANALYZE" if thorough else "ANALYZE"
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in sorted(tables):
                connection.exec_driver_sql(f'VACUUM ({how}) "{table}"')
            if thorough:
                # The planner's samples of columns are values. Who does not own the catalogue is warned and goes on.
                connection.exec_driver_sql("VACUUM FULL pg_catalog.pg_statistic")
        return True

    @override
    def param(self, name: str) -> str:
        return f"%({name})s"

    @override
    def in_list(self, expression: str, name: str) -> str:
        return f"{expression} = ANY(%({name})s)"

    @override
    def list_value(self, values: Collection[Any]) -> Any:
        return list(values)

    @override
    def numbers(self, name: str) -> str:
        return f"unnest(%({name})s::bigint[]) AS n(value)"

    @override
    def gathered(self, select: str, column: str) -> str:
        return f"ARRAY({select})"

    @override
    def allocate(self, connection: Connection, table: str, count: int) -> int:
        sequence = f"pg_get_serial_sequence('\"{table}\"', 'id')"
        last = connection.exec_driver_sql(
            f"SELECT setval({sequence}, nextval({sequence}) + %s)", (count - 1,)
        ).scalar_one()
        return int(last) - count + 1

    @override
    @contextmanager
    def lock(self, engine: Engine, name: str) -> Iterator[bool]:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            held = connection.exec_driver_sql(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", (name,)
            ).scalar_one()
            try:
                yield bool(held)
            finally:
                # On a lost connection the server has let go of the lock already.
                with suppress(DBAPIError):
                    if held:
                        connection.exec_driver_sql(
                            "SELECT pg_advisory_unlock(hashtextextended(%s, 1))", (name,)
                        )

    @override
    @contextmanager
    def cancellable(
        self, driver: Any, cancellation: Cancellation, invalidate: Callable[[], None]
    ) -> Iterator[None]:
        try:
            with cancellation.interrupting(lambda: _cancel(driver)):
                yield
        finally:
            if cancellation.is_over:
                # The server may be told late; the word must not reach whoever would use the connection next.
                invalidate()

    @override
    def _insert(self, connection: Connection, sql: str, rows: Rows) -> None:
        with _wrapped(connection):
            _driver(connection).execute(sql, _by_column(rows))

    @override
    def _insert_sql(self, connection: Connection, table: Table, columns: Sequence[str]) -> str:
        kinds = [table.c[name].type.compile(dialect=connection.dialect) for name in columns]
        # unnest() flattens nothing of type jsonb[], but psycopg would adapt str to text[]: so cast each array.
        arrays = ", ".join(f"%s::{'text' if kind == 'JSONB' else kind}[]" for kind in kinds)
        pairs = zip(columns, kinds, strict=True)
        values = ", ".join(f'u."{n}"::jsonb' if k == "JSONB" else f'u."{n}"' for n, k in pairs)
        names = quoted(columns)
        return f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM unnest({arrays}) AS u({names})'


@lru_cache(maxsize=512)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with PostgreSQL's own numbered parameters, and the names in their order."""
    names = tuple(dict.fromkeys(_NAMED.findall(sql)))
    numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
    return _NAMED.sub(lambda found: numbers[found[1]], sql).replace("%%", "%"), names


def _cancel(driver: Any) -> None:
    # A server that cannot be told now is told again, for as long as the statement goes on.
    with suppress(psycopg.Error):
        driver.cancel_safe(timeout=_CANCEL_S)


def _by_column(rows: Rows) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


def dialect_for(engine: Engine) -> Dialect:
    """The dialect of the engine's database.

    Raises:
        ValueError: the database is neither SQLite nor PostgreSQL.
    """
    if engine.dialect.name == "sqlite":
        return SqliteDialect()
    if engine.dialect.name == "postgresql":
        return PostgresDialect()
    raise ValueError(f"the store runs on sqlite or postgresql, not {engine.dialect.name}")
