"""Topics of Kafka: what came since the last run, up to where each partition ended when the run began.

Needs the extra `kafka`. The offsets to go on from are the cursor, kept in the transaction of the records before them:
`{"partitions": {"orders": {"0": 512}}}`. The consumer group's offsets are only told to the broker, after the hub's
commit, so that lag can be watched there. What a broker gives twice is known by key and hash.

    connector:
      type: kafka
      servers: [kafka.example.com:9093]
      tls: true
      sasl: {mechanism: SCRAM-SHA-512, user: hub, password: {env: KAFKA_PASSWORD}}
    streams:
      customers:
        read: {topic: erp.public.customers, format: {type: debezium}}
        key: customer_no
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import Field

from hub.adapters.connectors.messages import Bounds, MessagesRead, Settings, Warned
from hub.adapters.records import (
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    Record,
    StreamRead,
)
from hub.adapters.secrets import SecretRef, TextRef
from hub.errors import SourceProtocolError, SourceUnavailableError

_AT_ONCE = 1_000


class KafkaRead(MessagesRead):
    """Which topic a stream reads."""

    topic: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._-]+$", description="Name of the topic.")


class KafkaSasl(ConfigModel):
    """How the hub logs in to Kafka."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(description="SASL mechanism.")
    user: TextRef = Field(description="Name of the account.")
    password: SecretRef = Field(description="Its password.")


class KafkaConfig(ConnectorConfig):
    """Topics of Apache Kafka, or of what speaks its protocol."""

    read_model = KafkaRead

    type: Literal["kafka"] = Field(description="Names this connector.")
    servers: tuple[str, ...] = Field(min_length=1, description="Servers to begin with, each as `host:port`.")
    group: str | None = Field(
        default=None,
        min_length=1,
        description="Consumer group that the offsets are told under; `hub-` and the source's name unless given.",
    )
    tls: bool = Field(default=True, description="Whether the connection is encrypted.")
    ca_file: str | None = Field(
        default=None,
        min_length=1,
        description="Certificates of the authority that signed the servers', relative to the YAML's folder.",
    )
    sasl: KafkaSasl | None = Field(default=None, description="Login; none unless given.")
    timeout_s: int = Field(default=30, ge=1, description="Seconds that the servers may be silent.")

    def connect(self, context: ConnectorContext) -> KafkaConnector:
        """A connector for these topics."""
        return KafkaConnector(self, context)


class KafkaConnector(Warned):
    """Reads topics by offsets that the hub keeps; a consumer is open only while a stream is read."""

    def __init__(self, config: KafkaConfig, context: ConnectorContext) -> None:
        super().__init__()
        self._config, self._context = config, context

    def batches(
        self, stream: StreamRead[KafkaRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The messages from the cursor's offsets on, a partition's in their order.

        Raises:
            SourceUnavailableError: no server answers, or one broke off.
            SourceProtocolError: there is no such topic, or the login is refused.
        """
        topic = stream.read.topic
        offsets = {int(p): int(o) for p, o in ((cursor or {}).get("partitions", {}).get(topic) or {}).items()}
        start = dict(offsets)
        with self._translated(stream.name), self._consumer() as consumer:
            ends = self._assign(consumer, stream, offsets)
            collected: list[Record] = []
            for message in self._messages(consumer, ends, Bounds.of(stream.read), stream, offsets):
                partition, offset = message.partition(), message.offset()
                position = f"{topic}/{partition}@{offset}"
                collected += stream.read.records(message.value(), message.key(), position)
                offsets[partition] = offset + 1
                if len(collected) >= batch_size:
                    yield Batch(collected, _cursor(topic, offsets))
                    collected = []
            if collected or offsets != start:
                yield Batch(collected, _cursor(topic, offsets))

    def committed(self, stream: StreamRead[KafkaRead], cursor: Cursor | None) -> None:
        """Tell the broker how far the group is, for those who watch its lag."""
        from confluent_kafka import TopicPartition

        topic = stream.read.topic
        offsets = (cursor or {}).get("partitions", {}).get(topic) or {}
        if not offsets:
            return
        try:
            with self._translated(stream.name), self._consumer() as consumer:
                told = [TopicPartition(topic, int(p), int(o)) for p, o in offsets.items()]
                consumer.commit(offsets=told, asynchronous=False)
        except SourceUnavailableError as error:
            self.warn(f"{stream.name}: the offsets were not told to the broker: {error}")

    def close(self) -> None:
        """Nothing is held between streams."""

    def _assign(
        self, consumer: Any, stream: StreamRead[KafkaRead], offsets: dict[int, int]
    ) -> dict[int, int]:
        """Where each partition ends now; the consumer begins where the offsets are, or at the beginning."""
        from confluent_kafka import TopicPartition

        topic, wait = stream.read.topic, self._config.timeout_s
        told = consumer.list_topics(topic, timeout=wait).topics[topic]
        if told.error is not None or not told.partitions:
            raise SourceProtocolError(self._context.source, stream.name, f"there is no topic {topic!r}")
        ends: dict[int, int] = {}
        places = []
        for partition in sorted(told.partitions):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=wait)
            offsets[partition] = self._begin(stream, partition, offsets.get(partition), low, high)
            ends[partition] = high
            places.append(TopicPartition(topic, partition, offsets[partition]))
        consumer.assign(places)
        return ends

    def _begin(
        self, stream: StreamRead[KafkaRead], partition: int, kept: int | None, low: int, high: int
    ) -> int:
        where = f"{stream.name}: {stream.read.topic}/{partition}"
        if kept is None:
            return low
        if kept < low:
            self.warn(
                f"{where} no longer has {low - kept} messages that were never read; its retention is too short"
            )
            return low
        if kept > high:
            self.warn(
                f"{where} ends before what was read of it: it was made anew, and is read from its beginning"
            )
            return low
        return kept

    def _messages(
        self,
        consumer: Any,
        ends: dict[int, int],
        bounds: Bounds,
        stream: StreamRead[KafkaRead],
        offsets: dict[int, int],
    ) -> Iterator[Any]:
        from confluent_kafka import KafkaError, KafkaException

        open_ = {partition for partition, end in ends.items() if offsets[partition] < end}
        silent_s = 0.0
        while open_ and not bounds.reached:
            wait = bounds.left_s(1.0)
            got = consumer.consume(min(_AT_ONCE, bounds.messages), timeout=wait)
            silent_s = 0.0 if got else silent_s + wait
            if silent_s >= self._config.timeout_s:
                message = f"{stream.read.topic} gave nothing for {self._config.timeout_s} s before its end"
                raise SourceUnavailableError(self._context.source, stream.name, message)
            for message in got:
                error = message.error()
                if error is None:
                    partition = message.partition()
                    bounds.messages -= 1
                    yield message
                    if message.offset() + 1 >= ends[partition]:
                        open_.discard(partition)
                elif error.code() == KafkaError._PARTITION_EOF:
                    # The end may be a mark of a transaction, or compacted away: no message has its offset.
                    offsets[message.partition()] = max(offsets[message.partition()], message.offset())
                    open_.discard(message.partition())
                elif not error.retriable():
                    raise KafkaException(error)

    @contextmanager
    def _consumer(self) -> Iterator[Any]:
        from confluent_kafka import Consumer

        consumer = Consumer(self._settings(), logger=_Quiet())
        try:
            yield consumer
        finally:
            consumer.close()

    def _settings(self) -> Settings:
        config, context = self._config, self._context
        made: Settings = {
            "bootstrap.servers": ",".join(config.servers),
            "group.id": config.group or f"hub-{context.source}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "security.protocol": ("SASL_" if config.sasl else "") + ("SSL" if config.tls else "PLAINTEXT"),
            "socket.timeout.ms": config.timeout_s * 1000,
            "session.timeout.ms": 45_000,
        }
        if config.ca_file:
            made["ssl.ca.location"] = str(context.base_dir / config.ca_file)
        if config.sasl:
            made |= {
                "sasl.mechanism": config.sasl.mechanism,
                "sasl.username": config.sasl.user.resolve(context),
                "sasl.password": config.sasl.password.resolve(context),
            }
        return made

    @contextmanager
    def _translated(self, stream: str) -> Iterator[None]:
        try:
            from confluent_kafka import KafkaException
        except ImportError:
            message = "confluent-kafka is not installed; `pip install 'customer-knowledge-hub[kafka]'`"
            raise SourceProtocolError(self._context.source, stream, message) from None
        try:
            yield
        except KafkaException as error:
            told = error.args[0]
            name = told.name()
            if name in _REFUSED:
                message = f"the servers refuse ({name}); see sasl, tls and the topic's rights"
                raise SourceProtocolError(self._context.source, stream, message) from None
            message = f"the servers cannot be reached or did not finish ({name})"
            raise SourceUnavailableError(self._context.source, stream, message) from None


_REFUSED = {
    *("_AUTHENTICATION", "_SSL", "SASL_AUTHENTICATION_FAILED", "TOPIC_AUTHORIZATION_FAILED"),
    *("GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "_INVALID_ARG", "_UNKNOWN_TOPIC"),
    "UNKNOWN_TOPIC_OR_PART",
}


class _Quiet:
    """librdkafka's own log names servers and accounts; what matters of it comes as errors."""

    def log(self, *_: Any) -> None:
        """Nothing."""


def _cursor(topic: str, offsets: dict[int, int]) -> Cursor:
    return {"partitions": {topic: {str(partition): offset for partition, offset in sorted(offsets.items())}}}
