"""Privacy requests over GraphQL: an officer's question of departments.md 6.5, and every act."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.api_world import World, asking, fill, make_services

OPEN = """mutation($customer: ID, $kind: PrivacyRequestKind!, $key: String!, $ground: ErasureGround) {
  openPrivacyRequest(input: {kind: $kind, law: UK, channel: EMAIL, customerId: $customer, ground: $ground,
    contact: "ann@example.com", said: "please", idempotencyKey: $key}) { id state subject { pseudonym } identity }
}"""
SHOW = """query($id: ID!) { privacyRequest(id: $id) {
  subject { pseudonym } steps { source action state proof } retained { what basis until }
  resurrection { blocked at } deadline overdue outcome certificate } }"""


@pytest.fixture
def world(tmp_path: Path, store_url: str) -> Iterator[World]:
    """A company of its own: these tests change it."""
    with make_services(tmp_path, store_url) as services:
        fill(services)
        with asking(services) as world:
            yield world


def act(world: World, name: str, id_: str, more: str = "", answer: str = "state") -> object:
    query = f'mutation {{ {name}(id: "{id_}"{more}) {{ {answer} }} }}'
    return world.ask(query, "compliance").data[name]


def begun(world: World, kind: str, key: str, **more: object) -> str:
    customer = world.customer("erp", "C1")
    made = world.ask(OPEN, "compliance", customer=customer, kind=kind, key=key, **more).data[
        "openPrivacyRequest"
    ]
    assert (made["state"], made["subject"]) == ("RECEIVED", {"pseudonym": customer})
    id_: str = made["id"]
    act(world, "verifyIdentity", id_, ", method: DOCUMENT")
    assert act(world, "planRequest", id_) == {"state": "PLANNED"}
    return id_


def test_an_access_request_over_graphql_ends_in_a_package(world: World) -> None:
    id_ = begun(world, "ACCESS", "access-1")
    assert act(world, "runRequest", id_) == {"state": "RUNNING"}
    early = world.ask(f'mutation {{ accessPackage(id: "{id_}") {{ json }} }}', "compliance")
    assert early.code == "BAD_QUERY"
    preview = act(world, "accessPackage", id_, ", preview: true", "json html csv")
    steps = world.ask(
        "query($id: ID!) { privacyRequest(id: $id) { steps { number state action } } }", "compliance", id=id_
    ).data["privacyRequest"]["steps"]
    for step in steps:
        if step["state"] == "open" and step["action"] != "hand_out":
            act(world, "completeTask", id_, f', number: {step["number"]}, proof: "T-1"')
    package = act(world, "accessPackage", id_, "", "json html csv event")
    assert isinstance(package, dict)
    assert isinstance(preview, dict)
    assert package["csv"] is None
    assert "ann@example.com" in package["html"]
    assert json.loads(package["json"])["statements"] == json.loads(preview["json"])["statements"]
    assert world.ask(SHOW, "compliance", id=id_).data["privacyRequest"]["outcome"] == "done"


def test_the_officer_s_question_of_an_erasure_is_answered(world: World) -> None:
    id_ = begun(world, "ERASURE", "erasure-1", ground="CONSENT_WITHDRAWN")
    act(world, "runRequest", id_)
    found = world.ask(SHOW, "compliance", id=id_).data["privacyRequest"]
    hub = next(step for step in found["steps"] if step["source"] == "hub")
    assert (hub["state"], hub["action"]) == ("done", "erasure")
    assert hub["proof"] == f"event:{found['certificate']}"
    assert {kept["what"] for kept in found["retained"]} == {"Invoice", "Payment"}
    assert found["resurrection"] == []
    kept = world.ask(f'{{ retainedItems(id: "{id_}") {{ what until values }} }}', "finance").data[
        "retainedItems"
    ]
    assert {item["what"] for item in kept} == {"Invoice", "Payment"}
    refused = world.ask(f'{{ retainedItems(id: "{id_}") {{ what }} }}', "support")
    assert refused.code == "FORBIDDEN"


def test_pause_extend_and_refuse_over_graphql_and_the_register(world: World) -> None:
    made = world.ask(OPEN, "compliance", kind="ACCESS", key="k-1").data["openPrivacyRequest"]
    id_ = made["id"]
    assert act(world, "pauseRequest", id_, ", reason: IDENTITY", "paused") == {"paused": True}
    assert act(world, "resumeRequest", id_, "", "paused") == {"paused": False}
    reason = ', reason: "eleven systems have to be searched by hand"'
    assert act(world, "extendRequest", id_, reason, "extended") == {"extended": True}
    listed = world.ask("{ privacyRequests { id daysLeft } }", "compliance").data["privacyRequests"]
    assert [each["id"] for each in listed] == [id_]
    assert act(world, "refuseRequest", id_, f", why: EXCESSIVE{reason}", "outcome") == {
        "outcome": "refused.excessive"
    }
    again = world.ask("{ privacyRequests(states: [REFUSED]) { id kind law } }", "compliance").data
    assert again["privacyRequests"] == [{"id": id_, "kind": "ACCESS", "law": "UK"}]
    year = world.ask("{ privacyRequests(states: [REFUSED]) { receivedAt } }", "compliance").data
    figures = f"{{ privacyRequestMetrics(year: {year['privacyRequests'][0]['receivedAt'][:4]}) {{ refused open }} }}"
    assert world.ask(figures, "compliance").data["privacyRequestMetrics"] == [{"refused": 1, "open": 0}]


def test_whom_the_policy_does_not_name_hears_nothing_of_requests(world: World) -> None:
    made = world.ask(OPEN, "compliance", kind="ACCESS", key="k-2").data["openPrivacyRequest"]
    for query in (
        "{ privacyRequests { id } }",
        f'{{ privacyRequest(id: "{made["id"]}") {{ id }} }}',
        f'mutation {{ runRequest(id: "{made["id"]}") {{ id }} }}',
        f'mutation {{ accessPackage(id: "{made["id"]}") {{ json }} }}',
    ):
        for role in ("support", "marketing", "it", "steward"):
            assert world.ask(query, role).code == "FORBIDDEN"
