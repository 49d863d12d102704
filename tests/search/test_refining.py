"""Filters, counts, did-you-mean and suggestions: of what the requester may find, and of nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import LimitError, QueryError
from hub.search import Narrowing
from hub.search.fold import words
from hub.search.query import parse
from hub.search.service import MAX_VALUES
from tests.search.search_world import ALLOW, DENY, LABELS, MASK, WHO, Access, World, fill, gone, key_of
from tests.search.test_access import TEXTS, brute_force, pieces, some_access, stated


def narrowed(world: World, asked: str, access: Access | None = None, **to: object) -> list[tuple[str, str]]:
    answer = world.service.search(asked, within=Narrowing(**to), first=50, access=access or Access())  # type: ignore[arg-type]
    assert answer.total == len(answer.hits)
    return [(hit.type, hit.id) for hit in answer.hits]


def test_facets_narrow_and_are_counted(filled: World) -> None:
    broken = filled.service.search(
        "broken", facets=["Ticket.status", "Ticket.tags", "source"], access=Access()
    )
    assert broken.counts == {
        "Ticket.status": {"open": 1, "closed": 1},
        "Ticket.tags": {"damage": 2, "lamp": 1},
        "source": {"erp": 2},
    }
    assert narrowed(filled, "broken", tags={"Ticket.status": ["open"]}) == [key_of(filled, "ticket")]
    assert len(narrowed(filled, "broken", tags={"Ticket.tags": ["damage", "none"]})) == 2
    both = {"Ticket.tags": ["damage"], "Ticket.status": ["closed"]}
    assert narrowed(filled, "broken", tags=both) == [key_of(filled, "ticket2")]
    assert narrowed(filled, "broken", tags={"Ticket.handledByTeam": ["Returns"]}, types=["Order"]) == []


def test_hits_and_total_are_the_same_where_types_are_not_counted(filled: World) -> None:
    whole = filled.service.search("broken", first=1, access=Access())
    bare = filled.service.search("broken", first=1, by_type=False, access=Access())
    assert (bare.hits, bare.total) == (whole.hits, whole.total)
    assert bare.total > len(bare.hits)


def test_a_filter_of_many_values_is_one_of_few(filled: World) -> None:
    many = ["open", *(f"other {at}" for at in range(MAX_VALUES - 1))]
    assert narrowed(filled, "broken", tags={"Ticket.status": many}) == [key_of(filled, "ticket")]


def test_a_customers_segment_narrows_and_is_counted(filled: World) -> None:
    assert narrowed(filled, "whitfield", tags={"Customer.segment": ["retail"]}) == [key_of(filled, "liz")]
    assert narrowed(filled, "whitfield", tags={"Customer.segment": ["trade"]}) == []
    counted = filled.service.search("philips", facets=["Customer.segment"], first=0, access=Access())
    assert counted.counts == {"Customer.segment": {"trade": 1}}


def test_days_narrow_both_inclusive(filled: World) -> None:
    fifth, sixth = date(2026, 1, 5), date(2026, 1, 6)
    ticket, ticket2 = key_of(filled, "ticket"), key_of(filled, "ticket2")
    assert narrowed(filled, "broken", since=sixth) == [ticket2]
    assert narrowed(filled, "broken", until=fifth) == [ticket]
    assert narrowed(filled, "broken", since=fifth, until=sixth) == [ticket2, ticket]
    assert narrowed(filled, "broken", since=date(2026, 1, 7)) == []


def test_days_that_may_not_be_seen_narrow_by_observation(filled: World) -> None:
    times = {type_.properties[type_.time].category for type_ in filled.ontology.types.values() if type_.time}
    blind = Access().but(MASK, *times)
    assert narrowed(filled, "oak", blind, since=date(2026, 1, 7)) != []
    assert narrowed(filled, "oak", blind, until=date(2026, 1, 7)) == []


def test_a_facet_that_may_not_be_read_is_refused_like_one_that_is_not_there(filled: World) -> None:
    prop = filled.ontology.type("Ticket").properties["status"]
    blind = Access().but(MASK, prop.category)
    said = set()
    for access, name in ((Access(), "Ticket.nothing"), (blind, "Ticket.status"), (Access(), "nothing")):
        for asking in ({"facets": [name]}, {"within": Narrowing(tags={name: ["open"]})}):
            with pytest.raises(QueryError) as refusal:
                filled.service.search("broken", access=access, **asking)  # type: ignore[arg-type]
            said.add(str(refusal.value).replace(name, ""))
    assert len(said) == 1


def test_too_many_facets_and_values_are_refused(filled: World) -> None:
    many = [str(at) for at in range(101)]
    for within in (Narrowing(sources=many), Narrowing(tags={"Ticket.status": many})):
        with pytest.raises(LimitError, match="100 values"):
            filled.service.search("broken", within=within, access=Access())
    with pytest.raises(LimitError, match="10"):
        filled.service.search("broken", facets=["source"] * 11, access=Access())


@pytest.mark.parametrize(("asked", "meant"), [
    ("kovalzka", "Kowalska"),
    ("anna kovalzka", "anna Kowalska"),
    ("brocken lamp", "broken lamp"),
    ("zhefchenko", "Шевченко"),
    ("Catterwoot", "Catherwood"),
    ("kowalska", None),
    ("zzzz zzzz", None),
    ("123 999", None),
])  # fmt: skip
def test_what_finds_nothing_may_have_meant_something_near(
    filled: World, asked: str, meant: str | None
) -> None:
    answer = filled.service.search(asked, access=Access())
    assert answer.did_you_mean == meant
    assert bool(answer.total) == (asked == "kowalska")
    if meant:
        assert filled.service.search(meant, access=Access()).total
        assert answer.customers


@pytest.mark.parametrize(("asked", "among"), [
    ("kow", "Anna Maria Kowalska"),
    ("anna kow", "Anna Maria Kowalska"),
    ("harb", "Harbour & Pine Trading Ltd"),
    ("SO-2026", "SO-2026-00123"),
    ("anna.ko", "anna.kowalska@example.com"),
    ("lamp arr", "lamp arrived"),
    ("шев", "Юрий Шевченко"),
    ("bob", "Robert Tables <b>"),
    ("müll", "Jürgen Müller"),
])  # fmt: skip
def test_suggestions_complete_what_is_typed(filled: World, asked: str, among: str) -> None:
    found = filled.service.suggest(asked, access=Access())
    assert among in [each.text for each in found.suggestions]
    assert found.categories


def test_suggestions_are_limited_in_number_and_type_and_told_with_their_customers(filled: World) -> None:
    assert len(filled.service.suggest("an", first=1, access=Access()).suggestions) == 1
    assert filled.service.suggest("kow", first=0, access=Access()).suggestions == ()
    only = filled.service.suggest("SO-2026", within=Narrowing(types=["Order"]), access=Access())
    assert {each.type for each in only.suggestions} == {"Order"}
    assert only.customers == (key_of(filled, "anna")[1],)
    with pytest.raises(LimitError):
        filled.service.suggest("an", first=101, access=Access())


def test_nothing_is_suggested_for_nothing(filled: World) -> None:
    assert filled.service.suggest("", access=Access()).suggestions == ()
    assert filled.service.suggest("kow", access=Access(DENY)).suggestions == ()


@given(data=st.data(), asked=st.sampled_from(TEXTS) | pieces())
def test_suggestions_and_did_you_mean_come_from_what_may_be_found_and_read(
    filled: World, data: st.DataObject, asked: str
) -> None:
    access = data.draw(some_access(filled.catalogue))
    texts = stated(filled)
    readable = {key: [v for v in values if access.decide(v[1]) is ALLOW] for key, values in texts.items()}
    wanted = set(brute_force(parse(asked), texts, access))
    known = {word for key in wanted for _, _, text in readable[key] for word in words(text)}
    for each in filled.service.suggest(asked, first=100, access=access).suggestions:
        assert known.union(words(asked)).issuperset(words(each.text))
        assert each.type in {type_ for type_, _ in wanted}
    meant = filled.service.search(asked, access=access).did_you_mean
    if meant is not None:
        assert not wanted
        assert set(brute_force(parse(meant), texts, access))
        everywhere = {word for values in readable.values() for _, _, text in values for word in words(text)}
        assert everywhere.union(words(asked)).issuperset(words(meant))


@given(
    data=st.data(), asked=st.sampled_from(["anna", "broken", "lamp", "harbour", "so-2026", "nowak", "damage"])
)
def test_counts_of_facets_are_those_of_what_is_found(filled: World, data: st.DataObject, asked: str) -> None:
    access = data.draw(some_access(filled.catalogue))
    names = data.draw(st.lists(st.sampled_from(list(filled.catalogue.facets)), unique=True, max_size=5))
    texts = stated(filled)
    wanted = set(brute_force(parse(asked), texts, access))
    facets, held = [], tags_of(filled)
    for name in names:
        try:
            counts = filled.service.search(asked, facets=[name], access=access).counts
        except QueryError:
            assert access.decide(filled.catalogue.facets[name][1].category) is not ALLOW
            continue
        facets.append(name)
        assert counts[name] == Counter(v for key in wanted for v in held.get((key, name), ()))
    assert set(filled.service.search(asked, facets=facets, access=access).counts) == set(facets)


def tags_of(world: World) -> dict[tuple[tuple[str, str], str], set[str]]:
    """Values of facets as the statements say them."""
    found: dict[tuple[tuple[str, str], str], set[str]] = {}
    for label, entity in LABELS.items():
        key = key_of(world, label)
        for name, value in entity.values.items():
            if world.ontology.type(entity.type).properties[name].search == "facet":
                values = value if isinstance(value, list | tuple) else [value]
                found.setdefault((key, f"{key[0]}.{name}"), set()).update(map(str, values))
    return found


def test_what_is_gone_is_suggested_no_more_before_the_index_knows(light: World) -> None:
    fill(light)
    light.indexer.follow()
    assert light.service.suggest("whitf", access=Access()).suggestions
    assert light.service.search("vhitfieled", access=Access()).did_you_mean == "Whitfield"
    light.apply(gone("erp", WHO["liz"]))
    assert light.service.suggest("whitf", access=Access()).suggestions == ()
    assert light.service.search("vhitfieled", access=Access()).did_you_mean is None


def test_of_a_word_of_three_letters_the_near_one_is_asked_back_and_not_found(filled: World) -> None:
    short = filled.service.search("lix", access=Access())
    assert (short.total, short.did_you_mean) == (0, "Liz")
    assert filled.service.search("li7", access=Access()).did_you_mean is None
