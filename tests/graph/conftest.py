from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from hub.store import Store
from tests.databases import Postgres
from tests.graph.graph_world import Graph, small_ontology


@pytest.fixture(scope="session")
def small_stores(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[Callable[[str], Store]]:
    """Gives the store on a database; each is made once, however often tests change from one to the other."""
    with ExitStack() as opened:

        @cache
        def made(database: str) -> Store:
            file = tmp_path_factory.mktemp("graph") / "small.sqlite"
            store = Store.open(
                f"sqlite:///{file}" if database == "sqlite" else postgres.empty(), small_ontology()
            )
            opened.callback(store.close)
            return store

        yield made


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def small_store(request: pytest.FixtureRequest, small_stores: Callable[[str], Store]) -> Store:
    """A store of the small ontology, one for the session on each database; tests clear it."""
    return small_stores(request.param)


@pytest.fixture
def graph(small_store: Store) -> Graph:
    """An empty graph of the small ontology, once on SQLite and once on PostgreSQL."""
    graph = Graph(small_store)
    graph.clear()
    return graph
