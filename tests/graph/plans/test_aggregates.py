"""Aggregates in detail: forms of figures and keys, pages of groups, what is refused, whom they report."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import AccessDeniedError, LimitError, QueryError
from hub.graph.plans import (
    Aggregate,
    ById,
    Compare,
    Constant,
    Edges,
    Figure,
    Figures,
    GroupKey,
    GroupOrder,
    Groups,
    Id,
    KeyAlong,
    KeyValue,
    ListOf,
    Many,
    Node,
    Nodes,
    Op,
    Page,
    Part,
    RowCount,
    Selection,
    Timeline,
    TotalCount,
    Unit,
    Value,
    Var,
    compile_plan,
    execute,
)
from hub.graph.plans.aggregates import SCAN
from hub.ontology import Ontology
from hub.store import Store
from hub.values import Instant, Money
from tests.graph.plans.evaluator import Evaluator, parts
from tests.graph.plans.plan_strategies import Strategies
from tests.graph.plans.plan_world import (
    DENY,
    EVERYTHING,
    Access,
    Row,
    Run,
    World,
    categories,
    denying,
    fill,
    masked,
)

COUNT = RowCount("count")
STATUS = GroupKey("key", (KeyValue("status", "status"),))


def figures(function: Any, *names: str) -> Figures:
    return Figures(function, function, tuple(Figure(name, name) for name in names))


def over_all(type_name: str, *fields: Any, where: Any = None) -> ListOf:
    return ListOf(type_name, Page(where), (Aggregate("all", fields),))


def grouped(type_name: str, keys: tuple[Any, ...], *fields: Any, **more: Any) -> ListOf:
    return ListOf(type_name, Page(), (Groups("groups", (GroupKey("key", keys), *fields), **more),))


def answered(empty_url: str, company: Ontology, rows: list[Row], root: ListOf) -> Any:
    """What a store with these rows alone answers."""
    store = Store.open(empty_url, company)
    try:
        fill(store, World({row.id: row for row in rows}, {}, {}))
        plan = compile_plan(company, root, EVERYTHING, store.dialect.name)
        with store.read() as connection:
            return orjson.loads(execute(connection, plan).json_text)
    finally:
        store.close()


def row(type_name: str, number: int, **values: Any) -> Row:
    return Row(type_name, f"{type_name.lower()}{number}", "erp", "2026-01-01T00:00:00.000000Z", values)


# figures


def test_no_two_currencies_are_ever_added_or_compared(empty_url: str, company: Ontology) -> None:
    totals = [("10.10", "GBP"), ("0.0001", "JPY"), ("5", "EUR"), ("-2.35", "GBP"), ("7.5", "EUR"), None]
    rows = [
        row("Order", n, **({"total": Money(Decimal(t[0]), t[1])} if t else {})) for n, t in enumerate(totals)
    ]
    functions = [figures(function, "total") for function in ("sum", "min", "max")]
    answer = answered(empty_url, company, rows, over_all("Order", COUNT, *functions))["all"]
    assert answer["count"] == 6
    listed = {
        key: [(each["amount"], each["currency"]) for each in answer[key]["total"]]
        for key in ("sum", "min", "max")
    }
    assert listed == {
        "sum": [("12.50", "EUR"), ("7.75", "GBP"), ("0.0001", "JPY")],
        "min": [("5.00", "EUR"), ("-2.35", "GBP"), ("0.0001", "JPY")],
        "max": [("7.50", "EUR"), ("10.10", "GBP"), ("0.0001", "JPY")],
    }


def test_figures_of_no_rows_are_zero_missing_and_empty(run: Run) -> None:
    nobody = Compare("id", Op.EQ, "nobody")
    lines = over_all("OrderLine", COUNT, figures("sum", "quantity", "position"), where=nobody)
    assert run(lines).json_text == '{"all":{"count":0,"sum":{"quantity":null,"position":null}}}'
    orders = over_all("Order", COUNT, figures("max", "total", "at"), where=nobody)
    assert run(orders).json_text == '{"all":{"count":0,"max":{"total":[],"at":null}}}'
    groups = ListOf("Order", Page(nobody), (Groups("groups", (STATUS, COUNT)),))
    assert run(groups).json_text == '{"groups":[]}'


def test_sums_are_exact_where_a_float_would_not_be(empty_url: str, company: Ontology) -> None:
    rows = [row("OrderLine", n, position=2**53, quantity=Decimal("9007199254740.993")) for n in range(3)]
    rows.append(row("OrderLine", 3, position=1, quantity=Decimal("0.001")))
    answer = answered(empty_url, company, rows, over_all("OrderLine", figures("sum", "position", "quantity")))
    assert answer == {"all": {"sum": {"position": 3 * 2**53 + 1, "quantity": "27021597764222.98"}}}


@pytest.mark.parametrize(
    ("type_name", "name", "large"),
    [
        ("OrderLine", "position", 2**62),
        ("OrderLine", "quantity", Decimal(2**62).scaleb(-3)),
        ("Order", "total", Money(Decimal(2**62).scaleb(-4), "GBP")),
    ],
)
def test_a_sum_beyond_64_bits_is_refused_and_never_rounded(
    empty_url: str, company: Ontology, type_name: str, name: str, large: Any
) -> None:
    rows = [row(type_name, n, **{name: large}) for n in range(2)]
    answer = answered(empty_url, company, rows[:1], over_all(type_name, figures("sum", name)))
    assert answer["all"]["sum"][name]
    root = over_all(type_name, figures("sum", name))
    with pytest.raises(LimitError, match="64 bits"):
        answered(empty_url, company, rows, root)


# keys


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (Unit.YEAR, {"2025": 1, "2026": 4, None: 1}),
        (Unit.QUARTER, {"2025-Q4": 1, "2026-Q1": 2, "2026-Q2": 1, "2026-Q3": 1, None: 1}),
        (Unit.MONTH, {"2025-12": 1, "2026-01": 1, "2026-03": 1, "2026-04": 1, "2026-07": 1, None: 1}),
        (
            Unit.DAY,
            {"2025-12-31": 1, "2026-01-01": 1, "2026-03-31": 1, "2026-04-01": 1, "2026-07-15": 1, None: 1},
        ),
    ],
)
def test_instants_are_grouped_by_the_calendar_in_utc(
    empty_url: str, company: Ontology, unit: Unit, expected: dict[str | None, int]
) -> None:
    # The first is the new year already in London's summer zone of +01:00, and not yet in UTC.
    times = ["2026-01-01T00:30:00+01:00", "2026-01-01T00:00:00+00:00", "2026-03-31T23:59:59.999999+00:00",
             "2026-04-01T00:00:00+00:00", "2026-07-15T12:00:00+02:00"]  # fmt: skip
    rows = [row("Order", n, at=Instant(datetime.fromisoformat(at), "UTC")) for n, at in enumerate(times)]
    root = grouped("Order", (KeyValue("at", "at", unit),), COUNT, order=GroupOrder.KEY_ASC)
    answer = answered(empty_url, company, [*rows, row("Order", 9)], root)["groups"]
    assert [(group["key"]["at"], group["count"]) for group in answer] == list(expected.items())


def test_a_date_that_is_known_less_exactly_stands_under_what_is_known(
    empty_url: str, company: Ontology
) -> None:
    dates = ["2026", "2026-05", "2026-05-31", "2026-06-01"]
    rows = [row("Order", n, promised=date) for n, date in enumerate(dates)]
    for unit, expected in [
        (Unit.YEAR, ["2026"]),
        (Unit.QUARTER, ["2026", "2026-Q2"]),
        (Unit.MONTH, ["2026", "2026-05", "2026-06"]),
        (Unit.DAY, dates),
    ]:
        root = grouped("Order", (KeyValue("day", "promised", unit),), order=GroupOrder.KEY_ASC)
        found = answered(empty_url, company, rows, root)["groups"]
        assert [group["key"]["day"] for group in found] == expected


def test_values_that_an_enum_no_longer_has_are_one_group_with_the_missing_ones(
    empty_url: str, company: Ontology
) -> None:
    held = [{"status": "gone"}, {"status": "lost"}, {}, {"status": "open"}]
    rows = [row("Order", n, **values) for n, values in enumerate(held)]
    answer = answered(empty_url, company, rows, grouped("Order", STATUS.fields, COUNT))
    assert answer["groups"] == [
        {"key": {"status": None}, "count": 3},
        {"key": {"status": "open"}, "count": 1},
    ]


def test_a_key_may_lead_along_references_and_to_the_customer(run: Run, world: World) -> None:
    keys = (
        KeyAlong("product", "product", (Constant("__typename", "P"), KeyValue("sku", "sku"))),
        KeyAlong("who", None, (KeyValue("id", "id"),)),
    )
    answer = orjson.loads(run(grouped("OrderLine", keys, COUNT, first=99)).json_text)["groups"]
    found = {(group["key"]["product"]["sku"], group["key"]["who"]["id"]): group["count"] for group in answer}
    counted: dict[Any, int] = {}
    for line in world.of("OrderLine"):
        product = world.rows.get(line.values.get("product", ""))
        key = (product.values.get("sku") if product else None, world.customer_of(line))
        counted[key] = counted.get(key, 0) + 1
    assert found == counted
    assert sum(found.values()) == len(world.of("OrderLine"))


# pages of groups


@given(order=st.sampled_from(GroupOrder), first=st.integers(1, 5))
def test_pages_of_groups_follow_each_other_without_gap_or_overlap(
    order: GroupOrder, first: int, run: Run
) -> None:
    keys = (KeyValue("source", "source"), KeyValue("at", "at", Unit.QUARTER))
    root = grouped("Order", keys, COUNT, order=order, first=Var("first"), skip=Var("skip"))
    whole = orjson.loads(run(root, variables={"first": 99, "skip": 0}).json_text)["groups"]
    pages = [
        orjson.loads(run(root, variables={"first": first, "skip": skip}).json_text)["groups"]
        for skip in range(0, len(whole), first)
    ]
    assert [group for page in pages for group in page] == whole
    assert run(root, variables={"first": first, "skip": len(whole)}).json_text == '{"groups":[]}'


@pytest.mark.parametrize("skip", [-1, True, "3", None, 1.5, 2**31])
def test_what_is_no_number_of_groups_cannot_be_skipped(run: Run, skip: Any) -> None:
    with pytest.raises(QueryError, match="`skip` takes a whole number"):
        run(grouped("Order", STATUS.fields, skip=Var("skip")), variables={"skip": skip})


def test_more_groups_than_a_page_holds_are_refused(run: Run) -> None:
    with pytest.raises(LimitError, match="max_page is 200"):
        run(grouped("Order", STATUS.fields, first=201))


# what is refused


@given(data=st.data())
def test_what_is_not_shown_whole_can_be_neither_aggregated_nor_grouped_by(
    data: st.DataObject, run: Run, company: Ontology, world: World
) -> None:
    strategies = Strategies(company, world)
    name = data.draw(st.sampled_from(["Customer", *strategies.type_names()]))
    item = data.draw(Strategies.figures(strategies, name))
    root = ListOf(name, Page(), (item,))
    used = compile_plan(company, root, EVERYTHING, "sqlite").reads.categories
    for category in used:
        for decision in (DENY, masked("withhold"), masked("initial"), masked("band")):
            # Whose rows are grouped is told by several references; the refusal then names none of them.
            with pytest.raises(AccessDeniedError, match=f"{re.escape(category)}|belongs to a customer"):
                run(root, Access({category: decision}))


def test_keys_that_lead_to_what_may_not_be_known_of_are_refused(run: Run, company: Ontology) -> None:
    products = denying(*(prop.category for prop in company.type("Product").properties.values()))
    with pytest.raises(AccessDeniedError, match="no property of Product"):
        run(grouped("OrderLine", (KeyAlong("p", "product", (KeyValue("id", "id"),)),)), products)
    person = denying(*(prop.category for prop in company.type("Person").properties.values()))
    with pytest.raises(AccessDeniedError, match="no property of Person"):
        run(grouped("Order", (KeyAlong("c", "customer", (KeyValue("id", "id"),)),)), person)
    owner = grouped("Order", (KeyAlong("c", None, (KeyValue("id", "id"),)),))
    with pytest.raises(AccessDeniedError, match="belongs to a customer"):
        run(owner, denying("o.customer"))
    golden = [prop.category for prop in company.customer_properties.values()]
    assert run(owner, denying(*golden)).customers  # orders still tell that there are customers
    people = grouped("Person", (KeyAlong("c", None, (KeyValue("id", "id"),)),))
    with pytest.raises(AccessDeniedError, match="no property of Customer"):
        run(people, denying(*(category for category in categories(company) if category != "c.work")))


@pytest.mark.parametrize(
    "item",
    [
        Aggregate("a", (figures("sum", "at"),)),
        Aggregate("a", (figures("sum", "promised"),)),
        Aggregate("a", (figures("max", "number"),)),
        Aggregate("a", (figures("max", "codes"),)),
        Aggregate("a", (figures("min", "customer"),)),
        Aggregate("a", (figures("sum", "nothing"),)),
        Aggregate("a", (Figures("s", "sum", (Figure("t", "total", (Part("x", "cents"),)),)),)),
        Aggregate("a", (Figures("s", "min", (Figure("t", "at", parts("at")),)),)),
        Aggregate("a", (COUNT, COUNT)),
        Aggregate("a", (figures("sum", "total", "total"),)),
        Groups("g", (COUNT,)),
        Groups("g", (GroupKey("key", (Constant("__typename", "x"),)), COUNT)),
        Groups("g", (GroupKey("key", (KeyValue("a", "nothing"),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "total"),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "total", parts=parts("amount")),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "status", parts=parts("currency")),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "at"),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "status", Unit.DAY),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "id", Unit.DAY),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "codes"),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "customer"),)),)),
        Groups("g", (GroupKey("key", (KeyValue("a", "kind"),)),)),
        Groups("g", (GroupKey("key", (KeyAlong("a", "status", ()),)),)),
        Groups("g", (GroupKey("key", (KeyAlong("a", "customer", (KeyValue("x", "name"),)),)),)),
        Groups("g", (GroupKey("key", (KeyAlong("a", None, (KeyAlong("b", None, ()),)),)),)),
        Groups('a"', (STATUS,)),
    ],
)
def test_what_cannot_be_aggregated_or_grouped_by_is_refused(run: Run, item: Any) -> None:
    with pytest.raises(QueryError):
        run(ListOf("Order", Page(), (item,)))


def test_a_product_has_no_customer_to_group_by_and_a_timeline_no_aggregates(run: Run) -> None:
    with pytest.raises(QueryError, match="no customer"):
        run(grouped("Product", (KeyAlong("a", None, (KeyValue("id", "id"),)),)))
    for item in (Aggregate("a", (COUNT,)), Groups("g", (STATUS,))):
        with pytest.raises(QueryError, match="timeline"):
            run(ById(Selection("Customer", (Timeline("t", (item,)),)), "customer0"))


def test_keys_of_more_values_or_references_than_allowed_are_refused(run: Run) -> None:
    units = [KeyValue(f"k{name}{unit}", name, unit) for name in ("at", "promised") for unit in Unit]
    run(grouped("Order", tuple(units)))
    with pytest.raises(LimitError, match="8 values"):
        run(grouped("Order", (*units, KeyValue("status", "status"))))
    chain: Any = KeyValue("name", "name")
    for _ in range(8):
        chain = KeyAlong("up", "parent", (chain,))
    run(grouped("Organization", (chain,)))
    with pytest.raises(LimitError, match="8 references"):
        run(grouped("Organization", (KeyAlong("up", "parent", (chain,)),)))


# what a plan tells of itself


def test_a_plan_records_what_is_aggregated_and_grouped_by(company: Ontology) -> None:
    keys = (KeyAlong("order", "order", (KeyValue("status", "status"),)),)
    plan = compile_plan(company, grouped("OrderLine", keys, figures("sum", "quantity")), EVERYTHING, "sqlite")
    assert plan.reads.types == ("Order", "OrderLine")
    assert plan.reads.properties == ("Order.status", "OrderLine.order", "OrderLine.quantity")
    assert plan.reads.categories == ("l.order", "l.quantity", "o.status")
    ids = (KeyAlong("order", "order", (KeyValue("id", "id"),)),)
    assert compile_plan(company, grouped("OrderLine", ids), EVERYTHING, "sqlite").reads.types == (
        "Order",
        "OrderLine",
    )


def test_the_cost_counts_each_group_and_takes_money_for_several_currencies(company: Ontology) -> None:
    total = Figures("sum", "sum", (Figure("total", "total", parts("amount currency")),))
    root = grouped("Order", STATUS.fields, COUNT, total, first=Var("n"))
    plan = compile_plan(company, root, EVERYTHING, "sqlite")
    per_group = 2 + 1 + (1 + 1 + 5 * 2)
    assert plan.cost({"n": 7}) == 1 + SCAN + 7 * per_group
    assert plan.cost() == 1 + SCAN + 200 * per_group


def test_rows_of_one_customer_cost_their_fields_and_others_a_scan_for_each_row_above(
    company: Ontology,
) -> None:
    def cost(type_name: str, many: Many) -> int:
        root = ListOf(type_name, Page(first=3), (Nodes("n", Selection(type_name, (many,))),))
        return compile_plan(company, root, EVERYTHING, "sqlite").cost()

    all_ = (Aggregate("all", (COUNT,)),)
    assert cost("Customer", Many("o", "Order", None, Page(), all_)) == 1 + 3 * (1 + 1 + 1)
    assert cost("Product", Many("l", "OrderLine", "product", Page(), all_)) == 1 + 3 * (1 + 1 + 1 + SCAN)


def test_the_rows_of_a_list_are_grouped_once(company: Ontology) -> None:
    root = ListOf(
        "Order", Page(), (Aggregate("all", (COUNT, figures("sum", "total"))), Groups("g", (STATUS, COUNT)))
    )
    for dialect in ("sqlite", "postgresql"):
        plan = compile_plan(company, root, EVERYTHING, dialect)  # type: ignore[arg-type]
        assert plan.sql.count('"e_order"') == 2


def test_a_group_of_one_customers_rows_reports_that_customer(run: Run, world: World) -> None:
    order = next(each for each in world.of("Order") if world.customer_of(each))
    alone = Compare("id", Op.EQ, order.id)
    for item in (Aggregate("all", (COUNT,)), Groups("g", (STATUS,))):
        result = run(ListOf("Order", Page(alone), (item,)))
        assert result.customers == (world.customer_of(order),)
    assert run(over_all("Order", COUNT, figures("sum", "total"))).customers == ()
    assert run(over_all("Customer", COUNT)).customers == ()
    result = run(grouped("Order", (KeyAlong("who", None, (KeyValue("id", "id"),)),), first=200))
    assert set(result.customers) == {world.customer_of(each) for each in world.of("Order")} - {None}
    firms = {each.values.get("worksFor") for each in world.of("Person")} & {
        each.id for each in world.of("Organization")
    }
    result = run(grouped("Person", (KeyAlong("firm", "worksFor", (KeyValue("name", "name"),)),), first=200))
    assert {world.customer_of(world.rows[firm]) for firm in firms} <= set(result.customers)


def test_figures_beside_the_rows_and_deep_inside_are_answered(
    run: Run, company: Ontology, world: World
) -> None:
    money = figures("max", "credit")
    items = (
        Aggregate("all", (COUNT, money)),
        Groups("g", (GroupKey("key", (KeyValue("n", "name"),)), COUNT, money)),
    )

    def staff(depth: int, *items: Any) -> Selection:
        inner = () if not depth else (Edges("edges", (Node("node", staff(depth - 1, *items)),)),)
        subs = Many("subs", "Organization", "parent", Page(), (TotalCount("n"), *items, *inner))
        return Selection("Organization", (Id("id"), Value("credit", "credit"), subs))

    for organization in world.of("Organization"):
        root = ById(staff(3, *items), organization.id)
        expected = Evaluator(world, company, EVERYTHING)
        result = run(root)
        assert orjson.loads(result.json_text) == expected.answer(root)
        assert set(result.customers) == expected.customers
    for item in items:
        with pytest.raises(LimitError, match="5 times in succession"):
            run(ById(staff(4, item), "x"))
