"""Loads the files of `bench/sync.py` twice into the hub and prints seconds and peak memory as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from hub.adapters import Sources, Syncer, load_sources
from hub.audit import AuditLog, drain
from hub.ontology import load_ontology
from hub.store import Store

HERE = Path(__file__).parent


def main(url: str, state: Path) -> None:
    ontology = load_ontology()
    configs = load_sources(HERE, ontology)
    store = Store.open(url, ontology)
    log = AuditLog.open(f"sqlite:///{state / 'audit.sqlite'}")
    syncer = Syncer(store, Sources(configs, ontology, dict(os.environ), HERE))
    found = {}
    for which in ("first_s", "second_s"):
        began, cpu = time.perf_counter(), time.process_time()
        report = syncer.sync("shop")
        drain(store, log)
        found[which], found[f"{which}_cpu"] = time.perf_counter() - began, time.process_time() - cpu
        expected = report.total.accepted if which == "first_s" else report.total.unchanged
        if report.state != "ok" or expected != report.total.read:
            sys.exit(f"the run is {report.state}: {report.doubts} {report.total}")
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[2], Path(sys.argv[3]))
