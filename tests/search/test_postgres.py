"""What is PostgreSQL's own among the engines: which one is taken, large documents, plans that outlive a swap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.errors import ConfigurationError
from hub.search import (
    PostgresEngine,
    TantivyEngine,
    WhooshEngine,
    open_engine,
    postgres_engine,
    postgres_query,
)
from hub.store import Store
from tests.search.search_world import WHO, Access, World, fill, gone, hub_ontology, key_of, says, thing


def test_a_setting_chooses_the_engine_and_the_store_where_there_is_none(
    store_url: str, tmp_path: Path
) -> None:
    store = Store.open(store_url, hub_ontology())
    own = PostgresEngine if store.dialect.name == "postgresql" else TantivyEngine
    try:
        for name, kind in ((None, own), ("tantivy", TantivyEngine), ("whoosh", WhooshEngine)):
            assert isinstance(open_engine(name, tmp_path, store), kind)
        if own is TantivyEngine:
            with pytest.raises(ConfigurationError, match="HUB_SEARCH_ENGINE"):
                open_engine("postgres", tmp_path, store)
    finally:
        store.close()


@pytest.fixture
def shared(postgres_store_url: str, tmp_path: Path) -> World:
    made = World(postgres_store_url, tmp_path / "index", "postgres")
    fill(made)
    made.indexer.follow()
    return made


def test_statements_that_the_server_keeps_find_the_new_index_after_a_swap(shared: World) -> None:
    for _ in range(8):
        assert shared.find("whitfield") == [key_of(shared, "liz")]
    shared.apply(says("erp", thing("Ticket", "n1", ticketNumber="N-1", subject="swapped")))
    assert shared.indexer.rebuild()
    shared.engine.drop_former()
    for _ in range(8):
        assert shared.find("swapped") == [("Ticket", thing("Ticket", "n1").id)]
    shared.close()


def test_of_a_huge_text_what_fits_is_found(shared: World) -> None:
    words = " ".join(f"word{at}" for at in range(120_000))
    shared.apply(says("erp", thing("Ticket", "n1", ticketNumber="N-1", subject="huge", body=words)))
    shared.indexer.follow()
    assert shared.find("huge word7") == [("Ticket", thing("Ticket", "n1").id)]
    shared.close()


def test_of_more_matches_than_are_ranked_customers_and_the_newest_are(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.search.postgres_engine.RANKED", 3)
    assert postgres_query.RANKED > 100
    answer = shared.service.search("nowak", access=Access())
    assert [(hit.type, hit.id) for hit in answer.hits] == [key_of(shared, "lukasz"), key_of(shared, "ticket")]
    assert answer.total == 2
    shared.close()


def test_an_index_that_is_swapped_in_the_middle_of_a_search_is_asked_anew(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, swaps = postgres_engine._types, []

    def swapped_before(*given: Any) -> dict[str, int]:
        if not swaps:
            swaps.append(shared.indexer.rebuild())
        return counted(*given)

    monkeypatch.setattr(postgres_engine, "_types", swapped_before)
    answer = shared.service.search("whitfield", access=Access())
    assert swaps == [True]
    assert ([(hit.type, hit.id) for hit in answer.hits], answer.total) == ([key_of(shared, "liz")], 1)
    shared.close()


def test_words_of_what_is_gone_stay_until_the_index_is_scrubbed(shared: World) -> None:
    sql = text(
        "SELECT (SELECT count(*) FROM hub_search.word WHERE word = 'whitfield')"
        " + (SELECT count(*) FROM hub_search.deletion WHERE word = 'whitfield')"
        " + (SELECT count(*) FROM hub_search.document WHERE terms::text LIKE '%whitfield%')"
    )

    def held() -> int:
        with shared.store.read() as connection:
            return int(connection.execute(sql).scalar_one())

    shared.apply(gone("erp", WHO["liz"]))
    shared.indexer.follow()
    assert shared.find("whitfield") == []
    assert shared.service.search("vhitfieled", access=Access()).did_you_mean is None
    assert held() > 0
    assert shared.indexer.scrub()
    assert held() == 0
    assert shared.generations() == 1
    shared.close()


def test_of_more_matches_than_are_counted_counts_are_lower_bounds_and_say_so(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(most: int) -> tuple[int, int, int, bool]:
        monkeypatch.setattr("hub.search.postgres_engine.COUNTED", most)
        answer = shared.service.search("nowak", facets=["source"], access=Access())
        sums = (sum(answer.facets.values()), sum(answer.counts["source"].values()))
        assert [(hit.type, hit.id) for hit in answer.hits] == [
            key_of(shared, "lukasz"),
            key_of(shared, "ticket"),
        ]
        return (answer.total, *sums, answer.at_least)

    assert counted(3) == (2, 2, 2, False)
    assert counted(1) == (1, 1, 1, True)
    shared.close()
