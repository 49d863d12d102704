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

from hub.access import Decision, Effect, mask_for
from hub.errors import AccessDeniedError, LimitError
from hub.graph.plans import (
    Compare,
    Cursor,
    Edges,
    Entry,
    EntryEntity,
    Facts,
    Freshness,
    Household,
    Id,
    Identifiers,
    ListOf,
    Many,
    Members,
    Node,
    Nodes,
    One,
    Op,
    OrderBy,
    Origin,
    Owner,
    Page,
    PageInfo,
    Parties,
    Root,
    Rows,
    Selection,
    Some,
    Ties,
    Timeline,
    ToOne,
    TotalCount,
    Value,
    Var,
)
from hub.graph.plans.selection import ById
from hub.ontology import Ontology, Property, PropertyType
from hub.values import Instant, Money
from tests.graph.plans.evaluator import Evaluator, parts
from tests.graph.plans.forms import scalar
from tests.graph.plans.plan_strategies import Strategies
from tests.graph.plans.plan_world import DENY, EVERYTHING, Access, Row, Run, World, categories, masked


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


@given(data=st.data())
def test_aggregates_are_what_the_rows_add_up_to(
    data: st.DataObject, run: Run, company: Ontology, world: World
) -> None:
    strategies = Strategies(company, world)
    name = data.draw(st.sampled_from(["Customer", *strategies.type_names()]))
    where = data.draw(st.one_of(st.none(), strategies.filters(name, 1)))
    root = ListOf(name, Page(where), (data.draw(Strategies.figures(strategies, name)),))
    access = data.draw(st.one_of(st.just(EVERYTHING), strategies.access()))
    expected = Evaluator(world, company, access)
    try:
        result = run(root, access)
    except AccessDeniedError:
        assert access is not EVERYTHING
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
    shown = mask_for(mask, prop).python(value) if mask else None
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


def _everything(company: Ontology) -> ListOf:
    """All customers with all that can be asked of them."""

    def plain(name: str, *more: Any) -> Selection:
        known = company.customer_properties if name == "Customer" else company.type(name).properties
        values = (Value(prop.name, prop.name) for prop in known.values() if not prop.range)
        origins = () if name == "Customer" else (Origin("recordKey", "recordKey"),)
        return Selection(name, (Id("id"), *values, *origins, *more))

    def several(alias: str, node: Selection, by: str | None = None) -> Many:
        fields = (Edges("edges", (Cursor("cursor"), Node("node", node))), TotalCount("count"))
        return Many(alias, node.type, by, Page(), fields)

    line = plain("OrderLine", One("product", "product", (plain("Product"),)))
    buyer = One("buyer", "customer", (plain("Person"), plain("Organization")))
    order = plain("Order", several("lines", line, "order"), buyer, Owner("owner", plain("Customer")))
    entry = (
        *parts("id type at phase title source"),
        EntryEntity("entity", (plain("Order"), plain("Ticket"))),
    )
    fact = "property value json type entityId source stream recordKey recordId observedAt rule wins"
    tie = "memberId since sameAddress sameFamilyName sharedContact sharedAccount"
    organization = plain("Organization", several("staff", plain("Person"), "worksFor"))
    customer = plain(
        "Customer",
        several("orders", order),
        several("tickets", plain("Ticket")),
        Facts("facts", parts(fact)),
        Identifiers("identifiers", parts("scheme value strong source type property entityId")),
        Parties(
            "parties", (plain("Person", One("firm", "worksFor", (plain("Organization"),))), organization)
        ),
        Household(
            "household", (*parts("id size"), Members("members", plain("Customer")), Ties("ties", parts(tie)))
        ),
        Freshness("freshness", parts("source lastSuccessAt state newestObservedAt rows")),
        Timeline("timeline", (Nodes("nodes", Entry(entry)), TotalCount("count"))),
    )
    return ListOf("Customer", Page(first=99), (Nodes("nodes", customer),))


def _without_cursors(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_cursors(each) for key, each in value.items() if key != "cursor"}
    return [_without_cursors(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "decision", [DENY, masked("withhold"), masked("year"), masked("band"), masked("phone")]
)
def test_each_category_is_obeyed_in_every_part_of_the_answer(
    decision: Decision, run: Run, company: Ontology, world: World
) -> None:
    root = _everything(company)
    answers = set()
    for category in categories(company):
        access = Access({category: decision})
        result = run(root, access)
        answer = orjson.loads(result.json_text)
        expected = Evaluator(world, company, access)
        assert _without_cursors(answer) == expected.answer(root)
        assert set(result.customers) == expected.customers
        cursors = [leaf for leaf in _leaves(answer) if isinstance(leaf, str)]
        whole = "\n".join(map(str, _leaves(answer))) + "\n".join(map(_decoded, cursors))
        assert not [secret for secret in _hidden(world, company, access) if secret in whole]
        answers.add(result.json_text)
    assert len(answers) > len(categories(company)) // 3


def _decoded(leaf: str) -> str:
    try:
        return bytes.fromhex(leaf).decode()
    except ValueError:
        return ""


@given(data=st.data())
def test_what_is_not_shown_whole_can_be_neither_filtered_nor_sorted_by(
    data: st.DataObject, run: Run, company: Ontology, world: World
) -> None:
    strategies = Strategies(company, world)
    name = data.draw(st.sampled_from(["Customer", *strategies.type_names()]))
    compare = data.draw(strategies.compare(name).filter(lambda c: c.property not in ("id", "source", "kind")))
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
    nothing = {prop.category: DENY for prop in company.type("Person").properties.values()}
    with pytest.raises(AccessDeniedError, match="no property of Person"):
        run(ListOf("Order", Page(where=Some(ToOne("customer", "Person"))), ()), Access(nothing))
    unlinked = Access({"t.customer": DENY, "t.order": DENY})
    with pytest.raises(AccessDeniedError, match="belongs to a customer"):
        run(ListOf("Customer", Page(where=Some(Rows("Ticket"))), ()), unlinked)


def test_phases_that_follow_from_a_hidden_order_time_cannot_be_filtered_by(run: Run) -> None:
    timeline = Timeline("t", (TotalCount("n"),), phases=("purchase",))
    for decision in (DENY, masked("year")):
        with pytest.raises(AccessDeniedError, match=r"Order\.at \(o\.at\)"):
            run(ById(Selection("Customer", (timeline,)), "customer0"), Access({"o.at": decision}))


def test_neither_errors_nor_reprs_repeat_a_value() -> None:
    compare = Compare("name", Op.EQ, "secret value")
    assert "secret" not in repr(compare)
    assert "secret" not in repr(Row("Person", "p", "s", "o", {})) + repr(Instant) + repr(Money)
