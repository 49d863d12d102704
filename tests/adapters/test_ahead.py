"""Streams read at once: nothing is lost or out of its order, nobody runs far ahead, and one's end is the end of all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.ahead import read_at_once
from hub.adapters.connectors.files import FilesConfig, FilesConnector
from hub.adapters.records import Batch, Clock, ConnectorContext, Pace, RawRecord
from hub.adapters.runs import RunReport
from hub.errors import SourceUnavailableError
from hub.ontology import Ontology, load_ontology
from hub.store import Store
from tests.adapters.shop import Shop, graph, numbers
from tests.adapters.test_sync import YAML, fill
from tests.databases import sqlite_store

AT_ONCE = f"streams_at_once: 3\n{YAML}"


def batch(number: int) -> Batch:
    return Batch([RawRecord({"no": number}, f"row {number}")], {"at": number})


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6), at_once=st.integers(1, 4))
def test_every_batch_comes_once_in_the_order_of_its_stream(lengths: list[int], at_once: int) -> None:
    streams = {
        f"s{index}": lambda length=length: iter([batch(n) for n in range(length)])
        for index, length in enumerate(lengths)
    }
    read: dict[str, list[int | None]] = {name: [] for name in streams}
    for name, found in read_at_once(streams, at_once):
        read[name].append(found.cursor["at"] if found and found.cursor else None)
    assert list(read.values()) == [[*range(length), None] for length in lengths]


def test_they_are_read_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=20)

    def meeting() -> Iterator[Batch]:
        both.wait()
        yield batch(1)

    assert len(list(read_at_once({"one": meeting, "other": meeting}, 2))) == 4


def test_no_more_than_so_many_at_a_time_and_none_far_ahead() -> None:
    under_way, most, handed = Counter[str](), 0, 0

    def reading(name: str) -> Iterator[Batch]:
        nonlocal most, handed
        under_way[name] = 1
        most = max(most, under_way.total())
        for number in range(20):
            handed += 1
            yield batch(number)
        under_way[name] = 0

    taken = 0
    for _, found in read_at_once({f"s{n}": lambda n=n: reading(f"s{n}") for n in range(5)}, 2):
        taken += found is not None
        time.sleep(0.001)
        assert handed - taken <= 5, "two wait to be taken, two are in hands, and one is being made"
    assert (taken, most) == (100, 2)


def test_an_error_ends_all() -> None:
    ended = threading.Event()

    def endless() -> Iterator[Batch]:
        try:
            while True:
                yield batch(1)
        finally:
            ended.set()

    def broken() -> Iterator[Batch]:
        yield batch(1)
        raise SourceUnavailableError("shop", "broken", "is down")

    with pytest.raises(SourceUnavailableError):
        for _ in read_at_once({"endless": endless, "broken": broken}, 2):
            pass
    assert ended.wait(20)


def test_who_takes_no_more_ends_all() -> None:
    ended = threading.Event()

    def endless() -> Iterator[Batch]:
        try:
            while True:
                yield batch(1)
        finally:
            ended.set()

    with closing(read_at_once({"endless": endless, "never": endless}, 1)) as reading:
        next(reading)
    assert ended.is_set(), "and it is waited for"


class Stopped(Clock):
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.at, self.lock = 100.0, threading.Lock()

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.at += seconds


def test_a_pace_is_kept_together() -> None:
    pace, clock = Pace(), Stopped()
    for _ in range(11):
        pace.wait(clock, 0.5)
    assert clock.at == pytest.approx(105)
    slow, began = Pace(), time.monotonic()
    threads = [threading.Thread(target=lambda: [slow.wait(Clock(), 0.02) for _ in range(5)]) for _ in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert time.monotonic() - began >= 19 * 0.02


def told(url: str) -> dict[str, Any]:
    """The graph, as both databases spell it: of rows with amounts, which they spell each in its way, id and hash."""
    found = graph(url)
    return {
        name: [(row[0], row[-1]) for row in rows] if name in ("orders", "lines") else rows
        for name, rows in found.items()
    }


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def synced(folder: Path, url: str, yaml: str, ontology: Ontology, size: int = 3) -> RunReport:
    shop = Shop(folder, yaml)
    fill(shop)
    store = Store.open(url, ontology, b"the same")
    try:
        return shop.syncer(store, ontology, size).sync("shop")
    finally:
        store.close()


def test_the_graph_is_the_same(tmp_path: Path, store_url: str, ontology: Ontology) -> None:
    alone = sqlite_store(tmp_path / "alone.sqlite")
    one, all_ = (
        synced(tmp_path / "shop", url, yaml, ontology) for url, yaml in ((alone, YAML), (store_url, AT_ONCE))
    )
    assert (one.state, all_.state) == ("ok", "ok")
    for stream in one.streams:
        assert numbers(one, stream) == numbers(all_, stream)
    assert told(alone) == told(store_url)


def test_all_streams_of_a_run_keep_one_pace_by_a_connection_of_their_own(
    tmp_path: Path, ontology: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces = []
    connect = FilesConfig.connect

    def noting(self: FilesConfig, context: ConnectorContext) -> FilesConnector:
        paces.append(context.pace)
        return connect(self, context)

    monkeypatch.setattr(FilesConfig, "connect", noting)
    url = sqlite_store(tmp_path / "hub.sqlite")
    synced(tmp_path / "shop", url, AT_ONCE, ontology)
    assert (len(paces), len({id(pace) for pace in paces})) == (3, 1)
    synced(tmp_path / "shop", url, YAML, ontology)
    assert (len(paces), len({id(pace) for pace in paces})) == (4, 2)


def test_what_broke_off_is_made_good_by_the_next_run(
    tmp_path: Path, store_url: str, ontology: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = FilesConnector.batches

    def broken(self: FilesConnector, stream: Any, cursor: Any, size: int) -> Iterator[Batch]:
        for number, each in enumerate(reads(self, stream, cursor, size)):
            if stream.name == "orders" and number == 2:
                raise SourceUnavailableError("shop", "orders", "is down")
            yield each

    with monkeypatch.context() as breaking:
        breaking.setattr(FilesConnector, "batches", broken)
        report = synced(tmp_path / "shop", store_url, AT_ONCE, ontology)
    assert report.state == "failed"
    assert "is down" in report.doubts[0]
    assert not [each for each in threading.enumerate() if each.name.startswith("reader")]
    again = synced(tmp_path / "shop", store_url, AT_ONCE, ontology)
    assert again.state == "ok"
    alone = sqlite_store(tmp_path / "alone.sqlite")
    synced(tmp_path / "other", alone, YAML, ontology)
    assert told(alone) == told(store_url)
