"""Search: the three engines beside each other over one crowd, in speed and in what they find.

    python bench/search.py [--people 80000] [--engines tantivy whoosh postgres] [--rounds 60] [--check]

Times are of the engine alone, in milliseconds of wall clock, with the access filter inside the query; what a hit shows
is read from the store beyond that. Recall is the share of searches whose person is among the first ten hits.
`--check` makes a recall of typos below 0.95 exit code 1. PostgreSQL is a private one of the tests.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.people import EMAIL, KINDS, NAME, PHONE, TEXT, Asked, Person, crowd, documents, searches
from hub.ontology import load_ontology
from hub.search import Document, SearchEngine, SearchRequest, open_engine
from hub.store import Store
from tests.databases import Postgres, sqlite_store

ENGINES = ("tantivy", "whoosh", "postgres")
TYPO_RECALL = 0.95
BATCH = 1_000
PLAIN = SearchRequest(
    "", frozenset({NAME, PHONE, EMAIL, TEXT}), frozenset({"type:Customer", "type:Ticket"}), first=10
)


@contextmanager
def opened(name: str, folder: Path) -> Iterator[SearchEngine]:
    """An engine with nothing in it."""
    server = Postgres() if name == "postgres" else None
    url = server.store() if server is not None else sqlite_store(folder / "hub.sqlite")
    store = Store.open(url, load_ontology())
    engine = open_engine(name, folder / "index", store)
    try:
        yield engine
    finally:
        engine.close()
        store.close()
        if server is not None:
            server.close()


def batches(people: list[Person]) -> Iterator[Sequence[Document]]:
    """The documents of the crowd."""
    every = documents(people)
    while batch := list(islice(every, BATCH)):
        yield batch


def recall(engine: SearchEngine, asked: Sequence[Asked]) -> float:
    """The share whose person is among the first ten."""
    found = 0
    for each in asked:
        hits = engine.search(replace(PLAIN, text=each.text)).hits
        found += each.wanted in {f"{hit.type}:{hit.id}" for hit in hits}
    return found / len(asked)


def timed(engine: SearchEngine, requests: Sequence[SearchRequest]) -> tuple[float, float]:
    """Median and worst in milliseconds."""
    taken = []
    for request in requests:
        begun = time.perf_counter()
        engine.search(request)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken), max(taken)


def measured(name: str, people: list[Person], rounds: int, folder: Path) -> bool:
    """Whether typos are found often enough; prints all figures of one engine."""
    with opened(name, folder) as engine:
        begun = time.perf_counter()
        count = engine.rebuild(batches(people), 1)
        print(
            f"| {name} | built, {count:,} documents | {time.perf_counter() - begun:.1f} s | | |", flush=True
        )
        good = True
        for kind in KINDS:
            asked = searches(kind, people, rounds)
            share = recall(engine, asked)
            middle, worst = timed(engine, [replace(PLAIN, text=each.text) for each in asked])
            print(f"| {name} | {kind} | {middle:.2f} ms | {worst:.1f} ms | {share:.3f} |", flush=True)
            good = good and (kind != "typo" or share >= TYPO_RECALL)
        counting = [
            replace(PLAIN, text=text, facets=("source",)) for text in ("robert", "broken lamp", "william")
        ]
        middle, worst = timed(engine, counting * (rounds // 10 or 1))
        print(f"| {name} | common words with counts | {middle:.2f} ms | {worst:.1f} ms | |", flush=True)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--people", type=int, default=80_000, help="a ticket for every fourth is added")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    people, good = crowd(given.people), True
    print("| engine | search | median | worst | recall@10 |\n|---|---|---|---|---|")
    for name in given.engines:
        with tempfile.TemporaryDirectory() as folder:
            good = measured(name, people, given.rounds, Path(folder)) and good
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    return 0 if good or not given.check else 1


if __name__ == "__main__":
    sys.exit(main())
