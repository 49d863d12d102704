"""Loads the files of `bench/sync.py` twice with dlt, merging by key, and prints seconds and peak memory as JSON."""

from __future__ import annotations

import csv
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt
from sqlalchemy import make_url

KEYS = {"people": ["person_no"], "orders": ["order_no"], "lines": ["order_no", "line_no"]}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def main(folder: Path, url: str, state: Path) -> None:
    if url.startswith("sqlite"):
        destination = dlt.destinations.sqlalchemy(credentials=url)
    else:
        address = make_url(url)
        # dlt puts the parts into a URL, where the folder of a socket must be escaped to be a host.
        credentials = {
            "host": quote(str(address.query["host"]), safe=""),
            "database": address.database,
            "username": address.username,
            "password": address.password or "none",
        }
        destination = dlt.destinations.postgres(credentials=credentials)
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="bench", pipelines_dir=str(state))
    found = {}
    for which in ("first_s", "second_s"):
        began, cpu = time.perf_counter(), time.process_time()
        resources = [
            dlt.resource(rows(folder / f"{name}.csv"), name=name, primary_key=key, write_disposition="merge")
            for name, key in KEYS.items()
        ]
        pipeline.run(resources).raise_on_failed_jobs()
        found[which], found[f"{which}_cpu"] = time.perf_counter() - began, time.process_time() - cpu
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
