from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.api_world import World, asking, fill, make_services
from tests.databases import sqlite_store


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def twofold(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The company, with limits so wide that the field beside does not reach them."""
    folder = tmp_path_factory.mktemp("twofold")
    url = sqlite_store(folder / "hub.sqlite")
    if request.param == "postgresql":
        url = request.getfixturevalue("module_database")
    with make_services(folder, url, max_cost=10**8, max_preparing_s=60) as services:
        fill(services)
        with asking(services) as world:
            yield world
