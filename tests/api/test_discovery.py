"""An issuer whose keys are found by discovery over a loopback port, and who is down when the hub starts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import stamina
from joserfc import jwt
from joserfc.jwk import OKPKey

from hub.access import oidc
from hub.services import open_services
from hub.settings import TokenClaims
from tests.api.api_world import asking
from tests.api.test_issuers import settings

KEY = OKPKey.generate_key("Ed25519", {"kid": "k1"})
ME = {"query": "{ me { subject roles department purposes } }"}


class Provider(ThreadingHTTPServer):
    """The provider, on a free port; it says 503 until it is up."""

    daemon_threads = True
    up = False
    asked: int = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self.server.asked += 1
        issuer = self.server.issuer
        content: dict[str, Any] = {"keys": [KEY.as_dict(private=False)]}
        if self.path == oidc.DISCOVERY_PATH:
            content = {"issuer": issuer, "jwks_uri": f"{issuer}/jwks"}
        body = json.dumps(content).encode()
        self.send_response(200 if self.server.up else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(("127.0.0.1", 0), Handler) as server, stamina.set_testing(True, attempts=2, cap=True):
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def token(issuer: str, **changed: Any) -> str:
    claims = {
        "iss": issuer,
        "aud": "hub",
        "sub": "u-17",
        "exp": int(time.time()) + 60,
        "azp": "web",
        **changed,
    }
    return jwt.encode({"alg": "Ed25519", "kid": "k1"}, claims, KEY, algorithms=["Ed25519"])


def test_a_providers_tokens_are_taken_as_they_are_once_it_is_up(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "MIN_INTERVAL_S", 0.0)
    places = TokenClaims(roles="realm_access.roles", department=None, purposes=None)
    found = settings(tmp_path, token_issuer=provider.issuer, token_claims=places)
    mine = token(provider.issuer, realm_access={"roles": ["support", "offline_access"]})
    with open_services(found, {}) as services, asking(services) as world:
        reply = world.post(ME, mine, x_purpose="customer_service")
        assert (reply.status, reply.code) == (503, "UNAVAILABLE")
        assert "identity provider is out of reach" in reply.message
        provider.up = True
        me = world.post(ME, mine, x_purpose="customer_service").data["me"]
        assert (me["subject"], me["roles"], me["department"]) == ("u-17", ["support"], "support")
        assert "accounting" in me["purposes"]
        assert world.post(ME, mine).code == "PURPOSE_REQUIRED"
        for wrong in ({"iss": "https://id.example.com"}, {"aud": "web"}, {"roles": ["support"]}):
            assert world.post(ME, token(**{"issuer": provider.issuer, **wrong})).status == 401


def test_keys_are_fetched_before_the_first_token_comes(provider: Provider, tmp_path: Path) -> None:
    provider.up = True
    with open_services(settings(tmp_path, token_issuer=provider.issuer), {}) as services:
        assert provider.asked == 0
        with asking(services):
            deadline = time.monotonic() + 20
            while provider.asked < 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
