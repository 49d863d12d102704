"""What all tests share: the shared data beside the checkout, a private PostgreSQL, a store on each database."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.testing
from hypothesis import HealthCheck, settings

from tests.databases import Postgres, scratch, sqlite_store

settings.register_profile(
    "hub", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile("thorough", parent=settings.get_profile("hub"), max_examples=400)
settings.load_profile(os.environ.get("HUB_TEST_PROFILE", "hub"))

# Almost all that is made here lives as long as the session, or is gone with its last reference: to look for garbage
# among it as often as Python does takes a fifth of the time.
gc.set_threshold(50_000, 20, 50)

# Typer's runner makes all commands anew for each call, from hundreds of signatures.
typer.testing._get_command = cache(typer.testing._get_command)

if (memory := scratch()) is not None:
    # Where pytest makes its folders, of which a run of all tests fills some hundred megabytes.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: each waits a fifth of its time, for PostgreSQL or for other processes."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of labelled data and vectors beside the checkout; tests that need it are skipped without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the folder `shared/data` with labelled data does not lie beside this checkout")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL that lives as long as the test session."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The URL of the private PostgreSQL."""
    return postgres.url


@pytest.fixture
def postgres_database(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database on the private PostgreSQL, dropped afterwards."""
    with postgres.dropped(postgres.empty()) as url:
        yield url


@pytest.fixture
def postgres_store_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty store on PostgreSQL, dropped afterwards."""
    with postgres.dropped(postgres.store()) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty store on PostgreSQL that the tests of one module share."""
    with postgres.dropped(postgres.store()) as url:
        yield url


@pytest.fixture(scope="session")
def lasting_database(postgres: Postgres) -> Callable[[], str]:
    """Makes an empty store that lasts as long as the private PostgreSQL, and gives its URL."""
    return postgres.store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store of the hub's ontology, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield sqlite_store(tmp_path / "hub.sqlite")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.dropped(postgres.store()) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it, once for SQLite and once for PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.sqlite'}"
    url: str = request.getfixturevalue("postgres_database")
    return url
