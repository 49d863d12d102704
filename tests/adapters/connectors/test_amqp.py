"""Queues of AMQP: acknowledged once the hub has the messages. RabbitMQ itself is met by `make test-brokers`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import pika
import pytest
from pika import exceptions
from pydantic import ValidationError

from hub.adapters.connectors.amqp import AmqpConfig, AmqpRead
from hub.adapters.records import BadRecord, ConnectorContext, StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError


@dataclass
class Broker:
    """A broker of one queue, in place of pika's connection to one."""

    queue: list[bytes] = field(default_factory=list)
    acknowledged: int = 0
    given: int = 0
    parameters: object = None
    fails: Exception | None = None
    breaks_at: int | None = None
    ack_fails: bool = False

    def connect(self, parameters):
        self.parameters = parameters
        if self.fails is not None:
            raise self.fails
        return self

    def channel(self):
        return self

    def queue_declare(self, name, passive):
        assert passive, "a queue is never made by the hub"
        if name != "hub.orders":
            raise exceptions.ChannelClosedByBroker(404, "NOT_FOUND")

    def basic_qos(self, prefetch_count):
        self.prefetch = prefetch_count

    def consume(self, queue, inactivity_timeout):
        for body in self.queue[self.acknowledged :]:
            if self.given == self.breaks_at:
                raise exceptions.StreamLostError
            self.given += 1
            yield SimpleNamespace(delivery_tag=self.given), SimpleNamespace(message_id=None), body
        yield None, None, None

    def basic_ack(self, tag, multiple):
        if self.ack_fails:
            raise exceptions.ChannelWrongStateError
        self.acknowledged += tag if multiple else 1

    def cancel(self):
        pass

    def close(self):
        self.given = 0


@pytest.fixture
def broker(monkeypatch):
    made = Broker([json.dumps({"id": number}).encode() for number in range(5)])
    monkeypatch.setattr(pika, "BlockingConnection", made.connect)
    return made


@pytest.fixture
def open_queue(broker, reader, tmp_path):
    def opened(read=None, url=None):
        config = AmqpConfig.model_validate({"type": "amqp", "url": url or {"env": "URL"}})
        context = ConnectorContext("shop", {"URL": "amqps://hub:hunter2@mq.example.com/shop"}, tmp_path)
        stream = StreamRead("orders", AmqpRead.model_validate({"queue": "hub.orders", **(read or {})}))
        return reader(config.connect(context), stream)

    return opened


def test_messages_are_acknowledged_once_the_hub_has_them(broker, open_queue):
    files = open_queue()
    assert [row["id"] for row in files.rows(size=2)] == [0, 1, 2, 3, 4]
    assert broker.acknowledged == 0
    files.connector.committed(files.stream, None)
    assert broker.acknowledged == 5


def test_what_was_not_acknowledged_comes_again(broker, open_queue):
    files = open_queue()
    files.rows()
    files.connector.close()
    assert len(open_queue().rows()) == 5


def test_a_run_ends_where_it_is_bounded_and_asks_for_no_more(broker, open_queue):
    files = open_queue({"max_messages": 2})
    assert [row["id"] for row in files.rows()] == [0, 1]
    files.connector.committed(files.stream, None)
    assert (broker.acknowledged, broker.prefetch) == (2, 2)


def test_poison_is_set_aside_and_acknowledged(broker, open_queue):
    broker.queue.insert(1, b"\xff{")
    files = open_queue()
    [batch] = files.batches()
    assert isinstance(batch.records[1], BadRecord)
    files.connector.committed(files.stream, None)
    assert broker.acknowledged == 6


def test_an_acknowledgement_that_fails_is_told(broker, open_queue):
    broker.ack_fails = True
    files = open_queue()
    files.rows()
    files.connector.committed(files.stream, None)
    assert "was read, but not acknowledged, and comes again" in files.connector.warnings[0]


def test_nothing_read_is_nothing_to_acknowledge(broker, open_queue):
    broker.queue.clear()
    files = open_queue()
    assert files.batches() == []
    files.connector.committed(files.stream, None)
    assert broker.acknowledged == 0


@pytest.mark.parametrize(
    ("failure", "error", "message"),
    [
        (exceptions.ProbableAuthenticationError("hunter2"), SourceProtocolError, "refused the login"),
        (exceptions.ProbableAccessDeniedError("hunter2"), SourceProtocolError, "no such vhost"),
        (exceptions.AMQPConnectionError("hunter2"), SourceUnavailableError, "cannot be reached"),
        (ConnectionResetError("hunter2"), SourceUnavailableError, "cannot be reached"),
    ],
)
def test_a_broker_that_cannot_be_used_is_told_without_the_password(
    broker, open_queue, failure, error, message
):
    broker.fails = failure
    with pytest.raises(error, match=message) as caught:
        open_queue().batches()
    assert "hunter2" not in str(caught.value)


def test_a_connection_that_breaks_keeps_what_came_before(broker, open_queue):
    broker.breaks_at = 3
    files = open_queue()
    read = []
    with pytest.raises(SourceUnavailableError, match="StreamLostError"):
        read.extend(files.connector.batches(files.stream, None, 1))
    assert len(read) == 3
    assert broker.acknowledged == 0


def test_a_queue_that_is_not_there_is_told(open_queue):
    with pytest.raises(SourceProtocolError, match="no such queue"):
        open_queue({"queue": "nowhere"}).batches()


def test_a_password_in_the_address_is_a_reference():
    with pytest.raises(ValidationError) as caught:
        AmqpConfig.model_validate({"type": "amqp", "url": "amqp://hub:hunter2@mq.example.com"})
    assert "hunter2" not in str(caught.value)
