"""OpenID Connect: a hub that takes the tokens of npm's `oidc-provider`, and refuses all others."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx

from conformance.company import Hub, served
from conformance.forged import altered, confused, key_id, misnamed, of_an_unknown_key, unsigned
from conformance.page import Section, table
from conformance.provider_client import PERSON, PROVIDER, Provider, provider
from conformance.tools import node_tools
from hub.access.oidc import MIN_INTERVAL_S

PURPOSE = "customer_service"
CLAIMS = {"roles": "access.roles", "department": None, "purposes": None}
"""This provider's tokens hold roles alone; the rest is the roles' business."""
FLOOD = 300
MACHINES = {"RS256": "machine-rs256", "ES256": "machine-es256", "EdDSA": "machine-eddsa"}
REFUSED = "401: the token is not one that this hub accepts; get a new one"
WRONG = "401: the token's claim '{}' is missing or not accepted here"
EXPIRED = "401: the token has expired; get a new one"


def run(folder: Path) -> Section:
    """The result of every check."""
    with provider(folder / "provider.log") as found:
        settings = {
            "HUB_DEMO": "false",
            "HUB_TOKEN_ISSUER": found.issuer,
            "HUB_TOKEN_AUDIENCE": found.audience,
            "HUB_TOKEN_CLAIMS": json.dumps(CLAIMS),
            "HUB_TOKEN_CLOCK_SKEW_S": "0",
        }
        with served(folder / "demo", **settings) as hub:
            checks = _Checks(hub, found)
            checks.run()
    results = checks.results
    faults = [f"{name}: {seen}, not {expected}" for name, seen, expected in results if seen != expected]
    version = node_tools(PROVIDER).version("oidc-provider")
    lines = [
        f"oidc-provider {version} on loopback: {len(results) - len(faults)} of {len(results)} checks are ok.",
        "",
        *table(("check", "seen"), [(name, seen) for name, seen, _expected in results]),
    ]
    return Section("oidc", lines, faults if results else ["no check ran"])


class _Checks:
    """What is asked of the hub, in this order; each check is its name, what was seen, and what had to be."""

    def __init__(self, hub: Hub, found: Provider) -> None:
        self._hub, self._provider = hub, found
        self._client = httpx.Client(timeout=30)
        self.results: list[tuple[str, str, str]] = []

    def run(self) -> None:
        """All of them."""
        self._accepted()
        self._refused()
        self._fetched_once()
        self._flooded()
        self._rotated()
        self._down()

    def _check(self, name: str, seen: str, expected: str) -> None:
        self.results.append((name, seen, expected))

    def _accepted(self) -> None:
        for algorithm, client in MACHINES.items():
            name = f"a token by client credentials, signed with {algorithm}"
            self._check(name, self._me(self._provider.machine(client)), f"200 {client} as support")
        name = "a token by authorization code with PKCE"
        self._check(name, self._me(self._provider.person()), f"200 {PERSON} as support")

    def _refused(self) -> None:
        good = self._provider.machine("machine-rs256")
        keys = httpx.get(f"{self._provider.issuer}/jwks").json()["keys"]
        rsa = next(key for key in keys if key["kid"] == key_id(good))
        brief = self._provider.machine("brief")
        elsewhere = "https://other.example.com"
        forged = {
            "for another audience": (self._provider.machine("machine-rs256", elsewhere), WRONG.format("aud")),
            "of another issuer, by the same key": (
                self._provider.machine("machine-rs256", issuer=self._provider.other),
                WRONG.format("iss"),
            ),
            "that is not valid yet": (self._provider.machine("early"), WRONG.format("nbf")),
            "with an altered claim": (altered(good), REFUSED),
            "with `alg: none`": (unsigned(good), REFUSED),
            "by HMAC with the public key": (confused(good, rsa), REFUSED),
            "with the algorithm of another key": (misnamed(good, "ES256"), REFUSED),
        }
        for name, (token, expected) in forged.items():
            self._check(f"a token {name}", self._me(token), expected)
        time.sleep(2)
        self._check("a token that has expired", self._me(brief), EXPIRED)

    def _fetched_once(self) -> None:
        # One more fetch of the keys was ours, for the forged token.
        configuration, keys = self._provider.fetches()
        seen = f"configuration {configuration}, keys {keys - 1}"
        self._check("how often the provider was asked by then", seen, "configuration 1, keys 1")

    def _flooded(self) -> None:
        good = self._provider.machine("machine-rs256")
        self._wait()
        before, began = self._provider.fetches()[1], time.monotonic()
        seen, once = {self._me(of_an_unknown_key(good)) for _ in range(FLOOD)}, "once in 10 s"
        self._check(f"{FLOOD} tokens with ids of keys that are none", ", ".join(sorted(seen)), REFUSED)
        most = 1 + (time.monotonic() - began) // MIN_INTERVAL_S
        fetched = self._provider.fetches()[1] - before
        seen_often = once if 1 <= fetched <= most else f"{fetched} times"
        self._check("how often the provider was asked for keys meanwhile", seen_often, once)

    def _rotated(self) -> None:
        former = self._provider.machine("machine-es256")
        self._check(
            "a token, before the provider has other keys", self._me(former), "200 machine-es256 as support"
        )
        self._wait()
        self._provider.do("rotate")
        newer = self._provider.machine("machine-es256")
        self._check("a token by a new key", self._me(newer), "200 machine-es256 as support")
        self._check("the former token, by a key that is gone", self._me(former), REFUSED)

    def _down(self) -> None:
        known, unseen = (self._provider.machine("machine-eddsa") for _ in range(2))
        self._me(known)
        self._wait()
        self._provider.do("down")
        unknown = of_an_unknown_key(unseen)
        self._check("the provider is down: a token by an unknown key", self._me(unknown), REFUSED)
        good = "200 machine-eddsa as support"
        self._check("the provider is down: a token that was seen before", self._me(known), good)
        self._check("the provider is down: one that was not, by a known key", self._me(unseen), good)
        self._provider.do("up")

    def _wait(self) -> None:
        """Until the hub may ask for keys again."""
        time.sleep(MIN_INTERVAL_S + 0.5)

    def _me(self, token: str) -> str:
        """What the hub says of the token: the status, and who it takes the caller for or why it refuses."""
        headers = {"Authorization": f"Bearer {token}", "X-Purpose": PURPOSE}
        asked = {"query": "{ me { subject roles } }"}
        reply = self._client.post(self._hub.url, json=asked, headers=headers)
        body: dict[str, Any] = reply.json()
        if "errors" in body:
            return f"{reply.status_code}: {body['errors'][0]['message']}"
        me = body["data"]["me"]
        return f"{reply.status_code} {me['subject']} as {', '.join(me['roles'])}"
