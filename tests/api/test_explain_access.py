"""explainAccess: why somebody sees something, for those to whom the policy gives it."""

from __future__ import annotations

import pytest

from hub.audit import Outcome
from tests.api.api_world import POLICY, Reply, World

ASKED = """
query($role: String!, $purpose: String!, $property: String!) {
  explainAccess(role: $role, purpose: $purpose, property: $property) {
    category special effect mask policySha256
    grants { part effect category scope why owner review overdue line }
  }
}
"""
EMAIL = {"role": "marketing", "purpose": "campaign_analysis", "property": "Customer.email"}


def asked(world: World, role: str, variables: dict[str, str]) -> Reply:
    return world.post({"query": ASKED, "variables": variables}, world.token(role))


@pytest.mark.parametrize("role", ["compliance", "it"])
def test_who_answers_for_the_policy_is_told_the_grants(world: World, role: str) -> None:
    found = asked(world, role, EMAIL).data["explainAccess"]
    (reason,) = found.pop("grants")
    line = reason.pop("line")
    assert "email" in "".join(POLICY.read_text().splitlines()[line - 1 : line + 3])
    assert found == {
        "category": "user.contact.email",
        "special": False,
        "effect": "mask",
        "mask": "email",
        "policySha256": world.services.access.sha256,
    }
    assert reason == {
        "part": "decides",
        "effect": "mask:email",
        "category": "user.contact.email",
        "scope": "none",
        "why": "which mail domains bounce, without the address",
        "owner": "marketing",
        "review": "2027-03-31",
        "overdue": reason["overdue"],
    }


def test_special_data_tell_which_permit_was_stopped(world: World) -> None:
    account = {"role": "support", "purpose": "customer_service", "property": "user.financial.bank_account"}
    found = asked(world, "it", account).data["explainAccess"]
    assert (found["special"], found["effect"], found["mask"]) == (True, "mask", "last4")
    assert [(each["part"], each["category"]) for each in found["grants"]] == [
        ("decides", "user.financial.bank_account"),
        ("stopped", "user.financial"),
    ]


@pytest.mark.parametrize("role", ["support", "marketing", "steward", "partner"])
def test_the_policy_is_no_business_of_others(world: World, role: str) -> None:
    seq = world.seq()
    reply = asked(world, role, EMAIL)
    assert reply.code == "FORBIDDEN"
    assert reply.body["data"] == {"explainAccess": None}
    assert [event.outcome for event in world.events_after(seq)] == [Outcome.PARTIAL]


def test_a_name_that_is_not_known_is_refused_with_the_nearest(world: World) -> None:
    reply = asked(world, "it", {**EMAIL, "property": "Customer.emial"})
    assert (reply.code, reply.message) == (
        "NOT_FOUND",
        "there is no property of Customer 'emial'; did you mean 'email'?",
    )
