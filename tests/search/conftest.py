from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import sqlite_store
from tests.search.search_world import ENGINES, World, fill

ON_DATABASES = [
    f"{engine}-{database}"
    for engine in ENGINES
    for database in ("sqlite", "postgresql")
    if (engine, database) != ("postgres", "sqlite")
]
"""Engines with the stores that they may serve."""


def _alone(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty store for an engine: on SQLite where it can be."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_store_url"))
    return sqlite_store(folder / "hub.sqlite")


@pytest.fixture(scope="session", params=ENGINES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The small company with its index, for each engine; tests must not change it."""
    folder = tmp_path_factory.mktemp("search")
    if request.param == "postgres":
        url = request.getfixturevalue("lasting_database")()
    else:
        url = sqlite_store(folder / "hub.sqlite")
    world = World(url, folder / "index", request.param)
    fill(world)
    world.indexer.follow()
    yield world
    world.close()


@pytest.fixture(params=ON_DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty store and no index yet, for each engine on each database that it may serve."""
    engine, _, database = request.param.partition("-")
    url = (
        sqlite_store(tmp_path / "hub.sqlite")
        if database == "sqlite"
        else request.getfixturevalue("postgres_store_url")
    )
    made = World(url, tmp_path / "index", engine)
    yield made
    made.close()


@pytest.fixture(params=ENGINES)
def light(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty store and no index yet, for what has to do with the index alone."""
    made = World(_alone(request, tmp_path), tmp_path / "index", request.param)
    yield made
    made.close()


@pytest.fixture(params=ENGINES)
def lonely(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """An engine, and the URL of an empty store for it, for tests with several processes."""
    return request.param, _alone(request, tmp_path)
