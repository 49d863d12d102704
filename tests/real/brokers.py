"""Messages of Debian's NATS and RabbitMQ servers, and of librdkafka's mock of Kafka; `make test-brokers`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats
import pika
from confluent_kafka import Producer

from .world import counts, free_port, hub, program, synced, told

STREAMS = """
streams:
  customers:
    read: {READ, format: {type: debezium}}
    key: no
    entities:
      - type: Person
        properties: {name: name, customerNumber: no}
"""
CHANGE = {"source": {"ts_ms": 1_767_225_600_000}, "ts_ms": 1_767_225_600_001}


def change(op: str, number: int, name: str | None = "Cora") -> bytes:
    row = {"no": f"C{number}", "name": name}
    sides = {"before": row, "after": None} if op == "d" else {"before": None, "after": row}
    return json.dumps({"op": op, **sides, **CHANGE}).encode()


def first_messages() -> list[bytes]:
    return [*(change("r", number) for number in range(1_500)), b"{poison"]


def later_messages() -> list[bytes]:
    return [
        change("u", 7, "Dora"),
        change("d", 8),
        change("c", 2_000),
        change("d", 2_000),
        change("c", 2_000, "Again"),
        change("r", 9),
    ]


def check(services: Any, source: str, send: Any) -> None:
    """Fills, syncs, changes, syncs again, and checks totals."""
    send(first_messages())
    report = services.syncer.sync(source)
    found = report.streams["customers"]
    assert (report.state, found.accepted, found.quarantined, found.reconciles) == ("ok", 1_500, 1, True), (
        report
    )
    again = synced(services, source)
    assert counts(again, "customers") == (0, 0, 0)
    send(later_messages())
    later = synced(services, source)
    # C2000 came, went and came again.
    assert counts(later, "customers") == (3, 1, 2), later
    live = "SELECT count(*) FROM record_head WHERE state = 'landed'"
    states = "SELECT count(*) FROM record_head WHERE state = 'deleted'"
    assert told(services, states) == 1
    assert told(services, live.replace("= 'landed'", "NOT IN ('deleted', 'quarantined')")) == 1_500


def test_nats(tmp_path: Path) -> None:
    port = free_port()
    server = ["nats-server", "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(tmp_path / "js")]
    server += ["--user", "hub", "--pass", "hunter2"]

    async def publish(values: list[bytes]) -> None:
        client = await nats.connect(f"nats://hub:hunter2@127.0.0.1:{port}")
        jetstream = client.jetstream()
        await jetstream.add_stream(name="SHOP", subjects=["shop.>"])
        for value in values:
            await jetstream.publish("shop.customers", value)
        await jetstream.publish("shop.other", b"{}")
        await client.close()

    yaml = f"""source: shop
connector:
  type: nats
  servers: ["nats://127.0.0.1:{port}"]
  user: hub
  password: {{env: NATS_PASSWORD}}
  timeout_s: 10
""" + STREAMS.replace("READ", "stream: SHOP, subject: shop.customers")
    with (
        program(server, port, tmp_path / "nats.log", **os.environ),
        hub(tmp_path, "shop", yaml, NATS_PASSWORD="hunter2") as services,
    ):
        check(services, "shop", lambda values: asyncio.run(publish(values)))


@contextmanager
def rabbitmq(folder: Path) -> Iterator[int]:
    port, dist = free_port(), free_port()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o755)
    shutil.chown(folder, "rabbitmq", "rabbitmq")
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
    node = {
        **os.environ,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": "hubtest@localhost",
        "RABBITMQ_DIST_PORT": str(dist),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    try:
        with program(["rabbitmq-server"], port, folder / "out.log", **node):
            yield port
            subprocess.run(["rabbitmqctl", "-n", "hubtest@localhost", "stop"], env=node, capture_output=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_rabbitmq(tmp_path: Path) -> None:
    with rabbitmq(Path("/var/tmp/hub-rabbitmq-test")) as port:
        parameters = pika.ConnectionParameters("127.0.0.1", port)
        deadline = time.monotonic() + 60
        while True:
            try:
                connection = pika.BlockingConnection(parameters)
                break
            except pika.exceptions.AMQPError:
                assert time.monotonic() < deadline
                time.sleep(0.5)
        channel = connection.channel()
        channel.queue_declare("hub.customers", durable=True)

        def publish(values: list[bytes]) -> None:
            for value in values:
                channel.basic_publish("", "hub.customers", value)

        yaml = """source: shop
connector: {type: amqp, url: {env: AMQP_URL}}
""" + STREAMS.replace("READ", "queue: hub.customers")
        with hub(tmp_path, "shop", yaml, AMQP_URL=f"amqp://guest:guest@127.0.0.1:{port}/%2F") as services:
            check(services, "shop", publish)
            left = channel.queue_declare("hub.customers", passive=True).method.message_count
            assert left == 0
        connection.close()


def test_kafkas_protocol(tmp_path: Path) -> None:
    """No Kafka comes with Debian or PyPI; librdkafka's mock cluster speaks its protocol over TCP."""
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 3, "log_level": 0})
    [broker, *_] = producer.list_topics(timeout=10).brokers.values()

    def publish(values: list[bytes]) -> None:
        for value in values:
            producer.produce("erp.customers", value, key=b"all")
        assert producer.flush(30) == 0

    yaml = f"""source: shop
connector: {{type: kafka, servers: ["{broker.host}:{broker.port}"], tls: false}}
""" + STREAMS.replace("READ", "topic: erp.customers")
    with hub(tmp_path, "shop", yaml) as services:
        check(services, "shop", publish)
