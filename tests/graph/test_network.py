"""The graph around a customer, related customers and paths, on both databases, within what the policy allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest

from hub.errors import NotFoundError
from hub.graph.network import MAX_NODES, Network, graphml, neighbourhood, path, related_customers
from hub.ontology import Ontology
from hub.store import Store
from tests.graph.plans.plan_world import (
    DENY,
    EVERYTHING,
    Access,
    Customer,
    Row,
    World,
    denying,
    fill,
    masked,
    plan_ontology,
)

_AT = "2026-01-01T00:00:00.000000Z"
_ONTOLOGY = plan_ontology()


def _row(type_name: str, id_: str, party: str | None = None, **values: object) -> Row:
    return Row(type_name, id_, "erp", _AT, values, party)


def _town() -> World:
    """Ann lives with Bob and works for Acme, whose parent is Holding; Ann and Cid bought one lamp; Dan is alone."""
    rows = [
        _row("Person", "ann1", name="Ann \x01Example", worksFor="acme1"),
        _row("Person", "bob1", name="Bob Example"),
        _row("Person", "cid1", name="Cid Example"),
        _row("Person", "dan1", name="Dan Example"),
        _row("Organization", "acme1", name="Acme", parent="holding1"),
        _row("Organization", "holding1", name="Holding"),
        _row("Product", "lamp", name="Lamp"),
        _row("Order", "o1", "ann1", number="SO-1", customer="ann1"),
        _row("Order", "o2", "cid1", number="SO-2", customer="cid1"),
        _row("OrderLine", "l1", "ann1", order="o1", product="lamp"),
        _row("OrderLine", "l2", "cid1", order="o2", product="lamp"),
    ]
    homes = {"ann": "home", "bob": "home"}
    kinds = {"ann": "person", "bob": "person", "cid": "person", "dan": "person"}
    customers = {
        id_: Customer(
            id_, kinds.get(id_, "organization"), homes.get(id_), {"name": id_.title()}, {}, (f"{id_}1",)
        )
        for id_ in (*kinds, "acme", "holding")
    }
    return World({row.id: row for row in rows}, customers, {"old": "ann"})


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The town in a store."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('town') / 'hub.sqlite'}"
    else:
        url = request.getfixturevalue("postgres").empty()
    store = Store.open(url, _ONTOLOGY)
    fill(store, _town())
    yield store
    store.close()


def _around(store: Store, access: Access = EVERYTHING, depth: int = 1, max_nodes: int = MAX_NODES) -> Network:
    with store.read() as connection:
        return neighbourhood(connection, _ONTOLOGY, access, "ann", depth=depth, max_nodes=max_nodes)


def test_a_ring_holds_parties_household_organisations_orders_and_goods(town: Store) -> None:
    network = _around(town)
    assert {node: data["label"] for node, data in network.graph.nodes(data=True)} == {
        "Customer:ann": "Ann",
        "Customer:bob": "Bob",
        "Customer:acme": "Acme",
        "Household:home": "Household",
        "Person:ann1": "Ann Example",
        "Organization:acme1": "Acme",
        "Order:o1": "SO-1",
        "Product:lamp": "Lamp",
    }
    assert network.graph.edges["Person:ann1", "Organization:acme1"] == {
        "label": "worksFor",
        "kind": "link",
        "start": "Person:ann1",
    }
    assert set(network.customers) == {"ann", "bob", "acme"}
    assert not network.truncated


def test_the_next_ring_leads_on_from_customers_and_goods(town: Store) -> None:
    network = _around(town, depth=2)
    assert {"Customer:holding", "Customer:cid"} <= set(network.graph)
    assert "Customer:dan" not in network.graph


def test_related_customers_come_with_distance_and_reason(town: Store) -> None:
    with town.read() as connection:
        found, _ = related_customers(connection, _ONTOLOGY, EVERYTHING, "ann", depth=2)
    assert [(item.customer_id, item.distance, item.reason) for item in found] == [
        ("bob", 2, "same household"),
        ("acme", 3, "worksFor"),
        ("cid", 4, "same goods"),
        ("holding", 4, "worksFor"),
    ]


def test_a_path_names_each_step_and_its_direction(town: Store) -> None:
    with town.read() as connection:
        steps, _ = path(connection, _ONTOLOGY, EVERYTHING, "holding", "bob")
        nobody, _ = path(connection, _ONTOLOGY, EVERYTHING, "dan", "bob")
        itself, _ = path(connection, _ONTOLOGY, EVERYTHING, "old", "ann")
    assert steps is not None
    assert [(step.start, step.label, step.forward) for step in steps] == [
        ("Customer:holding", "stated by erp", True),
        ("Organization:holding1", "parent", False),
        ("Organization:acme1", "worksFor", False),
        ("Person:ann1", "stated by a source", False),
        ("Customer:ann", "lives in", True),
        ("Household:home", "lives in", False),
    ]
    assert nobody is None
    assert itself == ()


def test_a_graph_stops_at_its_bound_and_says_so(town: Store) -> None:
    network = _around(town, depth=3, max_nodes=4)
    assert len(network.graph) == 4
    assert network.truncated


def test_an_unknown_customer_is_not_found(town: Store) -> None:
    with town.read() as connection, pytest.raises(NotFoundError):
        neighbourhood(connection, _ONTOLOGY, EVERYTHING, "nobody")
    with town.read() as connection, pytest.raises(NotFoundError):
        path(connection, _ONTOLOGY, EVERYTHING, "ann", "nobody")


@pytest.mark.parametrize(
    ("access", "gone"),
    [
        (denying("user.contact.address"), {"Household:home", "Customer:bob"}),
        (denying("c.work"), {"Organization:acme1", "Customer:acme"}),
        (denying("o.customer"), {"Order:o1", "Product:lamp"}),
        (denying("l.product"), {"Product:lamp"}),
        (denying("p.name", "p.sku"), {"Product:lamp"}),
    ],
)
def test_what_the_policy_denies_is_no_part_of_the_graph(town: Store, access: Access, gone: set[str]) -> None:
    assert set(_around(town).graph) - set(_around(town, access).graph) == gone
    assert _around(town, access).notes


def test_labels_are_masked_or_left_out_as_the_policy_says(town: Store) -> None:
    labels = nx.get_node_attributes(_around(town, Access({"c.name": masked("initial")})).graph, "label")
    assert (labels["Customer:ann"], labels["Person:ann1"]) == ("A.", "A.")
    labels = nx.get_node_attributes(_around(town, Access({"c.name": DENY})).graph, "label")
    assert (labels["Customer:ann"], labels["Organization:acme1"]) == ("Customer", "Organization")


def test_graphml_is_xml_that_reads_back_as_the_same_graph(town: Store) -> None:
    graph = _around(town, depth=2).graph
    written = graphml(graph)
    ElementTree.fromstring(written)
    again = nx.parse_graphml(written)
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert {frozenset(edge): again.edges[edge] for edge in again.edges} == {
        frozenset(edge): graph.edges[edge] for edge in graph.edges
    }


def test_the_hubs_own_ontology_has_a_network(tmp_path: Path, hub_ontology: Ontology) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'hub.sqlite'}", hub_ontology)
    columns = ["id", "kind", "created_at", "updated_at", "provenance"]
    with store.write() as connection:
        store.dialect.upsert(connection, store.tables.customer, columns, [("c1", "person", _AT, _AT, "{}")])
    with store.read() as connection:
        network = neighbourhood(connection, hub_ontology, EVERYTHING, "c1", depth=2)
    store.close()
    assert list(network.graph) == ["Customer:c1"]


@pytest.fixture(scope="module")
def hub_ontology() -> Ontology:
    from hub.ontology import load_ontology

    return load_ontology()
