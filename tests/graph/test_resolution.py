from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.events import AuditEvent
from hub.graph.entities import Statement
from hub.graph.resolution import MatchResolver, Merge, Split
from hub.store import Store
from tests.graph.graph_world import Graph, gone, party, says, small_ontology


def person(key: str, version: int = 1, **values: str) -> Statement:
    return says("erp", key, party("erp", key, **values), version=version)


def customer(graph: Graph, said: Statement) -> str:
    return graph.customer_of(said.entities[0])


def test_a_merge_keeps_the_oldest_id_and_redirects_the_other(graph: Graph) -> None:
    old, young = person("old", loyaltyCard="A"), person("young", loyaltyCard="B")
    graph.apply(old)
    graph.apply(young)
    kept, retired = customer(graph, old), customer(graph, young)
    applied = graph.apply(person("young", 2, loyaltyCard="A"))
    assert customer(graph, old) == customer(graph, young) == kept
    assert graph.redirects() == {retired: kept}
    assert applied.merges == (Merge(kept, retired, "shared_identifier.loyalty_card"),)
    assert (applied.customers_written, applied.customers_removed) == ({kept}, {retired})


def test_a_split_gives_the_ids_back_as_if_never_merged(graph: Graph) -> None:
    people = [person(key, loyaltyCard=key) for key in "abc"]
    for said in people:
        graph.apply(said)
    before = [customer(graph, said) for said in people]
    bridges = [
        says("crm", f"bridge {n}", party("crm", f"b{n}", loyaltyCard="a", vatID=str(n))) for n in (1, 2)
    ]
    graph.apply(person("b", 2, loyaltyCard="b", vatID="1"), person("c", 2, loyaltyCard="c", vatID="2"))
    graph.apply(bridges[0])
    graph.apply(bridges[1])
    assert {customer(graph, said) for said in people} == {before[0]}
    assert graph.redirects() == {before[1]: before[0], before[2]: before[0]}
    applied = graph.apply(*map(gone, bridges))
    assert [customer(graph, said) for said in people] == before
    assert graph.redirects() == {}
    assert set(applied.splits) == {
        Split(before[0], before[1], "evidence_gone"),
        Split(before[0], before[2], "evidence_gone"),
    }
    assert applied.audit[0]["action"] == "customer_unmerged"


def test_redirects_lead_to_a_living_customer_in_one_step(graph: Graph) -> None:
    people = [person(key, loyaltyCard=key) for key in "abc"]
    for said in people:
        graph.apply(said)
    a, b, c = (customer(graph, said) for said in people)
    graph.apply(person("c", 2, loyaltyCard="b"))
    assert graph.redirects() == {c: b}
    graph.apply(person("b", 2, loyaltyCard="b", vatID="1"), person("a", 2, loyaltyCard="a", vatID="1"))
    assert graph.redirects() == {b: a, c: a}
    graph.apply(gone(people[0]))
    assert graph.redirects() == {b: a, c: a}
    graph.apply(gone(people[1]), gone(people[2]))
    assert graph.redirects() == {}
    assert graph.rows("SELECT * FROM customer") == []


def test_parties_that_return_together_share_the_oldest_of_their_ids(graph: Graph) -> None:
    people = [person(key, loyaltyCard=key) for key in "abc"]
    for said in people:
        graph.apply(said)
    a, b, c = (customer(graph, said) for said in people)
    graph.apply(person("b", 2, vatID="1", loyaltyCard="b"), person("c", 2, vatID="1", loyaltyCard="a"))
    assert graph.redirects() == {b: a, c: a}
    graph.apply(person("c", 3, vatID="1"))
    assert [customer(graph, said) for said in people] == [a, b, b]
    assert graph.redirects() == {c: b}


def test_parties_that_came_together_part_and_the_first_to_come_keeps_the_id(graph: Graph) -> None:
    one, two = person("1", loyaltyCard="A"), person("2", loyaltyCard="A")
    graph.apply(one, two)
    shared = customer(graph, one)
    graph.apply(person("1", 2), person("2", 2))
    first = min(one, two, key=lambda said: said.head_id)
    assert customer(graph, first) == shared
    assert customer(graph, one) != customer(graph, two)


def test_weak_identifiers_do_not_merge(graph: Graph) -> None:
    values = {"telephone": "+441632960001", "email": "family@example.com"}
    one, two = person("1", **values), person("2", **values)
    graph.apply(one, two)
    assert customer(graph, one) != customer(graph, two)


def test_a_customer_that_changes_keeps_its_id(graph: Graph) -> None:
    said = person("1", loyaltyCard="A")
    graph.apply(said)
    before = customer(graph, said)
    graph.apply(person("1", 2, loyaltyCard="B", name="Ann"))
    assert customer(graph, said) == before


def test_an_identifier_stops_being_evidence_when_too_many_share_it_and_is_evidence_again(
    graph: Graph,
) -> None:
    crowd = Graph(graph.store, resolver=MatchResolver(graph.store, proofs_crowded=3))
    people = [person(str(number), loyaltyCard="0000") for number in range(4)]
    crowd.apply(*people[:3])
    assert len({customer(crowd, said) for said in people[:3]}) == 1
    crowd.apply(people[3])
    assert len({customer(crowd, said) for said in people}) == 4
    crowd.apply(gone(people[0]))
    assert len({customer(crowd, said) for said in people[1:]}) == 1
    crowd.check_invariants()


def test_a_scheme_that_becomes_strong_counts_after_the_records_are_mapped_again(graph: Graph) -> None:
    """The identifier's strength is part of what a row's hash covers."""
    before = Graph(Store(graph.store.engine, small_ontology(strong=False)))
    one, two = person("1", loyaltyCard="A"), person("2", loyaltyCard="A")
    before.apply(one, two)
    assert customer(graph, one) != customer(graph, two)
    graph.apply(one, two)
    assert customer(graph, one) == customer(graph, two)


def test_facts_for_the_audit_log_fit_its_schema(graph: Graph) -> None:
    created = graph.apply(person("1", loyaltyCard="A"), person("2", loyaltyCard="B"))
    merged = graph.apply(person("2", 2, loyaltyCard="A"))
    parted = graph.apply(person("2", 3, loyaltyCard="B"))
    events = [
        AuditEvent(actor="system", **fact) for applied in (created, merged, parted) for fact in applied.audit
    ]
    assert [event.action for event in events] == ["customer_created", "customer_merged", "customer_unmerged"]
    assert events[0].counts == {"created": 2}
    assert [len(event.customers) for event in events] == [2, 2, 2]


@pytest.mark.parametrize("batch", [1, 100])
def test_a_chain_of_identifiers_is_one_customer(graph: Graph, batch: int) -> None:
    people = [person(str(n), vatID=str(n // 2), loyaltyCard=str((n + 1) // 2)) for n in range(9)]
    shuffled = [*people[::2], *people[1::2]]
    for start in range(0, len(shuffled), batch):
        graph.apply(*shuffled[start : start + batch])
    assert len({customer(graph, said) for said in people}) == 1


@given(
    bridges=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8),
    data=st.data(),
)
def test_any_merges_undone_in_any_order_give_every_id_back(
    graph: Graph, bridges: list[tuple[int, int]], data: st.DataObject
) -> None:
    graph.clear()
    people = [person(str(n), loyaltyCard=f"c{n}", vatID=f"v{n}") for n in range(5)]
    for said in people:
        graph.apply(said)
    before = [customer(graph, said) for said in people]
    joined = [
        says("crm", str(n), party("crm", str(n), loyaltyCard=f"c{one}", vatID=f"v{other}"), head=10**9 + n)
        for n, (one, other) in enumerate(bridges)
    ]
    steps = data.draw(st.permutations([*joined, *joined]))
    seen: set[int] = set()
    for said in steps:  # the second time that a bridge comes up, it goes
        graph.apply(gone(said) if said.head_id in seen else said)
        seen.add(said.head_id)
        graph.check_invariants()
    assert [customer(graph, said) for said in people] == before
    assert graph.redirects() == {}
