"""What a role may not see it does not get, is told so, and cannot get at by another way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.api_world import World

CARD = """query($id: ID!) { customer(id: $id) {
    name email telephone birthDate vulnerable creditLimit { amount currency } customerNumber
} }"""


def card(world: World, role: str) -> tuple[dict[str, Any], dict[str, str]]:
    reply = world.ask(CARD, role, id=world.customer("erp", "C1"))
    notes = {note["path"][1]: note["effect"] for note in reply.access}
    return reply.data["customer"], notes


def test_support_sees_the_customer_whole(world: World) -> None:
    shown, notes = card(world, "support")
    assert (shown["email"], shown["birthDate"], shown["vulnerable"]) == ("ann@example.com", "1984-05", True)
    assert notes == {}


def test_marketing_sees_masks_and_is_told_which(world: World) -> None:
    shown, notes = card(world, "marketing")
    assert shown["name"] == "A."
    assert shown["email"] == "a***@e***.com"
    assert shown["telephone"] == "***01"
    assert shown["birthDate"] == "40-49"
    assert shown["vulnerable"] is None
    assert shown["creditLimit"] is None
    assert notes["email"] == "mask"
    assert notes["creditLimit"] == "deny"


def test_a_note_names_path_effect_category_mask_and_rule(world: World) -> None:
    reply = world.ask("query($id: ID!) { who: customer(id: $id) { m: email } }", "marketing",
                      id=world.customer("erp", "C1"))  # fmt: skip
    (note,) = reply.access
    assert note.pop("rule").startswith("mask:email user.contact.email")
    assert note == {
        "path": ["who", "m"],
        "effect": "mask",
        "category": "user.contact.email",
        "mask": "email",
    }


@pytest.mark.parametrize("role", ["compliance", "it", "partner"])
def test_roles_that_do_not_deal_with_customers_see_no_name(world: World, role: str) -> None:
    reply = world.ask(CARD, role, id=world.customer("erp", "C1"))
    shown = reply.body["data"]["customer"]
    assert shown is None or (shown["name"], shown["email"]) == (None, None)
    assert reply.access


@pytest.mark.parametrize(
    "document",
    [
        '{ customers(where: {email: {eq: "ann@example.com"}}) { totalCount } }',
        "{ customers(orderBy: [{birthDate: ASC}]) { totalCount } }",
        '{ customers(where: {NOT: {OR: [{name: {startsWith: "a"}}]}}) { totalCount } }',
        '{ customerByIdentifier(scheme: phone, value: "+441174960001") { id } }',
        '{ people(where: {creditLimit: {gt: "1"}}) { totalCount } }',
        '{ orders(where: {customer: {person: {email: {contains: "ann"}}}}) { totalCount } }',
    ],
)
def test_what_is_masked_or_denied_can_be_neither_filtered_sorted_nor_looked_up_by(
    world: World, document: str
) -> None:
    reply = world.ask(document, "marketing")
    assert reply.code == "FORBIDDEN"
    assert "data" not in reply.body


def test_a_refused_filter_is_refused_before_anything_is_read(world: World) -> None:
    with world.counted() as statements:
        world.ask('{ customers(where: {email: {eq: "x@example.com"}}) { totalCount } }', "marketing")
    assert statements == []


def test_equal_documents_of_other_roles_have_other_plans(world: World) -> None:
    for _ in range(2):
        assert card(world, "support")[0]["email"] == "ann@example.com"
        assert card(world, "marketing")[0]["email"] == "a***@e***.com"
