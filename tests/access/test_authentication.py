"""Who is let in by what they send, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.access import ApiKeys, Authenticator, Caller
from hub.errors import AccessDeniedError, AuthenticationError, RateLimitError
from tests.access.test_tokens import VERIFIER, claims, signed, small_access_map


class World:
    def __init__(self, folder: Path, most: int = 60, *, tokens: bool = True) -> None:
        self.now = 0.0
        self.barred: dict[str, str] = {}
        self.keys = ApiKeys(folder / "keys.json")
        self.door = Authenticator(
            VERIFIER.tokens if tokens else None,
            self.keys,
            small_access_map,
            most,
            lambda: self.now,
            lambda: self.barred,
        )

    def caller(self, credential: str) -> Caller:
        return asyncio.run(self.door.caller(credential))


def test_tokens_and_api_keys_are_told_apart(tmp_path: Path) -> None:
    world = World(tmp_path)
    _, text = world.keys.create("till-3", ("agent",), ("service",), 1)
    machine, person = world.caller(text), world.caller(signed(claims()))
    assert person.subject == "u-17"
    requester = world.door.requester(machine, None)
    assert (requester.roles, requester.department, requester.purpose) == ({"agent"}, "desk", "service")


def test_a_hub_of_machines_alone_takes_no_token(tmp_path: Path) -> None:
    world = World(tmp_path, tokens=False)
    world.door.prepare()
    with pytest.raises(AuthenticationError, match="API keys only"):
        world.caller(signed(claims()))


def test_a_key_names_roles_and_no_claims(tmp_path: Path) -> None:
    """`hub-agent` is a claim's value that gives the role `agent`; to a key it is no role."""
    world = World(tmp_path)
    _, text = world.keys.create("till-3", ("hub-agent", "agent"), ("service",), 1)
    assert world.door.requester(world.caller(text), None).roles == {"agent"}


def test_a_role_of_a_partner_without_a_contract_is_answered_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    person = world.caller(signed(claims()))
    assert world.door.requester(person, "service").roles == {"agent"}
    world.barred["agent"] = "call_centre"
    with pytest.raises(AccessDeniedError, match="no contract with the partner 'call_centre'"):
        world.door.requester(person, "service")
    world.barred.clear()
    world.barred["other"] = "somebody"
    assert world.door.requester(person, "service").roles == {"agent"}


def caller(subject: str = "u-1", client: str = "web") -> Caller:
    return Caller(subject, "desk", ("hub-agent",), ("service",), client, 0.0)


def refused(act: Callable[[], None]) -> int:
    """Seconds after which to come back."""
    with pytest.raises(RateLimitError, match="limit max_requests is 60 a minute") as caught:
        act()
    return caught.value.retry_after_s


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    for _ in range(60):
        world.door.count(caller())
    assert refused(lambda: world.door.count(caller())) == 1
    world.now += 0.5
    assert refused(lambda: world.door.count(caller())) == 1
    world.now += 0.5
    world.door.count(caller())
    assert refused(lambda: world.door.count(caller())) == 1


def test_waiting_is_never_for_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, 1)
    world.door.count(caller())
    with pytest.raises(RateLimitError) as caught:
        world.door.count(caller())
    assert caught.value.retry_after_s == 60
    world.now += 60
    world.door.count(caller())


def test_what_is_refused_is_not_counted(tmp_path: Path) -> None:
    world = World(tmp_path)
    for _ in range(60):
        world.door.count(caller())
    for _ in range(1_000):
        refused(lambda: world.door.count(caller()))
    world.now += 1
    world.door.count(caller())


@pytest.mark.parametrize("other", [caller("u-2"), caller(client="batch")], ids=["person", "program"])
def test_one_caller_or_program_takes_nothing_from_another(tmp_path: Path, other: Caller) -> None:
    world = World(tmp_path)
    for _ in range(60):
        world.door.count(caller())
    refused(lambda: world.door.count(caller()))
    world.door.count(other)
