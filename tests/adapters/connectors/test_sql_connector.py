"""The SQL connector, on SQLite and PostgreSQL: exact values, no row lost whatever its watermark, no writing."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.adapters import payload
from hub.adapters.connectors.sql import SqlConfig, SqlRead
from hub.adapters.records import BadRecord, ConnectorContext, RawRecord, StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """An engine to fill, and its URL; on PostgreSQL a schema of its own is on the search path."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'source.db'}"
        engine = sa.create_engine(url)
        yield engine, url
        engine.dispose()
        return
    schema = f"s{uuid.uuid4().hex}"
    url = sa.make_url(request.getfixturevalue("postgres_url")).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    inside = url.update_query_dict({"options": f"-csearch_path={schema}"})
    engine = sa.create_engine(inside)
    yield engine, inside.render_as_string(hide_password=False)
    engine.dispose()
    with admin.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    admin.dispose()


@pytest.fixture
def source(database, reader):
    engine, url = database

    def opened(key="id", cursor=None, **read):
        context = ConnectorContext("erp", {"URL": url})
        connector = SqlConfig.model_validate({"type": "sql", "url": {"env": "URL"}}).connect(context)
        keys = (key,) if isinstance(key, str) else key
        return reader(connector, StreamRead("orders", SqlRead.model_validate(read), keys, cursor))

    opened.engine = engine
    return opened


def run(engine, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def ids(rows):
    return [row["id"] for row in rows]


def test_a_table_and_a_view_are_read_whole_in_batches(source):
    run(source.engine, "CREATE TABLE orders (id int, note text)", "CREATE VIEW seen AS SELECT id FROM orders")
    run(source.engine, *(f"INSERT INTO orders VALUES ({number}, 'n')" for number in range(5)))
    orders = source(table="orders")
    assert [len(batch.records) for batch in orders.batches(size=2)] == [2, 2, 1]
    assert {batch.cursor["x"] if batch.cursor else None for batch in orders.batches(size=2)} == {None}
    assert orders.rows()[0] == {"id": 0, "note": "n"}
    assert sorted(ids(source(table="seen").rows())) == [0, 1, 2, 3, 4]
    assert [record.position for record in orders.batches()[0].records][:2] == ["row 1", "row 2"]


def test_a_query_is_read_with_its_own_colons_and_casts(source):
    run(
        source.engine,
        "CREATE TABLE orders (id int, note text)",
        "INSERT INTO orders VALUES (1, 'a:b'), (2, 'c')",
    )
    query = "SELECT id, 'x:y' AS label, count(*) AS n FROM orders WHERE note LIKE '%:%' GROUP BY id;"
    assert source(query=query).rows() == [{"id": 1, "label": "x:y", "n": 1}]


def test_only_named_columns_key_and_watermark_are_read(source):
    run(source.engine, "CREATE TABLE orders (id int, note text, secret text, at int)")
    run(source.engine, "INSERT INTO orders VALUES (1, 'a', 'hunter2', 7)")
    assert source(table="orders", columns=["note"], cursor="at").rows() == [{"note": "a", "id": 1, "at": 7}]


@pytest.mark.parametrize(
    ("read", "options", "message"),
    [
        ({"table": "ordres"}, {}, "there is no table 'ordres'; did you mean 'orders'"),
        ({"table": "orders"}, {"key": "idd"}, "there is no column 'idd'; did you mean 'id'"),
        ({"table": "orders"}, {"cursor": "update"}, "there is no column 'update'; did you mean 'updated'"),
        ({"table": "orders", "columns": ["noted"]}, {}, "there is no column 'noted'; did you mean 'note'"),
        ({"query": "SELECT idd FROM orders"}, {}, "idd"),
        ({"query": "SELEC 1"}, {}, "syntax error"),
    ],
)
def test_what_the_database_does_not_have_is_named(source, read, options, message):
    run(source.engine, "CREATE TABLE orders (id int, note text, updated int)")
    with pytest.raises(SourceProtocolError, match=message) as caught:
        source(**read, **options).batches()
    assert str(caught.value).startswith("erp.orders: ")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite itself renames the second one
def test_a_query_that_names_a_column_twice_is_refused(source):
    with pytest.raises(SourceProtocolError, match="the query names twice: id"):
        source(query="SELECT 1 AS id, 2 AS id").batches()


def test_the_database_cannot_be_written_through_a_query(source):
    run(source.engine, "CREATE TABLE orders (id int)", "INSERT INTO orders VALUES (1)")
    with pytest.raises((SourceProtocolError, SourceUnavailableError)):
        source(query="DELETE FROM orders RETURNING id").batches()
    assert ids(source(table="orders").rows()) == [1]


TEXT_MARKS = ["2024-01-01 10:00:00", "2024-01-01 10:00:01.5", "2024-03-01"]


def fill(engine, marks, kind="integer"):
    run(engine, "DROP TABLE IF EXISTS orders", f"CREATE TABLE orders (id int, at {kind})")
    with engine.begin() as connection:
        table = sa.table("orders", sa.column("id"), sa.column("at"))
        rows = [{"id": number, "at": mark} for number, mark in enumerate(marks)]
        if rows:
            connection.execute(table.insert(), rows)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=st.lists(st.none() | st.integers(0, 3), max_size=12), size=st.integers(1, 5))
def test_resuming_from_any_cursor_loses_nothing(source, marks, size):
    fill(source.engine, marks)
    orders = source(table="orders", cursor="at")
    whole = set(range(len(marks)))
    assert set(ids(orders.rows(size=size))) == whole
    for read in orders.every_resumption(size):
        assert set(ids(read)) == whole
    for batch in orders.batches(size=size):
        assert json.loads(json.dumps(batch.cursor)) == batch.cursor


def test_a_second_run_reads_the_boundary_what_is_new_and_what_has_no_watermark(source):
    fill(source.engine, [1, 2, 2, None])
    orders = source(table="orders", cursor="at")
    cursor = orders.batches()[-1].cursor
    run(source.engine, "INSERT INTO orders VALUES (4, 2), (5, 3), (6, 1)")
    assert sorted(ids(orders.rows(cursor))) == [1, 2, 3, 4, 5]


def test_rows_of_equal_key_and_watermark_are_all_read(source):
    run(source.engine, "CREATE TABLE orders (id int, at int)")
    run(source.engine, *["INSERT INTO orders VALUES (1, 1)"] * 7)
    assert len(source(table="orders", cursor="at").rows(size=2)) == 7


def test_late_commits_within_the_overlap_are_read(source):
    fill(source.engine, ["2024-01-01 10:00:00", "2024-01-01 10:05:00"], "timestamp")
    orders = source(table="orders", cursor="at", overlap_s=60)
    cursor = orders.batches()[-1].cursor
    run(source.engine, "INSERT INTO orders VALUES (7, '2024-01-01 10:04:30'), (8, '2024-01-01 10:03:00')")
    assert sorted(ids(orders.rows(cursor))) == [1, 7]


def test_a_watermark_in_the_future_does_not_hide_later_changes(source):
    fill(source.engine, ["2024-01-01 10:00:00", "2999-01-01 00:00:00"], "timestamp")
    orders = source(table="orders", cursor="at")
    cursor = orders.batches()[-1].cursor
    run(source.engine, "INSERT INTO orders VALUES (7, '2024-01-02 10:00:00')")
    assert sorted(ids(orders.rows(cursor))) == [0, 1, 7]
    assert orders.connector.warnings == ["orders: at is in the future in some rows; they are read again"]


@pytest.mark.parametrize("kind", ["numeric(20,4)", "double precision", "text", "date"])
def test_watermarks_of_every_type_come_back_exactly(source, kind):
    values = {
        "numeric(20,4)": [Decimal("1.1000"), Decimal("2.5")],
        "double precision": [0.1, 0.30000000000000004],
    }
    marks = values.get(kind, ["2024-01-01", "2024-01-03"])
    if source.engine.dialect.name == "sqlite":
        marks = [float(mark) if isinstance(mark, Decimal) else mark for mark in marks]
    fill(source.engine, marks, kind)
    orders = source(table="orders", cursor="at")
    assert ids(orders.rows(orders.batches()[-1].cursor)) == [1]


PG_VALUES = [
    ("1.10::numeric(10,2)", Decimal("1.10")),
    ("1e30::numeric", Decimal(10**30)),
    ("0.1::float8", Decimal("0.1")),
    ("0.1::float4", Decimal("0.1")),
    ("9223372036854775807::int8", 9223372036854775807),
    ("true", True),
    ("NULL::text", None),
    ("'2024-02-29'::date", "2024-02-29"),
    ("'10:30:00.5'::time", "10:30:00.500000"),
    ("'2024-02-29 10:30'::timestamp", "2024-02-29T10:30:00"),
    ("'2024-02-29 10:30+02'::timestamptz AT TIME ZONE 'UTC'", "2024-02-29T08:30:00"),
    ("'1 day 2 seconds'::interval", "PT86402S"),
    ("'\\x00ff'::bytea", "AP8="),
    ("'6f9619ff-8b86-d011-b42d-00c04fc964ff'::uuid", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    ("'{\"a\": [1.10, null]}'::jsonb", {"a": [Decimal("1.10"), None]}),
    ("'\"text\"'::json", "text"),
    ("ARRAY[1.50, 2]::numeric[]", [Decimal("1.50"), Decimal("2")]),
    ("'192.0.2.1'::inet", "192.0.2.1"),
]


@pytest.mark.parametrize(("expression", "expected"), PG_VALUES)
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_values_are_exact(source, expression, expected):
    [row] = source(query=f"SELECT {expression} AS v", key=()).rows()
    assert payload.dump(row) == payload.dump({"v": expected})


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_aware_time_keeps_an_offset(source):
    [row] = source(query="SELECT '2024-02-29 10:30+02'::timestamptz AS v", key=()).rows()
    assert dt.datetime.fromisoformat(row["v"]) == dt.datetime(2024, 2, 29, 8, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_values_are_exact(source):
    run(source.engine, "CREATE TABLE orders (id int, d decimal(10,2), j json, b blob, r real)")
    run(
        source.engine,
        "INSERT INTO orders VALUES (1, 19.99, '{\"a\": 1.10}', x'00ff', 0.1), (2, NULL, NULL, NULL, NULL)",
    )
    first, second = source(table="orders").rows()
    assert first == {
        "id": 1,
        "d": Decimal("19.99"),
        "j": {"a": Decimal("1.10")},
        "b": "AP8=",
        "r": Decimal("0.1"),
    }
    assert second == {"id": 2, "d": None, "j": None, "b": None, "r": None}
    assert not any(isinstance(value, float) for value in first.values())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_row_with_a_value_that_cannot_be_kept_is_set_aside(source):
    run(source.engine, "CREATE TABLE orders (id int, v json, t text)")
    run(
        source.engine, "INSERT INTO orders VALUES (1, '{', 'a'), (2, '1', CAST(x'ff' AS text)), (3, '2', 'c')"
    )
    records = source(table="orders").batches()[0].records
    assert [type(record) for record in records] == [BadRecord, RawRecord, RawRecord]
    assert (records[0].position, records[0].reason[:11]) == ("row 1", "v: not JSON")
    assert records[1].payload["t"] == "\udcff"


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("sqlite:///gone.db", SourceUnavailableError, "database file gone.db is not there"),
        ("postgresql://me:hunter2@127.0.0.1:1/x", SourceUnavailableError, "cannot be reached"),
        ("nosuch://me:hunter2@h/x", SourceProtocolError, "knows no such database"),
        ("oracle+cx_oracle://me:hunter2@h/x", SourceProtocolError, "driver is not installed"),
        (
            "oracle://me:hunter2@127.0.0.1:1/?service_name=x",
            SourceUnavailableError,
            "cannot be reached.*DPY-6005",
        ),
        ("mssql://me:hunter2@127.0.0.1:1/x", SourceUnavailableError, "cannot be reached.*20009"),
        ("hunter2", SourceProtocolError, "not an SQLAlchemy URL"),
    ],
)
def test_a_database_out_of_reach_is_told_without_its_password(tmp_path, url, error, message):
    connector = SqlConfig(type="sql", url={"env": "URL"}).connect(
        ConnectorContext("erp", {"URL": url}, tmp_path)
    )
    with pytest.raises(error, match=message) as caught:
        list(connector.batches(StreamRead("s", SqlRead(table="t"), ("id",)), None, 10))
    assert "hunter2" not in str(caught.value)
    connector.close()


@pytest.mark.parametrize(
    "read",
    [{}, {"table": "a", "query": "b"}, {"query": "b", "columns": ["x"]}, {"table": "a", "columns": []}],
)
def test_a_configuration_that_cannot_work_is_refused(read):
    with pytest.raises(ValidationError):
        SqlRead.model_validate(read)


def test_memory_is_bounded_by_the_batch(source):
    import tracemalloc

    run(source.engine, "CREATE TABLE orders (id int, note text)")
    series = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 40000)"
    run(source.engine, f"INSERT INTO orders {series} SELECT n, 'some text of a note' FROM s")
    orders = source(table="orders", cursor="id")
    batches = orders.connector.batches(orders.stream, None, 500)
    next(batches)
    tracemalloc.start()
    assert sum(len(batch.records) for batch in batches) == 39_500
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
