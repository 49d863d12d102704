"""Who is one customer, and why: by what parties state, by what they prove, by what stewards decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hub.graph.entities import Entity, Statement
from hub.graph.resolution import MatchResolver, Merge, Split
from hub.graph.resolution.decisions import Decision, Decisions, Verdict
from hub.store import Store
from tests.graph.graph_world import Graph, gone, party, says
from tests.graph.resolution.conftest import ToyModels

ANN = {"givenName": "Ann", "familyName": "Lee", "birthDate": "1980-01-01", "postalCode": "AB1 2CD"}
SHOP = "+441632960001"
BY_HAND = {"actor": "sid", "reason": "seen the passport", "at": "2026-01-01T00:00:00.000000Z"}


@pytest.fixture
def world(graph: Graph, toy_models: ToyModels) -> Graph:
    """An empty graph that is resolved by the toy model, where three may share a value."""
    return resolved(graph.store, toy_models(crowded=3))


def resolved(store: Store, models: Mapping[Any, Any]) -> Graph:
    return Graph(store, resolver=MatchResolver(store, models))


def person(key: str, version: int = 1, **values: str) -> Statement:
    return says("erp", key, party("erp", key, **values), version=version)


def are_one(graph: Graph, *said: Statement) -> bool:
    return len({graph.customer_of(each.entities[0]) for each in said}) == 1


def decide(
    graph: Graph,
    verdict: Verdict,
    one: Statement,
    other: Statement,
    holds_to: float | None = None,
    id_: str = "d",
) -> Decision:
    """A steward's word on two parties, followed by what it changes."""
    left, right = sorted(each.entities[0].id for each in (one, other))
    made = Decision(id_, "act", verdict, left, right, holds_to, **BY_HAND)
    with graph.store.write() as connection:
        Decisions(graph.store).add(connection, [made])
        graph.writer.regroup(connection, 1, [left, right])
    return made


def test_parties_that_are_alike_enough_are_one_customer(world: Graph) -> None:
    one, two, other = person("1", **ANN), person("2", **ANN), person("3", familyName="Kim", givenName="Ann")
    world.apply(one)
    applied = world.apply(two, other)
    assert are_one(world, one, two)
    assert not are_one(world, one, other)
    assert applied.merges == ()  # the second came into the first one's customer, so nobody's id went
    merged = world.apply(person("3", 2, **ANN))
    assert [merge.reason for merge in merged.merges] == ["alike"]


def test_a_father_and_his_son_of_one_name_are_two_customers(world: Graph) -> None:
    shared = {**ANN, "telephone": SHOP, "email": "lee@example.com"}
    father, son = person("1", **shared, honorificSuffix="Sr"), person("2", **shared, honorificSuffix="Jr")
    world.apply(father, son)
    assert not are_one(world, father, son)


def test_a_party_that_fits_father_and_son_joins_them_not(world: Graph) -> None:
    father, son = person("1", **ANN, honorificSuffix="Sr"), person("2", **ANN, honorificSuffix="Jr")
    world.apply(father, son, person("3", **ANN))
    assert not are_one(world, father, son)


def test_a_telephone_number_that_too_many_have_is_evidence_for_nobody(world: Graph) -> None:
    """Three may share it; when a fourth has it, the two that it joined part, and meet again when one is gone."""
    name = {"givenName": "Ann", "familyName": "Lee", "telephone": SHOP}
    pair = [person("1", **name), person("2", **name)]
    world.apply(*pair)
    assert are_one(world, *pair)
    others = [person(str(n), givenName="Bob", familyName=f"Kim{n}", telephone=SHOP) for n in (3, 4)]
    world.apply(*others)
    assert not are_one(world, *pair)
    applied = world.apply(gone(others[0]))
    assert are_one(world, *pair)
    assert len(applied.merges) == 1


def test_a_shared_proof_of_two_who_otherwise_differ_wholly_joins_them_all_the_same(world: Graph) -> None:
    one = person("1", **ANN, loyaltyCard="7")
    other = person("2", givenName="Anja", familyName="Leigh", loyaltyCard="7")
    world.apply(one)
    world.apply(person("2", 2, givenName="Anja", familyName="Leigh"))
    kept, retired = (world.customer_of(each.entities[0]) for each in (one, other))
    applied = world.apply(person("2", 3, givenName="Anja", familyName="Leigh", loyaltyCard="7"))
    assert applied.merges == (Merge(kept, retired, "shared_identifier.loyalty_card"),)


def test_a_person_and_an_organisation_are_one_by_a_proof_alone(world: Graph) -> None:
    trader = person("1", **ANN, vatID="GB1", telephone=SHOP)
    firm = says("crm", "1", party("crm", "1", "Organization", name="Ann Lee", vatID="GB1"))
    like = says("crm", "2", party("crm", "2", "Organization", name="Ann Lee", telephone=SHOP))
    world.apply(trader, firm, like)
    assert are_one(world, trader, firm)
    assert not are_one(world, trader, like)


def test_a_weak_bridge_does_not_hold_two_groups_together(world: Graph) -> None:
    """Two couples of accounts, and a poor record that fits one of each: it joins them not."""
    ann = [person(f"a{n}", **ANN, email="ann@example.com") for n in range(3)]
    bob = [
        person(f"b{n}", givenName="Bob", familyName="Lee", birthDate="1981-02-02", postalCode="AB1 2CD")
        for n in range(3)
    ]
    poor = person("p", givenName="Ann", familyName="Lee", postalCode="AB1 2CD", email="bob@example.com")
    world.apply(*ann, *bob, poor)
    assert are_one(world, *ann)
    assert are_one(world, *bob)
    assert not are_one(world, ann[0], bob[0])


def test_what_a_steward_decided_holds_whatever_comes(world: Graph) -> None:
    one, two = person("1", **ANN), person("2", **ANN)
    stranger = person("3", givenName="Bob", familyName="Kim")
    world.apply(one, two, stranger)
    decide(world, "not_same", one, two, id_="d1")
    assert not are_one(world, one, two)
    decide(world, "same", one, stranger, id_="d2")
    assert are_one(world, one, stranger)
    world.apply(person("4", **ANN, email="ann@example.com"), person("1", 2, **ANN, email="ann@example.com"))
    assert not are_one(world, one, two)
    assert are_one(world, one, stranger)


def test_a_decision_gives_way_to_evidence_that_is_stronger_than_it_was(world: Graph) -> None:
    one, two = person("1", **ANN), person("2", **ANN)
    world.apply(one, two)
    with world.store.read() as connection:
        weight = connection.exec_driver_sql("SELECT weight FROM edge").scalar_one()
    decide(world, "not_same", one, two, holds_to=weight + 10)
    world.apply(
        person("1", 2, **ANN, email="ann@example.com"), person("2", 2, **ANN, email="ann@example.com")
    )
    assert not are_one(world, one, two)  # seven bits more: not enough
    world.apply(person("1", 3, **ANN, loyaltyCard="7"), person("2", 3, **ANN, loyaltyCard="7"))
    assert are_one(world, one, two)


def test_a_decision_undone_is_as_if_never_made(world: Graph) -> None:
    one, two = person("1", **ANN), person("2", **ANN)
    world.apply(one)
    world.apply(two)
    before = world.canonical()
    made = decide(world, "not_same", one, two)
    assert not are_one(world, one, two)
    with world.store.write() as connection:
        Decisions(world.store).undo(connection, [made.id], "sid", BY_HAND["at"])
        world.writer.regroup(connection, 1, [made.left])
    assert world.canonical() == before
    assert len(world.redirects()) == 1, "the id that was handed out meanwhile leads back"


def test_merging_and_parting_by_a_steward_gives_the_ids_back(world: Graph) -> None:
    one, two = person("1", **ANN), person("2", givenName="Bob", familyName="Kim")
    world.apply(one)
    world.apply(two)
    ids = [world.customer_of(each.entities[0]) for each in (one, two)]
    made = decide(world, "same", one, two)
    assert world.redirects() == {ids[1]: ids[0]}
    with world.store.write() as connection:
        Decisions(world.store).undo(connection, [made.id], "sid", BY_HAND["at"])
        applied = world.writer.regroup(connection, 1, [made.left])
    assert [world.customer_of(each.entities[0]) for each in (one, two)] == ids
    assert applied.splits == (Split(*ids, "evidence_gone"),)


def test_of_two_decisions_of_a_pair_the_later_is_in_force_until_it_is_undone(world: Graph) -> None:
    one, two = person("1", **ANN), person("2", **ANN)
    world.apply(one, two)
    decide(world, "not_same", one, two, id_="d1")
    made = decide(world, "same", one, two, id_="d2")
    decisions = Decisions(world.store)
    with world.store.write() as connection:
        assert [each.id for each in decisions.of(connection, [made.left])] == ["d2"]
        decisions.undo(connection, ["d2"], "sid", BY_HAND["at"])
        assert [each.id for each in decisions.of(connection, [made.right])] == ["d1"]
        world.writer.regroup(connection, 1, [made.left])
    assert not are_one(world, one, two)


def test_what_staff_recorded_is_compared_with_nobody(world: Graph) -> None:
    one, two = person("1", **ANN), person("2", givenName="Bob", familyName="Kim", birthDate="1981-02-02")
    world.apply(one, two)
    tied = party("steward", "s", **ANN)
    word = Entity(tied.id, tied.type, tied.key, tied.values, anchors=(two.entities[0].id,))
    world.apply(says("steward", "s", word))
    assert world.customer_of(word) == world.customer_of(two.entities[0])
    assert not are_one(world, one, two)
    assert world.rows("SELECT count(*) FROM profile") == [(2,)]


def test_nothing_of_a_party_that_is_gone_stays_behind(world: Graph) -> None:
    one, two = person("1", **ANN, loyaltyCard="7"), person("2", **ANN)
    world.apply(one, two)
    world.apply(gone(one), gone(two))
    for table in ("profile", "blocking_key", "edge", "membership"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)], table


def test_another_model_makes_the_customers_that_it_would_have_made_from_the_start(
    world: Graph, toy_models: ToyModels
) -> None:
    people = [person(str(n), **{**ANN, "birthDate": f"198{n % 2}-01-01"}) for n in range(4)]
    people += [person("x", givenName="Ann", familyName="Lee", postalCode="AB1 2CD")]
    world.apply(*people)
    strict = resolved(world.store, toy_models(merge_weight=14.0))
    resolver = MatchResolver(world.store, toy_models(merge_weight=14.0))
    parties = frozenset(said.entities[0].id for said in people)
    with world.store.write() as connection:
        resolver.compare_anew(connection, parties)
        strict.writer.regroup(connection, 1, parties)
    anew = strict.canonical() | strict.matched()
    world.clear()
    strict.apply(*people)
    assert anew == strict.canonical() | strict.matched()
