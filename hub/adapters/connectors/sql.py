"""SQL databases: a table, a view or a query, whole or from a watermark on, by any SQLAlchemy URL.

A run is one read-only statement whose rows come in the order (watermark, key), streamed: all batches see the same
snapshot where the database can give one, and rows with equal or no watermark, or with a key that is not unique, are
read like all others. The next run begins at the last watermark, that included, less `overlap_s`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from hub.adapters import payload
from hub.adapters.connectors import watermark
from hub.adapters.connectors.sql_drivers import DRIVERS, keep_exact, meaning_of
from hub.adapters.connectors.sql_values import exact
from hub.adapters.records import (
    Amendment,
    BadRecord,
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    RawRecord,
    Record,
    StreamRead,
)
from hub.adapters.secrets import UrlRef
from hub.errors import SourceProtocolError, SourceUnavailableError
from hub.yamlfile import nearest

_FAR_FUTURE = timedelta(days=1)
"""A watermark further ahead than any zone's clock is an error at the source that someone should see."""


class SqlRead(ConfigModel):
    """What a stream reads of the database: a table or view, or the rows of a query."""

    table: str | None = Field(default=None, min_length=1, description="Name of a table or a view.")
    query: str | None = Field(
        default=None,
        min_length=1,
        description="A SELECT without ORDER BY; the hub adds order and watermark around it.",
    )
    schema_name: str | None = Field(
        default=None, alias="schema", description="Schema of the table; the connection's own by default."
    )
    columns: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Columns to read of the table; all by default. What is not read is not kept.",
    )
    overlap_s: int = Field(
        default=60,
        ge=0,
        description="Seconds before the last watermark that are read again, for rows whose transaction was committed "
        "after later ones were read; a minute covers usual transactions, and unchanged rows cost a hash each.",
    )

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        if self.query is not None and (self.columns or self.schema_name):
            raise ValueError("columns and schema belong to table; a query names its own")
        return self


class SqlConfig(ConnectorConfig):
    """A database that SQLAlchemy knows: PostgreSQL and SQLite as they come, MariaDB and MySQL with the extra `mysql`.

    Oracle with the extra `oracle` and SQL Server with `mssql`, both by documentation, not yet tried. Others with their
    driver installed, named in the URL.
    """

    read_model = SqlRead

    type: Literal["sql"] = Field(description="Names this connector.")
    url: UrlRef = Field(
        description="SQLAlchemy URL, such as `postgresql://user@host/erp`; a reference where it holds a password. "
        "An SQLite path is relative to the YAML's folder."
    )
    amend: dict[str, tuple[Amendment, ...]] = Field(
        default_factory=dict,
        description="What the hub may do for a privacy request, by stream: `erase` deletes a person's rows, `rectify` "
        "sets a column. Nothing unless given; the stream reads a `table`, and the login may write it.",
    )

    def connect(self, context: ConnectorContext) -> SqlConnector:
        """A connector for this database."""
        return SqlConnector(self, context)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of what is read, and those whose text is JSON."""

    names: tuple[str, ...]
    json: frozenset[str] = frozenset()


class SqlConnector:
    """Reads one database; a connection is open only while a stream is read."""

    def __init__(self, config: SqlConfig, context: ConnectorContext) -> None:
        self.warnings: list[str] = []
        self._config, self._context = config, context
        self._opened: sa.Engine | None = None

    def batches(self, stream: StreamRead[SqlRead], cursor: Cursor | None, batch_size: int) -> Iterator[Batch]:
        """The rows from the cursor's watermark on, or all of them when the stream has no `cursor_field`.

        Without a `cursor_field` the cursors are None: an interrupted run begins again.

        Raises:
            SourceUnavailableError: the database cannot be reached, or the connection broke.
            SourceProtocolError: a table or column is missing, the query is wrong, or the login is refused.
        """
        with self._translated(stream), self._reading(batch_size) as connection:
            columns = self._columns(connection, stream)
            statement = self._statement(stream, columns, cursor)
            place = columns.names.index(stream.cursor_field) if stream.cursor_field else None
            count = 0
            with connection.execute(statement) as result:
                for rows in result.partitions(batch_size):
                    records = [
                        _record(row, columns, f"row {count + index}") for index, row in enumerate(rows, 1)
                    ]
                    count += len(rows)
                    if place is not None:
                        cursor = self._moved(stream, cursor, [row[place] for row in rows])
                    yield Batch(records, cursor if place is not None else None)

    def may(self, stream: str) -> Collection[Amendment]:
        """What the YAML lets the hub do in this stream's table."""
        return self._config.amend.get(stream, ())

    def erase(self, stream: StreamRead[SqlRead], keys: Sequence[Mapping[str, Any]]) -> int:
        """Delete the rows with these keys, all or none; how many there were.

        Raises:
            SourceUnavailableError: the database cannot be reached; try again later.
            SourceProtocolError: it refuses: the login may not write, or other rows refer to these.
        """
        places = [self._table(stream, key) for key in keys]
        return self._amend(stream, "erase", [sa.delete(table).where(*here) for table, here in places])

    def rectify(
        self, stream: StreamRead[SqlRead], keys: Sequence[Mapping[str, Any]], column: str, value: str
    ) -> int:
        """Set the column of the rows with these keys, all or none; how many there were. Raises as `erase` does."""
        statements = []
        for key in keys:
            table, here = self._table(stream, key, column)
            statements.append(sa.update(table).where(*here).values({column: value}))
        return self._amend(stream, "rectify", statements)

    def _table(
        self, stream: StreamRead[SqlRead], key: Mapping[str, Any], *more: str
    ) -> tuple[sa.TableClause, list[sa.ColumnElement[bool]]]:
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in (*key, *more)]
        table = sa.table(str(stream.read.table), *columns, schema=stream.read.schema_name)
        return table, [table.c[name] == sa.literal(value, sa.types.NullType()) for name, value in key.items()]

    def _amend(
        self, stream: StreamRead[SqlRead], what: Amendment, statements: Sequence[sa.Update | sa.Delete]
    ) -> int:
        if what not in self.may(stream.name) or stream.read.table is None:
            raise self._wrong(
                stream, f"connector.amend does not let the hub {what} here, or it reads a query"
            )
        with self._translated(stream), self._engine().begin() as connection:
            return sum(connection.execute(statement).rowcount for statement in statements)

    def close(self) -> None:
        """Let the engine go."""
        if self._opened is not None:
            self._opened.dispose()
            self._opened = None

    @contextmanager
    def _reading(self, batch_size: int) -> Iterator[sa.Connection]:
        """A connection in one transaction that reads and cannot write, where the database can promise it."""
        engine = self._engine()
        options: dict[str, Any] = {"stream_results": True, "max_row_buffer": batch_size}
        if engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with engine.connect().execution_options(**options) as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
            elif engine.dialect.name in ("mysql", "mariadb"):
                connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            elif engine.dialect.name == "oracle":
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield connection

    def _engine(self) -> sa.Engine:
        if self._opened is None:
            url = self._url()
            json = {"json_deserializer": payload.load} if url.get_backend_name() == "postgresql" else {}
            self._opened = sa.create_engine(url, poolclass=NullPool, hide_parameters=True, **json)
            keep_exact(self._opened)
        return self._opened

    def _url(self) -> URL:
        try:
            url = make_url(self._config.url.resolve(self._context))
        except sa.exc.ArgumentError:
            raise SourceProtocolError(self._context.source, None, "url is not an SQLAlchemy URL") from None
        if url.drivername in DRIVERS:
            return url.set(drivername=f"{url.drivername}+{DRIVERS[url.drivername]}")
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            path = self._context.base_dir / str(url.database)
            if not path.is_file():
                # SQLite would make an empty database, and every record would seem deleted.
                raise SourceUnavailableError(
                    self._context.source, None, f"database file {url.database} is not there"
                )
            return url.set(database=str(path))
        return url

    def _columns(self, connection: sa.Connection, stream: StreamRead[SqlRead]) -> _Columns:
        read = stream.read
        if read.query is not None:
            probe: sa.Select[tuple[Any, ...]] = (
                sa.select(sa.literal_column("*")).select_from(_subquery(read.query)).where(sa.false())
            )
            with connection.execute(probe) as result:
                columns = _Columns(tuple(result.keys()))
            twice = sorted(name for name, times in Counter(columns.names).items() if times > 1)
            if twice:
                raise self._wrong(stream, f"the query names twice: {', '.join(twice)}; give aliases")
        else:
            columns = self._table_columns(connection, stream)
        needed = [*(read.columns or ()), *(part.partition(".")[0] for part in stream.key)]
        for name in [*needed, *([stream.cursor_field] if stream.cursor_field else [])]:
            if name not in columns.names:
                raise self._wrong(stream, f"there is no column {name!r}{_hint(name, columns.names)}")
        if read.columns is None:
            return columns
        wanted = dict.fromkeys(
            [*read.columns, *stream.key, *([stream.cursor_field] if stream.cursor_field else [])]
        )
        return _Columns(tuple(name for name in wanted if name in columns.names), columns.json)

    def _table_columns(self, connection: sa.Connection, stream: StreamRead[SqlRead]) -> _Columns:
        inspector, read = sa.inspect(connection), stream.read
        table = str(read.table)
        try:
            found = inspector.get_columns(table, schema=read.schema_name)
        except sa.exc.NoSuchTableError:
            names = [
                *inspector.get_table_names(read.schema_name),
                *inspector.get_view_names(read.schema_name),
            ]
            raise self._wrong(stream, f"there is no table {table!r}{_hint(table, names)}") from None
        # psycopg has parsed PostgreSQL's JSON already; other drivers give its text.
        parsed = connection.dialect.name == "postgresql"
        json = frozenset(
            column["name"] for column in found if isinstance(column["type"], sa.JSON) and not parsed
        )
        return _Columns(tuple(column["name"] for column in found), json)

    def _statement(
        self, stream: StreamRead[SqlRead], columns: _Columns, cursor: Cursor | None
    ) -> sa.Select[tuple[Any, ...]]:
        """The rows from the cursor on; columns have no types, so that values come as the driver gives them."""
        read = stream.read
        chosen: list[sa.ColumnElement[Any]] = [sa.column(name) for name in columns.names]
        source = (
            sa.table(str(read.table), schema=read.schema_name)
            if read.query is None
            else _subquery(read.query)
        )
        statement = sa.select(*chosen).select_from(source)
        keys: list[sa.ColumnElement[Any]] = [sa.column(name) for name in stream.key if name in columns.names]
        if stream.cursor_field is None:
            return statement
        mark: sa.ColumnElement[Any] = sa.column(stream.cursor_field)
        if cursor is not None:
            since = watermark.moved_back(watermark.from_json(cursor["watermark"]), read.overlap_s)
            # A row that has no watermark yet is in no range; leaving it out would lose it.
            statement = statement.where(
                sa.or_(mark >= sa.literal(since, sa.types.NullType()), mark.is_(None))
            )
        return statement.order_by(mark, *keys)

    def _moved(
        self, stream: StreamRead[SqlRead], cursor: Cursor | None, marks: Sequence[Any]
    ) -> Cursor | None:
        """The cursor after rows with `marks`: the last that is not in the future, which would hide later changes."""
        now = datetime.now(UTC)
        for mark in reversed(marks):
            if mark is None:
                continue
            said = watermark.instant(mark)
            if said is None or said <= now:
                try:
                    return {"watermark": watermark.to_json(mark)}
                except ValueError as error:
                    raise self._wrong(stream, f"column {stream.cursor_field!r}: {error}") from None
            if said > now + _FAR_FUTURE:
                self._warn(
                    f"{stream.name}: {stream.cursor_field} is in the future in some rows; they are read again"
                )
        return cursor

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def _wrong(self, stream: StreamRead[SqlRead], message: str) -> SourceProtocolError:
        return SourceProtocolError(self._context.source, stream.name, message)

    @contextmanager
    def _translated(self, stream: StreamRead[SqlRead]) -> Iterator[None]:
        """Errors of SQLAlchemy and its drivers, as errors of this source; no credentials, no values."""
        try:
            yield
        except ImportError as error:
            raise self._wrong(stream, f"the database's driver is not installed ({error.name})") from None
        except sa.exc.NoSuchModuleError:
            raise self._wrong(stream, "SQLAlchemy knows no such database; see url") from None
        except sa.exc.DBAPIError as error:
            kind, meaning = meaning_of(error)
            raise kind(self._context.source, stream.name, meaning) from None


def _subquery(query: str) -> sa.Subquery:
    # In text(), a colon begins a parameter; a query has none, and casts like x::text have to stay.
    escaped = query.rstrip().rstrip(";").replace(":", "\\:")
    return sa.text(escaped).columns().subquery("source_query")


def _record(row: sa.Row[Any], columns: _Columns, position: str) -> Record:
    made: dict[str, Any] = {}
    for name, value in zip(columns.names, row, strict=True):
        try:
            parsed = name in columns.json and isinstance(value, str | bytes)
            made[name] = payload.load(value) if parsed else exact(value)
        except ValueError as error:
            raw = payload.readable({key: str(given) for key, given in zip(columns.names, row, strict=True)})
            return BadRecord(raw, position, f"{name}: {error}")
    return RawRecord(made, position)


def _hint(word: str, options: Sequence[str]) -> str:
    like = nearest(word, options)
    return f"; did you mean {like!r}?" if like else ""
