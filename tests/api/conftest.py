from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from hub.services import Services
from tests.api.api_world import World, asking, fill, make_services
from tests.databases import sqlite_store


@pytest.fixture(scope="session")
def worlds(
    tmp_path_factory: pytest.TempPathFactory, lasting_database: Callable[[], str]
) -> Iterator[Callable[[str], World]]:
    """Gives the world on a database; each is made once, however often tests change from one to the other."""
    with ExitStack() as opened:

        @cache
        def made(database: str) -> World:
            folder = tmp_path_factory.mktemp("api")
            url = sqlite_store(folder / "hub.sqlite") if database == "sqlite" else lasting_database()
            services = opened.enter_context(make_services(folder, url))
            fill(services)
            return opened.enter_context(asking(services))

        yield made


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, worlds: Callable[[str], World]) -> World:
    """The company behind the API, once on SQLite and once on PostgreSQL; tests only read it."""
    return worlds(request.param)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Services on an empty store of their own, for tests that break something."""
    with make_services(tmp_path, sqlite_store(tmp_path / "hub.sqlite")) as services:
        yield services
