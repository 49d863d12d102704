"""Resolution: one arriving party against many held, all weighed at once beside Splink, an unmerge, and memory.

    python bench/resolution.py [--parties 1000000] [--arriving 2000] [--batch 1000] [--check] [--json FILE]

The parties come from the seeded world of `parties.py`, four people to an organisation, in a shuffled order, and are
written by the hub's own graph writer into SQLite, in batches as a sync makes them. Then, each in a process of its own:

* *arriving*: one more party at a time, each durable in a transaction of its own, with golden record and change feed;
* *unmerge*: a steward parts a party from its customer, with all that follows, durable;
* *anew*: all parties weighed and grouped again as when a model changes, with the memory that takes;
* *beside Splink*: what the hub's bulk path needs to score and group the profiles, and what Splink 5 needs by itself to
  predict and cluster them with the same model, the same frequencies and the same keys to block by.

"a core" divides by the process's own CPU seconds, which a busy machine does not stretch. `--check` makes a missed
target exit code 1.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from parties import Party, World

from hub.graph.entities import Entity, Statement
from hub.graph.resolution import MatchResolver, shipped_models
from hub.graph.resolution.bulk import PAGE, Bulk, paged, workspace
from hub.graph.resolution.judge import Judge
from hub.graph.resolution.keys import Keys
from hub.graph.resolution.matchables import Matchables, with_crowded
from hub.graph.resolution.splinking import SplinkScorer, splink_settings
from hub.graph.resolution.stewardship import Stewardship, Word
from hub.graph.resolution.wholes import Wholes
from hub.graph.writer import GraphWriter
from hub.ontology import Ontology, load_ontology
from hub.store import Store, utc_now
from hub.values import entity_id

SEED = 20260101
ARRIVALS_A_SECOND, P99_MS, TIMES_SPLINK, UNMERGE_S, MEMORY_MB = 500, 20.0, 1.3, 1.0, 2_000
UNMERGES = 20
Figures = dict[str, float]


def statements(ontology: Ontology, count: int) -> Iterator[Statement]:
    """What sources state of so many parties, always in the same order."""
    world = World(SEED)
    people = [("Person", party) for party in world.people(count * 4 // 5)]
    made = people + [("Organization", party) for party in world.organisations(count - len(people))]
    order = list(range(len(made)))
    random.Random(SEED).shuffle(order)
    names = {type_: _names(ontology, type_) for type_ in ("Person", "Organization")}
    for number in order:
        yield _statement(number, *made[number], names[made[number][0]])


def _names(ontology: Ontology, type_: str) -> dict[str, tuple[str, bool]]:
    properties = ontology.types[type_].properties.values()
    return {prop.match: (prop.name, prop.many) for prop in properties if prop.match}


def _statement(number: int, type_: str, party: Party, names: dict[str, tuple[str, bool]]) -> Statement:
    values: dict[str, Any] = {}
    for role, stated in party.values.items():
        if role in names:
            name, many = names[role]
            values[name] = list(stated) if many else stated[0]
    entity = Entity(entity_id("bench", "Party", str(number)), type_, str(number), values)
    at = "2026-01-01T00:00:00.000000Z"
    return Statement("bench", "parties", str(number), number * 10, number * 10 + 1, at, (entity,))


def opened(folder: Path) -> tuple[Store, GraphWriter]:
    """The store, and a writer into it."""
    store = Store.open(f"sqlite:///{folder / 'hub.sqlite'}", load_ontology())
    return store, GraphWriter(store, {"bench": 50}, restate=lambda _connection, _heads: [])


def load(folder: Path, parties: int, to_come: int, batch: int) -> Figures:
    store, writer = opened(folder)
    stated = islice(statements(store.ontology, parties + to_come), parties)
    begin, wall = time.process_time(), time.perf_counter()
    while some := list(islice(stated, batch)):
        with store.write() as connection:
            writer.apply(connection, 1, some)
    cpu = time.process_time() - begin
    return {"load_s": time.perf_counter() - wall, "load_a_second_a_core": parties / cpu}


def arriving(folder: Path, parties: int, count: int) -> Figures:
    store, writer = opened(folder)
    fresh = list(islice(statements(store.ontology, parties + count), parties, None))
    times, begin = [], time.process_time()
    for each in fresh:
        start = time.perf_counter()
        with store.write() as connection:
            writer.apply(connection, 2, [each])
        times.append((time.perf_counter() - start) * 1_000)
    cpu = time.process_time() - begin
    times.sort()
    return {
        "arrivals_a_second_a_core": len(times) / cpu,
        "arrival_p50_ms": times[len(times) // 2],
        "arrival_p99_ms": times[int(len(times) * 0.99)],
    }


def unmerge(folder: Path) -> Figures:
    store, writer = opened(folder)
    resolver = MatchResolver(store)
    stewardship = Stewardship(store, resolver, shipped_models())
    sql = f"SELECT customer_id FROM membership GROUP BY customer_id HAVING count(*) BETWEEN 3 AND 8 LIMIT {UNMERGES}"
    times = []
    for number, (customer,) in enumerate(_rows(store, sql)):
        with store.read() as connection:
            first, *others = sorted(stewardship.parties_of(connection, [customer]))
        start = time.perf_counter()
        with store.write() as connection:
            word = Word(f"act{number}", "bench", "bench", utc_now())
            pairs = {(min(first, other), max(first, other)) for other in others}
            settled = stewardship.part(connection, word, pairs)
            applied = writer.regroup(connection, 3, settled.parties)
        times.append(time.perf_counter() - start)
        assert applied.splits, "nothing was parted"
    return {"unmerge_worst_s": max(times)}


def anew(folder: Path, batch: int) -> Figures:
    store, writer = opened(folder)
    resolver = MatchResolver(store)
    parties = sorted(row[0] for row in _rows(store, "SELECT party_id FROM membership"))
    start = time.perf_counter()
    with store.write() as connection:
        resolver.compare_anew(connection, parties)
        weighed = time.perf_counter()
        for some in paged(parties, batch):
            writer.regroup(connection, 4, some)
    grouped = time.perf_counter()
    return {
        "anew_compared_s": weighed - start,
        "anew_grouped_s": grouped - weighed,
        "anew_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def beside_splink(folder: Path) -> Figures:
    store, _ = opened(folder)
    models, matchables = shipped_models(), Matchables(store)
    found: Figures = {}
    with store.read() as connection, workspace() as duck:
        bulk = Bulk(duck, models, Keys(store, models), partial(matchables.numbered, connection))
        wholes = Wholes(duck, connection, store)
        parties = sorted(row[0] for row in _rows(store, "SELECT party_id FROM membership"))
        for page in paged(parties, PAGE):
            held = sorted(matchables.of(connection, page), key=attrgetter("party"))
            bulk.add([with_crowded(each, ()) for each in held])
            wholes.add(page)
        for _ in bulk.settle():
            continue
        found["splink_s"] = _timed(lambda: _splink_alone(duck, models))
        found["score_s"] = _timed(bulk.weigh)

        def group() -> None:
            wholes.add_edges(bulk.joining())
            for _ in wholes.groups(
                partial(Judge, models), lambda some: bulk.as_compared(matchables.of(connection, some))
            ):
                continue

        found["group_s"] = _timed(group)
    return {**found, "times_splink": (found["score_s"] + found["group_s"]) / found["splink_s"]}


def _splink_alone(duck: Any, models: Any) -> None:
    """Splink's predict and cluster, blocking by the keys that are not crowded."""
    from splink import DuckDBAPI, Linker

    for kind, model in models.items():
        duck.execute(
            f"CREATE TABLE alone_{kind} AS SELECT e.*, k.keys FROM evidence_{kind} e LEFT JOIN"
            " (SELECT place, list(DISTINCT key) AS keys FROM shared GROUP BY place) k USING (place)"
        )
        api = DuckDBAPI(connection=duck)
        rule = {"blocking_rule": "l.keys = r.keys", "sql_dialect": "duckdb", "arrays_to_explode": ["keys"]}
        settings = {**splink_settings(model), "blocking_rules_to_generate_predictions": [rule]}
        linker = Linker(api.register(f"alone_{kind}"), settings, log_level=None)
        SplinkScorer.register_frequencies(duck, api, linker, f"alone_{kind}", model)
        least = min(model.settings.review_weight, model.settings.merge_weight)
        edges = linker.inference.predict(threshold_match_weight=least, warning_mode="never")
        linker.clustering.cluster_pairwise_predictions_at_threshold(
            edges, threshold_match_weight=model.settings.merge_weight
        )


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _rows(store: Store, sql: str) -> list[Any]:
    with store.read() as connection:
        return list(connection.exec_driver_sql(sql))


def _apart(stage: Callable[..., Figures], *arguments: Any) -> Figures:
    """What a stage measures in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(stage, arguments)
    for name, figure in found.items():
        print(f"{name:28} {figure:12,.2f}", flush=True)
    return found


def missed(found: Figures) -> list[str]:
    """The targets that the figures miss."""
    targets = {
        "arrivals_a_second_a_core": found["arrivals_a_second_a_core"] >= ARRIVALS_A_SECOND,
        "arrival_p99_ms": found["arrival_p99_ms"] <= P99_MS,
        "unmerge_worst_s": found["unmerge_worst_s"] <= UNMERGE_S,
        "times_splink": found["times_splink"] <= TIMES_SPLINK,
        "anew_memory_mb": found["anew_memory_mb"] <= MEMORY_MB,
    }
    return [name for name, is_met in targets.items() if not is_met]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parties", type=int, default=1_000_000)
    parser.add_argument("--arriving", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--json", type=Path, help="file for the figures")
    given = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, {given.parties:,} parties")
    with tempfile.TemporaryDirectory(prefix="bench-resolution-") as name:
        folder = Path(name)
        found = _apart(load, folder, given.parties, given.arriving, given.batch)
        found |= _apart(beside_splink, folder)
        found |= _apart(arriving, folder, given.parties, given.arriving)
        found |= _apart(unmerge, folder)
        found |= _apart(anew, folder, given.batch)
    if given.json:
        given.json.write_text(json.dumps(found, indent=2))
    if late := missed(found):
        print("missed:", ", ".join(late))
        if given.check:
            sys.exit(1)


if __name__ == "__main__":
    main()
