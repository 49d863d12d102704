"""The pairs of worlds that the leak tests ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.databases import sqlite_store
from tests.leaks.worlds import Pair, make_pair

ROLES = 44
"""Roles of the policy; tests choose among them."""


@pytest.fixture(scope="session")
def pairs(
    tmp_path_factory: pytest.TempPathFactory, lasting_database: Callable[[], str]
) -> Iterator[Callable[[str], Pair]]:
    """Gives the pair on a kind of database; each is made once, however often tests change between them."""
    with ExitStack() as opened:

        @cache
        def made(database: str) -> Pair:
            folder = tmp_path_factory.mktemp("leaks")
            one, other = (
                sqlite_store(folder / f"{name}.sqlite") if database == "sqlite" else lasting_database()
                for name in ("one", "other")
            )
            return opened.enter_context(make_pair(folder, (one, other), ROLES))

        yield made


@pytest.fixture(scope="session")
def pair(request: pytest.FixtureRequest, pairs: Callable[[str], Pair]) -> Pair:
    """Two worlds on one kind of database; each test makes the second the other world of the role that it asks as."""
    return pairs(request.param)
