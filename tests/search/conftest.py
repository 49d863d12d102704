from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import sqlite_store
from tests.search.search_world import ENGINES, World, fill


@pytest.fixture(scope="session", params=sorted(ENGINES))
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The small company with its index, for each engine; tests must not change it."""
    folder = tmp_path_factory.mktemp("search")
    world = World(sqlite_store(folder / "hub.sqlite"), folder / "index", request.param)
    fill(world)
    world.indexer.follow()
    yield world
    world.close()


@pytest.fixture(params=sorted(ENGINES))
def world(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> Iterator[World]:
    """An empty store and no index yet, for each engine on each database."""
    made = World(store_url, tmp_path / "index", request.param)
    yield made
    made.close()


@pytest.fixture(params=sorted(ENGINES))
def light(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty SQLite store and no index yet, for what has to do with the index alone."""
    made = World(sqlite_store(tmp_path / "hub.sqlite"), tmp_path / "index", request.param)
    yield made
    made.close()
