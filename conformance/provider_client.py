"""A real identity provider on loopback, and its client: tokens by client credentials, and by code with PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from conformance.tools import HERE, node_tools

PROVIDER = HERE / "provider"
PERSON = "agent-7"
_SIGNED_IN = "http://127.0.0.1/signed-in"


@dataclass
class Provider:
    """The provider, and another one of another name that signs with the same keys."""

    issuer: str
    other: str
    audience: str
    _process: subprocess.Popen[str] = field(repr=False)

    def do(self, what: str) -> Any:
        """What it answers when it has done that: `counts`, `rotate`, `down` or `up`."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": what}) + "\n")
        stdin.flush()
        return json.loads(stdout.readline())

    def fetches(self) -> tuple[int, int]:
        """How often its configuration and its keys were asked for."""
        counts = self.do("counts")
        return counts.get("/.well-known/openid-configuration", 0), counts.get("/jwks", 0)

    def machine(self, client: str, audience: str | None = None, issuer: str | None = None) -> str:
        """A token by the client's own credentials."""
        asked = {"grant_type": "client_credentials", "resource": audience or self.audience, "scope": "hub"}
        reply = httpx.post(f"{issuer or self.issuer}/token", data=asked, auth=(client, f"{client}-secret"))
        return _token(reply)

    def person(self) -> str:
        """A token for a person who signs in and consents, by authorization code with PKCE."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked = {
            "client_id": "desk",
            "response_type": "code",
            "redirect_uri": _SIGNED_IN,
            "resource": self.audience,
            "scope": "openid hub",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        proof = {
            "grant_type": "authorization_code",
            "client_id": "desk",
            "redirect_uri": _SIGNED_IN,
            "code_verifier": verifier,
            "resource": self.audience,
        }
        with httpx.Client() as browser:
            code = _signed_in(browser, browser.get(f"{self.issuer}/auth", params=asked))
            return _token(browser.post(f"{self.issuer}/token", data={**proof, "code": code}))


def _signed_in(browser: httpx.Client, reply: httpx.Response) -> str:
    """The code that the provider sends back by the browser, which follows it and fills in its forms."""
    for _ in range(20):
        if reply.is_redirect:
            there = urljoin(str(reply.url), reply.headers["location"])
            if there.startswith(_SIGNED_IN):
                return parse_qs(urlsplit(there).query)["code"][0]
            reply = browser.get(there)
            continue
        action, prompt = (
            re.search(r'action="([^"]+)"', reply.text),
            re.search(r'name="prompt" value="(\w+)"', reply.text),
        )
        if action is None or prompt is None:
            break
        filled = {"prompt": prompt[1], "login": PERSON, "password": "none"}
        reply = browser.post(urljoin(str(reply.url), action[1]), data=filled)
    raise RuntimeError(f"the provider sent the browser to a page without a form, status {reply.status_code}")


def _token(reply: httpx.Response) -> str:
    reply.raise_for_status()
    token: str = reply.json()["access_token"]
    return token


@contextmanager
def provider(log: Path) -> Iterator[Provider]:
    """The provider at work.

    Raises:
        ToolError: its packages cannot be installed.
    """
    command = node_tools(PROVIDER).command("provider.mjs")
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            yield Provider(said["issuer"], said["other"], said["audience"], process)
        finally:
            process.kill()
