"""Brings a database's tables up to date: Alembic for the fixed ones, additions for those of the ontology.

What the ontology adds is added. What it retypes is refused with instructions, because rows would be lost. What it no
longer names stays in the table, unread, so that going back to the earlier ontology loses nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Inspector, Table, inspect, text
from sqlalchemy.schema import CreateColumn

from hub.errors import SchemaChangeError
from hub.ontology import Ontology
from hub.store.tables import EntityTables

_MIGRATION_LOCK = 0x4855424D
"""Number of the PostgreSQL advisory lock that lets one process migrate at a time ("HUBM")."""


def bring_up_to_date(engine: Engine, tables: EntityTables, ontology: Ontology, new_secret: bytes) -> bytes:
    """Make what is missing, and give the store's secret, which is `new_secret` in a new store.

    A database that is up to date costs one comparison of a digest.

    Raises:
        SchemaChangeError: a column has another type than the ontology gives it.
    """
    with engine.execution_options(hub_write=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        _migrate(connection)
        secret = _secret(connection, new_secret)
        if _stored_digest(connection) == ontology.sha256:
            return secret
        _add_what_is_missing(connection, tables)
        connection.execute(text("DELETE FROM meta WHERE key = 'ontology'"))
        connection.execute(
            text("INSERT INTO meta (key, value) VALUES ('ontology', :v)"), {"v": ontology.sha256}
        )
    return secret


def _secret(connection: Connection, new: bytes) -> bytes:
    found = connection.execute(text("SELECT value FROM meta WHERE key = 'secret'")).scalar()
    if found is not None:
        return bytes.fromhex(found)
    connection.execute(text("INSERT INTO meta (key, value) VALUES ('secret', :v)"), {"v": new.hex()})
    return new


def _migrate(connection: Connection) -> None:
    if MigrationContext.configure(connection).get_current_revision() == _newest():
        return
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def _newest() -> str | None:
    return ScriptDirectory.from_config(_migrations()).get_current_head()


def _stored_digest(connection: Connection) -> str | None:
    return connection.execute(text("SELECT value FROM meta WHERE key = 'ontology'")).scalar()


def _add_what_is_missing(connection: Connection, tables: EntityTables) -> None:
    inspector = inspect(connection)
    existing = set(inspector.get_table_names())
    problems: list[str] = []
    for table in tables.metadata.sorted_tables:
        if table.name not in existing:
            table.create(connection)
        else:
            problems += _extend(connection, inspector, table)
    if problems:
        raise SchemaChangeError(
            "the ontology retypes columns that hold data:\n  "
            + "\n  ".join(problems)
            + "\ngive the new form a new property name, or rename the old column, then start again"
        )


def _extend(connection: Connection, inspector: Inspector, table: Table) -> list[str]:
    present = {column["name"]: column["type"] for column in inspector.get_columns(table.name)}
    indexed = {index["name"] for index in inspector.get_indexes(table.name)}
    problems: list[str] = []
    for column in table.columns:
        wanted = column.type.compile(connection.dialect)
        if column.name not in present:
            spelling = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(text(f'ALTER TABLE "{table.name}" ADD COLUMN {spelling}'))
        elif (found := present[column.name].compile(connection.dialect)) != wanted:
            problems.append(f"{table.name}.{column.name} is {found}, the ontology makes it {wanted}")
    if not problems:
        for index in table.indexes:
            if index.name not in indexed:
                index.create(connection)
    return problems
