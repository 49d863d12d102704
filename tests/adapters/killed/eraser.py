"""One erasure in a process of its own, which kills itself at a chosen point."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

from hub.adapters import runs
from hub.adapters.erasing import erase, plan_erasure
from hub.audit.erasures import Erasure
from hub.graph import GraphWriter
from hub.ontology import load_ontology
from hub.store import Store
from tests.statements import noting

ONTOLOGY = load_ontology()
ID = "01928f6e-0000-7000-8000-000000000000"


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def erase_and_die(url: str, customer: str, at: int | None) -> None:
    """Erase the customer, and die at the statement with the number `at` of the transaction; None: right after it."""
    store = Store.open(url, ONTOLOGY)
    graph = GraphWriter(store, {}, restate=lambda _connection, _heads: [])
    with store.write() as connection:
        plan = plan_erasure(store, connection, customer)
        erasure = Erasure(ID, datetime.now(UTC), plan.customers, plan.parties, plan.hashes)
        run_id = runs.note_command(connection, "erasure")
        if at is not None:
            left = iter(range(at + 1))

            def count(_statement: str) -> None:
                if next(left, None) is None:
                    die()

            with noting(store, count):
                erase(store, graph, connection, run_id, plan, erasure)
            die()
        erase(store, graph, connection, run_id, plan, erasure)
    die()
