"""No way to the hub adds to what the service tells: HTTP by POST and GET, server-sent events, WebSocket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.graph.plans.guard import Guard
from tests.leaks.checking import leaks
from tests.leaks.policies import BLIND, READER, role_name
from tests.leaks.probes import Probe, Prober
from tests.leaks.ways import WAYS
from tests.leaks.worlds import Pair

ASKED = [("sqlite", 0), ("sqlite", BLIND), ("postgresql", 40)]
SAMPLE = 2
LISTENING = ("events", "socket")

by_role = pytest.mark.parametrize(("pair", "number"), ASKED, indirect=["pair"], scope="session")
by_way = pytest.mark.parametrize("way", WAYS)


def probes(pair: Pair, role: str, way: str) -> Iterator[Probe]:
    """Questions of all kinds that may go that way."""
    for probe in Prober(pair, role, SAMPLE).probes():
        if way in LISTENING or not probe.query.startswith("subscription"):
            yield probe


@by_role
@by_way
def test_two_worlds_tell_the_same_by_every_way(pair: Pair, number: int, way: str) -> None:
    role = role_name(number)
    pair.become(role)
    found = list(leaks(pair, role, probes(pair, role, way), way))
    assert not found, "\n".join(map(str, found[:3]))


@by_role
@by_way
def test_every_way_brings_the_services_own_answers_and_events(pair: Pair, number: int, way: str) -> None:
    role = role_name(number)
    pair.become(role)
    for probe in probes(pair, role, way):
        direct = pair.one.ask(probe.query, role, dict(probe.variables))
        framed = pair.one.ask(probe.query, role, dict(probe.variables), way)
        told = [each for each in framed.answers if each != direct.tree.get("errors")]
        assert told == [each for each in direct.answers if way != "socket" or "data" in each]
        assert framed.events == direct.events


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@by_way
def test_without_a_guard_there_is_a_leak_by_every_way(
    pair: Pair, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = role_name(0)
    pair.become(role)
    monkeypatch.setattr(Guard, "shown", lambda *_: True)
    pair.forget_plans()
    try:
        assert next(leaks(pair, role, Prober(pair, role).probes("fields"), way), None) is not None
    finally:
        pair.forget_plans()


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@by_way
def test_one_who_sees_everything_is_told_of_the_difference_by_every_way(pair: Pair, way: str) -> None:
    pair.become(role_name(0))
    assert next(leaks(pair, READER, Prober(pair, role_name(0)).probes("fields"), way), None) is not None
