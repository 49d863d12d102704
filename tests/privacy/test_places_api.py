"""The privacy map over GraphQL: officers are told, others not, and no answer holds a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.audit import Action
from tests.api.api_world import World
from tests.api.glass_world import opened, through, write_policy
from tests.api.test_erasures import served
from tests.commands.command_world import Shop
from tests.databases import sqlite_store

MAP = """query($category: String, $system: String) { privacyMap(category: $category, system: $system) {
  locations { id state categories purposeDeclared fields { path property category state } }
  flows { source target } } }"""
PERSON = """query($id: ID!) { dataMap(customerId: $id) { customerId lastReadBy copies
  records { source stream key fields { name property category purposes basis retentionUntil recipients lastReadBy } }
  places { id rows } } }"""
FINDINGS = "query($after: ID) { findings(first: 1, after: $after) { id kind place state } }"
DECIDE = (
    "mutation($input: DecideFindingInput!) { decideFinding(input: $input) { id state reason decidedBy } }"
)


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[tuple[World, Shop]]:
    with served(tmp_path, store_url) as found:
        yield found


def test_an_officer_is_told_where_a_customers_data_is_and_no_value_of_it(hub: tuple[World, Shop]) -> None:
    world, shop = hub
    ann = shop.customer("club", "1")
    world.ask("query($id: ID!) { customer(id: $id) { email } }", "support", id=ann)
    seq = world.seq()
    reply = world.ask(PERSON, "compliance", id=ann)
    told = reply.data["dataMap"]
    [record] = told["records"]
    assert (record["source"], record["stream"], record["key"]) == ("club", "members", None)
    fields = {each["property"]: each for each in record["fields"]}
    assert fields["Person.email"]["category"] == "user.contact.email"
    assert fields["Person.email"]["lastReadBy"] == told["lastReadBy"] == "u-support"
    assert fields["Person.name"]["lastReadBy"] is None
    assert {"hub.customer", "hub.e_person", "hub.search_index"} <= {each["id"] for each in told["places"]}
    assert not [word for word in ("ann@example.com", "Archer", "Quay") if word in json.dumps(reply.body)]
    events = [each for each in world.events_after(seq) if each.action is Action.PRIVACY_MAP_READ]
    assert [(each.actor, each.reason_code, each.customers) for each in events] == [
        ("u-compliance", "person", (ann,))
    ]


@pytest.mark.parametrize("role", ["support", "marketing", "it", "partner"])
def test_others_are_told_nothing(hub: tuple[World, Shop], role: str) -> None:
    world, shop = hub
    for query in (MAP, PERSON, "{ recipients { name } }"):
        reply = world.ask(query, role, **({"id": shop.customer("club", "1")} if query is PERSON else {}))
        assert reply.code == "FORBIDDEN"


def test_the_map_is_narrowed_by_what_is_asked(hub: tuple[World, Shop]) -> None:
    world, _ = hub
    found = world.ask(MAP, "compliance", category="user.contact", system="club").data["privacyMap"]
    assert [each["id"] for each in found["locations"]] == ["club.members"]
    assert found["locations"][0]["state"] == "PRESENT"
    assert world.ask(MAP, "compliance", category="user.nothing").code == "BAD_QUERY"


def test_findings_are_paged_and_decided(hub: tuple[World, Shop]) -> None:
    world, _ = hub
    [first] = world.ask(FINDINGS, "it").data["findings"]
    [second] = world.ask(FINDINGS, "it", after=first["id"]).data["findings"]
    assert first["id"] != second["id"]
    said = {"findingId": first["id"], "state": "DISMISSED", "reason": "these are part numbers"}
    assert world.ask(DECIDE, "support", input=said).code == "FORBIDDEN"
    assert world.ask(DECIDE, "it", input=said).data["decideFinding"] == {
        "id": first["id"],
        "state": "DISMISSED",
        "reason": "these are part numbers",
        "decidedBy": "u-it",
    }
    assert world.ask(DECIDE, "compliance", input={**said, "findingId": "nothing"}).code == "NOT_FOUND"


def test_under_a_broken_glass_no_map_is_told(tmp_path: Path) -> None:
    policy = write_policy(tmp_path)
    with served(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), policy_file=policy) as (world, shop):
        ann = shop.customer("club", "1")
        id_ = opened(world, ann).data["breakGlass"]["id"]
        for query, given in ((MAP, {}), (PERSON, {"id": ann}), (FINDINGS, {})):
            reply = through(world, id_, query, **given)
            assert (reply.code, "break-glass" in reply.message) == ("FORBIDDEN", True)
