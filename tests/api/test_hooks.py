"""Webhooks in: what is signed is kept before it is answered, and is in the graph soon after; nothing else is taken."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.adapters.inbox import Inbox
from hub.api import hooks
from hub.audit import Action
from hub.errors import StoreUnavailableError
from hub.services import Services, open_services
from hub.settings import Settings
from tests.adapters.signing import SECRET, SENDERS
from tests.api.api_world import POLICY, World, asking
from tests.api.test_metrics import figures, of

YAML = """
source: shop
connector:
  type: webhook
  signature: {signature}
  secret: {{env: SECRET}}
  max_kb: 2
  max_waiting: 50
streams:
  people:
    read:
      when: {{header: X-Topic, equals: [customers/update, customers/delete]}}
      gone: {{header: X-Topic, equals: customers/delete}}
    key: id
    entities:
      - type: Person
        properties: {{familyName: {{path: name, required: true}}, email: email}}
"""
PATH = "/hooks/shop"
URL = f"http://hub.example{PATH}"
SOON_S = 30
"""The machine may be busy."""


@contextmanager
def shop(folder: Path, store_url: str, signature: str = "standard", **more: Any) -> Iterator[Services]:
    config = folder / "config"
    config.mkdir()
    (config / "shop.yaml").write_text(YAML.format(signature=signature))
    settings = Settings(
        data_dir=folder / "var",
        store_url=store_url,
        config_dir=config,
        demo=True,
        policy_file=POLICY,
        **more,
    )
    with open_services(settings, {"SECRET": SECRET}) as services:
        yield services


@pytest.fixture
def world(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(hooks, "PAUSE_S", 0.1)
    with shop(tmp_path, store_url) as services, asking(services) as asked:
        yield asked


def person(number: int = 1, name: str = "Zabriskie") -> dict[str, Any]:
    return {"id": number, "name": name, "email": f"{name.lower()}{number}@example.com"}


def bring(
    world: World,
    body: object,
    topic: str = "customers/update",
    name: str = "msg_1",
    path: str = PATH,
    age: timedelta = timedelta(0),
    **headers: str,
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = SENDERS["standard"](content, datetime.now(UTC) - age, name, URL)
    sent = {"x-topic": topic, **signed, **headers}
    reply: httpx.Response = world.ask_app("POST", path, content=content, headers=sent)
    return reply


def names(world: World) -> list[str]:
    with world.services.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT family_name FROM e_person ORDER BY email")
        return [row[0] for row in rows]


def wait_until(world: World, expected: list[str]) -> None:
    until = time.monotonic() + SOON_S
    while names(world) != expected:
        assert time.monotonic() < until, names(world)
        time.sleep(0.05)


def test_a_delivery_is_answered_and_soon_a_customer(world: World) -> None:
    reply = bring(world, person())
    assert (reply.status_code, reply.json()) == (202, {"state": "accepted"})
    wait_until(world, ["Zabriskie"])
    assert bring(world, person(1, "Ash"), name="msg_2").status_code == 202
    wait_until(world, ["Ash"])
    assert bring(world, person(1), "customers/delete", name="msg_3").json() == {"state": "accepted"}
    wait_until(world, [])


def test_a_repetition_changes_nothing(world: World) -> None:
    bring(world, person())
    wait_until(world, ["Zabriskie"])
    assert bring(world, person(1, "Ash"), name="msg_1").json() == {"state": "duplicate"}
    assert bring(world, person(2, "Birch"), name="msg_2").json() == {"state": "accepted"}
    wait_until(world, ["Birch", "Zabriskie"])


def test_what_comes_at_once_is_taken_in_together(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(30):
        assert bring(world, person(number, f"Birch{number:02}"), name=f"msg_{number}").status_code == 202
    wait_until(world, [f"Birch{number:02}" for number in range(30)])
    with world.services.store.read() as connection:
        runs = connection.exec_driver_sql("SELECT count(*) FROM run WHERE source = 'shop'").scalar_one()
    assert 1 <= runs < 20
    assert "waits" not in caplog.text, "no two runs are begun at a time"


def test_what_no_stream_reads_is_told_and_not_kept(world: World) -> None:
    reply = bring(world, person(), "orders/create")
    assert (reply.status_code, reply.json()) == (202, {"state": "ignored"})
    assert world.services.inbox.backlogs() == {}


def test_what_is_not_signed_is_refused_without_a_hint_and_on_record(world: World) -> None:
    before = world.seq()
    forged = bring(world, person(), **{"webhook-signature": "v1,AAAA"})
    unknown = bring(world, person(), path="/hooks/erp")
    assert forged.status_code == unknown.status_code == 401
    assert forged.json() == unknown.json()
    assert bring(world, person(), age=timedelta(minutes=6)).status_code == 401
    assert world.services.inbox.backlogs() == {}
    told = [event.action for event in world.events_after(before)]
    assert Action.LOGIN_REFUSED in told


def test_only_posts_of_a_bounded_size_are_taken(world: World) -> None:
    assert world.ask_app("GET", PATH).status_code == 405
    reply = bring(world, b" " * 3000)
    assert (reply.status_code, reply.json()["error"]) == (413, "LIMIT_EXCEEDED")
    assert "max_kb" in reply.json()["message"]


def test_an_inbox_that_is_full_or_out_of_reach_has_senders_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(*_given: object) -> int:
        raise StoreUnavailableError("the inbox of webhooks cannot be used: OperationalError")

    monkeypatch.setattr(Inbox, "put", out_of_reach)
    reply = bring(world, person())
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "60")
    assert "inbox" not in reply.text


def test_what_waited_when_the_hub_ended_is_taken_in_when_it_serves_again(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(tmp_path, store_url) as services:
        with monkeypatch.context() as broken:
            broken.setattr(hooks.Hooks, "_take_in", _nothing)
            with asking(services) as world:
                assert bring(world, person()).status_code == 202
        assert services.inbox.backlogs()["shop"].waiting == 1
        with asking(services) as world:
            wait_until(world, ["Zabriskie"])


async def _nothing(_self: object) -> None:
    return None


def test_a_frozen_source_keeps_what_comes(world: World, caplog: pytest.LogCaptureFixture) -> None:
    frozen = 'mutation { freezeSource(input: {source: "shop", reason: "change 7", idempotencyKey: "f"}) { source } }'
    assert world.ask(frozen, "it").data
    assert bring(world, person()).status_code == 202
    time.sleep(0.5)
    assert (names(world), world.services.inbox.backlogs()["shop"].waiting) == ([], 1)
    assert "waits" not in caplog.text, "no run is begun that would be refused"
    thaw = 'mutation { thawSource(source: "shop", idempotencyKey: "t") { source } }'
    assert world.ask(thaw, "it").data
    bring(world, person(2, "Birch"), name="msg_2")
    wait_until(world, ["Birch", "Zabriskie"])


def test_nothing_of_a_delivery_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="hub"):
        bring(world, person())
        bring(world, b'{"id": 1, "name": "Zabriskie"', name="msg_2")
        bring(world, person(), name="msg_3", **{"webhook-signature": "v1,AAAA"})
        wait_until(world, ["Zabriskie"])
    assert "Zabriskie" not in caplog.text
    assert PATH in caplog.text


def test_how_much_waits_is_a_figure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks.Hooks, "_run", _never)
    bring(world, person())
    headers = {"authorization": f"Bearer {world.token('it')}"}
    found = figures(world.ask_app("GET", "/metrics", headers=headers).text)
    assert of(found, "hub_source_deliveries_waiting", source="shop") == 1


async def _never(_self: object, _source: str) -> bool:
    return False


def test_the_map_names_the_inbox(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks.Hooks, "_run", _never)
    bring(world, person())
    query = "{ privacyMap { locations { id rows categories } flows { source target } } }"
    told = world.ask(query, "compliance").data["privacyMap"]
    [place] = [each for each in told["locations"] if each["id"] == "hub.webhook_delivery"]
    assert place["rows"] == 1
    assert "user.name" in " ".join(place["categories"])
    assert {"source": "shop.people", "target": "hub.webhook_delivery"} in told["flows"]


def test_the_senders_address_is_the_public_one(tmp_path: Path, store_url: str) -> None:
    """Where the address is signed, the hub has to know the one by which it is called."""
    public = "https://hub.example.com"
    with shop(tmp_path, store_url, "square", public_url=public) as services, asking(services) as world:
        body = json.dumps(person()).encode()
        for address, status in ((f"{public}{PATH}", 202), (URL, 401)):
            headers = {
                "x-topic": "customers/update",
                **SENDERS["square"](body, datetime.now(UTC), "", address),
            }
            assert world.ask_app("POST", PATH, content=body, headers=headers).status_code == status
