"""Plans in detail: forms of values, ids, identifiers, cursors, limits, what is refused, what is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from hub.access import Effect
from hub.errors import AccessDeniedError, LimitError, QueryError
from hub.graph.plans import (
    And,
    ById,
    ByIdentifier,
    ByIds,
    Compare,
    Constant,
    Cursor,
    Edges,
    Facts,
    Household,
    Id,
    ListOf,
    Many,
    Members,
    Node,
    Nodes,
    Not,
    One,
    Op,
    OrderBy,
    Origin,
    Owner,
    Page,
    PageInfo,
    Part,
    Parties,
    Root,
    RowId,
    Selection,
    Timeline,
    TotalCount,
    Value,
    Var,
    compile_plan,
    execute,
)
from hub.ontology import Ontology
from hub.store import Store
from hub.values import Instant, Money
from tests.graph.plans.evaluator import Evaluator, parts
from tests.graph.plans.plan_world import (
    DENY,
    EVERYTHING,
    Access,
    Customer,
    Row,
    Run,
    World,
    denying,
    fill,
    masked,
)

CUSTOMER = Selection("Customer", (Id("id"),))


def _customer(*fields: Any) -> ById:
    return ById(Selection("Customer", fields), Var("id"))


# forms of values


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", 'a "b" \\ \n\t\x01\x7f é 😀 %s :p0 ?', 'a "b" \\ \n\t\x01\x7f é 😀 %s :p0 ?'),
        ("credit", Money(Decimal("0"), "GBP"), {"amount": "0.00", "currency": "GBP"}),
        ("credit", Money(Decimal("-0.5"), "GBP"), {"amount": "-0.50", "currency": "GBP"}),
        ("credit", Money(Decimal("1234567.8901"), "GBP"), {"amount": "1234567.8901", "currency": "GBP"}),
        ("credit", Money(Decimal("19.990"), "GBP"), {"amount": "19.99", "currency": "GBP"}),
        ("credit", Money(Decimal("100"), "GBP"), {"amount": "100.00", "currency": "GBP"}),
        (
            "credit",
            Money(Decimal("-922337203685477.5807"), "JPY"),
            {"amount": "-922337203685477.5807", "currency": "JPY"},
        ),
        ("score", Decimal("0"), "0"),
        ("score", Decimal("100"), "100"),
        ("score", Decimal("-0.050"), "-0.05"),
        ("score", Decimal("12.125"), "12.125"),
        ("vip", True, True),
        ("vip", False, False),
        ("seen", Instant(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "UTC"), "2026-01-02T03:04:05Z"),
        (
            "seen",
            Instant(datetime(2026, 1, 2, 3, 4, 0, 120_000, tzinfo=UTC), "UTC"),
            "2026-01-02T03:04:00.12Z",
        ),
        ("seen", Instant(datetime(2026, 10, 20, tzinfo=UTC), "UTC"), "2026-10-20T00:00:00Z"),
        ("born", "1984-05", "1984-05"),
        ("tags", (), []),
        ("tags", ("a", 'b"\\', "ü"), ["a", 'b"\\', "ü"]),
    ],
)
def test_each_type_of_value_has_one_exact_form(
    empty_url: str, company: Ontology, name: str, value: Any, expected: Any
) -> None:
    store = Store.open(empty_url, company)
    person = Row("Person", "p", "erp", "2026-01-01T00:00:00.000000Z", {name: value})
    golden = Customer("c", "person", None, {name: value}, {name: {"party": "p", "rule": "longest"}}, ("p",))
    fill(store, World({"p": person}, {"c": golden}, {}))
    root = _customer(Value("golden", name), Facts("facts", parts("json wins")))
    plan = compile_plan(company, root, EVERYTHING, store.dialect.name)
    with store.read() as connection:
        result = execute(connection, plan, {"id": "c"})
    store.close()
    assert orjson.loads(result.json_text) == {"golden": expected, "facts": [{"json": expected, "wins": True}]}
    assert " " not in result.json_text.replace(str(value), "") or isinstance(value, str)


def test_parts_and_constants_stand_under_their_aliases_in_the_order_asked_for(run: Run, world: World) -> None:
    order = next(row for row in world.of("Order") if "total" in row.values and "at" in row.values)
    fields = (
        Value("sum", "total", (Constant("__typename", "Money"), Part("c", "currency"), Part("a", "amount"))),
        Value("when", "at", (Part("z", "zone"), Part("t", "at"))),
    )
    answer = run(ById(Selection("Order", fields), order.id)).json_text
    assert answer.startswith('{"sum":{"__typename":"Money","c":"')
    assert '"when":{"z":"Europe/London","t":"' in answer


def test_more_fields_than_one_json_object_call_takes_are_answered(run: Run, world: World) -> None:
    fields = tuple(Value(f"f{number}", "name") for number in range(300))
    answer = orjson.loads(run(_customer(*fields), variables={"id": "customer0"}).json_text)
    assert len(answer) == 300
    assert set(answer.values()) == {world.customers["customer0"].values.get("name")}


# roots


def test_a_retired_id_finds_the_customer_of_today_and_an_unknown_one_nobody(run: Run, world: World) -> None:
    for old, new in (
        ("old1", '{"id":"customer0"}'),
        ("old2", '{"id":"customer3"}'),
        ("dead", "null"),
        ("", "null"),
    ):
        assert run(_customer(Id("id")), variables={"id": old}).json_text == new


def test_rows_are_answered_in_the_order_in_which_they_are_named_null_where_there_is_none(run: Run) -> None:
    named = [
        "Order order1",
        "Customer customer0",
        "Order customer0",
        "Customer old1",
        "Order order1",
        "Customer ",
    ]
    rows = tuple(RowId(*each.split(" ")) for each in named)
    root = ByIds((CUSTOMER, Selection("Order", (Constant("order", "yes"),))), Var("rows"))
    for count in (0, 1, 6):
        expected = [
            '{"order":"yes"}', '{"id":"customer0"}', "null", '{"id":"customer0"}', '{"order":"yes"}', "null"
        ]  # fmt: skip
        answer = run(root, variables={"rows": rows[:count]})
        assert answer.json_text == f"[{','.join(expected[:count])}]"


@pytest.mark.parametrize(
    "wrong", [None, "x", (("Order", "order1"),), (RowId("Order", "\0"),), (RowId("Order", "\ud800"),)]
)
def test_what_names_no_rows_is_refused(run: Run, wrong: Any) -> None:
    with pytest.raises(QueryError):
        run(ByIds((_ids("Order"),), Var("rows")), variables={"rows": wrong})


def test_more_rows_than_a_page_has_are_refused_by_the_limits_name(run: Run) -> None:
    with pytest.raises(LimitError, match=r"201 rows .* max_page is 200"):
        run(ByIds((), Var("rows")), variables={"rows": (RowId("Order", "x"),) * 201})


def test_an_identifier_of_an_order_finds_its_customer(run: Run, world: World) -> None:
    order = next(row for row in world.of("Order") if "number" in row.values and world.customer_of(row))
    root = ByIdentifier(CUSTOMER, "order_number", Var("number"))
    result = run(root, variables={"number": order.values["number"]})
    assert orjson.loads(result.json_text) == [{"id": world.customer_of(order)}]
    assert run(root, variables={"number": "none such"}).json_text == "[]"


def test_an_identifier_that_is_not_shown_whole_cannot_be_looked_up_by(run: Run) -> None:
    root = ByIdentifier(CUSTOMER, "phone", "+442079460000")
    for decision in (DENY, masked("phone")):
        with pytest.raises(AccessDeniedError, match=r"phone \(c\.phone\)"):
            run(root, Access({"c.phone": decision}))
    with pytest.raises(QueryError, match="expected one of card, email, order_number, phone"):
        run(replace(root, scheme="fax"))


def test_one_plan_serves_many_requests(
    plan_stores: tuple[Store, ...], company: Ontology, world: World
) -> None:
    root = ListOf(
        "Order",
        Page(Compare("status", Op.EQ, Var("status")), first=Var("first")),
        (TotalCount("n"), Nodes("x", _ids("Order"))),
    )
    for store in plan_stores:
        plan = compile_plan(company, root, EVERYTHING, store.dialect.name)
        for status in ("open", "Closed"):
            expected = sorted(row.id for row in world.of("Order") if row.values.get("status") == status)
            with store.read() as connection:
                result = execute(connection, plan, {"status": status, "first": 2})
            nodes = [{"id": id_} for id_ in expected[:2]]
            assert orjson.loads(result.json_text) == {"n": len(expected), "x": nodes}


def _ids(type_name: str) -> Selection:
    return Selection(type_name, (Id("id"),))


def test_a_plan_is_a_pure_function_of_its_input(company: Ontology) -> None:
    root = _customer(Id("id"), Timeline("t", (TotalCount("n"),), phases=Var("p")))
    first, second = (compile_plan(company, root, EVERYTHING, "sqlite") for _ in range(2))
    assert (first.sql, first.reads, first.access_notes) == (second.sql, second.reads, second.access_notes)
    assert hash(root) == hash(_customer(Id("id"), Timeline("t", (TotalCount("n"),), phases=Var("p"))))


# cursors


def _page(after: Any, order: tuple[OrderBy, ...] = (OrderBy("total"),)) -> ListOf:
    fields = (Edges("edges", (Cursor("cursor"), Node("node", _ids("Order")))),)
    return ListOf("Order", Page(order_by=order, first=3, after=after), fields)


@given(
    junk=st.one_of(st.text(max_size=20), st.binary(max_size=40).map(bytes.hex), st.integers(), st.booleans())
)
def test_what_is_no_cursor_is_refused(junk: Any, run: Run) -> None:
    with pytest.raises(QueryError, match="no cursor of this list"):
        run(_page(Var("after")), variables={"after": junk})


def test_a_cursor_of_another_list_or_with_other_values_is_refused(run: Run) -> None:
    cursor = orjson.loads(run(_page(None)).json_text)["edges"][0]["cursor"]
    run(_page(cursor))
    mark, total, id_ = orjson.loads(bytes.fromhex(cursor))
    forged: list[Any] = [
        [mark, total],
        [mark, total, id_, id_],
        [mark, [total], id_],
        [mark, "x", id_],
        [mark, total, 1],
    ]
    forged += [["00000000", total, id_], {"a": 1}, [mark, total, "\0"], [mark, 1.5, id_], [mark, True, id_]]
    for parts_ in forged:
        with pytest.raises(QueryError, match="no cursor of this list"):
            run(_page(orjson.dumps(parts_).hex()))
    for order in ((OrderBy("total", descending=True),), (OrderBy("at"),), ()):
        with pytest.raises(QueryError, match="no cursor of this list"):
            run(_page(cursor, order))


# limits


@pytest.mark.parametrize("size", [201, 10**6])
def test_a_page_past_the_limit_is_refused_by_name(run: Run, size: int) -> None:
    for operand, variables in ((size, {}), (Var("n"), {"n": size})):
        with pytest.raises(LimitError, match="max_page is 200"):
            run(ListOf("Order", Page(first=operand), ()), variables=variables)


@pytest.mark.parametrize("size", [-1, True, "3", None, 1.5])
def test_a_page_size_that_is_no_number_is_refused(run: Run, size: Any) -> None:
    with pytest.raises(QueryError, match="whole number"):
        run(ListOf("Order", Page(first=Var("n")), ()), variables={"n": size})


def _staff(depth: int) -> Selection:
    """Links in succession: connections, references and their way back."""
    if not depth:
        return Selection("Organization", (Id("id"), Value("credit", "credit"), Value("tags", "tags")))
    inner = _staff(depth - 1)
    if depth % 2:
        return Selection("Organization", (Id("id"), One("parent", "parent", (inner,))))
    info = PageInfo("info", parts("hasNextPage endCursor"))
    fields = (Edges("edges", (Cursor("cursor"), Node("node", inner))), info)
    return Selection(
        "Organization", (Value("credit", "credit"), Many("subs", "Organization", "parent", Page(), fields))
    )


def test_the_longest_succession_of_links_is_answered_and_a_longer_one_refused(run: Run, world: World) -> None:
    for organization in world.of("Organization"):
        one = run(ById(_staff(5), organization.id))
        assert orjson.loads(one.json_text)["id"] == organization.id
        listed = run(ByIds((_staff(5),), (RowId("Organization", organization.id),)))
        assert (listed.json_text, set(listed.customers)) == (f"[{one.json_text}]", set(one.customers))
    with pytest.raises(LimitError, match="5 times in succession"):
        run(ById(_staff(6), "x"))


def test_a_statement_too_deep_for_the_database_is_refused_as_a_limit(run: Run) -> None:
    where: Any = Compare("name", Op.EQ, "x")
    for _ in range(6):
        where = Not(And((where,)))
    with pytest.raises(LimitError, match="nest"):
        run(ListOf("Product", Page(where), ()))


def test_the_cost_bounds_the_fields_of_the_answer(company: Ontology) -> None:
    orders = Many("o", "Order", None, Page(first=Var("n")), (Nodes("x", _ids("Order")),))
    root = ListOf("Customer", Page(first=10), (Nodes("x", Selection("Customer", (Id("id"), orders))),))
    plan = compile_plan(company, root, EVERYTHING, "sqlite")
    per_customer = 2 + 1
    assert plan.cost({"n": 5}) == 1 + 10 * per_customer + 10 * 5
    assert plan.cost() == 1 + 10 * per_customer + 10 * 200
    plan = compile_plan(company, ByIds((CUSTOMER, _ids("Order")), Var("rows")), EVERYTHING, "sqlite")
    assert plan.cost({"rows": (RowId("Order", "x"), RowId("Order", "x"))}) == 2 * (1 + 1)


# what is refused


@pytest.mark.parametrize(
    "root",
    [
        ById(Selection("Nothing", ()), "x"),
        _customer(Value("a", "nothing")),
        _customer(Value('a"', "name")),
        _customer(Value("a'; DROP TABLE run; --", "name")),
        _customer(Value("", "name")),
        _customer(Value("a", "name"), Id("a")),
        _customer(Value("a", "name", (Part("x", "amount"),))),
        _customer(Value("a", "credit", (Part("x", "cents"),))),
        _customer(Origin("a", "source")),
        _customer(One("a", "name", ())),
        _customer(Owner("a", CUSTOMER)),
        _customer(Many("a", "Product", None, Page(), ())),
        _customer(Many("a", "Order", "total", Page(), ())),
        _customer(Many("a", "Customer", None, Page(), ())),
        _customer(Many("a", "Order", None, Page(), (Nodes("x", CUSTOMER),))),
        _customer(Parties("a", (_ids("Order"),))),
        _customer(Timeline("a", (), types=("Product",))),
        _customer(Timeline("a", (), phases=("never",))),
        _customer(Household("a", (Members("m", _ids("Person")),))),
        _customer(Facts("a", (Part("x", "nothing"),))),
        ById(Selection("Order", (Value("a", "customer"),)), "x"),
        ById(Selection("Order", (Facts("a", ()),)), "x"),
        ById(Selection("Order", (Many("a", "Person", None, Page(), ()),)), "x"),
        ListOf("Order", Page(order_by=(OrderBy("customer"),)), ()),
        ListOf("Order", Page(order_by=(OrderBy("codes"),)), ()),
        ListOf("Order", Page(Compare("total", Op.CONTAINS, "1")), ()),
        ListOf("Order", Page(Compare("total", Op.EQ, None)), ()),
        ListOf("Order", Page(Compare("total", Op.EQ, "1e999")), ()),
        ListOf("Order", Page(Compare("total", Op.EQ, "NaN")), ()),
        ListOf("Order", Page(Compare("total", Op.EQ, Decimal("0.00001"))), ()),
        ListOf("Order", Page(Compare("total", Op.EQ, "x", "zone")), ()),
        ListOf("Order", Page(Compare("at", Op.GT, "yesterday")), ()),
        ListOf("Order", Page(Compare("at", Op.GT, "2026-01-01T00:00:00")), ()),
        ListOf("Order", Page(Compare("promised", Op.GT, "May")), ()),
        ListOf("Order", Page(Compare("number", Op.EQ, "a\0b")), ()),
        ListOf("Order", Page(Compare("number", Op.EQ, "\ud800")), ()),
        ListOf("Order", Page(Compare("number", Op.EQ, 7)), ()),
        ListOf("Order", Page(Compare("number", Op.IN, "abc")), ()),
        ListOf("Order", Page(Compare("number", Op.BETWEEN, ("a",))), ()),
        ListOf("Order", Page(Compare("number", Op.IS_NULL, "yes")), ()),
        ListOf("OrderLine", Page(Compare("position", Op.EQ, 2**63)), ()),
        ListOf("OrderLine", Page(Compare("position", Op.EQ, True)), ()),
        ListOf("Ticket", Page(Compare("urgent", Op.LT, True)), ()),
        ListOf("Customer", Page(Compare("source", Op.EQ, "erp")), ()),
    ],
)
def test_what_does_not_fit_the_ontology_is_refused(run: Run, root: Root) -> None:
    with pytest.raises(QueryError):
        run(root, variables={"id": "customer0"})


def test_no_value_and_no_name_of_a_caller_reaches_the_statement(company: Ontology) -> None:
    hostile = "x' OR '1'='1"
    where = And((Compare("number", Op.EQ, hostile), Compare("number", Op.CONTAINS, Var(hostile))))
    root = ListOf("Order", Page(where, first=Var("n"), after=Var("a")), (TotalCount("n"),))
    for dialect in ("sqlite", "postgresql"):
        plan = compile_plan(company, root, EVERYTHING, dialect)  # type: ignore[arg-type]
        assert hostile not in plan.sql
        assert "OR '1'" not in plan.sql


@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_any_text_is_only_ever_a_value(value: str, run: Run, world: World, company: Ontology) -> None:
    for op in (Op.EQ, Op.CONTAINS, Op.STARTS_WITH, Op.LT, Op.NE):
        page = Page(Compare("name", op, Var("v")))
        evaluator = Evaluator(world, company, EVERYTHING, {"v": value})
        result = run(ListOf("Person", page, (TotalCount("n"),)), variables={"v": value})
        expected = [row for row in world.of("Person") if evaluator.passes(row, page.where)]
        assert orjson.loads(result.json_text) == {"n": len(expected)}


# what is reported


def test_a_plan_says_what_it_hides_and_what_it_reads(company: Ontology) -> None:
    access = Access(
        {"c.name": DENY, "c.email": masked("email"), "o.customer": DENY, "p.name": DENY, "p.sku": DENY}
    )
    lines = Many(
        "lines",
        "OrderLine",
        "order",
        Page(),
        (Nodes("n", Selection("OrderLine", (One("p", "product", ()),))),),
    )
    order = Selection("Order", (Value("number", "number"), lines))
    root = _customer(Value("who", "name"), Value("mail", "email"), Many("orders", "Order", None, Page(), ()))
    notes = {note.path: note for note in compile_plan(company, root, access, "sqlite").access_notes}
    assert (notes["who",].effect, notes["who",].category, notes["who",].rule) == (Effect.DENY, "c.name", "no")
    assert (notes["mail",].effect, notes["mail",].mask) == (Effect.MASK, "email")
    assert notes["orders",].category == "o.customer"
    assert compile_plan(company, root, access, "sqlite").reads.properties == ("Customer.email",)
    plan = compile_plan(company, ById(order, "x"), access, "sqlite")
    assert [note.path for note in plan.access_notes] == [("lines", "n", "p")]
    assert plan.reads.types == ("Order", "OrderLine")
    assert plan.reads.properties == ("Order.number", "OrderLine.product")
    assert plan.reads.categories == ("l.order", "l.product", "o.number")


def test_rows_of_which_nothing_is_allowed_may_not_be_known_of(run: Run, company: Ontology) -> None:
    nothing = denying(*(prop.category for prop in company.type("Order").properties.values()))
    orders = Many("o", "Order", None, Page(), (TotalCount("n"),))
    assert (
        run(_customer(Id("id"), orders), nothing, {"id": "customer0"}).json_text
        == '{"id":"customer0","o":null}'
    )
    assert run(ListOf("Order", Page(), (TotalCount("n"),)), nothing).json_text == "null"
    assert run(ById(_ids("Order"), "order0"), nothing) == run(ById(_ids("Order"), "none such"), nothing)


def test_the_plan_of_a_list_uses_the_primary_key(plan_stores: tuple[Store, ...], company: Ontology) -> None:
    root = ListOf("Order", Page(after=Var("after")), (Nodes("n", _ids("Order")),))
    steps = _steps(plan_stores[0], company, root)
    assert "SEARCH t0 USING" in steps
    assert "TEMP B-TREE" not in steps


def test_the_plan_of_rows_that_are_named_uses_the_primary_keys(
    plan_stores: tuple[Store, ...], company: Ontology
) -> None:
    root = ByIds((CUSTOMER, _ids("Order")), (RowId("Order", "order1"), RowId("Customer", "customer0")))
    steps = _steps(plan_stores[0], company, root)
    assert "SEARCH t1 USING" in steps
    assert "SEARCH t2 USING" in steps
    read_through = {step.split()[1] for step in steps.split(" / ") if step.startswith("SCAN")}
    assert read_through == {"CONSTANT", "x", "t0"}, "the list alone"


def _steps(store: Store, company: Ontology, root: Root) -> str:
    plan = compile_plan(company, root, EVERYTHING, "sqlite")
    with store.read() as connection:
        rows = connection.execute(text("EXPLAIN QUERY PLAN " + plan.sql), plan.bind({})).fetchall()
    return " / ".join(row[3] for row in rows)


def test_the_count_is_of_all_pages_on_each_of_them(run: Run, world: World) -> None:
    parts_ = (Part("end", "endCursor"), Part("next", "hasNextPage"))
    fields = (TotalCount("n"), Nodes("x", _ids("Order")), PageInfo("p", parts_))
    total, cursor, pages = len(world.of("Order")), None, 0
    while pages == 0 or cursor:
        page = Page(first=Var("first"), after=Var("after"))
        answer = orjson.loads(
            run(ListOf("Order", page, fields), EVERYTHING, {"first": total - 1, "after": cursor}).json_text
        )
        assert answer["n"] == total
        cursor, pages = answer["p"]["end"] if answer["p"]["next"] else None, pages + 1
    assert pages == 2
    for first in (0, total, total + 1):
        assert orjson.loads(run(ListOf("Order", Page(first=first), fields)).json_text)["n"] == total
