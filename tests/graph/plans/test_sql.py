"""The two databases' spellings of single values: the same text from either."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from hub.graph.plans.databases import SPELLINGS
from hub.ontology import load_ontology
from hub.store import Store, iso_utc

VALUES = tuple(f"value{number}" for number in range(20))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    store = Store.open(store_url, load_ontology())
    yield store
    store.close()


def shown(store: Store, expression: str, value: Any) -> Any:
    """The value of an expression on a parameter `v`."""
    with store.asking() as ask:
        (found,) = ask(f"SELECT {expression}", {"v": value}) or ()
    return found


def test_a_value_is_shown_where_it_is_one_of_many_that_are_known(store: Store) -> None:
    sql = SPELLINGS[store.dialect.name]
    given = sql.param("v", "text")
    for value, known in [
        ("value0", True),
        ("value7", True),
        ("value8", True),
        ("value19", True),
        ("x", False),
    ]:
        assert shown(store, sql.one_of(given, VALUES), value) == (value if known else None)
        assert bool(shown(store, sql.among(given, VALUES), value)) is known
    assert shown(store, sql.one_of(given, VALUES), None) is None


INSTANTS = {
    "2026-01-02T03:04:05+00:00": "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05.100000+00:00": "2026-01-02T03:04:05.1Z",
    "2026-07-02T03:04:05.000001+02:00": "2026-07-02T01:04:05.000001Z",
    "1887-01-02T00:00:00+00:00": "1887-01-02T00:00:00Z",
    "9999-12-31T23:59:59.999999+00:00": "9999-12-31T23:59:59.999999Z",
}


def test_an_instant_is_iso_text_in_utc(store: Store) -> None:
    sql = SPELLINGS[store.dialect.name]
    column = sql.param("v", "timestamptz")
    for value, expected in INSTANTS.items():
        at = datetime.fromisoformat(value)
        given = iso_utc(at) if sql.dialect == "sqlite" else at
        assert shown(store, sql.instant(column), given) == expected
        assert shown(store, sql.sortable_instant(column), given) == iso_utc(at)


def test_an_instant_looks_the_same_whatever_zone_and_style_the_server_prefers(postgres_url: str) -> None:
    store = Store.open(postgres_url, load_ontology())
    sql, at = SPELLINGS["postgresql"], "'2026-07-02 03:04:05.5+02'::timestamptz"
    with store.read() as connection:
        connection.execute(text("SET TIME ZONE 'Asia/Kathmandu'"))
        connection.execute(text("SET DateStyle TO 'German, DMY'"))
        assert connection.exec_driver_sql(f"SELECT {sql.instant(at)}").scalar() == "2026-07-02T01:04:05.5Z"
    store.close()
