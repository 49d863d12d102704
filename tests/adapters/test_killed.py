"""A sync that is killed at random points, then run to the end, leaves what an unbroken one leaves."""

from __future__ import annotations

import csv
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from hub.audit import Action, AuditLog
from hub.store import Store
from tests.adapters.killed import worker
from tests.adapters.shop import graph
from tests.databases import sqlite_store
from tests.processes import CONTEXT

KILLS = 30 if os.environ.get("HUB_TEST_PROFILE") == "thorough" else 8


def write_shop(folder: Path, people: int = 150, orders: int = 300) -> None:
    """Synthetic people who come twice each, their orders, and some records that must be quarantined."""
    folder.mkdir()
    rng = random.Random(5)
    with (folder / "people.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["person_no", "given", "family", "email", "card", "changed_at"])
        for n in range(people):
            day = f"2026-01-{n % 28 + 1:02}T10:00:00Z"
            email = "no address" if n % 50 == 49 else f"p{n}@example.com"
            out.writerow([f"P{n}", f"Given{n}", f"Family{n // 2}", email, f"C{n // 2}", day])
    with (folder / "orders.jsonl").open("w") as file:
        for n in range(orders):
            total = "many" if n % 100 == 99 else f"{rng.randrange(1, 9999)}.50"
            order = {"order_no": f"O{n}", "card": f"C{rng.randrange(people // 2)}", "total": total}
            order |= {
                "ordered_at": f"2026-02-{n % 28 + 1:02}T12:00:00Z",
                "changed_at": "2026-03-01T00:00:00Z",
            }
            file.write(json.dumps(order) + "\n")
    with (folder / "lines.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["order_no", "line_no", "quantity", "price"])
        for n in range(orders * 2):
            out.writerow([f"O{n // 2}", n % 2 + 1, rng.randrange(1, 9), f"{rng.randrange(1, 999)}.25"])


def batches_in_store(url: str) -> Counter[tuple[str, str]]:
    """Records accepted by (run, stream), as the store counts them."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT run_id, stream, accepted FROM run_stream")).all()
    engine.dispose()
    return Counter({(str(run), stream): accepted for run, stream, accepted in rows if accepted})


def run_until_killed(args: tuple[str, str, str], delay_s: float) -> bool:
    """Whether the sync was still at work when it was killed."""
    process = CONTEXT.Process(target=worker.sync, args=args)
    process.start()
    process.join(delay_s)
    alive = process.is_alive()
    process.kill()
    process.join()
    process.close()
    return alive


@pytest.mark.slow
def test_a_sync_killed_many_times_ends_as_an_unbroken_one(
    store_url: str, hub_twin_url: str, tmp_path: Path
) -> None:
    write_shop(tmp_path / "shop")
    folder = str(tmp_path / "shop")
    whole_log = f"sqlite:///{tmp_path / 'whole-audit.sqlite'}"
    began = time.monotonic()
    unbroken = worker.sync(hub_twin_url, whole_log, folder)
    span_s = time.monotonic() - began
    assert unbroken.total.quarantined == 6

    audit_url = f"sqlite:///{tmp_path / 'audit.sqlite'}"
    rng = random.Random(int(os.environ.get("HUB_TEST_SEED", "11")))
    Store.open(store_url, worker.ONTOLOGY, worker.SECRET).close()
    kills = attempts = 0
    while kills < KILLS:
        attempts += 1
        kills += run_until_killed((store_url, audit_url, folder), rng.uniform(0.05, span_s))
        if attempts % 3 == 0:
            rewrite(tmp_path / "shop", attempts)
    restore(tmp_path / "shop")
    worker.sync(store_url, audit_url, folder)
    final = worker.sync(store_url, audit_url, folder)
    assert final.total.accepted == 0
    assert final.total.reconciles

    broken, whole = graph(store_url), graph(hub_twin_url)
    for name in whole:
        assert broken[name] == whole[name], name
    check_audit(store_url, audit_url)


def rewrite(folder: Path, version: int) -> None:
    """Change every line at the source, so that there is work again."""
    original = folder / "lines.csv.original"
    lines = folder / "lines.csv"
    if not original.exists():
        original.write_text(lines.read_text())
    head, *rows = original.read_text().splitlines()
    changed = [row.rsplit(",", 1)[0] + f",{version}.75" for row in rows]
    lines.write_text("\n".join([head, *changed]) + "\n")


def restore(folder: Path) -> None:
    original = folder / "lines.csv.original"
    if original.exists():
        (folder / "lines.csv").write_text(original.read_text())


def check_audit(store_url: str, audit_url: str) -> None:
    """No event is missing or doubled: the log tells of each batch and run what the store has committed."""
    with AuditLog.open(audit_url) as log:
        log.verify().require()
        events = [log.event(seq) for seq in range(log.size())]
    assert len({event.id for event in events}) == len(events)
    told: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.action is Action.BATCH_APPLIED and event.counts.get("accepted"):
            told[str(event.run_id), str(event.stream)] += event.counts["accepted"]
    assert told == batches_in_store(store_url)
    engine = create_engine(store_url)
    with engine.connect() as connection:
        runs = [str(run) for run in connection.execute(text("SELECT id FROM run")).scalars()]
        waiting = connection.execute(text("SELECT count(*) FROM audit_outbox")).scalar_one()
    engine.dispose()
    assert waiting == 0
    assert Counter(e.run_id for e in events if e.action is Action.SYNC_STARTED) == Counter(runs)
    assert Counter(e.run_id for e in events if e.action is Action.SYNC_FINISHED) == Counter(runs)


@pytest.fixture
def hub_twin_url(store_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another empty database of the same kind."""
    if store_url.startswith("sqlite"):
        return sqlite_store(tmp_path / "twin.sqlite")
    url: str = request.getfixturevalue("postgres_store_url")
    return url
