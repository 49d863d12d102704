"""How quickly the privacy map is made, of 40 sources with 60 fields and of one customer, and an erasure is planned.

One customer is written as a sync writes it, with records; the others are copies of it in SQL, as in `bench/pop.py`,
here with their records, profiles and identifiers. Times are those of the calls that GraphQL and `hub privacy` make,
audit and policy on, the median and the 95th percentile. In the end all customers are judged as an audience, once.

    python bench/privacy.py 1000000 [--check]

`--check` makes a missed target exit code 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from hub.commands import Author
from hub.ontology import load_ontology
from hub.privacy import consent, places
from hub.privacy.requests import (
    Channel,
    Kind,
    Law,
    Method,
    OpenRequest,
    open_request,
    plan_request,
    verify,
)
from hub.services import Services, open_services
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SOURCES, FIELDS, ROUNDS, PEOPLE = 40, 60, 7, 200
PLANS = 50
MAP_S, PLAN_S, PERSON_MS = 1.0, 1.0, 50.0
HEAD = """source: {name}
region: GB
connector: {{type: files, root: exports}}
streams:
"""
STREAM = """  {stream}:
    read: {{glob: {name}-{stream}.csv, format: {{type: csv}}}}
    key: no
    entities:
      - type: {type}
        properties: {{{properties}}}
"""
TYPES = ("Person", "Ticket", "Order")
_N = "'cus_bench_customer_' || n"
_COPIED = {
    "record_head": {"id": "1000 + n", "key": "'k' || n", "record_id": "1000 + n", "hash": "'h' || n"},
    "record": {"id": "1000 + n", "head_id": "1000 + n", "hash": "'h' || n"},
    "e_person": {"id": "'p' || n", "head_id": "1000 + n", "record_id": "1000 + n", "record_key": "'k' || n"},
    "membership": {"party_id": "'p' || n", "customer_id": _N},
    "customer": {"id": _N},
    "profile": {"id": "1000 + n", "party_id": "'p' || n"},
    "identifier": {"entity_id": "'p' || n", "value": "value || n"},
}


def configure(folder: Path) -> int:
    """Write the sources; the number of fields that they declare."""
    (folder / "exports").mkdir(parents=True)
    ontology, total = load_ontology(), 0
    for number in range(SOURCES):
        name, parts = f"source{number:02d}", []
        for type_ in TYPES:
            props = [
                p for p in ontology.type(type_).properties.values() if p.type.value == "text" and not p.many
            ]
            chosen = props[: FIELDS // len(TYPES)]
            fields = ", ".join(f"{p.name}: f{place}" for place, p in enumerate(chosen))
            stream = type_.lower()
            parts.append(STREAM.format(stream=stream, name=name, type=type_, properties=fields))
            columns = ["no", *(f"f{place}" for place in range(FIELDS // len(TYPES)))]
            row = ",".join([f"{number}", *("x" for _ in columns[1:])])
            (folder / "exports" / f"{name}-{stream}.csv").write_text(f"{','.join(columns)}\n{row}\n")
            total += len(columns)
        (folder / f"{name}.yaml").write_text(HEAD.format(name=name) + "".join(parts))
    return total


def copy(connection: Connection, customers: int) -> None:
    """Make copies of the first customer, rows and all."""
    if connection.dialect.name != "sqlite":
        raise SystemExit("this measures SQLite")
    for table, own in _COPIED.items():
        columns = [row[1] for row in connection.exec_driver_sql(f'PRAGMA table_info("{table}")')]
        shown = ", ".join(own.get(name, f't."{name}"') for name in columns)
        first = f'SELECT * FROM "{table}" WHERE {_FIRST[table]} LIMIT {_EACH.get(table, 1)}'
        names = ", ".join(f'"{name}"' for name in columns)
        made = "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < :most)"
        sql = f'INSERT INTO "{table}" ({names}) {made} SELECT {shown} FROM ({first}) t, many'
        connection.execute(text(sql), {"most": customers})


_EACH = {"identifier": 3}
_FIRST = {
    "record_head": "source = 'source00' AND stream = 'person'",
    "record": "head_id = (SELECT id FROM record_head WHERE source = 'source00' AND stream = 'person')",
    "e_person": "source = 'source00'",
    "membership": "party_id = (SELECT id FROM e_person WHERE source = 'source00')",
    "customer": "id = (SELECT m.customer_id FROM membership m JOIN e_person p ON p.id = m.party_id"
    " WHERE p.source = 'source00')",
    "profile": "party_id = (SELECT id FROM e_person WHERE source = 'source00')",
    "identifier": "entity_id = (SELECT id FROM e_person WHERE source = 'source00')",
}


def timed(ask: Callable[[], Any]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def measure(services: Services, customers: int) -> dict[str, tuple[float, float, float]]:
    """Median, 95th percentile and target of each question, in milliseconds."""
    author = Author.operator("os:bench", services.access)
    step = max(1, customers // PEOPLE)
    ids = [f"cus_bench_customer_{n}" for n in range(1, customers + 1, step)][:PEOPLE]
    found = places.data_map(services, author, ids[0])
    print(f"  of one customer: {len(found.records)} records, {len(found.places)} other places")
    whole = places.privacy_map(services, author)
    fields = sum(len(each.fields) for each in whole.locations if each.system != "hub")
    print(
        f"  the map: {len(whole.locations)} locations, {fields} fields of sources, {len(whole.flows)} flows"
    )
    people = [timed(lambda id_=id_: places.data_map(services, author, id_)) * 1000 for id_ in ids]  # type: ignore[misc]
    plans = [planned(services, author, id_) * 1000 for id_ in ids[:PLANS]]
    maps = [timed(lambda: places.privacy_map(services, author)) * 1000 for _ in range(ROUNDS)]
    return {
        "map of one customer": (*middle_and_slow(people), PERSON_MS),
        "plan of an erasure": (*middle_and_slow(plans), PLAN_S * 1000),
        "map of the organisation": (*middle_and_slow(maps), MAP_S * 1000),
    }


def planned(services: Services, author: Author, customer: str) -> float:
    """The seconds that it takes to plan the erasure of a customer whose request is verified."""
    order = OpenRequest(
        Kind.ERASURE, Law.GDPR, Channel.LETTER, customer, customer=customer, details={"ground": "objection"}
    )
    request = open_request(services, author, order)
    verify(services, author, request.id, Method.DOCUMENT)
    return timed(lambda: plan_request(services, author, request.id))


def count_audience(services: Services) -> None:
    """How long it takes to judge of every customer whether they may be written to; no target is set for it."""
    author = Author.operator("os:bench", services.access)
    before, over = _anonymous_mb(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_most, over)
        start = time.perf_counter()
        found = consent.audience(services, author, "email", "marketing.communications.email")
        took = time.perf_counter() - start
        over.set()
        grown = max(0, watching.result() - before)
    judged = found.count + sum(found.excluded.values())
    print(f"  an audience of {judged:,} judged: {took:.1f} s; {grown} MB of memory more at most")


def _most(over: threading.Event) -> int:
    """The most memory that the process has until it is over."""
    most = _anonymous_mb()
    while not over.wait(0.05):
        most = max(most, _anonymous_mb())
    return most


def _anonymous_mb() -> int:
    """Memory of the process's own: what it maps of the database's file is the system's to take back."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) // 1024
    return 0


def middle_and_slow(took: list[float]) -> tuple[float, float]:
    return statistics.median(took), sorted(took)[int(len(took) * 0.95)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("customers", type=int, nargs="?", default=100_000)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fields = configure(Path(folder) / "sources")
        settings = Settings(
            data_dir=Path(folder) / "var",
            config_dir=Path(folder) / "sources",
            policy_file=ROOT / "policy.yaml",
        )
        with open_services(settings, {}) as services:
            for name in services.sources.configs:
                services.syncer.sync(name)
            services.publish()
            with services.store.write() as connection:
                copy(connection, given.customers)
            print(f"{SOURCES} sources, {fields} fields, {given.customers:,} customers")
            results = measure(services, given.customers)
            count_audience(services)
    for name, (middle, slow, target) in results.items():
        print(f"  {name}: median {middle:.1f} ms, p95 {slow:.1f} ms (target {target:.0f} ms)")
    if given.check and any(slow > target for _, slow, target in results.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
