"""What `streams_at_once` gives: four streams of a slow API, read one after the other and all at once.

    python bench/at_once.py [--delay-ms 100] [--pages 15] [--rounds 3]

The API answers in this process, each page of 100 records after the delay; the store is SQLite in memory or on disk,
wherever temporary files lie. One after the other is the peer; both are measured in turn.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from hub.adapters import Sources, Syncer, load_sources
from hub.ontology import load_ontology
from hub.store import Store

STREAMS, PAGE = 4, 100
HEAD = """
source: shop
currency: GBP
streams_at_once: {at_once}
connector: {{type: rest, url: "http://api.example.com"}}
streams:
"""
STREAM = """
  orders{number}:
    read:
      path: /orders{number}
      records: items
      paging: {{type: page, param: page, size_param: size, size: 100}}
    key: no
    entities:
      - type: Order
        properties: {{orderNumber: no, total: total}}
"""


class SlowApi(httpx.BaseTransport):
    """Pages of made-up orders, each after the delay."""

    def __init__(self, delay_s: float, pages: int) -> None:
        self._delay_s, self._pages = delay_s, pages

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """A page; empty beyond the last."""
        time.sleep(self._delay_s)
        page, path = int(request.url.params["page"]), request.url.path
        first = (page - 1) * PAGE
        numbers = range(first, first + PAGE) if page <= self._pages else range(0)
        return httpx.Response(
            200, json={"items": [{"no": f"{path}-{n}", "total": f"{n}.50"} for n in numbers]}
        )


def seconds(at_once: int, delay_s: float, pages: int) -> float:
    """How long a first sync takes."""
    ontology = load_ontology()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        streams = "".join(STREAM.format(number=number) for number in range(STREAMS))
        (folder / "shop.yaml").write_text(HEAD.format(at_once=at_once) + streams)
        store = Store.open(f"sqlite:///{folder / 'hub.sqlite'}", ontology)
        sources = Sources(
            load_sources(folder, ontology), ontology, {}, folder, wire=lambda: SlowApi(delay_s, pages)
        )
        began = time.perf_counter()
        report = Syncer(store, sources).sync("shop")
        took = time.perf_counter() - began
        assert (report.state, report.total.accepted) == ("ok", STREAMS * pages * PAGE), report
        store.close()
        return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--delay-ms", type=int, default=100)
    parser.add_argument("--pages", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    took: dict[int, list[float]] = {1: [], STREAMS: []}
    for _ in range(given.rounds):
        for at_once, times in took.items():
            times.append(seconds(at_once, given.delay_ms / 1000, given.pages))
    records = STREAMS * given.pages * PAGE
    alone, together = median(took[1]), median(took[STREAMS])
    print(f"{records} records, {given.delay_ms} ms a page of {PAGE}, median of {given.rounds}")
    print(f"one after the other  {alone:6.2f} s")
    print(f"{STREAMS} at once            {together:6.2f} s   {alone / together:.2f} times as fast")


if __name__ == "__main__":
    main()
