"""Tables of a database as the origin of a draft."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from hub.adapters.kit.drafting.origins import Asked, Origin, SampledStream, sample, stream_name, variable
from hub.errors import QueryError, SourceUnavailableError

DATABASES: Final = frozenset({"postgresql", "postgres", "sqlite", "mysql", "mariadb", "mssql", "oracle"})
_SHOWN: Final = 20
"""Names of tables in a message."""


def sql_origin(asked: Asked) -> Origin:
    """The tables that `table=` of the URL, or `tables`, name.

    Raises:
        QueryError: none is named, or one does not exist; those that exist are listed.
        SourceUnavailableError: the database cannot be reached.
    """
    url = _url(asked)
    named = url.query.get("table")
    tables = [*asked.tables, *([named] if isinstance(named, str) else named or ())]
    url = url.set(query={name: value for name, value in url.query.items() if name != "table"})
    origin = _connector(asked, url)
    try:
        engine = sa.create_engine(url, poolclass=NullPool, hide_parameters=True)
        inspector = sa.inspect(engine)
        known = [*inspector.get_table_names(), *inspector.get_view_names()]
        keys = {table: _primary_key(inspector, table) for table in tables if table in known}
    except ImportError as error:
        raise QueryError(f"the database's driver is not installed ({error.name})") from None
    except sa.exc.SQLAlchemyError as error:
        raise SourceUnavailableError(
            asked.source, None, f"the database cannot be read ({type(error).__name__})"
        ) from None
    if not tables or set(tables) - set(known):
        wrong = ", ".join(sorted(set(tables) - set(known)))
        shown = ", ".join(sorted(known)[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
        what = f"there is no table {wrong}" if wrong else "no table is named: give --table"
        raise QueryError(f"{what}; the database has {shown or 'none'}")
    for table in tables:
        name = stream_name(table, [each.name for each in origin.streams])
        stream = SampledStream(name, {"table": table}, primary_key=keys[table], has_watermarks=True)
        sample(asked, origin, stream)
        origin.streams.append(stream)
    return origin


def _url(asked: Asked) -> URL:
    try:
        url = make_url(asked.origin)
    except sa.exc.ArgumentError:
        raise QueryError(
            "--from is no database URL, such as postgresql://user@host/db?table=customers"
        ) from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database:
        from pathlib import Path

        file = Path(url.database).resolve()
        if not file.is_file():
            raise SourceUnavailableError(asked.source, None, f"database file {url.database} is not there")
        url = url.set(database=str(file))
    return url


def _connector(asked: Asked, url: URL) -> Origin:
    written = url.render_as_string(hide_password=False)
    if url.password is None:
        return Origin({"type": "sql", "url": written}, [])
    name = variable(asked.source, "url")
    return Origin({"type": "sql", "url": {"env": name}}, [], {name: written})


def _primary_key(inspector: sa.Inspector, table: str) -> tuple[str, ...]:
    return tuple(inspector.get_pk_constraint(table).get("constrained_columns") or ())
