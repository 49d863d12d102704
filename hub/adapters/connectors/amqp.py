"""Queues of an AMQP 0-9-1 broker such as RabbitMQ: messages are acknowledged once the hub has committed them.

Needs the extra `amqp`. A queue has no place to go on from: what is not acknowledged comes again, and is known by key
and hash. A message that cannot be parsed is acknowledged too, as it waits in quarantine with its content.

    connector:
      type: amqp
      url: {env: AMQP_URL}          # amqps://hub:password@mq.example.com/shop
    streams:
      orders:
        read: {queue: hub.orders}
        key: order_no
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from hub.adapters.connectors.messages import Bounds, MessagesRead, Warned
from hub.adapters.records import Batch, ConnectorConfig, ConnectorContext, Cursor, Record, StreamRead
from hub.adapters.secrets import UrlRef
from hub.errors import SourceError, SourceProtocolError, SourceUnavailableError

_HEARTBEAT_S = 600
"""Nothing is heard from the hub while it writes a batch; the broker has to bear with that."""


class AmqpRead(MessagesRead):
    """Which queue a stream reads."""

    queue: str = Field(min_length=1, description="Name of the queue, which has to be there.")
    max_messages: int = Field(
        default=10_000,
        ge=1,
        le=65_535,
        description="Messages after which a run ends; until its end they are unacknowledged.",
    )

    @property
    def takes_away(self) -> bool:
        """Messages that were read are gone."""
        return True


class AmqpConfig(ConnectorConfig):
    """Queues of an AMQP 0-9-1 broker."""

    read_model = AmqpRead

    type: Literal["amqp"] = Field(description="Names this connector.")
    url: UrlRef = Field(
        description="Address, `amqps://user@host/vhost`; a reference where it holds a password."
    )
    timeout_s: int = Field(default=30, ge=1, description="Seconds that the broker may be silent.")
    idle_s: int = Field(
        default=2, ge=1, description="Seconds without a message after which the queue counts as empty."
    )

    def connect(self, context: ConnectorContext) -> AmqpConnector:
        """A connector for these queues."""
        return AmqpConnector(self, context)


@dataclass(slots=True)
class _Open:
    connection: Any
    channel: Any
    last: int | None = None
    """The delivery tag of the last message that was given."""


class AmqpConnector(Warned):
    """Reads queues; a connection stays open until its messages are acknowledged."""

    def __init__(self, config: AmqpConfig, context: ConnectorContext) -> None:
        super().__init__()
        self._config, self._context = config, context
        self._open: dict[str, _Open] = {}

    def batches(
        self, stream: StreamRead[AmqpRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The messages that lie in the queue, in its order.

        Raises:
            SourceUnavailableError: the broker cannot be reached, or broke off.
            SourceProtocolError: there is no such queue, or the login is refused.
        """
        del cursor
        collected: list[Record] = []
        with self._translated(stream.name):
            opened = self._opened(stream)
            bounds = Bounds.of(stream.read)
            waiting = opened.channel.consume(stream.read.queue, inactivity_timeout=self._config.idle_s)
            for delivery, properties, body in waiting:
                if delivery is None:
                    break
                opened.last = delivery.delivery_tag
                bounds.messages -= 1
                position = f"{stream.read.queue} message {delivery.delivery_tag}"
                collected += stream.read.records(body, properties.message_id, position)
                if len(collected) >= batch_size:
                    yield Batch(collected, None)
                    collected = []
                if bounds.reached:
                    break
        if collected:
            yield Batch(collected, None)

    def committed(self, stream: StreamRead[AmqpRead], cursor: Cursor | None) -> None:
        """Acknowledge what was read; where that fails, it comes again and is known."""
        del cursor
        opened = self._open.get(stream.name)
        if opened is None or opened.last is None:
            return
        try:
            with self._translated(stream.name):
                opened.channel.basic_ack(opened.last, multiple=True)
                opened.channel.cancel()
        except SourceError as error:
            self.warn(f"{stream.name}: was read, but not acknowledged, and comes again: {error}")

    def close(self) -> None:
        """Give the connections back; what is not acknowledged goes back to its queue."""
        with suppress(ImportError):
            from pika.exceptions import AMQPError

            for opened in self._open.values():
                with suppress(AMQPError, OSError):
                    opened.connection.close()
        self._open.clear()

    def _opened(self, stream: StreamRead[AmqpRead]) -> _Open:
        import pika

        try:
            parameters = pika.URLParameters(self._config.url.resolve(self._context))
        except (ValueError, KeyError, TypeError):
            message = "url is no AMQP URL (amqps://user@host/vhost)"
            raise SourceProtocolError(self._context.source, stream.name, message) from None
        parameters.heartbeat = _HEARTBEAT_S
        parameters.socket_timeout = parameters.stack_timeout = self._config.timeout_s
        parameters.blocked_connection_timeout = self._config.timeout_s
        connection = pika.BlockingConnection(parameters)
        channel = connection.channel()
        opened = self._open[stream.name] = _Open(connection, channel)
        channel.queue_declare(stream.read.queue, passive=True)
        channel.basic_qos(prefetch_count=stream.read.max_messages)
        return opened

    @contextmanager
    def _translated(self, stream: str) -> Iterator[None]:
        source = self._context.source
        try:
            from pika import exceptions
        except ImportError:
            message = "pika is not installed; `pip install 'customer-knowledge-hub[amqp]'`"
            raise SourceProtocolError(source, stream, message) from None
        try:
            yield
        except (exceptions.ProbableAuthenticationError, exceptions.AuthenticationError):
            raise SourceProtocolError(source, stream, "the broker refused the login; see url") from None
        except exceptions.ProbableAccessDeniedError:
            raise SourceProtocolError(source, stream, "the broker has no such vhost; see url") from None
        except exceptions.ChannelClosedByBroker as error:
            told = {404: "there is no such queue", 403: "the login may not read the queue"}
            meaning = told.get(error.reply_code)
            if meaning is None:
                message = f"the broker closed the channel ({error.reply_code})"
                raise SourceUnavailableError(source, stream, message) from None
            raise SourceProtocolError(source, stream, f"{meaning}; see read.queue") from None
        except (exceptions.AMQPError, OSError) as error:
            message = f"the broker cannot be reached or broke off ({type(error).__name__})"
            raise SourceUnavailableError(source, stream, message) from None
