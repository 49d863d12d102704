"""What senders bring by themselves: signed requests to `/hooks/<source>`, kept at once, taken in by the next run.

The API keeps a delivery in the hub's inbox before it answers, and begins a run by itself; `hub sync` and the worker
take in what waits as well. A run that fails leaves what it could not take in where it is. Repetitions are known by the
id that the sender gives, and by what was signed; records by key and hash, as everywhere.

    connector:
      type: webhook
      signature: shopify
      secret: {env: SHOP_WEBHOOK_SECRET}
    streams:
      customers:
        read:
          when: {header: X-Shopify-Topic, equals: [customers/create, customers/update, customers/delete]}
          gone: {header: X-Shopify-Topic, equals: customers/delete}
        key: id
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from hub.adapters.connectors.messages import BoundedRead, Bounds, Warned
from hub.adapters.formats import FormatChoice, JsonFormat
from hub.adapters.inbox import Delivery
from hub.adapters.paths import Scope, compile_path
from hub.adapters.records import (
    BadRecord,
    Batch,
    ConfigModel,
    ConnectorConfig,
    ConnectorContext,
    Cursor,
    GoneRecord,
    Record,
    StreamRead,
)
from hub.adapters.secrets import SecretRef
from hub.adapters.signatures import Proven, Request, SignatureChoice, key_of, verify
from hub.errors import ConfigurationError, RecordError

_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


class Condition(ConfigModel):
    """What a header of the delivery, or a field of a record in it, is."""

    header: str | None = Field(default=None, min_length=1, description="Header of the delivery, in any case.")
    field: str | None = Field(default=None, min_length=1, description="Path to a field of the record.")
    equals: Annotated[tuple[str, ...], WithJsonSchema(_TEXTS)] = Field(
        min_length=1, description="A text, or a list of which it is one; a number as it is written."
    )

    @field_validator("equals", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.header is None) == (self.field is None):
            raise ValueError("give one of `header` and `field`")
        if self.field is not None:
            compile_path(self.field)
        return self

    def is_sent(self, headers: Mapping[str, str]) -> bool:
        """Whether the header is so; True where the condition is of a field."""
        return self.header is None or headers.get(self.header.lower()) in self.equals

    def is_of(self, record: Mapping[str, Any]) -> bool:
        """Whether the field is so; True where the condition is of a header."""
        if self.field is None:
            return True
        try:
            found = compile_path(self.field).follow(Scope(record, record))
        except RecordError:
            return False
        return found is not None and str(found) in self.equals


class WebhookRead(BoundedRead):
    """Which deliveries a stream takes in."""

    format: FormatChoice = Field(
        default=JsonFormat(type="json", records=""),
        description="How a delivery is parsed; its JSON object is the record unless given.",
    )
    when: Condition | None = Field(
        default=None,
        description="Which deliveries, or records in them, are of this stream; all unless given.",
    )
    gone: Condition | None = Field(
        default=None, description="Which of them tell that their records are no more."
    )
    sent_field: str | None = Field(
        default=None,
        min_length=1,
        description="Field to add to each record with when the delivery was sent, or came where the sender signs no "
        "time; each delivery is then a new version of its record.",
    )


class WebhookConfig(ConnectorConfig):
    """What a sender brings by itself."""

    read_model = WebhookRead

    type: Literal["webhook"] = Field(description="Names this connector.")
    signature: SignatureChoice = Field(
        description="How the sender signs: the name of a scheme, or what it consists of."
    )
    secret: SecretRef = Field(description="What it signs with.")
    former_secret: SecretRef | None = Field(
        default=None, description="What it signed with before; taken as well while the secret is changed."
    )
    window_s: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="Seconds by which the signed time may differ from the hub's clock.",
    )
    max_kb: int = Field(default=1024, ge=1, le=65_536, description="Kilobytes of a delivery.")
    max_waiting: int = Field(
        default=100_000,
        ge=1,
        description="Deliveries that may wait for a run; further ones are refused, and senders come again.",
    )

    def connect(self, context: ConnectorContext) -> WebhookConnector:
        """A connector that takes in what waits."""
        return WebhookConnector(self, context)

    def proven(self, context: ConnectorContext, request: Request, now: datetime) -> Proven:
        """What the signature proves of the request.

        Raises:
            AuthenticationError: it does not fit, or is too old.
            ConfigurationError: the secret is missing, or spelled in another way than the scheme has it.
        """
        secrets = [each.resolve(context) for each in (self.secret, self.former_secret) if each is not None]
        for secret in secrets:
            try:
                key_of(self.signature, secret)
            except ValueError as error:
                raise ConfigurationError([f"{context.source}: {error}"]) from None
        return verify(self.signature, secrets, request, timedelta(seconds=self.window_s), now)


def deliveries(
    reads: Mapping[str, WebhookRead], request: Request, proven: Proven, now: datetime
) -> Iterator[Delivery]:
    """What each stream is to take in of the request."""
    for stream, read in reads.items():
        if read.when is None or read.when.is_sent(request.headers):
            gone = read.gone is not None and read.gone.is_sent(request.headers)
            yield Delivery(stream, gone, proven.sent_at or now, request.body, proven.id, proven.seal)


class WebhookConnector(Warned):
    """Takes in what waits in the inbox."""

    def __init__(self, config: WebhookConfig, context: ConnectorContext) -> None:
        super().__init__()
        del config  # says who may bring something: here it has been brought
        self._inbox, self._source = context.inbox, context.source
        self._numbers: dict[str, list[int]] = {}

    def batches(
        self, stream: StreamRead[WebhookRead], cursor: Cursor | None, batch_size: int
    ) -> Iterator[Batch]:
        """The records of the deliveries that wait, in the order in which these came.

        The cursor tells how far the newest run was, and decides nothing: what waits says that itself.

        Raises:
            StoreUnavailableError: the inbox cannot be read.
        """
        if self._inbox is None:
            return
        bounds, read = Bounds.of(stream.read), []
        collected: list[Record] = []
        at = cursor
        for waiting in self._inbox.waiting(self._source, stream.name):
            if bounds.reached:
                break
            bounds.messages -= 1
            collected += _records(stream.read, waiting.delivery, f"delivery {waiting.number}")
            read.append(waiting.number)
            at = {"delivery": waiting.number}
            if len(collected) >= batch_size:
                yield Batch(collected, at)
                collected = []
        if collected or at != cursor:
            yield Batch(collected, at)
        self._numbers[stream.name] = read

    def committed(self, stream: StreamRead[WebhookRead], cursor: Cursor | None) -> None:
        """Let the bodies go of what was taken in."""
        del cursor
        if self._inbox is not None:
            self._inbox.taken(self._numbers.pop(stream.name, []), datetime.now(UTC))

    def close(self) -> None:
        """The inbox is not the connector's to close."""


def _records(read: WebhookRead, delivery: Delivery, position: str) -> Iterator[Record]:
    for record in read.parsed(delivery.body, position):
        if isinstance(record, BadRecord):
            yield record
            continue
        if read.when is not None and not read.when.is_of(record.payload):
            continue
        payload = record.payload
        if read.sent_field is not None:
            payload = {**payload, read.sent_field: delivery.sent_at.isoformat()}
        gone = isinstance(record, GoneRecord) or (
            delivery.gone and read.gone is not None and read.gone.is_of(record.payload)
        )
        yield GoneRecord(payload, record.position) if gone else replace(record, payload=payload)
