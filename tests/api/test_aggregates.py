"""Aggregates and groups over HTTP, on both databases: figures, refusals, the audit trail."""

from __future__ import annotations

import pytest

from tests.api.api_world import World

FIGURES = """{
  orders(where: {status: {ne: cancelled}}, first: 1) {
    totalCount
    nodes { orderNumber }
    aggregate { count sum { total { amount currency } } min { orderDate } max { orderDate total { amount } } }
    groups(orderBy: KEY_ASC) { key { status month: orderDate(unit: MONTH) } count sum { total { amount currency } } }
  }
}"""


def test_figures_stand_beside_the_page_and_cover_all_pages(world: World) -> None:
    with world.counted() as statements:
        orders = world.ask(FIGURES).data["orders"]
    assert len(statements) == 1
    assert len(orders["nodes"]) == 1
    assert orders["totalCount"] == 7
    assert orders["aggregate"] == {
        "count": 7,
        "sum": {"total": [{"amount": "280.28", "currency": "GBP"}]},
        "min": {"orderDate": "2026-01-01T10:00:00Z"},
        "max": {"orderDate": "2026-01-07T10:00:00Z", "total": [{"amount": "70.07"}]},
    }
    assert orders["groups"] == [
        {
            "key": {"status": "delivered", "month": "2026-01"},
            "count": 4,
            "sum": {"total": [{"amount": "160.16", "currency": "GBP"}]},
        },
        {
            "key": {"status": "open", "month": "2026-01"},
            "count": 3,
            "sum": {"total": [{"amount": "120.12", "currency": "GBP"}]},
        },
    ]


def test_rows_are_grouped_by_what_references_lead_to(world: World) -> None:
    lines = world.ask(
        "{ orderLines { groups { key { product { name } order { belongsTo { name } } } count sum { quantity } } } }"
    ).data["orderLines"]["groups"]
    ann = {"belongsTo": {"name": "Ann Archer"}}
    assert lines == [
        {
            "key": {"product": {"name": "Brass nail 40 mm"}, "order": ann},
            "count": 1,
            "sum": {"quantity": "2.5"},
        },
        {"key": {"product": {"name": "Rope 10 m"}, "order": ann}, "count": 1, "sum": {"quantity": "1"}},
    ]


def test_customers_are_counted_by_kind_and_filtered_by_it(world: World) -> None:
    found = world.ask("{ customers { groups { key { kind country: addressCountry } count } } }").data[
        "customers"
    ]
    assert found["groups"] == [
        {"key": {"kind": "PERSON", "country": "GB"}, "count": 2},
        {"key": {"kind": "ORGANIZATION", "country": None}, "count": 1},
    ]
    document = "query($k: [CustomerKind!]) { customers(where: {kind: {in: $k}}) { nodes { name } } }"
    (company,) = world.ask(document, k=["ORGANIZATION"]).data["customers"]["nodes"]
    assert company == {"name": "Quayside Traders"}
    tickets = world.ask("{ tickets(where: {kind: {eq: complaint}}) { totalCount } }").data["tickets"]
    assert tickets["totalCount"] == 1


def test_the_lists_of_one_customer_have_figures_of_their_own(world: World) -> None:
    document = """query($id: ID!, $n: Int!) { customer(id: $id) {
      orders { groups(first: $n, skip: 1) { key { status } count } aggregate { __typename count } }
      invoices { aggregate { sum { total { amount currency } } } }
      shipments { aggregate { count } }
    } }"""
    ann = world.ask(document, id=world.customer("erp", "C1"), n=1).data["customer"]
    assert ann["orders"] == {
        "groups": [{"key": {"status": "open"}, "count": 3}],
        "aggregate": {"__typename": "OrderAggregate", "count": 7},
    }
    assert ann["invoices"] == {"aggregate": {"sum": {"total": [{"amount": "10.01", "currency": "GBP"}]}}}
    ben = world.ask(document, id=world.customer("erp", "C2"), n=1).data["customer"]
    assert ben["orders"] == {"groups": [], "aggregate": {"__typename": "OrderAggregate", "count": 0}}
    assert ben["invoices"] == {"aggregate": {"sum": {"total": []}}}


@pytest.mark.parametrize(
    "document",
    [
        "{ customers { aggregate { max { birthDate } } } }",
        "{ customers { aggregate { sum { creditLimit { amount } } } } }",
        "{ customers { groups { key { email } count } } }",
        "{ customers { groups { key { birthDate(unit: YEAR) } count } } }",
        "{ orders { groups { key { belongsTo { telephone } } count } } }",
    ],
)
def test_what_is_masked_or_denied_can_be_neither_aggregated_nor_grouped_by(
    world: World, document: str
) -> None:
    with world.counted() as statements:
        reply = world.ask(document, "marketing")
    assert reply.code == "FORBIDDEN"
    assert "data" not in reply.body
    assert statements == []


def test_groups_without_a_key_are_refused(world: World) -> None:
    reply = world.ask("{ orders { groups { count } } }")
    assert (reply.code, reply.message) == (
        "BAD_QUERY",
        "groups: ask for the `key` too: it says what the groups are made by",
    )


def test_groups_count_towards_the_cost(world: World) -> None:
    document = (
        "{ customers(first: 200) { nodes { orders { groups(first: 200) { key { status } count } } } } }"
    )
    assert world.ask(document).code == "LIMIT_EXCEEDED"


def test_the_audit_trail_names_what_is_aggregated_and_a_customer_whose_rows_alone_are(world: World) -> None:
    before = world.seq()
    world.ask("{ orders { groups { key { customer { belongsTo { tier } } } sum { total { amount } } } } }")
    world.ask('{ orders(where: {orderNumber: {eq: "O9"}}) { aggregate { sum { total { amount } } } } }')
    world.ask("{ orders { aggregate { sum { total { amount } } } } }")
    by_tier, one, whole = world.events_after(before)
    assert {"Order", "Customer"} <= set(by_tier.entity_types)
    assert {"user.financial", "user.account"} & set(by_tier.data_categories)
    assert set(by_tier.customers) == {world.customer("erp", "C1"), world.customer("erp", "C3")}
    assert one.customers == (world.customer("erp", "C3"),)
    assert whole.customers == ()
