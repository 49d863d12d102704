"""Retention, holds and breaches over GraphQL: what the officer is told, and who is told nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from hub.commands import RecordRestriction, record_restriction
from tests.api.api_world import World, asking
from tests.commands.command_world import fresh_key
from tests.privacy.keeping.retention_world import Keeper, person

REASON = "a claim for damages is pending at the county court"
RETENTION = """query($at: DateTime, $due: Boolean!) { retention(due: $due, at: $at) { at overdue rules {
  name keepDays cutoff due undated counts { type source due held bound } } } }"""
RUN = """mutation($input: RunRetentionInput!) { runRetention(input: $input) {
  id customers records rows { type count } erasures overdue held bound verified } }"""
PLACE = "mutation($input: PlaceLegalHoldInput!) { placeLegalHold(input: $input) { id customers } }"
RELEASE = "mutation($input: ReleaseLegalHoldInput!) { releaseLegalHold(input: $input) }"
HOLDS = (
    "query($released: Boolean!) { legalHolds(released: $released) { id matter isOverdue until customerIds } }"
)
SCOPE = """query($where: BreachWhere!) { breachScope(where: $where) { people customerIds
  extent { categories { name count } actors { account customers } } } }"""
RECORD = "mutation($input: RecordIncidentInput!) { recordIncident(input: $input) }"
NOTE = """mutation($input: NoteIncidentInput!) { noteIncident(input: $input) {
  isClosed lacks isOverdue steps { kind note } } }"""
INCIDENTS = "{ incidents { id people dueAt lacks nature extent { events } } }"
AFFECTED = "query($id: ID!, $after: ID) { incidentCustomers(incidentId: $id, first: 1, after: $after) }"


def since(**time: int) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def said(**more: Any) -> dict[str, Any]:
    return {"idempotencyKey": uuid4().hex, **more}


@pytest.fixture
def hub(keeper: Keeper) -> Iterator[tuple[World, Keeper]]:
    old, young = "2019-03-01T10:00:00Z", since(days=50)
    keeper.keep(
        people=[person("P1"), person("P2")],
        orders=[{"no": f"O{n}", "buyer": f"P{n}", "at": young} for n in (1, 2)],
        tickets=[{"no": f"T{n}", "who": f"P{n}", "at": old, "subject": "late"} for n in (1, 2)],
    )
    keeper.reopen(demo=True)
    with asking(keeper.services) as world:
        keeper.services.publish()
        yield world, keeper


def test_an_officer_sees_what_is_overdue_and_has_it_erased(hub: tuple[World, Keeper]) -> None:
    world, _ = hub
    found = world.ask(RETENTION, "compliance", due=True).data["retention"]
    assert found["overdue"] == 2
    [rule] = found["rules"]
    assert (rule["name"], rule["keepDays"], rule["due"]) == ("conversations", 1095, 2)
    assert rule["counts"] == [{"type": "Ticket", "source": "ledger", "due": 2, "held": 0, "bound": 0}]
    assert (
        world.ask(RETENTION, "compliance", due=False, at="2019-04-01T00:00:00Z").data["retention"]["overdue"]
        == 0
    )
    given = said()
    done = world.ask(RUN, "compliance", input=given).data["runRetention"]
    assert (done["rows"], done["records"]) == ([{"type": "Ticket", "count": 2}], 2)
    assert (done["overdue"], done["verified"], len(done["erasures"])) == (0, True, 1)
    assert world.ask(RUN, "compliance", input=given).data["runRetention"] == done
    assert world.ask("{ tickets { totalCount } }", "support").data["tickets"]["totalCount"] == 0
    [entry] = world.ask("{ erasures { id rule customerIds ground } }", "compliance").data["erasures"]
    assert entry == {
        "id": done["erasures"][0], "rule": "conversations", "customerIds": [], "ground": "NO_LONGER_NECESSARY",
    }  # fmt: skip


def test_a_hold_is_placed_listed_and_released(hub: tuple[World, Keeper]) -> None:
    world, keeper = hub
    customer = keeper.customer("ledger", "P1")
    why = {"matter": "CC-17", "reason": REASON, "owner": "compliance", "until": "2099-01-01"}
    placed = world.ask(PLACE, "compliance", input=said(customerIds=[customer], **why)).data["placeLegalHold"]
    assert placed["customers"] == 1
    [hold] = world.ask(HOLDS, "compliance", released=False).data["legalHolds"]
    assert hold == {
        "id": placed["id"], "matter": "CC-17", "isOverdue": False, "until": "2099-01-01", "customerIds": [customer],
    }  # fmt: skip
    done = world.ask(RUN, "compliance", input=said()).data["runRetention"]
    assert (done["held"], done["records"]) == (1, 1)
    erase = """mutation($input: EraseCustomerInput!) { eraseCustomer(input: $input) { id } }"""
    order = said(customerId=customer, ground="OBJECTION", reason=REASON, ticket="DSR-1")
    assert "legal hold" in world.ask(erase, "compliance", input=order).message
    released = world.ask(RELEASE, "compliance", input=said(id=placed["id"], reason=REASON))
    assert released.data["releaseLegalHold"] == placed["id"]
    assert world.ask(HOLDS, "compliance", released=False).data["legalHolds"] == []
    assert world.ask(RUN, "compliance", input=said()).data["runRetention"]["records"] == 1


def test_whoever_restricted_the_use_is_counted_as_held(hub: tuple[World, Keeper]) -> None:
    world, keeper = hub
    order = RecordRestriction(
        keeper.customer("ledger", "P1"), {"kind": "restriction", "state": "in_force"}, fresh_key()
    )
    record_restriction(keeper.services, keeper.author("compliance"), order)
    found = world.ask(RETENTION, "compliance", due=True).data["retention"]["rules"][0]["counts"]
    assert found == [{"type": "Ticket", "source": "ledger", "due": 1, "held": 1, "bound": 0}]


def test_a_breach_is_scoped_recorded_and_followed(hub: tuple[World, Keeper]) -> None:
    world, keeper = hub
    customer = keeper.customer("ledger", "P2")
    world.ask("query($id: ID!) { customer(id: $id) { name } }", "support", id=customer)
    where = {"account": "u-support"}
    found = world.ask(SCOPE, "compliance", where=where).data["breachScope"]
    assert (found["people"], found["customerIds"]) == (1, [customer])
    assert found["extent"]["actors"] == [{"account": "u-support", "customers": 1}]
    assert {"name": "user.name", "count": 1} in found["extent"]["categories"]
    texts = dict.fromkeys(("nature", "consequences", "measures"), "told in twenty letters")
    aware = datetime.now(UTC) - timedelta(hours=1)
    order = said(where={"source": "ledger"}, owner="compliance", awareAt=aware.isoformat(), **texts)
    id_ = world.ask(RECORD, "compliance", input=order).data["recordIncident"]
    [entry] = world.ask(INCIDENTS, "compliance").data["incidents"]
    assert (entry["id"], entry["people"], entry["lacks"]) == (id_, 2, ["authority", "people"])
    assert datetime.fromisoformat(entry["dueAt"]) == aware + timedelta(hours=72)
    first = world.ask(AFFECTED, "compliance", id=id_).data["incidentCustomers"]
    rest = world.ask(AFFECTED, "compliance", id=id_, after=first[0]).data["incidentCustomers"]
    assert {*first, *rest} == {keeper.customer("ledger", key) for key in ("P1", "P2")}
    step = said(id=id_, kind="AUTHORITY_NOT_NEEDED", note="the disk was encrypted, its key was not lost")
    noted = world.ask(NOTE, "compliance", input=step).data["noteIncident"]
    assert (noted["lacks"], noted["isOverdue"]) == (["people"], False)
    assert [each["kind"] for each in noted["steps"]] == ["AUTHORITY_NOT_NEEDED"]


def test_nobody_else_is_told_anything(hub: tuple[World, Keeper]) -> None:
    world, keeper = hub
    why = {"matter": "CC-17", "reason": REASON, "owner": "compliance", "until": "2099-01-01"}
    texts = dict.fromkeys(("nature", "consequences", "measures"), "told in twenty letters")
    incident = said(where={"source": "ledger"}, owner="it", awareAt=since(hours=1), **texts)
    asked: list[tuple[str, dict[str, Any], str]] = [
        (RETENTION, {"due": True}, "run_retention"),
        (RUN, {"input": said()}, "run_retention"),
        (HOLDS, {"released": True}, "place_hold"),
        (PLACE, {"input": said(customerIds=[keeper.customer("ledger", "P1")], **why)}, "place_hold"),
        (RELEASE, {"input": said(id="x", reason=REASON)}, "place_hold"),
        (SCOPE, {"where": {"source": "ledger"}}, "handle_breach"),
        (INCIDENTS, {}, "handle_breach"),
        (AFFECTED, {"id": "x"}, "handle_breach"),
        (RECORD, {"input": incident}, "handle_breach"),
        (NOTE, {"input": said(id="x", kind="CLOSED", note="done")}, "handle_breach"),
    ]
    for role in ("support", "sales", "it", "management", "partner"):
        for query, variables, command in asked:
            reply = world.ask(query, role, **variables)
            assert (reply.code, command in reply.message) == ("FORBIDDEN", True)
    assert "it may be 0 to" in world.ask("{ legalHolds(first: 100000) { id } }", "compliance").message
