"""Masks: what they show, and that Python, SQLite and PostgreSQL agree on every value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text

from hub.access import MASKS, WITHHOLD, Dialect, mask_for
from hub.ontology import Property
from hub.ontology import PropertyType as T
from hub.values import Instant, Money

TODAY = date(2026, 3, 15)
SCALE = 4


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        ("email", "john@example.com", "j***@e***.com"),
        ("email", "j@example.com", "j***@e***.com"),
        ("email", "josé.garcía@correo.example.org", "j***@c***.org"),
        ("email", "đorđe@пример.example", "đ***@п***.example"),
        ("email", '"a@b"@example.com', '"***@e***.com'),
        ("email", "john@localhost", "j***@l***"),
        ("email", "first.last@localhost", "f***@l***"),
        ("email", "john@example.", "j***@e***"),
        ("email", "@example.com", "***@e***.com"),
        ("email", "john@", "j***@***"),
        ("email", "not an address", "***"),
        ("email", "", "***"),
        ("phone", "+441632960123", "***23"),
        ("phone", "+441632960123;ext=99", "***23"),
        ("phone", "12345", "***"),
        ("phone", "", "***"),
        ("initial", "Ágnes", "Á."),
        ("initial", "  van Dijk", "v."),
        ("initial", "李", "李."),
        ("initial", "", ""),
        ("initial", "   ", ""),
        ("city", "São Paulo", "São Paulo"),
        ("last4", "4111111111111111", "****1111"),
        ("last4", "GB33BUKB20201555555555", "****5555"),
        ("last4", "1234567", "****"),
        ("last4", "", "****"),
        ("year", "1984-05-12", "1984"),
        ("year", "1984", "1984"),
        ("age_band", "2026-03-15", "0-17"),
        ("age_band", "2008-03-16", "0-17"),
        ("age_band", "2008-03-15", "18-29"),
        ("age_band", "1996-03-16", "18-29"),
        ("age_band", "1996-03-15", "30-39"),
        ("age_band", "1984-05", "40-49"),
        ("age_band", "1984", "40-49"),
        ("age_band", "1937-01-01", "80-89"),
        ("age_band", "1936-03-15", "90+"),
        ("age_band", "0001-01-01", "90+"),
        ("age_band", "2026-03-16", None),
        ("age_band", "12 May 1984", None),
        ("age_band", "", None),
        ("band", Decimal("9.99"), Decimal(0)),
        ("band", Decimal("10"), Decimal(10)),
        ("band", Decimal("57.5"), Decimal(50)),
        ("band", Decimal("-57.5"), Decimal(-50)),
        ("band", Decimal("1999.9999"), Decimal(1000)),
        ("band", Decimal("98765432.1"), Decimal(1_000_000)),
        ("band", 250, 200),
        ("withhold", "anything", None),
    ],
)
def test_a_mask_shows_no_more_than_it_should(mask: str, value: object, shown: object) -> None:
    assert MASKS[mask].python(value, today=TODAY) == shown


def test_masked_money_keeps_its_currency() -> None:
    shown = MASKS["band"].python(Money(Decimal("1234.56"), "EUR"))
    assert shown == Money(Decimal(1000), "EUR")


def test_a_masked_instant_is_the_start_of_its_year() -> None:
    shown = MASKS["year"].python(Instant(datetime(2024, 7, 5, 9, 30, tzinfo=UTC), "Europe/London"))
    assert shown == Instant(datetime(2024, 1, 1, tzinfo=UTC), "Europe/London")


@pytest.mark.parametrize("mask", MASKS)
def test_nothing_stays_nothing(mask: str) -> None:
    assert MASKS[mask].python(None) is None


@pytest.mark.parametrize("mask", MASKS)
def test_a_value_of_a_foreign_kind_is_withheld(mask: str) -> None:
    assert MASKS[mask].python(object()) is None
    assert MASKS[mask].python(True) is None


@pytest.mark.parametrize("type_", list(T))
@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_that_does_not_suit_the_type_becomes_withhold(mask: str, type_: T) -> None:
    suits = type_ in MASKS[mask].applies_to
    assert mask_for(mask, _property(type_)) is (MASKS[mask] if suits else WITHHOLD)


def test_a_list_of_values_is_withheld() -> None:
    assert mask_for("email", _property(T.EMAIL, many=True)) is WITHHOLD


def test_of_an_address_the_city_mask_shows_city_region_and_country_alone() -> None:
    address = "user.contact.address"
    shown = {
        part: mask_for("city", _property(T.TEXT, f"{address}{part}")) is not WITHHOLD
        for part in ("", ".street", ".postal_code", ".city", ".state", ".country")
    }
    assert [part for part in shown if shown[part]] == [".city", ".state", ".country"]
    assert mask_for("city", _property(T.TEXT, "user.name")) is WITHHOLD


def _property(type_: T, category: str = "user.contact.address.city", *, many: bool = False) -> Property:
    more: dict[str, Any] = {"range": "Party"} if type_ is T.REFERENCE else {}
    more |= {"values": ("a",)} if type_ is T.ENUM else {}
    return Property(type=type_, label="Property", category=category, many=many, **more)


def test_the_strictest_mask_is_first_and_suits_everything() -> None:
    assert next(iter(MASKS)) == "withhold"
    assert WITHHOLD.applies_to == frozenset(T)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("mask", "type_"), [(name, type_) for name in MASKS for type_ in sorted(MASKS[name].applies_to)]
)
def test_mask_sql_holds_nothing_that_a_driver_reads_as_a_parameter(
    mask: str, type_: T, dialect: Dialect
) -> None:
    assert not re.search(r"[%?]|(?<![:\w]):\w", MASKS[mask].sql("t.c", dialect, type_=type_))


def test_descriptions_differ() -> None:
    assert len({mask.description for mask in MASKS.values()}) == len(MASKS)


# equality of Python and SQL

_COLUMNS: dict[Dialect, dict[str, str]] = {
    "sqlite": {"text": "TEXT", "instant": "TEXT", "amount": "INTEGER", "whole": "INTEGER"},
    "postgresql": {
        "text": "TEXT",
        "instant": "TIMESTAMPTZ",
        "amount": f"NUMERIC(38,{SCALE})",
        "whole": "BIGINT",
    },
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection with one temporary table, a column for each storage type."""
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    with engine.connect() as connection:
        columns = ", ".join(f"v_{name} {type_}" for name, type_ in _COLUMNS[request.param].items())
        connection.execute(text(f"CREATE TEMPORARY TABLE t (n INTEGER, {columns})"))
        yield connection
    engine.dispose()


def masked_by_sql(connection: Connection, mask: str, type_: T, column: str, stored: list[Any]) -> list[Any]:
    dialect: Dialect = "sqlite" if connection.dialect.name == "sqlite" else "postgresql"
    sql = MASKS[mask].sql(f"t.v_{column}", dialect, type_=type_, scale=SCALE, today=f"'{TODAY}'")
    connection.execute(text("DELETE FROM t"))
    if stored:
        rows = [{"n": n, "v": value} for n, value in enumerate(stored)]
        connection.execute(text(f"INSERT INTO t (n, v_{column}) VALUES (:n, :v)"), rows)
    return list(connection.execute(text(f"SELECT {sql} FROM t ORDER BY n")).scalars())


# PostgreSQL holds no NUL in text, and no surrogate is UTF-8
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
_pieces = st.sampled_from(
    ["@", ".", "..", ";ext=", " ", "-", "a", "É", "李", "0", "1984", "05", "🙂", "\n", "'", "%"]
)
_odd_texts = st.lists(_pieces, max_size=12).map("".join)
_days = st.dates(min_value=date(1, 1, 1)).map(str)
_partial_dates = st.one_of(_days, _days.map(lambda day: day[:7]), _days.map(lambda day: day[:4]))
_any_text = st.one_of(st.none(), _texts, _odd_texts, st.emails(), _partial_dates)


@pytest.mark.parametrize(
    ("mask", "type_"),
    [
        ("email", T.EMAIL),
        ("phone", T.PHONE),
        ("initial", T.TEXT),
        ("city", T.TEXT),
        ("last4", T.TEXT),
        ("age_band", T.DATE),
        ("year", T.DATE),
        ("withhold", T.TEXT),
    ],
)
@example(
    values=["1984\n", "1984-05-12\n", "١٩٨٤", "1984-5-1", "1984-13-99", None, "", "@", ".@.", "@.", "a@b@c.d"]
)
@given(values=st.lists(_any_text, max_size=30))
def test_text_masks_are_equal_in_python_and_sql(
    database: Connection, mask: str, type_: T, values: list[str | None]
) -> None:
    expected = [MASKS[mask].python(value, today=TODAY) for value in values]
    assert masked_by_sql(database, mask, type_, "text", values) == expected


@pytest.mark.parametrize("type_", [T.MONEY, T.DECIMAL])
@given(
    values=st.lists(
        st.none()
        | st.decimals(-(10**10), 10**10, places=SCALE)
        | st.sampled_from(
            [Decimal(x) for x in ("0", "9.9999", "10", "-10", "20", "999999.9999", "1000000", "-0.0001")]
        )
    )
)
def test_amounts_fall_into_equal_bands_in_python_and_sql(
    database: Connection, type_: T, values: list[Decimal | None]
) -> None:
    unit = 10**SCALE if database.dialect.name == "sqlite" else 1
    stored = [value if value is None or unit == 1 else int(value * unit) for value in values]
    shown = masked_by_sql(database, "band", type_, "amount", stored)
    expected = [MASKS["band"].python(value) for value in values]
    assert [value if value is None else Decimal(value) / unit for value in shown] == expected


@given(values=st.lists(st.none() | st.integers(-(10**12), 10**12)))
def test_whole_numbers_fall_into_equal_bands_in_python_and_sql(
    database: Connection, values: list[int | None]
) -> None:
    expected = [MASKS["band"].python(value) for value in values]
    shown = masked_by_sql(database, "band", T.INTEGER, "whole", values)
    assert shown == expected
    assert all(isinstance(value, int) for value in shown if value is not None)


@given(values=st.lists(st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))))
def test_instants_move_to_the_same_year_in_python_and_sql(
    database: Connection, values: list[datetime]
) -> None:
    on_sqlite = database.dialect.name == "sqlite"
    stored = [f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if on_sqlite else value for value in values]
    shown = masked_by_sql(database, "year", T.INSTANT, "instant", stored)
    instants = [Instant(datetime.fromisoformat(value) if on_sqlite else value, "UTC") for value in shown]
    assert instants == [MASKS["year"].python(Instant(value, "UTC")) for value in values]


def test_a_cached_statement_follows_the_databases_date(database: Connection) -> None:
    """Without a given day the database's own is used, in UTC."""
    dialect: Dialect = "sqlite" if database.dialect.name == "sqlite" else "postgresql"
    born = f"{datetime.now(UTC).year - 45}-01-01"
    sql = MASKS["age_band"].sql("born", dialect, type_=T.DATE)
    statement = text(f"SELECT {sql} FROM (SELECT CAST(:born AS TEXT) AS born) AS p")
    assert database.execute(statement, {"born": born}).scalar() == "40-49"
