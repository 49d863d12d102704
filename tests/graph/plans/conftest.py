"""The small company in a store on each database, filled once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from hub.graph.plans import CategoryAccess, PlanResult, Root, compile_plan, execute
from hub.ontology import Ontology
from hub.store import Store
from tests.databases import Postgres
from tests.graph.plans.plan_world import EVERYTHING, Run, World, fill, make_world, plan_ontology


@pytest.fixture(scope="session")
def company() -> Ontology:
    return plan_ontology()


@pytest.fixture(scope="session")
def world(company: Ontology) -> World:
    return make_world(company)


@pytest.fixture(scope="session")
def plan_stores(
    company: Ontology,
    world: World,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Store, ...]]:
    """The company's store on SQLite and on PostgreSQL."""
    sqlite = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'hub.sqlite'}"
    stores = tuple(Store.open(url, company) for url in (sqlite, postgres.empty()))
    for store in stores:
        fill(store, world)
    yield stores
    for store in stores:
        store.close()


@pytest.fixture(scope="session")
def run(plan_stores: tuple[Store, ...], company: Ontology) -> Run:
    """Runs a root selection on both databases, sees to it that the answers are the same bytes, and returns one."""

    def answer(
        root: Root, access: CategoryAccess = EVERYTHING, variables: Mapping[str, Any] | None = None
    ) -> PlanResult:
        results = []
        for store in plan_stores:
            plan = compile_plan(company, root, access, store.dialect.name)
            with store.read() as connection:
                results.append(execute(connection, plan, variables))
        assert results[0] == results[1]
        return results[0]

    return answer
