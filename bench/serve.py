"""Serving speed beside PostGraphile 5: the same questions on the same data, alternating, with policy and audit on.

    python bench/serve.py [--customers 200000] [--rounds 3] [--seconds 4] [--json FILE] [--check]

Three servers answer, one process each: the hub on SQLite, the hub on PostgreSQL, PostGraphile on the same PostgreSQL.
The hub checks a token, applies the policy, and answers no sooner than its audit event is on disk; PostGraphile does
nothing of the kind. Before anything is timed, their answers are compared. Each request asks for another customer. CPU
a request is the server's process, that of PostgreSQL's processes apart. `ratio` is of requests a second, `by CPU` of
the CPU of a request with PostgreSQL's, which a busy machine bends less: how many times as good as PostGraphile.
The first run makes the databases and installs PostGraphile, in `.bench-serve`; that takes some ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.client import Timing, request, run
from serving.company import PHONES, phone
from serving.databases import Databases, databases
from serving.questions import QUESTIONS, Question, rows_of, same_answers
from serving.servers import Server, hub_server, peer_server, postgres_cpu_s

FOLDER = Path(__file__).parent.parent / ".bench-serve"
COMPARED = 200
_WHOLE_S = 600
"""Time enough for all requests of a run that is not timed."""
WARM_UP = 1_500
"""Requests before anything is timed: Node compiles what it has seen often, PostgreSQL keeps plans from the sixth on."""
POINT_MS = 0.6
"""The phone lookup's p50 to stay under, on SQLite at one connection."""
TARGETS = {"hub SQLite": 5.0, "hub PostgreSQL": 2.0}
"""Times PostGraphile's requests a second in the 360 view."""


@dataclass
class Row:
    """One line of the table."""

    question: str
    connections: int
    server: str
    timing: Timing = field(default_factory=Timing)
    cpu_s: float = 0.0
    postgres_s: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.timing.requests / self.timing.seconds

    @property
    def whole_cpu_s(self) -> float:
        """Seconds of CPU a request, PostgreSQL's included."""
        return (self.cpu_s + self.postgres_s) / self.timing.requests

    def figures(self) -> dict[str, Any]:
        """What is shown, by name."""
        count, timing = self.timing.requests, self.timing
        return {
            "question": self.question,
            "connections": self.connections,
            "server": self.server,
            "requests_s": self.rate,
            "p50_ms": timing.percentile_ms(0.5),
            "p99_ms": timing.percentile_ms(0.99),
            "cpu_ms": self.cpu_s / count * 1000,
            "postgres_cpu_ms": self.postgres_s / count * 1000,
            "client_cpu_ms": timing.client_cpu_s / count * 1000,
        }


class Bench:
    """The servers, what they are asked, and what was seen."""

    def __init__(self, servers: Sequence[Server], made: Databases, customers: int, postmaster: int) -> None:
        self._servers, self._postmaster = servers, postmaster
        with sqlite3.connect(made.sqlite_url.removeprefix("sqlite:///")) as store:
            self._values = {
                "id": [id_ for (id_,) in store.execute("SELECT id FROM customer")],
                "value": [phone(number) for number in range(min(customers, PHONES))],
            }

    def compare(self, question: Question) -> None:
        """See to it that all servers say the same of some customers."""
        chosen = self._chosen(question, COMPARED, seed=0)
        answers = []
        for server in self._servers:
            kept: list[bytes] = []
            run(server.url, self._requests(server, question, chosen), 1, _WHOLE_S, kept)
            answers.append([json.loads(each) for each in kept])
        for server, said in zip(self._servers, answers, strict=True):
            wrong = sum(not same_answers(one, peer) for one, peer in zip(said, answers[-1], strict=True))
            if wrong:
                sys.exit(f"{question.name}: {wrong} of {COMPARED} answers of {server.name} differ")
        objects = sum(map(rows_of, answers[0])) / COMPARED
        print(
            f"{question.name}: {COMPARED} answers compared, equal; {objects:.1f} objects an answer on average"
        )

    def measure(self, question: Question, connections: int, rounds: int, seconds: float) -> list[Row]:
        """The servers in turn, so that what else the machine does meets all of them."""
        rows = {server.name: Row(question.name, connections, server.name) for server in self._servers}
        for server in self._servers:
            warming = self._chosen(question, WARM_UP, seed=-1)
            run(server.url, self._requests(server, question, warming), connections, _WHOLE_S)
        for number in range(rounds):
            for server in self._servers:
                row, cpu, postgres = rows[server.name], server.cpu_s(), postgres_cpu_s(self._postmaster)
                row.timing.add(self._round(server, question, connections, seconds, number))
                row.cpu_s += server.cpu_s() - cpu
                row.postgres_s += postgres_cpu_s(self._postmaster) - postgres
        return list(rows.values())

    def _round(
        self, server: Server, question: Question, connections: int, seconds: float, seed: int
    ) -> Timing:
        chosen = self._chosen(question, int(seconds * 6_000), seed)
        return run(server.url, self._requests(server, question, chosen), connections, seconds)

    def _chosen(self, question: Question, count: int, seed: int) -> list[Any]:
        return random.Random(seed).choices(self._values[question.variable], k=count)

    def _requests(self, server: Server, question: Question, values: Sequence[Any]) -> list[bytes]:
        query = question.hub if server.is_hub else question.peer
        return [request(server.url, query, {question.variable: value}, server.headers) for value in values]


def show(rows: Sequence[Row]) -> None:
    """The lines of one question at one number of connections."""
    print(f"\n{rows[0].question}, {rows[0].connections} connection{'s' * (rows[0].connections > 1)}")
    print(
        f"{'':<16}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}"
        f"{'+ PostgreSQL':>14}{'client':>9}{'ratio':>8}{'by CPU':>9}"
    )
    peer = rows[-1]
    for row in rows:
        seen, by_cpu = row.figures(), peer.whole_cpu_s / row.whole_cpu_s
        numbers = "".join(f"{seen[name]:>{width}.2f}" for name, width in _WIDTHS.items())
        print(
            f"{row.server:<16}{row.rate:>12,.0f}{numbers}{row.rate / peer.rate:>8.2f}{by_cpu:>9.2f}",
            flush=True,
        )


_WIDTHS = {"p50_ms": 9, "p99_ms": 9, "cpu_ms": 9, "postgres_cpu_ms": 14, "client_cpu_ms": 9}


def missed(rows: Sequence[Row]) -> list[str]:
    """The targets that were not reached."""
    by = {(row.question, row.connections, row.server): row for row in rows}
    found = []
    for (question, connections, server), row in by.items():
        if question == "360 view" and server in TARGETS:
            ratio = row.rate / by[question, connections, "PostGraphile"].rate
            if ratio < TARGETS[server]:
                found.append(f"{question}, {connections}: {server} {ratio:.2f} < {TARGETS[server]}")
        is_point = (question, connections, server) == ("phone lookup", 1, "hub SQLite")
        if is_point and (p50 := row.timing.percentile_ms(0.5)) >= POINT_MS:
            found.append(f"{question}, {connections}: {server} p50 {p50:.2f} ms >= {POINT_MS}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a target is missed")
    options = parser.parse_args()
    rows: list[Row] = []
    with ExitStack() as stack:
        made = stack.enter_context(databases(FOLDER, options.customers))
        servers = (
            stack.enter_context(hub_server("hub SQLite", made.sqlite_url, made, FOLDER)),
            stack.enter_context(hub_server("hub PostgreSQL", made.postgres_url, made, FOLDER)),
            stack.enter_context(peer_server(made, FOLDER)),
        )
        print(
            f"{options.customers:,} customers; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
            f"Python {platform.python_version()}"
        )
        bench = Bench(servers, made, options.customers, made.postmaster)
        for question in QUESTIONS:
            bench.compare(question)
        for question in QUESTIONS:
            for connections in options.connections:
                found = bench.measure(question, connections, options.rounds, options.seconds)
                show(found)
                rows += found
    if options.json:
        options.json.write_text(json.dumps([row.figures() for row in rows], indent=1))
    for miss in (failed := missed(rows)):
        print(f"missed: {miss}")
    if failed and options.check:
        sys.exit(1)


if __name__ == "__main__":
    main()
