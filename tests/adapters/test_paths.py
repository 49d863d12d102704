"""Paths: JMESPath with exact numbers, and the hub's own forms."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.paths import Scope, compile_path, truthy
from hub.errors import RecordError

RECORD: dict[str, Any] = {
    "name": "Ada",
    "address": {"city": "London", "Post Code": "N1"},
    "Order No.": 7,
    "lines": [{"sku": "A", "price": Decimal("1.10")}, {"sku": "B", "price": Decimal("2.2")}],
    "flag": 0,
}


def follow(text: str, item: Any = RECORD, record: Any = RECORD, index: int = 0) -> Any:
    return compile_path(text).follow(Scope(item, record, index))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name", "Ada"),
        ("absent", None),
        ("address.city", "London"),
        ("name.city", None),
        ("absent.city.more", None),
        ('"Order No."', 7),
        ('address."Post Code"', "N1"),
        ("lines[0].sku", "A"),
        ("lines[*].sku", ["A", "B"]),
        ("lines[?price > `1.5`].sku | [0]", "B"),
        ("lines[?price == `1.1`].sku", ["A"]),
        ("sum(lines[].price)", Decimal("3.30")),
        ("avg(lines[].price)", Decimal("1.65")),
        ("max_by(lines, &price).sku", "B"),
        ("to_string(lines[0].price)", "1.10"),
        ("to_number('1.10')", Decimal("1.10")),
        ("to_number(name)", None),
        ("type(lines[0].price)", "number"),
        ("not_null(absent, name)", "Ada"),
        ("name == 'Ada' && flag == `0`", True),
        ("$", RECORD),
    ],
)
def test_a_path_gives(path: str, expected: Any) -> None:
    found = follow(path)
    assert found == expected
    assert type(found) is type(expected)


def test_inside_each_a_path_is_on_the_item_and_a_caret_on_the_record() -> None:
    item = RECORD["lines"][1]
    assert follow("sku", item) == "B"
    assert follow("^.name", item) == "Ada"
    assert follow("^.address.city", item) == "London"
    assert follow("^.lines[0].sku", item) == "A"
    assert follow("^", item) is RECORD
    assert follow("$", "plain") == "plain"
    assert follow("name", "plain") is None
    assert follow("#index", item, index=1) == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("customer-no", "character 9"),
        ("a.[", "character 4"),
        ("^.a.[", "character 6"),
        ("'x", "character 1"),
        ("", "empty"),
        ("lenght(a)", "did you mean length()"),
        ("length(a, b)", "takes 1 argument, got 2"),
    ],
)
def test_what_is_no_path_is_refused_with_its_position(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"is|calls|takes") as caught:
        compile_path(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("path", ["name > `1`", "sum(lines)", "abs(name)", "join(',', lines)"])
def test_an_expression_that_does_not_fit_the_record_refuses_the_record_without_its_values(path: str) -> None:
    with pytest.raises(RecordError) as caught:
        follow(path)
    assert caught.value.code == "bad_path"
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "item_fields", "record_fields"),
    [
        ("name", {"name"}, set()),
        ("address.city", {"address"}, set()),
        ("^.address.city", set(), {"address"}),
        ("lines[?price > `1`].sku", {"lines"}, set()),
        ("join(' ', [first, last])", {"first", "last"}, set()),
        ("kind == 'B' && !closed", {"kind", "closed"}, set()),
        ("sort_by(lines, &price)[0].sku", {"lines"}, set()),
        ("{a: x, b: y.z}", {"x", "y"}, set()),
        ("#index", set(), set()),
    ],
)
def test_a_path_knows_the_top_level_fields_it_reads(
    path: str, item_fields: set[str], record_fields: set[str]
) -> None:
    compiled = compile_path(path)
    assert (compiled.item_fields, compiled.record_fields) == (item_fields, record_fields)


@pytest.mark.parametrize(
    ("value", "expected"), [(0, True), ("", False), ([], False), ({}, False), (None, False)]
)
def test_truth_is_that_of_jmespath(value: Any, expected: bool) -> None:
    assert truthy(value) is expected


@given(st.dictionaries(st.text(), st.integers()), st.text(min_size=1))
def test_any_name_can_be_quoted(record: dict[str, int], name: str) -> None:
    assert follow(json.dumps(name), record, record) == record.get(name)
