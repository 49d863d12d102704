from __future__ import annotations

import pytest

from hub.graph.entities import Entity
from tests.graph.graph_world import Graph, by, gone, party, says, thing, to

CARD, PHONE = by("loyalty_card", "A"), by("phone", "+441632960001")


def order_by(identifier: object) -> Entity:
    return thing("pos", "Order", "1", customer=identifier)


def test_a_reference_by_identifier_is_tied_when_its_holder_arrives_late(graph: Graph) -> None:
    order, ann = order_by(CARD), party("erp", "1", loyaltyCard="a ")
    graph.apply(says("pos", "order", order))
    assert graph.value(order, "customer_id") is None
    applied = graph.apply(says("erp", "ann", ann))
    assert graph.value(order, "customer_id") == graph.value(order, "party_id") == ann.id
    assert applied.changes == 3  # the person, her customer, and the order that is hers now


def test_it_is_loosed_when_the_holder_goes_or_gives_the_identifier_up(graph: Graph) -> None:
    order, ann = order_by(CARD), party("erp", "1", loyaltyCard="A")
    first = says("erp", "ann", ann)
    graph.apply(first, says("pos", "order", order))
    graph.apply(says("erp", "ann", party("erp", "1", loyaltyCard="B"), version=2))
    assert graph.value(order, "party_id") is None
    graph.apply(says("erp", "ann", ann, version=3))
    assert graph.value(order, "party_id") == ann.id
    graph.apply(gone(first))
    assert graph.value(order, "party_id") is None


def test_a_phone_that_two_customers_share_ties_nothing(graph: Graph) -> None:
    order = order_by(PHONE)
    mother, son = (says("erp", key, party("erp", key, telephone=PHONE.value)) for key in ("mother", "son"))
    graph.apply(says("pos", "order", order), mother)
    assert graph.value(order, "party_id") == mother.entities[0].id
    graph.apply(son)
    assert graph.value(order, "party_id") is None
    graph.apply(gone(son))
    assert graph.value(order, "party_id") == mother.entities[0].id


def test_a_phone_shared_within_one_customer_ties_to_the_lowest_id_and_follows_merge_and_split(
    graph: Graph,
) -> None:
    order = order_by(PHONE)
    one, two = (party("erp", key, telephone=PHONE.value) for key in ("1", "2"))
    graph.apply(says("pos", "order", order), says("erp", "1", one), says("erp", "2", two))
    assert graph.value(order, "party_id") is None
    # A third party joins the two, and neither of their own rows changes.
    joined = [party("erp", key, telephone=PHONE.value, loyaltyCard="J") for key in ("1", "2")]
    graph.apply(says("erp", "1", joined[0], version=2))
    graph.apply(says("erp", "2", joined[1], version=2))
    assert graph.value(order, "party_id") == min(one.id, two.id)
    graph.apply(says("erp", "2", two, version=3))
    assert graph.value(order, "party_id") is None


def test_holders_that_others_join_or_part_are_tied_anew(graph: Graph) -> None:
    """The holders' own rows stay as they are; a bridge between them comes and goes."""
    order = order_by(PHONE)
    one = party("erp", "1", telephone=PHONE.value, loyaltyCard="A")
    two = party("erp", "2", telephone=PHONE.value, vatID="GB1")
    bridge = says("crm", "bridge", party("crm", "b", loyaltyCard="A", vatID="GB1"))
    graph.apply(says("pos", "order", order), says("erp", "1", one), says("erp", "2", two))
    assert graph.value(order, "party_id") is None
    graph.apply(bridge)
    assert graph.value(order, "party_id") == min(one.id, two.id)
    graph.apply(gone(bridge))
    assert graph.value(order, "party_id") is None


def test_only_holders_within_the_range_count(graph: Graph) -> None:
    ticket = thing("erp", "Ticket", "1", account=by("account", "7"), product=by("sku", "7"))
    account, product = thing("pos", "Account", "7", number="7"), thing("pos", "Product", "7", sku="7")
    graph.apply(
        says("erp", "ticket", ticket), says("pos", "account", account), says("pos", "product", product)
    )
    assert (graph.value(ticket, "account_id"), graph.value(ticket, "product_id")) == (account.id, product.id)


def test_two_things_with_one_code_tie_nothing(graph: Graph) -> None:
    ticket = thing("erp", "Ticket", "1", product=by("sku", "7"))
    records = [says("pos", key, thing("pos", "Product", key, sku="7")) for key in ("x", "y")]
    graph.apply(says("erp", "ticket", ticket), *records)
    assert graph.value(ticket, "product_id") is None
    graph.apply(gone(records[0]))
    assert graph.value(ticket, "product_id") == records[1].entities[0].id


@pytest.mark.parametrize("kept", [CARD, to("pos", "Order", "1")])
def test_other_properties_of_a_tied_row_can_change(graph: Graph, kept: object) -> None:
    ann, order = party("erp", "1", loyaltyCard="A"), order_by(CARD)
    graph.apply(says("erp", "ann", ann), says("pos", "order", order))
    graph.apply(says("erp", "ann", party("erp", "1", loyaltyCard="A", name="Ann"), version=2))
    assert graph.value(order, "party_id") == ann.id
    graph.apply(says("pos", "order", thing("pos", "Order", "1", customer=CARD, total=None), version=2))
    assert graph.value(order, "party_id") == ann.id


def test_an_identifier_without_content_identifies_nobody(graph: Graph) -> None:
    graph.apply(
        says("erp", "1", party("erp", "1", loyaltyCard=" ")),
        says("erp", "2", party("erp", "2", loyaltyCard="")),
    )
    assert graph.rows("SELECT * FROM identifier") == []
    assert graph.rows("SELECT count(DISTINCT customer_id) FROM membership") == [(2,)]
