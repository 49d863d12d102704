"""Each guard that the adversary runs against, broken alone, lets something through that the leak check sees."""

from __future__ import annotations

from typing import Any

import pytest

from hub.access import Effect
from hub.graph.plans import values
from hub.graph.plans.guard import Guard
from hub.schema import plans
from hub.search import service as search
from tests.leaks.adversary import Adversary
from tests.leaks.policies import BLIND
from tests.leaks.test_broken_guards import Break, _first_leak, _plan_key, _put, _yes
from tests.leaks.worlds import Pair

ROLES = (0, 1, 4, 2, 7, BLIND)
"""Asked one after the other, until a leak is found."""


def _shown_where_aliased(guard: Guard, _shape: Any, prop: Any, path: Any) -> bool:
    """A guard that looks at the name under which something is asked for."""
    denied = guard._access.decide(prop.category).effect is not Effect.ALLOW
    return not denied or path[-1] != prop.name


def _required_at_hand(guard: Guard, scope: Any, prop: Any, use: str) -> None:
    """A guard that forgets the rows to which links lead."""
    if scope.shape.name == "Customer":
        _require(guard, scope, prop, use)


_require = Guard.require

BROKEN: dict[str, tuple[Break, tuple[str, ...]]] = {
    "require for forged cursors": (_put(Guard, "require", lambda *_: None), ("forged cursor",)),
    "require behind links": (_put(Guard, "require", _required_at_hand), ("link chain",)),
    "require for counts": (_put(Guard, "require", lambda *_: None), ("count",)),
    "require for one row's figures": (_put(Guard, "require", lambda *_: None), ("one row",)),
    "require for errors": (_put(Guard, "require", lambda *_: None), ("error",)),
    "shown by name": (_put(Guard, "shown", _shown_where_aliased), ("trick",)),
    "masks under tricks": (_put(values, "_masked", lambda _sql, _prop, column, _shown: column), ("trick",)),
    "may_see for guessed ids": (_put(Guard, "may_see", _yes), ("guessed id",)),
    "sees for counts": (_put(Guard, "may_see", _yes), ("count",)),
    "searched categories for counts": (_put(search.SearchService, "_searches", _yes), ("count",)),
    "shown for guessed ids": (_put(Guard, "shown", _yes), ("guessed id",)),
    "plans of others under tricks": (_put(plans, "_key", _plan_key), ("trick",)),
}


@pytest.mark.parametrize("pair", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("guard", BROKEN)
def test_without_a_guard_the_adversary_finds_a_leak(
    pair: Pair, guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _first_leak(pair, BROKEN[guard], monkeypatch, ROLES, Adversary) is not None
