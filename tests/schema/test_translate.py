"""Documents become selections by GraphQL's own rules."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, specified_rules, validate

from hub.errors import QueryError
from hub.graph.plans import (
    And,
    ById,
    ByIdentifier,
    Compare,
    Constant,
    Cursor,
    Edges,
    Facts,
    Id,
    ListOf,
    Many,
    Node,
    Nodes,
    Not,
    One,
    Op,
    Or,
    OrderBy,
    Origin,
    Owner,
    Page,
    PageInfo,
    Part,
    Root,
    Rows,
    Selection,
    Some,
    Timeline,
    ToOne,
    TotalCount,
    Value,
    Var,
)
from hub.schema import Catalogue
from hub.schema.documents import coerced_variables
from hub.schema.translate import Translation, translate


def translated(catalogue: Catalogue, text: str, **variables: Any) -> Translation:
    tree = parse(text)
    assert validate(catalogue.graphql, tree, specified_rules) == []
    operation = next(node for node in tree.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {n.name.value: n for n in tree.definitions if isinstance(n, FragmentDefinitionNode)}
    coerced = coerced_variables(catalogue.graphql, operation, variables)
    return translate(catalogue, operation, fragments, coerced)


def root(catalogue: Catalogue, text: str, **variables: Any) -> Root:
    (field,) = translated(catalogue, text, **variables).planned
    return field.root


def selected(catalogue: Catalogue, fields: str, **variables: Any) -> tuple[Any, ...]:
    declared = f"query({variables.pop('declare')})" if "declare" in variables else ""
    found = root(catalogue, f'{declared} {{ customer(id: "c") {{ {fields} }} }}', **variables)
    assert isinstance(found, ById)
    return found.selection.fields


def where(catalogue: Catalogue, text: str, type_: str = "orders", **variables: Any) -> Any:
    declared = f"query({variables.pop('declare')})" if "declare" in variables else ""
    found = root(catalogue, f"{declared} {{ {type_}(where: {text}) {{ totalCount }} }}", **variables)
    assert isinstance(found, ListOf)
    return found.page.where


def test_a_customer_by_id_with_an_open_variable(catalogue: Catalogue) -> None:
    found = root(catalogue, "query($id: ID!) { customer(id: $id) { id mail: email kind } }", id="c1")
    assert found == ById(
        Selection("Customer", (Id("id"), Value("mail", "email"), Origin("kind", "kind"))), Var("id")
    )


def test_fragments_inline_fragments_and_merged_fields_are_one_selection(catalogue: Catalogue) -> None:
    found = root(
        catalogue,
        """
        { customer(id: "c") { ...A ... on Customer { creditLimit { currency } } ... { name } creditLimit { amount } } }
        fragment A on Customer { name creditLimit { amount } ...B }
        fragment B on Customer { email }
        """,
    )
    assert isinstance(found, ById)
    assert found.selection.fields == (
        Value("name", "name"),
        Value("creditLimit", "creditLimit", (Part("amount", "amount"), Part("currency", "currency"))),
        Value("email", "email"),
    )


@pytest.mark.parametrize(("yes", "expected"), [(True, ["name"]), (False, ["email"])])
def test_skip_and_include_follow_their_variables(
    catalogue: Catalogue, yes: bool, expected: list[str]
) -> None:
    fields = selected(
        catalogue,
        "name @include(if: $yes) email @skip(if: $yes) tier @include(if: false)",
        declare="$yes: Boolean!",
        yes=yes,
    )
    assert [field.alias for field in fields] == expected


def test_a_field_may_be_asked_for_twice_under_other_aliases(catalogue: Catalogue) -> None:
    fields = selected(catalogue, "a: name b: name")
    assert fields == (Value("a", "name"), Value("b", "name"))


def test_typename_is_a_constant_on_every_level(catalogue: Catalogue) -> None:
    fields = selected(
        catalogue,
        "what: __typename orders { __typename edges { __typename cursor } pageInfo { __typename } }",
    )
    assert fields[0] == Constant("what", "Customer")
    assert fields[1].fields == (
        Constant("__typename", "OrderConnection"),
        Edges("edges", (Constant("__typename", "OrderEdge"), Cursor("cursor"))),
        PageInfo("pageInfo", (Constant("__typename", "PageInfo"),)),
    )


@pytest.mark.parametrize("beside", ["", " me { subject }"])
def test_a_reference_to_a_party_has_a_selection_for_each_type_that_tells_an_executor_its_type(
    catalogue: Catalogue, beside: str
) -> None:
    which = "customer { name ... on Organization { legalName } ... on Person { id } }"
    (field,) = translated(
        catalogue, f'{{ customer(id: "c") {{ orders {{ nodes {{ {which} }} }} }}{beside} }}'
    ).planned
    assert isinstance(field.root, ById)
    (orders,) = field.root.selection.fields
    (nodes,) = orders.fields
    told: tuple[tuple[Constant, ...], ...] = ((), ())
    if beside:
        told = (Constant("__typename", "Organization"),), (Constant("__typename", "Person"),)
    assert nodes.selection.fields == (
        One(
            "customer",
            "customer",
            (
                Selection("Organization", (Value("name", "name"), Value("legalName", "legalName"), *told[0])),
                Selection("Person", (Value("name", "name"), Id("id"), *told[1])),
            ),
        ),
    )


def test_connections_edges_counts_and_owners(catalogue: Catalogue) -> None:
    fields = selected(
        catalogue,
        """
        orders(first: 2, after: "x", orderBy: [{orderDate: DESC}, {orderNumber: ASC}]) {
          totalCount pageInfo { more: hasNextPage } edges { at: cursor node { belongsTo { id } } }
        }
        """,
    )
    order = (OrderBy("orderDate", descending=True), OrderBy("orderNumber"))
    owner = Selection("Order", (Owner("belongsTo", Selection("Customer", (Id("id"),))),))
    assert fields == (
        Many(
            "orders",
            "Order",
            None,
            Page(None, order, 2, "x"),
            (
                TotalCount("totalCount"),
                PageInfo("pageInfo", (Part("more", "hasNextPage"),)),
                Edges("edges", (Cursor("at"), Node("node", owner))),
            ),
        ),
    )


def test_reverses_name_the_reference_that_they_run_along(catalogue: Catalogue) -> None:
    (orders,) = selected(catalogue, "orders { nodes { lines { totalCount } } }")
    (lines,) = orders.fields[0].selection.fields
    assert (lines.type, lines.by) == ("OrderLine", "order")
    (referrals,) = selected(catalogue, "referrals { totalCount }")
    assert (referrals.type, referrals.by) == ("Lead", "referredBy")


def test_facts_and_timeline_take_their_arguments(catalogue: Catalogue) -> None:
    facts, timeline = selected(
        catalogue,
        """
        facts(properties: [name, email], winnersOnly: true, first: 5) { v: value }
        timeline(first: $n, phase: [purchase], types: [Order, Ticket]) { nodes { id } }
        """,
        declare="$n: Int!",
        n=7,
    )
    assert facts == Facts("facts", (Part("v", "value"),), ("name", "email"), winners_only=True, first=5)
    assert isinstance(timeline, Timeline)
    assert (timeline.first, timeline.phases, timeline.types) == (Var("n"), ("purchase",), ("Order", "Ticket"))


def test_a_where_input_is_a_filter(catalogue: Catalogue) -> None:
    found = where(
        catalogue,
        """{
          status: {in: [open, shipped]}, total: {gte: "10.50", currency: {eq: "GBP"}},
          customer: {person: {familyName: {startsWith: "arch"}}, organization: {}},
          store: {branchCode: {eq: "7"}}, lines: {some: {product: {sku: {eq: "N"}}}},
          OR: [{NOT: {orderNumber: {isNull: true}}}, {id: {in: ["a", "b"]}}]
        }""",
    )
    assert isinstance(found, And)
    assert set(found.filters) == {
        Compare("status", Op.IN, ("open", "shipped")),
        And((Compare("total", Op.GTE, "10.50"), Compare("total", Op.EQ, "GBP", "currency"))),
        Or(
            (
                Some(ToOne("customer", "Organization"), None),
                Some(ToOne("customer", "Person"), Compare("familyName", Op.STARTS_WITH, "arch")),
            )
        ),
        Some(ToOne("store", "Store"), Compare("branchCode", Op.EQ, "7")),
        Some(Rows("OrderLine", "order"), Some(ToOne("product", "Product"), Compare("sku", Op.EQ, "N"))),
        Or(
            (
                Not(Compare("orderNumber", Op.IS_NULL, True)),
                Compare("id", Op.IN, ("a", "b")),
            )
        ),
    }


def test_a_customers_rows_can_be_filtered_by(catalogue: Catalogue) -> None:
    found = where(catalogue, "{tickets: {some: {kind: {eq: complaint}}}}", "customers")
    assert found == Some(Rows("Ticket", None), Compare("kind", Op.EQ, "complaint"))


def test_a_variable_stays_open_where_a_value_is_compared(catalogue: Catalogue) -> None:
    text = """
        query($n: String, $in: [OrderStatus!]) {
          orders(where: {orderNumber: {eq: $n}, status: {in: $in}}) { totalCount }
        }
    """
    found = translated(catalogue, text, **{"n": "O1", "in": ["open"]})
    (field,) = found.planned
    assert isinstance(field.root, ListOf)
    assert field.root.page.where == And(
        (Compare("orderNumber", Op.EQ, Var("n")), Compare("status", Op.IN, Var("in")))
    )
    assert found.shaping == frozenset()


def test_a_variable_that_decides_the_shape_is_noted(catalogue: Catalogue) -> None:
    text = """
        query($where: OrderWhere, $way: SortDirection!, $one: OrderStatus!) {
          orders(where: $where, orderBy: [{orderDate: $way}]) { totalCount }
          more: orders(where: {status: {in: [$one]}}) { totalCount }
        }
    """
    found = translated(catalogue, text, where={"orderNumber": {"eq": "O1"}}, way="DESC", one="open")
    assert found.shaping == {"where", "way", "one"}
    first, second = (field.root for field in found.planned)
    assert isinstance(first, ListOf)
    assert isinstance(second, ListOf)
    assert first.page == Page(Compare("orderNumber", Op.EQ, "O1"), (OrderBy("orderDate", descending=True),))
    assert second.page.where == Compare("status", Op.IN, ("open",))


def test_a_missing_variable_is_no_comparison_and_a_null_one_is_one_with_null(catalogue: Catalogue) -> None:
    declared = {"declare": "$n: String"}
    assert where(catalogue, "{orderNumber: {eq: $n}}", **declared) == And(())
    assert where(catalogue, "{orderNumber: {eq: $n}}", **declared, n=None) == Compare(
        "orderNumber", Op.EQ, None
    )


def test_defaults_of_variables_and_arguments_hold(catalogue: Catalogue) -> None:
    (orders,) = selected(catalogue, "orders(first: $n) { totalCount }", declare="$n: Int! = 3")
    assert orders.page.first == Var("n")
    (orders,) = selected(catalogue, "orders { totalCount }")
    assert orders.page == Page(first=20)
    (orders,) = selected(catalogue, "orders(first: $n) { totalCount }", declare="$n: Int")
    assert orders.page.first == 20


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('scheme: phone, value: "+44 117 496 0001"', "+441174960001"),
        ('scheme: phone, value: "0117 496 0001", region: "GB"', "+441174960001"),
        ('scheme: email, value: " Ann@Example.com "', "ann@example.com"),
        ('scheme: loyalty_card, value: " 777a "', "777A"),
    ],
)
def test_an_identifier_is_brought_into_its_normal_form(
    catalogue: Catalogue, arguments: str, expected: str
) -> None:
    found = root(catalogue, f"{{ customerByIdentifier({arguments}) {{ id }} }}")
    assert isinstance(found, ByIdentifier)
    assert found.value == expected


def test_an_identifier_in_a_variable_is_brought_into_its_normal_form_when_the_plan_runs(
    catalogue: Catalogue,
) -> None:
    text = "query($v: String!) { customerByIdentifier(scheme: phone, value: $v) { id } }"
    (field,) = translated(catalogue, text, v="+44 117 496 0001").planned
    assert isinstance(field.root, ByIdentifier)
    assert isinstance(field.root.value, Var)
    assert field.derived[field.root.value.name]({"v": "+44 117 496 0002"}) == "+441174960002"


@pytest.mark.parametrize(
    "text",
    [
        '{ customerByIdentifier(scheme: phone, value: "0117 496 0001") { id } }',
        '{ customerByIdentifier(scheme: email, value: "nobody") { id } }',
        '{ customer(id: "c") { __x: name } }',
        "{ __x: customers { totalCount } }",
        "{ orders(where: {NOT: null}) { totalCount } }",
        "{ orders(where: {customer: {person: null}}) { totalCount } }",
        "{ orders(orderBy: [{orderDate: ASC, orderNumber: ASC}]) { totalCount } }",
        "{ orders(orderBy: [{}]) { totalCount } }",
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_values(catalogue: Catalogue, text: str) -> None:
    with pytest.raises(QueryError) as refused:
        translated(catalogue, text)
    assert "496" not in str(refused.value)
    assert "nobody" not in str(refused.value)


def test_root_fields_that_no_plan_answers_are_named(catalogue: Catalogue) -> None:
    found = translated(
        catalogue, '{ what: __typename me { subject } c: customer(id: "c") { id } __schema { description } }'
    )
    assert found.keys == ("what", "me", "c", "__schema")
    assert [field.key for field in found.planned] == ["c"]
    assert found.typenames == ("what",)
    assert found.others == ("me", "__schema")


def test_nodes_of_a_root_list(catalogue: Catalogue) -> None:
    found = root(catalogue, "{ products(first: 1) { nodes { sku } } }")
    assert found == ListOf(
        "Product", Page(first=1), (Nodes("nodes", Selection("Product", (Value("sku", "sku"),))),)
    )
