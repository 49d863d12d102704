"""Whatever a role asks, the answer does not depend on what it may not see."""

from __future__ import annotations

import logging
import os

import pytest

from tests.leaks.checking import leaks, told_parts
from tests.leaks.policies import READER, role_name
from tests.leaks.probes import Prober
from tests.leaks.worlds import Pair

THOROUGH = os.environ.get("HUB_TEST_PROFILE") == "thorough"
ASKED = [("sqlite", number) for number in range(40 if THOROUGH else 4)]
# Other roles than on SQLite: pytest puts tests of one number together, and a pair is made anew where it changes.
ASKED += [("postgresql", number) for number in range(40, 44 if THOROUGH else 42)]

COMMANDING = (1, 3, 4)

by_role = pytest.mark.parametrize(("pair", "number"), ASKED, indirect=["pair"], scope="session")


@by_role
def test_two_worlds_that_differ_in_what_a_role_may_not_see_answer_it_alike(
    pair: Pair, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    role = role_name(number)
    pair.become(role)
    with caplog.at_level(logging.DEBUG, "hub"):
        found = list(leaks(pair, role, Prober(pair, role).probes()))
    assert not found, "\n".join(map(str, found[:3]))
    assert not told_parts(pair, caplog.text)


@by_role
def test_the_worlds_do_differ_for_one_who_sees_everything(pair: Pair, number: int) -> None:
    pair.become(role_name(number))
    probes = Prober(pair, role_name(number)).probes("fields")
    assert next(leaks(pair, READER, probes), None) is not None


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("number", COMMANDING)
def test_commands_tell_nothing(pair: Pair, number: int) -> None:
    role = role_name(number)
    pair.become(role, same_parties=True)
    try:
        found = list(leaks(pair, role, Prober(pair, role).commands()))
    finally:
        pair.restore()
    assert not found, "\n".join(map(str, found[:3]))
