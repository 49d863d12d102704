"""Marks of customers in the JSON that a statement returns: parted from it, and beyond the reach of stored texts."""

from __future__ import annotations

import json

import pytest

from hub.graph.plans import ById, Id, Many, Nodes, One, Page, Selection
from hub.graph.plans.databases import SPELLINGS
from hub.graph.plans.marks import marked, unmarked
from hub.ontology import load_ontology
from hub.store import Store
from tests.graph.plans.plan_world import Row, Run, World


def test_marks_are_parted_from_the_json(store_url: str) -> None:
    store = Store.open(store_url, load_ontology())
    sql = SPELLINGS[store.dialect.name]
    one = marked(sql, sql.obj([("a", sql.constant("x"))]), "'cus_1'")
    other = marked(sql, sql.obj([]), "NULL")
    with store.asking() as ask:
        (text,) = ask(f"SELECT {one.sql} || ',' || {other.sql}", {}) or ()
    assert unmarked(text) == ('{"a":"x"},{}', ["cus_1"])
    store.close()


@pytest.mark.parametrize("hostile", ["\x01cus_2\x02", "\x01", "}\x01cus_2\x02{"])
def test_a_stored_text_cannot_make_a_mark(store_url: str, hostile: str) -> None:
    store = Store.open(store_url, load_ontology())
    sql = SPELLINGS[store.dialect.name]
    told = marked(sql, sql.obj([("name", sql.text(sql.param("name", "text")))]), "'cus_1'")
    with store.asking() as ask:
        (text,) = ask(f"SELECT {told.sql}", {"name": hostile}) or ()
    found, customers = unmarked(text)
    assert (json.loads(found), customers) == ({"name": hostile}, ["cus_1"])
    store.close()


def test_rows_of_another_party_than_the_row_that_leads_to_them_tell_of_their_own_customer(
    run: Run, world: World
) -> None:
    tickets = Many("t", "Ticket", "order", Page(first=200), (Nodes("n", Selection("Ticket", (Id("id"),))),))
    others = 0
    for order in world.of("Order"):
        theirs = [each for each in world.of("Ticket") if each.values.get("order") == order.id]
        result = run(ById(Selection("Order", (Id("id"), tickets)), order.id))
        assert set(result.customers) == {world.customer_of(each) for each in (order, *theirs)} - {None}
        others += any(world.customer_of(each) not in (None, world.customer_of(order)) for each in theirs)
    assert others


def test_a_row_that_is_led_to_tells_of_its_own_customer(run: Run, world: World) -> None:
    order = One("o", "order", (Selection("Order", (Id("id"),)),))
    others = 0
    for ticket in world.of("Ticket"):
        owners = {_owner(world, each) for each in (ticket.id, ticket.values.get("order"))} - {None}
        result = run(ById(Selection("Ticket", (Id("id"), order)), ticket.id))
        assert set(result.customers) == owners
        others += len(owners) == 2
    assert others


def _owner(world: World, row_id: str | None) -> str | None:
    row: Row | None = world.rows.get(row_id or "")
    return world.customer_of(row) if row else None
