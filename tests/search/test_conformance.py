"""What every engine must find, rank and show, through the service."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from hub.errors import LimitError, QueryError
from hub.search import MAX_LENGTH, MAX_WORDS, Narrowing
from tests.search.search_world import LABELLED, LABELS, Access, World, key_of, party, says


@pytest.mark.parametrize(("asked", "wanted"), LABELLED, ids=[asked or "empty" for asked, _ in LABELLED])
def test_a_search_finds_these_and_no_others(filled: World, asked: str, wanted: Sequence[str]) -> None:
    answer = filled.service.search(asked, first=100, access=Access())
    found = {(hit.type, hit.id) for hit in answer.hits}
    assert found == {key_of(filled, label) for label in wanted}
    assert answer.total == len(wanted)
    assert sum(answer.facets.values()) == answer.total
    assert filled.service.dropped == 0


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("nowak", ["lukasz", "ticket"]),
        ("lamp", ["lamp", "ticket"]),
        ("broken", ["ticket2", "ticket"]),
    ],
)
def test_a_person_comes_before_mentions_a_name_before_text_the_new_before_the_old(
    filled: World, asked: str, order: Sequence[str]
) -> None:
    found = [hit for hit in filled.find(asked) if hit in {key_of(filled, label) for label in order}]
    assert found == [key_of(filled, label) for label in order]


def test_the_exact_comes_before_nicknames_typos_and_sounds(light: World) -> None:
    names = ["Tony Hardcastle", "Anthony Hardcastle", "Tony Hardcastel", "Tony Hartkastel"]
    stated = {name: party("erp", f"h{at}", name=name) for at, name in enumerate(reversed(names))}
    light.apply(*(says("erp", each) for each in stated.values()))
    light.indexer.follow()
    order = {light.customer_of(entity): name for name, entity in stated.items()}
    assert [order[id_] for _, id_ in light.find("tony hardcastle")] == names


def test_snippets_mark_what_matches_by_nickname_typo_or_sound(filled: World) -> None:
    for asked, marked in (
        ("bobby", "<mark>Robert</mark>"),
        ("katherwoode", "<mark>Catherwood</mark>"),
        ("whitfeld", "<mark>Whitfield</mark>"),
    ):
        (hit,) = filled.service.search(asked, access=Access()).hits
        assert hit.snippet == marked


def test_there_are_enough_labelled_searches() -> None:
    assert len(LABELLED) >= 120


def test_customers_come_first_and_exact_before_beginnings(filled: World) -> None:
    found = filled.find("anna")
    assert found[0] == key_of(filled, "anna")


def test_filters_by_type_and_source_hold_for_hits_total_and_facets(filled: World) -> None:
    answer = filled.service.search("nowak", within=Narrowing(types=["Ticket"]), access=Access())
    assert [(hit.type, hit.id) for hit in answer.hits] == [key_of(filled, "ticket")]
    assert (answer.total, answer.facets) == (1, {"Ticket": 1})
    assert filled.find("anna", sources=["pos"]) == [key_of(filled, "anna")]
    assert filled.find("lukasz", sources=["pos"]) == []


def test_first_limits_the_hits_and_not_the_counts(filled: World) -> None:
    answer = filled.service.search("broken", first=1, access=Access())
    assert (len(answer.hits), answer.total, answer.facets) == (1, 2, {"Ticket": 2})
    assert filled.service.search("broken", first=0, access=Access()).hits == ()


def test_a_hit_names_its_customer_title_and_best_value(filled: World) -> None:
    answer = filled.service.search("broken lamp", access=Access())
    (hit,) = answer.hits
    assert hit.customer_id == filled.customer_of(LABELS["anna"])
    assert hit.title == "Lamp arrived broken"
    assert "<mark>broken</mark>" in hit.snippet
    assert answer.customers == (hit.customer_id,)
    assert "user.content.private" in answer.categories


def test_titles_of_numbers_say_what_they_are_numbers_of(filled: World) -> None:
    (hit,) = filled.service.search("10248", access=Access()).hits
    assert hit.title == "Order 10248"
    (customer,) = filled.service.search("kowalska", access=Access()).hits
    assert customer.title == "Anna Maria Kowalska"
    assert customer.customer_id == customer.id


def test_marks_are_the_only_html_in_a_snippet(filled: World) -> None:
    (hit,) = filled.service.search("called script", access=Access()).hits
    assert hit.snippet == "<mark>called</mark> about &lt;<mark>script</mark>&gt; &amp; co"


@pytest.mark.parametrize(("asked", "marked"), [
    ("020 7946", "<mark>+442079460123</mark>"),
    ("cu-000101", "<mark>CU-000101</mark>"),
    ("nowak@example.org", "l.<mark>nowak</mark>@<mark>example</mark>.<mark>org</mark>"),
])  # fmt: skip
def test_snippets_mark_phones_numbers_and_addresses(filled: World, asked: str, marked: str) -> None:
    (hit,) = filled.service.search(asked, access=Access()).hits
    assert hit.snippet == marked


@pytest.mark.parametrize("asked", ["x" * (MAX_LENGTH + 1), "word " * (MAX_WORDS + 1)])
def test_too_long_a_text_is_refused_with_the_limit(filled: World, asked: str) -> None:
    with pytest.raises(LimitError, match=f"{MAX_LENGTH}|{MAX_WORDS}"):
        filled.service.search(asked, access=Access())


def test_the_longest_text_that_is_allowed_is_answered(filled: World) -> None:
    assert filled.find("x" * MAX_LENGTH) == []
    assert filled.find("99 " * MAX_WORDS) == []


def test_too_many_hits_and_unknown_types_are_refused(filled: World) -> None:
    with pytest.raises(LimitError, match="100"):
        filled.service.search("anna", first=101, access=Access())
    with pytest.raises(QueryError, match="did you mean 'Customer'"):
        filled.service.search("anna", within=Narrowing(types=["Custmer"]), access=Access())


@pytest.mark.parametrize(
    "asked", [".*", "a.*|b", "anna AND (", '"anna', "name:anna", "\\", "*", "[", "~2", "anna^9", "\x00"]
)
def test_no_text_is_a_query_language(filled: World, asked: str) -> None:
    for kind, _ in filled.find(asked):
        assert re.fullmatch(r"[A-Za-z]+", kind)
