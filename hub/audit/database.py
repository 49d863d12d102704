"""The audit database: its tables, and connections that make a commit durable.

One code path for SQLite and PostgreSQL; the few differences are all in this file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import psycopg
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from hub.audit.merkle import TreeHead
from hub.audit.tiles import TileId
from hub.errors import AuditError, AuditIntegrityError
from hub.store.side import LOCK_WAIT_S, side_engine

FORMAT = 1
"""Version of the tables, kept in the head."""

_HEAD_LOCK = 0x6875_6261_7564_6974
"""Key of PostgreSQL's advisory lock for the head: `hubaudit` in ASCII."""

_LOG = "the audit log"
"""What errors call the database, unless it is another one."""

_MAX_WAL_PAGES = 5_000
"""Pages written ahead at which even `writing_at_once` brings them into the file, if `tidy` has not kept up."""

_DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)
"""What the drivers themselves raise, where an append goes by them."""

_Seq = BigInteger().with_variant(Integer(), "sqlite")  # SQLite keys a table by its rowid only for INTEGER

metadata = MetaData()

leaf_table = Table(
    "audit_leaf",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("bytes", LargeBinary, nullable=False),
    # Copies of the leaf's fields, for questions; verification compares them with the leaf.
    Column("at_us", BigInteger, nullable=False),
    Column("action", String(32), nullable=False),
    Column("actor", String(96), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("purpose", String(96)),
    Column("source", String(96)),
    Column("run_id", String(96)),
    Index("audit_leaf_actor", "actor", "seq"),
    Index("audit_leaf_action", "action", "seq"),
    Index("audit_leaf_at", "at_us"),
)

leaf_customer_table = Table(
    "audit_leaf_customer",
    metadata,
    Column("customer", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Index("audit_leaf_customer_seq", "seq"),
    sqlite_with_rowid=False,
)

tile_table = Table(
    "audit_tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

payload_table = Table(
    "audit_payload",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("key_id", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("audit_payload_key", "key_id", "seq"),
)
checkpoint_table = Table(
    "audit_checkpoint",
    metadata,
    Column("size", _Seq, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
"""What was signed, with the cosignatures that came since; one row a size."""

erasure_table = Table(
    "audit_erasure",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
)
"""Erasures and releases: what an event of them commits to by a hash; see `hub.audit.erasures`."""

head_table = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("format", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of a transaction that holds the head's lock, by the driver itself: it costs a third."""

    cursor: Any
    mark: str
    """What stands for a parameter."""
    integrity_error: type[Exception]

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows that the statement, with `?` for its values, gives."""
        self.cursor.execute(sql.replace("?", self.mark), values)
        return list(self.cursor.fetchall())

    def many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run the statement, with `?` for its values, once for each row."""
        if len(rows) == 1:
            self.cursor.execute(sql.replace("?", self.mark), rows[0])
        elif rows:
            self.cursor.executemany(sql.replace("?", self.mark), rows)

    def overwrite(self) -> None:
        """Let SQLite write zeros over what is deleted from now on; PostgreSQL's `VACUUM FULL` does its part."""
        if self.mark == "?":
            self.cursor.execute("PRAGMA secure_delete=ON")

    def head(self) -> TreeHead:
        """The tree head; raises as `read_head` does."""
        return head_of(self.rows(f"SELECT size, root, format FROM {head_table.name} WHERE id = 1"))

    def tile(self, tile_id: TileId) -> bytes:
        """The hashes of a tile; raises as `read_tile` does."""
        sql = f"SELECT hashes FROM {tile_table.name} WHERE level = ? AND position = ?"
        return hashes_of(tile_id, self.rows(sql, *tile_id))


class AuditDatabase:
    """Connections to the audit database: many readers, one writer at a time over all processes."""

    def __init__(self, engine: Engine, begin: str, name: str = _LOG) -> None:
        """Connections of the engine; `begin` is what begins a transaction that holds the head's lock."""
        self._engine = engine
        self._name = name
        self._begin = begin
        self._mark = "?" if engine.dialect.positional else "%s"
        self._impatient: Any = None
        self._turn = Lock()

    @classmethod
    def open(cls, url: str, name: str = _LOG) -> AuditDatabase:
        """The database at `sqlite:///PATH` or `postgresql://...`, connected to on first use; errors call it `name`.

        Raises:
            AuditError: the URL is of another kind, or names no file; correct the configuration.
        """
        engine = side_engine(url, name, AuditError)
        return cls(engine, _BEGINS[engine.dialect.name], name)

    @contextmanager
    def writing(self) -> Iterator[Statements]:
        """A transaction that holds the head's lock; committed and on disk when the block ends."""
        with self._translated("written"), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(self._begin)
            yield Statements(cursor, self._mark, self._engine.dialect.loaded_dbapi.IntegrityError)
            connection.commit()

    @contextmanager
    def writing_at_once(self) -> Iterator[Statements | None]:
        """As `writing`, or None where one would have to wait: for a server, or for another writer of the file."""
        if self._engine.dialect.name != "sqlite" or not self._turn.acquire(blocking=False):
            yield None
            return
        try:
            with self._translated("written"):
                connection = self._own_connection()
                yield from self._written_at_once(connection)
        finally:
            self._turn.release()

    def _written_at_once(self, connection: Any) -> Iterator[Statements | None]:
        cursor = connection.cursor()
        try:
            cursor.execute(self._begin)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            yield None
            return
        try:
            yield Statements(cursor, self._mark, sqlite3.IntegrityError)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def _own_connection(self) -> Any:
        """The one connection that never waits for the file's lock; it belongs to no pool."""
        if self._impatient is None:
            pooled = self._engine.raw_connection()
            self._impatient = pooled.driver_connection
            pooled.detach()
            self._impatient.execute("PRAGMA busy_timeout=0")
            self._impatient.execute(f"PRAGMA wal_autocheckpoint={_MAX_WAL_PAGES}")
        return self._impatient

    def tidy(self) -> None:
        """Bring what SQLite has written ahead into its file, beside those who write; nothing to do on PostgreSQL."""
        if self._engine.dialect.name == "sqlite":
            with self._translated("written"), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def making(self) -> Iterator[Connection]:
        """As `writing`, for making the tables."""
        with self._translated("written"), self._engine.connect() as connection:
            connection.exec_driver_sql(self._begin)
            yield connection
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the log throughout."""
        with self._translated("read"), self._engine.connect() as connection:
            connection.exec_driver_sql(_READING[self._engine.dialect.name])
            yield connection
            connection.commit()

    def shorten(self) -> None:
        """Bring all that SQLite has written ahead into its file, and empty what held it; nothing on PostgreSQL."""
        if self._engine.dialect.name == "sqlite":
            with self._translated("written"), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def scrub(self, tables: Sequence[Table], *, thorough: bool = False) -> None:
        """Leave nothing in the files of what was deleted from these tables: no page, no log that SQLite writes ahead.

        Thorough, the database is written anew. On PostgreSQL that alone takes the last bytes away, and nobody reads the
        tables meanwhile.

        Raises:
            AuditError: the database cannot be written, or somebody has been reading for so long that it cannot be
                shortened; try again later.
        """
        if self._engine.dialect.name == "sqlite":
            self._scrub_file(thorough=thorough)
            return
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._translated("written"), engine.connect() as connection:
            for table in tables:
                connection.exec_driver_sql(f"VACUUM {'(FULL) ' if thorough else ''}{table.name}")

    def _scrub_file(self, *, thorough: bool) -> None:
        with self._translated("written"), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if thorough:
                cursor.execute("VACUUM")
            [busy, *_] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise AuditError(
                f"{self._name} is being read for too long; what was erased is in its -wal file still"
            )

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, *_DRIVER_ERRORS) as error:
            cause = type(getattr(error, "orig", None) or error).__name__
            raise AuditError(f"{self._name} cannot be {verb}: {cause}") from error

    def close(self) -> None:
        """Gives up the connections."""
        impatient, self._impatient = self._impatient, None
        if impatient is not None:
            impatient.close()
        self._engine.dispose()


_BEGIN_SQLITE = "BEGIN IMMEDIATE"
_BEGIN_POSTGRESQL = f"""
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '{LOCK_WAIT_S}s';
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
SELECT pg_advisory_xact_lock({_HEAD_LOCK})
"""
"""The head is read after the lock is held, so it must be the latest, not that of a snapshot. A server or role may
trade durability for speed; the log may not. One message to the server."""

_BEGINS = {"sqlite": _BEGIN_SQLITE, "postgresql": _BEGIN_POSTGRESQL}

_READING = {
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}


def read_head(connection: Connection) -> TreeHead:
    """The tree head of the log.

    Raises:
        AuditIntegrityError: the head is missing.
        AuditError: the log was written by a later release; use that one.
    """
    columns = head_table.c
    query = select(columns.size, columns.root, columns.format).where(columns.id == 1)
    return head_of(connection.execute(query).all())


def head_of(rows: Sequence[Sequence[Any]]) -> TreeHead:
    """The tree head that the rows of (size, root, format) tell; raises as `read_head` does."""
    if not rows:
        raise AuditIntegrityError(None, "the log's head is missing")
    ((size, root, format_),) = rows
    if format_ != FORMAT:
        raise AuditError(f"the audit log has format {format_}, this release reads format {FORMAT}")
    return TreeHead(size, bytes(root))


def read_tile(connection: Connection, tile_id: TileId) -> bytes:
    """The hashes of a tile.

    Raises:
        AuditIntegrityError: the tile is missing.
    """
    columns = tile_table.c
    at = columns.level == tile_id.level, columns.position == tile_id.position
    return hashes_of(tile_id, connection.execute(select(columns.hashes).where(*at)).all())


def hashes_of(tile_id: TileId, rows: Sequence[Sequence[Any]]) -> bytes:
    """The hashes of the tile that the rows tell; raises as `read_tile` does."""
    for (hashes,) in rows:
        return bytes(hashes)
    raise AuditIntegrityError(tile_id.first_leaf, f"tile {tile_id.level}/{tile_id.position} is missing")
