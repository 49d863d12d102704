"""The company's phones, on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.calls.call_world import Morning, morning
from tests.databases import sqlite_store


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def phones(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    lasting_database: Callable[[], str],
) -> Iterator[Morning]:
    """The company, once on SQLite and once on PostgreSQL; tests only read it."""
    folder = tmp_path_factory.mktemp("calls")
    url = sqlite_store(folder / "hub.sqlite") if request.param == "sqlite" else lasting_database()
    with morning(folder, url) as made:
        yield made


@pytest.fixture
def own_phones(store_url: str, tmp_path: Path) -> Iterator[Morning]:
    """The company on an own store of each database, for tests that change it."""
    with morning(tmp_path, store_url) as made:
        yield made
