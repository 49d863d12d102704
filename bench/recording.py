"""What the audit log adds to the 360 query: the same questions, with and without waiting for their event's commit.

    python bench/recording.py [--customers 500] [--rounds 20]

The GraphQL service answers in this process, for a support agent, from a store on SQLite; each answer waits until its
event is on disk. Beside it stands the same service whose events are made and thrown away. One question at a time, then
eight at once, turn by turn; what counts is the quickest round, in time and in CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock

from serving.company import TRUST, Company
from serving.questions import HUB_360

from hub.access import Requester
from hub.graph import GraphWriter
from hub.schema import GraphQLService
from hub.schema.planner import GraphQLRequest
from hub.services import Services, open_services
from hub.settings import Settings

ROOT = Path(__file__).parent.parent
AT_ONCE = (1, 8)
Spent = tuple[float, float]
"""Seconds by the clock and of CPU."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, _company(Path(folder), given.customers) as services:
        with services.store.read() as connection:
            customers = connection.exec_driver_sql("SELECT id FROM customer ORDER BY id").scalars().all()
        best = asyncio.run(_measured(services, customers, given.rounds))
    print("| at once | ms a question | without the log | ratio | CPU ms | without the log | ratio |")
    print("|---|---|---|---|---|---|---|")
    for at_once in AT_ONCE:
        (wall, cpu), (bare_wall, bare_cpu) = (
            [value / len(customers) * 1e3 for value in best[at_once, name]] for name in ("logged", "bare")
        )
        print(
            f"| {at_once} | {wall:.2f} | {bare_wall:.2f} | {wall / bare_wall:.2f} "
            f"| {cpu:.2f} | {bare_cpu:.2f} | {cpu / bare_cpu:.2f} |"
        )


@contextmanager
def _company(folder: Path, customers: int) -> Iterator[Services]:
    (folder / "sources").mkdir()
    settings = Settings(
        data_dir=folder / "var",
        config_dir=folder / "sources",
        policy_file=ROOT / "policy.yaml",
        queries_dir=ROOT / "queries",
        demo=True,
    )
    with open_services(settings, {}) as services:
        writer = GraphWriter(services.store, TRUST, restate=lambda _connection, _heads: [])
        people = Company(services.store.secret)
        with services.store.write() as connection:
            writer.apply(connection, 1, people.products())
            said = [said for number in range(customers) for said in people.customer(number)]
            writer.apply(connection, 1, said)
            connection.exec_driver_sql("ANALYZE")
        yield services


async def _measured(
    services: Services, customers: Sequence[str], rounds: int
) -> dict[tuple[int, str], Spent]:
    asks = {
        "logged": _asking(GraphQLService(services)),
        "bare": _asking(GraphQLService(replace(services, recorder=AsyncMock()))),
    }
    best: dict[tuple[int, str], Spent] = {}
    for _ in range(rounds):
        for name, ask in asks.items():
            for at_once in AT_ONCE:
                spent = await _round(ask, customers, at_once)
                before = best.get((at_once, name), spent)
                best[at_once, name] = (min(before[0], spent[0]), min(before[1], spent[1]))
    return best


def _asking(service: GraphQLService) -> Callable[[str], Awaitable[object]]:
    agent = Requester("u", frozenset({"support"}), "support", "customer_service", "c", ("customer_service",))

    async def ask(customer: str) -> None:
        answer = await service.answer(GraphQLRequest(HUB_360, None, {"id": customer}), agent)
        if b'"errors"' in answer.body:
            raise SystemExit("the question is refused")

    return ask


async def _round(ask: Callable[[str], Awaitable[object]], customers: Sequence[str], at_once: int) -> Spent:
    began, cpu = time.perf_counter(), time.process_time()
    waiting = iter(customers)

    async def caller() -> None:
        for customer in waiting:
            await ask(customer)

    await asyncio.gather(*(caller() for _ in range(at_once)))
    return time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    main()
