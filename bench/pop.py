"""How quickly the hub says who is calling, at a size of your choice, while a sync writes.

One customer is written as a sync writes it; the others are copies of it in SQL, each with ids, numbers and an
e-mail address of its own: what a lookup meets is as large as it says, what it took to resolve it is not measured here.

    python bench/pop.py 1000000          lookups, cards and pushes, 200 lookups a second for 20 seconds

Times are those of a client on the same machine over HTTP, audit and policy on.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, text

from hub.access import DemoIssuer
from hub.api import serve
from hub.graph import Entity, GraphWriter, Reference, Statement
from hub.ontology import load_ontology
from hub.services import Services, open_services
from hub.settings import PbxSettings, Settings
from hub.store import Store
from hub.values import entity_id

ROOT = Path(__file__).resolve().parents[1]
RATE, SECONDS, CARDS, PUSHES = 200, 20, 300, 60
FIRST_NUMBER = 10_000_000
_COPIED = {
    "e_person": {"id": "'p' || n", "telephone": "'+4477' || (:base + n)", "record_key": "'k' || n"},
    "membership": {"party_id": "'p' || n", "customer_id": "'cus_bench_customer_' || n"},
    "customer": {"id": "'cus_bench_customer_' || n", "telephone": "'+4477' || (:base + n)"},
    "e_ticket": {"id": "'t' || n", "party_id": "'p' || n", "ticket_number": "'T' || n"},
}


def template() -> list[Entity]:
    """The customer of whom the others are copies."""
    id_ = entity_id("erp", "Party", "C0")
    return [
        Entity(id_, "Person", "C0", {"name": "Cleo Marsh", "telephone": "+447700900000"}),
        Entity(
            entity_id("support", "Ticket", "T0"),
            "Ticket",
            "T0",
            {"ticketNumber": "T0", "subject": "Pump error E42", "status": "open", "customer": Reference(id_)},
        ),
    ]


def write(store: Store, entities: list[Entity], head: int) -> None:
    """What a sync writes of these."""
    writer = GraphWriter(store, {"erp": 90}, restate=lambda _connection, _heads: [])
    said = [
        Statement(
            "erp", each.type.lower(), each.key, head + i, head + i, "2026-01-01T00:00:00.000000Z", (each,)
        )
        for i, each in enumerate(entities)
    ]
    with store.write() as connection:
        writer.apply(connection, 1, said)


def copy(connection: Connection, customers: int) -> None:
    """Fill the tables with copies, and what they are found by."""
    numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :most)"
    if connection.dialect.name == "postgresql":
        numbers = "WITH c(n) AS (SELECT generate_series(1, :most))"
    for table, own in _COPIED.items():
        columns = _columns(connection, table)
        chosen = ", ".join(own.get(name, f'o."{name}"') for name in columns)
        named = ", ".join(f'"{name}"' for name in columns)
        one = f'(SELECT * FROM "{table}" LIMIT 1) o'
        sql = f'{numbers} INSERT INTO "{table}" ({named}) SELECT {chosen} FROM c, {one}'
        connection.execute(text(sql), {"most": customers, "base": FIRST_NUMBER})
    for scheme, prop, value in (
        ("phone", "telephone", "'+4477' || (:base + n)"),
        ("email", "email", "'p' || n || '@example.com'"),
        ("customer_number", "customerNumber", "'K-' || n"),
    ):
        sql = (
            f"{numbers} INSERT INTO identifier (scheme, value, entity_id, type, property, source, strong)"
            f" SELECT '{scheme}', {value}, 'p' || n, 'Person', '{prop}', 'erp', false FROM c"
        )
        connection.execute(text(sql), {"most": customers, "base": FIRST_NUMBER})


def _columns(connection: Connection, table: str) -> list[str]:
    return list(connection.execute(text(f'SELECT * FROM "{table}" LIMIT 0')).keys())


def sync(url: str, ready: Any, stop: Any) -> None:
    """Write new people in batches, as a sync does, until told to stop."""
    os.nice(5)
    store, head = Store.open(url, load_ontology()), 10_000_000
    ready.set()
    while not stop.is_set():
        people = [
            Entity(
                entity_id("erp", "Party", f"N{head + i}"),
                "Person",
                f"N{head + i}",
                {"name": f"New {head + i}"},
            )
            for i in range(100)
        ]
        write(store, people, head)
        head += 100
        time.sleep(0.05)
    store.close()


async def timed(
    client: httpx.AsyncClient, method: str, path: str, **more: Any
) -> tuple[float, httpx.Response]:
    """Milliseconds that a request took, and its answer."""
    began = time.perf_counter()
    reply = await client.request(method, path, **more)
    return (time.perf_counter() - began) * 1000, reply


async def lookups(client: httpx.AsyncClient, key: str, customers: int) -> list[float]:
    """Lookups of known numbers, sent at the rate whether earlier ones are answered or not."""

    async def one() -> float:
        number = f"+4477{FIRST_NUMBER + random.randint(1, customers)}"
        took, reply = await timed(client, "GET", "/cti/v1/lookup", params={"number": number, "key": key})
        if reply.status_code == 503:
            refused.append(took)
        else:
            assert reply.json()["status"] == "one", reply.text
        return took

    refused: list[float] = []
    began, sent = time.perf_counter(), []
    for index in range(RATE * SECONDS):
        await asyncio.sleep(max(0.0, began + index / RATE - time.perf_counter()))
        sent.append(asyncio.create_task(one()))
    took = list(await asyncio.gather(*sent))
    if refused:
        print(f"{len(refused)} of these were refused: too many were under way", flush=True)
    return took


async def cards(
    client: httpx.AsyncClient, key: str, token: str, customers: int
) -> tuple[list[float], list[float]]:
    """Whole cards of callers who are confirmed, and how long from an event to the card on an agent's stream."""
    agent = {"authorization": f"Bearer {token}"}
    took, pushed = [], []
    query = "query($c: String) { screenPop(callId: $c) { status matches { name level touches { id } open { ref } } } }"
    confirm = "mutation($i: ConfirmCallerInput!) { confirmCaller(input: $i) { callId } }"
    for index in range(CARDS // 10):
        number = f"+4477{FIRST_NUMBER + random.randint(1, customers)}"
        said = {"event": "newCall", "callId": f"card-{index}", "from": number, "key": key}
        call = (await client.get("/cti/v1/events", params=said)).json()["call"]
        found = (await client.get("/cti/v1/lookup", params={"number": number, "key": key})).json()["matches"][
            0
        ]
        given = {
            "callId": call,
            "customerId": found["id"],
            "method": "KNOWN_VOICE",
            "idempotencyKey": f"k{index}",
        }
        await client.post("/graphql", json={"query": confirm, "variables": {"i": given}}, headers=agent)
        for _ in range(10):
            ms, reply = await timed(
                client, "POST", "/graphql", json={"query": query, "variables": {"c": call}}, headers=agent
            )
            assert reply.json()["data"]["screenPop"]["matches"][0]["level"] == 2, reply.text
            took.append(ms)
    async with client.stream(
        "GET", "/pop/events", params={"extension": "21"}, headers=agent, timeout=60
    ) as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        for index in range(PUSHES):
            number = f"+4477{FIRST_NUMBER + random.randint(1, customers)}"
            said = {
                "event": "newCall",
                "callId": f"push-{index}",
                "from": number,
                "extension": "21",
                "key": key,
            }
            began = time.perf_counter()
            sending = asyncio.create_task(client.get("/cti/v1/events", params=said))
            while await anext(lines) != "event: card":
                pass
            pushed.append((time.perf_counter() - began) * 1000)
            await sending
    return took, pushed


def told(name: str, took: list[float], goal: float) -> None:
    """Print a row."""
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    print(
        f"{name:8} {len(took):6} p50 {p50:7.1f} ms  p99 {p99:7.1f} ms  (goal p99 {goal:.0f} ms)", flush=True
    )


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def prepare(settings: Settings, customers: int) -> tuple[str, str]:
    """Fill the store; the key of a PBX and the token of an agent."""
    began = time.perf_counter()
    with open_services(settings, {}) as services:
        write(services.store, template(), 1)
        with services.store.write() as connection:
            copy(connection, customers)
        services.publish()  # the first build of the search index takes a processor of its own
        _, key = services.keys.create("pbx-one", ("pbx",), ("customer_service",), 1)
        token = _token(services)
    print(
        f"{customers} customers, {3 * customers} identifiers in {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    return key, token


def _token(services: Services) -> str:
    return DemoIssuer(services.settings.data_dir).issue("u-1", "support", ["support"], ["customer_service"])


async def measure(port: int, key: str, token: str, customers: int) -> None:
    """All of it, against the server."""
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=400, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=30) as client:
        for _ in range(300):
            try:
                if (await client.get("/healthz")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.2)
        await client.get("/cti/v1/lookup", params={"number": "+447700900000", "key": key})
        told("lookup", await lookups(client, key, customers), 50)
        took, pushed = await cards(client, key, token, customers)
        told("card", took, 150)
        told("push", pushed, 300)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", type=int, nargs="?", default=100_000)
    parser.add_argument(
        "--url", help="SQLAlchemy URL of an empty store; SQLite in a temporary folder unless given"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-pop-") as folder:
        settings = Settings(
            data_dir=Path(folder),
            store_url=asked.url,
            config_dir=Path(folder),
            policy_file=ROOT / "policy.yaml",
            queries_dir=ROOT / "queries",
            demo=True,
            pbx={"pbx-one": PbxSettings(region="GB")},
            pop_requests=10_000_000,
            max_requests=10_000_000,
        )
        key, token = prepare(settings, asked.customers)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        ready, stop = multiprocessing.Event(), multiprocessing.Event()
        settings = settings.model_copy(update={"port": port})
        server = multiprocessing.Process(target=serve, args=(settings,))
        writer = multiprocessing.Process(target=sync, args=(settings.store_address, ready, stop))
        server.start()
        writer.start()
        ready.wait(60)
        try:
            asyncio.run(measure(port, key, token, asked.customers))
            print(f"memory of the server {memory_mb(server.pid or 0):.0f} MB", flush=True)
        finally:
            stop.set()
            writer.join(30)
            server.terminate()
            server.join(30)


if __name__ == "__main__":
    main()
