"""Oracle and SQL Server without a server: statements in their SQL, exact numbers, and what their errors mean."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import oracledb
import pymssql
import pytest
import sqlalchemy as sa
import sqlglot
from oracledb import errors
from sqlalchemy.dialects import mssql, oracle

from hub.adapters import load_sources
from hub.adapters.connectors.sql import SqlConfig, _Columns
from hub.adapters.connectors.sql_drivers import keep_exact, meaning_of
from hub.adapters.connectors.sql_values import exact
from hub.adapters.presets import presets
from hub.adapters.records import ConnectorContext, StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError
from hub.ontology import load_ontology

SPEAKS = {"oracle_erp": ("oracle", oracle.dialect()), "sagecrm": ("tsql", mssql.dialect())}


@pytest.mark.parametrize("name", sorted(name for name, each in presets().items() if each.connector == "sql"))
def test_a_preset_speaks_the_sql_of_its_vendor(tmp_path, name):
    """As the vendor's grammar reads it, around it what the hub adds; and with an order in no inner query."""
    language, dialect = SPEAKS[name]
    (tmp_path / f"{name}.yaml").write_text(presets()[name].text)
    [config] = load_sources(tmp_path, load_ontology()).values()
    connector = config.connector.connect(ConnectorContext(name, {}, tmp_path))
    for stream, each in config.streams.items():
        query = sqlglot.parse_one(each.read.query, read=language)
        columns = _Columns(tuple(query.named_selects))
        read = StreamRead(stream, each.read, tuple(each.key), each.cursor)
        cursor = {"watermark": ["datetime", "2026-10-01T09:00:00"]}
        asked = str(connector._statement(read, columns, cursor).compile(dialect=dialect))
        assert sqlglot.parse_one(asked, read=language).args["order"]
        assert f"{each.cursor} >= " in asked.replace('"', "").replace("[", "").replace("]", "")
        assert query.args.get("order") is None
        assert not [each for each in columns.names if each != each.lower()]


# values of Oracle


class Cursor:
    """What the driver asks of a cursor for each column."""

    arraysize = 100

    def var(self, kind, **given):
        return SimpleNamespace(kind=kind, **given)


@pytest.fixture
def handler():
    """The handler that a new connection to Oracle has."""
    engine = sa.create_engine("oracle+oracledb://", module=oracledb, creator=lambda: None)
    keep_exact(engine)
    connection = SimpleNamespace(outputtypehandler=None)
    for listener in engine.pool.dispatch.connect:
        if listener.__module__.startswith("hub."):
            listener(connection, None)
    return connection.outputtypehandler


@pytest.mark.parametrize(
    ("precision", "scale"), [(0, -127), (15, 0), (10, 2), (38, 10), (15, -2), (126, -127)], ids=str
)
def test_every_number_of_oracle_comes_as_a_decimal(handler, precision, scale):
    """Also NUMBER(15,-2) and FLOAT(126), which SQLAlchemy's own handler takes as floats."""
    made = handler(Cursor(), "N", oracledb.DB_TYPE_NUMBER, 0, precision, scale)
    assert made.kind is Decimal
    digits = Decimal("12345678901234567890123456789.012345678")
    assert exact(made.outconverter(digits)) == digits
    assert exact(made.outconverter(Decimal("1E+3"))) == 1000
    assert type(made.outconverter(Decimal(1001))) is int, "as a key it is 1001"


@pytest.mark.parametrize(
    ("kind", "as_what"),
    [
        (oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_LONG),
        (oracledb.DB_TYPE_NCLOB, oracledb.DB_TYPE_LONG_NVARCHAR),
        (oracledb.DB_TYPE_BLOB, oracledb.DB_TYPE_LONG_RAW),
    ],
    ids=["clob", "nclob", "blob"],
)
def test_long_texts_of_oracle_come_as_texts(handler, kind, as_what):
    assert handler(Cursor(), "T", kind, 0, 0, 0).kind is as_what


def test_dates_of_oracle_come_as_the_driver_gives_them(handler):
    """A DATE is a datetime to the driver, for it has a time."""
    assert handler(Cursor(), "D", oracledb.DB_TYPE_DATE, 0, 0, 0) is None
    assert oracledb.DB_TYPE_DATE == oracledb.DATETIME


# errors


ORACLE, SQL_SERVER = oracledb.DatabaseError, pymssql.ProgrammingError
WRONG, LATER = SourceProtocolError, SourceUnavailableError


@pytest.mark.parametrize(
    ("kind", "said", "error", "message"),
    [
        (ORACLE, ["ORA-01017: invalid username/password"], WRONG, "refused the login"),
        (ORACLE, ["ORA-28000: the account is locked"], WRONG, "refused the login"),
        (ORACLE, ['ORA-00942: table or view "APPS"."X" does not exist'], WRONG, '"APPS"."X"'),
        (ORACLE, ['ORA-00904: "CHANGED": invalid identifier'], WRONG, '"CHANGED"'),
        (ORACLE, ["ORA-01555: snapshot too old: me@example.com"], LATER, "did not finish"),
        (oracledb.OperationalError, ["DPY-4011: the connection was closed"], LATER, "DPY-4011"),
        (ORACLE, ["ORA-01722: invalid number me@example.com"], WRONG, "ORA-01722"),
        (pymssql.OperationalError, [(18456, b"Login failed for user 'hub'.")], WRONG, "refused the login"),
        (SQL_SERVER, [208, b"Invalid object name 'Company'."], WRONG, "no such table"),
        (pymssql.OperationalError, [(20009, b"Unable to connect")], LATER, "20009"),
        (pymssql.OperationalError, [8114, b"Error converting me@example.com"], LATER, "8114"),
    ],
)
def test_an_error_says_what_to_do_and_shows_no_value(kind, said, error, message):
    original = kind(errors._Error(*said)) if kind.__module__.startswith("oracledb") else kind(*said)
    wrapped = sa.exc.OperationalError if "Operational" in kind.__name__ else sa.exc.DatabaseError
    meant, told = meaning_of(wrapped("SELECT 1", {}, original))
    assert (meant, message in told) == (error, True), told
    assert "example.com" not in told


def test_a_transaction_of_oracle_reads_one_snapshot_and_cannot_write(monkeypatch):
    """As its documentation has it: said before anything else in the transaction."""
    connector = SqlConfig(type="sql", url="oracle://h/?service_name=x").connect(ConnectorContext("erp", {}))
    said = []

    class Connection:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def execution_options(self, **_):
            return self

        def exec_driver_sql(self, statement):
            said.append(statement)

    engine = SimpleNamespace(dialect=oracle.dialect(), connect=Connection)
    monkeypatch.setattr(connector, "_engine", lambda: engine)
    with connector._reading(10):
        assert said == ["SET TRANSACTION READ ONLY"]
