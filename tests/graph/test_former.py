"""Rows as they stand, what contributes to them and `former` name together every record that ever stated a party."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.graph.entities import Entity, Reference, SharedIdentifier, Statement
from tests.graph.graph_world import Graph, by, day, gone, party, says, thing, to, to_party
from tests.graph.test_order_independence import histories

Pairs = set[tuple[str, int]]
ANN, BEN = to_party("erp", "ann"), to_party("erp", "ben")


def order(customer: Any, **values: Any) -> Entity:
    return thing("erp", "Order", "1", customer=customer, **values)


def stated(graph: Graph) -> Pairs:
    """Parties with the records that rows of theirs come from, or contribute to."""
    found: Pairs = set()
    for type_ in graph.store.ontology.types.values():
        whose = '"party_id"' if type_.customer else "id"
        sql = f'SELECT {whose}, head_id FROM "{type_.table}" UNION SELECT {whose}, c.head_id FROM "{type_.table}" t'
        found |= set(graph.rows(f"{sql} JOIN contribution c ON c.entity_id = t.id"))
    return {(party_id, head) for party_id, head in found if party_id is not None}


def former(graph: Graph) -> Pairs:
    return set(graph.rows("SELECT party_id, head_id FROM former"))


def test_a_record_that_changes_its_customer_is_still_found_by_the_one_before(graph: Graph) -> None:
    said = says("erp", "o", order(ANN), thing("erp", "OrderLine", "1", order=to("erp", "Order", "1")))
    graph.apply(said)
    assert former(graph) == set()
    graph.apply(says("erp", "o", order(BEN), version=2))
    assert former(graph) == {(ANN.target_id, said.head_id)}


def test_a_deleted_record_is_still_found(graph: Graph) -> None:
    person, other = says("erp", "p", party("erp", "ann")), says("erp", "o", order(ANN))
    graph.apply(person, other)
    graph.apply(gone(person), gone(other))
    assert former(graph) == {(ANN.target_id, person.head_id), (ANN.target_id, other.head_id)}


def test_what_moves_because_something_else_does_is_found_too(graph: Graph) -> None:
    line = says("pos", "l", thing("pos", "OrderLine", "1", order=to("erp", "Order", "1")))
    said = says("erp", "o", order(ANN))
    graph.apply(said, line)
    graph.apply(says("erp", "o", order(BEN), version=2))
    assert former(graph) == {(ANN.target_id, said.head_id), (ANN.target_id, line.head_id)}


@pytest.mark.parametrize("winner", [1, 3])
def test_a_claim_that_loses_is_found_by_whom_it_is_about(graph: Graph, winner: int) -> None:
    served = says("erp", "a", order(ANN), at=day(2))
    other = says("erp", "b", order(BEN), at=day(winner))
    graph.apply(served)
    graph.apply(other)
    everything = stated(graph) | former(graph)
    assert {(ANN.target_id, served.head_id), (BEN.target_id, other.head_id)} <= everything


def test_versions_that_were_never_served_are_found(graph: Graph) -> None:
    stale = says("erp", "o", order(ANN))
    with graph.store.write() as connection:
        graph.writer.apply(connection, 1, [says("erp", "o", order(BEN), version=2)], [stale])
    assert former(graph) == {(ANN.target_id, stale.head_id)}
    alone = says("erp", "x", order(to_party("erp", "cid")))
    with graph.store.write() as connection:
        assert graph.writer.apply(connection, 1, [], [alone]).changes == 0
    assert (to_party("erp", "cid").target_id, alone.head_id) in former(graph)


def test_a_stale_version_by_an_identifier_is_found_by_its_one_holder(graph: Graph) -> None:
    holder = party("pos", "holder", loyaltyCard="A")
    graph.apply(says("pos", "holder", holder), says("erp", "o", order(BEN), version=2))
    with graph.store.write() as connection:
        graph.writer.apply(connection, 1, [], [says("erp", "o", order(by("loyalty_card", "A")))])
    assert (holder.id, says("erp", "o").head_id) in former(graph)


def test_a_stale_version_by_an_identifier_of_several_customers_is_nobodys(graph: Graph) -> None:
    family = [says("pos", name, party("pos", name, telephone="+441632960001")) for name in ("ann", "ben")]
    graph.apply(*family)
    with graph.store.write() as connection:
        graph.writer.apply(connection, 1, [], [says("erp", "o", order(by("phone", "+441632960001")))])
    assert former(graph) == set()


def test_the_record_that_a_row_was_served_from_before_is_found(graph: Graph) -> None:
    first, second = says("erp", "a", order(ANN)), says("erp", "b", order(ANN))
    graph.apply(first)
    graph.apply(gone(first), second)
    assert former(graph) == {(ANN.target_id, first.head_id)}


def test_a_claim_that_is_withdrawn_is_found(graph: Graph) -> None:
    served = says("erp", "a", order(ANN, shared=True), at=day(2))
    other = says("erp", "b", order(None, shared=True), at=day(1))
    graph.apply(served, other)
    assert former(graph) == set()
    graph.apply(gone(other))
    assert former(graph) == {(ANN.target_id, other.head_id)}


def test_all_records_of_a_shared_row_are_found_when_it_moves(graph: Graph) -> None:
    first, second, third = (
        says("erp", f"r{number}", order(whom, shared=True), at=day(number))
        for number, whom in enumerate([None, ANN, BEN], 1)
    )
    graph.apply(first, second)
    graph.apply(third)
    assert former(graph) >= {(ANN.target_id, first.head_id), (ANN.target_id, second.head_id)}
    assert (ANN.target_id, third.head_id) not in former(graph)


def test_all_records_of_a_shared_row_are_found_when_its_parent_moves(graph: Graph) -> None:
    line = thing("erp", "OrderLine", "1", shared=True, order=to("erp", "Order", "1"))
    lines = [says("erp", f"l{number}", line, at=day(number)) for number in (1, 2)]
    graph.apply(*lines)
    graph.apply(says("erp", "o", order(ANN)))
    graph.apply(says("erp", "o", order(BEN), version=2))
    assert former(graph) >= {(ANN.target_id, said.head_id) for said in lines}


def test_a_repeated_batch_keeps_nothing(graph: Graph) -> None:
    batch = [says("erp", "p", party("erp", "ann")), says("erp", "o", order(ANN))]
    graph.apply(*batch)
    graph.apply(*batch)
    graph.apply(says("erp", "o", order(ANN), version=2, at=day(2)))
    assert former(graph) == set()


def test_whose_a_party_was_is_kept_when_it_goes(graph: Graph) -> None:
    one, other = (says(source, "p", party(source, "p", loyaltyCard="A")) for source in ("erp", "pos"))
    graph.apply(one, other)
    customer = graph.customer_of(one.entities[0])
    graph.apply(gone(other))
    assert graph.rows("SELECT party_id, customer_id FROM former_party") == [(other.entities[0].id, customer)]


def test_a_record_that_stated_a_thing_of_nobody_is_found_by_the_thing(graph: Graph) -> None:
    product = thing("erp", "Product", "t", shared=True)
    first, second = says("erp", "a", product, at=day(1)), says("erp", "b", product, at=day(2))
    graph.apply(first, second)
    graph.apply(gone(first), gone(second))
    assert former(graph) == {(product.id, first.head_id), (product.id, second.head_id)}


@dataclass(frozen=True)
class Model:
    """The graph as it stands, and what a statement that is not served says in it."""

    graph: Graph
    rows: Mapping[str, tuple[str | None, int]]
    """Party and head of each row that may have a party."""
    holders: Sequence[tuple[str, str, str, str, str]]

    @classmethod
    def of(cls, graph: Graph) -> Model:
        rows = {}
        for type_ in graph.store.ontology.types.values():
            whose = '"party_id"' if type_.customer else "id"
            found = graph.rows(f'SELECT id, {whose}, head_id FROM "{type_.table}"')
            rows |= {id_: (party_id, head) for id_, party_id, head in found}
        holders = graph.rows(
            "SELECT scheme, value, type, entity_id, coalesce(customer_id, entity_id) FROM identifier"
            " LEFT JOIN membership ON party_id = entity_id"
        )
        return cls(graph, rows, holders)

    def pairs(self, statements: Iterable[Statement]) -> Pairs:
        found: Pairs = set()
        for said in statements:
            own = {entity.id: entity for entity in said.entities}
            found |= {(p, said.head_id) for e in said.entities if (p := self.party(e, own)) is not None}
        return found

    def party(self, entity: Entity, own: Mapping[str, Entity]) -> str | None:
        type_ = self.graph.store.ontology.type(entity.type)
        if not type_.customer:
            return entity.id
        for path in type_.customer:
            step, _, on = path.partition(".")
            target = self.target(type_.properties[step].range or "", entity.values.get(step))
            if target is not None and on:
                known = self.rows.get(target, (None, 0))[0]
                target = self.party(own[target], own) if target in own else known
            if target is not None:
                return target
        return None

    def target(self, range_: str, value: Any) -> str | None:
        if isinstance(value, Reference):
            return value.target_id
        if not isinstance(value, SharedIdentifier):
            return None
        types = {type_.name for type_ in self.graph.store.ontology.range_types(range_)}
        held = [h for h in self.holders if h[:2] == (value.scheme, value.value) and h[2] in types]
        return min(h[3] for h in held) if len({h[4] for h in held}) == 1 else None


def unserved(batch: Sequence[Statement], model: Model) -> list[Statement]:
    """What of a batch no row is written from."""
    last = {said.head_id: said for said in batch}
    found = [said for said in batch if last[said.head_id] is not said]
    for said in last.values():
        lost = [entity for entity in said.entities if model.rows[entity.id][1] != said.head_id]
        found += [says(said.source, said.record_key, entity, head=said.head_id) for entity in lost]
    return found


@given(
    history=histories(),
    cuts=st.lists(st.integers(0, 99), max_size=6),
    stale=st.sets(st.integers(0, 30)),
)
def test_whoever_was_ever_stated_by_a_record_is_found_by_it(
    graph: Graph, history: list[Statement], cuts: list[int], stale: set[int]
) -> None:
    graph.clear()
    model: Pairs = set()
    bounds = sorted({0, len(history), *(cut % (len(history) + 1) for cut in cuts)})
    for start, end in pairwise(bounds):
        late = [history[at] for at in range(start, end) if at in stale]
        batch = [history[at] for at in range(start, end) if at not in stale]
        graph.landed |= {said.head_id: said for said in batch}
        with graph.store.write() as connection:
            graph.writer.apply(connection, 1, batch, late)
        now = Model.of(graph)
        model |= stated(graph) | now.pairs([*late, *unserved(batch, now)])
        assert stated(graph) | former(graph) == model
