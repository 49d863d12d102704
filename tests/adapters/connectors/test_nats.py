"""Streams of NATS JetStream, by a server in this process; a real one is met by `make test-brokers`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hub.adapters.connectors.nats import NatsConfig, NatsRead
from hub.adapters.records import BadRecord, ConnectorContext, StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError

from .nats_world import nats_server


@pytest.fixture
def world():
    with nats_server() as server:
        yield server


@pytest.fixture
def open_stream(world, reader, tmp_path):
    def opened(read=None, **connector):
        config = {
            "type": "nats",
            "servers": [f"nats://127.0.0.1:{world.port}"],
            "timeout_s": 1,
            "user": "hub",
        }
        config |= {"password": {"env": "PASSWORD"}, **connector}
        context = ConnectorContext("shop", {"PASSWORD": "hunter2", "WRONG": "s3same"}, tmp_path)
        stream = StreamRead("orders", NatsRead.model_validate({"stream": "SHOP", **(read or {})}), ("id",))
        return reader(NatsConfig.model_validate(config).connect(context), stream)

    return opened


def ids(rows):
    return [row["id"] for row in rows]


def test_a_stream_is_read_to_its_end_and_gone_on_with(world, open_stream):
    world.add({"id": 1}, {"id": 2})
    files = open_stream()
    [batch] = files.batches()
    assert ids(record.payload for record in batch.records) == [1, 2]
    assert batch.cursor["sequence"] == 2
    assert files.batches(batch.cursor) == []
    world.add({"id": 3})
    assert ids(files.rows(batch.cursor)) == [3]
    assert not any("ACK" in subject for subject in world.asked)


def test_every_cursor_goes_on_where_it_was(world, open_stream):
    world.add(*({"id": number} for number in range(12)))
    for read in open_stream().every_resumption(5):
        assert ids(read) == list(range(12))


def test_only_the_subject_is_read_and_a_run_is_bounded(world, open_stream):
    world.add({"id": 0}, subject="shop.other")
    world.add(*({"id": number} for number in range(1, 6)))
    read = {"subject": "shop.orders", "max_messages": 3}
    [batch] = open_stream(read).batches()
    assert ids(record.payload for record in batch.records) == [1, 2, 3]
    assert ids(open_stream(read).rows(batch.cursor)) == [4, 5]


def test_poison_is_set_aside(world, open_stream):
    world.add({"id": 1}, b"\xff{", {"id": 2})
    [batch] = open_stream().batches()
    assert [isinstance(record, BadRecord) for record in batch.records] == [False, True, False]


def test_messages_that_went_unread_are_told(world, open_stream):
    world.add(*({"id": number} for number in range(10)))
    cursor = {"sequence": 2, "created": open_stream().batches()[-1].cursor["created"]}
    del world.messages[:6]
    files = open_stream()
    assert ids(files.rows(cursor)) == [6, 7, 8, 9]
    assert "no longer has 4 messages that were never read" in files.connector.warnings[0]


def test_a_stream_made_anew_is_read_from_its_beginning(world, open_stream):
    world.add({"id": 1}, {"id": 2})
    cursor = open_stream().batches()[-1].cursor
    world.created = "2026-02-02T00:00:00Z"
    files = open_stream()
    assert ids(files.rows(cursor)) == [1, 2]
    assert "was made anew" in files.connector.warnings[0]


@pytest.mark.parametrize("breakage", [{"drops_at": 2}, {"hides": True}])
def test_a_server_that_breaks_off_fails_the_run(world, open_stream, breakage):
    world.add({"id": 1}, {"id": 2})
    for name, value in breakage.items():
        setattr(world, name, value)
    with pytest.raises(SourceUnavailableError, match="cannot be reached or did not finish"):
        open_stream().batches()


def test_a_work_queue_is_refused(world, open_stream):
    world.retention = "workqueue"
    with pytest.raises(SourceProtocolError, match="is a work queue"):
        open_stream().batches()


def test_what_cannot_be_read_is_told_without_the_password(open_stream):
    with pytest.raises(SourceProtocolError, match="no such stream"):
        open_stream({"stream": "NOWHERE"}).batches()
    with pytest.raises(SourceProtocolError, match="refused the login") as caught:
        open_stream(password={"env": "WRONG"}).batches()
    assert "s3same" not in str(caught.value)
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        open_stream(servers=["nats://127.0.0.1:1"]).batches()


@pytest.mark.parametrize(
    "config",
    [
        {"servers": ["nats://hub:hunter2@nats.example.com"]},
        {"user": "hub"},
        {"token": "hunter2"},
        {"token": {"env": "A"}, "credentials": "x.creds"},
    ],
)
def test_a_login_described_wrongly_is_refused(config):
    with pytest.raises(ValidationError) as caught:
        NatsConfig.model_validate({"type": "nats", "servers": ["tls://nats.example.com"], **config})
    assert "hunter2" not in str(caught.value)
