"""`_entities` answers what the root fields for one row answer, no more, in the order of the representations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from graphql import ObjectTypeDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st
from strawberry import Schema

from hub.audit import Action, Outcome
from hub.schema.naming import field_name
from hub.services import Services
from hub.values import entity_id
from tests.api.api_world import World, asking, fill

FIELDS = {
    "Customer": "id name mail: email orders(first: 2, orderBy: [{orderNumber: ASC}]) { nodes { orderNumber } }",
    "Order": "id orderNumber total { amount currency } customer { name } belongsTo { id email }",
    "Person": "id source name givenName birthDate",
    "Product": "id sku lines: __typename",
}
FRAGMENTS = " ".join(f"... on {name} {{ what: __typename {fields} }}" for name, fields in FIELDS.items())
DOCUMENT = "query($representations: [_Any!]!) { _entities(representations: $representations) { %s } }"

Named = tuple[str, str]


def representations(named: Sequence[Named]) -> list[dict[str, str]]:
    return [{"__typename": type_, "id": id_} for type_, id_ in named]


def entities(world: World, named: Sequence[Named], role: str = "support", beside: str = "") -> Any:
    document = DOCUMENT.replace("{", f"{{ {beside}", 1) % FRAGMENTS
    return world.ask(document, role, representations=representations(named)).data["_entities"]


def one(world: World, type_: str, id_: str, role: str = "support") -> Any:
    """What the root field for one row answers."""
    field = field_name(type_)
    document = f"query($id: ID!) {{ {field}(id: $id) {{ what: __typename {FIELDS[type_]} }} }}"
    return world.ask(document, role, id=id_).data[field]


def rows(world: World) -> list[Named]:
    """Rows of each type, one of another type, and one that there is not."""
    ann, quayside = world.customer("erp", "C1"), world.customer("erp", "C3")
    order, person = entity_id("erp", "Order", "O1"), entity_id("erp", "Party", "C1")
    return [
        ("Customer", ann),
        ("Customer", quayside),
        ("Customer", "nobody"),
        ("Customer", order),
        ("Order", order),
        ("Order", entity_id("erp", "Order", "O9")),
        ("Order", ann),
        ("Person", person),
        ("Person", entity_id("erp", "Party", "C3")),
        ("Product", entity_id("erp", "Product", "P1")),
        ("Product", ""),
    ]


@given(data=st.data())
def test_any_list_of_representations_is_answered_in_its_order(world: World, data: st.DataObject) -> None:
    named = data.draw(st.lists(st.sampled_from(rows(world)), max_size=12))
    expected = [one(world, *each) for each in named]
    assert entities(world, named) == expected
    assert entities(world, named, beside="me { subject }") == expected, "through an executor"


@pytest.mark.parametrize("count", [1, 20])
def test_one_statement_reads_all_representations(world: World, count: int) -> None:
    named = rows(world)[:7] * count
    with world.counted() as statements:
        entities(world, named)
    assert len(statements) == 1


def test_interfaces_and_bare_typenames_select_from_every_type(world: World) -> None:
    fields = "__typename ... on Entity { source } ... on Party { name }"
    named = [rows(world)[index] for index in (0, 4, 7, 9)]
    found = world.ask(DOCUMENT % fields, representations=representations(named)).data["_entities"]
    assert found == [
        {"__typename": "Customer"},
        {"__typename": "Order", "source": "erp"},
        {"__typename": "Person", "source": "erp", "name": "Ann Archer"},
        {"__typename": "Product", "source": "erp"},
    ]


def test_representations_may_stand_in_the_document_and_hold_more_than_the_key(world: World) -> None:
    ann = world.customer("erp", "C1")
    literal = f'[{{__typename: "Customer", id: "{ann}", points: 5}}, {{__typename: "Customer", id: 7}}]'
    found = world.ask(f"{{ _entities(representations: {literal}) {{ ... on Customer {{ name }} }} }}")
    assert found.data["_entities"] == [{"name": "Ann Archer"}, None]
    assert world.ask("{ _entities(representations: []) { __typename } }").data["_entities"] == []


def test_a_retired_id_leads_to_the_customer_that_took_over(services: Services) -> None:
    fill(services)
    with asking(services) as world:
        ann = world.customer("erp", "C1")
        with services.store.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO customer_redirect (old_id, new_id, at, reason) VALUES (?, ?, '2026-01-01', 'merge')",
                ("cus_retired", ann),
            )
        found = entities(world, [("Customer", "cus_retired"), ("Customer", ann)])
        assert found[0] == found[1] == one(world, "Customer", ann)


# access


@pytest.mark.parametrize(
    "role", ["support", "marketing", "sales", "finance", "supply_chain", "management", "compliance", "it"]
)
def test_a_role_sees_no_more_of_an_entity_than_of_the_row(world: World, role: str) -> None:
    for type_, id_ in rows(world):
        reply = world.ask(DOCUMENT % FRAGMENTS, role, representations=representations([(type_, id_)]))
        field = field_name(type_)
        document = f"query($id: ID!) {{ {field}(id: $id) {{ what: __typename {FIELDS[type_]} }} }}"
        plain = world.ask(document, role, id=id_)
        assert reply.data["_entities"] == [plain.data[field]]
        told = [{**note, "path": ["_entities", *note["path"][1:]]} for note in plain.access]
        assert reply.access == told


def test_what_is_masked_or_denied_is_in_no_part_of_the_answer(world: World) -> None:
    document = (
        DOCUMENT
        % "... on Customer { name email creditLimit { amount } } ... on Person { name email birthDate }"
    )
    named = representations([rows(world)[0], rows(world)[7]])
    whole = orjson.dumps(world.ask(document, "support", representations=named).body).decode()
    for beside in ("", "me { subject }"):
        reply = world.ask(document.replace("{", f"{{ {beside}", 1), "marketing", representations=named)
        text = orjson.dumps(reply.body).decode()
        for secret in ("Ann", "Archer", "ann@example.com", "500.00", "1984-05"):
            assert secret in whole
            assert secret not in text
        assert {note["effect"] for note in reply.access} == {"mask", "deny"}


def test_of_a_type_that_may_not_be_seen_nobody_learns_which_rows_there_are(world: World) -> None:
    document = DOCUMENT % "... on Customer { id } ... on Product { sku }"
    product, answers = rows(world)[9], []
    for customer in (rows(world)[0], ("Customer", "nobody")):
        reply = world.ask(document, "compliance", representations=representations([customer, product]))
        assert reply.data["_entities"] == [None, {"sku": "NAIL-40"}]
        assert [note["path"] for note in reply.access] == [["_entities"]]
        answers.append(reply.body)
    assert answers[0] == answers[1]


def test_who_may_see_the_schema_gets_all_keys_in_that_of_the_subgraph(world: World) -> None:
    sdl = world.ask("{ _service { sdl } }", "it").data["_service"]["sdl"]
    types = {
        node.name.value: node for node in parse(sdl).definitions if isinstance(node, ObjectTypeDefinitionNode)
    }
    keyed = {name for name, node in types.items() if "key" in {each.name.value for each in node.directives}}
    assert keyed == {"Customer", *world.services.ontology.types}
    headers = {"authorization": f"Bearer {world.token('it')}"}
    plain = world.ask_app("GET", "/graphql/schema.graphql", headers=headers).text
    assert "type Customer {" in plain
    assert "@key" not in plain


def test_the_schema_is_printed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def sdl() -> str:
        text: str = world.ask("{ _service { sdl } }", "it").data["_service"]["sdl"]
        return text

    first = sdl()
    monkeypatch.setattr(Schema, "as_str", None)
    assert sdl() == first


# what is refused


@pytest.mark.parametrize(
    "wrong",
    [
        {"__typename": "Nothing", "id": "ann@example.com"},
        {"__typename": "Party", "id": "ann@example.com"},
        {"__typename": "Money", "id": "ann@example.com"},
        {"__typename": "Customer", "email": "ann@example.com"},
        {"__typename": "Customer", "id": None, "email": "ann@example.com"},
        {"__typename": "Customer", "id": ["ann@example.com"]},
        {"__typename": "Customer", "id": True},
        {"__typename": "Customer", "id": "ann@example.com\0"},
        {"id": "ann@example.com"},
        "ann@example.com",
        "Customer",
        None,
    ],
)
def test_a_representation_without_type_and_key_is_refused_without_its_values(
    world: World, wrong: Any
) -> None:
    named = [*representations(rows(world)[:1]), wrong]
    with world.counted() as statements:
        reply = world.ask(DOCUMENT % FRAGMENTS, representations=named)
    assert (reply.code, "data" in reply.body, statements) == ("BAD_QUERY", False, [])
    assert "ann" not in orjson.dumps(reply.body).decode()


def test_more_representations_than_a_page_may_have_are_refused_by_the_limits_name(world: World) -> None:
    document = DOCUMENT % "... on Customer { id }"
    full = [("Customer", f"cus_{number}") for number in range(200)]
    assert world.ask(document, representations=representations(full)).data == {"_entities": [None] * 200}
    reply = world.ask(document, representations=representations([*full, ("Order", "one more")]))
    assert (reply.code, "max_page" in reply.message) == ("LIMIT_EXCEEDED", True)


def test_each_representation_costs_its_fields(world: World) -> None:
    document = DOCUMENT % "... on Customer { orders(first: 50) { nodes { id source } } }"
    named = [("Customer", f"cus_{number}") for number in range(200)]
    reply = world.ask(document, representations=representations(named))
    assert (reply.code, "max_cost" in reply.message) == ("LIMIT_EXCEEDED", True)
    assert world.ask(document, representations=representations(named[:100])).data == {
        "_entities": [None] * 100
    }


# the log


def test_the_customers_and_types_that_were_read_are_in_the_log_and_no_others(world: World) -> None:
    named = [rows(world)[index] for index in (5, 0, 2, 0)]
    before = world.seq()
    entities(world, named)
    (event,) = world.events_after(before)
    assert (event.action, event.outcome) == (Action.READ, Outcome.OK)
    assert set(event.customers) == {world.customer("erp", "C3"), world.customer("erp", "C1")}
    assert {"Customer", "Order"} <= set(event.entity_types)
    assert not {"Product", "Invoice"} & set(event.entity_types)
