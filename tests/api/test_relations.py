"""Households and groups through GraphQL: with their evidence, and of those alone whom the requester may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.graph.entities import Entity
from hub.graph.writer import GraphWriter
from tests.api.api_world import ADDRESS, World, asking, fill, make_services, party, said, thing, to_party
from tests.databases import sqlite_store

HOUSEHOLD = """query($id: ID!) { customer(id: $id) { id household { id size members { id name }
  ties { memberId since sameAddress sameFamilyName sharedContact sharedAccount } } } }"""
GROUP = """query($id: ID!) { customer(id: $id) { hierarchy { isDeclared isRegistered since
  parent { name } ultimateParent { name } subsidiaries { name } } } }"""
BRANCH = "NL004495445B02"


def relatives() -> list[Entity]:
    """A daughter who restricted the use of her data, and a group of four companies."""
    return [
        party("erp", "C4", givenName="Cleo", familyName="Archer", name="Cleo Archer", **ADDRESS),
        thing("erp", "Restriction", "R1", kind="restriction", state="in_force", customer=to_party("erp", "C4")),
        party("erp", "C5", "Organization", name="Top Holding"),
        party("erp", "C6", "Organization", name="North Region", parentOrganization=to_party("erp", "C5")),
        party("erp", "C7", "Organization", name="Rope Works", vatID="NL004495445B01",
              parentOrganization=to_party("erp", "C6")),
        party("erp", "C8", "Organization", name="Rope Works Rotterdam", vatID=BRANCH),
    ]  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The company and its relatives behind the API, once on each database."""
    folder = tmp_path_factory.mktemp("relations")
    url = (
        sqlite_store(folder / "hub.sqlite")
        if request.param == "sqlite"
        else request.getfixturevalue("module_database")
    )
    with make_services(folder, url) as services:
        fill(services)
        writer = GraphWriter(services.store, {"erp": 90}, restate=lambda _connection, _heads: [])
        with services.store.write() as connection:
            writer.apply(connection, 1, [said(entity, "erp") for entity in relatives()])
        with asking(services) as world:
            yield world


def mates(world: World, key: str, role: str = "support") -> dict[str, Any] | None:
    found: dict[str, Any] | None = world.ask(HOUSEHOLD, role, id=world.customer("erp", key)).data["customer"][
        "household"
    ]
    return found


def group(world: World, key: str, role: str = "support") -> dict[str, Any] | None:
    found: dict[str, Any] | None = world.ask(GROUP, role, id=world.customer("erp", key)).data["customer"][
        "hierarchy"
    ]
    return found


def test_a_household_tells_who_and_why_but_no_value(town: World) -> None:
    before, ben = town.seq(), town.customer("erp", "C2")
    home = mates(town, "C1")
    assert home is not None
    assert (home["size"], [member["name"] for member in home["members"]]) == (2, sorted_names(home))
    assert home["ties"] == [
        {
            "memberId": ben,
            "since": "2026-01-01T00:00:00Z",
            "sameAddress": True,
            "sameFamilyName": True,
            "sharedContact": True,
            "sharedAccount": False,
        }
    ]
    (event,) = town.events_after(before)
    assert set(event.customers) == {town.customer("erp", "C1"), ben}
    assert {"user.household", "user.contact.address"} <= set(event.data_categories)


def sorted_names(home: dict[str, Any]) -> list[str]:
    names = [member["name"] for member in sorted(home["members"], key=lambda member: member["id"])]
    assert set(names) == {"Ann Archer", "Ben Archer"}
    return names


def test_ties_alone_name_the_customers_whom_they_tell_of(town: World) -> None:
    before = town.seq()
    town.ask(
        "query($id: ID!) { customer(id: $id) { household { ties { since } } } }",
        id=town.customer("erp", "C1"),
    )
    (event,) = town.events_after(before)
    assert set(event.customers) == {town.customer("erp", "C1"), town.customer("erp", "C2")}


def test_whoever_restricted_the_use_of_their_data_is_in_nobodys_household(town: World) -> None:
    cleo = town.customer("erp", "C4")
    with town.services.store.read() as connection:
        homes = connection.exec_driver_sql("SELECT count(*) FROM customer WHERE household_id IS NOT NULL")
        assert homes.scalar() == 3
    assert cleo not in str(mates(town, "C1"))
    assert town.ask(HOUSEHOLD, id=cleo).data["customer"] is None


@pytest.mark.parametrize(
    "role", ["sales", "marketing", "call_centre", "finance", "management", "supply_chain"]
)
def test_without_a_grant_there_is_no_household(town: World, role: str) -> None:
    assert mates(town, "C1", role) is None
    assert mates(town, "C3", role) is None


def test_a_network_shows_no_household_to_whom_it_is_not_granted(town: World) -> None:
    query = "query($id: ID!) { relatedCustomers(id: $id, rings: 1) { customerId reason } }"
    ann, ben = (town.customer("erp", key) for key in ("C1", "C2"))
    related = {role: town.ask(query, role, id=ann).data["relatedCustomers"] for role in ("support", "sales")}
    assert {each["customerId"]: each["reason"] for each in related["support"]} == {ben: "same household"}
    assert related["sales"] == []


def test_a_group_is_climbed_and_descended(town: World) -> None:
    assert group(town, "C7") == {
        "isDeclared": True,
        "isRegistered": None,
        "since": "2026-01-01T00:00:00Z",
        "parent": {"name": "North Region"},
        "ultimateParent": {"name": "Top Holding"},
        "subsidiaries": [],
    }
    top = group(town, "C5")
    assert top is not None
    assert (top["parent"], top["ultimateParent"], top["isDeclared"]) == (None, None, None)
    assert top["subsidiaries"] == [{"name": "North Region"}]
    assert group(town, "C1") is None


def test_what_only_registry_numbers_say_is_told_to_those_who_may_see_them(town: World) -> None:
    branch = group(town, "C8", "steward")
    assert branch is not None
    assert (branch["isDeclared"], branch["isRegistered"]) == (False, True)
    assert (branch["parent"], branch["ultimateParent"]) == ({"name": "Rope Works"}, {"name": "Top Holding"})
    assert group(town, "C8") == {
        "isDeclared": None,
        "isRegistered": None,
        "since": None,
        "parent": None,
        "ultimateParent": None,
        "subsidiaries": [],
    }


def test_the_way_up_ends_below_whom_the_requester_may_not_see(town: World) -> None:
    works = town.customer("erp", "C7")
    region = town.customer("erp", "C6")
    with town.services.store.write() as connection:
        bar = "INSERT INTO standing (party_id, bar, customer_id) SELECT party_id, 'restriction', customer_id"
        connection.exec_driver_sql(f"{bar} FROM membership WHERE customer_id = '{region}'")
    try:
        seen = town.ask(GROUP, id=works).data["customer"]["hierarchy"]
        above = group(town, "C5")
    finally:
        with town.services.store.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM standing WHERE customer_id = '{region}'")
    assert (seen["parent"], seen["ultimateParent"], seen["isDeclared"]) == (None, None, None)
    assert above is not None
    assert above["subsidiaries"] == []


def test_without_the_category_there_is_no_group(town: World) -> None:
    assert group(town, "C7", "partner") is None
