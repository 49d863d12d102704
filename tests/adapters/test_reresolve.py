"""Parties are resolved anew when the models have changed, as they would have been from the start."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.adapters import Sources, Syncer, firstload, load_sources, reresolve
from hub.graph.resolution import MatchModel
from hub.graph.resolution.models import load_model
from hub.ontology import Ontology, load_ontology
from hub.store import Store
from tests.adapters.shop import Shop, graph

YAML = """\
source: shop
label: Shop
trust: 50
connector: {type: files, root: {env: SHOP_DIR}}
streams:
  people:
    read: {glob: "people.jsonl", format: {type: jsonl}}
    key: no
    entities:
      - type: Person
        key: no
        properties:
          givenName: given
          familyName: family
          birthDate: born
          postalCode: zip
"""
PEOPLE = [
    {"no": str(number), "given": "Ann", "family": "Lee", "born": "1980-01-01", "zip": f"AB1 {number % 2}CD"}
    for number in range(4)
]
TOY = Path(__file__).parents[1] / "graph" / "resolution" / "toy_model"


def models(merge_weight: float) -> dict[Any, MatchModel]:
    toy = load_model(TOY)
    made = replace(
        toy,
        digest=f"{toy.digest} {merge_weight}",
        settings=toy.settings.model_copy(update={"merge_weight": merge_weight}),
    )
    return {"person": made, "organization": made}


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def store(store_url: str, ontology: Ontology) -> Iterator[Store]:
    store = Store.open(store_url, ontology)
    yield store
    store.close()


@pytest.fixture
def opened(tmp_path: Path, ontology: Ontology) -> Callable[[Store, float], Syncer]:
    """Gives a syncer whose model joins from some bits on, as a start of the hub makes it."""
    shop = Shop(tmp_path / "shop", YAML)
    (shop.folder / "people.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PEOPLE))

    def made(store: Store, merge_weight: float) -> Syncer:
        folder = shop.folder / "config"
        sources = Sources(load_sources(folder, ontology), ontology, {"SHOP_DIR": str(shop.folder)}, folder)
        syncer = Syncer(store, sources, 2, models=models(merge_weight))
        syncer.resolve_changed()
        return syncer

    return made


def test_a_changed_model_resolves_all_parties_anew(
    store: Store, store_url: str, opened: Callable[[Store, float], Syncer]
) -> None:
    opened(store, 6.0).sync("shop")
    by_lax = graph(store_url)["customers"]
    ids = customer_ids(store)
    opened(store, 14.0)
    by_strict = graph(store_url)["customers"]
    assert sorted(map(len, by_lax)) == [4]
    assert sorted(map(len, by_strict)) == [2, 2]
    assert ids < customer_ids(store)
    assert [run.kind for run in runs(store)] == ["sync", "resolve"]
    assert audited(store, "customer_unmerged") == 1
    opened(store, 6.0)
    assert graph(store_url)["customers"] == by_lax
    assert customer_ids(store) == ids


def test_the_same_models_resolve_nobody_anew(store: Store, opened: Callable[[Store, float], Syncer]) -> None:
    opened(store, 6.0).sync("shop")
    feed = store.last_change()
    opened(store, 6.0)
    assert store.last_change() == feed
    assert [run.kind for run in runs(store)] == ["sync"]


def test_a_large_first_load_is_grouped_at_its_end(
    store: Store,
    store_url: str,
    opened: Callable[[Store, float], Syncer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(firstload, "FIRST_LOAD", 1)
    syncer = opened(store, 14.0)
    known: list[int] = []
    syncer.sync("shop", lambda _stream, _counts: known.append(len(customer_ids(store))))
    assert known[:2] == [0, 0]
    assert sorted(map(len, graph(store_url)["customers"])) == [2, 2]
    with store.read() as connection:
        assert reresolve.kept_digest(connection) == syncer.resolver.digest
    assert [run.kind for run in runs(store)] == ["sync"]
    assert audited(store, "customer_merged") == 0


def test_a_first_load_that_is_broken_off_is_caught_up_with_at_the_next_start(
    store: Store,
    store_url: str,
    opened: Callable[[Store, float], Syncer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(firstload, "FIRST_LOAD", 1)

    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(reresolve, "resolve_anew", broken_off)
        with pytest.raises(KeyboardInterrupt):
            opened(store, 14.0).sync("shop")
    assert customer_ids(store) == set()
    opened(store, 14.0)
    assert sorted(map(len, graph(store_url)["customers"])) == [2, 2]
    assert [(run.kind, run.state) for run in runs(store)] == [("sync", "interrupted"), ("resolve", "ok")]


def test_who_is_known_already_is_resolved_as_it_comes(
    store: Store, opened: Callable[[Store, float], Syncer], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(store, 14.0).sync("shop")
    monkeypatch.setattr(firstload, "FIRST_LOAD", 0)
    monkeypatch.setattr(reresolve, "resolve_anew", None)
    assert opened(store, 14.0).sync("shop").state == "ok"


def customer_ids(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(text("SELECT id FROM customer")).scalars())


def runs(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(text("SELECT kind, state FROM run ORDER BY id")))


def audited(store: Store, action: str) -> int:
    return sum(json.loads(event)["action"] == action for _, event in store.pending(1000))
