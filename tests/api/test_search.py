"""Search finds what the caller may read, by the same rules as every other question."""

from __future__ import annotations

import pytest

from hub.audit import Action
from tests.api.api_world import World

DOCUMENT = """
query($text: String!, $types: [String!]) {
  search(text: $text, types: $types) { total facets { type count } hits { type id customerId title snippet } }
}
"""


@pytest.fixture
def indexed(world: World) -> World:
    """The company with its index up to date."""
    world.services.publish()
    return world


def test_a_customer_is_found_by_name(indexed: World) -> None:
    found = indexed.ask(DOCUMENT, text="ann archer", types=["Customer"]).data["search"]
    ann = indexed.customer("erp", "C1")
    assert [(hit["type"], hit["id"], hit["customerId"]) for hit in found["hits"]] == [("Customer", ann, ann)]
    assert found["hits"][0]["title"] == "Ann Archer"
    assert "<mark>" in found["hits"][0]["snippet"]
    assert found["facets"] == [{"type": "Customer", "count": 1}]


def test_hits_lead_on_into_the_graph(indexed: World) -> None:
    hits = indexed.ask(DOCUMENT, text="ann archer").data["search"]["hits"]
    rows = [{"__typename": hit["type"], "id": hit["id"]} for hit in hits]
    document = (
        "query($rows: [_Any!]!) { _entities(representations: $rows) { __typename ... on Customer { name } } }"
    )
    found = indexed.ask(document, rows=rows).data["_entities"]
    assert [each["__typename"] for each in found] == [hit["type"] for hit in hits]
    assert found[0]["name"] == "Ann Archer"


def test_what_is_masked_is_not_found(indexed: World) -> None:
    found = indexed.ask(DOCUMENT, "marketing", text="archer", types=["Customer"]).data["search"]
    assert (found["total"], found["hits"]) == (0, [])


def test_a_search_is_recorded_as_one_with_its_customers(indexed: World) -> None:
    before = indexed.seq()
    indexed.ask(DOCUMENT, text="parcel")
    (event,) = indexed.events_after(before)
    assert event.action is Action.SEARCH
    assert event.customers == (indexed.customer("erp", "C1"),)


def test_a_count_of_one_match_is_recorded_with_its_customer(indexed: World) -> None:
    before = indexed.seq()
    found = indexed.ask('{ search(text: "parcel", types: ["Ticket"], first: 0) { total hits { id } } }')
    assert found.data["search"] == {"total": 1, "hits": []}
    (event,) = indexed.events_after(before)
    assert event.customers == (indexed.customer("erp", "C1"),)


REFINED = """
query($text: String!, $where: [SearchFilterInput!], $since: Date, $until: Date, $facets: [String!]) {
  search(text: $text, where: $where, since: $since, until: $until, facets: $facets) {
    total didYouMean counts { facet counts { value count } } hits { type }
  }
}
"""


def test_a_search_is_narrowed_counted_and_put_right(indexed: World) -> None:
    found = indexed.ask(REFINED, text="parcel", facets=["source", "Ticket.status"]).data["search"]
    assert [each["facet"] for each in found["counts"]] == ["source", "Ticket.status"]
    assert sum(each["count"] for each in found["counts"][0]["counts"]) == found["total"] > 0
    status = found["counts"][1]["counts"][0]["value"]
    where = [{"facet": "Ticket.status", "values": [status]}]
    assert indexed.ask(REFINED, text="parcel", where=where).data["search"]["total"] > 0
    assert indexed.ask(REFINED, text="parcel", where=where, until="2001").data["search"]["total"] == 0
    assert indexed.ask(REFINED, text="parcel", since="2001-02").data["search"]["total"] == found["total"]
    assert indexed.ask(REFINED, text="parzzel").data["search"]["didYouMean"] == "parcel"


def test_a_facet_that_is_not_there_is_refused(indexed: World) -> None:
    assert indexed.ask(REFINED, text="parcel", facets=["Ticket.nothing"]).code == "BAD_QUERY"


def test_what_is_typed_is_completed_and_recorded_as_a_search(indexed: World) -> None:
    before = indexed.seq()
    found = indexed.ask('{ searchSuggest(text: "arch", types: ["Customer"]) { text type } }').data
    assert {"text": "Ann Archer", "type": "Customer"} in found["searchSuggest"]
    (event,) = indexed.events_after(before)
    assert event.action is Action.SEARCH
    assert indexed.customer("erp", "C1") in event.customers


def test_who_has_written_waits_for_the_index_to_know(indexed: World) -> None:
    seq = indexed.ask("{ lastChange }").data["lastChange"]
    query = 'query($after: Long) { search(text: "archer", after: $after) { total } }'
    assert indexed.ask(query, after=seq).data["search"]["total"] > 0
    assert indexed.ask(query, after=seq + 1).code == "BAD_QUERY"


def test_the_state_of_the_index_is_told_to_who_may_know_of_the_sources(indexed: World) -> None:
    asked = "{ searchIndex { engine lag lagSeconds drift dropped } }"
    found = indexed.ask(asked, "it").data["searchIndex"]
    assert found.pop("engine") in ("tantivy", "postgres")
    assert found == {"lag": 0, "lagSeconds": 0, "drift": 0, "dropped": 0}
    assert indexed.ask(asked, "partner").code == "FORBIDDEN"


def test_what_is_masked_is_not_suggested(indexed: World) -> None:
    query = '{ searchSuggest(text: "arch", types: ["Customer"]) { text } }'
    assert indexed.ask(query, "marketing").data["searchSuggest"] == []


def test_an_unknown_type_is_refused_by_name(indexed: World) -> None:
    reply = indexed.ask(DOCUMENT, "it", text="ann", types=["Costumer"])
    assert reply.code == "BAD_QUERY"
    assert "did you mean 'Customer'" in reply.message


def test_names_that_are_near_are_kept_from_roles_that_may_not_introspect(indexed: World) -> None:
    reply = indexed.ask(DOCUMENT, "support", text="ann", types=["Costumer"])
    assert reply.code == "BAD_QUERY"
    assert "Customer" not in reply.message
