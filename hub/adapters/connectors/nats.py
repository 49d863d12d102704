"""Streams of NATS JetStream: what came since the last run, up to where the stream ended when the run began.

Needs the extra `nats`. The sequence number to go on from is the cursor, kept in the transaction of the messages before
it: `{"sequence": 512, "created": "2026-01-01T00:00:00+00:00"}`. Nothing is acknowledged and no consumer is left at the
server, so that others are not disturbed; a stream that keeps messages only until somebody acknowledges them (work
queue) is therefore refused. What comes twice is known by key and hash.

    connector:
      type: nats
      servers: [tls://nats.example.com:4222]
      user: hub
      password: {env: NATS_PASSWORD}
    streams:
      orders:
        read: {stream: SHOP, subject: "shop.orders.>"}
        key: order_no
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, Self, TypeVar

import fsspec.asyn
from pydantic import Field, model_validator

from hub.adapters.connectors.messages import Bounds, MessagesRead, Settings, Warned
from hub.adapters.records import Batch, ConnectorConfig, ConnectorContext, Cursor, Record, StreamRead
from hub.adapters.secrets import SecretRef, TextRef
from hub.errors import SourceProtocolError, SourceUnavailableError

_AT_ONCE = 500

T = TypeVar("T")


class NatsRead(MessagesRead):
    """Which messages a stream reads; the key of a message is its subject."""

    stream: str = Field(min_length=1, pattern=r"^[^\s.*>]+$", description="Name of the JetStream stream.")
    subject: str | None = Field(
        default=None, min_length=1, description="Subjects to read, such as `orders.>`; all unless given."
    )


class NatsConfig(ConnectorConfig):
    """Streams of NATS JetStream."""

    read_model = NatsRead

    type: Literal["nats"] = Field(description="Names this connector.")
    servers: tuple[str, ...] = Field(
        min_length=1, description="Addresses, `tls://host:port`; `nats://` where it is not encrypted."
    )
    user: TextRef | None = Field(default=None, description="Name of the account.")
    password: SecretRef | None = Field(default=None, description="Its password.")
    token: SecretRef | None = Field(default=None, description="A token in place of user and password.")
    credentials: str | None = Field(
        default=None,
        min_length=1,
        description="File of credentials (JWT and key), relative to the YAML's folder.",
    )
    ca_file: str | None = Field(
        default=None,
        min_length=1,
        description="Certificates of the authority that signed the servers', relative to the YAML's folder.",
    )
    timeout_s: int = Field(default=30, ge=1, description="Seconds that the servers may be silent.")

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if sum(each is not None for each in (self.user, self.token, self.credentials)) > 1:
            raise ValueError("give one of user, token and credentials")
        if any("@" in server for server in self.servers):
            raise ValueError("servers hold no login: give user and password, token or credentials")
        return self

    def connect(self, context: ConnectorContext) -> NatsConnector:
        """A connector for these streams."""
        return NatsConnector(self, context)


class NatsConnector(Warned):
    """Reads streams by sequence numbers that the hub keeps; connected only while a stream is read."""

    def __init__(self, config: NatsConfig, context: ConnectorContext) -> None:
        super().__init__()
        self._config, self._context = config, context

    def batches(
        self, stream: StreamRead[NatsRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The messages after the cursor's, in their order.

        Raises:
            SourceUnavailableError: no server answers, or one broke off.
            SourceProtocolError: there is no such stream, it is a work queue, or the login is refused.
        """
        with self._translated(stream.name), self._connected() as client:
            jetstream = client.jetstream(timeout=self._config.timeout_s)
            told = self._run(lambda: jetstream.stream_info(stream.read.stream))
            if str(told.config.retention) == "workqueue":
                message = "the stream is a work queue, whose messages are gone for all once read; read a mirror of it"
                raise SourceProtocolError(self._context.source, stream.name, message)
            created, last = str(told.created), int(told.state.last_seq)
            first = self._begin(stream, cursor, created, int(told.state.first_seq), last)
            bounds, reached = Bounds.of(stream.read), first - 1
            collected: list[Record] = []
            for message in self._messages(jetstream, stream, first, last, bounds):
                reached = message.metadata.sequence.stream
                position = f"{stream.read.stream} message {reached}"
                collected += stream.read.records(message.data, message.subject, position)
                if len(collected) >= batch_size:
                    yield Batch(collected, {"sequence": reached, "created": created})
                    collected = []
            at = {"sequence": reached if bounds.reached else max(reached, last), "created": created}
            if collected or at != cursor:
                yield Batch(collected, at)

    def close(self) -> None:
        """Nothing is held between streams."""

    def _begin(
        self, stream: StreamRead[NatsRead], cursor: Cursor | None, created: str, first: int, last: int
    ) -> int:
        if cursor is None:
            return max(first, 1)
        name, after = f"{stream.name}: {stream.read.stream}", int(cursor["sequence"]) + 1
        if created != cursor["created"] or after > last + 1:
            self.warn(f"{name} was made anew, and is read from its beginning")
            return max(first, 1)
        if after < first:
            self.warn(
                f"{name} no longer has {first - after} messages that were never read; its limits are too low"
            )
        return max(first, after)

    def _messages(
        self, jetstream: Any, stream: StreamRead[NatsRead], first: int, last: int, bounds: Bounds
    ) -> Iterator[Any]:
        """The messages from the sequence number `first` to `last` that match the subject."""
        if first > last:
            return
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=300,
        )
        subject = stream.read.subject or ">"
        subscription = self._run(
            lambda: jetstream.pull_subscribe(subject, stream=stream.read.stream, config=config)
        )
        try:
            pending = self._run(subscription.consumer_info).num_pending
            while pending and not bounds.reached:
                count = min(_AT_ONCE, bounds.messages, pending)
                wait = self._config.timeout_s
                got = self._run(lambda: subscription.fetch(count, timeout=wait))  # noqa: B023  (run at once)
                for message in sorted(got, key=lambda each: each.metadata.sequence.stream):
                    pending = message.metadata.num_pending
                    if message.metadata.sequence.stream > last:
                        return
                    bounds.messages -= 1
                    yield message
        finally:
            with suppress(Exception):
                self._run(subscription.unsubscribe)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        from nats.aio.client import Client

        client = Client()
        try:
            self._run(lambda: client.connect(**self._settings()))
            yield client
        finally:
            with suppress(Exception):
                self._run(client.close)

    def _settings(self) -> Settings:
        config, context = self._config, self._context
        made: Settings = {
            "servers": list(config.servers),
            "connect_timeout": config.timeout_s,
            "max_reconnect_attempts": 2,
            "allow_reconnect": False,
            "error_cb": _quiet,
            "name": f"hub-{context.source}",
        }
        if config.user is not None and config.password is not None:
            made |= {"user": config.user.resolve(context), "password": config.password.resolve(context)}
        if config.token is not None:
            made["token"] = config.token.resolve(context)
        if config.credentials is not None:
            made["user_credentials"] = str(context.base_dir / config.credentials)
        if config.ca_file is not None or any(server.startswith("tls:") for server in config.servers):
            ca_file = str(context.base_dir / config.ca_file) if config.ca_file else None
            made["tls"] = ssl.create_default_context(cafile=ca_file)
        return made

    def _run(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call gives, on the loop of a thread that goes on between calls, so that pings are answered."""

        async def bounded() -> T:
            return await asyncio.wait_for(_coroutine(call), self._config.timeout_s + 5)

        result: T = fsspec.asyn.sync(fsspec.asyn.get_loop(), bounded)
        return result

    @contextmanager
    def _translated(self, stream: str) -> Iterator[None]:
        source = self._context.source
        try:
            from nats import errors
            from nats.js.errors import Error as JetStreamError
            from nats.js.errors import NotFoundError
        except ImportError:
            message = "nats-py is not installed; `pip install 'customer-knowledge-hub[nats]'`"
            raise SourceProtocolError(source, stream, message) from None
        try:
            yield
        except NotFoundError:
            raise SourceProtocolError(source, stream, "there is no such stream; see read.stream") from None
        except errors.AuthorizationError:
            raise SourceProtocolError(
                source, stream, "the servers refused the login; see user and password"
            ) from None
        except (errors.Error, JetStreamError, OSError, TimeoutError) as error:
            name = type(error).__name__
            if "authorization" in str(error).lower():
                message = "the servers refused the login; see user and password"
                raise SourceProtocolError(source, stream, message) from None
            message = f"the servers cannot be reached or did not finish ({name})"
            raise SourceUnavailableError(source, stream, message) from None


async def _coroutine(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


async def _quiet(_error: Exception) -> None:
    """The package logs what it also raises."""
