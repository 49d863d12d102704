"""Audit: events made durable a second, and how long it takes to verify a million of them.

    python bench/audit.py [--events 1000000] [--callers 64] [--check]

Events are reads of one customer each, as answers of the API record them. *In groups* is `AuditLog.append` of a thousand
at a time, one commit each; *by callers* is the recorder, with so many callers at once who each wait until their event
is on disk; *alone* is one caller who waits. Beside them stands the machine: a bare SQLite table that takes the same
bytes in the same groups, which is what durability costs anybody, and SHA-256 of as many leaves and nodes, which any
verifier has to compute. Verification checks leaves, columns, links, tiles and a hundred checkpoints.
`--check` makes a missed target exit code 1.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from hub.audit import (
    Action,
    AuditEvent,
    AuditLog,
    Checkpoints,
    Recorder,
    configured_keys,
    open_checkpoints,
    write_key,
)
from hub.settings import Settings

GROUP = 1_000
CHECKPOINTS = 100
ALONE = 500
APPENDS_A_SECOND = 5_000
MILLION_S = 30.0


def read_of(number: int) -> AuditEvent:
    """A read as an answer records it."""
    return AuditEvent(
        Action.READ,
        f"u-{number % 97}",
        roles=("support_agent",),
        department="support",
        purpose="customer_service",
        policy_sha256="ab" * 32,
        query_sha256="cd" * 32,
        entity_types=("Customer", "Order"),
        data_categories=("user.contact.email", "user.name"),
        customers=(f"cus_aaaaaaaaaaaaa{number % 50_000:07}",),
        counts={"results": 1, "fields": 12},
        at=datetime.now(UTC),
    )


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def fill(log: AuditLog, checkpoints: Checkpoints, events: int) -> float:
    """Seconds of appending in groups, without those of making events and of checkpoints."""
    spent = 0.0
    for start in range(0, events, GROUP):
        group = [read_of(number) for number in range(start, min(start + GROUP, events))]
        spent += seconds(lambda group=group: log.append(group))
        if start % (events // CHECKPOINTS or 1) < GROUP:
            checkpoints.publish()
    return spent


def recorded(log: AuditLog, events: int, callers: int) -> float:
    """Seconds until as many callers at once have recorded the events between them, each waiting for its own."""
    made = [read_of(number) for number in range(events)]
    with Recorder(log) as recorder, ThreadPoolExecutor(callers) as pool:
        return seconds(lambda: list(pool.map(recorder.record_sync, made)))


def bare(folder: Path, sizes: list[int]) -> float:
    """Seconds in which a bare table takes as many bytes in as many durable commits."""
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, bytes BLOB)")

    def act() -> None:
        for start in range(0, len(sizes), GROUP):
            connection.execute("BEGIN IMMEDIATE")
            rows = [(start + at, bytes(size)) for at, size in enumerate(sizes[start : start + GROUP])]
            connection.executemany("INSERT INTO entry VALUES (?, ?)", rows)
            connection.execute("COMMIT")

    spent = seconds(act)
    connection.close()
    return spent


def hashed(leaves: int, size: int) -> float:
    """Seconds of hashing as many leaves of a size, and the nodes above them."""
    leaf, node = b"\x00" + bytes(size), b"\x01" + bytes(64)

    def act() -> None:
        for _ in range(leaves):
            sha256(leaf).digest()
            sha256(node).digest()

    return seconds(act)


def main() -> None:
    """Measure, print a table, check the targets."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        missed = measure(Path(name), given.events, given.callers)
    if given.check and missed:
        sys.exit(f"a target is missed: {APPENDS_A_SECOND} events a second, {MILLION_S:.0f} s a million")


def measure(folder: Path, events: int, callers: int) -> bool:
    """Prints the table; whether a target is missed."""
    settings = Settings(data_dir=folder)
    write_key(settings.audit_key_path, "bench.example.com/audit")
    keys = configured_keys(settings)
    with AuditLog.open(settings.audit_address) as log:
        if keys is None:
            sys.exit("the key is gone")
        checkpoints = open_checkpoints(settings, log, keys)
        groups = events / fill(log, checkpoints, events)
        size = len(log.entry(events // 2))
        begin = time.perf_counter()
        report = checkpoints.verify()
        verified = time.perf_counter() - begin
        together = 20 * GROUP / recorded(log, 20 * GROUP, callers)
        alone = ALONE / recorded(log, ALONE, 1)
    report.require()
    table = bare(folder, [size] * min(events, 100 * GROUP))
    table = min(events, 100 * GROUP) / table
    plain = hashed(events, size)
    print(f"{events:,} events of {size} bytes, {report.checkpoints} checkpoints\n")
    rows = (
        (f"appended in groups of {GROUP:,}, events/s", groups, "a bare table", table),
        (f"recorded by {callers} callers, events/s", together, "a bare table", table),
        ("recorded by one caller, events/s", alone, "a bare table", table),
        ("verified, s", verified, "SHA-256 alone", plain),
    )
    print("| what | figure | beside | its figure | ratio |\n|---|---|---|---|---|")
    for what, figure, beside, its in rows:
        print(f"| {what} | {figure:,.1f} | {beside} | {its:,.1f} | {figure / its:.2f} |")
    return groups < APPENDS_A_SECOND or verified * 1e6 / events > MILLION_S


if __name__ == "__main__":
    main()
