"""The hub's database: opened, brought up to date, read and written in short transactions."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, delete, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from hub.errors import ConfigurationError, HubError, StoreError, StoreUnavailableError
from hub.ontology import Ontology
from hub.store import fixed
from hub.store.cancellation import Cancellation
from hub.store.codec import iso_utc
from hub.store.dialect import Dialect, dialect_for
from hub.store.evolve import bring_up_to_date
from hub.store.onloop import ElsewhereError, LoopAsker
from hub.store.tables import EntityTables, build_tables
from hub.yamlfile import Fault

Ask = Callable[[str, Mapping[str, Any]], Sequence[Any] | None]
"""Gives the first row of a statement with these values."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed; `seq` ascends in the order of commits."""

    seq: int
    type: str
    entity_id: str
    kind: str
    run_id: int | None
    at: str


class Store:
    """A database with the tables of one ontology. Threads may share it; connections come from a pool."""

    def __init__(self, engine: Engine, ontology: Ontology) -> None:
        self.engine = engine
        self.ontology = ontology
        self.dialect: Dialect = dialect_for(engine)
        self.tables: EntityTables = build_tables(ontology)
        self.secret = b""
        """Goes into the ids of entities, so that they tell nothing of the keys that they are made from."""
        self._writer = engine.execution_options(hub_write=True)
        self._asking = self.dialect.asking(engine)
        self._on_loop: LoopAsker | None = None

    @classmethod
    def open(cls, url: str, ontology: Ontology, secret: bytes | None = None) -> Store:
        """The store at `url`, its tables made or brought up to date. A new one gets `secret`, or a random one.

        Raises:
            ConfigurationError: the URL names no database that the hub runs on.
            StoreUnavailableError: the database cannot be reached.
            SchemaChangeError: the tables hold what the ontology no longer allows; the message says what to do.
        """
        engine = _engine(url)
        store = cls(engine, ontology)
        store.dialect.prepare(engine)
        try:
            new = secret if secret is not None else secrets.token_bytes(32)
            store.secret = bring_up_to_date(engine, store.tables, ontology, new)
        except HubError:
            engine.dispose()
            raise
        except DBAPIError as error:
            engine.dispose()
            raise StoreUnavailableError(f"the store cannot be opened: {_cause(error)}") from None
        return store

    def close(self) -> None:
        """Give all connections back to the database."""
        self._asking.dispose()
        self.engine.dispose()

    @contextmanager
    def read(self, cancellation: Cancellation | None = None) -> Iterator[Connection]:
        """A connection that sees one state of the data throughout, until the cancellation ends it.

        Raises:
            LimitError: it was ended.
            StoreUnavailableError: the database is out of reach.
        """
        with translated(cancellation), self.engine.connect() as connection:
            if cancellation is None:
                yield connection
            else:
                driver = connection.connection.dbapi_connection
                with self.dialect.cancellable(driver, cancellation, connection.invalidate):
                    yield connection

    @contextmanager
    def asking(self, cancellation: Cancellation | None = None) -> Iterator[Ask]:
        """A function for the first row of one statement; each statement sees the data as of its own begin.

        Through the driver itself and without a transaction: some ten microseconds beyond the statement, and PostgreSQL
        keeps its plan. Parameters are named as `Dialect.param` spells them.

        Raises:
            LimitError: the cancellation ended it.
            StoreUnavailableError: the database is out of reach.
        """
        with translated(cancellation):
            yield partial(self._first_row, cancellation)

    @asynccontextmanager
    async def on_loop(self) -> AsyncIterator[None]:
        """While inside, `first_row` asks PostgreSQL on the running event loop."""
        if self.dialect.name != "postgresql":
            yield
            return
        asker = self._on_loop = LoopAsker(self.engine.url)
        try:
            yield
        finally:
            self._on_loop = None
            await asker.close()

    async def first_row(
        self, sql: str, values: Mapping[str, Any], cancellation: Cancellation
    ) -> Sequence[Any] | None:
        """As `asking` gives it, asked on the event loop, which goes on meanwhile.

        Raises:
            LimitError: the cancellation's time is up.
            ElsewhereError: not within `on_loop`, or the database did not answer; ask by `asking`, in a thread.
        """
        if self._on_loop is None:
            raise ElsewhereError
        return await self._on_loop.first_row(sql, values, cancellation)

    def _first_row(
        self, cancellation: Cancellation | None, sql: str, values: Mapping[str, Any]
    ) -> Sequence[Any] | None:
        try:
            return self._ask(cancellation, sql, values)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # The server was started anew, and whatever the pool holds is dead; a read may be asked twice.
        self._asking.dispose()
        return self._ask(cancellation, sql, values)

    def _ask(
        self, cancellation: Cancellation | None, sql: str, values: Mapping[str, Any]
    ) -> Sequence[Any] | None:
        dialect, pooled = self._asking.dialect, None
        try:
            pooled = self._asking.raw_connection()
            driver = pooled.driver_connection
            if cancellation is None:
                return self.dialect.first_row(driver, sql, values)
            with self.dialect.cancellable(driver, cancellation, pooled.invalidate):
                return self.dialect.first_row(driver, sql, values)
        except dialect.loaded_dbapi.Error as error:
            lost = pooled is not None and dialect.is_disconnect(error, pooled.driver_connection, None)
            if lost and pooled is not None:
                pooled.invalidate(error)
            raise DBAPIError.instance(
                None,
                None,
                error,
                dialect.loaded_dbapi.Error,
                hide_parameters=True,
                connection_invalidated=lost,
            ) from None
        finally:
            if pooled is not None:
                pooled.close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, committed at the end or undone by an error. Writers follow one another: keep it short.

        Raises:
            StoreUnavailableError: the database is out of reach, or another writer held it for too long.
        """
        with translated(), self._writer.begin() as connection:
            self.dialect.begin_write(connection)
            yield connection

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """A transaction on PostgreSQL that writes nothing of the store's own: no writer waits for it.

        Raises:
            StoreUnavailableError: the database is out of reach.
        """
        with translated(), self.engine.begin() as connection:
            yield connection

    def allocate(self, connection: Connection, table: Table, count: int) -> int:
        """The first of `count` row ids that no other row of `table` has or will have."""
        return self.dialect.allocate(connection, table.name, count)

    @contextmanager
    def lock(self, name: str) -> Iterator[bool]:
        """Whether this process holds the lock `name` while inside; a killed holder lets go of it by itself.

        Raises:
            StoreUnavailableError: the database is out of reach.
        """
        with translated(), self.dialect.lock(self.engine, name) as held:
            yield held

    def changes(self, after: int, limit: int) -> list[Change]:
        """The next entries of the change feed after `after`, at most `limit`, in order."""
        table = fixed.change
        query = select(table).where(table.c.seq > after).order_by(table.c.seq).limit(limit)
        with self.read() as connection:
            return [Change(*row) for row in connection.execute(query)]

    def last_change(self) -> int:
        """The newest entry of the change feed, 0 when there is none."""
        with self.read() as connection:
            return int(connection.execute(text('SELECT coalesce(max(seq), 0) FROM "change"')).scalar_one())

    def rows_in(
        self, connection: Connection, sql: str, values: Sequence[Any], **more: Any
    ) -> list[Sequence[Any]]:
        """Rows of `sql`, in which `{in:EXPR}` stands for "EXPR is one of `values`"; no query for no values."""
        if not values:
            return []
        head, _, rest = sql.partition("{in:")
        expression, _, tail = rest.partition("}")
        statement = head + self.dialect.in_list(expression, "list") + tail
        found = self.dialect.run(connection, statement, {"list": self.dialect.list_value(values), **more})
        return list(found.fetchall()) if found.description is not None else []

    def delete_in(self, connection: Connection, table: str, column: str, values: Sequence[Any]) -> int:
        """Delete the rows whose `column` is one of `values`; their number."""
        if not values:
            return 0
        condition = self.dialect.in_list(f'"{column}"', "list")
        statement = f'DELETE FROM "{table}" WHERE {condition}'
        deleted: int = self.dialect.run(
            connection, statement, {"list": self.dialect.list_value(values)}
        ).rowcount
        return deleted

    def scrub(self, tables: Collection[str], *, thorough: bool = False, patience_s: float = 30.0) -> bool:
        """Whether what was deleted from these tables is out of the database's files, as far as the hub reaches.

        SQLite: the file is written anew, all of it, then the write-ahead log is brought into it and emptied. Writers
        wait meanwhile. False where a reader did not let go of the log for `patience_s`: try again later.

        PostgreSQL: VACUUM with ANALYZE, which gives the space to others to be overwritten; `thorough` writes the tables
        anew, and the server removes their old files at its next checkpoint. What its write-ahead log, replicas and
        backups hold goes when they do.

        Raises:
            StoreUnavailableError: the database is out of reach, or its disk has no room for a second copy.
        """
        with translated():
            return self.dialect.scrub(self.engine, tables, thorough=thorough, patience_s=patience_s)

    # The outbox, as the audit room's drain expects it.

    def pending(self, limit: int) -> list[tuple[int, str]]:
        """The oldest audit events on their way to the log, with their ids."""
        table = fixed.audit_outbox
        with self.read() as connection:
            rows = connection.execute(select(table.c.id, table.c.event).order_by(table.c.id).limit(limit))
            return [(row.id, row.event) for row in rows]

    def forget(self, ids: Sequence[int]) -> None:
        """Delete audit events that the log holds durably."""
        with self.write() as connection:
            connection.execute(delete(fixed.audit_outbox).where(fixed.audit_outbox.c.id.in_(list(ids))))


def utc_now() -> str:
    """The present instant as the store writes it."""
    return iso_utc(datetime.now(UTC))


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError([_url_fault("is no SQLAlchemy URL")]) from error
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigurationError([_url_fault("an in-memory database would not outlive its connection")])
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return create_engine(
            parsed, connect_args={"check_same_thread": False}, pool_use_lifo=True, hide_parameters=True
        )
    if parsed.get_backend_name() == "postgresql":
        address = parsed.set(drivername="postgresql+psycopg")
        return create_engine(address, pool_pre_ping=True, hide_parameters=True)
    raise ConfigurationError(
        [_url_fault(f"{parsed.get_backend_name()} is not a database that the hub runs on")]
    )


def _url_fault(message: str) -> Fault:
    return Fault(
        "environment", 1, 1, "HUB_STORE_URL", message, "sqlite:///FILE or postgresql://HOST/DATABASE"
    )


@contextmanager
def translated(cancellation: Cancellation | None = None) -> Iterator[None]:
    """While inside, errors of the driver become the store's.

    Raises:
        LimitError: the cancellation ended a statement.
        StoreUnavailableError: the database is out of reach.
        StoreError: it refused a statement.
    """
    try:
        yield
    except DBAPIError as error:
        if cancellation is not None and cancellation.is_over and _was_interrupted(error):
            raise cancellation.error from None
        # Not `from error`: drivers quote the values that they complain of, and a log would print them.
        if error.connection_invalidated or isinstance(error, OperationalError):
            raise StoreUnavailableError(f"the store did not answer: {_cause(error)}") from None
        raise StoreError(f"the store refused a statement: {_cause(error)}") from None


def _was_interrupted(error: DBAPIError) -> bool:
    return _code(error) in ("SQLITE_INTERRUPT", "57014")


_CAUSES = {
    "SQLITE_FULL": "its disk is full; make room, then start again",
    "SQLITE_IOERR": "its file cannot be read or written; see whether the disk is full or gone",
    "SQLITE_BUSY": "another writer held it for too long; try again later",
    "SQLITE_READONLY": "its file may not be written; see its permissions",
    "SQLITE_CANTOPEN": "its file cannot be opened; see its folder and permissions",
    "SQLITE_CORRUPT": "its file is damaged; restore it from a backup",
    "SQLITE_NOTADB": "its file is no SQLite database",
    "08": "its connection was lost",
    "28": "it refused the login; see HUB_STORE_URL",
    "3D": "there is no such database; see HUB_STORE_URL",
    "53100": "its disk is full; make room, then start again",
    "53300": "it has no connection free; try again later",
    "57P": "its server was stopped or ended the connection; try again later",
}
"""What an error means, by the beginning of SQLite's name or PostgreSQL's code of it."""


def _cause(error: DBAPIError) -> str:
    """What the driver's error means, without its text, which may quote values."""
    code = _code(error)
    meaning = next((said for start, said in _CAUSES.items() if code.startswith(start)), None)
    kind = f"{type(error.orig).__name__} {code}".rstrip()
    return f"{meaning} ({kind})" if meaning else kind


def _code(error: DBAPIError) -> str:
    """SQLite's name or PostgreSQL's code of the error, empty when there is none."""
    return getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or ""
