"""Each guard, broken alone, lets something through that the leak check sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import pytest

from hub.access import EVERYONE, MASKS, NOBODY, WHOLE_REACH, Mask, Within
from hub.graph import network
from hub.graph.plans import compile_plan, people, timeline, values
from hub.graph.plans import guard as guards
from hub.graph.plans.guard import Guard
from hub.schema import plans, streams
from hub.search import service as search
from tests.leaks.checking import Leak, leaks
from tests.leaks.policies import BLIND, READER, role_name
from tests.leaks.probes import Probe, Prober
from tests.leaks.worlds import Pair

ROLES = (0, 1, 4, 2, 7, BLIND, 3, 6, 8, 9, 10, 11)
"""Asked one after the other, until a leak is found."""

Break = Callable[[pytest.MonkeyPatch], None]


class Asker(Protocol):
    """Asks in ways that may show what a role may not see."""

    def probes(self, *kinds: str) -> Iterator[Probe]:
        """The questions of these kinds."""


def _yes(*_anything: Any, **_more: Any) -> bool:
    return True


def _put(owner: Any, name: str, broken: Any) -> Break:
    return lambda patch: patch.setattr(owner, name, broken)


def _everywhere(*_anything: Any, **_more: Any) -> Within:
    return EVERYONE


def _all(*breaks: Break) -> Break:
    """Several at once: where one guard is behind another, both have to be gone."""

    def broken(patch: pytest.MonkeyPatch) -> None:
        for each in breaks:
            each(patch)

    return broken


def _bare(_build: Any, scope: Any, prop: Any, _shown: Any) -> str:
    return str(scope.column(prop.column))


def _masks_what_it_does_not_suit(name: str, _prop: Any) -> Mask:
    return MASKS[name]


def _open_network(*given: Any) -> Any:
    class Everything:
        reach = WHOLE_REACH

        def decide(self, _category: str) -> Any:
            from hub.access import Decision, Effect

            return Decision(Effect.ALLOW, None, "all")

    ontology, root, _access, dialect = given
    return compile_plan(ontology, root, Everything(), dialect)


def _plan_key(document: Any, name: Any, variables: Any, _access: Any) -> Any:
    return document.sha256, name, repr(sorted(variables.items()))


def _by_time(build: Any) -> Any:
    def opened(*given: Any, **more: Any) -> Any:
        from dataclasses import replace

        return replace(build(*given, **more), by_time=True)

    return opened


def _ordered_by_value(_cases: Any) -> tuple[str, ...]:
    return ('i."scheme"', 'i."value"')


BROKEN: dict[str, tuple[Break, tuple[str, ...]]] = {
    "require": (_put(Guard, "require", lambda *_: None), ("filter", "sort")),
    "require for figures": (_put(Guard, "require", lambda *_: None), ("figure",)),
    "require for groups": (_put(Guard, "require", lambda *_: None), ("group",)),
    "shown": (_put(Guard, "shown", _yes), ("fields",)),
    "shown in facts": (_put(Guard, "shown", _yes), ("facts",)),
    "shown in titles": (_put(Guard, "shown", _yes), ("timeline",)),
    "allows": (_put(Guard, "allows", _yes), ("facts",)),
    "allows for runs": (_put(Guard, "allows", _yes), ("sources",)),
    "allows_key": (_put(Guard, "allows_key", _yes), ("fields",)),
    "may_follow": (_put(Guard, "may_follow", _everywhere), ("fields",)),
    "may_see": (_put(Guard, "may_see", _yes), ("fields",)),
    "seen": (_put(Guard, "seen", _everywhere), ("link_filter",)),
    "may_belong": (_all(_put(Guard, "may_belong", _yes), _put(Guard, "belongs", _everywhere)), ("fields",)),
    "belongs": (_put(Guard, "belongs", _everywhere), ("link_filter", "fields")),
    "belongs for groups": (_put(Guard, "belongs", _everywhere), ("group",)),
    "belongs in search": (_put(Guard, "belongs", _everywhere), ("search",)),
    "whole for lookups": (_put(Guard, "whole", _yes), ("identifier",)),
    "whole for times": (_put(Guard, "whole", _yes), ("timeline",)),
    "withheld references": (
        _put(Guard, "_follow_where", lambda _s, d: EVERYONE if d.effect != "deny" else NOBODY),
        ("fields",),
    ),
    "masks": (_put(values, "_masked", _bare), ("fields", "facts")),
    "masks of identifiers": (_put(people, "_shown_identifier", lambda *_: 'i."value"'), ("facts",)),
    "masks of other types": (_put(guards, "mask_for", _masks_what_it_does_not_suit), ("fields",)),
    "order of identifiers": (_put(people, "_identifier_order", _ordered_by_value), ("facts",)),
    "phase of the first order": (_put(timeline, "_knows_orders", _yes), ("timeline",)),
    "searched categories": (_put(search.SearchService, "_searches", _yes), ("search",)),
    "searches of others": (_put(search, "_key", lambda _access: ()), ("search",)),
    "recency in search": (_put(search, "SearchRequest", _by_time(search.SearchRequest)), ("search",)),
    "network": (_put(network, "compile_plan", _open_network), ("network",)),
    "customers in subscriptions": (
        _all(
            _put(streams, "require_customers", lambda *_: None),
            _put(streams, "_may_be_told", _yes),
        ),
        ("subscription",),
    ),
    "shown in subscriptions": (_put(Guard, "shown", _yes), ("subscription",)),
    "may_see for entities": (_put(Guard, "may_see", _yes), ("entities",)),
    "shown in entities": (_put(Guard, "shown", _yes), ("entities",)),
    "plans of others": (_put(plans, "_key", _plan_key), ("fields",)),
}


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("guard", BROKEN)
def test_without_a_guard_there_is_a_leak(pair: Pair, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _first_leak(pair, BROKEN[guard], monkeypatch) is not None


def _first_leak(
    pair: Pair,
    broken: tuple[Break, tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    roles: Sequence[int] = ROLES,
    asker: Callable[[Pair, str], Asker] = Prober,
) -> Leak | None:
    """The first leak that the probes of these kinds find once the guard is broken."""
    breaking, kinds = broken
    breaking(monkeypatch)
    pair.forget_plans()
    try:
        return next(_found(pair, kinds, roles, asker), None)
    finally:
        pair.forget_plans()


def _found(
    pair: Pair, kinds: tuple[str, ...], roles: Sequence[int], asker: Callable[[Pair, str], Asker]
) -> Iterator[Leak]:
    for role in map(role_name, roles):
        pair.become(role)
        for probe in asker(pair, role).probes(*kinds):
            # What one who sees everything was answered must not be what others are answered.
            if probe.kind != "subscription":
                pair.one.ask(probe.query, READER, dict(probe.variables))
            yield from (leak for leak in leaks(pair, role, [probe]) if not leak.failed)


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("guard", ["seen", "belongs"])
def test_without_a_guard_commands_tell_whose_rows_are(
    pair: Pair, guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guard, guard, _everywhere)
    found = []
    for role in map(role_name, (1, 3)):
        pair.become(role, same_parties=True)
        try:
            found += [leak for leak in leaks(pair, role, Prober(pair, role).commands()) if not leak.failed]
        finally:
            pair.restore()
    assert found
