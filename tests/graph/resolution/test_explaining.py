"""What a steward is shown: why parties are one customer, or why not, without a value."""

from __future__ import annotations

import pytest

from hub.errors import NotFoundError
from hub.graph.resolution.explaining import Explainer, Why
from tests.graph.graph_world import Graph, party, says
from tests.graph.resolution.conftest import ToyModels
from tests.graph.resolution.test_matching import ANN, are_one, decide, person, resolved

BOB = {"givenName": "Bob", "familyName": "Lee", "birthDate": "1981-02-02", "postalCode": "AB1 2CD"}


@pytest.fixture
def world(graph: Graph, toy_models: ToyModels) -> Graph:
    return resolved(graph.store, toy_models(crowded=3))


@pytest.fixture
def explainer(graph: Graph, toy_models: ToyModels) -> Explainer:
    return Explainer(graph.store, toy_models(crowded=3))


def why(world: Graph, explainer: Explainer, one: object, other: object) -> Why:
    with world.store.read() as connection:
        story = explainer.pair(connection, one.entities[0].id, other.entities[0].id)
    assert story.together == are_one(world, one, other)
    return story.why


def test_each_reason_is_told(world: Graph, explainer: Explainer) -> None:
    ann, anna, bob = person("1", **ANN), person("2", **ANN), person("3", **BOB)
    carded = person("4", givenName="Zoe", familyName="Ng", loyaltyCard="7")
    card = person("5", givenName="Zelda", familyName="Wu", loyaltyCard="7")
    father, son = person("6", **BOB, honorificSuffix="Sr"), person("7", **BOB, honorificSuffix="Jr")
    world.apply(ann, anna, bob, carded, card, father, son)
    assert why(world, explainer, ann, anna) is Why.ALIKE
    assert why(world, explainer, ann, bob) is Why.TOO_LITTLE
    assert why(world, explainer, carded, card) is Why.SHARED_IDENTIFIER
    assert why(world, explainer, father, son) is Why.CONFLICT
    decide(world, "not_same", ann, anna, id_="d1")
    assert why(world, explainer, ann, anna) is Why.DECIDED_NOT_SAME
    decide(world, "same", ann, carded, id_="d2")
    assert why(world, explainer, ann, carded) is Why.DECIDED_SAME
    assert why(world, explainer, ann, card) is Why.THROUGH_OTHERS


def test_the_waterfall_adds_up_and_holds_no_value(world: Graph, explainer: Explainer) -> None:
    one, two = person("1", **ANN, loyaltyCard="7"), person("2", **ANN, loyaltyCard="7")
    world.apply(one, two)
    with world.store.read() as connection:
        story = explainer.pair(connection, one.entities[0].id, two.entities[0].id)
        stored = connection.exec_driver_sql("SELECT weight FROM edge").scalar_one()
    assert story.waterfall is not None
    assert story.waterfall.weight + len(story.schemes) * story.identifier_weight == pytest.approx(stored)
    assert story.schemes == ("loyalty_card",)
    for value in ANN.values():
        assert value.lower() not in repr(story).lower()


def test_the_weakest_hold_is_the_one_whose_parts_fall_apart_first(world: Graph, explainer: Explainer) -> None:
    close = [person(f"c{n}", **ANN, email="ann@example.com") for n in range(2)]
    loose = person("l", givenName="Ann", familyName="Lee", postalCode="AB1 2CD", email="ann@example.com")
    world.apply(*close, loose)
    assert are_one(world, *close, loose)
    with world.store.read() as connection:
        story = explainer.customer(connection, world.customer_of(loose.entities[0]))
    assert story.weakest is not None
    assert loose.entities[0].id in (story.weakest.left, story.weakest.right)
    assert {frozenset({loose.entities[0].id}), frozenset(each.entities[0].id for each in close)} == set(
        story.parts
    )
    assert [hold.weight for hold in story.holds] == sorted(
        (hold.weight for hold in story.holds), reverse=True
    )


def test_of_two_customers_the_nearest_pair_is_explained(world: Graph, explainer: Explainer) -> None:
    ann, bob, zoe = person("1", **ANN), person("2", **BOB), person("3", givenName="Zoe", familyName="Ng")
    world.apply(ann, bob, zoe)
    decide(world, "same", ann, zoe)
    with world.store.read() as connection:
        story = explainer.between(connection, *(world.customer_of(each.entities[0]) for each in (zoe, bob)))
    assert {story.left, story.right} == {ann.entities[0].id, bob.entities[0].id}
    assert (story.together, story.why) == (False, Why.TOO_LITTLE)


def test_pairs_that_share_no_working_key_were_not_compared(world: Graph, explainer: Explainer) -> None:
    """Four who are alike in everything share crowded keys only."""
    people = [person(str(n), **ANN) for n in range(4)]
    world.apply(*people)
    assert why(world, explainer, people[0], people[1]) is Why.NOT_COMPARED


def test_a_stranger_and_what_staff_recorded_are_not_explained(world: Graph, explainer: Explainer) -> None:
    ann = person("1", **ANN)
    world.apply(ann)
    with world.store.read() as connection:
        with pytest.raises(NotFoundError):
            explainer.pair(connection, ann.entities[0].id, "nobody")
        with pytest.raises(NotFoundError):
            explainer.customer(connection, "cus_nobody")
        with pytest.raises(NotFoundError):
            explainer.between(connection, world.customer_of(ann.entities[0]), "cus_nobody")


def test_a_person_and_an_organisation_are_explained_by_identifiers_alone(
    world: Graph, explainer: Explainer
) -> None:
    trader = person("1", **ANN, vatID="GB1")
    firm = says("crm", "1", party("crm", "1", "Organization", name="Ann Lee", vatID="GB1"))
    world.apply(trader, firm)
    with world.store.read() as connection:
        story = explainer.pair(connection, trader.entities[0].id, firm.entities[0].id)
    assert (story.waterfall, story.schemes, story.why) == (None, ("vat",), Why.SHARED_IDENTIFIER)


def test_what_a_party_states_now_is_explained_not_what_it_stated_when_last_asked(
    world: Graph, explainer: Explainer
) -> None:
    ann, other = person("1", **ANN), person("2", **ANN)
    world.apply(ann, other)
    assert why(world, explainer, ann, other) is Why.ALIKE
    world.apply(person("2", 2, **BOB))
    assert why(world, explainer, ann, other) is Why.TOO_LITTLE
