"""Two records share a key of a rule exactly when DuckDB says that the rule holds for them."""

from __future__ import annotations

from itertools import product
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from hub.errors import ConfigurationError
from hub.graph.resolution.scoring import Blocking
from hub.graph.resolution.scoring.splinkjson import BlockingRule

FIRST, SECOND = [None, "", "Anna", "anna", "Bo|b", "Bo"], [None, "Anna", "b|x", "x", "Bo"]
LISTS: list[list[str] | None] = [None, [], ["x"], ["x", "y"]]
ROWS: list[dict[str, Any]] = [{"a": a, "b": b, "v": v} for a, b, v in product(FIRST, SECOND, LISTS)]

RULES: list[tuple[str, list[str] | None]] = [
    ("l.a = r.a", None),
    ('l."a" = r."a" AND (r.b = l.b)', None),
    ("SUBSTRING(l.a, 1, 2) = SUBSTRING(r.a, 1, 2) AND left(l.b, 1) = left(r.b, 1)", None),
    ("lower(l.a) || '-' || l.b = lower(r.a) || '-' || r.b", None),
    ("CAST(l.a AS TEXT) = CAST(r.a AS TEXT) AND least(l.a, l.b) = least(r.a, r.b)", None),
    ("l.v = r.v", ["v"]),
    ("l.v = r.v AND l.a = r.a", ["v"]),
]


@pytest.mark.parametrize(("rule", "exploded"), RULES)
def test_records_share_a_key_exactly_when_the_rule_holds(rule: str, exploded: list[str] | None) -> None:
    assert _sharing(rule, exploded) == _in_duckdb(rule, exploded)


def test_a_rule_that_crosses_columns_finds_its_pairs_and_besides_those_of_the_same_values_in_the_same_columns() -> (
    None
):
    rule = "l.a = r.b AND l.b = r.a"
    assert _sharing(rule, None) == _in_duckdb(f"({rule}) OR (l.a = r.a AND l.b = r.b)", None)
    assert _in_duckdb(rule, None) < _sharing(rule, None)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("l.a = r.b", "different columns are compared, but not both ways"),
        ("l.a = r.a OR l.b = r.b", "is no equality"),
        ("l.a = r.a AND levenshtein(l.b, r.b) <= 1", "is no equality"),
        ("l.a = r.a AND l.b = 'x'", "does not compare one record with the other"),
        ("soundex(l.a) = soundex(r.a)", "'soundex' is not supported"),
        ("l.v = r.v", "a list is compared as a whole"),
    ],
)
def test_a_rule_that_is_no_key_is_refused_by_its_name(rule: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Blocking([BlockingRule(blocking_rule=rule)], {"v": "list"})
    assert f"blocking_rules_to_generate_predictions[0]: rule {rule!r}: " in str(caught.value)
    assert reason in str(caught.value)


def _sharing(rule: str, exploded: list[str] | None) -> set[tuple[int, int]]:
    blocking = Blocking(
        [BlockingRule(blocking_rule=rule, arrays_to_explode=tuple(exploded) if exploded else None)],
        {"v": "list"},
    )
    keys = [blocking.keys({k: v for k, v in row.items() if v is not None}) for row in ROWS]
    return {(i, j) for (i, one), (j, two) in product(enumerate(keys), repeat=2) if one & two}


def _in_duckdb(rule: str, exploded: list[str] | None) -> set[tuple[int, int]]:
    with duckdb.connect() as connection:
        table = pa.table(
            {"i": range(len(ROWS))} | {name: pa.array([row[name] for row in ROWS]) for name in ROWS[0]}
        )
        connection.register("rows", table)
        source = (
            f"(SELECT * REPLACE (unnest({exploded[0]}) AS {exploded[0]}) FROM rows)" if exploded else "rows"
        )
        found = connection.execute(
            f"SELECT DISTINCT l.i, r.i FROM {source} l JOIN {source} r ON {rule}"
        ).fetchall()
    return set(found)
