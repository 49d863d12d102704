"""What stewards are asked about: what is worth the most first, each once, and never what is decided."""

from __future__ import annotations

import pytest

from hub.graph.resolution.review import Doubt, DoubtKind, Review
from tests.graph.graph_world import Graph, gone
from tests.graph.resolution.conftest import ToyModels
from tests.graph.resolution.test_matching import ANN, are_one, decide, person, resolved

SMITH = {"givenName": "Sue", "familyName": "Smith"}
LOOSE = {"givenName": "Ann", "familyName": "Lee", "postalCode": "AB1 2CD"}


@pytest.fixture
def world(graph: Graph, toy_models: ToyModels) -> Graph:
    return resolved(graph.store, toy_models(crowded=9))


def queue(world: Graph, toy_models: ToyModels, *kinds: DoubtKind) -> list[Doubt]:
    with world.store.read() as connection:
        return Review(world.store, toy_models(crowded=9)).queue(connection, kinds or tuple(DoubtKind))


def test_a_pair_of_customers_is_asked_about_once_by_its_strongest_pair(
    world: Graph, toy_models: ToyModels
) -> None:
    ann = [person(f"a{n}", **ANN, email="ann@example.com") for n in range(2)]
    poor = person("p", givenName="Ann", familyName="Lee", email="other@example.com")
    world.apply(*ann, poor)
    [doubt] = queue(world, toy_models)
    assert doubt.kind is DoubtKind.DOUBT
    assert 0 <= doubt.weight < doubt.merge_weight
    assert {doubt.left, doubt.right} & {poor.entities[0].id}
    assert sorted(doubt.sides) == [1, 2]
    assert set(doubt.customers) == {world.customer_of(each.entities[0]) for each in (ann[0], poor)}
    assert dict(zip(doubt.customers, doubt.sides, strict=True))[world.customer_of(ann[0].entities[0])] == 2


def test_worth_falls_with_the_distance_and_grows_with_the_parties(
    world: Graph, toy_models: ToyModels
) -> None:
    near, far = ({"merge_weight": 6.0, "weight": weight} for weight in (5.0, 1.0))
    common = {"kind": DoubtKind.DOUBT, "left": "a", "right": "b", "customers": ("x", "y")}
    two = Doubt(**common, **near, sides=(1, 1))
    assert Doubt(**{**common, **near}, sides=(1, 1)).worth > Doubt(**{**common, **far}, sides=(1, 1)).worth
    assert Doubt(**{**common, **near}, sides=(4, 2)).worth == pytest.approx(3 * two.worth)
    on_it = Doubt(**common, weight=6.0, merge_weight=6.0, sides=(1, 1))
    assert on_it.worth == pytest.approx(0.5)
    assert Doubt(**common, weight=5000.0, merge_weight=6.0, sides=(1, 1)).worth >= 0
    people = [person(str(n), **SMITH) for n in range(2)]
    postcode = {**SMITH, "givenName": "Tom", "birthDate": "1980-01-01"}
    others = [person("3", **postcode, postalCode="AB1 2CD"), person("4", **postcode, postalCode="XY9 9YX")]
    world.apply(*people, *others)
    found = queue(world, toy_models)
    assert len(found) >= 1
    assert [each.worth for each in found] == sorted((each.worth for each in found), reverse=True)


def test_what_is_decided_is_asked_no_more_and_asked_again_when_undone(
    world: Graph, toy_models: ToyModels
) -> None:
    one, two = person("1", **SMITH), person("2", **SMITH)
    world.apply(one, two)
    assert len(queue(world, toy_models)) == 1
    decide(world, "not_same", one, two)
    assert queue(world, toy_models) == []


def test_another_pair_of_customers_that_are_decided_apart_is_not_asked_about(
    world: Graph, toy_models: ToyModels
) -> None:
    ann = [person(f"a{n}", **ANN, email="ann@example.com") for n in range(2)]
    poor = person("p", givenName="Ann", familyName="Lee")
    world.apply(*ann, poor)
    assert len(queue(world, toy_models)) == 1
    decide(world, "not_same", ann[0], poor)
    assert not are_one(world, ann[1], poor)
    assert queue(world, toy_models) == []


def test_a_father_and_a_son_who_are_alike_are_asked_about_as_kept_apart(
    world: Graph, toy_models: ToyModels
) -> None:
    father, son = person("1", **ANN, honorificSuffix="Sr"), person("2", **ANN, honorificSuffix="Jr")
    world.apply(father, son)
    [doubt] = queue(world, toy_models, DoubtKind.APART)
    assert doubt.weight > doubt.merge_weight
    assert queue(world, toy_models, DoubtKind.DOUBT, DoubtKind.WEAK) == []


def test_a_customer_that_little_holds_together_is_asked_about_by_its_weakest_hold(
    world: Graph, toy_models: ToyModels
) -> None:
    close = [person(f"c{n}", **ANN) for n in range(2)]
    loose = person("l", **LOOSE)
    world.apply(*close, loose)
    [doubt] = queue(world, toy_models)
    assert (doubt.kind, len(doubt.customers)) == (DoubtKind.WEAK, 1)
    assert loose.entities[0].id in (doubt.left, doubt.right)
    assert dict(zip((doubt.left, doubt.right), doubt.sides, strict=True))[loose.entities[0].id] == 1
    assert sum(doubt.sides) == 3
    for each, id_ in zip(close, ("d1", "d2"), strict=True):
        decide(world, "same", each, loose, id_=id_)
    assert queue(world, toy_models) == []


def test_a_pair_without_which_a_customer_would_hold_all_the_same_is_not_asked_about(
    world: Graph, toy_models: ToyModels
) -> None:
    ann = person("a", **ANN, email="ann@example.com")
    both = person("b", **ANN, email="ann@example.com", telephone="+441632960001")
    loose = person("l", **LOOSE, telephone="+441632960001")
    world.apply(ann, both, loose)
    assert are_one(world, ann, both, loose)
    assert queue(world, toy_models) == []


def test_nobody_is_asked_about_who_is_gone(world: Graph, toy_models: ToyModels) -> None:
    one, two = person("1", **SMITH), person("2", **SMITH)
    world.apply(one, two)
    world.apply(gone(one))
    assert queue(world, toy_models) == []
