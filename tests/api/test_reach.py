"""Row scopes over the API: whose customers a token's claims name, and what one learns of the others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.yamlfile import load_yaml
from tests.api.api_world import POLICY, World, asking, fill, make_services
from tests.databases import sqlite_store

SCOPED = ["user.contact", "user.unique_id", "user.behavior"]
LIST = "{ customers(orderBy: [{name: ASC}]) { totalCount nodes { name email } } }"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The company; sales sees its region only, finance the names of all and what else there is of its region."""
    folder = tmp_path_factory.mktemp("reach")
    url = (
        sqlite_store(folder / "hub.sqlite")
        if request.param == "sqlite"
        else request.getfixturevalue("module_database")
    )
    policy = json.loads(json.dumps(load_yaml(POLICY).data, default=str))
    policy["grants"] = [each for grant in policy["grants"] for each in _scoped(grant)]
    with make_services(folder, url, policy_file=_written(folder, policy)) as services:
        fill(services)
        with asking(services) as world:
            yield world


def _scoped(grant: dict[str, Any]) -> Iterator[dict[str, Any]]:
    roles = grant["roles"] if isinstance(grant["roles"], list) else [grant["roles"]]
    if roles == ["finance"] and "user.name" in grant["categories"]:
        yield {**grant, "categories": [each for each in grant["categories"] if each not in SCOPED]}
    elif "sales" in roles and grant["effect"] != "deny":
        yield {**grant, "roles": "sales", "scope": "region"}
        if len(roles) > 1:
            yield {**grant, "roles": [role for role in roles if role != "sales"]}
    else:
        yield grant


def _written(folder: Path, policy: dict[str, Any]) -> Path:
    contact = {
        "roles": "finance", "purposes": "accounting", "categories": SCOPED, "effect": "allow", "scope": "region",
        "why": "to send reminders", "owner": "finance", "review": "2099-01-01",
    }  # fmt: skip
    policy["grants"].append(contact)
    # People are known of in their region alone, customers everywhere: companies are.
    branch = {
        "roles": "branch",
        "purposes": "accounting",
        "effect": "allow",
        "why": "to greet",
        "owner": "finance",
    }
    policy["roles"]["branch"] = {"label": "Branch", "department": "finance", "default_purpose": "accounting"}
    for categories, scope in (
        ("user.contact.organization", "none"),
        (["user.name", "user.contact.email"], "region"),
    ):
        policy["grants"].append({**branch, "categories": categories, "scope": scope, "review": "2099-01-01"})
    path = folder / "policy.yaml"
    path.write_text(json.dumps(policy))
    return path


def ask(world: World, query: str, role: str, *regions: str, **variables: Any) -> Any:
    token = world.token(role, attributes={"region": regions} if regions else {})
    return world.post({"query": query, "variables": variables}, token)


def test_customers_of_other_regions_do_not_exist(world: World) -> None:
    found = ask(world, LIST, "sales", "GB", "FR").data["customers"]
    assert [node["name"] for node in found["nodes"]] == ["Ann Archer", "Ben Archer"]
    assert found["totalCount"] == 2
    traders = world.customer("erp", "C3")
    one = "query($id: ID!) { customer(id: $id) { name } }"
    assert ask(world, one, "sales", "GB", id=traders).data == {"customer": None}
    assert ask(world, one, "sales", "FR", id=world.customer("erp", "C1")).data == {"customer": None}


def test_a_token_without_the_claim_sees_nobody(world: World) -> None:
    reply = ask(world, LIST, "sales")
    assert reply.data == {"customers": None}
    assert reply.access


def test_what_is_shown_within_a_scope_is_null_elsewhere_and_said_to_be(world: World) -> None:
    reply = ask(world, "{ customers { nodes { name email } } }", "finance", "GB")
    found = {node["name"]: node["email"] for node in reply.data["customers"]["nodes"]}
    assert found == {"Ann Archer": "ann@example.com", "Ben Archer": None, "Quayside Traders": None}
    [note] = [note for note in reply.access if note["path"][-1] == "email"]
    assert (note["effect"], note["unlessWithin"]) == ("deny", "region")


def test_identifiers_of_people_are_shown_where_people_are_known_of(world: World) -> None:
    query = "{ customers { nodes { identifiers { scheme value } } } }"
    expected = [
        {"scheme": "email", "value": value} for value in ("ann.archer@example.org", "ann@example.com")
    ]
    for region, shown in (("GB", [expected]), ("XX", [])):
        nodes = ask(world, query, "branch", region).data["customers"]["nodes"]
        assert len(nodes) == 3
        assert [node["identifiers"] for node in nodes if node["identifiers"]] == shown


@pytest.mark.parametrize(
    "query",
    [
        '{ customers(where: {email: {contains: "post"}}) { totalCount } }',
        "{ customers(orderBy: [{email: ASC}]) { nodes { name } } }",
        '{ customerByIdentifier(scheme: email, value: "post@example.net") { name } }',
    ],
)
def test_what_is_not_shown_of_all_is_no_way_to_find_them(world: World, query: str) -> None:
    assert ask(world, query, "finance", "GB").code == "FORBIDDEN"


def test_search_finds_those_in_the_region_and_counts_no_others(world: World) -> None:
    indexer = world.services.indexer
    # The API follows the feed, too, and whoever is second lets the other do it.
    assert any(indexer.rebuild() or time.sleep(0.05) for _ in range(200))
    query = "query($t: String!) { search(text: $t) { total hits { type id title } facets { type count } } }"
    archers = ask(world, query, "sales", "GB", t="archer").data["search"]
    assert {hit["title"] for hit in archers["hits"] if hit["type"] == "Customer"} == {
        "Ann Archer",
        "Ben Archer",
    }
    assert archers["total"] == 2
    assert ask(world, query, "sales", "FR", t="archer").data["search"]["total"] == 0
    assert ask(world, query, "sales", "GB", t="quayside").data["search"]["total"] == 0


def test_a_command_does_not_find_a_customer_of_another_region(world: World) -> None:
    query = "mutation($i: InteractionInput!) { logInteraction(input: $i) { customerId } }"
    said = {"kind": "call", "customerId": world.customer("erp", "C1"), "idempotencyKey": "k1"}
    assert ask(world, query, "sales", "FR", i=said).code == "NOT_FOUND"
    assert ask(world, query, "sales", "GB", i=said).data["logInteraction"]["customerId"] == said["customerId"]
