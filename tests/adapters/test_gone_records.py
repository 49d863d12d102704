"""What a source says is gone goes, in the order in which it is said; what the hub has is put away at the source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.adapters import RunReport, Syncer, load_sources
from hub.adapters.stream_run import StreamRun
from hub.errors import ConfigurationError
from hub.ontology import Ontology, load_ontology
from hub.store import Store
from tests.adapters.shop import Shop, numbers

SOURCE = """\
source: shop
connector: {{type: files, root: {{env: SHOP_DIR}}}}
streams:
  people:
    read: {{glob: "*.jsonl", format: {{type: debezium}}, after: {after}}}
    key: no
    deletes: {deletes}
    entities:
      - type: Person
        properties: {{name: {{path: name, required: true}}, customerNumber: no}}
"""


def source(after: str = "keep", deletes: str = "none") -> str:
    return SOURCE.format(after=after, deletes=deletes)


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def store(store_url: str, ontology: Ontology) -> Iterator[Store]:
    opened = Store.open(store_url, ontology)
    yield opened
    opened.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop", source())


def event(op: str, no: int | None, name: str | None = "Cora Example") -> dict[str, Any]:
    row = {"no": no, "name": name}
    return {"op": op, "before": row if op == "d" else None, "after": None if op == "d" else row}


def sync(
    shop: Shop, store: Store, ontology: Ontology, *events: dict[str, Any], size: int = 1000
) -> RunReport:
    if events:
        count = len(list(shop.folder.glob("*.jsonl")))
        (shop.folder / f"{count}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    return shop.syncer(store, ontology, size).sync("shop")


def names(store: Store) -> dict[str, str]:
    with store.read() as connection:
        found = connection.execute(text("SELECT customer_number, name FROM e_person"))
        return {str(no): name for no, name in found}


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_what_is_gone_goes_in_its_order(shop: Shop, store: Store, ontology: Ontology, size: int) -> None:
    first = sync(shop, store, ontology, event("c", 1), event("c", 2), event("d", 1), event("d", 9), size=size)
    assert names(store) == {"2": "Cora Example"}
    assert numbers(first, "people")["deleted"] == 1
    again = [event("c", 1, "Dora"), event("d", 1), event("c", 1, "Ella"), event("d", 2)]
    second = sync(shop, store, ontology, *again, size=size)
    assert names(store) == {"1": "Ella"}
    assert (second.state, second.streams["people"].reconciles) == ("ok", True)


def test_a_deletion_takes_the_waiting_version_out_of_quarantine(
    shop: Shop, store: Store, ontology: Ontology
) -> None:
    good = [event("c", number) for number in range(2, 12)]
    sync(shop, store, ontology, *good, event("c", 1, None))
    sync(shop, store, ontology, event("d", 1))
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM quarantine")).scalar_one() == 0


def test_a_deletion_without_a_key_waits_in_quarantine(shop: Shop, store: Store, ontology: Ontology) -> None:
    report = sync(shop, store, ontology, *(event("c", number) for number in range(9)), event("d", None))
    assert numbers(report, "people")["quarantined"] == 1
    assert len(names(store)) == 9


def test_a_run_killed_before_a_deletion_comes_to_it_again(
    shop: Shop, store: Store, ontology: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StreamRun, "_delete_told", killed)
        with pytest.raises(KeyboardInterrupt):
            sync(shop, store, ontology, event("c", 1), event("d", 1))
    assert names(store) == {"1": "Cora Example"}
    sync(shop, store, ontology)
    assert names(store) == {}


def test_a_file_goes_once_the_hub_has_it(shop: Shop, store: Store, ontology: Ontology) -> None:
    shop.configure(source("delete"))
    assert sync(shop, store, ontology, event("c", 1)).state == "ok"
    assert list(shop.folder.glob("*.jsonl")) == []
    assert sync(shop, store, ontology).state == "ok"
    assert names(store) == {"1": "Cora Example"}


def test_a_file_of_a_run_that_failed_stays(shop: Shop, store: Store, ontology: Ontology) -> None:
    shop.configure(source("delete"))
    assert sync(shop, store, ontology, event("c", 1), event("x", 2)).state == "failed"
    assert len(list(shop.folder.glob("*.jsonl"))) == 1


def test_a_file_of_a_run_that_was_killed_goes_with_the_next(
    shop: Shop, store: Store, ontology: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.configure(source("delete"))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StreamRun, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            sync(shop, store, ontology, event("c", 1))
    assert len(list(shop.folder.glob("*.jsonl"))) == 1
    assert sync(shop, store, ontology).total.read == 0
    assert list(shop.folder.glob("*.jsonl")) == []
    assert names(store) == {"1": "Cora Example"}


def test_what_is_taken_away_cannot_be_scanned_for_deletions(shop: Shop, ontology: Ontology) -> None:
    shop.configure(source("delete", "full_scan"))
    with pytest.raises(ConfigurationError, match="would seem deleted at the next run"):
        load_sources(shop.folder / "config", ontology)


def test_a_preview_takes_nothing_away(shop: Shop, store: Store, ontology: Ontology) -> None:
    from hub.adapters.preview import preview

    shop.configure(source("delete"))
    (shop.folder / "0.jsonl").write_text(
        "".join(json.dumps(e) + "\n" for e in (event("c", 1), event("d", 1)))
    )
    syncer: Syncer = shop.syncer(store, ontology)
    config = syncer.sources.config("shop")
    seen = preview(config, "people", syncer.mapping("shop", "people"), syncer.sources.connect(config), 10)
    assert (seen.read, len(seen.entities)) == (2, 1)
    assert (shop.folder / "0.jsonl").exists()
