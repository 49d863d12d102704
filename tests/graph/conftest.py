from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url, text

from hub.store import Store
from tests.graph.graph_world import Graph, small_ontology


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def small_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of the small ontology, one for the session on each database; tests clear it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('graph') / 'small.sqlite'}"
    else:
        url = _database(request.getfixturevalue("postgres_url"), "graph_small")
    store = Store.open(url, small_ontology())
    yield store
    store.close()


def _database(server: str, name: str) -> str:
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def graph(small_store: Store) -> Graph:
    """An empty graph of the small ontology, once on SQLite and once on PostgreSQL."""
    graph = Graph(small_store)
    graph.clear()
    return graph
