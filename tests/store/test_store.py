"""The store on both databases: exact values, upserts, locks, migrations and additions of the ontology."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text

from hub.errors import ConfigurationError, SchemaChangeError
from hub.ontology import Ontology, Property, PropertyType, load_ontology
from hub.store import Store, build_tables, decode, encoder, fixed, scaled, unscaled
from hub.values import Instant, Money
from tests.databases import Postgres, sqlite_store


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def store(empty_url: str, ontology: Ontology) -> Store:
    opened = Store.open(empty_url, ontology)
    yield opened
    opened.close()


def prop(type_: str, **more: object) -> Property:
    return Property(name="x", type=type_, label="X", category="user", **more)


EXAMPLES = [
    (prop("money"), Money(Decimal("1234.5600"), "GBP")),
    (prop("money"), Money(Decimal("-0.0001"), "JPY")),
    (prop("decimal", scale=3), Decimal("2.125")),
    (prop("boolean"), True),
    (
        prop("instant"),
        Instant(datetime(2026, 3, 1, 12, 0, 0, 123, tzinfo=timezone(timedelta(hours=2))), "+02:00"),
    ),
    (prop("date"), "1984-05"),
    (prop("text"), "naïve 👋"),
    (prop("integer"), 2**40),
    (prop("text", many=True), ("a", "ü")),
]


@pytest.mark.parametrize(("property_", "value"), EXAMPLES)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_value_survives_its_columns(property_: Property, value: object, dialect: str) -> None:
    columns = encoder(property_, dialect)(value)
    assert len(columns) == len(property_.columns)
    assert decode(property_, columns, dialect) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_scaling_is_exact(value: Decimal) -> None:
    assert unscaled(scaled(value, 4), 4) == value


@pytest.mark.parametrize(("value", "message"), [("0.00001", "more than 4 digits"), ("1e18", "too large")])
def test_a_value_that_does_not_fit_is_refused_without_being_repeated(value: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        scaled(Decimal(value), 4)
    assert value not in str(caught.value)


ROW = ("o1", "erp", "orders", "7", 1, 1, "", "h", 1)
COLUMNS = (
    "id",
    "source",
    "stream",
    "record_key",
    "head_id",
    "record_id",
    "observed_at",
    "content_hash",
    "run_id",
)


def test_an_upsert_inserts_replaces_and_keeps(store: Store) -> None:
    table = store.tables.by_type["Order"]
    with store.write() as connection:
        store.dialect.upsert(connection, table, COLUMNS, [ROW])
        store.dialect.upsert(connection, table, COLUMNS, [(*ROW[:7], "h2", 2)], keep=("run_id",))
    with store.read() as connection:
        row = connection.execute(select(table)).one()
    assert (row.content_hash, row.run_id) == ("h2", 1)


def test_exact_amounts_can_be_summed_in_sql(store: Store) -> None:
    table = store.tables.by_type["Order"]
    encode = encoder(store.ontology.type("Order").properties["total"], store.dialect.name)
    columns = (*COLUMNS, "total", "total_currency")
    rows = [(f"o{n}", *ROW[1:], *encode(Money(Decimal("0.10"), "GBP"))) for n in range(3)]
    with store.write() as connection:
        store.dialect.insert(connection, table, columns, rows)
    with store.read() as connection:
        total = connection.execute(text("SELECT sum(total) FROM e_order")).scalar_one()
    assert (unscaled(total, 4) if store.dialect.name == "sqlite" else total) == Decimal("0.30")


def test_allocated_ids_are_never_given_twice(store: Store) -> None:
    with store.write() as connection:
        first = store.allocate(connection, fixed.audit_outbox, 3)
        store.dialect.insert(
            connection, fixed.audit_outbox, ("id", "event"), [(first + n, "{}") for n in range(3)]
        )
        second = store.allocate(connection, fixed.audit_outbox, 1)
        store.dialect.insert(connection, fixed.audit_outbox, ("id", "event"), [(second, "{}")])
    store.forget([second])
    with store.write() as connection:
        assert store.allocate(connection, fixed.audit_outbox, 1) > second >= first + 3


def test_an_error_undoes_the_whole_transaction(store: Store) -> None:
    def broken() -> None:
        with store.write() as connection:
            connection.execute(fixed.audit_outbox.insert().values(event="{}"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert store.pending(10) == []


def test_a_lock_is_held_by_one_at_a_time(store: Store) -> None:
    with store.lock("source-erp") as held:
        assert held
        with store.lock("source-erp") as again, store.lock("source-pos") as other:
            assert not again
            assert other
    with store.lock("source-erp") as held:
        assert held


# An index of an expression is not looked at; that it is there and used is tested where numbers are found by their end.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection:sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings(
    "ignore:autogenerate skipping metadata-specified expression-based index:UserWarning"
)
def test_migrations_make_exactly_the_fixed_tables(store: Store) -> None:
    def ours(_object: object, name: str | None, type_: str, _reflected: bool, _compare: object) -> bool:
        return type_ != "table" or name in fixed.metadata.tables

    with store.read() as connection:
        options = {"include_object": ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, fixed.metadata) == []


def test_a_new_property_becomes_a_column_and_the_rows_stay(empty_url: str, tmp_path: Path) -> None:
    first = Store.open(empty_url, load_ontology())
    with first.write() as connection:
        first.dialect.upsert(connection, first.tables.by_type["Order"], COLUMNS, [ROW])
    first.close()
    (tmp_path / "Order.yaml").write_text(
        "extends: Order\nproperties:\n  giftNote: {type: text, label: Gift note, category: user.content}\n"
        "  tip: {type: money, label: Tip, category: user.financial}\n"
    )
    second = Store.open(empty_url, load_ontology([tmp_path]))
    with second.read() as connection:
        row = connection.execute(text("SELECT id, gift_note, tip, tip_currency FROM e_order")).one()
    assert tuple(row) == ("o1", None, None, None)
    second.close()


def test_a_retyped_property_is_refused_with_instructions(empty_url: str, tmp_path: Path) -> None:
    own = tmp_path / "Order.yaml"
    own.write_text("extends: Order\nproperties:\n  tip: {type: text, label: Tip, category: user}\n")
    Store.open(empty_url, load_ontology([tmp_path])).close()
    own.write_text("extends: Order\nproperties:\n  tip: {type: integer, label: Tip, category: user}\n")
    with pytest.raises(
        SchemaChangeError, match=r"e_order\.tip is TEXT, the ontology makes it BIGINT(.|\n)*new property"
    ):
        Store.open(empty_url, load_ontology([tmp_path]))


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "nonsense"])
def test_an_address_that_cannot_serve_is_a_configuration_fault(url: str, ontology: Ontology) -> None:
    with pytest.raises(ConfigurationError, match="HUB_STORE_URL"):
        Store.open(url, ontology)


def test_every_property_type_has_a_column_form(store: Store) -> None:
    for kind in PropertyType:
        extra = {"enum": {"values": ["a"]}, "reference": {"range": "Party"}}.get(kind.value, {})
        assert encoder(prop(kind.value, **extra), store.dialect.name)


def test_instants_are_kept_in_utc_with_the_source_s_zone() -> None:
    at = Instant(datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2))), "Europe/Budapest")
    assert encoder(prop("instant"), "sqlite")(at) == ("2026-07-01T12:00:00.000000Z", "Europe/Budapest")
    assert at.at.tzinfo is UTC


def test_tables_are_made_once_for_an_ontology(ontology: Ontology, tmp_path: Path) -> None:
    assert build_tables(load_ontology()) is build_tables(ontology)
    (tmp_path / "Order.yaml").write_text(
        "extends: Order\nproperties:\n  tip: {type: text, label: Tip, category: user}\n"
    )
    assert "tip" in build_tables(load_ontology([tmp_path])).by_type["Order"].columns
    assert "tip" not in build_tables(ontology).by_type["Order"].columns


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection:sqlalchemy.exc.SAWarning")
def test_the_stores_of_the_tests_are_what_opening_makes_of_an_empty_database(
    store_url: str, tmp_path: Path, ontology: Ontology, postgres: Postgres
) -> None:
    lite = store_url.startswith("sqlite")
    other = sqlite_store(tmp_path / "other.sqlite") if lite else postgres.store()
    empty = f"sqlite:///{tmp_path / 'new.sqlite'}" if lite else postgres.empty()
    stores = [Store.open(url, ontology) for url in (store_url, other, empty)]
    shapes = [_shape(store) for store in stores]
    assert shapes == shapes[-1:] * 3
    assert len({store.secret for store in stores}) == 3
    for store in stores:
        store.close()


def _shape(store: Store) -> dict[str, object]:
    """Each table with its columns, its indexes, and how many rows it has."""
    with store.read() as connection:
        inspector = inspect(connection)
        return {
            name: (
                [(column["name"], str(column["type"])) for column in inspector.get_columns(name)],
                sorted(str(index["name"]) for index in inspector.get_indexes(name)),
                connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar(),
            )
            for name in inspector.get_table_names()
        }
