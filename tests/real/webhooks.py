"""Deliveries signed and sent by others' code: packages of Node that senders and their customers use.

`make test-webhooks` installs them, has them deliver, change and delete people, and repeats what they sent.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.api import create_app
from hub.services import Services
from tests.real.world import hub
from tests.serving import serving

PACKAGES = {"standardwebhooks": "^1", "stripe": "^17", "@octokit/webhooks-methods": "^5"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENDER = """
const { Webhook } = require('standardwebhooks')
const Stripe = require('stripe')
const [scheme, url, secret, topic, id, ...bodies] = process.argv.slice(2)
const headers = {
  standard: payload => {
    const at = new Date()
    const signature = new Webhook(secret).sign(id, at, payload)
    return { 'webhook-id': id, 'webhook-timestamp': `${Math.floor(at / 1000)}`, 'webhook-signature': signature }
  },
  stripe: payload => ({ 'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret }) }),
  github: async payload => {
    const { sign } = await import('@octokit/webhooks-methods')
    return { 'x-hub-signature-256': await sign(secret, payload), 'x-github-delivery': id }
  },
}
async function main() {
  for (const body of bodies) {
    const signed = await headers[scheme](body)
    const sent = { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-topic': topic, ...signed } }
    const first = await fetch(url, sent)
    const again = await fetch(url, sent)
    console.log(JSON.stringify([first.status, await first.json(), again.status, await again.json()]))
  }
}
main()
"""
YAML = """
source: club
connector: {{type: webhook, signature: {scheme}, secret: {{env: SECRET}}}}
streams:
  members:
    read:
      when: {{header: X-Topic, equals: [changed, gone]}}
      gone: {{header: X-Topic, equals: gone}}
    key: no
    entities:
      - type: Person
        properties: {{name: name, email: email}}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sender")
    (folder / "package.json").write_text(json.dumps({"name": "sender", "dependencies": PACKAGES}))
    (folder / "send.js").write_text(SENDER)
    npm = shutil.which("npm")
    assert npm, "npm is not installed"
    subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    return folder


def member(number: int, name: str) -> str:
    return json.dumps({"no": number, "name": name, "email": f"m{number}@example.com"})


class Sender:
    """What sends to one hub."""

    def __init__(self, node: Path, scheme: str, url: str, secret: str = SECRET) -> None:
        self._words = ["node", "send.js", scheme, f"{url}/hooks/club", secret]
        self._node = node

    def send(self, topic: str, id_: str, *bodies: str) -> list[list[Any]]:
        words = [*self._words, topic, id_, *bodies]
        ran = subprocess.run(words, cwd=self._node, check=True, capture_output=True, text=True)
        return [json.loads(line) for line in ran.stdout.splitlines()]


def names(services: Services) -> list[str]:
    with services.store.read() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT name FROM e_person ORDER BY name")]


def soon(services: Services, expected: list[str]) -> None:
    until = time.monotonic() + 60
    while names(services) != expected:
        assert time.monotonic() < until, names(services)
        time.sleep(0.1)


@pytest.fixture(params=["standard", "stripe", "github"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Services, str]]:
    scheme: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DEMO", "1")
        with (
            hub(tmp_path, "club", YAML.format(scheme=scheme), SECRET=SECRET) as services,
            serving(create_app(services)) as url,
        ):
            yield scheme, services, url


def test_members_come_change_and_go(served: tuple[str, Services, str], node: Path) -> None:
    scheme, services, url = served
    sender = Sender(node, scheme, url)
    accepted, duplicate = {"state": "accepted"}, {"state": "duplicate"}
    for number in (1, 2, 3):
        [sent] = sender.send("changed", f"msg_{number}", member(number, f"Member {number}"))
        assert sent == [202, accepted, 202, duplicate]
    soon(services, ["Member 1", "Member 2", "Member 3"])
    assert sender.send("changed", "msg_4", member(2, "Changed")) == [[202, accepted, 202, duplicate]]
    assert sender.send("gone", "msg_5", member(1, "Member 1")) == [[202, accepted, 202, duplicate]]
    soon(services, ["Changed", "Member 3"])
    assert sender.send("other", "msg_6", member(4, "Member 4"))[0][:2] == [202, {"state": "ignored"}]


def test_another_secret_opens_nothing(served: tuple[str, Services, str], node: Path) -> None:
    scheme, services, url = served
    [sent] = Sender(node, scheme, url, "whsec_" + "A" * 32).send("changed", "msg_1", member(1, "Member 1"))
    assert (sent[0], sent[2]) == (401, 401)
    assert names(services) == []
