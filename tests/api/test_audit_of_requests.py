"""Every request of a known caller leaves one event, on disk before its answer leaves; without the log no answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from hub.audit import Action, AuditEvent, Outcome, Recorder
from hub.errors import AuditError
from hub.services import Services
from tests.api.api_world import World, asking, fill

DOCUMENT = "query($id: ID!) { customer(id: $id) { name orders { totalCount } } }"


def test_a_read_is_recorded_with_everything_but_values(world: World) -> None:
    before, ann = world.seq(), world.customer("erp", "C1")
    world.ask(DOCUMENT, id=ann)
    (event,) = world.events_after(before)
    assert (event.action, event.outcome, event.actor) == (Action.READ, Outcome.OK, "u-support")
    assert (event.roles, event.department, event.purpose) == (("support",), "support", "customer_service")
    assert event.customers == (ann,)
    assert {"Customer", "Order"} <= set(event.entity_types)
    assert "user.name" in event.data_categories
    assert event.policy_sha256 == world.services.access.sha256
    assert event.query_sha256 == hashlib.sha256(DOCUMENT.encode()).hexdigest()
    assert event.counts["customers"] == 1


def test_all_customers_in_an_answer_are_named(world: World) -> None:
    before = world.seq()
    world.ask("query($id: ID!) { customer(id: $id) { household { members { name } } } }",
              id=world.customer("erp", "C1"))  # fmt: skip
    (event,) = world.events_after(before)
    assert set(event.customers) == {world.customer("erp", "C1"), world.customer("erp", "C2")}


def test_a_masked_answer_is_partial(world: World) -> None:
    before = world.seq()
    world.ask("{ customers { nodes { name creditLimit { amount } } } }", "marketing")
    (event,) = world.events_after(before)
    assert event.outcome is Outcome.PARTIAL
    assert (event.counts["masked"], event.counts["denied"]) == (1, 1)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{ customers(where: {email: {eq: "x@example.com"}}) { totalCount } }', "FORBIDDEN"),
        ("{ nothing }", "BAD_QUERY"),
        ("{ unfinished", "BAD_QUERY"),
        ("{ orders(first: 100000) { totalCount } }", "LIMIT_EXCEEDED"),
    ],
)
def test_a_refused_request_is_recorded_as_refused(world: World, document: str, code: str) -> None:
    before = world.seq()
    world.ask(document, "marketing")
    (event,) = world.events_after(before)
    assert (event.action, event.outcome, event.reason_code) == (Action.READ_REFUSED, Outcome.REFUSED, code)
    assert event.customers == ()


def test_a_refused_login_is_recorded(world: World) -> None:
    before = world.seq()
    world.post({"query": "{ me { subject } }"}, "no-token")
    (event,) = world.events_after(before)
    assert (event.action, event.reason_code) == (Action.LOGIN_REFUSED, "UNAUTHENTICATED")


def test_a_subject_that_is_no_opaque_id_is_not_let_in(world: World) -> None:
    from hub.access import DemoIssuer

    issuer = DemoIssuer(world.services.settings.data_dir)
    token = issuer.issue("ann@example.com", "support", ["support"], ["customer_service"])
    before = world.seq()
    reply = world.post({"query": "{ me { subject } }"}, token)
    assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
    assert [event.action for event in world.events_after(before)] == [Action.LOGIN_REFUSED]


class FailingRecorder:
    """A recorder whose disk is full."""

    async def recorded(self, _event: AuditEvent) -> int:
        raise AuditError("no space")


class WatchingRecorder:
    """A recorder that notes when an event was on disk."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.durable: list[AuditEvent] = []

    async def recorded(self, event: AuditEvent) -> int:
        seq = await self.recorder.recorded(event)
        self.durable.append(event)
        return seq


@contextmanager
def world_with(services: Services, recorder: Any) -> Iterator[World]:
    fill(services)
    with asking(replace(services, recorder=recorder)) as world:
        yield world


def test_without_the_audit_log_there_is_no_answer(services: Services) -> None:
    with world_with(services, FailingRecorder()) as world:
        reply = world.ask(DOCUMENT, id=world.customer("erp", "C1"))
        assert reply.status == 503
        assert reply.code == "UNAVAILABLE"
        assert "Ann" not in str(reply.body)
        assert "data" not in reply.body


def test_the_event_is_on_disk_when_the_answer_leaves(services: Services) -> None:
    recorder = WatchingRecorder(services.recorder)
    with world_with(services, recorder) as world:
        assert world.ask("{ customers { totalCount } }").data
        assert [event.action for event in recorder.durable] == [Action.READ]
        assert services.audit.size() >= 1


def test_a_failed_read_is_recorded_and_its_cause_masked(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    with world_with(services, services.recorder) as world:
        ann, before = world.customer("erp", "C1"), world.seq()
        with services.store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE customer RENAME TO somewhere_else")
        reply = world.ask(DOCUMENT, id=ann)
        assert reply.status == 503 if reply.code == "UNAVAILABLE" else reply.status == 500
        assert "data" not in reply.body
        reference = reply.body["errors"][0]["extensions"]["reference"]
        assert reply.message.endswith(f"(reference {reference})")
        for text in (str(reply.body), caplog.text):
            assert ann not in text
            assert "SELECT" not in text
        assert reference in caplog.text
        (event,) = world.events_after(before)
        assert (event.action, event.outcome) == (Action.READ, Outcome.FAILED)


@pytest.mark.parametrize("beside", ["", " me { subject }"])
def test_a_value_that_the_schema_does_not_know_is_null(services: Services, beside: str) -> None:
    with world_with(services, services.recorder) as world:
        with services.store.write() as connection:
            connection.exec_driver_sql("UPDATE e_order SET status = 'a-secret' WHERE order_number = 'O1'")
        one = '{ orders(where: {orderNumber: {eq: "O1"}}) { nodes { orderNumber status } }%s }'
        reply = world.ask(one % beside)
        assert reply.data["orders"]["nodes"] == [{"orderNumber": "O1", "status": None}]
        assert "a-secret" not in str(reply.body)


def test_whatever_the_policy_decided_is_recorded_with_its_hash(services: Services) -> None:
    fill(services)
    services.publish()
    with asking(services) as world:
        ann = world.customer("erp", "C1")
        note = f'(input: {{customerId: "{ann}", idempotencyKey: "k", purpose: "sales", channel: any, state: given}})'
        for role in ("support", "partner"):
            world.ask(DOCUMENT, role, id=ann)
            world.ask('{ customers(where: {email: {eq: "x@example.com"}}) { totalCount } }', role)
            world.ask('{ search(text: "archer") { total } }', role)
            world.ask(f"mutation {{ recordConsent{note} {{ id }} }}", role)
        world.post({"query": DOCUMENT}, None)
        world.post({"query": DOCUMENT}, world.token("support"), X_Purpose="accounting")
        services.publish_events()
        by_policy = [event for event in world.events_after(-1) if event.actor != "system"]
        assert {event.action for event in by_policy} >= {
            Action.READ,
            Action.READ_REFUSED,
            Action.SEARCH,
            Action.CONSENT_CHANGED,
            Action.COMMAND_REFUSED,
            Action.LOGIN_REFUSED,
        }
        assert {event.policy_sha256 for event in by_policy} == {services.access.sha256}
