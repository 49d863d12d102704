"""The share of searches that find their person among the first ten of a crowd; `make bench-search` takes more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from bench.people import KINDS, Person, crowd, documents, searches
from bench.search import recall
from hub.search import SearchEngine, open_engine
from hub.store import Store
from tests.databases import sqlite_store
from tests.search.search_world import ENGINES, hub_ontology

PEOPLE, ASKED = 2_000, 40
LEAST = {
    "exact": 1.0,
    "prefix": 0.95,
    "typo": 0.95,
    "nickname": 0.95,
    "transliteration": 0.95,
    "phone fragment": 0.95,
    "sound": 0.7,
}
"""A sound is Metaphone's idea of one, which is not always that of `bench/people.py`."""


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return crowd(PEOPLE)


@pytest.fixture(scope="module", params=ENGINES)
def crowded(
    request: pytest.FixtureRequest, people: list[Person], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SearchEngine]:
    """An engine with the crowd in it."""
    folder = tmp_path_factory.mktemp("crowd")
    if request.param == "postgres":
        url = request.getfixturevalue("lasting_database")()
    else:
        url = sqlite_store(folder / "hub.sqlite")
    store = Store.open(url, hub_ontology())
    engine = open_engine(request.param, folder / "index", store)
    every = documents(people)
    engine.rebuild(iter(lambda: list(islice(every, 500)), []), 1)
    yield engine
    engine.close()
    store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_people_are_found_as_people_ask_for_them(
    crowded: SearchEngine, people: list[Person], kind: str, record_property: Callable[[str, object], None]
) -> None:
    found = recall(crowded, searches(kind, people, ASKED))
    record_property("recall@10", found)
    assert found >= LEAST[kind]


def test_searches_are_not_what_is_written(people: list[Person]) -> None:
    """Else they would find it without any art."""
    written = {person.key: set(person.written.lower().split()) for person in people}
    for kind in ("typo", "nickname", "transliteration", "sound"):
        asked = searches(kind, people, ASKED)
        other = sum(not set(each.text.lower().split()) <= written[each.wanted] for each in asked)
        assert other > ASKED // 2


def test_a_crowd_is_the_same_each_time() -> None:
    assert crowd(50) == crowd(50)
    assert crowd(50, "other") != crowd(50)
