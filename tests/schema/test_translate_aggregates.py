"""Aggregates and groups of a document become those of a plan."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError, parse, specified_rules, validate

from hub.graph.plans import (
    Aggregate,
    Compare,
    Constant,
    Figure,
    Figures,
    GroupKey,
    GroupOrder,
    Groups,
    KeyAlong,
    KeyValue,
    ListOf,
    Op,
    Page,
    Part,
    RowCount,
    TotalCount,
    Unit,
    Var,
)
from hub.schema import Catalogue
from tests.schema.test_catalogue import fields
from tests.schema.test_translate import root, selected, translated, where


def connection(catalogue: Catalogue, list_: str, items: str, **variables: Any) -> tuple[Any, ...]:
    declared = f"query({variables.pop('declare')})" if "declare" in variables else ""
    found = root(catalogue, f"{declared} {{ {list_} {{ {items} }} }}", **variables)
    assert isinstance(found, ListOf)
    return found.fields


def test_figures_over_all_rows_of_a_list(catalogue: Catalogue) -> None:
    found = root(
        catalogue,
        """{ orders(where: {status: {eq: open}}) { totalCount all: aggregate {
          __typename n: count sum { t: total { currency amount } } min { orderDate __typename } max { expectedDelivery }
        } } }""",
    )
    money = (Part("currency", "currency"), Part("amount", "amount"))
    assert found == ListOf(
        "Order",
        Page(Compare("status", Op.EQ, "open")),
        (
            TotalCount("totalCount"),
            Aggregate(
                "all",
                (
                    Constant("__typename", "OrderAggregate"),
                    RowCount("n"),
                    Figures("sum", "sum", (Figure("t", "total", money),)),
                    Figures(
                        "min", "min", (Figure("orderDate", "orderDate"), Constant("__typename", "OrderRange"))
                    ),
                    Figures("max", "max", (Figure("expectedDelivery", "expectedDelivery"),)),
                ),
            ),
        ),
    )


def test_what_is_asked_of_a_key_makes_the_groups(catalogue: Catalogue) -> None:
    (groups,) = connection(
        catalogue,
        "orderLines",
        """groups(first: 3, skip: 6, orderBy: KEY_DESC) { count key {
          __typename source
          product { sku id }
          order { month: orderDate(unit: MONTH) total { currency } customer { id belongsTo { kind segment } } }
        } }""",
    )
    customer = KeyAlong("belongsTo", None, (KeyValue("kind", "kind"), KeyValue("segment", "segment")))
    order = (
        KeyValue("month", "orderDate", Unit.MONTH),
        KeyValue("total", "total", parts=(Part("currency", "currency"),)),
        KeyAlong("customer", "customer", (KeyValue("id", "id"), customer)),
    )
    key = (
        Constant("__typename", "OrderLineGroupKey"),
        KeyValue("source", "source"),
        KeyAlong("product", "product", (KeyValue("sku", "sku"), KeyValue("id", "id"))),
        KeyAlong("order", "order", order),
    )
    assert groups == Groups("groups", (RowCount("count"), GroupKey("key", key)), GroupOrder.KEY_DESC, 3, 6)


def test_keys_that_are_asked_for_twice_are_merged(catalogue: Catalogue) -> None:
    (groups,) = connection(
        catalogue, "customers", "groups { key { kind } key { addressCountry } other: key { tier } }"
    )
    assert groups == Groups(
        "groups",
        (
            GroupKey("key", (KeyValue("kind", "kind"), KeyValue("addressCountry", "addressCountry"))),
            GroupKey("other", (KeyValue("tier", "tier"),)),
        ),
    )


def test_the_lists_of_a_customer_have_aggregates_and_the_timeline_has_none(catalogue: Catalogue) -> None:
    (orders,) = selected(catalogue, "orders(first: 1) { aggregate { count } }")
    assert orders.fields == (Aggregate("aggregate", (RowCount("count"),)),)
    assert not {"aggregate", "groups"} & set(fields(catalogue, "TimelineEntryConnection"))


def test_numbers_of_groups_stay_open_and_order_and_unit_shape_the_plan(catalogue: Catalogue) -> None:
    text = """query($n: Int!, $skip: Int!, $order: GroupOrder!, $unit: CalendarUnit!) {
      orders { groups(first: $n, skip: $skip, orderBy: $order) { key { orderDate(unit: $unit) } } }
    }"""
    found = translated(catalogue, text, n=2, skip=4, order="COUNT_ASC", unit="QUARTER")
    (planned,) = found.planned
    assert isinstance(planned.root, ListOf)
    key = GroupKey("key", (KeyValue("orderDate", "orderDate", Unit.QUARTER),))
    assert planned.root.fields == (Groups("groups", (key,), GroupOrder.COUNT_ASC, Var("n"), Var("skip")),)
    assert found.shaping == {"order", "unit"}


@pytest.mark.parametrize(
    "text",
    [
        "{ orders { groups { key { orderDate } } } }",
        "{ orders { groups { key { status(unit: DAY) } } } }",
        "{ orders { aggregate { sum { orderDate } } } }",
        "{ orders { aggregate { max { orderNumber } } } }",
        "{ tickets { groups { key { tags } } } }",
        "{ orderLines { groups { key { quantity } } } }",
        "{ products { groups { key { belongsTo { id } } } } }",
        "{ orders { groups { key { customer { name } } } } }",
    ],
)
def test_what_cannot_be_aggregated_is_not_in_the_schema(catalogue: Catalogue, text: str) -> None:
    errors = validate(catalogue.graphql, parse(text), specified_rules)
    assert errors
    assert all(isinstance(error, GraphQLError) for error in errors)


def test_types_without_numbers_have_no_sums(catalogue: Catalogue) -> None:
    assert set(fields(catalogue, "ConsentAggregate")) == {"count", "min", "max"}
    assert "ConsentSum" not in catalogue.graphql.type_map
    assert fields(catalogue, "OrderSum")["total"] == "[Money!]!"
    assert fields(catalogue, "OrderLineSum")["quantity"] == "Decimal"
    assert fields(catalogue, "OrderRange")["orderDate"] == "DateTime"
    assert fields(catalogue, "OrderGroupKey")["orderDate"] == "String"


def test_customers_are_filtered_by_their_kind_and_other_types_by_a_property_of_that_name(
    catalogue: Catalogue,
) -> None:
    assert where(catalogue, "{kind: {eq: ORGANIZATION}}", "customers") == Compare(
        "kind", Op.EQ, "ORGANIZATION"
    )
    assert fields(catalogue, "CustomerKindWhere").keys() == {"eq", "ne", "in"}
    assert fields(catalogue, "TicketWhere")["kind"] == "TicketKindWhere"
