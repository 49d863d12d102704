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


def test_types_are_counted_in_whatever_fragment_it_is_asked(indexed: World) -> None:
    inline = '{ search(text: "archer", first: 1) { total ... on SearchResult { facets { count } } } }'
    named = (
        '{ search(text: "archer", first: 1) { total ...f } } fragment f on SearchResult { facets { count } }'
    )
    for query in (inline, named):
        found = indexed.ask(query).data["search"]
        assert sum(each["count"] for each in found["facets"]) == found["total"] > 1


ROWS = """
query($text: String!, $types: [String!], $first: Int! = 10) {
  searchRows(text: $text, types: $types, first: $first) {
    __typename
    ... on Customer { id name orders(first: 1) { edges { node { orderNumber } } } }
    ... on Ticket { id subject customer { __typename ... on Person { name } } }
  }
}
"""


def test_hits_lead_on_into_the_graph(indexed: World) -> None:
    hits = indexed.ask(DOCUMENT, text="archer").data["search"]["hits"]
    found = indexed.ask(ROWS, text="archer").data["searchRows"]
    assert [(each["__typename"], each["id"]) for each in found] == [(hit["type"], hit["id"]) for hit in hits]
    assert {"Ann Archer", "Ben Archer"} <= {each.get("name") for each in found}
    assert all("orders" in each for each in found if each["__typename"] == "Customer")
    (ticket,) = indexed.ask(ROWS, text="parcel", types=["Ticket"]).data["searchRows"]
    assert ticket["subject"]


def test_only_types_are_searched_of_which_something_is_asked(indexed: World) -> None:
    query = '{ searchRows(text: "parcel") { __typename ... on Customer { id } } }'
    assert indexed.ask(query).data["searchRows"] == []
    assert indexed.ask('{ searchRows(text: "parcel") { __typename } }').code == "BAD_QUERY"
    assert indexed.ask(ROWS, text="archer", first=101).code == "LIMIT_EXCEEDED"
    assert len(indexed.ask(ROWS, text="archer", first=1).data["searchRows"]) == 1


def test_rows_that_are_found_are_recorded_as_a_search_of_their_customers(indexed: World) -> None:
    for more in ("", " me { subject }"):
        before = indexed.seq()
        query = f'{{ searchRows(text: "ann archer") {{ ... on Customer {{ name }} }}{more} }}'
        found = indexed.ask(query).data["searchRows"]
        assert found == [{"name": "Ann Archer"}]
        (event,) = indexed.events_after(before)
        assert event.action is Action.SEARCH
        assert event.customers == (indexed.customer("erp", "C1"),)
        assert "user.name" in event.data_categories


def test_what_is_masked_is_neither_found_nor_shown_among_rows(indexed: World) -> None:
    assert indexed.ask(ROWS, "marketing", text="archer").data["searchRows"] == []


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
