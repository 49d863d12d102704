"""What retention costs: a dry run over many rows, a run that erases some of them, and the scope of a breach.

    python bench/privacy_retention.py [--customers 5000] [--tickets 20] [--share 0.1]

A source of one file of customers and one of tickets is synced into SQLite; `share` of the tickets are overdue by the
rules that the project ships. Times are of one run each, wall clock.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from hub.commands import Author
from hub.privacy.breach import Where, breach_scope
from hub.privacy.retention import RunRetention, retention_report, run_retention
from hub.services import Services, open_services
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SOURCE = """source: desk_archive
region: GB
zone: UTC
connector: {type: files, root: exports}
streams:
  people:
    read: {glob: people.jsonl, format: {type: jsonl}}
    key: no
    entities:
      - {type: Person, key: no, properties: {customerNumber: no, name: name, email: email}}
  tickets:
    read: {glob: tickets.jsonl, format: {type: jsonl}}
    key: no
    entities:
      - {type: Ticket, key: no, properties: {ticketNumber: no, subject: subject, openedAt: at}, links: {customer: who}}
"""
T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--tickets", type=int, default=20, help="of each customer")
    parser.add_argument("--share", type=float, default=0.1, help="of the tickets that are overdue")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, given.customers, given.tickets, given.share)
        settings = Settings(
            data_dir=folder / "var", config_dir=folder / "sources", policy_file=ROOT / "policy.yaml"
        )
        with open_services(settings, {}) as services:
            measure(services)


def measure(services: Services) -> None:
    """The steps, one after the other."""
    author = Author.operator("os:bench", services.access)
    report = timed("sync", lambda: services.syncer.sync("desk_archive"))
    print(f"  {report.total.read:,} records")
    timed("index", services.publish)
    found = timed("dry run", lambda: retention_report(services, author))
    print(f"  {found.overdue:,} overdue")
    most = max(1, found.overdue // 10)
    order = RunRetention("some", most=most, scrub=False)
    done = timed("run over a tenth of it", lambda: run_retention(services, author, order))
    print(f"  {sum(done.rows.values()):,} rows in {len(done.erasures)} batches, {done.overdue:,} left")
    scope = timed("scope of the source", lambda: breach_scope(services, author, Where(source="desk_archive")))
    print(f"  {len(scope.customers):,} customers, {len(scope.categories)} data categories")


def timed(name: str, step: Callable[[], T]) -> T:
    """What the step gives; how long it took is printed."""
    start = time.perf_counter()
    found = step()
    print(f"{name}: {time.perf_counter() - start:.2f} s", flush=True)
    return found


def write(folder: Path, customers: int, tickets: int, share: float) -> None:
    """The source's YAML and files."""
    exports = folder / "sources" / "exports"
    exports.mkdir(parents=True)
    (folder / "sources" / "desk_archive.yaml").write_text(SOURCE)
    now = datetime.now(UTC)
    with (exports / "people.jsonl").open("w") as people, (exports / "tickets.jsonl").open("w") as file:
        for n in range(customers):
            row = {"no": f"C{n}", "name": f"Person {n:06}", "email": f"person.{n}@example.com"}
            people.write(json.dumps(row) + "\n")
            for m in range(tickets):
                days = 2_000 if m < tickets * share else 30
                at = (now - timedelta(days=days, minutes=n)).isoformat()
                ticket = {"no": f"T{n}-{m}", "who": f"C{n}", "subject": "Where is my parcel", "at": at}
                file.write(json.dumps(ticket) + "\n")


if __name__ == "__main__":
    main()
