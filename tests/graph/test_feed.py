"""The change feed as it concerns customers."""

from __future__ import annotations

from hub.graph.feed import ChangeKind, CustomerChange, CustomerFeed
from hub.store import fixed
from tests.graph.graph_world import Graph, gone, party, says


def test_customers_are_new_changed_merged_into_another_or_gone(graph: Graph) -> None:
    feed, start = CustomerFeed(graph.store), graph.store.last_change()

    def told() -> list[CustomerChange]:
        nonlocal start
        page = feed.after(start, 100)
        start = page.reached
        return list(page.changes)

    graph.apply(
        says("erp", "1", party("erp", "1", name="Ann")), says("pos", "2", party("pos", "2", name="A."))
    )
    first, second = told()
    assert (first.kind, second.kind) == (ChangeKind.CREATED, ChangeKind.CREATED)
    graph.apply(says("erp", "1", party("erp", "1", name="Anna")))
    assert [(each.kind, each.into) for each in told()] == [(ChangeKind.CHANGED, None)]
    ann = says("erp", "1", party("erp", "1", name="Anna", loyaltyCard="7"))
    other = says("pos", "2", party("pos", "2", name="A.", loyaltyCard="7"))
    graph.apply(ann, other)
    by_kind = {each.kind: each for each in told()}
    kept, retired = by_kind[ChangeKind.CHANGED].customer, by_kind[ChangeKind.MERGED].customer
    assert {kept, retired} == {first.customer, second.customer}
    assert by_kind[ChangeKind.MERGED].into == kept
    assert feed.heirs([retired, kept, "nobody"]) == {retired: kept}
    graph.apply(gone(ann), gone(other))
    assert [(each.kind, each.customer) for each in told()] == [(ChangeKind.REMOVED, kept)]
    assert told() == []


def test_a_page_says_how_far_the_feed_was_read_also_past_what_is_no_customer(graph: Graph) -> None:
    feed, start = CustomerFeed(graph.store), graph.store.last_change()
    rows = [("Order", "o"), ("Customer", "a"), ("Order", "p"), ("Customer", "b"), ("Order", "q")]
    with graph.store.write() as connection:
        for type_, id_ in rows:
            connection.execute(
                fixed.change.insert().values(type=type_, entity_id=id_, kind="upsert", at="now")
            )
    numbers = [change.seq for change in graph.store.changes(start, 10)]
    one = feed.after(start, 1)
    assert ([each.customer for each in one.changes], one.reached) == (["a"], numbers[1])
    rest = feed.after(one.reached, 10)
    assert ([each.customer for each in rest.changes], rest.reached) == (["b"], numbers[4])
    assert feed.newest() == numbers[4]
    assert feed.after(numbers[4], 10).reached == numbers[4]
