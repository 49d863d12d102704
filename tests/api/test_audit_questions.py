"""Questions to the audit log over GraphQL: real requests are found again, by those to whom the policy gives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.audit import Action
from tests.api.api_world import World
from tests.api.glass_world import glass, through

OF = """query($customer: ID!, $categories: [String!], $purposes: [String!], $first: Int = 50, $after: Long = -1) {
  accessesOf(customer: $customer, categories: $categories, purposes: $purposes, first: $first, after: $after) {
    customers next events { seq subject roles department purpose action outcome categories customers querySha256 }
  }
}"""
ONE = "query($id: ID!) { customer(id: $id) { name email } }"


@pytest.fixture
def ann(world: World) -> str:
    return world.customer("erp", "C1")


def test_an_answered_request_is_found_by_its_customer_and_by_its_asker(world: World, ann: str) -> None:
    before = world.seq()
    world.ask(ONE, "support", id=ann)
    found = world.ask(OF, "compliance", customer=ann, after=before).data["accessesOf"]
    (event,) = found["events"]
    assert found["customers"] == [ann]
    assert (event["subject"], event["roles"], event["action"]) == ("u-support", ["support"], "read")
    assert event["customers"] == [ann]
    assert "user.contact.email" in event["categories"]
    narrowed = world.ask(OF, "compliance", customer=ann, after=before, categories=["user.payment"])
    assert narrowed.data["accessesOf"]["events"] == []
    seen = 'query($after: Long!) { accessesBy(subject: "u-support", after: $after) { events { seq customers } } }'
    assert world.ask(seen, "compliance", after=before).data["accessesBy"]["events"] == [
        {"seq": event["seq"], "customers": [ann]}
    ]


def test_each_question_is_an_event_before_its_answer(world: World, ann: str) -> None:
    seq = world.seq()
    world.ask(OF, "compliance", customer=ann)
    asked, request = world.events_after(seq)
    assert (asked.action, asked.reason_code, asked.customers) == (Action.AUDIT_READ, "accesses_of", (ann,))
    assert (request.action, request.actor, request.customers) == (Action.READ, "u-compliance", ())


@pytest.mark.parametrize("role", ["support", "it", "management", "steward", "partner"])
def test_the_log_is_no_business_of_others(world: World, ann: str, role: str) -> None:
    reply = world.ask(OF, role, customer=ann)
    assert (reply.code, reply.body["data"]) == ("FORBIDDEN", {"accessesOf": None})


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"first": 100_000}, "first is 100000"),
        ({"categories": ["user.contct"]}, "no data category"),
        ({"customer": "ann@example.com"}, "no public id"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    world: World, ann: str, variables: dict[str, object], says: str
) -> None:
    reply = world.ask(OF, "compliance", **{"customer": ann, **variables})
    assert reply.code == "BAD_QUERY"
    assert says in reply.message


def test_under_break_glass_nothing_is_asked_of_the_log(world: World, ann: str) -> None:
    id_ = glass(world, ann)
    reply = through(world, id_, OF, customer=ann)
    assert reply.code == "FORBIDDEN"
    assert "under break-glass" in reply.message
    told = "query($id: ID!) { breakGlassEvents(id: $id) { events { reason breakGlass } } }"
    found = world.ask(told, "compliance", id=id_).data["breakGlassEvents"]["events"]
    assert {event["breakGlass"] for event in found} == {id_}
    assert "started" in {event["reason"] for event in found}


def test_the_other_questions_are_answered(world: World, ann: str) -> None:
    world.ask(ONE, "support", id="cus_nobody")
    now = datetime.now(UTC)
    times = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    query = """query($since: DateTime!, $until: DateTime!) {
      unusualAccess(since: $since, until: $until) { rule volumes { subject } exports { events { seq } } }
      auditSample(size: 3, seed: "7", since: $since, until: $until) { population events { action } }
      readsWithoutResult(since: $since) { events { customers subject } }
    }"""
    found = world.ask(query, "compliance", **times).data
    assert "median" in found["unusualAccess"]["rule"]
    assert len(found["auditSample"]["events"]) == min(3, found["auditSample"]["population"])
    assert {"subject": "u-support", "customers": []} in found["readsWithoutResult"]["events"]


def test_changes_are_told_with_the_event_of_each(world: World, ann: str) -> None:
    query = """query($customer: ID!) { changesOf(customer: $customer) {
      customers next changes { event { action customers } records { recordId source stream } } } }"""
    found = world.ask(query, "compliance", customer=ann).data["changesOf"]
    assert found["customers"][0] == ann
    assert found["next"] is None
