"""Questions to the audit log: who may ask, what each answers of a shop's customers, what is on record of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.audit import Action, AuditEvent, EventFilter
from hub.commands import (
    Author,
    Narrowed,
    accesses_by,
    accesses_of,
    audit_sample,
    break_glass,
    changes_of,
    prov,
    reads_without_result,
    reveal_payloads,
    stop_glass,
    unusual_access,
    use_glass,
    uses_of_glass,
)
from hub.commands.glasses import access_through
from hub.errors import AccessDeniedError, HubError, NotFoundError, QueryError
from tests.commands.command_world import A_A, ANN, BEN, Shop
from tests.commands.test_glasses import author as planner_author
from tests.commands.test_glasses import order, planner

ALL = Narrowed()
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
GONE = "customer-that-is-not-here"

QUESTIONS: dict[str, Callable[[Shop, Author], object]] = {
    "accesses_of": lambda shop, asks: accesses_of(shop.services, asks, GONE, ALL, first=5),
    "accesses_by": lambda shop, asks: accesses_by(shop.services, asks, "u-1", ALL, first=5),
    "changes_of": lambda shop, asks: changes_of(shop.services, asks, GONE, ALL, first=5),
    "reads_without_result": lambda shop, asks: reads_without_result(
        shop.services, asks, Narrowed(since=BEGIN), first=5
    ),
    "unusual_access": lambda shop, asks: unusual_access(shop.services, asks, *week(), first=5),
    "sample": lambda shop, asks: audit_sample(shop.services, asks, *week(), size=5, seed="1"),
    "uses_of_glass": lambda shop, asks: uses_of_glass(shop.services, asks, broken(shop), first=5),
}


def week() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(days=7), now + timedelta(minutes=1)


def broken(shop: Shop) -> str:
    return break_glass(shop.services, planner_author(shop), order(shop)).id


def read(shop: Shop, *customers: str, **more: Any) -> int:
    """The number of the event of an agent's read."""
    given = {"data_categories": ("user.contact.email",), **more}
    event = shop.author().event(Action.READ, customers=customers, **given)
    return shop.services.recorder.record_sync(event)


def newest(shop: Shop) -> AuditEvent:
    return shop.services.audit.event(shop.services.audit.size() - 1)


def officer(shop: Shop) -> Author:
    return shop.author("compliance")


def merged(shop: Shop) -> tuple[str, str]:
    """The id that was kept and the one that was retired, as two customers became one."""
    shop.write("till", [{**A_A, "card": "7999"}])
    shop.sync("till")
    before = {shop.customer("club", "1"), shop.customer("till", "9")}
    shop.write("till", [{**A_A, "card": ANN["card"], "changed": "2026-06-01"}])
    shop.sync("till")
    kept = shop.customer("till", "9")
    (retired,) = before - {kept}
    return kept, retired


# who may ask


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_on_record_with_its_asker(shop: Shop, question: str) -> None:
    QUESTIONS[question](shop, officer(shop))
    event = newest(shop)
    assert (event.action, event.reason_code, event.actor) == (Action.AUDIT_READ, question, "u-compliance")
    assert event.purpose == "privacy_compliance"


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("role", ["support", "it", "steward", "management"])
def test_who_may_not_ask_is_told_nothing_and_that_is_on_record(shop: Shop, role: str, question: str) -> None:
    with pytest.raises(AccessDeniedError, match="read_audit"):
        QUESTIONS[question](shop, shop.author(role))
    shop.services.publish_events()
    refusals = shop.services.audit.events(EventFilter(actions=(Action.COMMAND_REFUSED,)))
    assert [each.event.reason_code for each in refusals] == ["read_audit.FORBIDDEN"]
    assert [event for event in shop.events() if event.action is Action.AUDIT_READ] == []


def test_the_command_is_for_its_purpose_alone(shop: Shop) -> None:
    with pytest.raises(AccessDeniedError):
        QUESTIONS["accesses_of"](shop, shop.author("compliance", "accounting"))


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda s, a: accesses_of(s, a, "ann@example.com", ALL, first=5), QueryError, "no public id"),
        (lambda s, a: accesses_by(s, a, "Ann Archer", ALL, first=5), QueryError, "an opaque id"),
        (
            lambda s, a: accesses_of(s, a, GONE, Narrowed(categories=("user.contct",)), first=5),
            QueryError,
            "no data category",
        ),
        (
            lambda s, a: accesses_of(s, a, GONE, Narrowed(purposes=("suport",)), first=5),
            QueryError,
            "no purpose",
        ),
        (
            lambda s, a: accesses_of(s, a, GONE, Narrowed(purposes=("accounting",) * 51), first=5),
            QueryError,
            "50 at most",
        ),
        (lambda s, a: unusual_access(s, a, BEGIN, BEGIN, first=5), QueryError, "since lies before until"),
        (
            lambda s, a: unusual_access(s, a, BEGIN, BEGIN + timedelta(days=32), first=5),
            QueryError,
            "31 days at most",
        ),
        (lambda s, a: audit_sample(s, a, *week(), size=0, seed="1"), QueryError, "1 to 1000"),
        (lambda s, a: uses_of_glass(s, a, "nothing", first=5), NotFoundError, "no break-glass"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_on_record(
    shop: Shop, ask: Callable[..., object], error: type[HubError], says: str
) -> None:
    with pytest.raises(error, match=says) as refused:
        ask(shop.services, officer(shop))
    assert "example.com" not in str(refused.value)
    assert newest(shop).action is Action.COMMAND_REFUSED


# who saw whom


def test_who_saw_a_customer_is_told_without_the_others_whom_they_saw(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    seq = read(shop, ann, ben)
    read(shop, ben)
    found = accesses_of(shop.services, officer(shop), ann, ALL, first=5)
    assert found.customers == (ann,)
    (access,) = found.page.events
    assert (access.seq, access.event.actor, access.event.customers) == (seq, "u-support", (ann,))
    assert newest(shop).customers == (ann,)
    assert newest(shop).counts == {"results": 1}


def test_a_merged_customer_is_found_by_both_ids(shop: Shop) -> None:
    kept, retired = merged(shop)
    numbers = [read(shop, kept), read(shop, retired)]
    for customer in (kept, retired):
        found = accesses_of(shop.services, officer(shop), customer, ALL, first=5)
        assert found.customers == (kept, retired)
        assert [each.seq for each in found.page.events] == numbers


def test_who_opened_payloads_saw_the_customer_and_who_asked_the_log_did_not(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    shop.services.publish_events()
    (correction,) = shop.services.audit.events(EventFilter(actions=(Action.CORRECTION,)))
    reveal_payloads(shop.services, officer(shop), correction.seq)
    for _ in range(2):
        found = accesses_of(shop.services, officer(shop), ann, ALL, first=5)
        assert [each.event.reason_code for each in found.page.events] == ["revealed"]


def test_what_somebody_saw_is_told_with_whom_and_the_log_says_of_whom(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    read(shop, ann, ben)
    page = accesses_by(
        shop.services, officer(shop), "u-support", Narrowed(categories=("user.contact",)), first=5
    )
    assert [each.event.customers for each in page.events] == [(ann, ben)]
    assert newest(shop).customers == (ann, ben)
    other = accesses_by(
        shop.services, officer(shop), "u-support", Narrowed(categories=("user.name",)), first=5
    )
    assert other.events == ()


def test_reads_of_nobody_are_told(shop: Shop) -> None:
    seq = read(shop)
    read(shop, shop.customer("club", "1"))
    read(shop, data_categories=("system.operations",))
    page = reads_without_result(shop.services, officer(shop), Narrowed(since=week()[0]), first=5)
    assert [each.seq for each in page.events] == [seq]


def test_exports_are_told_beside_unusual_volumes(shop: Shop) -> None:
    shop.services.recorder.record_sync(shop.author("it").event(Action.EXPORT, counts={"exported": 7}))
    read(shop, *(f"customer-of-test-{number:04}" for number in range(30)))
    found = unusual_access(shop.services, officer(shop), *week(), first=5)
    assert [each.event.counts["exported"] for each in found.exports.events] == [7]
    begin, end = (datetime.combine(at.date(), datetime.min.time(), UTC) for at in week())
    found = unusual_access(shop.services, officer(shop), begin, end + timedelta(days=1), first=5)
    assert [(each.actor, each.customers) for each in found.volumes] == [("u-support", 30)]


def test_a_sample_is_the_same_again_though_asking_is_on_record(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    for _ in range(30):
        read(shop, ann)
    begin, end = week()
    drawn = audit_sample(shop.services, officer(shop), begin, end, size=5, seed="a")
    assert drawn.population == 30
    assert audit_sample(shop.services, officer(shop), begin, end, size=5, seed="a") == drawn


def test_what_happened_under_a_glass_is_told_from_its_start_to_its_review(shop: Shop) -> None:
    id_ = broken(shop)
    asks = planner(shop, glass=id_)
    access = access_through(shop.services, asks, shop.services.access)
    assert access.glass is not None
    use_glass(shop.services, asks, shop.services.access, access.glass)
    nobody = planner_author(shop).event(Action.READ, break_glass=id_)
    shop.services.recorder.record_sync(nobody)
    read(shop, shop.customer("club", "1"))
    stop_glass(shop.services, planner_author(shop), id_)
    page = uses_of_glass(shop.services, officer(shop), id_, first=9)
    told = [(each.event.action.value, each.event.reason_code) for each in page.events]
    assert sorted(told, key=str) == [
        ("break_glass", "started"),
        ("break_glass", "stopped"),
        ("break_glass", "used"),
        ("read", None),
    ]


# what changed, and why


def test_a_change_names_the_version_of_the_record_that_brought_it(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.write("club", [{**ANN, "town": "Bath", "changed": "2026-02-01"}, BEN])
    shop.sync("club")
    found = changes_of(shop.services, officer(shop), ann, ALL, first=9)
    assert [each.recorded.event.action for each in found.changes] == [
        Action.CUSTOMER_CREATED,
        Action.CUSTOMER_CHANGED,
    ]
    assert [each.recorded.event.customers for each in found.changes] == [(ann,), (ann,)]
    versions = shop.rows(
        "SELECT r.id FROM record r JOIN record_head h ON h.id = r.head_id"
        " WHERE h.source = 'club' AND h.stream = 'members' AND h.key = $key ORDER BY r.id",
        key="1",
    )
    assert [[record.id for record in each.records] for each in found.changes] == [
        [row["id"]] for row in versions
    ]
    (record,) = found.changes[1].records
    assert (record.source, record.stream) == ("club", "members")
    assert str(record.run_id) == found.changes[1].recorded.event.run_id


def test_notes_and_corrections_name_the_records_of_staff(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann)
    shop.interaction(ann)
    shop.correct(ann, "email", "new@example.com")
    found = changes_of(shop.services, officer(shop), ann, ALL, first=9)
    told = {
        each.recorded.event.action: [(r.source, r.stream) for r in each.records] for each in found.changes
    }
    assert told[Action.CONSENT_CHANGED] == [("desk", "consents")]
    assert told[Action.INTERACTION_LOGGED] == [("desk", "interactions")]
    assert told[Action.CORRECTION] == [("steward", "corrections")]


def test_a_merge_is_told_with_both_customers_and_the_record_that_tied_them(shop: Shop) -> None:
    kept, retired = merged(shop)
    found = changes_of(shop.services, officer(shop), retired, ALL, first=20)
    (merge,) = (each for each in found.changes if each.recorded.event.action is Action.CUSTOMER_MERGED)
    assert set(merge.recorded.event.customers) == {kept, retired}
    assert [(record.source, record.stream) for record in merge.records] == [("till", "members")]


def test_pages_of_changes_hold_each_change_once(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    for _ in range(5):
        shop.consent(ann)
    whole = changes_of(shop.services, officer(shop), ann, ALL, first=50)
    seen, after = [], -1
    while True:
        page = changes_of(shop.services, officer(shop), ann, ALL, first=2, after=after)
        seen += page.changes
        if page.next is None:
            break
        after = page.next
    assert tuple(seen) == whole.changes
    assert len(seen) == 6


def test_prov_tells_states_activities_agents_and_what_they_came_from(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.correct(ann, "email", "new@example.com")
    found = changes_of(shop.services, officer(shop), ann, ALL, first=9)
    document = prov(ann, found.changes)
    states = [f"hub:customer/{ann}/{each.recorded.seq}" for each in found.changes]
    activities = [f"hub:event/{each.recorded.event.id}" for each in found.changes]
    assert [name for name in document["entity"] if "customer" in name] == states
    assert list(document["activity"]) == activities
    agents = {name: told["prov:type"]["$"] for name, told in document["agent"].items()}
    assert agents == {"hub:agent/system": "prov:SoftwareAgent", "hub:agent/u-steward": "prov:Person"}
    generated = {(r["prov:entity"], r["prov:activity"]) for r in document["wasGeneratedBy"].values()}
    assert generated == set(zip(states, activities, strict=True))
    used = {(r["prov:activity"], r["prov:entity"]) for r in document["used"].values()}
    assert used == {
        (f"hub:event/{each.recorded.event.id}", f"hub:record/{record.id}")
        for each in found.changes
        for record in each.records
    }
    assert {(states[1], states[0])} <= {
        (r["prov:generatedEntity"], r["prov:usedEntity"]) for r in document["wasDerivedFrom"].values()
    }
    for part in document["used"].values():
        assert part["prov:activity"] in document["activity"]
        assert part["prov:entity"] in document["entity"]
    assert "example.com" not in str(document)


def test_a_state_ends_with_its_erasure(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.services.publish_events()
    shop.services.recorder.record_sync(AuditEvent(Action.ERASED, "u-compliance", customers=(ann,)))
    found = changes_of(shop.services, officer(shop), ann, ALL, first=9)
    document = prov(ann, found.changes)
    (ended,) = document["wasInvalidatedBy"].values()
    assert ended["prov:entity"] == f"hub:customer/{ann}/{found.changes[0].recorded.seq}"
