"""Customers whom a role does not reach do not exist for it, whatever it asks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain, islice

import pytest

from hub.access import EVERYONE
from hub.graph.plans import build, reach
from hub.graph.plans.guard import Guard
from hub.graph.reached import Reached
from hub.schema import streams
from hub.search import service as search
from hub.search import tantivy_query
from tests.leaks.adversary import Adversary
from tests.leaks.checking import Leak, leaks
from tests.leaks.policies import REACHES, READER
from tests.leaks.probes import Prober
from tests.leaks.worlds import Pair

THOROUGH = os.environ.get("HUB_TEST_PROFILE") == "thorough"
ON_POSTGRESQL = (
    "of_either",
    "of_region_but_barred",
    *(("of_brand", "of_consenting_in_region") if THOROUGH else ()),
)
"""Others than on SQLite, where a question costs less: PostgreSQL plans each one anew."""
TURNS = 1 if THOROUGH else 3
"""Of an adversary's questions each role asks every third in a plain run, and all of them in a thorough one: what keeps
a row out of reach does not depend on the role, so three roles in turn ask what each of them would."""
ASKED = [("postgresql" if role in ON_POSTGRESQL else "sqlite", role) for role in sorted(REACHES)]

by_role = pytest.mark.parametrize(("pair", "role"), ASKED, indirect=["pair"], scope="session")


@by_role
def test_a_world_without_the_customers_out_of_reach_answers_alike(pair: Pair, role: str) -> None:
    pair.become_without(role)
    kinds = ("guessed id",) if role in ON_POSTGRESQL else ("forged cursor", "guessed id", "trick")
    turn = sorted(REACHES).index(role) % TURNS
    tried = islice(Adversary(pair, role).probes(*kinds), turn, None, TURNS)
    found = list(leaks(pair, role, chain(Prober(pair, role).probes(), tried)))
    assert not found, "\n".join(map(str, found[:3]))


@by_role
def test_some_are_out_of_reach_and_some_are_not(pair: Pair, role: str) -> None:
    pair.become_without(role)
    left = len(pair.other_rows["customer"])
    assert left < len(pair.rows["customer"])
    assert bool(left) == (role != "without_attributes")
    probes = Prober(pair, READER).probes("fields", "figure")
    assert next(leaks(pair, READER, probes), None) is not None


Break = Callable[[pytest.MonkeyPatch], None]


def _put(owner: object, name: str, broken: object) -> Break:
    return lambda patch: patch.setattr(owner, name, broken)


def _true(*_anything: object, **_more: object) -> str:
    return "1 = 1"


def _any_token(schema: object, request: object) -> object:
    return tantivy_query._one_of(
        schema, "token", {f"type:{name}" for name in ("Customer", "Order", "Ticket")}
    )  # type: ignore[arg-type]


BROKEN: dict[str, tuple[Break, str, tuple[str, ...]]] = {
    "no row is tested": (_put(reach, "_tests", lambda *_: iter(())), "of_region", ("fields",)),
    "no row is tested along links": (
        _put(build.Build, "scope", None),
        "of_region",
        ("link_filter", "group", "network"),
    ),
    "scopes": (_put(reach, "_in_scope", _true), "of_region", ("by_id",)),
    "standing": (_put(reach, "_stands", _true), "of_all_but_barred", ("by_id",)),
    "consent": (_put(reach, "_consented", _true), "of_consenting", ("by_id",)),
    "whose rows are seen": (_put(Guard, "seen", lambda *_: EVERYONE), "of_region", ("fields",)),
    "search": (_put(tantivy_query, "_admitted", _any_token), "of_region", ("search",)),
    "consent in search": (
        _put(search.SearchService, "_consenting", lambda _s, _c, hits, _a: list(hits)),
        "of_consenting",
        ("search",),
    ),
    "changes": (_put(streams, "_may_be_told", lambda *_: True), "of_region", ("subscription",)),
}


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("guard", BROKEN)
def test_without_a_guard_there_is_a_leak(pair: Pair, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking, role, kinds = BROKEN[guard]
    if guard == "no row is tested along links":
        monkeypatch.setattr(build.Build, "scope", _proven_along_links(build.Build.scope))
    else:
        breaking(monkeypatch)
    pair.forget_plans()
    try:
        assert next(_found(pair, role, kinds), None) is not None
    finally:
        pair.forget_plans()


def _proven_along_links(scope: Callable[..., object]) -> Callable[..., object]:
    """Takes the customer of any row for that of the first."""
    first: list[object] = []

    def opened(self: object, shape: object, same: object = None, *more: object) -> object:
        found = scope(self, shape, same or (first[0] if first else None), *more)
        first.append(found)
        return found

    return opened


def _found(pair: Pair, role: str, kinds: tuple[str, ...]) -> Iterator[Leak]:
    pair.become_without(role)
    for probe in Prober(pair, role).probes(*kinds):
        yield from (leak for leak in leaks(pair, role, [probe]) if not leak.failed)


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("broken", [False, True])
def test_commands_do_not_find_who_is_out_of_reach(
    pair: Pair, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken:
        monkeypatch.setattr(Reached, "customer", lambda *_: True)
    pair.become_without("of_region")
    try:
        probes = list(Prober(pair, "of_region").commands())[::7]
        found = [leak for leak in leaks(pair, "of_region", probes) if not leak.failed]
    finally:
        pair.restore()
    assert bool(found) is broken, "\n".join(map(str, found[:3]))
