"""Machines ask with API keys: by the roles and purposes of the key, until it is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.access import ApiKeys
from hub.audit import Action
from hub.services import open_services
from hub.settings import Settings
from tests.api.api_world import World, asking, make_services
from tests.api.test_issuers import settings

ME = {"query": "{ me { subject roles department purpose purposes } }"}
PURPOSES = ("order_fulfilment", "customer_service")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("machines")
    url = f"sqlite:///{folder / 'hub.sqlite'}"
    with make_services(folder, url) as services, asking(services) as world:
        yield world


@pytest.fixture
def keys(world: World) -> ApiKeys:
    """The keys as another process changes them."""
    return ApiKeys(world.services.settings.api_keys_file)


def test_a_machine_asks_with_its_key(world: World, keys: ApiKeys) -> None:
    key, text = keys.create("warehouse-2", ("supply_chain",), PURPOSES, 1)
    assert world.post(ME, text, x_purpose="order_fulfilment").data["me"] == {
        "subject": f"key:{key.id}",
        "roles": ["supply_chain"],
        "department": "supply_chain",
        "purpose": "order_fulfilment",
        "purposes": sorted(PURPOSES),
    }


def test_a_key_reaches_no_purpose_but_its_own(world: World, keys: ApiKeys) -> None:
    _, text = keys.create("warehouse-2", ("supply_chain",), PURPOSES[:1], 1)
    assert world.post(ME, text).data["me"]["purpose"] == "order_fulfilment"
    for other in ("customer_service", "accounting", "order_fulfilment, customer_service"):
        assert world.post(ME, text, x_purpose=other).code == "PURPOSE_REQUIRED"


def test_a_key_is_rotated_and_revoked_while_the_hub_serves(world: World, keys: ApiKeys) -> None:
    key, former = keys.create("warehouse-2", ("supply_chain",), PURPOSES[:1], 1)
    _, newer = keys.rotate(key.id, 1, timedelta(hours=1))
    assert [world.post(ME, text).status for text in (former, newer)] == [200, 200]
    keys.revoke(key.id)
    for text in (former, newer):
        reply = world.post(ME, text)
        assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
        assert text not in str(reply.body)


def test_the_log_names_the_key(world: World, keys: ApiKeys) -> None:
    key, text = keys.create("warehouse-2", ("supply_chain",), PURPOSES[:1], 1)
    before = world.seq()
    world.post({"query": "{ customers(first: 1) { nodes { id } } }"}, text)
    world.post(ME, text, x_purpose="accounting")
    found = [(event.action, event.actor) for event in world.events_after(before)]
    assert found == [(Action.READ, f"key:{key.id}"), (Action.LOGIN_REFUSED, f"key:{key.id}")]
    written = b"".join(recorded.event.encode() for recorded in world.services.audit.events())
    assert text.rpartition("_")[2].encode() not in written


def test_a_key_whose_role_is_none_of_the_policy_is_refused(world: World, keys: ApiKeys) -> None:
    _, text = keys.create("warehouse-2", ("wizard",), PURPOSES[:1], 1)
    assert world.post(ME, text).code == "FORBIDDEN"


def test_a_file_of_keys_that_breaks_lets_no_machine_in_and_people_still(world: World, keys: ApiKeys) -> None:
    _, text = keys.create("warehouse-2", ("supply_chain",), PURPOSES[:1], 1)
    path = world.services.settings.api_keys_file
    good = path.read_text()
    path.write_text("{")
    reply = world.post(ME, text)
    assert (reply.status, reply.code) == (500, "INTERNAL_ERROR")
    assert world.post(ME, world.token()).status == 200
    path.write_text(good)
    assert world.post(ME, text).status == 200


def test_a_hub_may_serve_machines_alone(tmp_path: Path) -> None:
    found: Settings = settings(tmp_path, api_keys=tmp_path / "machines.json")
    _, text = ApiKeys(tmp_path / "machines.json").create("warehouse-2", ("supply_chain",), PURPOSES[:1], 1)
    with open_services(found, {}) as services, asking(services) as world:
        assert world.post(ME, text).status == 200
        assert world.post(ME, world.token()).code == "UNAUTHENTICATED"
