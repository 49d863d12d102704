from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from hub.services import Services
from tests.api.api_world import World, asking, fill, make_services


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'hub.sqlite'}"
    server = request.getfixturevalue("postgres_url")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE api_world"))
    admin.dispose()
    return make_url(server).set(database="api_world").render_as_string(hide_password=False)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The company behind the API, once on SQLite and once on PostgreSQL; tests only read it."""
    folder = tmp_path_factory.mktemp("api")
    with make_services(folder, _url(request, folder)) as services:
        fill(services)
        with asking(services) as world:
            yield world


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Services on an empty store of their own, for tests that break something."""
    with make_services(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite'}") as services:
        yield services
