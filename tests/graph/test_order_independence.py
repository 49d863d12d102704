"""The graph is a function of what the records say at last: any order, any batches, updates and deletions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.graph.entities import Entity, Statement
from hub.graph.resolution import MatchResolver
from hub.values import Instant, Money
from tests.graph.graph_world import Graph, by, day, gone, party, says, thing, to, to_party

SOURCES = st.sampled_from(["erp", "pos"])
KEYS = st.sampled_from(["1", "2", "3"])
DAYS = st.integers(1, 3).map(day)
CARDS = st.sampled_from(["A", "B", "C"])
PHONES = st.sampled_from(["+441632960001", "+441632960002"])
WHEN = Instant(datetime(2026, 1, 1, tzinfo=UTC), "Europe/London")


def some(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


PARTY_VALUES = some(
    name=st.sampled_from(["Ann Lee", "A. Lee", "Anne Lee"]),
    familyName=st.sampled_from(["Lee", "Łee"]),
    nickname=st.sampled_from(["Ann", "Nan"]),
    notes=st.sampled_from(["x", "longer", "equals"]),
    telephone=PHONES,
    loyaltyCard=CARDS,
    vatID=st.sampled_from(["gb1", "GB1", "GB2"]),
    streetAddress=st.sampled_from(["1 High St", "2 Low Rd"]),
    postalCode=st.sampled_from(["AB1 2CD", "ZZ1 1ZZ"]),
    creditLimit=st.sampled_from([Money(Decimal("10"), "GBP"), Money(Decimal("10.50"), "EUR")]),
    lastSeen=st.just(WHEN),
    active=st.booleans(),
    tags=st.sampled_from([("a",), ("é", "b")]),
)


@st.composite
def party_record(draw: st.DrawFn) -> tuple[str, str, list[Entity]]:
    source, key = draw(SOURCES), draw(KEYS)
    # Two records may state the same party, which is a fault of the mapping that must not break anything.
    record = f"party {key}{draw(st.sampled_from(['', '', ' twin']))}"
    type_ = draw(st.sampled_from(["Person", "Person", "Organization"]))
    return source, record, [party(source, key, type_, **draw(PARTY_VALUES))]


@st.composite
def order_record(draw: st.DrawFn) -> tuple[str, str, list[Entity]]:
    source, key = draw(SOURCES), draw(KEYS)
    customer = draw(
        st.one_of(
            st.builds(to_party, SOURCES, KEYS),
            st.builds(by, st.just("loyalty_card"), CARDS),
            st.builds(by, st.just("phone"), PHONES),
            st.none(),
        )
    )
    sku = draw(st.sampled_from(["s1", "s2"]))
    name = draw(st.sampled_from(["Oak table", "Table of oak"]))
    return (
        source,
        f"order {key}",
        [
            thing(source, "Order", key, customer=customer, when=WHEN, total=Money(Decimal("1.5"), "GBP")),
            thing(
                source, "OrderLine", key, order=to(source, "Order", key), product=to(source, "Product", sku)
            ),
            thing(source, "Product", sku, shared=True, name=name, sku=sku),
            thing(
                source, "Product", "filled", filled=True, **draw(some(name=st.just(name), sku=st.just(sku)))
            ),
        ],
    )


@st.composite
def shipment_record(draw: st.DrawFn) -> tuple[str, str, list[Entity]]:
    key = draw(KEYS)
    customer = draw(st.one_of(st.none(), st.builds(by, st.just("loyalty_card"), CARDS)))
    order = to(draw(SOURCES), "Order", draw(KEYS))
    return (
        "pos",
        f"shipment {key}",
        [thing("pos", "Shipment", key, order=order, customer=customer, when=WHEN)],
    )


@st.composite
def event_record(draw: st.DrawFn) -> tuple[str, str, list[Entity]]:
    key = draw(KEYS)
    shipment = to("pos", "Shipment", draw(KEYS))
    return "pos", f"event {key}", [thing("pos", "ShipmentEvent", key, shipment=shipment, when=WHEN)]


@st.composite
def account_record(draw: st.DrawFn) -> tuple[str, str, list[Entity]]:
    key, number = draw(KEYS), draw(CARDS)
    return (
        "pos",
        f"account {key}",
        [thing("pos", "Account", key, number=number, customer=to_party(draw(SOURCES), draw(KEYS)))],
    )


@st.composite
def ticket_record(draw: st.DrawFn) -> tuple[str, str, list[Entity]]:
    key = draw(KEYS)
    product = draw(st.one_of(st.none(), st.builds(by, st.just("sku"), st.sampled_from(["S1", "S2"]))))
    return (
        "erp",
        f"ticket {key}",
        [thing("erp", "Ticket", key, account=by("account", draw(CARDS)), product=product)],
    )


RECORDS = st.one_of(
    party_record(),
    party_record(),
    party_record(),
    order_record(),
    shipment_record(),
    event_record(),
    account_record(),
    ticket_record(),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Statement]:
    """Versions of records in the order of arrival; some records are deleted, at last or in between."""
    statements: list[Statement] = []
    for version, (source, record, entities) in enumerate(draw(st.lists(RECORDS, min_size=1, max_size=14))):
        statement = says(source, record, *entities, at=draw(DAYS), version=version % 10)
        statements.append(statement)
        if draw(st.integers(0, 4)) == 0:
            statements.append(gone(statement))
    order = draw(st.permutations(range(len(statements))))
    return [statements[index] for index in order]


def in_batches(graph: Graph, statements: Sequence[Statement], cuts: Sequence[int]) -> None:
    bounds = sorted({0, len(statements), *(cut % (len(statements) + 1) for cut in cuts)})
    for start, end in pairwise(bounds):
        graph.apply(*statements[start:end])
        graph.check_invariants()


@given(history=histories(), cuts=st.lists(st.integers(0, 99), max_size=6), data=st.data())
def test_any_order_and_any_batches_give_the_graph_of_the_last_statements(
    graph: Graph, history: list[Statement], cuts: list[int], data: st.DataObject
) -> None:
    graph.clear()
    in_batches(graph, history, cuts)
    reached = graph.canonical()
    last = [said for said in {said.head_id: said for said in history}.values() if said.entities]
    graph.clear()
    in_batches(graph, data.draw(st.permutations(last)), [])
    assert reached == graph.canonical()


@settings(max_examples=20)
@given(history=histories(), cut=st.integers(0, 99))
def test_what_is_postponed_to_the_end_of_a_first_load_comes_to_the_same(
    graph: Graph, history: list[Statement], cut: int
) -> None:
    graph.clear()
    in_batches(graph, history, [])
    reached = graph.canonical() | graph.matched()
    graph.clear()
    half = cut % (len(history) + 1)
    in_batches(graph, history[:half], [])
    graph.apply(*history[half:], postponed=True)
    members = set(graph.rows("SELECT party_id FROM membership"))
    parties = set(graph.rows("SELECT id FROM e_person UNION SELECT id FROM e_organization"))
    resolver = MatchResolver(graph.store)
    with graph.store.write() as connection:
        resolver.compare_anew(connection, [row[0] for row in parties])
        gone_since = [row[0] for row in members - parties]
        graph.writer.regroup(connection, 1, [row[0] for row in parties], gone_since)
    graph.check_invariants()
    assert graph.canonical() | graph.matched() == reached


@given(history=histories(), cuts=st.lists(st.integers(0, 99), max_size=4))
def test_the_change_feed_names_all_that_a_batch_changes_and_nothing_for_a_repetition(
    graph: Graph, history: list[Statement], cuts: list[int]
) -> None:
    graph.clear()
    bounds = sorted({0, len(history), *(cut % (len(history) + 1) for cut in cuts)})
    for start, end in pairwise(bounds):
        before, mark = graph.content(), graph.store.last_change()
        graph.apply(*history[start:end])
        after = graph.content()
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        feed = {(c.type, c.entity_id): c.kind for c in graph.store.changes(mark, 10_000)}
        assert changed <= feed.keys()
        assert all((kind != "delete") == (key in after) for key, kind in feed.items())
        assert graph.apply(*history[start:end]).changes == 0


@given(
    history=st.lists(st.tuples(SOURCES, st.integers(1, 5), CARDS, st.booleans()), max_size=16),
    cuts=st.lists(st.integers(0, 99), max_size=6),
)
def test_an_identifier_that_too_many_share_counts_alike_in_any_order(
    graph: Graph, history: list[tuple[str, int, str, bool]], cuts: list[int]
) -> None:
    graph.clear()
    crowded = Graph(graph.store, resolver=MatchResolver(graph.store, proofs_crowded=2))
    statements = [
        says(source, str(key), *([party(source, str(key), loyaltyCard=card)] if lives else []))
        for source, key, card, lives in history
    ]
    in_batches(crowded, statements, cuts)
    reached = crowded.canonical()
    graph.clear()
    in_batches(crowded, list({said.head_id: said for said in statements}.values()), [])
    assert reached == crowded.canonical()
