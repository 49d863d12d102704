"""The schema as a subgraph of Apollo Federation, and plans that any representations of the same types share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.access import AccessMap, PlanAccess, Requester, load_access_map, plan_access
from hub.errors import QueryError
from hub.graph.plans import ByIds, Constant, Id, RowId, Selection, Value, Var
from hub.ontology import Ontology
from hub.schema import Catalogue, GraphQLRequest
from hub.schema.federation import entity_names, subgraph_sdl
from hub.schema.planner import Planner
from hub.schema.plans import OperationPlan
from hub.settings import Settings
from tests.doc_blocks import DOCS, ROOT, blocks
from tests.schema.test_translate import root, translated

DOCUMENT = """
query($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on Customer { id } ... on Order { number: orderNumber } }
}
"""
CUSTOMER = Selection("Customer", (Id("id"),))
ORDER = Selection("Order", (Value("number", "orderNumber"),))


def named(*rows: str) -> list[dict[str, str]]:
    return [dict(zip(("__typename", "id"), row.split(), strict=True)) for row in rows]


# translation


@pytest.mark.parametrize(
    ("rows", "selections"),
    [
        (["Customer c1"], (CUSTOMER,)),
        (["Order o1", "Customer c1", "Order o2"], (CUSTOMER, ORDER)),
        (["Product p1"], (Selection("Product", ()),)),
        ([], ()),
    ],
)
def test_each_type_that_is_named_has_its_selection(
    catalogue: Catalogue, rows: list[str], selections: tuple[Selection, ...]
) -> None:
    assert root(catalogue, DOCUMENT, representations=named(*rows)) == ByIds(
        selections, Var("representations")
    )


def test_beside_an_executor_each_object_tells_its_type(catalogue: Catalogue) -> None:
    text = '{ me { subject } _entities(representations: [{__typename: "Order", id: "o"}]) { ... on Order { id } } }'
    (field,) = translated(catalogue, text).planned
    told = Selection("Order", (Id("id"), Constant("__typename", "Order")))
    assert field.root == ByIds((told,), (RowId("Order", "o"),))


@pytest.mark.parametrize("type_", ["Nothing", "Party", "Entity", "Money", "Query", "customer"])
def test_a_type_without_a_key_is_refused(catalogue: Catalogue, type_: str) -> None:
    with pytest.raises(QueryError, match="has no key"):
        root(catalogue, DOCUMENT, representations=named(f"{type_} x"))


def test_no_id_is_in_what_may_be_logged(catalogue: Catalogue) -> None:
    literal = '[{__typename: "Customer", id: "cus_secret"}]'
    (field,) = translated(catalogue, f"{{ _entities(representations: {literal}) {{ __typename }} }}").planned
    assert "cus_secret" not in repr(field.root) + repr(RowId("Customer", "cus_secret"))


# plans


@pytest.fixture(scope="module")
def policy(ontology: Ontology) -> AccessMap:
    return load_access_map(ROOT / "policy.yaml", ontology.taxonomy)


@pytest.fixture
def planner(catalogue: Catalogue, policy: AccessMap, tmp_path: Path) -> Planner:
    return Planner(catalogue, Settings(queries_dir=tmp_path), "sqlite", policy)


@pytest.fixture(scope="module")
def access(policy: AccessMap) -> PlanAccess:
    asks = Requester("s", frozenset({"support"}), "d", "customer_service", "test", ("customer_service",))
    return plan_access(policy, asks)


def found(planner: Planner, access: PlanAccess, *rows: str) -> OperationPlan | None:
    """The plan that is known already."""
    planned = planner.find(asking(*rows), access)
    return planned.plan if planned else None


def asking(*rows: str) -> GraphQLRequest:
    variables: dict[str, Any] = {"representations": named(*rows)}
    return GraphQLRequest(DOCUMENT, variables=variables)


def test_one_plan_serves_any_ids_in_any_order_and_number(planner: Planner, access: PlanAccess) -> None:
    made = planner.make(asking("Customer c1", "Order o1"), access).plan
    for rows in (["Order o2", "Customer c2"], ["Customer c3"] * 9 + ["Order o3"]):
        assert found(planner, access, *rows) is made
    assert len(planner.plans.kept) == 1


def test_other_types_have_another_plan_that_reads_no_more_than_they_do(
    planner: Planner, access: PlanAccess
) -> None:
    planner.make(asking("Customer c1", "Order o1"), access)
    assert found(planner, access, "Customer c1") is None
    alone = planner.make(asking("Customer c1"), access).plan
    assert alone is not None
    assert alone.reading.types == ("Customer",)


def test_only_customers_are_sure_to_be_few_rows(planner: Planner, access: PlanAccess) -> None:
    for rows, bounded in ((["Customer c1"], True), (["Customer c1", "Order o1"], False)):
        plan = planner.make(asking(*rows), access).plan
        assert plan is not None
        assert [each.bounded for each in plan.fields] == [bounded]


# the schema


def test_the_question_on_the_page_fits_the_schema(catalogue: Catalogue) -> None:
    (question,) = [
        block.text for block in blocks(DOCS / "federation.md", "graphql") if "_entities" in block.text
    ]
    (variables,) = blocks(DOCS / "federation.md", "json")
    found = root(catalogue, question, **orjson.loads(variables.text))
    assert isinstance(found, ByIds)
    assert [selection.type for selection in found.selections] == ["Customer", "Order"]


def test_the_subgraph_is_the_schema_with_keys_and_shared_values(
    catalogue: Catalogue, ontology: Ontology
) -> None:
    sdl = subgraph_sdl(catalogue.sdl, entity_names(ontology))
    link, _, rest = sdl.partition("\n\n")
    assert link == (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])'
    )
    for name in entity_names(ontology):
        (line,) = [
            line for line in rest.splitlines() if line.startswith((f"type {name} ", f"type {name} {{"))
        ]
        assert line.endswith(' @key(fields: "id") {')
    for name in ("Money", "PageInfo"):
        assert f"\ntype {name} @shareable {{\n" in rest
    assert rest.replace(' @key(fields: "id")', "").replace(" @shareable", "") == catalogue.sdl
    assert rest.count("@key") == len(entity_names(ontology))


def test_a_type_of_an_organisations_own_has_a_key(catalogue: Catalogue) -> None:
    printed = "type Berth implements Entity & Party {\n  id: ID!\n}\n\ntype BerthEdge {\n  id: ID!\n}\n"
    assert 'type Berth implements Entity & Party @key(fields: "id") {' in subgraph_sdl(printed, ["Berth"])
    assert "type BerthEdge {" in subgraph_sdl(printed, ["Berth"])
