"""A policy that changes while the hub runs: taken into force with no restart, or refused; never by half."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.datastructures import Headers

from hub.access import Caller, Requester
from hub.api.credentials import let_in
from hub.api.publisher import following_policy
from hub.api.sse import EventStreams
from hub.api.websocket import WebSocketEndpoint
from hub.audit import Action, AuditEvent, Outcome
from hub.errors import AccessDeniedError, AuditError
from hub.schema import GraphQLRequest, GraphQLService
from hub.services import Services, open_services
from hub.settings import Settings
from tests.api.api_world import POLICY, World, asking, fill, party
from tests.api.stream_world import Listener, Socket, requester, serving, soon, token, until, write

EMAILS = "{ customers(first: 50) { edges { node { email } } } }"
EVERY = "subscription { customerChanged { id customer { name email } } }"
NO_CONTACT = """
  - roles: support
    purposes: customer_service
    categories: user.contact
    effect: deny
    why: for this test
    owner: support
    review: 2027-06-30
"""


@dataclass
class Office:
    """The company with a policy file of its own."""

    path: Path
    services: Services

    def write(self, text: str) -> None:
        """Put the policy in the place of the other, as an editor or a deployment does."""
        draft = self.path.with_suffix(".new")
        draft.write_text(text)
        draft.replace(self.path)

    def change(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert old in text
        self.write(text.replace(old, new))

    def deny_contact(self) -> None:
        self.change("\ngrants:\n", "\ngrants:\n" + NO_CONTACT)

    def settle(self) -> None:
        """Look at the file twice, as the running hub does."""
        for _ in range(2):
            self.services.follow_policy()

    def loaded(self) -> list[AuditEvent]:
        events = (each.event for each in self.services.audit.events())
        return [event for event in events if event.action is Action.POLICY_LOADED]

    def reader(self) -> list[AuditEvent]:
        return [each.event for each in self.services.audit.events() if each.event.actor == "u-support"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.read_text())
    (tmp_path / "config").mkdir()
    settings = Settings(
        data_dir=tmp_path / "var", config_dir=tmp_path / "config", policy_file=path, demo=True
    )
    with open_services(settings, {}) as services:
        fill(services)
        yield Office(path, services)


def emails(world: World) -> set[str | None]:
    edges = world.ask(EMAILS).body["data"]["customers"]["edges"]
    return {edge["node"]["email"] for edge in edges}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_changed_policy_decides_without_a_restart(office: Office) -> None:
    with asking(office.services) as world:
        assert "ann@example.com" in emails(world)
        before = office.services.access.sha256
        office.deny_contact()
        wait_for(lambda: office.services.access.sha256 != before)
        assert emails(world) == {None}
        first, second = office.loaded()
        assert (first.policy_sha256, first.outcome) == (before, Outcome.OK)
        assert (second.policy_sha256, second.outcome) == (office.services.access.sha256, Outcome.OK)
        old, new = office.reader()
        assert (old.policy_sha256, new.policy_sha256) == (first.policy_sha256, second.policy_sha256)
        assert world.ask_app("GET", "/healthz").text == "ok"


def test_a_policy_with_faults_is_refused_and_the_one_before_it_stays(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with asking(office.services) as world:
        before = office.services.access.sha256
        office.change("effect: mask:age_band", "effect: mask:age")
        wait_for(lambda: bool(office.services.policy.faults))
        assert office.services.access.sha256 == before
        assert "ann@example.com" in emails(world)
        wait_for(lambda: len(office.loaded()) == 2)
        refused = office.loaded()[-1]
        assert (refused.outcome, refused.reason_code) == (Outcome.REFUSED, "faults")
        assert (refused.policy_sha256, dict(refused.counts)) == (before, {"faults": 2})
        assert f"{office.path}:" in caplog.text
        assert "did you mean 'mask:age_band'?" in caplog.text
        assert world.ask_app("GET", "/healthz").text.startswith("ok, by an older policy")
        office.change("effect: mask:age\n", "effect: mask:age_band\n")
        wait_for(lambda: not office.services.policy.faults)
        assert world.ask_app("GET", "/healthz").text == "ok"
        assert len(office.loaded()) == 2  # it is the policy that was in force all the time


def test_a_refusal_is_told_once(office: Office) -> None:
    office.write("roles: [")
    for _ in range(5):
        office.services.follow_policy()
    assert [event.outcome for event in office.loaded()] == [Outcome.OK, Outcome.REFUSED]


def test_a_file_is_read_when_it_rests(office: Office) -> None:
    """Written half, it is a policy of fewer grants, maybe without the denials."""
    whole = office.path.read_text()
    before = office.services.access.sha256
    for end in (len(whole) // 2, len(whole) * 3 // 4):
        office.path.write_text(whole[:end])
        office.services.follow_policy()
        assert (office.services.access.sha256, office.services.policy.faults) == (before, ())
    office.write(whole.replace("why: to greet a caller", "why: to greet a caller kindly"))
    office.services.follow_policy()
    assert office.services.access.sha256 == before
    office.services.follow_policy()
    assert office.services.access.sha256 != before


def test_a_file_that_is_gone_is_a_fault_and_changes_nothing(office: Office) -> None:
    before = office.services.access
    office.path.unlink()
    office.settle()
    assert office.services.access is before
    assert "cannot be read" in str(office.services.policy.faults[0])


def test_a_file_that_seems_unchanged_is_read_when_asked_to(office: Office) -> None:
    """A file system may keep times too coarse to tell two versions apart."""
    found = office.path.stat()
    text = office.path.read_text()
    office.path.write_text(text.replace("effect: mask:year", "effect: deny     "))
    os.utime(office.path, ns=(found.st_atime_ns, found.st_mtime_ns))
    before = office.services.access.sha256
    office.settle()
    assert office.services.access.sha256 == before
    office.services.policy.look_again()
    office.settle()
    assert office.services.access.sha256 != before


def test_what_cannot_be_recorded_does_not_come_into_force(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.settle()
    before = office.services.access

    def fail(_event: AuditEvent) -> int:
        raise AuditError("the audit log failed")

    office.deny_contact()
    office.services.follow_policy()
    with monkeypatch.context() as broken:
        broken.setattr(office.services.recorder, "record_sync", fail)
        for _ in range(3):
            with pytest.raises(AuditError):
                office.services.follow_policy()
        assert office.services.access is before
    office.services.follow_policy()
    assert office.services.access.sha256 != before.sha256


def test_plans_of_the_policy_before_are_not_used_again(office: Office) -> None:
    """A plan is kept by the policy's hash: a policy that comes back finds its own."""

    async def answered(service: GraphQLService) -> tuple[bytes, int]:
        answer = await service.answer(GraphQLRequest(EMAILS), requester(office.services, "support"))
        return answer.body, len(service.planner.plans.kept)

    async def main() -> None:
        async with serving(office.services) as service:
            whole, one = await answered(service)
            office.deny_contact()
            office.settle()
            hidden, two = await answered(service)
            office.change(NO_CONTACT, "")
            office.settle()
            again, still_two = await answered(service)
            assert b"ann@example.com" in whole
            assert b"ann@example.com" not in hidden
            assert again == whole
            assert (one, two, still_two) == (1, 2, 2)

    asyncio.run(main())


def test_a_token_that_is_known_already_gives_the_roles_of_the_policy_in_force(office: Office) -> None:
    authenticator = office.services.authenticator
    assert authenticator is not None
    with asking(office.services) as world:
        token = world.token("support")
        caller = asyncio.run(authenticator.caller(token))
        assert authenticator.requester(caller, None).roles == {"support"}
        office.change("label: Support agent\n", "label: Support agent\n    claims: [agents]\n")
        office.settle()
        assert asyncio.run(authenticator.caller(token)) is caller
        with pytest.raises(AccessDeniedError):
            authenticator.requester(caller, None)


# subscriptions, which outlive a policy


def test_a_subscription_follows_a_policy_that_shows_less_and_one_that_shows_more(office: Office) -> None:
    services = office.services

    async def main() -> None:
        async with serving(services) as service:
            listener = Listener(service, requester(services, "support"), EVERY)
            first = asyncio.ensure_future(listener.data())
            await until(lambda: len(office.reader()) == 1)
            write(services, party("erp", "C10", name="Cleo", email="cleo@example.com"))
            assert (await soon(first))["customer"] == {"name": "Cleo", "email": "cleo@example.com"}
            office.deny_contact()
            office.settle()
            write(services, party("erp", "C11", name="Dora", email="dora@example.com"))
            assert (await listener.data())["customer"] == {"name": "Dora", "email": None}
            office.change(NO_CONTACT, "")
            office.settle()
            write(services, party("erp", "C12", name="Edda", email="edda@example.com"))
            assert (await listener.data())["customer"] == {"name": "Edda", "email": "edda@example.com"}
            await listener.close()
        old, new = (event.policy_sha256 for event in office.loaded()[-2:])
        read = [event.policy_sha256 for event in office.reader()]
        # Each time once for what is subscribed to, once for what is told.
        assert read == [new, new, old, old, new, new]

    asyncio.run(main())


def test_a_subscription_ends_when_its_caller_may_not_ask_any_more(office: Office) -> None:
    services, authenticator = office.services, office.services.authenticator
    assert authenticator is not None
    caller = Caller("u-support", "support", ("support",), ("customer_service",), "test", time.time() + 60)

    def renewed() -> Requester:
        return authenticator.requester(caller, None)

    async def main() -> None:
        async with serving(services) as service:
            answers = service.stream(GraphQLRequest(EVERY), renewed(), renewed)
            first: Any = asyncio.ensure_future(anext(answers))
            await until(lambda: len(office.reader()) == 1)
            office.change("label: Support agent\n", "label: Support agent\n    claims: [x]\n")
            office.settle()
            write(services, party("erp", "C10", name="Cleo", email="cleo@example.com"))
            body = orjson.loads((await soon(first)).body)
            assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert "cleo" not in str(body).lower()
            assert await soon(anext(answers, None)) is None
        refused = office.reader()[-1]
        assert (refused.action, refused.reason_code) == (Action.READ_REFUSED, "FORBIDDEN")
        assert refused.policy_sha256 == services.access.sha256

    asyncio.run(main())


def test_no_change_is_lost_or_told_twice_over_a_change_of_policy(office: Office) -> None:
    services = office.services

    async def main() -> None:
        async with serving(services) as service:
            listener = Listener(service, requester(services, "support"), EVERY)
            first = asyncio.ensure_future(listener.data())
            await until(lambda: len(office.reader()) == 1)
            office.deny_contact()
            # More than are read together, so that the policy changes amid them.
            write(services, *(party("erp", f"N{n}", name=f"Number {n}") for n in range(50)))
            names = [(await soon(first))["customer"]["name"]]
            office.settle()
            names += [(await listener.data())["customer"]["name"] for _ in range(49)]
            assert sorted(names) == sorted(f"Number {n}" for n in range(50))
            await listener.close()

    asyncio.run(main())


def test_following_goes_on_after_a_failure(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[None] = []

    def fail() -> None:
        seen.append(None)
        raise AuditError("the audit log failed")

    async def main() -> None:
        async with following_policy(office.services, 0.01):
            await until(lambda: len(seen) > 2)

    caplog.set_level(logging.ERROR)
    services = office.services
    monkeypatch.setattr(type(services), "follow_policy", lambda _self: fail())
    asyncio.run(main())
    assert "following the policy failed: the audit log failed" in caplog.text


def test_a_socket_and_an_event_stream_lose_a_role_that_the_policy_takes(office: Office) -> None:
    """Their callers were let in under the policy before."""
    services, authenticator = office.services, office.services.authenticator
    assert authenticator is not None

    async def main() -> None:
        async with serving(services) as service:
            socket = Socket(WebSocketEndpoint(service, authenticator, 10))
            await socket.introduces(token(services))
            socket.subscribes("1", EMAILS)
            assert "ann@example.com" in str(await soon(socket.hears()))
            assert (await soon(socket.hears()))["type"] == "complete"
            caller = await let_in(
                service, authenticator, Headers({"authorization": f"Bearer {token(services)}"})
            )
            office.change("label: Support agent\n", "label: Support agent\n    claims: [x]\n")
            office.settle()
            socket.subscribes("2", EMAILS)
            told = await soon(socket.hears())
            assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
            await socket.gone()
            sent: list[Any] = []
            waiting = asyncio.Event()

            async def send(message: Any) -> None:
                sent.append(message)

            async def receive() -> Any:
                await waiting.wait()

            await EventStreams(service).stream(GraphQLRequest(EMAILS), caller)({}, receive, send)
            assert "FORBIDDEN" in str(sent)
            assert "ann@example.com" not in str(sent)

    asyncio.run(main())
