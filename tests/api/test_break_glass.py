"""Break-glass over the API: what it opens, of whom, for whom, and what is on record of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.audit import Action, AuditEvent
from tests.api.api_world import World, asking, fill, make_services
from tests.api.glass_world import (
    LIST,
    QUEUE,
    REASON,
    glass,
    opened,
    set_row,
    stopped,
    through,
    write_policy,
)
from tests.commands.lifting import informed
from tests.databases import sqlite_store

ONE = "query($id: ID!) { customer(id: $id) { name email birthDate } }"
NONE_OF_YOURS = "X-Break-Glass names none that you have broken"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("glass")
    url = (
        sqlite_store(folder / "hub.sqlite")
        if request.param == "sqlite"
        else request.getfixturevalue("module_database")
    )
    with make_services(folder, url, policy_file=write_policy(folder)) as services:
        fill(services)
        with asking(services) as world:
            services.publish()
            yield world


@pytest.fixture
def ann(world: World) -> str:
    return world.customer("erp", "C1")


def names(found: Any) -> list[str]:
    return [node["name"] for node in found["nodes"]]


def events(world: World, seq: int) -> list[AuditEvent]:
    world.services.publish_events()
    return world.events_after(seq)


# what it opens


def test_it_opens_what_it_names_of_one_customer_and_nothing_of_others(world: World, ann: str) -> None:
    before = world.ask(LIST, "supply_chain").data["customers"]
    assert before["totalCount"] == 3
    assert {node["email"] for node in before["nodes"]} == {None}
    id_ = glass(world, ann)
    found = through(world, id_, LIST).data["customers"]
    assert found["totalCount"] == 1
    assert found["nodes"] == [
        {"id": ann, "name": "Ann Archer", "email": "ann@example.com", "birthDate": None}
    ]
    assert world.ask(LIST, "supply_chain").data["customers"] == before


@pytest.mark.parametrize(
    "query",
    [
        "query($id: ID!) { customer(id: $id) { name } }",
        "query($id: ID!) { customersPage: customers(where: {id: {in: [$id]}}) { totalCount } }",
        "query($id: ID!) { customers(where: {id: {eq: $id}}) { nodes { id } } }",
    ],
)
def test_other_customers_do_not_exist(world: World, ann: str, query: str) -> None:
    id_, ben = glass(world, ann), world.customer("erp", "C2")
    told = through(world, id_, query, id=ben)
    assert ben not in str(told.body)
    assert "Ben" not in str(told.body)
    assert world.ask(query, "supply_chain", id=ben).data != told.data


def test_a_gateway_is_told_of_nobody_else(world: World, ann: str) -> None:
    ids = [ann, world.customer("erp", "C2")]
    asked = [{"__typename": "Customer", "id": id_} for id_ in ids]
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { name email } } }"
    found = through(world, glass(world, ann), query, r=asked).data["_entities"]
    assert found == [{"name": "Ann Archer", "email": "ann@example.com"}, None]


def test_searches_groups_and_surroundings_are_of_the_one_customer(world: World, ann: str) -> None:
    id_ = glass(world, ann)
    search = '{ search(text: "archer") { total hits { title customerId } } }'
    assert world.ask(search, "supply_chain").data["search"]["total"] > 1
    found = through(world, id_, search).data["search"]
    assert {hit["customerId"] for hit in found["hits"]} == {ann}
    assert found["total"] == len(found["hits"])
    related = "query($id: ID!) { relatedCustomers(id: $id) { customerId } }"
    assert through(world, id_, related, id=ann).data["relatedCustomers"] == []
    assert through(
        world, id_, '{ customers(where: {email: {eq: "ann@example.com"}}) { totalCount } }'
    ).data == {"customers": {"totalCount": 1}}


def test_a_mask_and_a_row_scope_are_lifted_for_what_is_opened_and_stay_for_the_rest(
    world: World, ann: str
) -> None:
    of_france = world.token("sales", attributes={"region": ["FR"]})
    ask = {"query": ONE, "variables": {"id": ann}}
    assert world.post(ask, of_france).data == {"customer": None}
    id_ = glass(world, ann, "user.contact", "user.demographic", token=of_france)
    found = world.post(ask, of_france, x_break_glass=id_)
    assert found.data["customer"] == {"name": None, "email": "ann@example.com", "birthDate": "1984-05"}
    (note,) = found.access
    assert note["path"] == ["customer", "name"]


def test_special_data_stay_shut_where_no_grant_allows_them(world: World, ann: str) -> None:
    reply = opened(world, ann, "user.payment", role="sales")
    assert reply.code == "FORBIDDEN"
    rows = "query($id: ID!) { customer(id: $id) { name vulnerable } }"
    id_ = glass(world, ann, role="sales")
    assert through(world, id_, rows, "sales", id=ann).data["customer"]["vulnerable"] is None


def test_plans_are_shared_between_customers(world: World, ann: str) -> None:
    query = "{ customers { nodes { id telephone } } }"
    ben = world.customer("erp", "C2")
    found = [through(world, glass(world, each), query).data["customers"]["nodes"] for each in (ann, ben)]
    assert [[node["id"] for node in nodes] for nodes in found] == [[ann], [ben]]


# who may


@pytest.mark.parametrize(
    "more",
    [{"reason": "too short"}, {"ticket": " "}, {"minutes": 31}, {"minutes": 0}, {"reason": "\0" * 30}],
)
def test_what_lacks_reason_or_ticket_or_is_too_long_is_refused(world: World, ann: str, more: Any) -> None:
    assert opened(world, ann, **more).code == "BAD_QUERY"


@pytest.mark.parametrize(
    ("role", "category"),
    [("marketing", "user.contact"), ("supply_chain", "user.government_id"), ("compliance", "user.contact")],
)
def test_what_the_policy_does_not_let_a_role_open_is_refused(
    world: World, ann: str, role: str, category: str
) -> None:
    seq = world.seq()
    assert opened(world, ann, category, role=role).code == "FORBIDDEN"
    refused = [event for event in events(world, seq) if event.action is Action.COMMAND_REFUSED]
    assert [event.reason_code for event in refused] == ["break_glass.FORBIDDEN"]


def test_a_customer_who_is_not_there_is_not_found(world: World) -> None:
    assert opened(world, "cus_nobody_at_all_here").code == "NOT_FOUND"


def test_the_same_order_opens_once(world: World, ann: str) -> None:
    first, again = (opened(world, ann, idempotencyKey="glass-1").data for _ in range(2))
    assert first == again


def refused(world: World, id_: str, role: str = "supply_chain") -> str:
    seq = world.seq()
    reply = through(world, id_, LIST, role)
    assert reply.code == "FORBIDDEN"
    (event,) = [each for each in events(world, seq) if each.action is Action.READ_REFUSED]
    assert event.reason_code == "FORBIDDEN"
    return reply.message


def test_who_did_not_break_it_is_told_one_thing(world: World, ann: str) -> None:
    open_, ended, late = (glass(world, ann) for _ in range(3))
    stopped(world, ended)
    set_row(world, late, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    unknown = "01234567-89ab-7def-8123-456789abcdef"
    for id_ in (open_, ended, late, unknown, "ann@example.com", "x" * 500):
        assert refused(world, id_, "support") == NONE_OF_YOURS
    assert refused(world, unknown) == NONE_OF_YOURS


def test_who_broke_it_is_told_why_it_is_shut(world: World, ann: str) -> None:
    ended, late = glass(world, ann), glass(world, ann)
    stopped(world, ended)
    assert "stopped" in refused(world, ended)
    set_row(world, late, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert "run out" in refused(world, late)
    assert "run out" in refused(world, late)


def test_it_is_for_the_purpose_that_it_was_broken_for(world: World, ann: str) -> None:
    token = world.token("supply_chain", ["order_fulfilment", "safety_recall"])
    assert opened(world, ann, token=token).code == "PURPOSE_REQUIRED"
    id_ = glass(world, ann)
    reply = world.post({"query": LIST}, token, x_break_glass=id_, x_purpose="safety_recall")
    assert reply.code == "FORBIDDEN"
    assert "order_fulfilment" in reply.message


def test_nothing_is_changed_under_it_but_its_end(world: World, ann: str) -> None:
    id_ = glass(world, ann, "user.government_id", role="support")
    note = 'mutation($id: ID!) { logInteraction(input: {customerId: $id, kind: call, idempotencyKey: "g"}) { id } }'
    both = (
        "mutation($id: ID!) { stopBreakGlass(id: $id) { id }"
        ' logInteraction(input: {customerId: $id, kind: call, idempotencyKey: "g"}) { id } }'
    )
    for query in (note, both):
        assert through(world, id_, query, "support", id=ann).code == "FORBIDDEN"
    stop = (
        "mutation($id: ID!) { ...end } fragment end on Mutation { stopBreakGlass(id: $id) { id stoppedAt } }"
    )
    assert through(world, id_, stop, "support", id=id_).data["stopBreakGlass"]["id"] == id_
    assert "stopped" in refused(world, id_, "support")


def test_customers_who_restricted_their_data_stay_out_of_reach(world: World) -> None:
    traders = world.customer("erp", "C3")
    id_ = glass(world, traders)
    restrict = (
        "mutation($id: ID!, $s: RestrictionState!) { recordRestriction(input: {customerId: $id, kind: restriction,"
        ' state: $s, idempotencyKey: "%s"}) { id } }'
    )
    assert world.ask(restrict % "r1", "support", id=traders, s="in_force").data
    try:
        assert through(world, id_, LIST).data["customers"]["totalCount"] == 0
        assert opened(world, traders).code == "NOT_FOUND"
    finally:
        informed(world.services, traders)
        assert world.ask(restrict % "r2", "compliance", id=traders, s="lifted").data


# what is on record


def test_start_use_and_end_are_events_and_what_is_read_names_the_glass(world: World, ann: str) -> None:
    seq = world.seq()
    id_ = glass(world, ann)
    through(world, id_, ONE, id=ann)
    stopped(world, id_)
    found = [event for event in events(world, seq) if event.break_glass == id_]
    told = {(event.action, event.reason_code): event for event in found}
    assert told.keys() == {
        (Action.BREAK_GLASS, "started"),
        (Action.BREAK_GLASS, "used"),
        (Action.READ, None),
        (Action.BREAK_GLASS, "stopped"),
    }
    assert len(found) == len(told)
    assert {(event.actor, event.purpose, event.customers) for event in found} == {
        ("u-supply_chain", "order_fulfilment", (ann,))
    }


def test_reason_and_ticket_are_in_no_event_and_no_log(
    world: World, ann: str, caplog: pytest.LogCaptureFixture
) -> None:
    seq = world.seq()
    with caplog.at_level(logging.DEBUG, "hub"):
        through(world, glass(world, ann, ticket="INC-4711"), LIST)
    written = b"".join(event.encode() for event in events(world, seq)).decode() + caplog.text
    assert REASON not in written
    assert "INC-4711" not in written
    assert "HUB_BREAK_GLASS_NOTICE_URL" in caplog.text


def test_the_queue_tells_reviewers_who_opened_what_and_why(world: World, ann: str) -> None:
    id_ = glass(world, ann)
    through(world, id_, LIST)
    through(world, id_, LIST)
    row = next(each for each in world.ask(QUEUE, "compliance").data["breakGlasses"] if each["id"] == id_)
    told = {
        name: row[name] for name in ("state", "overdue", "subject", "uses", "reason", "ticket", "customerId")
    }
    assert told == {
        "state": "OPEN", "overdue": False, "subject": "u-supply_chain", "uses": 2, "reason": REASON,
        "ticket": "INC-17", "customerId": ann,
    }  # fmt: skip
    assert row["roles"] == ["supply_chain"]
    assert row["categories"] == ["user.contact"]
    set_row(world, id_, started_at=datetime.now(UTC) - timedelta(hours=73))
    row = next(each for each in world.ask(QUEUE, "compliance").data["breakGlasses"] if each["id"] == id_)
    assert row["overdue"]


@pytest.mark.parametrize("role", ["supply_chain", "support", "it"])
def test_the_queue_is_for_reviewers_alone(world: World, role: str) -> None:
    assert world.ask(QUEUE, role).code == "FORBIDDEN"
