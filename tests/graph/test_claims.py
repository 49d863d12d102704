from __future__ import annotations

from tests.graph.graph_world import Graph, day, gone, party, says, thing


def test_the_latest_observed_record_serves_a_shared_entity_in_any_order(graph: Graph) -> None:
    table = thing("pos", "Product", "t", shared=True, name="Table")
    renamed = thing("pos", "Product", "t", shared=True, name="Oak table")
    graph.apply(says("pos", "late", renamed, at=day(2)))
    applied = graph.apply(says("pos", "early", table, at=day(1)))
    assert graph.value(table, "name") == "Oak table"
    assert applied.written == 0
    assert applied.conflicts == ()


def test_the_runner_up_is_served_when_the_winner_withdraws_or_changes(graph: Graph) -> None:
    products = [thing("pos", "Product", "t", shared=True, name=f"Table {number}") for number in range(3)]
    records = [
        says("pos", f"r{number}", product, at=day(number + 1)) for number, product in enumerate(products)
    ]
    graph.apply(*records)
    assert graph.value(products[0], "name") == "Table 2"
    graph.apply(gone(records[2]))
    assert graph.value(products[0], "name") == "Table 1"
    graph.apply(says("pos", "r1", thing("pos", "Product", "other", shared=True), at=day(4), version=2))
    assert graph.value(products[0], "name") == "Table 0"
    assert graph.apply(gone(records[0])).entities_removed == {"Product": 1}


def test_a_claim_that_its_record_no_longer_makes_is_passed_over(graph: Graph) -> None:
    product = thing("pos", "Product", "t", shared=True, name="Table")
    first, second, third = (says("pos", f"r{number}", product, at=day(number)) for number in (1, 2, 3))
    graph.apply(first, second, third)
    graph.landed[second.head_id] = gone(second)  # its mapping has changed since
    graph.apply(gone(third))
    assert graph.value(product, "record_key") == "r1"


def test_a_repeated_shared_entity_costs_no_change_entry(graph: Graph) -> None:
    product = thing("pos", "Product", "t", shared=True, name="Table")
    graph.apply(says("pos", "r1", product, at=day(1)))
    applied = graph.apply(says("pos", "r2", product, at=day(2)))
    assert (applied.written, applied.changes) == (0, 0)
    assert graph.value(product, "record_key") == "r2"


def test_what_the_latest_record_leaves_out_of_a_filled_entity_the_next_one_says(graph: Graph) -> None:
    """In any order, and also when what filled it changes or goes."""
    made = says("pos", "made", thing("pos", "Product", "t", filled=True, name="Table", sku="T-1"), at=day(1))
    seen = says("pos", "seen", thing("pos", "Product", "t", filled=True, name="Oak table"), at=day(2))
    lost = says("pos", "lost", thing("pos", "Product", "t", filled=True), at=day(3))
    product = lost.entities[0]

    def told() -> tuple[str, str, str]:
        return tuple(graph.value(product, each) for each in ("name", "sku", "record_key"))

    graph.apply(lost)
    graph.apply(made)
    assert told() == ("Table", "T-1", "lost")
    graph.apply(seen)
    assert told() == ("Oak table", "T-1", "lost")
    again = thing("pos", "Product", "t", filled=True, name="Chair", sku="T-2")
    made = says("pos", "made", again, at=day(1), version=2)
    graph.apply(made)
    assert told() == ("Oak table", "T-2", "lost")
    graph.apply(gone(seen))
    assert told() == ("Chair", "T-2", "lost")
    graph.apply(gone(made))
    assert told() == (None, None, "lost")


def test_a_filled_entity_takes_nothing_from_records_that_do_not_fill(graph: Graph) -> None:
    graph.apply(says("pos", "whole", thing("pos", "Product", "t", shared=True, sku="T-1"), at=day(1)))
    product = thing("pos", "Product", "t", filled=True, name="Table")
    graph.apply(says("pos", "filled", product, at=day(2)))
    assert (graph.value(product, "name"), graph.value(product, "sku")) == ("Table", None)


def test_two_records_that_state_one_unshared_entity_are_a_reported_conflict(graph: Graph) -> None:
    one, other = party("erp", "1", name="One"), party("erp", "1", name="Other")
    early, late = says("erp", "a", one, at=day(1)), says("erp", "b", other, at=day(2))
    assert graph.apply(late).conflicts == ()
    assert graph.apply(early).conflicts == ((early.head_id, one.id, "Person"),)
    assert graph.value(one, "name") == "Other"
    graph.apply(gone(late))
    assert graph.value(one, "name") == "One"


def test_one_record_that_states_an_entity_twice_is_a_reported_conflict(graph: Graph) -> None:
    said = says("erp", "a", party("erp", "1", name="One"), party("erp", "1", name="Other"))
    assert graph.apply(said).conflicts == ((said.head_id, said.entities[0].id, "Person"),)
    assert graph.value(said.entities[0], "name") == "Other"


def test_an_entity_may_change_its_type_and_keeps_its_customer(graph: Graph) -> None:
    person = party("erp", "1", name="Lee & Sons", vatID="GB1")
    graph.apply(says("erp", "a", person))
    customer = graph.customer_of(person)
    company = party("erp", "1", "Organization", name="Lee & Sons", vatID="GB1")
    applied = graph.apply(says("erp", "a", company, version=2))
    assert (applied.entities_written, applied.entities_removed) == ({"Organization": 1}, {"Person": 1})
    assert graph.customer_of(company) == customer
    assert graph.golden(company, "kind") == "ORGANIZATION"


def test_a_record_that_states_less_removes_what_it_left_out(graph: Graph) -> None:
    lines = [thing("erp", "OrderLine", str(number)) for number in range(3)]
    graph.apply(says("erp", "order", *lines))
    applied = graph.apply(says("erp", "order", lines[1], version=2))
    assert applied.entities_removed == {"OrderLine": 2}
    assert [row[0] for row in graph.rows("SELECT id FROM e_order_line")] == [lines[1].id]


def test_a_new_version_of_equal_content_names_the_new_version_and_changes_nothing_else(graph: Graph) -> None:
    person = party("erp", "1", name="Ann Lee")
    graph.apply(says("erp", "a", person, version=1))
    again = says("erp", "a", person, version=2)
    applied = graph.apply(again)
    assert (applied.written, applied.changes) == (0, 0)
    assert graph.value(person, "record_id") == again.record_id


def test_of_several_statements_of_a_record_in_a_batch_the_last_counts(graph: Graph) -> None:
    first, last = party("erp", "1", name="Ann"), party("erp", "1", name="Anne")
    graph.apply(says("erp", "a", first, at=day(2)), says("erp", "a", last, at=day(1), version=2))
    assert graph.value(first, "name") == "Anne"
