"""Erasing over the API: what the officer is told, what a customer's id answers afterwards, and who learns nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hub.audit import Action
from tests.api.api_world import World, asking
from tests.api.glass_world import opened, through, write_policy
from tests.commands.command_world import ANN, BEN, Shop
from tests.commands.erasing_world import REASON
from tests.databases import sqlite_store

ERASE = """mutation($input: EraseCustomerInput!) { eraseCustomer(input: $input) {
  id event counts { place count } mentions verified remaining { place count } state } }"""
ERASURE = "query($id: ID!) { erasure(customerId: $id) { id customerIds erasedAt ground event state } }"
ERASURES = "query($first: Int!) { erasures(first: $first) { id } }"
RELEASE = "mutation($input: ReleaseSuppressionInput!) { releaseSuppression(input: $input) { event count } }"


@contextmanager
def served(folder: Path, url: str, **changed: Any) -> Iterator[tuple[World, Shop]]:
    """The shop with Ann and Ben behind the API."""
    shop = Shop(folder, url)
    shop.write("club", [ANN, BEN])
    shop.sync()
    shop.reopen(demo=True, **changed)
    with asking(shop.services) as world:
        shop.services.publish()
        yield world, shop
    shop.services.close()


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[tuple[World, Shop]]:
    with served(tmp_path, store_url) as found:
        yield found


def said(customer: str, **more: Any) -> dict[str, Any]:
    why = {"ground": "CONSENT_WITHDRAWN", "reason": REASON, "ticket": "DSR-7", "idempotencyKey": uuid4().hex}
    return {"customerId": customer, **why, **more}


def test_an_officer_erases_and_everybody_else_finds_nothing(hub: tuple[World, Shop]) -> None:
    world, shop = hub
    ann = shop.customer("club", "1")
    reply = world.ask(ERASE, "compliance", input=said(ann))
    done = reply.data["eraseCustomer"]
    assert (done["verified"], done["remaining"]) == (True, [])
    assert {each["place"]: each["count"] for each in done["counts"]}["customer"] == 1
    for role in ("support", "sales", "compliance"):
        assert world.ask("query($id: ID!) { customer(id: $id) { id } }", role, id=ann).data == {
            "customer": None
        }
    found = world.ask('{ search(text: "ann archer") { total } }', "support").data["search"]["total"]
    assert found == 0
    tombstone = world.ask(ERASURE, "compliance", id=ann).data["erasure"]
    assert (tombstone["id"], tombstone["event"], tombstone["state"]) == (
        done["id"],
        done["event"],
        done["state"],
    )
    assert (tombstone["ground"], tombstone["customerIds"]) == ("CONSENT_WITHDRAWN", [ann])
    event = world.services.audit.event(done["event"])
    assert (event.action, event.id) == (Action.ERASED, done["id"])
    assert tombstone["erasedAt"][:19] == event.at.isoformat()[:19]
    assert [each["id"] for each in world.ask(ERASURES, "compliance", first=5).data["erasures"]] == [
        done["id"]
    ]
    assert world.ask(ERASURES, "compliance", first=0).data["erasures"] == []


def test_who_may_not_learns_neither_whether_someone_is_there_nor_whether_they_were(
    hub: tuple[World, Shop],
) -> None:
    world, shop = hub
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    world.ask(ERASE, "compliance", input=said(ann, scrub=False))
    for role in ("support", "sales", "steward", "it", "management", "partner"):
        for query, given in ((ERASE, "input"), (ERASURE, "id")):
            replies = [
                world.ask(query, role, **{given: said(id_) if given == "input" else id_})
                for id_ in (ann, ben, "cus_nobody")
            ]
            told = {reply.message for reply in replies}
            assert len(told) == 1
            assert "erase_customer" in told.pop()
        assert world.ask(ERASURES, role, first=1).body["data"] == {"erasures": None}


def test_whoever_was_erased_has_no_past(hub: tuple[World, Shop]) -> None:
    world, shop = hub
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    then = datetime.now(UTC).isoformat()
    query = "query($id: ID!, $at: DateTime) { customer(id: $id, asOf: $at) { id } }"
    assert world.ask(query, "support", id=ann, at=then).data == {"customer": {"id": ann}}
    world.ask(ERASE, "compliance", input=said(ann, scrub=False))
    for role in ("support", "compliance"):
        assert world.ask(query, role, id=ann, at=then).data == {"customer": None}
    assert world.ask(query, "support", id=ben, at=then).data == {"customer": {"id": ben}}


def test_too_many_at_once_are_refused(hub: tuple[World, Shop]) -> None:
    assert "it may be 0 to" in hub[0].ask(ERASURES, "compliance", first=100_000).message


def test_what_was_released_is_counted(hub: tuple[World, Shop]) -> None:
    world, shop = hub
    ann = shop.customer("club", "1")
    done = world.ask(ERASE, "compliance", input=said(ann, scrub=False)).data["eraseCustomer"]
    more = {"reason": REASON, "ticket": "DSR-8", "idempotencyKey": uuid4().hex}
    given = {"scheme": "email", "value": "ANN@example.com", **more}
    released = world.ask(RELEASE, "compliance", input=given).data["releaseSuppression"]
    assert released["count"] == 1
    assert released["event"] > done["event"]
    assert "erase_customer" in world.ask(RELEASE, "support", input=given).message


def test_who_reaches_a_region_erases_nobody_of_another(tmp_path: Path) -> None:
    policy = write_policy(tmp_path)
    text = policy.read_text()
    assert text.endswith("]}")
    grant = (
        '{"roles": "sales", "purposes": "account_management", "commands": "erase_customer", "why": "tests",'
    )
    policy.write_text(f'{text[:-2]}, {grant} "owner": "sales", "review": "2099-01-01"}}]}}')
    with served(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), policy_file=policy) as (world, shop):
        token = world.token("sales", attributes={"region": ["nowhere"]})
        answers = [
            world.post({"query": ERASE, "variables": {"input": said(id_)}}, token)
            for id_ in (shop.customer("club", "1"), "cus_nobody")
        ]
        assert {answer.message for answer in answers} == {"there is no customer with this id"}
        assert shop.services.eraser.register.states() == {}


def test_under_a_broken_glass_nobody_is_erased_and_no_erasure_told(tmp_path: Path) -> None:
    policy = write_policy(tmp_path)
    with served(tmp_path, sqlite_store(tmp_path / "hub.sqlite"), policy_file=policy) as (world, shop):
        ann = shop.customer("club", "1")
        id_ = opened(world, ann).data["breakGlass"]["id"]
        for query, given in ((ERASE, {"input": said(ann)}), (ERASURE, {"id": ann}), (ERASURES, {"first": 1})):
            assert through(world, id_, query, **given).code == "FORBIDDEN"
        assert shop.services.eraser.register.states() == {}
