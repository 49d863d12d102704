"""Topics of Kafka, of the mock cluster in librdkafka: it speaks the protocol over TCP, and is no real Kafka."""

from __future__ import annotations

import json

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from pydantic import ValidationError

from hub.adapters.connectors.kafka import KafkaConfig, KafkaRead
from hub.adapters.records import BadRecord, ConnectorContext, GoneRecord, StreamRead
from hub.errors import SourceProtocolError, SourceUnavailableError


class Cluster:
    """A mock cluster, which lives as long as its producer."""

    def __init__(self):
        settings = {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 0}
        self.producer = Producer(settings)
        [broker] = self.producer.list_topics(timeout=10).brokers.values()
        self.server = f"{broker.host}:{broker.port}"

    def send(self, topic, *values, key=None, partition=0):
        for value in values:
            data = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            self.producer.produce(topic, data, key=key, partition=partition)
        assert self.producer.flush(10) == 0


@pytest.fixture(scope="module")
def cluster():
    return Cluster()


@pytest.fixture
def topic(request):
    return request.node.name.replace("[", "-").replace("]", "")[:100]


@pytest.fixture
def open_topic(cluster, topic, reader, tmp_path):
    def opened(read=None, **connector):
        config = {"type": "kafka", "servers": [cluster.server], "tls": False, "timeout_s": 5, **connector}
        context = ConnectorContext("erp", {"PASSWORD": "hunter2"}, tmp_path)
        stream = StreamRead("orders", KafkaRead.model_validate({"topic": topic, **(read or {})}), ("id",))
        return reader(KafkaConfig.model_validate(config).connect(context), stream)

    return opened


def ids(rows):
    return [row["id"] for row in rows]


def test_a_topic_is_read_to_its_end_and_gone_on_with(cluster, topic, open_topic):
    cluster.send(topic, {"id": 1}, {"id": 2})
    cluster.send(topic, {"id": 3}, partition=1)
    files = open_topic()
    [batch] = files.batches()
    assert sorted(ids(record.payload for record in batch.records)) == [1, 2, 3]
    assert f"{topic}/1@0:1" in [record.position for record in batch.records]
    assert batch.cursor["partitions"][topic]["0"] == 2
    assert files.batches(batch.cursor) == []
    cluster.send(topic, {"id": 4}, partition=2)
    assert ids(files.rows(batch.cursor)) == [4]


def test_every_cursor_goes_on_where_it_was(cluster, topic, open_topic):
    cluster.send(topic, *({"id": number} for number in range(25)))
    for read in open_topic().every_resumption(10):
        assert ids(read) == list(range(25))


def test_a_run_ends_where_it_is_bounded(cluster, topic, open_topic):
    cluster.send(topic, *({"id": number} for number in range(10)))
    files = open_topic({"max_messages": 4})
    [batch] = files.batches()
    assert len(batch.records) == 4
    assert ids(files.rows(batch.cursor)) == [4, 5, 6, 7]


def test_what_cannot_be_parsed_is_set_aside_and_stops_nobody(cluster, topic, open_topic):
    cluster.send(topic, {"id": 1}, b"\xff{", {"id": 2})
    [batch] = open_topic().batches()
    assert [type(record) is BadRecord for record in batch.records] == [False, True, False]


def test_a_message_without_content_deletes_the_record_of_its_key(cluster, topic, open_topic):
    cluster.send(topic, {"a": 1}, None, key="7")
    keyed = open_topic({"key_field": "id"}).batches()[0].records
    assert [record.payload for record in keyed] == [{"a": 1, "id": "7"}, {"id": "7"}]
    assert isinstance(keyed[1], GoneRecord)
    assert len(open_topic().batches()[0].records) == 1


def test_change_events_come_with_their_deletions(cluster, topic, open_topic):
    change = {"source": {"ts_ms": 1}, "ts_ms": 1}
    cluster.send(topic, {"op": "c", "before": None, "after": {"id": 1}, **change})
    cluster.send(topic, {"op": "d", "before": {"id": 1}, "after": None, **change}, None)
    records = open_topic({"format": {"type": "debezium"}}).batches()[0].records
    assert [type(record).__name__ for record in records] == ["RawRecord", "GoneRecord"]


def test_a_topic_made_anew_is_told_and_read_from_its_beginning(cluster, topic, open_topic):
    cluster.send(topic, {"id": 1})
    files = open_topic()
    assert ids(files.rows({"partitions": {topic: {"0": 99}}})) == [1]
    assert "was made anew" in files.connector.warnings[0]


def test_messages_that_went_unread_are_told(open_topic):
    connector = open_topic().connector
    assert connector._begin(open_topic().stream, 0, 5, 12, 20) == 12
    assert "no longer has 7 messages that were never read" in connector.warnings[0]


def test_the_broker_is_told_only_what_the_hub_has(cluster, topic, open_topic):
    cluster.send(topic, {"id": 1}, {"id": 2})
    files = open_topic(group="watched")
    cursor = files.batches()[-1].cursor

    def told():
        consumer = Consumer({"bootstrap.servers": cluster.server, "group.id": "watched", "log_level": 0})
        [place] = consumer.committed([TopicPartition(topic, 0)], timeout=10)
        consumer.close()
        return place.offset

    assert told() < 0
    files.connector.committed(files.stream, cursor)
    assert told() == 2


def test_a_topic_that_is_not_there_is_told(open_topic):
    with pytest.raises(SourceProtocolError, match=r"no topic 'nowhere'|UNKNOWN_TOPIC"):
        open_topic({"topic": "nowhere"}).batches()


def test_servers_that_are_not_there_are_told_in_time(open_topic):
    with pytest.raises(SourceUnavailableError, match=r"cannot be reached or did not finish"):
        open_topic(servers=["127.0.0.1:1"], timeout_s=1).batches()


@pytest.mark.parametrize(
    "config", [{"servers": []}, {"sasl": {"mechanism": "PLAIN", "user": "hub", "password": "hunter2"}}]
)
def test_a_login_described_wrongly_is_refused(config):
    with pytest.raises(ValidationError) as caught:
        KafkaConfig.model_validate({"type": "kafka", "servers": ["kafka.example.com:9092"], **config})
    assert "hunter2" not in str(caught.value)
