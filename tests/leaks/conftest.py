"""The pairs of worlds that the leak tests ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.leaks.worlds import Pair, make_pair

ROLES = 44
"""Roles of the policy; tests choose among them."""


def _urls(request: pytest.FixtureRequest, folder: Path) -> tuple[str, str]:
    if request.param == "sqlite":
        one, other = (f"sqlite:///{folder / name}.sqlite" for name in ("one", "other"))
        return one, other
    server = request.getfixturevalue("postgres_url")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in ("leaks_one", "leaks_other"):
            connection.execute(text(f"CREATE DATABASE {name} STRATEGY file_copy"))
    admin.dispose()
    one, other = (
        make_url(server).set(database=name).render_as_string(hide_password=False)
        for name in ("leaks_one", "leaks_other")
    )
    return one, other


@pytest.fixture(scope="session")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two worlds on one kind of database; each test makes the second the other world of the role that it asks as."""
    folder = tmp_path_factory.mktemp("leaks")
    with make_pair(folder, _urls(request, folder), ROLES) as found:
        yield found
