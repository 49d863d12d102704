"""How senders of webhooks sign: schemes by vendor, and the check that a delivery was signed by who has the secret.

| scheme     | header                           | what is signed              | replays                       |
|------------|----------------------------------|-----------------------------|-------------------------------|
| `standard` | `webhook-signature`              | id, time, body              | known by id, and by the time  |
| `stripe`   | `Stripe-Signature`               | time, body                  | known by the time             |
| `zendesk`  | `X-Zendesk-Webhook-Signature`    | time, body                  | known by the time             |
| `hubspot`  | `X-HubSpot-Signature-v3`         | method, address, body, time | known by the time             |
| `shopify`  | `X-Shopify-Hmac-Sha256`          | body                        | by an id that is not signed   |
| `github`   | `X-Hub-Signature-256`            | body                        | by an id that is not signed   |
| `square`   | `x-square-hmacsha256-signature`  | address, body               | no                            |
| `gitlab`   | `X-Gitlab-Token`                 | nothing: the secret itself  | no                            |

Sources: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md,
https://docs.stripe.com/webhooks, https://developer.zendesk.com/documentation/webhooks/verifying/,
https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests,
https://shopify.dev/docs/apps/build/webhooks/verify-deliveries,
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries,
https://developer.squareup.com/docs/webhooks/step3validate,
https://docs.gitlab.com/user/project/integrations/webhooks/.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from hub.adapters.records import ConfigModel
from hub.errors import AuthenticationError

_PARTS = ("id", "timestamp", "method", "url", "body")
_PART = re.compile(r"\{([a-z]+)\}")
_MOST_CANDIDATES = 10
"""Signatures of one request that are tried: senders that change their secret send two."""


class Signature(ConfigModel):
    """How a request is signed. Names of headers are taken in any case."""

    header: str = Field(min_length=1, description="Header that holds the signature.")
    pattern: str | None = Field(
        default=None,
        description="Regular expression with one group, each of whose matches in the header is a signature; the whole "
        "header unless given.",
    )
    content: str = Field(
        default="{body}",
        description="What is signed, of `{id}`, `{timestamp}`, `{method}`, `{url}` and `{body}`; an empty "
        "text where the header holds the secret itself.",
    )
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = Field(
        default="sha256", description="Hash function of the HMAC."
    )
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is spelled.")
    key_encoding: Literal["text", "base64"] = Field(
        default="text",
        description="How the key is spelled in the secret; before base64, `whsec_` is dropped.",
    )
    timestamp_header: str | None = Field(
        default=None, min_length=1, description="Header that holds when it was sent."
    )
    timestamp_pattern: str | None = Field(
        default=None, description="Regular expression whose one group is the time within that header."
    )
    timestamp_unit: Literal["s", "ms", "iso"] = Field(
        default="s", description="Seconds or milliseconds since 1970, or ISO 8601."
    )
    id_header: str | None = Field(
        default=None,
        min_length=1,
        description="Header by which the sender names the delivery, and its repetitions.",
    )

    @field_validator("pattern", "timestamp_pattern")
    @classmethod
    def _one_group(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                groups = re.compile(value).groups
            except re.error:
                raise ValueError("is no regular expression") from None
            if groups != 1:
                raise ValueError(f"has {groups} groups, not one")
        return value

    @field_validator("content")
    @classmethod
    def _known_parts(cls, value: str) -> str:
        unknown = [part for part in _PART.findall(value) if part not in _PARTS]
        if unknown:
            raise ValueError(
                f"knows no {{{unknown[0]}}}; there are {', '.join(f'{{{each}}}' for each in _PARTS)}"
            )
        if value and "{body}" not in value:
            raise ValueError("leaves {body} out, so that anybody could put another in its place")
        return value

    @model_validator(mode="after")
    def _headers_of_parts(self) -> Self:
        for part, header in (("timestamp", self.timestamp_header), ("id", self.id_header)):
            if part in self.signed and header is None:
                raise ValueError(f"content has {{{part}}}, and there is no {part}_header")
        return self

    @property
    def signed(self) -> frozenset[str]:
        """The parts of a request that the signature covers."""
        return frozenset(_PART.findall(self.content))


SCHEMES: Mapping[str, Signature] = MappingProxyType(
    {
        "standard": Signature(
            header="webhook-signature",
            pattern=r"(?:^| )v1,(\S+)",
            content="{id}.{timestamp}.{body}",
            encoding="base64",
            key_encoding="base64",
            timestamp_header="webhook-timestamp",
            id_header="webhook-id",
        ),
        "stripe": Signature(
            header="Stripe-Signature",
            pattern=r"(?:^|,)v1=([0-9a-f]+)",
            content="{timestamp}.{body}",
            timestamp_header="Stripe-Signature",
            timestamp_pattern=r"(?:^|,)t=(\d+)",
        ),
        "zendesk": Signature(
            header="X-Zendesk-Webhook-Signature",
            content="{timestamp}{body}",
            encoding="base64",
            timestamp_header="X-Zendesk-Webhook-Signature-Timestamp",
            timestamp_unit="iso",
            id_header="X-Zendesk-Webhook-Invocation-Id",
        ),
        "hubspot": Signature(
            header="X-HubSpot-Signature-v3",
            content="{method}{url}{body}{timestamp}",
            encoding="base64",
            timestamp_header="X-HubSpot-Request-Timestamp",
            timestamp_unit="ms",
        ),
        "shopify": Signature(
            header="X-Shopify-Hmac-Sha256", encoding="base64", id_header="X-Shopify-Webhook-Id"
        ),
        "github": Signature(
            header="X-Hub-Signature-256", pattern="^sha256=([0-9a-f]+)$", id_header="X-GitHub-Delivery"
        ),
        "square": Signature(header="x-square-hmacsha256-signature", content="{url}{body}", encoding="base64"),
        "gitlab": Signature(header="X-Gitlab-Token", content="", id_header="X-Gitlab-Event-UUID"),
    }
)
"""Schemes by the name YAML chooses them by."""


def _by_name(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value not in SCHEMES:
        raise ValueError(f"is none of {', '.join(SCHEMES)}")
    return SCHEMES[value]


SignatureChoice = Annotated[
    Signature,
    BeforeValidator(_by_name),
    WithJsonSchema({"anyOf": [{"enum": list(SCHEMES)}, Signature.model_json_schema()]}),
]


@dataclass(frozen=True, slots=True)
class Request:
    """What came, as it came."""

    method: str
    url: str
    """The address by which the sender knows the hub."""
    headers: Mapping[str, str] = field(repr=False)
    """By their names in small letters."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """What a signature that fits proves of a delivery."""

    id: str | None = field(repr=False)
    """By which the sender names it."""
    sent_at: datetime | None
    """None where the sender does not say, or does not sign it."""
    seal: bytes | None = field(repr=False)
    """What no other delivery has; None where the signature would be the same for the same body at another time."""


def verify(
    signature: Signature, secrets: Sequence[str], request: Request, window: timedelta, now: datetime
) -> Proven:
    """See to it that the request was signed with one of the secrets, and not longer ago than the window.

    Raises:
        AuthenticationError: it was not; all that is wrong with it reads the same but its age, which is told to who
            has the secret alone.
    """
    sent = _sent(signature, request)
    named = _header(request, signature.id_header)
    parts = {"id": named, "timestamp": sent, "method": request.method, "url": request.url}
    given = [each.encode() for each in _candidates(signature, request)]
    fits = False
    for secret in secrets:
        expected = _expected(signature, secret, parts, request.body).encode()
        for each in given:
            fits |= hmac.compare_digest(each, expected)  # all are compared: time tells nothing
    if not fits:
        raise _unsigned()
    at = _moment(signature, sent) if "timestamp" in signature.signed else None
    if at is not None and abs(now - at) > window:
        raise AuthenticationError(
            "the delivery is signed, and was sent too long ago or ahead of the hub's clock"
        )
    sealed = hashlib.sha256(_content(signature, parts, request.body)).digest()
    return Proven(named, at, sealed if signature.signed & {"timestamp", "id"} else None)


def key_of(signature: Signature, secret: str) -> bytes:
    """The key that the secret spells.

    Raises:
        ValueError: it is to be base64, and is not.
    """
    if signature.key_encoding == "text":
        return secret.encode()
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("the secret is not base64, as the signature's scheme has it") from None


def _unsigned() -> AuthenticationError:
    return AuthenticationError("there is no such webhook, or its signature does not fit")


def _header(request: Request, name: str | None) -> str | None:
    return request.headers.get(name.lower()) if name is not None else None


def _candidates(signature: Signature, request: Request) -> Iterator[str]:
    held = _header(request, signature.header)
    if held is None:
        return
    found = [held] if signature.pattern is None else re.findall(signature.pattern, held)
    yield from found[:_MOST_CANDIDATES]


def _sent(signature: Signature, request: Request) -> str | None:
    held = _header(request, signature.timestamp_header)
    if held is None or signature.timestamp_pattern is None:
        return held
    found = re.search(signature.timestamp_pattern, held)
    return found[1] if found else None


def _moment(signature: Signature, sent: str | None) -> datetime:
    try:
        if signature.timestamp_unit == "iso":
            found = datetime.fromisoformat(sent or "")
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        scale = 1000 if signature.timestamp_unit == "ms" else 1
        return datetime.fromtimestamp(int(sent or "") / scale, UTC)
    except (ValueError, OverflowError, OSError):
        raise _unsigned() from None


def _expected(signature: Signature, secret: str, parts: Mapping[str, str | None], body: bytes) -> str:
    if not signature.content:
        return secret
    content = _content(signature, parts, body)
    made = hmac.new(key_of(signature, secret), content, signature.algorithm).digest()
    return _SPELLED[signature.encoding](made)


def _content(signature: Signature, parts: Mapping[str, str | None], body: bytes) -> bytes:
    """What is signed: the text of the scheme's `content`, its parts filled in."""

    def pieces() -> Iterator[bytes]:
        for index, piece in enumerate(_PART.split(signature.content)):
            if index % 2 == 0:
                yield piece.encode()
            else:
                yield body if piece == "body" else (parts[piece] or "").encode()

    return b"".join(pieces())


_SPELLED: Mapping[str, Callable[[bytes], str]] = {
    "hex": lambda made: made.hex(),
    "base64": lambda made: b64encode(made).decode(),
}
