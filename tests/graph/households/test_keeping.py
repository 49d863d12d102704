"""Households in a store: they follow golden records, in any order, and only where something changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from hub.graph.entities import Entity, Statement
from hub.graph.households import Evidence, Households
from hub.graph.households.linking import CROWD
from hub.graph.resolution.decisions import Decision, Decisions
from tests.graph.graph_world import Graph, day, gone, party, says

HOME = {"streetAddress": "1 High St", "postalCode": "AB1 2CD"}
AWAY = {"streetAddress": "9 Low Road", "postalCode": "CD3 4EF"}


def person(key: str, family: str = "Lee", source: str = "erp", **values: Any) -> Entity:
    return party(source, key, givenName=key, familyName=family, **values)


def home_of(graph: Graph, entity: Entity) -> str | None:
    found: str | None = graph.golden(entity, "household_id")
    return found


def ties(graph: Graph) -> set[tuple[str, str, str]]:
    """Each two housemates by the given name of both, with the evidence."""
    sql = (
        "SELECT a.given_name, b.given_name, h.address, h.family_name, h.contact, h.account FROM housemate h"
        " JOIN customer a ON a.id = h.customer_id JOIN customer b ON b.id = h.other_id"
    )
    return {(one, other, words(said)) for one, other, *said in graph.rows(sql)}


def words(said: Sequence[Any]) -> str:
    return " ".join(kind for kind, is_there in zip(Evidence, said, strict=True) if is_there)


def test_father_and_son_share_a_household_and_stay_two_customers(graph: Graph) -> None:
    father, son = (party("erp", key, name="John Lee", familyName="Lee", **HOME) for key in ("father", "son"))
    graph.apply(says("erp", "father", father), says("erp", "son", son))
    assert home_of(graph, father) == home_of(graph, son) is not None
    assert graph.customer_of(father) != graph.customer_of(son)


def test_who_lives_alone_has_no_household_and_neither_has_an_organisation(graph: Graph) -> None:
    firm = party("erp", "1", "Organization", **HOME)
    ann = person("Ann", **HOME)
    graph.apply(says("erp", "1", firm), says("erp", "2", ann))
    assert home_of(graph, firm) is None
    assert home_of(graph, ann) is None


def test_both_directions_say_why(graph: Graph) -> None:
    graph.apply(says("erp", "1", person("Ann", **HOME)), says("erp", "2", person("Bob", **HOME)))
    assert ties(graph) == {("Ann", "Bob", "address family_name"), ("Bob", "Ann", "address family_name")}


def test_a_family_that_moves_leaves_the_household_whatever_an_older_system_says(graph: Graph) -> None:
    ann, bob = person("Ann", **HOME), person("Bob", **HOME)
    card = {"loyaltyCard": "7", "birthDate": "1980-01-01", "telephone": "+441632960001"}
    old = person("Ann", source="pos", **HOME, **card)
    graph.apply(says("erp", "1", person("Ann", **HOME, **card)), says("erp", "2", bob), says("pos", "1", old))
    assert graph.customer_of(old) == graph.customer_of(ann)
    assert home_of(graph, ann) == home_of(graph, bob) is not None
    graph.apply(says("erp", "1", person("Ann", **AWAY, **card), at=day(9), version=2))
    assert graph.customer_of(old) == graph.customer_of(ann)
    assert home_of(graph, ann) is None
    assert home_of(graph, bob) is None
    assert ties(graph) == set()


def test_whoever_is_deleted_leaves_nothing_behind(graph: Graph) -> None:
    said = [says("erp", key, person(key, **HOME)) for key in ("Ann", "Bob", "Cat")]
    graph.apply(*said)
    applied = graph.apply(gone(said[0]))
    assert set(applied.customers_written) == {graph.customer_of(person(key)) for key in ("Bob", "Cat")}
    assert {one for one, _, _ in ties(graph)} == {"Bob", "Cat"}
    graph.apply(gone(said[1]), gone(said[2]))
    assert [graph.rows(f"SELECT * FROM {table}") for table in ("home", "home_key", "housemate")] == [
        [],
        [],
        [],
    ]


def test_a_housemate_who_comes_is_told_of_as_a_change(graph: Graph) -> None:
    ann = person("Ann", **HOME)
    graph.apply(says("erp", "1", ann))
    applied = graph.apply(says("erp", "2", person("Bob", **HOME)))
    assert graph.customer_of(ann) in applied.customers_written


NAMES = [
    *("Agatha", "Boris", "Camilla", "Desmond", "Esther", "Fergus", "Gwendolyn", "Humphrey"),
    *("Imogen", "Jasper", "Kirsten", "Leopold", "Mathilda", "Norbert", "Octavia", "Percival"),
    *("Quentin", "Rosalind", "Sigmund", "Tabitha", "Ulrich", "Valentina", "Winston", "Xanthe"),
    *("Yolanda", "Zebedee", "Aurelio", "Brunhilde", "Cuthbert", "Dagmar", "Ebenezer", "Florence"),
    *("Guinevere", "Hannibal", "Iphigenia", "Jocasta", "Konstantin", "Lysander", "Montague", "Nadezhda"),
    *("Ophelia", "Ptolemy", "Quincy", "Rapunzel", "Scheherazade", "Thaddeus", "Ursula", "Vladimir"),
    *("Wolfgang", "Xerxes", "Yevgeny", "Zuleika"),
]
"""Given names of which no two could be one."""


def test_a_crowd_comes_apart_and_together_as_it_grows_and_shrinks(graph: Graph) -> None:
    lees = [says("erp", name, person(name, **HOME)) for name in NAMES[: CROWD + 1]]
    graph.apply(*lees[:CROWD])
    assert len({row[0] for row in graph.rows("SELECT household_id FROM customer")}) == 1
    graph.apply(lees[CROWD])
    assert graph.rows("SELECT DISTINCT household_id FROM customer") == [(None,)]
    graph.apply(gone(lees[3]))
    assert len(ties(graph)) == CROWD * (CROWD - 1)


def test_who_lives_elsewhere_is_not_read(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    homes = Households._homes

    def noted(self: Households, connection: Connection, customers: Collection[str]) -> Any:
        read.update(customers)
        return homes(self, connection, customers)

    elsewhere = [person(f"X{n}", streetAddress=f"{n} Far Way", postalCode="CD3 4EF") for n in range(2, 40)]
    ann, bob = person("Ann", **HOME), person("Bob", **HOME)
    graph.apply(*(says("erp", each.key, each) for each in (ann, *elsewhere)))
    monkeypatch.setattr(Households, "_homes", noted)
    graph.apply(says("erp", "Bob", bob))
    assert read == {graph.customer_of(ann), graph.customer_of(bob)}


def test_an_account_that_only_one_of_several_parties_states_counts(graph: Graph) -> None:
    tim = person("Tim", source="crm", birthDate="2011-05-05", telephone="+441632960001")
    same = {"birthDate": "1980-01-01", "telephone": "+441632960001", "email": "ann@example.com"}
    graph.apply(
        says("erp", "1", person("Ann", **HOME, **same, loyaltyCard="1")),
        says("pos", "1", person("Ann", source="pos", **same, loyaltyCard="2"), at=day(5)),
        says("crm", "1", tim),
    )
    assert ("Ann", "Tim", "family_name contact") in ties(graph)


def test_links_are_followed_to_their_end(graph: Graph) -> None:
    """A newcomer takes the one away from the other, who is free for a third, with whom the newcomer shares nothing."""
    first, between, last = sorted(("Ann", "Bob", "Cat"), key=lambda key: person(key).id)
    doors = {first: "1 High St, Flat 2", between: "1 High St", last: "1 High St, Flat 3"}
    graph.apply(*(says("erp", key, person(key, **HOME | {"streetAddress": at})) for key, at in doors.items()))
    assert {(one, other) for one, other, _ in ties(graph)} == {(first, between), (between, first)}
    graph.apply(says("erp", "Dan", person("Dan", "Kim", **HOME | {"streetAddress": doors[first]})))
    together = {frozenset((one, other)) for one, other, _ in ties(graph)}
    assert together == {frozenset((first, "Dan")), frozenset((between, last))}


KEYS = ["Ann", "Bob", "Cat", "Dan", "Eve", "Fay"]
STREETS = ["1 High Street", "1 Hihg Street", "1 High St, Flat 2", "High Street", "3 Low Rd"]
SAID = st.fixed_dictionaries(
    {"family": st.sampled_from(["Lee", "Kim", "Leigh", "Ortiz"])},
    optional={
        "streetAddress": st.sampled_from(STREETS),
        "postalCode": st.sampled_from(["AB1 2CD", "CD3 4EF"]),
        "telephone": st.sampled_from(["+441632960001", "+441632960002"]),
        "loyaltyCard": st.sampled_from(["1", "2", "3"]),
    },
)
HISTORIES = st.lists(st.tuples(st.sampled_from(KEYS), st.none() | SAID), min_size=1, max_size=16)


def batches(said: Sequence[Statement], cuts: Sequence[int]) -> list[Sequence[Statement]]:
    bounds = sorted({0, len(said), *(cut for cut in cuts if cut < len(said))})
    return [said[low:high] for low, high in pairwise(bounds)]


def kept(graph: Graph) -> dict[str, Any]:
    """The households by parties instead of customers, and what they are made of."""
    parties: dict[str, str] = {}
    for party_id, customer in sorted(graph.rows("SELECT party_id, customer_id FROM membership")):
        parties.setdefault(customer, party_id)
    return {
        "homes": {
            (parties[c], *more) for c, *more in graph.rows("SELECT customer_id, content, stated_at FROM home")
        },
        "keys": {(key, parties[c]) for key, c in graph.rows("SELECT key, customer_id FROM home_key")},
        "ties": {
            (parties[a], parties[b], words(said)) for a, b, *said in graph.rows("SELECT * FROM housemate")
        },
        "ids": {(parties[c], id_) for c, id_ in graph.rows("SELECT id, household_id FROM customer")},
    }


@given(history=HISTORIES, cuts=st.lists(st.integers(1, 15), max_size=6), data=st.data())
def test_any_order_and_any_batches_give_the_same_households(
    graph: Graph, history: list[tuple[str, dict[str, Any] | None]], cuts: list[int], data: st.DataObject
) -> None:
    last: dict[str, Statement] = {}
    said = []
    for version, (key, values) in enumerate(history, 1):
        entity = person(key, **values) if values else person(key)
        one = says("erp", key, entity, version=version % 10)
        said.append(one if values else gone(one))
        last[key] = said[-1]
    graph.clear()
    for batch in batches(said, cuts):
        graph.apply(*batch)
    found = kept(graph)
    graph.clear()
    for each in data.draw(st.permutations([one for one in last.values() if one.entities])):
        graph.apply(each)
    assert kept(graph) == found
    everybody = {customer for (customer,) in graph.rows("SELECT id FROM customer")}
    with graph.store.write() as connection:
        graph.writer.reproject(connection, 1, everybody)
    assert kept(graph) == found


def test_a_steward_who_merges_and_parts_customers_moves_the_household_along(graph: Graph) -> None:
    ann, bob, cat = (person(key, **where) for key, where in (("Ann", HOME), ("Bob", AWAY), ("Cat", AWAY)))
    graph.apply(*(says("erp", each.key, each) for each in (ann, bob, cat)))
    before = kept(graph)
    decide(graph, "same", ann, bob)
    assert graph.customer_of(ann) == graph.customer_of(bob)
    decide(graph, "not_same", ann, bob)
    assert graph.customer_of(ann) != graph.customer_of(bob)
    assert kept(graph) == before
    assert home_of(graph, bob) == home_of(graph, cat) is not None


def decide(graph: Graph, verdict: Any, one: Entity, other: Entity) -> None:
    left, right = sorted((one.id, other.id))
    made = Decision(
        verdict, "act", verdict, left, right, None, "steward", "seen", f"2026-01-0{len(verdict) // 4}"
    )
    with graph.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM decision")
        Decisions(graph.store).add(connection, [made])
        graph.writer.regroup(connection, 1, (left, right))
