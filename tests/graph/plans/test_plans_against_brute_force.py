"""Plans answer what a row-by-row evaluation answers, in the same bytes from both databases, and leak nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import Effect, mask_for
from hub.errors import AccessDeniedError, LimitError
from hub.graph.plans import (
    Compare,
    Cursor,
    Edges,
    Entry,
    Id,
    ListOf,
    Many,
    Node,
    Nodes,
    Op,
    OrderBy,
    Page,
    PageInfo,
    Root,
    Rows,
    Selection,
    Some,
    Timeline,
    Var,
)
from hub.graph.plans.selection import ById
from hub.ontology import Ontology, Property, PropertyType
from hub.values import Instant, Money
from tests.graph.plans.evaluator import Evaluator, parts, scalar
from tests.graph.plans.plan_strategies import Strategies
from tests.graph.plans.plan_world import DENY, EVERYTHING, Access, Row, Run, World, masked


@given(data=st.data())
def test_a_plan_answers_what_the_rules_say(
    data: st.DataObject, run: Run, company: Ontology, world: World
) -> None:
    strategies = Strategies(company, world)
    root = data.draw(strategies.roots())
    access = data.draw(st.one_of(st.just(EVERYTHING), strategies.access()))
    expected = Evaluator(world, company, access)
    try:
        result = run(root, access)
    except AccessDeniedError:
        assert access is not EVERYTHING
        return
    except LimitError:
        assert sqlite3.sqlite_version_info < (3, 46)
        return
    assert orjson.loads(result.json_text) == expected.answer(root)
    assert set(result.customers) == expected.customers


# pages


def _walk(run: Run, root: Root, path: tuple[str, ...]) -> Iterator[list[str]]:
    """The ids on each page, until there is no next one."""
    after = None
    while True:
        found: Any = orjson.loads(run(root, EVERYTHING, {"after": after}).json_text)
        for step in path:
            found = found[step]
        yield [edge["node"]["id"] for edge in found["edges"]]
        info = found["info"]
        assert info["hasPreviousPage"] is (after is not None)
        if found["edges"]:
            assert info["startCursor"] == found["edges"][0]["cursor"]
            assert info["endCursor"] == found["edges"][-1]["cursor"]
        if not info["hasNextPage"]:
            return
        after = info["endCursor"]


def _edges(node: Any) -> tuple[Any, ...]:
    info = PageInfo("info", parts("hasNextPage hasPreviousPage startCursor endCursor"))
    return (Edges("edges", (Cursor("cursor"), Node("node", node))), info)


@given(data=st.data())
def test_pages_follow_each_other_without_gap_or_overlap(
    data: st.DataObject, run: Run, company: Ontology, world: World
) -> None:
    strategies = Strategies(company, world)
    name = data.draw(st.sampled_from(["Customer", "Order", "OrderLine", "Ticket", "Person"]))
    page = replace(data.draw(strategies.pages(name)), first=data.draw(st.integers(3, 9)), after=Var("after"))
    pages = list(_walk(run, ListOf(name, page, _edges(Selection(name, (Id("id"),)))), ()))
    rows: Any = world.customers.values() if name == "Customer" else world.of(name)
    evaluator = Evaluator(world, company, EVERYTHING)
    expected = evaluator.ordered([row for row in rows if evaluator.passes(row, page.where)], page.order_by)
    assert [id_ for ids in pages for id_ in ids] == [row.id for row in expected]
    assert all(len(ids) == page.first for ids in pages[:-1])


@pytest.mark.parametrize("first", [1, 2, 5])
def test_pages_of_links_and_timelines_follow_each_other(
    run: Run, world: World, company: Ontology, first: int
) -> None:
    for customer in world.customers.values():
        order = (OrderBy("status"), OrderBy("total", descending=True))
        orders = Many(
            "list",
            "Order",
            None,
            Page(None, order, first, Var("after")),
            _edges(Selection("Order", (Id("id"),))),
        )
        timeline = Timeline("list", _edges(Entry(parts("id"))), first=first, after=Var("after"))
        evaluator = Evaluator(world, company, EVERYTHING)
        rows = [row for row in world.of("Order") if row.party in customer.parties]
        whole = evaluator.timeline(
            customer, Timeline("list", (Nodes("nodes", Entry(parts("id"))),), first=99)
        )
        for field, expected in (
            (orders, [row.id for row in evaluator.ordered(rows, order)]),
            (timeline, [entry["id"] for entry in whole["nodes"]]),
        ):
            root = ById(Selection("Customer", (field,)), customer.id)
            assert [id_ for ids in _walk(run, root, ("list",)) for id_ in ids] == expected


# leaks


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _hidden(world: World, company: Ontology, access: Access) -> Iterator[str]:
    """Texts of values that the policy hides and that stand for nothing else."""
    for row in world.rows.values():
        for name, value in row.values.items():
            prop = company.type(row.type).properties[name]
            decision = access.decide(prop.category)
            if decision.effect is not Effect.ALLOW and prop.type is not PropertyType.REFERENCE:
                yield from _telling(prop, value, decision.mask)


def _telling(prop: Property, value: Any, mask: str | None) -> Iterator[str]:
    shown = mask_for(mask, prop.type, many=prop.many).python(value) if mask else None
    short = (PropertyType.BOOLEAN, PropertyType.ENUM, PropertyType.INTEGER, PropertyType.DATE)
    if prop.type not in short and scalar(shown) != scalar(value):
        yield from (str(item) for item in (value if prop.many else [scalar(value)]))


@given(data=st.data())
def test_what_is_denied_or_masked_occurs_nowhere(
    data: st.DataObject, run: Run, company: Ontology, world: World
) -> None:
    strategies = Strategies(company, world)
    access = data.draw(strategies.access())
    root = data.draw(strategies.roots(plain=True))
    leaves = [str(leaf) for leaf in _leaves(orjson.loads(run(root, access).json_text))]
    whole = "\n".join(leaves)
    for secret in _hidden(world, company, access):
        assert secret not in whole


@given(data=st.data())
def test_what_is_not_shown_whole_can_be_neither_filtered_nor_sorted_by(
    data: st.DataObject, run: Run, company: Ontology, world: World
) -> None:
    strategies = Strategies(company, world)
    name = data.draw(st.sampled_from(["Customer", *strategies.type_names()]))
    compare = data.draw(strategies.compare(name).filter(lambda c: c.property not in ("id", "source")))
    prop = strategies.properties(name)[compare.property]
    decision = data.draw(st.sampled_from([DENY, masked("withhold"), masked("initial"), masked("band")]))
    access = Access({prop.category: decision})
    pages = [Page(where=compare)]
    if prop.type is not PropertyType.REFERENCE and not prop.many:
        pages.append(Page(order_by=(OrderBy(prop.name),)))
    for page in pages:
        with pytest.raises(AccessDeniedError, match=prop.category.replace(".", r"\.")):
            run(ListOf(name, page, ()), access)


def test_a_filter_along_a_link_needs_the_link_and_something_of_its_target(
    run: Run, company: Ontology
) -> None:
    where = Some(Rows("OrderLine", "order"))
    all_of_lines = {p.category: DENY for p in company.type("OrderLine").properties.values()}
    for decisions in ({"l.order": DENY}, {"l.order": masked("band")}, all_of_lines):
        with pytest.raises(AccessDeniedError):
            run(ListOf("Order", Page(where=where), ()), Access(decisions))


def test_neither_errors_nor_reprs_repeat_a_value() -> None:
    compare = Compare("name", Op.EQ, "secret value")
    assert "secret" not in repr(compare)
    assert "secret" not in repr(Row("Person", "p", "s", "o", {})) + repr(Instant) + repr(Money)
