"""Deliveries as senders sign them, written after their documentation and not after the hub's own code."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of the Standard Webhooks specification."""
URL = "https://hub.example.com/hooks/shop"


def _mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), "sha256").digest()


def _standard(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del url
    stamp = str(int(at.timestamp()))
    made = _mac(b64decode(SECRET.removeprefix("whsec_")), name.encode(), b".", stamp.encode(), b".", body)
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1a,nothing v1,{b64encode(made).decode()}",
    }


def _stripe(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del name, url
    stamp = str(int(at.timestamp()))
    made = _mac(SECRET.encode(), stamp.encode(), b".", body)
    return {"Stripe-Signature": f"t={stamp},v1={'0' * 64},v1={made.hex()},v0=6ffb"}


def _zendesk(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del url
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "X-Zendesk-Webhook-Signature": b64encode(_mac(SECRET.encode(), stamp.encode(), body)).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        "X-Zendesk-Webhook-Invocation-Id": name,
    }


def _hubspot(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del name
    stamp = str(int(at.timestamp() * 1000))
    made = _mac(SECRET.encode(), b"POST", url.encode(), body, stamp.encode())
    return {"X-HubSpot-Signature-v3": b64encode(made).decode(), "X-HubSpot-Request-Timestamp": stamp}


def _shopify(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del at, url
    return {
        "X-Shopify-Hmac-SHA256": b64encode(_mac(SECRET.encode(), body)).decode(),
        "X-Shopify-Webhook-Id": name,
    }


def _github(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del at, url
    return {
        "X-Hub-Signature-256": f"sha256={_mac(SECRET.encode(), body).hex()}",
        "X-GitHub-Delivery": name,
    }


def _square(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del at, name
    return {"x-square-hmacsha256-signature": b64encode(_mac(SECRET.encode(), url.encode(), body)).decode()}


def _gitlab(body: bytes, at: datetime, name: str, url: str) -> dict[str, str]:
    del body, at, url
    return {"X-Gitlab-Token": SECRET, "X-Gitlab-Event-UUID": name}


Signing = Callable[[bytes, datetime, str, str], Mapping[str, str]]
SENDERS: Mapping[str, Signing] = {
    "standard": _standard,
    "stripe": _stripe,
    "zendesk": _zendesk,
    "hubspot": _hubspot,
    "shopify": _shopify,
    "github": _github,
    "square": _square,
    "gitlab": _gitlab,
}
"""By scheme: the headers of a delivery with this body, sent then, under this id, to this address."""
