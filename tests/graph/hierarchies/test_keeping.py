"""Trees of organisations in a store: from declared parents and registry numbers, in any order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.graph.entities import Entity, Statement
from hub.graph.hierarchies import DEEPEST
from tests.graph.graph_world import Graph, day, gone, party, says, to_party

HEAD, BRANCH = "NL004495445B01", "NL004495445B02"


def firm(key: str, above: str | None = None, source: str = "erp", **values: Any) -> Entity:
    parent = {"parentOrganization": to_party(source, above)} if above else {}
    return party(source, key, "Organization", name=key, **values, **parent)


def said(entity: Entity, **more: Any) -> Statement:
    return says("erp", entity.key, entity, **more)


def tree(graph: Graph) -> dict[str, list[str]]:
    """Who stands above each, the parent first, by name."""
    sql = (
        "SELECT c.name, a.name, n.level FROM ancestor n JOIN customer c ON c.id = n.customer_id"
        " JOIN customer a ON a.id = n.ancestor_id ORDER BY c.name, n.level"
    )
    found: dict[str, list[str]] = {}
    for name, above, level in graph.rows(sql):
        found.setdefault(name, []).append(above)
        assert len(found[name]) == level
    return found


def evidence(graph: Graph) -> dict[str, tuple[bool, bool]]:
    sql = "SELECT c.name, p.declared, p.registered FROM parent p JOIN customer c ON c.id = p.customer_id"
    return {name: (bool(declared), bool(number)) for name, declared, number in graph.rows(sql)}


def test_a_parent_that_arrives_after_its_daughter_stands_above_her(graph: Graph) -> None:
    graph.apply(said(firm("shop", above="region")))
    assert tree(graph) == {}
    graph.apply(said(firm("region", above="group")))
    applied = graph.apply(said(firm("group")))
    assert tree(graph) == {"shop": ["region", "group"], "region": ["group"]}
    assert evidence(graph) == {"shop": (True, False), "region": (True, False)}
    assert graph.customer_of(firm("shop")) in applied.customers_written


def test_whoever_leaves_takes_the_way_up_along(graph: Graph) -> None:
    graph.apply(said(firm("shop", above="region")), said(firm("region", above="group")), said(firm("group")))
    graph.apply(gone(said(firm("region"))))
    assert tree(graph) == {}
    graph.apply(said(firm("shop", above="group"), version=2))
    assert tree(graph) == {"shop": ["group"]}


def test_nobody_stands_above_themselves(graph: Graph) -> None:
    graph.apply(said(firm("a", above="b")), said(firm("b", above="c")), said(firm("c", above="a")))
    graph.apply(said(firm("d", above="a")), said(firm("e", above="e")))
    assert tree(graph) == {"d": ["a"]}
    graph.apply(said(firm("c"), version=2))
    assert tree(graph) == {"a": ["b", "c"], "b": ["c"], "d": ["a", "b", "c"]}


def test_a_chain_ends_somewhere(graph: Graph) -> None:
    names = [f"f{number:02}" for number in range(DEEPEST + 3)]
    graph.apply(*(said(firm(name, above=above)) for name, above in pairwise(names)), said(firm(names[-1])))
    assert tree(graph)["f00"] == names[1 : DEEPEST + 1]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_branch_stands_below_the_one_company_of_its_registry_number(graph: Graph, turn: int) -> None:
    both = [said(firm("head", vatID=HEAD)), said(firm("branch", vatID=BRANCH))]
    for each in both[::turn]:
        graph.apply(each)
    assert tree(graph) == {"branch": ["head"]}
    assert evidence(graph) == {"branch": (False, True)}
    graph.apply(said(firm("branch", vatID=BRANCH, above="head"), version=2))
    assert evidence(graph) == {"branch": (True, True)}
    graph.apply(gone(both[0]))
    assert tree(graph) == {}


def test_what_a_source_declares_counts_before_registry_numbers(graph: Graph) -> None:
    graph.apply(
        said(firm("head", vatID=HEAD)), said(firm("branch", vatID=BRANCH, above="owner")), said(firm("owner"))
    )
    assert tree(graph) == {"branch": ["owner"]}
    assert evidence(graph) == {"branch": (True, False)}


def test_branches_without_their_company_stand_below_nobody(graph: Graph) -> None:
    graph.apply(said(firm("one", vatID=BRANCH)), said(firm("two", vatID="NL004495445B03")))
    assert tree(graph) == {}


def test_a_parent_in_two_systems_is_one_customer_above(graph: Graph) -> None:
    graph.apply(
        said(firm("shop", above="group")),
        said(firm("group", vatID=HEAD)),
        says("crm", "g", firm("holding", source="crm", vatID=HEAD)),
        says("crm", "s", firm("works", above="holding", source="crm"), at=day(2)),
    )
    above = tree(graph)
    assert above["shop"] == above["works"]


KEYS = ["a", "b", "c", "d", "e"]
NUMBERS = st.sampled_from([None, HEAD, BRANCH, "NL004495445B03"])
HISTORIES = st.lists(
    st.tuples(st.sampled_from(KEYS), st.booleans(), st.none() | st.sampled_from(KEYS), NUMBERS),
    min_size=1,
    max_size=14,
)


def kept(graph: Graph) -> Any:
    """All that is kept, by parties instead of customers."""
    parties: dict[str, str] = {}
    for party_id, customer in sorted(graph.rows("SELECT party_id, customer_id FROM membership")):
        parties.setdefault(customer, party_id)
    edges = graph.rows("SELECT customer_id, parent_id, declared, registered, stated_at FROM parent")
    above = graph.rows("SELECT customer_id, ancestor_id, level, declared FROM ancestor")
    numbers = graph.rows("SELECT customer_id, key, is_head, stated_at FROM registration")
    return (
        {(parties[a], parties[b], *more) for a, b, *more in edges},
        {(parties[a], parties[b], *more) for a, b, *more in above},
        {(parties[a], *more) for a, *more in numbers},
    )


@given(history=HISTORIES, cuts=st.lists(st.integers(1, 13), max_size=5), data=st.data())
def test_any_order_and_any_batches_give_the_same_trees(
    graph: Graph,
    history: list[tuple[str, bool, str | None, str | None]],
    cuts: list[int],
    data: st.DataObject,
) -> None:
    last: dict[str, Statement] = {}
    stated = []
    for version, (key, there, above, number) in enumerate(history, 1):
        values = {"vatID": number} if number else {}
        one = said(firm(key, above, **values), version=version % 10)
        stated.append(one if there else gone(one))
        last[key] = stated[-1]
    graph.clear()
    bounds = sorted({0, len(stated), *(cut for cut in cuts if cut < len(stated))})
    for low, high in pairwise(bounds):
        graph.apply(*stated[low:high])
    found = kept(graph)
    graph.clear()
    for each in data.draw(st.permutations([one for one in last.values() if one.entities])):
        graph.apply(each)
    assert kept(graph) == found
