"""A tiny identity provider: its configuration and its keys, as an HTTP client in the same process meets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx
from joserfc.jwk import Key, OKPKey

from hub.access import ProviderKeys

ISSUER = "https://id.example.com/realm"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
JWKS = "https://keys.example.com/jwks"


def key(kid: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": kid})


@dataclass
class Provider:
    """What it answers may be changed; what it was asked is kept."""

    keys: list[Key] = field(default_factory=lambda: [key("k1")])
    configuration: dict[str, Any] = field(default_factory=lambda: {"issuer": ISSUER, "jwks_uri": JWKS})
    answers: dict[str, Callable[[], httpx.Response]] = field(default_factory=dict)
    """Other answers, by address."""
    asked: list[str] = field(default_factory=list)
    now: float = 1_000.0
    open: Event = field(default_factory=Event)
    """Set while it answers at all; cleared, a fetch waits."""

    def __post_init__(self) -> None:
        self.open.set()

    def answer(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.asked.append(url)
        assert self.open.wait(20)
        if url in self.answers:
            return self.answers[url]()
        if url == DISCOVERY:
            return httpx.Response(200, json=self.configuration)
        assert url == JWKS, url
        return httpx.Response(200, json={"keys": [each.as_dict(private=False) for each in self.keys]})

    def of_hub(self, max_age_s: float = 300, issuer: str = ISSUER) -> ProviderKeys:
        """The keys as the hub holds them; not fetched yet."""
        transport = httpx.MockTransport(self.answer)
        return ProviderKeys(
            issuer, max_age_s, connect=lambda: httpx.Client(transport=transport), clock=lambda: self.now
        )

    @property
    def fetches(self) -> int:
        return self.asked.count(JWKS)
