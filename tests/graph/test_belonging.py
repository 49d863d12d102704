from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from hub.graph.belonging import Belonging
from hub.ontology import EntityType, Ontology, Property
from hub.store import Store
from tests.graph.graph_world import Graph, by, gone, party, says, small_ontology, thing, to, to_party

ANN = to_party("erp", "ann")
ORDER = thing("erp", "Order", "1", customer=ANN)
LINE = thing("erp", "OrderLine", "1", order=to("erp", "Order", "1"))
SHIPMENT = thing("pos", "Shipment", "1", order=to("erp", "Order", "1"))
EVENT = thing("pos", "ShipmentEvent", "1", shipment=to("pos", "Shipment", "1"))


def test_a_direct_reference_is_kept_before_the_party_arrives(graph: Graph) -> None:
    graph.apply(says("erp", "order", ORDER))
    assert graph.value(ORDER, "party_id") == ANN.target_id


def test_belonging_travels_down_when_parents_arrive_late(graph: Graph) -> None:
    graph.apply(says("pos", "event", EVENT))
    graph.apply(says("pos", "shipment", SHIPMENT), says("erp", "line", LINE))
    assert [graph.value(entity, "party_id") for entity in (LINE, SHIPMENT, EVENT)] == [None, None, None]
    applied = graph.apply(says("erp", "order", ORDER))
    assert [graph.value(e, "party_id") for e in (ORDER, LINE, SHIPMENT, EVENT)] == [ANN.target_id] * 4
    assert applied.changes == 4
    assert applied.written == 1


def test_belonging_follows_when_a_parent_changes_or_goes(graph: Graph) -> None:
    order = says("erp", "order", ORDER)
    graph.apply(
        order, says("erp", "line", LINE), says("pos", "shipment", SHIPMENT), says("pos", "event", EVENT)
    )
    ben = to_party("erp", "ben")
    graph.apply(says("erp", "order", thing("erp", "Order", "1", customer=ben), version=2))
    assert [graph.value(e, "party_id") for e in (LINE, SHIPMENT, EVENT)] == [ben.target_id] * 3
    graph.apply(gone(order))
    assert [graph.value(e, "party_id") for e in (LINE, SHIPMENT, EVENT)] == [None] * 3


def test_the_first_path_that_resolves_wins(graph: Graph) -> None:
    card = thing("pos", "Shipment", "1", order=to("erp", "Order", "1"), customer=by("loyalty_card", "A"))
    graph.apply(says("erp", "order", ORDER), says("pos", "shipment", card))
    assert graph.value(card, "party_id") == ANN.target_id
    holder = party("pos", "holder", loyaltyCard="A")
    graph.apply(says("pos", "holder", holder))
    assert graph.value(card, "party_id") == holder.id


def test_customer_paths_in_a_circle_are_refused() -> None:
    def looped(name: str, other: str) -> EntityType:
        prop = Property(name="next", type="reference", label="next", category="user", range=other)
        model = small_ontology().type("OrderLine")
        return model.model_copy(
            update={"name": name, "customer": ("next.next",), "properties": {"next": prop}}
        )

    small = small_ontology()
    types = {**small.types, "One": looped("One", "Two"), "Two": looped("Two", "One")}
    looping = Ontology(types=types, taxonomy=small.taxonomy, sha256="looped")
    with pytest.raises(ValueError, match="circle"):
        Belonging(Store(create_engine("sqlite://"), looping))
