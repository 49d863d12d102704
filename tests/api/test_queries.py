"""Every root field answers over HTTP, on both databases, with one statement each."""

from __future__ import annotations

from typing import Any

import pytest

from hub.schema.naming import field_name
from tests.api.api_world import World

ORDERS = """
query($first: Int!, $after: String) {
  orders(first: $first, after: $after, orderBy: [{orderNumber: ASC}]) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { orderNumber } }
  }
}
"""


def numbers(connection: dict[str, Any]) -> list[str]:
    return [edge["node"]["orderNumber"] for edge in connection["edges"]]


def test_a_customer_shows_all_systems_each_value_naming_its_source(world: World) -> None:
    reply = world.ask(
        """
        query($id: ID!) { customer(id: $id) {
          id kind name tier creditLimit { amount currency }
          facts(properties: [name]) { value source recordKey rule wins }
          identifiers { scheme value source strong }
          parties { __typename source name ... on Person { givenName } }
          household { members { name } }
          freshness { source rows }
          orders(first: 1, orderBy: [{orderDate: ASC}]) { totalCount nodes {
            source recordKey orderNumber total { amount currency } customer { __typename name } belongsTo { id }
            lines(orderBy: [{quantity: DESC}]) { nodes { quantity product { sku } } }
            shipments { nodes { source carrier events { nodes { bizStep epcs } } } }
          } }
          invoices { nodes { invoiceNumber payments { nodes { amount { amount } method } } } }
          tickets { nodes { source subject tags } } interactions { nodes { kind source } }
        } }
        """,
        id=world.customer("erp", "C1"),
    )
    ann = reply.data["customer"]
    assert (ann["kind"], ann["name"], ann["tier"]) == ("PERSON", "Ann Archer", "gold")
    assert ann["creditLimit"] == {"amount": "500.00", "currency": "GBP"}
    assert ann["facts"] == [
        {"value": "Ann Archer", "source": "erp", "recordKey": "C1", "rule": "most_trusted", "wins": True},
        {"value": "A. Archer", "source": "till", "recordKey": "777001", "rule": None, "wins": False},
    ]
    assert {"scheme": "loyalty_card", "value": "777001", "source": "till", "strong": True} in ann[
        "identifiers"
    ]
    assert [party["source"] for party in ann["parties"]] == ["erp", "till"]
    assert ann["parties"][0] == {
        "__typename": "Person",
        "source": "erp",
        "name": "Ann Archer",
        "givenName": "Ann",
    }
    assert {member["name"] for member in ann["household"]["members"]} == {"Ann Archer", "Ben Archer"}
    assert {each["source"] for each in ann["freshness"]} == {"erp", "till", "support", "supply"}
    assert ann["orders"]["totalCount"] == 7
    (order,) = ann["orders"]["nodes"]
    assert (order["source"], order["recordKey"], order["total"]) == (
        "erp",
        "O1",
        {"amount": "10.01", "currency": "GBP"},
    )
    assert order["customer"] == {"__typename": "Person", "name": "Ann Archer"}
    assert order["belongsTo"] == {"id": ann["id"]}
    assert [line["quantity"] for line in order["lines"]["nodes"]] == ["2.5", "1"]
    (shipment,) = order["shipments"]["nodes"]
    assert shipment["events"]["nodes"] == [{"bizStep": "shipping", "epcs": ["urn:epc:1", "urn:epc:2"]}]
    assert ann["invoices"]["nodes"][0]["payments"]["nodes"] == [
        {"amount": {"amount": "10.01"}, "method": "card"}
    ]
    assert ann["tickets"]["nodes"] == [
        {"source": "support", "subject": "Late parcel", "tags": ["parcel", "late"]}
    ]
    assert ann["interactions"]["nodes"] == [{"kind": "call", "source": "support"}]


def test_every_type_has_a_root_field_for_one_and_for_many(world: World) -> None:
    for type_ in world.services.ontology.types.values():
        one, many = field_name(type_.name), type_.plural
        with world.counted() as statements:
            listed = world.ask(
                f"{{ {many}(first: 1) {{ totalCount nodes {{ id source }} }} }}", "support"
            ).data[many]
        assert len(statements) == 1
        if listed is None or not listed["nodes"]:
            continue
        (row,) = listed["nodes"]
        found = world.ask(f"query($id: ID!) {{ {one}(id: $id) {{ id source }} }}", "support", id=row["id"])
        assert found.data[one] == row


def test_lists_are_paged_by_cursors_to_the_end(world: World) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = world.ask(ORDERS, first=3, after=after).data["orders"]
        assert page["totalCount"] == 8
        assert page["pageInfo"]["hasPreviousPage"] is bool(seen)
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        seen += numbers(page)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["O1", "O2", "O3", "O4", "O5", "O6", "O7", "O9"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('{total: {gt: "60"}}', ["O6", "O7"]),
        ('{total: {between: ["20", "31"]}, status: {eq: open}}', ["O2"]),
        ('{orderDate: {lt: "2026-01-03T00:00:00Z"}}', ["O1", "O2"]),
        ("{status: {in: [cancelled]}}", ["O9"]),
        ('{customer: {organization: {name: {contains: "quayside"}}}}', ["O9"]),
        ('{lines: {some: {product: {sku: {startsWith: "rope"}}}}}', ["O1"]),
        ('{OR: [{orderNumber: {eq: "O3"}}, {NOT: {total: {lt: "70"}}}]}', ["O3", "O7"]),
        ('{source: {eq: "till"}}', []),
        ("{status: {isNull: true}}", []),
        ('{total: {currency: {ne: "GBP"}}}', []),
        ("{}", ["O1", "O2", "O3", "O4", "O5", "O6", "O7", "O9"]),
    ],
)
def test_lists_are_filtered(world: World, where: str, expected: list[str]) -> None:
    document = "{ orders(where: %s, orderBy: [{orderNumber: ASC}]) { edges { node { orderNumber } } } }"
    assert numbers(world.ask(document % where).data["orders"]) == expected
    document = document.replace("{ orders", "query($w: OrderWhere) { orders", 1) % "$w"
    assert len(numbers(world.ask(document, w=None).data["orders"])) == 8


def test_a_filter_may_come_in_one_variable(world: World) -> None:
    document = "query($w: OrderWhere) { orders(where: $w) { totalCount } }"
    for value, expected in [({"status": {"eq": "open"}}, 3), ({"status": {"eq": "delivered"}}, 4), (None, 8)]:
        assert world.ask(document, w=value).data["orders"]["totalCount"] == expected


def test_customers_are_sorted_filtered_and_counted(world: World) -> None:
    reply = world.ask(
        """{ customers(orderBy: [{name: DESC}], where: {orders: {some: {}}}) { totalCount nodes { name kind } } }"""
    )
    assert reply.data["customers"] == {
        "totalCount": 2,
        "nodes": [
            {"name": "Quayside Traders", "kind": "ORGANIZATION"},
            {"name": "Ann Archer", "kind": "PERSON"},
        ],
    }


def test_a_shared_phone_leads_to_all_who_have_it_however_it_is_written(world: World) -> None:
    document = """
        query($v: String!, $r: String) { customerByIdentifier(scheme: phone, value: $v, region: $r) { name } }
    """
    for value, region in [("+44 117 496 0001", None), ("0117 4960001", "GB"), ("+441174960001", None)]:
        found = world.ask(document, v=value, r=region).data["customerByIdentifier"]
        assert {each["name"] for each in found} == {"Ann Archer", "Ben Archer"}
    assert world.ask(document, v="+44 117 496 0009", r=None).data == {"customerByIdentifier": []}


def test_an_order_number_leads_to_its_customer(world: World) -> None:
    reply = world.ask('{ customerByIdentifier(scheme: order_number, value: "O9") { name } }')
    assert reply.data["customerByIdentifier"] == [{"name": "Quayside Traders"}]


def test_the_timeline_has_phases_and_events_of_their_own_types(world: World) -> None:
    document = """
        query($id: ID!, $phase: [TimelinePhase!], $first: Int! = 20, $after: String) { customer(id: $id) {
          timeline(phase: $phase, first: $first, after: $after) {
            totalCount pageInfo { endCursor } nodes { type phase title source entity { __typename id
              ... on Ticket { subject } ... on Order { total { amount } } } } } } }
    """
    ann = world.customer("erp", "C1")
    all_events = world.ask(document, id=ann).data["customer"]["timeline"]
    assert all_events["totalCount"] == 13
    assert all_events["nodes"][-1]["type"] == "Interaction"
    assert all_events["nodes"][-1]["phase"] == "pre_purchase"
    for node in all_events["nodes"]:
        assert node["entity"]["__typename"] == node["type"]
    ticket = next(node for node in all_events["nodes"] if node["type"] == "Ticket")
    assert ticket["entity"]["subject"] == ticket["title"] == "Late parcel"
    before = world.ask(document, id=ann, phase=["pre_purchase"]).data["customer"]["timeline"]
    assert before["totalCount"] == 1
    page = world.ask(document, id=ann, first=5).data["customer"]["timeline"]
    rest = world.ask(document, id=ann, after=page["pageInfo"]["endCursor"]).data["customer"]["timeline"]
    assert page["nodes"] + rest["nodes"] == all_events["nodes"]


def test_aliases_fragments_skip_and_merged_fields_answer_as_asked(world: World) -> None:
    reply = world.ask(
        """
        query($id: ID!, $no: Boolean!) {
          first: customer(id: $id) { ...N mail: email orders { totalCount } orders { nodes { orderNumber } } }
          second: customer(id: $id) { tier @skip(if: true) email @include(if: $no) ...N }
        }
        fragment N on Customer { who: name what: __typename }
        """,
        id=world.customer("erp", "C1"),
        no=False,
    )
    first, second = reply.data["first"], reply.data["second"]
    assert second == {"who": "Ann Archer", "what": "Customer"}
    assert first["mail"] == "ann@example.com"
    assert first["orders"]["totalCount"] == len(first["orders"]["nodes"]) == 7


def test_one_plan_serves_other_values_and_other_shapes_get_their_own(world: World) -> None:
    document = """
        query($id: ID!, $n: Int! = 20, $more: Boolean! = false) {
          customer(id: $id) { name orders(first: $n) { nodes { orderNumber } } tier @include(if: $more) }
        }
    """
    ann, ben = world.customer("erp", "C1"), world.customer("erp", "C2")
    assert len(world.ask(document, id=ann).data["customer"]["orders"]["nodes"]) == 7
    assert len(world.ask(document, id=ann, n=2).data["customer"]["orders"]["nodes"]) == 2
    assert world.ask(document, id=ben, n=2).data["customer"]["name"] == "Ben Archer"
    assert world.ask(document, id=ann, more=True).data["customer"]["tier"] == "gold"
    assert "tier" not in world.ask(document, id=ann).data["customer"]


def test_each_root_field_is_one_statement(world: World) -> None:
    ann = world.customer("erp", "C1")
    with world.counted() as statements:
        reply = world.ask(
            """
            query($id: ID!) {
              customer(id: $id) { name facts { value } timeline { nodes { title entity { id } } } household { id }
                orders { nodes { lines { nodes { product { name } } } } } parties { id } freshness { source } }
              orders { totalCount nodes { belongsTo { name } } }
              customerByIdentifier(scheme: email, value: "ann@example.com") { name }
            }
            """,
            id=ann,
        )
    assert len(reply.data) == 3
    assert len(statements) == 3


@pytest.mark.parametrize(
    "document",
    [
        '{ customer(id: "nobody") { name } }',
        '{ order(id: "none") { orderNumber } }',
    ],
)
def test_what_does_not_exist_is_null(world: World, document: str) -> None:
    assert set(world.ask(document).data.values()) == {None}


def test_the_caller_is_told_who_they_are(world: World) -> None:
    assert world.ask("{ me { subject roles department purpose purposes } }").data["me"] == {
        "subject": "u-support",
        "roles": ["support"],
        "department": "support",
        "purpose": "customer_service",
        "purposes": ["customer_service"],
    }


def test_sources_tell_their_state_to_those_who_may_know(world: World) -> None:
    document = (
        "{ sources { name label state lagSeconds records quarantined lastCounts { read } drift { field } } }"
    )
    (till,) = world.ask(document, "it").data["sources"]
    assert (till["name"], till["label"], till["state"], till["drift"]) == ("till", "Tills", "never", [])
    refused = world.ask(document, "partner")
    assert refused.body["data"] == {"sources": None}
    assert refused.code == "FORBIDDEN"


def test_introspection_answers(world: World) -> None:
    reply = world.ask('{ __type(name: "Customer") { name fields { name description } } }', "it")
    assert {"orders", "facts", "timeline"} <= {field["name"] for field in reply.data["__type"]["fields"]}
