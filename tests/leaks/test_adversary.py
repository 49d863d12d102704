"""What one who knows schema and ids may try, tells nothing: not by answers, errors, counts, events, statements."""

from __future__ import annotations

import os

import pytest
from graphql import parse

from tests.leaks.adversary import Adversary
from tests.leaks.checking import leaks
from tests.leaks.policies import BLIND, READER, role_name
from tests.leaks.worlds import Pair

THOROUGH = os.environ.get("HUB_TEST_PROFILE") == "thorough"
ASKED = [("sqlite", number) for number in (range(20) if THOROUGH else (0, BLIND))] + [("postgresql", 40)]
KINDS = ("forged cursor", "guessed id", "trick", "link chain", "one row", "error", "count")

by_role = pytest.mark.parametrize(("pair", "number"), ASKED, indirect=["pair"], scope="session")
by_kind = pytest.mark.parametrize("kind", KINDS)


@by_role
@by_kind
def test_no_trick_tells_what_is_hidden(pair: Pair, number: int, kind: str) -> None:
    role = role_name(number)
    pair.become(role)
    found = list(leaks(pair, role, Adversary(pair, role).probes(kind)))
    assert not found, "\n".join(map(str, found[:3]))


@by_role
@pytest.mark.parametrize("kind", ["error", "count", "one row"])
def test_values_that_break_things_are_hidden_as_well(pair: Pair, number: int, kind: str) -> None:
    role = role_name(number)
    pair.become(role, hostile=True)
    found = list(leaks(pair, role, Adversary(pair, role).probes(kind)))
    assert not found, "\n".join(map(str, found[:3]))


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
def test_the_kinds_are_all_that_there_are(pair: Pair) -> None:
    assert Adversary(pair, role_name(0)).kinds == KINDS


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@by_kind
def test_the_questions_are_answered_to_one_who_sees_everything(pair: Pair, kind: str) -> None:
    """A question that nobody is answered could tell nothing."""
    answered = 0
    for probe in Adversary(pair, role_name(0)).probes(kind):
        parse(probe.query)
        answered += "data" in pair.one.ask(probe.query, READER, dict(probe.variables)).tree
    assert answered
